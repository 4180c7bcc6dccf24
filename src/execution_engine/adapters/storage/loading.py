"""What the book starts from, read in one snapshot."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, CompoundSelect, Connection, Select, func, or_, select, union
from sqlalchemy import Engine as SqlEngine
from sqlalchemy.exc import DBAPIError

from execution_engine.adapters.storage.codec import forget_much
from execution_engine.adapters.storage.connect import open_engine
from execution_engine.adapters.storage.failures import sentence
from execution_engine.adapters.storage.tables import CURRENT, Stored, metadata
from execution_engine.domain.errors import StoreFailed
from execution_engine.domain.rows import (
    Account,
    Alert,
    AlertKey,
    AuditEntry,
    Engine,
    EquityPoint,
    Fill,
    Finding,
    Group,
    Leg,
    Order,
    Pyramid,
    QueuedSignal,
    RiskAction,
    Row,
    SettingsVersion,
    WebhookToken,
    WorldHold,
)

T = TypeVar("T")
NEWEST_ALERTS = 2_000
ALERTS_OF_CHARTS = 20_000  # among which the last one of each chart is looked for
NEWEST_FINDINGS = 200
NEWEST_RISK_ACTIONS = 200


@contextmanager
def snapshot(path: Path) -> Iterator[Connection]:
    """Give a connection that sees the database as it is now. Raises StoreFailed."""
    try:
        with reading(path).connect() as connection:
            yield connection
    except DBAPIError as error:
        raise StoreFailed(sentence(error.orig or error, path)) from error
    except UnreadableRow as error:
        raise StoreFailed(
            f"{path.name} is damaged: {error}. Restore a backup; nothing was changed."
        ) from error
    finally:
        forget_much()


class UnreadableRow(Exception):
    """A row holds what nobody wrote there. The text says which."""


@lru_cache(maxsize=8)
def reading(path: Path) -> SqlEngine:
    """Return the way to read a file. It holds no connection, but the statements that were compiled for it."""
    return open_engine(path, read_only=True)


def fetch(connection: Connection, stored: Stored, statement: Select[Any] | None = None) -> Iterator[Any]:
    """Yield the rows that a statement over a table finds; without one, all of them in order of the key."""
    if statement is None:
        statement = select(stored.table).order_by(stored.table.c[stored.key])
    for values in connection.execute(statement):
        try:
            yield stored.codec.decode(values)
        except (ArithmeticError, LookupError, TypeError, ValueError) as error:
            raise UnreadableRow(f"a row of {stored.table.name} makes no sense ({error})") from error


def load(path: Path) -> list[Row]:
    """Return the rows that the book starts from, parents before children. Raises StoreFailed.

    A list, because a reader who stopped half-way would leave the snapshot open.
    """
    with snapshot(path) as connection:
        return [
            row
            for row_type, statement in wanted().items()
            for row in fetch(connection, CURRENT[row_type], statement)
        ]


def wanted() -> dict[type[Any], Select[Any] | None]:
    """Map each type that the book needs to the statement that finds its rows (None: all of them)."""
    return {
        Engine: None,
        Account: None,
        WebhookToken: None,
        WorldHold: None,
        SettingsVersion: newest(SettingsVersion).limit(1),
        AuditEntry: newest(AuditEntry).limit(1),
        Group: None,
        Pyramid: None,
        Leg: None,
        Order: None,
        Fill: None,
        RiskAction: only(
            RiskAction,
            or_(
                column(RiskAction, "finished_at").is_(None),
                column(RiskAction, "id").in_(newest_ids(RiskAction, NEWEST_RISK_ACTIONS)),
            ),
        ),
        Finding: only(
            Finding,
            or_(
                column(Finding, "settled_at").is_(None),
                column(Finding, "id").in_(newest_ids(Finding, NEWEST_FINDINGS)),
            ),
        ),
        QueuedSignal: only(QueuedSignal, column(QueuedSignal, "outcome").is_(None)),
        Alert: only(Alert, column(Alert, "id").in_(alert_ids())),
        AlertKey: None,
        EquityPoint: only(EquityPoint, column(EquityPoint, "id").in_(last_of_each_world())),
    }


def column(row_type: type[Any], name: str) -> ColumnElement[Any]:
    return CURRENT[row_type].table.c[name]


def only(row_type: type[Any], condition: ColumnElement[bool]) -> Select[Any]:
    return select(CURRENT[row_type].table).where(condition).order_by(column(row_type, "id"))


def newest(row_type: type[Any]) -> Select[Any]:
    return select(CURRENT[row_type].table).order_by(column(row_type, "id").desc())


def newest_ids(row_type: type[Any], count: int) -> Select[Any]:
    identity = column(row_type, "id")
    return select(identity).order_by(identity.desc()).limit(count)


def alert_ids() -> CompoundSelect[Any]:
    """Find each kind by itself: SQLite would go through the alerts of years for one condition about all."""
    newest_ones = newest_ids(Alert, NEWEST_ALERTS).subquery()
    return union(
        select(column(Alert, "id")).where(undecided()), select(newest_ones.c.id), last_of_each_chart()
    )


def undecided() -> ColumnElement[bool]:
    outcome = column(Alert, "outcome")
    return or_(outcome.is_(None), outcome == "queued")


def last_of_each_chart() -> Select[Any]:
    """Find what the next alert of a chart is compared with (`Alert.chain`), among many but not all."""
    chart = [column(Alert, name) for name in ("exchange", "symbol", "timeframe", "allowed")]
    account = func.json_extract(column(Alert, "parsed"), "$.account").label("account")
    among = newest_ids(Alert, ALERTS_OF_CHARTS).add_columns(*chart, account)
    known = among.where(column(Alert, "replay_of").is_(None)).subquery()
    return select(func.max(known.c.id)).group_by(*list(known.c)[1:])


def last_of_each_world() -> Select[Any]:
    return select(func.max(column(EquityPoint, "id"))).group_by(column(EquityPoint, "world"))


def next_id(path: Path) -> int:
    """Return one more than the highest id in any table. Raises StoreFailed."""
    highest = 0
    with snapshot(path) as connection:
        for table in metadata.tables.values():
            if "id" in table.c:
                highest = max(highest, connection.scalar(select(func.max(table.c.id))) or 0)
    return highest + 1
