"""After a kill with 200 groups and orders on their way: how long until it trades again, and what it asks for that."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.benchmarks.figures import Figure, percentile
from tests.benchmarks.recovering import ARRIVE, LOST
from tests.benchmarks.stage import GROUPS, prepare, seeded

RUNS = 5
ACCOUNTS = 2
READINGS = 3  # what an account can spend, what rests there, what was traded
TIMES_LEAST = 1.2


@dataclass(frozen=True)
class Recovery:
    """One start after a kill: times since the launch and processor time [s], the calls until it traded."""

    listening: float
    trading: float
    processor: float
    calls: dict[str, int]


def measure() -> Iterable[Figure]:
    prepare()
    all_arrived = [asyncio.run(_recover(0)) for _ in range(RUNS)]
    some_lost = [asyncio.run(_recover(LOST)) for _ in range(RUNS)]
    bare = [_bare() for _ in range(RUNS)]
    # Each account is read once. What does not rest is looked for once, and then its account is read again.
    least = ACCOUNTS * READINGS
    least_lost = least + LOST + READINGS
    return [
        *_figures(f"{ARRIVE} orders without an answer", all_arrived, least, bare),
        *_figures(f"and {LOST} that never arrived", some_lost, least_lost, bare),
    ]


def _figures(name: str, runs: list[Recovery], least: int, bare: list[float]) -> list[Figure]:
    """Give the times as they are: this exchange answers at once, so that nothing unavoidable is to be taken off."""
    trading = percentile([run.trading for run in runs], 0.5)
    listening = percentile([run.listening for run in runs], 0.5)
    processor = percentile([run.processor for run in runs], 0.5)
    calls = sorted(sum(run.calls.values()) for run in runs)
    median = calls[len(calls) // 2]
    return [
        Figure(
            f"kill -9 with {GROUPS} groups, {name} → trading again",
            trading * 1000,
            2000,
            beside=f"listening after {listening * 1000:.0f} ms; an interpreter with the same imports: "
            f"{percentile(bare, 0.5) * 1000:.0f} ms",
        ),
        Figure("… processor time of that", processor * 1000),
        Figure(
            "… calls, as a multiple of the least",
            median / least,
            TIMES_LEAST,
            "×",
            f"{median} for {least}; at most {calls[-1]} in {len(runs)} runs",
        ),
    ]


async def _recover(lost: int) -> Recovery:
    async with seeded() as folder:
        return await asyncio.to_thread(_killed_and_started, folder, lost)


def _killed_and_started(folder: Path, lost: int) -> Recovery:
    dying = _run("dies", str(folder), str(lost))
    assert dying.stdout is not None
    said = dying.stdout.readline()
    dying.kill()
    dying.wait()
    assert said == "now\n", said
    begun = time.monotonic()
    living = _run("lives", str(folder))
    output, _ = living.communicate(timeout=60)
    told = json.loads(output)
    return Recovery(told["listening"] - begun, told["trading"] - begun, told["processor"], told["calls"])


def _run(*arguments: str) -> subprocess.Popen[Any]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.benchmarks.recovering", *arguments],
        env=os.environ | {"QT_QPA_PLATFORM": "offscreen"},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


def _bare() -> float:
    """Time an interpreter that only imports the application."""
    begun = time.monotonic()
    subprocess.run([sys.executable, "-c", "import tests.benchmarks.recovering"], check=True)
    return time.monotonic() - begun
