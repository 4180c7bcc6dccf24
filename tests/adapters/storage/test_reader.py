"""What the screens read: exact, newest first, open and closed groups alike."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from execution_engine.adapters.storage.reader import Reader
from execution_engine.adapters.storage.store import SqliteStore
from execution_engine.domain.inputs import History
from execution_engine.domain.rows import (
    AlertKey,
    Archive,
    AuditEntry,
    EquityPoint,
    GroupStatus,
    RefusedRequest,
    RiskAction,
    Row,
    SettingsVersion,
    World,
)
from execution_engine.domain.signal import Outcome
from execution_engine.domain.statistics import Statistics
from tests.adapters.storage.making import NOW, D, alert, committed, family, line
from tests.adapters.storage.test_loading import queued


@pytest.fixture
def reader(store: SqliteStore) -> Reader:
    return Reader(store.path)


def closed(id: int, realized: str = "0", minutes: int = 0, **changes: object) -> tuple[Row, ...]:
    at = NOW + timedelta(minutes=minutes)
    changes = {
        "status": GroupStatus.CLOSED,
        "realized": D(realized),
        "fees": D("0.1"),
        "closed_at": at,
    } | changes
    return family(id, **changes)


def history(rows: tuple[Row, ...]) -> History:
    group, pyramid, leg, order, _ = rows
    return History(group=group, pyramids=(pyramid,), legs=(leg,), orders=(order,))  # type: ignore[arg-type]


def test_closed_groups_come_from_both_places_newest_first(store: SqliteStore, reader: Reader) -> None:
    old, new, newest, is_open = closed(10), closed(20, minutes=1), closed(30, minutes=2), family(40)
    committed(store, *old, *new, *newest, *is_open, Archive(10), Archive(30))
    assert reader.closed_groups(10) == [history(newest), history(new), history(old)]
    assert reader.closed_groups(2) == [history(newest), history(new)]
    assert reader.ended_groups(1) == [newest[0]]


@pytest.mark.parametrize("archived", [False, True])
def test_a_group_is_found_wherever_it_is(store: SqliteStore, reader: Reader, archived: bool) -> None:
    rows = closed(10)
    committed(store, *rows, *([Archive(10)] if archived else []))
    assert reader.group_rows(10) == history(rows)
    assert reader.fills(10) == [rows[4]]
    assert reader.order_by_client_id("c13") == rows[3]


def test_what_is_not_there_is_none_or_empty(reader: Reader) -> None:
    assert reader.group_rows(1) is None
    assert reader.order_by_client_id("c1") is None
    assert reader.alert(1) is None
    assert reader.fills(1) == reader.alerts(5) == reader.closed_groups(5) == reader.audit() == []


def test_the_last_promotions_come_with_what_they_were_owed_to(store: SqliteStore, reader: Reader) -> None:
    ends = [Outcome.OPENED, Outcome.EXPIRED, Outcome.PYRAMIDED, None, Outcome.REPLACEMENT, Outcome.REJECTED]
    rows = [
        replace(
            queued(id, outcome),
            reason=f"{id}th: no loss" if outcome else "",
            finished_at=NOW + timedelta(minutes=9 - id) if outcome else None,
        )
        for id, outcome in enumerate(ends, 1)
    ]
    committed(store, *rows)
    assert reader.promotions(9) == [rows[4], rows[2], rows[0]][::-1]
    assert [row.reason for row in reader.promotions(1)] == ["1th: no loss"]


def test_lists_end_at_their_limit_and_begin_with_the_newest(store: SqliteStore, reader: Reader) -> None:
    alerts = [alert(id) for id in range(1, 6)]
    keys = [
        AlertKey(id=id, key=f"k{id}", body_hash="h", received_at=NOW, duplicates=id) for id in range(1, 6)
    ]
    refused = [
        RefusedRequest(id=id, at=NOW, status=400, errors=(("symbol", "is missing"),), body="{}", source="ip")
        for id in range(1, 6)
    ]
    actions = [
        RiskAction(id=id, world=World.PAPER, type="offset", status="done", started_at=NOW) for id in (1, 2)
    ]
    saved = [SettingsVersion(id=id, saved_at=NOW, document="{}") for id in (1, 2)]
    audit = [AuditEntry(id=id, at=NOW, act="unlock", detail="", hash=str(id)) for id in (1, 2)]
    committed(store, *alerts, *keys, *refused, *actions, *saved, *audit)
    assert reader.alerts(2) == alerts[:2:-1]
    assert reader.alert(3) == alerts[2]
    assert reader.alert_keys(1) == keys[4:]
    assert reader.refused(1) == refused[4:]
    assert reader.risk_actions(1) == actions[1:]
    assert reader.settings_versions() == saved[::-1]
    assert reader.audit() == audit


def test_equity_is_of_one_world_and_from_a_time_on(store: SqliteStore, reader: Reader) -> None:
    points = [
        EquityPoint(id=id, world=World.PAPER, at=NOW + timedelta(days=id), realized=D(id))
        for id in range(1, 5)
    ]
    committed(store, *points, EquityPoint(id=9, world=World.LIVE, at=NOW, realized=D("1.10")))
    assert reader.equity(World.PAPER) == points
    assert reader.equity(World.PAPER, since=NOW + timedelta(days=3)) == points[2:]


def test_statistics_are_exact_sums_over_closed_groups_of_one_world(
    store: SqliteStore, reader: Reader
) -> None:
    cost = D("64025.00") * D("0.00307")
    committed(
        store,
        *closed(10, "0.1", minutes=1),
        *closed(20, "0.2", minutes=2),
        *closed(30, "-0.3000000000000000000001", minutes=3),
        *closed(40, "0", minutes=4),
        *closed(50, "7", filled_quantity=D(0)),
        *closed(60, "7", world=World.LIVE),
        *family(70, realized=D(5)),
        Archive(10),
        Archive(30),
    )
    assert reader.statistics(World.PAPER) == Statistics(
        trades=4,
        wins=2,
        losses=1,
        won=D("0.3"),
        lost=D("-0.3000000000000000000001"),
        realized=D("-0.0000000000000000000001"),
        fees=D("0.4"),
        volume=6 * cost,
    )
    later = reader.statistics(World.PAPER, since=NOW + timedelta(minutes=2))
    assert (later.trades, later.wins, later.volume) == (3, 1, Decimal(0))


def test_the_log_is_read_page_by_page_through_its_filters(store: SqliteStore, reader: Reader) -> None:
    lines = [line(id, f"line {id} of 50 %") for id in range(1, 7)]
    lines[1] = replace(lines[1], level="ERROR")
    lines[2] = replace(lines[2], category="RISK")
    committed(store, *lines)
    assert reader.log(2) == [lines[5], lines[4]]
    assert reader.log(2, before_id=5) == [lines[3], lines[2]]
    assert reader.log(9, levels=["ERROR", "CRITICAL"]) == [lines[1]]
    assert reader.log(9, categories=["RISK"]) == [lines[2]]
    assert reader.log(9, contains="LINE 4") == [lines[3]]
    assert len(reader.log(9, contains="50 %")) == 6
    assert reader.log(9, contains="4_of") == []


def test_reading_sees_what_was_committed_a_moment_ago(path: Path) -> None:
    store, reader = SqliteStore(path), Reader(path)
    for id in range(1, 20):
        committed(store, alert(id))
        assert reader.alerts(1) == [alert(id)]
    store.close()
