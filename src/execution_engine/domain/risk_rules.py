"""When a group can be the loser of an offset: a list of small rules, each with its verdict in words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias

from execution_engine.domain.grid import money
from execution_engine.domain.money import HUNDRED, text
from execution_engine.domain.risk_candidate import Candidate
from execution_engine.domain.rows import GroupStatus
from execution_engine.domain.settings import Risk, TimerStart

C: TypeAlias = Candidate
R: TypeAlias = Risk
T: TypeAlias = datetime


@dataclass(frozen=True, slots=True)
class RiskVerdict:
    """What one rule says about one group.

    name: a stable word. title: what is asked. words: how it stands. asked: the settings ask for it; a rule that
    is not asked is met. until: when it will be met by itself, for a countdown; None where that is not known.
    """

    name: str
    title: str
    met: bool
    words: str
    asked: bool = True
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class RiskRule:
    """One condition of SPEC's list."""

    name: str
    title: str
    met: Callable[[C, R, T], bool]
    words: Callable[[C, R, T], str]
    asked: Callable[[R], bool] = lambda risk: True
    until: Callable[[C, R], datetime | None] = lambda found, risk: None

    def verdict(self, found: Candidate, risk: Risk, now: datetime) -> RiskVerdict:
        """Ask the rule, in words."""
        if not self.asked(risk):
            return RiskVerdict(self.name, self.title, True, "not asked by the settings", asked=False)
        met = self.met(found, risk, now)
        until = None if met else self.until(found, risk)
        return RiskVerdict(self.name, self.title, met, self.words(found, risk, now), until=until)


def verdicts(found: Candidate, risk: Risk, now: datetime) -> tuple[RiskVerdict, ...]:
    """Return what every rule says about a group, in the order in which they are shown."""
    return tuple(rule.verdict(found, risk, now) for rule in RULES)


def is_eligible(found: Candidate, risk: Risk, now: datetime) -> bool:
    """Return whether a group can be the loser."""
    return not found.group.skip_once and is_eligible_but_for_skip(found, risk, now)


def is_eligible_but_for_skip(found: Candidate, risk: Risk, now: datetime) -> bool:
    """Return whether a group could be the loser if it were not skipped once."""
    return all(rule.met(found, risk, now) for rule in QUICKEST_FIRST)


# -- the rules


def _has_lost(found: C, risk: R, _: T) -> bool:
    result = found.unrealized
    if result is None or result >= 0:
        return False
    return result * HUNDRED <= risk.loss_threshold_percent * found.group.invested


def _loss_words(found: C, risk: R, _: T) -> str:
    if found.unrealized is None:
        return "no result without a position and a fresh price"
    limit = text(risk.loss_threshold_percent)
    return f"{money(found.percent)} % now; asked is {limit} % or less"


def _position_words(found: C, _: R, __: T) -> str:
    held = found.group.avg_entry is not None
    return f"holds {text(found.group.open_quantity)} {found.group.base}" if held else "nothing is held"


def _grid_is_filled(found: C, risk: R, _: T) -> bool:
    return not risk.require_filled_grid or found.group.status is GroupStatus.ACTIVE


def _grid_words(found: C, _: R, __: T) -> str:
    return "no entry leg is working" if found.group.status is GroupStatus.ACTIVE else "entry legs still work"


def _is_full(found: C, risk: R, _: T) -> bool:
    return not risk.require_full_pyramids or found.group.pyramid_count >= found.group.max_pyramids


def _full_words(found: C, _: R, __: T) -> str:
    return f"{found.group.pyramid_count} of {found.group.max_pyramids} pyramids"


def _timer_expired(found: C, _: R, now: T) -> bool:
    expires = found.group.timer_expires_at
    return expires is not None and now >= expires


WAITS_FOR = {
    TimerStart.AFTER_5_PYRAMIDS: "all pyramids are there",
    TimerStart.AFTER_ALL_DCA_SUBMITTED: "all legs were submitted",
    TimerStart.AFTER_ALL_DCA_FILLED: "all legs filled",
}


def _timer_words(found: C, risk: R, now: T) -> str:
    expires = found.group.timer_expires_at
    if expires is None:
        return f"not started; it starts when {WAITS_FOR[risk.timer_start]}"
    at = f"{expires:%Y-%m-%d %H:%M:%S}"
    return f"expired {at} UTC" if now >= expires else f"runs until {at} UTC"


def _old_from(found: C, risk: R) -> datetime:
    return found.group.created_at + timedelta(minutes=risk.age_threshold_minutes)


def _is_old(found: C, risk: R, now: T) -> bool:
    return not risk.use_age_filter or now > _old_from(found, risk)


def _age_words(found: C, risk: R, now: T) -> str:
    minutes = int((now - found.group.created_at).total_seconds() // 60)
    return f"{minutes} min old; asked are more than {risk.age_threshold_minutes} min"


POSITION = RiskRule(
    "position",
    "Has a position",
    lambda found, risk, now: found.group.avg_entry is not None,
    _position_words,
)
NOT_CLOSING = RiskRule(
    "not_closing",
    "Is not closing",
    lambda found, risk, now: found.group.is_open,
    lambda found, risk, now: "open" if found.group.is_open else found.group.close_reason or "closing",
)
NOT_ON_HOLD = RiskRule(
    "not_on_hold",
    "Is not on hold",
    lambda found, risk, now: not found.hold,
    lambda found, risk, now: found.hold or "nothing holds it",
)
FRESH_PRICE = RiskRule(
    "fresh_price",
    "Has a fresh price",
    lambda found, risk, now: found.price is not None,
    lambda found, risk, now: (
        "no fresh price"
        if found.price is None
        else f"a close would get {text(found.price)} {found.group.quote}"
    ),
)
FILLED_GRID = RiskRule(
    "filled_grid",
    "No entry leg is working",
    _grid_is_filled,
    _grid_words,
    asked=lambda risk: risk.require_filled_grid,
)
FULL_PYRAMIDS = RiskRule(
    "full_pyramids",
    "Has all its pyramids",
    _is_full,
    _full_words,
    asked=lambda risk: risk.require_full_pyramids,
)
TIMER = RiskRule(
    "timer",
    "Its timer has expired",
    _timer_expired,
    _timer_words,
    until=lambda found, risk: found.group.timer_expires_at,
)
LOSS = RiskRule("loss", "Has lost enough", _has_lost, _loss_words)
AGE = RiskRule(
    "age", "Is old enough", _is_old, _age_words, asked=lambda risk: risk.use_age_filter, until=_old_from
)
SELLABLE = RiskRule(
    "sellable",
    "Is large enough to be sold",
    lambda found, risk, now: found.unrealized is not None and found.closable > 0,
    lambda found, risk, now: (
        "all of it can be sold"
        if found.unrealized is not None and found.closable > 0
        else "below the exchange's minimum, or without a price"
    ),
)
NOT_BLOCKED = RiskRule(
    "not_blocked",
    "Is not blocked",
    lambda found, risk, now: not found.group.blocked,
    lambda found, risk, now: "blocked by you" if found.group.blocked else "not blocked",
)
NOT_SKIPPED = RiskRule(
    "not_skipped",
    "Is not skipped once",
    lambda found, risk, now: not found.group.skip_once,
    lambda found, risk, now: "skipped the next time" if found.group.skip_once else "not skipped",
)

RULES = (
    POSITION,
    NOT_CLOSING,
    NOT_ON_HOLD,
    FRESH_PRICE,
    FILLED_GRID,
    FULL_PYRAMIDS,
    TIMER,
    LOSS,
    AGE,
    SELLABLE,
    NOT_BLOCKED,
    NOT_SKIPPED,
)
QUICKEST_FIRST = (
    LOSS,
    TIMER,
    NOT_CLOSING,
    NOT_ON_HOLD,
    NOT_BLOCKED,
    FULL_PYRAMIDS,
    FILLED_GRID,
    AGE,
    SELLABLE,
)  # a loss asks for a position and a fresh price already
