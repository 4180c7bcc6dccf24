"""Asks each exchange what is true, at the start and from time to time, and posts what it says."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from execution_engine.domain.inputs import AccountUnreadable, Input
from execution_engine.domain.rows import Account, AccountStatus
from execution_engine.engine.book import Book
from execution_engine.engine.ports import Exchange

FIRST_RETRY_S = 1.0
LAST_RETRY_S = 60.0


class Reconcile:
    """Reads accounts. Nothing trades on one before it was read; an error is never an empty list."""

    def __init__(
        self, book: Book, exchange: Callable[[str], Exchange], post: Callable[[Input], None]
    ) -> None:
        self._book = book
        self._exchange = exchange
        self._post = post

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
        self._post(orders)
        return not isinstance(balances, AccountUnreadable) and not isinstance(orders, AccountUnreadable)
