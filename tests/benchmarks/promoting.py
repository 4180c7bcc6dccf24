"""The pool and the queue: what their checks cost, and how soon a free slot is taken with many waiting."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Callable, Collection, Iterable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from execution_engine.domain import document as documents
from execution_engine.domain import pool
from execution_engine.domain.draft import Draft
from execution_engine.domain.inputs import PromoteWaiting, SaveSettings
from execution_engine.domain.rows import Group, World
from execution_engine.engine.book import Book
from execution_engine.engine.state import ranks
from execution_engine.main import Application
from tests.benchmarks.figures import Figure, percentile, spread
from tests.benchmarks.stage import body, document, markets, running, send, until

WAITING = 1000
MARKETS = 50
TIMEFRAMES = [str(minutes) for minutes in range(10, 30)]
PROMOTIONS = 60
CHECKS = 20_000
NEAR_S = 0.02  # how long a near exchange takes to tell prices
WORLD = World.PAPER


def measure() -> Iterable[Figure]:
    return asyncio.run(_measure())


async def _measure() -> list[Figure]:
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        async with running(Path(folder)) as application:
            await _fill(application)
            figures = [*_checks(application), *_ranking(application.core.book, application)]
            worked: list[float] = []
            at_hand = [await _promotion(application, worked) for _ in range(PROMOTIONS)]
            near = Near(application)
            fetched = []
            for _ in range(PROMOTIONS):
                _age_prices(application)
                fetched.append(await _promotion(application, []) - NEAR_S)
            assert near.times == PROMOTIONS
    beside = f"{WAITING} signals of {MARKETS} markets wait"
    trip = f"the exchange's {NEAR_S * 1000:.0f} ms taken off"
    return [
        *figures,
        *spread("slot free → the next one's orders committed", at_hand, 5, beside),
        Figure("… of it deciding, on the processor, p99", percentile(worked, 0.99) * 1000),
        *spread("… with prices asked for", fetched, 50, trip),
    ]


async def _fill(application: Application) -> None:
    """Have one group hold the only slot, and a thousand signals wait for it."""
    settings = documents.parse(document(default_grid=True))
    for path, value in {
        "pool.max_open_groups": 1,
        "capital.total_usd": 60,
        "signals.max_deviation_percent": 90,
    }.items():
        settings = documents.with_value(settings, path, value)
    await application.core.desk.ask(SaveSettings(document=documents.dump(settings)))
    used = markets(application, MARKETS)
    for number, (exchange, symbol) in enumerate(used):
        await application.set_price(f"{exchange.upper()}:{symbol}", Decimal(50) - Decimal(number % 40) / 100)
    first = used[0]
    await send(application, body(*first, "5", "the first"))
    book = application.core.book
    await until(lambda: all(order.acknowledged_at for order in book.orders.values()))
    for timeframe in TIMEFRAMES:
        for number, (exchange, symbol) in enumerate(used):
            price = Decimal(50) + Decimal(number % 7) / 100
            await send(
                application, body(exchange, symbol, timeframe, f"{exchange} {symbol} {timeframe}", price)
            )
    assert book.waiting_count(WORLD) == WAITING, book.waiting_count(WORLD)


def _checks(application: Application) -> list[Figure]:
    """Time the questions that every alert asks of the pool and the queue [µs]."""
    book, now = application.core.book, application.clock.now()
    row = book.queue[book.waiting(WORLD)[WAITING // 2]]

    def check() -> None:
        draft = Draft(book, now)
        assert not pool.has_slot(draft, WORLD)
        assert draft.waiting_of(row.key) is row
        assert draft.waiting_count(WORLD) == WAITING

    begun = time.perf_counter()
    for _ in range(CHECKS):
        check()
    spent = (time.perf_counter() - begun) / CHECKS
    return [Figure(f"pool and queue checked, {WAITING} wait", spent * 1e6, 20, "µs")]


def _ranking(book: Book, application: Application) -> list[Figure]:
    """Time the whole order with its reasons, as the screen shows it, and the next one alone."""
    now = application.clock.now()
    whole = _timed(lambda: [rank.reason for rank in ranks(book, WORLD, now)])
    draft = Draft(book, now)
    first = _timed(lambda: next(draft.line(WORLD).order(draft.last_price)))
    return [
        Figure("… all ranked, with their reasons, p50", whole * 1000),
        Figure("… who is next, p50", first * 1000),
    ]


def _timed(work: Callable[[], Any], times: int = 20) -> float:
    spent = []
    for _ in range(times):
        begun = time.perf_counter()
        work()
        spent.append(time.perf_counter() - begun)
    return percentile(spent, 0.5)


async def _promotion(application: Application, worked: list[float]) -> float:
    """Free the slot by a row, as a fill at the exchange would, and wait for the promoted group's commit [s].

    worked: how long deciding kept the processor busy [s].
    """
    book, desk = application.core.book, application.core.desk
    committed = asyncio.Event()
    began = 0.0
    took: list[float] = []

    def released(change: Any) -> None:
        opened = [row for row in change.rows if isinstance(row, Group) and row.id not in before]
        if opened and not took:
            took.append(time.perf_counter() - began)
            committed.set()

    before = set(book.groups)
    listeners = application.core.feed
    listeners.on_released(released)
    (held,) = (book.groups[id] for id in book.open_groups())
    await until(lambda: all(book.orders[id].acknowledged_at for id in book.orders_of(held.id)))
    finished = _finished(book, held)
    book.apply(finished)
    began, busy = time.perf_counter(), time.thread_time()
    desk.post(PromoteWaiting(world=WORLD))
    worked.append(time.thread_time() - busy)
    async with asyncio.timeout(10):
        await committed.wait()
    return took[0]


def _finished(book: Book, group: Group) -> list[Any]:
    """Return a group's rows as they are when it has ended."""
    now = group.created_at
    orders = [
        replace(book.orders[id], status="cancelled", finished_at=now) for id in book.orders_of(group.id)
    ]
    return [*orders, replace(group, status="closed", closed_at=now)]


def _age_prices(application: Application) -> None:
    """Make every price of the queue too old to rank by."""
    book = application.core.book
    old = application.clock.now() - timedelta(seconds=5)
    for price in list(book.prices.values()):
        book.note_price(replace(price, at=old, manual=False))
    book._asked.clear()  # as if the last answer were a while ago


class Near:
    """A source of prices that answers over a wire: all of them together, after a while."""

    def __init__(self, application: Application) -> None:
        self._application = application
        self.times = 0
        application.core.running.quotes._prices = self

    def want(self, wanted: Collection[tuple[str, str]]) -> None: ...

    async def refresh(self, wanted: Collection[tuple[str, str]]) -> None:
        self.times += 1
        await asyncio.sleep(NEAR_S)
        core, now = self._application.core, self._application.clock.now()
        for key in wanted:
            core.desk.post(replace(core.book.prices[key], at=now))
