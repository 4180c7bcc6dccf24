"""The lock of the window: what is covered, what goes on, and who comes back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot
from shiboken6 import delete

from execution_engine.adapters.security import vault as vaults
from execution_engine.adapters.security.password import Cost
from execution_engine.domain import document as documents
from execution_engine.domain.inputs import SaveSettings
from execution_engine.domain.rows import AuditEntry
from execution_engine.ui.frame.memory import Memory
from execution_engine.ui.main_window import MainWindow
from execution_engine.ui.places import PLACES
from execution_engine.ui.widgets import Notice
from tests.ui.house_window import WindowHouse
from tests.waiting import until

PASSWORD = "correct horse"


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> WindowHouse:
    monkeypatch.setattr(vaults, "calibrated", lambda: Cost(memory_mib=8, passes=1))
    made = WindowHouse(tmp_path)
    made.look_after(tmp_path)
    made.bridge.attach(made.doors())
    return made


@pytest.fixture
def window(house: WindowHouse, tmp_path: Path, qapp: QApplication) -> Iterator[MainWindow]:
    made = MainWindow(house.bridge, PLACES, Memory(tmp_path / "window.json"))
    made.show()
    yield made
    delete(made)


def acts(house: WindowHouse) -> list[str]:
    return [row.act for row in house.store.committed if isinstance(row, AuditEntry)]


async def unlocked_with(window: MainWindow, password: str) -> None:
    await until(lambda: window.lock.unlock.isEnabled() and window.lock.password.isVisible())
    window.lock.password.setText(password)
    window.lock.unlock.click()
    await until(lambda: window.lock.unlock.isEnabled())


async def test_a_locked_window_shows_nothing_and_the_engine_goes_on(
    house: WindowHouse, window: MainWindow, qtbot: QtBot
) -> None:
    await house.unlocking.ready(PASSWORD)
    window.acts.lock.trigger()
    await until(lambda: window.lock.password.isVisible())
    ground = window.centralWidget()
    assert ground is not None
    assert not ground.isVisible()
    assert not window.menuBar().isVisible()
    assert window.windowTitle() == "Execution Engine – locked"
    assert not any(act.isEnabled() for act in window.findChildren(QAction))
    house.opened()  # an alert comes
    house.show()
    window.notify(Notice("info", "Opened", "BTCUSDT"))
    window.go("positions")
    assert window.windowTitle() == "Execution Engine – locked"
    assert not window.notices.isVisible()
    assert house.bridge.groups
    window.close()
    assert window.isVisible()
    assert window.lock.error.text() == "Unlock the window to quit."
    await unlocked_with(window, "wrong horse")
    assert window.lock.error.text() == "The master password is wrong."
    assert window.lock.password.text() == ""
    await unlocked_with(window, PASSWORD)
    assert ground.isVisible()
    assert not window.lock.isVisible()
    assert window.windowTitle() == "Positions – Execution Engine"
    assert window.acts.pause.isEnabled()
    assert acts(house)[-3:] == ["window_locked", "vault_refused", "window_unlocked"]


async def test_ten_wrong_passwords_at_the_window_are_slowed_down(
    house: WindowHouse, window: MainWindow, qtbot: QtBot
) -> None:
    await house.unlocking.ready(PASSWORD)
    window.lock.cover("by you")
    for _ in range(10):
        house.watch += 300
        await unlocked_with(window, "wrong horse")
    await unlocked_with(window, PASSWORD)
    assert "10 wrong master passwords were given; try again in 129 s" in window.lock.error.text()
    assert window.lock.is_on
    house.watch += 128
    await unlocked_with(window, PASSWORD)
    assert not window.lock.is_on


async def test_without_a_master_password_it_says_that_it_only_hides(
    house: WindowHouse, window: MainWindow, qtbot: QtBot
) -> None:
    window.lock.cover("by you")
    assert "only hides what is on the screen" in window.lock.words.text()
    assert not window.lock.password.isVisible()
    qtbot.keyClick(window.lock.unlock, Qt.Key.Key_Space)
    await until(lambda: not window.lock.is_on)


async def test_a_window_that_nobody_touches_locks_itself(
    house: WindowHouse, window: MainWindow, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = documents.with_value(house.book.settings, "security.lock_after_minutes", 5)
    house.desk.post(SaveSettings(document=documents.dump(settings)))
    window._tick()
    assert not window.lock.is_on
    monkeypatch.setattr(type(window.idle), "minutes", property(lambda idle: 5.1))
    window._tick()
    assert window.lock.is_on
    assert acts(house)[-1:] != ["window_unlocked"]
    await until(lambda: acts(house)[-1] == "window_locked")


async def test_dialogs_are_hidden_with_it_and_come_back(
    house: WindowHouse, window: MainWindow, qtbot: QtBot
) -> None:
    window.acts.about.trigger()
    dialog = window.dialog
    assert dialog is not None
    window.lock.cover("by you")
    assert not dialog.isVisible()
    window.lock.unlock.click()
    await until(lambda: not window.lock.is_on)
    assert dialog.isVisible()
    dialog.close()


async def test_touches_are_seen_only_while_that_is_wanted(window: MainWindow, qtbot: QtBot) -> None:
    idle = window.idle
    idle.watch(True)
    idle._since.invalidate()
    qtbot.keyClick(window, Qt.Key.Key_Shift)
    assert idle._since.isValid()
    idle.watch(False)
    idle._since.invalidate()
    qtbot.keyClick(window, Qt.Key.Key_Shift)
    assert not idle._since.isValid()
