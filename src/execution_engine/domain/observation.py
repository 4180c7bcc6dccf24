"""What the application finds out about itself: how often, how fast, how much. Nothing is decided from it."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, OrderedDict, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple, TypeVar

from execution_engine.domain.facts import Fact
from execution_engine.domain.rows import Alert, Fill, Order, OrderStatus, Purpose, RefusedRequest, Row

WINDOW = timedelta(hours=1)
MOST = 10_000  # samples of one stage within the window
KEPT = 4_000  # orders and alerts that are remembered
AT_ONCE = timedelta(seconds=60)  # an order that fills later waited for its price, not for us
FRESH = timedelta(seconds=10)  # an entry that follows its alert later came from the queue
BOUNDS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)

K = TypeVar("K")
V = TypeVar("V")


class Stage(StrEnum):
    """One span on the way of an alert; the word names its histogram."""

    ANSWER = "alert_to_answer"  # received → committed and answered
    ORDER = "alert_to_order"  # received → the exchange has the order
    FILL = "order_to_fill"  # the order left → its first fill is in the books


@dataclass(slots=True)
class Histogram:
    """Counts of what was at most so long, as Prometheus wants them."""

    counts: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS_S) + 1))
    total_s: float = 0.0

    def add(self, seconds: float) -> None:
        self.counts[bisect_left(BOUNDS_S, seconds)] += 1
        self.total_s += seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """A stage over the last hour [ms]; None where nothing was measured."""

    stage: Stage
    count: int
    p50_ms: float | None = None
    p95_ms: float | None = None
    p99_ms: float | None = None


class Stand(NamedTuple):
    """What has to be known of an order when more is heard of it; the row itself would stay in memory for this."""

    status: OrderStatus
    sent_at: datetime | None
    acknowledged: bool


@dataclass(slots=True)
class Observation:
    """Counts and measures what is released.

    alerts: by outcome; `refused` were answered 4xx. orders: by status that was reached. facts: by level.
    """

    started_at: datetime
    alerts: Counter[str] = field(default_factory=Counter)
    orders: Counter[tuple[str, str]] = field(default_factory=Counter)
    facts: Counter[str] = field(default_factory=Counter)
    histograms: dict[Stage, Histogram] = field(
        default_factory=lambda: {stage: Histogram() for stage in Stage}
    )
    _samples: dict[Stage, deque[tuple[datetime, float]]] = field(
        default_factory=lambda: {stage: deque(maxlen=MOST) for stage in Stage}
    )
    _alerts: OrderedDict[int, str] = field(default_factory=OrderedDict)
    _causes: OrderedDict[int, datetime] = field(default_factory=OrderedDict)
    _orders: OrderedDict[int, Stand] = field(default_factory=OrderedDict)
    _filled: OrderedDict[int, bool] = field(default_factory=OrderedDict)

    def released(self, rows: Iterable[Row], facts: Iterable[Fact], now: datetime) -> None:
        """Take in what was committed."""
        for row in rows:
            if isinstance(row, Alert):
                self._alert(row, now)
            elif isinstance(row, Order):
                self._order(row)
            elif isinstance(row, Fill):
                self._fill(row, now)
            elif isinstance(row, RefusedRequest):
                self.alerts["refused"] += 1
        self.facts.update(fact.level.value for fact in facts)

    def _alert(self, row: Alert, now: datetime) -> None:
        if row.received_at < self.started_at:
            return  # an earlier run took it in
        before = self._alerts.get(row.id)
        outcome = row.outcome.value if row.outcome else ""
        _remember(self._alerts, row.id, outcome)
        if before is None:
            self._measured(Stage.ANSWER, now - row.received_at, now)
        if outcome and outcome != before:
            self.alerts[outcome] += 1
        if row.group_id is not None and before is None:
            _remember(self._causes, row.group_id, row.received_at)

    def _order(self, row: Order) -> None:
        before = self._orders.get(row.id)
        _remember(self._orders, row.id, Stand(row.status, row.sent_at, row.acknowledged_at is not None))
        if before is None or before.status is not row.status:
            self.orders[row.purpose.value, row.status.value] += 1
        if row.acknowledged_at is None or before is None or before.acknowledged:
            return
        cause = self._causes.get(row.group_id)
        if row.purpose is Purpose.ENTRY and cause is not None and row.created_at - cause <= FRESH:
            self._measured(Stage.ORDER, row.acknowledged_at - cause, row.acknowledged_at)

    def _fill(self, row: Fill, now: datetime) -> None:
        order = self._orders.get(row.order_id)
        if order is None or order.sent_at is None or row.order_id in self._filled:
            return
        _remember(self._filled, row.order_id, True)
        if now - order.sent_at <= AT_ONCE:
            self._measured(Stage.FILL, now - order.sent_at, now)

    def _measured(self, stage: Stage, span: timedelta, at: datetime) -> None:
        seconds = max(span.total_seconds(), 0.0)  # the clock may have been set
        samples = self._samples[stage]
        samples.append((at, seconds))
        while samples[0][0] <= at - WINDOW:
            samples.popleft()
        self.histograms[stage].add(seconds)

    def latency(self, stage: Stage, now: datetime, window: timedelta = WINDOW) -> Latency:
        """Return a stage's percentiles over the last while."""
        recent = sorted(seconds for at, seconds in self._samples[stage] if at > now - window)
        if not recent:
            return Latency(stage=stage, count=0)
        p50, p95, p99 = (_percentile(recent, share) * 1000 for share in (50, 95, 99))
        return Latency(stage=stage, count=len(recent), p50_ms=p50, p95_ms=p95, p99_ms=p99)

    def latencies(self, now: datetime) -> tuple[Latency, ...]:
        """Return every stage over the last hour."""
        return tuple(self.latency(stage, now) for stage in Stage)


def _percentile(ordered: Sequence[float], share: int) -> float:
    """Return the smallest value that is not below that share of them."""
    return ordered[max(-(-len(ordered) * share // 100) - 1, 0)]


def _remember(known: OrderedDict[K, V], key: K, value: V) -> None:
    known[key] = value
    if len(known) > KEPT:
        known.popitem(last=False)
