"""Closed trades and what they came to, read in one moment of the file and worked out there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, select

from execution_engine.adapters.storage.codec import time_text
from execution_engine.adapters.storage.export import plain, write_rows
from execution_engine.adapters.storage.loading import snapshot
from execution_engine.adapters.storage.tables import CURRENT, HISTORY
from execution_engine.domain.instrument import Side
from execution_engine.domain.money import ZERO, divide
from execution_engine.domain.performance import Change, ClosedTrade, Question, Report, report
from execution_engine.domain.rows import EquityPoint, Group, GroupStatus, Order, Purpose

PLACES = (CURRENT, HISTORY)
MOST_PRICED = 2_000  # trades whose average prices are worked out for the screen: the newest
SOME = 5_000
_FIELDS = (
    "id",
    "account",
    "symbol",
    "timeframe",
    "side",
    "quote",
    "created_at",
    "filled_at",
    "closed_at",
    "filled_quantity",
    "realized",
    "fees",
    "close_reason",
)
NAMES = [
    "group",
    "account",
    "symbol",
    "timeframe",
    "side",
    "opened_at",
    "closed_at",
    "held_s",
    "quantity",
    "entry",
    "exit",
    "fees",
    "realized",
    "percent",
    "quote",
    "why",
]


def read_performance(path: Path, question: Question, capital: Decimal, today: date) -> Report:
    """Work out what trading came to. capital: with what the curve begins [USD]. Blocking. Raises StoreFailed."""
    with snapshot(path) as connection:
        trades = list(_trades(connection, question))
        trades.sort(key=lambda trade: (trade.closed_at, trade.group_id), reverse=True)
        trades[:MOST_PRICED] = _priced(connection, trades[:MOST_PRICED])
        before, changes = _changes(connection, question)
    last = min(today, question.until.astimezone(UTC).date()) if question.until else today
    return report(trades, changes, start=capital + before, last_day=last)


def export_trades(path: Path, question: Question, target: Path) -> int:
    """Write the trades to a CSV or JSON file, oldest first, and return how many. Blocking.

    Raises StoreFailed or ExportRefused.
    """
    with snapshot(path) as connection:
        trades = sorted(_trades(connection, question), key=lambda trade: (trade.closed_at, trade.group_id))
        return write_rows(target, NAMES, map(_plain, _in_parts(connection, trades)))


def _in_parts(connection: Connection, trades: Sequence[ClosedTrade]) -> Iterator[ClosedTrade]:
    for at in range(0, len(trades), SOME):
        yield from _priced(connection, trades[at : at + SOME])


def _plain(trade: ClosedTrade) -> dict[str, str | int | None]:
    found: dict[str, Any] = {
        "group": trade.group_id,
        "held_s": int(trade.held.total_seconds()),
        "percent": trade.percent,
    }
    return {name: plain(found[name] if name in found else getattr(trade, name)) for name in NAMES}


def _trades(connection: Connection, question: Question) -> Iterator[ClosedTrade]:
    for place in PLACES:
        columns = place[Group].table.c
        wanted = [*_of(columns, question), columns.status == GroupStatus.CLOSED.value]
        if question.since is not None:
            wanted.append(columns.closed_at >= time_text(question.since))
        if question.until is not None:
            wanted.append(columns.closed_at < time_text(question.until))
        for values in connection.execute(select(*(columns[name] for name in _FIELDS)).where(*wanted)):
            if Decimal(values.filled_quantity):
                yield _trade(values)


def _of(columns: Any, question: Question) -> list[ColumnElement[bool]]:
    found = [columns.world == question.world.value]
    if question.account:
        found.append(columns.account == question.account)
    if question.symbol:
        found.append(columns.symbol == question.symbol)
    return found


def _trade(values: Any) -> ClosedTrade:
    return ClosedTrade(
        group_id=values.id,
        account=values.account,
        symbol=values.symbol,
        timeframe=values.timeframe,
        side=Side(values.side),
        quote=values.quote,
        opened_at=datetime.fromisoformat(values.filled_at or values.created_at),
        closed_at=datetime.fromisoformat(values.closed_at),
        quantity=Decimal(values.filled_quantity),
        realized=Decimal(values.realized),
        fees=Decimal(values.fees),
        why=values.close_reason,
    )


def _priced(connection: Connection, trades: Sequence[ClosedTrade]) -> Iterable[ClosedTrade]:
    """Return the trades with their average prices of entry and exit."""
    sums: dict[tuple[int, bool], list[Decimal]] = {}
    ids = [trade.group_id for trade in trades]
    for place in PLACES:
        columns = place[Order].table.c
        wanted = and_(columns.group_id.in_(ids), columns.filled_quantity != "0")
        statement = select(columns.group_id, columns.purpose, columns.filled_quantity, columns.filled_cost)
        for group_id, purpose, quantity, cost in connection.execute(statement.where(wanted)):
            known = sums.setdefault((group_id, purpose == Purpose.ENTRY.value), [ZERO, ZERO])
            known[0] += Decimal(quantity)
            known[1] += Decimal(cost)

    def average(trade: ClosedTrade, entry: bool) -> Decimal | None:
        quantity, cost = sums.get((trade.group_id, entry), (ZERO, ZERO))
        return divide(cost, quantity) if quantity else None

    return [replace(each, entry=average(each, True), exit=average(each, False)) for each in trades]


def _changes(connection: Connection, question: Question) -> tuple[Decimal, list[Change]]:
    """Return what was realized before the time asked for, and each change in it, oldest first."""
    points = CURRENT[EquityPoint].table.c
    statement = select(points.at, points.realized, points.group_id).where(
        points.world == question.world.value
    )
    if question.until is not None:
        statement = statement.where(points.at < time_text(question.until))
    whose = _groups(connection, question) if question.account or question.symbol else None
    since = time_text(question.since) if question.since else ""
    before = last = ZERO
    changes: list[Change] = []
    for at, realized, group_id in connection.execute(statement.order_by(points.at, points.id)):
        total = Decimal(realized)
        amount, last = total - last, total
        if whose is not None and group_id not in whose:
            continue
        if at < since:
            before += amount
        elif amount:
            changes.append(Change(datetime.fromisoformat(at), amount))
    return before, changes


def _groups(connection: Connection, question: Question) -> set[int]:
    found: set[int] = set()
    for place in PLACES:
        columns = place[Group].table.c
        found.update(connection.execute(select(columns.id).where(*_of(columns, question))).scalars())
    return found
