"""The markets in use: whose prices are asked for, and no others."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from typing import Protocol

from execution_engine.domain.inputs import Instruments, Price
from execution_engine.domain.rows import Alert, Group, QueuedSignal
from execution_engine.engine.book import Book
from execution_engine.engine.feed import Released

FORGET_S = 5.0  # how often markets that are no longer in use are let go


class Prices(Protocol):
    """A source of prices; it posts `Price` and `NoPrice` for what is wanted."""

    def want(self, markets: Collection[tuple[str, str]]) -> None:
        """Follow these markets and no others."""
        ...

    async def refresh(self, markets: Collection[tuple[str, str]]) -> None:
        """Ask for the prices of these markets now, together, and post each that comes."""
        ...


class Watch:
    """Keeps a source of prices in step with the book."""

    def __init__(self, book: Book, prices: Prices) -> None:
        self._book = book
        self._prices = prices
        self._wanted: frozenset[tuple[str, str]] = frozenset()
        self._unknown: frozenset[tuple[str, str]] = frozenset()  # of these: whose rules are still to come

    def start(self) -> None:
        self._want(self._book.markets_in_use())

    def released(self, change: Released) -> None:
        """Ask at once for the price of a market that has come into use."""
        used = {
            (row.exchange, row.symbol)
            for row in change.rows
            if (isinstance(row, Group) and row.holds_slot)
            or (isinstance(row, QueuedSignal) and row.outcome is None)
            or (isinstance(row, Alert) and row.decided_at is None)
        }
        if not used <= self._wanted:
            self._want(self._wanted | used)

    def learnt(self, read: Instruments) -> None:
        """Ask anew once a market in use is known: before that nobody could say whose prices it has."""
        if self._unknown and not self._unknown.isdisjoint(rules.key for rules in read.instruments):
            self._want(self._wanted)

    async def look_at(self, market: tuple[str, str]) -> Price | None:
        """Return what a market trades at now, in use or not; it is followed until markets are let go again."""
        if market not in self._wanted:
            self._want(self._wanted | {market})
        await self._prices.refresh([market])
        return self._book.price(market)

    async def keep(self) -> None:
        """Let go of markets that are no longer in use, from time to time."""
        while True:
            await asyncio.sleep(FORGET_S)
            used = self._book.markets_in_use()
            if used != self._wanted:
                self._want(used)

    def _want(self, markets: frozenset[tuple[str, str]]) -> None:
        self._wanted = markets
        self._unknown = frozenset(market for market in markets if self._book.catalogue.get(*market) is None)
        self._prices.want(markets)
