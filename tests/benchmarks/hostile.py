"""Real alerts while a thousand sockets dribble and ten thousand wrong secrets a minute arrive."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import urlsplit

from execution_engine.domain.inputs import SaveSettings
from tests.benchmarks.bare import bare_server
from tests.benchmarks.figures import Figure, percentile, spread
from tests.benchmarks.stage import BASE_PRICE, body, document, markets, post_all, running, webhook_url

ALERTS, RATE = 240, 20
SLOW_SOCKETS, WRONG_PER_MINUTE = 1000, 10_000
LIMIT_MS = 50


def measure() -> Iterable[Figure]:
    return asyncio.run(_measure())


async def _measure() -> list[Figure]:
    with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
        folder = Path(scratch)
        async with bare_server(folder) as url:
            bare = await _times(url, "bare")
        async with running(folder / "data") as application:
            await application.core.desk.ask(SaveSettings(document=document(default_grid=True)))
            for exchange, symbol in markets(application, 10):
                await application.set_price(f"{exchange.upper()}:{symbol}", BASE_PRICE)
            url = webhook_url(application)
            quiet = await _times(url, "quiet", markets(application, 10))
            place = urlsplit(url)
            crowd = subprocess.Popen(  # noqa: ASYNC220 (it only starts)
                [sys.executable, "-m", "tests.benchmarks.crowd", str(place.hostname), str(place.port),
                 str(SLOW_SOCKETS), str(WRONG_PER_MINUTE)],
                stdout=subprocess.PIPE, stdin=subprocess.PIPE,
            )  # fmt: skip
            assert crowd.stdout is not None
            await asyncio.to_thread(crowd.stdout.readline)  # it stands
            begun, spent = time.monotonic(), time.process_time()
            loud = await _times(url, "loud", markets(application, 10))
            share = (time.process_time() - spent) / (time.monotonic() - begun)
            said, _ = await asyncio.to_thread(crowd.communicate, b"\n")
            wrong, opened, answered = (int(each) for each in said.split())
            await application.core.durable()
            kept = len(await application.read(lambda reader: reader.refused(100_000)))
    statuses = [status for _, _, status in loud]
    took, calm = [took for _, took, _ in loud], [took for _, took, _ in quiet]
    beside = (
        f"without the crowd p99 {percentile(calm, 0.99) * 1000:.1f} ms; bare aiohttp without it p99 "
        f"{percentile([took for _, took, _ in bare], 0.99) * 1000:.1f} ms"
    )
    return [
        *spread("alert → 202 in a hostile crowd", took, LIMIT_MS, beside),
        Figure("… not accepted", sum(status != 202 for status in statuses), 0, "", f"of {len(statuses)}"),
        Figure("… processor of the engine meanwhile", share * 100, None, "%", "of one core, all threads"),
        Figure("… wrong secrets sent", wrong, None, "", f"{answered:,} of them answered 401 or 429"),
        Figure("… slow connections opened", opened, None, "", f"{SLOW_SOCKETS:,} at a time"),
        Figure("… refused requests kept", kept, 200, "", "a flood fills no disk"),
    ]


async def _times(
    url: str, name: str, used: list[tuple[str, str]] | None = None
) -> list[tuple[float, float, int]]:
    used = used or [("b", "s")]
    frames = ("15", "60", "240", "1D")
    bodies = [body(*used[n % len(used)], frames[n // len(used) % 4], f"{name} {n}") for n in range(ALERTS)]
    return await post_all(url, bodies, RATE, fresh=True)
