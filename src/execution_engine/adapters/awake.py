"""Keeping the computer from going to sleep; its screen may go dark and lock."""

from __future__ import annotations

import threading

from loguru import logger

JOIN_S = 2.0  # a session bus that does not answer must not hold up the end


class Awake:
    """Holds the computer awake while that is wanted, in a thread of its own: it asks the session bus and waits."""

    def __init__(self) -> None:
        """Ask for nothing yet."""
        self._release: threading.Event | None = None
        self._thread: threading.Thread | None = None
        self._said = False

    @property
    def is_wanted(self) -> bool:
        """Tell whether the computer is to stay awake."""
        return self._release is not None

    def want(self, awake: bool) -> None:
        """Begin or end to hold the computer awake; asking again for the same does nothing."""
        if awake and self._release is None:
            self._release = threading.Event()
            self._thread = threading.Thread(
                target=self._hold, args=(self._release,), name="awake", daemon=True
            )
            self._thread.start()
        elif not awake and self._release is not None:
            self._release.set()
            self._release = None

    def stop(self) -> None:
        """Let the computer sleep again, and wait a moment until it was told so."""
        self.want(False)
        if self._thread is not None:
            self._thread.join(JOIN_S)

    def _hold(self, release: threading.Event) -> None:
        from wakepy import keep  # only where positions are open; it looks for a session bus

        try:
            with keep.running(on_fail=self._failed):
                release.wait()
        except Exception as error:  # a system's oddity must not end what only makes life easier
            self._failed(error)
            release.wait()

    def _failed(self, result: object) -> None:
        """Say it once: a server without a desktop has nothing to ask, and does not sleep."""
        if not self._said:
            self._said = True
            logger.info("This computer cannot be kept awake while positions are open ({})", _reason(result))


def _reason(result: object) -> str:
    told = getattr(result, "get_failure_text", None)
    return str(told(style="inline") if told is not None else result)[:200]
