"""What waits for room in the rate budget: the most urgent leaves first, and only what is still wanted."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from execution_engine.domain.inputs import AccountChanged, ExitGroup, OpenOrders, OrderReport, Price, Verdict
from execution_engine.domain.rates import Rates, fifth
from execution_engine.domain.rows import AccountStatus, Order, World, WorldHold
from execution_engine.engine.breaker import State
from execution_engine.engine.feed import Released
from tests.engine.virtual import PLENTY, Floor, in_virtual_time, most_in
from tests.house import D

SPOT = Rates(orders=fifth(50, 10), requests=fifth(10, 1))


def floor(rates: Rates = SPOT, **settings) -> Floor:
    return Floor({**PLENTY, **settings}, rates=rates)


def now() -> float:
    return asyncio.get_running_loop().time()


async def holding(house: Floor, symbol: str = "BTCUSDT") -> int:
    """Open a group whose first leg is filled, and let its orders be forgotten by the budget."""
    house.alerts(1, symbol)
    await asyncio.sleep(11)
    group = house.groups[-1]
    house.fill(next(order for order in house.orders("entry") if order.group_id == group.id))
    return group.id


@in_virtual_time
async def test_a_backlog_of_entries_leaves_by_the_budget_and_leaves_a_fifth_alone():
    house = floor()
    house.alerts(30)
    await asyncio.sleep(60)
    times = house.exchange.times("place")
    assert len(times) == 150
    assert most_in(times, 10) == 40
    assert times[-1] <= 31  # no slower than the budget allows
    assert house.entries == ["open"] * 150


@pytest.mark.fault(23)
@in_virtual_time
async def test_an_exit_behind_a_full_backlog_of_entries_leaves_at_once():
    house = floor()
    group = await holding(house)
    house.alerts(30)
    await asyncio.sleep(5)
    asked = now()
    house.post(ExitGroup(group_id=group))
    await asyncio.sleep(120)
    (left,) = house.exchange.times("place", "exit")
    assert left - asked <= 0.25
    assert house.exchange.times("cancel") == [left] * 4
    assert house.exchange.times("place", "entry")[-1] > 30  # they were still waiting
    assert most_in([at for at, *_ in house.exchange.at], 10) <= 50


@in_virtual_time
async def test_an_exit_without_any_room_is_the_first_to_leave_and_its_close_before_its_cancels():
    house = floor(Rates(orders=fifth(5, 10)))
    group = await holding(house)
    house.alerts(3)
    await asyncio.sleep(1)
    house.exchange.at.clear()
    house.post(ExitGroup(group_id=group))
    await asyncio.sleep(30)
    order = [(call, purpose) for _, call, purpose in house.exchange.at]
    assert order[:5] == [("place", "exit")] + [("cancel", "entry")] * 4
    assert most_in([at for at, *_ in house.exchange.at], 10) <= 5


@in_virtual_time
async def test_what_waits_leaves_by_its_urgency_whatever_came_first():
    house = floor()
    exits = await holding(house, "ETHUSDT")
    await holding(house)
    house.exchange.at.clear()
    house.ways("paper").slow_down()  # nothing leaves for a moment
    house.alerts(2)
    house.desk.post(Price(exchange="binance", symbol="BTCUSDT", last=D(66000), at=house.clock.now()))
    house.post(ExitGroup(group_id=exits))
    await asyncio.sleep(5)
    order = [(call, purpose) for _, call, purpose in house.exchange.at]
    assert sorted(order[:5]) == [("cancel", "entry")] * 4 + [("place", "exit")]
    assert order[5:] == [("place", "take_profit")] + [("place", "entry")] * 10


@in_virtual_time
async def test_what_is_revoked_while_it_waits_for_room_never_leaves():
    house = floor()
    house.alerts(10)
    await asyncio.sleep(1)
    for group in house.groups[8:]:
        house.post(ExitGroup(group_id=group.id))
    house.alerts(1)
    await asyncio.sleep(60)
    assert len(house.exchange.times("place")) == 45
    assert house.entries == ["open"] * 40 + ["cancelled"] * 10 + ["open"] * 5


@in_virtual_time
async def test_a_lane_whose_only_orders_are_revoked_while_they_wait_is_done():
    house = floor(Rates(orders=fifth(5, 10)))
    house.alerts(1)
    house.alerts(1, "ETHUSDT")
    house.post(ExitGroup(group_id=house.groups[1].id))
    await asyncio.sleep(30)
    house.alerts(1, "ETHUSDT")
    await asyncio.sleep(30)
    assert house.entries == ["open"] * 5 + ["cancelled"] * 5 + ["open"] * 5


@in_virtual_time
async def test_lanes_take_turns():
    house = floor(Rates(orders=fifth(10, 10)))
    house.alerts(20)
    house.alerts(1, "ETHUSDT")
    await asyncio.sleep(25)
    assert [order.status for order in house.orders() if order.symbol == "ETHUSDT"] == ["open"] * 5


@pytest.mark.parametrize("held", ["account", "world", "group"])
@in_virtual_time
async def test_a_hold_that_begins_while_entries_wait_keeps_them_and_lets_go_what_reduces_risk(held: str):
    house = floor(Rates(orders=fifth(5, 10)))
    group = await holding(house)
    house.alerts(2)
    await asyncio.sleep(1)
    hold(house, held, "for a reason")
    house.post(ExitGroup(group_id=group))
    await asyncio.sleep(60)
    assert len(house.exchange.times("place", "exit")) == 1
    assert house.entries.count("pending") == (5 if held == "group" else 7)
    hold(house, held, "")
    await asyncio.sleep(60)
    assert house.entries.count("open") == 10


@pytest.mark.parametrize("held", ["account", "world", "group"])
@in_virtual_time
async def test_a_hold_between_choosing_entries_and_sending_them_keeps_them_for_later(held: str):
    house = floor()
    house.alerts(1)  # chosen to leave, with the loop's next turn
    hold(house, held, "for a reason")
    await asyncio.sleep(1)
    assert house.exchange.at == []
    hold(house, held, "")
    await asyncio.sleep(1)
    assert house.entries == ["open"] * 5


@in_virtual_time
async def test_a_hold_keeps_entries_from_leaving_before_it_is_durable():
    house = floor(Rates(orders=fifth(5, 10)))
    hold(house, "account", "for a reason")
    hold(house, "account", "")  # durably
    house.alerts(2)
    await asyncio.sleep(1)
    house.store.held = []
    house.desk.post(AccountChanged(account=replace(house.book.accounts["paper"], status=AccountStatus.HOLD)))
    await asyncio.sleep(60)
    assert len(house.exchange.times("place")) == 4
    house.store.let_go()


def hold(house: Floor, held: str, reason: str) -> None:
    """Put everything, or the group whose entries wait last, on hold, or lift that."""
    if held == "account":
        status = AccountStatus.HOLD if reason else AccountStatus.READY
        house.post(AccountChanged(account=replace(house.book.accounts["paper"], status=status)))
        return
    group = house.book.groups[house.groups[-1].id]
    row = WorldHold(name=World.PAPER, reason=reason) if held == "world" else replace(group, hold=reason)
    house.book.apply([row])
    house.feed.released(Released(rows=(row,), facts=()))


@in_virtual_time
async def test_where_instruments_are_counted_apart_one_does_not_wait_for_another():
    house = floor(Rates(orders=fifth(10, 10), per_symbol=True))
    house.alerts(4)
    house.alerts(1, "ETHUSDT")
    await asyncio.sleep(1)
    states = [order.status.value for order in house.orders() if order.symbol == "ETHUSDT"]
    assert states == ["open"] * 5
    assert house.entries.count("pending") == 12
    house.price("SOLUSDT", "150")
    house.alerts(1, "SOLUSDT")  # behind a lane that has no room
    await asyncio.sleep(1)
    states = [order.status.value for order in house.orders() if order.symbol == "SOLUSDT"]
    assert states == ["open"] * 5


@pytest.mark.fault(23)
@in_virtual_time
async def test_a_refusal_for_the_rate_slows_the_account_down_and_is_told():
    house = floor()

    def too_many(order: Order, report: OrderReport) -> OrderReport:
        again = house.exchange.times("place")[-1] > 0
        refused = replace(report, verdict=Verdict.REFUSED, status=None, code="RateLimitError")
        return report if again else refused

    house.exchange.answer = too_many
    house.alerts(1)
    await asyncio.sleep(0.1)
    (told,) = house.conditions
    assert (told.account, told.breaker) == ("paper", State.CLOSED)
    assert told.slow_until is not None
    assert (told.slow_until - house.clock.now()).total_seconds() > 60
    house.alerts(10)
    await asyncio.sleep(0.8)
    assert len(house.exchange.times("place")) == 5
    await asyncio.sleep(50)
    assert most_in(house.exchange.times("place")[5:], 10) == 20
    assert house.ways.conditions == (told,)


@in_virtual_time
async def test_a_listener_that_fails_keeps_nobody_from_hearing(caplog: pytest.LogCaptureFixture):
    house = floor()
    heard: list[str] = []

    def fails(_: object) -> None:
        raise RuntimeError("broken")

    house.ways.on_change(fails)
    house.ways.on_change(lambda condition: heard.append(condition.account))
    house.ways("paper").slow_down()
    assert heard == ["paper"]
    assert "a listener failed" in caplog.text


@in_virtual_time
async def test_readings_wait_for_room_of_their_own_and_find_some_that_look_ups_leave_alone():
    house = floor(Rates(requests=fifth(10, 1)))
    patient = house.ways.patient("paper")
    await asyncio.gather(*(patient.balances("paper") for _ in range(25)))
    assert now() == pytest.approx(2, abs=0.01)
    house.exchange.readable = False
    assert not hasattr(await patient.open_orders("paper"), "reports")


@in_virtual_time
async def test_a_cancel_from_outside_of_the_lanes_is_counted_as_well():
    house = floor(Rates(orders=fifth(10, 10)))
    house.alerts(1)
    await asyncio.sleep(20)
    patient = house.ways.patient("paper")
    await patient.cancel(house.orders())
    await patient.cancel(house.orders())
    await patient.cancel(house.orders())
    assert house.exchange.times("cancel") == [20] * 10 + [30] * 5
    assert [report.status for report in await patient.place(house.orders())] == ["open"] * 5


@in_virtual_time
async def test_nothing_rings_after_the_stop():
    house = floor()
    house.alerts(10)
    await asyncio.sleep(1)
    house.lanes.stop()
    await house.tasks.stop()
    await asyncio.sleep(60)
    assert len(house.exchange.times("place")) == 40


@in_virtual_time
async def test_what_left_before_a_restart_is_counted_after_it():
    before = floor(SPOT)
    before.alerts(10)
    await asyncio.sleep(1)
    before.lanes.stop()
    house = Floor(store=before.store, rates=SPOT)  # at once
    house.clock.time = before.clock.time
    for order in house.orders():
        house.says(order)
    rests = frozenset(order.client_order_id for order in house.orders())
    house.post(OpenOrders(account="paper", reports=(), known=rests, at=house.clock.now()))
    house.alerts(10)
    await asyncio.sleep(30)
    times = before.exchange.times("place") + house.exchange.times("place")
    assert len(times) == 40 + 50
    assert most_in(times, 10) <= 40
