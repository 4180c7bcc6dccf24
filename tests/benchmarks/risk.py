"""Evaluations of the risk engine: of 200 and of 5,000 groups, each with a plan at its end."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

from execution_engine.domain.decide import decide
from execution_engine.domain.inputs import Evaluate, Price
from execution_engine.domain.instrument import Instrument, Market, Side
from execution_engine.domain.risk_run import preview
from execution_engine.domain.rows import (
    Account,
    AccountStatus,
    Engine,
    Group,
    GroupStatus,
    Mode,
    OrderType,
    Row,
    World,
)
from execution_engine.domain.settings import Risk, Settings
from execution_engine.domain.signal import TakeProfitMode
from execution_engine.domain.symbols import Catalogue
from execution_engine.engine.book import Book
from tests.benchmarks.figures import Figure, percentile

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
D = Decimal
ROUNDS = {200: 500, 5000: 40}
WARM = 5


def measure() -> Iterable[Figure]:
    few, many = (_evaluations(count) for count in ROUNDS)
    each = [percentile(spent, 0.5) / count * 1e6 for spent, count in ((few, 200), (many, 5000))]
    return [
        Figure("risk evaluation of 200 groups, p99", percentile(few, 0.99) * 1000, 2),
        Figure("risk evaluation of 5,000 groups, p50", percentile(many, 0.5) * 1000, 50),
        Figure("… per group, of 5,000 against 200", each[1] / each[0], 1.3, "×", f"{each[0]:.1f} µs each"),
        Figure("risk evaluation to a committed plan, 200 groups, p99", _decisions() * 1000, 3),
    ]


def _evaluations(groups: int) -> list[float]:
    book = crowd(groups)
    gc.freeze()  # as the application does once its state is loaded
    for _ in range(WARM):
        assert preview(book, World.PAPER, NOW).plan is not None
    return [_timed(lambda: preview(book, World.PAPER, NOW)) for _ in range(ROUNDS[groups])]


def _decisions() -> float:
    """Return how long it takes until an offset and its first order are rows [s]."""
    book = crowd(200)
    spent = [_timed(lambda: decide(book, Evaluate(world=World.PAPER), NOW)) for _ in range(200)]
    assert decide(book, Evaluate(world=World.PAPER), NOW).rows
    return percentile(spent, 0.99)


def _timed(work: Callable[[], object]) -> float:
    """Return the processor time of some work [s]: nothing in it waits."""
    begun = time.thread_time()
    work()
    return time.thread_time() - begun


def crowd(groups: int) -> Book:
    """Return a book with so many positions in 50 markets: every third loses, a few of them may be the loser."""
    settings = Settings().model_copy(update={"risk": Risk(rehearsal=False)})
    rules = [_instrument(f"C{number}USDT") for number in range(50)]
    book = Book(Catalogue(rules), Engine(install_key="a benchmark"), settings)
    account = Account(
        name="paper",
        exchange="paper",
        market=Market.SPOT,
        mode=Mode.PAPER,
        world=World.PAPER,
        enabled=True,
        status=AccountStatus.READY,
        created_at=NOW,
    )
    rows: list[Row] = [account]
    rows += [_position(id, rules[id % 50].symbol) for id in range(1, groups + 1)]
    book.apply(rows)
    for each in rules:
        book.note_price(Price(exchange="binance", symbol=each.symbol, last=D(100), at=NOW))
    return book


def _instrument(symbol: str) -> Instrument:
    return Instrument(
        exchange="binance",
        symbol=symbol,
        market=Market.SPOT,
        base=symbol.removesuffix("USDT"),
        quote="USDT",
        tick=D("0.01"),
        step=D("0.001"),
        min_qty=D("0.001"),
        min_notional=D(5),
    )


def _position(id: int, symbol: str) -> Group:
    """Return a position: two of three have a profit, one of six has lost more than 5 %."""
    entry = D(90) + D(id % 7) / 10 if id % 3 else D(104 + id % 4)
    made = Group(
        id=id,
        account="paper",
        world=World.PAPER,
        exchange="binance",
        symbol=symbol,
        market=Market.SPOT,
        base=symbol.removesuffix("USDT"),
        quote="USDT",
        timeframe="15m",
        side=Side.LONG,
        status=GroupStatus.ACTIVE,
        alert_id=1,
        grid_name="default",
        grid=(),
        max_pyramids=1,
        tp_mode=TakeProfitMode.PER_LEG,
        tp_aggregate_percent=D(1),
        tp_order=OrderType.MARKET,
        on_flat="close",
        filled_quantity=D(10),
        open_quantity=D(10),
        created_at=NOW,
        timer_started_at=NOW,
        timer_expires_at=NOW,
    )
    return replace(made, avg_entry=entry, invested=entry * 10)
