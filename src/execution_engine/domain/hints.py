"""What an alert gives away about the strategy behind it, pointed out and never acted on by itself."""

from __future__ import annotations

from execution_engine.domain import missed
from execution_engine.domain.draft import Draft
from execution_engine.domain.facts import Level
from execution_engine.domain.rows import Alert

ONE_MINUTE = "1m"


def point_out(draft: Draft, alert: Alert) -> None:
    """Tell what looks wrong about a new alert: a doubtful timeframe, alerts that never came."""
    if alert.replay_of is None:
        _doubtful_minute(draft, alert)
        missed.compare(draft, alert)


def _doubtful_minute(draft: Draft, alert: Alert) -> None:
    """`{{interval}}` is always 1 in plain price alerts, whatever the chart shows."""
    if alert.timeframe != ONE_MINUTE or draft.view.has_sent(alert.token, ONE_MINUTE):
        return
    text = (
        f"{alert.symbol}: the first alert with timeframe 1 from webhook “{alert.token}”. {{{{interval}}}} is always "
        "1 in price alerts; write the timeframe out in the message if the chart shows another one."
    )
    draft.tell("doubtful_timeframe", text, Level.WARNING, alert=alert, notice=True)
