"""The rows of the queue: rank, price now, current loss, time waited."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from execution_engine.domain.instrument import Side
from execution_engine.domain.money import ZERO, percent_change
from execution_engine.domain.ranking import Rank, standings
from execution_engine.domain.rows import QueuedSignal, World
from execution_engine.ui.bridge import Bridge
from execution_engine.ui.format import (
    MISSING,
    exact,
    ordinal,
    places_of,
    price,
    raw,
    signed_percent,
    span,
    utc_text,
)
from execution_engine.ui.holdings import is_old
from execution_engine.ui.tables import ActionText, Cell, CellDelegate, Column, Number, Position, position_cell
from execution_engine.ui.theme import Token

WIDE = {
    "rank": 66,
    "signal": 186,
    "account": 96,
    "entry": 96,
    "price": 96,
    "loss": 114,
    "replaced": 76,
    "waited": 92,
    "why": 320,
    "force": 104,
    "remove": 36,
}
NARROW = {
    "rank": 60,
    "signal": 178,
    "entry": 90,
    "price": 90,
    "loss": 104,
    "waited": 84,
    "why": 222,
    "force": 104,
    "remove": 36,
}


@dataclass(frozen=True, slots=True)
class Waiting:
    """One waiting signal as it is shown. loss: never above zero; None without a price."""

    row: QueuedSignal
    rank: int
    why: str
    waited: timedelta
    price: Decimal | None
    loss: Decimal | None
    tick: Decimal
    old: bool
    busy: bool


def waiting(bridge: Bridge, now: datetime, busy: set[int]) -> Iterator[Waiting]:
    """Yield everything that waits, ranked in each world for itself."""
    for world in World:
        for rank in ranks(bridge, world, now):
            yield _waiting(bridge, rank, now, busy=rank.row.id in busy)


def ranks(bridge: Bridge, world: World, now: datetime) -> list[Rank]:
    """Return what waits in a world in the order of promotion, at the prices that are not old."""

    def price_of(market: tuple[str, str]) -> Decimal | None:
        quote = bridge.prices.get(market)
        return quote.last if quote is not None and not is_old(quote, now) else None

    holders = {group.key: group for group in bridge.groups.values() if group.holds_slot}
    rows = (row for row in bridge.queue.values() if row.world is world)
    return standings(rows, price_of, holders.get)


def _waiting(bridge: Bridge, rank: Rank, now: datetime, *, busy: bool) -> Waiting:
    row = rank.row
    quote = bridge.prices.get((row.exchange, row.symbol))
    last = quote.last if quote else None
    loss = None
    if last is not None and row.entry_price:
        loss = min(percent_change(last, row.entry_price) * row.side.sign, ZERO)
    instrument = bridge.doors.catalogue.get(row.exchange, row.symbol)
    return Waiting(
        row=row,
        rank=rank.place,
        why=rank.why,
        waited=_whole_seconds(now - row.queued_at),
        price=last,
        loss=loss,
        tick=instrument.tick if instrument else Decimal("0.01"),
        old=is_old(quote, now),
        busy=busy,
    )


def _whole_seconds(elapsed: timedelta) -> timedelta:
    """Cut below the second, so that a row changes once a second at most."""
    return timedelta(seconds=int(elapsed.total_seconds()))


def name(row: QueuedSignal) -> str:
    """Return a signal's name: LTCUSDT 1h."""
    return f"{row.symbol} {row.timeframe}"


def delegates() -> dict[str, CellDelegate]:
    """Return what paints the columns."""
    return {
        "signal": Position(),
        "entry": Number(),
        "price": Number(),
        "loss": Number(2),
        "force": ActionText("button"),
        "remove": ActionText("icon", "close"),
    }


def _price_cell(value: Decimal | None, row: Waiting, *, stale: bool = False) -> Cell:
    if value is None:
        return Cell(MISSING, "text3")
    places = max(places_of(row.tick), places_of(value))
    return Cell(
        price(value, Decimal(1).scaleb(-places)),
        "text3" if stale else "text",
        raw=raw(value),
        stale=stale,
        shape="clock" if stale else None,
    )


def _loss_cell(row: Waiting) -> Cell:
    token: Token = "loss" if row.loss and not row.old else "text3"
    return Cell(signed_percent(row.loss), token, raw=raw(row.loss), stale=row.old)


def _loss_tooltip(row: Waiting) -> str:
    if row.loss is None:
        return "There is no price yet." if row.price is None else "The alert named no entry price."
    mirrored = " × −1 for a short" if row.row.side is Side.SHORT else ""
    entry = exact(row.row.entry_price)
    return (
        f"({exact(row.price)} − {entry}) / {entry} × 100{mirrored} = {exact(row.loss)} %; a gain counts as 0"
    )


def _sentence(row: Waiting) -> str:
    return (
        f"{ordinal(row.rank)}, {name(row.row)} {row.row.side.value}, {row.why}, waits for {span(row.waited)}"
    )


sentence = _sentence

COLUMNS: Sequence[Column[Waiting]] = (
    Column(
        key="rank",
        title="Rank",
        width=WIDE["rank"],
        cell=lambda row: Cell(ordinal(row.rank), bold=True),
        sort_key=lambda row: row.rank,
    ),
    Column(
        key="signal",
        title="Signal",
        width=WIDE["signal"],
        cell=lambda row: position_cell(row.row.symbol, row.row.timeframe, long=row.row.side is Side.LONG),
        sort_key=lambda row: (row.row.symbol, row.row.timeframe),
        tooltip=lambda row: f"{row.row.exchange.upper()}:{row.row.symbol}, alert {row.row.alert_id}",
    ),
    Column(
        key="account",
        title="Account",
        width=WIDE["account"],
        cell=lambda row: Cell(row.row.account),
        sort_key=lambda row: row.row.account,
    ),
    Column(
        key="entry",
        title="Entry",
        align="right",
        width=WIDE["entry"],
        cell=lambda row: _price_cell(row.row.entry_price, row),
        tooltip=lambda row: "" if row.row.entry_price else "At the market, when it is opened",
        hint="What the alert says the entry is at",
    ),
    Column(
        key="price",
        title="Price now",
        align="right",
        width=WIDE["price"],
        cell=lambda row: _price_cell(row.price, row, stale=row.old),
    ),
    Column(
        key="loss",
        title="Current loss",
        unit="%",
        align="right",
        width=WIDE["loss"],
        cell=_loss_cell,
        sort_key=lambda row: row.loss,
        tooltip=_loss_tooltip,
        hint="(price − entry) / entry, mirrored for a short; a gain counts as 0",
    ),
    Column(
        key="replaced",
        title="Replaced",
        align="right",
        width=WIDE["replaced"],
        cell=lambda row: Cell(
            str(row.row.replacement_count), "text" if row.row.replacement_count else "text3"
        ),
        sort_key=lambda row: row.row.replacement_count,
        hint="How often a newer signal of its key took its place",
    ),
    Column(
        key="waited",
        title="In queue",
        align="right",
        width=WIDE["waited"],
        cell=lambda row: Cell(span(row.waited)),
        sort_key=lambda row: row.waited,
        tooltip=lambda row: f"since {utc_text(row.row.queued_at)}",
    ),
    Column(
        key="why",
        title="Why this rank",
        width=WIDE["why"],
        cell=lambda row: Cell(row.why, "text"),
    ),
    Column(
        key="force",
        title="",
        align="center",
        width=WIDE["force"],
        cell=lambda row: Cell("Opening…" if row.busy else "Force add…", "text3" if row.busy else "text"),
    ),
    Column(
        key="remove",
        title="",
        align="center",
        width=WIDE["remove"],
        cell=lambda row: Cell("" if row.busy else "Remove…", raw="", say="Remove from the queue"),
    ),
)
