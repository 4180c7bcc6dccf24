"""What the order protocol costs: an alert's five orders, beside the same sends with two bare commits around each.

Counted from where both have the same before them: five orders that are decided on and stored nowhere yet. What
reading and deciding the alert took is a figure of its own, which nothing bare stands beside.
"""

from __future__ import annotations

import asyncio
import sqlite3
import tempfile
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from execution_engine.adapters.storage.store import Work
from execution_engine.adapters.storage.tables import CURRENT
from execution_engine.domain.inputs import OrderReport, SaveSettings, Verdict
from execution_engine.domain.order import client_order_id
from execution_engine.domain.rows import Order, OrderStatus
from execution_engine.engine.feed import Released
from execution_engine.main import Application
from tests.benchmarks.figures import Figure, percentile, spread
from tests.benchmarks.stage import BASE_PRICE, body, document, markets, received, running

SENDS, LEGS = 200, 5
NEAR_S = 0.02  # how long a near exchange takes to answer
DISK_S = (
    0.002  # what a disk of a desktop takes to write through beyond a server's, which keeps it in its cache
)
TIMES_BARE = 2
MOST_S = 120.0
FRAMES = ("15", "30", "60", "240")
KEY = "an installation"
FIELD = "0.00123456"  # what a column of an order holds, more or less


def measure() -> Iterable[Figure]:
    return [
        *asyncio.run(_measure("an exchange that answers at once", 0)),
        *asyncio.run(_measure(f"one that takes {NEAR_S * 1000:.0f} ms, taken off", NEAR_S)),
        *asyncio.run(_measure(f"and a disk that takes {DISK_S * 1000:.0f} ms longer", NEAR_S, DISK_S)),
    ]


async def _measure(name: str, takes_s: float, disk_s: float = 0) -> list[Figure]:
    with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
        folder = Path(scratch)
        async with running(folder / "data") as application:
            await application.core.desk.ask(SaveSettings(document=document(default_grid=True)))
            # In turns, so that both meet the same moods of the machine.
            _slow_down(application, disk_s)
            async with asyncio.timeout(MOST_S):
                bare, ours, decided = await _both(folder, application, takes_s, disk_s)
    at_median = percentile(ours, 0.5) / percentile(bare, 0.5)
    beside = (
        f"two bare FULL commits around each: p50 {percentile(bare, 0.5) * 1000:.2f}, "
        f"p99 {percentile(bare, 0.99) * 1000:.2f} ms"
    )
    return [
        *spread(f"five orders from decided on to settled, {name}", ours, None, beside),
        Figure("… as a multiple of bare, p50", at_median, TIMES_BARE, "×"),
        Figure("… as a multiple of bare, all together", sum(ours) / sum(bare), None, "×"),
        Figure(
            "… reading and deciding the alert before that, p50", percentile(decided, 0.5) * 1000, None, "ms"
        ),
    ]


def _slow_down(application: Application, disk_s: float) -> None:
    """Let each commit of ours take so much longer, without the processor, as a slower disk does."""
    commit = application.core.store._commit

    def slow(works: list[Work]) -> None:
        commit(works)
        time.sleep(disk_s)

    if disk_s:
        application.core.store._commit = slow  # type: ignore[method-assign]


async def _both(
    folder: Path, application: Application, takes_s: float, disk_s: float
) -> tuple[list[float], list[float], list[float]]:
    """Return how long each send took beyond what the exchange took: bare, and through the protocol; and
    how long it took to decide on it [s]."""
    used = markets(application, 50)
    for exchange, symbol in used:
        await application.set_price(f"{exchange.upper()}:{symbol}", BASE_PRICE + 1)
    settled = Settled(application, takes_s)
    bare = Bare(folder / "bare.sqlite", takes_s, disk_s)
    theirs, ours, decided = [], [], []
    for number in range(SENDS):
        exchange, symbol = used[number % len(used)]
        text = body(exchange, symbol, FRAMES[number // len(used)], f"alert {number}")
        theirs.append(await bare.send() - takes_s)
        begun = time.perf_counter()
        application.core.desk.post(received(application, text))
        handed_over = time.perf_counter()
        await settled.wait_for(LEGS * (number + 1))
        ours.append(time.perf_counter() - handed_over - takes_s)
        decided.append(handed_over - begun)
    bare.close()
    return theirs, ours, decided


class Settled:
    """Has the exchange accept everything, and counts the orders whose acceptance is durable."""

    def __init__(self, application: Application, takes_s: float) -> None:
        self._takes_s = takes_s
        self._clock = application.clock
        self._ids: set[int] = set()
        self._wanted = 0
        self._there: asyncio.Future[None] | None = None
        application.core.paper.place = self._place  # type: ignore[method-assign]
        # Heard of first, as the bare writer hears of its own: who else is told of it is not what the orders cost.
        application.core.feed._released.insert(0, self._released)

    async def _place(self, orders: Sequence[Order]) -> Sequence[OrderReport]:
        await asyncio.sleep(self._takes_s)
        now = self._clock.now()
        return [
            OrderReport(
                account=order.account,
                client_order_id=order.client_order_id,
                verdict=Verdict.ACCEPTED,
                status=OrderStatus.OPEN,
                exchange_order_id=f"x{order.id}",
                at=now,
            )
            for order in orders
        ]

    def _released(self, change: Released) -> None:
        self._ids.update(row.id for row in change.rows if isinstance(row, Order) and row.acknowledged_at)
        if self._there is not None and len(self._ids) >= self._wanted:
            self._there.set_result(None)
            self._there = None

    async def wait_for(self, count: int) -> None:
        """Wait until so many are durable, as the bare writer's loop waits: for one future."""
        if len(self._ids) < count:
            self._wanted, self._there = count, asyncio.get_running_loop().create_future()
            await self._there


class Bare:
    """Commits five order rows, sends, commits what came of them: nothing is decided, nothing else is written.

    The rows are as wide as the engine's and are found by the same ids that the exchange knows.
    """

    def __init__(self, path: Path, takes_s: float, disk_s: float) -> None:
        self._takes_s, self._disk_s = takes_s, disk_s
        self._columns = CURRENT[Order].codec.columns
        self._statement = f"INSERT OR REPLACE INTO orders VALUES ({', '.join('?' * len(self._columns))})"
        self._writer = ThreadPoolExecutor(1)
        self._database = self._writer.submit(self._open, path).result()
        self._next = 0
        self._client_ids = [client_order_id(KEY, 1, id, 1) for id in range(SENDS * LEGS)]  # decided on before

    def _open(self, path: Path) -> sqlite3.Connection:
        database = sqlite3.connect(path)
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("PRAGMA synchronous=FULL")
        names = ", ".join(name if name != "id" else "id INTEGER PRIMARY KEY" for name in self._columns)
        database.execute(f"CREATE TABLE orders ({names})")
        database.execute("CREATE UNIQUE INDEX by_client ON orders (client_order_id)")
        return database

    async def send(self) -> float:
        """Send five orders; return how long it took [s]."""
        loop = asyncio.get_running_loop()
        begun = time.perf_counter()
        ids = range(self._next, self._next + LEGS)
        self._next += LEGS
        await loop.run_in_executor(self._writer, self._commit, [self._row(id, "pending") for id in ids])
        await asyncio.sleep(self._takes_s)
        await loop.run_in_executor(self._writer, self._commit, [self._row(id, "open") for id in ids])
        return time.perf_counter() - begun

    def _row(self, id: int, status: str) -> list[object]:
        known = {"id": id, "client_order_id": self._client_ids[id], "status": status}
        return [known.get(name, FIELD) for name in self._columns]

    def _commit(self, rows: list[list[object]]) -> None:
        self._database.executemany(self._statement, rows)
        self._database.commit()
        if self._disk_s:
            time.sleep(self._disk_s)

    def close(self) -> None:
        self._writer.submit(self._database.close).result()
        self._writer.shutdown()
