"""The paper exchange's own memory: one SQLite file, written by a thread of its own.

Everything that waits goes into one transaction. `then` is called once it is durable, in the order of the
calls, so that nothing is answered that a dying process could take back.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
import threading
from collections.abc import Callable, Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue

from execution_engine.adapters.exchanges.paper_tables import COLUMNS, KEYS, SCHEMA, UPSERTS, VERSION, Cells
from execution_engine.domain.errors import StoreFailed

Then = Callable[[StoreFailed | None], None]


@dataclass(frozen=True, slots=True)
class _Work:
    rows: tuple[Cells, ...]
    then: Then
    loop: asyncio.AbstractEventLoop


class PaperStore:
    """Keep rows, durably.

    path: None keeps them in memory only. inline: there is no thread; `write` commits before it returns, as a
    simulation on a virtual clock needs it. Raises StoreFailed if the file can't be opened.
    """

    def __init__(self, path: Path | None, *, inline: bool = False) -> None:
        self._path = path
        self._failed: StoreFailed | None = None
        self._later: list[Cells] = []
        self._behind = 0  # counted on the loop
        self._inbox: SimpleQueue[_Work | None] = SimpleQueue()
        self._one_at_a_time = threading.Lock()
        self._closed = False
        try:
            self._writer = self._open()
            self._reader = self._writer if inline or path is None else self._connect()
        except sqlite3.Error as error:
            raise self._fault("be opened", error) from error
        threaded = path is not None and not inline
        # A daemon: what it has not written was promised to nobody, so it need not hold the process up.
        self._thread = (
            threading.Thread(target=self._run, name="paper store", daemon=True) if threaded else None
        )
        if self._thread:
            self._thread.start()

    @property
    def failed(self) -> StoreFailed | None:
        return self._failed

    def write(self, rows: Iterable[Cells], then: Then) -> None:
        """Commit rows and call `then` on the running loop; without rows it only waits for its turn."""
        if self._closed:
            then(StoreFailed("The paper exchange is closed."))
            return
        work = tuple(rows)
        if work:
            work, self._later = (*self._later, *work), []
        if self._thread is None or (not work and not self._behind):
            then(self._commit(work))
            return
        self._behind += 1
        self._inbox.put(_Work(work, then, asyncio.get_running_loop()))

    def write_now(self, rows: Iterable[Cells]) -> StoreFailed | None:
        """Commit rows before returning, past everything that waits. Blocking."""
        return self._commit(tuple(rows))

    def note(self, rows: Iterable[Cells]) -> None:
        """Keep rows with the next commit, whenever that is."""
        self._later += rows

    def read(self, query: str, *parameters: str | int) -> list[tuple[str, ...]]:
        """Ask what is durable. Blocking, for a few microseconds where an index answers."""
        try:
            return self._reader.execute(query, parameters).fetchall()
        except sqlite3.Error as error:
            raise self._fault("be read", error) from error

    def close(self) -> None:
        """Write what is left and let go of the file. Blocking."""
        if self._closed:
            return
        self._closed = True
        if self._thread:
            self._inbox.put(None)
            self._thread.join()
        self._commit(tuple(self._later))
        self._reader.close()
        self._writer.close()

    def _run(self) -> None:
        closing = False
        while not closing:
            batch = [self._inbox.get()]
            with suppress(Empty):
                while batch[-1] is not None:
                    batch.append(self._inbox.get_nowait())
            closing = batch[-1] is None
            work = [entry for entry in batch if entry is not None]
            fault = self._commit([row for entry in work for row in entry.rows])
            for entry in work:
                # A loop that is gone has nobody left who waits.
                with suppress(RuntimeError):
                    entry.loop.call_soon_threadsafe(self._settle, entry.then, fault)

    def _settle(self, then: Then, fault: StoreFailed | None) -> None:
        self._behind -= 1
        then(fault)

    def _commit(self, rows: Iterable[Cells]) -> StoreFailed | None:
        """Write rows in one transaction; after one failure nothing is written any more."""
        if self._failed:
            return self._failed
        newest = {(row.table, *row.cells[: KEYS[row.table]]): row for row in rows}
        if not newest:
            return None
        with self._one_at_a_time:
            try:
                self._transact(newest.values())
            except Exception as error:  # whatever it is, those who wait must hear of it
                self._failed = self._fault("be written", error)
                with suppress(sqlite3.Error):
                    self._writer.execute("ROLLBACK")
        return self._failed

    def _transact(self, rows: Collection[Cells]) -> None:
        self._writer.execute("BEGIN IMMEDIATE")
        for table in COLUMNS:
            cells = [row.cells for row in rows if row.table == table]
            if cells:
                self._writer.execute(UPSERTS[table], (json.dumps(cells),))
        self._writer.execute("COMMIT")

    def _open(self) -> sqlite3.Connection:
        connection = self._connect()
        try:
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            if version > VERSION:
                raise sqlite3.DatabaseError("it was written by a newer version of the application")
            connection.executescript(f"BEGIN; {SCHEMA} PRAGMA user_version = {VERSION}; COMMIT;")
        except sqlite3.Error:
            connection.close()
            raise
        return connection

    def _connect(self) -> sqlite3.Connection:
        # Autocommit: transactions are begun and ended by name. The writer's thread is not the opener's.
        connection = sqlite3.connect(
            self._path or ":memory:", isolation_level=None, check_same_thread=False, timeout=5
        )
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
        except sqlite3.Error:
            connection.close()
            raise
        return connection

    def _fault(self, action: str, error: Exception) -> StoreFailed:
        return StoreFailed(f"The paper exchange's file {self._path} can't {action}: {error}.")
