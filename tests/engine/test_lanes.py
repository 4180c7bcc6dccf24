"""What is committed leaves, one step at a time per account, symbol and side; what is revoked never does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from execution_engine.domain.inputs import (
    AccountChanged,
    ExitGroup,
    OpenOrders,
    OrderReport,
    Verdict,
)
from execution_engine.domain.rows import AccountStatus, Order, OrderStatus
from tests.engine.exchange import report
from tests.engine.virtual import Floor
from tests.house import House
from tests.waiting import until


@asynccontextmanager
async def floor(settings=None) -> AsyncIterator[Floor]:
    made = Floor(settings)
    try:
        yield made
        assert made.tasks.failed == []
    finally:
        made.lanes.stop()
        await made.tasks.stop()


async def quiet(house: Floor) -> None:
    """Wait until nothing is on its way."""
    await until(lambda: not house.tasks.names)


def status(house: Floor, account: AccountStatus) -> None:
    row = replace(house.book.accounts["paper"], status=account)
    house.post(AccountChanged(account=row))


async def test_the_orders_of_one_decision_leave_together():
    async with floor() as house:
        house.alert()
        await quiet(house)
        assert house.exchange.placed() == [["entry BTCUSDT"] * 5]
        assert house.entries == ["open"] * 5
        assert all(order.sent_at is not None for order in house.orders())


async def test_nothing_leaves_before_its_commit():
    async with floor() as house:
        house.store.held = []
        house.alert_later()
        await quiet(house)
        assert house.exchange.calls == []
        house.store.let_go()
        await quiet(house)
        assert len(house.exchange.placed()) == 1


async def test_a_lane_takes_one_step_at_a_time_and_lanes_run_side_by_side():
    async with floor() as house:
        house.exchange.open.clear()
        house.alert()
        house.alert(timeframe="60")  # the same lane: the exchange nets it with the first
        house.alert(symbol="ETHUSDT")
        await until(lambda: len(house.exchange.calls) == 2)
        assert house.exchange.placed() == [["entry BTCUSDT"] * 5, ["entry ETHUSDT"] * 5]
        house.exchange.open.set()
        await quiet(house)
        assert house.exchange.placed()[2:] == [["entry BTCUSDT"] * 5]


@pytest.mark.fault(29)
async def test_an_exits_cancels_leave_with_its_close_and_before_new_entries():
    async with floor() as house:
        house.alert()
        await quiet(house)
        house.fill(house.orders()[0])
        house.exchange.open.clear()
        house.alert(timeframe="60")
        await until(lambda: len(house.exchange.calls) == 2)
        house.alert(timeframe="240")
        house.post(ExitGroup(group_id=house.groups[0].id))
        house.exchange.calls.clear()
        house.exchange.open.set()
        await quiet(house)
        assert house.exchange.calls == [
            ("cancel", ["entry BTCUSDT"] * 4),
            ("place", ["exit BTCUSDT"]),
            ("place", ["entry BTCUSDT"] * 5),
        ]


async def test_a_revoked_intent_never_leaves():
    async with floor() as house:
        house.exchange.open.clear()
        house.alert()
        house.alert(timeframe="60")
        await until(lambda: len(house.exchange.calls) == 1)
        house.post(ExitGroup(group_id=house.groups[1].id))
        house.exchange.open.set()
        await quiet(house)
        assert len(house.exchange.placed()) == 1
        assert house.entries == ["open"] * 5 + ["cancelled"] * 5


@pytest.mark.fault(19)
@pytest.mark.parametrize(
    "broken", [ConnectionError("reset by peer"), asyncio.CancelledError("by a library, from within")]
)
async def test_a_call_that_breaks_off_proves_nothing(broken: BaseException, caplog: pytest.LogCaptureFixture):
    async with floor() as house:
        house.exchange.broken = broken
        house.alert()
        await until(lambda: len(house.exchange.calls) == 1)
        await until(lambda: house.entries == ["unknown"] * 5)
        house.exchange.broken = None
        house.clock.forward(seconds=1)
        await until(lambda: house.entries == ["open"] * 5)
        assert house.exchange.placed() == [["entry BTCUSDT"] * 5]
        assert "a call to the exchange broke off" in caplog.text


@pytest.mark.fault(20)
async def test_an_answer_that_lacks_an_order_proves_nothing_about_any(caplog: pytest.LogCaptureFixture):
    async with floor() as house:
        house.exchange.short = True
        house.alert()
        await until(lambda: house.entries == ["unknown"] * 5)


@pytest.mark.fault(28)
async def test_a_failed_cancel_is_looked_up_and_asked_for_again(caplog: pytest.LogCaptureFixture):
    async with floor() as house:
        house.alert()
        await quiet(house)
        house.exchange.broken = ConnectionError("reset by peer")
        house.post(ExitGroup(group_id=house.group.id))
        await until(lambda: house.entries == ["unknown"] * 5)
        house.exchange.broken = None
        house.clock.forward(seconds=1)
        await until(lambda: house.entries == ["open"] * 5)
        house.desk.look_at_clock()
        await until(lambda: house.group.status == "closed")
        assert [call for call, _ in house.exchange.calls].count("cancel") >= 2


async def test_look_ups_wait_for_their_time_and_do_not_occupy_the_lane(caplog: pytest.LogCaptureFixture):
    async with floor() as house:
        house.alert()
        await quiet(house)
        house.says(house.orders()[0], Verdict.UNKNOWN)
        house.alert(timeframe="60")
        await until(lambda: len(house.exchange.placed()) == 2)
        assert "look" not in [call for call, _ in house.exchange.calls]
        house.exchange.broken = ConnectionError("no answer")
        house.clock.forward(seconds=0.5)
        await until(lambda: "look" in [call for call, _ in house.exchange.calls])
        await until(lambda: house.orders()[0].looks == 2)
        assert house.entries[0] == "unknown"


@pytest.mark.fault(84)
async def test_a_look_up_whose_wait_ended_early_waits_again():
    async with floor() as house:
        house.alert()
        await quiet(house)
        house.says(house.orders()[0], Verdict.UNKNOWN)
        house.clock.forward(seconds=0.48)
        house.ways("paper").ring()
        for _ in range(3):
            await asyncio.sleep(0)
        assert "look" not in [call for call, _ in house.exchange.calls]
        house.clock.forward(seconds=0.02)
        await until(lambda: "look" in [call for call, _ in house.exchange.calls])


async def test_a_look_up_that_nobody_needs_any_more_is_not_made():
    async with floor() as house:
        house.alert()
        await quiet(house)
        order = house.orders()[0]
        house.says(order, Verdict.UNKNOWN)
        house.says(order)
        house.clock.forward(seconds=5)
        await quiet(house)
        assert "look" not in [call for call, _ in house.exchange.calls]


@pytest.mark.parametrize("account", [AccountStatus.RECONCILING, AccountStatus.ERROR])
async def test_an_account_that_was_not_read_sends_nothing_until_it_was(account):
    async with floor() as house:
        house.store.held = []
        house.alert_later()
        status_row = replace(house.book.accounts["paper"], status=account)
        house.desk.post(AccountChanged(account=status_row))
        house.store.let_go()
        await quiet(house)
        assert house.exchange.calls == []
        status(house, AccountStatus.READY)
        await quiet(house)
        assert len(house.exchange.placed()) == 1


async def test_an_account_on_hold_only_reduces():
    async with floor() as house:
        house.alert()
        await quiet(house)
        house.fill(house.orders()[0])
        house.store.held = []
        house.alert_later(timeframe="60")
        house.desk.post(
            AccountChanged(account=replace(house.book.accounts["paper"], status=AccountStatus.HOLD))
        )
        house.store.let_go()
        house.post(ExitGroup(group_id=house.groups[0].id))
        await quiet(house)
        assert house.exchange.calls[1:] == [("cancel", ["entry BTCUSDT"] * 4), ("place", ["exit BTCUSDT"])]
        status(house, AccountStatus.READY)
        await quiet(house)
        assert house.exchange.placed()[-1] == ["entry BTCUSDT"] * 5


async def test_what_belongs_to_no_account_stays():
    async with floor() as house:
        house.store.held = []
        house.alert_later()
        del house.book.accounts["paper"]
        house.store.let_go()
        await quiet(house)
        assert house.exchange.calls == []


async def test_stopped_lanes_send_nothing_more():
    async with floor() as house:
        house.alert()
        await quiet(house)
        house.says(house.orders()[0], Verdict.UNKNOWN)
        house.lanes.stop()
        house.clock.forward(seconds=5)
        house.alert(timeframe="60")
        await quiet(house)
        assert [call for call, _ in house.exchange.calls] == ["place"]


@pytest.mark.fault(56)
async def test_after_a_restart_orders_are_looked_up_and_never_sent_again():
    async with floor() as house:
        house.exchange.open.clear()
        house.alert()
        await until(lambda: house.exchange.calls)
        again = Floor(store=house.store)
        again.exchange.found = Verdict.ABSENT
        again.start()
        await quiet(again)
        assert again.exchange.calls == []  # most of it will be answered by the list of what rests
        again.post(OpenOrders(account="paper", reports=(), at=again.clock.time))
        again.lanes.listed("paper")
        await until(lambda: len(again.exchange.calls) == 5)
        assert {call for call, _ in again.exchange.calls} == {"look"}
        again.exchange.found = Verdict.ACCEPTED
        again.clock.forward(seconds=8)
        await until(lambda: again.entries == ["open"] * 5)
        again.post(OpenOrders(account="paper", reports=(), at=again.clock.time))
        assert again.exchange.placed() == []
        again.lanes.stop()
        await again.tasks.stop()


def test_the_fake_exchange_says_what_an_order_wants_to_hear():
    house = House()
    house.price("BTCUSDT", "65000")
    house.alert()
    order: Order = house.sent[0]
    said: OrderReport = report(order)
    assert (said.status, said.exchange_order_id) == (OrderStatus.OPEN, f"x{order.id}")


async def test_entries_leave_only_once_it_is_durable_that_their_account_trades_again():
    async with floor() as house:
        account = house.book.accounts["paper"]
        house.exchange.open.clear()
        house.alert()  # these orders are at the exchange, which does not answer yet
        await asyncio.sleep(0.01)
        house.store.held = []
        house.alert_later(timeframe="60", id="second")  # they wait in the same lane
        house.post(AccountChanged(account=replace(account, status=AccountStatus.HOLD, reason="unreadable")))
        house.store.let_go()
        house.store.held = []
        house.post(AccountChanged(account=account))
        house.exchange.open.set()  # the answers free the lane
        await asyncio.sleep(0.01)
        assert len(house.exchange.placed()) == 1
        house.store.let_go()
        await until(lambda: len(house.exchange.placed()) == 2)
