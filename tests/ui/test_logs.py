"""The log: windows of lines over the database, filters, following, the whole line, the file."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from PySide6.QtWidgets import QAbstractSlider, QApplication
from pytestqt.qtbot import QtBot

from execution_engine.domain.errors import StoreFailed
from execution_engine.domain.facts import Category, Fact, Level
from execution_engine.domain.log_lines import LogQuestion
from execution_engine.domain.rows import LogEntry
from execution_engine.ui import theme
from execution_engine.ui.pages.logs import LogsPage
from execution_engine.ui.pages.logs.window import MOST, READ
from tests.house import NOON
from tests.ui.house_window import WindowHouse
from tests.waiting import until

Step = QAbstractSlider.SliderAction


@pytest.fixture(autouse=True)
def _dark(qapp: QApplication) -> None:
    theme.apply(qapp, "dark")


@pytest.fixture
def house(tmp_path: Path) -> WindowHouse:
    return WindowHouse(tmp_path)


def line(id: int, **fields: object) -> LogEntry:
    given = {"at": NOON, "level": "INFO", "category": "SYSTEM", "code": "a_code", "text": f"line {id}"}
    return LogEntry(id=id, **(given | fields))  # type: ignore[arg-type]


async def page_on(house: WindowHouse, qtbot: QtBot) -> LogsPage:
    page = LogsPage(house.bridge)
    qtbot.addWidget(page)
    page.resize(1200, 700)
    page.show()
    page.shown()
    await until(lambda: house.log_questions and page.bar.counted.text())
    return page


def texts(page: LogsPage) -> list[str]:
    return [page.model.record(key).text for key in page.model.keys()]  # type: ignore[union-attr]  # noqa: SIM118


async def test_what_happens_appears_below_what_was_there(house: WindowHouse, qtbot: QtBot) -> None:
    house.older_lines = [line(1), line(2)]
    page = await page_on(house, qtbot)
    before = texts(page)
    assert before[:2] == ["line 1", "line 2"]
    house.opened()
    await until(lambda: "BTCUSDT 15m long on paper: 5 legs from 65000" in texts(page))
    assert texts(page)[: len(before)] == before


async def test_lines_are_filtered_by_text_level_category_and_time(house: WindowHouse, qtbot: QtBot) -> None:
    house.facts.clear()
    house.older_lines = [
        line(1, level="DEBUG", text="a quiet one"),
        line(2, text="order filled", category="TRADING", at=NOON - timedelta(days=3)),
        line(3, level="WARNING", text="the clock is off"),
    ]
    page = await page_on(house, qtbot)
    await until(lambda: texts(page) == ["order filled", "the clock is off"])
    page.bar.level.setCurrentText("Level ≥ WARNING")
    await until(lambda: texts(page) == ["the clock is off"])
    page.bar.clear()
    await until(lambda: len(texts(page)) == 3)
    page.bar.category.setCurrentText("Trading")
    await until(lambda: texts(page) == ["order filled"])
    page.bar.range.setCurrentText("Last 24 h")
    await until(lambda: page.table.empty.sentence == "Nothing matches. 3 lines are hidden by the filter.")
    page.bar.clear()
    page.bar.search.setText("QUIET")
    await until(lambda: texts(page) == ["a quiet one"])
    page.bar.range.setCurrentText("From … to …")
    page.bar.first.setText("2026-13-01")
    page.bar.first.editingFinished.emit()
    assert page.bar.first.property("bad") == "true"


async def test_a_long_log_is_read_further_where_it_is_scrolled_and_memory_stays_bounded(
    house: WindowHouse, qtbot: QtBot
) -> None:
    house.facts.clear()
    house.older_lines = [line(id) for id in range(1, 10_001)]
    page = await page_on(house, qtbot)
    await until(lambda: len(page.model) == READ)
    scroll = page.table.verticalScrollBar()
    assert scroll.value() == scroll.maximum(), "the newest line is in sight"
    assert page.bar.counted.text() == "10,000 lines"

    scroll.setValue(scroll.maximum() // 2)
    scroll.triggerAction(Step.SliderPageStepSub)
    assert not page.bar.follow.isChecked()
    top = page.table.indexAt(page.table.viewport().rect().topLeft())
    scroll.triggerAction(Step.SliderToMinimum)
    await until(lambda: len(page.model) == 2 * READ)
    assert top.isValid()
    shown = page.model.key_at(page.table.indexAt(page.table.viewport().rect().topLeft()))
    assert shown == 10_001 - READ, "what was looked at stays in place while older lines come in above"
    while page.lines.at_end:
        held = page.model.keys()[0]
        scroll.triggerAction(Step.SliderToMinimum)
        await until(lambda held=held: page.model.keys()[0] != held)
    assert len(page.model) <= MOST
    page.behind.button.click()
    await until(lambda: page.model.keys()[-1] == 10_000 and page.lines.at_end)
    await until(lambda: scroll.value() == scroll.maximum())


async def test_whoever_scrolled_up_is_told_what_came_meanwhile(house: WindowHouse, qtbot: QtBot) -> None:
    house.older_lines = [line(id) for id in range(1, 200)]
    page = await page_on(house, qtbot)
    scroll = page.table.verticalScrollBar()
    scroll.triggerAction(Step.SliderSingleStepSub)
    assert page.behind.text() == "Following is off"
    house.bridge.released((), (Fact(code="x", text="something"), Fact(code="x", text="more")))
    assert page.behind.text() == "Following is off · 2 new lines"
    scroll.triggerAction(Step.SliderToMaximum)
    assert page.behind.text() == ""


async def test_a_line_is_shown_whole_and_leads_to_what_it_is_about(house: WindowHouse, qtbot: QtBot) -> None:
    house.facts.clear()
    house.older_lines = [
        line(7, text="it failed\nTraceback:\n  a line\u202e", group_id=4, alert_id=3, order_id=9)
    ]
    page = await page_on(house, qtbot)
    page.table.select(7)
    assert page.text.toPlainText() == "it failed\nTraceback:\n  a line\\u{202e}"
    assert "2026-11-20 12:00:00 UTC · a_code · alert 3 · order 9" in page.when.text()
    with qtbot.waitSignal(page.wanted) as wanted:
        page.to_group.click()
    assert wanted.args == ["performance", 4], "its group is not open"
    with qtbot.waitSignal(page.wanted) as wanted:
        page.to_alert.click()
    assert wanted.args == ["signals", 3]


async def test_an_open_group_in_the_log_leads_to_the_positions(house: WindowHouse, qtbot: QtBot) -> None:
    group = house.opened()
    page = await page_on(house, qtbot)
    key = next(key for key in page.model.keys() if page.model.record(key).group_id == group.id)  # type: ignore[union-attr]  # noqa: SIM118
    with qtbot.waitSignal(page.wanted) as wanted:
        page.table.action.emit(key, "group")
    assert wanted.args == ["positions", group.id]


async def test_what_is_asked_for_is_written_to_a_file(
    house: WindowHouse, qtbot: QtBot, tmp_path: Path
) -> None:
    house.facts.clear()
    house.older_lines = [line(1), line(2, level="ERROR", category="RISK")]
    page = await page_on(house, qtbot)
    page.bar.category.setCurrentText(Category.RISK.value.capitalize())
    page.bar.level.setCurrentText(f"Level ≥ {Level.ERROR.value}")
    with qtbot.waitSignal(page.notice) as told:
        page.export(tmp_path / "log.json")
        await until(lambda: house.exported)
    wanted = LogQuestion(levels=("ERROR", "CRITICAL"), categories=("RISK",))
    assert house.exported == [(wanted, tmp_path / "log.json")]
    assert told.args[0].title == "Exported 1 line"


async def test_a_log_that_cannot_be_read_says_why(house: WindowHouse, qtbot: QtBot) -> None:
    async def broken(question: LogQuestion) -> None:
        raise StoreFailed("the disk is gone")

    house.bridge.attach(replace(house.doors(), read_log=broken))  # type: ignore[arg-type]
    page = LogsPage(house.bridge)
    qtbot.addWidget(page)
    page.show()
    page.shown()
    await until(lambda: "the disk is gone" in page.table.empty.sentence)
