"""A program to be killed, and one to be timed: the application in a process of its own, its exchange's calls counted.

`dies FOLDER`: sends alerts whose orders reach the exchange or get lost on the way, without an answer to any, says
so, and waits for its end. `lives FOLDER`: starts, trades again, and prints `{"listening", "trading", "processor",
"calls"}`: two times [s, the machine's monotonic clock], the processor time until then [s], how often each call was
made.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from execution_engine.adapters.exchanges.paper import PaperExchange
from execution_engine.core import Options
from execution_engine.domain.rows import AccountStatus, Order
from execution_engine.domain.settings import PaperFeed
from execution_engine.main import Application
from tests.benchmarks.stage import RESTING_PRICE, body, markets, running, send

ARRIVE, LOST = 40, 10  # orders that are at the exchange, orders that are nowhere
FRAMES = ("5", "10")


async def dies(folder: Path, lost: int) -> None:
    async with running(folder) as application:
        paper = application.core.paper
        place = paper.place
        left: list[int] = []
        done: list[int] = []

        async def unanswered(orders: Sequence[Order]) -> Any:
            arrive = len(left) < ARRIVE
            left.extend(order.id for order in orders)
            if arrive:
                await place(orders)
            done.extend(order.id for order in orders)
            if len(done) >= ARRIVE + lost:
                print("now", flush=True)
            await asyncio.Event().wait()

        paper.place = unanswered  # type: ignore[method-assign]
        used = markets(application, 10)
        for number in range((ARRIVE + lost) // 5):
            exchange, symbol = used[number % len(used)]
            text = body(
                exchange, symbol, FRAMES[number // len(used)], f"last {number}", RESTING_PRICE, grid="five"
            )
            await send(application, text)
        await asyncio.Event().wait()


async def lives(folder: Path) -> None:
    calls: Counter[str] = Counter()
    for name in ("place", "cancel", "look", "open_orders", "balances", "fills"):
        setattr(PaperExchange, name, _counted(calls, name, getattr(PaperExchange, name)))
    application = Application(Options(data_dir=str(folder), port=0, paper_feed=PaperFeed.MANUAL))
    await asyncio.to_thread(application.open)
    try:
        await application.start()
        accounts = application.core.book.accounts
        while any(account.status is not AccountStatus.READY for account in accounts.values()):  # noqa: ASYNC110
            await asyncio.sleep(0.002)
        said = {
            "listening": application.moments["listening"],
            "trading": time.monotonic(),
            "processor": time.process_time(),
            "calls": dict(calls),
        }
        print(json.dumps(said), flush=True)
    finally:
        await application.stop()
        application.close()


def _counted(calls: Counter[str], name: str, call: Any) -> Any:
    async def counted(self: PaperExchange, *args: Any) -> Any:
        calls[name] += 1
        return await call(self, *args)

    return counted


if __name__ == "__main__":
    if sys.argv[1] == "dies":
        asyncio.run(dies(Path(sys.argv[2]), int(sys.argv[3])))
    else:
        asyncio.run(lives(Path(sys.argv[2])))
