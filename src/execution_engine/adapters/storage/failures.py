"""What SQLite's errors mean to the user: what happened, to which file, what to do."""

from __future__ import annotations

import sqlite3
from pathlib import Path

SENTENCES = {
    sqlite3.SQLITE_FULL: "The disk is full, so {file} could not be written. Free some space and start again.",
    sqlite3.SQLITE_READONLY: "{file} is read-only. Make the file and its folder {folder} writable.",
    sqlite3.SQLITE_PERM: "{file} may not be opened. Make the file and its folder {folder} writable.",
    sqlite3.SQLITE_BUSY: "{file} is locked by another program. Close what has it open (a database viewer, "
    "a backup or virus scanner) and start again.",
    sqlite3.SQLITE_IOERR: "The disk reported an error while {file} was used. Check the disk and its free space "
    "before starting again.",
    sqlite3.SQLITE_CANTOPEN: "{file} cannot be opened. Check that the folder {folder} exists and is writable.",
    sqlite3.SQLITE_CORRUPT: "{file} is damaged. Start again to choose a backup.",
    sqlite3.SQLITE_NOTADB: "{file} is not a database. Start again to choose a backup.",
}
DAMAGE = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
SENTENCES[sqlite3.SQLITE_LOCKED] = SENTENCES[sqlite3.SQLITE_BUSY]


def primary_code(error: BaseException) -> int:
    """Return SQLite's primary result code; 0 for an error that is not SQLite's."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def sentence(error: BaseException, path: Path) -> str:
    """Say what an error with the database at `path` means and what to do about it."""
    found = SENTENCES.get(primary_code(error))
    if found is None:
        return f"A change could not be stored in {path.name} ({type(error).__name__}: {error})."
    return found.format(file=path.name, folder=path.parent)
