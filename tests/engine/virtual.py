"""Time that passes as soon as nobody has anything to do, and a house that lives in it."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Awaitable, Callable, Iterator, Sequence
from datetime import timedelta
from typing import Any

from execution_engine.domain.inputs import OrderReport
from execution_engine.domain.rates import UNLIMITED, Rates
from execution_engine.domain.rows import Order
from execution_engine.engine.lanes import Lanes
from execution_engine.engine.tasks import Tasks
from execution_engine.engine.way import Condition, Ways
from tests.conftest import LoopComplaints
from tests.engine.exchange import Exchange
from tests.house import House, InlineStore

PLENTY = {
    "pool.max_open_groups": 1000,
    "pool.max_pyramids": 1,
    "capital.total_usd": 100000,
    "signals.max_entries_per_day": 0,
}


class VirtualLoop(asyncio.BaseEventLoop):
    """An asyncio loop that never waits: it moves its time on to the next timer, and tells by how much."""

    def __init__(self) -> None:
        super().__init__()
        self._now = 0.0
        self._clock_resolution = 1e-9
        self._selector = self
        self.moved: list[Callable[[float], None]] = []

    def time(self) -> float:
        return self._now

    def select(self, timeout: float | None) -> tuple[()]:
        assert timeout is not None, "nothing will ever happen again"
        self._now += timeout
        for listener in self.moved if timeout else ():
            listener(timeout)
        return ()

    def _process_events(self, events: object) -> None: ...

    def _write_to_self(self) -> None: ...

    @property
    def timers(self) -> int:
        return sum(not timer.cancelled() for timer in self._scheduled)  # type: ignore[attr-defined]


def in_virtual_time(test: Callable[..., Awaitable[None]]) -> Callable[..., None]:
    """Run a coroutine test on a loop whose time costs nothing."""

    @functools.wraps(test)
    def run(*args: Any, **kwargs: Any) -> None:
        loop = VirtualLoop()
        complaints = LoopComplaints(loop)
        asyncio.set_event_loop(loop)
        try:
            loop.run_until_complete(test(*args, **kwargs))
        finally:
            for task in asyncio.all_tasks(loop):
                task.cancel()
            loop.run_until_complete(asyncio.sleep(0))
            asyncio.set_event_loop(None)
            loop.close()
        complaints.fail_if_any()

    return run


class TimedExchange(Exchange):
    """Notes when each order was asked about, and takes its time to answer."""

    def __init__(self) -> None:
        super().__init__()
        self.at: list[tuple[float, str, str]] = []
        self.latency_s = 0.0
        self.heard: Callable[[str, str], None] = lambda call, purpose: None
        self.answer: Callable[[Order, OrderReport], OrderReport] = lambda order, report: report

    async def _answer(self, call: str, orders: Sequence[Order]) -> None:
        now = asyncio.get_running_loop().time()
        self.at += [(now, call, order.purpose.value) for order in orders]
        for order in orders:
            self.heard(call, order.purpose.value)
        await asyncio.sleep(self.latency_s)
        await super()._answer(call, orders)

    async def place(self, orders: Sequence[Order]) -> Sequence[OrderReport]:
        reports = await super().place(orders)
        return [self.answer(order, report) for order, report in zip(orders, reports, strict=False)]

    def times(self, call: str, purpose: str = "") -> list[float]:
        return [at for at, called, of in self.at if called == call and purpose in ("", of)]


class Floor(House):
    """A house whose orders leave through lanes, in virtual time where it runs on a virtual loop."""

    def __init__(
        self,
        settings: dict[str, Any] | None = None,
        store: InlineStore | None = None,
        rates: Rates = UNLIMITED,
    ) -> None:
        super().__init__(settings, store=store)
        self.exchange = TimedExchange()
        self.tasks = Tasks()
        self.ways = Ways(self.book, lambda _: self.exchange, self.clock, lambda *_: rates)
        self.lanes = Lanes(self.book, self.ways, self.desk.post, self.clock, self.tasks)
        self.feed.on_released(self.lanes.released)
        self.conditions: list[Condition] = []
        self.ways.on_change(self.conditions.append)
        loop = asyncio.get_running_loop()
        if isinstance(loop, VirtualLoop):
            loop.moved.append(self._time_passed)
        self.price("BTCUSDT", "65000")
        self.price("ETHUSDT", "3000")

    def _released(self, change: Any) -> None:
        self.facts += change.facts  # nothing is sent by hand here

    def _time_passed(self, seconds: float) -> None:
        self.clock.time += timedelta(seconds=seconds)

    def alerts(self, count: int, symbol: str = "BTCUSDT") -> None:
        """Open a group of five legs per timeframe."""
        used = sum(group.symbol == symbol for group in self.groups)
        for minutes in range(used + 1, used + count + 1):
            self.alert(symbol=symbol, timeframe=str(minutes))

    @property
    def entries(self) -> list[str]:
        return [order.status.value for order in self.orders("entry")]


def most_in(times: Sequence[float], window_s: float) -> int:
    """Return how many of these times at most lie in any window, its end left out."""
    return max(_counts(sorted(times), window_s), default=0)


def _counts(times: Sequence[float], window_s: float) -> Iterator[int]:
    first = 0
    for last, at in enumerate(times):
        while times[first] <= at - window_s:
            first += 1
        yield last - first + 1
