"""The tables of Performance: trades, and what pairs, timeframes and months came to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal

from execution_engine.domain.instrument import Side
from execution_engine.domain.money import ZERO
from execution_engine.domain.performance import ClosedTrade, Part
from execution_engine.ui.format import (
    MONTHS,
    exact,
    local_moment,
    number,
    percent,
    raw,
    result_token,
    signed_percent,
    signed_usd,
    span,
    usd,
    utc_text,
    visible,
)
from execution_engine.ui.tables import Cell, Column, Number, Position, TableModel, TableView, position_cell
from execution_engine.ui.tongue import inline, tr, translated

WIDE = {
    "closed": 130,
    "position": 186,
    "account": 96,
    "entry": 92,
    "exit": 92,
    "quantity": 96,
    "held": 88,
    "fees": 84,
    "realized": 108,
    "percent": 80,
    "why": 140,
}
NARROW = {
    "closed": 126,
    "position": 190,
    "quantity": 96,
    "held": 88,
    "realized": 108,
    "percent": 80,
    "why": 160,
}
PART_WIDE = {
    "name": 140,
    "trades": 84,
    "rate": 96,
    "realized": 124,
    "expectancy": 112,
    "factor": 108,
    "won": 112,
    "lost": 112,
    "held": 124,
}
PART_NARROW = {
    "name": 112,
    "trades": 72,
    "rate": 84,
    "realized": 116,
    "expectancy": 108,
    "factor": 100,
    "won": 104,
    "lost": 104,
    "held": 116,
}
MONTH = tr("Month")


_TRADE: Sequence[Column[ClosedTrade]] = (
    Column(
        key="closed",
        title=tr("Closed"),
        width=138,
        cell=lambda trade: Cell(local_moment(trade.closed_at), raw=trade.closed_at.isoformat()),
        sort_key=lambda trade: trade.closed_at,
        tooltip=lambda trade: tr("Opened {time}\nClosed {time_2}").format(
            time=utc_text(trade.opened_at), time_2=utc_text(trade.closed_at)
        ),
    ),
    Column(
        key="position",
        title=tr("Position"),
        width=196,
        cell=lambda trade: position_cell(trade.symbol, trade.timeframe, long=trade.side is Side.LONG),
        sort_key=lambda trade: (trade.symbol, trade.timeframe),
    ),
    Column(
        key="account",
        title=tr("Account"),
        width=110,
        cell=lambda trade: Cell(visible(trade.account)),
        sort_key=lambda trade: trade.account,
    ),
    Column(
        key="entry",
        title=tr("Entry"),
        align="right",
        width=104,
        cell=lambda trade: Cell(_significant(trade.entry), raw=raw(trade.entry)),
        sort_key=lambda trade: trade.entry,
        tooltip=lambda trade: tr("Average over all entry fills = {entry}").format(entry=exact(trade.entry)),
    ),
    Column(
        key="exit",
        title=tr("Exit"),
        align="right",
        width=104,
        cell=lambda trade: Cell(_significant(trade.exit), raw=raw(trade.exit)),
        sort_key=lambda trade: trade.exit,
        tooltip=lambda trade: tr("Average over all closing fills = {exit}").format(exit=exact(trade.exit)),
    ),
    Column(
        key="quantity",
        title=tr("Quantity"),
        align="right",
        width=110,
        cell=lambda trade: Cell(exact(trade.quantity), raw=raw(trade.quantity)),
        sort_key=lambda trade: trade.quantity,
        hint=tr("What the entries filled, in the base currency"),
    ),
    Column(
        key="held",
        title=tr("Held"),
        align="right",
        width=90,
        cell=lambda trade: Cell(span(trade.held), raw=str(int(trade.held.total_seconds()))),
        sort_key=lambda trade: trade.held,
        hint=tr("From the first fill to the close"),
    ),
    Column(
        key="fees",
        title=tr("Fees"),
        unit="USD",
        align="right",
        width=96,
        cell=lambda trade: Cell(usd(trade.fees), raw=raw(trade.fees)),
        sort_key=lambda trade: trade.fees,
        tooltip=lambda trade: tr("{fees} {quote} of entries and exits").format(
            fees=exact(trade.fees), quote=trade.quote
        ),
        hint=tr("What the exchange took for all fills, entries and exits"),
    ),
    Column(
        key="realized",
        title=tr("Realized"),
        unit="USD",
        align="right",
        width=118,
        cell=lambda trade: Cell(
            signed_usd(trade.realized), result_token(trade.realized), raw=raw(trade.realized)
        ),
        sort_key=lambda trade: trade.realized,
        tooltip=lambda trade: tr("{realized} {quote}, fees included").format(
            realized=exact(trade.realized), quote=trade.quote
        ),
    ),
    Column(
        key="percent",
        title="%",
        align="right",
        width=84,
        cell=lambda trade: Cell(
            signed_percent(trade.percent), result_token(trade.percent), raw=raw(trade.percent)
        ),
        sort_key=lambda trade: trade.percent,
        tooltip=lambda trade: tr("Realized / (average entry × quantity)"),
    ),
    Column(
        key="why",
        title=tr("Why"),
        width=200,
        cell=lambda trade: Cell(visible(translated(trade.why)), "text2"),
        tooltip=lambda trade: visible(translated(trade.why)),
    ),
)


def _significant(value: Decimal | None) -> str:
    """Write an average price with as many decimals as its size asks for."""
    size = abs(value or ZERO)
    return number(value, 2 if size >= 10 else 4 if size >= 1 else 6)


def trades() -> tuple[TableModel[ClosedTrade], TableView]:
    """Return the list of trades, newest first."""
    model: TableModel[ClosedTrade] = TableModel(
        _TRADE,
        key=lambda trade: trade.group_id,
        default_sort=lambda trade: -trade.closed_at.timestamp(),
    )
    view = TableView(
        model,
        {"position": Position(), "realized": Number(2), "fees": Number(2), "percent": Number(2)},
        name=tr("Trades"),
    )
    return model, view


def parts(name: str) -> tuple[TableModel[Part], TableView]:
    """Return a table of what pairs, timeframes or months came to."""
    model: TableModel[Part] = TableModel(_part_columns(name), key=lambda part: part.name)
    numbers = ("realized", "expectancy", "won", "lost", "fees", "factor")
    return model, TableView(
        model, {key: Number(2) for key in numbers}, name=tr("Per {name}").format(name=inline(name))
    )


def _part_columns(name: str) -> Sequence[Column[Part]]:
    return (
        Column(
            key="name",
            title=name,
            width=140,
            cell=lambda part: Cell(_month(part.name) if name == MONTH else part.name),
            sort_key=lambda part: part.name,
        ),
        Column(
            key="trades",
            title=tr("Trades"),
            align="right",
            width=84,
            cell=lambda part: Cell(f"{part.tally.trades:,}", raw=str(part.tally.trades)),
            sort_key=lambda part: part.tally.trades,
        ),
        Column(
            key="rate",
            title=tr("Win rate"),
            align="right",
            width=96,
            cell=lambda part: Cell(percent(part.tally.win_rate, 1), raw=raw(part.tally.win_rate)),
            sort_key=lambda part: part.tally.win_rate,
            tooltip=lambda part: tr("{wins} wins / {trades} trades").format(
                wins=f"{part.tally.wins:,}", trades=f"{part.tally.trades:,}"
            ),
        ),
        _money("realized", tr("Realized"), lambda part: part.tally.realized, 124),
        _money("expectancy", tr("Per trade"), lambda part: part.tally.expectancy, 112),
        Column(
            key="factor",
            title=tr("Profit factor"),
            align="right",
            width=108,
            cell=lambda part: Cell(number(part.tally.profit_factor, 2), raw=raw(part.tally.profit_factor)),
            sort_key=lambda part: part.tally.profit_factor,
            tooltip=lambda part: tr("Sum of profits {amount} / sum of losses {amount_2}").format(
                amount=usd(part.tally.won), amount_2=usd(-part.tally.lost)
            ),
        ),
        _money("won", tr("Profits"), lambda part: part.tally.won, 112),
        _money("lost", tr("Losses"), lambda part: part.tally.lost, 112),
        Column(
            key="held",
            title=tr("Average holding"),
            width=124,
            cell=lambda part: Cell(span(part.tally.average_held)),
            sort_key=lambda part: part.tally.average_held,
        ),
    )


def _month(name: str) -> str:
    """Write 2026-11 as Nov 2026; in its own form it sorts."""
    year, _, month = name.partition("-")
    return f"{MONTHS[int(month) - 1]} {year}"


def _money(key: str, title: str, of: Callable[[Part], Decimal | None], width: int) -> Column[Part]:
    def cell(part: Part) -> Cell:
        value = of(part)
        return Cell(signed_usd(value), result_token(value), raw=raw(value))

    return Column(
        key=key,
        title=title,
        unit="USD",
        align="right",
        width=width,
        cell=cell,
        sort_key=of,
        tooltip=lambda part: f"{exact(of(part))} USD",
    )
