"""Look-ups of many orders: no storm, no crowd of tasks, and orders never wait for them."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from execution_engine.domain.inputs import (
    AccountChanged,
    CancelLegs,
    ExitGroup,
    Input,
    OpenOrders,
    OrderReport,
    Started,
    Verdict,
)
from execution_engine.domain.rates import Rates, fifth
from execution_engine.domain.rows import Order
from execution_engine.engine import looks
from execution_engine.engine.reconcile import Reconcile
from tests.engine.exchange import report
from tests.engine.virtual import PLENTY, Floor, VirtualLoop, in_virtual_time, most_in
from tests.waiting import until

BUDGET = Rates(requests=fifth(10, 1))


async def in_doubt(count: int, rates: Rates = BUDGET) -> Floor:
    """Open groups and lose sight of all their orders at once."""
    house = Floor(PLENTY, rates=rates)
    house.alerts(count // 5)
    await asyncio.sleep(1)
    house.exchange.latency_s = 0.1
    house.exchange.at.clear()
    for order in house.orders():
        house.says(order, Verdict.UNKNOWN)
    return house


@pytest.mark.fault(23)
@in_virtual_time
async def test_many_orders_in_doubt_are_no_storm_no_crowd_and_keep_no_order_waiting():
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    house = await in_doubt(1000)
    crowd = 0
    for _ in range(200):
        await asyncio.sleep(0.05)
        crowd = max(crowd, len(house.tasks.names))
    assert crowd <= looks.AT_ONCE
    assert loop.timers <= looks.AT_ONCE + 2
    asked = loop.time()
    house.alerts(1, "ETHUSDT")
    await asyncio.sleep(0.2)
    assert house.exchange.times("place") == [asked] * 5
    await asyncio.sleep(130)
    assert most_in(house.exchange.times("look"), 1) <= 8  # two places are kept for readings
    assert set(house.entries) == {"open"}
    assert len(house.exchange.times("look")) == 1000  # each of them once


@in_virtual_time
async def test_without_a_budget_few_are_looked_up_at_the_same_time():
    house = await in_doubt(200, Rates())
    await asyncio.sleep(0.6)
    assert most_in(house.exchange.times("look"), 0.09) == looks.AT_ONCE
    await asyncio.sleep(5)
    assert set(house.entries) == {"open"}


@pytest.mark.fault(72)
@in_virtual_time
async def test_a_look_up_far_in_the_future_keeps_no_task():
    house = Floor(PLENTY)
    house.alerts(1)
    await asyncio.sleep(1)
    house.exchange.found = Verdict.UNKNOWN
    house.says(house.orders()[0], Verdict.UNKNOWN)
    for _ in range(30):
        await asyncio.sleep(1)
        assert house.tasks.names == []
    assert house.exchange.times("look") == pytest.approx([1.5, 2.5, 4.5, 8.5, 16.5, 24.5], abs=0.1)
    assert house.conditions == []  # one order that cannot be looked up does not say that the exchange is away


@in_virtual_time
async def test_what_closes_a_position_is_looked_up_before_what_opens_one():
    house = Floor(PLENTY, rates=BUDGET)
    house.alerts(1)
    await asyncio.sleep(1)
    house.fill(house.orders()[0])
    house.alerts(20, "ETHUSDT")
    house.post(ExitGroup(group_id=house.groups[0].id))
    await asyncio.sleep(1)
    house.exchange.at.clear()
    for order in house.orders("entry")[5:]:
        house.says(order, Verdict.UNKNOWN)
    await asyncio.sleep(1)
    house.says(house.orders("exit")[0], Verdict.UNKNOWN)
    asked = asyncio.get_running_loop().time()
    await asyncio.sleep(5)
    (at,) = house.exchange.times("look", "exit")
    assert at - asked <= 1.6  # half a second, and until the next place is free
    assert len(house.exchange.times("look", "entry")) < 100


@in_virtual_time
async def test_an_order_in_doubt_is_cancelled_at_once_and_looked_up_all_the_same():
    house = Floor(PLENTY)
    house.alerts(1)
    await asyncio.sleep(1)
    order = house.orders()[0]
    house.exchange.at.clear()

    async def nothing_there(orders: list[Order]) -> list[OrderReport]:
        house.exchange.at += [(asyncio.get_running_loop().time(), "cancel", "entry") for _ in orders]
        return [report(one, Verdict.ABSENT).__class__(**about_cancel(one)) for one in orders]

    def about_cancel(one: Order) -> dict[str, object]:
        return {
            "account": one.account,
            "client_order_id": one.client_order_id,
            "verdict": Verdict.ABSENT,
            "about_cancel": True,
            "at": house.clock.now(),
        }

    house.exchange.cancel = nothing_there  # type: ignore[method-assign, assignment]
    house.says(order, Verdict.UNKNOWN)
    house.post(CancelLegs(group_id=house.group.id))
    asked = asyncio.get_running_loop().time()
    await asyncio.sleep(0.4)
    assert house.exchange.times("cancel")[0] == asked
    assert house.book.orders[order.id].status == "unknown"  # that it knows no such order proves nothing
    await asyncio.sleep(0.2)
    assert house.exchange.times("look")[0] == pytest.approx(asked + 0.5, abs=0.01)


def listed(house: Floor) -> None:
    """Say that everything rests that the books take to be open."""
    known = frozenset(order.client_order_id for order in house.orders() if order.status == "open")
    house.post(OpenOrders(account="paper", reports=(), known=known, at=house.clock.now()))
    house.lanes.listed("paper")


@in_virtual_time
async def test_after_a_start_the_list_of_what_rests_comes_before_every_look_up():
    house = await in_doubt(50)
    house.post(Started())
    await asyncio.sleep(30)
    assert house.exchange.times("look") == []
    for order in house.orders()[:48]:
        house.says(order)
    listed(house)
    await asyncio.sleep(5)
    assert len(house.exchange.times("look")) == 2
    listed(house)
    assert house.book.accounts["paper"].status == "ready"
    house.post(Started())  # read anew: what was listed before does not count
    house.says(house.orders()[0], Verdict.UNKNOWN)
    await asyncio.sleep(5)
    assert len(house.exchange.times("look")) == 2


@in_virtual_time
async def test_an_account_trades_as_soon_as_all_that_was_in_doubt_was_looked_for():
    before = Floor(PLENTY)
    before.exchange.open.clear()
    before.alerts(1)
    await asyncio.sleep(1)
    before.lanes.stop()
    house = Floor(store=before.store)
    house.start()
    house.exchange.found = Verdict.ABSENT
    house.exchange.latency_s = 0.1

    def post(said: Input) -> None:
        house.desk.post(said)
        if isinstance(said, OpenOrders):
            house.lanes.listed(said.account)

    reconcile = Reconcile(house.book, house.ways.patient, post, house.clock)
    house.lanes.on_looked(reconcile.looked)
    house.tasks.spawn("reconcile", reconcile.keep("paper"))
    begun = asyncio.get_running_loop().time()
    await until(lambda: house.book.accounts["paper"].status == "ready")
    assert asyncio.get_running_loop().time() - begun < 0.2
    read = [call for call, _ in house.exchange.calls]
    assert [read.count(call) for call in ("open orders", "balances", "look")] == [2, 2, 5]
    assert read.index("look") > read.index("open orders")
    assert house.exchange.times("place") == []


@in_virtual_time
async def test_a_balance_that_is_waited_for_is_read_within_a_second_and_at_most_once_a_second():
    house = Floor({"orders.poll_s": 60})
    reconcile = Reconcile(house.book, house.ways.patient, house.desk.post, house.clock)
    house.tasks.spawn("reconcile", reconcile.keep("paper"))

    def readings() -> int:
        return [call for call, _ in house.exchange.calls].count("balances")

    await asyncio.sleep(30)
    assert house.book.accounts["paper"].status == "ready"
    before = readings()
    reconcile.soon("paper")
    await asyncio.sleep(0.5)
    assert readings() == before + 1
    for _ in range(50):  # somebody who is never content
        reconcile.soon("paper")
        await asyncio.sleep(0.1)
    assert readings() - before in (5, 6, 7)
    settled = readings()
    await asyncio.sleep(50)
    assert readings() <= settled + 1


@in_virtual_time
async def test_a_look_up_refused_for_the_rate_slows_the_account_down():
    house = Floor(PLENTY)
    house.alerts(1)
    await asyncio.sleep(1)

    async def too_many(order: Order) -> OrderReport:
        house.exchange.at.append((asyncio.get_running_loop().time(), "look", "entry"))
        said = report(order, Verdict.UNKNOWN)
        return OrderReport(
            account=said.account,
            client_order_id=said.client_order_id,
            verdict=Verdict.UNKNOWN,
            code="RateLimitError",
            at=house.clock.now(),
        )

    house.exchange.look = too_many  # type: ignore[method-assign]
    house.says(house.orders()[0], Verdict.UNKNOWN)
    await asyncio.sleep(0.6)
    (told,) = house.conditions
    assert told.slow_until is not None


@in_virtual_time
async def test_a_removed_accounts_orders_stay_in_doubt_without_harm():
    house = Floor(PLENTY)
    house.alerts(1)
    await asyncio.sleep(1)
    house.says(house.orders()[0], Verdict.UNKNOWN)
    row = house.book.accounts.pop("paper")
    await asyncio.sleep(2)
    assert house.orders()[0].status == "open"
    house.post(AccountChanged(account=row))


@in_virtual_time
async def test_a_look_up_that_something_under_it_cancelled_proves_nothing(caplog: pytest.LogCaptureFixture):
    house = await in_doubt(5)
    house.exchange.broken = asyncio.CancelledError("by a library, from within")
    await asyncio.sleep(5)
    assert "a look-up broke off" in caplog.text
    assert {order.status for order in house.orders()} == {"unknown"}
    house.exchange.broken = None
    await asyncio.sleep(120)
    assert {order.status for order in house.orders()} == {"open"}


@in_virtual_time
async def test_a_look_up_that_is_answered_about_another_order_is_made_again():
    house = await in_doubt(5)
    answered, look = [], house.exchange.look

    async def about_another(order: Order) -> OrderReport:
        answered.append(order)
        said = await look(order)
        return said if len(answered) > 5 else replace(said, client_order_id="another")

    house.exchange.look = about_another
    await asyncio.sleep(10)
    assert house.entries == ["open"] * 5
