"""The icon in the tray, closing to it, and what quitting says; the desktop's tray itself is not asked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QSystemTrayIcon
from pytestqt.qtbot import QtBot

from execution_engine.domain import document as documents
from execution_engine.domain.inputs import SaveSettings
from execution_engine.ui import theme
from execution_engine.ui.frame.memory import Memory
from execution_engine.ui.frame.tray import icon_of
from execution_engine.ui.icons import STATE
from execution_engine.ui.main_window import MainWindow
from execution_engine.ui.places import PLACES
from execution_engine.ui.widgets import ConfirmDialog
from tests.ui.house_window import WindowHouse
from tests.waiting import until

# Nothing is in front of anything where there is no screen.
pytestmark = pytest.mark.qt_log_ignore("does not support raise", "systemTrayWindowChanged", extend=True)


@pytest.fixture(autouse=True)
def _dark(qapp: QApplication) -> None:
    theme.apply(qapp, "dark")


@pytest.fixture
def house(tmp_path: Path) -> WindowHouse:
    return WindowHouse(tmp_path)


@pytest.fixture
def window(house: WindowHouse, qtbot: QtBot) -> Iterator[MainWindow]:
    made = MainWindow(house.bridge, PLACES, Memory(house.folder / "window.json"))
    made.quit_wished.connect(house.doors().quit)
    made.tray.there = lambda: True
    qtbot.addWidget(made, before_close_func=lambda window: window.put_away())
    made.show()
    yield made
    made.put_away()


def stay_in_tray(house: WindowHouse) -> None:
    wanted = documents.with_value(house.book.settings, "desktop.close_to_tray", True)
    house.post(SaveSettings(document=documents.dump(wanted)))


def acts(window: MainWindow) -> dict[str, bool]:
    menu = window.tray.icon.contextMenu()
    return {each.text(): each.isEnabled() for each in menu.actions() if not each.isSeparator()}


async def test_the_icon_says_the_state_and_what_is_open(house: WindowHouse, window: MainWindow) -> None:
    assert window.tray.icon.toolTip() == "Execution Engine\nRunning · nothing is open"
    house.holding()
    house.price("BTCUSDT", "64000")
    house.show()
    assert window.tray.state.text() == "Running · 1 group open · −3.07 USD"
    assert list(acts(window)) == [window.tray.state.text(), "Show the window", "Pause", "Quit"]
    running = window.tray.icon.icon().pixmap(32).toImage()
    window.tray.menu.actions()[3].trigger()
    await until(lambda: house.book.engine.paused)
    house.show()
    assert window.tray.state.text().startswith("Paused · 1 group open")
    assert "Resume" in acts(window)
    assert window.tray.icon.icon().pixmap(32).toImage() != running


async def test_a_locked_window_keeps_its_figures_from_the_tray_too(
    house: WindowHouse, window: MainWindow
) -> None:
    house.holding()
    window.lock.cover("by you")
    window._refresh()
    assert window.tray.icon.toolTip() == "Execution Engine\nRunning"
    assert not acts(window)["Pause"]


async def test_closing_goes_to_the_tray_where_that_is_chosen_and_the_icon_brings_the_window_back(
    house: WindowHouse, window: MainWindow
) -> None:
    stay_in_tray(house)
    house.holding()
    window.close()
    assert not window.isVisible()
    assert house.quits == 0
    assert window.dialog is None
    house.price("BTCUSDT", "64000")
    house.show()
    window.tray.icon.activated.emit(QSystemTrayIcon.ActivationReason.Trigger)
    assert window.isVisible()
    assert window.header.total.text() == "−3.07"


async def test_without_a_tray_closing_quits_whatever_was_chosen(
    house: WindowHouse, window: MainWindow
) -> None:
    stay_in_tray(house)
    window.tray.there = lambda: False
    window.close()
    assert house.quits == 1


async def test_quit_in_the_tray_shows_the_window_and_asks_as_ever(
    house: WindowHouse, window: MainWindow, qtbot: QtBot
) -> None:
    stay_in_tray(house)
    house.holding()
    window.close()
    window.acts.quit.trigger()
    assert window.isVisible()
    dialog = window.dialog
    assert isinstance(dialog, ConfirmDialog)
    qtbot.mouseClick(dialog.confirm, Qt.MouseButton.LeftButton)
    assert house.quits == 1


async def test_instead_of_quitting_it_can_keep_running_in_the_tray(
    house: WindowHouse, window: MainWindow, qtbot: QtBot
) -> None:
    house.holding()
    window.close()
    dialog = window.dialog
    assert isinstance(dialog, ConfirmDialog)
    assert dialog.instead.text() == "Keep running in the tray"
    qtbot.mouseClick(dialog.instead, Qt.MouseButton.LeftButton)
    assert not window.isVisible()
    assert house.quits == 0
    assert window.dialog is None


async def test_without_a_tray_quitting_does_not_offer_it(house: WindowHouse, window: MainWindow) -> None:
    house.holding()
    window.tray.there = lambda: False
    window.close()
    dialog = window.dialog
    assert isinstance(dialog, ConfirmDialog)
    assert not dialog.instead.isVisibleTo(dialog)


async def test_a_locked_window_cannot_be_quit_from_the_tray(house: WindowHouse, window: MainWindow) -> None:
    stay_in_tray(house)
    window.close()
    window.lock.cover("by you")
    window.ask_to_quit()
    assert window.isVisible()
    assert house.quits == 0
    assert window.lock.error.text() == "Unlock the window to quit."


def test_each_look_of_a_state_has_an_icon_of_its_own(qapp: QApplication) -> None:
    looks = {(look.shape, look.token): state for (kind, state), look in STATE.items() if kind == "engine"}
    icons = {bytes(icon_of(state).pixmap(32).toImage().constBits()) for state in looks.values()}
    assert len(icons) == len(looks) == 5
