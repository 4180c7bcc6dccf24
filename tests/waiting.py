"""Wait for something to happen, without guessing how long it takes."""

import asyncio
from collections.abc import Callable


async def until(true: Callable[[], object], limit_s: float = 2) -> None:
    """Wait until something holds, looking at it every few milliseconds.

    Raises ``TimeoutError`` after ``limit_s`` seconds.
    """
    async with asyncio.timeout(limit_s):
        while not true():  # noqa: ASYNC110 (what is waited for does not know of it)
            await asyncio.sleep(0.005)
