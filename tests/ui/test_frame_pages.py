"""The Logs page."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from execution_engine.domain.facts import Category, Fact, Level
from execution_engine.ui import theme
from execution_engine.ui.pages.logs import MOST, LogsPage
from tests.ui.house_window import WindowHouse


@pytest.fixture(autouse=True)
def _dark(qapp: QApplication) -> None:
    theme.apply(qapp, "dark")


@pytest.fixture
def house(tmp_path: Path) -> WindowHouse:
    return WindowHouse(tmp_path)


def lines(page: LogsPage) -> list[list[str]]:
    model = page.model
    return [[cell.text for cell in model.cells(model.index_of(key))] for key in model.keys()]  # noqa: SIM118


async def test_logs_show_what_happened_since_the_start(house: WindowHouse, qtbot: QtBot) -> None:
    page = LogsPage(house.bridge)
    qtbot.addWidget(page)
    page.show()
    assert page.table.empty.sentence == "Nothing has happened since the start."
    group = house.opened()
    said = lines(page)
    assert ["INFO", "TRADING", "BTCUSDT 15m long on paper: 5 legs from 65000"] in [each[1:4] for each in said]
    assert any(each[4] == f"group {group.id}" for each in said)
    assert page.counted.text().endswith("since the start")


async def test_logs_are_filtered_by_text_level_and_category(house: WindowHouse, qtbot: QtBot) -> None:
    page = LogsPage(house.bridge)
    qtbot.addWidget(page)
    page.show()
    facts = (
        Fact(code="a", text="a quiet one", level=Level.DEBUG),
        Fact(code="b", text="order filled"),
        Fact(code="c", text="the clock is off", level=Level.WARNING, category=Category.SYSTEM),
    )
    house.bridge.released((), facts)
    house.show()
    assert [each[3] for each in lines(page)] == ["order filled", "the clock is off"]
    page.level.setCurrentIndex(2)
    assert [each[3] for each in lines(page)] == ["the clock is off"]
    page.search.setText("nothing like it")
    assert page.table.empty.sentence == "Nothing matches. 3 lines are hidden by the filter."
    page._clear()
    assert len(lines(page)) == 3
    page.category.setCurrentIndex(page.category.findData(Category.SYSTEM))
    assert [each[3] for each in lines(page)] == ["the clock is off"]


async def test_logs_stay_bounded(house: WindowHouse, qtbot: QtBot) -> None:
    page = LogsPage(house.bridge)
    qtbot.addWidget(page)
    for number in range(3):
        house.bridge.released((), tuple(Fact(code="x", text=f"{number} {n}") for n in range(2_500)))
        house.show()
    assert len(page.model) <= MOST
    assert lines(page)[-1][3] == "2 2499"


async def test_a_group_in_the_log_leads_to_it(house: WindowHouse, qtbot: QtBot) -> None:
    page = LogsPage(house.bridge)
    qtbot.addWidget(page)
    group = house.opened()
    number = next(each.number for each in page.model.records() if each.fact.group_id == group.id)
    with qtbot.waitSignal(page.wanted) as wanted:
        page.table.action.emit(number, "group")
    assert wanted.args == ["positions", group.id]
