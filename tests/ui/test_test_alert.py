"""The one dialog that sends a test alert: from the menu, from Signals, from an empty dashboard."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from execution_engine.ui import theme
from execution_engine.ui.frame.memory import Memory
from execution_engine.ui.main_window import MainWindow
from execution_engine.ui.pages.signals import SignalsPage
from execution_engine.ui.pages.test_alert import TestAlertDialog
from execution_engine.ui.places import PLACES
from tests.ui.house_window import WindowHouse
from tests.waiting import until


@pytest.fixture(autouse=True)
def _dark(qapp: QApplication) -> None:
    theme.apply(qapp, "dark")


@pytest.fixture
def house(tmp_path: Path) -> WindowHouse:
    made = WindowHouse(tmp_path)
    made.price("BTCUSDT", "65000")
    return made


@pytest.fixture
def window(house: WindowHouse, qtbot: QtBot) -> Iterator[MainWindow]:
    made = MainWindow(house.bridge, PLACES, Memory(house.folder / "window.json"))
    qtbot.addWidget(made, before_close_func=lambda each: each.put_away())
    made.show()
    yield made
    made.put_away()


def asked(window: MainWindow) -> TestAlertDialog:
    assert isinstance(window.dialog, TestAlertDialog)
    return window.dialog


async def sent(dialog: TestAlertDialog, qtbot: QtBot) -> None:
    qtbot.mouseClick(dialog.send, Qt.MouseButton.LeftButton)
    await until(lambda: dialog.said.text().startswith("Accepted as alert"))


async def test_it_tells_what_became_of_it(house: WindowHouse, window: MainWindow, qtbot: QtBot) -> None:
    window.acts.test_alert.trigger()
    dialog = asked(window)
    assert dialog.symbol.text() == "BINANCE:BTCUSDT"
    await sent(dialog, qtbot)
    house.accept()
    house.show()
    assert dialog.chip.look.word == "Opened"
    assert dialog.said.text().startswith("BTCUSDT 15m")
    assert dialog.isVisible()


async def test_an_unknown_symbol_is_refused_with_what_is_near(window: MainWindow, qtbot: QtBot) -> None:
    window.acts.test_alert.trigger()
    dialog = asked(window)
    dialog.symbol.setText("btcusd")
    qtbot.keyClick(dialog.symbol, Qt.Key.Key_Return)
    await until(lambda: "unknown symbol BTCUSD" in dialog.said.text())
    assert "nearest: BTCUSDT" in dialog.said.text()
    assert dialog.said.property("token") == "danger"
    assert dialog.send.isEnabled()
    assert dialog.story.isHidden()


async def test_on_signals_the_story_is_told_behind_it(
    house: WindowHouse, window: MainWindow, qtbot: QtBot
) -> None:
    window.go("signals")
    page = window.stage.page("signals")
    assert isinstance(page, SignalsPage)
    qtbot.mouseClick(page.bar.test, Qt.MouseButton.LeftButton)
    await sent(asked(window), qtbot)
    house.accept()
    house.show()
    await until(lambda: page.story.line is not None)
    assert "from this machine · token “test”" in page.story.story.text()


async def test_its_story_is_one_click_away_from_everywhere(
    house: WindowHouse, window: MainWindow, qtbot: QtBot
) -> None:
    window.go("dashboard")
    window.acts.test_alert.trigger()
    dialog = asked(window)
    await sent(dialog, qtbot)
    house.accept()
    house.show()
    assert window.stage.current == "dashboard"
    qtbot.mouseClick(dialog.story, Qt.MouseButton.LeftButton)
    assert window.stage.current == "signals"
    page = window.stage.page("signals")
    assert isinstance(page, SignalsPage)
    await until(lambda: page.story.line is not None)
    assert window.dialog is None


async def test_it_begins_with_the_symbol_of_the_last_time(window: MainWindow, qtbot: QtBot) -> None:
    window.acts.test_alert.trigger()
    dialog = asked(window)
    dialog.symbol.setText("ETHUSDT")
    await sent(dialog, qtbot)
    qtbot.mouseClick(dialog.close_button, Qt.MouseButton.LeftButton)
    window.acts.test_alert.trigger()
    assert asked(window).symbol.text() == "ETHUSDT"


async def test_it_stays_while_the_answer_is_awaited(window: MainWindow, qtbot: QtBot) -> None:
    window.acts.test_alert.trigger()
    dialog = asked(window)
    qtbot.mouseClick(dialog.send, Qt.MouseButton.LeftButton)
    qtbot.keyClick(dialog, Qt.Key.Key_Escape)
    assert dialog.isVisible()
    assert not dialog.send.isEnabled()
    await until(lambda: dialog.close_button.isEnabled())
    qtbot.keyClick(dialog, Qt.Key.Key_Escape)
    assert window.dialog is None
