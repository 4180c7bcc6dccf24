"""Many open orders compared with the books: how many calls, how much work."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from execution_engine.domain.inputs import OpenOrders, SaveSettings
from execution_engine.main import Application
from tests.benchmarks.figures import Figure, percentile
from tests.benchmarks.stage import BASE_PRICE, body, document, markets, running, send, until

ACCOUNT = "paper"
CHECKS = 40
LIMITS_MS = {200: 10, 2000: 100}
FRAMES = ("5", "15", "30", "60", "120", "240", "360", "480")


def measure() -> Iterable[Figure]:
    return [figure for orders in LIMITS_MS for figure in asyncio.run(_measure(orders))]


async def _measure(orders: int) -> list[Figure]:
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        async with running(Path(folder)) as application:
            await _fill(application, orders)
            listed = await application.core.paper.open_orders(ACCOUNT)
            assert isinstance(listed, OpenOrders)
            assert len(listed.reports) == orders
            calls = Calls(application, listed)
            account = application.core.book.accounts[ACCOUNT]
            await application.core.running.reconcile.read(account)
            calls.counts.clear()
            spent = [await _check(application) for _ in range(CHECKS)]
            bare = [_bare(application, listed) for _ in range(CHECKS)]
    per_check = calls.counts["open_orders"] / CHECKS
    others = sum(calls.counts[name] for name in ("look", "fills", "cancel")) / CHECKS
    return [
        Figure(
            f"{orders} open orders checked, CPU p50",
            percentile(spent, 0.5) * 1000,
            LIMITS_MS[orders],
            beside=f"reading through the same answer: {percentile(bare, 0.5) * 1000:.2f} ms",
        ),
        Figure("… lists of open orders asked for", per_check, 1, "", "calls per check and account"),
        Figure("… calls about single orders", others, 0, "", "calls per check"),
    ]


async def _check(application: Application) -> float:
    """Return the processor time of one check, of all threads [s]."""
    begun = time.process_time()
    read = await application.core.running.reconcile.read(application.core.book.accounts[ACCOUNT])
    await application.core.durable()
    spent = time.process_time() - begun
    assert read
    return spent


def _bare(application: Application, listed: OpenOrders) -> float:
    rows = {order.client_order_id: order for order in application.core.book.orders.values()}
    begun = time.process_time()
    same = sum(
        rows[said.client_order_id].status is said.status
        and rows[said.client_order_id].filled_quantity == said.filled_quantity
        for said in listed.reports
    )
    spent = time.process_time() - begun
    assert same == len(listed.reports)
    return spent


async def _fill(application: Application, orders: int) -> None:
    """Have that many entries rest."""
    await application.core.desk.ask(SaveSettings(document=document(default_grid=True)))
    used = markets(application, 50)
    for exchange, symbol in used:
        await application.set_price(f"{exchange.upper()}:{symbol}", BASE_PRICE + 1)
    for number in range(orders // 5):
        exchange, symbol = used[number % len(used)]
        await send(application, body(exchange, symbol, FRAMES[number // len(used)], f"alert {number}"))
    book = application.core.book
    await until(
        lambda: len(book.orders) == orders and all(order.acknowledged_at for order in book.orders.values())
    )


class Calls:
    """Counts what the account's exchange is asked; its list is at hand, as if it had come over the wire."""

    def __init__(self, application: Application, listed: OpenOrders) -> None:
        self.counts: Counter[str] = Counter()
        paper = application.core.paper
        for name in ("open_orders", "look", "fills", "cancel"):
            setattr(paper, name, self._counted(name, getattr(paper, name)))
        open_orders = paper.open_orders

        async def at_hand(account: str) -> Any:
            if account != ACCOUNT:
                return await open_orders(account)
            self.counts["open_orders"] += 1
            return replace(listed, at=application.clock.now())

        paper.open_orders = at_hand  # type: ignore[method-assign]

    def _counted(self, name: str, call: Any) -> Any:
        async def counted(*args: Any) -> Any:
            if args[0] == ACCOUNT or getattr(args[0], "account", None) == ACCOUNT:
                self.counts[name] += 1
            return await call(*args)

        return counted
