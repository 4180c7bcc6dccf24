"""A made-up market: a price that wanders plausibly, the same for the same seed, symbol and tick.

Every step draws from a generator of its own, seeded by seed, symbol and tick number, so that a restart needs
to know the level and the tick alone. Quiet and wild times follow one another: how wild it is depends on the
stretch of ticks that a tick belongs to.
"""

from __future__ import annotations

import random
from decimal import Decimal

from execution_engine.adapters.exchanges.paper_rows import Walk
from execution_engine.domain.instrument import Instrument
from execution_engine.domain.money import round_down

UNIT = 10**9
"""The level at the start."""

_PPM = 10**6
_STEP_PPM = 130  # widest step in usual times: about 3 % a day at two ticks a second
_STRETCH = 240  # ticks; two minutes
_WILDNESS_PERCENT = (35, 60, 80, 100, 100, 130, 180, 300)
_PULL = 2_000_000  # ticks; the start price calls back so weakly that weeks pass at 10 % from it
_LEAST, _MOST = UNIT // 20, UNIT * 20
_SPREAD_PPM = 20
_UNKNOWN_COIN = 10

_PRICES: dict[str, int | str] = {
    "BTC": 65000, "ETH": 3200, "SOL": 150, "XRP": "0.6", "LTC": 80, "DOGE": "0.15", "ADA": "0.45", "BNB": 580,
    "LINK": 14, "AVAX": 28, "DOT": 6, "TRX": "0.13", "SHIB": "0.00002", "UNI": 8, "ATOM": 7, "XLM": "0.11",
    "BCH": 400, "NEAR": 5, "ETC": 22, "FIL": 5, "AAVE": 110, "SUI": "1.2", "APT": 8, "ARB": "0.8",
    "PEPE": "0.00001",
}  # fmt: skip
_THOUSAND = "1000"


def start_price(base: str) -> Decimal:
    """Return what a coin costs when its market is made up for the first time [USD]."""
    coin = base.removeprefix(_THOUSAND).removesuffix(_THOUSAND)
    price = Decimal(_PRICES.get(coin, _UNKNOWN_COIN))
    return price if coin == base else price * 1000


def first(symbol: str) -> Walk:
    return Walk(symbol=symbol, tick=0, level=UNIT)


def step(walk: Walk, seed: int) -> Walk:
    """Return the market one tick later."""
    tick = walk.tick + 1
    stretch = random.Random(f"{seed}:{walk.symbol}:stretch:{tick // _STRETCH}")
    widest = _STEP_PPM * stretch.choice(_WILDNESS_PERCENT) // 100
    ppm = generator(seed, walk.symbol, tick).randint(-widest, widest)
    pull = (UNIT - walk.level) // _PULL
    level = walk.level + round(Decimal(walk.level) * ppm / _PPM) + pull
    return Walk(symbol=walk.symbol, tick=tick, level=min(max(level, _LEAST), _MOST))


def generator(seed: int, symbol: str, tick: int) -> random.Random:
    """Return the source of chance of one tick."""
    return random.Random(f"{seed}:{symbol}:{tick}")


def quote(walk: Walk, instrument: Instrument) -> tuple[Decimal, Decimal, Decimal]:
    """Return last, bid and ask on the tick grid; the spread is at least one tick."""
    tick = instrument.tick
    exact = start_price(instrument.base) * walk.level / UNIT
    last = max(round_down(exact, tick), tick * 2)
    spread = max(1, int(last * _SPREAD_PPM / _PPM / tick))
    bid = last - spread // 2 * tick
    return last, bid, bid + spread * tick
