"""The check at the start: nothing trusts a database that is missing by accident, damaged or of another version."""

import random
import sqlite3
from pathlib import Path

import pytest

from execution_engine.adapters.storage import backup, check
from execution_engine.adapters.storage.errors import DatabaseCorrupt, StorageError
from execution_engine.adapters.storage.store import SqliteStore
from tests.adapters.storage.making import NOW, committed, family, line


@pytest.fixture
def backups(tmp_path: Path) -> Path:
    return tmp_path / "backups"


def test_the_first_start_makes_an_empty_database(tmp_path: Path, backups: Path) -> None:
    path = tmp_path / "engine.sqlite"
    assert check.open_database(path, backups, NOW) is None
    assert list(SqliteStore(path).load()) == []
    assert path.stat().st_mode & 0o077 == 0  # webhook tokens are in it


def test_a_creation_that_was_cut_off_is_begun_again(tmp_path: Path, backups: Path) -> None:
    (tmp_path / "engine.sqlite.new").write_bytes(b"half a database")
    check.open_database(tmp_path / "engine.sqlite", backups, NOW)
    assert [file.name for file in tmp_path.iterdir()] == ["engine.sqlite"]


def test_a_sound_database_is_left_as_it_is(path: Path, backups: Path, tmp_path: Path) -> None:
    store = SqliteStore(path)
    committed(store, *family(10))
    store.close()
    assert check.open_database(path, backups, NOW) is None
    assert set(SqliteStore(path).load()) == set(family(10))
    assert not backups.exists()


@pytest.mark.fault(60)
@pytest.mark.parametrize("damage", ["header", "middle", "cut", "empty"])
def test_a_damaged_database_is_set_aside_whole_and_the_backups_are_named(
    path: Path, backups: Path, damage: str
) -> None:
    store = SqliteStore(path)
    committed(store, *(line(id, "x" * 500) for id in range(1, 500)))
    store.close()
    made = backup.scheduled(path, backups, NOW, keep=3)
    whole = path.read_bytes()
    path.write_bytes(
        {
            "header": b"\0" * 100 + whole[100:],
            "middle": whole[:20_000] + random.Random(3).randbytes(len(whole) - 30_000) + whole[-10_000:],
            "cut": whole[: len(whole) // 2],
            "empty": b"",
        }[damage]
    )
    damaged = path.read_bytes()
    with pytest.raises(DatabaseCorrupt, match="set aside as engine-set-aside-20261120T100338Z") as caught:
        check.open_database(path, backups, NOW)
    assert caught.value.backups == (made,)
    assert made.name in str(caught.value)
    assert caught.value.aside.read_bytes() == damaged
    assert not path.exists()


@pytest.mark.fault(60)
def test_after_damage_no_empty_database_takes_its_place_unless_the_user_says_so(
    path: Path, backups: Path
) -> None:
    path.write_bytes(b"damaged" * 1_000)
    with pytest.raises(DatabaseCorrupt, match="There is no backup") as first:
        check.open_database(path, backups, NOW)
    with pytest.raises(DatabaseCorrupt) as second:
        check.open_database(path, backups, NOW)
    assert first.value.aside == second.value.aside
    check.open_database(path, backups, NOW, start_empty=True)
    assert first.value.aside.read_bytes() == b"damaged" * 1_000
    assert SqliteStore(path).next_id() == 1


def test_nothing_that_was_set_aside_is_overwritten(path: Path, backups: Path) -> None:
    names = set()
    for content in (b"one" * 500, b"two" * 500, b"three" * 500):
        path.write_bytes(content)
        path.with_name("engine.sqlite-wal").write_bytes(b"log of " + content)
        with pytest.raises(DatabaseCorrupt) as caught:
            check.open_database(path, backups, NOW)
        aside = caught.value.aside
        assert aside.read_bytes() == content
        assert not path.with_name("engine.sqlite-wal").exists()
        names.add(aside)
    assert len(names) == 3


def test_the_database_of_another_application_is_not_touched(tmp_path: Path, backups: Path) -> None:
    path = tmp_path / "engine.sqlite"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE notes (text)")
    connection.close()
    with pytest.raises(StorageError, match="not a database of this application"):
        check.open_database(path, backups, NOW)
    assert path.exists()
