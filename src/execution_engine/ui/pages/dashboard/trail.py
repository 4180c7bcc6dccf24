"""Where a market's price went in the last 24 hours, as far as it was seen."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

KEPT = timedelta(hours=24)
FIRST_SPACING = timedelta(seconds=2)
MOST = 60


class Trail:
    """At most 60 prices of one market, the spacing growing until they reach over a day."""

    def __init__(self) -> None:
        """Begin empty."""
        self._points: list[tuple[datetime, Decimal]] = []
        self._spacing = FIRST_SPACING
        self.prices: tuple[Decimal, ...] = ()

    def add(self, at: datetime, price: Decimal) -> bool:
        """Take in a price; tell whether it became a point."""
        points = self._points
        if points and at - points[-1][0] < self._spacing:
            return False
        points.append((at, price))
        while at - points[0][0] > KEPT:
            del points[0]
        if len(points) > MOST:
            self._points = points[len(points) % 2 :: 2]
            self._spacing *= 2
        self.prices = tuple(price for _, price in self._points)
        return True
