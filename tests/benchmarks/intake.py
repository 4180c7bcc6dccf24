"""Alerts in: how long until 202, and whether a burst loses or doubles any."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterable
from pathlib import Path

from execution_engine.domain.inputs import SaveSettings
from tests.benchmarks.bare import bare_server
from tests.benchmarks.figures import Figure, percentile, spread
from tests.benchmarks.stage import BASE_PRICE, body, document, markets, post_all, running, webhook_url

STEADY, STEADY_RATE = 1000, 100
BURST, BURST_RATE = 10000, 1000
TIMES_BARE = 3


def measure() -> Iterable[Figure]:
    return asyncio.run(_measure())


async def _measure() -> list[Figure]:
    with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
        folder = Path(scratch)
        async with bare_server(folder) as url:
            bare = [
                took for _, took, _ in await post_all(url, [body("b", "s", "15", "i")] * STEADY, STEADY_RATE)
            ]
        async with running(folder / "data") as application:
            await application.core.desk.ask(SaveSettings(document=document(default_grid=True)))
            used = markets(application, 50)
            for exchange, symbol in used:
                await application.set_price(f"{exchange.upper()}:{symbol}", BASE_PRICE)
            steady = await post_all(webhook_url(application), _bodies(used, "steady", STEADY), STEADY_RATE)
            burst = await post_all(webhook_url(application), _bodies(used, "burst", BURST), BURST_RATE)
            accepted = sum(status == 202 for _, _, status in burst)
            await application.core.durable()
            stored = await application.read(lambda reader: reader.alerts(BURST * 2))
    ids = [alert.parsed.id for alert in stored if (alert.parsed.id or "").startswith("burst")]
    took = [took for _, took, _ in steady]
    ours, theirs = percentile(took, 0.5), percentile(bare, 0.5)
    beside = (
        f"bare aiohttp + one FULL commit: p50 {theirs * 1000:.2f}, p99 {percentile(bare, 0.99) * 1000:.2f} ms"
    )
    return [
        *spread("alert → 202 durable at 100/s", took, 10, beside),
        Figure("… as a multiple of bare, p50", ours / theirs, TIMES_BARE, "×"),
        Figure(
            "… as a multiple of bare, p99", percentile(took, 0.99) / percentile(bare, 0.99), TIMES_BARE, "×"
        ),
        *spread("burst of 10,000 at 1,000/s: alert → 202", [took for _, took, _ in burst], None),
        Figure("… not accepted", BURST - accepted, 0, "", "answers other than 202"),
        Figure("… lost", accepted - len(set(ids)), 0, "", "accepted but not in the database"),
        Figure("… doubled", len(ids) - len(set(ids)), 0, "", "stored twice"),
    ]


def _bodies(used: list[tuple[str, str]], name: str, count: int) -> list[str]:
    """Return alerts that mostly join open groups or wait in the queue, as a busy day's do."""
    frames = ("15", "60", "240", "1D")
    return [body(*used[n % len(used)], frames[n // len(used) % 4], f"{name} {n}") for n in range(count)]
