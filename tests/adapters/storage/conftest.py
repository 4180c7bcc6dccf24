"""A fresh database for each test, and a store on it that commits before `write` returns."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from execution_engine.adapters.storage import migrate
from execution_engine.adapters.storage.store import SqliteStore


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("empty") / "engine.sqlite"
    migrate.create(path)
    return path.read_bytes()


@pytest.fixture
def path(tmp_path: Path, empty_database: bytes) -> Path:
    path = tmp_path / "engine.sqlite"
    path.write_bytes(empty_database)
    return path


@pytest.fixture
def store(path: Path) -> Iterator[SqliteStore]:
    store = SqliteStore(path)
    yield store
    store.close()
