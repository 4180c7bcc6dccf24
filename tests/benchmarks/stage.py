"""What the measurements stand on: a data folder with many groups, and a running application."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from execution_engine.core import Options
from execution_engine.domain import alert as alerts
from execution_engine.domain import document as documents
from execution_engine.domain.inputs import AlertReceived, SaveSettings
from execution_engine.domain.instrument import Market
from execution_engine.domain.settings import PaperFeed
from execution_engine.main import Application

GROUPS, PYRAMIDS, LEGS = 200, 5, 7
TIMEFRAMES = ("15m", "1h", "4h", "1d")
BASE_PRICE = Decimal(50)
RESTING_PRICE = Decimal("48.8")  # between the third and the fourth leg: nothing fills, no target is near

Result = tuple[float, float, int]


def document(*, default_grid: bool = False) -> str:
    """Return settings for many small groups: seven legs a pyramid, no daily limit, any rate."""
    settings = documents.Settings()
    weights = ("16", "14", "14", "14", "14", "14", "14")
    grid = [
        {"gap_percent": str(-number), "weight_percent": weights[number], "tp_percent": "50"}
        for number in range(LEGS)
    ]
    for path, value in {
        "capital.total_usd": 24000,
        "pool.max_open_groups": 400,
        "pool.max_queue": 20000,
        "pool.max_pyramids": PYRAMIDS,
        "grid.profiles": {"default": grid, "five": documents.get(settings, "grid.profiles.default")},
        "signals.max_entries_per_day": 0,
        "webhook.rate_per_minute": 1000000,
        "logs.level": "WARNING",
    }.items():
        if not (default_grid and path == "grid.profiles"):
            settings = documents.with_value(settings, path, value)
    return documents.dump(settings)


@asynccontextmanager
async def running(folder: Path) -> AsyncIterator[Application]:
    """Run the application in this process, on the loop that is there."""
    options = Options(data_dir=str(folder), port=0, paper_feed=PaperFeed.MANUAL)
    application = Application(options)
    await asyncio.to_thread(application.open)
    try:
        await application.start()
        await until(lambda: application.status()[0] == "running")
        yield application
    finally:
        await application.stop()
        application.close()


async def until(holds: Any, seconds: float = 60) -> None:
    async with asyncio.timeout(seconds):
        while not holds():  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0.005)


def markets(application: Application, count: int) -> list[tuple[str, str]]:
    """Return spot markets whose rules allow a leg of eleven dollars at the stage's price."""
    found = [
        one.key
        for one in application.catalogue.instruments.values()
        if one.market is Market.SPOT and one.step <= Decimal("0.01") and one.min_qty <= Decimal("0.1")
    ]
    return found[:count]


def body(
    exchange: str, symbol: str, timeframe: str, id: str, price: Decimal = BASE_PRICE, **more: str
) -> str:
    fields = {"exchange": exchange.upper(), "symbol": symbol, "timeframe": timeframe, "action": "buy"}
    return json.dumps(fields | {"id": id, "entry_price": str(price)} | more)


async def send(application: Application, text: str) -> None:
    """Post an alert at the desk's door and wait until it is durable."""
    await application.core.desk.ask(received(application, text))


def received(application: Application, text: str) -> AlertReceived:
    """Read an alert as the listener does."""
    read = alerts.read(text.encode())
    assert isinstance(read, alerts.Body)
    parsed = alerts.parse(read, application.catalogue)
    assert isinstance(parsed, alerts.ParsedAlert), parsed
    return AlertReceived(
        signal=parsed.signal,
        key=parsed.key,
        body=parsed.body,
        body_hash=parsed.body_hash,
        received_at=application.clock.now(),
    )


@cache
def _seeded(groups: int = GROUPS) -> Path:
    """Make a data folder with groups of 35 legs, half of each group filled, once per run."""
    folder = Path(tempfile.mkdtemp(prefix="bench-"))
    asyncio.run(_seed(folder, groups))
    return folder


async def _seed(folder: Path, groups: int) -> None:
    async with running(folder) as application:
        await application.core.desk.ask(SaveSettings(document=document()))
        used = markets(application, groups // len(TIMEFRAMES))
        for exchange, symbol in used:
            await application.set_price(f"{exchange.upper()}:{symbol}", BASE_PRICE)
        for round in range(PYRAMIDS):
            for exchange, symbol in used:
                for number, timeframe in enumerate(TIMEFRAMES):
                    # As in life, no two entries have the same price.
                    price = BASE_PRICE - Decimal(round) / 20 - Decimal(number) / 100
                    id = f"{round} {exchange} {symbol} {timeframe}"
                    await send(application, body(exchange, symbol, timeframe, id, price))
        book = application.core.book
        await until(lambda: all(order.acknowledged_at for order in book.orders.values()))
        for exchange, symbol in used:
            await application.set_price(f"{exchange.upper()}:{symbol}", Decimal("48.75"))
        await until(lambda: all(group.filled_quantity for group in book.groups.values()))
        assert len(book.groups) == groups, len(book.groups)
        assert len(book.legs) == groups * PYRAMIDS * LEGS, len(book.legs)


@asynccontextmanager
async def seeded(groups: int = GROUPS) -> AsyncIterator[Path]:
    """Lend a copy of the seeded data folder; `prepare` has made it."""
    with tempfile.TemporaryDirectory(prefix="bench-") as copy:
        target = Path(copy) / "data"
        await asyncio.to_thread(shutil.copytree, _seeded(groups), target)
        yield target


def prepare(groups: int = GROUPS) -> None:
    """Make the seeded folder now, outside of any loop."""
    _seeded(groups)


async def post_all(url: str, bodies: Sequence[str], rate: float, *, fresh: bool = False) -> list[Result]:
    """Have a client process post bodies at a rate; returns (left, took, status) of each.

    fresh: on a connection of its own each, as TradingView does.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.benchmarks.sender", stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    job = json.dumps({"url": url, "bodies": list(bodies), "rate": rate, "fresh": fresh}).encode()
    output, _ = await process.communicate(job)
    return [tuple(result) for result in json.loads(output)]


def webhook_url(application: Application) -> str:
    return application.webhook_urls()[0][1]
