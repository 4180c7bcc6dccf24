"""What stands around the pages: the header, the sidebar, the status line, the questions, what is remembered."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal as D
from pathlib import Path
from typing import ClassVar

import pytest
from loguru import logger
from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QLabel, QMenu, QWidget
from pytestqt.qtbot import QtBot

from execution_engine.domain.audit import Act
from execution_engine.domain.facts import Fact, Level
from execution_engine.domain.inputs import DatabaseReplaced, ExitGroup, Price
from execution_engine.domain.rows import AccountStatus, Mode, World
from execution_engine.ui import theme
from execution_engine.ui.app import Window, create
from execution_engine.ui.bridge import Batch, Bridge
from execution_engine.ui.frame.memory import Memory
from execution_engine.ui.frame.places import Place
from execution_engine.ui.frame.stage import ErrorPanel
from execution_engine.ui.main_window import MainWindow
from execution_engine.ui.pages.positions import PositionsPage
from execution_engine.ui.places import PLACES
from execution_engine.ui.tables import TableView
from execution_engine.ui.widgets import ConfirmDialog, Notice
from tests.house import resources
from tests.ui.house_window import WindowHouse
from tests.waiting import until


@pytest.fixture(autouse=True)
def _dark(qapp: QApplication) -> None:
    theme.apply(qapp, "dark")


@pytest.fixture
def house(tmp_path: Path) -> WindowHouse:
    return WindowHouse(tmp_path)


def window_on(house: WindowHouse, qtbot: QtBot, places=PLACES) -> MainWindow:
    made = MainWindow(house.bridge, places, Memory(house.folder / "window.json"))
    made.quit_wished.connect(house.doors().quit)
    qtbot.addWidget(made, before_close_func=lambda window: window.put_away())
    made.showNormal()
    made.resize(1440, 900)
    return made


@pytest.fixture
def window(house: WindowHouse, qtbot: QtBot) -> Iterator[MainWindow]:
    made = window_on(house, qtbot)
    yield made
    made.put_away()


def says(widget: QWidget) -> str:
    return " ".join(label.text() for label in widget.findChildren(QLabel) if not label.isHidden())


def question(window: MainWindow) -> ConfirmDialog:
    assert isinstance(window.dialog, ConfirmDialog)
    return window.dialog


def click(qtbot: QtBot, button: QWidget) -> None:
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


# -- header


async def test_the_header_says_state_mode_accounts_and_the_total(
    house: WindowHouse, window: MainWindow
) -> None:
    house.holding()
    house.price("BTCUSDT", "64000")
    house.show()
    header = window.header
    assert header.state.text() == "Running"
    assert header.badge.mode == "paper"
    assert header.accounts.text() == "2 accounts"
    assert header.total.text() == "−3.07"
    assert header.share.text() == "−0.03\u202f%"
    assert header.total.property("token") == "loss"
    assert "realized 0 + unrealized −3.07 = −3.07 USD" in header.total.toolTip()


async def test_the_total_adds_what_was_realized(house: WindowHouse, window: MainWindow) -> None:
    group = house.traded()
    assert window.header.total.text() == f"+{group.realized:.2f}"


async def test_a_total_without_a_price_is_missing_not_wrong(house: WindowHouse, window: MainWindow) -> None:
    house.holding()
    house.bridge.prices.clear()
    house.bridge.changed.emit(Batch(whole=True))
    assert window.header.total.text() == "–"
    assert window.header.share.text() == ""


async def test_an_old_price_makes_the_total_grey_and_says_so(house: WindowHouse, window: MainWindow) -> None:
    house.holding()
    assert window.header.stale.isHidden()
    house.clock.forward(seconds=42)
    window._tick()
    assert not window.header.stale.isHidden()
    assert window.header.total.property("token") == "text3"
    prices = window.status.item("Prices")
    assert prices is not None
    assert prices.detail() == "42 s old"


async def test_a_price_set_by_hand_does_not_age(house: WindowHouse, window: MainWindow) -> None:
    house.holding()
    house.by_hand("BTCUSDT", "64000")
    house.clock.forward(hours=3)
    house.show()
    window._tick()
    assert window.header.stale.isHidden()
    prices = window.status.item("Prices")
    assert prices is not None
    assert prices.detail() == "set by hand"


async def test_the_badge_shows_the_most_serious_mode_in_use(house: WindowHouse, window: MainWindow) -> None:
    live = replace(
        house.book.accounts["paper"], name="real", mode=Mode.LIVE, world=World.LIVE, exchange="bybit"
    )
    house.bridge.released((live,), ())
    house.show()
    assert window.header.badge.mode == "live"
    assert window.header.accounts.text() == "3 accounts"


async def test_uptime_counts(house: WindowHouse, window: MainWindow) -> None:
    house.clock.forward(days=3, hours=4, minutes=12)
    window._tick()
    assert window.header.uptime.text() == "3 d 04:12"


# -- pausing


async def test_pausing_shows_in_header_banner_and_button_and_the_banner_resumes(
    house: WindowHouse, window: MainWindow, qtbot: QtBot
) -> None:
    click(qtbot, window.header.pause)
    await until(lambda: house.book.engine.paused)
    house.show()
    assert window.header.state.text() == "Paused"
    assert window.banner.text() == "Paused: alerts are stored, nothing is opened"
    assert window.header.pause.text() == "Resume"
    click(qtbot, window.banner.button)
    await until(lambda: not house.book.engine.paused)
    house.show()
    assert window.banner.isHidden()
    assert window.header.pause.text() == "Pause"


async def test_after_a_restore_the_banner_says_why_nothing_is_sent_and_asks_before_trading_again(
    house: WindowHouse, window: MainWindow, qtbot: QtBot
) -> None:
    house.holding()
    why = "The backup monday.sqlite was restored. Every account is compared."
    house.post(DatabaseReplaced(act=Act.BACKUP_RESTORED, detail="Restored.", why=why))
    house.show()
    assert window.banner.text() == why
    assert window.header.state.text() == "Hold"
    click(qtbot, window.banner.button)
    dialog = question(window)
    words = " ".join(label.text() for label in dialog.findChildren(QLabel))
    assert "every account was compared" in words
    assert "none waits for you" in words
    dialog.reject()
    assert house.book.engine.recovering
    click(qtbot, window.header.pause)  # it asks as well
    click(qtbot, question(window).confirm)
    await until(lambda: window.dialog is None)
    house.show()
    assert window.header.state.text() == "Running"
    assert window.banner.isHidden()


async def test_an_account_on_hold_is_said_in_the_banner_with_its_reason(
    house: WindowHouse, window: MainWindow
) -> None:
    held = replace(house.book.accounts["paper"], status=AccountStatus.HOLD, reason="clock is 4 s off")
    house.book.apply([held])
    house.bridge.released((held,), ())
    house.show()
    assert window.header.state.text() == "Hold"
    assert window.banner.text() == "On hold: paper: clock is 4 s off"


async def test_a_broken_engine_is_said_in_red(house: WindowHouse, window: MainWindow) -> None:
    house.trouble = "the disk is full"
    window._tick()
    assert window.header.state.text() == "Stopped: error"
    assert window.banner.text() == "Error: the disk is full"


# -- pages


async def test_counts_stand_in_the_sidebar_and_a_dot_where_something_needs_a_look(
    house: WindowHouse, window: MainWindow
) -> None:
    group = house.holding()
    assert window.sidebar.count_of("positions") == (1, False)
    house.bridge.released((replace(group, hold="an error was contained"),), ())
    house.show()
    assert window.sidebar.count_of("positions") == (1, True)
    said = window.sidebar.item(1).data(Qt.ItemDataRole.AccessibleTextRole)
    assert said == "Positions, 1, needs a look"


async def test_a_page_that_is_gone_to_takes_the_cursor_into_its_rows(
    window: MainWindow, qtbot: QtBot
) -> None:
    window.activateWindow()
    window.stage.setFocus()
    await until(window.stage.hasFocus)
    window.go("positions")
    page = window.stage.page("positions")
    assert isinstance(page, PositionsPage)
    assert page.tree.hasFocus()
    window.go("dashboard")
    assert window.stage.hasFocus()
    window.sidebar.setFocus()
    qtbot.keyClick(window.sidebar, Qt.Key.Key_Down)
    assert window.stage.current == "positions"
    assert window.sidebar.hasFocus()


async def test_pages_are_reached_by_keys_and_by_the_sidebar(window: MainWindow, qtbot: QtBot) -> None:
    await until(window.isActiveWindow)  # keys go to the window that has the focus
    qtbot.keyClick(window, Qt.Key.Key_3, Qt.KeyboardModifier.ControlModifier)
    assert window.stage.current == "queue"
    assert window.sidebar.current() == "queue"
    assert window.windowTitle() == "Queue – Execution Engine"
    window.sidebar.setCurrentRow(7)
    assert window.stage.current == "settings"
    qtbot.keyClick(window, Qt.Key.Key_1, Qt.KeyboardModifier.ControlModifier)
    assert window.stage.current == "dashboard"


async def test_every_page_can_be_shown(house: WindowHouse, window: MainWindow) -> None:
    house.holding()
    for place in PLACES:
        window.go(place.key)
        page = window.stage.page(place.key)
        assert not isinstance(page, ErrorPanel), says(page)
        assert window.stage.currentWidget() is page


async def test_below_1200_pixels_the_sidebar_is_slim_and_the_header_shorter(window: MainWindow) -> None:
    window.resize(1024, 700)
    assert window.sidebar.slim
    assert window.header.uptime.isHidden()
    assert window.header.accounts.isHidden()
    window.resize(1440, 900)
    assert not window.sidebar.slim
    assert not window.header.accounts.isHidden()


async def test_between_the_two_sizes_the_broad_pages_take_the_layout_that_fits(window: MainWindow) -> None:
    risk = window.stage.page("risk")
    for width, broad in ((1440, True), (1280, False), (1440, True)):
        window.resize(width, 800)
        assert not window.sidebar.slim
        assert risk.projection.isVisibleTo(risk) == broad, width  # type: ignore[attr-defined]


async def test_everything_in_the_menus_can_be_triggered_and_nothing_is_empty(window: MainWindow) -> None:
    menus = [action.menu() for action in window.menuBar().actions()]
    assert [menu.title() for menu in menus if isinstance(menu, QMenu)] == [
        "Engine",
        "View",
        "Trade",
        "Tools",
        "Help",
    ]
    assert all(menu.actions() for menu in menus if isinstance(menu, QMenu))


async def test_ctrl_f_goes_to_the_filter_of_the_page(window: MainWindow, qtbot: QtBot) -> None:
    window.go("queue")
    window.activateWindow()
    window.acts.find.trigger()
    assert window.stage.page("queue").search.hasFocus() or not window.isActiveWindow()


# -- a page that fails


class Breaking(QWidget):
    title = "Breaking"

    def __init__(self, bridge: Bridge) -> None:
        super().__init__()
        self.attempts.append(1)
        if len(self.attempts) == 1:
            raise ValueError("the first time it breaks")

    attempts: ClassVar[list[int]] = []


async def test_a_page_that_cannot_be_made_shows_a_panel_and_can_be_tried_again(
    house: WindowHouse, qtbot: QtBot, caplog: pytest.LogCaptureFixture
) -> None:
    Breaking.attempts = []
    places = (*PLACES, Place("breaking", "Breaking", "risk", Breaking))
    window = window_on(house, qtbot, places)
    window.go("breaking")
    panel = window.stage.page("breaking")
    assert isinstance(panel, ErrorPanel)
    assert "ValueError: the first time it breaks" in says(panel)
    window.go("dashboard")
    assert window.stage.current == "dashboard"
    window.go("breaking")
    click(qtbot, panel.again)
    assert isinstance(window.stage.page("breaking"), Breaking)
    assert "could not be made" in caplog.text
    window.put_away()


async def test_a_page_that_fails_while_it_is_told_something_shows_a_panel_there_alone(
    house: WindowHouse, window: MainWindow, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    window.go("queue")
    page = window.stage.page("queue")
    monkeypatch.setattr(page.slots, "upsert", lambda *_: 1 / 0)
    with qtbot.captureExceptions() as caught:
        house.holding()
    (_, error, _) = caught[0]
    window.stage.blame(error)
    await until(lambda: isinstance(window.stage.page("queue"), ErrorPanel))
    assert "ZeroDivisionError" in says(window.stage.page("queue"))
    assert not isinstance(window.stage.page("dashboard"), ErrorPanel)
    assert window.header.state.text() == "Running"


# -- notices


async def test_what_is_worth_a_notice_is_shown_in_the_corner(house: WindowHouse, window: MainWindow) -> None:
    group = house.holding()
    loud = Fact(
        code="order_rejected", text="leg 2: too small", level=Level.WARNING, group_id=group.id, notice=True
    )
    quiet = Fact(code="order_filled", text="filled")
    house.bridge.released((), (loud, quiet))
    (card,) = window.notices.cards
    assert card.notice.level == "warning"
    assert card.notice.title == "An order was rejected"
    assert card.notice.sentence == "leg 2: too small"
    assert card.notice.then is not None
    card.notice.then()
    assert window.stage.current == "positions"


async def test_a_notice_about_an_alert_alone_leads_to_its_story(
    house: WindowHouse, window: MainWindow
) -> None:
    alert = house.alert(timeframe="1")
    house.show()
    (card,) = [each for each in window.notices.cards if each.notice.title == "Doubtful timeframe"]
    assert card.notice.sentence.startswith("BTCUSDT: the first alert with timeframe 1")
    assert card.notice.action == "Show signal"
    assert card.notice.then is not None
    card.notice.then()
    assert window.stage.current == "signals"
    assert f"alert {alert.id}" in says(window.stage.page("signals"))


async def test_a_wish_that_is_refused_is_said_with_its_reason(window: MainWindow) -> None:
    window.wish(ExitGroup(group_id=4711), "The group was not closed")
    await until(lambda: window.notices.cards)
    assert window.notices.cards[0].notice.title == "The group was not closed"
    assert "there is no open group 4711" in window.notices.cards[0].notice.sentence


async def test_the_webhook_address_is_copied_with_a_warning(window: MainWindow) -> None:
    window.acts.copy_webhook.trigger()
    assert QGuiApplication.clipboard().text() == "http://127.0.0.1:8787/webhook/abc"
    assert "contains your secret" in window.notices.cards[0].notice.sentence


# -- closing everything


async def test_closing_everything_says_in_numbers_what_will_happen(
    house: WindowHouse, window: MainWindow, qtbot: QtBot
) -> None:
    house.holding()
    house.opened("ETHUSDT", "3000")
    click(qtbot, window.header.close_all)
    dialog = question(window)
    words = says(dialog)
    assert dialog.windowTitle() == "Close everything"
    assert "Close 2 groups at market?" in words
    assert "9 open orders are cancelled" in words
    assert "1 group that holds 199.55 USD is closed at market" in words
    assert dialog.confirm.text() == "Close 2 groups"
    assert dialog.focusWidget() is dialog.cancel


async def test_confirmed_everything_is_closed_and_the_engine_paused(
    house: WindowHouse, window: MainWindow, qtbot: QtBot
) -> None:
    house.holding()
    click(qtbot, window.header.close_all)
    click(qtbot, question(window).confirm)
    await until(lambda: window.dialog is None)
    assert house.book.engine.paused
    house.confirm_cancels()
    house.fill_all("exit")
    house.show()
    assert window.sidebar.count_of("positions") == (0, False)
    assert not window.header.close_all.isEnabled()


async def test_with_real_money_the_number_of_groups_must_be_typed(
    house: WindowHouse, window: MainWindow, qtbot: QtBot
) -> None:
    group = house.holding()
    house.bridge.released((replace(group, world=World.LIVE),), ())
    house.show()
    click(qtbot, window.header.close_all)
    dialog = question(window)
    assert not dialog.confirm.isEnabled()
    qtbot.keyClicks(dialog.typed, "1")
    assert dialog.confirm.isEnabled()
    dialog.reject()


async def test_nothing_open_leaves_nothing_to_close(window: MainWindow) -> None:
    assert not window.acts.close_all.isEnabled()


# -- leaving


async def test_quitting_asks_while_groups_are_open(
    house: WindowHouse, window: MainWindow, qtbot: QtBot
) -> None:
    house.holding()
    window.acts.quit.trigger()
    dialog = question(window)
    assert "Quit while 1 group is open?" in says(dialog)
    assert "stays open without care: no targets, no exits, no risk engine until you start again" in says(
        dialog
    )
    click(qtbot, dialog.cancel)
    assert house.quits == 0
    assert window.isVisible()
    window.close()
    click(qtbot, question(window).confirm)
    assert house.quits == 1
    assert not window.isVisible()


async def test_quitting_with_nothing_open_asks_nothing(house: WindowHouse, window: MainWindow) -> None:
    window.close()
    assert house.quits == 1
    assert window.dialog is None


async def test_page_and_columns_are_remembered_for_the_next_start(
    house: WindowHouse, window: MainWindow, qtbot: QtBot
) -> None:
    window.go("queue")
    table = window.stage.page("queue").table
    assert isinstance(table, TableView)
    table.heading.resizeSection(1, 240)
    window.put_away()
    again = window_on(house, qtbot)
    assert again.stage.current == "queue"
    await until(lambda: again.stage.page("queue").table.heading.sectionSize(1) == 240)
    again.put_away()


async def test_a_broken_memory_is_ignored(house: WindowHouse, qtbot: QtBot) -> None:
    (house.folder / "window.json").write_text("{no json", "utf-8")
    window = window_on(house, qtbot)
    assert window.stage.current == "dashboard"
    window.put_away()
    assert json.loads((house.folder / "window.json").read_text("utf-8"))["page"] == "dashboard"


async def test_a_memory_that_cannot_be_written_stops_nobody(
    house: WindowHouse, window: MainWindow, caplog: pytest.LogCaptureFixture
) -> None:
    window.memory._path = house.folder / "missing" / "window.json"
    window.put_away()
    assert "could not be remembered" in caplog.text


# -- status line


async def test_the_status_line_has_a_light_for_each_part(house: WindowHouse, window: MainWindow) -> None:
    house.opened()
    house.clock.forward(seconds=2)
    window._tick()
    webhook, exchange, prices = (window.status.item(name) for name in ("Webhook", "Exchange", "Prices"))
    assert webhook is not None
    assert exchange is not None
    assert prices is not None
    assert webhook.detail() == "127.0.0.1:8787 · last 2 s ago"
    assert exchange.detail() == "paper · manual prices"
    assert prices.detail() == "2.0 s old"
    assert window.status.clock.text().endswith("12:00:02 UTC")
    window.resize(1024, 700)
    assert webhook.detail() == "8787 · 2 s"


# -- the facade


async def test_the_window_appears_with_the_theme_of_the_settings_and_the_toggle_saves_it(
    house: WindowHouse, qapp: QApplication, qtbot: QtBot
) -> None:
    assert create(resources()) is qapp
    screen = Window(qapp)
    screen.attach(house.doors())
    house.feed.on_released(lambda change: screen.released(change.rows, change.facts))
    main = screen.main
    assert main is not None
    assert main.isVisible()
    assert theme.THEME.current.name == "dark"
    assert main.acts.theme.text() == "Light theme"
    click(qtbot, main.header.theme)
    await until(lambda: house.book.settings.ui.theme == "light")
    screen.bridge.flush()
    assert theme.THEME.current.name == "light"
    assert main.acts.theme.text() == "Dark theme"
    screen.close()
    assert house.quits == 0


async def test_an_engine_that_was_built_anew_is_shown_in_the_same_window(
    house: WindowHouse, qapp: QApplication, qtbot: QtBot, tmp_path: Path
) -> None:
    screen = Window(qapp)
    screen.attach(house.doors())
    main = screen.main
    assert main is not None
    house.holding()
    again = WindowHouse(tmp_path, store=house.store, ready=False)
    screen.attach(again.doors())
    assert screen.main is main
    assert main.sidebar.count_of("positions") == (1, False)
    screen.close()


async def test_ages_in_the_status_line_wait_for_no_batch(house: WindowHouse, window: MainWindow) -> None:
    house.opened()
    house.clock.time += timedelta(seconds=4)
    window._tick()
    prices = window.status.item("Prices")
    assert prices is not None
    assert prices.detail() == "4.0 s old"


async def test_an_answer_for_a_page_that_is_gone_is_dropped(
    house: WindowHouse, window: MainWindow, qtbot: QtBot
) -> None:
    page = window.stage.page("dashboard")
    page.refresh()
    page.deleteLater()
    QApplication.sendPostedEvents(page, QEvent.Type.DeferredDelete.value)
    window.stage._pages.pop("dashboard")
    await until(lambda: not house.bridge._tasks)


async def test_what_nobody_caught_is_logged_and_shown_on_its_page(
    house: WindowHouse, qapp: QApplication, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    screen = Window(qapp)
    screen.attach(house.doors())
    house.feed.on_released(lambda change: screen.released(change.rows, change.facts))
    main = screen.main
    assert main is not None
    page = main.stage.page("dashboard")
    monkeypatch.setattr(page.strip, "refresh", lambda *_: 1 / 0)
    house.holding()
    screen.bridge.flush()
    await until(lambda: isinstance(main.stage.page("dashboard"), ErrorPanel))
    assert main.sidebar.count_of("positions") == (1, False)
    assert "something went wrong in the window: division by zero" in caplog.text
    screen.close()


async def test_no_part_of_a_page_shows_itself_as_a_window_of_its_own(
    house: WindowHouse, qtbot: QtBot
) -> None:
    strays = Strays()
    QApplication.instance().installEventFilter(strays)
    window = window_on(house, qtbot)
    for place in PLACES:
        window.go(place.key)
    QApplication.instance().removeEventFilter(strays)
    window.put_away()
    assert strays.seen == []


class Strays(QObject):
    """Notes every widget but the window that is shown without a parent: it flashes on the screen."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        shown = event.type() is QEvent.Type.Show and isinstance(watched, QWidget) and watched.isWindow()
        if shown and not isinstance(watched, MainWindow):
            self.seen.append(type(watched).__name__)
        return False


async def test_a_window_whose_engine_is_always_busy_never_falls_behind_by_more_than_one_batch(
    house: WindowHouse, window: MainWindow
) -> None:
    bridge = house.bridge
    bridge.flush()
    bridge.doors = replace(bridge.doors, busy=lambda: True)
    told: list[Batch] = []
    bridge.changed.connect(told.append)
    for _ in range(10):
        for number in range(60):
            bridge.price(Price(exchange="binance", symbol=f"C{number}", last=D(1), at=house.clock.now()))
        bridge._timer.timeout.emit()  # a tenth of a second later
    bridge.flush()
    assert sum(len(batch.markets) for batch in told) <= 2 * 60


async def test_every_notice_is_kept_in_the_log_once(house: WindowHouse, window: MainWindow) -> None:
    kept: list[str] = []
    number = logger.add(lambda message: kept.append(message.record["message"]), level="INFO")
    try:
        window.notify(Notice("error", "The theme was not changed", "the disk is full"))
        house.bridge.released((), (Fact(code="close_all", text="all is sold", notice=True),))
    finally:
        logger.remove(number)
    assert kept == ["The theme was not changed: the disk is full"], "a fact is logged by who tells it"
    assert len(window.notices.cards) == 2
