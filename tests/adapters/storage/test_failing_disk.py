"""When the disk says no: a sentence for the user, and nothing is written any more."""

import os
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from execution_engine.adapters.storage import backup, check
from execution_engine.adapters.storage.errors import DatabaseUnusable
from execution_engine.adapters.storage.store import SqliteStore
from execution_engine.domain.errors import StoreFailed
from tests.adapters.storage.making import NOW, committed, line

posix = pytest.mark.skipif(os.name != "posix", reason="limits and rights of POSIX")

HOLD_LOCK = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
print("locked", flush=True)
sys.stdin.read()
"""

# A limit on the size of files stands for a disk without space; SIGXFSZ is ignored by Python.
SMALL_FILES = """
import resource, sys
from pathlib import Path
from execution_engine.adapters.storage.store import SqliteStore
from tests.adapters.storage.making import line
store = SqliteStore(Path(sys.argv[1]))
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
answers = []
for id in range(1, 1_000):
    store.write((line(id, "x" * 5_000),), answers.append)
stored = answers.index(store.failed)
assert None not in answers[stored:]
print(stored, store.failed)
"""


@contextmanager
def locked_by_another_process(path: Path) -> Iterator[None]:
    command = [sys.executable, "-c", HOLD_LOCK, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == "locked\n"
        yield
        process.communicate("")


@pytest.mark.fault(59)
def test_a_lock_that_another_process_keeps_fails_the_store_for_good(path: Path) -> None:
    store = SqliteStore(path, busy_ms=20)
    heard: list[Any] = []
    committed(store, line(1))
    with locked_by_another_process(path):
        store.write((line(2),), heard.append)
    store.write((line(3),), heard.append)
    store.write((), heard.append)
    assert len(heard) == 3
    assert all(isinstance(failed, StoreFailed) for failed in heard)
    assert "engine.sqlite is locked by another program" in str(heard[0])
    store.close()
    assert SqliteStore(path).next_id() == 2


@pytest.mark.fault(59, 89)
def test_a_start_says_who_keeps_the_database(path: Path, tmp_path: Path) -> None:
    with locked_by_another_process(path), pytest.raises(DatabaseUnusable, match="locked by another program"):
        check.open_database(path, tmp_path, NOW, busy_ms=20)


def test_reading_goes_on_while_another_process_writes(path: Path) -> None:
    committed(SqliteStore(path), line(1))
    with locked_by_another_process(path):
        assert SqliteStore(path).next_id() == 2


@pytest.mark.fault(58)
@posix
def test_a_full_disk_keeps_every_acknowledged_row(path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", SMALL_FILES, str(path)],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    stored, sentence = ended.stdout.split(" ", 1)
    assert int(stored) > 3
    assert "engine.sqlite" in sentence
    assert check.faults_of(path) == []
    assert SqliteStore(path).next_id() == int(stored) + 1


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = sys.platform == "linux" and subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)], capture_output=True, check=False
    )
    if not mounted or mounted.returncode:
        pytest.skip("mounting a small disk is not permitted here")
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


def test_a_full_disk_is_called_by_its_name(small_disk: Path, empty_database: bytes, tmp_path: Path) -> None:
    path = small_disk / "engine.sqlite"
    path.write_bytes(empty_database)
    store = SqliteStore(path)
    heard: list[Any] = []
    while not store.failed:
        store.write((line(len(heard) + 1, "x" * 20_000),), heard.append)
    assert "The disk is full" in str(store.failed)
    store.close()
    with pytest.raises(DatabaseUnusable, match=r"The disk is full: .* has 0 MiB left"):
        check.open_database(path, tmp_path, NOW)
    with pytest.raises(DatabaseUnusable, match="The disk is full"):
        backup.backup(path, small_disk / "copy.sqlite")
    assert not list(small_disk.glob("copy*"))


@pytest.fixture
def plain_user() -> Iterator[Path]:
    """A folder of a user whom rights of files concern; root is not stopped by them."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        root = os.geteuid() == 0
        if root:
            os.chown(folder, 65534, 65534)
            os.seteuid(65534)
        try:
            yield folder
        finally:
            folder.chmod(0o700)
            if root:
                os.seteuid(0)


@pytest.mark.fault(58)
@posix
def test_a_read_only_database_is_refused_with_a_sentence(plain_user: Path, empty_database: bytes) -> None:
    path = plain_user / "engine.sqlite"
    path.write_bytes(empty_database)
    path.chmod(0o400)
    with pytest.raises(DatabaseUnusable, match=r"engine\.sqlite is read-only"):
        check.open_database(path, plain_user, NOW)
    store = SqliteStore(path)
    heard: list[Any] = []
    store.write((line(1),), heard.append)
    store.close()
    assert "read-only" in str(heard[0])


@posix
def test_a_folder_that_may_not_be_written_to_is_named(plain_user: Path) -> None:
    plain_user.chmod(0o500)
    with pytest.raises(DatabaseUnusable, match="Make that folder writable"):
        check.open_database(plain_user / "engine.sqlite", plain_user, NOW)
    with pytest.raises(DatabaseUnusable, match="cannot be made"):
        backup.scheduled(plain_user / "engine.sqlite", plain_user / "backups", NOW, 3)


@pytest.mark.fault(60)
def test_a_database_that_was_deleted_does_not_come_back_empty(tmp_path: Path) -> None:
    missing = tmp_path / "engine.sqlite"
    with pytest.raises(StoreFailed, match="cannot be opened"):
        SqliteStore(missing)
    with pytest.raises(DatabaseUnusable, match="cannot be opened"):
        backup.backup(missing, tmp_path / "copy.sqlite")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.fault(60)
def test_damage_met_while_reading_is_told(path: Path) -> None:
    store = SqliteStore(path)
    store.close()
    with path.open("rb+") as file:
        file.write(b"no longer a database, whatever it was before")
    with pytest.raises(StoreFailed, match="not a database"):
        store.next_id()
    with closing(sqlite3.connect(path)) as connection, pytest.raises(sqlite3.DatabaseError):
        connection.execute("PRAGMA quick_check")
