"""The data before a version's first start, and after an older one came back."""

import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from execution_engine.adapters.paths import DataFolder, data_folder
from execution_engine.adapters.storage import migrate
from execution_engine.adapters.storage.errors import DatabaseNewer, DatabaseUnusable
from execution_engine.adapters.storage.passage import KEPT, Passage, copies, last_version, open_data
from execution_engine.adapters.storage.store import SqliteStore
from tests.adapters.storage.making import NOW, committed, family


@pytest.fixture
def folder(tmp_path: Path) -> DataFolder:
    return data_folder(tmp_path / "data")


def change(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        for statement in statements:
            connection.execute(statement)


def written_by_a_newer_one(folder: DataFolder, *statements: str) -> None:
    change(folder.database, "UPDATE alembic_version SET version_num = '9000'", *statements)


def practise(path: Path, word: str) -> None:
    change(path, "CREATE TABLE IF NOT EXISTS said (word TEXT)", f"INSERT INTO said VALUES ('{word}')")


def practised(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as connection:
        return [word for (word,) in connection.execute("SELECT word FROM said")]


def test_a_first_start_has_nothing_to_copy(folder: DataFolder):
    assert open_data(folder, "0.1.0", NOW) == Passage()
    assert last_version(folder) == "0.1.0"
    assert open_data(folder, "0.1.0", NOW) == Passage("0.1.0")
    assert copies(folder) == []


def test_before_another_version_starts_both_databases_are_copied(folder: DataFolder):
    open_data(folder, "0.1.0", NOW)
    practise(folder.paper, "hello")
    passage = open_data(folder, "0.2.0", NOW)
    assert passage.came_from == "0.1.0"
    assert passage.backup is not None
    assert {path.name for path in passage.backup.iterdir()} == {"engine.sqlite", "paper.sqlite"}
    assert last_version(folder) == "0.2.0"
    assert passage.sentence == ""


def test_data_of_an_unknown_version_is_copied_too(folder: DataFolder):
    open_data(folder, "0.1.0", NOW)
    (folder.root / "version").unlink()
    assert open_data(folder, "0.1.0", NOW).backup is not None


def test_a_few_copies_are_kept(folder: DataFolder):
    for number in range(KEPT + 3):
        open_data(folder, f"0.{number}.0", NOW + timedelta(days=number))
    assert [path.name.split("-")[1] for path in copies(folder)] == [
        f"0.{KEPT + 2 - n}.0" for n in range(KEPT)
    ]


def test_an_older_version_that_can_read_the_data_goes_on_with_it(folder: DataFolder):
    open_data(folder, "0.1.0", NOW)
    open_data(folder, "0.2.0", NOW)
    practise(folder.paper, "kept")
    assert open_data(folder, "0.1.0", NOW).restored is None
    assert practised(folder.paper) == ["kept"]


def test_an_older_version_that_cannot_read_the_data_gets_back_what_it_left(folder: DataFolder):
    open_data(folder, "0.1.0", NOW)
    practise(folder.paper, "before")
    copy = open_data(folder, "0.2.0", NOW).backup
    practise(folder.paper, "after")
    written_by_a_newer_one(folder)
    passage = open_data(folder, "0.1.0", NOW)
    assert passage.restored == copy
    assert "version 0.2.0 cannot be read by this one" in passage.sentence
    assert migrate.revision_of(folder.database) == migrate.REVISION
    assert passage.aside is not None
    assert migrate.revision_of(passage.aside) == "9000"
    assert practised(folder.paper) == ["before"]
    (newer,) = folder.root.glob("paper-set-aside-*.sqlite")
    assert practised(newer) == ["before", "after"]
    assert open_data(folder, "0.1.0", NOW) == Passage("0.1.0")


def test_positions_of_a_newer_version_are_not_lost_sight_of(folder: DataFolder):
    open_data(folder, "0.1.0", NOW)
    open_data(folder, "0.2.0", NOW)
    store = SqliteStore(folder.database)
    committed(store, *family(10))
    store.close()
    written_by_a_newer_one(folder)
    with pytest.raises(
        DatabaseNewer, match=r"^Version 0\.2\.0 has positions open.* restore .*engine\.sqlite"
    ):
        open_data(folder, "0.1.0", NOW)
    assert migrate.revision_of(folder.database) == "9000"


def test_a_schema_that_is_not_understood_may_hide_positions(folder: DataFolder):
    open_data(folder, "0.1.0", NOW)
    open_data(folder, "0.2.0", NOW)
    written_by_a_newer_one(folder, "ALTER TABLE position_groups RENAME TO baskets")
    (folder.root / "version").unlink()
    with pytest.raises(DatabaseNewer, match=r"^The newer version has positions open"):
        open_data(folder, "0.1.0", NOW)


def test_without_a_copy_there_is_no_way_back(folder: DataFolder):
    open_data(folder, "0.1.0", NOW)
    written_by_a_newer_one(folder)
    with pytest.raises(DatabaseNewer, match="Install that version again"):
        open_data(folder, "0.1.0", NOW)


def test_no_version_starts_for_the_first_time_without_a_copy(folder: DataFolder):
    open_data(folder, "0.1.0", NOW)
    folder.backups.rmdir()
    folder.backups.write_text("a file in its place")
    with pytest.raises(DatabaseUnusable, match=r"before the first start of version 0\.2\.0"):
        open_data(folder, "0.2.0", NOW)
    assert last_version(folder) == "0.1.0"
