"""Prices of several markets at once, asked for at the moment in which they decide something."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from execution_engine.adapters.exchanges.catalogue import VENUES
from execution_engine.adapters.exchanges.ccxt_live import LivePrices
from execution_engine.adapters.exchanges.ccxt_prices import PriceStream
from execution_engine.domain.instrument import Market
from tests.adapters.exchanges.ccxt_stage import Stage, stage
from tests.exchanges.faults import Fault

each = pytest.mark.parametrize(
    ("name", "market"), [(name, market) for name in sorted(VENUES) for market in (Market.SPOT, Market.SWAP)]
)
COINS = ("BTC", "ETH", "SOL")


def prices_of(on: Stage, told: list[Any], symbols: list[str]) -> PriceStream:
    """Return a source of prices that follows these markets and was not started: it says what it is asked."""
    account = on.ours.account
    made = PriceStream(
        VENUES[account.exchange],
        account.market,
        account.mode,
        on.markets,
        lambda exchange, symbol: on.rules.get((exchange, symbol)),
        on.ours._session,
        on.clock,
        told.append,
    )
    made.want(symbols)
    return made


@each
async def test_several_markets_are_asked_about_in_one_call(name: str, market: Market) -> None:
    async with stage(name, market) as on:
        symbols = [f"{coin}USDT{'.P' if market is Market.SWAP else ''}" for coin in COINS]
        for price, symbol in zip((64000, 3000, 150), symbols, strict=True):
            on.local.price(symbol, str(price))
        told: list[Any] = []
        stream = prices_of(on, told, symbols)
        before = len(on.sent("ticker"))
        await stream.refresh(symbols[:2])
        assert len(on.sent("ticker")) == before + 1
        assert [one.symbol for one in sorted(told, key=lambda one: one.symbol)] == symbols[:2]
        for one, price in zip(sorted(told, key=lambda one: one.symbol), (64000, 3000), strict=True):
            assert abs(one.last - price) <= Decimal(price) / 1000
            assert one.exchange == name
        await stream.refresh(symbols[2:])
        assert told[-1].symbol == symbols[2]
        await stream.stop()


async def test_an_exchange_that_does_not_answer_keeps_nobody_from_the_others() -> None:
    async with stage("bybit", Market.SPOT) as on:
        on.local.price("ETHUSDT", "3000")
        told: list[Any] = []
        streams = {"bybit": prices_of(on, told, [])}
        live = LivePrices(
            lambda name, kind: streams[name],
            lambda exchange, symbol: on.rules.get((exchange, symbol)),
            told.append,
        )
        live.want([("bybit", "BTCUSDT"), ("bybit", "ETHUSDT")])
        on.local.faults.add("ticker", Fault.E503)
        await live.refresh([("bybit", "BTCUSDT"), ("bybit", "ETHUSDT")])
        assert told == []
        await live.refresh([("bybit", "BTCUSDT"), ("bybit", "ETHUSDT"), ("okx", "BTCUSDT")])
        assert sorted(one.symbol for one in told) == ["BTCUSDT", "ETHUSDT"]
        await live.stop()
