"""Look-ups of orders whose outcome is unknown: each at its time, few at once, with one timer per account.

They don't occupy the lanes and take from the requests' budget, so that no storm of them keeps an order waiting.
"""

from __future__ import annotations

import asyncio
import heapq
import logging
from collections import defaultdict
from collections.abc import Callable
from datetime import datetime, timedelta

from execution_engine.domain.inputs import Input, OrderReport, Verdict
from execution_engine.domain.rows import AccountStatus, Order, OrderStatus, Purpose
from execution_engine.engine.book import Book
from execution_engine.engine.breaker import Call
from execution_engine.engine.limits import Kind
from execution_engine.engine.ports import Clock
from execution_engine.engine.tasks import Tasks, ends_the_task
from execution_engine.engine.way import Way, Ways, too_many, understood

log = logging.getLogger(__name__)

AT_ONCE = 16  # per account
AGAIN = timedelta(seconds=8)  # after a look-up that could not be taken in


class Looks:
    """Keeps every order in doubt until its look-up is due. What closes a position goes first.

    all_looked: hears of an account where nothing that is due is left.
    """

    def __init__(
        self, book: Book, ways: Ways, post: Callable[[Input], None], clock: Clock, tasks: Tasks
    ) -> None:
        self._book = book
        self._ways = ways
        self._post = post
        self._clock = clock
        self._tasks = tasks
        self._due: defaultdict[str, _Due] = defaultdict(_Due)
        self._under_way: defaultdict[str, set[int]] = defaultdict(set)
        self._failing: defaultdict[str, set[int]] = defaultdict(set)
        self._listed: set[str] = set()
        self._stopped = False
        self.all_looked: Callable[[str], None] = lambda account: None
        ways.on_room(self.begin)

    def offer(self, order: Order) -> None:
        """Take in a durable order row: look it up at its time, or not any more."""
        due = self._due[order.account]
        if order.status is not OrderStatus.UNKNOWN:
            due.forget(order.id)
        elif order.id not in self._under_way[order.account]:
            due.put(order, order.look_at or self._clock.now())

    def listed(self, account: str) -> None:
        """Note that what rests on an account is known. Only what is missing there has to be looked up."""
        self._listed.add(account)
        self.begin(account)

    def stop(self) -> None:
        self._stopped = True

    def begin(self, account: str) -> None:
        """Begin what is due as far as there is room, and be woken for the next."""
        due = self._due.get(account)
        if due is None or self._stopped or not self._may_look(account):
            return
        way = self._ways(account)
        now = self._clock.now()
        under_way = self._under_way[account]
        while (order := due.first(now)) is not None and len(under_way) < AT_ONCE:
            if self._book.order(order.id) is not order:
                due.forget(order.id)  # a newer row is on its way here
                continue
            if not way.breaker.lets() or not way.limiter.room(Kind.REQUEST):
                way.wake_when_free()
                return
            due.forget(order.id)
            under_way.add(order.id)
            way.limiter.take(Kind.REQUEST)
            self._tasks.spawn(f"look {order.id}", self._look(way, order, way.breaker.leaves()))
        if order is None and (next_at := due.next_at()) is not None:
            way.wake_in((next_at - now).total_seconds())

    def _may_look(self, account: str) -> bool:
        """While an account is read anew, the list of what rests there comes first: it answers most of it."""
        row = self._book.accounts.get(account)
        if row is not None and row.status is AccountStatus.RECONCILING:
            return account in self._listed
        self._listed.discard(account)
        return True

    async def _look(self, way: Way, order: Order, probe: bool) -> None:
        reports: list[OrderReport] = []
        try:
            reports = [await self._asked(order)]
            self._post(reports[0])
        finally:
            self._under_way[order.account].discard(order.id)
            self._offer_again(order)
            if too_many(reports):
                way.slow_down()
            way.limiter.answered(Kind.REQUEST)
            if self._says_something(order, understood(reports)) or probe:
                way.answered(Call.READING, well=understood(reports), probe=probe)
            else:
                way.ring()
            if not self._under_way[order.account] and not self._stopped:
                self.all_looked(order.account)

    def _says_something(self, order: Order, well: bool) -> bool:
        """One order that cannot be looked up, again and again, does not say that the exchange is away."""
        failing = self._failing[order.account]
        if well:
            failing.clear()
            return True
        known = order.id in failing
        failing.add(order.id)
        return not known

    async def _asked(self, order: Order) -> OrderReport:
        try:
            return await self._ways.exchange(order.account).look(order)
        except (Exception, asyncio.CancelledError) as error:
            if ends_the_task(error):
                raise
            log.exception("a look-up broke off")
            return nothing_known(order, self._clock.now())

    def _offer_again(self, order: Order) -> None:
        """Keep an order in doubt that was changed meanwhile, or that a look-up has not changed."""
        current = self._book.order(order.id)
        if current is order:
            self._due[order.account].put(order, self._clock.now() + AGAIN)
        elif current is not None:
            self.offer(current)


class _Due:
    """Orders by the time of their look-up: those that close a position, and the others."""

    def __init__(self) -> None:
        self._orders: dict[int, tuple[datetime, Order]] = {}
        self._closing: list[tuple[datetime, int]] = []
        self._others: list[tuple[datetime, int]] = []

    def put(self, order: Order, at: datetime) -> None:
        known = self._orders.get(order.id)
        self._orders[order.id] = (at, order)
        if known is None or known[0] != at:
            heapq.heappush(self._others if order.purpose is Purpose.ENTRY else self._closing, (at, order.id))

    def forget(self, id: int) -> None:
        self._orders.pop(id, None)

    def first(self, now: datetime) -> Order | None:
        """Return what is to be looked up first of what is due."""
        for heap in (self._closing, self._others):
            top = self._top(heap)
            if top is not None and top[0] <= now:
                return self._orders[top[1]][1]
        return None

    def next_at(self) -> datetime | None:
        tops = [top for heap in (self._closing, self._others) if (top := self._top(heap)) is not None]
        return min(tops)[0] if tops else None

    def _top(self, heap: list[tuple[datetime, int]]) -> tuple[datetime, int] | None:
        """Return the first entry that still counts; those that were put off or forgotten fall away."""
        while heap:
            known = self._orders.get(heap[0][1])
            if known is not None and known[0] == heap[0][0]:
                return heap[0]
            heapq.heappop(heap)
        return None


def nothing_known(order: Order, at: datetime, *, about_cancel: bool = False) -> OrderReport:
    """Return what a call that broke off says about an order."""
    return OrderReport(
        account=order.account,
        client_order_id=order.client_order_id,
        verdict=Verdict.UNKNOWN,
        reason="the call broke off",
        about_cancel=about_cancel,
        at=at,
    )
