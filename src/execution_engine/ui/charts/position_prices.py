"""Prices since the start, one trail per market, thinned out so that it never grows beyond its bounds."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right

from execution_engine.domain.inputs import Price

MOST_POINTS = 4_096
FIRST_GAP_S = 0.25


class Trail:
    """Keep times [s] and prices of one market.

    Full, it forgets every second point and from then on takes half as many: the whole time since the start
    stays in sight, only coarser. Floats are right here: the points are for the eye.
    """

    def __init__(self, most: int = MOST_POINTS, gap_s: float = FIRST_GAP_S) -> None:
        """Take how many points are kept at most, and the least time between two [s]."""
        self.times, self.prices = array("d"), array("d")
        self._most, self._gap_s = most, gap_s

    def add(self, price: Price) -> None:
        """Note a price; one that follows too soon replaces the one before it."""
        at, last = price.at.timestamp(), float(price.last)
        if len(self.times) > 1 and at - self.times[-2] < self._gap_s:
            self.times[-1], self.prices[-1] = at, last
            return
        self.times.append(at)
        self.prices.append(last)
        if len(self.times) >= self._most:
            self.times, self.prices = self.times[::2], self.prices[::2]
            self._gap_s *= 2

    def reach(self, start: float, end: float) -> list[float]:
        """Return the lowest and the highest price between two times; nothing where there was none."""
        prices = self.prices[bisect_left(self.times, start) : bisect_right(self.times, end)]
        return [min(prices), max(prices)] if prices else []


class Trails:
    """The trails of all markets that had a price."""

    def __init__(self) -> None:
        self._of: dict[tuple[str, str], Trail] = {}

    def add(self, price: Price) -> None:
        """Note a price."""
        trail = self._of.get(price.key)
        if trail is None:
            trail = self._of[price.key] = Trail()
        trail.add(price)

    def of(self, market: tuple[str, str]) -> Trail:
        """Return the trail of a market; an empty one when there was no price yet."""
        return self._of.get(market) or Trail()
