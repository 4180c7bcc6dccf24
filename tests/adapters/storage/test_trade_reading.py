"""Closed trades from the database: what they came to, over a time, an account or a pair; and as a file."""

import csv
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from execution_engine.adapters.storage.store import SqliteStore
from execution_engine.adapters.storage.trade_reading import export_trades, read_performance
from execution_engine.domain.performance import Question
from execution_engine.domain.rows import Archive, EquityPoint, GroupStatus, OrderStatus, Purpose, World
from tests.adapters.storage.making import NOW, D, committed, group, order

TODAY = date(2026, 11, 23)
PAPER = Question(world=World.PAPER)


def closed(id: int, realized: str, day: int, **changes: Any) -> tuple[object, ...]:
    """Return a group that bought 2 at 100 and sold them at 105, and its orders."""
    made = group(
        id,
        status=GroupStatus.CLOSED,
        realized=D(realized),
        fees=D("0.1"),
        filled_quantity=D(2),
        filled_at=NOW,
        closed_at=NOW + timedelta(days=day),
        close_reason="=exit alert",
        **changes,
    )
    done = {"status": OrderStatus.FILLED, "quantity": D(2), "filled_quantity": D(2), "symbol": made.symbol}
    bought = order(id + 1, id, filled_cost=D(200), **done)
    sold = replace(order(id + 2, id, filled_cost=D(210), **done), purpose=Purpose.TAKE_PROFIT)
    return made, bought, sold


@pytest.fixture
def path(path: Path) -> Path:
    store = SqliteStore(path)
    points = [("10", 0, 10), ("4", 1, 20), ("9", 2, 30)]
    committed(
        store,
        *closed(10, "10", 0),
        *closed(20, "-6", 1, symbol="ETHUSDT"),
        *closed(30, "5", 2, account="other"),
        *closed(40, "7", 2, world=World.LIVE),
        group(50, status=GroupStatus.CLOSED, closed_at=NOW),
        group(60, filled_quantity=D(1)),
        *(
            EquityPoint(id=n, world=World.PAPER, at=NOW + timedelta(days=day), realized=D(total), group_id=id)
            for n, (total, day, id) in enumerate(points, 1)
        ),
        Archive(10),
    )
    store.close()
    return path


def test_trades_of_a_world_come_from_both_places_newest_first(path: Path) -> None:
    report = read_performance(path, PAPER, D(1000), TODAY)
    assert [trade.group_id for trade in report.trades] == [30, 20, 10]
    assert (report.tally.trades, report.tally.realized, report.realized) == (3, D(9), D(9))
    assert [point.equity for point in report.curve] == [D(1010), D(1004), D(1009)]
    assert report.fall.amount == D(-6)
    assert [(trade.entry, trade.exit) for trade in report.trades] == [(D(100), D(105))] * 3
    assert report.trades[0].percent == D("2.5")


@pytest.mark.parametrize(
    ("question", "ids", "start", "realized"),
    [
        (Question(world=World.PAPER, since=NOW + timedelta(days=1)), [30, 20], "1010", "-1"),
        (Question(world=World.PAPER, until=NOW + timedelta(days=2)), [20, 10], "1000", "4"),
        (Question(world=World.PAPER, account="other"), [30], "1000", "5"),
        (Question(world=World.PAPER, symbol="ETHUSDT"), [20], "1000", "-6"),
        (Question(world=World.TEST), [], "1000", "0"),
    ],
)
def test_a_time_an_account_or_a_pair_can_be_asked_for(path, question, ids, start, realized) -> None:
    report = read_performance(path, question, D(1000), TODAY)
    assert [trade.group_id for trade in report.trades] == ids
    assert (report.start, report.realized) == (D(start), D(realized))


def test_trades_are_written_oldest_first_and_no_text_is_a_formula(path: Path, tmp_path: Path) -> None:
    target = tmp_path / "trades.csv"
    assert export_trades(path, PAPER, target) == 3
    with target.open(encoding="utf-8", newline="") as file:
        first, *_ = written = list(csv.DictReader(file))
    assert [row["group"] for row in written] == ["10", "20", "30"]
    assert (first["entry"], first["exit"], first["realized"], first["percent"]) == ("100", "105", "10", "5")
    assert first["why"] == "'=exit alert"
