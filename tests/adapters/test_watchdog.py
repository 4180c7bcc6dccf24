"""A loop that stands still is noticed, with what holds it."""

import asyncio
import threading

import pytest

from execution_engine.adapters.watchdog import Watchdog, stack_of
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


@pytest.mark.fault(69)
def test_looking_at_a_stack_keeps_nothing_that_its_thread_lets_go() -> None:
    """A painter that lives on behind its frame paints into what is shown already, and dies on a strange thread."""
    here, over = threading.get_ident(), threading.Event()
    died_on: list[int] = []

    class Painter:
        def __del__(self) -> None:
            died_on.append(threading.get_ident())

    def paint(number: int) -> None:
        painter = Painter()
        over.wait(0.0001)  # the other thread may look
        assert painter
        assert died_on == [here] * number

    def look() -> None:
        while not over.is_set():
            assert "test_looking_at_a_stack" in stack_of(here)

    looking = threading.Thread(target=look)
    looking.start()
    try:
        for number in range(300):
            paint(number)
    finally:
        over.set()
        looking.join()
    assert died_on == [here] * 300
