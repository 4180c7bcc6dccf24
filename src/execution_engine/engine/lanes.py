"""Committed orders to the exchange, one step at a time per account, symbol and side.

A lane acts on a row only if it is committed and still the current one; a revoked intent dies by itself.
Everything of the same priority that waits in a lane goes out together, and the lane's next step waits until
each of them is answered or unknown. Look-ups don't occupy the lane.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from execution_engine.domain.inputs import Input, OrderReport, OrderReports, Sending, Verdict
from execution_engine.domain.order import Want, wants
from execution_engine.domain.rows import Account, AccountStatus, Order, Purpose
from execution_engine.engine.book import Book
from execution_engine.engine.feed import Released
from execution_engine.engine.ports import Clock, Exchange
from execution_engine.engine.tasks import Tasks

log = logging.getLogger(__name__)

PRIORITY = {
    Purpose.EMERGENCY: 0,
    Purpose.EXIT: 0,
    Purpose.OFFSET: 1,
    Purpose.TAKE_PROFIT: 2,
    Purpose.ENTRY: 3,
}

LaneKey = tuple[str, str, str, str]


@dataclass(slots=True)
class Lane:
    waiting: dict[int, Order] = field(default_factory=dict)
    busy: bool = False


class Lanes:
    """Carries out what committed order rows want."""

    def __init__(
        self,
        book: Book,
        exchange: Callable[[str], Exchange],
        post: Callable[[Input], None],
        clock: Clock,
        tasks: Tasks,
    ) -> None:
        self._book = book
        self._exchange = exchange
        self._post = post
        self._clock = clock
        self._tasks = tasks
        self._lanes: dict[LaneKey, Lane] = {}
        self._stopped = False

    def released(self, change: Released) -> None:
        """Take up what a durable change asks for."""
        touched: dict[LaneKey, None] = {}
        for row in change.rows:
            if isinstance(row, Order):
                self._offer(row, touched)
            elif isinstance(row, Account):
                touched.update((key, None) for key in self._lanes if key[0] == row.name)
        for key in touched:
            self._pump(key)

    @property
    def busy(self) -> bool:
        """Return whether anything is being sent."""
        return any(lane.busy for lane in self._lanes.values())

    def stop(self) -> None:
        """Send nothing more; what is committed goes on after the next start."""
        self._stopped = True

    def _offer(self, row: Order, touched: dict[LaneKey, None]) -> None:
        want = wants(row)
        if want is Want.LOOK:
            self._look_later(row)
        elif want is not Want.NOTHING:
            self._lanes.setdefault(row.lane, Lane()).waiting[row.id] = row
            touched[row.lane] = None

    def _is_current(self, row: Order) -> bool:
        return self._book.order(row.id) is row

    def _may_leave(self, row: Order) -> bool:
        """An account that was read trades; one on hold only reduces."""
        account = self._book.accounts.get(row.account)
        if account is None:
            return False
        if account.status is AccountStatus.HOLD:
            return row.purpose is not Purpose.ENTRY or wants(row) is Want.CANCEL
        return account.status in (AccountStatus.READY, AccountStatus.DISABLED)

    def _pump(self, key: LaneKey) -> None:
        lane = self._lanes[key]
        if lane.busy or self._stopped:
            return
        step = self._next_step(lane)
        if step:
            lane.busy = True
            self._tasks.spawn(f"lane {' '.join(key)}", self._carry_out(key, lane, step))
        elif not lane.waiting:
            del self._lanes[key]

    def _next_step(self, lane: Lane) -> list[Order]:
        """Take out everything of the highest priority that is still current and may leave now."""
        for id in [id for id, row in lane.waiting.items() if not self._is_current(row)]:
            del lane.waiting[id]
        ready = [row for row in lane.waiting.values() if self._may_leave(row)]
        first = min((_priority(row) for row in ready), default=0)
        return [lane.waiting.pop(row.id) for row in ready if _priority(row) == first]

    async def _carry_out(self, key: LaneKey, lane: Lane, step: Sequence[Order]) -> None:
        try:
            places = [row for row in step if wants(row) is Want.PLACE]
            cancels = [row for row in step if wants(row) is Want.CANCEL]
            exchange = self._exchange(key[0])
            now = self._clock.now()
            if places:
                self._post(Sending(order_ids=tuple(row.id for row in places), at=now))
            if cancels:
                self._post(Sending(order_ids=tuple(row.id for row in cancels), at=now, cancel=True))
            calls = []
            if cancels:
                calls.append(self._told(exchange.cancel(cancels), cancels, about_cancel=True))
            if places:
                calls.append(self._told(exchange.place(places), places))
            await asyncio.gather(*calls)
        finally:
            lane.busy = False
        self._pump(key)

    async def _told(
        self, call: Awaitable[Sequence[OrderReport]], orders: Sequence[Order], *, about_cancel: bool = False
    ) -> None:
        """Post what the exchange said; a call that broke off proves nothing."""
        try:
            reports = await call
            if len(reports) != len(orders):
                raise ValueError(f"{len(orders)} orders were asked about, {len(reports)} were answered")
        except Exception:
            log.exception("a call to the exchange broke off")
            reports = [self._nothing_known(order, about_cancel) for order in orders]
        by_group: dict[int, list[OrderReport]] = {}
        for order, report in zip(orders, reports, strict=True):
            by_group.setdefault(order.group_id, []).append(report)
        for group_id, own in by_group.items():
            self._post(OrderReports(group_id=group_id, reports=tuple(own)))

    def _nothing_known(self, order: Order, about_cancel: bool) -> OrderReport:
        return OrderReport(
            account=order.account,
            client_order_id=order.client_order_id,
            verdict=Verdict.UNKNOWN,
            reason="the call broke off",
            about_cancel=about_cancel,
            at=self._clock.now(),
        )

    def _look_later(self, row: Order) -> None:
        wait = (row.look_at - self._clock.now()).total_seconds() if row.look_at is not None else 0
        self._tasks.spawn(f"look {row.id}", self._look(row, max(wait, 0)))

    async def _look(self, row: Order, wait: float) -> None:
        if wait:
            await asyncio.sleep(wait)
        if self._stopped or not self._is_current(row):
            return
        if row.look_at is not None and row.look_at > self._clock.now():
            self._look_later(row)  # the wait ended early
            return
        exchange = self._exchange(row.account)
        try:
            report = await exchange.look(row)
        except Exception:
            log.exception("a look-up broke off")
            report = self._nothing_known(row, about_cancel=False)
        self._post(report)


def _priority(order: Order) -> int:
    """A cancel goes with the exits: an exit's cancels leave together with its close."""
    return 0 if wants(order) is Want.CANCEL else PRIORITY[order.purpose]
