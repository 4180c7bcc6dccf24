"""What is begun again after it broke, what is not believed, and when an exchange is left alone."""

import asyncio
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from execution_engine.adapters.exchanges import ccxt_client, ccxt_exchange, ccxt_own, ccxt_prices
from execution_engine.adapters.exchanges.ccxt_markets import MarketsUnreadable
from execution_engine.adapters.exchanges.ccxt_own import OwnStream
from execution_engine.adapters.exchanges.ccxt_prices import PriceStream
from execution_engine.domain.inputs import (
    AccountUnreadable,
    Fills,
    NoPrice,
    OpenOrders,
    OrderReport,
    Price,
    Verdict,
)
from execution_engine.domain.instrument import Market
from execution_engine.domain.order import prefix
from execution_engine.domain.rows import Order, OrderStatus
from tests.adapters.exchanges.ccxt_stage import INSTALL, Stage, resting, stage
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
    monkeypatch.setattr(ccxt_own, "AGAIN_S", (0.0, 60.0))
    async with stage("okx", Market.SPOT) as on:
        on.local.streams.refuse = True
        tried: list[int] = []
        ready = on.ours.ready_for_all

        async def noted() -> Any:
            tried.append(1)
            return await ready()

        monkeypatch.setattr(on.ours, "ready_for_all", noted)
        stream = OwnStream(on.ours, prefix(INSTALL), lambda said: None, lambda name: None)
        stream.start()
        await until(lambda: len(tried) == 2, 5)
        with pytest.raises(TimeoutError):
            await until(lambda: len(tried) > 2, 0.7)
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
        with pytest.raises(TimeoutError):
            await until(lambda: len(on.local.requests) > sent, 0.7)
        await stream.stop()


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


async def test_of_a_market_that_nobody_wants_any_more_nothing_is_told() -> None:
    async with stage("bybit", Market.SPOT) as on:
        told: list[Any] = []
        prices = price_stream(on, told)
        prices.want([on.symbol, "ETHUSDT"])
        prices.start()
        on.local.price("ETHUSDT", "3000")
        await until(lambda: len(on.local.streams.topics) == 2, 10)
        await until(lambda: {one.symbol for one in told} == {on.symbol, "ETHUSDT"}, 10)
        prices.want([on.symbol])
        told.clear()
        on.local.price("ETHUSDT", "3001")
        on.local.price(on.symbol, "64001")  # over the same socket
        await until(lambda: any(one.last == 64001 for one in told), 5)
        await prices.stop()
        assert {one.symbol for one in told} == {on.symbol}


async def test_a_market_whose_price_nobody_tells_is_said_to_have_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for wait in ("LOOK_S", "ASK_EVERY_S", "NO_PRICE_AFTER_S"):
        monkeypatch.setattr(ccxt_prices, wait, 0.02)
    async with stage("okx", Market.SPOT) as on:
        on.local.streams.refuse = True
        on.local.faults.add("ticker", Fault.E502, times=None)
        told: list[Any] = []
        prices = price_stream(on, told)
        prices.start()
        await until(lambda: told, 5)
        await prices.stop()
        assert told == [NoPrice(exchange="okx", symbol=on.symbol)]


async def test_prices_come_once_the_markets_can_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ccxt_prices, "LOOK_S", 0.02)
    async with stage("okx", Market.SPOT) as on:
        teach, failed = on.markets.teach, list[int]()

        async def unreadable(*asked: Any) -> None:
            if len(failed) < 2:
                failed.append(1)
                raise MarketsUnreadable("not now")
            await teach(*asked)

        monkeypatch.setattr(on.markets, "teach", unreadable)
        told: list[Any] = []
        prices = price_stream(on, told)
        prices.start()
        await until(lambda: on.local.streams.topics and told, 5)
        await prices.stop()


@pytest.mark.parametrize("name", ["binance", "bybit", "okx", "kucoin"])
async def test_trades_are_read_over_as_many_days_as_are_asked_for(name: str) -> None:
    async with stage(name, Market.SPOT) as on:
        await on.place(on.order(price=None))
        read = await on.ours.fills("main", on.clock.now() - timedelta(days=20))
        assert isinstance(read, Fills)
        assert [one.trade.quantity for one in read.trades] == [Decimal("0.01")]


async def test_an_exchanges_clock_is_measured_from_time_to_time(monkeypatch: pytest.MonkeyPatch) -> None:
    async with stage("bybit", Market.SPOT) as on:
        await on.ours.balances("main")
        on.local.clock_skew_ms = 3_000  # not enough to be refused
        await on.ours.balances("main")
        assert len(on.local.calls("time")) == 1
        monkeypatch.setattr(ccxt_exchange, "CLOCK_EVERY", timedelta(0))
        await on.ours.balances("main")
        assert on.ours.client is not None
        assert abs(on.ours.client.offset_ms + 3_000) < 1_000


@pytest.mark.parametrize("market", list(Market))
async def test_more_trades_than_binance_tells_at_once_are_all_read(market: Market) -> None:
    async with stage("binance", market, USDT="10000000") as on:
        await on.place(on.order(price="60000", quantity="10.1"))
        for _ in range(1010):
            on.local.price(on.symbol, "60000", fills="0.01")
        read = await on.ours.fills("main", on.clock.now() - timedelta(hours=1))
        assert isinstance(read, Fills)
        assert len({one.trade.trade_id for one in read.trades}) == len(read.trades) == 1010


async def test_lists_wait_for_lighter_minutes_and_orders_do_not() -> None:
    async with stage("binance", Market.SPOT) as on:
        client = await on.ours.ready()
        lighter = client._light_again = on.clock.monotonic() + 0.3
        listing = asyncio.create_task(on.ours.open_orders("main"))
        (report,) = await on.place(on.order())
        assert report.verdict is Verdict.ACCEPTED
        assert not on.sent("open_orders")
        said = await listing
        assert on.clock.monotonic() >= lighter
        assert isinstance(said, OpenOrders)
        assert [one.client_order_id for one in said.reports] == [report.client_order_id]


@pytest.mark.parametrize("name", ["bybit", "okx"])
async def test_an_order_that_is_nowhere_and_whose_trades_are_there_is_not_absent(name: str) -> None:
    async with stage(name, Market.SPOT) as on:
        order = on.order(price=None)
        on.local.faults.add("create", Fault.RESET, accepted=True)
        await on.place(order)
        on.theirs.find(order.client_order_id).forget()
        seen = await on.ours.look(order)
        assert (seen.verdict, [one.quantity for one in seen.trades]) == (Verdict.UNKNOWN, [order.quantity])


@pytest.mark.parametrize("skew_ms", [0, 3_600_000])
@pytest.mark.parametrize("later", ["after the order's end", "never"])
async def test_an_orders_news_that_come_before_its_trades_are_told_with_them(
    later: str, skew_ms: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    if later != "never":
        monkeypatch.setattr(ccxt_own, "TRADES_LATER_S", 60.0)  # it is not asked about meanwhile
    async with listening("bybit", Market.SPOT) as here:
        on = here.on
        on.local.clock_skew_ms = skew_ms
        on.ours.forget_time()
        order = on.order()
        await on.place(order)
        await until(lambda: here.last(order.client_order_id), 5)
        push, kept = on.local.streams.push, list[Any]()

        def orders_first(socket: Any, message: Any, *, private: bool = False) -> None:
            if private and "execution" in str(message.get("topic")):
                kept.append((socket, message))
            else:
                push(socket, message, private=private)

        on.local.streams.push = orders_first
        on.local.price(on.symbol, "59000")
        assert kept
        if later != "never":
            client = await on.ours.ready()
            await until(lambda: client.exchange.orders[-1]["filled"] == "0.01", 5)
            for socket, message in kept:
                push(socket, message, private=True)
        await until(lambda: getattr(here.last(order.client_order_id), "status", 0) is OrderStatus.FILLED, 5)
        for news in here.of(order.client_order_id):
            assert sum(one.quantity for one in news.trades) == news.filled_quantity


async def test_an_order_whose_news_were_forgotten_is_told_whole_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ccxt_own, "MOST_KEPT", 2)
    async with listening("bybit", Market.SPOT) as here:
        on = here.on
        orders = [on.order(price=price) for price in ("60000", "50000", "50001", "50002")]
        first = orders[0].client_order_id
        await on.place(orders[0])
        on.local.price(on.symbol, "59999", fills="0.004")
        await until(lambda: getattr(here.last(first), "filled_quantity", 0) == Decimal("0.004"), 5)
        await on.place(*orders[1:])
        await until(lambda: all(here.last(one.client_order_id) for one in orders), 5)
        assert len(here.stream._known) == 2
        on.local.price(on.symbol, "59998")
        await until(lambda: getattr(here.last(first), "status", 0) is OrderStatus.FILLED, 5)
        for news in here.of(first):
            assert sum(one.quantity for one in news.trades) == news.filled_quantity


async def test_a_stream_that_has_nothing_to_say_yet_is_asked_whether_it_is_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ccxt_client, "STREAM_PING_MS", 60_000)
    async with listening("binance", Market.SWAP) as here:
        assert here.stream.up


@pytest.mark.parametrize("market", list(Market))
async def test_a_stream_that_was_stopped_tells_nothing_and_another_one_tells_instead(market: Market) -> None:
    async with listening("okx", market) as here:
        on = here.on
        await here.stream.stop()
        await until(lambda: on.local.streams.count == 0, 5)
        await on.place(on.order())
        news: list[Any] = []
        stream = OwnStream(on.ours, prefix(INSTALL), news.append, here.again.append)
        stream.start()
        await until(lambda: stream.up, 5)
        order = on.order(price="60001")
        await on.place(order)
        await until(lambda: news, 5)
        await stream.stop()
        assert {one.client_order_id for one in news} == {order.client_order_id}
        assert not here.news


async def test_what_a_stream_says_of_an_unknown_market_is_not_lost_where_that_cannot_be_learnt(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with listening("okx", Market.SPOT) as here:
        on = here.on
        assert on.ours.client is not None

        async def unreadable(names: Any) -> None:
            raise MarketsUnreadable("not now")

        monkeypatch.setattr(on.ours.client, "learn", unreadable)
        on.local.price("ETHUSDT", "3000")
        on.venue.trade_by_hand(on.theirs, "ETHUSDT", "buy", "0.5")
        await until(
            lambda: here.again == ["main", "main"], 5
        )  # the account is read for what was not taken in


@pytest.mark.parametrize(
    ("name", "status", "said"),
    [
        ("binance", 400, '{"code":-2013,"msg":"Order does not exist."}'),
        ("okx", 200, '{"code":"51603","data":[],"msg":"Order does not exist"}'),
    ],
)
async def test_an_order_that_is_not_known_by_its_id_yet_and_rests_is_found(
    name: str, status: int, said: str
) -> None:
    async with stage(name, Market.SWAP) as on:
        order = on.order()
        await on.place(order)
        on.local.faults.add("lookup", Fault.REFUSED, says=(status, said))
        seen = await on.ours.look(order)
        assert (seen.verdict, seen.status) == (Verdict.ACCEPTED, OrderStatus.OPEN)
        assert on.sent("open_orders")


@pytest.mark.parametrize("gone", [False, True])
async def test_a_cancel_that_is_to_be_seen_later_than_it_was_acknowledged_is_told_as_done(
    gone: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with stage("okx", Market.SPOT) as on:
        order = on.order()
        (report,) = await on.place(order)
        still, look = [await on.ours.look(order)], on.ours.look
        if gone:
            await on.ours.cancel([resting(order, report)])

        async def late(order: Order) -> OrderReport:
            return still.pop() if still else await look(order)

        monkeypatch.setattr(on.ours, "look", late)
        (done,) = await on.ours.cancel([resting(order, report)])
        assert not still
        assert (done.verdict, done.status) == (Verdict.ACCEPTED, OrderStatus.CANCELLED)
        assert done.about_cancel


async def test_one_measurement_of_the_exchanges_clock_is_enough_for_all_who_want_it() -> None:
    async with stage("bybit", Market.SPOT) as on:
        client = await on.ours.ready()
        measured = len(on.sent("time"))
        on.local.latency_s = 0.1
        on.local.faults.add("time", Fault.E502)
        tried = await asyncio.gather(*(client.sync_clock() for _ in range(3)), return_exceptions=True)
        assert all(isinstance(one, Exception) for one in tried)
        assert len(on.sent("time")) == measured + 1
        on.local.clock_skew_ms = 60_000
        first = asyncio.create_task(client.sync_clock())
        rest = [asyncio.create_task(client.sync_clock()) for _ in range(2)]
        await until(lambda: len(on.sent("time")) == measured + 2, 2)
        first.cancel()  # who gives up takes nothing from the others
        await asyncio.gather(*rest)
        assert abs(client.offset_ms + 60_000) < 1_000
        assert len(on.sent("time")) == measured + 2


async def test_an_account_that_closes_lets_what_is_under_way_end_and_sends_nothing_more() -> None:
    async with stage("okx", Market.SPOT) as on:
        on.local.latency_s = 0.2
        placing = asyncio.create_task(on.place(on.order()))
        await until(lambda: on.sent("create"), 5)
        await on.ours.close()
        (report,) = await placing
        assert report.verdict is Verdict.ACCEPTED
        order, sent = on.order(), len(on.local.requests)
        (report,) = await on.place(order)
        assert (report.verdict, (await on.ours.look(order)).verdict) == (Verdict.UNKNOWN, Verdict.UNKNOWN)
        assert isinstance(await on.ours.open_orders("main"), AccountUnreadable)
        assert len(on.local.requests) == sent
