"""What is begun again after it broke, what is not believed, and when an exchange is left alone."""

import asyncio
from decimal import Decimal
from typing import Any

import pytest

from execution_engine.adapters.exchanges import ccxt_own
from execution_engine.adapters.exchanges.ccxt_own import OwnStream
from execution_engine.adapters.exchanges.ccxt_prices import PriceStream
from execution_engine.domain.inputs import AccountUnreadable, OrderReport, Price, Verdict
from execution_engine.domain.instrument import Market
from execution_engine.domain.order import prefix
from execution_engine.domain.rows import Order, OrderStatus
from tests.adapters.exchanges.ccxt_stage import INSTALL, Stage, stage
from tests.adapters.exchanges.test_ccxt_streams import listening
from tests.exchanges import Fault
from tests.waiting import until


async def test_a_stream_that_was_up_begins_again_as_soon_as_it_did_the_first_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ccxt_own, "AGAIN_S", (0.01, 60.0))
    monkeypatch.setattr(ccxt_own, "STEADY_S", 0.0)
    async with listening("okx", Market.SPOT) as here:
        for times in (2, 3):
            here.on.local.streams.drop()
            await until(lambda times=times: len(here.again) == times and here.stream.up, 5)


async def test_a_stream_that_cannot_be_opened_is_tried_again_ever_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ccxt_own, "AGAIN_S", (0.01, 0.3))
    async with stage("okx", Market.SPOT) as on:
        on.local.streams.refuse = True
        refused: list[Any] = []
        opened = on.ours.ready_for_all

        async def noted() -> Any:
            refused.append(1)
            return await opened()

        on.ours.ready_for_all = noted  # type: ignore[method-assign]
        stream = OwnStream(on.ours, prefix(INSTALL), lambda said: None, lambda name: None)
        stream.start()
        await asyncio.sleep(0.5)
        assert 2 <= len(refused) <= 4, refused
        on.local.streams.refuse = False
        await until(lambda: stream.up, 5)
        await stream.stop()


async def test_an_exchange_that_wants_to_be_left_alone_is_not_even_asked_for_its_time_or_a_stream() -> None:
    async with stage("binance", Market.SWAP) as on:
        order = on.order()
        await on.ours.balances("main")
        on.local.faults.add("balance", Fault.BANNED)
        await on.ours.balances("main")
        sent = len(on.local.requests)
        on.ours.forget_time()
        stream = OwnStream(on.ours, prefix(INSTALL), lambda said: None, lambda name: None)
        stream.start()
        (report,) = await on.place(order)
        assert (report.verdict, report.code) == (Verdict.REFUSED, "RateLimitError")
        assert (await on.ours.look(order)).verdict is Verdict.UNKNOWN
        assert isinstance(await on.ours.open_orders("main"), AccountUnreadable)
        on.ours._clock_read = on.clock.now()
        await asyncio.sleep(0.7)
        await stream.stop()
        assert [one.path for one in on.local.requests[sent:]] == []


async def test_a_long_ban_is_not_shortened_by_an_answer_that_asks_for_less() -> None:
    async with stage("binance", Market.SPOT) as on:
        await on.ours.balances("main")
        on.local.latency_s = 0.2
        on.local.faults.add("balance", Fault.BANNED)
        on.local.faults.add("open_orders", Fault.TOO_MANY_BARE)
        await asyncio.gather(on.ours.balances("main"), on.ours.open_orders("main"))
        assert on.ours.client is not None
        assert on.ours.client.blocked_until is not None
        assert (on.ours.client.blocked_until - on.clock.now()).total_seconds() > 100


@pytest.mark.parametrize("market", list(Market))
@pytest.mark.parametrize("wrong", ["fails", "is late"])
async def test_what_filled_is_told_although_the_first_look_at_it(wrong: str, market: Market) -> None:
    async with listening("kucoin", market) as here:
        on = here.on
        if wrong == "is late":
            on.local.faults.lag(reads=2)
        order = on.order()
        await on.place(order)
        await until(lambda: here.last(order.client_order_id), 5)
        if wrong == "fails":
            on.local.faults.add("lookup", Fault.E502)
        on.local.price(on.symbol, "59000")

        def filled() -> bool:
            last = here.last(order.client_order_id)
            return last is not None and last.status is OrderStatus.FILLED and bool(last.trades)

        await until(filled, 3)


async def test_a_look_that_sees_less_than_the_stream_told_is_taken_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with listening("kucoin", Market.SPOT) as here:
        on = here.on
        order = on.order()
        await on.place(order)
        await until(lambda: here.last(order.client_order_id), 5)
        before, look = [await on.ours.look(order)], on.ours.look

        async def late(order: Order) -> OrderReport:
            return before.pop() if before else await look(order)

        monkeypatch.setattr(on.ours, "look", late)
        on.local.price(on.symbol, "59000")
        await until(lambda: getattr(here.last(order.client_order_id), "status", 0) is OrderStatus.FILLED, 3)
        assert not before


def price_stream(on: Stage, told: list[Any]) -> PriceStream:
    account = on.ours.account
    prices = PriceStream(
        on.ours.venue,
        account.market,
        account.mode,
        on.markets,
        lambda exchange, symbol: on.rules.get((exchange, symbol)),
        on.ours._session,
        on.clock,
        told.append,
    )
    prices.want([on.symbol])
    return prices


async def test_a_price_that_is_asked_for_while_the_stream_begins_opens_no_second_one() -> None:
    async with stage("okx", Market.SPOT) as on:
        told: list[Any] = []
        prices = price_stream(on, told)
        prices.start()
        await asyncio.sleep(0)  # it begins to open its way, and others ask meanwhile
        await prices.refresh([on.symbol])
        await until(lambda: on.local.streams.topics, 10)
        await prices.stop()
        await until(lambda: not on.local.streams.count, 2)
        told.clear()
        on.local.price(on.symbol, "63000")
        assert told == []


@pytest.mark.fault(48)
async def test_an_answer_that_was_long_on_its_way_does_not_undo_what_the_stream_said_since() -> None:
    async with stage("okx", Market.SPOT) as on:
        told: list[Any] = []
        prices = price_stream(on, told)
        prices.start()
        await until(lambda: on.local.streams.topics, 10)
        on.local.latency_s = 0.3
        asked = len(on.local.requests)
        asking = asyncio.create_task(prices.refresh([on.symbol]))
        await until(lambda: len(on.local.requests) > asked, 5)
        on.local.price(on.symbol, "63000")
        await asking
        await prices.stop()
        assert [one.last for one in told if isinstance(one, Price)][-1] == Decimal(63000)


@pytest.mark.parametrize("name", ["bybit", "okx"])
async def test_a_stream_whose_log_in_is_never_answered_is_opened_anew(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ccxt_own, "UP_WITHIN_S", 0.5)
    monkeypatch.setattr(ccxt_own, "AGAIN_S", (0.01,))
    async with stage(name, Market.SPOT) as on:
        ignored: list[str] = []
        hear = on.local.hear

        async def deaf(socket: Any, message: str) -> None:
            if ('"login"' in message or '"auth"' in message) and not ignored:
                ignored.append(message)
            else:
                await hear(socket, message)

        on.local.hear = deaf
        news: list[Any] = []
        stream = OwnStream(on.ours, prefix(INSTALL), news.append, lambda name: None)
        stream.start()
        await until(lambda: stream.up, 5)
        assert ignored
        await on.place(on.order())
        await until(lambda: news, 5)
        await stream.stop()
