"""The check before anything trusts the database: is it there, sound, ours, of this version, writable."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from datetime import datetime
from pathlib import Path

from execution_engine.adapters.storage import migrate
from execution_engine.adapters.storage.backup import backup, backups
from execution_engine.adapters.storage.connect import BUSY_MS, connect, transaction
from execution_engine.adapters.storage.errors import DatabaseCorrupt, DatabaseUnusable
from execution_engine.adapters.storage.failures import DAMAGE, primary_code, sentence
from execution_engine.adapters.storage.files import dated, set_aside, set_aside_files

LEAST_FREE = 16 * 1024 * 1024  # bytes: a log between two checkpoints, and something to spare


def open_database(
    path: Path, backup_folder: Path, now: datetime, *, start_empty: bool = False, busy_ms: int = BUSY_MS
) -> Path | None:
    """Make sure of a sound, up-to-date, writable database at `path`.

    Returns the backup that was made before its schema was changed, if it was. start_empty: the user chose to
    go on without the damaged database; otherwise its absence is not taken for a first start.

    Raises DatabaseCorrupt after setting a damaged file aside, DatabaseNewer, DatabaseUnusable (disk full, no
    right to write, locked), StorageError for a file that is not ours.
    """
    try:
        refuse_a_full_disk(path)
        if not path.exists():
            if not start_empty:
                refuse_a_silent_loss(path, backup_folder)
            migrate.create(path)
            return None
        if faults := faults_of(path, busy_ms):
            raise damaged(path, faults[0], backup_folder, now)
        made = migrate.upgrade(path, lambda old: backup_before(path, backup_folder, old, now))
        write_nothing(path, busy_ms)
    except sqlite3.DatabaseError as error:
        if primary_code(error) in DAMAGE:
            raise damaged(path, str(error), backup_folder, now) from error
        raise DatabaseUnusable(sentence(error, path)) from error
    except UnicodeDecodeError as error:  # SQLite quotes damaged text in its own message
        raise damaged(path, "its schema cannot be read", backup_folder, now) from error
    except OSError as error:
        raise DatabaseUnusable(
            f"{path.name} cannot be used in {path.parent} ({error.strerror}). "
            "Make that folder writable, or choose another one."
        ) from error
    return made


def refuse_a_full_disk(path: Path) -> None:
    """Raise DatabaseUnusable while the first commits would fit but those of today would not."""
    free = shutil.disk_usage(path.parent).free
    if free < LEAST_FREE:
        raise DatabaseUnusable(
            f"The disk is full: {path.parent} has {free >> 20} MiB left for {path.name}. "
            f"Free at least {LEAST_FREE >> 20} MiB and start again."
        )


def faults_of(path: Path, busy_ms: int = BUSY_MS) -> list[str]:
    """Return what a quick check finds wrong; an empty list if nothing. Raises sqlite3.Error."""
    if path.stat().st_size == 0:
        return ["the file is empty"]
    with closing(connect(path, busy_ms=busy_ms)) as connection:
        found = [text for (text,) in connection.execute("PRAGMA quick_check")]
    return [] if found == ["ok"] else found


def write_nothing(path: Path, busy_ms: int) -> None:
    """Commit a change that changes nothing: only a write tells that there will be others."""
    with closing(connect(path, busy_ms=busy_ms)) as connection, transaction(connection):
        connection.execute("UPDATE alembic_version SET version_num = version_num")


def backup_before(path: Path, folder: Path, old: str, now: datetime) -> Path:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return backup(path, dated(folder, f"{path.stem}-schema-{old}", now))


def damaged(path: Path, fault: str, backup_folder: Path, now: datetime) -> DatabaseCorrupt:
    aside = set_aside(path, now)
    told = " ".join(fault.removeprefix("*** in database main ***").split())
    return corrupt(
        f"{path.name} is damaged ({told}) and was set aside as {aside.name}.", path, aside, backup_folder
    )


def corrupt(what: str, path: Path, aside: Path, backup_folder: Path) -> DatabaseCorrupt:
    available = backups(backup_folder, path.stem)
    advice = (
        f"Restore a backup: the newest is {available[0].name}."
        if available
        else "There is no backup to restore; to begin anew without it, move that file to another folder."
    )
    return DatabaseCorrupt(f"{what} {advice}", aside, available)


def refuse_a_silent_loss(path: Path, backup_folder: Path) -> None:
    """Raise DatabaseCorrupt if there was a database that is missed: it may hold open positions."""
    for aside in set_aside_files(path)[:1]:
        raise corrupt(f"{path.name} was damaged and set aside as {aside.name}.", path, aside, backup_folder)
