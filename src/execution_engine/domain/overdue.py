"""Closes that take too long, as while an exchange is under maintenance: they are tried again, and somebody is told."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from execution_engine.domain.money import text
from execution_engine.domain.rows import Group, GroupStatus, Order, OrderStatus, Purpose
from execution_engine.domain.view import View

CLOSES_WITHIN = timedelta(minutes=1)


def overdue(view: View, now: datetime) -> tuple[str, ...]:
    """Return the positions that ought to be closed by now and are not, in words, with the last reason."""
    groups = (view.group(id) for id in view.open_groups())
    return tuple(said for group in groups if group is not None and (said := _overdue(view, group, now)))


def _overdue(view: View, group: Group, now: datetime) -> str:
    if group.status is not GroupStatus.CLOSING or not group.open_quantity:
        return ""
    own = [
        order for id in view.orders_of(group.id) if (order := view.orders[id]).purpose is not Purpose.ENTRY
    ]
    tries = _in_vain(own)
    if not tries or now - tries[0].created_at < CLOSES_WITHIN:
        return ""
    lasts = int((now - tries[0].created_at).total_seconds())
    why = next((f" ({order.reason})" for order in reversed(tries) if order.reason), "")
    held = f"{text(group.open_quantity)} {group.base}"
    return f"{group.symbol} {group.timeframe} on {group.account} still holds {held} after {lasts} s{why}"


def _in_vain(closes: Iterable[Order]) -> list[Order]:
    """Return the closes since the last that filled, the oldest first."""
    found: list[Order] = []
    for order in closes:
        found = [] if order.status is OrderStatus.FILLED else [*found, order]
    return found
