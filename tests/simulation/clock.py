"""The clock of the machine that the engine runs on: it can be set, and it stands still while the machine sleeps."""

from __future__ import annotations

from datetime import datetime, timedelta

from tests.simulation.loop import Timeline


class TrueClock:
    """Everybody else's clock: it is right."""

    def __init__(self, timeline: Timeline, start: datetime) -> None:
        self._timeline = timeline
        self._start = start

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self._timeline.now)


class MachineClock(TrueClock):
    """Implements the engine's `Clock`. Both of its faults outlive a crash of the program.

    wrong_s: how far the time on the wall is off. slept_s: what the monotonic clock has not counted.
    """

    def __init__(self, timeline: Timeline, start: datetime) -> None:
        super().__init__(timeline, start)
        self.wrong_s = 0.0
        self.slept_s = 0.0
        self._set_at = 0.0

    def set_on(self, seconds: float) -> None:
        """Set the time on the wall on, or back if negative."""
        self.wrong_s += seconds
        self._set_at = self._timeline.now

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self._timeline.now + self.wrong_s)

    def monotonic(self) -> float:
        return self._timeline.now - self.slept_s

    def true_time(self, at: datetime) -> float:
        """Return when this clock showed a time [s]; now, if it was set meanwhile."""
        then, now = (at - self._start).total_seconds() - self.wrong_s, self._timeline.now
        since_then_only_asleep = self._set_at <= then <= now
        return then if since_then_only_asleep or abs(then - now) < 60 else now
