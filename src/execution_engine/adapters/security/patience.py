"""Whoever guesses passwords waits longer each time."""

from __future__ import annotations

from collections.abc import Callable

from execution_engine.domain.errors import VaultError, VaultTrouble

FREE = 3  # wrong passwords that cost nothing: typing errors
LONGEST_S = 300.0


class Patience:
    """Counts wrong passwords in a row: after the third a second passes, after the tenth two minutes.

    monotonic: a clock that nobody can set [s].
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._wrong = 0
        self._until = monotonic()

    @property
    def wait_s(self) -> float:
        """Return how long no password is tried yet; 0 if one may be tried now."""
        return max(self._until - self._monotonic(), 0.0)

    def refuse(self) -> None:
        """Raise VaultError while a password comes too soon after wrong ones."""
        if wait := self.wait_s:
            raise VaultError(
                VaultTrouble.TOO_SOON,
                f"{self._wrong} wrong master passwords were given; try again in {int(wait) + 1} s.",
            )

    def wrong(self) -> None:
        """Count one more."""
        self._wrong += 1
        if self._wrong >= FREE:
            self._until = self._monotonic() + min(2.0 ** min(self._wrong - FREE, 16), LONGEST_S)

    def right(self) -> None:
        """Forget the wrong ones."""
        self._wrong = 0
        self._until = self._monotonic()
