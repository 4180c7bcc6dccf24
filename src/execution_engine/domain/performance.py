"""What trading came to over a time: sums, ratios, the curve and its falls, days, months, pairs."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from execution_engine.domain.instrument import Side
from execution_engine.domain.money import HUNDRED, ZERO, divide
from execution_engine.domain.rows import World

LEAST_TRADES = 20  # fewer say nothing about how steady a result is
DAYS_A_YEAR = Decimal(365)
MOST_BARS = 24
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Which trades are asked for: closed from `since` up to before `until`; None and "" leave open."""

    world: World
    since: datetime | None = None
    until: datetime | None = None
    account: str = ""
    symbol: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosedTrade:
    """A closed group that had filled. entry, exit: averages over its fills; None where they were not read."""

    group_id: int
    account: str
    symbol: str
    timeframe: str
    side: Side
    quote: str
    opened_at: datetime
    closed_at: datetime
    quantity: Decimal
    realized: Decimal
    fees: Decimal
    why: str
    entry: Decimal | None = None
    exit: Decimal | None = None

    @property
    def held(self) -> timedelta:
        return self.closed_at - self.opened_at

    @property
    def percent(self) -> Decimal | None:
        """Return the result in per cent of what its entries cost."""
        cost = (self.entry or ZERO) * self.quantity
        return divide(self.realized * HUNDRED, cost) if cost else None


@dataclass(frozen=True, slots=True)
class Change:
    """What was realized at a moment [USD]."""

    at: datetime
    amount: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """Sums over closed groups [USD]; `lost` is negative."""

    trades: int = 0
    wins: int = 0
    losses: int = 0
    won: Decimal = ZERO
    lost: Decimal = ZERO
    fees: Decimal = ZERO
    held: timedelta = timedelta()

    @property
    def realized(self) -> Decimal:
        return self.won + self.lost

    @property
    def win_rate(self) -> Decimal | None:
        """Return wins / trades [%]."""
        return divide(HUNDRED * self.wins, Decimal(self.trades)) if self.trades else None

    @property
    def profit_factor(self) -> Decimal | None:
        """Return sum of profits / sum of losses; None without a loss."""
        return divide(self.won, -self.lost) if self.lost else None

    @property
    def expectancy(self) -> Decimal | None:
        """Return what a trade brought on average."""
        return divide(self.realized, Decimal(self.trades)) if self.trades else None

    @property
    def average_win(self) -> Decimal | None:
        return divide(self.won, Decimal(self.wins)) if self.wins else None

    @property
    def average_loss(self) -> Decimal | None:
        return divide(self.lost, Decimal(self.losses)) if self.losses else None

    @property
    def average_held(self) -> timedelta | None:
        return self.held / self.trades if self.trades else None


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """Equity after a change, and how far below its highest so far [USD]; `drawdown` is never above zero."""

    at: datetime
    equity: Decimal
    drawdown: Decimal


@dataclass(frozen=True, slots=True)
class Fall:
    """The deepest fall of the curve: from its peak to its lowest [USD], and in per cent of the peak."""

    amount: Decimal
    percent: Decimal | None
    peak_at: datetime | None = None
    low_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """The trades that share a pair, a timeframe or a month."""

    name: str
    tally: Tally


@dataclass(frozen=True, slots=True)
class DayResult:
    """What a UTC day brought, and how many groups closed on it."""

    realized: Decimal
    trades: int


@dataclass(frozen=True, slots=True)
class Bar:
    """How many trades ended from `low` up to before `high` [USD]."""

    low: Decimal
    high: Decimal
    trades: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Everything that Performance shows. start: the capital plus what was realized before."""

    tally: Tally = Tally()
    start: Decimal = ZERO
    realized: Decimal = ZERO
    curve: Sequence[CurvePoint] = ()
    fall: Fall = Fall(ZERO, None)
    sharpe: Decimal | None = None
    pairs: Sequence[Part] = ()
    timeframes: Sequence[Part] = ()
    months: Sequence[Part] = ()
    days: Mapping[date, DayResult] = field(default_factory=dict)
    bars: Sequence[Bar] = ()
    trades: Sequence[ClosedTrade] = ()


def report(
    trades: Sequence[ClosedTrade], changes: Sequence[Change], *, start: Decimal, last_day: date
) -> Report:
    """Work everything out. trades: newest first; changes: oldest first; start: equity before the first change;
    last_day: until which days without a change count for the Sharpe ratio."""
    curve = curve_of(changes, start)
    days = days_of(trades, changes)
    return Report(
        tally=tally(trades),
        start=start,
        realized=sum((change.amount for change in changes), ZERO),
        curve=curve,
        fall=deepest_fall(curve),
        sharpe=sharpe(days, last_day) if len(trades) >= LEAST_TRADES else None,
        pairs=parts(trades, lambda trade: trade.symbol),
        timeframes=parts(trades, lambda trade: trade.timeframe),
        months=parts(trades, lambda trade: f"{trade.closed_at.astimezone(UTC):%Y-%m}"),
        days=days,
        bars=distribution([trade.realized for trade in trades]),
        trades=trades,
    )


def tally(trades: Iterable[ClosedTrade]) -> Tally:
    """Sum up closed groups."""
    some = list(trades)
    wins = [trade.realized for trade in some if trade.realized > 0]
    losses = [trade.realized for trade in some if trade.realized < 0]
    return Tally(
        trades=len(some),
        wins=len(wins),
        losses=len(losses),
        won=sum(wins, ZERO),
        lost=sum(losses, ZERO),
        fees=sum((trade.fees for trade in some), ZERO),
        held=sum((trade.held for trade in some), timedelta()),
    )


def parts(trades: Iterable[ClosedTrade], name: Callable[[ClosedTrade], str]) -> tuple[Part, ...]:
    """Sum up the trades of each name, the names in order."""
    found: dict[str, list[ClosedTrade]] = {}
    for trade in trades:
        found.setdefault(name(trade), []).append(trade)
    return tuple(Part(each, tally(found[each])) for each in sorted(found))


def curve_of(changes: Iterable[Change], start: Decimal) -> tuple[CurvePoint, ...]:
    """Return the equity after each change, with its distance from the highest before."""
    equity = peak = start
    points = []
    for change in changes:
        equity += change.amount
        peak = max(peak, equity)
        points.append(CurvePoint(change.at, equity, equity - peak))
    return tuple(points)


def deepest_fall(curve: Sequence[CurvePoint]) -> Fall:
    """Return the largest fall from a peak; the first of equals."""
    low = min(curve, key=lambda point: point.drawdown, default=None)
    if low is None or not low.drawdown:
        return Fall(ZERO, None)
    peak = low.equity - low.drawdown
    before = [point.at for point in curve if point.at <= low.at and point.equity == peak]
    percent = divide(low.drawdown * HUNDRED, peak) if peak > 0 else None
    return Fall(low.drawdown, percent, before[-1] if before else None, low.at)


def days_of(trades: Iterable[ClosedTrade], changes: Iterable[Change]) -> dict[date, DayResult]:
    """Return what each UTC day brought; days on which nothing happened are left out."""
    amounts: dict[date, Decimal] = {}
    counts: dict[date, int] = {}
    for change in changes:
        day = change.at.astimezone(UTC).date()
        amounts[day] = amounts.get(day, ZERO) + change.amount
    for trade in trades:
        day = trade.closed_at.astimezone(UTC).date()
        counts[day] = counts.get(day, 0) + 1
    return {day: DayResult(amounts.get(day, ZERO), counts.get(day, 0)) for day in sorted({*amounts, *counts})}


def sharpe(days: Mapping[date, DayResult], last_day: date) -> Decimal | None:
    """Return mean / standard deviation of the daily changes × √365, from the first day to `last_day`.

    None for less than two days, or where every day brought the same.
    """
    if not days:
        return None
    first = min(days)
    count = (max(last_day, max(days)) - first) // DAY + 1
    if count < 2:
        return None
    amounts = [day.realized for day in days.values()]
    mean = divide(sum(amounts, ZERO), Decimal(count))
    squares = sum(((amount - mean) ** 2 for amount in amounts), ZERO) + (count - len(amounts)) * mean**2
    deviation = (squares / (count - 1)).sqrt()
    return divide(mean * DAYS_A_YEAR.sqrt(), deviation) if deviation else None


def distribution(results: Sequence[Decimal], most: int = MOST_BARS) -> tuple[Bar, ...]:
    """Sort results into bars of one round width, at most that many; zero is an edge, so no bar is both won
    and lost."""
    if not results:
        return ()
    low, high = min(*results, ZERO), max(*results, ZERO)
    width = round_width((high - low) / (most - 1)) if high > low else Decimal(1)
    first = int(low // width) - (1 if low % width else 0)
    edges = [width * place for place in range(first, int(high // width) + 2)]
    counts = [0] * (len(edges) - 1)
    for result in results:
        counts[bisect_right(edges, result) - 1] += 1
    return tuple(
        Bar(edge, edges[place + 1], counts[place])
        for place, edge in enumerate(edges[:-1])
        if not (place in (0, len(counts) - 1) and not counts[place])
    )


def round_width(least: Decimal) -> Decimal:
    """Return the smallest of 1, 2, 5 times a power of ten that is not below `least`."""
    power = Decimal(10) ** least.adjusted()
    return next(power * each for each in (1, 2, 5, 10) if power * each >= least)


def thinned(curve: Sequence[CurvePoint], most: int) -> Sequence[CurvePoint]:
    """Return at most about that many points for the eye: of each stretch its last and its lowest."""
    if len(curve) <= most:
        return curve
    size = -(-2 * len(curve) // most)
    kept: list[CurvePoint] = []
    for at in range(0, len(curve), size):
        some = curve[at : at + size]
        low = min(some, key=lambda point: point.drawdown)
        kept += [low, some[-1]] if low is not some[-1] else [low]
    return tuple(kept)
