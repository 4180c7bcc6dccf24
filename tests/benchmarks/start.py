"""From launch to a listener that answers, to a window, and the load of 200 groups."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path

from execution_engine.adapters.clock import SystemClock
from execution_engine.adapters.control import NotRunning, call
from execution_engine.adapters.exchanges import instruments
from execution_engine.adapters.paths import DataFolder
from execution_engine.adapters.storage.store import SqliteStore
from execution_engine.core import load_book
from execution_engine.domain.symbols import Catalogue
from execution_engine.main import resources
from tests.benchmarks.figures import Figure, percentile
from tests.benchmarks.stage import prepare, seeded

STARTS = 5


def measure() -> Iterable[Figure]:
    prepare()
    return asyncio.run(_measure())


async def _measure() -> list[Figure]:
    async with seeded() as folder:
        loads = [_load(folder) for _ in range(STARTS)]
        _launch(folder)  # compiles what was never compiled, as installing does
        headless = [_launch(folder, "--headless") for _ in range(STARTS)]
        window = [_launch(folder) for _ in range(STARTS)]
    return [
        Figure("load 200 groups with 7,000 legs", percentile(loads, 0.5) * 1000, 300),
        Figure(
            "launch → listener ready, headless",
            percentile([ready for ready, _ in headless], 0.5) * 1000,
            1000,
        ),
        Figure(
            "launch → listener ready, with a window",
            percentile([ready for ready, _ in window], 0.5) * 1000,
            None,
        ),
        Figure("launch → window shown", percentile([shown for _, shown in window], 0.5) * 1000, 1500),
    ]


def _load(folder: Path) -> float:
    """Time the database into the book."""
    store = SqliteStore(DataFolder(folder).database)
    catalogue = Catalogue(instruments.load(resources() / "instruments.json"))
    begun = time.perf_counter()
    load_book(store, catalogue, SystemClock())
    took = time.perf_counter() - begun
    store.close()
    return took


def _launch(folder: Path, *options: str) -> tuple[float, float]:
    """Time from launch to the listener and to the shown window; both asked of the running program."""
    environment = os.environ | {"QT_QPA_PLATFORM": "offscreen"}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # no trader starts from sources alone
    begun = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-m", "execution_engine", "--data-dir", str(folder), "--port", "0", *options],
        env=environment,
        stderr=subprocess.DEVNULL,
    )
    try:
        control = DataFolder(folder).control
        last = "listening" if "--headless" in options else "window"
        moments: dict[str, float] = {}
        while last not in moments:
            try:
                moments = call(control, "moments", {}, 5)
            except NotRunning:
                time.sleep(0.005)
        return moments["listening"] - begun, moments[last] - begun
    finally:
        process.terminate()
        process.wait(10)
