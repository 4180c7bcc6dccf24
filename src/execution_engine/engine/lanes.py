"""Committed orders to the exchange, one step at a time per account, symbol and side.

A lane acts on a row only if it is committed and still the current one; a revoked intent dies by itself.
Everything of the same priority that waits in a lane goes out together, as far as the account's rate budget has
room, and the lane's next step waits until each of them is answered or unknown. What waits for room waits in its
lane: it is looked at again when there is room, and whatever is more urgent by then goes first.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from execution_engine.domain.inputs import Input, OrderReport, OrderReports, Sending
from execution_engine.domain.order import Want, wants
from execution_engine.domain.rows import Account, AccountStatus, Group, Order, Purpose, WorldHold
from execution_engine.engine.book import Book
from execution_engine.engine.breaker import Call
from execution_engine.engine.feed import Released
from execution_engine.engine.limits import Kind
from execution_engine.engine.looks import Looks, nothing_known
from execution_engine.engine.ports import Clock
from execution_engine.engine.tasks import Tasks, ends_the_task
from execution_engine.engine.way import Way, Ways, too_many, understood

log = logging.getLogger(__name__)

PRIORITY = {
    Purpose.EMERGENCY: 0,
    Purpose.EXIT: 0,
    Purpose.OFFSET: 1,
    Purpose.TAKE_PROFIT: 2,
    Purpose.ENTRY: 3,
}
LAST = PRIORITY[Purpose.ENTRY]
NOTHING = -1  # less than what is most urgent

SENDING = frozenset({AccountStatus.READY, AccountStatus.DISABLED, AccountStatus.HOLD})

LaneKey = tuple[str, str, str, str]


@dataclass(slots=True)
class Lane:
    waiting: dict[int, Order] = field(default_factory=dict)
    busy: bool = False


class Ranks:
    """Lanes of one account that may have something to send: by priority, within one first come, first served."""

    def __init__(self) -> None:
        self._ranks: tuple[dict[LaneKey, None], ...] = tuple({} for _ in range(LAST + 1))
        self._rank: dict[LaneKey, int] = {}

    def put(self, key: LaneKey, rank: int) -> None:
        """Queue a lane, or move it up; one that is there at this rank or before it keeps its place."""
        known = self._rank.get(key)
        if known is None or rank < known:
            self.drop(key)
            self._rank[key] = rank
            self._ranks[rank][key] = None

    def drop(self, key: LaneKey) -> None:
        rank = self._rank.pop(key, None)
        if rank is not None:
            del self._ranks[rank][key]

    def __iter__(self) -> Iterator[tuple[LaneKey, int]]:
        """Yield each lane and its rank. What is put back further down meanwhile has its turn again there."""
        for rank, keys in enumerate(self._ranks):
            for key in tuple(keys):
                yield key, rank


class Lanes:
    """Carries out what committed order rows want, each account's by the room that its exchange leaves it."""

    def __init__(
        self, book: Book, ways: Ways, post: Callable[[Input], None], clock: Clock, tasks: Tasks
    ) -> None:
        self._book = book
        self._ways = ways
        self._post = post
        self._clock = clock
        self._tasks = tasks
        self._lanes: defaultdict[LaneKey, Lane] = defaultdict(Lane)
        self._ranks: defaultdict[str, Ranks] = defaultdict(Ranks)
        self._durable: dict[str, AccountStatus] = {}  # how accounts are by what was committed
        self._stopped = False
        ways.on_room(self._pump)
        self._looks = Looks(book, ways, post, clock, tasks)

    def released(self, change: Released) -> None:
        """Take up what a durable change asks for."""
        touched: dict[str, None] = {}
        for row in change.rows:
            if isinstance(row, Order):
                self._looks.offer(row)
                if wants(row) in (Want.PLACE, Want.CANCEL):
                    self._offer(row)
                elif row.superseded:
                    self._rank(row.lane)  # entries may have waited for its end
                touched[row.account] = None
            elif isinstance(row, Group):
                self._rank((row.account, row.exchange, row.symbol, row.side))
                touched[row.account] = None
            elif isinstance(row, Account | WorldHold):
                if isinstance(row, Account):
                    self._durable[row.name] = row.status
                touched.update(dict.fromkeys(self._rank_all(row)))
        for account in touched:
            self._pump(account)
            self._looks.begin(account)

    def listed(self, account: str) -> None:
        """Note that what rests on an account was read and taken in: what is missing there is looked up now."""
        self._looks.listed(account)

    def on_looked(self, listener: Callable[[str], None]) -> None:
        """Have somebody hear, by the account's name, when all that was due there has been looked up."""
        self._looks.all_looked = listener

    @property
    def busy(self) -> bool:
        """Return whether anything is being sent."""
        return any(lane.busy for lane in self._lanes.values())

    def stop(self) -> None:
        """Send nothing more; what is committed goes on after the next start."""
        self._stopped = True
        self._looks.stop()
        self._ways.stop()

    # -- what waits

    def _offer(self, row: Order) -> None:
        key = row.lane
        lane = self._lanes[key]
        lane.waiting[row.id] = row
        if not lane.busy:
            self._ranks[row.account].put(key, _priority(row))

    def _rank(self, key: LaneKey) -> None:
        """Queue a lane by the most urgent of what may leave there now."""
        lane = self._lanes.get(key)
        if lane is None or lane.busy:
            return
        ranks = self._ranks[key[0]]
        ready = self._ready(key)
        if ready:
            ranks.put(key, _priority(ready[0]))
            return
        ranks.drop(key)
        if not lane.waiting:
            del self._lanes[key]

    def _rank_all(self, row: Account | WorldHold) -> list[str]:
        """Queue the lanes that a hold concerns anew; return their accounts."""
        accounts = self._book.accounts.values()
        names = [one.name for one in accounts if row.name in (one.name, one.world)]
        for key in [key for key in self._lanes if key[0] in names]:
            self._rank(key)
        return names

    def _ready(self, key: LaneKey) -> list[Order]:
        """Return what may leave now, the most urgent first; forget what was revoked or changed."""
        waiting = self._lanes[key].waiting
        for id in [id for id, row in waiting.items() if not self._is_current(row)]:
            del waiting[id]
        return sorted(self._that_may_leave(key, waiting.values()), key=_order)

    def _is_current(self, row: Order) -> bool:
        return self._book.order(row.id) is row

    def _that_may_leave(self, key: LaneKey, rows: Iterable[Order]) -> list[Order]:
        """Return the rows of a lane that may leave; nothing is added to a group on hold."""
        least = self._least_urgent(key)
        return [row for row in rows if _priority(row) <= least and not self._adds_to_held(row)]

    def _adds_to_held(self, row: Order) -> bool:
        group = self._book.groups.get(row.group_id) if _priority(row) == LAST else None
        return group is not None and bool(group.hold)

    def _least_urgent(self, key: LaneKey) -> int:
        """Return the last priority that may leave a lane: an account that was read trades, on hold it only reduces.

        Nothing is added either where a replaced close may still arrive.
        """
        account = self._book.accounts.get(key[0])
        if account is None:
            return NOTHING
        # What was decided counts at once where it holds back, and once it is durable where it lets go.
        statuses = {account.status, self._durable.get(account.name, account.status)}
        if not statuses <= SENDING:
            return NOTHING
        held = AccountStatus.HOLD in statuses or self._book.world_hold(account.world)
        return LAST - 1 if held or self._book.awaits_lost_close(key) else LAST

    # -- what leaves

    def _pump(self, account: str) -> None:
        """Begin every step for which there is room, the most urgent first."""
        ranks = self._ranks.get(account)
        if ranks is None or self._stopped:
            return
        way = self._ways(account)
        for key, rank in ranks:
            if not way.breaker.lets():
                way.wake_when_free()
                return
            if rank == LAST and not way.limiter.room(Kind.ORDER, key[2]):
                way.wake_when_free()
                if way.limiter.shares_orders:
                    return
                continue
            self._begin(way, ranks, key, rank)

    def _begin(self, way: Way, ranks: Ranks, key: LaneKey, rank: int) -> None:
        """Begin a lane's next step, of what is most urgent in it and as much of that as there is room for."""
        lane = self._lanes[key]
        ready = self._ready(key)
        first = _priority(ready[0]) if ready else LAST + 1
        if first > rank:
            ranks.drop(key)  # what it was queued for was revoked meanwhile, or may not leave any more
            self._rank(key)
            return
        step = [row for row in ready if _priority(row) == first and _takes_place(way, row)]
        if not step:
            way.wake_when_free()
            return
        for row in step:
            del lane.waiting[row.id]
        ranks.drop(key)
        lane.busy = True
        cancels = [row for row in step if _kind(row) is Kind.CANCEL]
        places = [row for row in step if _kind(row) is Kind.ORDER]
        probe = way.breaker.leaves()
        # What leaves together leaves before the next lane's: each call is begun by the first turn of a task.
        meanwhile = None
        if places and cancels:
            meanwhile = self._tasks.spawn(f"cancels of lane {' '.join(key)}", self._send(key, cancels))
        work = self._carry_out(way, key, step, places or cancels, meanwhile, probe)
        self._tasks.spawn(f"lane {' '.join(key)}", work)

    async def _carry_out(
        self,
        way: Way,
        key: LaneKey,
        step: Sequence[Order],
        own: Sequence[Order],
        meanwhile: asyncio.Task[Sequence[OrderReport]] | None,
        probe: bool,
    ) -> None:
        """Send what is this task's own of a step, wait for the rest of it, and give the lane free again."""
        reports: Sequence[OrderReport] = ()
        try:
            reports = await self._send(key, own)
            if meanwhile is not None:
                reports = (*reports, *await meanwhile)
        finally:
            self._lanes[key].busy = False
            self._put_back(key, step)
            for row in step:
                way.limiter.answered(_kind(row), row.symbol)
            if too_many(reports):
                way.slow_down()
            self._rank(key)
            if reports:
                way.answered(Call.ORDERS, well=understood(reports), probe=probe)
            else:
                way.withdrawn(probe=probe)

    def _put_back(self, key: LaneKey, step: Sequence[Order]) -> None:
        """Let those wait again that were to leave and were not let go: what left has a newer row by now."""
        for row in step:
            if self._is_current(row):
                self._lanes[key].waiting[row.id] = row

    async def _send(self, key: LaneKey, rows: Sequence[Order]) -> Sequence[OrderReport]:
        """Send orders, or cancels, as far as they may leave still; return what was said about each that left."""
        # Somebody may have had a turn since the step was chosen.
        current = self._that_may_leave(key, (row for row in rows if self._is_current(row)))
        if not current:
            return ()
        exchange = self._ways.exchange(key[0])
        cancel = _kind(current[0]) is Kind.CANCEL
        self._post(Sending(order_ids=tuple(row.id for row in current), at=self._clock.now(), cancel=cancel))
        call = exchange.cancel(current) if cancel else exchange.place(current)
        return await self._told(call, current, about_cancel=cancel)

    async def _told(
        self, call: Awaitable[Sequence[OrderReport]], orders: Sequence[Order], *, about_cancel: bool = False
    ) -> Sequence[OrderReport]:
        """Post what the exchange said; a call that broke off proves nothing."""
        try:
            reports = await call
            if len(reports) != len(orders):
                raise ValueError(f"{len(orders)} orders were asked about, {len(reports)} were answered")
        except (Exception, asyncio.CancelledError) as error:
            if ends_the_task(error):
                raise
            log.exception("a call to the exchange broke off")
            now = self._clock.now()
            reports = [nothing_known(order, now, about_cancel=about_cancel) for order in orders]
        by_group: dict[int, list[OrderReport]] = {}
        for order, report in zip(orders, reports, strict=True):
            by_group.setdefault(order.group_id, []).append(report)
        for group_id, own in by_group.items():
            self._post(OrderReports(group_id=group_id, reports=tuple(own)))
        return reports


def _kind(order: Order) -> Kind:
    return Kind.CANCEL if wants(order) is Want.CANCEL else Kind.ORDER


def _priority(order: Order) -> int:
    """A cancel goes with the exits: an exit's cancels leave together with its close."""
    return 0 if _kind(order) is Kind.CANCEL else PRIORITY[order.purpose]


def _order(order: Order) -> tuple[int, bool]:
    """Where there is no room for all, closes take it before cancels."""
    return _priority(order), _kind(order) is Kind.CANCEL


def _takes_place(way: Way, order: Order) -> bool:
    """Take an order's place in the rate budget, if there is one; what adds risk leaves the reserve alone."""
    kind = _kind(order)
    if not way.limiter.room(kind, order.symbol, reserved=_priority(order) < LAST):
        return False
    way.limiter.take(kind, order.symbol)
    return True
