"""What the tree of positions shows: one line per group, pyramid and leg, and the figures that follow.

A line is a value: rows of the state, the price that counts for them, and what the clock says. Two equal lines
look the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from execution_engine.domain.inputs import Price
from execution_engine.domain.instrument import Instrument, Side
from execution_engine.domain.money import ZERO, divide
from execution_engine.domain.position import cost_of, unrealized, unrealized_percent
from execution_engine.domain.rows import Group, GroupStatus, Leg, LegStatus, Purpose, Pyramid
from execution_engine.domain.signal import TakeProfitMode
from execution_engine.domain.take_profit import closing_price


class Goal(NamedTuple):
    """Name a target, where the way to it began, and whose it is: `P2·1`, or `all` for the whole group."""

    target: Decimal
    start: Decimal
    whose: str


@dataclass(frozen=True, slots=True)
class GroupLine:
    """A group with its legs, in the order of the grid.

    quote: the newest price of its market. stale: that price is too old to be trusted.
    hold: why no new risk is taken, for the group or its whole account. busy: what the user's wish is doing.
    """

    group: Group
    legs: tuple[Leg, ...]
    rules: Instrument
    quote: Price | None = None
    stale: bool = False
    age: str = ""
    hold: str = ""
    busy: str = ""

    @property
    def id(self) -> int:
        return self.group.id

    @property
    def price(self) -> Decimal | None:
        """Return what a close would get now."""
        return None if self.quote is None else closing_price(self.quote, self.group.side)

    @property
    def unrealized(self) -> Decimal | None:
        group = self.group
        if group.avg_entry is None:
            return None
        return unrealized(group.side, group.invested, group.open_quantity, self.price)

    @property
    def percent(self) -> Decimal | None:
        return unrealized_percent(self.unrealized, self.group.invested)

    @property
    def filled(self) -> int:
        """Return how many legs filled; those that were sold again count."""
        return sum(1 for leg in self.legs if is_filled(leg))

    @property
    def goal(self) -> Goal | None:
        """Return the target that the price reaches first."""
        return nearest_goal(self.group, self.legs, self.rules)

    @property
    def progress(self) -> Decimal | None:
        return progress(self.goal, self.price)

    @property
    def state(self) -> str:
        """Return the group's state as the screen names it."""
        return "hold" if self.hold and self.group.is_open else self.group.status.value


@dataclass(frozen=True, slots=True)
class PyramidLine:
    """A pyramid with its legs; its figures are over what they hold."""

    pyramid: Pyramid
    legs: tuple[Leg, ...]
    side: Side
    rules: Instrument
    quote: Price | None = None
    stale: bool = False
    age: str = ""

    @property
    def id(self) -> int:
        return self.pyramid.id

    @property
    def price(self) -> Decimal | None:
        return None if self.quote is None else closing_price(self.quote, self.side)

    @property
    def held(self) -> Decimal:
        return sum((leg.open_quantity for leg in self.legs), ZERO)

    @property
    def invested(self) -> Decimal:
        return sum((cost_of(leg) for leg in self.legs if leg.open_quantity), ZERO)

    @property
    def average(self) -> Decimal | None:
        return divide(self.invested, self.held) if self.rules.quantity(self.held) > 0 else None

    @property
    def unrealized(self) -> Decimal | None:
        if self.average is None:
            return None
        return unrealized(self.side, self.invested, self.held, self.price)

    @property
    def realized(self) -> Decimal:
        return sum((leg.realized for leg in self.legs), ZERO)


@dataclass(frozen=True, slots=True)
class LegLine:
    """A leg."""

    leg: Leg
    side: Side
    rules: Instrument
    mode: TakeProfitMode
    quote: Price | None = None
    stale: bool = False

    @property
    def id(self) -> int:
        return self.leg.id

    @property
    def price(self) -> Decimal | None:
        return None if self.quote is None else closing_price(self.quote, self.side)

    @property
    def holds(self) -> bool:
        return holds(self.leg, self.rules)

    @property
    def invested(self) -> Decimal:
        return cost_of(self.leg)

    @property
    def unrealized(self) -> Decimal | None:
        if not self.holds:
            return None
        return unrealized(self.side, self.invested, self.leg.open_quantity, self.price)

    @property
    def goal(self) -> Goal | None:
        """Return its own target; under a common one it has none."""
        leg = self.leg
        if not self.holds or self.mode is TakeProfitMode.AGGREGATE or leg.avg_fill_price is None:
            return None
        return Goal(leg.tp_price, leg.avg_fill_price, leg_name(leg))

    @property
    def state(self) -> str:
        return leg_state(self.leg)


Line = GroupLine | PyramidLine | LegLine


def parent_of(line: Line) -> int | None:
    """Return the id of the line it hangs on."""
    if isinstance(line, GroupLine):
        return None
    return line.pyramid.group_id if isinstance(line, PyramidLine) else line.leg.pyramid_id


def order_of(line: Line) -> int:
    """Return its place among its siblings."""
    if isinstance(line, GroupLine):
        return line.group.id
    return line.pyramid.index if isinstance(line, PyramidLine) else line.leg.index


def leg_name(leg: Leg) -> str:
    """Name a leg within its group: P2·1."""
    return f"P{leg.pyramid_index + 1}·{leg.index}"


def is_filled(leg: Leg) -> bool:
    return leg.status in (LegStatus.FILLED, LegStatus.TP_HIT)


def holds(leg: Leg, rules: Instrument) -> bool:
    """Tell whether a leg holds something that could be sold; dust is nothing."""
    return leg.closed_by is None and rules.quantity(leg.open_quantity) > 0


_CLOSED_BY = {Purpose.TAKE_PROFIT: "tp_hit", Purpose.OFFSET: "offset"}


def leg_state(leg: Leg) -> str:
    """Return a leg's state as the screen names it: of a closed one, what closed it."""
    return leg.status.value if leg.closed_by is None else _CLOSED_BY.get(leg.closed_by, "sold")


def nearest_goal(group: Group, legs: Sequence[Leg], rules: Instrument) -> Goal | None:
    """Return the target of an open group that the price reaches first; None while nothing is held."""
    if group.avg_entry is None or group.status is GroupStatus.CLOSING:
        return None
    goals = []
    if group.tp_mode is not TakeProfitMode.AGGREGATE:
        goals = [
            Goal(leg.tp_price, leg.avg_fill_price, leg_name(leg))
            for leg in legs
            if leg.avg_fill_price is not None and holds(leg, rules)
        ]
    if group.tp_mode is not TakeProfitMode.PER_LEG and group.aggregate_target is not None:
        goals.append(Goal(group.aggregate_target, group.avg_entry, "all"))
    if not goals:
        return None
    return (min if group.side is Side.LONG else max)(goals, key=lambda goal: goal.target)


def progress(goal: Goal | None, price: Decimal | None) -> Decimal | None:
    """Return how much of the way to a target is done; below zero it is behind its start."""
    if goal is None or price is None or goal.target == goal.start:
        return None
    return divide(price - goal.start, goal.target - goal.start)
