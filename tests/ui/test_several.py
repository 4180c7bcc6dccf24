"""Several rows at once: one question, one wish for each, one notice; and taking back what can be taken back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QItemSelectionModel, Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QApplication, QLabel, QMenu
from pytestqt.qtbot import QtBot

from execution_engine.domain.rows import Group, World
from execution_engine.ui import theme
from execution_engine.ui.pages.positions import PositionsPage
from execution_engine.ui.pages.queue import QueuePage
from execution_engine.ui.tables import RowsView
from execution_engine.ui.widgets import ConfirmDialog, Notice
from tests.ui.house_window import WindowHouse
from tests.waiting import until


@pytest.fixture(autouse=True)
def _dark(qapp: QApplication) -> None:
    theme.apply(qapp, "dark")


class Positions:
    """Three groups on the page, the first of which holds something."""

    def __init__(self, qtbot: QtBot, folder: Path) -> None:
        self.house = WindowHouse(folder)
        self.page = PositionsPage(self.house.bridge)
        self.notices: list[Notice] = []
        self.page.notice.connect(self.notices.append)
        qtbot.addWidget(self.page)
        self.page.resize(1300, 780)
        self.page.show()
        self.page.shown()
        self.house.holding()
        self.ids = [
            next(iter(self.house.book.groups)),
            self.house.opened("ETHUSDT", "3000").id,
            self.house.opened("SOLUSDT", "150").id,
        ]

    def group(self, at: int) -> Group:
        return self.house.book.groups[self.ids[at]]

    def menu(self, *places: int) -> dict[str, QAction]:
        choose(self.page.tree, [self.ids[at] for at in places])
        menu = QMenu(self.page)
        self.page.tree.fill_menu(self.ids[places[0]], menu)
        return {action.text(): action for action in menu.actions() if action.text()}

    def dialog(self) -> ConfirmDialog:
        (dialog,) = (each for each in self.page.findChildren(ConfirmDialog) if each.isVisible())
        return dialog


@pytest.fixture
def positions(qtbot: QtBot, tmp_path: Path) -> Iterator[Positions]:
    made = Positions(qtbot, tmp_path)
    yield made
    made.page.close()


def choose(table: RowsView, keys: list[int]) -> None:
    table.selectionModel().clear()
    for key in keys:
        index = table.rows_model.index_of(key)
        flag = QItemSelectionModel.SelectionFlag
        table.selectionModel().setCurrentIndex(index, flag.Select | flag.Rows)


def says(dialog: ConfirmDialog) -> str:
    return " ".join(label.text() for label in dialog.findChildren(QLabel) if not label.isHidden())


async def test_several_groups_are_exited_after_one_question_with_the_sums(positions: Positions) -> None:
    menu = positions.menu(0, 1)
    assert "Exit group…" not in menu
    menu["Exit 2 groups…"].trigger()
    dialog = positions.dialog()
    said = says(dialog)
    assert "Exit 2 groups at market?" in said
    assert "BTCUSDT 15m, ETHUSDT 15m" in said
    assert "9 open legs are cancelled" in said
    assert "1 group that holds, about 199.55 USD" in said
    assert dialog.focusWidget() is dialog.cancel
    assert all(positions.group(at).closing is None for at in (0, 1))
    dialog.confirm.click()
    await until(lambda: bool(positions.notices))
    assert [positions.group(at).closing for at in (0, 1)] == ["exit", "exit"]
    assert positions.group(2).closing is None
    assert [notice.title for notice in positions.notices] == ["2 groups: being closed"]


async def test_with_real_money_the_number_of_groups_must_be_typed(positions: Positions, qtbot: QtBot) -> None:
    positions.house.bridge.released((replace(positions.group(0), world=World.LIVE),), ())
    positions.house.show()
    positions.menu(0, 1)["Exit 2 groups…"].trigger()
    dialog = positions.dialog()
    assert not dialog.confirm.isEnabled()
    qtbot.keyClicks(dialog.typed, "2")
    assert dialog.confirm.isEnabled()
    dialog.reject()


async def test_what_is_refused_for_one_is_told_and_the_others_are_done(positions: Positions) -> None:
    positions.menu(0, 1)["Exit 2 groups…"].trigger()
    dialog = positions.dialog()
    # The second closes by itself while the question stands.
    positions.house.alert(symbol="ETHUSDT", type="exit")
    positions.house.confirm_cancels()
    dialog.confirm.click()
    await until(lambda: len(positions.notices) == 2)
    assert [(notice.level, notice.title) for notice in positions.notices] == [
        ("success", "1 group: being closed"),
        ("error", "Not done for 1 group"),
    ]
    assert "ETHUSDT 15m" in positions.notices[1].sentence


async def test_open_legs_of_several_groups_are_cancelled(positions: Positions) -> None:
    positions.menu(0, 1, 2)["Cancel open legs of 3 groups…"].trigger()
    assert "Cancel 14 open legs of 3 groups?" in says(positions.dialog())
    positions.dialog().confirm.click()
    await until(lambda: bool(positions.notices))
    positions.house.confirm_cancels()
    assert not [order for order in positions.house.working if order.purpose == "entry"]


async def test_blocking_several_is_taken_back_with_undo(positions: Positions) -> None:
    positions.menu(0, 2)["Block risk for 2 groups"].trigger()
    await until(lambda: bool(positions.notices))
    assert [positions.group(at).blocked for at in range(3)] == [True, False, True]
    positions.house.show()
    assert positions.notices[0].action == "Undo"
    assert positions.notices[0].then is not None
    positions.notices[0].then()
    await until(lambda: len(positions.notices) == 2)
    assert [positions.group(at).blocked for at in range(3)] == [False, False, False]
    assert positions.notices[1].title == "2 groups: as before"


async def test_each_act_counts_only_the_groups_it_concerns(positions: Positions) -> None:
    positions.menu(0, 1)["Block risk for 2 groups"].trigger()
    await until(lambda: bool(positions.notices))
    positions.house.show()
    menu = positions.menu(0, 1, 2)
    assert menu["Block risk for 1 group"].isEnabled()
    assert menu["Unblock risk for 2 groups"].isEnabled()


async def test_a_mode_of_one_group_is_taken_back_with_undo(positions: Positions) -> None:
    before = positions.group(0).tp_mode
    modes = positions.menu(0)["TP mode"].menu()
    assert isinstance(modes, QMenu)
    next(each for each in modes.actions() if each.text() == "Hybrid").trigger()
    await until(lambda: bool(positions.notices))
    assert positions.group(0).tp_mode == "hybrid"
    positions.house.show()
    assert positions.notices[0].action == "Undo"
    assert positions.notices[0].then is not None
    positions.notices[0].then()
    await until(lambda: len(positions.notices) == 2)
    assert positions.group(0).tp_mode == before


async def test_several_signals_leave_the_queue_with_one_question(qtbot: QtBot, tmp_path: Path) -> None:
    house = WindowHouse(tmp_path, {"pool": {"max_open_groups": 1}})
    page = QueuePage(house.bridge)
    notices: list[Notice] = []
    page.notice.connect(notices.append)
    qtbot.addWidget(page)
    page.show()
    house.full_pool()
    ids = [
        house.queued("ETHUSDT"),
        house.queued("SOLUSDT", "150"),
        house.queued("ETHUSDT", "3000", timeframe="60"),
    ]
    page.shown()
    choose(page.table, ids[:2])
    menu = QMenu(page)
    page.table.fill_menu(ids[0], menu)
    assert [each.text() for each in menu.actions() if each.text()] == [
        "Remove 2 signals…",
        "Copy",
        "Copy as CSV",
    ]
    page.table.setFocus()
    qtbot.keyClick(page.table, Qt.Key.Key_Delete)
    if page.dialog is None:  # the shortcut needs an active window
        menu.actions()[0].trigger()
    assert page.dialog is not None
    assert "Remove 2 signals from the queue?" in says(page.dialog)
    page.dialog.confirm.click()
    await until(lambda: bool(notices))
    assert list(house.book.queue) == [ids[2]]
    assert notices[0].title == "2 signals removed from the queue"
    page.close()
