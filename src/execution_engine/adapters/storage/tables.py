"""The tables: one per row type, with the columns of its codec, and the same again for closed groups.

A child refers to its group, so that a half-written position cannot be stored. Alerts are not referred to:
they may be cleared away long before the history that they led to.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, ForeignKey, Index, Integer, MetaData, Table, Text, text

from execution_engine.adapters.storage.codec import Codec
from execution_engine.domain import rows
from execution_engine.domain.rows import (
    Account,
    Alert,
    AlertKey,
    AuditEntry,
    EquityPoint,
    Fill,
    Finding,
    Group,
    Leg,
    LogEntry,
    Order,
    Pyramid,
    QueuedSignal,
    RefusedRequest,
    RiskAction,
    SettingsVersion,
    WebhookToken,
    WorldHold,
)

metadata = MetaData()

# Parents before children: the order in which rows are written, and loaded.
NAMES: dict[type[Any], str] = {
    rows.Engine: "engine",
    Account: "accounts",
    WebhookToken: "webhook_tokens",
    SettingsVersion: "settings_versions",
    Group: "position_groups",
    Pyramid: "pyramids",
    Leg: "dca_orders",
    Order: "orders",
    Fill: "fills",
    RiskAction: "risk_actions",
    Finding: "findings",
    WorldHold: "world_holds",
    QueuedSignal: "queued_signals",
    Alert: "alerts",
    AlertKey: "alert_keys",
    RefusedRequest: "refused_requests",
    EquityPoint: "equity_snapshots",
    LogEntry: "system_log",
    AuditEntry: "audit_log",
}
HISTORY_NAMES: dict[type[Any], str] = {
    Group: "history_groups",
    Pyramid: "history_pyramids",
    Leg: "history_legs",
    Order: "history_orders",
    Fill: "history_fills",
}
PARENTS: dict[type[Any], dict[str, type[Any]]] = {
    Pyramid: {"group_id": Group},
    Leg: {"group_id": Group, "pyramid_id": Pyramid},
    Order: {"group_id": Group, "pyramid_id": Pyramid, "leg_id": Leg},
    Fill: {"group_id": Group, "order_id": Order},
}
# What the screens and the engine ask for, beside the primary key. Each is a page to write with every new row, so
# there is none that nobody asks for.
INDEXES: dict[type[Any], tuple[tuple[str, ...], ...]] = {
    Pyramid: (("group_id",),),
    Leg: (("group_id",), ("pyramid_id",)),
    Order: (("group_id",), ("leg_id",), ("pyramid_id",)),
    Fill: (("group_id",), ("order_id",)),
    RiskAction: (("started_at",),),
    Finding: (("at",),),
    QueuedSignal: (("alert_id",),),
    EquityPoint: (("world", "at"),),
    LogEntry: (("at",), ("level",), ("category",)),
    AuditEntry: (("at",),),
}
# Open groups are few and in memory; closed ones are looked for by how and when they ended.
HISTORY_INDEXES: dict[type[Any], tuple[tuple[str, ...], ...]] = {Group: (("status",), ("closed_at",))}
# What a row is known by on its exchange. Unique while its group is open; a test network that was reset may hand
# out the ids of closed groups again.
IDENTITY: dict[type[Any], tuple[str, ...]] = {
    Order: ("client_order_id",),
    Fill: ("account", "exchange", "symbol", "trade_id"),
}
# Few rows out of many: those that are still to be dealt with.
UNDECIDED = {
    Alert: "outcome IS NULL OR outcome = 'queued'",
    QueuedSignal: "outcome IS NULL",
    Finding: "settled_at IS NULL",
}


@dataclass(frozen=True, slots=True)
class Stored:
    """Where rows of one type are kept. `key` is the name of the primary key's only column."""

    table: Table
    codec: Codec[Any]
    key: str


def stored(row_type: type[Any], names: dict[type[Any], str]) -> Stored:
    """Define the table of a row type, `names` being the current ones or those of history."""
    codec, name = Codec(row_type), names[row_type]
    key = "id" if "id" in codec.columns else "name"
    parents = PARENTS.get(row_type, {})
    columns = [
        Column(
            column,
            Integer if column in codec.integers else Text,
            *([ForeignKey(f"{names[parents[column]]}.id")] if column in parents else []),
            primary_key=column == key,
            autoincrement=False,
            nullable=column in codec.optional,
        )
        for column in codec.columns
    ]
    asked = INDEXES.get(row_type, ()) + (HISTORY_INDEXES.get(row_type, ()) if names is HISTORY_NAMES else ())
    extras: list[Any] = [Index(f"ix_{name}_{'_'.join(wanted)}", *wanted) for wanted in asked]
    if row_type in IDENTITY:
        extras.append(Index(f"ix_{name}_identity", *IDENTITY[row_type], unique=names is NAMES))
    if row_type in UNDECIDED:
        condition = text(UNDECIDED[row_type])
        extras.append(Index(f"ix_{name}_undecided", "id", sqlite_where=condition))
    # STRICT: a text in a number's column is an error instead of a surprise.
    return Stored(Table(name, metadata, *columns, *extras, sqlite_strict=True), codec, key)


CURRENT = {row_type: stored(row_type, NAMES) for row_type in NAMES}
HISTORY = {row_type: stored(row_type, HISTORY_NAMES) for row_type in HISTORY_NAMES}
