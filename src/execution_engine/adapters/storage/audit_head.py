"""The end of the audit log, kept in a file of its own: a log that ends before it was cut, or an older copy of the
database was put in its place.

It is written after the log, so it may lag behind by a moment, and is never ahead. Whoever can write to the folder can
forge it as well: it tells of accidents and of careless hands; its hash noted elsewhere tells of more.
"""

from __future__ import annotations

import json
import os
import sqlite3
from contextlib import closing, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from execution_engine.adapters.storage.codec import time_text
from execution_engine.adapters.storage.connect import connect
from execution_engine.domain.origin import actor
from execution_engine.domain.rows import AuditEntry

NAME = "audit-head.json"
_FIND = "SELECT hash FROM audit_log WHERE id = ?"
_ENDS = "SELECT min(id), max(id) FROM audit_log"


@dataclass(frozen=True, slots=True)
class Head:
    """The last entry that was written down. restored: the backup that took the place of its database since, and
    origin, who asked for that."""

    id: int
    hash: str
    at: str
    restored: str = ""
    origin: str = ""


def place(database: Path) -> Path:
    """Return where the end of a database's audit log is kept."""
    return database.with_name(NAME)


def read(database: Path) -> Head | None:
    """Return the end that was noted; None if there is none that can be read. Blocking."""
    with suppress(OSError, ValueError, TypeError):
        return Head(**json.loads(place(database).read_text(encoding="utf-8")))
    return None


def note(database: Path, entry: AuditEntry) -> None:
    """Note that the log goes as far as this entry. Blocking; raises OSError."""
    _write(database, Head(entry.id, entry.hash, time_text(entry.at)))


def note_restored(database: Path, name: str) -> None:
    """Note that a backup took the database's place: its log may end earlier. Blocking."""
    known = read(database) or Head(0, "", "")
    with suppress(OSError):  # then the next start tells of a log that ends too early, which is true as well
        _write(database, Head(known.id, known.hash, known.at, restored=name, origin=actor()))


def fault(database: Path) -> str:
    """Return why the log in the database is not the one that was noted; nothing if it is. Blocking."""
    head = read(database)
    if head is None or head.restored:
        return ""
    with closing(connect(database, read_only=True)) as connection:
        found = connection.execute(_FIND, (head.id,)).fetchone()
        first, last = connection.execute(_ENDS).fetchone()
    if found is None and (last is None or last < head.id):
        return (
            f"The audit log ends before entry {head.id}, which was written on {head.at[:16].replace('T', ' ')} UTC: "
            "its end was cut off, or an older copy of the database was put in place."
        )
    if (found is None and first <= head.id) or (found is not None and found[0] != head.hash):
        return f"Audit entry {head.id} is not the one that was written: the log was written anew since."
    return ""


def _write(database: Path, head: Head) -> None:
    path = place(database)
    partial = path.with_name(path.name + ".partial")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(json.dumps(asdict(head)))
    os.replace(partial, path)


def checked(database: Path) -> str:
    """Do what `fault` does, and say nothing of a database that cannot be read: others do."""
    try:
        return fault(database)
    except sqlite3.Error:
        return ""
