"""Candles out of prices: what a stretch of time opened, closed, and between what it moved."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

STEPS_S = (1, 5, 15, 30, 60, 300, 900, 1800, 3600, 14_400, 86_400, 604_800)
WIDEST = 9.0  # px from one candle to the next, at least
LEAST_PRICES = 3.0  # a candle on average: with fewer it would only be a line drawn fat
FEWEST = 5


class Candle(NamedTuple):
    """One stretch of time that begins at `start` [s]."""

    start: float
    opened: float
    high: float
    low: float
    closed: float


def step_for(seconds_per_px: float) -> int:
    """Return the shortest round stretch of time [s] that is wide enough to be seen."""
    return next((step for step in STEPS_S if step >= seconds_per_px * WIDEST), STEPS_S[-1])


def candles(
    times: Sequence[float] | np.ndarray, prices: Sequence[float] | np.ndarray, step: int
) -> list[Candle]:
    """Return the candles of prices in the order of time; stretches without a price have none."""
    if not len(times):
        return []
    at, price = np.asarray(times, dtype=float), np.asarray(prices, dtype=float)
    slots = np.floor(at / step)
    first = np.concatenate([[0], np.flatnonzero(np.diff(slots)) + 1])
    last = np.concatenate([first[1:], [len(at)]]) - 1
    highs, lows = np.maximum.reduceat(price, first), np.minimum.reduceat(price, first)
    return [
        Candle(float(slots[a] * step), float(price[a]), float(high), float(low), float(price[b]))
        for a, b, high, low in zip(first, last, highs, lows, strict=True)
    ]


def are_enough(found: Sequence[Candle], prices: int) -> bool:
    """Tell whether so many prices make these candles worth looking at."""
    return len(found) >= FEWEST and prices >= LEAST_PRICES * len(found)
