"""The audit log on disk: its chain holds, whatever is done to it is found, and it can be made shorter."""

import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from execution_engine.adapters.storage.reader import Reader
from execution_engine.adapters.storage.store import SqliteStore
from execution_engine.adapters.storage.verify import verify
from execution_engine.domain import audit
from execution_engine.domain.audit import Act
from execution_engine.domain.instrument import Market
from execution_engine.domain.keys import CheckResult
from execution_engine.domain.rows import Account, AccountRemoved, AuditEntry, Mode, World
from tests.adapters.storage.making import NOW, committed, nothing


def log(store: SqliteStore, count: int) -> list[AuditEntry]:
    """Write entries, one a day, the newest of today."""
    entries: list[AuditEntry] = []
    for id in range(1, count + 1):
        entry = AuditEntry(
            id=id, at=NOW - timedelta(days=count - id), act=Act.EXIT, detail=f"“BTC” closed, {id}"
        )
        entries.append(audit.chain(entries[-1].hash if entries else audit.BEGINNING, entry))
    committed(store, *entries)
    return entries


def test_the_start_knows_the_last_hash(store: SqliteStore) -> None:
    entries = log(store, 3)
    assert store.load() == [entries[-1]]


@pytest.mark.fault(90)
@pytest.mark.parametrize(
    "meddling",
    [
        "UPDATE audit_log SET detail = 'nothing happened' WHERE id = 2",
        "UPDATE audit_log SET at = '2020-01-01T00:00:00.000000Z' WHERE id = 2",
        "UPDATE audit_log SET hash = '' WHERE id = 2",
        "UPDATE audit_log SET act = 'checkpoint' WHERE id = 2",
        "DELETE FROM audit_log WHERE id = 2",
        "DELETE FROM audit_log WHERE id = 1",
    ],
)
def test_verify_finds_what_was_changed(store: SqliteStore, path: Path, meddling: str) -> None:
    log(store, 3)
    assert verify(path) == []
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(meddling)
    assert any("does not follow from the one before it" in fault for fault in verify(path))


def test_old_entries_give_way_to_a_checkpoint_and_the_chain_goes_on(store: SqliteStore, path: Path) -> None:
    entries = log(store, 10)
    store.prune(NOW, 30, nothing, audit_days=5)
    kept = Reader(path).audit()
    assert [(row.id, row.act) for row in kept] == [(4, "checkpoint"), *((id, "exit") for id in range(5, 11))]
    assert kept[0].hash == entries[3].hash
    assert verify(path) == []
    following = AuditEntry(id=11, at=NOW, act=Act.PAUSED, detail="Paused.")
    committed(store, audit.chain(store.load()[0].hash, following))  # type: ignore[union-attr]
    store.prune(NOW + timedelta(days=3), 30, nothing, audit_days=5)
    assert [row.id for row in Reader(path).audit()] == [7, 8, 9, 10, 11]
    assert verify(path) == []


def test_a_log_that_is_old_as_a_whole_keeps_its_end(store: SqliteStore, path: Path) -> None:
    entries = log(store, 3)
    for _ in range(2):
        store.prune(NOW + timedelta(days=100), 30, nothing, audit_days=5)
        (left,) = Reader(path).audit()
        assert (left.id, left.act, left.hash) == (3, "checkpoint", entries[-1].hash)
    assert verify(path) == []


def test_without_a_limit_the_log_is_kept_for_ever(store: SqliteStore, path: Path) -> None:
    entries = log(store, 3)
    store.prune(NOW + timedelta(days=10_000), 30, nothing)
    assert Reader(path).audit() == entries


ACCOUNT = Account(
    name="main",
    exchange="okx",
    market=Market.SPOT,
    mode=Mode.LIVE,
    world=World.LIVE,
    enabled=True,
    created_at=NOW,
    check=CheckResult(at=NOW, can_read=True, can_withdraw=None, expires_at=NOW, problems=("One.", "Two.")),
)


def test_a_removed_account_is_gone_from_the_disk(store: SqliteStore) -> None:
    committed(store, ACCOUNT)
    assert store.load() == [ACCOUNT]
    committed(store, AccountRemoved(name="main"))
    assert store.load() == []


def test_what_comes_last_counts_when_an_account_is_removed_and_added_again(store: SqliteStore) -> None:
    committed(store, ACCOUNT, AccountRemoved(name="main"), ACCOUNT)
    assert store.load() == [ACCOUNT]
    committed(store, ACCOUNT, AccountRemoved(name="main"))
    assert store.load() == []
