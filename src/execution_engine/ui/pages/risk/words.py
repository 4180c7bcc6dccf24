"""The sentences of the Risk page: what is planned, when, and why there is nothing."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from execution_engine.domain.risk_plan import OffsetPlan
from execution_engine.domain.settings import Risk, TimerStart
from execution_engine.ui.format import countdown, counted, local_time, percent, signed_percent, span, usd
from execution_engine.ui.pages.risk.groups import SHORT, Line
from execution_engine.ui.tongue import tr

STARTS = {
    TimerStart.AFTER_5_PYRAMIDS: tr("all pyramids are there"),
    TimerStart.AFTER_ALL_DCA_SUBMITTED: tr("all legs were sent"),
    TimerStart.AFTER_ALL_DCA_FILLED: tr("all legs filled"),
}


def rules(risk: Risk, count: int) -> str:
    """Say what is asked of a loser: beside the heading of the groups."""
    groups = counted(count, tr("group"), tr("groups"))
    wait = tr("{post_full_wait_minutes} min after {starts}").format(
        post_full_wait_minutes=risk.post_full_wait_minutes, starts=STARTS[risk.timer_start]
    )
    return tr("{groups} · all rules must be met: a loss of {loss_threshold_percent} or more, {wait}").format(
        groups=groups, loss_threshold_percent=loss(-risk.loss_threshold_percent), wait=wait
    )


def loss(threshold: Decimal) -> str:
    """Write the threshold without decimals that it does not have."""
    return percent(threshold, max(0, -int(threshold.normalize().as_tuple().exponent)))


def no_plan(nearest: Line | None, risk: Risk, now: datetime) -> str:
    """Say that there is no plan, and which group comes nearest to one."""
    if nearest is None:
        return tr("No plan: nothing is open here.")
    return tr("No plan: no group meets all rules. Nearest: {found}, {nearest}.").format(
        found=nearest.found.name, nearest=lacks(nearest, risk, now)
    )


def lacks(line: Line, risk: Risk, now: datetime) -> str:
    """Say what a group lacks to be the loser: “timer 23:41 left, −1.39 % of −5 %”."""
    said = []
    for reason, verdict in zip(line.reasons, _told(line), strict=True):
        if verdict == "timer" and line.found.group.timer_expires_at is not None:
            said.append(
                tr("timer {span} left").format(span=countdown(line.found.group.timer_expires_at - now))
            )
        elif verdict == "loss" and line.found.unrealized is not None:
            said.append(
                tr("{percent} of {loss_threshold_percent}").format(
                    percent=signed_percent(line.found.percent),
                    loss_threshold_percent=loss(risk.loss_threshold_percent),
                )
            )
        else:
            said.append(_WORDS.get(verdict, reason))
    return ", ".join(said)


_WORDS = {
    "position": tr("nothing is held"),
    "not_closing": tr("it is closing"),
    "not_on_hold": tr("it is on hold"),
    "fresh_price": tr("its price is old"),
    "filled_grid": tr("entry legs still work"),
    "full_pyramids": tr("pyramids are missing"),
    "timer": tr("its timer has not started"),
    "loss": tr("no loss"),
    "age": tr("not old enough"),
    "sellable": tr("too small to be sold"),
    "not_blocked": tr("blocked by you"),
    "not_skipped": tr("skipped once by you"),
}


def _told(line: Line) -> list[str]:
    """Return the rules behind `reasons`, in the same order."""
    reasons = line.reasons
    return [each.name for each in line.unmet if SHORT[each.name] in reasons]


def uncovered(plan: OffsetPlan, risk: Risk) -> str:
    """Say why a plan is not carried out; “Not covered” stands before it."""
    partial = "" if risk.allow_partial_offset else tr(" Partial offsets are off.")
    return tr("{amount} USD are missing.{partial}").format(amount=usd(plan.missing), partial=partial)


def runs(obstacle: str, next_at: datetime | None, now: datetime, *, rehearsed: bool) -> str:
    """Say when a plan is carried out, or what keeps it."""
    if obstacle and not rehearsed:
        return obstacle
    left = tr(", in {span}").format(span=countdown(next_at - now)) if next_at is not None else ""
    if rehearsed:
        return tr("rehearsed at the next evaluation{left}: nothing is sent").format(left=left)
    return tr("runs at the next evaluation{left}").format(left=left)


def when(next_at: datetime | None, now: datetime, interval_s: int, last: datetime | None) -> str:
    """Say when it was evaluated, and when the next evaluation comes."""
    if next_at is None:
        return tr("it does not evaluate")
    if last is not None:
        return tr("last evaluated {time} · {next_at}").format(
            time=local_time(last), next_at=when(next_at, now, interval_s, None)
        )
    return tr("next in {span} · every {interval_s}").format(
        span=countdown(next_at - now), interval_s=every(interval_s)
    )


def every(seconds: int) -> str:
    """Write how often it is evaluated: 60 s, 5 min."""
    return f"{seconds} s" if seconds < 120 or seconds % 60 else span(timedelta(seconds=seconds))
