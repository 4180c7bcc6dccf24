"""One turn of the paper exchange: what changed, to be committed as one and told as one."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime

from execution_engine.adapters.exchanges.paper_account import PaperAccount
from execution_engine.adapters.exchanges.paper_rows import PaperOrder
from execution_engine.adapters.exchanges.paper_tables import (
    Cells,
    balance_cells,
    order_cells,
    position_cells,
    trade_cells,
)
from execution_engine.domain.inputs import Balances, OrderReport, Trade


class Turn:
    """Collects touched orders and accounts, each once, in the order in which they were touched."""

    def __init__(self, at: datetime) -> None:
        self.at = at
        self.orders: dict[int, PaperOrder] = {}
        self._accounts: dict[str, PaperAccount] = {}
        self._trades: list[tuple[PaperOrder, Trade]] = []

    def __bool__(self) -> bool:
        return bool(self.orders)

    def touch(self, account: PaperAccount, order: PaperOrder) -> None:
        self.orders[order.id] = order
        self._accounts[account.name] = account

    def traded(self, order: PaperOrder, trade: Trade) -> None:
        self._trades.append((order, trade))

    def rows(self) -> Iterator[Cells]:
        """Yield what has to be durable before anything is told."""
        for order in self.orders.values():
            yield order_cells(order)
            account = self._accounts[order.account]
            if position := account.positions.get(order.key):
                yield position_cells(position)
        for order, trade in self._trades:
            yield trade_cells(order, trade)
        for account in self._accounts.values():
            for currency, amount in account.wallet.items():
                yield balance_cells(account.name, currency, amount)

    def balances(self) -> tuple[Balances, ...]:
        return tuple(account.balances(self.at) for account in self._accounts.values())

    def reports(self, *, without: Collection[tuple[str, str]] = ()) -> tuple[OrderReport, ...]:
        """Say how the touched orders stand, but for some by account and client order id."""
        return tuple(
            order.report(self.at)
            for order in self.orders.values()
            if (order.account, order.client_order_id) not in without
        )
