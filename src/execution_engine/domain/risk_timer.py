"""The waiting time before a group can be the loser: what starts it, what stops it, when it ends."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from execution_engine.domain.replacing import replace
from execution_engine.domain.rows import Group, Leg, LegStatus
from execution_engine.domain.settings import Risk, TimerStart

IGNORED = frozenset({LegStatus.CANCELLED, LegStatus.REJECTED, LegStatus.FAILED})
FILLED = frozenset({LegStatus.FILLED, LegStatus.TP_HIT})
SUBMITTED = FILLED | {LegStatus.OPEN, LegStatus.PARTIALLY_FILLED}
REACHED = {TimerStart.AFTER_ALL_DCA_SUBMITTED: SUBMITTED, TimerStart.AFTER_ALL_DCA_FILLED: FILLED}


def has_reason(group: Group, legs: Sequence[Leg], start: TimerStart, retried: Collection[int] = ()) -> bool:
    """Return whether the condition of a start holds now. `retried`: ids of legs that are being sent again."""
    if start is TimerStart.AFTER_5_PYRAMIDS:
        return group.pyramid_count >= group.max_pyramids
    counted = [leg for leg in legs if leg.status not in IGNORED or leg.id in retried]
    return bool(counted) and all(leg.status in REACHED[start] for leg in counted)


def started(
    group: Group, legs: Sequence[Leg], risk: Risk, now: datetime, retried: Collection[int] = ()
) -> Group:
    """Start the timer where its condition holds; one that runs, or ran out, is left alone."""
    if group.timer_started_at is not None or not group.is_open:
        return group
    return begun(group, risk, now) if has_reason(group, legs, risk.timer_start, retried) else group


def begun(group: Group, risk: Risk, at: datetime) -> Group:
    """Let the time run from a moment."""
    wait = timedelta(minutes=risk.post_full_wait_minutes)
    return replace(group, timer_started_at=at, timer_expires_at=at + wait)


def stopped(group: Group) -> Group:
    return replace(group, timer_started_at=None, timer_expires_at=None)


def with_new_pyramid(group: Group, risk: Risk) -> Group:
    """A new pyramid has legs of its own: what asks for all legs waits until that holds again."""
    return group if risk.timer_start is TimerStart.AFTER_5_PYRAMIDS else stopped(group)


def resettled(group: Group, legs: Sequence[Leg], before: Risk, risk: Risk, now: datetime) -> Group:
    """Return a group as changed settings make it; they apply at once, to timers that run as well."""
    if before.timer_start is not risk.timer_start and not has_reason(group, legs, risk.timer_start):
        return stopped(group)
    if group.timer_started_at is None:
        return started(group, legs, risk, now)
    return begun(group, risk, group.timer_started_at)
