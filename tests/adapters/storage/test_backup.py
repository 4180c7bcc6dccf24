"""Backups are whole, sound and few; restoring one loses nothing that was there."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from execution_engine import __version__
from execution_engine.adapters.storage import backup, check, files
from execution_engine.adapters.storage.errors import BackupRefused
from execution_engine.adapters.storage.store import SqliteStore
from execution_engine.domain.rows import Engine, Group
from tests.adapters.storage.making import NOW, Answers, committed, family, group, nothing

ENGINE = Engine(install_key="key of this installation")


def stored_in(path: Path) -> set[object]:
    return set(SqliteStore(path).load())


@pytest.fixture
def filled(path: Path) -> Iterator[SqliteStore]:
    store = SqliteStore(path)
    committed(store, ENGINE, *family(10))
    yield store
    store.close()


def test_a_backup_of_a_database_in_use_is_one_whole_file(
    filled: SqliteStore, path: Path, tmp_path: Path
) -> None:
    made = backup.backup(path, tmp_path / "copy.sqlite")
    committed(filled, *family(20))
    assert stored_in(made) == {ENGINE, *family(10)}
    assert made.stat().st_mode & 0o077 == 0
    # Reading the copy switched its log on again; made by itself it has none.
    again = backup.backup(path, tmp_path / "again.sqlite")
    assert not list(files.companions(again))


def test_a_backup_while_the_store_writes_is_one_moment(path: Path, tmp_path: Path) -> None:
    store = SqliteStore(path, Answers().call)
    for id in range(1, 300):
        store.write((group(2 * id), group(2 * id + 1)), nothing)
        if id % 50 == 0:
            made = backup.backup(path, tmp_path / f"{id}.sqlite")
            assert len([row for row in stored_in(made) if isinstance(row, Group)]) % 2 == 0
    store.close()


def test_an_older_backup_of_the_same_name_is_replaced(
    filled: SqliteStore, path: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "copy.sqlite"
    copy.touch()
    backup.backup(path, copy)
    committed(filled, *family(20))
    backup.backup(path, copy)
    assert stored_in(copy) == {ENGINE, *family(10), *family(20)}


def test_a_file_that_is_no_backup_is_not_replaced(path: Path, tmp_path: Path) -> None:
    letter = tmp_path / "letter.txt"
    letter.write_text("dear reader")
    with pytest.raises(BackupRefused, match="is not a backup"):
        backup.backup(path, letter)
    with pytest.raises(BackupRefused, match="the database itself"):
        backup.backup(path, path)
    assert letter.read_text() == "dear reader"


def test_a_damaged_database_makes_no_backup(path: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute("UPDATE sqlite_master SET rootpage = 3 WHERE name = 'ix_fills_order_id'")
        connection.commit()
    with pytest.raises(BackupRefused, match="is damaged"):
        backup.backup(path, tmp_path / "copy.sqlite")
    assert not list(tmp_path.glob("copy*"))


def test_the_newest_backups_are_kept_and_other_files_left_alone(path: Path, tmp_path: Path) -> None:
    folder = tmp_path / "backups"
    assert backup.newest(folder) is None
    folder.mkdir()
    (folder / "engine-schema-0000-20200101T000000Z.sqlite").write_text("made before a migration")
    (folder / "notes.txt").write_text("the user's")
    made = [backup.scheduled(path, folder, NOW + timedelta(hours=hour), keep=3) for hour in range(5)]
    made.append(backup.scheduled(path, folder, NOW + timedelta(hours=4), keep=3))  # within the same second
    assert backup.backups(folder) == tuple(reversed(made[-3:]))
    assert backup.newest(folder) == made[-1]
    assert len(list(folder.iterdir())) == 5


def test_an_old_backup_that_cannot_be_deleted_keeps_no_new_one_from_being_made(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, unlink = tmp_path / "backups", Path.unlink

    def in_use(file: Path, missing_ok: bool = False) -> None:
        if file.suffix == ".sqlite":
            raise PermissionError("another program has it open")
        unlink(file, missing_ok=missing_ok)

    monkeypatch.setattr(Path, "unlink", in_use)
    made = [backup.scheduled(path, folder, NOW + timedelta(hours=hour), keep=1) for hour in range(2)]
    assert backup.backups(folder) == (made[1], made[0])
    monkeypatch.undo()
    made.append(backup.scheduled(path, folder, NOW + timedelta(hours=2), keep=1))
    assert backup.backups(folder) == (made[2],)


class TestRestoring:
    def test_puts_the_old_rows_back_and_sets_the_present_ones_aside(
        self, filled: SqliteStore, path: Path, tmp_path: Path
    ) -> None:
        copy = backup.backup(path, tmp_path / "copy.sqlite")
        committed(filled, *family(20))
        filled.close()
        aside = backup.restore(copy, path, NOW)
        assert aside is not None
        assert stored_in(aside) == {ENGINE, *family(10), *family(20)}
        assert stored_in(path) == {replace(ENGINE, epoch=2), *family(10)}
        assert check.open_database(path, tmp_path, NOW) is None
        assert stored_in(copy) == {ENGINE, *family(10)}

    @pytest.mark.fault(61)
    def test_never_gives_the_same_epoch_twice(self, filled: SqliteStore, path: Path, tmp_path: Path) -> None:
        copy = backup.backup(path, tmp_path / "copy.sqlite")
        filled.close()
        epochs = []
        for attempt in range(4):
            if attempt == 2:
                path.write_bytes(b"damaged")
            if attempt == 3:
                path.unlink()
            backup.restore(copy, path, NOW + timedelta(minutes=attempt))
            epochs.append(backup.epoch_of(path))
        assert epochs[:2] == [2, 3]
        assert epochs == sorted(set(epochs))

    def test_keeps_the_log_of_a_database_that_was_not_closed(
        self, filled: SqliteStore, path: Path, tmp_path: Path
    ) -> None:
        copy = backup.backup(path, tmp_path / "copy.sqlite")
        committed(filled, *family(20))
        aside = backup.restore(copy, path, NOW)  # what the dead engine had open is in the log only
        assert aside is not None
        assert stored_in(aside) == {ENGINE, *family(10), *family(20)}

    @pytest.mark.parametrize("content", [b"", b"a letter", b"SQLite format 3\0" + b"\0" * 5_000])
    def test_refuses_what_is_no_backup_of_ours(self, path: Path, tmp_path: Path, content: bytes) -> None:
        before = path.read_bytes()
        copy = tmp_path / "copy.sqlite"
        with pytest.raises(BackupRefused, match="There is no backup"):
            backup.restore(copy, path, NOW)
        copy.write_bytes(content)
        with pytest.raises(BackupRefused, match="not a backup of this application"):
            backup.restore(copy, path, NOW)
        with pytest.raises(BackupRefused, match="the database itself"):
            backup.restore(path, path, NOW)
        assert path.read_bytes() == before

    def test_refuses_a_newer_version(self, path: Path, tmp_path: Path) -> None:
        copy = backup.backup(path, tmp_path / "copy.sqlite")
        with closing(sqlite3.connect(copy)) as connection, connection:
            connection.execute("UPDATE alembic_version SET version_num = '9999'")
        with pytest.raises(BackupRefused, match="written by a newer version"):
            backup.restore(copy, path, NOW)

    def test_works_where_files_cannot_have_two_names(
        self, filled: SqliteStore, path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def no_links(*_: object) -> None:
            raise OSError("not supported")

        monkeypatch.setattr(files.os, "link", no_links)
        filled.close()
        aside = backup.restore(backup.backup(path, tmp_path / "copy.sqlite"), path, NOW)
        assert aside is not None
        assert stored_in(aside) == {ENGINE, *family(10)}


def test_what_is_written_meanwhile_does_not_make_a_copy_begin_anew(
    filled: SqliteStore, path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backup, "PAGES_A_STEP", 1)
    steps = []

    def write() -> bool:
        steps.append(1)
        committed(filled, group(100 + len(steps)))
        return False

    made = backup.backup(path, tmp_path / "copy.sqlite", ends=write)
    assert len(steps) > 10  # it was written to between any two of its pages
    assert stored_in(made) == {ENGINE, *family(10)}


def test_a_copy_is_broken_off_when_the_program_ends_and_leaves_nothing(
    filled: SqliteStore, path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backup, "PAGES_A_STEP", 1)
    with pytest.raises(BackupRefused, match="was broken off"):
        backup.backup(path, tmp_path / "copy.sqlite", ends=lambda: True)
    assert not list(tmp_path.glob("copy*"))


def test_a_copy_says_which_version_made_it(filled: SqliteStore, path: Path, tmp_path: Path) -> None:
    assert backup.version_of(path) == ""
    assert backup.version_of(backup.backup(path, tmp_path / "copy.sqlite")) == __version__
    assert (backup.stamp_of("12.3.4"), backup.stamp_of("1.2.3.dev1"), backup.stamp_of("2")) == (
        12_003_004,
        1_002_003,
        2_000_000,
    )


def test_the_number_in_another_database_is_left_as_it_is(tmp_path: Path) -> None:
    other = tmp_path / "paper.sqlite"
    with closing(sqlite3.connect(other)) as connection:
        connection.execute("PRAGMA user_version = 4")
        connection.execute("CREATE TABLE orders (id INTEGER)")
    backup.copy_checked(other, tmp_path / "copy.sqlite")
    with closing(sqlite3.connect(tmp_path / "copy.sqlite")) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (4,)
