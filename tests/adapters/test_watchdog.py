"""A loop that stands still is noticed, with what holds it."""

import asyncio
import threading

import pytest

from execution_engine.adapters.watchdog import Watchdog
from tests.waiting import until


@pytest.mark.fault(69)
async def test_what_holds_the_loop_is_named() -> None:
    loop = asyncio.get_running_loop()
    noticed = threading.Event()
    told: list[tuple[float, str]] = []
    watchdog = Watchdog(
        loop.call_soon_threadsafe,
        lambda took, stack: told.append((took, stack)),
        lambda stack: noticed.set(),
        every_s=0.001,
    )

    def hold_the_loop() -> None:
        assert noticed.wait(10)

    watchdog.start()
    hold_the_loop()
    await until(lambda: told)
    watchdog.stop()
    took, stack = told[0]
    assert took >= 0.05
    assert "hold_the_loop" in stack


async def test_a_loop_that_is_gone_ends_the_watch() -> None:
    def gone(call: object) -> None:
        raise RuntimeError("Event loop is closed")

    watchdog = Watchdog(gone, lambda took, stack: None, every_s=0.001)
    watchdog.start()
    await until(lambda: not watchdog._thread.is_alive())
