"""What an alert gives away about the strategy behind it, pointed out and never acted on by itself."""

from __future__ import annotations

from execution_engine.domain.draft import Draft
from execution_engine.domain.facts import Level
from execution_engine.domain.instrument import Side
from execution_engine.domain.rows import Alert, Group, World
from execution_engine.domain.signal import Position

ONE_MINUTE = "1m"


def point_out(draft: Draft, alert: Alert) -> None:
    """Tell what looks wrong about a new alert: a doubtful timeframe, alerts that never came."""
    if alert.replay_of is None:
        _doubtful_minute(draft, alert)
        _missed(draft, alert)


def _doubtful_minute(draft: Draft, alert: Alert) -> None:
    """`{{interval}}` is always 1 in plain price alerts, whatever the chart shows."""
    if alert.timeframe != ONE_MINUTE or draft.view.has_sent(alert.token, ONE_MINUTE):
        return
    text = (
        f"{alert.symbol}: the first alert with timeframe 1 from webhook “{alert.token}”. {{{{interval}}}} is always "
        "1 in price alerts; write the timeframe out in the message if the chart shows another one."
    )
    draft.tell("doubtful_timeframe", text, Level.WARNING, alert=alert, notice=True)


def _missed(draft: Draft, alert: Alert) -> None:
    """Compare what the strategy held before this alert with what is held here."""
    before = alert.parsed.previous
    if before is None or _waits(draft, alert):
        return
    held = _held(draft, alert)
    if before.side is held:
        return
    was = "flat" if before is Position.FLAT else before.value
    text = f"{alert.symbol} {alert.timeframe}: the strategy was {was} before this alert, you are {held or 'flat'}."
    draft.tell("missed_alert", text, Level.WARNING, alert=alert, notice=True)


def _held(draft: Draft, alert: Alert) -> Side | None:
    groups = draft.groups_in((alert.exchange, alert.symbol))
    mine = (group for group in groups if group.timeframe == alert.timeframe and _may_reach(alert, group))
    return next((group.side for group in mine), None)


def _may_reach(alert: Alert, group: Group) -> bool:
    """An alert concerns the account that it names, or all that its webhook may use."""
    if named := alert.parsed.account:
        return group.account == named
    return not alert.allowed or group.account in alert.allowed


def _waits(draft: Draft, alert: Alert) -> bool:
    """A key that waits in the queue or for its price is not missed, it is late."""
    key = (alert.exchange, alert.symbol, alert.timeframe)
    queued = [(row.exchange, row.symbol, row.timeframe) for world in World for row in draft.waiting(world)]
    undecided = [draft.alert(id) for id in draft.view.undecided()]
    return key in queued or any((row.exchange, row.symbol, row.timeframe) == key for row in undecided)
