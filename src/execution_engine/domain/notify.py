"""What is told outside of the window: which facts, when, how many, and how long it is tried.

Times are the user's local ones where a clock on the wall decides (quiet hours, the daily summary).
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from fnmatch import fnmatchcase
from functools import lru_cache

from execution_engine.domain.facts import Category, Fact, Level
from execution_engine.domain.money import ZERO
from execution_engine.domain.settings import Notifications, NotifyTarget

HOUR = timedelta(hours=1)
SUMMED_AFTER = timedelta(minutes=15)  # what was left out is told in one message, not in many
FIRST_PAUSE_S, LAST_PAUSE_S = 5.0, 600.0
TRIED_FOR = timedelta(hours=1)
CRITICAL_TRIED_FOR = timedelta(hours=24)
MOST_CHARACTERS = 1500  # below what any of the services takes in one message
MOST_KINDS = 6
_ORDER = list(Level)
_HEADINGS = {
    Level.DEBUG: "Execution Engine",
    Level.INFO: "Execution Engine",
    Level.WARNING: "Execution Engine: warning",
    Level.ERROR: "Execution Engine: error",
    Level.CRITICAL: "Execution Engine: act now",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What is told. code: the fact's, or `summary`, `left_out`, `test`."""

    title: str
    text: str
    level: Level = Level.INFO
    code: str
    at: datetime

    @property
    def is_critical(self) -> bool:
        return self.level is Level.CRITICAL


@dataclass(frozen=True, slots=True)
class Rule:
    """Facts from a level on, and besides those that a pattern names; what `never` names is not told at all.

    A pattern names a fact's code (`group_closed`, `risk_*`) or its category (`SECURITY`).
    """

    level: Level
    also: tuple[str, ...] = ()
    never: tuple[str, ...] = ()

    def wants(self, fact: Fact) -> bool:
        return _wants(self, fact.level, fact.code, fact.category)


@lru_cache(maxsize=1_024)  # there are some hundred codes and a handful of rules
def _wants(rule: Rule, level: Level, code: str, category: Category) -> bool:
    if _named(code, category, rule.never):
        return False
    return _ORDER.index(level) >= _ORDER.index(rule.level) or _named(code, category, rule.also)


def _named(code: str, category: Category, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(word, each) for word in (code, category.value) for each in patterns)


def rule_of(settings: Notifications, target: NotifyTarget | None = None) -> Rule:
    """Return the rule of a target: its own where it has one, else the one for all."""
    level = settings.level if target is None or target.level is None else target.level
    also = settings.also if target is None or target.also is None else target.also
    never = settings.never if target is None or target.never is None else target.never
    return Rule(Level(level.value), also, never)


def message_of(fact: Fact, at: datetime) -> Message:
    """Put a fact into words for people who don't see the window."""
    world = f" ({fact.world})" if fact.world else ""
    return Message(
        title=f"{_HEADINGS[fact.level]}{world}",
        text=shortened(fact.text),
        level=fact.level,
        code=fact.code,
        at=at,
    )


def shortened(text: str) -> str:
    return text if len(text) <= MOST_CHARACTERS else text[: MOST_CHARACTERS - 1] + "…"


# -- quiet hours and the limit


def clock_time(text: str) -> time | None:
    """Return a time of day from the settings, `08:30`; None where none is set."""
    if not text:
        return None
    hours, _, minutes = text.partition(":")
    return time(int(hours), int(minutes))


def is_quiet(settings: Notifications, local: datetime) -> bool:
    """Return whether it is one of the quiet hours; they may go over midnight."""
    start, end = clock_time(settings.quiet_from), clock_time(settings.quiet_until)
    if start is None or end is None or start == end:
        return False
    now = local.time()
    return start <= now < end if start < end else now >= start or now < end


@dataclass(slots=True)
class Sieve:
    """What gets through to one target: nothing in quiet hours, no more than the limit, critical ones always.

    Critical ones have a limit of their own, as many again, so that a storm of them cannot go on for ever.
    """

    _passed: dict[bool, deque[datetime]] = field(default_factory=lambda: {True: deque(), False: deque()})
    _left_out: Counter[str] = field(default_factory=Counter)
    _since: datetime | None = None

    def passes(self, message: Message, settings: Notifications, local: datetime) -> bool:
        """Return whether a message is told now; what is not is counted."""
        quiet = is_quiet(settings, local) and not message.is_critical
        if quiet or self._is_full(message.is_critical, settings, local):
            self._left_out[message.code] += 1
            self._since = self._since or local
            return False
        self._passed[message.is_critical].append(local)
        return True

    def _is_full(self, critical: bool, settings: Notifications, local: datetime) -> bool:
        passed = self._passed[critical]
        while passed and passed[0] <= local - HOUR:
            passed.popleft()
        return 0 < settings.most_per_hour <= len(passed)

    def left_out(self, settings: Notifications, local: datetime) -> Message | None:
        """Return what was left out in one message once its time has come, and forget it."""
        if self._since is None or is_quiet(settings, local) or local < self._since + SUMMED_AFTER:
            return None
        count = self._left_out.total()
        kinds = [f"{number} × {code}" for code, number in self._left_out.most_common(MOST_KINDS)]
        more = len(self._left_out) - len(kinds)
        if more:
            kinds.append(f"{more} other kinds")
        word = "notification was" if count == 1 else "notifications were"
        text = f"{count} {word} left out since {self._since:%H:%M}: {', '.join(kinds)}. Logs has all of them."
        self._left_out.clear()
        self._since = None
        return Message(title="Execution Engine: left out", text=text, code="left_out", at=local)


# -- how long it is tried


def pause_s(failures: int) -> float:
    """Return how long to wait after so many failures in a row [s]."""
    return min(FIRST_PAUSE_S * 2.0 ** min(failures - 1, 20), LAST_PAUSE_S)


def is_given_up(message: Message, now: datetime) -> bool:
    """Return whether a message is too old to be tried once more."""
    return now - message.at > (CRITICAL_TRIED_FOR if message.is_critical else TRIED_FOR)


# -- what is shown of it


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetShown:
    """One target as the screen and the command line show it.

    kind: what its address begins with (`tgram`); empty while the vault is locked or does not know it.
    trouble: why the last message was not taken. lost: how many messages were given up.
    """

    name: str
    kind: str = ""
    enabled: bool = True
    waiting: int = 0
    sent: int = 0
    lost: int = 0
    trouble: str = ""
    last_at: datetime | None = None


# -- the daily summary


@dataclass(frozen=True, slots=True, kw_only=True)
class WorldDay:
    """One world's day. unrealized: None while a price is missing."""

    realized: Decimal = ZERO
    unrealized: Decimal | None = None
    trades: int = 0
    wins: int = 0
    open_groups: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    worlds: Mapping[str, WorldDay]
    queued: int = 0
    problems: Sequence[str] = ()


def summary_is_due(settings: Notifications, told_on: date | None, local: datetime) -> bool:
    """Return whether the day's summary is to be told now; `told_on`: the day of the last one."""
    at = clock_time(settings.summary_at)
    return at is not None and local.time() >= at and told_on != local.date()


def summary(day: Day, local: datetime) -> Message:
    """Put the last 24 hours into words."""
    lines = [_world_line(name, world) for name, world in day.worlds.items()]
    lines.append(f"Queue: {day.queued} waiting." if day.queued else "Nothing waits in the queue.")
    lines += [f"Needs attention: {problem}" for problem in day.problems[:MOST_KINDS]]
    if len(day.problems) > MOST_KINDS:
        lines.append(f"… and {len(day.problems) - MOST_KINDS} more.")
    if not day.problems:
        lines.append("No problems.")
    return Message(
        title=f"Execution Engine: summary of {local:%d %b %Y}",
        text=shortened("\n".join(lines)),
        code="summary",
        at=local,
    )


def _world_line(name: str, world: WorldDay) -> str:
    open_now = "unknown" if world.unrealized is None else _signed(world.unrealized)
    trades = f"{world.trades} {'trade' if world.trades == 1 else 'trades'}"
    won = f", {world.wins} won" if world.trades else ""
    positions = f"{world.open_groups} open {'position' if world.open_groups == 1 else 'positions'}"
    return (
        f"{name.capitalize()}: {_signed(world.realized)} USD realized in 24 h ({trades}{won}), "
        f"{positions}, {open_now}{'' if world.unrealized is None else ' USD'} unrealized."
    )


def _signed(amount: Decimal) -> str:
    return f"{amount:+,.2f}".replace("-", "−")
