"""Connections to a database file, each with the same promises switched on."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.pool import NullPool

BUSY_MS = 5_000
# A checkpoint copies what the log holds into the file and waits for the disk twice. The store makes them between
# commits; this one, of 80 MiB, is for whoever else writes.
CHECKPOINT_PAGES = 20_000


def connect(path: Path, *, read_only: bool = False, busy_ms: int = BUSY_MS) -> sqlite3.Connection:
    """Open an existing database; transactions are begun and ended by hand.

    It may be used from any one thread at a time. Raises sqlite3.Error, also if the file is missing: a
    database that was deleted must not come back empty.
    """
    mode = "ro" if read_only else "rw"
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}",
        uri=True,
        isolation_level=None,
        check_same_thread=False,
        timeout=busy_ms / 1_000,
        cached_statements=512,  # one for each table and number of rows that comes up
    )
    try:
        for pragma in pragmas(read_only):
            connection.execute(f"PRAGMA {pragma}")
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def pragmas(read_only: bool) -> tuple[str, ...]:
    if read_only:
        return ("query_only = ON",)
    # FULL: with NORMAL a power cut takes back what was committed. On macOS fsync alone does not reach the disk.
    durable = ("fullfsync = 1", "checkpoint_fullfsync = 1") if sys.platform == "darwin" else ()
    return (
        "journal_mode = WAL",
        "synchronous = FULL",
        "foreign_keys = ON",
        f"wal_autocheckpoint = {CHECKPOINT_PAGES}",
        *durable,
    )


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Take the writer's lock, then commit, or roll back if anything is raised."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        # Some errors, a full disk among them, have rolled back already.
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def open_engine(path: Path, *, read_only: bool = False, busy_ms: int = BUSY_MS) -> Engine:
    """Return SQLAlchemy's way to the same file; a writer's transactions take the lock when they begin."""
    engine = create_engine(
        "sqlite://",
        creator=lambda: connect(path, read_only=read_only, busy_ms=busy_ms),
        poolclass=NullPool,
    )
    begin = "BEGIN" if read_only else "BEGIN IMMEDIATE"

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine
