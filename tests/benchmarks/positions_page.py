"""How long the page Positions takes for a batch: 200 groups of 35 legs, 100 prices, a screenful of rows."""

from __future__ import annotations

import gc
import os
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QApplication

from execution_engine.domain.composer_check import BodySecret
from execution_engine.domain.inputs import Price
from execution_engine.domain.instrument import Instrument, Market, Side
from execution_engine.domain.performance import Report
from execution_engine.domain.rows import (
    Account,
    AccountStatus,
    Group,
    GroupStatus,
    Layer,
    Leg,
    LegStatus,
    Mode,
    OrderType,
    Pyramid,
    Row,
    World,
)
from execution_engine.domain.signal import TakeProfitMode
from execution_engine.domain.statistics import Statistics
from execution_engine.domain.symbols import Catalogue
from execution_engine.domain.way_in import WayIn
from execution_engine.ui import theme
from execution_engine.ui.bridge import Bridge
from execution_engine.ui.doors import Doors
from execution_engine.ui.pages.positions import PositionsPage

GROUPS, PYRAMIDS, LEGS = 200, 5, 7
MARKETS = 100
BATCHES = 300
D = Decimal
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
PAGE = (1272, 772)


def measure(batches: int = BATCHES) -> dict[str, list[float]]:
    """Return milliseconds per batch, applied and painted, for every state of the page that matters."""
    app = QApplication.instance() or QApplication([])
    assert isinstance(app, QApplication)
    theme.load_fonts(Path(__file__).parents[2] / "resources" / "fonts")
    theme.apply(app, "dark")
    bench = _Bench(app)
    results = {"all folded, 100 prices": bench.prices(batches)}
    bench.page.tree.lines.sort_by("unrealized")
    results["all folded, sorted by unrealized, 100 prices"] = bench.prices(batches)
    bench.page.tree.lines.sort_by("position")
    bench.unfold(1)
    bench.page.go_to(bench.groups[0].id)
    results["one unfolded, with chart, 100 prices"] = bench.prices(batches)
    bench.unfold(GROUPS)
    results["all unfolded, with chart, 100 prices"] = bench.prices(batches)
    results["all unfolded, 20 fills and 100 prices"] = bench.fills(batches)
    bench.page.hidden()
    results["another page in front, 100 prices"] = bench.prices(batches)
    bench.page.close()
    return results


class _Bench:
    def __init__(self, app: QApplication) -> None:
        self._app, self._random = app, random.Random(1)
        self.instruments = [_instrument(number) for number in range(MARKETS)]
        self.groups: list[Group] = []
        self.legs: list[Leg] = []
        self.rows = list(self._rows())
        self.bridge = Bridge()
        self.bridge.attach(_doors(self.instruments, self.rows))
        self.page = PositionsPage(self.bridge)
        self.page.resize(*PAGE)
        self.page.show()
        self.page.shown()
        self._paint()
        # As the application does once its state is loaded.
        gc.collect()
        gc.freeze()

    def unfold(self, count: int) -> None:
        tree = self.page.tree
        for group in self.groups[:count]:
            tree.expandRecursively(tree.lines.index_of(group.id))
        self._paint()

    def prices(self, batches: int) -> list[float]:
        return [self._timed(self._move_prices) for _ in range(batches)]

    def fills(self, batches: int) -> list[float]:
        return [self._timed(self._fill_and_move) for _ in range(batches)]

    def _timed(self, happens: Callable[[], None]) -> float:
        happens()
        started = time.perf_counter()
        self.bridge.flush()
        self._paint()
        return (time.perf_counter() - started) * 1000

    def _paint(self) -> None:
        """Carry out everything that a window would before its next frame."""
        self._app.sendPostedEvents(None, QEvent.Type.MetaCall)
        self._app.processEvents()

    def _move_prices(self) -> None:
        for each in self.instruments:
            moved = D(self._random.randrange(-300, 300)) / 100
            self.bridge.price(
                Price(exchange="binance", symbol=each.symbol, last=D(100) + moved, at=NOW, manual=True)
            )

    def _fill_and_move(self) -> None:
        self._move_prices()
        for leg in self._random.sample(self.legs, 20):
            filled = D(self._random.randrange(1, 100)) / 100
            changed = replace(
                leg,
                status=LegStatus.PARTIALLY_FILLED,
                filled_quantity=filled,
                open_quantity=filled,
                avg_fill_price=D(99),
                filled_cost=99 * filled,
            )
            group = replace(self.bridge.groups[leg.group_id], invested=D(self._random.randrange(900, 999)))
            self.bridge.released((changed, group), ())

    def _rows(self) -> Iterator[Row]:
        yield Account(
            name="paper",
            exchange="paper",
            market=Market.SPOT,
            mode=Mode.PAPER,
            world=World.PAPER,
            enabled=True,
            status=AccountStatus.READY,
            created_at=NOW,
        )
        ids = iter(range(1, 1_000_000))
        for number in range(GROUPS):
            group = _group(next(ids), self.instruments[number % MARKETS].symbol, number)
            self.groups.append(group)
            yield group
            for index in range(PYRAMIDS):
                pyramid = _pyramid(next(ids), group, index)
                yield pyramid
                own = [_leg(next(ids), pyramid, each) for each in range(LEGS)]
                self.legs += own
                yield from own


def _instrument(number: int) -> Instrument:
    symbol = f"COIN{number}USDT"
    return Instrument(
        exchange="binance",
        symbol=symbol,
        market=Market.SPOT,
        base=f"COIN{number}",
        quote="USDT",
        tick=D("0.01"),
        step=D("0.001"),
        min_qty=D("0.001"),
    )


def _group(id: int, symbol: str, number: int) -> Group:
    layer = Layer(gap_percent=D(0), weight_percent=D(100) / LEGS, tp_percent=D(1))
    return Group(
        id=id,
        account="paper",
        world=World.PAPER,
        exchange="binance",
        symbol=symbol,
        market=Market.SPOT,
        base=symbol.removesuffix("USDT"),
        quote="USDT",
        timeframe="1h" if number < MARKETS else "4h",
        side=Side.LONG,
        status=GroupStatus.PARTIALLY_FILLED,
        alert_id=1,
        grid_name="default",
        grid=(layer,) * LEGS,
        max_pyramids=PYRAMIDS,
        tp_mode=TakeProfitMode.PER_LEG,
        tp_aggregate_percent=D(1),
        tp_order=OrderType.MARKET,
        on_flat="close",
        pyramid_count=PYRAMIDS,
        filled_quantity=D(20),
        open_quantity=D(20),
        avg_entry=D("99.5"),
        invested=D(1990),
        created_at=NOW,
    )


def _pyramid(id: int, group: Group, index: int) -> Pyramid:
    return Pyramid(
        id=id,
        group_id=group.id,
        index=index,
        alert_id=1,
        base_price=D(100 - index),
        capital_usd=D(1000),
        grid_name="default",
        created_at=NOW,
    )


def _leg(id: int, pyramid: Pyramid, index: int) -> Leg:
    price = pyramid.base_price - D(index) / 2
    filled = index < LEGS - 3
    return Leg(
        id=id,
        group_id=pyramid.group_id,
        pyramid_id=pyramid.id,
        pyramid_index=pyramid.index,
        index=index,
        gap_percent=-D(index) / 2,
        weight_percent=D(20),
        tp_percent=D(1),
        price=price,
        quantity=D(1),
        tp_price=price + 3,
        status=LegStatus.FILLED if filled else LegStatus.OPEN,
        filled_quantity=D(int(filled)),
        open_quantity=D(int(filled)),
        filled_cost=price if filled else D(0),
        avg_fill_price=price if filled else None,
    )


async def _nothing(*_: object) -> list[object]:
    return []


async def _no_report(*_: object) -> Report:
    return Report()


async def _none(*_: object) -> int:
    return 0


async def _no_trades(*_: object) -> Statistics:
    return Statistics(trades=0, wins=0, losses=0, won=D(0), lost=D(0), realized=D(0), fees=D(0), volume=D(0))


def _doors(instruments: list[Instrument], rows: list[Row]) -> Doors:
    nothing: object = _nothing
    return Doors(
        version="",
        data_folder=Path(),
        started_at=NOW,
        catalogue=Catalogue(instruments),
        now=lambda: NOW,
        settings=lambda: None,  # type: ignore[arg-type,return-value]
        settings_fault=lambda: "",
        read_versions=nothing,  # type: ignore[arg-type]
        rows=lambda: rows,
        prices=lambda: (),
        balances=dict,
        realized=lambda world: D(0),
        status=lambda: ("running", ()),
        busy=lambda: False,
        next_evaluation=lambda: None,
        lights=lambda: (),
        webhook_urls=lambda: (),
        feed_name=lambda: "manual",
        ask=nothing,  # type: ignore[arg-type]
        send_test_alert=nothing,  # type: ignore[arg-type]
        rehearse=nothing,  # type: ignore[arg-type]
        look_at=nothing,  # type: ignore[arg-type]
        body_secret=BodySecret,
        set_price=nothing,  # type: ignore[arg-type]
        read_equity=nothing,  # type: ignore[arg-type]
        read_statistics=_no_trades,
        read_performance=_no_report,
        export_trades=nothing,  # type: ignore[arg-type]
        read_log=nothing,  # type: ignore[arg-type]
        count_log=_none,
        export_log=nothing,  # type: ignore[arg-type]
        read_alerts=nothing,  # type: ignore[arg-type]
        read_closed=nothing,  # type: ignore[arg-type]
        read_fills=nothing,  # type: ignore[arg-type]
        read_refused=nothing,  # type: ignore[arg-type]
        read_promotions=nothing,  # type: ignore[arg-type]
        read_risk_actions=nothing,  # type: ignore[arg-type]
        check_updates=nothing,  # type: ignore[arg-type]
        tokens=lambda: (),
        webhooks=nothing,  # type: ignore[arg-type]
        way_in=WayIn,
        check_way_in=nothing,  # type: ignore[arg-type]
        quit=lambda: None,
        accounts=nothing,  # type: ignore[arg-type]
        vault=nothing,  # type: ignore[arg-type]
        data=nothing,  # type: ignore[arg-type]
    )


if __name__ == "__main__":
    import asyncio

    from execution_engine.ui.loop import Loop

    application = QApplication([])
    loop = Loop(application)
    asyncio.set_event_loop(loop)
    with loop:
        for name, times in measure().items():
            times.sort()
            middle, late = times[len(times) // 2], times[int(len(times) * 0.99)]
            print(f"{name:50} p50 {middle:6.2f}  p99 {late:6.2f}  max {times[-1]:6.2f} ms")
