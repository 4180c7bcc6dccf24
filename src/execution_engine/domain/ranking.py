"""The order of promotion: who gets the next slot, and why, in words.

Rules are compared one after the other; there is no weighted sum, so a lower rule never outvotes a higher one:

1. a signal whose key has an open group on its side goes first; it needs no slot and becomes a pyramid
2. the deepest loss now; a gain counts as 0, and so does a loss that nobody can tell
3. the highest `replacement_count`
4. first in, first out
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import Counter, deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from heapq import heapify, heappop, heappush

from execution_engine.domain.instrument import Side
from execution_engine.domain.money import HUNDRED, ONE, ZERO, divide, text
from execution_engine.domain.rows import Group, QueuedSignal, World
from execution_engine.domain.signal import Outcome

Market = tuple[str, str]
GroupKey = tuple[str, str, str, str]
PriceOf = Callable[[Market], Decimal | None]
Place = tuple[int, datetime, int]
Depth = tuple[Decimal, int, datetime, int]

PROMOTED = frozenset({Outcome.OPENED, Outcome.PYRAMIDED, Outcome.REPLACEMENT})
CLOSING = "passed over while its key is closing"
OPPOSED = "passed over while its key is open on the other side"
HELD = "passed over while its position is on hold"
TIMES = {1: "once", 2: "twice"}


@dataclass(frozen=True, slots=True)
class Asked:
    """That the prices of these markets were asked for because a slot waits for them, and when.

    answered: what has not come by now cannot be had.
    """

    world: World
    markets: frozenset[Market]
    at: datetime
    answered: bool = False


@dataclass(frozen=True, slots=True)
class Standing:
    """What a waiting signal has to show under each rule.

    depth: its loss as a fraction of its entry price, never above 0; None where it cannot be told.
    joins: the group that it continues is open.
    """

    row: QueuedSignal
    depth: Decimal | None
    joins: bool = False

    @property
    def rules(self) -> tuple[bool, Decimal, int]:
        """Return what is compared before time is; the smallest goes first."""
        return (not self.joins, self.depth or ZERO, -self.row.replacement_count)

    @property
    def order(self) -> tuple[bool, Decimal, int, datetime, int]:
        return (*self.rules, self.row.queued_at, self.row.id)


@dataclass(frozen=True, slots=True)
class Rank:
    """A signal's place in the order of promotion; 1 is next.

    passed: why it is passed over just now; empty if it is not. tie: how its time decided, where nothing else did.
    """

    standing: Standing
    place: int
    passed: str = ""
    tie: str = ""

    @property
    def row(self) -> QueuedSignal:
        return self.standing.row

    @property
    def joins(self) -> bool:
        return self.standing.joins

    @property
    def loss_percent(self) -> Decimal | None:
        """Return the loss now [%, never above 0]; None where it cannot be told."""
        depth = self.standing.depth
        return None if depth is None else divide(depth * HUNDRED, ONE)

    @property
    def why(self) -> str:
        """Say what its place rests on."""
        count = self.row.replacement_count
        joins = "continues its open group, needs no slot" if self.joins else ""
        replaced = f"replaced {TIMES.get(count, f'{count} times')}" if count else ""
        return ", ".join(part for part in (joins, self._loss(), replaced, self.tie, self.passed) if part)

    @property
    def reason(self) -> str:
        """Say the place and what it rests on: “2nd: −3.1 %, replaced twice”."""
        return f"{ordinal(self.place)}: {self.why}"

    def _loss(self) -> str:
        if self.row.entry_price is None:
            return "enters at the market"
        if self.standing.depth is None:
            return "no fresh price"
        return percent(self.standing.depth * HUNDRED) if self.standing.depth else "no loss"


def depth_of(row: QueuedSignal, price: Decimal | None) -> Decimal | None:
    """Return how far a signal is under water, as a fraction of its entry price."""
    if row.entry_price is None:
        return ZERO  # it enters at the market, whatever that is
    if price is None:
        return None
    moved = (price / row.entry_price - ONE) * row.side.sign
    return moved if moved < ZERO else ZERO


def standings(
    rows: Iterable[QueuedSignal], price_of: PriceOf, holder_of: Callable[[GroupKey], Group | None]
) -> list[Rank]:
    """Return the waiting signals of one world in the order in which they go.

    price_of: the price of a market that counts now; None where there is none. holder_of: the group that holds a
    slot under a key.
    """
    found = []
    passed = {}
    for row in rows:
        holder = holder_of(row.key)
        joins = holder is not None and joined(row, holder)
        found.append(Standing(row, depth_of(row, price_of((row.exchange, row.symbol))), joins))
        if holder is not None:
            passed[row.id] = passed_over(row, holder)
    found.sort(key=lambda each: each.order)
    return list(placed(found, passed))


def joined(row: QueuedSignal, holder: Group) -> bool:
    """Return whether a signal continues this group of its key."""
    return holder.is_open and holder.side is row.side


def passed_over(row: QueuedSignal, holder: Group) -> str:
    """Return why the group that holds its key keeps a signal waiting; empty if it does not."""
    if not holder.is_open:
        return CLOSING
    if holder.side is not row.side:
        return OPPOSED
    return HELD if holder.hold else ""


def placed(standing: Iterable[Standing], passed: Mapping[int, str]) -> Iterator[Rank]:
    """Number what comes in order, and say where time alone decided; nothing is looked at before its turn."""
    waiting = ((each, each.rules) for each in standing)
    before: tuple[bool, Decimal, int] | None = None
    now = next(waiting, None)
    place = 0
    while now is not None:
        place += 1
        after = next(waiting, None)
        which, rules = now
        tie = ""
        if before == rules:
            tie = "came later"
        elif after is not None and after[1] == rules:
            tie = "came first"
        yield Rank(which, place, passed.get(which.row.id, ""), tie)
        before, now = rules, after


class Line:
    """The waiting signals of one world, kept so that the next one is found without looking at all of them.

    Of one market and side, the order of losses is that of the entry prices, wherever the price is: only the first
    of each is compared with those of the others.
    """

    def __init__(self, rows: Iterable[QueuedSignal] = ()) -> None:
        self._rows: dict[int, QueuedSignal] = {}
        self._by_time: list[Place] = []
        self._by_entry: dict[tuple[Market, Side], list[Depth]] = {}
        self._markets: dict[Market, dict[int, None]] = {}
        self._accounts: Counter[str] = Counter()
        for row in rows:
            self.put(row)

    def put(self, row: QueuedSignal) -> None:
        """Take in a signal, or its new version."""
        self.drop(row.id)
        self._rows[row.id] = row
        self._accounts[row.account] += 1
        insort(self._by_time, _place(row))
        self._markets.setdefault((row.exchange, row.symbol), {})[row.id] = None
        if row.entry_price is not None:
            insort(self._by_entry.setdefault(_side(row), []), _depth(row, row.entry_price))

    def drop(self, id: int) -> None:
        """Forget a signal, if it is there."""
        row = self._rows.pop(id, None)
        if row is None:
            return
        self._accounts[row.account] -= 1
        del self._by_time[bisect_left(self._by_time, _place(row))]
        market = (row.exchange, row.symbol)
        del self._markets[market][id]
        if not self._markets[market]:
            del self._markets[market]
        if row.entry_price is not None:
            line = self._by_entry[_side(row)]
            del line[bisect_left(line, _depth(row, row.entry_price))]
            if not line:
                del self._by_entry[_side(row)]

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def markets(self) -> Collection[Market]:
        return self._markets.keys()

    @property
    def accounts(self) -> list[str]:
        return [name for name, count in self._accounts.items() if count]

    def of(self, market: Market) -> list[QueuedSignal]:
        """Return the signals of one market."""
        return [self._rows[id] for id in self._markets.get(market, ())]

    def rows(self) -> Iterator[QueuedSignal]:
        """Yield all signals, first in, first out where nothing else tells them apart."""
        return (self._rows[id] for _, _, id in self._by_time)

    def order(self, price_of: PriceOf, joins: Collection[int] = ()) -> Iterator[Standing]:
        """Yield the signals in the order in which they go; joins: those that continue an open group."""
        prices = {market: price_of(market) for market in self._markets}
        yield from sorted(
            (self._standing(id, prices, joins=True) for id in joins), key=lambda each: each.order
        )
        seen = set(joins)
        for standing in self._losses(prices):
            if standing.row.id not in seen:
                seen.add(standing.row.id)
                yield standing
        for _, _, id in self._by_time:
            if id not in seen:
                yield self._standing(id, prices)

    def lowest(self, price_of: PriceOf, joins: Collection[int] = ()) -> QueuedSignal | None:
        """Return the signal that goes last."""
        prices = {market: price_of(market) for market in self._markets}
        for _, _, id in reversed(self._by_time):
            if id not in joins and not self._standing(id, prices).depth:
                return self._rows[id]
        last = deque(self.order(price_of, joins), maxlen=1)
        return last[0].row if last else None

    def _standing(self, id: int, prices: Mapping[Market, Decimal | None], *, joins: bool = False) -> Standing:
        row = self._rows[id]
        return Standing(row, depth_of(row, prices[row.exchange, row.symbol]), joins)

    def _losses(self, prices: Mapping[Market, Decimal | None]) -> Iterator[Standing]:
        """Yield the signals that are under water, the deepest first."""
        heads: list[tuple[Decimal, int, datetime, int, int, list[Depth], Decimal, int]] = []
        for (market, side), line in self._by_entry.items():
            price = prices[market]
            if price is not None and (price - line[0][0].copy_abs()) * side.sign < ZERO:
                heads.append(_head(line, 0, price, side.sign))
        heapify(heads)
        while heads:
            depth, _, _, id, at, line, price, sign = heappop(heads)
            yield Standing(self._rows[id], depth)
            if at + 1 < len(line) and (price - line[at + 1][0].copy_abs()) * sign < ZERO:
                heappush(heads, _head(line, at + 1, price, sign))


def _head(
    line: list[Depth], at: int, price: Decimal, sign: int
) -> tuple[Decimal, int, datetime, int, int, list[Depth], Decimal, int]:
    entry, count, queued_at, id = line[at]
    return ((price / entry.copy_abs() - ONE) * sign, count, queued_at, id, at, line, price, sign)


def _place(row: QueuedSignal) -> Place:
    return (-row.replacement_count, row.queued_at, row.id)


def _side(row: QueuedSignal) -> tuple[Market, Side]:
    return ((row.exchange, row.symbol), row.side)


def _depth(row: QueuedSignal, entry: Decimal) -> Depth:
    """A long that entered higher is deeper under water at any price; a short that entered lower."""
    return (-entry * row.side.sign, *_place(row))


def ordinal(number: int) -> str:
    """Write 1 as “1st”."""
    ending = "th" if 10 <= number % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def percent(value: Decimal) -> str:
    """Write a loss with one decimal; one that is smaller than that with its first digit."""
    shown = abs(value).quantize(Decimal("0.1"), "ROUND_HALF_UP")
    if not shown:
        first = abs(value).adjusted()
        shown = abs(value).quantize(Decimal(1).scaleb(first), "ROUND_HALF_UP")
    return f"−{text(shown)} %"
