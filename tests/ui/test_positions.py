"""The page Positions: what a person reads in the tree, below it and in its menus."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAction, QGuiApplication
from PySide6.QtWidgets import QApplication, QMenu
from pytestqt.qtbot import QtBot

from execution_engine.domain.rows import Group, Leg, Order
from execution_engine.ui import theme
from execution_engine.ui.pages.positions import PositionsPage
from execution_engine.ui.pages.positions.lines import GroupLine
from execution_engine.ui.widgets import ConfirmDialog, Label, Notice
from tests.house import D
from tests.ui.house_bridge import WatchedHouse
from tests.waiting import until


@pytest.fixture(autouse=True)
def _dark(qapp: QApplication) -> None:
    theme.apply(qapp, "dark")


class Desk:
    """A house with the page open over it."""

    def __init__(self, qtbot: QtBot, **settings: Any) -> None:
        self.house = WatchedHouse(settings)
        self.page = PositionsPage(self.house.bridge)
        self.notices: list[Notice] = []
        self.page.notice.connect(self.notices.append)
        qtbot.addWidget(self.page)
        self.page.resize(1300, 780)
        self.page.show()
        self.page.shown()

    def price(self, symbol: str, last: str, **more: Any) -> None:
        self.house.price(symbol, last, **more)
        self.house.show()

    def opened(self, symbol: str = "BTCUSDT", price: str = "65000", **fields: Any) -> Group:
        """Open a group, its orders accepted."""
        self.house.price(symbol, price)
        alert = self.house.alert(symbol=symbol, entry_price=price, **fields)
        self.house.accept()
        self.house.show()
        group_id = self.house.book.alerts[alert.id].group_id
        assert group_id is not None
        return self.house.book.groups[group_id]

    def entry(self, leg: Leg) -> Order:
        return next(o for o in self.house.working if o.leg_id == leg.id and o.purpose == "entry")

    def fill(self, leg: Leg, price: str | None = None, quantity: str | None = None, fee: str = "0") -> None:
        self.house.fill(self.entry(leg), price, quantity, fee_percent=fee)
        self.house.show()

    def row(self, id: int) -> dict[str, str]:
        """Return a row as it is read: column → text."""
        lines = self.page.tree.lines
        cells = lines.cells(lines.index_of(id))
        return {column.key: cell.text for column, cell in zip(lines.columns, cells, strict=True)}

    def top(self) -> list[str]:
        return [self.row(key)["position"] for key in self.page.tree.lines.keys()]  # noqa: SIM118

    def tip(self, id: int, column: str) -> str:
        lines = self.page.tree.lines
        at = [each.key for each in lines.columns].index(column)
        return lines.tooltip(lines.index_of(id, at))

    def unfold(self, id: int) -> None:
        self.page.tree.expandRecursively(self.page.tree.lines.index_of(id))
        self.page.grab()

    def menu(self, id: int) -> dict[str, QAction]:
        menu = QMenu(self.page)
        self.page.acts.fill(id, menu)
        return {action.text(): action for action in menu.actions() if action.text()}

    def dialog(self) -> ConfirmDialog:
        (dialog,) = self.page.findChildren(ConfirmDialog)
        return dialog

    def says(self, dialog: ConfirmDialog) -> str:
        return " ".join(label.text() for label in dialog.findChildren(Label) if not label.isHidden())


@pytest.fixture
def desk(qtbot: QtBot) -> Iterator[Desk]:
    made = Desk(qtbot)
    yield made
    made.page.close()


async def test_the_worked_example_of_a_group_reads_as_on_the_drawing(desk: Desk, qtbot: QtBot) -> None:
    group = desk.opened(timeframe="60")
    legs = desk.house.legs()
    for leg in legs[:3]:
        desk.fill(leg, fee="0.1")
    desk.price("BTCUSDT", "63742.10")
    row = desk.row(group.id)
    assert row["position"] == "BTCUSDT 1h Long"
    assert row["pyramids"] == "1 / 5"
    assert row["legs"] == "3 / 5"
    assert row["entry"] == "64,673.95"
    assert row["price"] == "63,742.10"
    assert row["target"] == "64,671.75"
    assert row["filled"] == "0.00926"
    assert row["unrealized"] == "−8.63"
    assert row["percent"] == "−1.44\u202f%"
    assert row["mode"] == "Per leg"
    assert row["status"] == "Part filled"


async def test_a_leg_tells_its_limit_while_open_and_its_fill_afterwards(desk: Desk) -> None:
    group = desk.opened()
    desk.unfold(group.id)
    leg = desk.house.legs()[1]
    assert desk.row(leg.id)["entry"] == "64,675.00"
    assert desk.row(leg.id)["filled"] == "0 / 0.00309"
    assert desk.row(leg.id)["status"] == "Open"
    desk.fill(leg, "64670", quantity="0.00109")
    row = desk.row(leg.id)
    assert (row["entry"], row["filled"], row["status"]) == ("64,670.00", "0.00109 / 0.00309", "Part filled")


async def test_a_leg_that_hit_its_target_tells_at_what_it_was_sold_and_what_it_earned(desk: Desk) -> None:
    group = desk.opened()
    desk.unfold(group.id)
    leg = desk.house.legs()[0]
    desk.fill(leg)
    desk.price("BTCUSDT", "65650")
    desk.house.fill_all("take_profit", "65660")
    desk.house.show()
    row = desk.row(leg.id)
    assert row["progress"] == "sold 65,660.00"
    assert row["unrealized"] == "realized +2.03"
    assert row["status"] == "Target hit"


async def test_progress_counts_from_the_fill_and_behind_it_there_is_none(desk: Desk) -> None:
    group = desk.opened()
    desk.unfold(group.id)
    leg = desk.house.legs()[0]
    desk.fill(leg)
    desk.price("BTCUSDT", "65325")
    assert desk.row(leg.id)["progress"] == "50\u202f%"
    assert desk.row(group.id)["progress"] == "50\u202f%"
    assert desk.tip(leg.id, "progress") == "(65,325.00 − 65,000.00) / (65,650.00 − 65,000.00) = 50\u202f%"
    desk.price("BTCUSDT", "64900")
    assert desk.row(leg.id)["progress"] == "0\u202f%"


async def test_under_a_common_target_the_group_has_it_and_legs_have_no_bar(desk: Desk) -> None:
    group = desk.opened(tp_mode="aggregate")
    desk.unfold(group.id)
    leg = desk.house.legs()[0]
    desk.fill(leg)
    desk.price("BTCUSDT", "65325")
    assert desk.row(group.id)["target"] == "65,650.00"
    assert desk.row(group.id)["mode"] == "Aggregate"
    assert desk.row(leg.id)["progress"] == ""
    assert (
        desk.tip(group.id, "target")
        == "Whole group: Target = 65,000.00 × 1.01, rounded up to the tick = 65,650.00"
    )


async def test_a_short_is_mirrored(desk: Desk) -> None:
    desk.house.balance("paper-perp")
    group = desk.opened("BTCUSDT.P", action="sell")
    leg = desk.house.legs()[0]
    desk.fill(leg)
    desk.price("BTCUSDT.P", "64900", bid="64890", ask="64900")
    row = desk.row(group.id)
    assert row["position"] == "BTCUSDT.P 15m Short"
    assert row["unrealized"] == "+0.30"
    assert desk.tip(group.id, "unrealized") == "Unrealized = (65,000.0 − 64,900.0) × 0.003 = 0.3 USD"


async def test_tooltips_give_the_formula_with_the_numbers_of_the_row(desk: Desk) -> None:
    group = desk.opened()
    desk.fill(desk.house.legs()[0])
    desk.price("BTCUSDT", "64000")
    assert desk.tip(group.id, "unrealized") == "Unrealized = (64,000.00 − 65,000.00) × 0.00307 = −3.07 USD"
    assert desk.tip(group.id, "entry") == "Average entry = 199.55 invested / 0.00307 held = 65,000"
    assert desk.tip(group.id, "percent").startswith("−3.07 / 199.55 invested = −1.53")


async def test_a_screen_reader_hears_the_row_in_words(desk: Desk) -> None:
    group = desk.opened(timeframe="60")
    desk.fill(desk.house.legs()[0])
    desk.price("BTCUSDT", "64000")
    index = desk.page.tree.lines.index_of(group.id)
    said = index.data(Qt.ItemDataRole.AccessibleTextRole)
    assert said == "BTCUSDT 1 hour long, unrealized minus 3.07 USD, part filled"


async def test_an_old_price_is_marked_and_says_how_old_it_is(desk: Desk) -> None:
    group = desk.opened()
    desk.fill(desk.house.legs()[0])
    desk.price("BTCUSDT", "64000")
    desk.house.clock.forward(seconds=42)
    desk.page.tick()
    lines = desk.page.tree.lines
    cells = dict(zip((c.key for c in lines.columns), lines.cells(lines.index_of(group.id)), strict=True))
    for key in ("price", "unrealized", "percent", "progress"):
        assert cells[key].stale, key
    assert cells["price"].shape == "clock"
    assert desk.tip(group.id, "price") == "Price is 42 s old; the stream is reconnecting"
    assert "unrealized, stale" in desk.page.bar.summary


async def test_ages_tick(desk: Desk) -> None:
    group = desk.opened()
    desk.house.clock.forward(minutes=3)
    desk.page.tick()
    assert desk.row(group.id)["age"] == "3 min"
    desk.house.clock.forward(hours=17)
    desk.page.tick()
    assert desk.row(group.id)["age"] == "17 h"


async def test_a_price_reaches_the_legs_in_sight_and_the_others_when_they_are_unfolded(desk: Desk) -> None:
    group = desk.opened()
    leg = desk.house.legs()[0]
    desk.fill(leg)
    desk.price("BTCUSDT", "64000")
    desk.price("BTCUSDT", "64100")
    desk.unfold(group.id)
    assert desk.row(leg.id)["unrealized"] == "−2.76"
    desk.price("BTCUSDT", "64200")
    assert desk.row(leg.id)["unrealized"] == "−2.46"


async def test_another_market_leaves_a_row_alone(desk: Desk) -> None:
    group = desk.opened()
    desk.opened("ETHUSDT", "3400")
    before = desk.page.tree.lines.record(group.id)
    desk.price("ETHUSDT", "3410")
    assert desk.page.tree.lines.record(group.id) is before


async def test_prices_wait_while_another_page_is_in_front(desk: Desk) -> None:
    group = desk.opened()
    desk.fill(desk.house.legs()[0])
    desk.page.hidden()
    desk.price("BTCUSDT", "64000")
    assert desk.row(group.id)["price"] == "65,000.00"
    desk.page.shown()
    assert desk.row(group.id)["price"] == "64,000.00"


async def test_the_sums_are_those_of_what_is_shown(desk: Desk) -> None:
    desk.opened()
    desk.fill(desk.house.legs()[0])
    desk.opened("ETHUSDT", "3400")
    desk.price("BTCUSDT", "64000")
    assert desk.page.bar.summary == "2 groups · invested 199.55 USD · unrealized −3.07 USD"
    desk.page.bar.search.setText("eth")
    assert desk.top() == ["ETHUSDT 15m Long"]
    assert desk.page.bar.summary == "1 of 2 groups · invested 0.00 USD · unrealized 0.00 USD"
    desk.page.set_narrow(True)
    assert desk.page.bar.summary == "1 of 2 groups · unrealized 0.00 USD"


async def test_a_filter_that_finds_nothing_says_so_and_can_be_cleared(desk: Desk) -> None:
    desk.opened()
    assert not desk.page.bar.clear_all.isVisible()
    desk.page.bar.search.setText("SOLX")
    assert desk.top() == []
    assert desk.page.tree.empty.sentence == "No group matches “SOLX”."
    desk.page.bar.clear_all.click()
    assert desk.top() == ["BTCUSDT 15m Long"]


async def test_groups_are_filtered_by_state_and_account(desk: Desk) -> None:
    desk.opened()
    desk.fill(desk.house.legs()[0])
    desk.opened("ETHUSDT", "3400")
    bar = desk.page.bar
    bar.states.setCurrentIndex(bar.states.findText("Live"))
    assert desk.top() == ["ETHUSDT 15m Long"]
    bar.states.setCurrentIndex(0)
    bar.accounts.setCurrentIndex(bar.accounts.findText("paper-perp"))
    assert desk.top() == []


async def test_a_closed_group_leaves_and_is_found_under_closed_today(desk: Desk) -> None:
    group = desk.opened()
    desk.fill(desk.house.legs()[0])
    desk.house.alert(type="exit")
    desk.house.confirm_cancels()
    desk.house.fill_all("exit", "65100")
    desk.house.show()
    assert desk.top() == []
    assert desk.page.tree.empty.sentence == "No open positions."
    bar = desk.page.bar
    bar.states.setCurrentIndex(bar.states.findText("Closed today"))
    assert desk.row(group.id)["unrealized"] == "realized +0.31"
    assert desk.row(group.id)["status"] == "Closed"
    assert bar.summary == "1 group · realized +0.31 USD"


async def test_rows_sort_and_keep_their_order_by_name_at_first(desk: Desk) -> None:
    desk.opened("SOLUSDT", "180")
    desk.opened("BTCUSDT", "65000")
    desk.opened("ETHUSDT", "3400")
    assert [name.split()[0] for name in desk.top()] == ["BTCUSDT", "ETHUSDT", "SOLUSDT"]
    desk.page.tree.lines.sort_by("position", descending=True)
    assert [name.split()[0] for name in desk.top()] == ["SOLUSDT", "ETHUSDT", "BTCUSDT"]


async def test_folds_and_columns_come_back_as_they_were_left(desk: Desk, qtbot: QtBot) -> None:
    group = desk.opened()
    desk.page.tree.setExpanded(desk.page.tree.lines.index_of(group.id), True)
    left = desk.page.tree.save_layout()
    again = PositionsPage(desk.house.bridge)
    qtbot.addWidget(again)
    again.resize(1300, 780)
    again.show()
    again.tree.restore_layout(left)
    assert again.tree.isExpanded(again.tree.lines.index_of(group.id))


async def test_a_narrow_page_shows_fewer_columns_and_no_facts_until_f4(desk: Desk, qtbot: QtBot) -> None:
    desk.opened()
    desk.page.resize(976, 600)
    desk.page.set_narrow(True)
    shown = {
        column.key
        for at, column in enumerate(desk.page.tree.lines.columns)
        if not desk.page.tree.heading.isSectionHidden(at)
    }
    assert shown == {
        "position", "legs", "entry", "price", "target", "progress", "unrealized", "percent", "status",
    }  # fmt: skip
    assert not desk.page.facts.isVisible()
    desk.page.tree.setFocus()
    qtbot.keyClick(desk.page.tree, Qt.Key.Key_F4)
    assert desk.page.facts.isVisible()


async def test_a_star_opens_everything_below(desk: Desk, qtbot: QtBot) -> None:
    group = desk.opened()
    desk.page.go_to(group.id)
    qtbot.keyClick(desk.page.tree, Qt.Key.Key_Asterisk)
    assert desk.page.tree.keys_in_sight() == [
        group.id,
        desk.house.pyramids()[0].id,
        *(leg.id for leg in desk.house.legs()),
    ]


async def test_copying_gives_exact_numbers(desk: Desk, qtbot: QtBot) -> None:
    group = desk.opened()
    desk.fill(desk.house.legs()[0])
    desk.price("BTCUSDT", "64000")
    desk.page.go_to(group.id)
    qtbot.keyClick(desk.page.tree, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    copied = QGuiApplication.clipboard().text().split("\t")
    assert copied[:3] == ["BTCUSDT 15m Long", "1/5", "1/5"]
    assert D(copied[8]) == D("-3.07")


async def test_the_exit_dialog_says_what_will_happen_with_numbers(desk: Desk) -> None:
    group = desk.opened(timeframe="60")
    for leg in desk.house.legs()[:2]:
        desk.fill(leg, fee="0.1")
    desk.price("BTCUSDT", "64000")
    desk.menu(group.id)["Exit group…"].trigger()
    dialog = desk.dialog()
    said = desk.says(dialog)
    assert "Exit BTCUSDT 1h at market?" in said
    assert "3 open legs are cancelled" in said
    assert "0.00616 BTC are sold, about 394.24 USDT at 64,000.00" in said
    # 394.24 − 399.39575 − 0.39424 − 0.39939575
    assert "realizes about −5.95 USD 0.79 USD of fees included" in said
    dialog.confirm.click()
    await until(lambda: bool(desk.notices))
    assert desk.notices[0].title == "BTCUSDT 1h"
    assert desk.notices[0].sentence == "BTCUSDT 1h is being closed."
    desk.house.show()
    assert desk.row(group.id)["status"] == "Closing"
    assert not desk.menu(group.id)["Exit group…"].isEnabled()


async def test_a_refusal_is_said_in_the_dialog_and_the_row_is_usable_again(desk: Desk) -> None:
    group = desk.opened()
    desk.fill(desk.house.legs()[0])
    desk.page.acts.ask_exit(group.id)
    dialog = desk.dialog()
    # It closes by itself while the question stands.
    desk.house.alert(type="exit")
    desk.house.confirm_cancels()
    desk.house.fill_all("exit", "65100")
    dialog.confirm.click()
    await until(lambda: bool(dialog.error))
    assert dialog.error == f"there is no open group {group.id}"
    assert not desk.notices
    dialog.reject()


async def test_a_row_says_that_a_wish_is_under_way(desk: Desk) -> None:
    group = desk.opened()
    desk.house.store.held = []
    desk.page.acts.ask_cancel(group.id)
    dialog = desk.dialog()
    assert "Cancel 5 open legs of BTCUSDT 15m?" in desk.says(dialog)
    dialog.confirm.click()
    await until(lambda: bool(desk.house.store.held))
    assert desk.row(group.id)["status"] == "Cancelling…"
    assert not desk.menu(group.id)["Block risk"].isEnabled()
    desk.house.store.let_go()
    await until(lambda: bool(desk.notices))
    assert desk.row(group.id)["status"] != "Cancelling…"


async def test_risk_can_be_skipped_and_blocked_and_the_mode_changed_from_the_menu(desk: Desk) -> None:
    group = desk.opened()
    desk.menu(group.id)["Block risk"].trigger()
    await until(lambda: len(desk.notices) == 1)
    desk.house.show()
    assert "Unblock risk" in desk.menu(group.id)
    desk.menu(group.id)["Skip risk once"].trigger()
    await until(lambda: len(desk.notices) == 2)
    desk.house.show()
    assert desk.menu(group.id)["Skip risk once"].isChecked()
    assert "leaves it alone" in desk.tip(group.id, "status")
    modes = desk.menu(group.id)["TP mode"].menu()
    assert isinstance(modes, QMenu)
    next(action for action in modes.actions() if action.text() == "Hybrid").trigger()
    await until(lambda: len(desk.notices) == 3)
    desk.house.show()
    assert desk.row(group.id)["mode"] == "Hybrid"


async def test_show_alerts_leads_to_the_newest_alert_of_the_group(desk: Desk, qtbot: QtBot) -> None:
    group = desk.opened()
    second = desk.house.alert(symbol="BTCUSDT", entry_price="64000")
    desk.house.accept()
    desk.house.show()
    with qtbot.waitSignal(desk.page.show_alert) as shown:
        desk.menu(group.id)["Show alerts"].trigger()
    assert shown.args == [second.id]


async def test_the_menu_opens_on_legs_too(desk: Desk) -> None:
    group = desk.opened()
    assert list(desk.menu(desk.house.legs()[2].id)) == list(desk.menu(group.id))


async def test_the_facts_of_the_chosen_group_stand_beside_its_chart(desk: Desk) -> None:
    group = desk.opened(timeframe="60")
    desk.fill(desk.house.legs()[0], fee="0.1")
    desk.price("BTCUSDT", "64000")
    desk.page.go_to(group.id)
    facts = desk.page.facts.facts
    assert facts.text("invested") == "199.55"
    assert facts.text("quantity") == "0.00307"
    assert facts.text("entry") == "65,000.00"
    assert facts.text("unrealized") == "−3.07"
    assert facts.text("fees") == "0.20"
    assert facts.text("target") == "65,650.00"
    assert facts.text("capital") == "1,000.00"
    assert facts.text("timer") == "not started"
    desk.price("BTCUSDT", "65100")
    assert facts.text("unrealized") == "+0.31"


async def test_the_group_that_goes_leaves_an_empty_chart(desk: Desk) -> None:
    group = desk.opened()
    desk.page.go_to(group.id)
    assert not desk.page.chart.chart.sentence.isVisible()
    desk.page.bar.search.setText("nothing")
    assert desk.page.chart.chart.sentence.text() == "Select a position to see its chart."
    assert desk.page.chart.chart.sentence.isVisible()
    assert desk.page.facts.facts.text("invested") == "–"


async def test_a_new_engine_replaces_everything(desk: Desk) -> None:
    group = desk.opened()
    desk.page.go_to(group.id)
    desk.house.bridge.attach(desk.house.doors())
    assert desk.top() == ["BTCUSDT 15m Long"]
    assert isinstance(desk.page.tree.lines.record(group.id), GroupLine)


async def test_the_page_can_be_made_before_there_is_an_engine(qtbot: QtBot) -> None:
    house = WatchedHouse()
    bridge = type(house.bridge)()
    page = PositionsPage(bridge)
    qtbot.addWidget(page)
    bridge.attach(house.doors())
    assert page.tree.empty.sentence == "No open positions."


async def test_a_double_click_unfolds(desk: Desk, qtbot: QtBot) -> None:
    group = desk.opened()
    tree = desk.page.tree
    index = tree.lines.index_of(group.id)
    point = tree.visualRect(index).center()
    qtbot.mouseDClick(tree.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(point.x(), point.y()))
    assert tree.isExpanded(tree.lines.index_of(group.id))
