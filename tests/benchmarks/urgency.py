"""An exit behind a full backlog of entries, in virtual time: what a rate limit does to it."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Coroutine, Iterable
from typing import Any

from execution_engine.domain.inputs import ExitGroup
from execution_engine.domain.rates import USUAL
from tests.benchmarks.figures import Figure
from tests.engine.virtual import PLENTY, Floor, VirtualLoop

BACKLOG = 100  # entries
LATENCY_S = 0.05


def measure() -> Iterable[Figure]:
    first_come = in_virtual_time(_first_in_first_out)
    exit, cancels, work = in_virtual_time(_by_urgency)
    beside = f"first in, first out: {first_come * 1000:.0f} ms (virtual time, {_budget()})"
    return [
        Figure(f"an exit behind {BACKLOG} entries leaves after", exit * 1000, 250, beside=beside),
        Figure("… the last of its cancels", cancels * 1000, 250, beside="the same"),
        Figure("… and of real time from the command to the port", work * 1000, 250),
    ]


def in_virtual_time(work: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
    loop = VirtualLoop()
    asyncio.set_event_loop(loop)
    try:
        return loop.run_until_complete(work())
    finally:
        asyncio.set_event_loop(None)
        loop.close()


def _budget() -> str:
    assert USUAL.orders is not None
    return f"{USUAL.orders.orders} orders per {USUAL.orders.per_s} s"


async def _by_urgency() -> tuple[float, float, float]:
    """Return how long after it was asked for an exit left, the last of its cancels, and the real time of the exit."""
    house = Floor(PLENTY, rates=USUAL)
    house.exchange.latency_s = LATENCY_S
    house.alerts(1)
    await asyncio.sleep(30)
    group = house.groups[0].id
    house.fill(house.orders()[0])
    house.alerts(BACKLOG // 5)
    await asyncio.sleep(1)  # everything that the budget lets through has left
    assert house.entries.count("pending") == BACKLOG - 40
    handed: list[float] = []
    house.exchange.heard = lambda call, purpose: handed.append(time.perf_counter())
    asked, begun = asyncio.get_running_loop().time(), time.perf_counter()
    house.post(ExitGroup(group_id=group))
    await asyncio.sleep(60)
    (left,) = house.exchange.times("place", "exit")
    assert house.entries.count("pending") == 0
    house.lanes.stop()
    await house.tasks.stop()
    return left - asked, house.exchange.times("cancel")[-1] - asked, handed[0] - begun


async def _first_in_first_out() -> float:
    """Return the same for a bare queue that keeps to the same budget."""
    assert USUAL.orders is not None
    loop = asyncio.get_running_loop()
    waiting = deque(["entry"] * BACKLOG)
    left: deque[float] = deque()
    waiting.append("exit")
    begun = loop.time()
    while waiting:
        while len(left) >= USUAL.orders.orders:
            await asyncio.sleep(left[0] + USUAL.orders.per_s - loop.time())
            while left and left[0] + USUAL.orders.per_s <= loop.time():
                left.popleft()
        waiting.popleft()
        left.append(loop.time())
    return loop.time() - begun
