"""The last promotions: when, what, and what each owed its turn to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from execution_engine.domain.instrument import Side
from execution_engine.domain.rows import QueuedSignal
from execution_engine.domain.signal import Outcome
from execution_engine.ui.format import ago, local_moment, span, utc_text, visible
from execution_engine.ui.tables import Cell, CellDelegate, Column, Position, position_cell
from execution_engine.ui.tongue import tr, translated

SHOWN = 50
WIDE = {"when": 84, "signal": 164, "why": 180}

_BECAME = {
    Outcome.OPENED: tr("It opened a group."),
    Outcome.PYRAMIDED: tr("It became a pyramid of its open group."),
    Outcome.REPLACEMENT: tr("Its group had all pyramids: it counts as a replacement."),
}


def _tooltip(row: QueuedSignal) -> str:
    waited = (
        tr("\nIt waited {span}.").format(span=span(row.finished_at - row.queued_at))
        if row.finished_at
        else ""
    )
    became = _BECAME.get(row.outcome, "") if row.outcome is not None else ""
    return f"{visible(translated(row.reason), 300)}\n{became}{waited}"


def sentence(row: QueuedSignal) -> str:
    """Say a row in words, for a screen reader."""
    return tr("{symbol} {timeframe} {side} was promoted, {reason}").format(
        symbol=row.symbol,
        timeframe=row.timeframe,
        side=tr(row.side.value),
        reason=visible(translated(row.reason), 300),
    )


def delegates() -> dict[str, CellDelegate]:
    """Return what paints the columns."""
    return {"signal": Position()}


def columns(now: Callable[[], datetime]) -> Sequence[Column[QueuedSignal]]:
    """Return the columns; ages are counted to `now`."""
    return (
        Column(
            key="when",
            title=tr("When"),
            width=WIDE["when"],
            cell=lambda row: Cell(ago(now() - row.finished_at) if row.finished_at else "", "text2"),
            sort_key=lambda row: row.finished_at,
            tooltip=lambda row: f"{local_moment(row.finished_at)}\n{utc_text(row.finished_at)}",
        ),
        Column(
            key="signal",
            title=tr("Signal"),
            width=WIDE["signal"],
            cell=lambda row: position_cell(row.symbol, row.timeframe, long=row.side is Side.LONG),
            sort_key=lambda row: (row.symbol, row.timeframe),
            tooltip=lambda row: tr("on {account}").format(account=visible(row.account, 40)),
        ),
        Column(
            key="why",
            title=tr("Why it was its turn"),
            width=WIDE["why"],
            cell=lambda row: Cell(visible(translated(row.reason), 300)),
            tooltip=_tooltip,
        ),
    )
