"""When the application itself calls for attention: old prices, many errors, slow answers, a full disk, closes that
take too long, ill health."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from execution_engine.domain.draft import Draft
from execution_engine.domain.facts import Category, Fact, Level
from execution_engine.domain.inputs import AlarmChanged
from execution_engine.domain.settings import Notifications

AGAIN_ABOVE = 1.2  # what just came back below its limit may swing; it has to be clearly better


class Alarm(StrEnum):
    """The word is the code of its fact, after `alarm_`."""

    STREAM = "stream"
    ERRORS = "errors"
    LATENCY = "latency"
    DISK = "disk"
    CLOSING = "closing"
    HEALTH = "health"


_LEVELS = {
    Alarm.STREAM: Level.ERROR,
    Alarm.ERRORS: Level.WARNING,
    Alarm.LATENCY: Level.WARNING,
    Alarm.DISK: Level.CRITICAL,
    Alarm.CLOSING: Level.CRITICAL,
    Alarm.HEALTH: Level.CRITICAL,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What was measured. None: there is nothing to measure.

    stream_age_s: of the oldest price of an open position. latency_ms: p95 from alert to answer, of five minutes.
    overdue: positions that ought to be closed by now, in words.
    reasons: why the application is not healthy; empty while it is.
    """

    at: datetime
    stream_age_s: float | None = None
    errors_per_minute: int = 0
    latency_ms: float | None = None
    disk_free_mb: float | None = None
    overdue: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()


@dataclass(slots=True)
class Alarms:
    """Remembers what was raised, so that each thing is told once when it begins and once when it ends."""

    raised: dict[Alarm, str] = field(default_factory=dict)
    _ill_since: datetime | None = None

    def judge(self, now: Reading, limits: Notifications) -> list[AlarmChanged]:
        """Return what is to be told."""
        return list(self._changes(now, limits))

    def _changes(self, now: Reading, limits: Notifications) -> Iterator[AlarmChanged]:
        for alarm, text in self._judged(now, limits):
            if text and alarm not in self.raised:
                self.raised[alarm] = text
                yield AlarmChanged(code=f"alarm_{alarm}", text=text, level=_LEVELS[alarm])
            elif not text and alarm in self.raised:
                del self.raised[alarm]
                yield AlarmChanged(code=f"alarm_{alarm}", text=_OVER[alarm], level=Level.INFO)

    def _judged(self, now: Reading, limits: Notifications) -> Iterator[tuple[Alarm, str]]:
        age, slow, free = now.stream_age_s, now.latency_ms, now.disk_free_mb
        if self._is_above(Alarm.STREAM, age, limits.stream_age_s):
            yield (
                Alarm.STREAM,
                f"Prices of open positions are {age:.0f} s old; targets and risk wait for new ones.",
            )
        else:
            yield Alarm.STREAM, ""
        errors = now.errors_per_minute
        many = self._is_above(Alarm.ERRORS, errors, limits.errors_per_minute)
        yield Alarm.ERRORS, f"{errors} errors were logged within a minute; Logs shows them." if many else ""
        late = self._is_above(Alarm.LATENCY, slow, limits.latency_ms)
        yield (
            Alarm.LATENCY,
            f"Alerts are answered after {slow:.0f} ms (p95); TradingView waits 3 s." if late else "",
        )
        limit = limits.disk_free_mb * (AGAIN_ABOVE if Alarm.DISK in self.raised else 1)
        full = free is not None and free < limit
        yield (
            Alarm.DISK,
            f"Only {free:.0f} MB are free on the disk; without room nothing is stored." if full else "",
        )
        late_closes = "; ".join(now.overdue)
        yield Alarm.CLOSING, f"{late_closes}. It is tried again until it is closed." if late_closes else ""
        yield Alarm.HEALTH, self._illness(now, limits)

    def _is_above(self, alarm: Alarm, value: float | None, limit: int) -> bool:
        if value is None or limit == 0:
            return False
        return value > limit / (AGAIN_ABOVE if alarm in self.raised else 1)

    def _illness(self, now: Reading, limits: Notifications) -> str:
        if not now.reasons or limits.unhealthy_s == 0:
            self._ill_since = None
            return ""
        self._ill_since = self._ill_since or now.at
        lasted = now.at - self._ill_since
        if lasted < timedelta(seconds=limits.unhealthy_s):
            return ""
        return f"Something has been wrong for {lasted.total_seconds():.0f} s: {'; '.join(now.reasons)}."


_OVER = {
    Alarm.STREAM: "Prices of open positions are fresh again.",
    Alarm.ERRORS: "There are few errors again.",
    Alarm.LATENCY: "Alerts are answered quickly again.",
    Alarm.DISK: "There is room on the disk again.",
    Alarm.CLOSING: "What was to be closed is closed.",
    Alarm.HEALTH: "All is well again.",
}


def changed(draft: Draft, said: AlarmChanged) -> None:
    """Tell the user."""
    draft.tell(said.code, said.text, said.level, Category.SYSTEM, notice=True)


def fact_of(said: AlarmChanged) -> Fact:
    """Return what is told where the desk cannot: its database failed."""
    return Fact(code=said.code, text=said.text, level=said.level, category=Category.SYSTEM, notice=True)
