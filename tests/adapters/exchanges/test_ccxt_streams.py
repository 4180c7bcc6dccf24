"""Prices and own orders from the streams of each local exchange, and what happens when a stream is not one."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from execution_engine.adapters.exchanges import ccxt_client, ccxt_prices
from execution_engine.adapters.exchanges.catalogue import VENUES
from execution_engine.adapters.exchanges.ccxt_own import OwnStream
from execution_engine.adapters.exchanges.ccxt_prices import Band, PriceStream
from execution_engine.domain.inputs import Fills, NoPrice, OrderReport, Price, Verdict
from execution_engine.domain.instrument import Market
from execution_engine.domain.order import prefix
from execution_engine.domain.rows import OrderStatus
from execution_engine.domain.settings import MarginMode
from tests.adapters.exchanges.ccxt_stage import INSTALL, Stage, resting, stage
from tests.adapters.exchanges.ccxt_wire import NOW
from tests.exchanges import Fault
from tests.waiting import until

EXCHANGES = ["binance", "bybit", "okx", "kucoin"]
BOTH = [(name, market) for name in EXCHANGES for market in Market]
each = pytest.mark.parametrize(("name", "market"), BOTH)


@dataclass
class Listening:
    on: Stage
    stream: OwnStream
    news: list[OrderReport] = field(default_factory=list)
    again: list[str] = field(default_factory=list)

    def of(self, client_id: str) -> list[OrderReport]:
        return [one for one in self.news if one.client_order_id == client_id]

    def last(self, client_id: str) -> OrderReport | None:
        return (self.of(client_id) or [None])[-1]


@asynccontextmanager
async def listening(name: str, market: Market) -> AsyncIterator[Listening]:
    async with stage(name, market) as on:
        news: list[Any] = []
        again: list[str] = []
        stream = OwnStream(on.ours, prefix(INSTALL), news.append, again.append)
        here = Listening(on, stream, news, again)
        stream.start()
        try:
            await until(lambda: stream.up, 10)
            yield here
        finally:
            await stream.stop()


@asynccontextmanager
async def following(on: Stage, **more: Any) -> AsyncIterator[list[Any]]:
    told: list[Any] = []
    account = on.ours.account
    prices = PriceStream(
        VENUES[account.exchange],
        account.market,
        account.mode,
        on.markets,
        lambda exchange, symbol: on.rules.get((exchange, symbol)),
        on.ours._session,
        on.clock,
        told.append,
        **more,
    )
    prices.want([on.symbol])
    prices.start()
    try:
        await until(lambda: told, 10)
        yield told
    finally:
        await prices.stop()


@each
async def test_an_orders_life_is_told_with_its_trades_and_fees(name: str, market: Market) -> None:
    async with listening(name, market) as here:
        on = here.on
        order = on.order(price="60000", quantity="0.01")
        await on.place(order)
        await until(lambda: here.last(order.client_order_id), 5)
        on.local.price(on.symbol, "60000", fills="0.004")
        await until(
            lambda: (here.last(order.client_order_id) or order).filled_quantity == Decimal("0.004"), 5
        )
        on.local.price(on.symbol, "59000")

        def done() -> bool:
            last = here.last(order.client_order_id)
            return last is not None and last.status is OrderStatus.FILLED

        await until(done, 5)
        last = here.last(order.client_order_id)
        assert last is not None
        assert last.filled_quantity == Decimal("0.01") == sum(one.quantity for one in last.trades)
        assert all(one.fee > 0 for one in last.trades), (
            "a charge is positive, whatever sign the exchange writes"
        )
        in_base = market is Market.SPOT and name != "kucoin"
        assert {one.fee_currency for one in last.trades} == {"BTC" if in_base else "USDT"}
        # The same trades as by asking: each is booked once, by its id.
        seen = await on.ours.look(order)
        assert {one.trade_id for one in seen.trades} == {one.trade_id for one in last.trades}
        assert sum(one.fee for one in seen.trades) == sum(one.fee for one in last.trades)


@each
async def test_a_cancel_is_told(name: str, market: Market) -> None:
    async with listening(name, market) as here:
        order = here.on.order()
        (report,) = await here.on.place(order)
        await here.on.ours.cancel([resting(order, report)])
        await until(
            lambda: getattr(here.last(order.client_order_id), "status", 0) is OrderStatus.CANCELLED, 5
        )


@pytest.mark.parametrize("name", EXCHANGES)
async def test_what_is_told_twice_and_backwards_ends_where_the_order_ended(name: str) -> None:
    async with listening(name, Market.SPOT) as here:
        on = here.on
        order = on.order()
        await on.place(order)
        await until(lambda: here.last(order.client_order_id), 5)
        on.local.streams.twice = True
        on.local.streams.hold()
        on.local.price(on.symbol, "60000", fills="0.004")
        on.local.price(on.symbol, "59000")
        on.local.streams.release(backwards=True)
        await until(lambda: getattr(here.last(order.client_order_id), "status", 0) is OrderStatus.FILLED, 5)
        filled = {
            one.trade_id: one.quantity for told in here.of(order.client_order_id) for one in told.trades
        }
        assert sum(filled.values()) == order.quantity
        assert all(one.verdict is Verdict.ACCEPTED for one in here.news)


@pytest.mark.parametrize("name", EXCHANGES)
async def test_a_stream_begins_without_complaint_where_something_is_held(name: str) -> None:
    async with stage(name, Market.SWAP) as on:
        await on.place(on.order(price=None))
        news: list[Any] = []
        stream = OwnStream(on.ours, prefix(INSTALL), news.append, lambda name: None)
        stream.start()
        await until(lambda: stream.up, 10)
        order = on.order()
        await on.place(order)
        await until(lambda: news, 5)
        await stream.stop()


@pytest.mark.parametrize("name", EXCHANGES)
async def test_whenever_a_stream_begins_again_the_account_is_to_be_read(name: str) -> None:
    async with listening(name, Market.SWAP) as here:
        assert here.again == ["main"]
        here.on.local.streams.drop()
        await until(lambda: not here.stream.up, 5)
        await until(lambda: len(here.again) == 2 and here.stream.up, 15)
        order = here.on.order()
        await here.on.place(order)
        await until(lambda: here.last(order.client_order_id), 5)


async def test_a_stream_under_which_everything_is_cancelled_begins_again() -> None:
    async with listening("okx", Market.SPOT) as here:
        client = await here.on.ours.ready()
        await client.exchange.close_ws_clients()  # cancels whatever waits on a socket
        await until(lambda: len(here.again) == 2 and here.stream.up, 15)
        order = here.on.order()
        await here.on.place(order)
        await until(lambda: here.last(order.client_order_id), 5)


def test_three_pings_without_an_answer_and_the_silence_of_a_market_are_ten_seconds_at_most() -> None:
    assert 3 * ccxt_client.STREAM_PING_MS <= 10_000
    assert ccxt_prices.SILENT_S + ccxt_prices.LOOK_S <= 10


@pytest.mark.fault(48)
@pytest.mark.parametrize("name", EXCHANGES)
async def test_a_mute_stream_is_noticed_within_ten_seconds_and_asking_takes_over(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A third of the waits that are summed up above: nobody learns more from the whole of them.
    monkeypatch.setattr(ccxt_client, "STREAM_PING_MS", ccxt_client.STREAM_PING_MS // 3)
    monkeypatch.setattr(ccxt_prices, "SILENT_S", ccxt_prices.SILENT_S / 3)
    async with listening(name, Market.SPOT) as here, following(here.on) as told:
        on = here.on
        on.local.streams.mute()
        told.clear()
        on.local.price(on.symbol, "64123")
        await until(lambda: not here.stream.up, 10)
        await until(lambda: any(one.last == 64123 for one in told), 5)
        order = on.order(price=None)  # nobody tells what becomes of it, so it is looked at
        said = await on.place(order)
        await until(
            lambda: any(getattr(one, "status", 0) is OrderStatus.FILLED for one in [*said, *on.posted]), 5
        )


@pytest.mark.fault(48)
@pytest.mark.parametrize("name", EXCHANGES)
async def test_a_stream_that_answers_pings_but_tells_no_price_is_opened_anew(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for wait in ("SILENT_S", "ASK_EVERY_S", "LOOK_S"):
        monkeypatch.setattr(ccxt_prices, wait, 0.02)
    async with stage(name, Market.SPOT) as on, following(on) as told:
        await until(lambda: on.local.streams.topics, 10)
        forgetful = [socket for socket in on.local.streams.sockets if socket.topics]
        for socket in forgetful:
            socket.topics.clear()  # the exchange forgot what was asked of it

        def moved() -> bool:
            on.local.price(on.symbol, 64000 + len(told))
            return bool(on.local.streams.topics)

        await until(moved, 20)
        assert not any(socket in forgetful for socket in on.local.streams.sockets)


@each
async def test_every_price_is_told_also_those_that_come_together(name: str, market: Market) -> None:
    async with stage(name, market) as on, following(on) as told:
        await until(lambda: on.local.streams.topics, 10)
        told.clear()
        for price in ("64010", "64020", "64030"):
            on.local.price(on.symbol, price)
        on.local.price(on.symbol, "64040", bid="64039", ask="64041")
        await until(lambda: any(one.ask == 64041 for one in told), 5)
        lasts = [one.last for one in told if isinstance(one, Price)]
        assert [one for one in lasts if one in map(Decimal, ("64010", "64020", "64030"))][:3] == [
            Decimal(64010),
            Decimal(64020),
            Decimal(64030),
        ]
        quote = told[-1]
        assert (quote.exchange, quote.symbol) == (name, on.symbol)
        assert (quote.bid, quote.ask) == (64039, 64041)


@each
async def test_a_price_knows_when_it_was_so_by_the_exchanges_clock(name: str, market: Market) -> None:
    async with stage(name, market) as on, following(on) as told:
        await until(lambda: on.local.streams.topics, 10)
        on.local.clock_skew_ms = 3_600_000
        before = on.local.now_ms() - 1  # a time in nanoseconds may lose one on the way
        on.local.price(on.symbol, "64040", bid="64039", ask="64041")
        await until(lambda: any(one.ask == 64041 for one in told), 5)
        quoted_at = told[-1].quoted_at
        if (name, market) == ("binance", Market.SPOT):
            assert quoted_at is None  # its spot stream has no times in it
        else:
            assert before <= quoted_at.timestamp() * 1000 <= on.local.now_ms()


@pytest.mark.parametrize("name", EXCHANGES)
async def test_without_streams_prices_come_by_asking(name: str) -> None:
    async with stage(name, Market.SWAP) as on, following(on, streaming=False) as told:
        assert told[0].bid == told[0].ask == 64000
        assert told[0].quoted_at is None  # an answer's time may be that of the last trade
        assert on.local.streams.count == 0
        on.local.price(on.symbol, "64500")
        await until(lambda: any(one.last == 64500 for one in told), 10)


async def test_many_markets_share_a_socket() -> None:
    async with stage("bybit", Market.SPOT) as on, following(on) as told:
        # Its first price may have come by asking, before its socket was there.
        await until(lambda: on.local.streams.topics, 10)
        symbols = [symbol for _, symbol in on.rules][:30]
        for symbol in symbols:
            on.local.price(symbol, "100")
        told.clear()
        more: list[Any] = []
        stream = PriceStream(
            VENUES["bybit"], Market.SPOT, on.ours.account.mode, on.markets,
            lambda exchange, symbol: on.rules.get((exchange, symbol)), on.ours._session, on.clock, more.append,
        )  # fmt: skip
        before = on.local.streams.count
        stream.want(symbols)
        stream.start()
        await until(lambda: {one.symbol for one in more} >= set(symbols), 15)
        assert on.local.streams.count == before + 1
        await stream.stop()


async def test_an_unknown_symbol_has_no_price_and_says_so() -> None:
    async with stage("okx", Market.SPOT) as on, following(on) as told:
        assert told
        stream_told: list[Any] = []
        stream = PriceStream(
            VENUES["okx"], Market.SPOT, on.ours.account.mode, on.markets, lambda *key: None,
            on.ours._session, on.clock, stream_told.append,
        )  # fmt: skip
        stream.want(["NOSUCH"])
        assert stream_told == [NoPrice(exchange="okx", symbol="NOSUCH", reason="unknown symbol")]


async def test_fees_in_a_third_coin_are_told_as_they_are() -> None:
    async with stage("binance", Market.SPOT, USDT="100000", BNB="10") as on:
        on.theirs.fees_in_bnb = True
        on.local.price("BNBUSDT", "600")
        news: list[Any] = []
        stream = OwnStream(on.ours, prefix(INSTALL), news.append, lambda name: None)
        stream.start()
        await until(lambda: stream.up, 10)
        order = on.order(price="60000", quantity="0.01")
        await on.place(order)
        on.local.price(on.symbol, "60000", fills="0.004")
        on.local.price(on.symbol, "59000")
        await until(lambda: news and news[-1].status is OrderStatus.FILLED, 5)
        assert {one.fee_currency for one in news[-1].trades} == {"BNB"}
        assert all(one.fee > 0 and one.fee_value == one.fee * 600 for one in news[-1].trades)
        await stream.stop()


@pytest.mark.fault(36)
async def test_a_fee_in_a_third_coin_is_worth_what_it_cost_when_it_was_paid() -> None:
    async with stage("binance", Market.SPOT, USDT="100000", BNB="10") as on:
        on.theirs.fees_in_bnb = True
        on.local.price("BNBUSDT", "600")
        order = on.order(price=None)
        (report,) = await on.place(order)
        read = await on.ours.fills("main", on.clock.now() - timedelta(hours=1))
        assert isinstance(read, Fills)
        seen = (await on.ours.look(order)).trades
        told = [*report.trades, *seen, *(one.trade for one in read.trades)]
        assert len(told) >= 2
        assert {(one.fee_currency, one.fee_value == one.fee * 600) for one in told} == {("BNB", True)}
        assert len([one for one in on.local.requests if one.path.endswith("/klines")]) == 1
        # A price that cannot be had leaves the value open, and keeps no fill waiting.
        on.ours._worth._known.clear()
        on.local.faults.add("ticker", Fault.E502, times=None)
        assert [one.fee_value for one in (await on.ours.look(order)).trades] == [None]


@pytest.mark.parametrize("name", EXCHANGES)
async def test_a_clock_that_is_wrong_does_not_keep_a_stream_shut(name: str) -> None:
    async with stage(name, Market.SWAP) as on:
        on.local.clock_skew_ms = 90_000
        news: list[Any] = []
        stream = OwnStream(on.ours, prefix(INSTALL), news.append, lambda account: None)
        stream.start()
        await until(lambda: stream.up, 10)
        await on.place(on.order())
        await until(lambda: news, 5)
        await stream.stop()


@each
async def test_what_others_do_on_markets_that_are_not_in_use_disturbs_nobody(
    name: str, market: Market
) -> None:
    async with listening(name, market) as here:
        on = here.on
        other = "ETHUSDT" if market is Market.SPOT else "ETHUSDT.P"
        # Bybit's margin mode is the whole account's, and something is held there in a moment.
        on.terms = on.terms.model_copy(update={"margin_mode": MarginMode.CROSS})
        on.local.price(other, "3000")
        on.venue.trade_by_hand(on.theirs, other, "buy", "0.5")
        order = on.order()
        await on.place(order)
        await until(lambda: here.last(order.client_order_id), 5)
        assert here.again == ["main"]
        assert {one.client_order_id for one in here.news} == {order.client_order_id}


async def test_a_message_that_cannot_be_taken_in_makes_the_stream_begin_again() -> None:
    async with listening("okx", Market.SPOT) as here:
        client = here.on.ours.client
        assert client is not None
        (socket,) = client.sockets
        socket.on_message_callback(socket, {"arg": {"channel": "orders", "instType": "SPOT"}, "data": [5]})
        await until(lambda: len(here.again) == 2 and here.stream.up, 15)


def price(last: str, bid: str = "0", ask: str = "0", seconds: float = 0) -> Price:
    at = NOW + timedelta(seconds=seconds)
    return Price(
        exchange="x", symbol="BTCUSDT", last=Decimal(last), bid=Decimal(bid), ask=Decimal(ask), at=at
    )


@pytest.mark.fault(49)
def test_one_mad_price_is_not_believed_and_two_that_agree_are() -> None:
    band = Band()
    assert band.takes(price("100"))
    assert band.takes(price("104"))  # within the band it acts at once
    assert not band.takes(price("80"))
    assert band.takes(price("103"))  # it was one
    assert not band.takes(price("80"))
    assert not band.takes(price("60"))  # another one, which does not bear the first out
    assert band.takes(price("60.5"))
    assert band.takes(price("61"))


def test_nonsense_is_never_a_price() -> None:
    band = Band()
    assert not band.takes(price("0"))
    assert not band.takes(price("-1"))
    assert not band.takes(price("100", bid="101", ask="99"))  # crossed
    assert band.takes(price("100", bid="99", ask="101"))


def test_after_a_silence_there_is_nothing_to_compare_with() -> None:
    band = Band()
    assert band.takes(price("100"))
    assert band.takes(price("50", seconds=61))
