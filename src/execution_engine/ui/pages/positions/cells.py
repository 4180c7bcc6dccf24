"""The ready cells of a line, column by column; what a column means depends on the level."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from execution_engine.domain.instrument import Instrument, Side
from execution_engine.domain.money import divide
from execution_engine.domain.position import unrealized_percent
from execution_engine.domain.rows import PyramidStatus
from execution_engine.domain.signal import TakeProfitMode
from execution_engine.ui import format as f
from execution_engine.ui.icons import Kind, state_look
from execution_engine.ui.pages.positions.lines import (
    GroupLine,
    LegLine,
    Line,
    PyramidLine,
    is_filled,
    progress,
)
from execution_engine.ui.tables import EMPTY, Cell, position_cell, progress_cell
from execution_engine.ui.theme import Token
from execution_engine.ui.tongue import tr

NO_VALUE = Cell(f.MISSING, "text3", raw="")
MODE = {
    TakeProfitMode.PER_LEG: tr("Per leg"),
    TakeProfitMode.AGGREGATE: tr("Aggregate"),
    TakeProfitMode.HYBRID: tr("Hybrid"),
}

# position, pyramids, legs, entry, price, target, to target, filled, unrealized, %, mode, status, age
Cells = tuple[Cell, ...]


def render(line: Line) -> Cells:
    """Make all cells of a line at once."""
    if isinstance(line, GroupLine):
        return _group(line)
    return _pyramid(line) if isinstance(line, PyramidLine) else _leg(line)


def _group(line: GroupLine) -> Cells:
    group, rules, price, goal = line.group, line.rules, line.price, line.goal
    way = progress(goal, price)
    return (
        position_cell(group.symbol, group.timeframe, long=group.side is Side.LONG),
        _count(group.pyramid_count, group.max_pyramids),
        _count(line.filled, len(line.legs)),
        _price(group.avg_entry, rules),
        _price(price, rules, stale=line.stale),
        _price(goal.target if goal else None, rules),
        progress_cell(way, stale=line.stale),
        _quantity(group.open_quantity, rules, "text"),
        *_results(line.unrealized, group.invested, line.stale, group.realized, done=not group.holds_slot),
        Cell(MODE[group.tp_mode]),
        Cell(line.busy, "text3") if line.busy else _state("group", line.state),
        Cell(line.age, "text2"),
    )


def _pyramid(line: PyramidLine) -> Cells:
    pyramid, rules = line.pyramid, line.rules
    name, base = (
        tr("Pyramid {pyramid}").format(pyramid=pyramid.index + 1),
        f.price(pyramid.base_price, rules.tick),
    )
    cancelled = pyramid.status is PyramidStatus.CANCELLED
    sold = line.average is None and any(leg.closed_by for leg in line.legs)
    return (
        Cell(f"{name} {base}", "text2", parts=((f"{name} ", "text2"), (base, "text3"))),
        EMPTY,
        _count(sum(map(is_filled, line.legs)), len(line.legs), "text2"),
        _price(line.average, rules, "text2", missing=EMPTY),
        EMPTY,
        EMPTY,
        EMPTY,
        _quantity(line.held, rules, "text2"),
        *_results(line.unrealized, line.invested, line.stale, line.realized, done=sold, missing=EMPTY),
        EMPTY,
        _state("order", "cancelled") if cancelled else EMPTY,
        Cell(line.age, "text3"),
    )


def _leg(line: LegLine) -> Cells:
    leg, rules, closed = line.leg, line.rules, line.leg.closed_by is not None
    tone: Token = "text2" if leg.filled_quantity else "text3"
    bar = progress_cell(progress(line.goal, line.price), stale=line.stale)
    return (
        Cell(tr("Leg {leg}").format(leg=leg.index), "text2"),
        EMPTY,
        Cell(f.percent(leg.weight_percent, f.places_of(leg.weight_percent)), "text2"),
        _price(leg.avg_fill_price or leg.price, rules, tone),
        EMPTY,
        _price(leg.tp_price, rules, tone),
        _sold(line) if closed else bar,
        _filled(line),
        *_results(line.unrealized, line.invested, line.stale, leg.realized, done=closed, missing=EMPTY),
        EMPTY,
        _state("leg", line.state),
        EMPTY,
    )


def _count(some: int, of: int, token: Token = "text") -> Cell:
    return Cell(
        f"{some} / {of}", token, raw=f"{some}/{of}", say=tr("{some} of {of}").format(some=some, of=of)
    )


def _price(
    value: Decimal | None,
    rules: Instrument,
    token: Token = "text",
    *,
    stale: bool = False,
    missing: Cell = NO_VALUE,
) -> Cell:
    if value is None:
        return missing
    text = f.price(value, rules.tick)
    if stale:
        return Cell(text, "text3", raw=f.raw(value), shape="clock", stale=True)
    return Cell(text, token, raw=f.raw(value))


def _quantity(value: Decimal, rules: Instrument, token: Token) -> Cell:
    # What the step cuts off is dust, and cannot be sold.
    return Cell(f.quantity(rules.quantity(value), rules.step), token, raw=f.raw(value))


def _filled(line: LegLine) -> Cell:
    leg, step = line.leg, line.rules.step
    filled, all_of_it = f.quantity(leg.filled_quantity, step), f.quantity(leg.quantity, step)
    raw = f"{f.raw(leg.filled_quantity)}/{f.raw(leg.quantity)}"
    if is_filled(leg):
        return Cell(filled, "text2", raw=raw)
    rest = f" / {all_of_it}"
    token: Token = "text" if leg.filled_quantity else "text3"
    return Cell(
        filled + rest,
        token,
        raw=raw,
        parts=((filled, token), (rest, "text3")),
        say=tr("{filled} of {all_of_it}").format(filled=filled, all_of_it=all_of_it),
    )


def _results(
    unrealized: Decimal | None,
    invested: Decimal,
    stale: bool,
    realized: Decimal,
    *,
    done: bool,
    missing: Cell = NO_VALUE,
) -> tuple[Cell, Cell]:
    """Return the result in USD and in per cent: what is held, or what was earned once all is sold."""
    if done:
        return _realized(realized), EMPTY
    if unrealized is None:
        return missing, missing
    percent = unrealized_percent(unrealized, invested)
    return (
        _result(unrealized, f.signed_usd, stale),
        missing if percent is None else _result(percent, f.signed_percent, stale),
    )


def _result(value: Decimal, write: Callable[[Decimal], str], stale: bool) -> Cell:
    token: Token = "text3" if stale else f.result_token(value)
    return Cell(write(value), token, raw=f.raw(value), stale=stale)


def _realized(value: Decimal) -> Cell:
    text = f.signed_usd(value)
    parts: tuple[tuple[str, Token], ...] = ((tr("realized "), "text2"), (text, f.result_token(value)))
    return Cell(tr("realized {text}").format(text=text), "text2", raw=f.raw(value), parts=parts)


def _sold(line: LegLine) -> Cell:
    leg = line.leg
    at = f.price(divide(leg.proceeds, leg.closed_quantity), line.rules.tick)
    return Cell((tr("sold {at}") if line.side is Side.LONG else tr("bought {at}")).format(at=at), "text2")


def _state(kind: Kind, state: str) -> Cell:
    look = state_look(kind, state)
    return Cell(look.word, look.token, shape=look.shape)
