"""An account whose exchange does not answer is left alone for a while, and tried again with what matters most."""

from __future__ import annotations

import asyncio

import pytest

from execution_engine.domain.inputs import ExitGroup, OrderReport, Verdict
from execution_engine.domain.rows import Order
from execution_engine.domain.settings import Orders as Terms
from execution_engine.engine.breaker import Breaker, Call, State
from tests.engine.virtual import PLENTY, Floor, in_virtual_time
from tests.house import HandClock

FEW = {**PLENTY, "orders.breaker_failures": 3, "orders.breaker_pause_s": 30}


def breaker() -> tuple[Breaker, HandClock, list[State]]:
    clock = HandClock()
    told: list[State] = []
    made = Breaker(
        clock, lambda: Terms(breaker_failures=3, breaker_pause_s=30), lambda: told.append(made.state)
    )
    return made, clock, told


def fail(made: Breaker, times: int, call: Call = Call.ORDERS) -> None:
    for _ in range(times):
        made.answered(call, well=False)


def test_it_opens_after_failures_in_a_row_and_not_before():
    made, clock, told = breaker()
    fail(made, 2)
    made.answered(Call.ORDERS, well=True)
    fail(made, 2)
    assert (made.state, made.lets(), told) == (State.CLOSED, True, [])
    fail(made, 1)
    assert (made.state, made.lets(), told) == (State.OPEN, False, [State.OPEN])
    assert made.until is not None
    assert (made.until - clock.now()).total_seconds() == made.half_opens_in == 30


def test_an_exchange_that_can_be_read_may_still_take_no_orders():
    made, *_ = breaker()
    for _ in range(3):
        made.answered(Call.ORDERS, well=False)
        made.answered(Call.READING, well=True)
    assert made.state is State.OPEN


def half_open() -> tuple[Breaker, HandClock, list[State]]:
    made, clock, told = breaker()
    fail(made, 3)
    clock.forward(seconds=30)
    assert made.lets()
    assert told == [State.OPEN, State.HALF_OPEN]
    assert (made.until, made.half_opens_in) == (None, None)
    return made, clock, told


@pytest.mark.parametrize(("well", "then"), [(True, State.CLOSED), (False, State.OPEN)])
def test_half_open_one_call_at_a_time_decides(well: bool, then: State):
    made, *_ = half_open()
    assert made.leaves()
    assert not made.lets()
    made.answered(Call.READING, well=not well)  # it left before
    assert made.state is State.HALF_OPEN
    made.answered(Call.ORDERS, well=well, probe=True)
    assert made.state is then
    assert not made.leaves()


def test_half_open_with_nothing_to_send_a_reading_decides():
    made, *_ = half_open()
    made.answered(Call.READING, well=True)
    assert made.state is State.CLOSED
    fail(made, 2)
    assert made.state is State.CLOSED  # it counts from the start


def test_what_is_answered_while_it_is_open_changes_nothing():
    made, clock, told = breaker()
    fail(made, 3)
    made.answered(Call.ORDERS, well=True)
    fail(made, 5)
    clock.forward(seconds=29.9)
    assert (made.state, told) == (State.OPEN, [State.OPEN])


def test_a_probe_that_did_not_leave_after_all_decides_nothing():
    made, *_ = half_open()
    made.withdrawn(probe=made.leaves())
    assert (made.state, made.lets()) == (State.HALF_OPEN, True)
    made.withdrawn(probe=False)
    assert made.lets()


# -- an account


def unclear(order: Order, report: OrderReport) -> OrderReport:
    return OrderReport(
        account=report.account,
        client_order_id=report.client_order_id,
        verdict=Verdict.UNKNOWN,
        reason="the request timed out",
        at=report.at,
    )


async def opened(house: Floor) -> None:
    """Let calls fail until the breaker is open."""
    house.exchange.answer = unclear
    for symbol, minutes in (("BTCUSDT", 61), ("ETHUSDT", 61), ("BTCUSDT", 62)):
        house.alert(symbol=symbol, timeframe=str(minutes))
        await asyncio.sleep(0.01)
    assert [told.breaker for told in house.conditions] == [State.OPEN]


def answers(order: Order, report: OrderReport) -> OrderReport:
    return report


@pytest.mark.fault(24)
@in_virtual_time
async def test_entries_wait_while_it_is_open_and_leave_when_it_closes_by_itself():
    house = Floor(FEW)
    await opened(house)
    house.exchange.answer = answers
    begun = len(house.exchange.times("place"))
    house.alerts(3)
    await asyncio.sleep(29.9)
    assert len(house.exchange.times("place")) == begun
    await asyncio.sleep(1)
    assert len(house.exchange.times("place")) == begun + 15
    assert [told.breaker for told in house.conditions] == [State.OPEN, State.HALF_OPEN, State.CLOSED]
    (condition,) = house.ways.conditions
    assert (condition.account, condition.breaker, condition.until) == ("paper", State.CLOSED, None)


@pytest.mark.fault(24)
@pytest.mark.parametrize("mended", [True, False])
@in_virtual_time
async def test_what_reduces_risk_is_tried_first_and_alone(mended: bool):
    house = Floor(FEW)
    house.alerts(1)
    await asyncio.sleep(0.01)
    house.fill(house.orders()[0])
    await opened(house)
    house.alerts(3)
    house.post(ExitGroup(group_id=house.groups[0].id))
    house.exchange.at.clear()
    house.exchange.broken = None if mended else ConnectionError("no answer")
    house.exchange.answer = answers
    house.exchange.latency_s = 1
    await asyncio.sleep(30.5)
    assert {(call, purpose) for _, call, purpose in house.exchange.at} == {
        ("cancel", "entry"),
        ("place", "exit"),
    }
    await asyncio.sleep(1)
    assert house.conditions[-1].breaker is (State.CLOSED if mended else State.OPEN)
    assert bool(house.exchange.times("place", "entry")) is mended


@in_virtual_time
async def test_an_account_that_cannot_be_read_opens_it_and_the_next_good_reading_closes_it():
    house = Floor(FEW)
    patient = house.ways.patient("paper")
    house.exchange.readable = False
    for _ in range(3):
        await patient.open_orders("paper")
    assert house.ways("paper").breaker.state is State.OPEN
    house.alerts(1)
    house.exchange.readable = True
    await patient.open_orders("paper")
    await asyncio.sleep(29)
    assert house.exchange.at == []
    await asyncio.sleep(2)  # the entries were the probe
    assert house.ways("paper").breaker.state is State.CLOSED
    assert house.entries == ["open"] * 5


@in_virtual_time
async def test_look_ups_wait_too_and_one_of_them_may_be_the_probe(caplog: pytest.LogCaptureFixture):
    house = Floor(FEW)
    house.alerts(1)
    await asyncio.sleep(1)
    house.exchange.broken = ConnectionError("no answer")
    for order in house.orders():
        house.says(order, Verdict.UNKNOWN)
    await asyncio.sleep(20)
    assert house.ways("paper").breaker.state is State.OPEN
    tried = len(house.exchange.times("look"))
    assert tried == 5  # they had left together
    await asyncio.sleep(20)
    assert len(house.exchange.times("look")) == tried + 1
    assert house.ways("paper").breaker.state is State.OPEN
    house.exchange.broken = None
    await asyncio.sleep(60)
    assert house.entries == ["open"] * 5


@in_virtual_time
async def test_a_step_revoked_at_the_last_moment_is_no_probe():
    house = Floor(FEW)
    await opened(house)
    house.alerts(1)
    group = house.groups[-1].id
    await asyncio.sleep(29.9)
    house.exchange.at.clear()
    house.exchange.open.clear()  # a look-up has its turn then, and is not answered

    def revoke(_: object) -> None:
        if house.conditions[-1].breaker is State.HALF_OPEN:
            asyncio.get_running_loop().call_soon(house.post, ExitGroup(group_id=group))

    house.ways.on_change(revoke)
    await asyncio.sleep(0.2)
    assert house.ways("paper").breaker.state is State.HALF_OPEN
    assert house.exchange.times("place") == []
    house.exchange.answer = answers
    house.exchange.open.set()  # that look-up is the probe instead
    await asyncio.sleep(1)
    assert house.ways("paper").breaker.state is State.CLOSED


@in_virtual_time
async def test_that_it_is_half_open_is_told_in_time_with_nobody_waiting():
    house = Floor(FEW)
    house.ways("paper").wake_in(1)
    fail(house.ways("paper").breaker, 3)
    await asyncio.sleep(30.1)
    assert [told.breaker for told in house.conditions] == [State.OPEN, State.HALF_OPEN]
