"""What is drawn of a position, as plain values; where the drawing puts them is its own affair.

Prices and times are floats from here on: they are places on the screen, not money.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal

from execution_engine.domain.instrument import Instrument, Side
from execution_engine.domain.money import ZERO, divide
from execution_engine.domain.rows import Fill, Group, Leg, LegStatus, Order, Purpose, Pyramid
from execution_engine.domain.signal import TakeProfitMode
from execution_engine.ui import format as f
from execution_engine.ui.theme import Token
from execution_engine.ui.tongue import tr

Dash = Literal["solid", "dashed", "dotted"]

_WORKING = {LegStatus.PENDING, LegStatus.OPEN, LegStatus.PARTIALLY_FILLED, LegStatus.UNKNOWN}


@dataclass(frozen=True, slots=True)
class Line:
    """A level of price from a moment on, to the right edge; a short one only marks its place.

    label: written at its right end, if there is room. tag: written on the axis.
    """

    price: float
    start: float
    token: Token
    dash: Dash
    label: str = ""
    tag: str = ""
    short: bool = False


@dataclass(frozen=True, slots=True)
class Mark:
    """A fill: a triangle where something was bought or sold, a square with its result where it was closed."""

    at: float
    price: float
    shape: Literal["triangle", "triangle_down", "square"]
    token: Token
    label: str = ""
    words: str = ""
    """What is said of it under the pointer."""


@dataclass(frozen=True, slots=True)
class Marks:
    """Everything about a position but its price.

    since: where its story begins. levels: prices that should be in sight. pyramids: when each began, and its name.
    entry: the average entry, of which distances are told.
    """

    since: float
    lines: tuple[Line, ...] = ()
    fills: tuple[Mark, ...] = ()
    levels: tuple[float, ...] = ()
    pyramids: tuple[tuple[float, str], ...] = ()
    entry: float | None = None


def marks_of(
    group: Group,
    pyramids: Mapping[int, Pyramid],
    legs: Sequence[Leg],
    orders: Mapping[int, Order],
    fills: Iterable[Fill],
    rules: Instrument,
) -> Marks:
    """Return what is drawn of a group. `pyramids` and `orders` are by id."""
    fills = tuple(fills)
    filled_at = _first_fills(fills, orders)
    lines: list[Line] = []
    for leg in legs:
        pyramid = pyramids.get(leg.pyramid_id)
        start = _seconds(pyramid.created_at if pyramid else group.created_at)
        lines += _leg_lines(group, leg, start, filled_at.get(leg.id), rules)
    lines += _common_lines(group, rules)
    lines += [_tick(fill) for fill in fills if fill.purpose is Purpose.ENTRY]
    drawn = _fill_marks(group, legs, orders, fills, rules)
    began = {leg.pyramid_id: leg.pyramid_index for leg in legs if leg.pyramid_id in pyramids}
    starts = [(_seconds(pyramids[id].created_at), f"P{index + 1}") for id, index in began.items()]
    levels = [line.price for line in lines] + [mark.price for mark in drawn]
    return Marks(
        _seconds(group.created_at),
        tuple(lines),
        tuple(drawn),
        tuple(levels),
        tuple(starts),
        None if group.avg_entry is None else float(group.avg_entry),
    )


def _leg_lines(group: Group, leg: Leg, start: float, filled: float | None, rules: Instrument) -> list[Line]:
    lines: list[Line] = []
    if leg.status in _WORKING:
        dash: Dash = "solid" if leg.filled_quantity else "dashed"
        lines.append(Line(float(leg.price), start, "accent", dash, f"P{leg.pyramid_index + 1}·{leg.index}"))
    held = leg.closed_by is None and rules.quantity(leg.open_quantity) > 0
    if held and group.tp_mode is not TakeProfitMode.AGGREGATE:
        lines.append(Line(float(leg.tp_price), filled or start, "profit", "dotted"))
    return lines


def _common_lines(group: Group, rules: Instrument) -> list[Line]:
    """Return average entry and common target."""
    if group.avg_entry is None:
        return []
    start = _seconds(group.filled_at or group.created_at)
    tag = f.price(group.avg_entry, rules.tick)
    lines = [Line(float(group.avg_entry), start, "warn", "solid", tr("Average entry"), tag)]
    if group.tp_mode is not TakeProfitMode.PER_LEG and group.aggregate_target is not None:
        lines.append(Line(float(group.aggregate_target), start, "profit", "dotted", tr("Group target")))
    return lines


def _tick(fill: Fill) -> Line:
    return Line(float(fill.price), _seconds(fill.at), "text2", "solid", short=True)


def _first_fills(fills: Iterable[Fill], orders: Mapping[int, Order]) -> dict[int, float]:
    """Return when each leg filled first."""
    first: dict[int, float] = {}
    for fill in fills:
        order = orders.get(fill.order_id)
        if order is not None and order.leg_id is not None and fill.purpose is Purpose.ENTRY:
            first.setdefault(order.leg_id, _seconds(fill.at))
    return first


def _fill_marks(
    group: Group,
    legs: Sequence[Leg],
    orders: Mapping[int, Order],
    fills: Iterable[Fill],
    rules: Instrument,
) -> list[Mark]:
    long = group.side is Side.LONG
    marks = [
        Mark(
            _seconds(fill.at),
            float(fill.price),
            "triangle" if long else "triangle_down",
            "text",
            words=_said(tr("bought") if long else tr("sold"), fill.quantity, fill.price, rules),
        )
        for fill in fills
        if fill.purpose is Purpose.ENTRY
    ]
    closing: defaultdict[int, list[Fill]] = defaultdict(list)
    for fill in fills:
        if fill.purpose is not Purpose.ENTRY:
            closing[fill.order_id].append(fill)
    verb = tr("sold") if long else tr("bought back")
    return marks + [_close(some, legs, orders, verb, rules) for some in closing.values()]


def _close(
    fills: Sequence[Fill], legs: Sequence[Leg], orders: Mapping[int, Order], verb: str, rules: Instrument
) -> Mark:
    """Return the square of one closing order, with what it realized where that is its alone."""
    quantity = sum((fill.quantity for fill in fills), ZERO)
    price = divide(sum((fill.price * fill.quantity for fill in fills), ZERO), quantity)
    realized = _realized_by(orders.get(fills[0].order_id), legs, orders)
    token: Token = "text2" if realized is None else f.result_token(realized)
    label = "" if realized is None else f.signed_usd(realized)
    words = _said(verb, quantity, price, rules) + (
        tr(", realized {label} USD").format(label=label) if label else ""
    )
    return Mark(_seconds(fills[-1].at), float(price), "square", token, label, words)


def _said(verb: str, quantity: Decimal, price: Decimal, rules: Instrument) -> str:
    return tr("{verb} {quantity} {base} at {price}").format(
        verb=verb,
        quantity=f.quantity(quantity, rules.step),
        base=rules.base,
        price=f.price(price, rules.tick),
    )


def _realized_by(order: Order | None, legs: Sequence[Leg], orders: Mapping[int, Order]) -> Decimal | None:
    """Return what an order's legs realized; None when another order closed some of them too."""
    if order is None:
        return None
    parts = {leg_id for leg_id, _ in order.parts}
    others = (each for each in orders.values() if each.id != order.id and each.filled_quantity)
    if any(leg_id in parts for other in others for leg_id, _ in other.parts):
        return None
    return sum((leg.realized for leg in legs if leg.id in parts), ZERO)


def _seconds(at: datetime) -> float:
    return at.timestamp()
