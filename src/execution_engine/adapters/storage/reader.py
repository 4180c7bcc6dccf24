"""What the screens, the command line and the desk ask of the past. Every call sees one moment of the file."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, select

from execution_engine.adapters.storage.codec import time_text
from execution_engine.adapters.storage.loading import column, fetch, newest, only, snapshot
from execution_engine.adapters.storage.statistics import summed
from execution_engine.adapters.storage.tables import CURRENT, HISTORY, Stored
from execution_engine.domain.inputs import History
from execution_engine.domain.ranking import PROMOTED
from execution_engine.domain.rows import (
    Alert,
    AlertKey,
    AuditEntry,
    EquityPoint,
    Fill,
    Group,
    GroupStatus,
    Leg,
    LogEntry,
    Order,
    Pyramid,
    QueuedSignal,
    RefusedRequest,
    RiskAction,
    SettingsVersion,
    World,
)
from execution_engine.domain.statistics import Statistics

PLACES = (CURRENT, HISTORY)
MOST_VALUES = 10_000  # SQLite takes 32,766 in one statement
ENDED = (GroupStatus.CLOSED.value, GroupStatus.FAILED.value)


class Reader:
    """Reads a database, from any thread and while it is written to. Every method blocks.

    Each raises StoreFailed if the file cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def closed_groups(self, limit: int) -> list[History]:
        """Return the last groups that ended, newest first, each with its pyramids, legs and orders."""
        with snapshot(self.path) as connection:
            return with_children(connection, last_ended(connection, limit))

    def ended_groups(self, limit: int) -> list[Group]:
        """Return the last groups that ended, newest first, without what belongs to them."""
        with snapshot(self.path) as connection:
            return last_ended(connection, limit)

    def group_rows(self, group_id: int) -> History | None:
        """Return a group, open or closed, with all that is its own but fills; None if there is none."""
        with snapshot(self.path) as connection:
            found = with_children(connection, in_both(connection, Group, "id", [group_id]))
            return found[0] if found else None

    def order_by_client_id(self, client_order_id: str) -> Order | None:
        """Return the order that was sent under an id, also of a closed group."""
        with snapshot(self.path) as connection:
            return next(iter(in_both(connection, Order, "client_order_id", [client_order_id])), None)

    def trades_of(self, client_order_ids: Sequence[str]) -> dict[str, frozenset[str]]:
        """Return the ids of the trades of these orders, open or archived; an order that is nowhere is left out."""
        found: dict[str, set[str]] = {}
        with snapshot(self.path) as connection:
            for place in PLACES:
                orders, fills = place[Order].table, place[Fill].table
                both = select(orders.c.client_order_id, fills.c.trade_id).select_from(
                    orders.outerjoin(fills, fills.c.order_id == orders.c.id)
                )
                for start in range(0, len(client_order_ids), MOST_VALUES):
                    some = orders.c.client_order_id.in_(client_order_ids[start : start + MOST_VALUES])
                    for id, trade_id in connection.execute(both.where(some)):
                        found.setdefault(id, set()).update([trade_id] if trade_id is not None else [])
        return {id: frozenset(trades) for id, trades in found.items()}

    def fills(self, group_id: int) -> list[Fill]:
        """Return the fills of a group, oldest first."""
        with snapshot(self.path) as connection:
            found = in_both(connection, Fill, "group_id", [group_id])
        return sorted(found, key=lambda fill: (fill.at, fill.id))

    def alerts(self, limit: int) -> list[Alert]:
        """Return the last alerts, newest first."""
        return self._fetch(Alert, newest(Alert).limit(limit))

    def alert(self, alert_id: int) -> Alert | None:
        return next(iter(self._fetch(Alert, only(Alert, column(Alert, "id") == alert_id))), None)

    def alert_keys(self, limit: int) -> list[AlertKey]:
        """Return the identities of the last alerts, newest first; they count the copies."""
        return self._fetch(AlertKey, newest(AlertKey).limit(limit))

    def promotions(self, limit: int) -> list[QueuedSignal]:
        """Return the signals that last left the queue for the pool, newest first; the reason of each says why."""
        done = column(QueuedSignal, "outcome").in_(sorted(PROMOTED))
        by_time = column(QueuedSignal, "finished_at").desc(), column(QueuedSignal, "id").desc()
        table = CURRENT[QueuedSignal].table
        return self._fetch(QueuedSignal, select(table).where(done).order_by(*by_time).limit(limit))

    def refused(self, limit: int) -> list[RefusedRequest]:
        """Return the last requests that were answered 4xx, newest first."""
        return self._fetch(RefusedRequest, newest(RefusedRequest).limit(limit))

    def equity(self, world: World, since: datetime | None = None) -> list[EquityPoint]:
        """Return the realized result of a world over time, oldest first."""
        at = column(EquityPoint, "at")
        wanted = column(EquityPoint, "world") == world.value
        if since:
            wanted = and_(wanted, at >= time_text(since))
        statement = select(CURRENT[EquityPoint].table).where(wanted).order_by(at, column(EquityPoint, "id"))
        return self._fetch(EquityPoint, statement)

    def statistics(self, world: World, since: datetime | None = None) -> Statistics:
        """Sum up the closed groups of a world; `since`: only what was closed, or traded, from then on."""
        with snapshot(self.path) as connection:
            return summed(connection, world, since)

    def settings_versions(self) -> list[SettingsVersion]:
        """Return every saved settings document, newest first."""
        return self._fetch(SettingsVersion, newest(SettingsVersion))

    def risk_actions(self, limit: int) -> list[RiskAction]:
        """Return the last actions of the risk engine, newest first."""
        return self._fetch(RiskAction, newest(RiskAction).limit(limit))

    def audit(self) -> list[AuditEntry]:
        """Return the whole audit log in the order of its chain."""
        return self._fetch(AuditEntry, None)

    def last_audit(self, limit: int) -> list[AuditEntry]:
        """Return the last entries of the audit log, newest first."""
        return self._fetch(AuditEntry, newest(AuditEntry).limit(limit))

    def log(
        self,
        limit: int,
        *,
        before_id: int | None = None,
        levels: Sequence[str] = (),
        categories: Sequence[str] = (),
        contains: str = "",
    ) -> list[LogEntry]:
        """Return lines of the system log, newest first; empty filters let everything pass.

        before_id: only older ones, for the next page.
        """
        wanted: list[ColumnElement[bool]] = []
        if before_id is not None:
            wanted.append(column(LogEntry, "id") < before_id)
        if levels:
            wanted.append(column(LogEntry, "level").in_(levels))
        if categories:
            wanted.append(column(LogEntry, "category").in_(categories))
        if contains:
            wanted.append(column(LogEntry, "text").icontains(contains, autoescape=True))
        return self._fetch(LogEntry, newest(LogEntry).where(*wanted).limit(limit))

    def _fetch(self, row_type: type[Any], statement: Select[Any] | None) -> list[Any]:
        with snapshot(self.path) as connection:
            return list(fetch(connection, CURRENT[row_type], statement))


def last_ended(connection: Connection, limit: int) -> list[Group]:
    groups = [group for place in PLACES for group in ended(connection, place[Group], limit)]
    groups.sort(key=lambda group: (group.closed_at or group.created_at, group.id), reverse=True)
    return groups[:limit]


def ended(connection: Connection, stored: Stored, limit: int) -> Iterable[Group]:
    columns = stored.table.c
    statement = select(stored.table).where(columns.status.in_(ENDED))
    return fetch(
        connection, stored, statement.order_by(columns.closed_at.desc(), columns.id.desc()).limit(limit)
    )


def in_both(connection: Connection, row_type: type[Any], name: str, values: Sequence[int | str]) -> list[Any]:
    """Return the rows with one of the values in a column, from the current table and from history."""
    found: list[Any] = []
    for place in PLACES:
        table = place[row_type].table
        for start in range(0, len(values), MOST_VALUES):
            some = table.c[name].in_(values[start : start + MOST_VALUES])
            found += fetch(connection, place[row_type], select(table).where(some).order_by(table.c.id))
    return found


def with_children(connection: Connection, groups: Sequence[Group]) -> list[History]:
    """Return each group with its rows, in the order of the groups."""
    ids = [group.id for group in groups]
    parts: dict[type[Any], dict[int, list[Any]]] = {}
    for row_type in (Pyramid, Leg, Order):
        of_group: dict[int, list[Any]] = {id: [] for id in ids}
        for row in in_both(connection, row_type, "group_id", ids):
            of_group[row.group_id].append(row)
        parts[row_type] = of_group
    return [
        History(
            group=group,
            pyramids=tuple(parts[Pyramid][group.id]),
            legs=tuple(parts[Leg][group.id]),
            orders=tuple(parts[Order][group.id]),
        )
        for group in groups
    ]
