"""Lives through a month of use in a process of its own, and prints what it held; see `month`.

It imports nothing of the tests that the application would not have in memory, too.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import sys
import time
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import execution_engine.ui  # noqa: F401 (before anything else that is large, as in the application)

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import aiohttp
import certifi
import qasync
from aiohttp.abc import AbstractResolver
from loguru import logger
from PySide6.QtWidgets import QApplication

from execution_engine import window as window_parts
from execution_engine.adapters import machine
from execution_engine.adapters.clock import SystemClock
from execution_engine.core import Options
from execution_engine.domain import document as documents
from execution_engine.domain.inputs import Price, SaveSettings
from execution_engine.domain.instrument import Market
from execution_engine.domain.rows import AccountStatus, Mode
from execution_engine.domain.settings import PaperFeed
from execution_engine.main import Application
from execution_engine.ui.collecting import Collecting
from execution_engine.ui.places import PLACES
from tests.benchmarks.stage import RESTING_PRICE, body, markets, send, until

DAYS, A_NIGHT_EVERY = 30, 3
TRADES_A_DAY, PRICES_A_DAY, LINES_A_DAY = 40, 10_000, 1_000
PRICES_AT_ONCE = 50
IDLE_S = 15.0
TARGET_PRICE = Decimal("51")


class Names(AbstractResolver):
    """Leads every host to the local exchange."""

    def __init__(self, hosts: dict[str, Any]) -> None:
        self._hosts = hosts

    async def resolve(self, host: str, port: int = 0, family: int = 0) -> list[Any]:
        address, there = self._hosts[host]
        return [{"hostname": host, "host": address, "port": there, "family": family, "proto": 0, "flags": 0}]

    async def close(self) -> None:
        pass


class Nights(SystemClock):
    """The computer's time, and the nights that were jumped over."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def now(self) -> datetime:
        return super().now() + self.ahead


class _Month:
    def __init__(self, application: Application, clock: Nights, window: Any) -> None:
        self.application, self._clock, self._window = application, clock, window
        self._random = random.Random(1)
        self.closed = self.lines = self._number = 0
        self._used = markets(application, 50)[:45]

    async def idle_percent(self) -> float:
        """Return what the process takes of one core while nothing comes in."""
        begun, worked = time.perf_counter(), time.process_time()
        await asyncio.sleep(IDLE_S)
        return (time.process_time() - worked) / (time.perf_counter() - begun) * 100

    async def day(self, number: int) -> float:
        """Live through one day; return what is resident at its end [MB]."""
        if number % A_NIGHT_EVERY == 1:
            await self._night()
        keys = [self._next_key() for _ in range(TRADES_A_DAY)]
        for exchange, symbol, timeframe in keys:
            await self._alert(exchange, symbol, timeframe)
        await self._prices()
        for exchange, symbol, _ in keys:
            await self._price(exchange, symbol, TARGET_PRICE)
        for line in range(LINES_A_DAY):
            logger.bind(category="SYSTEM").info("Line {} of this day, about as long as lines are", line)
        self.lines += LINES_A_DAY
        for place in PLACES:
            self._window.main.go(place.key)
            await asyncio.sleep(0.05)
        for exchange, symbol, timeframe in keys:
            await self._alert(exchange, symbol, timeframe, type="exit")
            await self._price(exchange, symbol, RESTING_PRICE)
        await until(lambda: not self._open(keys))
        self.closed += len(keys)
        self._prune()
        await asyncio.sleep(0.2)
        return (machine.resident_bytes() or 0) / 1e6

    async def _night(self) -> None:
        """Let the clock jump by some days, and wait until every account was read again."""
        self._clock.ahead += timedelta(days=A_NIGHT_EVERY)
        self.application.core.running.pulse.look()
        await asyncio.sleep(0)
        accounts = self.application.core.book.accounts
        await until(
            lambda: all(row.status is AccountStatus.READY for row in accounts.values() if row.enabled)
        )

    def _next_key(self) -> tuple[str, str, str]:
        self._number += 1
        exchange, symbol = self._used[self._number % len(self._used)]
        return exchange, symbol, "30" if self._number // len(self._used) % 2 else "5"

    async def _alert(self, exchange: str, symbol: str, timeframe: str, **more: str) -> None:
        self._number += 1
        id = f"{self._clock.now().isoformat()} {self._number}"
        await send(
            self.application, body(exchange, symbol, timeframe, id, RESTING_PRICE, grid="five", **more)
        )

    async def _price(self, exchange: str, symbol: str, last: Decimal) -> None:
        await self.application.set_price(f"{exchange.upper()}:{symbol}", last)

    async def _prices(self) -> None:
        """Move all markets in turn, as a stream would, and let the window follow."""
        post, used = self.application.core.desk.post, list(self.application.core.book.prices)
        for number in range(PRICES_A_DAY):
            exchange, symbol = used[number % len(used)]
            last = RESTING_PRICE + Decimal(self._random.randrange(20)) / 100
            post(Price(exchange=exchange, symbol=symbol, last=last, at=self._clock.now()))
            if number % PRICES_AT_ONCE == 0:
                await asyncio.sleep(0)

    def _open(self, keys: list[tuple[str, str, str]]) -> bool:
        wanted = set(keys)
        return any(
            group.holds_slot and (group.exchange, group.symbol, group.timeframe.removesuffix("m")) in wanted
            for group in self.application.core.book.groups.values()
        )

    def _prune(self) -> None:
        logs = self.application.core.book.settings.logs
        self.application.core.store.prune(
            self._clock.now(), logs.keep_days, lambda failure: None, logs.audit_keep_days
        )


async def _live(application: Application, clock: Nights, windows: list[Any], routes: dict[str, Any]) -> None:
    try:
        await application.start()
        await until(lambda: application.status()[0] == "running" and windows)
        await _settle_in(application, routes)
        month = _Month(application, clock, windows[0])
        idle = await month.idle_percent()
        held = [(machine.resident_bytes() or 0) / 1e6]
        for day in range(1, DAYS + 1):
            held.append(await month.day(day))
            print(f"day {day}: {held[-1]:.1f} MB", file=sys.stderr)
        groups = len(application.core.book.groups)
        print(
            json.dumps(
                {
                    "idle_percent": idle,
                    "mb": held,
                    "files_mb": _files_mb(),
                    "groups": groups,
                    "closed": month.closed,
                    "lines": month.lines,
                }
            )
        )
    finally:
        await application.stop()
        application.close()


def _files_mb() -> float:
    """Return how much of what is resident are pages of libraries and other files, which the system can drop."""
    pages = int(Path("/proc/self/statm").read_bytes().split()[2])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


async def _settle_in(application: Application, routes: dict[str, Any]) -> None:
    """Log as it is logged by default, connect the exchange, and let everything come to rest."""
    settings = documents.with_value(application.core.book.settings, "logs.level", "INFO")
    await application.core.desk.ask(SaveSettings(document=documents.dump(settings)))
    known = next(each for each in routes["accounts"] if each["mode"] == "live")
    keys = {"api_key": known["api_key"], "api_secret": known["secret"], "passphrase": known["passphrase"]}
    await application.unlocking.ready("of a month")
    await application.accounts.add("real", "okx", Market.SPOT, Mode.LIVE, keys)
    await application.accounts.enable("real")
    rows = application.core.book.accounts
    await until(lambda: rows["real"].status is AccountStatus.READY)
    await send(application, body("okx", "LTCUSDT", "15", "real", Decimal(79), account="real", grid="five"))
    await asyncio.sleep(5)


def main(folder: str, routes_file: str) -> None:
    routes = json.loads(Path(routes_file).read_text())
    aiohttp.ThreadedResolver = lambda *_, **__: Names(routes["hosts"])  # type: ignore[assignment,misc]
    certifi.where = lambda: routes["ca_file"]
    qt = QApplication([])
    loop = qasync.QEventLoop(qt, already_running=False)
    asyncio.set_event_loop(loop)
    collecting = Collecting()
    collecting.start()
    clock = Nights()
    application = Application(Options(data_dir=folder, port=0, paper_feed=PaperFeed.MANUAL), clock)
    application.open()
    windows = window_parts.give_window(application, qt)
    with loop:
        try:
            loop.run_until_complete(_live(application, clock, windows, routes))
        finally:
            for window in windows:
                window.close()
            collecting.stop()


if __name__ == "__main__":
    main(*sys.argv[1:])
