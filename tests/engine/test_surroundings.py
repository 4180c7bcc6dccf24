"""What keeps the desk company: reading accounts, watching prices, telling listeners, owning tasks."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise

import pytest

from execution_engine.domain.inputs import (
    AccountChanged,
    AccountUnreadable,
    Balances,
    ExitGroup,
    Fills,
    Interrupted,
    OpenOrders,
    RemoveQueued,
)
from execution_engine.domain.rows import AccountStatus
from execution_engine.engine import reconcile, watch
from execution_engine.engine.reconcile import Reconcile, retry_s
from execution_engine.engine.tasks import Tasks
from execution_engine.engine.watch import Watch
from tests.engine.exchange import Exchange
from tests.engine.virtual import Floor, in_virtual_time
from tests.house import House
from tests.waiting import until

# -- reading accounts


def reading(house: House) -> tuple[Reconcile, Exchange]:
    exchange = Exchange()
    return Reconcile(house.book, lambda _: exchange, house.desk.post, house.clock), exchange


def calls(exchange: Exchange) -> list[str]:
    return [call for call, _ in exchange.calls]


async def test_an_account_is_read_before_it_trades():
    house = House(ready=False)
    house.start()
    account, exchange = reading(house)
    assert house.book.accounts["paper"].status == "reconciling"
    assert await account.read(house.book.accounts["paper"])
    assert calls(exchange) == ["balances", "open orders"]
    assert house.book.accounts["paper"].status == "ready"
    assert house.book.balance("paper") == {}


@pytest.mark.parametrize(
    ("retries", "at_least", "at_most"),
    [(0, [60] * 4, [60] * 4), (3, [0.75, 1.5, 3, 60], [1, 2, 4, 60]), (9, [0.75, 1.5, 3, 6], [1, 2, 4, 8])],
)
@in_virtual_time
async def test_an_account_that_cannot_be_read_is_tried_as_often_soon_as_the_settings_say(
    retries: int, at_least: list[float], at_most: list[float]
):
    house = Floor({"orders.retries": retries})
    house.exchange.readable = False
    times: list[float] = []
    answer = house.exchange.balances

    async def balances(account: str) -> Balances | AccountUnreadable:
        times.append(asyncio.get_running_loop().time())
        return await answer(account)

    house.exchange.balances = balances  # type: ignore[method-assign]
    account = Reconcile(house.book, lambda _: house.exchange, house.desk.post, house.clock)
    house.tasks.spawn("reconcile", account.keep("paper"))
    await asyncio.sleep(300)
    waits = [later - earlier for earlier, later in pairwise(times)][: len(at_most)]
    bounds = zip(at_least, waits, at_most, strict=True)
    assert all(least - 0.01 <= wait <= most + 0.01 for least, wait, most in bounds), waits


def test_accounts_that_failed_together_do_not_come_back_together():
    assert len({retry_s(f"account {number}", 3, 5) for number in range(20)}) == 20


async def test_an_account_that_was_read_before_its_doubt_was_durable_is_not_read_again_for_it():
    house = House(ready=False)
    house.store.held = []
    house.start()
    account, exchange = reading(house)
    house.feed.on_released(account.released)
    keeping = asyncio.ensure_future(account.keep("paper"))
    await until(lambda: house.book.accounts["paper"].status == "ready")
    house.store.let_go()
    for _ in range(5):
        await asyncio.sleep(0)
    assert calls(exchange) == ["balances", "open orders"]
    keeping.cancel()


@pytest.mark.fault(67)
async def test_an_account_that_cannot_be_read_stays_closed_and_is_read_again(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(reconcile, "FIRST_RETRY_S", 0.001)
    house = House(ready=False)
    house.start()
    account, exchange = reading(house)
    exchange.readable = False
    keeping = asyncio.ensure_future(account.keep("paper"))
    await until(lambda: len(exchange.calls) >= 8)
    assert house.book.accounts["paper"].status == "reconciling"
    assert house.book.accounts["paper"].reason == "under maintenance"
    exchange.readable = True
    await until(lambda: house.book.accounts["paper"].status == "ready")
    keeping.cancel()


async def test_an_account_with_an_order_in_doubt_is_read_again_soon(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(reconcile, "FIRST_RETRY_S", 0.001)
    house = House()
    house.price("BTCUSDT", "65000")
    house.alert()
    again = house.restarted()
    again.start()
    account, exchange = reading(again)
    keeping = asyncio.ensure_future(account.keep("paper"))
    await until(lambda: len(exchange.calls) >= 6)
    assert again.book.accounts["paper"].status == "reconciling"
    for order in again.orders():
        again.says(order)
    again.clock.time = house.clock.time  # acknowledged no earlier than the list was asked for
    await until(lambda: again.book.accounts["paper"].status == "ready")
    keeping.cancel()


async def test_a_disabled_account_without_orders_is_left_alone_and_a_removed_one_ends_it():
    house = House()
    disabled = replace(house.book.accounts["paper"], enabled=False, status=AccountStatus.DISABLED)
    house.post(AccountChanged(account=disabled))
    account, exchange = reading(house)
    keeping = asyncio.ensure_future(account.keep("paper"))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert exchange.calls == []
    keeping.cancel()
    await asyncio.wait_for(account.keep("nobody"), 1)


async def test_a_disabled_account_is_read_as_long_as_orders_of_it_may_rest():
    house = House()
    house.price("BTCUSDT", "65000")
    house.alert()
    house.accept()
    disabled = replace(house.book.accounts["paper"], enabled=False, status=AccountStatus.DISABLED)
    house.post(AccountChanged(account=disabled))
    account, exchange = reading(house)
    keeping = asyncio.ensure_future(account.keep("paper"))
    await until(lambda: "open orders" in calls(exchange))
    keeping.cancel()


@in_virtual_time
async def test_an_account_that_is_put_in_doubt_between_two_readings_is_read_at_once():
    house = Floor({"orders.poll_s": 60})
    account = Reconcile(house.book, lambda _: house.exchange, house.desk.post, house.clock)
    house.feed.on_released(account.released)
    house.tasks.spawn("reconcile", account.keep("paper"))
    await asyncio.sleep(20)
    house.exchange.calls.clear()
    house.post(Interrupted(reason="the machine slept"))
    await asyncio.sleep(0.1)
    assert "balances" in calls(house.exchange)


async def test_trades_are_read_once_a_day_from_ten_minutes_before_the_oldest_order_at_work():
    house = House()
    house.price("BTCUSDT", "65000")
    house.alert()
    house.accept()
    placed = house.clock.time
    house.clock.forward(hours=1)
    house.post(AccountChanged(account=replace(house.book.accounts["paper"], checked_at=house.clock.time)))
    account, exchange = reading(house)
    asked: list[datetime] = []

    async def fills(name: str, since: datetime) -> Fills:
        asked.append(since)
        return Fills(account=name, since=since, trades=(), at=house.clock.time)

    async def open_orders(name: str) -> OpenOrders:
        rests = frozenset(order.client_order_id for order in house.orders())
        return OpenOrders(account=name, reports=(), known=rests, at=house.clock.time)

    exchange.fills, exchange.open_orders = fills, open_orders  # type: ignore[method-assign]
    for hours in (1, 23, 2):
        house.clock.forward(hours=hours)
        await account.read(house.book.accounts["paper"])
    assert asked == [placed - timedelta(minutes=10)] * 2


async def test_an_account_removed_while_it_is_read_is_not_read_again():
    house = House()

    class Removes(Exchange):
        async def open_orders(self, name: str):  # type: ignore[no-untyped-def]
            house.book.accounts.pop(name, None)
            return await super().open_orders(name)

    account = Reconcile(house.book, lambda _: Removes(), house.desk.post, house.clock)
    keeping = asyncio.ensure_future(account.keep("paper"))
    await until(lambda: "paper" not in house.book.accounts)
    assert not keeping.done()
    keeping.cancel()


# -- watching prices


class Source:
    def __init__(self) -> None:
        self.wanted: list[set[str]] = []

    def want(self, markets: Collection[tuple[str, str]]) -> None:
        self.wanted.append({symbol for _, symbol in markets})


def watching(house: House) -> tuple[Watch, Source]:
    source = Source()
    made = Watch(house.book, source)
    house.feed.on_released(made.released)
    return made, source


def test_a_market_is_asked_for_as_soon_as_it_comes_into_use():
    house = House({"pool.max_open_groups": 1})
    made, source = watching(house)
    made.start()
    assert source.wanted == [set()]
    house.alert()  # waits for its price
    assert source.wanted[-1] == {"BTCUSDT"}
    house.price("BTCUSDT", "65000")
    house.alert(symbol="ETHUSDT")  # queued
    assert source.wanted[-1] == {"BTCUSDT", "ETHUSDT"}
    asked = len(source.wanted)
    house.alert()
    house.alert(symbol="SOLUSDT", type="exit", action=None)  # decided at once: nobody needs the price
    assert len(source.wanted) == asked


async def test_markets_that_are_no_longer_in_use_are_let_go(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(watch, "FORGET_S", 0.001)
    house = House({"pool.max_open_groups": 1})
    made, source = watching(house)
    house.price("BTCUSDT", "65000")
    house.alert()
    house.alert(symbol="ETHUSDT")
    keeping = asyncio.ensure_future(made.keep())
    await until(lambda: source.wanted[-1] == {"BTCUSDT", "ETHUSDT"})
    house.post(RemoveQueued(queued_id=house.queue[0].id))
    await until(lambda: source.wanted[-1] == {"BTCUSDT"})
    house.accept()
    house.post(ExitGroup(group_id=house.group.id))
    house.confirm_cancels()
    await until(lambda: source.wanted[-1] == set())
    keeping.cancel()


def test_after_a_restart_the_markets_in_use_are_asked_for_at_once():
    house = House()
    house.price("BTCUSDT", "65000")
    house.alert()
    made, source = watching(house.restarted())
    made.start()
    assert source.wanted == [{"BTCUSDT"}]


# -- tasks


async def fails() -> None:
    raise RuntimeError("broken")


@pytest.mark.fault(71)
async def test_a_task_that_fails_is_told_by_its_name(caplog: pytest.LogCaptureFixture):
    told: list[tuple[str, str]] = []
    tasks = Tasks(lambda name, error: told.append((name, str(error))))
    task = tasks.spawn("the watch", fails())
    await until(task.done)
    await asyncio.sleep(0)
    assert (tasks.failed, told) == (["the watch"], [("the watch", "broken")])
    quiet = Tasks()
    await until(quiet.spawn("nobody hears it", fails()).done)
    await asyncio.sleep(0)
    assert quiet.failed == ["nobody hears it"]


async def test_a_task_whose_wait_is_cancelled_under_it_is_told_too():
    told: list[str] = []
    tasks = Tasks(lambda name, error: told.append(name))
    request = asyncio.get_running_loop().create_future()
    task = tasks.spawn("join Main", asyncio.wait_for(request, None))
    await asyncio.sleep(0)
    request.cancel()
    await until(task.done)
    await asyncio.sleep(0)
    assert (tasks.failed, told) == (["join Main"], ["join Main"])


async def test_stopping_ends_every_task_in_order_and_is_no_failure():
    tasks = Tasks()
    ended: list[str] = []

    async def works(name: str) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(name)

    for name in ("b", "a"):
        tasks.spawn(name, works(name))
    tasks.spawn("done", asyncio.sleep(0))
    await until(lambda: tasks.names == ["a", "b"])
    await tasks.stop()
    assert (sorted(ended), tasks.names, tasks.failed) == (["a", "b"], [], [])


async def test_a_task_may_stop_the_others_without_ending_itself():
    tasks = Tasks()
    done: list[bool] = []

    async def stops() -> None:
        await tasks.stop()
        done.append(True)

    tasks.spawn("other", asyncio.Event().wait())
    await tasks.spawn("closer", stops())
    assert done == [True]


async def test_a_kept_task_that_ends_badly_when_it_is_stopped_is_not_begun_anew():
    begun: list[int] = []

    async def works() -> None:
        begun.append(1)
        try:
            await asyncio.Event().wait()
        finally:
            raise OSError("its pipe is gone")

    tasks = Tasks()
    tasks.keep("markets", works)
    await until(lambda: begun)
    async with asyncio.timeout(5):
        await tasks.stop()
    assert (len(begun), tasks.names) == (1, [])


@pytest.mark.fault(71)
async def test_a_kept_task_is_begun_anew_when_what_it_waits_for_is_cancelled(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("execution_engine.engine.tasks.FIRST_PAUSE_S", 0.001)
    waits: list[asyncio.Future[None]] = []
    told: list[str] = []

    async def works() -> None:
        waits.append(asyncio.get_running_loop().create_future())
        await waits[-1]

    tasks = Tasks(lambda name, error: told.append(name))
    tasks.keep("the stream", works)
    await until(lambda: waits)
    waits[0].cancel()
    await until(lambda: len(waits) == 2)
    assert (told, tasks.names) == (["the stream"], ["the stream"])
    await tasks.stop()
    assert (len(waits), tasks.names) == (2, [])


@in_virtual_time
async def test_a_kept_task_that_fails_again_and_again_is_begun_anew_later_each_time():
    begun: list[float] = []

    async def works() -> None:
        begun.append(asyncio.get_running_loop().time())
        raise OSError("gone")

    tasks = Tasks()
    tasks.keep("the stream", works)
    await asyncio.sleep(200)
    await tasks.stop()
    assert begun == [0, 1, 3, 7, 15, 31, 63, 123, 183]


@in_virtual_time
async def test_whoever_waits_longest_keeps_nobody_from_being_woken_earlier():
    house = Floor()
    way = house.ways("paper")
    rung: list[float] = []
    way.on_room(lambda account: rung.append(asyncio.get_running_loop().time()))
    way.wake_in(60)
    way.wake_in(1)
    await asyncio.sleep(2)
    assert rung == [1]
