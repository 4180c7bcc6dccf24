"""What the tests of the local exchanges share: one market of one exchange, and a ccxt object that trades there."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest

from tests.exchanges import Account, LocalExchanges
from tests.exchanges.server import LocalExchange
from tests.exchanges.world import KINDS

ALL = tuple(KINDS)
MARKETS = [(name, market) for name in ALL for market in ("spot", "swap")]

on_every_exchange = pytest.mark.parametrize("name", ALL)
on_every_market = pytest.mark.parametrize(("name", "market"), MARKETS)


@dataclass
class Trading:
    """symbol: ccxt's; local: the chart's. Quantities are base units, and turned to contracts on the way."""

    world: LocalExchanges
    exchange: LocalExchange
    account: Account
    client: Any
    name: str
    market: str

    @property
    def swap(self) -> bool:
        return self.market == "swap"

    @property
    def symbol(self) -> str:
        return "BTC/USDT:USDT" if self.swap else "BTC/USDT"

    @property
    def local(self) -> str:
        return "BTCUSDT.P" if self.swap else "BTCUSDT"

    @property
    def unit(self) -> Decimal:
        """What one unit of ccxt's amounts is [base]."""
        return Decimal(self.client.market(self.symbol)["contractSize"] or 1)

    def price(self, last: str, **more: Any) -> None:
        self.exchange.price(self.local, last, **more)

    async def order(
        self, side: str, quantity: str, price: str | None = None, id: str | None = None, **params: Any
    ) -> Any:
        """Send an order; a limit order if it has a price."""
        if id is not None:
            params["clientOrderId"] = id
        amount: str | int = f"{Decimal(quantity) / self.unit:f}"
        if self.name == "kucoin" and self.swap:
            params.setdefault("leverage", 5)
            amount = int(Decimal(amount))  # ccxt compares it with a number here, and fails with a text
        kind = "limit" if price else "market"
        return await self.client.create_order(self.symbol, kind, side, amount, price, params)

    async def look(self, id: str) -> Any:
        """Look an order up by its client id, in the way that works on this exchange."""
        if self.name != "bybit":
            return await self.client.fetch_order(None, self.symbol, {"clientOrderId": id})
        found = await self.client.fetch_open_orders(self.symbol, params={"orderLinkId": id})
        return found[0] if found else None

    async def cancel(self, id: str) -> Any:
        name = "orderLinkId" if self.name == "bybit" else "clientOrderId"
        return await self.client.cancel_order(None, self.symbol, {name: id})

    async def open_ids(self) -> list[str]:
        orders = await self.client.fetch_open_orders(self.symbol)
        return [order["clientOrderId"] for order in orders]

    async def balance(self) -> Any:
        return await self.client.fetch_balance({"type": "swap"} if self.swap else {})

    def base(self, amount: str) -> Decimal:
        """Return an amount of ccxt's in base units."""
        return Decimal(amount) * self.unit


@asynccontextmanager
async def trading(
    name: str, market: str = "spot", mode: str = "live", price: str = "64000", **wallet: str
) -> AsyncIterator[Trading]:
    async with LocalExchanges(name) as world:
        exchange = world[name]
        account = exchange.account(mode, **wallet)
        client = world.ccxt(name, account, timeout=5000, enableRateLimit=False)
        here = Trading(world, exchange, account, client, name, market)
        here.price(price)
        await client.load_markets()
        yield here
        assert world.strangers == []
