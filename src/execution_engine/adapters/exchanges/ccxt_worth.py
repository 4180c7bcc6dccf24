"""What fees in a third currency were worth when they were paid: BNB on Binance, and whatever else takes its place.

What cannot be found out stays open, and is estimated where it is booked.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from loguru import logger

from execution_engine.adapters.exchanges.ccxt_client import Client
from execution_engine.adapters.exchanges.ccxt_markets import Markets
from execution_engine.adapters.exchanges.translate import decimal, unified
from execution_engine.domain.inputs import Trade
from execution_engine.domain.instrument import Instrument, Market
from execution_engine.domain.money import plain

PATIENCE_S = 2.0  # a fill is not kept waiting longer for the price of its fee
MOST_KEPT = 500  # minutes

Minute = tuple[str, datetime]


def is_open(trade: Trade, rules: Instrument) -> bool:
    """Return whether a fee is in a currency that neither the trade nor its market says the value of."""
    paid = trade.fee_currency not in ("", rules.base, rules.quote)
    return paid and trade.fee_value is None and bool(trade.fee)


class Worth:
    """The prices of such currencies by the minute, of one account's exchange."""

    def __init__(self, markets: Markets, instruments: Callable[[str], Instrument | None]) -> None:
        self._markets = markets
        self._instruments = instruments
        self._known: dict[Minute, Decimal] = {}

    async def of(self, client: Client, trades: Sequence[Trade], rules: Instrument) -> tuple[Trade, ...]:
        """Return trades with the value of their fees [quote], as far as it can be found out. Never raises."""
        found = []
        for trade in trades:
            if is_open(trade, rules):
                price = await self._price(client, trade, rules)
                value = None if price is None else plain(trade.fee * price)
                found.append(replace(trade, fee_value=value))
            else:
                found.append(trade)
        return tuple(found)

    async def _price(self, client: Client, trade: Trade, rules: Instrument) -> Decimal | None:
        symbol = f"{trade.fee_currency}{rules.quote}{'.P' if rules.market is Market.SWAP else ''}"
        minute = (symbol, trade.at.replace(second=0, microsecond=0))
        if minute in self._known:
            return self._known[minute]
        market = self._instruments(symbol)
        if market is None:
            return None
        try:
            async with asyncio.timeout(PATIENCE_S):
                await self._markets.teach(client, [symbol])
                since = int(minute[1].timestamp() * 1000)
                candles = await client.call("fetch_ohlcv", unified(market), "1m", since, 1)
        except Exception as error:
            logger.debug("what {} cost at {} is not known: {}", symbol, minute[1], error)
            return None
        price = decimal(candles[0][4]) if candles and candles[0][0] == since else None
        if price:
            if len(self._known) >= MOST_KEPT:
                self._known.pop(next(iter(self._known)))
            self._known[minute] = price
        return price or None
