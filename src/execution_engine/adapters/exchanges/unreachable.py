"""In the place of an exchange that an account has no way to: nothing leaves, and it says why."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from execution_engine.adapters.exchanges.paper_rows import Clock
from execution_engine.domain.inputs import AccountUnreadable, OrderReport, Verdict
from execution_engine.domain.rows import Order, OrderStatus


class Unreachable:
    """An `Exchange` that is none. why: a sentence that says what is missing and what to do."""

    def __init__(self, why: str, clock: Clock) -> None:
        self._why = why
        self._clock = clock

    async def place(self, orders: Sequence[Order]) -> Sequence[OrderReport]:
        return [self._report(order, Verdict.REFUSED, OrderStatus.REJECTED) for order in orders]

    async def cancel(self, orders: Sequence[Order]) -> Sequence[OrderReport]:
        return [self._report(order, Verdict.UNKNOWN, None, about_cancel=True) for order in orders]

    async def look(self, order: Order) -> OrderReport:
        return self._report(order, Verdict.UNKNOWN, None)

    async def open_orders(self, account: str) -> AccountUnreadable:
        return self._unreadable(account)

    async def fills(self, account: str, since: datetime) -> AccountUnreadable:
        return self._unreadable(account)

    async def balances(self, account: str) -> AccountUnreadable:
        return self._unreadable(account)

    def _unreadable(self, account: str) -> AccountUnreadable:
        return AccountUnreadable(account=account, reason=self._why, asked=False)

    def _report(
        self, order: Order, verdict: Verdict, status: OrderStatus | None, *, about_cancel: bool = False
    ) -> OrderReport:
        return OrderReport(
            account=order.account,
            client_order_id=order.client_order_id,
            verdict=verdict,
            status=status,
            reason=self._why,
            about_cancel=about_cancel,
            at=self._clock.now(),
        )
