"""How many requests an exchange takes of one account, as data: an exchange's own entry may replace it."""

from __future__ import annotations

from dataclasses import dataclass

from execution_engine.domain.instrument import Market


@dataclass(frozen=True, slots=True)
class Budget:
    """At most `orders` requests in any `per_s` seconds; the last `reserved` of them are kept back.

    Of an order budget they are kept for what reduces risk, of a request budget for reading the account.
    """

    orders: int
    per_s: int
    reserved: int

    def __post_init__(self) -> None:
        if not 0 <= self.reserved < self.orders or self.per_s <= 0:
            raise ValueError(f"{self} leaves room for nothing")


def fifth(orders: int, per_s: int) -> Budget:
    """Return a budget of which a fifth, rounded up, is kept back."""
    return Budget(orders, per_s, reserved=-(-orders // 5))


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """What one account may ask of its exchange. None: as much as it likes.

    requests: look-ups and readings of the account. per_symbol: orders are counted for each instrument by itself.
    cancels_apart: cancels are counted by themselves, against a budget of the same size.
    """

    orders: Budget | None = None
    requests: Budget | None = None
    per_symbol: bool = False
    cancels_apart: bool = False


UNLIMITED = Rates()
USUAL = Rates(orders=fifth(50, 10), requests=fifth(10, 1))  # of an exchange that nothing is known about

# The order limits of each exchange's documentation. All of them count new orders; where a limit belongs to one
# call (Binance, Bybit, OKX), cancels are another call. The requests stay far below each exchange's limit for
# everything together (Binance 2,400 weights a minute on USDM where a look-up weighs 1 and a reading 40, spot
# 6,000 where they weigh 4 and 80; Bybit 600 in 5 s; OKX 40 to 60 in 2 s; KuCoin 2,000 to 4,000 weights in 30 s),
# because accounts and price feeds of one address share that.
RATES: dict[tuple[str, Market], Rates] = {
    ("paper", Market.SPOT): UNLIMITED,
    ("paper", Market.SWAP): UNLIMITED,
    ("binance", Market.SPOT): Rates(orders=fifth(100, 10), requests=fifth(10, 1), cancels_apart=True),
    ("binance", Market.SWAP): Rates(orders=fifth(300, 10), requests=fifth(10, 1), cancels_apart=True),
    ("bybit", Market.SPOT): Rates(orders=fifth(20, 1), requests=fifth(20, 1), cancels_apart=True),
    ("bybit", Market.SWAP): Rates(orders=fifth(10, 1), requests=fifth(20, 1), cancels_apart=True),
    ("okx", Market.SPOT): Rates(
        orders=fifth(60, 2), requests=fifth(10, 1), per_symbol=True, cancels_apart=True
    ),
    ("okx", Market.SWAP): Rates(
        orders=fifth(60, 2), requests=fifth(10, 1), per_symbol=True, cancels_apart=True
    ),
    ("kucoin", Market.SPOT): Rates(orders=fifth(100, 10), requests=fifth(10, 1)),
    ("kucoin", Market.SWAP): Rates(orders=fifth(100, 10), requests=fifth(10, 1)),
}


def rates_of(exchange: str, market: Market) -> Rates:
    """Return what an exchange takes of one account in a kind of market."""
    return RATES.get((exchange, market), USUAL)
