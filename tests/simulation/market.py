"""Where prices go: a walk in whole ticks with jumps, gaps and wicks, or plateaus."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from random import Random

from execution_engine.domain.inputs import Price
from execution_engine.domain.instrument import Instrument
from execution_engine.domain.money import ZERO
from tests.simulation.program import Program

FIRST = {"BTC": "65000", "ETH": "3000", "SOL": "150", "XRP": "0.6", "DOGE": "0.15"}
JUMP, WICK = 0.002, 0.001  # of all seconds


class Path:
    """One market's prices, second by second; the same whatever happens around it."""

    def __init__(self, program: Program, instrument: Instrument) -> None:
        self._chance = Random(f"{program.seed}/price/{instrument.symbol}")
        self._instrument = instrument
        self._tick = instrument.tick
        self._spread = program.spread
        self._levels = self._walk(program, int(Decimal(FIRST[instrument.base]) / instrument.tick))

    def _walk(self, program: Program, level: int) -> Iterator[int]:
        chance, sigma, second = self._chance, program.volatility / 100, 0
        floor, top = level // 2, level * 2
        while True:
            yield level
            second += 1
            if program.plateau_s and second % program.plateau_s:
                continue
            step = chance.gauss(0, sigma * (program.plateau_s**0.5 if program.plateau_s else 1))
            luck = 1.0 if program.plateau_s else chance.random()
            if luck < WICK:  # there and back within a second
                yield round(level * (1 + chance.gauss(0, sigma * 30)))
            elif luck < WICK + JUMP:
                step *= 15
            level = min(max(round(level * (1 + step)), floor), top)

    def next(self, at: datetime) -> Price:
        last = next(self._levels) * self._tick
        half = self._spread * self._tick
        return Price(
            exchange=self._instrument.exchange,
            symbol=self._instrument.symbol,
            last=last,
            bid=last - half if half else ZERO,
            ask=last + half if half else ZERO,
            at=at,
        )
