"""The files of the log: one that is written, older ones beside it, and none of them for ever."""

from __future__ import annotations

import contextlib
import gzip
import os
import shutil
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from execution_engine.domain.settings import Logs as LogSettings

if TYPE_CHECKING:
    from loguru import Message

FILE = "engine.log"
TURN_BYTES = 20 * 1024 * 1024
MOST_BYTES = 200 * 1024 * 1024


class LogFile:
    """A file that is turned over with each day (UTC) and before it grows too large.

    Never raises: a line that cannot be written is lost, and the next one tries again.
    """

    def __init__(self, folder: Path, turned: Callable[[], None]) -> None:
        self.failure: str | None = None
        self._path = folder / FILE
        self._turned = turned
        self._number: int | None = None
        self._size = 0
        self._day = date.min

    def write(self, message: Message) -> None:
        """Append one line; loguru calls this for one line at a time."""
        line = message.encode("utf-8", "replace")
        day = message.record["time"].astimezone(UTC).date()
        try:
            number = self._open(day) if self._number is None else self._number
            if self._size and (day != self._day or self._size + len(line) > TURN_BYTES):
                number = self._turn(message.record["time"], day)
            self._size += os.write(number, line)
            self.failure = None
        except OSError as error:
            self.failure = f"The log cannot be written: {error.strerror}."
            self.close()

    def close(self) -> None:
        number, self._number = self._number, None
        if number is not None:
            with contextlib.suppress(OSError):
                os.close(number)

    def _open(self, day: date) -> int:
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._number = _private(os.fspath(self._path), os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        kind = os.fstat(self._number)
        self._size = kind.st_size
        # The file may have been begun on another day.
        self._day = datetime.fromtimestamp(kind.st_mtime, UTC).date() if self._size else day
        return self._number

    def _turn(self, now: datetime, day: date) -> int:
        self.close()  # Windows renames no open file
        name = f"engine.{now.astimezone(UTC):%Y-%m-%dT%H-%M-%S.%f}"
        self._path.replace(self._path.with_name(f"{name}.log"))
        number = self._open(day)
        self._turned()
        return number


def tidy(folder: Path, settings: LogSettings, now: datetime) -> None:
    """Compress and remove old files by their age, and the oldest ones where all together are too large."""
    files = [path for path in folder.glob("engine.*") if path.name != FILE]
    for path in files:
        if path.suffix == ".part" or _is_older(path, settings.keep_days, now):
            path.unlink(missing_ok=True)
        elif path.suffix == ".log" and _is_older(path, settings.compress_after_days, now):
            _compress(path)
    size = 0
    for path in sorted(
        folder.glob("engine.*"), key=lambda path: (path.name == FILE, _written(path)), reverse=True
    ):
        size += path.stat().st_size if path.exists() else 0
        if size > MOST_BYTES and path.name != FILE:
            path.unlink(missing_ok=True)


def _written(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:  # turned over at this moment
        return 0


def _is_older(path: Path, days: int, now: datetime) -> bool:
    return datetime.fromtimestamp(_written(path), UTC) <= now - timedelta(days=days)


def _compress(path: Path) -> None:
    part = path.with_name(f"{path.name}.gz.part")
    with path.open("rb") as plain, open(part, "wb", opener=_private) as raw, gzip.open(raw, "wb") as packed:
        shutil.copyfileobj(plain, packed)
    shutil.copystat(path, part)  # its age goes on counting from when it was written
    part.replace(path.with_name(f"{path.name}.gz"))
    path.unlink()


def _private(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_BINARY", 0), 0o600)
