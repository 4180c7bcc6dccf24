"""The queue's page: who waits, why, and the two things one can do about it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QLabel, QMenu, QWidget
from pytestqt.qtbot import QtBot

from execution_engine.domain.inputs import AccountChanged, Pause, Resume
from execution_engine.domain.rows import AccountStatus, World
from execution_engine.domain.standstill import Obstacle
from execution_engine.ui import theme
from execution_engine.ui.pages.queue import QueuePage
from execution_engine.ui.pages.queue.halts import sentences
from execution_engine.ui.widgets import ConfirmDialog, Notice
from execution_engine.ui.widgets.marks import BEAT
from tests.domain.test_pool_and_queue import saved
from tests.ui.house_window import WindowHouse
from tests.waiting import until


@pytest.fixture(autouse=True)
def _dark(qapp: QApplication) -> None:
    theme.apply(qapp, "dark")


class Desk:
    """A desk whose only slot is used, with the queue's page open over it."""

    def __init__(self, folder: Path, qtbot: QtBot) -> None:
        self.house = WindowHouse(folder, {"pool.max_open_groups": 1})
        self.house.full_pool()
        self.page = QueuePage(self.house.bridge)
        self.notices: list[Notice] = []
        self.page.notice.connect(self.notices.append)
        qtbot.addWidget(self.page)
        self.page.resize(1272, 700)
        self.page.show()
        self.page.shown()

    def row(self, id: int) -> dict[str, str]:
        model = self.page.model
        cells = model.cells(model.index_of(id))
        return {column.key: cell.text for column, cell in zip(model.columns, cells, strict=True)}

    def dialog(self) -> ConfirmDialog:
        assert self.page.dialog is not None
        return self.page.dialog


@pytest.fixture
def desk(tmp_path: Path, qtbot: QtBot) -> Desk:
    return Desk(tmp_path, qtbot)


def says(widget: QWidget) -> str:
    return " ".join(label.text() for label in widget.findChildren(QLabel) if not label.isHidden())


async def test_a_waiting_signal_tells_everything_about_itself(desk: Desk) -> None:
    id = desk.house.queued(timeframe="240")
    desk.house.price("ETHUSDT", "2949")
    desk.house.clock.forward(hours=2, minutes=14)
    desk.page.tick()
    row = desk.row(id)
    assert row["rank"] == "1st"
    assert row["signal"] == "ETHUSDT 4h Long"
    assert row["account"] == "paper"
    assert (row["entry"], row["price"]) == ("3,000.00", "2,949.00")
    assert row["loss"] == "−1.70\u202f%"
    assert row["replaced"] == "0"
    assert row["waited"] == "2 h 14 min"
    assert row["why"] == "no fresh price"
    assert row["force"] == "Force add…"


async def test_a_gain_counts_as_zero_and_a_replacement_is_counted(desk: Desk) -> None:
    id = desk.house.queued()
    desk.house.alert(symbol="ETHUSDT", entry_price="2990")
    desk.house.price("ETHUSDT", "3010")
    desk.house.show()
    row = desk.row(id)
    assert row["loss"] == "0.00\u202f%"
    assert row["replaced"] == "1"


async def test_ranks_follow_the_order_of_promotion(desk: Desk) -> None:
    first, second = desk.house.queued(), desk.house.queued("SOLUSDT", "150")
    assert desk.row(first)["rank"] == "1st"
    assert desk.row(second)["rank"] == "2nd"
    assert desk.row(second)["why"] == "no loss, came later"
    assert desk.page.counted.text() == (
        "2 of 100 · when it is full, new signals are rejected · each waits 1 d at most"
    )


async def test_an_empty_queue_says_how_many_slots_are_free(desk: Desk) -> None:
    assert desk.page.table.empty.sentence == (
        "Nothing waits. The only slot is used: the next new key waits here."
    )


async def test_forcing_asks_the_question_of_the_pool_override(desk: Desk, qtbot: QtBot) -> None:
    id = desk.house.queued(timeframe="240")
    desk.house.price("ETHUSDT", "2979")
    desk.house.show()
    desk.page.table.select(id)
    qtbot.keyClick(desk.page.table, Qt.Key.Key_Return)
    dialog = desk.dialog()
    words = says(dialog)
    assert dialog.windowTitle() == "Confirm Pool Override"
    assert (
        "This action will override the 'Max Open Groups' limit and immediately execute the signal for "
        "ETHUSDT 4h. Are you sure you want to proceed?"
    ) in words
    assert dialog.confirm.text() == "Confirm && Execute"
    assert "1 / 1 becomes 2 / 1 until a group closes" in words
    assert "paper · spot" in words
    assert "5 buy limits from 3,000.00 down to 2,880.00" in words
    assert "2 of 5: their limits are at or above the price, 2,979.00" in words
    assert "at most 9,9" in words
    assert dialog.focusWidget() is dialog.cancel


async def test_confirmed_the_signal_opens_and_the_notice_says_so(desk: Desk, qtbot: QtBot) -> None:
    id = desk.house.queued()
    desk.page.table.action.emit(id, "force")
    qtbot.mouseClick(desk.dialog().confirm, Qt.MouseButton.LeftButton)
    assert desk.row(id)["force"] == "Opening…"
    assert desk.row(id)["remove"] == ""
    assert BEAT._watchers == 1
    desk.page.grab()
    await until(lambda: desk.notices)
    desk.house.show()
    assert BEAT._watchers == 0
    assert id not in desk.page.model.keys()  # noqa: SIM118
    (notice,) = desk.notices
    assert notice.level == "success"
    assert notice.title == "Success: Position group for ETHUSDT 15m has been forced into the pool."
    assert notice.action == "Show"
    assert len(desk.page.slots) == 2


async def test_refused_the_notice_says_why_and_the_row_is_usable_again(desk: Desk, qtbot: QtBot) -> None:
    id = desk.house.queued()
    desk.house.post(Pause())
    desk.page.table.action.emit(id, "force")
    qtbot.mouseClick(desk.dialog().confirm, Qt.MouseButton.LeftButton)
    await until(lambda: desk.notices)
    (notice,) = desk.notices
    assert notice.title == "Error: Could not force position into the pool. See logs for details."
    assert notice.sentence == "The engine is paused; resume it first. It keeps its place."
    assert desk.row(id)["force"] == "Force add…"


async def test_removing_asks_first(desk: Desk, qtbot: QtBot) -> None:
    id = desk.house.queued()
    desk.page.table.action.emit(id, "remove")
    dialog = desk.dialog()
    assert "Remove ETHUSDT 15m from the queue?" in says(dialog)
    qtbot.mouseClick(dialog.confirm, Qt.MouseButton.LeftButton)
    await until(lambda: desk.page.dialog is None)
    desk.house.show()
    assert desk.page.model.rowCount() == 0
    (notice,) = desk.notices
    assert notice.title == "ETHUSDT 15m was removed from the queue"
    assert "waits again as the newest" in notice.sentence


async def test_cancel_leaves_everything_as_it_is(desk: Desk, qtbot: QtBot) -> None:
    id = desk.house.queued()
    desk.page.table.action.emit(id, "force")
    qtbot.mouseClick(desk.dialog().cancel, Qt.MouseButton.LeftButton)
    assert desk.page.dialog is None
    assert not desk.page.model.held
    assert len(desk.house.book.queue) == 1


async def test_the_menu_of_a_row_offers_both(desk: Desk) -> None:
    id = desk.house.queued()
    menu = QMenu(desk.page)
    desk.page._fill_menu(id, menu)
    assert [action.text() for action in menu.actions() if action.text()] == [
        "Force add…",
        "Remove…",
        "Show alert",
        "Copy",
    ]


async def test_the_filter_keeps_what_matches_and_says_when_nothing_does(desk: Desk) -> None:
    desk.house.queued()
    desk.house.queued("SOLUSDT", "150")
    desk.page.search.setText("sol")
    assert desk.page.model.rowCount() == 1
    desk.page.search.setText("solx")
    assert desk.page.table.empty.sentence == "No signal matches “solx”."
    desk.page.search.clear()
    assert desk.page.model.rowCount() == 2


async def test_the_pool_tells_who_holds_the_slots(desk: Desk) -> None:
    (group,) = desk.house.groups
    model = desk.page.slots
    cells = [cell.text for cell in model.cells(model.index_of(group.id))]
    assert cells == ["BTCUSDT 15m Long", "1 / 5", "Part filled", "leg by leg", "0.00"]
    assert desk.page.pool_panel.heading.subtitle.text() == "1 / 1"


async def test_a_small_window_leaves_out_account_and_replaced(desk: Desk) -> None:
    desk.page.set_narrow(True)
    hidden = [
        column.key
        for place, column in enumerate(desk.page.model.columns)
        if desk.page.table.heading.isSectionHidden(place)
    ]
    assert hidden == ["account", "replaced"]


async def test_places_follow_prices_within_a_second_and_values_at_once(desk: Desk) -> None:
    first, second = desk.house.queued(), desk.house.queued("SOLUSDT", "150")
    desk.house.price("SOLUSDT", "147")
    desk.house.show()
    assert desk.row(second)["loss"] == "−2.00\u202f%"
    desk.page._ranking.timeout.emit()
    desk.page.model.settle()
    assert (desk.row(second)["rank"], desk.row(second)["why"]) == ("1st", "−2.0 %")
    assert (desk.row(first)["rank"], desk.row(first)["why"]) == ("2nd", "no loss")
    desk.page.model.sort_by("signal", True)
    desk.page.model.sort_by(None)
    assert desk.page.model.keys() == [second, first]


async def test_a_price_that_grew_old_counts_as_no_loss_and_says_so(desk: Desk) -> None:
    id = desk.house.queued()
    desk.house.price("ETHUSDT", "2949")
    desk.house.show()
    desk.page._ranking.timeout.emit()
    assert desk.row(id)["why"] == "−1.7 %"
    desk.house.clock.forward(minutes=1)
    desk.page.tick()
    assert desk.row(id)["why"] == "no fresh price"
    assert desk.row(id)["waited"] == "1 min"


async def test_a_key_that_is_closing_is_passed_over_in_words(desk: Desk) -> None:
    (group,) = desk.house.groups
    desk.house.alert(type="exit")
    desk.house.alert(symbol="BTCUSDT", entry_price="65000")
    desk.house.show()
    assert desk.house.book.groups[group.id].status == "closing"
    (id,) = desk.house.book.queue
    assert "passed over while its key is closing" in desk.row(id)["why"]


async def test_what_keeps_everything_waiting_stands_above_the_queue(desk: Desk) -> None:
    assert desk.page.note.text == ""
    id = desk.house.queued()
    slots = "The only slot is used: the first goes as soon as one is free."
    assert (desk.page.note.text, desk.page.note.warns) == (slots, False)
    desk.house.post(Pause())
    desk.house.show()
    assert desk.page.note.text == f"Paused: nothing is promoted or forced until you resume. {slots}"
    assert desk.page.note.warns
    account = desk.house.book.accounts["paper"]
    held = replace(account, status=AccountStatus.HOLD, reason="keys were refused")
    desk.house.post(AccountChanged(account=held))
    desk.house.show()
    assert "paper is on hold: keys were refused. Its signals wait." in desk.page.note.text
    assert desk.row(id)["why"] == "no loss, its account is on hold"
    desk.house.post(AccountChanged(account=account))
    desk.house.post(Resume())
    desk.house.show()
    assert (desk.page.note.text, desk.page.note.warns) == (slots, False)
    assert desk.row(id)["why"] == "no loss"


async def test_the_limit_of_the_day_is_told_until_the_day_ends(desk: Desk) -> None:
    saved(desk.house, "signals.max_entries_per_day", 1)
    desk.house.queued()
    assert "The day's limit of 1 entry is reached" in desk.page.note.text
    desk.house.clock.forward(hours=12)
    desk.page.tick()
    assert desk.page.note.text.startswith("The only slot is used")


async def test_an_entry_at_the_market_without_a_price_says_what_it_waits_for(desk: Desk) -> None:
    desk.house.price("ETHUSDT", "3000")
    desk.house.alert(symbol="ETHUSDT")
    desk.house.show()
    (id,) = desk.house.book.queue
    assert desk.row(id)["why"] == "enters at the market"
    desk.house.clock.forward(seconds=20)
    desk.page.tick()
    assert desk.row(id)["why"] == "enters at the market, no fresh price"


def test_what_is_not_so_in_all_worlds_names_its_own() -> None:
    paused, full = "Paused.", "The only slot is used."
    found = [Obstacle(World.PAPER, paused), Obstacle(World.PAPER, full), Obstacle(World.LIVE, paused)]
    assert sentences(found) == [paused, f"Paper: {full}"]


async def test_the_last_promotions_say_when_what_and_why(desk: Desk) -> None:
    desk.house.queued()
    desk.house.price("ETHUSDT", "2949")
    desk.house.alert(type="exit")
    desk.house.confirm_cancels()
    desk.house.fill_all("exit")
    desk.house.show()
    await until(lambda: len(desk.page.promoted))
    (key,) = desk.page.promoted.keys()
    model = desk.page.promoted
    desk.house.clock.forward(minutes=3)
    desk.page.tick()
    cells = [cell.text for cell in model.cells(model.index_of(key))]
    assert cells == ["3 min ago", "ETHUSDT 15m Long", "1st: −1.7 %"]
    assert "It opened a group." in model.tooltip(model.index_of(key, 2))


async def test_worlds_stand_beside_the_rank_where_several_wait(desk: Desk) -> None:
    first, second = desk.house.queued(), desk.house.queued("SOLUSDT", "150")
    other = replace(desk.house.book.queue[second], world=World.LIVE, account="real")
    desk.house.bridge.released((other,), ())
    desk.house.show()
    assert (desk.row(first)["rank"], desk.row(second)["rank"]) == ("1st paper", "1st live")
    accounts = desk.page.accounts
    assert not accounts.isHidden()
    accounts.setCurrentIndex(accounts.findData("real"))
    accounts.activated.emit(accounts.currentIndex())
    assert desk.page.model.keys() == [second]


async def test_in_a_small_window_the_panels_below_take_turns(desk: Desk) -> None:
    desk.page.set_narrow(True)
    assert desk.page.counted.text() == "0 of 100"
    shown = []
    for below in ("pool", "promotions", "rules"):
        desk.page.below.set_value(below)
        desk.page.below.chosen.emit(below)
        panels = (desk.page.pool_panel, desk.page.last_panel, desk.page.rules_panel)
        shown.append([panel.isVisible() for panel in panels])
    assert shown == [[True, False, False], [False, True, False], [False, False, True]]
