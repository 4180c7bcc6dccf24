"""Keyrings for the tests, by the interface of the library's own ones.

None of them is chosen by itself: a test sets one, or names it in PYTHON_KEYRING_BACKEND for another process.
"""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path

from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked, PasswordDeleteError


class Remembering(KeyringBackend):
    """Keeps what it is given, in memory."""

    priority = -1  # type: ignore[assignment]

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        if self.kept.pop((service, username), None) is None:
            raise PasswordDeleteError("there is none")


class OnDisk(Remembering):
    """Keeps it in the file that TEST_KEYRING names, as a keyring's daemon would across processes."""

    def __init__(self) -> None:
        super().__init__()
        self._file = Path(os.environ["TEST_KEYRING"]) if "TEST_KEYRING" in os.environ else None

    def get_password(self, service: str, username: str) -> str | None:
        self._read()
        return super().get_password(service, username)

    def set_password(self, service: str, username: str, password: str) -> None:
        self._read()
        super().set_password(service, username, password)
        self._write()

    def delete_password(self, service: str, username: str) -> None:
        self._read()
        super().delete_password(service, username)
        self._write()

    def _read(self) -> None:
        if self._file and self._file.exists():
            self.kept = {(one, two): text for one, two, text in json.loads(self._file.read_text())}

    def _write(self) -> None:
        if self._file:
            self._file.write_text(json.dumps([[*names, text] for names, text in self.kept.items()]))


class Locked(Remembering):
    """Is locked, and its user dismisses the question for the password."""

    def get_password(self, *given: str) -> str | None:
        raise KeyringLocked("Failed to unlock the collection!")

    set_password = delete_password = get_password  # type: ignore[assignment]


class Silent(Remembering):
    """Waits for a dialog that nobody sees, until the test lets go of it."""

    def __init__(self) -> None:
        super().__init__()
        self.let_go = threading.Event()
        self.asked = threading.Event()

    def get_password(self, *given: str) -> str | None:
        self.asked.set()
        self.let_go.wait(20)
        return None

    set_password = delete_password = get_password  # type: ignore[assignment]


class Forgetful(Remembering):
    """Takes everything and keeps nothing."""

    def set_password(self, service: str, username: str, password: str) -> None:
        pass


class Broken(Remembering):
    """Fails, and quotes what it was given."""

    def get_password(self, service: str, username: str) -> str | None:
        raise RuntimeError(f"{self.kept}")

    def set_password(self, service: str, username: str, password: str) -> None:
        raise RuntimeError(f"cannot keep {password}")


class PlaintextKeyring(Remembering):
    """Is called what the keyrings are called that keep everything where anybody can read it."""
