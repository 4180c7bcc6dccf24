"""Blocking work on a thread of its own, which nobody waits for when the program ends."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

T = TypeVar("T")


async def in_thread(work: Callable[[], T], name: str, limit_s: float) -> T:
    """Return what the work returns. Raises TimeoutError; the thread then ends when its work does.

    The loop's own threads are not used: a service that hangs would keep the screens from the database, and
    the program from ending.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def settle(done: Callable[[], None]) -> None:
        def now() -> None:
            if not future.done():
                done()

        with suppress(RuntimeError):  # the loop has ended meanwhile
            loop.call_soon_threadsafe(now)

    def run() -> None:
        try:
            result = work()
        except BaseException as error:
            settle(lambda caught=error: future.set_exception(caught))  # type: ignore[misc]
        else:
            settle(lambda: future.set_result(result))

    threading.Thread(target=run, name=name, daemon=True).start()
    async with asyncio.timeout(limit_s):
        return await future
