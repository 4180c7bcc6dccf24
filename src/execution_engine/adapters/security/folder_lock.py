"""One running engine per data folder, held by the operating system's own lock.

A lock of the kernel ends with the process, however it ends, so nothing stale is ever left behind. A file with
a process id would be, after a crash.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import IO

from execution_engine.domain.errors import EngineError


class FolderInUse(EngineError):
    """Another process runs on this data folder. The text is a sentence for the user."""


class FolderNotLockable(EngineError):
    """The file system of the data folder has no locks. The text is a sentence for the user."""


class FolderLock:
    """The lock on a file, from `acquire` to `release` or the end of the process."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: IO[bytes] | None = None

    @property
    def held(self) -> bool:
        return self._file is not None

    def acquire(self) -> None:
        """Take the lock, at once or not at all.

        Raises FolderInUse if another process has it, FolderNotLockable if it cannot be had at all.
        """
        if self._file:
            return
        try:
            # Never truncated, never deleted: whoever deletes a locked file lets two in.
            file = os.fdopen(os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600), "r+b", buffering=0)
        except OSError as error:
            raise self._not_lockable(error) from error
        try:
            lock_file(file.fileno())
        except OSError as error:
            file.close()
            # Windows says "permission denied" where POSIX says "would block".
            if not isinstance(error, BlockingIOError | PermissionError):
                raise self._not_lockable(error) from error
            raise FolderInUse(
                f"Execution Engine is running already with the data folder {self.path.parent}. "
                "Use its window, end it first, or choose another folder with --data-dir."
            ) from error
        self._file = file

    def release(self) -> None:
        """Give the lock back; does nothing without it."""
        if self._file:
            self._file.close()
            self._file = None

    def _not_lockable(self, error: OSError) -> FolderNotLockable:
        reason = (error.strerror or str(error)).lower()
        return FolderNotLockable(
            f"The data folder {self.path.parent} cannot be locked ({reason}). Choose one on a local disk "
            "that you may write to."
        )

    def __enter__(self) -> FolderLock:
        self.acquire()
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


if sys.platform == "win32":
    import msvcrt

    def lock_file(descriptor: int) -> None:
        """Lock the first byte, which need not exist. Raises OSError at once if it is locked."""
        os.lseek(descriptor, 0, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def lock_file(descriptor: int) -> None:
        """Lock the whole file. Raises OSError at once if it is locked."""
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
