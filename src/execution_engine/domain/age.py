"""How old an alert may be when it is decided on. A replay counts as received when it was asked for."""

from __future__ import annotations

from datetime import datetime, timedelta

from execution_engine.domain.errors import Refusal
from execution_engine.domain.rows import Alert
from execution_engine.domain.settings import Signals

FUTURE = timedelta(seconds=60)


def closes(alert: Alert) -> bool:
    """An exit, or a reversal: its first half is one."""
    return alert.parsed.is_exit or alert.parsed.asks_reversal


def fault(alert: Alert, limits: Signals, now: datetime) -> Refusal | None:
    """Return why an alert is not decided on at all; what closes has the longer limit."""
    ahead = -_age(alert, now)
    if alert.replay_of is None and ahead > FUTURE:
        seconds = int(ahead.total_seconds())
        return Refusal(
            "FUTURE", f"the alert's timestamp is {seconds} s in the future; check the clock of this machine"
        )
    return _too_old(alert, limits.max_exit_age_s if closes(alert) else limits.max_alert_age_s, now)


def entry_fault(alert: Alert, limits: Signals, now: datetime) -> Refusal | None:
    """Return why an alert is too old to enter, though it may still close."""
    return _too_old(alert, limits.max_alert_age_s, now)


def _too_old(alert: Alert, limit_s: int, now: datetime) -> Refusal | None:
    age = _age(alert, now)
    if age <= timedelta(seconds=limit_s):
        return None
    return Refusal("TOO_OLD", f"the alert is {int(age.total_seconds())} s old, the limit is {limit_s} s")


def counted_from(alert: Alert) -> datetime:
    """Return the time from which an alert's age counts."""
    sent_at = None if alert.replay_of is not None else alert.parsed.sent_at
    return sent_at or alert.received_at


def _age(alert: Alert, now: datetime) -> timedelta:
    return now - counted_from(alert)
