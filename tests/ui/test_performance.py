"""What trading came to: the figures with their formulas, the curve, the lists, the time, the file."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from execution_engine.domain.errors import StoreFailed
from execution_engine.domain.performance import Question, Report
from execution_engine.domain.rows import EquityPoint, World
from execution_engine.ui import theme
from execution_engine.ui.pages.performance import PerformancePage
from tests.house import D
from tests.ui.house_window import WindowHouse
from tests.waiting import until


@pytest.fixture(autouse=True)
def _dark(qapp: QApplication) -> None:
    theme.apply(qapp, "dark")


@pytest.fixture
def house(tmp_path: Path) -> WindowHouse:
    """Give a desk that has traded: +40 and −10 in November, +5 on ETHUSDT in October."""
    house = WindowHouse(tmp_path)
    like = house.opened()
    house.alert(symbol=like.symbol, market_position="flat")
    house.confirm_cancels()
    total = D(0)
    for id, days, symbol, realized in (
        (901, 30, "ETHUSDT", "5"),
        (902, 2, "BTCUSDT", "40"),
        (903, 1, "BTCUSDT", "-10"),
    ):
        at = house.clock.now() - timedelta(days=days)
        total += D(realized)
        more = {"realized": D(realized), "filled_quantity": D(2), "avg_entry": D(100), "symbol": symbol}
        closed = replace(
            like, id=id, status="closed", closed_at=at, filled_at=at - timedelta(hours=3), **more
        )
        point = EquityPoint(id=id, world=World.PAPER, at=at, realized=total, group_id=id)
        house.store.committed += [closed, point]
    return house


async def page_on(house: WindowHouse, qtbot: QtBot) -> PerformancePage:
    page = PerformancePage(house.bridge)
    qtbot.addWidget(page)
    page.resize(1240, 760)
    page.show()
    page.shown()
    await until(lambda: page.strip.text("trades") != "–")
    return page


def listed(page: PerformancePage) -> list[int]:
    return page.model.keys()  # type: ignore[return-value]


async def test_the_figures_stand_with_their_formulas(house: WindowHouse, qtbot: QtBot) -> None:
    page = await page_on(house, qtbot)
    shown = {key: page.strip.text(key) for key in page.strip.figures}
    assert shown == {
        "net": "+35.00",
        "factor": "4.50",
        "rate": "66.7\u202f%",
        "expectancy": "+11.67",
        "drawdown": "−10.00",
        "sharpe": "–",
        "held": "3 h",
        "trades": "3",
    }
    tips = {key: figure.toolTip() for key, figure in page.strip.figures.items()}
    assert tips["factor"] == "Sum of profits / sum of losses = 45.00 / 10.00"
    assert tips["rate"].endswith("= 2 / 3")
    assert tips["sharpe"] == "Sharpe needs at least 20 trades; there are 3."
    assert "0.10\u202f% of the peak" in tips["drawdown"]


async def test_trades_are_listed_newest_first_and_one_can_be_gone_to(
    house: WindowHouse, qtbot: QtBot
) -> None:
    page = await page_on(house, qtbot)
    assert listed(page) == [903, 902, 901]
    cells = {
        column.key: cell.text
        for column, cell in zip(page.model.columns, page.model.cells(page.model.index(0, 0)), strict=True)
    }
    assert (cells["realized"], cells["percent"], cells["held"]) == ("−10.00", "−5.00\u202f%", "3 h")
    page.bar.choose_range("7")
    await until(lambda: listed(page) == [903, 902])
    page.go_to(901)
    await until(lambda: page.table.key() == 901)
    assert not page.bar.narrows, "what was left out is shown again for who asks for it"


async def test_pairs_timeframes_and_months_have_tables(house: WindowHouse, qtbot: QtBot) -> None:
    page = await page_on(house, qtbot)
    for view, names in (
        ("pairs", ["BTCUSDT", "ETHUSDT"]),
        ("timeframes", ["15m"]),
        ("months", ["2026-10", "2026-11"]),
    ):
        page.show_view(view)
        assert page.parts[view][0].keys() == names
    months = page.parts["months"][0]
    assert [months.cell(months.index(row, 0)).text for row in range(2)] == ["Oct 2026", "Nov 2026"]


async def test_the_calendar_says_what_each_day_brought_and_turns_its_pages(
    house: WindowHouse, qtbot: QtBot
) -> None:
    page = await page_on(house, qtbot)
    page.show_view("days")
    assert page.calendar.title.text() == "November 2026"
    assert page.calendar.sum.text().startswith("+30.00 USD · 2 trades")
    grid = page.calendar.grid
    assert grid.words(date(2026, 11, 18)) == "2026-11-18: 40 USD, 1 trade"
    assert (grid.step_of(D(40)), grid.step_of(D(-10)), grid.step_of(D(0))) == (4, 1, 0)
    qtbot.keyClick(grid, Qt.Key.Key_Left)
    assert page.calendar.title.text() == "October 2026"
    qtbot.mouseClick(page.calendar.ahead, Qt.MouseButton.LeftButton)
    assert page.calendar.title.text() == "November 2026"


async def test_results_are_distributed_over_bars(house: WindowHouse, qtbot: QtBot) -> None:
    page = await page_on(house, qtbot)
    page.show_view("results")
    assert sum(bar.trades for bar in page.results.bars) == 3
    assert "1 trade from −10 to" in page.results.accessibleDescription()
    image = page.results.grab().toImage()
    colours = {
        image.pixelColor(*page.results.box_of(n).center().toPoint().toTuple()).name()
        for n, b in enumerate(page.results.bars)
        if b.trades
    }
    assert len(colours) == 2, "lost and won differ"


async def test_pair_account_and_days_narrow_what_is_asked_for(house: WindowHouse, qtbot: QtBot) -> None:
    page = await page_on(house, qtbot)
    page.bar.symbol.setCurrentText("ETHUSDT")
    await until(lambda: listed(page) == [901])
    assert page.strip.text("net") == "+5.00"
    page.bar.show_all()
    await until(lambda: len(listed(page)) == 3)
    page.bar.choose_range("own")
    assert page.bar.first.isVisible()
    page.bar.first.setText("2026-10-01")
    page.bar.last.setText("2026-10-31")
    page.bar.last.editingFinished.emit()
    await until(lambda: listed(page) == [901])
    page.bar.last.setText("tomorrow")
    page.bar.last.editingFinished.emit()
    assert page.bar.last.property("bad") == "true"


async def test_another_world_has_its_own_trades(house: WindowHouse, qtbot: QtBot) -> None:
    page = await page_on(house, qtbot)
    page.bar.world.setCurrentText("Live")
    await until(lambda: page.strip.text("trades") == "0")
    assert page.table.empty.sentence == "No trade was closed yet."


async def test_the_chart_reads_out_what_was_under_the_pointer(house: WindowHouse, qtbot: QtBot) -> None:
    page = await page_on(house, qtbot)
    assert page.chart is not None
    assert "equity 10,035.00 USD · since the beginning +35.00 · drawdown −10.00" in page.chart.readout.text()
    page.chart.show_at((house.clock.now() - timedelta(days=1, hours=12)).timestamp())
    assert "equity 10,045.00 USD · since the beginning +45.00 · drawdown 0.00" in page.chart.readout.text()


async def test_it_reads_again_when_something_closes_but_only_while_it_is_looked_at(
    house: WindowHouse, qtbot: QtBot
) -> None:
    page = await page_on(house, qtbot)
    page.hide()
    house.traded()
    assert len(listed(page)) == 3
    page.show()
    page.shown()
    await until(lambda: len(listed(page)) == 4)


async def test_the_trades_asked_for_are_written_to_a_file(
    house: WindowHouse, qtbot: QtBot, tmp_path: Path
) -> None:
    page = await page_on(house, qtbot)
    page.bar.symbol.setCurrentText("BTCUSDT")
    await until(lambda: len(listed(page)) == 2)
    with qtbot.waitSignal(page.notice) as told:
        page.export(tmp_path / "trades.csv")
        await until(lambda: house.exported)
    assert house.exported == [(Question(world=World.PAPER, symbol="BTCUSDT"), tmp_path / "trades.csv")]
    assert told.args[0].title == "Exported 2 trades"


async def test_an_export_that_fails_in_a_way_that_nobody_thought_of_is_told_as_well(
    house: WindowHouse, qtbot: QtBot, tmp_path: Path
) -> None:
    async def fails(question: Question, target: Path) -> int:
        raise MemoryError("no room")

    house.bridge.attach(replace(house.doors(), export_trades=fails))
    page = await page_on(house, qtbot)
    with qtbot.waitSignal(page.notice) as told:
        page.export(tmp_path / "trades.csv")
        await asyncio.sleep(0)
    assert told.args[0].title == "The trades were not exported"
    assert told.args[0].sentence == "This failed (MemoryError); the log says more."


async def test_a_database_that_cannot_be_read_is_said_and_the_page_stands(
    house: WindowHouse, qtbot: QtBot
) -> None:
    async def broken(question: Question) -> None:
        raise StoreFailed("the disk is gone")

    house.bridge.attach(replace(house.doors(), read_performance=broken))  # type: ignore[arg-type]
    page = PerformancePage(house.bridge)
    qtbot.addWidget(page)
    page.show()
    page.shown()
    await until(lambda: "the disk is gone" in page.table.empty.sentence)


async def test_what_was_chosen_while_a_reading_failed_is_read_all_the_same(
    house: WindowHouse, qtbot: QtBot
) -> None:
    page = await page_on(house, qtbot)
    failed, questions = asyncio.Event(), []

    async def broken_once(question: Question) -> Report:
        questions.append(question)
        if len(questions) == 1:
            await failed.wait()
            raise StoreFailed("the disk is gone")
        return await house._read_performance(question)

    house.bridge.attach(replace(house.doors(), read_performance=broken_once))
    page.refresh()
    await until(lambda: questions)
    page.bar.choose_range("7")
    failed.set()
    await until(lambda: listed(page) == [903, 902])


async def test_without_a_trade_it_says_what_is_missing(tmp_path: Path, qtbot: QtBot) -> None:
    page = await page_on(WindowHouse(tmp_path), qtbot)
    assert page.nothing.text() == "The curve begins with the first result."
    assert not page.bar.export.isEnabled()
