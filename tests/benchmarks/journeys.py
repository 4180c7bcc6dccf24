"""The two journeys: an alert to its orders, a price to its take-profit; with 200 groups and 1,000 prices a second."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterable, Sequence
from decimal import Decimal
from typing import Any

from PySide6.QtWidgets import QApplication

from execution_engine import main
from execution_engine import window as window_parts
from execution_engine.domain.inputs import Price
from execution_engine.domain.rows import Order, Purpose
from execution_engine.main import Application
from execution_engine.ui import app as ui
from execution_engine.ui.loop import Loop
from tests.benchmarks.figures import Figure, percentile, spread
from tests.benchmarks.stage import (
    GROUPS,
    RESTING_PRICE,
    body,
    markets,
    post_all,
    prepare,
    running,
    seeded,
    webhook_url,
)

ALERTS, ALERT_RATE = 400, 20
TARGETS = 150
PRICES_PER_S = 1000
PRICE_CALLS = 20000
FEW = 4
SETTLED_S = 3  # until the window has built its pages and read its figures


class Handed:
    """Notes when each order is handed to the exchange's port."""

    def __init__(self, application: Application) -> None:
        self.at: dict[int, float] = {}
        self.more = asyncio.Event()
        paper = application.core.paper
        place = paper.place

        async def timed(orders: Sequence[Order]) -> Any:
            now = time.monotonic()
            self.at.update((order.id, now) for order in orders)
            self.more.set()
            return await place(orders)

        paper.place = timed  # type: ignore[method-assign]


def measure() -> Iterable[Figure]:
    prepare()
    prepare(FEW)
    figures = asyncio.run(_journeys("headless", 6))
    figures += in_window(lambda show: _journeys("window open", 10, show))
    return figures + asyncio.run(_price_cost())


def in_window(work: Callable[[Callable[[Application], None]], Coroutine[Any, Any, Any]]) -> Any:
    """Run on Qt's loop; `work` gets what opens the window of an application."""
    qt = QApplication.instance() or ui.create(main.resources())
    loop = Loop(qt)
    asyncio.set_event_loop(loop)
    windows: list[Any] = []

    def show(application: Application) -> None:
        window = ui.Window(qt)
        window.attach(window_parts.doors(application))
        feed = application.core.feed
        feed.on_released(lambda change: window.released(change.rows, change.facts))
        feed.on_price(window.price)
        feed.on_balances(window.balances)
        windows.append(window)

    with loop:
        try:
            return loop.run_until_complete(work(show))
        finally:
            for window in windows:
                window.close()


async def _journeys(
    name: str, alert_limit: float, show: Callable[[Application], None] | None = None
) -> list[Figure]:
    alert = await _while_prices_move(_alert_to_orders, show)
    target = await _while_prices_move(_price_to_target, show)
    return [
        *spread(f"alert → last leg handed over, {name}", alert, alert_limit),
        *spread(f"price → take-profit handed over, {name}", target, 5 if name == "headless" else None),
    ]


async def _while_prices_move(
    journey: Callable[[Application, Handed], Coroutine[Any, Any, list[float]]],
    show: Callable[[Application], None] | None,
) -> list[float]:
    """Measure a journey on a book of its own, beside a busy stream of prices."""
    async with seeded() as folder, running(folder) as application:
        if show:
            show(application)
            await asyncio.sleep(SETTLED_S)
        noise = asyncio.create_task(move_prices(application))
        try:
            return await journey(application, Handed(application))
        finally:
            noise.cancel()


async def move_prices(application: Application, per_s: int = PRICES_PER_S) -> None:
    """Post prices that decide nothing, of all markets in turn, as a busy stream would."""
    used = list(application.core.book.prices)
    number, begun = 0, time.monotonic()
    while True:
        due = int((time.monotonic() - begun) * per_s)
        while number < due:
            exchange, symbol = used[number % len(used)]
            last = RESTING_PRICE + Decimal(number % 7) / 100
            now = application.clock.now()
            application.core.desk.post(Price(exchange=exchange, symbol=symbol, last=last, at=now))
            number += 1
        await asyncio.sleep(0.002)


async def _alert_to_orders(application: Application, handed: Handed) -> list[float]:
    """Time from the moment the client sends to the last order of the alert's grid at the port."""
    used = markets(application, 50)
    frames = ("5", "30")
    bodies = [
        body(*used[n % 45], frames[n // 45 % 2], f"alert {n}", RESTING_PRICE, grid="five")
        for n in range(ALERTS)
    ]
    results = await post_all(webhook_url(application), bodies, ALERT_RATE)
    book = application.core.book
    by_id = {alert.parsed.id: alert.id for alert in book.alerts.values()}
    times = []
    for number, (left, _, _) in enumerate(results):
        alert_id = by_id[f"alert {number}"]
        pyramids = {pyramid.id for pyramid in book.pyramids.values() if pyramid.alert_id == alert_id}
        orders = [
            o.id for o in book.orders.values() if o.pyramid_id in pyramids and o.purpose is Purpose.ENTRY
        ]
        if orders and all(order in handed.at for order in orders):
            times.append(max(handed.at[order] for order in orders) - left)
    assert len(times) >= 100, f"only {len(times)} of {ALERTS} alerts placed orders"
    return times


async def _price_to_target(application: Application, handed: Handed) -> list[float]:
    """Time from a price at the door to the take-profit order at the port."""
    book = application.core.book
    times = []
    held = [group.id for group in book.groups.values() if group.is_open and group.open_quantity]
    for group_id in held[::-1][:TARGETS]:  # the lowest entries first: each price reaches one target
        group = book.groups[group_id]
        held = [book.legs[id] for id in book.legs_of(group_id) if book.legs[id].closed_by is None]
        targets = [leg.tp_price for leg in held if leg.open_quantity and leg.triggered_at is None]
        if not targets:
            continue  # a price for another timeframe of this symbol has closed it
        begun = time.monotonic()
        now = application.clock.now()
        known = book.counter
        application.core.desk.post(
            Price(exchange=group.exchange, symbol=group.symbol, last=min(targets), at=now)
        )
        new = [id for id, order in book.orders.items() if id > known and order.purpose is Purpose.TAKE_PROFIT]
        while not all(id in handed.at for id in new):
            handed.more.clear()
            await handed.more.wait()
        times += [handed.at[id] - begun for id in new]
        await asyncio.sleep(0.01)
    assert times
    return times


async def _price_cost() -> list[Figure]:
    """The cost of a price that decides nothing: in a full book, and where only its own market's groups are."""
    costs = []
    for groups in (GROUPS, FEW):
        async with seeded(groups) as folder, running(folder) as application:
            costs.append(_cost(application, next(iter(application.core.book.prices))))
    full, few = costs
    return [
        Figure(
            f"a price beside {GROUPS} groups",
            full * 1e6,
            None,
            "µs",
            f"beside {FEW} groups: {few * 1e6:.2f} µs",
        ),
        Figure("… as a multiple", full / few, 1.3, "×"),
    ]


def _cost(application: Application, market: tuple[str, str]) -> float:
    now = application.clock.now()
    prices = [
        Price(exchange=market[0], symbol=market[1], last=RESTING_PRICE + Decimal(n % 5) / 100, at=now)
        for n in range(PRICE_CALLS)
    ]
    post = application.core.desk.post
    times = []
    for begin in range(0, PRICE_CALLS, 1000):
        begun = time.perf_counter()
        for price in prices[begin : begin + 1000]:
            post(price)
        times.append((time.perf_counter() - begun) / 1000)
    return percentile(times, 0.5)
