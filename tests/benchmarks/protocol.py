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
from typing import Protocol

from execution_engine.adapters.clock import SystemClock
from execution_engine.adapters.exchanges.ccxt_exchange import CcxtExchange
from execution_engine.adapters.storage.store import Work
from execution_engine.adapters.storage.tables import CURRENT
from execution_engine.domain.inputs import AccountUnreadable, OpenOrders, OrderReport, SaveSettings, Verdict
from execution_engine.domain.instrument import Market
from execution_engine.domain.keys import Keys
from execution_engine.domain.replacing import replace
from execution_engine.domain.rows import Mode, Order, OrderStatus, OrderType
from execution_engine.engine.feed import Released
from execution_engine.main import Application
from tests.benchmarks.figures import Figure, percentile, spread
from tests.benchmarks.stage import BASE_PRICE, body, document, markets, received, running
from tests.benchmarks.trading import account_at, exchange_of_its_own, order_of, session_to

SENDS, LEGS = 200, 5
NEAR_S = 0.02  # how long a near exchange takes to answer
DISK_S = (
    0.002  # what a disk of a desktop takes to write through beyond a server's, which keeps it in its cache
)
TIMES_BARE = 2
MOST_S = 120.0
FRAMES = ("15", "30", "60", "240")
FIELD = "0.00123456"  # what a column of an order holds, more or less


def measure() -> Iterable[Figure]:
    return [
        *asyncio.run(_over_http()),
        *asyncio.run(_measure(f"an exchange {NEAR_S * 1000:.0f} ms away, that time taken off", Away(NEAR_S))),
        *asyncio.run(
            _measure(f"… and a disk that takes {DISK_S * 1000:.0f} ms longer", Away(NEAR_S), DISK_S)
        ),
        *asyncio.run(
            _measure("sends that take no time at all", Away(0), limit=None)
        ),  # of which there are none
    ]


async def _over_http() -> list[Figure]:
    with exchange_of_its_own("binance") as routes:
        async with session_to(routes) as session:
            account = next(each for each in routes["accounts"] if each["mode"] == "live")
            keys = Keys(account["api_key"], account["secret"], account["passphrase"])
            client = await account_at("binance", Market.SWAP, Mode.LIVE, keys, session)
            client.streamed = True  # a stream would tell of fills; nobody has to ask
            near = OverHttp(client)
            try:
                await near.place([order_of("binance", "BTCUSDT.P", OrderType.LIMIT, "0.01")])  # connects
                return await _measure("a client and an exchange on this computer", near)
            finally:
                await client.close()


async def _measure(
    name: str, exchange: Sends, disk_s: float = 0, limit: float | None = TIMES_BARE
) -> list[Figure]:
    with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
        folder = Path(scratch)
        async with running(folder / "data") as application:
            await application.core.desk.ask(SaveSettings(document=document(default_grid=True)))
            # In turns, so that both meet the same moods of the machine.
            _slow_down(application, disk_s)
            async with asyncio.timeout(MOST_S):
                bare, ours, decided = await _both(folder, application, exchange, disk_s)
    at_median = percentile(ours, 0.5) / percentile(bare, 0.5)
    beside = (
        f"two bare FULL commits around each: p50 {percentile(bare, 0.5) * 1000:.2f}, "
        f"p99 {percentile(bare, 0.99) * 1000:.2f} ms"
    )
    return [
        *spread(f"five orders from decided on to settled, {name}", ours, None, beside),
        Figure("… as a multiple of bare, p50", at_median, limit, "×"),
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
    folder: Path, application: Application, exchange: Sends, disk_s: float
) -> tuple[list[float], list[float], list[float]]:
    """Return how long each send took beyond what is to be taken off: bare, and through the protocol; and
    how long it took to decide on it [s]."""
    used = markets(application, 50)
    for venue, symbol in used:
        await application.set_price(f"{venue.upper()}:{symbol}", BASE_PRICE + 1)
    settled = Settled(application, exchange)
    bare = Bare(folder / "bare.sqlite", exchange, disk_s)
    theirs, ours, decided = [], [], []
    for number in range(SENDS):
        venue, symbol = used[number % len(used)]
        text = body(venue, symbol, FRAMES[number // len(used)], f"alert {number}")
        theirs.append(await bare.send() - exchange.takes_s)
        begun = time.perf_counter()
        application.core.desk.post(received(application, text))
        handed_over = time.perf_counter()
        await settled.wait_for(LEGS * (number + 1))
        ours.append(time.perf_counter() - handed_over - exchange.takes_s)
        decided.append(handed_over - begun)
        await exchange.clear()
    bare.close()
    return theirs, ours, decided


class Sends(Protocol):
    """Takes five orders. takes_s: how long that takes [s], where it is to be taken off what is measured."""

    takes_s: float

    async def place(self, orders: Sequence[Order]) -> list[OrderReport]: ...

    async def clear(self) -> None:
        """Forget what rests, unmeasured."""
        ...


class Away:
    """Accepts everything after a while."""

    def __init__(self, takes_s: float) -> None:
        self.takes_s = takes_s
        self._clock = SystemClock()

    async def place(self, orders: Sequence[Order]) -> list[OrderReport]:
        await asyncio.sleep(self.takes_s)
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

    async def clear(self) -> None:
        pass


class OverHttp:
    """Has the client of an account place as many orders at a local exchange; what that takes is measured too."""

    takes_s = 0.0

    def __init__(self, client: CcxtExchange) -> None:
        self._client = client
        self._resting: list[Order] = []

    async def place(self, orders: Sequence[Order]) -> list[OrderReport]:
        sent = [
            order_of("binance", "BTCUSDT.P", OrderType.LIMIT, "0.01", f"{50000 - leg * 100}")
            for leg in range(len(orders))
        ]
        reports = await self._client.place(sent)
        self._resting += sent
        return [
            replace(said, account=order.account, client_order_id=order.client_order_id)
            for order, said in zip(orders, reports, strict=True)
        ]

    async def clear(self) -> None:
        if self._resting:
            await self._client.cancel(self._resting)
            self._resting.clear()


class Settled:
    """Has orders go where the measurement sends them, and counts those whose acceptance is durable."""

    def __init__(self, application: Application, exchange: Sends) -> None:
        self._ids: set[int] = set()
        self._wanted = 0
        self._there: asyncio.Future[None] | None = None
        self._exchange, self._read = exchange, application.core.paper.open_orders
        self._resting: list[OrderReport] = []
        application.core.paper.place = self._place  # type: ignore[method-assign]
        application.core.paper.open_orders = self._open_orders  # type: ignore[method-assign]
        # Heard of first, as the bare writer hears of its own: who else is told of it is not what the orders cost.
        application.core.feed._released.insert(0, self._released)

    async def _place(self, orders: Sequence[Order]) -> list[OrderReport]:
        reports = await self._exchange.place(orders)
        self._resting += reports
        return reports

    async def _open_orders(self, account: str) -> OpenOrders | AccountUnreadable:
        """Show what was placed: what is missing from time to time would be looked up, each by itself."""
        read = await self._read(account)
        own = tuple(said for said in self._resting if said.account == account)
        return replace(read, reports=(*read.reports, *own)) if isinstance(read, OpenOrders) else read

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

    def __init__(self, path: Path, exchange: Sends, disk_s: float) -> None:
        self._exchange, self._disk_s = exchange, disk_s
        self._columns = CURRENT[Order].codec.columns
        self._statement = f"INSERT OR REPLACE INTO orders VALUES ({', '.join('?' * len(self._columns))})"
        self._writer = ThreadPoolExecutor(1)
        self._database = self._writer.submit(self._open, path).result()
        self._next = 0
        # Decided on before, as the protocol's are.
        self._orders = [order_of("binance", "BTCUSDT", OrderType.LIMIT, "0.01") for _ in range(SENDS * LEGS)]

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
        await self._exchange.place(self._orders[ids.start : ids.stop])
        await loop.run_in_executor(self._writer, self._commit, [self._row(id, "open") for id in ids])
        return time.perf_counter() - begun

    def _row(self, id: int, status: str) -> list[object]:
        known = {"id": id, "client_order_id": self._orders[id].client_order_id, "status": status}
        return [known.get(name, FIELD) for name in self._columns]

    def _commit(self, rows: list[list[object]]) -> None:
        self._database.executemany(self._statement, rows)
        self._database.commit()
        if self._disk_s:
            time.sleep(self._disk_s)

    def close(self) -> None:
        self._writer.submit(self._database.close).result()
        self._writer.shutdown()
