"""The end of the audit log, kept beside it: what a chain alone cannot tell is found."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from execution_engine.adapters.storage import audit_head, backup
from execution_engine.adapters.storage.store import SqliteStore
from execution_engine.adapters.storage.verify import verify
from execution_engine.domain.rows import Engine
from tests.adapters.storage.making import NOW, committed, nothing
from tests.adapters.storage.test_audit_log import log


def change(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(statement)


@pytest.mark.fault(90)
@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ("DELETE FROM audit_log WHERE id > 2", "The audit log ends before entry 5"),
        ("DELETE FROM audit_log", "The audit log ends before entry 5"),
        ("UPDATE audit_log SET hash = 'x' WHERE id = 5", "Audit entry 5 is not the one that was written"),
    ],
)
def test_a_log_without_its_end_is_noticed(store: SqliteStore, path: Path, statement: str, found: str) -> None:
    entries = log(store, 5)
    audit_head.note(path, entries[-1])
    assert verify(path) == []
    change(path, statement)
    assert audit_head.fault(path).startswith(found)
    assert any(found in fault for fault in verify(path))


def test_a_log_that_went_on_or_was_shortened_is_the_same_log(store: SqliteStore, path: Path) -> None:
    entries = log(store, 10)
    audit_head.note(path, entries[3])
    assert audit_head.fault(path) == ""
    store.prune(NOW, 30, nothing, audit_days=5)
    assert audit_head.fault(path) == ""
    audit_head.note(path, entries[-1])
    assert audit_head.fault(path) == ""


@pytest.mark.fault(61)
def test_an_old_copy_put_in_place_by_hand_is_noticed_and_a_restored_backup_is_known(
    store: SqliteStore, path: Path, tmp_path: Path
) -> None:
    committed(store, Engine(install_key="key"))
    entries = log(store, 3)
    copy = backup.backup(path, tmp_path / "copy.sqlite")
    again = log(store, 6)
    audit_head.note(path, again[-1])
    store.close()
    old = path.read_bytes()
    path.write_bytes(copy.read_bytes())
    assert "an older copy of the database was put in place" in audit_head.fault(path)
    path.write_bytes(old)
    backup.restore(copy, path, NOW + timedelta(hours=1))
    assert audit_head.fault(path) == ""
    head = audit_head.read(path)
    assert head is not None
    assert (head.id, head.restored) == (6, "copy.sqlite")
    audit_head.note(path, entries[-1])
    assert audit_head.fault(path) == ""


@pytest.mark.parametrize("content", ["", "{", "[]", '{"id": 1}', "\0" * 40])
def test_a_note_that_cannot_be_read_accuses_nobody(store: SqliteStore, path: Path, content: str) -> None:
    log(store, 2)
    audit_head.place(path).write_text(content)
    assert audit_head.read(path) is None
    assert verify(path) == []
