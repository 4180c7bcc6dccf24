"""Asks each exchange what is true, at the start and from time to time, and posts what it says."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

from execution_engine.domain.inputs import AccountUnreadable, Input, OpenOrders, OrderReport
from execution_engine.domain.instrument import Action, Side
from execution_engine.domain.money import ZERO
from execution_engine.domain.order import prefix
from execution_engine.domain.reports import is_news
from execution_engine.domain.rows import Account, AccountStatus, Order, OrderType, Purpose
from execution_engine.engine.book import Book
from execution_engine.engine.ports import Exchange

FIRST_RETRY_S = 1.0
ORDERS_A_TURN = 500  # that are compared before others have their turn
LAST_RETRY_S = 60.0


class Reconcile:
    """Reads accounts. Nothing trades on one before it was read; an error is never an empty list."""

    def __init__(
        self, book: Book, exchange: Callable[[str], Exchange], post: Callable[[Input], None]
    ) -> None:
        self._book = book
        self._exchange = exchange
        self._post = post
        self._told: set[str] = set()

    async def keep(self, name: str) -> None:
        """Read one account now and every `orders.poll_s` from then on."""
        failures = 0
        while True:
            account = self._book.accounts.get(name)
            if account is None:
                return
            read = await self.read(account) if self._wants_reading(account) else True
            failures = 0 if read else failures + 1
            pause = self._book.settings.orders.poll_s * 1.0
            if failures:
                pause = min(FIRST_RETRY_S * 2 ** min(failures - 1, 6), LAST_RETRY_S)
            elif self._is_reconciling(name):
                pause = FIRST_RETRY_S
            await asyncio.sleep(pause)

    def _is_reconciling(self, name: str) -> bool:
        account = self._book.accounts.get(name)
        return account is not None and account.status is AccountStatus.RECONCILING

    def _wants_reading(self, account: Account) -> bool:
        return account.status is not AccountStatus.DISABLED or bool(self._book.working_orders(account.name))

    async def read(self, account: Account) -> bool:
        """Post what an account can spend and what rests there; return whether both could be read."""
        exchange = self._exchange(account.name)
        balances = await exchange.balances(account.name)
        self._post(balances)
        orders = await exchange.open_orders(account.name)
        if isinstance(orders, OpenOrders):
            orders = await self._without_lost(exchange, await self._news_of(orders))
        self._post(orders)
        return not isinstance(balances, AccountUnreadable) and not isinstance(orders, AccountUnreadable)

    async def _news_of(self, listed: OpenOrders) -> OpenOrders:
        """Keep the reports that say anything new; thousands of orders are gone through in turns."""
        news: list[OrderReport] = []
        known: set[str] = set()
        for start in range(0, len(listed.reports), ORDERS_A_TURN):
            for said in listed.reports[start : start + ORDERS_A_TURN]:
                if is_news(self._book, said):
                    news.append(said)
                else:
                    known.add(said.client_order_id)
            await asyncio.sleep(0)
        return replace(listed, reports=tuple(news), known=frozenset(known))

    async def _without_lost(self, exchange: Exchange, listed: OpenOrders) -> OpenOrders:
        """Report the orders of this installation that its books lack, and cancel those that could add risk.

        They are there after an older backup was restored. Each is told once, not with every reading.
        """
        ours = prefix(self._book.engine.install_key)
        lost = [
            said
            for said in listed.reports
            if said.client_order_id.startswith(ours) and self._book.order_of(said.client_order_id) is None
        ]
        if not lost:
            return listed
        for said in lost:
            if said.client_order_id not in self._told:
                self._told.add(said.client_order_id)
                self._post(said)
        if adding := [_stand_in(said) for said in lost if not said.reduces]:
            for answer in await exchange.cancel(adding):
                self._post(answer)
        return replace(listed, reports=tuple(said for said in listed.reports if said not in lost))


def _stand_in(said: OrderReport) -> Order:
    """Return what a cancel needs of an order that has no row."""
    return Order(
        id=0,
        client_order_id=said.client_order_id,
        account=said.account,
        exchange=said.exchange,
        symbol=said.symbol,
        group_id=0,
        purpose=Purpose.ENTRY,
        position=Side.LONG,
        action=Action.BUY,
        type=OrderType.LIMIT,
        price=None,
        quantity=ZERO,
        exchange_order_id=said.exchange_order_id,
        created_at=said.at,
    )
