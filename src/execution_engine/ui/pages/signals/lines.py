"""An alert as a row of the list: its state, its words, and whether it did anything."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, tzinfo

from execution_engine.domain.instrument import Side
from execution_engine.domain.rows import Alert
from execution_engine.domain.signal import Outcome, SignalType
from execution_engine.ui import format as f
from execution_engine.ui.icons import state_look
from execution_engine.ui.tables import Cell, Column, position_cell
from execution_engine.ui.theme import Token
from execution_engine.ui.tongue import inline, tr, translated

ACTED_ON = frozenset(
    {
        Outcome.OPENED,
        Outcome.PYRAMIDED,
        Outcome.REPLACEMENT,
        Outcome.REVERSED,
        Outcome.EXITED,
        Outcome.DEQUEUED,
    }
)
TYPE = {
    SignalType.ENTRY: tr("Entry"),
    SignalType.PYRAMID: tr("Pyramid"),
    SignalType.REPLACEMENT: tr("Replacement"),
    SignalType.EXIT: tr("Exit"),
    SignalType.REVERSAL: tr("Reversal"),
}


@dataclass(frozen=True, slots=True)
class AlertLine:
    """An alert; promoted: it was opened from the queue. today: the day on which times need no date."""

    alert: Alert
    promoted: bool = False
    today: date | None = None

    @property
    def id(self) -> int:
        return self.alert.id

    @property
    def state(self) -> str:
        """Return the outcome as the screen names it, or what is being done."""
        outcome = self.alert.outcome
        if outcome is Outcome.OPENED and self.promoted:
            return "promoted"
        if outcome is not None:
            return outcome.value
        leaving = self.alert.signal in (SignalType.EXIT, SignalType.REVERSAL)
        return "exiting" if leaving and self.alert.decided_at else "working"

    @property
    def reason(self) -> str:
        """Return why it ended as it did, or what it waits for; safe to show."""
        alert = self.alert
        if alert.reason:
            return f.visible(translated(alert.reason), 400)
        if alert.outcome is not None:
            return ""
        if alert.decided_at is None:
            return tr("waits for its account, a price or a balance")
        return (
            tr("the position is being closed")
            if self.state == "exiting"
            else tr("its orders are on their way")
        )

    @property
    def side(self) -> Side | None:
        return self.alert.side or self.alert.parsed.side

    def found_by(self, typed: str) -> bool:
        """Tell whether a text the user typed (in lower case) is about this alert."""
        alert = self.alert
        return any(
            typed in each.lower()
            for each in (alert.symbol, alert.reason, str(alert.id), alert.parsed.id or "")
        )


def columns(zone: tzinfo | None = None) -> tuple[Column[AlertLine], ...]:
    """Return the columns of the list, with times in `zone` (the computer's when None)."""
    return (
        Column(
            key="received",
            title=tr("Received"),
            width=98,
            cell=lambda line: _received(line, zone),
            sort_key=lambda line: line.id,
            tooltip=lambda line: f.utc_text(line.alert.received_at),
        ),
        Column(
            key="signal",
            title=tr("Signal"),
            width=190,
            cell=_signal,
            sort_key=lambda line: (line.alert.symbol, line.alert.timeframe, line.id),
            tooltip=_about,
        ),
        Column(
            key="type",
            title=tr("Type"),
            width=92,
            cell=lambda line: Cell(TYPE[line.alert.signal] if line.alert.signal else f.MISSING),
            sort_key=lambda line: line.alert.signal.value if line.alert.signal else None,
            tooltip=lambda line: (
                tr("Replay of alert {replay_of}").format(replay_of=line.alert.replay_of)
                if line.alert.replay_of
                else ""
            ),
        ),
        Column(
            key="outcome",
            title=tr("Outcome"),
            width=116,
            cell=_outcome,
            sort_key=lambda line: line.state,
            tooltip=lambda line: line.reason,
        ),
        Column(
            key="reason",
            title=tr("Reason"),
            width=150,
            cell=lambda line: Cell(line.reason, "text2"),
            sort_key=lambda line: line.reason or None,
        ),
    )


WIDE = {"received": 98, "signal": 190, "type": 92, "outcome": 126, "reason": 150}
NARROW = {"received": 82, "signal": 176, "outcome": 110}


def sentence(line: AlertLine) -> str:
    """Say a row in words, for screen readers."""
    alert = line.alert
    kind = inline(TYPE[alert.signal]) if alert.signal else tr("alert")
    side = f" {tr(line.side.value)}" if line.side else ""
    word = inline(state_look("alert", line.state).word)
    return f"{alert.symbol} {alert.timeframe}{side}, {kind}, {word}, {line.reason}".rstrip(", ")


def _received(line: AlertLine, zone: tzinfo | None) -> Cell:
    at = line.alert.received_at
    same_day = line.today is None or at.astimezone(zone).date() == line.today
    text = f.local_time(at, zone) if same_day else f"{f.local_date(at, zone)} {f.local_time(at, zone)[:5]}"
    return Cell(text, raw=at.isoformat())


def _signal(line: AlertLine) -> Cell:
    alert, side = line.alert, line.side
    if side is None:  # an exit need not say one
        parts: tuple[tuple[str, Token], ...] = ((f"{alert.symbol} ", "text"), (alert.timeframe, "text3"))
        return Cell(f"{alert.symbol} {alert.timeframe}", parts=parts)
    return position_cell(alert.symbol, alert.timeframe, long=side is Side.LONG)


def _about(line: AlertLine) -> str:
    alert = line.alert
    token = tr("webhook “{token}”").format(token=f.visible(alert.token, 60)) if alert.token else ""
    source = f.visible(alert.source, 60)
    return ", ".join(each for each in (f"{alert.exchange} {alert.symbol}", token, source) if each)


def _outcome(line: AlertLine) -> Cell:
    look = state_look("alert", line.state)
    return Cell(look.word, look.token, shape=look.shape)
