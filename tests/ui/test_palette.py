"""The palette finds and does what the menus do; the sheet of shortcuts is read from what hears them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication, QKeySequence
from PySide6.QtWidgets import QApplication, QLabel, QLineEdit, QMenu
from pytestqt.qtbot import QtBot

from execution_engine.domain import schema
from execution_engine.ui import theme
from execution_engine.ui.frame.finds import leaves
from execution_engine.ui.frame.fuzzy import fit
from execution_engine.ui.frame.memory import Memory
from execution_engine.ui.frame.palette import Palette
from execution_engine.ui.frame.sheet import sections
from execution_engine.ui.main_window import MainWindow
from execution_engine.ui.places import PLACES
from execution_engine.ui.widgets import ConfirmDialog
from tests.ui.house_window import WindowHouse
from tests.waiting import until


@pytest.fixture(autouse=True)
def _dark(qapp: QApplication) -> None:
    theme.apply(qapp, "dark")


@pytest.fixture
def house(tmp_path: Path) -> WindowHouse:
    return WindowHouse(tmp_path)


@pytest.fixture
def window(house: WindowHouse, qtbot: QtBot) -> Iterator[MainWindow]:
    made = MainWindow(house.bridge, PLACES, Memory(house.folder / "window.json"))
    qtbot.addWidget(made, before_close_func=lambda window: window.put_away())
    made.showNormal()
    made.resize(1440, 900)
    yield made
    made.put_away()


def opened(window: MainWindow) -> Palette:
    window.acts.palette.trigger()
    assert isinstance(window.dialog, Palette)
    return window.dialog


def titles(palette: Palette) -> list[str]:
    return [find.title for find in palette.shown()]


def find(palette: Palette, qtbot: QtBot, typed: str) -> None:
    palette.search.clear()
    qtbot.keyClicks(palette.search, typed)


def enter(palette: Palette, qtbot: QtBot) -> None:
    qtbot.keyClick(palette.search, Qt.Key.Key_Return)


# -- how well letters fit


@pytest.mark.parametrize(
    ("typed", "better", "worse"),
    [
        ("close", "Close everything…", "Backups, closed"),
        ("risk", "Risk", "Largest risk"),
        ("copy", "Copy webhook address", "Photocopy"),
        ("ce", "Close everything…", "Place"),
        ("webhook copy", "Copy webhook address", ""),
    ],
)
def test_what_begins_with_the_letters_fits_better_than_what_contains_them(
    typed: str, better: str, worse: str
) -> None:
    good, bad = fit(typed, better), fit(typed, worse)
    assert good is not None
    assert bad is None or good.score > bad.score


def test_letters_are_found_in_their_order_at_the_beginnings_of_words() -> None:
    found = fit("clev", "Close everything…")
    assert found is not None
    assert sorted(found.places) == [0, 1, 6, 7]
    assert fit("velc", "Close everything…") is None


def test_every_word_must_be_found_somewhere() -> None:
    assert fit("btc short", "BTCUSDT 1h", "Short paper") is not None
    assert fit("btc long", "BTCUSDT 1h", "Short paper") is None


# -- what is found


async def test_ctrl_k_opens_the_palette_with_every_act_of_the_menus_every_page_and_every_setting(
    window: MainWindow, qtbot: QtBot
) -> None:
    await until(window.isActiveWindow)
    qtbot.keyClick(window, Qt.Key.Key_K, Qt.KeyboardModifier.ControlModifier)
    palette = window.dialog
    assert isinstance(palette, Palette)
    known = {find.title for find in palette._finds}
    for action in window.menuBar().actions():
        menu = action.menu()
        assert isinstance(menu, QMenu)
        assert {name for name, _ in leaves(menu)} <= known
    assert {place.title for place in PLACES if place.listed} <= known
    assert {setting.title for setting in schema.settings()} <= known


async def test_a_page_is_reached_by_a_few_letters_and_enter(window: MainWindow, qtbot: QtBot) -> None:
    palette = opened(window)
    find(palette, qtbot, "perf")
    assert titles(palette)[0] == "Performance"
    enter(palette, qtbot)
    assert window.stage.current == "performance"
    assert window.dialog is None


async def test_an_open_position_and_a_queued_signal_are_jumped_to(tmp_path: Path, qtbot: QtBot) -> None:
    house = WindowHouse(tmp_path, {"pool": {"max_open_groups": 1}})
    window = MainWindow(house.bridge, PLACES, Memory(tmp_path / "window.json"))
    qtbot.addWidget(window, before_close_func=lambda window: window.put_away())
    window.show()
    house.full_pool()
    waits = house.queued()
    palette = opened(window)
    find(palette, qtbot, "btcu long")
    assert palette.shown()[0].kind == "Position"
    enter(palette, qtbot)
    assert window.stage.current == "positions"
    assert window.stage.page("positions").tree.key() == next(iter(house.book.groups))
    palette = opened(window)
    find(palette, qtbot, "ethusdt")
    assert palette.shown()[0].kind == "Queued signal"
    enter(palette, qtbot)
    assert window.stage.page("queue").table.key() == waits


async def test_a_setting_is_jumped_to_with_the_cursor_in_its_field(window: MainWindow, qtbot: QtBot) -> None:
    palette = opened(window)
    find(palette, qtbot, "pool.max_open_groups")
    enter(palette, qtbot)
    assert window.stage.current == "settings"
    page = window.stage.page("settings")
    row = page.tab("pool").row("pool.max_open_groups")
    assert row is not None
    assert row.editor.isAncestorOf(window.focusWidget())


async def test_each_row_shows_its_shortcut(window: MainWindow, qtbot: QtBot) -> None:
    palette = opened(window)
    find(palette, qtbot, "full screen")
    assert palette.shown()[0].keys == QKeySequence("F11").toString(QKeySequence.SequenceFormat.NativeText)
    said = palette.rows.item(0).data(Qt.ItemDataRole.AccessibleTextRole)
    assert said == "Full screen, View, F11"


async def test_what_cannot_be_done_says_why_and_stays(window: MainWindow, qtbot: QtBot) -> None:
    palette = opened(window)
    find(palette, qtbot, "close everything")
    assert palette.shown()[0].why_not == "nothing is open and nothing waits"
    assert palette.foot.text() == "Not now: nothing is open and nothing waits"
    enter(palette, qtbot)
    assert window.dialog is palette
    assert palette.isVisible()


async def test_a_dangerous_act_opens_its_usual_question_and_does_nothing_by_itself(
    house: WindowHouse, window: MainWindow, qtbot: QtBot
) -> None:
    house.holding()
    palette = opened(window)
    find(palette, qtbot, "clev")
    assert titles(palette)[0] == "Close everything…"
    enter(palette, qtbot)
    assert isinstance(window.dialog, ConfirmDialog)
    assert window.dialog.windowTitle() == "Close everything"
    qtbot.keyClick(window.dialog, Qt.Key.Key_Return)
    assert not house.book.engine.paused
    assert all(group.closing is None for group in house.book.groups.values())


async def test_the_acts_of_the_row_at_hand_are_found_and_ask_as_its_menu_does(
    house: WindowHouse, window: MainWindow, qtbot: QtBot
) -> None:
    group = house.holding()
    window.go("positions", group.id)
    palette = opened(window)
    find(palette, qtbot, "exit btc")
    assert palette.shown()[0].title == "Exit group…"
    assert palette.shown()[0].detail.startswith("BTCUSDT")
    enter(palette, qtbot)
    asked = window.findChildren(ConfirmDialog)
    assert [dialog.windowTitle() for dialog in asked if dialog.isVisible()] == ["Exit group"]
    assert house.book.groups[group.id].closing is None


async def test_what_was_used_stands_first_the_next_time_and_after_a_new_start(
    house: WindowHouse, window: MainWindow, qtbot: QtBot
) -> None:
    for typed in ("open data folder", "logs"):
        palette = opened(window)
        find(palette, qtbot, typed)
        palette.shown()
        if typed == "logs":
            enter(palette, qtbot)
        else:
            palette.reject()
    palette = opened(window)
    assert titles(palette)[0] == "Logs"
    palette.reject()
    window.memory.save()
    again = Palette(palette._finds, Memory(house.folder / "window.json"), window)
    assert titles(again)[0] == "Logs"


async def test_arrows_walk_around_esc_closes_and_the_field_keeps_the_cursor(
    window: MainWindow, qtbot: QtBot
) -> None:
    palette = opened(window)
    qtbot.keyClick(palette.search, Qt.Key.Key_Up)
    assert palette.rows.currentRow() == palette.rows.count() - 1
    qtbot.keyClick(palette.search, Qt.Key.Key_Down)
    assert palette.rows.currentRow() == 0
    qtbot.keyClick(palette.search, Qt.Key.Key_PageDown)
    assert palette.rows.currentRow() == 11
    qtbot.keyClick(palette.search, Qt.Key.Key_Escape)
    assert window.dialog is None


async def test_nothing_found_is_said(window: MainWindow, qtbot: QtBot) -> None:
    palette = opened(window)
    find(palette, qtbot, "zzqx")
    assert palette.shown() == []
    assert palette.foot.text() == "Nothing is called “zzqx”."
    enter(palette, qtbot)
    assert window.dialog is palette


async def test_a_locked_window_has_no_palette(window: MainWindow, qtbot: QtBot) -> None:
    window.lock.cover("by you")
    window.acts.palette.trigger()
    assert window.dialog is None


# -- the sheet


async def test_f1_shows_every_shortcut_of_the_menus_the_page_and_the_tables(
    window: MainWindow, qtbot: QtBot
) -> None:
    window.go("positions")
    await until(window.isActiveWindow)
    qtbot.keyClick(window, Qt.Key.Key_F1)
    assert window.dialog is not None
    shown = {label.text() for label in window.dialog.findChildren(QLabel)}
    with_keys = [
        action
        for menu in window.menuBar().findChildren(QMenu)
        for action in menu.actions()
        if action.shortcuts()
    ]
    assert len(with_keys) >= 15
    assert {action.text() for action in with_keys} <= shown
    assert {"On the page Positions", "In tables", "Copy them as CSV, with headings"} <= shown


async def test_no_two_acts_share_a_shortcut(window: MainWindow) -> None:
    keys = [
        key
        for heading, lines in sections(window)
        if not heading.startswith(("On", "In"))
        for written, _ in lines
        for key in written.split(" or ")
    ]
    assert len(keys) == len(set(keys))


# -- layout


@pytest.mark.qt_log_ignore("This plugin does not support")
async def test_columns_are_chosen_and_a_page_is_put_back_by_the_keyboard_alone(
    house: WindowHouse, window: MainWindow, qtbot: QtBot
) -> None:
    house.holding()
    window.go("positions")
    tree = window.stage.page("positions").tree
    before = tree.save_layout()
    window.acts.columns.trigger()
    menu = QApplication.activePopupWidget()
    assert isinstance(menu, QMenu)
    menu.actions()[1].trigger()
    menu.close()
    assert tree.isColumnHidden(1)
    window.acts.reset_page.trigger()
    assert not tree.isColumnHidden(1)
    assert tree.save_layout() == before


async def test_every_layout_is_put_back_after_a_question(window: MainWindow, qtbot: QtBot) -> None:
    window.go("queue")
    table = window.stage.page("queue").table
    table.setColumnHidden(2, True)
    table.heading.columns_chosen.emit()
    window.memory.save()
    window.acts.reset_all.trigger()
    assert isinstance(window.dialog, ConfirmDialog)
    assert table.isColumnHidden(2)
    qtbot.mouseClick(window.dialog.confirm, Qt.MouseButton.LeftButton)
    assert not table.isColumnHidden(2)
    assert "queue.Queue.wide" not in window.memory._values


async def test_every_row_can_be_copied_from_its_menu(house: WindowHouse, window: MainWindow) -> None:
    house.holding()
    window.go("queue")
    pool = window.stage.page("queue").pool
    key = pool.rows_model.key_at(pool.rows_model.index(0, 0))
    pool.select(key)
    menu = QMenu(window)
    pool.fill_menu(key, menu)
    acts = {action.text(): action for action in menu.actions()}
    acts["Copy as CSV"].trigger()
    assert "BTCUSDT" in QGuiApplication.clipboard().text()


async def test_the_search_of_the_palette_is_named(window: MainWindow) -> None:
    palette = opened(window)
    assert all(field.accessibleName() for field in palette.findChildren(QLineEdit))
