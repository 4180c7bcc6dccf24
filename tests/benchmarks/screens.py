"""Every page of the window with 200 groups and 7,000 legs; the log with a million lines; 100,000 trades."""

from __future__ import annotations

import asyncio
import gc
import os
import random
import sqlite3
import tempfile
import time
from collections.abc import Callable, Coroutine, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QEvent, QObject, QPoint
from PySide6.QtWidgets import QApplication, QTreeView

from execution_engine.adapters.storage import migrate
from execution_engine.adapters.storage.codec import time_text
from execution_engine.adapters.storage.log_reading import count_log, read_log
from execution_engine.adapters.storage.tables import CURRENT, HISTORY
from execution_engine.adapters.storage.trade_reading import read_performance
from execution_engine.domain.inputs import Price
from execution_engine.domain.instrument import Instrument
from execution_engine.domain.log_lines import LogQuestion
from execution_engine.domain.performance import Question
from execution_engine.domain.rows import EquityPoint, Group, GroupStatus, LogEntry, Row, World
from execution_engine.domain.settings import Settings
from execution_engine.domain.versions import Version, numbered
from execution_engine.ui import theme
from execution_engine.ui.bridge import MARKETS_A_TURN, Batch, Bridge
from execution_engine.ui.frame.memory import Memory
from execution_engine.ui.loop import Loop
from execution_engine.ui.main_window import MainWindow
from execution_engine.ui.pages.logs import LogsPage
from execution_engine.ui.pages.logs.bar import TYPING_MS
from execution_engine.ui.pages.positions import PositionsPage
from execution_engine.ui.places import PLACES
from tests.benchmarks import positions_page as stage
from tests.benchmarks.figures import Figure, percentile, spread

LINES, TRADES, BATCHES, REPEATED = 1_000_000, 100_000, 120, 5
GROUPS, MANY_GROUPS = stage.GROUPS, 1_000
FRAME_MS, SWITCH_MS, OPEN_MS, FILTER_MS = 16, 100, 200, 300
PAINTED_MS, PRICES = 110, 600
USABLE_MS, USABLE_SWITCH_MS = 100, 300  # with 1,000 groups it keeps up with ten batches a second
SIZE = (1440, 900)
WATCHED = timedelta(hours=1)
ROWS_AT_ONCE = 20_000


def measure() -> Iterable[Figure]:
    """Measure what the screens promise."""
    yield from _in_loop(lambda app, folder: _on_every_page(app, folder, GROUPS, FRAME_MS, SWITCH_MS))
    yield from _in_loop(
        lambda app, folder: _on_every_page(app, folder, MANY_GROUPS, USABLE_MS, USABLE_SWITCH_MS)
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "measured.db"
        migrate.create(path)
        yield from _log(path)
        yield from _in_loop(lambda app, folder: _log_page(app, folder, path))
        yield from _performance(path)


# -- pages


def _in_loop(work: Callable[[QApplication, Path], Coroutine[None, None, list[Figure]]]) -> list[Figure]:
    app = QApplication.instance() or QApplication([])
    assert isinstance(app, QApplication)
    theme.load_fonts(Path(__file__).parents[2] / "resources" / "fonts")
    theme.apply(app, "dark")
    loop = Loop(app)
    asyncio.set_event_loop(loop)
    with loop, tempfile.TemporaryDirectory() as folder:
        return loop.run_until_complete(work(app, Path(folder)))


async def _on_every_page(
    app: QApplication, folder: Path, groups: int, frame_ms: float, switch_ms: float
) -> list[Figure]:
    instruments = [stage._instrument(number) for number in range(stage.MARKETS)]
    rows: list[Row] = []
    ids = iter(range(1, 1_000_000))
    for number in range(groups):
        group = stage._group(next(ids), instruments[number % stage.MARKETS].symbol, number)
        group = replace(group, created_at=stage.NOW - WATCHED)
        rows.append(group)
        for index in range(stage.PYRAMIDS):
            pyramid = stage._pyramid(next(ids), group, index)
            rows += [pyramid, *(stage._leg(next(ids), pyramid, each) for each in range(stage.LEGS))]
    settings = Settings()
    bridge = Bridge()
    bridge.attach(
        replace(
            stage._doors(instruments, rows),
            settings=lambda: settings,
            data_folder=folder,
            started_at=stage.NOW,
            read_versions=_versions,
        )
    )
    painted = Painted(bridge)  # told before any page: one may paint at once
    window = MainWindow(bridge, PLACES, Memory(folder / "window.json"))
    window.showNormal()
    window.resize(*SIZE)
    for place in PLACES:
        window.go(place.key)
        await asyncio.sleep(0.05)
    chance = random.Random(1)
    _watch(window, instruments, chance)
    gc.collect()
    gc.freeze()
    figures = [] if groups != GROUPS else await _from_event(window, painted, bridge, instruments, chance)
    for place in PLACES:
        begun = time.perf_counter()
        window.go(place.key)
        _paint(app)
        switched = (time.perf_counter() - begun) * 1000
        times = [_batch(app, bridge, instruments, chance) for _ in range(BATCHES)]
        await asyncio.sleep(0)
        beside = "" if groups == GROUPS else f", {groups:,} groups"
        figures += spread(f"{place.title}: a turn of prices → painted{beside}", times, frame_ms)
        figures.append(Figure(f"{place.title}: switched to{beside}", switched, switch_ms))
    window.put_away()
    window.deleteLater()
    return figures


async def _from_event(
    window: MainWindow,
    painted: Painted,
    bridge: Bridge,
    instruments: list[Instrument],
    chance: random.Random,
) -> list[Figure]:
    """Move prices, a hundred a second, and time each from its arrival to the end of the painting of its cells."""
    window.go("positions")
    (page,) = window.findChildren(PositionsPage)
    await asyncio.sleep(1)
    page.tree.viewport().installEventFilter(painted)
    in_sight = _in_sight(page.tree, instruments)
    for _ in range(PRICES):
        each = chance.choice(in_sight)
        last = stage.D(100) + stage.D(chance.randrange(-300, 300)) / 100
        painted.arrives(each.symbol)
        bridge.price(Price(exchange="binance", symbol=each.symbol, last=last, at=stage.NOW, manual=True))
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.3)
    return spread("a price → its cells painted, 100 a second", painted.took, PAINTED_MS)


def _in_sight(tree: QTreeView, instruments: list[Instrument]) -> list[Instrument]:
    """Return the markets whose groups are on the screen: what is not seen is not painted."""
    height = tree.viewport().height()
    texts = {str(tree.indexAt(QPoint(1, y)).data()) for y in range(0, height, 8)}
    found = [each for each in instruments if any(each.symbol in text for text in texts)]
    assert len(found) > 5, texts
    return found


class Painted(QObject):
    """Times prices from their arrival to the end of the next painting after the screens were told of them."""

    def __init__(self, bridge: Bridge) -> None:
        super().__init__(bridge)
        self.took: list[float] = []
        self._arrived: dict[str, float] = {}
        self._told: list[float] = []
        bridge.changed.connect(self._tell)

    def arrives(self, symbol: str) -> None:
        self._arrived.setdefault(symbol, time.perf_counter())

    def _tell(self, batch: Batch) -> None:
        self._told += [self._arrived.pop(symbol) for _, symbol in batch.markets if symbol in self._arrived]

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() is QEvent.Type.Paint and self._told:
            asyncio.get_running_loop().call_soon(self._ended, self._told)
            self._told = []
        return False

    def _ended(self, told: list[float]) -> None:
        now = time.perf_counter()
        self.took += [now - at for at in told]


def _watch(window: MainWindow, instruments: list[Instrument], chance: random.Random) -> None:
    """Give the chart every market's prices of an hour, as if the window had been open so long."""
    (page,) = window.findChildren(PositionsPage)
    page.chart.chart.show_candles(False)  # a line takes longer than candles
    for each in instruments:
        last = stage.D(100)
        for second in range(int(WATCHED.total_seconds())):
            last += stage.D(chance.randrange(-9, 10)) / 100
            at = stage.NOW - WATCHED + timedelta(seconds=second)
            page.chart._trails.add(Price(exchange="binance", symbol=each.symbol, last=last, at=at))


async def _versions() -> Sequence[Version]:
    return numbered(())


def _batch(app: QApplication, bridge: Bridge, instruments: list[Instrument], chance: random.Random) -> float:
    for each in chance.sample(instruments, MARKETS_A_TURN):
        last = stage.D(100) + stage.D(chance.randrange(-300, 300)) / 100
        bridge.price(Price(exchange="binance", symbol=each.symbol, last=last, at=stage.NOW, manual=True))
    begun = time.perf_counter()
    bridge.flush()
    _paint(app)
    return time.perf_counter() - begun


def _paint(app: QApplication) -> None:
    """Carry out everything that the window would before its next frame, but no task: those are not the frame."""
    app.sendPostedEvents(None, QEvent.Type.MetaCall)
    app.sendPostedEvents(None, QEvent.Type.LayoutRequest)
    app.sendPostedEvents(None, QEvent.Type.UpdateLater)
    app.sendPostedEvents(None, QEvent.Type.UpdateRequest)


# -- the log


def _log(path: Path) -> Iterator[Figure]:
    _write(path, "system_log", _lines())
    info = ("INFO", "WARNING", "ERROR", "CRITICAL")
    day = stage.NOW + timedelta(days=12)
    yield _timed("log of 1,000,000 lines: opened", lambda: read_log(path, LogQuestion(levels=info)), OPEN_MS)
    for name, question in (
        ("level", LogQuestion(levels=info[2:])),
        ("category", LogQuestion(levels=info, categories=("RISK",))),
        ("text found often", LogQuestion(contains="pyramid 3")),
        ("text found nowhere", LogQuestion(contains="nothing like it")),
        ("text and level", LogQuestion(levels=info, contains="x12345 ")),
        ("time", LogQuestion(levels=info, since=day)),
    ):
        yield _timed(f"log of 1,000,000 lines: by {name}", lambda q=question: read_log(path, q), FILTER_MS)
    yield _timed("log of 1,000,000 lines: counted", lambda: count_log(path, LogQuestion(levels=info)), None)


async def _log_page(app: QApplication, folder: Path, path: Path) -> list[Figure]:
    """Open and filter the page itself, from the wish to the painted lines."""

    async def read(question: LogQuestion) -> Sequence[LogEntry]:
        return await asyncio.to_thread(read_log, path, question)

    async def count(question: LogQuestion) -> int:
        return await asyncio.to_thread(count_log, path, question)

    bridge = Bridge()
    settings = Settings()
    doors = replace(stage._doors([], []), settings=lambda: settings, data_folder=folder)
    bridge.attach(replace(doors, read_log=read, count_log=count))
    page = LogsPage(bridge)
    page.resize(*SIZE)
    page.show()
    told = asyncio.Event()
    page.lines.grew.connect(lambda above, below: told.set())

    async def shown(act: Callable[[], object]) -> float:
        told.clear()
        begun = time.perf_counter()
        act()
        await asyncio.wait_for(told.wait(), 30)
        _paint(app)
        return (time.perf_counter() - begun) * 1000

    name = "log page of 1,000,000 lines"
    figures = [Figure(f"{name}: opened → painted", await shown(page.shown), OPEN_MS)]
    bar = page.bar
    for what, act in (
        ("errors", lambda: bar.level.setCurrentText("Level ≥ ERROR")),
        ("all levels", lambda: bar.level.setCurrentIndex(0)),
        ("category", lambda: bar.category.setCurrentText("Risk")),
        ("last week", lambda: bar.range.setCurrentText("Last 7 days")),
        ("any time", lambda: bar.range.setCurrentText("Any time")),
    ):
        figures.append(Figure(f"{name}: {what} → painted", await shown(act), FILTER_MS))
    typed = await shown(lambda: bar.search.setText("pyramid 3"))
    figures.append(
        Figure(f"{name}: text → painted", typed - TYPING_MS, FILTER_MS, beside="from the pause in typing on")
    )
    while page._busy_counting:  # noqa: ASYNC110 (nothing tells)
        await asyncio.sleep(0.01)
    page.close()
    page.deleteLater()
    return figures


def _lines() -> Iterator[tuple[object, ...]]:
    levels = ("DEBUG",) * 20 + ("INFO",) * 75 + ("WARNING",) * 5
    categories = ("TRADING", "SYSTEM", "API", "RISK", "SECURITY")
    for id in range(1, LINES + 1):
        at = time_text(stage.NOW + timedelta(seconds=id))
        text = f"BTCUSDT 15m: order x{id} of pyramid {id % 5} filled 0.00307 at 6{id % 10_000}.10 on paper"
        level = levels[id % 100] if id % 5000 else "ERROR"
        yield (id, at, level, categories[id % 5], "order_filled", text, None, id % 300, id)


# -- trades


def _performance(path: Path) -> Iterator[Figure]:
    closed, equity = HISTORY[Group], CURRENT[EquityPoint]
    like = stage._group(1, "BTCUSDT", 0)
    groups = (
        replace(
            like,
            id=id,
            status=GroupStatus.CLOSED,
            realized=stage.D(id % 70 - 30),
            filled_at=stage.NOW,
            closed_at=stage.NOW + timedelta(minutes=5 * id),
        )
        for id in range(1, TRADES + 1)
    )
    _write(path, closed.table.name, (closed.codec.encode(group) for group in groups))
    total = stage.D(0)

    def points() -> Iterator[list[object]]:
        nonlocal total
        for id in range(1, TRADES + 1):
            total += stage.D(id % 70 - 30)
            at = stage.NOW + timedelta(minutes=5 * id)
            point = EquityPoint(id=id, world=World.PAPER, at=at, realized=total, group_id=id)
            yield equity.codec.encode(point)  # type: ignore[misc]

    _write(path, equity.table.name, points())
    yield _timed(
        "performance of 100,000 trades: read and worked out, off the loop",
        lambda: read_performance(path, Question(world=World.PAPER), stage.D(10_000), stage.NOW.date()),
        None,
    )


# -- how


def _write(path: Path, table: str, rows: Iterable[Iterable[object]]) -> None:
    with sqlite3.connect(path) as connection:
        some: list[tuple[object, ...]] = []
        for row in rows:
            some.append(tuple(row))
            if len(some) == ROWS_AT_ONCE:
                _insert(connection, table, some)
        _insert(connection, table, some)
    connection.close()


def _insert(connection: sqlite3.Connection, table: str, some: list[tuple[object, ...]]) -> None:
    if some:
        marks = ",".join("?" * len(some[0]))
        connection.executemany(f"INSERT INTO {table} VALUES ({marks})", some)
        some.clear()


def _timed(name: str, act: Callable[[], object], limit: float | None) -> Figure:
    times = []
    for _ in range(REPEATED):
        begun = time.perf_counter()
        act()
        times.append((time.perf_counter() - begun) * 1000)
    return Figure(name, percentile(times, 0.99), limit)
