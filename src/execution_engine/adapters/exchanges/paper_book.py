"""One market of the paper exchange: what rests there, and what a price fills of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal

from execution_engine.adapters.exchanges.paper_rows import PaperOrder, ask, bid
from execution_engine.domain.inputs import Price
from execution_engine.domain.instrument import Action

Portion = Callable[[PaperOrder, Price], Decimal]
"""How much of an order fills at a price that reached it [base], more than zero."""


class PaperBook:
    """The resting limit orders of one market, of all accounts.

    The best prices are kept, so that a price which touches nothing costs two comparisons.
    """

    def __init__(self) -> None:
        self._orders: dict[int, PaperOrder] = {}
        self._highest_buy: Decimal | None = None
        self._lowest_sell: Decimal | None = None

    def __iter__(self) -> Iterator[PaperOrder]:
        return iter(tuple(self._orders.values()))

    def add(self, order: PaperOrder) -> None:
        self._orders[order.id] = order
        self._keep_best(order)

    def remove(self, order: PaperOrder) -> None:
        if self._orders.pop(order.id, None) is None:
            return
        if order.price in (self._highest_buy, self._lowest_sell):
            self._highest_buy = self._lowest_sell = None
            for other in self._orders.values():
                self._keep_best(other)

    def count(self, account: str) -> int:
        """Return how many orders of an account rest here."""
        return sum(order.account == account for order in self._orders.values())

    def touched(self, price: Price) -> list[PaperOrder]:
        """Return the orders that a price reaches, best price first, then the oldest."""
        buys_at, sells_at = ask(price), bid(price)
        reached_buys = self._highest_buy is not None and self._highest_buy >= buys_at
        reached_sells = self._lowest_sell is not None and self._lowest_sell <= sells_at
        if not reached_buys and not reached_sells:
            return []
        reached = [order for order in self._orders.values() if _reaches(order, buys_at, sells_at)]
        return sorted(reached, key=_priority)

    def _keep_best(self, order: PaperOrder) -> None:
        assert order.price is not None  # only limit orders rest
        if order.action is Action.BUY:
            self._highest_buy = max(order.price, self._highest_buy or order.price)
        else:
            self._lowest_sell = min(order.price, self._lowest_sell or order.price)


def marketable(order: PaperOrder, price: Price) -> bool:
    """Tell whether an order would fill at once."""
    return order.price is None or _reaches(order, ask(price), bid(price))


def _reaches(order: PaperOrder, buys_at: Decimal, sells_at: Decimal) -> bool:
    assert order.price is not None
    return buys_at <= order.price if order.action is Action.BUY else sells_at >= order.price


def _priority(order: PaperOrder) -> tuple[Decimal, int]:
    assert order.price is not None
    return (-order.price if order.action is Action.BUY else order.price, order.id)
