"""Trading through ccxt: our overhead over bare ccxt, what markets cost, and a price's way to a take-profit.

The local exchange of the first part runs in a process of its own, so that only one side is measured.
"""

from __future__ import annotations

import asyncio
import gc
import json
import subprocess
import sys
import tempfile
import time
import timeit
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any
from unittest.mock import patch

import aiohttp
import pytest

from execution_engine.adapters.clock import SystemClock
from execution_engine.adapters.exchanges import ccxt_client
from execution_engine.adapters.exchanges.catalogue import VENUES
from execution_engine.adapters.exchanges.ccxt_client import Client, build
from execution_engine.adapters.exchanges.ccxt_exchange import CcxtExchange
from execution_engine.adapters.exchanges.ccxt_markets import Markets
from execution_engine.domain.inputs import Instruments
from execution_engine.domain.instrument import Action, Instrument, Market, Side
from execution_engine.domain.keys import Keys
from execution_engine.domain.order import client_order_id, prefix
from execution_engine.domain.rows import Account, Mode, Order, OrderType, Purpose, World
from execution_engine.domain.settings import AccountSettings
from execution_engine.domain.symbols import Catalogue
from tests.benchmarks import journeys
from tests.benchmarks.figures import Figure, percentile, spread
from tests.exchanges import LocalExchanges
from tests.exchanges.world import LocalNames
from tests.stories import at_exchanges
from tests.stories.at_exchanges import Trading, at_exchange

ORDERS = 150
MANY = 2_500
IN_USE = 50
SYMBOLS, TIMEFRAMES = 50, ("5", "15", "60", "240")
FRAMES_PER_S = 1000
INSTALL = "the install key of a measurement"


def measure() -> Iterable[Figure]:
    figures = asyncio.run(_overhead())
    figures += asyncio.run(_markets())
    figures += journeys.in_window(_frame_to_target)
    return figures


# Our overhead over bare ccxt


@contextmanager
def exchange_of_its_own(name: str, *more: str) -> Iterator[dict[str, Any]]:
    """Start a local exchange in another process and return its routes, keys, and the file that has both."""
    arguments = [sys.executable, "-m", "tests.exchanges", name, "--still", "--unlimited", *more]
    process = subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        routes: dict[str, Any] = {}
        for line in process.stdout:
            if line.startswith("Both as JSON:"):
                routes["file"] = line.split()[-1]
            if line.startswith("Type "):
                break
        yield json.loads(Path(routes["file"]).read_text()) | routes
    finally:
        process.terminate()
        process.wait(10)


@asynccontextmanager
async def session_to(routes: dict[str, Any]) -> AsyncIterator[aiohttp.ClientSession]:
    names = LocalNames({host: (address, port) for host, (address, port) in routes["hosts"].items()}, [])
    with (
        patch.object(aiohttp, "ThreadedResolver", lambda *_, **__: names),
        patch.object(ccxt_client.certifi, "where", lambda: routes["ca_file"]),
    ):
        session = ccxt_client.new_session()
    try:
        yield session
    finally:
        await session.close()


async def _overhead() -> list[Figure]:
    figures = []
    with exchange_of_its_own("binance") as routes:
        async with session_to(routes) as session:
            bare, ours = await _both_ways(routes, session)
            for kind in (OrderType.LIMIT, OrderType.MARKET):
                theirs_s, ours_s = await _placed(bare, ours, kind)
                ratio = percentile(ours_s, 0.5) / percentile(theirs_s, 0.5)
                more_ms = (percentile(ours_s, 0.99) - percentile(theirs_s, 0.99)) * 1000
                beside = f"{percentile(theirs_s, 0.5) * 1000:.2f} ms bare, {percentile(ours_s, 0.5) * 1000:.2f} ms ours"
                figures += [
                    Figure(f"a {kind} order through us / through bare ccxt, p50", ratio, 1.3, "×", beside),
                    Figure(f"… ours − bare, p99 ({kind})", more_ms, 2),
                ]
            await ours.close()
            await bare.close()
    for name in ("bybit", "okx", "kucoin"):
        figures.append(await _grid(name))
    return figures


async def _both_ways(routes: dict[str, Any], session: aiohttp.ClientSession) -> tuple[Any, CcxtExchange]:
    venue, market, mode = VENUES["binance"], Market.SPOT, Mode.LIVE
    account = next(each for each in routes["accounts"] if each["mode"] == "live")
    keys = Keys(account["api_key"], account["secret"], account["passphrase"])
    ours = await account_at(venue.name, market, mode, keys, session)
    bare, _ = build(venue, market, mode, keys, session)
    bare.set_markets(list((await ours.ready("BTCUSDT")).exchange.markets.values()))
    return bare, ours


async def account_at(
    name: str, market: Market, mode: Mode, keys: Keys, session: aiohttp.ClientSession
) -> CcxtExchange:
    rules: dict[tuple[str, str], Instrument] = {}

    def post(said: Any) -> None:
        if isinstance(said, Instruments):
            rules.update({one.key: one for one in said.instruments})

    clock, symbol = SystemClock(), "BTCUSDT" if market is Market.SPOT else "BTCUSDT.P"
    folder = Path(tempfile.mkdtemp(prefix="bench-markets-"))
    markets = Markets(VENUES[name], market, mode, folder, lambda: session, clock, post)
    await markets.refresh()
    world = World.LIVE if mode is Mode.LIVE else World.TEST
    row = Account(
        name="main",
        exchange=name,
        market=market,
        mode=mode,
        world=world,
        enabled=True,
        created_at=clock.now(),
    )
    terms = AccountSettings()
    return CcxtExchange(
        row, lambda: keys, lambda: session, markets, lambda *key: rules.get(key), lambda: terms,
        prefix(INSTALL), lambda: [symbol], clock, post,
    )  # fmt: skip


_IDS = count(1)


def order_of(exchange: str, symbol: str, kind: OrderType, quantity: str, price: str = "50000") -> Order:
    id = next(_IDS)
    return Order(
        id=id, client_order_id=client_order_id(INSTALL, 1, id, 1), account="main", exchange=exchange,
        symbol=symbol, group_id=1, purpose=Purpose.ENTRY, position=Side.LONG, action=Action.BUY, type=kind,
        price=Decimal(price) if kind is OrderType.LIMIT else None, quantity=Decimal(quantity),
        created_at=SystemClock().now(),
    )  # fmt: skip


async def _placed(bare: Any, ours: CcxtExchange, kind: OrderType) -> tuple[list[float], list[float]]:
    """Place orders both ways in turn, and cancel them unmeasured."""
    theirs_s, ours_s = [], []
    ours.streamed = True  # a stream would tell of fills; nobody has to ask
    gc.collect()
    for number in range(ORDERS + 6):
        for mine in (number % 2 == 0, number % 2 == 1):  # neither always has the other's leavings before it
            order = order_of("binance", "BTCUSDT", kind, "0.0002")
            begun = time.perf_counter()
            if mine:
                (report,) = await ours.place([order])
                id = report.exchange_order_id
            else:
                request = {"clientOrderId": order.client_order_id}
                price = "50000" if kind is OrderType.LIMIT else None
                said = await bare.create_order("BTC/USDT", kind.value, "buy", "0.0002", price, request)
                id = said["id"]
            taken = time.perf_counter() - begun
            assert id
            if number >= 6:
                (ours_s if mine else theirs_s).append(taken)
            if kind is OrderType.LIMIT:
                await bare.cancel_order(id, "BTC/USDT")
    return theirs_s, ours_s


async def _grid(name: str) -> Figure:
    """Time a grid of five beside a single order: one request where the exchange has it."""
    with exchange_of_its_own(name) as routes:
        async with session_to(routes) as session:
            account = next(each for each in routes["accounts"] if each["mode"] == "live")
            keys = Keys(account["api_key"], account["secret"], account["passphrase"])
            ours = await account_at(name, Market.SWAP, Mode.LIVE, keys, session)
            ours.streamed = True
            one, five = [], []
            for number in range(22):
                for legs, taken in ((1, one), (5, five)):
                    prices = [f"{50000 - leg * 100}" for leg in range(legs)]
                    orders = [order_of(name, "BTCUSDT.P", OrderType.LIMIT, "0.01", price) for price in prices]
                    begun = time.perf_counter()
                    reports = await ours.place(orders)
                    if number >= 2:
                        taken.append(time.perf_counter() - begun)
                    assert {report.verdict for report in reports} == {"accepted"}, reports
            await ours.close()
    single, grid = percentile(one, 0.5) * 1000, percentile(five, 0.5) * 1000
    return Figure(f"a grid of 5 in one request, {name}, p50", grid, beside=f"one order: {single:.2f} ms")


# Markets


async def _markets() -> list[Figure]:
    folder = Path(tempfile.mkdtemp(prefix="bench-markets-"))
    rules: dict[tuple[str, str], Instrument] = {}

    def post(said: Any) -> None:
        if isinstance(said, Instruments):
            rules.update({one.key: one for one in said.instruments})

    async with LocalExchanges("binance") as world:
        world.binance.add_markets(MANY)
        async with world.session().get("https://api.binance.com/api/v3/exchangeInfo") as answer:
            canned: Any = Canned(await answer.read())
    venue, clock = VENUES["binance"], SystemClock()
    markets = Markets(venue, Market.SPOT, Mode.LIVE, folder, lambda: canned, clock, post)
    held = await longest_hold(markets.refresh())
    used = [symbol for _, symbol in rules][:IN_USE]
    starts = []
    for _ in range(5):
        exchange, place = build(venue, Market.SPOT, Mode.LIVE, None, canned)
        client = Client(venue, Market.SPOT, place, exchange, clock)
        cached = Markets(venue, Market.SPOT, Mode.LIVE, folder, lambda: canned, clock, lambda said: None)
        begun = time.perf_counter()
        await cached.teach(client, used)
        starts.append(time.perf_counter() - begun)
        exchange.session = None  # there is nothing to close; ccxt would complain on the terminal
    catalogue = Catalogue(tuple(rules.values()))
    name, symbol = "binance", used[0]
    looked = min(timeit.repeat(lambda: catalogue.get(name, symbol), number=100_000, repeat=3)) / 100_000
    return [
        Figure(f"{len(rules)} markets read: longest hold of the loop", held * 1000, 16),
        Figure(f"cached start for {IN_USE} symbols in use", percentile(starts, 0.5) * 1000, 50),
        Figure("cached precision look-up", looked * 1e6, 1, "µs"),
    ]


class Canned:
    """Connections over which an answer comes that was fetched before: whoever made it would hold the loop too."""

    status, reason = 200, "OK"

    def __init__(self, body: bytes) -> None:
        self.headers = {"Content-Type": "application/json"}
        self._body = body

    def get(self, url: str, headers: Any = None) -> Canned:
        return self

    async def read(self) -> bytes:
        return self._body

    async def __aenter__(self) -> Canned:
        return self

    async def __aexit__(self, *gone: object) -> None:
        return None


async def longest_hold(work: Any) -> float:
    """Run something and return how long the loop's own thread computed at most between two turns [s]."""
    longest, running = 0.0, True

    async def watch() -> None:
        nonlocal longest
        last = time.thread_time()
        while running:
            await asyncio.sleep(0.001)
            now = time.thread_time()
            longest, last = max(longest, now - last), now

    watching = asyncio.create_task(watch())
    await work
    running = False
    await watching
    return longest


# A price's way to a take-profit


class Recorded:
    """The frames of prices that the exchange sends, and the moment at which a request leaves for it."""

    def __init__(self, here: Trading) -> None:
        self.frames: dict[str, tuple[Any, Any]] = {}  # our symbol → the socket and a frame of its price
        self.left: dict[str, float] = {}  # exchange's symbol → when an order for it left
        live = here.application.core.live
        stream = next(iter(live._live._streams.values()))  # type: ignore[union-attr]
        self.client = stream._client
        self._record(self.client)
        account = here.application.core._distant["real"]
        self._time(account._way.client)  # type: ignore[attr-defined]

    def _record(self, client: Any) -> None:
        take = client.exchange.handle_message

        def taken(socket: Any, message: Any) -> None:
            symbol = (message.get("arg") or {}).get("instId") if isinstance(message, dict) else None
            if symbol and message.get("data"):
                self.frames[symbol] = (socket, json.dumps(message))
            take(socket, message)

        client.exchange.handle_message = taken
        for socket in client.sockets:
            socket.on_message_callback = taken

    def _time(self, client: Any) -> None:
        fetch = client.exchange.fetch

        async def timed(url: str, method: str = "GET", headers: Any = None, body: Any = None) -> Any:
            if method == "POST" and body:
                said = json.loads(body)
                for order in said if isinstance(said, list) else [said]:
                    self.left.setdefault(order.get("instId", ""), time.perf_counter())
            return await fetch(url, method, headers, body)

        client.exchange.fetch = timed


async def _frame_to_target(show: Callable[[Any], None]) -> list[Figure]:
    """Time from a frame of prices, as it came, to the take-profit that it makes leaving for the exchange."""
    grid = [{"gap_percent": "0", "weight_percent": "100", "tp_percent": "5"}]
    settings = {
        "grid.profiles": {"default": grid}, "pool.max_open_groups": 400, "capital.total_usd": "4000",
        "signals.max_entries_per_day": 0, "orders.poll_s": 10, "logs.level": "WARNING",
    }  # fmt: skip
    folder = Path(tempfile.mkdtemp(prefix="bench-"))  # the window writes there when it is closed, after this
    with _patches() as patches:
        place = at_exchange(folder / "data", patches, "okx", Market.SPOT, True, 1, settings, add=100)
        async with place as here:
            here.world.beat_s = 3600.0
            coins = await _opened(here)
            show(here.application)
            await asyncio.sleep(journeys.SETTLED_S)
            times = await _reached(here, coins, Recorded(here))
    name = (
        f"price frame → take-profit leaves, {len(coins) * len(TIMEFRAMES)} groups, {FRAMES_PER_S}/s, window"
    )
    return spread(name, times, 10)


async def _opened(here: Trading) -> list[str]:
    """Open four groups on each of fifty markets, each filled at 100 and with a target of its own."""
    rules = here.book.catalogue.instruments.values()
    fitting = [  # those that were made up for this: all alike
        one.base for one in rules
        if (one.exchange, one.market) == ("okx", Market.SPOT) and one.base.startswith("Q")
    ]  # fmt: skip
    coins = fitting[:SYMBOLS]
    assert len(coins) == SYMBOLS, len(coins)
    for coin in coins:
        here.of(coin).price("100.5")
    for number, frame in enumerate(TIMEFRAMES):
        for coin in coins:
            # A grid's target is 5 % above its entry: one after the other is reached.
            await here.of(coin).alert(timeframe=frame, entry_price=f"{100 - number / 2:.1f}")
    groups = here.book.groups
    wanted = len(coins) * len(TIMEFRAMES)
    await here.until(
        lambda: len(groups) == wanted and len(here.theirs.orders) == wanted, f"all {wanted} grids rest"
    )
    for coin in coins:
        here.of(coin).price("98")
    await here.until(lambda: all(one.status == "filled" for one in here.book.legs.values()), "all is held")
    return coins


async def _reached(here: Trading, coins: list[str], recorded: Recorded) -> list[float]:
    """Send frames at their pace; every tenth of a second one of them reaches a target."""
    for coin in coins:
        here.of(coin).price("102")
    await here.until(lambda: len(recorded.frames) >= len(coins), "a frame of each market")
    targets = [(f"{coin}-USDT", str(105 - number / 2 + 0.01)) for number in range(3, 0, -1) for coin in coins]
    noise, times = asyncio.create_task(_keep_sending(recorded)), []
    try:
        for market, target in targets:
            recorded.left.pop(market, None)
            at = _frame(recorded, market, target)
            await here.until(lambda market=market: market in recorded.left, f"an order for {market}")
            times.append(recorded.left[market] - at)
            _frame(recorded, market, "102")
            await asyncio.sleep(0.1)
    finally:
        noise.cancel()
    return times


async def _keep_sending(recorded: Recorded) -> None:
    """Send frames that decide nothing, of all markets in turn, at the pace of a busy stream."""
    markets, begun, sent = sorted(recorded.frames), time.monotonic(), 0
    while True:
        due = int((time.monotonic() - begun) * FRAMES_PER_S)
        while sent < due:
            _frame(recorded, markets[sent % len(markets)], f"102.{sent % 7}")
            sent += 1
        await asyncio.sleep(0.002)


def _frame(recorded: Recorded, market: str, price: str) -> float:
    """Take in a frame as if it had just been read from the socket; return when that was."""
    socket, text = recorded.frames[market]
    at = time.perf_counter()
    message = json.loads(text)
    for row in message["data"]:
        row |= {"last": price, "bidPx": price, "askPx": price} | (
            {"bids": [[price, "1", "0", "1"]]} if "bids" in row else {}
        )
        if "asks" in row:
            row["asks"] = [[price, "1", "0", "1"]]
        row["ts"] = str(int(time.time() * 1000))
    recorded.client.exchange.handle_message(socket, message)
    return at


@contextmanager
def _patches() -> Iterator[Any]:
    """Put back what `lead_to` and others change for the whole process."""
    with pytest.MonkeyPatch.context() as patches:
        patches.setattr(aiohttp, "ThreadedResolver", aiohttp.ThreadedResolver)
        patches.setattr(ccxt_client.certifi, "where", ccxt_client.certifi.where)
        patches.setattr(at_exchanges, "PATIENCE_S", 60.0)
        yield patches
