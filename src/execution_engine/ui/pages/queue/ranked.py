"""The waiting signals in the order of promotion; worked out again only for what was touched.

By the engine's own rules, at the prices of the screen: values follow at once, places a second later at most.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import datetime
from decimal import Decimal

from execution_engine.domain.ranking import (
    GroupKey,
    Rank,
    Standing,
    depth_of,
    joined,
    passed_over,
    placed,
)
from execution_engine.domain.rows import Group, World
from execution_engine.ui.bridge import Batch, Bridge, Market
from execution_engine.ui.holdings import is_old
from execution_engine.ui.pages.queue.waiting import Waiting
from execution_engine.ui.tongue import tr

NO_TICK = Decimal("0.01")


class Ranked:
    """The rows of the queue, by id."""

    def __init__(self, bridge: Bridge) -> None:
        """Begin with nothing; `take` a whole batch first."""
        self._bridge = bridge
        self._of_market: defaultdict[Market, dict[int, None]] = defaultdict(dict)
        self._standing: dict[int, Standing] = {}
        self._ranks: dict[int, Rank] = {}
        self._holders: dict[GroupKey, Group] = {}
        self._keys: dict[int, GroupKey] = {}
        self._old: dict[Market, bool] = {}
        self._own: dict[str, str] = {}
        self.busy: set[int] = set()

    def take(self, batch: Batch, now: datetime) -> set[int]:
        """Take in a batch; return the ids of signals that look different, or are gone, but for their places."""
        if batch.whole:
            return self._begin_anew(now)
        touched = set(batch.queue)
        for id in batch.groups:
            self._hold(id)
        for id in touched:
            self._look(id, now)
        for market in batch.markets:
            touched.update(self._price(market, now))
        return touched

    def _price(self, market: Market, now: datetime) -> Collection[int]:
        """Take in a market's new price; return the signals that wait for it."""
        ids = self._of_market.get(market, {})
        if ids:
            price = self._price_of(market, now)
            for id in ids:
                row = self._standing[id].row
                self._standing[id] = Standing(row, depth_of(row, price))
        return ids

    def _price_of(self, market: Market, now: datetime) -> Decimal | None:
        """Return the price of a market that counts now, and remember whether it is old."""
        quote = self._bridge.prices.get(market)
        self._old[market] = old = is_old(quote, now)
        return quote.last if quote is not None and not old else None

    def _begin_anew(self, now: datetime) -> set[int]:
        touched = set(self._standing) | set(self._bridge.queue)
        for held in (self._of_market, self._standing, self._ranks, self._holders, self._keys, self._old):
            held.clear()
        for id in self._bridge.groups:
            self._hold(id)
        for id in self._bridge.queue:
            self._look(id, now)
        return touched

    def aged(self, now: datetime) -> set[int]:
        """Look anew at signals whose price became old, or fresh again; return them."""
        touched: set[int] = set()
        for market, ids in self._of_market.items():
            if ids and is_old(self._bridge.prices.get(market), now) is not self._old.get(market):
                touched.update(self._price(market, now))
        return touched

    def rank(self) -> set[int]:
        """Put all into order; return those that have another place, or have it for another reason."""
        before, self._ranks = self._ranks, {}
        moved = set()
        passed: dict[int, str] = {}
        for found in self._by_world(passed):
            found.sort(key=lambda each: each.order)
            for rank in placed(found, passed):
                id = rank.standing.row.id
                old = before.get(id)
                if old is not None and _same(old, rank):
                    self._ranks[id] = old
                else:
                    self._ranks[id] = rank
                    moved.add(id)
        return moved

    def _by_world(self, passed: dict[int, str]) -> Iterable[list[Standing]]:
        """Return what waits in each world, and note why some are passed over."""
        found: defaultdict[World, list[Standing]] = defaultdict(list)
        holders = self._holders
        for standing in self._standing.values():
            row = standing.row
            holder = holders.get(row.key)
            if holder is not None:
                passed[row.id] = passed_over(row, holder)
                standing = Standing(row, standing.depth, joined(row, holder))
            found[row.world].append(standing)
        return found.values()

    def keep_back(self, own: dict[str, str]) -> set[int]:
        """Note why accounts' signals wait; return those that say something else now."""
        changed = {name for name in self._own.keys() | own.keys() if self._own.get(name) != own.get(name)}
        self._own = own
        return {id for id, each in self._standing.items() if each.row.account in changed}

    def rows(self, ids: Collection[int]) -> list[Waiting]:
        """Return signals as they are shown."""
        seen: dict[Market, tuple[Decimal | None, Decimal, bool]] = {}  # many wait for the same market
        return [self._row(id, seen) for id in ids if id in self._ranks and id in self._standing]

    def _row(self, id: int, seen: dict[Market, tuple[Decimal | None, Decimal, bool]]) -> Waiting:
        row = self._bridge.queue[id]
        market = (row.exchange, row.symbol)
        if market not in seen:
            seen[market] = self._see(market)
        last, tick, old = seen[market]
        unpriced = tr("no fresh price") if row.entry_price is None and (last is None or old) else ""
        waits = self._own.get(row.account) or unpriced
        return Waiting(row, self._ranks[id], last, tick, old, id in self.busy, waits)

    def _see(self, market: Market) -> tuple[Decimal | None, Decimal, bool]:
        """Return a market's last price, its tick, and whether that price is old."""
        quote, instrument = self._bridge.prices.get(market), self._bridge.doors.catalogue.get(*market)
        tick = instrument.tick if instrument is not None else NO_TICK
        return (None if quote is None else quote.last), tick, self._old.get(market, False)

    def first(self, id: int, now: datetime) -> Waiting | None:
        """Return one signal with the place that it has at this moment."""
        if id not in self._bridge.queue:
            return None
        self._look(id, now)
        self.rank()
        return self._row(id, {})

    def _look(self, id: int, now: datetime) -> None:
        row = self._bridge.queue.get(id)
        if row is None:
            gone = self._standing.pop(id, None)
            self._ranks.pop(id, None)
            if gone is not None:
                self._of_market[gone.row.exchange, gone.row.symbol].pop(id, None)
            return
        market = (row.exchange, row.symbol)
        self._of_market[market][id] = None
        self._standing[id] = Standing(row, depth_of(row, self._price_of(market, now)))

    def _hold(self, id: int) -> None:
        """Remember which group holds a slot under a key."""
        group = self._bridge.groups.get(id)
        if group is not None and group.holds_slot:
            self._keys[id] = group.key
            self._holders[group.key] = group
        else:
            key = self._keys.pop(id, None)
            if key is not None and self._holders[key].id == id:
                del self._holders[key]


def _same(one: Rank, other: Rank) -> bool:
    """Return whether two ranks read the same."""
    return (
        one.place == other.place
        and one.tie == other.tie
        and one.passed == other.passed
        and one.standing == other.standing
    )
