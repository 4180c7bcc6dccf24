"""How long the pages Queue and Risk take for a batch: 1,000 waiting signals, 200 groups, 100 markets.

The window tells a batch of so many prices in turns (`MARKETS_A_TURN`), each of which must fit into a frame; what all
of them would take at once stands beside it, for information.
"""

from __future__ import annotations

import asyncio
import gc
import os
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QApplication

from execution_engine.core import COLLECT_AT
from execution_engine.domain import document as documents
from execution_engine.domain.inputs import Price
from execution_engine.domain.instrument import Instrument, Side
from execution_engine.domain.rows import GroupStatus, QueuedSignal, Row, World
from execution_engine.domain.settings import Settings
from execution_engine.ui import theme
from execution_engine.ui.bridge import MARKETS_A_TURN, Bridge
from execution_engine.ui.loop import Loop
from execution_engine.ui.pages.queue import QueuePage
from execution_engine.ui.pages.risk import RiskPage
from tests.benchmarks import positions_page
from tests.benchmarks.figures import Figure, percentile, spread
from tests.benchmarks.positions_page import GROUPS, MARKETS, NOW, PAGE

SIGNALS = 1000
BATCHES = 200
FRAME_MS = 16
AT_ONCE = "100 prices at once"
D = Decimal

Page = QueuePage | RiskPage


def measure() -> list[Figure]:
    """Return what a batch takes on each page, from the batch to the painted frame."""
    return [
        figure
        for name, times in run().items()
        for figure in spread(
            f"{name}, batch → paint",
            [each / 1000 for each in times],
            None if name.endswith(AT_ONCE) else FRAME_MS,
        )
    ]


def run(batches: int = BATCHES) -> dict[str, list[float]]:
    """Return milliseconds per batch, applied and painted, for every state of the pages that matters."""
    app = QApplication.instance() or QApplication([])
    assert isinstance(app, QApplication)
    theme.load_fonts(Path(__file__).parents[2] / "resources" / "fonts")
    theme.apply(app, "dark")
    loop = Loop(app)
    asyncio.set_event_loop(loop)
    with loop:
        bench = _Bench(app)
        queue = bench.show(QueuePage(bridge=bench.bridge))
        results = {"queue, a turn of prices": bench.batches(batches, bench.turn)}
        results["queue, its new order"] = bench.batches(batches, bench.told_prices, queue._rank)
        results[f"queue, {AT_ONCE}"] = bench.batches(batches, bench.prices)
        results["queue, 20 signals replaced and a turn of prices"] = bench.batches(batches, bench.replaced)
        results["queue, its second"] = bench.batches(batches, bench.nothing, queue.tick)
        queue.close()
        page = bench.show(RiskPage(bridge=bench.bridge))
        results["risk, a turn of prices"] = bench.batches(batches, bench.turn)
        results[f"risk, {AT_ONCE}"] = bench.batches(batches, bench.prices)
        results["risk, a turn of prices and the plan anew"] = bench.batches(
            batches, bench.turn, page._show_plan
        )
        results["risk, 20 groups changed and a turn of prices"] = bench.batches(batches, bench.changed)
        results["risk, its second"] = bench.batches(batches, bench.nothing, page.tick)
        page.close()
    asyncio.set_event_loop(None)
    return results


class _Bench:
    def __init__(self, app: QApplication) -> None:
        self._app, self._random, self._next = app, random.Random(1), 0
        self.instruments = [positions_page._instrument(number) for number in range(MARKETS)]
        rows = list(self._rows())
        settings = documents.with_value(Settings(), "pool.max_queue", SIGNALS)
        self.bridge = Bridge()
        doors = positions_page._doors(self.instruments, rows)
        self.bridge.attach(
            replace(
                doors,
                settings=lambda: settings,
                next_evaluation=lambda: NOW + timedelta(seconds=32),
            )
        )
        # As the application does once its state is loaded.
        gc.collect()
        gc.freeze()
        gc.set_threshold(*COLLECT_AT)

    def show(self, page: Page) -> Page:
        page.resize(*PAGE)
        page.show()
        self.prices()
        self.bridge.flush()
        page.shown()
        self._paint()
        return page

    def batches(
        self, count: int, happens: Callable[[], None], then: Callable[[], None] | None = None
    ) -> list[float]:
        return [self._timed(happens, then) for _ in range(count)]

    def _timed(self, happens: Callable[[], None], then: Callable[[], None] | None) -> float:
        happens()
        started = time.perf_counter()
        self.bridge.flush()
        if then is not None:
            then()
        self._paint()
        return (time.perf_counter() - started) * 1000

    def _paint(self) -> None:
        """Carry out everything that a window would before its next frame."""
        self._app.sendPostedEvents(None, QEvent.Type.MetaCall)
        self._app.processEvents()

    def nothing(self) -> None:
        pass

    def turn(self) -> None:
        """Move as many markets as the window is told of at a time."""
        first, self._next = self._next, (self._next + MARKETS_A_TURN) % MARKETS
        self.move(self.instruments[first : first + MARKETS_A_TURN])

    def prices(self) -> None:
        self.move(self.instruments)

    def move(self, instruments: list[Instrument]) -> None:
        for each in instruments:
            moved = D(self._random.randrange(-900, 900)) / 100
            self.bridge.price(
                Price(exchange="binance", symbol=each.symbol, last=D(100) + moved, at=NOW, manual=True)
            )

    def told_prices(self) -> None:
        self.prices()
        self.bridge.flush()

    def replaced(self) -> None:
        self.turn()
        for id in self._random.sample(sorted(self.bridge.queue), 20):
            row = self.bridge.queue[id]
            self.bridge.released((replace(row, replacement_count=row.replacement_count + 1),), ())

    def changed(self) -> None:
        self.turn()
        for id in self._random.sample(sorted(self.bridge.groups), 20):
            group = self.bridge.groups[id]
            self.bridge.released((replace(group, invested=D(self._random.randrange(1900, 2100))),), ())

    def _rows(self) -> Iterator[Row]:
        for number in range(GROUPS):
            group = positions_page._group(number + 1, self.instruments[number % MARKETS].symbol, number)
            expires = NOW + timedelta(minutes=number - GROUPS // 2)
            yield replace(
                group,
                status=GroupStatus.ACTIVE,
                timer_started_at=expires - timedelta(minutes=60),
                timer_expires_at=expires,
            )
        for number in range(SIGNALS):
            yield QueuedSignal(
                id=2_000_000 + number,
                alert_id=1,
                account="paper",
                world=World.PAPER,
                exchange="binance",
                symbol=self.instruments[number % MARKETS].symbol,
                timeframe=f"{number // MARKETS + 2}m",
                side=Side.LONG if number % 3 else Side.SHORT,
                entry_price=D(100) + D(number % 37) / 10,
                queued_at=NOW - timedelta(seconds=number),
                updated_at=NOW,
                replacement_count=number % 4,
            )


if __name__ == "__main__":
    application = QApplication([])
    for name, times in run().items():
        print(
            f"{name:50} p50 {percentile(times, 0.5):6.2f}  p99 {percentile(times, 0.99):6.2f}  max {max(times):6.2f} ms"
        )
