"""Copies of the database: made while it is in use, verified, kept in number, and restored."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from datetime import datetime
from pathlib import Path

from execution_engine import __version__
from execution_engine.adapters.storage import audit_head
from execution_engine.adapters.storage.connect import connect
from execution_engine.adapters.storage.errors import BackupRefused, DatabaseUnusable
from execution_engine.adapters.storage.failures import DAMAGE, primary_code, sentence
from execution_engine.adapters.storage.files import dated, dated_files, flush, keep_copy, set_aside_files
from execution_engine.adapters.storage.migrate import is_known, revision_of

# Copied at a time: the disk gets them at once, so that a commit never waits for the whole copy to be written out.
PAGES_A_STEP = 2_048
OPS_A_LOOK = 200_000  # of the check, between two looks at whether the program ends


def nobody() -> bool:
    """Return that nobody waits for an end."""
    return False


def backup(path: Path, target: Path, *, ends: Callable[[], bool] = nobody) -> Path:
    """Copy the database at `path` to the one file `target`, check the copy and return `target`.

    The database may be in use. An older backup of that name is replaced once the new one is complete. Raises
    BackupRefused if `target` is something else, or the copy is not sound; DatabaseUnusable if it cannot be
    read or written. ends: asked from time to time whether to break off, from the calling thread.
    """
    if target.resolve() == path.resolve():
        raise BackupRefused(f"{target} is the database itself. Choose another name for the backup.")
    if target.exists() and target.stat().st_size and not is_ours(target):
        raise BackupRefused(f"{target} exists and is not a backup. Choose another name.")
    copy_checked(path, target, stamp=stamp_of(__version__), ends=ends)
    return target


def scheduled(
    path: Path, folder: Path, now: datetime, keep: int, *, ends: Callable[[], bool] = nobody
) -> Path:
    """Make a dated backup in `folder`, delete all but the newest `keep` such, and return the new one."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise DatabaseUnusable(f"The backup folder {folder} cannot be made ({error.strerror}).") from error
    made = backup(path, dated(folder, path.stem, now), ends=ends)
    for old in backups(folder, path.stem)[max(keep, 1) :]:
        with suppress(OSError):  # it is tried again with the next backup
            old.unlink()
    return made


def backups(folder: Path, stem: str = "engine") -> tuple[Path, ...]:
    """Return the dated backups of the database called `stem`, newest first."""
    return dated_files(folder, stem)


def newest(folder: Path, stem: str = "engine") -> Path | None:
    """Return the newest dated backup; None if there is none."""
    return next(iter(backups(folder, stem)), None)


def restore(source: Path, path: Path, now: datetime) -> Path | None:
    """Put a backup in the place of the database and return where the present one was set aside, if any.

    The engine must not be running. The restored installation's epoch is above every epoch known here, so
    that no client order id is made twice. Raises BackupRefused if the file is not a sound backup of this
    application, or a newer version's; DatabaseUnusable if the disk does not let it be done.
    """
    refuse_unfit(source, path)
    epoch = next_epoch(source, path, now)
    prepared = path.with_name(path.name + ".restored")
    copy_checked(source, prepared, epoch=epoch)
    try:
        # What is still in the present file's log belongs into the copy that is set aside.
        with suppress(sqlite3.Error), closing(connect(path)) as present:
            present.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        aside = keep_copy(path, now) if path.exists() else None
        os.replace(prepared, path)
        flush(path)
        audit_head.note_restored(path, source.name)
    except OSError as error:
        raise DatabaseUnusable(f"{source.name} could not be put in place of {path} ({error}).") from error
    return aside


def refuse_unfit(source: Path, path: Path) -> None:
    """Raise BackupRefused for a file that cannot take the place of the database at `path`. Blocking."""
    if not source.is_file():
        raise BackupRefused(f"There is no backup {source}.")
    if source.resolve() == path.resolve():
        raise BackupRefused(f"{source} is the database itself. Choose a backup.")
    if not is_ours(source):
        raise BackupRefused(f"{source} is not a backup of this application.")
    if not is_known(revision_of(source)):
        raise BackupRefused(f"{source} was written by a newer version. Install that version to restore it.")


def copy_checked(
    path: Path, target: Path, *, epoch: int | None = None, stamp: int = 0, ends: Callable[[], bool] = nobody
) -> None:
    """Copy a database to one file that is complete and checked before it has its name.

    stamp: the version that made it, as `stamp_of` writes it.
    What is written meanwhile is not in it, and does not make it begin anew: it shows the moment of its beginning.
    """
    partial = target.with_name(target.name + ".partial")
    partial.unlink(missing_ok=True)
    try:
        partial.touch(mode=0o600)
        with closing(connect(path, read_only=True)) as present, closing(sqlite3.connect(partial)) as copy:
            present.execute("BEGIN")  # its moment: without one each change would let the copy begin anew
            present.execute("SELECT count(*) FROM sqlite_master").fetchone()
            _copied(present, copy, partial, ends)
            present.execute("ROLLBACK")
            copy.execute("PRAGMA journal_mode = DELETE")  # one file, no companions
            if stamp:  # the paper exchange's file has a number of its own there
                copy.execute(f"PRAGMA user_version = {stamp}")
            if epoch is not None:
                with copy:
                    copy.execute("UPDATE engine SET epoch = ?", (epoch,))
            found = [text for (text,) in copy.execute("PRAGMA integrity_check")]
        if found != ["ok"]:
            raise BackupRefused(f"{path} is damaged ({found[0]}); no copy of it was kept.")
        flush(partial)
        os.replace(partial, target)
        flush(target)
    except sqlite3.DatabaseError as error:
        if ends():
            raise BackupRefused(f"The copy {target.name} was broken off: the program ends.") from error
        if primary_code(error) in DAMAGE:
            raise BackupRefused(f"{path} is damaged ({error}); no copy of it was kept.") from error
        raise DatabaseUnusable(f"{sentence(error, path)} Copying it to {target} failed.") from error
    except OSError as error:
        raise DatabaseUnusable(f"The copy {target} could not be written ({error.strerror}).") from error
    finally:
        with suppress(OSError):
            partial.unlink(missing_ok=True)


def _copied(
    present: sqlite3.Connection, copy: sqlite3.Connection, file: Path, ends: Callable[[], bool]
) -> None:
    """Copy every page, a few MiB at a time, each on the disk before the next. Raises OperationalError at an end."""
    copy.execute("PRAGMA synchronous = OFF")  # what is flushed is flushed here
    copy.set_progress_handler(lambda: int(ends()), OPS_A_LOOK)
    with file.open("rb+") as beside:

        def step(status: int, remaining: int, total: int) -> None:
            os.fsync(beside.fileno())
            if ends():
                raise sqlite3.OperationalError("interrupted")

        present.backup(copy, pages=PAGES_A_STEP, progress=step)


def stamp_of(version: str) -> int:
    """Return a version as the number that a copy carries: 1.2.3 is 1002003."""
    parts = [int(part) if part.isdigit() else 0 for part in version.split(".")[:3]]
    major, minor, patch = (*parts, 0, 0, 0)[:3]
    return major * 1_000_000 + min(minor, 999) * 1_000 + min(patch, 999)


def version_of(path: Path) -> str:
    """Return the version of the program that made a copy; empty where it does not say. Blocking."""
    try:
        with closing(connect(path, read_only=True)) as connection:
            stamp = int(connection.execute("PRAGMA user_version").fetchone()[0])
    except sqlite3.Error:
        return ""
    return f"{stamp // 1_000_000}.{stamp // 1_000 % 1_000}.{stamp % 1_000}" if stamp else ""


def is_ours(path: Path) -> bool:
    """Return whether a file is a database that this application made, of whatever version."""
    try:
        with closing(connect(path, read_only=True)) as connection:
            names = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
    except sqlite3.Error:
        return False
    return {"alembic_version", "engine", "position_groups"} <= names


def next_epoch(source: Path, path: Path, now: datetime) -> int:
    """Return an epoch above all that this installation had.

    Where the present database cannot say which it had, the time [s] stands in: it is above any count of
    restores, and never comes again.
    """
    highest = max(epoch_of(known) for known in (source, path, *set_aside_files(path)))
    return highest + 1 if epoch_of(path) else max(highest + 1, int(now.timestamp()))


def epoch_of(path: Path) -> int:
    """Return the epoch that a database stands at; 0 where there is none to be read."""
    try:
        with closing(connect(path, read_only=True)) as connection:
            return int(connection.execute("SELECT coalesce(max(epoch), 0) FROM engine").fetchone()[0])
    except sqlite3.Error:
        return 0
