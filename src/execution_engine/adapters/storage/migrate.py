"""The schema of a file brought up to this version's."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from execution_engine.adapters.storage.connect import open_engine
from execution_engine.adapters.storage.tables import metadata

REVISION = "0001"


def create(path: Path) -> None:
    """Make an empty database of the newest revision; `path` must not exist."""
    sqlite3.connect(path).close()
    engine = open_engine(path)
    with engine.begin() as connection:
        metadata.create_all(connection)
        connection.exec_driver_sql(
            "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)"
        )
        connection.exec_driver_sql("INSERT INTO alembic_version VALUES (?)", (REVISION,))
    engine.dispose()
