"""An exchange that says what it is told to say, when it is told to."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime

from execution_engine.domain.inputs import (
    AccountUnreadable,
    Balances,
    Fills,
    OpenOrders,
    OrderReport,
    Verdict,
)
from execution_engine.domain.rows import Order, OrderStatus
from tests.house import NOON


def report(
    order: Order, verdict: Verdict = Verdict.ACCEPTED, status: OrderStatus | None = None
) -> OrderReport:
    accepted = verdict is Verdict.ACCEPTED
    return OrderReport(
        account=order.account,
        client_order_id=order.client_order_id,
        verdict=verdict,
        status=status or (OrderStatus.OPEN if accepted else None),
        exchange_order_id=f"x{order.id}" if accepted else None,
        reason="" if accepted else "the exchange says so",
        at=NOON,
    )


class Exchange:
    """Notes every call. `closed` holds answers back; `broken` breaks calls off; `short` forgets to answer."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, list[str]]] = []
        self.open = asyncio.Event()
        self.open.set()
        self.broken: BaseException | None = None
        self.short = False
        self.found = Verdict.ACCEPTED
        self.readable = True

    async def _answer(self, call: str, orders: Sequence[Order]) -> None:
        self.calls.append((call, [f"{order.purpose.value} {order.symbol}" for order in orders]))
        await self.open.wait()
        if self.broken is not None:
            raise self.broken

    async def place(self, orders: Sequence[Order]) -> Sequence[OrderReport]:
        await self._answer("place", orders)
        return [report(order) for order in orders[: -1 if self.short else None]]

    async def cancel(self, orders: Sequence[Order]) -> Sequence[OrderReport]:
        await self._answer("cancel", orders)
        return [report(order, status=OrderStatus.CANCELLED) for order in orders]

    async def look(self, order: Order) -> OrderReport:
        await self._answer("look", [order])
        return report(order, self.found)

    async def balances(self, account: str) -> Balances | AccountUnreadable:
        self.calls.append(("balances", [account]))
        if not self.readable:
            return AccountUnreadable(account=account, reason="under maintenance")
        return Balances(account=account, free={}, at=NOON)

    async def open_orders(self, account: str) -> OpenOrders | AccountUnreadable:
        self.calls.append(("open orders", [account]))
        if not self.readable:
            return AccountUnreadable(account=account, reason="under maintenance")
        return OpenOrders(account=account, reports=(), at=NOON)

    async def fills(self, account: str, since: datetime) -> Fills | AccountUnreadable:
        self.calls.append(("fills", [account]))
        if not self.readable:
            return AccountUnreadable(account=account, reason="under maintenance")
        return Fills(account=account, since=since, trades=(), at=NOON)

    def placed(self) -> list[list[str]]:
        return [names for call, names in self.calls if call == "place"]
