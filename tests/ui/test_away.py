"""While you were away: what was found, what was done, what needs a decision; when it shows itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from execution_engine.domain.inputs import Difference, Instruments, Started
from execution_engine.domain.rows import AccountStatus, Choice, Fill, FindingKind, Group
from execution_engine.ui import theme
from execution_engine.ui.frame.memory import Memory
from execution_engine.ui.main_window import MainWindow
from execution_engine.ui.pages.away import AwayPage
from execution_engine.ui.places import PLACES
from execution_engine.ui.widgets import ConfirmDialog, Label
from tests.house import D, spot
from tests.ui.house_found import FoundHouse
from tests.waiting import until


@pytest.fixture(autouse=True)
def _dark(qapp: QApplication) -> None:
    theme.apply(qapp, "dark")


@pytest.fixture
def house(tmp_path: Path) -> FoundHouse:
    return FoundHouse(tmp_path)


@pytest.fixture
def window(house: FoundHouse, qtbot: QtBot) -> Iterator[MainWindow]:
    made = window_on(house, qtbot)
    yield made
    made.put_away()


def window_on(house: FoundHouse, qtbot: QtBot) -> MainWindow:
    made = MainWindow(house.bridge, PLACES, Memory(house.folder / "window.json"))
    qtbot.addWidget(made, before_close_func=lambda each: each.put_away())
    made.showNormal()
    made.resize(1440, 900)
    return made


def page_of(window: MainWindow) -> AwayPage:
    window.go("away")
    page = window.stage.page("away")
    assert isinstance(page, AwayPage)
    return page


def dialog_of(page: AwayPage) -> ConfirmDialog:
    (dialog,) = page.findChildren(ConfirmDialog)
    return dialog


def click(qtbot: QtBot, button: QWidget) -> None:
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def titles(listed: Any) -> list[str]:
    return [row.title.text() for row in listed.rows.values()]


# -- when it shows itself


async def test_after_a_start_it_opens_by_itself_when_something_waits(house: FoundHouse, qtbot: QtBot) -> None:
    house.find()
    window = window_on(house, qtbot)
    assert window.stage.current == "away"
    assert window.windowTitle() == "While you were away – Execution Engine"
    assert window.sidebar.current() == ""
    window.put_away()


async def test_after_a_start_without_findings_the_last_page_is_shown(house: FoundHouse, qtbot: QtBot) -> None:
    settled = house.find()
    house.write(replace(settled, settled_at=house.clock.now()))
    window = window_on(house, qtbot)
    assert window.stage.current == "dashboard"
    window.put_away()


async def test_it_waits_until_every_account_was_read(house: FoundHouse, window: MainWindow) -> None:
    house.account_is(AccountStatus.RECONCILING)
    house.find()
    assert window.stage.current == "dashboard"
    first, *rest = house.book.accounts.values()
    house.write(replace(first, status=AccountStatus.READY))
    assert window.stage.current == "dashboard"
    house.write(*(replace(each, status=AccountStatus.HOLD, reason="cannot be read") for each in rest))
    assert window.stage.current == "away"


async def test_what_is_found_in_between_does_not_pull_the_user_away(
    house: FoundHouse, window: MainWindow
) -> None:
    house.find(FindingKind.DEFECT, choices=(Choice.RELEASE,))
    assert window.stage.current == "dashboard"
    assert not window.decisions.isHidden()


async def test_after_a_resume_only_news_open_it(house: FoundHouse, window: MainWindow) -> None:
    house.find()
    page_of(window)
    window.go("positions")
    house.account_is(AccountStatus.RECONCILING, "the machine slept")
    house.account_is(AccountStatus.READY)
    assert window.stage.current == "positions"
    house.account_is(AccountStatus.RECONCILING, "the machine slept")
    house.find(FindingKind.LOST)
    house.account_is(AccountStatus.READY)
    assert window.stage.current == "away"


async def test_it_never_opens_under_a_dialog(house: FoundHouse, window: MainWindow) -> None:
    house.account_is(AccountStatus.RECONCILING)
    window.acts.test_alert.trigger()
    house.find()
    house.account_is(AccountStatus.READY)
    assert window.stage.current == "dashboard"


async def test_a_start_remembers_the_page_before_it(house: FoundHouse, qtbot: QtBot) -> None:
    window = window_on(house, qtbot)
    window.go("queue")
    window.go("away")
    window.put_away()
    again = window_on(house, qtbot)
    assert again.stage.current == "queue"
    again.put_away()


# -- how it is reached later


async def test_a_banner_says_how_many_decisions_wait_and_leads_there(
    house: FoundHouse, window: MainWindow, qtbot: QtBot
) -> None:
    house.find()
    assert window.decisions.isHidden()  # it is only to be read
    house.find(FindingKind.DEFECT, found="BTCUSDT 15m: see the log.", choices=(Choice.RELEASE,))
    assert window.decisions.text() == "1 decision waits: BTCUSDT 15m: see the log."
    house.find(FindingKind.DEFECT, found="ETHUSDT 1h: see the log.", choices=(Choice.RELEASE,))
    assert window.decisions.text() == "2 decisions wait: ETHUSDT 1h: see the log."
    await until(lambda: not window.decisions.button.visibleRegion().isEmpty())
    click(qtbot, window.decisions.button)
    assert window.stage.current == "away"
    assert window.decisions.isHidden()
    window.go("dashboard")
    assert not window.decisions.isHidden()


async def test_the_status_line_says_so_and_leads_there(
    house: FoundHouse, window: MainWindow, qtbot: QtBot
) -> None:
    item = window.status.item("Books")
    assert item is not None
    assert item.detail() == "agree"
    house.find(FindingKind.DEFECT, choices=(Choice.RELEASE,))
    window.status.refresh()
    assert item.detail() == "1 decision waits"
    click(qtbot, item)
    assert window.stage.current == "away"


async def test_a_key_and_the_menu_lead_there(window: MainWindow, qtbot: QtBot) -> None:
    window.activateWindow()
    await until(window.isActiveWindow)
    qtbot.keyClick(window, Qt.Key.Key_9, Qt.KeyboardModifier.ControlModifier)
    assert window.stage.current == "away"
    qtbot.keyClick(window, Qt.Key.Key_1, Qt.KeyboardModifier.ControlModifier)
    assert window.stage.current == "dashboard"
    assert window.sidebar.current() == "dashboard"


async def test_the_dashboard_names_decisions_among_what_needs_attention(
    house: FoundHouse, window: MainWindow
) -> None:
    group = house.lacking()
    things = window.attention.things(house.clock.now())
    assert [(thing.title, thing.page) for thing in things] == [("1 decision waits", "away")]
    assert group.hold  # the hold of the same group is not told a second time


async def test_the_sidebar_marks_no_page_and_leads_away_again(window: MainWindow, qtbot: QtBot) -> None:
    window.activateWindow()
    await until(window.isActiveWindow)
    page_of(window)
    window.sidebar.setFocus()
    assert window.stage.current == "away"
    qtbot.keyClick(window.sidebar, Qt.Key.Key_Down)
    assert window.stage.current == "dashboard"


async def test_a_notice_tells_what_is_found_in_between_and_none_what_shows_itself(
    house: FoundHouse, window: MainWindow, qtbot: QtBot
) -> None:
    house.lacking()
    (card,) = [each for each in window.notices.cards if "holds less" in each.notice.title]
    assert card.notice.action == "Review"
    assert card.notice.then is not None
    card.notice.then()
    assert window.stage.current == "away"
    before = len(window.notices.cards)
    house.desk.post(Difference(account="paper", ref="ETH", ours=D(0), theirs=D(1), at=house.clock.now()))
    house.show()
    assert len(window.notices.cards) == before
    page = page_of(window)
    assert len(page.found.rows) == 1


# -- what stands there


async def test_findings_stand_in_three_parts_the_newest_first(house: FoundHouse, window: MainWindow) -> None:
    page = page_of(window)
    house.find(FindingKind.EXTERNAL)
    house.find(FindingKind.FILLED, done="They were taken in.")
    house.find(FindingKind.SURPLUS, done="It is left alone.")
    house.clock.forward(seconds=60)
    house.find(FindingKind.LATE_FILL, done="It was closed at market.")
    house.find(FindingKind.DEFICIT, choices=(Choice.BOOK, Choice.CHECK))
    assert titles(page.decide) == ["The exchange holds less than the books"]
    assert titles(page.done) == ["Filled after its group had ended", "Filled while nobody watched"]
    assert titles(page.found) == ["The exchange holds more than the books", "Orders of somebody else"]
    assert page.counts.text() == "1 decision waits · 4 to read"


async def test_a_row_says_when_where_what_and_how_much(house: FoundHouse, window: MainWindow) -> None:
    page = page_of(window)
    group = house.lacking()
    (row,) = page.decide.rows.values()
    assert row.where.text().startswith("BTCUSDT · account paper · ")
    assert "UTC" in row.where.toolTip()
    assert row.found.text() == "paper holds 0.001 BTC; its groups add up to 0.00307."
    assert row.done.text() == "These positions are on hold: nothing is added to them."
    assert row.concerns.text() == f"Concerns BTCUSDT {group.timeframe}"
    figures = {label.accessibleName() for label in row.findChildren(QWidget) if label.accessibleName()}
    assert {
        "The groups hold 0.00307 BTC",
        "The exchange holds 0.001 BTC",
        "Missing 0.00207 BTC",
    } <= figures


async def test_a_finding_about_a_world_names_the_world(house: FoundHouse, window: MainWindow) -> None:
    page = page_of(window)
    house.find(FindingKind.DEFECT, account="", choices=(Choice.RELEASE,))
    (row,) = page.decide.rows.values()
    assert row.where.text().startswith("paper world · ")


async def test_where_there_is_nothing_it_says_so(window: MainWindow) -> None:
    page = page_of(window)
    assert page.decide.empty.text() == "Nothing needs a decision."
    assert page.decide.empty.isVisible()
    assert page.counts.text() == "nothing waits"
    assert page.all_read.isHidden()


async def test_a_row_that_did_not_change_stays_the_same(house: FoundHouse, window: MainWindow) -> None:
    page = page_of(window)
    first = house.find()
    row = page.found.rows[first.id]
    second = house.find()
    assert page.found.rows[first.id] is row
    house.write(replace(second, found="It is more by now."))
    assert page.found.rows[second.id].found.text() == "It is more by now."
    assert page.found.rows[first.id] is row


async def test_foreign_text_is_shown_as_it_is_and_long_text_whole(
    house: FoundHouse, window: MainWindow
) -> None:
    window.resize(1024, 700)
    page = page_of(window)
    house.find(found="<b>An order\u202e</b> " + "of a long description " * 20, choices=(Choice.RELEASE,))
    (row,) = page.decide.rows.values()
    await until(lambda: not row.found.visibleRegion().isEmpty())
    assert row.found.text().startswith("<b>An order\\u{202e}</b>")
    assert row.found.height() >= row.found.heightForWidth(row.found.width())
    assert row.width() <= page.decide.width()
    assert window.width() == 1024


async def test_many_findings_are_counted_and_the_newest_shown(house: FoundHouse, window: MainWindow) -> None:
    page = page_of(window)
    many = [house.find() for _ in range(103)]
    assert len(page.found.rows) == 100
    assert many[-1].id in page.found.rows
    assert many[0].id not in page.found.rows
    assert page.counts.text() == "103 to read"


async def test_names_for_a_screen_reader(house: FoundHouse, window: MainWindow) -> None:
    page = page_of(window)
    house.lacking()
    (row,) = page.decide.rows.values()
    assert row.accessibleName().startswith("The exchange holds less than the books. BTCUSDT · account paper")
    assert row.buttons[Choice.CHECK].accessibleName().startswith("Compare again: The exchange holds less")


async def test_more_and_less_are_told_apart_on_both_sides(house: FoundHouse, window: MainWindow) -> None:
    page = page_of(window)
    ref = "binance BTCUSDT.P"
    for ours, theirs in (("-8", "-5"), ("-5", "-8"), ("0", "-2"), ("3", "-1")):
        house.find(FindingKind.SURPLUS, ref=ref, ours=D(ours), theirs=D(theirs))
        house.clock.forward(seconds=1)
    told = [
        [each.accessibleName() for each in row.findChildren(Label) if each.accessibleName()][-1]
        for row in page.found.rows.values()
    ]
    assert told == ["Missing 3 BTC", "More 2 BTC", "More 3 BTC", "Missing 3 BTC"]


# -- deciding


async def test_booking_asks_first_and_says_what_will_happen(
    house: FoundHouse, window: MainWindow, qtbot: QtBot
) -> None:
    page = page_of(window)
    house.lacking()
    (row,) = page.decide.rows.values()
    said = [each.text() for each in row.buttons.values()]
    assert said == ["Book as closed outside…", "Close the rest…", "Compare again"]
    click(qtbot, row.buttons[Choice.BOOK])
    dialog = dialog_of(page)
    said = " ".join(label.text() for label in dialog.findChildren(QWidget) if hasattr(label, "text"))
    assert "Book 0.00207 BTC as closed outside?" in said
    assert "the groups add up to 0.00307, the exchange holds 0.001" in said
    assert "nothing is sent" in said
    assert "It cannot be undone." in said
    assert dialog.cancel.hasFocus() or not dialog.isActiveWindow()
    click(qtbot, dialog.cancel)
    assert not house.settled
    assert row.buttons[Choice.BOOK].isEnabled()


async def test_booking_is_shown_as_it_is_done_and_moves_to_earlier(
    house: FoundHouse, window: MainWindow, qtbot: QtBot
) -> None:
    page = page_of(window)
    group = house.lacking()
    (row,) = page.decide.rows.values()
    click(qtbot, row.buttons[Choice.BOOK])
    click(qtbot, dialog_of(page).confirm)
    assert row.said.text() == "Booking…"
    assert not row.arc.isHidden()
    assert not any(each.isEnabled() for each in row.buttons.values())
    await until(lambda: bool(house.settled))
    house.show()
    await until(lambda: not page._doing)
    assert page.decide.rows == {}
    (kept,) = page.earlier.findings.records()
    cells = {
        c.key: cell.text
        for c, cell in zip(
            page.earlier.findings.columns,
            page.earlier.findings.cells(page.earlier.findings.index_of(kept.id)),
            strict=True,
        )
    }
    assert cells["ending"] == "Booked as closed outside, by you."
    assert cells["pair"] == "BTCUSDT"
    assert window.decisions.isHidden()
    # What is seen is so: the quantity is booked and the hold is gone.
    outside = [fill for fill in house.newest(Fill).values() if fill.purpose == "exit"]
    assert [fill.quantity for fill in outside] == [D("0.00207")]
    assert house.newest(Group)[group.id].hold == ""


async def test_comparing_again_asks_nothing_and_tells_the_answer_in_its_row(
    house: FoundHouse, window: MainWindow, qtbot: QtBot
) -> None:
    page = page_of(window)
    house.lacking()
    (row,) = page.decide.rows.values()
    click(qtbot, row.buttons[Choice.CHECK])
    assert row.said.text() == "Reading the exchange…"
    await until(lambda: row.buttons[Choice.CHECK].isEnabled())
    assert row.said.text() == "The exchange is being read again; the hold ends if it fits now."
    assert row.said.property("token") == "text2"
    assert row.arc.isHidden()


async def test_a_refusal_is_told_in_its_row(house: FoundHouse, window: MainWindow, qtbot: QtBot) -> None:
    page = page_of(window)
    house.lacking()
    (row,) = page.decide.rows.values()
    house.book.findings.clear()  # somebody else settled it and the screen has not heard of it yet
    click(qtbot, row.buttons[Choice.CHECK])
    await until(lambda: row.said.property("token") == "danger")
    assert "there is nothing to decide" in row.said.text()
    assert row.buttons[Choice.CHECK].isEnabled()


async def test_what_is_only_to_be_read_is_noted_with_one_click(
    house: FoundHouse, window: MainWindow, qtbot: QtBot
) -> None:
    page = page_of(window)
    finding = house.find()
    click(qtbot, page.found.rows[finding.id].buttons[Choice.DISMISS])
    await until(lambda: bool(house.settled))
    house.show()
    assert page.found.rows == {}
    assert not window.notices.cards


async def test_all_that_is_only_to_be_read_is_noted_together(
    house: FoundHouse, window: MainWindow, qtbot: QtBot
) -> None:
    page = page_of(window)
    house.find()
    house.find(FindingKind.FILLED, done="They were taken in.")
    house.find(FindingKind.DEFECT, choices=(Choice.RELEASE, Choice.DISMISS))
    click(qtbot, page.all_read)
    await until(lambda: len(house.settled) == 2)
    house.show()
    assert titles(page.decide) == ["An internal error froze it"]
    assert page.all_read.isHidden()


async def test_closing_the_rest_says_how_much_is_closed(
    house: FoundHouse, window: MainWindow, qtbot: QtBot
) -> None:
    page = page_of(window)
    group = house.holding()
    finding = house.find(
        FindingKind.DEFICIT,
        symbol="BTCUSDT",
        group_ids=(group.id,),
        choices=(Choice.CLOSE,),
        ours=group.open_quantity,
        theirs=D("0.001"),
    )
    closing = page.decide.rows[finding.id].buttons[Choice.CLOSE]
    assert closing.property("role") == "danger-outline"
    click(qtbot, closing)
    dialog = dialog_of(page)
    said = " ".join(label.text() for label in dialog.findChildren(QWidget) if hasattr(label, "text"))
    assert "Close the rest of BTCUSDT at market?" in said
    assert "0.00307 BTC" in said
    qtbot.keyClick(dialog, Qt.Key.Key_Return)
    assert not house.settled
    dialog.reject()


@pytest.mark.fault(39)
async def test_a_market_that_is_not_traded_offers_to_close_what_is_held_there(
    house: FoundHouse, window: MainWindow, qtbot: QtBot
) -> None:
    group = house.holding()
    page = page_of(window)
    house.desk.post(Instruments(instruments=(replace(spot(), traded=False),)))
    house.show()
    (row,) = page.decide.rows.values()
    assert row.title.text() == "A market is not traded"
    assert row.found.text() == "BTCUSDT is not traded on BINANCE any more, or not now."
    assert [button.text() for button in row.buttons.values()] == ["Close at market…", "Lift the hold"]
    click(qtbot, row.buttons[Choice.CLOSE])
    dialog = dialog_of(page)
    said = " ".join(label.text() for label in dialog.findChildren(QWidget) if hasattr(label, "text"))
    assert "Close BTCUSDT at market?" in said
    dialog.reject()
    assert house.book.groups[group.id].hold == row.found.text()


# -- with the keyboard


async def test_the_keyboard_goes_through_the_decisions(
    house: FoundHouse, window: MainWindow, qtbot: QtBot
) -> None:
    window.activateWindow()
    await until(window.isActiveWindow)
    house.find(FindingKind.DEFECT, choices=(Choice.RELEASE,))
    house.clock.forward(seconds=1)
    house.lacking()
    window.stage.setFocus()
    page = page_of(window)
    newest, oldest = page.decide.rows.values()
    assert newest.buttons[Choice.BOOK].hasFocus()
    qtbot.keyClick(newest.buttons[Choice.BOOK], Qt.Key.Key_Tab)
    qtbot.keyClick(newest.buttons[Choice.CLOSE], Qt.Key.Key_Tab)
    assert newest.buttons[Choice.CHECK].hasFocus()
    qtbot.keyClick(newest.buttons[Choice.CHECK], Qt.Key.Key_Tab)
    assert oldest.buttons[Choice.RELEASE].hasFocus()
    qtbot.keyClick(oldest.buttons[Choice.RELEASE], Qt.Key.Key_Space)
    await until(lambda: list(page.decide.rows.values()) == [newest])
    # What had the cursor is gone; it goes to what is left.
    assert window.focusWidget() is newest.buttons[Choice.BOOK]


async def test_a_finding_that_is_asked_for_has_the_cursor(house: FoundHouse, window: MainWindow) -> None:
    window.activateWindow()
    await until(window.isActiveWindow)
    first = house.find(FindingKind.DEFECT, choices=(Choice.RELEASE,))
    house.find(FindingKind.DEFECT, choices=(Choice.RELEASE,))
    page = page_of(window)
    page.choice.chosen.emit("earlier")
    assert not page.decide.isVisible()
    window.go("away", first.id)
    assert page.decide.rows[first.id].buttons[Choice.RELEASE].hasFocus()


# -- what is settled


async def test_what_is_settled_stands_under_earlier_with_its_end(
    house: FoundHouse, window: MainWindow
) -> None:
    page = page_of(window)
    first = house.find()
    second = house.find(FindingKind.SURPLUS, ref="binance BTCUSDT.P", done="It fits again.")
    house.write(replace(first, settled_at=house.clock.now(), choice=Choice.DISMISS))
    house.write(replace(second, settled_at=house.clock.now() + timedelta(seconds=1)))
    page.choice.chosen.emit("earlier")
    model = page.earlier.findings
    shown = [[cell.text for cell in model.cells(model.index(row, 0))] for row in range(model.rowCount())]
    assert [row[1] for row in shown] == ["The exchange holds more than the books", "Orders of somebody else"]
    assert [row[2] for row in shown] == ["BTCUSDT.P", ""]
    assert [row[4] for row in shown] == ["It fits again.", "You noted it."]


async def test_an_engine_that_was_built_anew_brings_its_findings(
    house: FoundHouse, window: MainWindow
) -> None:
    finding = house.find()
    page = page_of(window)
    house.bridge.attach(house.doors())
    assert list(page.found.rows) == [finding.id]
    house.desk.post(Started())
    house.show()
    assert list(page.found.rows) == [finding.id]


@pytest.mark.parametrize("name", ["dark", "light"])
@pytest.mark.parametrize("width", [1440, 1024])
async def test_it_is_drawn_in_both_themes_and_sizes(
    house: FoundHouse, window: MainWindow, qapp: QApplication, name: theme.Name, width: int
) -> None:
    theme.apply(qapp, name)
    window.resize(width, 700)
    house.lacking()
    house.find()
    house.find(FindingKind.FILLED, done="They were taken in.")
    page = page_of(window)
    await until(lambda: not page.decide.visibleRegion().isEmpty())
    wide = width == 1440
    assert (page.done.y() < page.decide.geometry().bottom()) is wide
    assert page.found.geometry().right() <= page.width()
    assert not window.grab().isNull()
