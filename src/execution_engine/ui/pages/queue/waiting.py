"""The rows of the queue: rank, price now, current loss, time waited."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from execution_engine.domain.instrument import Side
from execution_engine.domain.money import ZERO, percent_change
from execution_engine.domain.ranking import Rank
from execution_engine.domain.rows import QueuedSignal
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
    visible,
)
from execution_engine.ui.pages.queue.busy import OPENING, ForceButton
from execution_engine.ui.tables import ActionText, Cell, CellDelegate, Column, Number, Position, position_cell
from execution_engine.ui.theme import Token
from execution_engine.ui.tongue import tr, translated

WIDE = {
    "rank": 74,
    "signal": 186,
    "account": 104,
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


class Waiting(NamedTuple):
    """One waiting signal as it is shown. A tuple: a thousand are made and compared a batch.

    old: its price is. waits: why it cannot go now, whoever's turn it is.
    """

    row: QueuedSignal
    rank: Rank
    price: Decimal | None
    tick: Decimal
    old: bool
    busy: bool
    waits: str = ""

    @property
    def why(self) -> str:
        """Say what its place rests on, and what it waits for."""
        return f"{translated(self.rank.why)}, {self.waits}" if self.waits else translated(self.rank.why)

    @property
    def place(self) -> int:
        return self.rank.place

    @property
    def loss(self) -> Decimal | None:
        """Return the current loss [%], never above zero; None without a price. Only rows in sight are asked."""
        if self.price is None or not self.row.entry_price:
            return None
        return min(percent_change(self.price, self.row.entry_price) * self.row.side.sign, ZERO)

    def waited(self, now: datetime) -> timedelta:
        """Return how long it waits, in whole seconds."""
        return timedelta(seconds=max(0, int((now - self.row.queued_at).total_seconds())))


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
        "force": ForceButton("button"),
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
    loss = row.loss
    token: Token = "loss" if loss and not row.old else "text3"
    return Cell(signed_percent(loss), token, raw=raw(loss), stale=row.old)


def _loss_tooltip(row: Waiting) -> str:
    if row.loss is None:
        return tr("There is no price yet.") if row.price is None else tr("The alert named no entry price.")
    mirrored = tr(" × −1 for a short") if row.row.side is Side.SHORT else ""
    entry = exact(row.row.entry_price)
    return tr("({price} − {entry}) / {entry} × 100{mirrored} = {loss} %; a gain counts as 0").format(
        price=exact(row.price), entry=entry, mirrored=mirrored, loss=exact(row.loss)
    )


def _waits_tooltip(row: Waiting) -> str:
    ends = tr("\nends {time}").format(time=utc_text(row.row.expires_at)) if row.row.expires_at else ""
    return tr("since {time}{ends}").format(time=utc_text(row.row.queued_at), ends=ends)


def sentence(row: Waiting) -> str:
    """Say a row in words, for a screen reader."""
    return f"{ordinal(row.place)}, {name(row.row)} {tr(row.row.side.value)}, {row.why}"


def _rank_cell(row: Waiting, *, worlds: bool) -> Cell:
    place = ordinal(row.place)
    if not worlds:
        return Cell(place, bold=True)
    world = f" {row.row.world.value}"
    return Cell(place + world, bold=True, parts=((place, "text"), (world, "text3")), raw=place)


def _why_cell(row: Waiting) -> Cell:
    if not row.waits:
        return Cell(translated(row.rank.why))
    return Cell(row.why, parts=((f"{translated(row.rank.why)}, ", "text"), (row.waits, "warn")))


def columns(now: Callable[[], datetime], worlds: Callable[[], bool]) -> Sequence[Column[Waiting]]:
    """Return the columns; time is counted to `now`. worlds: whether the world stands beside the rank."""
    return (
        Column(
            key="rank",
            title=tr("Rank"),
            width=WIDE["rank"],
            cell=lambda row: _rank_cell(row, worlds=worlds()),
            sort_key=lambda row: (row.row.world, row.place),
            tooltip=lambda row: translated(row.rank.reason),
        ),
        Column(
            key="signal",
            title=tr("Signal"),
            width=WIDE["signal"],
            cell=lambda row: position_cell(row.row.symbol, row.row.timeframe, long=row.row.side is Side.LONG),
            sort_key=lambda row: (row.row.symbol, row.row.timeframe),
            tooltip=lambda row: tr("{exchange}:{symbol}, alert {alert_id}").format(
                exchange=row.row.exchange.upper(), symbol=row.row.symbol, alert_id=row.row.alert_id
            ),
        ),
        Column(
            key="account",
            title=tr("Account"),
            width=WIDE["account"],
            cell=lambda row: Cell(visible(row.row.account, 40)),
            sort_key=lambda row: row.row.account,
        ),
        Column(
            key="entry",
            title=tr("Entry"),
            align="right",
            width=WIDE["entry"],
            cell=lambda row: _price_cell(row.row.entry_price, row),
            tooltip=lambda row: "" if row.row.entry_price else tr("At the market, when it is opened"),
            hint=tr("What the alert says the entry is at"),
        ),
        Column(
            key="price",
            title=tr("Price now"),
            align="right",
            width=WIDE["price"],
            cell=lambda row: _price_cell(row.price, row, stale=row.old),
            tooltip=lambda row: tr("The price is old; the stream is reconnecting") if row.old else "",
            hint=tr("The newest price of the market"),
        ),
        Column(
            key="loss",
            title=tr("Current loss"),
            unit="%",
            align="right",
            width=WIDE["loss"],
            cell=_loss_cell,
            sort_key=lambda row: row.loss,
            tooltip=_loss_tooltip,
            hint=tr("(price − entry) / entry, mirrored for a short; a gain counts as 0"),
        ),
        Column(
            key="replaced",
            title=tr("Replaced"),
            align="right",
            width=WIDE["replaced"],
            cell=lambda row: Cell(
                str(row.row.replacement_count), "text" if row.row.replacement_count else "text3"
            ),
            sort_key=lambda row: row.row.replacement_count,
            hint=tr("How often a newer signal of its key took its place"),
        ),
        Column(
            key="waited",
            title=tr("In queue"),
            align="right",
            width=WIDE["waited"],
            cell=lambda row: Cell(span(row.waited(now()))),
            sort_key=lambda row: -row.row.queued_at.timestamp(),
            tooltip=_waits_tooltip,
        ),
        Column(
            key="why",
            title=tr("Why this rank"),
            width=WIDE["why"],
            cell=_why_cell,
            tooltip=lambda row: f"{ordinal(row.place)}: {row.why}",
        ),
        Column(
            key="force",
            title="",
            align="center",
            width=WIDE["force"],
            cell=lambda row: Cell(OPENING if row.busy else tr("Force add…"), "text3" if row.busy else "text"),
        ),
        Column(
            key="remove",
            title="",
            align="center",
            width=WIDE["remove"],
            cell=lambda row: Cell("" if row.busy else tr("Remove…"), raw="", say=tr("Remove from the queue")),
        ),
    )
