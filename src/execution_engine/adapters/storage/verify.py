"""Proof that the figures agree: orders with their fills, legs with their orders, groups with their legs.

And that the audit log is whole.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from execution_engine.adapters.storage import audit_head
from execution_engine.adapters.storage.loading import fetch, snapshot
from execution_engine.adapters.storage.tables import CURRENT, HISTORY, Stored
from execution_engine.domain import audit
from execution_engine.domain.money import ZERO, text
from execution_engine.domain.rows import AuditEntry, Fill, Group, Leg, Order, Purpose


def verify(path: Path) -> list[str]:
    """Check the file, every sum of money and the audit log; return what is wrong, a sentence each. Blocking.

    Raises StoreFailed if the file cannot be read.
    """
    with snapshot(path) as connection:
        return structure_faults(connection) or [
            *(fault for tables in (CURRENT, HISTORY) for fault in table_faults(connection, tables)),
            *audit.verify(fetch(connection, CURRENT[AuditEntry])),
            *filter(None, [audit_head.fault(path)]),
        ]


def structure_faults(connection: Connection) -> list[str]:
    found = [row[0] for row in connection.exec_driver_sql("PRAGMA integrity_check")]
    orphans = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
    faults = [] if found == ["ok"] else [f"The file is damaged: {text}." for text in found]
    return faults + [
        f"Row {row[1]} of {row[0]} refers to a row of {row[2]} that is not there." for row in orphans
    ]


def table_faults(connection: Connection, tables: dict[type[Any], Stored]) -> Iterator[str]:
    groups, legs, orders, fills = (fetch(connection, tables[kind]) for kind in (Group, Leg, Order, Fill))
    return money_faults(groups, list(legs), list(orders), fills)


def money_faults(
    groups: Iterable[Group], legs: list[Leg], orders: list[Order], fills: Iterable[Fill]
) -> Iterator[str]:
    """Yield a sentence for each sum that is not the sum of its parts."""
    yield from order_faults(orders, fills)
    yield from leg_faults(legs, [order for order in orders if order.purpose is Purpose.ENTRY])
    yield from group_faults(groups, legs, [order for order in orders if order.purpose is not Purpose.ENTRY])


def order_faults(orders: list[Order], fills: Iterable[Fill]) -> Iterator[str]:
    quantity, cost, fees = sums(), sums(), sums()
    for fill in fills:
        quantity[fill.order_id] += fill.quantity
        cost[fill.order_id] += fill.price * fill.quantity
        fees[fill.order_id] += fill.fee_value
    for order in orders:
        where = f"Order {order.id} of group {order.group_id}"
        yield from compared(
            f"{where}: filled quantity", order.filled_quantity, "its fills", quantity[order.id]
        )
        yield from compared(f"{where}: filled cost", order.filled_cost, "its fills", cost[order.id])
        yield from compared(f"{where}: fees", order.fee_value, "its fills", fees[order.id])


def leg_faults(legs: list[Leg], entries: list[Order]) -> Iterator[str]:
    quantity, cost, fees = sums(), sums(), sums()
    for order in entries:
        leg_id = order.leg_id or 0
        quantity[leg_id] += order.filled_quantity
        cost[leg_id] += order.filled_cost
        fees[leg_id] += order.fee_value
    for leg in legs:
        where = f"Leg {leg.id} of group {leg.group_id}"
        yield from compared(f"{where}: filled quantity", leg.filled_quantity, "its entries", quantity[leg.id])
        yield from compared(f"{where}: filled cost", leg.filled_cost, "its entries", cost[leg.id])
        yield from compared(f"{where}: entry fees", leg.entry_fees, "its entries", fees[leg.id])


def group_faults(groups: Iterable[Group], legs: list[Leg], closes: list[Order]) -> Iterator[str]:
    filled, held, closed, proceeds, realized = sums(), sums(), sums(), sums(), sums()
    for leg in legs:
        filled[leg.group_id] += leg.filled_quantity
        held[leg.group_id] += leg.open_quantity
        closed[leg.group_id] += leg.closed_quantity
        proceeds[leg.group_id] += leg.proceeds
        realized[leg.group_id] += leg.realized
    sold, earned = sums(), sums()
    for order in closes:
        sold[order.group_id] += order.filled_quantity
        earned[order.group_id] += order.filled_cost
    for group in groups:
        where, id = f"Group {group.id} ({group.symbol} {group.timeframe})", group.id
        yield from compared(f"{where}: filled quantity", group.filled_quantity, "its legs", filled[id])
        yield from compared(f"{where}: open quantity", group.open_quantity, "its legs", held[id])
        yield from compared(f"{where}: realized result", group.realized, "its legs", realized[id])
        yield from compared(
            f"{where}: quantity closed by its legs", closed[id], "its closing orders", sold[id]
        )
        yield from compared(f"{where}: proceeds of its legs", proceeds[id], "its closing orders", earned[id])


def sums() -> defaultdict[int, Decimal]:
    return defaultdict(lambda: ZERO)


def compared(what: str, stated: Decimal, parts: str, summed: Decimal) -> Iterator[str]:
    if stated != summed:
        yield f"{what} is {text(stated)}, but {parts} make {text(summed)}."
