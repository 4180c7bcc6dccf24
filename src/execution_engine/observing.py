"""What the application finds out about itself, joined: counts, latencies, the lag of its loop, alarms, metrics, health.

It lives as long as the process: it has to speak when the engine cannot.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from loguru import logger

from execution_engine import __version__
from execution_engine.adapters import machine, metrics
from execution_engine.adapters.clock import SystemClock
from execution_engine.adapters.log_table import LogTable
from execution_engine.adapters.metrics import Family
from execution_engine.adapters.storage.reader import Reader
from execution_engine.adapters.watchdog import Watchdog
from execution_engine.core import MOST_BEHIND, Core
from execution_engine.domain.alarms import Alarms, Reading, fact_of
from execution_engine.domain.errors import StoreFailed
from execution_engine.domain.facts import Fact, Level
from execution_engine.domain.inputs import AlarmChanged, MayChange
from execution_engine.domain.observation import Observation, Stage
from execution_engine.domain.overdue import overdue
from execution_engine.domain.settings import Notifications
from execution_engine.engine.breaker import State
from execution_engine.engine.feed import Released

BEAT_S = 1.0
LAG_KEPT = 60  # beats
JUDGED_EVERY = 5  # beats
WRITTEN_AT_ONCE = 500  # lines of the log in one commit: a few milliseconds
RECENT = timedelta(minutes=5)
STALL_COUNTED_S, STALL_TOLD_S = 0.25, 2.0
STALL_MOST_S = (
    5.0  # beyond that the machine slept or the process was stopped, which is told by whoever sees it
)
STALLS_LOGGED_EVERY_S, STALLS_TOLD_EVERY_S = 10.0, 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """What observing asks of the rest of the application.

    core: what runs now. status: the engine's word and its reasons. trouble: why nothing runs; empty while it does.
    ills: reasons for ill health. tell: tells a fact outside when the desk cannot. waiting: notifications that wait.
    """

    core: Callable[[], Core]
    status: Callable[[], tuple[str, list[str]]]
    trouble: Callable[[], str]
    ills: Callable[[], list[str]]
    tell: Callable[[Fact], None]
    waiting: Callable[[], int]
    folder: Path


@dataclass(slots=True)
class Observing:
    """Watches one process. lag_s: of the loop, per beat of the last minute.

    stalls: how often the loop stood still. resident, free: bytes, None if unknown."""

    house: House
    clock: SystemClock
    table: LogTable
    observation: Observation = field(init=False)
    alarms: Alarms = field(default_factory=Alarms)
    lag_s: deque[float] = field(default_factory=lambda: deque(maxlen=LAG_KEPT))
    stalls: int = 0
    resident: int | None = None
    free: int | None = None
    _task: asyncio.Task[None] | None = None
    _writing: bool = False
    _watchdog: Watchdog | None = None
    _stall_logged: float = -STALLS_LOGGED_EVERY_S
    _stall_told: float = -STALLS_TOLD_EVERY_S

    def __post_init__(self) -> None:
        self.observation = Observation(self.clock.now())

    async def start(self) -> None:
        """Begin to watch, and to write the log into the database."""
        newest = await asyncio.to_thread(Reader(self.house.core().database).log, 1)
        self.table.begin(newest[0].id if newest else 0)
        loop = asyncio.get_running_loop()
        self._task = loop.create_task(self._keep(), name="observation")

        def over(took_s: float, stack: str) -> None:
            loop.call_soon_threadsafe(self.stalled, took_s, stack)

        self._watchdog = Watchdog(loop.call_soon_threadsafe, over)
        self._watchdog.start()

    async def stop(self) -> None:
        """Write what is left of the log, and end."""
        if self._watchdog is not None:
            self._watchdog.stop()
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            self._write_log()

    def released(self, change: Released) -> None:
        """Hear what was committed; it is counted once the orders of this change are on their way."""
        now = self.clock.now()
        asyncio.get_running_loop().call_soon(self.observation.released, change.rows, change.facts, now)

    def stalled(self, took_s: float, stack: str) -> None:
        """Take note that the loop stood still, and where."""
        now = self.clock.monotonic()
        if took_s > STALL_MOST_S:
            return
        if now - self._stall_logged >= STALLS_LOGGED_EVERY_S:
            self._stall_logged = now
            logger.info("The loop stood still for {:.0f} ms at {}", took_s * 1000, stack)
        if took_s >= STALL_COUNTED_S:
            self.stalls += 1
        if took_s >= STALL_TOLD_S and now - self._stall_told >= STALLS_TOLD_EVERY_S:
            self._stall_told = now
            text = (
                f"The program stood still for {took_s:.1f} s; alerts and prices waited. The log says where."
            )
            change = AlarmChanged(code="alarm_loop", text=text, level=Level.WARNING)
            self._tell(self.house.core(), change)

    async def _keep(self) -> None:
        beat = 0
        while True:
            before = self.clock.monotonic()
            await asyncio.sleep(BEAT_S)
            self.lag_s.append(max(self.clock.monotonic() - before - BEAT_S, 0.0))
            try:
                self._write_log()
                beat += 1
                if beat % JUDGED_EVERY == 0:
                    await self.judge()
            except Exception:
                logger.exception("The application could not be observed")

    # -- the log's table

    def _write_log(self) -> None:
        """Have the store write the next lines of the log; nothing is on its way twice."""
        core = self.house.core()
        if self._writing or core.desk.failed is not None or core.store.failed is not None:
            return
        rows = self.table.take(WRITTEN_AT_ONCE)
        if not rows:
            return

        def done(failure: StoreFailed | None) -> None:
            self._writing = False
            if failure is not None:
                core.desk.post(
                    MayChange(), lambda _: None
                )  # the desk finds out, too, and all that follows from it

        self._writing = True
        core.store.write(rows, done)

    # -- alarms

    async def judge(self) -> None:
        """Measure, and tell what went beyond its limit or came back."""
        self.resident = machine.resident_bytes()
        self.free = await asyncio.to_thread(machine.free_bytes, self.house.folder)
        core = self.house.core()
        limits: Notifications = core.book.settings.notifications
        for change in self.alarms.judge(self.reading(), limits):
            self._tell(core, change)

    def _tell(self, core: Core, change: AlarmChanged) -> None:
        if core.desk.failed is None and not self.house.trouble():
            core.desk.post(change)
            return
        logger.bind(category="SYSTEM", fact={"code": change.code}).log(change.level.value, "{}", change.text)
        self.house.tell(fact_of(change))

    def reading(self) -> Reading:
        """Return what alarms judge."""
        now = self.clock.now()
        return Reading(
            at=now,
            stream_age_s=self.stream_age_s(now),
            errors_per_minute=self.table.errors_per_minute,
            latency_ms=self.observation.latency(Stage.ANSWER, now, RECENT).p95_ms,
            disk_free_mb=None if self.free is None else self.free / 1e6,
            overdue=overdue(self.house.core().book, now),
            reasons=tuple(self.house.ills()),
        )

    def stream_age_s(self, now: datetime) -> float | None:
        """Return the age of the oldest price that matters; None where none does. One set by hand does not age."""
        book = self.house.core().book
        prices = (book.prices.get(market) for market in book.markets_in_use())
        ages = [
            (now - price.at).total_seconds() for price in prices if price is not None and not price.manual
        ]
        return max(ages, default=None)

    # -- health and metrics

    def ills(self) -> list[str]:
        """Return what is wrong outside of the engine's own books, in words: exchanges, streams, the disk's queue."""
        core, now = self.house.core(), self.clock.now()
        found = [
            f"{condition.account}: the exchange does not answer"
            for condition in core.running.ways.conditions
            if condition.breaker is State.OPEN
        ]
        age, limit = self.stream_age_s(now), core.book.settings.notifications.stream_age_s
        if age is not None and 0 < limit < age:
            found.append(f"prices that matter are {age:.0f} s old")
        if core.desk.behind > MOST_BEHIND:
            found.append(f"{core.desk.behind} changes wait for the disk")
        return found

    def health(self) -> dict[str, Any]:
        """Return what `/health` says beside status, database, accounts and prices."""
        core, now = self.house.core(), self.clock.now()
        age = self.stream_age_s(now)
        return {
            "version": __version__,
            "uptime_s": round((now - self.observation.started_at).total_seconds()),
            "exchanges": {
                condition.account: condition.breaker.value for condition in core.running.ways.conditions
            },
            "streams": {"oldest_price_s": None if age is None else round(age, 1)},
            "tasks_failed": list(core.tasks.failed),
            "queues": {
                "signals": len(core.book.queue),
                "store": core.desk.behind,
                "notifications": self.house.waiting(),
            },
            "loop_lag_ms": round(max(self.lag_s, default=0.0) * 1000, 1),
            "memory_mb": None if self.resident is None else round(self.resident / 1e6, 1),
            "disk_free_mb": None if self.free is None else round(self.free / 1e6),
            "alarms": sorted(self.alarms.raised),
        }

    async def metrics(self) -> str:
        """Return everything as the text that Prometheus reads."""
        return await asyncio.to_thread(metrics.rendered, list(self._families()))

    def _families(self) -> Iterator[Family]:
        core, now, seen = self.house.core(), self.clock.now(), self.observation
        book = core.book
        word, _ = self.house.status()

        def gauge(name: str, text: str, value: float | None) -> Family:
            return Family(name=name, help=text, values={} if value is None else {(): value})

        yield Family(
            name="alerts",
            help="Alerts by outcome since the start.",
            labels=("outcome",),
            values={(outcome,): count for outcome, count in seen.alerts.items()},
            counts=True,
        )
        yield Family(
            name="orders",
            help="Orders that reached a status since the start.",
            labels=("purpose", "status"),
            values={labels: float(count) for labels, count in seen.orders.items()},
            counts=True,
        )
        yield Family(
            name="events",
            help="Events by level since the start.",
            labels=("level",),
            values={(level,): count for level, count in seen.facts.items()},
            counts=True,
        )
        yield Family(
            name="latency_seconds",
            help="Time on the way of an alert, by stage.",
            labels=("stage",),
            histograms={(stage.value,): histogram for stage, histogram in seen.histograms.items()},
        )
        yield Family(
            name="status", help="1 for the engine's word.", labels=("status",), values={(word,): 1.0}
        )
        yield gauge("healthy", "1 while all is well.", float(not self.house.ills()))
        states = Counter((account.status.value,) for account in book.accounts.values())
        yield Family(name="accounts", help="Accounts by status.", labels=("status",), values=_floats(states))
        groups = Counter((group.world.value, group.status.value) for group in book.groups.values())
        yield Family(
            name="groups",
            help="Position groups in memory by world and status.",
            labels=("world", "status"),
            values=_floats(groups),
        )
        waiting = Counter((row.world.value,) for row in book.queue.values())
        yield Family(name="queue", help="Signals that wait.", labels=("world",), values=_floats(waiting))
        yield gauge("store_behind", "Decisions that are not durable yet.", core.desk.behind)
        yield gauge("notifications_waiting", "Notifications that were not taken yet.", self.house.waiting())
        yield gauge("stream_age_seconds", "Age of the oldest price that matters.", self.stream_age_s(now))
        yield gauge("loop_lag_seconds", "Longest lag of the loop in a minute.", max(self.lag_s, default=None))
        yield Family(
            name="loop_stalls",
            help="Times the loop stood still for 0.25 s.",
            values={(): self.stalls},
            counts=True,
        )
        yield gauge("errors_per_minute", "Errors in the log.", self.table.errors_per_minute)
        yield gauge("memory_bytes", "Resident memory.", self.resident)
        yield gauge("disk_free_bytes", "Room on the disk.", self.free)
        yield gauge("tasks", "Background tasks at work.", len(core.tasks.names))
        yield gauge("start_time_seconds", "When it was started.", seen.started_at.timestamp())


def _floats(counts: Counter[Any]) -> dict[tuple[str, ...], float]:
    return {labels: float(count) for labels, count in counts.items()}
