"""An alert that never came, on the screen: where it is told, what it says, and what can be done about it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from execution_engine.domain.rows import AuditEntry, Choice, Finding, GroupStatus
from execution_engine.domain.signal import SignalType
from execution_engine.ui import theme
from execution_engine.ui.frame.memory import Memory
from execution_engine.ui.main_window import MainWindow
from execution_engine.ui.pages.away import AwayPage
from execution_engine.ui.pages.away.sending import SendMissed
from execution_engine.ui.places import PLACES
from execution_engine.ui.widgets import ConfirmDialog
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
    made = MainWindow(house.bridge, PLACES, Memory(house.folder / "window.json"))
    qtbot.addWidget(made, before_close_func=lambda each: each.put_away())
    made.showNormal()
    made.resize(1440, 900)
    yield made
    made.put_away()


def goes(house: FoundHouse, before: str, after: str) -> int:
    """Send what a strategy sends when it goes from one position to another; return the alert's id."""
    house.clock.forward(minutes=1)
    action = "buy" if after == "long" else "sell"
    alert = house.alert(market_position=after, prev_market_position=before, action=action)
    house.show()
    return alert.id


def page_of(window: MainWindow) -> AwayPage:
    window.go("away")
    page = window.stage.page("away")
    assert isinstance(page, AwayPage)
    return page


def click(qtbot: QtBot, button: QWidget) -> None:
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def the_finding(house: FoundHouse) -> Finding:
    (finding,) = house.book.findings.values()
    return finding


def says(widget: QWidget) -> str:
    return " ".join(label.text() for label in widget.findChildren(QWidget) if hasattr(label, "text"))


def missed_exit(house: FoundHouse) -> int:
    """Hold a long that the strategy has left; return its group."""
    group = house.holding()
    goes(house, "flat", "short")
    return group.id


async def test_it_says_what_was_expected_and_since_when(house: FoundHouse, window: MainWindow) -> None:
    missed_exit(house)
    page = page_of(window)
    (row,) = page.decide.rows.values()
    alert = max(house.book.alerts)
    assert row.title.text() == "An alert was missed"
    assert row.found.text().startswith(
        f"BTCUSDT 15m: the strategy was flat before alert {alert}, you are long: the exit of the long never came."
    )
    assert row.done.text() == "Nothing is sent by itself."
    assert "Exit of the long on 15m" in says(row)
    assert row.concerns.text() == "Concerns BTCUSDT 15m"
    assert [button.text() for button in row.buttons.values()] == [
        "Close the position…",
        "Send the missed alert now…",
        "Dismiss",
    ]
    assert row.where.text().startswith("BTCUSDT · account paper · ")


async def test_dashboard_banner_status_and_notice_ask_for_the_decision(
    house: FoundHouse, window: MainWindow
) -> None:
    missed_exit(house)
    (thing,) = [each for each in window.attention.things(house.clock.now()) if each.page == "away"]
    assert thing.title == "1 decision waits"
    assert "the exit of the long never came" in thing.sentence
    assert "the exit of the long never came" in window.decisions.text()
    (card,) = [each for each in window.notices.cards if each.notice.title == "An alert was missed"]
    assert card.notice.action == "Review"
    assert card.notice.then is not None
    card.notice.then()
    assert window.stage.current == "away"


async def test_the_position_is_closed_after_a_question(
    house: FoundHouse, window: MainWindow, qtbot: QtBot
) -> None:
    group_id = missed_exit(house)
    page = page_of(window)
    (row,) = page.decide.rows.values()
    click(qtbot, row.buttons[Choice.CLOSE])
    (dialog,) = page.findChildren(ConfirmDialog)
    assert "Close BTCUSDT at market?" in says(dialog)
    assert house.book.groups[group_id].is_open
    click(qtbot, dialog.confirm)
    await until(lambda: house.book.groups[group_id].status is GroupStatus.CLOSING)
    house.show()
    assert page.decide.rows == {}
    assert the_finding(house).done == "Closed by you (window)."


async def test_dismissing_keeps_it_in_the_history_with_who_and_when(
    house: FoundHouse, window: MainWindow, qtbot: QtBot
) -> None:
    missed_exit(house)
    page = page_of(window)
    (row,) = page.decide.rows.values()
    click(qtbot, row.buttons[Choice.DISMISS])
    await until(lambda: bool(house.settled))
    house.show()
    assert page.decide.rows == {}
    (kept,) = page.earlier.findings.records()
    assert (kept.choice, kept.done) == (Choice.DISMISS, "Dismissed by you (window).")
    (entry,) = [row for row in house.store.committed if isinstance(row, AuditEntry)]
    assert (entry.act, entry.origin) == ("finding_decided", "window")
    assert window.decisions.isHidden()


def sending(page: AwayPage, qtbot: QtBot) -> SendMissed:
    (row,) = page.decide.rows.values()
    click(qtbot, row.buttons[Choice.SEND])
    (dialog,) = page.findChildren(SendMissed)
    return dialog


async def test_the_missed_alert_is_shown_before_it_is_sent(
    house: FoundHouse, window: MainWindow, qtbot: QtBot
) -> None:
    missed_exit(house)
    before = len(house.book.alerts)
    dialog = sending(page_of(window), qtbot)
    body = json.loads(dialog.message.toPlainText())
    assert body["tv"]["market_position"] == "flat"
    assert body["execution_intent"] == {"type": "exit", "strategy": "grid", "account": "paper"}
    said = says(dialog)
    assert "BTCUSDT: exit of the long on 15m" in said
    assert "It would come to this now: Exit on paper: closes the position." in said
    assert dialog.message.hasFocus() or dialog.focusWidget() is dialog.message
    dialog.reject()
    assert len(house.book.alerts) == before
    assert the_finding(house).settled_at is None


async def test_sending_it_has_it_carried_out_and_leads_to_its_story(
    house: FoundHouse, window: MainWindow, qtbot: QtBot
) -> None:
    group_id = missed_exit(house)
    page = page_of(window)
    click(qtbot, sending(page, qtbot).confirm)
    await until(lambda: bool(house.settled))
    house.show()
    sent = house.book.alerts[max(house.book.alerts)]
    assert sent.signal is SignalType.EXIT
    assert house.book.groups[group_id].status is GroupStatus.CLOSING
    assert the_finding(house).done == f"Sent by you as alert {sent.id} (window)."
    titled = "The missed alert was sent"
    await until(lambda: any(each.notice.title == titled for each in window.notices.cards))
    (card,) = [each for each in window.notices.cards if each.notice.title == titled]
    assert card.notice.then is not None
    card.notice.then()
    assert window.stage.current == "signals"


async def test_the_message_can_be_changed_and_is_judged_as_it_is_typed(
    house: FoundHouse, window: MainWindow, qtbot: QtBot
) -> None:
    house.price("BTCUSDT", "65000")
    goes(house, "long", "long")
    dialog = sending(page_of(window), qtbot)
    proposed = dialog.message.toPlainText()
    dialog.message.setPlainText("buy")
    await until(lambda: not dialog.confirm.isEnabled())
    assert "not valid JSON" in says(dialog)
    body = json.loads(proposed)
    body["tv"]["entry_price"] = "64950"
    dialog.message.setPlainText(json.dumps(body))
    await until(dialog.confirm.isEnabled)
    click(qtbot, dialog.confirm)
    await until(lambda: bool(house.settled))
    assert str(house.book.alerts[max(house.book.alerts)].parsed.entry_price) == "64950"


async def test_a_message_about_another_pair_is_refused_in_the_dialog(
    house: FoundHouse, window: MainWindow, qtbot: QtBot
) -> None:
    missed_exit(house)
    dialog = sending(page_of(window), qtbot)
    dialog.message.setPlainText(dialog.message.toPlainText().replace("BTCUSDT", "ETHUSDT"))
    click(qtbot, dialog.confirm)
    await until(lambda: "what was missed about BTCUSDT 15m" in dialog.error.text())
    assert dialog.isVisible()
    assert the_finding(house).settled_at is None
    dialog.reject()


async def test_on_a_live_account_the_button_is_red(
    house: FoundHouse, window: MainWindow, qtbot: QtBot
) -> None:
    missed_exit(house)
    house.account_is_live("paper")
    dialog = sending(page_of(window), qtbot)
    assert dialog.confirm.property("role") == "danger"
    assert not dialog.confirm.isDefault()
    dialog.reject()


async def test_the_alert_that_gave_it_away_is_one_click_off(
    house: FoundHouse, window: MainWindow, qtbot: QtBot
) -> None:
    missed_exit(house)
    (row,) = page_of(window).decide.rows.values()
    assert row.story is not None
    assert row.story.text() == f"Show alert {max(house.book.alerts)}"
    click(qtbot, row.story)
    assert window.stage.current == "signals"


async def test_a_whole_trade_that_was_missed_is_only_to_be_read(
    house: FoundHouse, window: MainWindow, qtbot: QtBot
) -> None:
    house.price("BTCUSDT", "65000")
    goes(house, "long", "flat")
    page = page_of(window)
    (row,) = page.found.rows.values()
    assert [button.text() for button in row.buttons.values()] == ["Got it"]
    assert row.story is None
    assert row.done.text() == "There is nothing left to make up for."
    assert page.decide.rows == {}
    assert window.decisions.isHidden()


async def test_it_goes_by_itself_when_its_position_is_gone(house: FoundHouse, window: MainWindow) -> None:
    group_id = missed_exit(house)
    page = page_of(window)
    assert page.decide.rows
    house.end(house.book.groups[group_id])
    assert page.decide.rows == {}
    (kept,) = page.earlier.findings.records()
    assert kept.done == "The position is gone."


async def test_everything_is_done_without_a_mouse(
    house: FoundHouse, window: MainWindow, qtbot: QtBot
) -> None:
    missed_exit(house)
    window.activateWindow()
    await until(window.isActiveWindow)
    qtbot.keyClick(window, Qt.Key.Key_9, Qt.KeyboardModifier.ControlModifier)
    page = page_of(window)
    page.focus_rows()
    (row,) = page.decide.rows.values()
    assert window.focusWidget() is row.buttons[Choice.CLOSE]
    qtbot.keyClick(row.buttons[Choice.CLOSE], Qt.Key.Key_Tab)
    assert window.focusWidget() is row.buttons[Choice.SEND]
    qtbot.keyClick(row.buttons[Choice.SEND], Qt.Key.Key_Space)
    (dialog,) = page.findChildren(SendMissed)
    qtbot.keyClick(dialog.message, Qt.Key.Key_Tab)
    assert dialog.focusWidget() in (dialog.cancel, dialog.confirm)
    qtbot.keyClick(dialog, Qt.Key.Key_Escape)
    assert the_finding(house).settled_at is None
    qtbot.keyClick(row.buttons[Choice.DISMISS], Qt.Key.Key_Space)
    await until(lambda: bool(house.settled))
