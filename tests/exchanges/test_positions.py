"""Perpetuals on the local exchanges: positions, leverage, margin and position modes, reduce-only orders."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import ccxt
import pytest

from tests.exchanges.trading import Trading, on_every_exchange, trading


async def the_position(here: Trading) -> Any:
    found = await here.client.fetch_positions([here.symbol])
    return next((each for each in found if Decimal(each["contracts"] or 0)), None)


@on_every_exchange
async def test_a_position_has_a_side_a_size_in_contracts_and_an_entry(name: str) -> None:
    async with trading(name, "swap") as here:
        await here.order("sell", "0.02")
        here.price("63000")
        await here.order("sell", "0.02")
        held = await the_position(here)
        assert held["side"] == "short"
        assert here.base(held["contracts"]) == Decimal("0.04")
        assert Decimal(held["entryPrice"]) == 63500
        assert Decimal(held["unrealizedPnl"]) == 20


@on_every_exchange
async def test_closing_a_position_books_its_profit_and_what_it_cost(name: str) -> None:
    async with trading(name, "swap") as here:
        await here.order("buy", "0.1")
        here.price("65000")
        await here.order("sell", "0.1", reduceOnly=True)
        assert await the_position(here) is None
        percent = here.exchange.listings[here.local].rules.taker_fee_percent
        fees = (6400 + 6500) * percent / 100
        assert Decimal((await here.balance())["USDT"]["total"]) == pytest.approx(100_100 - fees)


@on_every_exchange
async def test_a_reduce_only_order_is_cut_to_the_position_and_refused_without_one(name: str) -> None:
    async with trading(name, "swap") as here:
        await here.order("buy", "0.02")
        await here.order("sell", "0.05", reduceOnly=True)
        assert await the_position(here) is None
        assert here.account.orders[-1].quantity == Decimal("0.02")
        with pytest.raises(ccxt.ExchangeError):
            await here.order("sell", "0.02", reduceOnly=True)


@on_every_exchange
async def test_a_resting_reduce_only_order_ends_with_its_position(name: str) -> None:
    async with trading(name, "swap") as here:
        await here.order("buy", "0.02")
        await here.order("sell", "0.02", "70000", id="tp", reduceOnly=True)
        await here.order("sell", "0.02")
        assert await here.open_ids() == []


@on_every_exchange
async def test_leverage_is_set_and_read_back(name: str) -> None:
    async with trading(name, "swap") as here:
        params = {"mgnMode": "cross"} if name == "okx" else {}
        await here.client.set_leverage(7, here.symbol, params)
        leverage = await here.client.fetch_leverage(here.symbol)
        assert (leverage["longLeverage"], leverage["shortLeverage"]) in ((7, 7), ("7", "7"))


async def test_bybit_calls_an_unchanged_leverage_a_bad_request() -> None:
    async with trading("bybit", "swap") as here:
        await here.client.set_leverage(7, here.symbol)
        with pytest.raises(ccxt.BadRequest, match="110043"):
            await here.client.set_leverage(7, here.symbol)


async def test_binance_calls_an_unchanged_margin_mode_an_error() -> None:
    async with trading("binance", "swap") as here:
        await here.client.set_margin_mode("isolated", here.symbol)
        with pytest.raises(ccxt.MarginModeAlreadySet):
            await here.client.set_margin_mode("isolated", here.symbol)


@pytest.mark.parametrize("name", ["binance", "okx", "kucoin"])
async def test_the_position_mode_can_be_read(name: str) -> None:
    async with trading(name, "swap") as here:
        assert (await here.client.fetch_position_mode(here.symbol))["hedged"] is False
        here.account.hedge = True
        assert (await here.client.fetch_position_mode(here.symbol))["hedged"] is True


@on_every_exchange
async def test_an_order_for_the_other_position_mode_is_refused(name: str) -> None:
    said = {"binance": "-4061", "bybit": "position idx", "okx": "posSide", "kucoin": "330011"}[name]
    async with trading(name, "swap") as here:
        here.account.hedge = True
        with pytest.raises(ccxt.ExchangeError, match=said):
            await here.order("buy", "0.01")
        assert here.account.orders == []


@on_every_exchange
async def test_the_position_mode_cannot_change_under_a_position(name: str) -> None:
    async with trading(name, "swap") as here:
        await here.order("buy", "0.01")
        with pytest.raises(ccxt.ExchangeError):
            await here.client.set_position_mode(True, here.symbol)
        assert here.account.hedge is False


async def test_kucoin_orders_must_name_the_markets_own_margin_mode() -> None:
    async with trading("kucoin", "swap") as here:
        await here.client.set_margin_mode("cross", here.symbol)
        with pytest.raises(ccxt.InvalidOrder, match="330005"):
            await here.order("buy", "0.01")
        await here.order("buy", "0.01", marginMode="cross")
        assert here.account.orders[0].margin_mode == "cross"


async def test_kucoin_orders_carry_a_leverage_of_one_unless_told_otherwise() -> None:
    async with trading("kucoin", "swap") as here:
        await here.client.create_order(here.symbol, "market", "buy", 10)
        assert here.account.orders[0].leverage == 1


async def test_okx_accounts_that_are_not_set_up_for_perpetuals_cannot_trade_them() -> None:
    async with trading("okx", "swap") as here:
        here.account.futures = False
        with pytest.raises(ccxt.AccountNotEnabled, match="51010"):
            await here.order("buy", "0.01")


@on_every_exchange
async def test_a_liquidation_takes_the_position_and_its_orders(name: str) -> None:
    async with trading(name, "swap") as here:
        await here.order("buy", "0.02")
        await here.order("sell", "0.02", "70000", reduceOnly=True)
        here.price("50000")
        here.exchange.venue("live").liquidate(here.account, here.local)
        assert await the_position(here) is None
        assert await here.open_ids() == []


@on_every_exchange
async def test_what_the_user_trades_by_hand_is_there_too(name: str) -> None:
    async with trading(name, "swap") as here:
        here.exchange.venue("live").trade_by_hand(here.account, here.local, "buy", "0.03")
        assert here.base((await the_position(here))["contracts"]) == Decimal("0.03")
