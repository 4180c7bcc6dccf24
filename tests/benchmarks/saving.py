"""Settings saved and in force: durable, answered, and used by the next decision."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

from execution_engine.commands import numbered_versions
from execution_engine.domain import document as documents
from execution_engine.domain.inputs import Answer, SaveSettings
from execution_engine.main import Application
from tests.benchmarks.figures import Figure, percentile, spread
from tests.benchmarks.stage import document, running

SAVES = 100
IN_FORCE_MS = 50


def measure() -> Iterable[Figure]:
    return asyncio.run(_measure())


async def _measure() -> list[Figure]:
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        async with running(Path(folder)) as application:
            await application.core.desk.ask(SaveSettings(document=document()))
            took = [await _save(application, number) for number in range(1, SAVES + 1)]
            checked = [_check(application) for _ in range(SAVES)]
            begun = time.perf_counter()
            versions = await application.read(numbered_versions)
            listed = time.perf_counter() - begun
    assert len(versions) == SAVES + 2  # the one of the stage, and the defaults
    return [
        *spread("settings saved and in force", took, IN_FORCE_MS),
        Figure("a key typed in a form checked against all of them, p50", percentile(checked, 0.5) * 1000, 16),
        Figure(f"{len(versions)} versions listed with what each changed", listed * 1000, 200),
    ]


async def _save(application: Application, number: int) -> float:
    """Return how long it takes until another document is durable and in force [s]."""
    wanted = documents.with_value(application.core.book.settings, "pool.max_queue", number)
    text = documents.dump(wanted)
    begun = time.perf_counter()
    reply = await application.core.desk.ask(SaveSettings(document=text))
    took = time.perf_counter() - begun
    assert isinstance(reply, Answer)
    assert application.core.book.settings.pool.max_queue == number
    return took


def _check(application: Application) -> float:
    begun = time.perf_counter()
    documents.check(application.core.book.settings.model_dump(mode="json"))
    return time.perf_counter() - begun
