"""Opening a vault, and a backup of 500 MB, while the loop goes on: how long each takes, and how long it stood still."""

from __future__ import annotations

import asyncio
import sqlite3
import tempfile
import time
from collections.abc import Awaitable, Iterable
from contextlib import closing
from pathlib import Path

from execution_engine.adapters.security.vault import Vault
from execution_engine.main import Application
from execution_engine.unlocking import Unlocking
from tests.benchmarks.figures import Figure
from tests.benchmarks.stage import running

WANTED = 500 * 1000 * 1000
LINE = 2_000
STILL_MS = 16
PASSWORD = "a master password to measure"
FILL = (
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) "
    "INSERT INTO system_log (id, at, level, category, code, text) "
    "SELECT 1000000000 + i, '2026-11-20T12:00:00.000000Z', 'INFO', 'SYSTEM', 'filler', hex(randomblob(?)) FROM n"
)


def measure() -> Iterable[Figure]:
    return asyncio.run(_measure())


async def _measure() -> list[Figure]:
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        async with running(Path(folder)) as application:
            idle, _ = await _stillness(asyncio.sleep(1))
            unlock = await _unlocking(application, Path(folder))
            await asyncio.to_thread(_fill, application.folder.database)
            size = application.folder.database.stat().st_size
            still, took = await _stillness(application.keeping.make())
    return [
        *unlock,
        Figure(f"backup of {size / 1e6:.0f} MB, copied and checked", took, None, "s"),
        Figure(
            "the loop stood still meanwhile, longest",
            still * 1000,
            STILL_MS,
            beside=f"idle {idle * 1000:.1f} ms",
        ),
    ]


def _fill(path: Path) -> None:
    with closing(sqlite3.connect(path, timeout=60)) as connection, connection:
        connection.execute("PRAGMA cache_size = -200000")
        connection.execute(FILL, (WANTED // LINE, LINE // 2 - 20))


async def _unlocking(application: Application, folder: Path) -> list[Figure]:
    vault = Vault(folder / "another vault")
    await asyncio.to_thread(vault.make, PASSWORD)
    vault.lock()
    unlocking = Unlocking(vault, application.core.desk.ask)
    begun = time.process_time()
    still, took = await _stillness(unlocking.open(PASSWORD))
    worked = time.process_time() - begun
    return [
        Figure(
            "a vault opened by its master password",
            took * 1000,
            1000,
            beside=f"{worked * 1000:.0f} ms of the processor's time, meant to be about 500",
        ),
        Figure("the loop stood still meanwhile, longest", still * 1000, STILL_MS),
    ]


async def _stillness(work: Awaitable[object]) -> tuple[float, float]:
    """Return how long the loop stood still at most, and how long the work took [s]."""
    worst, ended = 0.0, False

    async def look() -> None:
        nonlocal worst
        while not ended:
            begun = time.perf_counter()
            await asyncio.sleep(0.001)
            worst = max(worst, time.perf_counter() - begun - 0.001)

    looking = asyncio.create_task(look())
    begun = time.perf_counter()
    await work
    took = time.perf_counter() - begun
    ended = True
    await looking
    return worst, took
