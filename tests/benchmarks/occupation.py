"""How long the loop is held with the window open, 200 groups and 1,000 price changes a second."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterable

from execution_engine.main import Application
from tests.benchmarks.figures import Figure, percentile
from tests.benchmarks.journeys import in_window, move_prices
from tests.benchmarks.stage import prepare, running, seeded

SECONDS = 60
PAUSE_S = 0.002


def measure() -> Iterable[Figure]:
    prepare()
    figures: list[Figure] = in_window(_measure)
    return figures


async def _measure(show: Callable[[Application], None]) -> list[Figure]:
    async with seeded() as folder, running(folder) as application:
        show(application)
        await asyncio.sleep(2)
        noise = asyncio.create_task(move_prices(application))
        waits = await held(SECONDS)
        noise.cancel()
    return [
        Figure("loop held, window open, p50", percentile(waits, 0.5) * 1000),
        Figure("loop held, window open, p99", percentile(waits, 0.99) * 1000, 16),
        Figure("longest stall in a minute", max(waits) * 1000, 50),
    ]


async def held(seconds: float) -> list[float]:
    """Return how long a callback that another thread hands to the loop waits for its turn, every 2 ms [s]."""
    loop = asyncio.get_running_loop()
    waits: list[float] = []
    stop = threading.Event()

    def knock() -> None:
        due = time.perf_counter()
        while not stop.wait(max(due - time.perf_counter(), 0)):
            # From when it was due: the knock itself has to wait while the loop keeps the interpreter lock.
            loop.call_soon_threadsafe(lambda at=due: waits.append(time.perf_counter() - at))
            due = max(due + PAUSE_S, time.perf_counter() - PAUSE_S)

    thread = threading.Thread(target=knock)
    thread.start()
    await asyncio.sleep(seconds)
    stop.set()
    await asyncio.to_thread(thread.join)
    return waits
