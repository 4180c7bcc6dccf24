"""The open positions of the dashboard, worst first."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from execution_engine.domain.instrument import Side
from execution_engine.domain.money import ZERO
from execution_engine.domain.position import unrealized, unrealized_percent
from execution_engine.domain.rows import Group
from execution_engine.ui.bridge import Batch, Bridge, Market
from execution_engine.ui.format import (
    GAP,
    MINUS,
    MISSING,
    age,
    exact,
    raw,
    result_token,
    signed_percent,
    signed_usd,
    spoken,
    usd,
)
from execution_engine.ui.holdings import Holding, Holdings, is_old
from execution_engine.ui.icons import state_look
from execution_engine.ui.pages.dashboard.trail import Trail
from execution_engine.ui.tables import Cell, Chip, Column, Number, Position, Spark, TableModel, position_cell
from execution_engine.ui.theme import Token
from execution_engine.ui.tongue import inline, tr, translated

WIDE = {
    "position": 196,
    "pyramids": 70,
    "legs": 70,
    "day": 96,
    "invested": 104,
    "unrealized": 128,
    "percent": 76,
    "status": 100,
}
NARROW = {
    "position": 196,
    "pyramids": 84,
    "legs": 84,
    "unrealized": 140,
    "percent": 90,
    "status": 100,
}

CALM_S = 3.0  # an overview is read, not watched: its rows keep their places for a while


@dataclass(frozen=True, slots=True)
class PositionRow:
    """What one row shows."""

    held: Holding
    filled_legs: int
    legs: int
    trail: tuple[Decimal, ...]
    old: bool
    price_age: str = ""

    @property
    def group(self) -> Group:
        return self.held.group


class PositionRows:
    """Makes the rows from the bridge and remembers where prices went."""

    def __init__(self, bridge: Bridge, holdings: Holdings) -> None:
        """Begin with everything the bridge has."""
        self._bridge, self._holdings = bridge, holdings
        self._trails: defaultdict[Market, Trail] = defaultdict(Trail)
        self._legs: dict[int, tuple[int, int]] = {}

    def take(self, batch: Batch) -> None:
        """Follow prices, also while nobody looks."""
        bridge = self._bridge
        for market in bridge.prices if batch.whole else batch.markets:
            price = bridge.prices[market]
            self._trails[market].add(bridge.doors.now() if price.manual else price.at, price.last)
        if batch.whole:
            self._legs.clear()
        for id in batch.legs:
            leg = bridge.legs.get(id)
            if leg is not None:
                self._legs.pop(leg.group_id, None)

    def row(self, id: int, now: datetime) -> PositionRow:
        """Return the row of a group that holds a slot."""
        held = self._holdings.by_id[id]
        group = held.group
        filled, legs = self._counted(id)
        old = held.holds and is_old(held.quote, now)
        since = age(now - held.quote.at) if old and held.quote else ""
        trail = self._trails[group.exchange, group.symbol].prices
        return PositionRow(held, filled, legs, trail, old, since)

    def _counted(self, id: int) -> tuple[int, int]:
        if id not in self._legs:
            legs = [self._bridge.legs[each] for each in self._bridge.legs_of.get(id, ())]
            self._legs[id] = (sum(1 for leg in legs if leg.filled_quantity), len(legs))
        return self._legs[id]


def model() -> TableModel[PositionRow]:
    """Return the table's model."""
    return TableModel(
        COLUMNS,
        key=lambda row: row.group.id,
        default_sort=lambda row: row.held.unrealized or ZERO,
        sentence=_sentence,
        sort_interval_s=CALM_S,
    )


def delegates() -> dict[str, Position | Number | Spark | Chip]:
    """Return what paints the columns."""
    return {
        "position": Position(),
        "day": Spark(),
        "invested": Number(2),
        "unrealized": Number(2),
        "percent": Number(2),
        "status": Chip(),
    }


def _position(row: PositionRow) -> Cell:
    group = row.group
    return position_cell(group.symbol, group.timeframe, long=group.side is Side.LONG)


def _day(row: PositionRow) -> Cell:
    if not row.held.holds:
        return Cell(tr("no fill yet"), "text3")
    group = row.group
    points = tuple(percent for price in row.trail if (percent := _percent_at(group, price)) is not None)
    if len(points) < 2:
        return Cell("", say=tr("no history yet"))
    return Cell(
        extra=points,
        say=tr("from {points} to {points_2}").format(
            points=spoken(_pct(points[0])), points_2=spoken(_pct(points[-1]))
        ),
    )


def _percent_at(group: Group, price: Decimal) -> Decimal | None:
    return unrealized_percent(
        unrealized(group.side, group.invested, group.open_quantity, price), group.invested
    )


def _pct(value: Decimal) -> str:
    return signed_percent(value)


def _result(row: PositionRow) -> Cell:
    value = row.held.unrealized
    token: Token = "text3" if row.old else result_token(value)
    return Cell(signed_usd(value), token, raw=raw(value), stale=row.old)


def _percent(row: PositionRow) -> Cell:
    value = row.held.percent
    token: Token = "text3" if row.old else result_token(row.held.unrealized)
    return Cell(signed_percent(value), token, raw=raw(value), stale=row.old)


def _invested(row: PositionRow) -> Cell:
    if not row.held.holds:
        return Cell(MISSING, "text3")
    return Cell(usd(row.group.invested), raw=raw(row.group.invested))


def status_cell(held: Holding) -> Cell:
    """Return the chip of a group: on hold, else its state."""
    look = state_look("group", held.state)
    return Cell(look.word, look.token, shape=look.shape)


def _fraction(done: int, whole: int) -> Cell:
    return Cell(f"{done} / {whole}", say=tr("{done} of {whole}").format(done=done, whole=whole))


def result_tooltip(held: Holding) -> str:
    """Say the formula of the unrealized result with a group's own numbers."""
    group = held.group
    if held.unrealized is None or held.price is None:
        return tr("There is no price yet.") if held.holds else tr("Nothing has filled yet.")
    entry, price, quantity = exact(group.avg_entry), exact(held.price), exact(group.open_quantity)
    inner = f"{price} {MINUS} {entry}" if group.side is Side.LONG else f"{entry} {MINUS} {price}"
    return tr("Unrealized = ({inner}) × {quantity} = {unrealized} {quote}").format(
        inner=inner, quantity=quantity, unrealized=exact(held.unrealized), quote=group.quote
    )


def _tooltip(row: PositionRow) -> str:
    words = result_tooltip(row.held)
    return (
        tr("{words}\nPrice is {price_age} old").format(words=words, price_age=row.price_age)
        if row.old
        else words
    )


def _percent_tooltip(row: PositionRow) -> str:
    value = row.held.percent
    return (
        ""
        if value is None
        else tr("{value}{gap}% of {invested} invested").format(
            value=exact(value), gap=GAP, invested=exact(row.group.invested)
        )
    )


def _sentence(row: PositionRow) -> str:
    group = row.group
    side = tr("long") if group.side is Side.LONG else tr("short")
    result = spoken(signed_usd(row.held.unrealized))
    return tr("{symbol} {timeframe} {side}, unrealized {result} USD, {held}").format(
        symbol=group.symbol,
        timeframe=group.timeframe,
        side=side,
        result=result,
        held=inline(status_cell(row.held).text),
    )


COLUMNS: Sequence[Column[PositionRow]] = (
    Column(
        key="position",
        title=tr("Position"),
        width=WIDE["position"],
        cell=_position,
        sort_key=lambda row: (row.group.symbol, row.group.timeframe),
        tooltip=lambda row: tr("{exchange}:{symbol} on account {account}").format(
            exchange=row.group.exchange.upper(), symbol=row.group.symbol, account=row.group.account
        ),
    ),
    Column(
        key="pyramids",
        title=tr("Pyramids"),
        align="right",
        width=WIDE["pyramids"],
        cell=lambda row: _fraction(row.group.pyramid_count, row.group.max_pyramids),
        sort_key=lambda row: row.group.pyramid_count,
        hint=tr("Entries that the group has, of those it may have"),
    ),
    Column(
        key="legs",
        title=tr("Legs"),
        align="right",
        width=WIDE["legs"],
        cell=lambda row: _fraction(row.filled_legs, row.legs),
        sort_key=lambda row: row.filled_legs,
        hint=tr("Legs that filled, of all"),
    ),
    Column(
        key="day",
        title=tr("Last 24 h"),
        width=WIDE["day"],
        cell=_day,
        hint=tr("Unrealized % of what is held now, at the prices seen since the start, at most 24 h"),
    ),
    Column(
        key="invested",
        title=tr("Invested"),
        unit="USD",
        align="right",
        width=WIDE["invested"],
        cell=_invested,
        sort_key=lambda row: row.group.invested,
        hint=tr("Notional at entry of what is held"),
    ),
    Column(
        key="unrealized",
        title=tr("Unrealized"),
        unit="USD",
        align="right",
        width=WIDE["unrealized"],
        cell=_result,
        sort_key=lambda row: row.held.unrealized or ZERO,
        tooltip=_tooltip,
        hint=tr("(price − average entry) × open quantity, mirrored for a short"),
    ),
    Column(
        key="percent",
        title="%",
        align="right",
        width=WIDE["percent"],
        cell=_percent,
        sort_key=lambda row: row.held.percent or ZERO,
        tooltip=_percent_tooltip,
        hint=tr("Unrealized in per cent of what is invested"),
    ),
    Column(
        key="status",
        title=tr("Status"),
        width=WIDE["status"],
        cell=lambda row: status_cell(row.held),
        sort_key=lambda row: status_cell(row.held).text,
        tooltip=lambda row: translated(row.group.hold or row.group.close_reason),
    ),
)
