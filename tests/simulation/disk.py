"""The disk of the engine's machine: one database file that outlives the program, and a store that takes its time."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Protocol

from execution_engine.adapters.storage.files import companions
from execution_engine.adapters.storage.migrate import create
from execution_engine.adapters.storage.store import SqliteStore, answer_all
from execution_engine.domain.errors import StoreFailed
from execution_engine.domain.rows import Row

Then = Callable[[StoreFailed | None], None]
MEMORY = Path("/dev/shm")  # files there cost no disk


@cache
def _folder(process: int) -> Path:
    """Return a folder for one process; everything in it goes with the folder's owner."""
    parent = MEMORY if os.access(MEMORY, os.W_OK) else None
    kept = tempfile.TemporaryDirectory(prefix="simulation-", dir=parent)
    _KEPT.append(kept)
    return Path(kept.name)


_KEPT: list[tempfile.TemporaryDirectory[str]] = []


@cache
def _empty(process: int) -> Path:
    """Return an empty database of the newest schema, to be copied: making one takes longer than many seeds."""
    path = _folder(process) / "empty.sqlite"
    create(path)
    return path


class Disk:
    """One database file."""

    def __init__(self, name: str = "engine") -> None:
        self.path = _folder(os.getpid()) / f"{name}.sqlite"
        self.erase()
        shutil.copyfile(_empty(os.getpid()), self.path)

    def erase(self) -> None:
        for beside, _ in companions(self.path):
            beside.unlink()
        self.path.unlink(missing_ok=True)

    def open(self) -> SqliteStore:
        return SqliteStore(self.path)

    def log_size(self) -> int:
        log = self.path.with_name(self.path.name + "-wal")
        return log.stat().st_size if log.exists() else 0

    def power_loss(self, store: SqliteStore, log_size: int) -> None:
        """Keep the files as they are but for the end of the log, which never reached the disk."""
        kept = [self.path, *(beside for beside, suffix in companions(self.path) if suffix == "-wal")]
        copies = [(path, path.with_name(path.name + ".kept")) for path in kept]
        for path, copy in copies:
            shutil.copyfile(path, copy)
        store.close()  # it brings the file in order on its way out, as no power cut does
        self.erase()
        for path, copy in copies:
            copy.rename(path)
        with self.path.with_name(self.path.name + "-wal").open("rb+") as log:
            log.truncate(log_size)

    def contains(self, text: str) -> bool:
        """Return whether a text stands anywhere in the files."""
        files = [self.path, *(beside for beside, _ in companions(self.path))]
        return any(text.encode() in path.read_bytes() for path in files)


class Conduct(Protocol):
    """How the machine lets commits go: when, and what becomes of each."""

    def later(self, call: Callable[[], None]) -> None:
        """Have a commit happen after a while."""
        ...

    def may_commit(self, store: SlowStore, rows: tuple[Row, ...]) -> bool:
        """Return whether a commit happens; the program may die of the question."""
        ...

    def committed(self, rows: tuple[Row, ...]) -> None: ...

    def refused(self, failed: StoreFailed) -> None:
        """Hear that the database took no commit, although nobody had planned that."""
        ...

    def soon(self, call: Callable[[], None]) -> None:
        """Have the loop call back."""
        ...


class SlowStore:
    """Implements the engine's `Store`: everything that waits becomes one transaction, after a while."""

    def __init__(self, inner: SqliteStore, conduct: Conduct) -> None:
        self.path = inner.path
        self.inner = inner
        self.failed: StoreFailed | None = None
        self._conduct = conduct
        self._waiting: list[tuple[tuple[Row, ...], Then]] = []
        self._planned = False
        self._accepted = self._settled = 0

    @property
    def behind(self) -> int:
        return self._accepted - self._settled

    def load(self) -> list[Row]:
        return self.inner.load()

    def next_id(self) -> int:
        return self.inner.next_id()

    def write(self, rows: tuple[Row, ...], then: Then) -> None:
        self._accepted += 1
        self._waiting.append((rows, then))
        if not self._planned:
            self._planned = True
            self._conduct.later(self._commit)

    def fail(self, reason: str) -> None:
        self.failed = StoreFailed(reason)

    def _commit(self) -> None:
        works, self._waiting = self._waiting, []
        self._planned = False
        rows = tuple(row for written, _ in works for row in written)
        if not self._conduct.may_commit(self, rows):
            return
        if self.failed is None:
            self.inner.write(rows, self._heard)
        if self.failed is None:
            self._conduct.committed(rows)
        self._settled += len(works)
        thens = [then for _, then in works]
        self._conduct.soon(lambda: answer_all(thens, self.failed))

    def _heard(self, failed: StoreFailed | None) -> None:
        self.failed = self.failed or failed
        if failed is not None:
            self._conduct.refused(failed)
