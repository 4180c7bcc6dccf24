"""From one version of the program to another, and back: what lies on the disk before and after.

Before a version runs for the first time on the data of another one, the databases are copied. Going back to an older
version that cannot read what the newer one wrote puts that copy in place again; the newer databases are set aside,
never deleted. An older version that can read them goes on with them: nothing is lost that need not be.

What a version writes without a new revision of the schema, the versions before it with the same revision must be
able to read.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from execution_engine.adapters.paths import DataFolder
from execution_engine.adapters.storage.backup import copy_checked, restore
from execution_engine.adapters.storage.check import open_database
from execution_engine.adapters.storage.connect import connect
from execution_engine.adapters.storage.errors import DatabaseNewer, DatabaseUnusable
from execution_engine.adapters.storage.files import STAMP, flush, keep_copy
from execution_engine.adapters.storage.migrate import is_known, revision_of

VERSION_FILE = "version"
BEFORE = "before-"
KEPT = 5
# As every schema so far has them; what a newer one calls otherwise counts as open.
_HOLDS = "SELECT count(*) FROM position_groups WHERE status NOT IN ('closed', 'failed')"


@dataclass(frozen=True, slots=True)
class Passage:
    """What was done at this start. came_from: the version that ran here before; None if it is not known.

    backup: the folder of the copies made before this version's first start. restored: the folder of the copies that
    were put in place, and aside: where the newer database lies now.
    """

    came_from: str | None = None
    backup: Path | None = None
    restored: Path | None = None
    aside: Path | None = None

    @property
    def sentence(self) -> str:
        """Say it to the user; nothing if nothing happened that concerns them."""
        if self.restored is not None and self.aside is not None:
            return (
                f"The data of version {self.came_from or 'a newer one'} cannot be read by this one, so the state of "
                f"before that update is back. What was done since then is in {self.aside.name}."
            )
        return ""


def open_data(folder: DataFolder, version: str, now: datetime) -> Passage:
    """Make sure of a database that this version can use, whichever version was here before.

    Raises what `open_database` raises; DatabaseNewer also where going back would lose sight of open positions.
    """
    came_from = last_version(folder)
    passage = Passage(came_from)
    with suppress(sqlite3.Error):  # what is wrong with it `open_database` says better
        if folder.database.exists():
            if not is_known(revision_of(folder.database)):
                passage = _go_back(folder, came_from, now)
            elif came_from != version:
                passage = Passage(came_from, backup=_copy_all(folder, version, now))
    open_database(folder.database, folder.backups, now)
    if came_from != version:
        _note(folder, version)
    return passage


def last_version(folder: DataFolder) -> str | None:
    """Return the version that ran here last; None if none said so."""
    with suppress(OSError, UnicodeDecodeError):
        return (folder.root / VERSION_FILE).read_text(encoding="utf-8").strip() or None
    return None


def _note(folder: DataFolder, version: str) -> None:
    partial = folder.root / f"{VERSION_FILE}.partial"
    try:
        partial.write_text(version + "\n", encoding="utf-8")
        os.replace(partial, folder.root / VERSION_FILE)
    except OSError as error:
        raise DatabaseUnusable(f"{folder.root} cannot be written to ({error.strerror}).") from error


def copies(folder: DataFolder) -> list[Path]:
    """Return the folders of copies that were made before a version's first start, newest first."""
    found = [path for path in folder.backups.glob(f"{BEFORE}*") if (path / folder.database.name).is_file()]
    return sorted(found, key=lambda path: path.name.rsplit("-", 1)[-1], reverse=True)


def _copy_all(folder: DataFolder, version: str, now: datetime) -> Path:
    """Copy the databases; the folder has its name only once all copies are whole."""
    target = folder.backups / f"{BEFORE}{version}-{now.astimezone(UTC).strftime(STAMP)}"
    partial = target.with_name(target.name + ".partial")
    try:
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(mode=0o700, parents=True)
        for path in (folder.database, folder.paper):
            if path.exists():
                copy_checked(path, partial / path.name)
        shutil.rmtree(target, ignore_errors=True)
        partial.rename(target)
    except OSError as error:
        raise DatabaseUnusable(
            f"The data could not be copied before the first start of version {version} ({error.strerror}). "
            "Make room on the disk and start again."
        ) from error
    for old in copies(folder)[KEPT:]:
        shutil.rmtree(old, ignore_errors=True)
    return target


def _go_back(folder: DataFolder, came_from: str | None, now: datetime) -> Passage:
    """Put the newest copies that this version can read in place of what a newer one wrote."""
    readable = [path for path in copies(folder) if is_known(revision_of(path / folder.database.name))]
    if not readable:
        return Passage(came_from)  # then the database is refused as too new
    chosen = readable[0]
    if _holds_positions(folder.database):
        back = f"or, to go back all the same, restore {chosen / folder.database.name}."
        if came_from is None:
            raise DatabaseNewer(
                "The newer version has positions open, of which the data from before that update knows nothing. "
                f"Install the newer version again and close them; {back}"
            )
        raise DatabaseNewer(
            f"Version {came_from} has positions open, of which the data from before that update knows nothing. "
            f"Install version {came_from} again and close them; {back}"
        )
    aside = restore(chosen / folder.database.name, folder.database, now)
    if (paper := chosen / folder.paper.name).exists():
        _restore_paper(paper, folder.paper, now)
    return Passage(came_from, restored=chosen, aside=aside)


def _restore_paper(copy: Path, path: Path, now: datetime) -> None:
    """The practice exchange goes back to the same moment: it is remembered by its own database alone."""
    prepared = path.with_name(path.name + ".restored")
    copy_checked(copy, prepared)
    try:
        if path.exists():
            with suppress(sqlite3.Error), closing(connect(path)) as present:
                present.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            keep_copy(path, now)
        os.replace(prepared, path)
        flush(path)
    except OSError as error:
        raise DatabaseUnusable(f"{copy.name} could not be put in place of {path} ({error}).") from error


def _holds_positions(path: Path) -> bool:
    """Return whether a newer version's database has anything open; what cannot be read is taken for open."""
    try:
        with closing(connect(path, read_only=True)) as connection:
            return bool(connection.execute(_HOLDS).fetchone()[0])
    except sqlite3.Error:
        return True
