"""When a position takes its profit: three modes of one shape.

A mode says which targets of a group are watched. A long's target is reached at `price ≥ target`, a short's at
`price ≤ target`; the price is the one that a close would get.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal

from execution_engine.domain.inputs import Price
from execution_engine.domain.instrument import Instrument, Side
from execution_engine.domain.rows import Group, GroupStatus, Leg, OrderType
from execution_engine.domain.signal import TakeProfitMode

Targets = tuple[Decimal, ...]


def closing_price(price: Price, side: Side) -> Decimal:
    """Return what a close would get: the bid for a long, the ask for a short, last where there is no quote."""
    return (price.bid if side is Side.LONG else price.ask) or price.last


def reached(side: Side, price: Decimal, target: Decimal) -> bool:
    return price >= target if side is Side.LONG else price <= target


def per_leg(group: Group, legs: Sequence[Leg], instrument: Instrument) -> Targets:
    return tuple(leg.tp_price for leg in legs if watches_leg(group, leg, instrument))


def aggregate(group: Group, legs: Sequence[Leg], instrument: Instrument) -> Targets:
    target = group.aggregate_target
    return (target,) if target is not None and watches_aggregate(group, target, instrument) else ()


def hybrid(group: Group, legs: Sequence[Leg], instrument: Instrument) -> Targets:
    return per_leg(group, legs, instrument) + aggregate(group, legs, instrument)


MODES: dict[TakeProfitMode, Callable[[Group, Sequence[Leg], Instrument], Targets]] = {
    TakeProfitMode.PER_LEG: per_leg,
    TakeProfitMode.AGGREGATE: aggregate,
    TakeProfitMode.HYBRID: hybrid,
}


def nearest(group: Group, legs: Iterable[Leg], instrument: Instrument) -> Decimal | None:
    """Return the group's target that the price reaches first; None while nothing is watched."""
    if group.avg_entry is None or not group.is_open:
        return None
    targets = MODES[group.tp_mode](group, tuple(legs), instrument)
    if not targets:
        return None
    return min(targets) if group.side is Side.LONG else max(targets)


def watches_leg(group: Group, leg: Leg, instrument: Instrument) -> bool:
    """A leg's own target counts, it holds something, and no order on the exchange stands for it."""
    if group.tp_mode is TakeProfitMode.AGGREGATE or leg.triggered_at is not None or not leg.open_quantity:
        return False
    if instrument.quantity(leg.open_quantity) <= 0:
        return False
    return group.tp_order is OrderType.MARKET or not restable(leg.open_quantity, leg.tp_price, instrument)


def watches_aggregate(group: Group, target: Decimal, instrument: Instrument) -> bool:
    """The common target is watched; `limit` rests it, except beside leg targets."""
    if group.tp_mode is TakeProfitMode.HYBRID or group.tp_order is OrderType.MARKET:
        return True
    return not restable(group.open_quantity, target, instrument)


def restable(held: Decimal, target: Decimal, instrument: Instrument) -> bool:
    """Return whether a limit order of this size may rest on the exchange."""
    quantity = instrument.quantity(held)
    return quantity >= instrument.min_qty and quantity > 0 and quantity * target >= instrument.min_notional


def rests_leg_targets(group: Group) -> bool:
    return group.tp_order is OrderType.LIMIT and group.tp_mode is not TakeProfitMode.AGGREGATE


def rests_aggregate(group: Group) -> bool:
    return group.tp_order is OrderType.LIMIT and group.tp_mode is TakeProfitMode.AGGREGATE


def is_done(group: Group) -> bool:
    return group.status in (GroupStatus.CLOSED, GroupStatus.FAILED)
