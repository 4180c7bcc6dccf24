"""The schema of a file, brought up to this version's."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy.exc import DBAPIError

from execution_engine.adapters.storage.connect import connect, open_engine
from execution_engine.adapters.storage.errors import DatabaseNewer, DatabaseUnusable, StorageError
from execution_engine.adapters.storage.failures import sentence
from execution_engine.adapters.storage.tables import metadata

if TYPE_CHECKING:
    from alembic.config import Config

REVISION = "0006"
STEPS = Path(__file__).with_name("migrations")


def create(path: Path) -> None:
    """Make an empty database of the newest revision at `path`, which must not exist.

    It has its name only when it is complete. Alembic is not asked: importing it takes longer than all the
    rest, and a test proves that its steps lead to the same schema.
    """
    new = path.with_name(path.name + ".new")
    new.unlink(missing_ok=True)
    new.touch(mode=0o600)
    engine = open_engine(new)
    try:
        with engine.begin() as connection:
            metadata.create_all(connection)
            connection.exec_driver_sql(
                "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL, "
                "CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num))"
            )
            connection.exec_driver_sql("INSERT INTO alembic_version VALUES (?)", (REVISION,))
    except DBAPIError as error:
        raise DatabaseUnusable(sentence(error.orig or error, path)) from error
    finally:
        engine.dispose()
    new.rename(path)


def revision_of(path: Path) -> str | None:
    """Return the revision of a database; None if it has none. Raises sqlite3.Error."""
    with closing(connect(path, read_only=True)) as connection:
        try:
            found = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        except sqlite3.OperationalError as error:
            if "no such table" in str(error):
                return None
            raise
    return str(found[0]) if found else None


def upgrade(
    path: Path,
    keep_backup: Callable[[str], Path],
    *,
    steps: Path = STEPS,
    head: str = REVISION,
) -> Path | None:
    """Bring a database to the newest revision; return the backup that was made before, if anything changed.

    keep_backup: makes a verified backup and returns it; its argument is the old revision. A missing database
    is created. Raises DatabaseNewer, StorageError for a file that is not ours, DatabaseUnusable; then the
    file is as it was.
    """
    if not path.exists():
        create(path)
        return None
    found = revision_of(path)
    if found == head:
        return None
    if found is None:
        raise StorageError(f"{path} is not a database of this application. Move it away and start again.")
    if not is_known(found, steps):
        raise DatabaseNewer(
            f"{path.name} was written by a newer version of this application (schema {found}). "
            "Install that version again, or restore a backup from before it."
        )
    made = keep_backup(found)
    run(path, "upgrade", head, steps)
    return made


def downgrade(path: Path, revision: str, *, steps: Path = STEPS) -> None:
    """Take a database back to an older revision. Raises DatabaseUnusable; then the file is as it was."""
    run(path, "downgrade", revision, steps)


def is_known(revision: str | None, steps: Path = STEPS) -> bool:
    """Return whether this version has a step that leads to a revision."""
    if revision == REVISION:
        return True
    from alembic.script import ScriptDirectory  # 0.1 s, and nearly every start finds its own revision

    return revision in {step.revision for step in ScriptDirectory(str(steps)).walk_revisions()}


def run(path: Path, direction: str, revision: str, steps: Path) -> None:
    """Take steps in one transaction; references are checked at its end, as tables may be made anew in it."""
    from alembic import command  # see is_known

    engine = open_engine(path)
    try:
        with engine.connect() as connection:
            connection.connection.execute("PRAGMA foreign_keys = OFF")
            with connection.begin():
                getattr(command, direction)(configuration(steps, connection), revision)
                if connection.exec_driver_sql("PRAGMA foreign_key_check").first():
                    raise StorageError(f"{path.name} has rows without their group; it was not changed.")
    except DBAPIError as error:
        raise DatabaseUnusable(sentence(error.orig or error, path)) from error
    finally:
        engine.dispose()


def configuration(steps: Path, connection: object) -> Config:
    from alembic.config import Config  # see is_known

    config = Config()
    config.set_main_option("script_location", str(steps).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config
