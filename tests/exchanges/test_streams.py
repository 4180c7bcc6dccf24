"""The local exchanges' websockets, listened to by unmodified ccxt.pro classes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import ccxt
import pytest

from tests.exchanges.trading import Trading, on_every_exchange, on_every_market, trading
from tests.waiting import until


class Heard:
    """Everything one watch_… call brings, in order."""

    def __init__(self, watch: Callable[[], Awaitable[Any]]) -> None:
        self.all: list[Any] = []
        self.errors: list[Exception] = []
        self._watch = watch
        self.task = asyncio.create_task(self._listen())

    async def _listen(self) -> None:
        while True:
            try:
                found = await self._watch()
            except Exception as error:  # Binance's refusal to listen comes out of ccxt as a KeyError
                self.errors.append(error)
                return
            # ccxt goes on changing what it handed out.
            self.all += [dict(each) for each in found] if isinstance(found, list) else [dict(found)]


@asynccontextmanager
async def hearing(here: Trading, *watches: Callable[[], Awaitable[Any]]) -> AsyncIterator[list[Heard]]:
    """Listen to several streams at once, from when all of them are subscribed."""
    topics = len(watches)
    heard = [Heard(watch) for watch in watches]
    await until(lambda: len(here.exchange.streams.topics) >= topics or any(each.errors for each in heard))
    try:
        yield heard
    finally:
        for each in heard:
            each.task.cancel()
        await asyncio.gather(*(each.task for each in heard), return_exceptions=True)


@on_every_market
async def test_prices_come_with_bid_and_ask(name: str, market: str) -> None:
    async with trading(name, market) as here:
        client, symbol = here.client, here.symbol
        async with hearing(here, lambda: client.watch_bids_asks([symbol])) as (heard,):
            here.price("64000", bid="63999", ask="64001")

            def newest() -> tuple[Decimal, Decimal] | None:
                if not heard.all:
                    return None
                last = heard.all[-1]
                last = last.get(symbol, last)
                return Decimal(last["bid"]), Decimal(last["ask"])

            await until(lambda: newest() == (63999, 64001))


@on_every_market
async def test_trades_and_tickers_of_a_market_come(name: str, market: str) -> None:
    async with trading(name, market) as here:
        client, symbol = here.client, here.symbol
        watches = (lambda: client.watch_trades(symbol), lambda: client.watch_ticker(symbol))
        async with hearing(here, *watches) as (trades, tickers):
            here.price("64100")
            await until(lambda: any(Decimal(each["price"]) == 64100 for each in trades.all))
            await until(lambda: any(Decimal(each["last"]) == 64100 for each in tickers.all))


@on_every_market
async def test_own_orders_are_told_from_acceptance_to_the_last_fill(name: str, market: str) -> None:
    async with trading(name, market) as here:
        client, symbol = here.client, here.symbol
        async with hearing(here, lambda: client.watch_orders(symbol)) as (heard,):
            await here.order("buy", "0.02", "60000", id="a1")
            here.price("59000", fills="0.005")
            here.price("59000")
            await until(lambda: heard.all and heard.all[-1]["status"] == "closed")
            last = heard.all[-1]
            assert last["clientOrderId"] == "a1"
            assert here.base(last["filled"]) == Decimal("0.02")


@on_every_market
async def test_a_cancel_is_told(name: str, market: str) -> None:
    async with trading(name, market) as here:
        client, symbol = here.client, here.symbol
        async with hearing(here, lambda: client.watch_orders(symbol)) as (heard,):
            await here.order("buy", "0.02", "60000", id="a1")
            await here.cancel("a1")
            await until(lambda: heard.all and heard.all[-1]["status"] == "canceled")
            assert heard.all[-1]["clientOrderId"] == "a1"


@on_every_market
async def test_own_trades_are_told(name: str, market: str) -> None:
    async with trading(name, market) as here:
        client, symbol = here.client, here.symbol
        async with hearing(here, lambda: client.watch_my_trades(symbol)) as (heard,):
            await here.order("buy", "0.01", id="m1")
            await until(lambda: heard.all)
            (trade,) = heard.all
            assert (here.base(trade["amount"]), Decimal(trade["price"])) == (Decimal("0.01"), 64000)
            fee = trade["fee"]["cost"]
            if name == "kucoin":
                assert fee is None  # which its socket does not tell
            else:
                # OKX's charges are negative on the wire, and ccxt leaves them so here, unlike in fetch_my_trades.
                assert (Decimal(fee) < 0) is (name == "okx")


@on_every_market
async def test_a_changed_balance_is_told(name: str, market: str) -> None:
    async with trading(name, market) as here:
        params = {"type": "swap"} if here.swap else {}
        async with hearing(here, lambda: here.client.watch_balance(params)) as (heard,):
            await here.order("buy", "0.01")
            await until(
                lambda: any(
                    Decimal((each.get("USDT") or {}).get("total") or 10**6) < 100_000 for each in heard.all
                )
            )


@pytest.mark.parametrize("name", ["binance", "bybit", "okx"])
async def test_a_changed_position_is_told(name: str) -> None:
    async with trading(name, "swap") as here:
        client, symbol = here.client, here.symbol
        client.options["watchPositions"] = {
            "fetchPositionsSnapshot": False,
            "awaitPositionsSnapshot": False,
        }
        async with hearing(here, lambda: client.watch_positions([symbol])) as (heard,):
            await here.order("sell", "0.02")
            await until(lambda: heard.all and heard.all[-1]["contracts"])
            assert here.base(heard.all[-1]["contracts"]) == Decimal("0.02")
            assert heard.all[-1]["side"] == "short"


@on_every_exchange
async def test_many_markets_share_a_socket(name: str) -> None:
    async with trading(name) as here:
        bases = ("ETH", "SOL", "XRP", "LTC", "ADA")
        symbols = [f"{base}/USDT" for base in bases]
        async with hearing(here, lambda: here.client.watch_bids_asks(symbols)) as (heard,):
            await until(lambda: len(here.exchange.streams.topics) >= 5)
            for number, base in enumerate(bases):
                here.exchange.price(f"{base}USDT", str(10 + number))
            await until(lambda: heard.all)
            assert here.exchange.streams.count == 1


@on_every_exchange
async def test_a_dropped_socket_is_noticed_and_the_next_call_connects_again(name: str) -> None:
    async with trading(name) as here:
        client, symbol = here.client, here.symbol
        async with hearing(here, lambda: client.watch_bids_asks([symbol])) as (heard,):
            await until(lambda: heard.all)
            here.exchange.streams.drop()
            await until(lambda: heard.errors)
            assert isinstance(heard.errors[0], ccxt.NetworkError)
        await until(lambda: here.exchange.streams.count == 0)
        async with hearing(here, lambda: client.watch_bids_asks([symbol])) as (heard,):
            await until(lambda: heard.all)


@on_every_exchange
async def test_a_mute_socket_stays_open_and_says_nothing(name: str) -> None:
    async with trading(name) as here:
        client, symbol = here.client, here.symbol
        async with hearing(here, lambda: client.watch_bids_asks([symbol])) as (heard,):
            await until(lambda: heard.all)
            here.exchange.streams.mute()
            before = len(heard.all)
            here.price("65000")
            await asyncio.sleep(0)
            await client.fetch_time()  # long enough for a frame to have come
            assert len(heard.all) == before
            here.exchange.streams.unmute()
            here.price("66000")
            await until(lambda: len(heard.all) > before)


@on_every_exchange
async def test_events_can_come_twice(name: str) -> None:
    async with trading(name) as here:
        here.exchange.streams.twice = True
        async with hearing(here, lambda: here.client.watch_orders(here.symbol)):
            await here.order("buy", "0.01", "60000", id="a1")
            frames = here.exchange.streams.sent_private
            await until(lambda: len(frames) >= 2)
            assert frames[0] == frames[1]


@on_every_exchange
async def test_events_can_come_the_other_way_round(name: str) -> None:
    async with (
        trading(name) as here,
        hearing(here, lambda: here.client.watch_orders(here.symbol)) as (heard,),
    ):
        streams = here.exchange.streams
        streams.hold()
        await here.order("buy", "0.01", "60000", id="a1")
        here.price("59000", fills="0.004")
        here.price("59000")
        held = streams.held
        assert len(held) >= 3
        streams.release(backwards=True)
        assert streams.sent_private == held[::-1]
        await until(lambda: heard.all)


@on_every_exchange
async def test_a_wrong_secret_gets_no_private_stream(name: str) -> None:
    async with trading(name) as here:
        await here.balance()  # what ccxt has to know of the account, it knows now
        here.client.secret = "wrong" * 6
        heard = Heard(lambda: here.client.watch_orders(here.symbol))
        await until(lambda: heard.errors)
        assert isinstance(heard.errors[0], KeyError if name == "binance" else ccxt.BaseError)
        assert not any(socket.account for socket in here.exchange.streams.sockets)


async def test_an_expired_listen_key_is_told_once_and_then_nothing_more() -> None:
    async with (
        trading("binance", "swap") as here,
        hearing(here, lambda: here.client.watch_orders(here.symbol)) as (heard,),
    ):
        here.world.binance.expire_listen_keys()
        await here.order("buy", "0.01", "60000", id="a1")
        assert here.exchange.streams.sent_private == []
        with pytest.raises(ccxt.ExchangeError, match="listenKey does not exist"):
            await here.client.fapiPrivatePutListenKey()
        assert heard.all == []
