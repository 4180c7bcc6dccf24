"""The store of the desk: rows in, on a thread of its own, and out again at the start."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from queue import Empty, SimpleQueue

from execution_engine.adapters.storage import loading
from execution_engine.adapters.storage.batch import Batch
from execution_engine.adapters.storage.connect import BUSY_MS, connect
from execution_engine.adapters.storage.failures import sentence
from execution_engine.adapters.storage.pruning import prune_some
from execution_engine.adapters.storage.statements import commit
from execution_engine.domain.errors import StoreFailed
from execution_engine.domain.rows import Row

CHECKPOINT_COMMITS = 200  # a commit changes some ten pages of 4 KiB
MOST_UNCHECKED = 2_000

Then = Callable[[StoreFailed | None], None]
Call = Callable[[Callable[[], None]], None]


@dataclass(frozen=True, slots=True)
class Prune:
    """What is old enough to go, asked for at `now`."""

    now: datetime
    log_days: int
    audit_days: int


@dataclass(frozen=True, slots=True)
class Work:
    """One entry of the inbox."""

    then: Then
    rows: tuple[Row, ...] = ()
    prune: Prune | None = None


class SqliteStore:
    """Writes rows to an up-to-date database file; everything that waits becomes one transaction.

    call: schedules a callback on the event loop (`loop.call_soon_threadsafe`). Without it there is no thread:
    `write` commits before it returns and calls `then` itself, as a simulation on a virtual clock needs it.

    It is written to from one thread, the loop's, and closed from there or after the loop has ended.
    After one failure nothing is written any more, and every write, waiting or later, is answered with it.
    Raises StoreFailed if the file cannot be opened.
    """

    def __init__(self, path: Path, call: Call | None = None, *, busy_ms: int = BUSY_MS) -> None:
        self.path = path
        self.failed: StoreFailed | None = None
        self._call = call
        try:
            self._connection = connect(path, busy_ms=busy_ms)
        except sqlite3.Error as error:
            raise StoreFailed(sentence(error, path)) from error
        self._inbox: SimpleQueue[Work | None] = SimpleQueue()
        self._accepted = 0  # counted by whoever writes
        self._settled = 0  # counted by the writer
        self._working = False
        self._unchecked = 0  # commits that only the log holds
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="store") if call else None
        if self._thread:
            self._thread.start()

    @property
    def behind(self) -> int:
        """Return how many writes are not durable yet."""
        return self._accepted - self._settled

    def load(self) -> list[Row]:
        """Return the rows that the book starts from, parents before children. Blocking. Raises StoreFailed."""
        return loading.load(self.path)

    def next_id(self) -> int:
        """Return an id above every id in any table, history too. Blocking. Raises StoreFailed."""
        return loading.next_id(self.path)

    def write(self, rows: tuple[Row, ...], then: Then) -> None:
        """Commit rows and then call `then`, in the order of the calls. Returns at once."""
        self._take(Work(then, rows))

    def prune(self, now: datetime, log_days: int, then: Then, audit_days: int = 0) -> None:
        """Delete what is old: alert keys of 90 days, all but 1,000 refused requests, log of `log_days`.

        audit_days: older entries of the audit log go too; 0 keeps them for ever.
        Goes in small steps, between which other writes have their turn; `then` is called after the first.
        """
        self._take(Work(then, prune=Prune(now, log_days, audit_days)))

    def close(self) -> None:
        """Commit what waits and close the file. Blocking; whatever is written later is answered as failed."""
        if self._closed:
            return
        self._closed = True
        if self._thread:
            self._inbox.put(None)
            self._thread.join()
        self._connection.close()

    def _take(self, work: Work) -> None:
        self._accepted += 1
        if self._closed:
            closed = StoreFailed(f"{self.path.name} is closed; nothing more is stored.")
            self._settle([work], closed)
            return
        self._inbox.put(work)
        if self._thread is None and not self._working:
            # What is written from within a `then` waits in the inbox until that one has returned.
            self._working = True
            try:
                while works := self._waiting():
                    self._write(works)
            finally:
                self._working = False

    def _run(self) -> None:
        while (first := self._inbox.get()) is not None:
            self._write([first, *self._waiting()])
        if rest := self._waiting():
            self._write(rest)

    def _waiting(self) -> list[Work]:
        """Take everything out of the inbox; the end mark stays for the next look."""
        works: list[Work] = []
        with suppress(Empty):
            while (work := self._inbox.get_nowait()) is not None:
                works.append(work)
            self._inbox.put(None)
        return works

    def _write(self, works: list[Work]) -> None:
        if self.failed is None:
            try:
                self._commit(works)
            # Whatever it was, a defect of ours included: from here on memory and file differ.
            except Exception as error:
                failed = StoreFailed(sentence(error, self.path))
                failed.__cause__ = error
                self.failed = failed
        self._settle(works, self.failed)
        if self.failed is None:
            self._checkpoint()

    def _checkpoint(self) -> None:
        """Copy what the log holds into the file when nobody waits; SQLite would do it in the middle of a commit.

        What goes wrong here will go wrong again where it counts: at the next commit.
        """
        self._unchecked += 1
        idle = self._inbox.empty() and self._unchecked >= CHECKPOINT_COMMITS
        if idle or self._unchecked >= MOST_UNCHECKED:
            self._unchecked = 0
            with suppress(sqlite3.Error):
                self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)")

    def _commit(self, works: list[Work]) -> None:
        batch = Batch()
        for work in works:
            batch.add(work.rows)
        if batch:
            commit(self._connection, batch)
        for work in works:
            old = work.prune
            if old and prune_some(self._connection, old.now, old.log_days, old.audit_days):
                self._continue(old)

    def _continue(self, prune: Prune) -> None:
        """Queue the rest behind what waits by now; whoever asked was told already."""
        if not self._closed:
            self._settled -= 1  # it was accepted by nobody, and must not count as done
            self._inbox.put(Work(lambda _: None, prune=prune))

    def _settle(self, works: list[Work], failed: StoreFailed | None) -> None:
        self._settled += len(works)
        answer = partial(answer_all, [work.then for work in works], failed)
        if self._call is None:
            answer()
            return
        # A loop that is closed already has nobody left to be told.
        with suppress(RuntimeError):
            self._call(answer)


def answer_all(thens: list[Then], failed: StoreFailed | None) -> None:
    """Tell each in turn; one that raises does not keep the others from being told."""
    errors = []
    for then in thens:
        try:
            then(failed)
        except Exception as error:
            errors.append(error)
    if len(errors) == 1:
        raise errors[0]
    if errors:
        raise ExceptionGroup("answers to committed writes failed", errors)
