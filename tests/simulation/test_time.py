"""Virtual time: it passes only when nobody has anything to do, and never by itself."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from random import Random

import pytest

from tests.simulation.clock import MachineClock
from tests.simulation.loop import Stuck, Timeline, VirtualLoop

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def timeline() -> Timeline:
    return Timeline()


def test_an_hour_of_sleep_takes_no_time(timeline: Timeline):
    loop = VirtualLoop(timeline)
    loop.run_until_complete(asyncio.sleep(3600))
    assert timeline.now == pytest.approx(3600)
    loop.close()


def test_events_of_the_outside_and_timers_happen_in_the_order_of_their_times(timeline: Timeline):
    loop, seen = VirtualLoop(timeline), []
    timeline.at(2, seen.append, "outside at 2")
    timeline.at(4, seen.append, "outside at 4")
    loop.call_later(1, seen.append, "timer at 1")
    loop.call_later(3, seen.append, "timer at 3")
    loop.call_later(5, loop.stop)
    loop.run_forever()
    assert seen == ["timer at 1", "outside at 2", "timer at 3", "outside at 4"]
    loop.close()


def test_an_event_can_wake_a_task(timeline: Timeline):
    loop = VirtualLoop(timeline)

    async def wait() -> float:
        answer: asyncio.Future[None] = loop.create_future()
        timeline.after(7, answer.set_result, None)
        await answer
        return loop.time()

    assert loop.run_until_complete(wait()) == 7
    loop.close()


def test_waiting_for_what_never_comes_is_told(timeline: Timeline):
    loop = VirtualLoop(timeline)
    never = loop.create_future()
    with pytest.raises(Stuck):
        loop.run_until_complete(never)
    loop.close()


def test_timers_fire_early_and_late_within_a_tenth(timeline: Timeline):
    loop, late = VirtualLoop(timeline, Random(1), 0.1), []
    for _ in range(50):
        began = timeline.now
        loop.run_until_complete(asyncio.sleep(10))
        late.append(timeline.now - began - 10)
    assert min(late) < -0.5
    assert max(late) > 0.5
    assert all(abs(off) <= 1 for off in late)
    loop.close()


def test_a_task_of_a_dead_program_reaches_nobody(timeline: Timeline):
    loop, seen = VirtualLoop(timeline), []

    async def work() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            asyncio.get_running_loop().call_soon(seen.append, "last words")

    loop.create_task(work())
    loop.call_later(1, loop.stop)
    loop.run_forever()
    loop.abandon()
    timeline.run_until(120)
    assert seen == []


def test_a_clock_that_was_set_is_wrong_on_the_wall_alone(timeline: Timeline):
    clock = MachineClock(timeline, NOON)
    timeline.run_until(60)
    clock.wrong_s = -3600
    assert clock.now() == datetime(2026, 3, 1, 11, 1, tzinfo=UTC)
    assert clock.monotonic() == 60


def test_a_monotonic_clock_may_stand_still_while_the_machine_sleeps(timeline: Timeline):
    clock, loop = MachineClock(timeline, NOON), VirtualLoop(timeline)
    loop.call_later(10, loop.stop)
    timeline.run_until(600)  # asleep
    clock.slept_s = 600
    loop.stand_still(600)
    loop.run_forever()
    assert clock.monotonic() == pytest.approx(10)
    assert clock.now() == datetime(2026, 3, 1, 12, 10, 10, tzinfo=UTC)
    loop.close()
