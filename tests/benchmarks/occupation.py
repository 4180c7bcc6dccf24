"""How long the loop is held with the window open, 200 groups and 1,000 price changes a second."""

from __future__ import annotations

import asyncio
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
        held = await _held(SECONDS)
        noise.cancel()
    return [
        Figure("loop held, window open, p50", percentile(held, 0.5) * 1000),
        Figure("loop held, window open, p99", percentile(held, 0.99) * 1000, 16),
        Figure("longest stall in a minute", max(held) * 1000, 50),
    ]


async def _held(seconds: float) -> list[float]:
    """Return how long each turn of the loop kept a waiting callback from running."""
    held = []
    end = time.monotonic() + seconds
    loop = asyncio.get_running_loop()
    while time.monotonic() < end:
        future: asyncio.Future[float] = loop.create_future()
        asked = time.perf_counter()
        loop.call_soon(lambda at=asked, f=future: f.set_result(time.perf_counter() - at))
        held.append(await future)
        await asyncio.sleep(PAUSE_S)
    return held
