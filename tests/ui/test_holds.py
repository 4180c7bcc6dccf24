"""Holds: every one is said with its reason, where one looks for it, and can be lifted where the rules let."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QApplication, QMenu, QWidget
from pytestqt.qtbot import QtBot

from execution_engine.domain.rows import AccountStatus, Choice, GroupStatus
from execution_engine.ui import theme
from execution_engine.ui.frame.memory import Memory
from execution_engine.ui.main_window import MainWindow
from execution_engine.ui.pages.dashboard import DashboardPage
from execution_engine.ui.pages.positions import PositionsPage
from execution_engine.ui.pages.queue import QueuePage
from execution_engine.ui.places import PLACES
from execution_engine.ui.widgets import ConfirmDialog
from tests.ui.house_found import FoundHouse
from tests.waiting import until

LONG = "the exchange answered with a sentence that goes on and on " * 8


@pytest.fixture(autouse=True)
def _dark(qapp: QApplication) -> None:
    theme.apply(qapp, "dark")


@pytest.fixture
def house(tmp_path: Path) -> FoundHouse:
    return FoundHouse(tmp_path)


@pytest.fixture
def window(house: FoundHouse, qtbot: QtBot) -> Iterator[MainWindow]:
    made = MainWindow(house.bridge, PLACES, Memory(house.folder / "window.json"))
    qtbot.addWidget(made, before_close_func=lambda each: each.put_away())
    made.showNormal()
    made.resize(1440, 900)
    yield made
    made.put_away()


@pytest.fixture
def positions(window: MainWindow) -> PositionsPage:
    window.go("positions")
    page = window.stage.page("positions")
    assert isinstance(page, PositionsPage)
    return page


def status(page: PositionsPage, id: int) -> tuple[str, str]:
    """Return the chip of a row and its tooltip."""
    lines = page.tree.lines
    at = [column.key for column in lines.columns].index("status")
    index = lines.index_of(id, at)
    return lines.cell(index).text, lines.tooltip(index)


def menu(page: PositionsPage, id: int) -> dict[str, QAction]:
    filled = QMenu(page)
    page.acts.fill(id, filled)
    return {action.text(): action for action in filled.actions() if action.text()}


def dialog_of(page: QWidget) -> ConfirmDialog:
    (dialog,) = page.findChildren(ConfirmDialog)
    return dialog


def click(qtbot: QtBot, button: QWidget) -> None:
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


# -- a position


async def test_a_held_position_shows_a_chip_with_the_reason(
    house: FoundHouse, positions: PositionsPage
) -> None:
    group = house.lacking()
    chip, tip = status(positions, group.id)
    assert chip == "On hold"
    assert tip.startswith("paper holds 0.001 BTC")


async def test_its_reason_stands_beside_the_chart(house: FoundHouse, positions: PositionsPage) -> None:
    group = house.lacking()
    positions.go_to(group.id)
    note = positions.facts.hold
    assert note.isVisible()
    assert note.reason.text() == group.hold
    assert note.accessibleName().startswith("On hold: paper holds")
    assert note.lift_button.isHidden()  # it ends when it fits again, or is booked
    house.write(replace(group, hold=""))
    assert note.isHidden()


async def test_what_was_found_about_it_is_one_click_away(
    house: FoundHouse, window: MainWindow, positions: PositionsPage, qtbot: QtBot
) -> None:
    group = house.lacking()
    positions.go_to(group.id)
    click(qtbot, positions.facts.hold.review_button)
    assert window.stage.current == "away"
    window.go("positions")
    menu(positions, group.id)["See what was found"].trigger()
    assert window.stage.current == "away"


async def test_its_hold_is_lifted_from_the_menu_after_a_question(
    house: FoundHouse, positions: PositionsPage, qtbot: QtBot
) -> None:
    group = house.frozen()
    menu(positions, group.id)["Lift the hold…"].trigger()
    dialog = dialog_of(positions)
    assert dialog.windowTitle() == "Lift the hold"
    assert dialog.accessibleDescription() == f"Lift the hold on BTCUSDT {group.timeframe}?"
    click(qtbot, dialog.confirm)
    await until(lambda: not house.book.groups[group.id].hold)
    house.show()
    assert status(positions, group.id)[0] == "Part filled"
    assert [finding.choice for finding in house.settled] == [Choice.RELEASE]
    assert "Lift the hold…" not in menu(positions, group.id)


async def test_its_hold_is_lifted_beside_the_chart(
    house: FoundHouse, positions: PositionsPage, qtbot: QtBot
) -> None:
    group = house.frozen()
    positions.go_to(group.id)
    click(qtbot, positions.facts.hold.lift_button)
    click(qtbot, dialog_of(positions).confirm)
    await until(lambda: not house.book.groups[group.id].hold)
    house.show()
    assert positions.facts.hold.isHidden()


async def test_a_hold_that_cannot_be_lifted_any_more_says_so_in_the_dialog(
    house: FoundHouse, positions: PositionsPage, qtbot: QtBot
) -> None:
    group = house.frozen()
    menu(positions, group.id)["Lift the hold…"].trigger()
    house.book.findings.clear()
    dialog = dialog_of(positions)
    click(qtbot, dialog.confirm)
    await until(lambda: bool(dialog.error))
    assert "there is nothing to decide" in dialog.error


async def test_a_hold_without_a_choice_offers_none(house: FoundHouse, positions: PositionsPage) -> None:
    group = house.holding()
    assert {"Lift the hold…", "See what was found"}.isdisjoint(menu(positions, group.id))
    held = house.lacking()
    assert "Lift the hold…" not in menu(positions, held.id)
    assert "See what was found" in menu(positions, held.id)


async def test_a_position_that_closes_goes_on_saying_so(house: FoundHouse, positions: PositionsPage) -> None:
    group = house.lacking()
    house.write(replace(group, status=GroupStatus.CLOSING))
    chip, tip = status(positions, group.id)
    assert chip == "Closing"
    assert "paper holds 0.001 BTC" in tip


async def test_dashboard_and_queue_show_the_same_chip(house: FoundHouse, window: MainWindow) -> None:
    group = house.holding()
    house.account_is(AccountStatus.HOLD, "the key was refused")
    dashboard, queue = window.stage.page("dashboard"), window.stage.page("queue")
    assert isinstance(dashboard, DashboardPage)
    assert isinstance(queue, QueuePage)
    window.go("dashboard")
    at = [column.key for column in dashboard.model.columns].index("status")
    assert dashboard.model.cell(dashboard.model.index_of(group.id, at)).text == "On hold"
    window.go("queue")
    at = [column.key for column in queue.slots.columns].index("state")
    assert queue.slots.cell(queue.slots.index_of(group.id, at)).text == "On hold"


# -- an account


async def test_an_account_on_hold_is_said_everywhere(
    house: FoundHouse, window: MainWindow, positions: PositionsPage
) -> None:
    group = house.holding()
    paper = house.book.accounts["paper"]
    house.write(replace(paper, status=AccountStatus.HOLD, reason="the key was refused"))
    window.status.refresh()
    books = window.status.item("Books")
    assert books is not None
    assert books.detail() == "paper on hold: the key was refused"
    assert books.toolTip().startswith("paper on hold: the key was refused\n")
    assert window.header.state.text() == "Hold"
    assert window.header.why.text() == "paper: the key was refused"
    assert window.banner.text() == "On hold: paper: the key was refused"
    assert status(positions, group.id) == ("On hold", "account paper is on hold: the key was refused")


async def test_an_account_that_is_read_is_said_in_header_and_status_line(
    house: FoundHouse, window: MainWindow
) -> None:
    paper = house.book.accounts["paper"]
    house.write(replace(paper, status=AccountStatus.RECONCILING, reason="the machine slept for 10 min"))
    window.status.refresh()
    books = window.status.item("Books")
    assert books is not None
    assert books.detail() == "paper is read: the machine slept for 10 min"
    assert window.header.state.text() == "Reconciling"
    assert window.header.why.text() == "paper: the machine slept for 10 min"
    assert window.header.uptime.isHidden()
    assert window.banner.isHidden()
    house.write(replace(paper, status=AccountStatus.READY))
    assert window.header.state.text() == "Running"
    assert window.header.why.isHidden()
    assert not window.header.uptime.isHidden()


async def test_reasons_are_said_while_paused_as_well(house: FoundHouse, window: MainWindow) -> None:
    house.account_is(AccountStatus.RECONCILING, "the clock was set")
    house.write(replace(house.book.engine, paused=True))
    word, reasons = house.doors().status()
    assert word == "paused"
    assert "paper: the clock was set" in reasons


# -- a world


async def test_a_world_on_hold_is_said_everywhere(
    house: FoundHouse, window: MainWindow, positions: PositionsPage
) -> None:
    group = house.holding()
    house.world_is_on_hold("promoting failed: see the log")
    assert house.doors().status() == ("hold", ["paper world: promoting failed: see the log"])
    assert window.banner.text() == "On hold: paper world: promoting failed: see the log"
    assert window.header.state.text() == "Hold"
    assert status(positions, group.id) == (
        "On hold",
        "the paper world is on hold: promoting failed: see the log",
    )
    things = [thing.title for thing in window.attention.things(house.clock.now())]
    assert "The paper world is on hold" in things
    house.world_is_on_hold("")
    assert house.doors().status() == ("running", [])
    assert window.banner.isHidden()
    assert status(positions, group.id)[0] == "Part filled"


# -- long reasons


async def test_a_long_reason_takes_no_room_from_the_rest(
    house: FoundHouse, window: MainWindow, qtbot: QtBot
) -> None:
    house.frozen(LONG)
    house.account_is(AccountStatus.HOLD, LONG)
    window.status.refresh()
    window.resize(960, 640)
    await until(lambda: window.width() == 960 and window.header.width() == 960)
    assert window.header.close_all.geometry().right() < 960
    assert window.decisions.button.geometry().right() < 960
    assert window.status.clock.geometry().right() < 960
    assert window.header.why.toolTip()
    assert window.banner.text().endswith("…")
