"""Ending in order: a step that fails or hangs is logged, and keeps nothing else from being ended."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from loguru import logger

PATIENCE_S = 15.0  # a tunnel's program that does not hear has six seconds of its own

Step = Callable[[], Awaitable[object]]


async def ended(*steps: Step, at_any_rate: bool = False) -> None:
    """Do these steps side by side; never raises. at_any_rate: however long it takes."""
    tasks = [asyncio.ensure_future(_looked_at(step)) for step in steps]
    if tasks:
        _, late = await asyncio.wait(tasks, timeout=None if at_any_rate else PATIENCE_S)
        for task in late:
            task.cancel()


async def _looked_at(step: Step) -> None:
    try:
        await step()
    except (Exception, asyncio.CancelledError):
        name = getattr(step, "__qualname__", repr(step))
        logger.bind(category="SYSTEM").exception("{} did not end in order", name)
