"""The operating system's keyring: Secret Service on Linux, Credential Manager on Windows, Keychain on macOS.

What it protects against: the vault's file alone, in a backup or from a stolen disk, opens nothing; its key is behind
the user's login. What it does not: a program that runs as this user can ask the keyring as this one does. On macOS
any code in the same Python binary can.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from execution_engine.domain.errors import VaultError, VaultTrouble

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

SERVICE = "execution-engine"
DEADLINE_S = 30.0  # a locked keyring asks the user for a password first
LOOK_EVERY_S = 0.1  # while it does not answer: whether the program ends meanwhile
# Modules whose keyrings keep nothing, or keep it where anybody can read it.
_NO_KEYRINGS = ("keyring.backends.fail", "keyring.backends.null", "keyrings.alt")

T = TypeVar("T")


class OsKeyring:
    """Keeps short texts under names, and never waits longer than `deadline_s` for the system to answer."""

    def __init__(self, deadline_s: float = DEADLINE_S) -> None:
        self._deadline_s = deadline_s
        self._ended = threading.Event()

    def stop_waiting(self) -> None:
        """Wait for no answer any more, now and later: the program ends."""
        self._ended.set()

    def is_there(self) -> bool:
        """Return whether there is a keyring that can be relied upon. Blocking."""
        try:
            self._asked(lambda backend: None)
        except VaultError:
            return False
        return True

    def get(self, name: str) -> str | None:
        """Return what is kept under a name; None if nothing is. Blocking. Raises VaultError."""
        return self._asked(lambda backend: backend.get_password(SERVICE, name))

    def set(self, name: str, text: str) -> None:
        """Keep a text, and make sure that it is kept. Blocking. Raises VaultError."""

        def keep(backend: KeyringBackend) -> str | None:
            backend.set_password(SERVICE, name, text)
            return backend.get_password(SERVICE, name)

        if self._asked(keep) != text:
            raise VaultError(
                VaultTrouble.KEYRING_FAILED,
                "The system's keyring did not keep what it was given. Choose a master password instead.",
            )

    def delete(self, name: str) -> None:
        """Forget what is kept under a name, if anything is. Blocking. Raises VaultError."""

        def forget(backend: KeyringBackend) -> None:
            if backend.get_password(SERVICE, name) is not None:
                backend.delete_password(SERVICE, name)

        self._asked(forget)

    def _asked(self, question: Callable[[KeyringBackend], T]) -> T:
        """Ask on a thread of its own: a keyring may wait for a dialog that nobody sees."""
        answers: list[T] = []
        errors: list[Exception] = []

        def ask() -> None:
            try:
                answers.append(question(_backend()))
            except Exception as error:
                errors.append(error)

        thread = threading.Thread(target=ask, name="keyring", daemon=True)
        thread.start()
        deadline = time.monotonic() + self._deadline_s
        while thread.is_alive() and not self._ended.is_set() and time.monotonic() < deadline:
            thread.join(LOOK_EVERY_S)
        if answers:
            return answers[0]
        raise (
            _told(errors[0])
            if errors
            else VaultError(
                VaultTrouble.KEYRING_SILENT,
                f"The system's keyring did not answer within {self._deadline_s:.0f} s; perhaps it waits for its "
                "password in a window of its own. Answer there and try again.",
            )
        )


def _backend() -> KeyringBackend:
    """Return the keyring in use. Raises VaultError where there is none to be relied upon."""
    import keyring  # 0.1 s, and whoever has a master password never needs it

    chosen = keyring.get_keyring()
    members = getattr(chosen, "backends", None)
    found = [one for one in (members if isinstance(members, list | tuple) else [chosen]) if is_safe(one)]
    if not found:
        raise VaultError(
            VaultTrouble.KEYRING_MISSING,
            "This system has no keyring that this program could use. Choose a master password instead "
            "(--password-file, or EXECUTION_ENGINE_PASSWORD).",
        )
    return found[0]


def is_safe(backend: KeyringBackend) -> bool:
    """Return whether a keyring keeps what it is given, and not where anybody can read it."""
    kind = type(backend)
    return not kind.__module__.startswith(_NO_KEYRINGS) and "plaintext" not in kind.__name__.casefold()


def _told(error: Exception) -> VaultError:
    """Say what a keyring failed with; its own words may quote what it was given."""
    if isinstance(error, VaultError):
        return error
    kind = type(error).__name__
    if kind == "NoKeyringError":
        return VaultError(
            VaultTrouble.KEYRING_MISSING,
            "This system has no keyring that this program could use. Choose a master password instead.",
        )
    if kind in ("KeyringLocked", "LockedException", "PromptDismissedException"):
        return VaultError(
            VaultTrouble.KEYRING_LOCKED, "The system's keyring is locked. Unlock it and try again."
        )
    return VaultError(
        VaultTrouble.KEYRING_FAILED,
        f"The system's keyring failed ({kind}). Try again, or choose a master password instead.",
    )
