"""What the desk asks of the outside world."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from execution_engine.domain.errors import StoreFailed
from execution_engine.domain.inputs import (
    AccountUnreadable,
    Balances,
    Fills,
    History,
    OpenOrders,
    OrderReport,
)
from execution_engine.domain.keys import CheckResult, Keys
from execution_engine.domain.rows import Account, Order, Row


class Clock(Protocol):
    def now(self) -> datetime:
        """Return the time in UTC, with its zone."""
        ...

    def monotonic(self) -> float:
        """Return seconds that only ever go forward, whatever is done to the clock on the wall."""
        ...


class Store(Protocol):
    @property
    def behind(self) -> int:
        """Return how many writes are not durable yet."""
        ...

    def load(self) -> Iterable[Row]:
        """Yield the rows that the book starts from. Blocking; called before the loop runs or in a thread."""
        ...

    def next_id(self) -> int:
        """Return an id above every id that was ever handed out. Blocking, like `load`."""
        ...

    def write(self, rows: tuple[Row, ...], then: Callable[[StoreFailed | None], None]) -> None:
        """Commit rows and then call `then` on the event loop, in the order of the calls.

        Returns at once. After one failure every later write fails the same way. Rows may be empty: `then`
        then only waits for its turn.
        """
        ...


class Past(Protocol):
    """What the book has let go of."""

    async def group_of(self, client_order_id: str) -> History | None:
        """Return the archived group of an order with all its fills; None if there is none."""
        ...

    async def trades_of(self, client_order_ids: Sequence[str]) -> Mapping[str, frozenset[str]]:
        """Return the ids of the trades that are stored of each of these orders; one nobody knows is left out."""
        ...


class Secrets(Protocol):
    """What the vault holds, for those who sign requests with it."""

    def keys(self, account: str) -> Keys | None:
        """Return an account's keys; None while the vault is locked, or where there are none."""
        ...


class KeyCheck(Protocol):
    """Asks an exchange what keys can do. Never raises: what is not clear is a result that was not `reached`."""

    async def check(self, account: Account, keys: Keys) -> CheckResult:
        """Ask whether the keys can read and trade, cannot withdraw or transfer, and whether the mode fits."""
        ...


class Exchange(Protocol):
    """One account's way to its exchange. Never raises: what is not clear is a report that says `unknown`."""

    async def place(self, orders: Sequence[Order]) -> Sequence[OrderReport]:
        """Send each order once; one report per order, in their order."""
        ...

    async def cancel(self, orders: Sequence[Order]) -> Sequence[OrderReport]:
        """Ask to cancel each order; `already filled` is an answer with the true quantity and its trades."""
        ...

    async def look(self, order: Order) -> OrderReport:
        """Look an order up by its client order id among open orders, closed orders and trades."""
        ...

    async def open_orders(self, account: str) -> OpenOrders | AccountUnreadable:
        """Read what rests and what is held; an error is never an empty list."""
        ...

    async def fills(self, account: str, since: datetime) -> Fills | AccountUnreadable:
        """Read every trade of the account since then, all pages, orders of others among them."""
        ...

    async def balances(self, account: str) -> Balances | AccountUnreadable:
        """Read what the account can spend."""
        ...
