"""A month of use in two minutes: what the process holds at its start, in its middle and at its end.

The whole application with its window runs in a process of its own, on 200 groups of 35 legs and with one exchange
connected that lists thousands of markets. A day is alerts that open groups, fills, prices, targets, lines of the log,
a walk through every page, and exits; every third night the clock jumps by three days and everything is read again.
What real time drives alone, pruning the tables, is asked for once a day.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterable

from tests.benchmarks.figures import Figure
from tests.benchmarks.living import DAYS
from tests.benchmarks.stage import prepare, seeded
from tests.benchmarks.trading import exchange_of_its_own

FIRST, SETTLED = 1, 10
LISTED = "2500"
MOST_MB, A_DAY_MB, IDLE_PERCENT = 350, 1, 3


def measure() -> Iterable[Figure]:
    prepare()
    return asyncio.run(_measure())


async def _measure() -> list[Figure]:
    async with seeded() as folder:
        with exchange_of_its_own("okx", "--markets", LISTED) as routes:
            arguments = [sys.executable, "-m", "tests.benchmarks.living", str(folder), routes["file"]]
            done = await asyncio.to_thread(subprocess.run, arguments, stdout=subprocess.PIPE, check=True)
    said = json.loads(done.stdout.splitlines()[-1])
    held = said["mb"]
    beside = (
        f"at first {held[0]:.0f}, day {FIRST}: {held[FIRST]:.0f}, day {SETTLED}: {held[SETTLED]:.0f}, "
        f"day {DAYS}: {held[DAYS]:.0f} MB, of which {said['files_mb']:.0f} are files that others share; "
        f"{said['groups']} groups then, {said['closed']} closed, {said['lines']:,} lines logged"
    )
    return [
        Figure("nothing moves, window open: of one core", said["idle_percent"], IDLE_PERCENT, "%"),
        Figure("a month of use, resident memory, most", max(held), MOST_MB, "MB", beside),
        Figure(
            f"… grown a day, from day {SETTLED} to day {DAYS}",
            (held[DAYS] - held[SETTLED]) / (DAYS - SETTLED),
            A_DAY_MB,
            "MB",
        ),
    ]
