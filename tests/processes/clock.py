"""A clock that can be set from outside, while the processes that read it run, stand still or are dead."""

from __future__ import annotations

import mmap
import struct
import time
from datetime import UTC, datetime
from pathlib import Path

from execution_engine.adapters.clock import SystemClock

_SECONDS = struct.Struct("d")


class SharedClock(SystemClock):
    """The time of this computer and what a file adds to it; every process that opened the file sees the same.

    Only the clock on the wall is ahead: `monotonic` stands still while a computer sleeps.
    """

    def __init__(self, path: Path) -> None:
        if not path.exists():
            path.write_bytes(_SECONDS.pack(0.0))
        with path.open("r+b") as file:
            self._ahead = mmap.mmap(file.fileno(), _SECONDS.size)

    def now(self) -> datetime:
        (ahead,) = _SECONDS.unpack_from(self._ahead)
        return datetime.fromtimestamp(time.time() + ahead, UTC)

    def forward(self, seconds: float) -> None:
        """Let everybody's clock jump."""
        (ahead,) = _SECONDS.unpack_from(self._ahead)
        _SECONDS.pack_into(self._ahead, 0, ahead + seconds)
