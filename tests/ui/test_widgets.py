"""The parts of pages: they ask before, tell after, and stay exact."""

from __future__ import annotations

from decimal import Decimal

import pytest
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtWidgets import QApplication, QFrame, QWidget
from pytestqt.qtbot import QtBot

from execution_engine.ui import theme
from execution_engine.ui.widgets import (
    Banner,
    BusyArc,
    ConfirmDialog,
    Consequence,
    Facts,
    Figure,
    FigureStrip,
    Label,
    ModeBadge,
    Notice,
    NoticeStack,
    NumberField,
    PageBar,
    Panel,
    PoolBar,
    SearchField,
    SegmentedChoice,
    StateChip,
    StatusItem,
    Turning,
    button,
    follows,
)
from execution_engine.ui.widgets.marks import BEAT


@pytest.fixture(autouse=True)
def _dark(qapp: QApplication) -> None:
    theme.apply(qapp, "dark")


@pytest.fixture
def window(qtbot: QtBot) -> QWidget:
    made = QWidget()
    qtbot.addWidget(made)
    made.resize(900, 700)
    made.show()
    return made


def ask(qtbot: QtBot, window: QWidget, **more) -> ConfirmDialog:
    dialog = ConfirmDialog(
        "Close everything",
        "Close 10 groups at market?",
        "Close 10 groups",
        consequences=[
            follows("Queue", "is emptied"),
            Consequence("Account", [("paper", "text!")], mode="paper"),
        ],
        parent=window,
        **more,
    )
    dialog.open()
    return dialog


def test_cancel_has_the_focus_and_enter_never_triggers_red(qtbot: QtBot, window: QWidget) -> None:
    dialog = ask(qtbot, window)
    assert dialog.focusWidget() is dialog.cancel
    dialog.confirm.setFocus()
    with qtbot.assertNotEmitted(dialog.confirmed):
        qtbot.keyClick(dialog, Qt.Key.Key_Return)
    with qtbot.waitSignal(dialog.confirmed):
        qtbot.mouseClick(dialog.confirm, Qt.MouseButton.LeftButton)


def test_what_must_be_typed_unlocks_the_button(qtbot: QtBot, window: QWidget) -> None:
    dialog = ask(qtbot, window, type_this="10", mode="live")
    assert not dialog.confirm.isEnabled()
    qtbot.keyClicks(dialog.typed, "10")
    assert dialog.confirm.isEnabled()


def test_while_it_is_done_nothing_can_be_pressed_and_failing_says_why(qtbot: QtBot, window: QWidget) -> None:
    dialog = ask(qtbot, window)
    dialog.busy()
    dialog.reject()
    assert dialog.isVisible()
    assert not dialog.cancel.isEnabled()
    dialog.fail("Insufficient balance on paper.")
    assert dialog.error == "Insufficient balance on paper."
    assert dialog.confirm.isEnabled()
    qtbot.keyClick(dialog, Qt.Key.Key_Escape)
    assert not dialog.isVisible()


def test_at_most_four_notices_and_errors_stay_longest(window: QWidget) -> None:
    stack = NoticeStack(window)
    stack.add(Notice("error", "first"))
    for number in range(5):
        stack.add(Notice("success", f"number {number}", "A sentence.", "Show", lambda: None))
    assert [card.notice.title for card in stack.cards] == ["first", "number 2", "number 3", "number 4"]
    assert stack.geometry().right() < window.width()
    assert stack.geometry().bottom() < window.height()


def test_a_notice_leaves_by_itself_unless_it_is_an_error_or_held(qtbot: QtBot, window: QWidget) -> None:
    stack = NoticeStack(window)
    for level in ("success", "warning", "error"):
        stack.add(Notice(level, level))
    success, warning, error = stack.cards
    assert (success.timer.interval(), warning.timer.interval()) == (6_000, 12_000)
    assert not error.timer.isActive()
    success.enterEvent(None)
    assert not success.timer.isActive()
    success.leaveEvent(None)
    assert success.timer.isActive()
    success.timer.timeout.emit()
    assert stack.cards == [warning, error]


@pytest.mark.parametrize(
    ("typed", "value", "bad"),
    [
        ("1,234.50", "1234.50", False),
        ("1.234,50", "1234.50", False),
        ("0.1", "0.1", False),
        ("1,5", "1.5", False),  # not 15
        ("1,500", None, True),  # fifteen hundred in London, one and a half in Berlin
        ("1.500", None, True),
        ("-", None, True),
        ("99999", None, True),
    ],
)
def test_a_number_field_stays_exact(qtbot: QtBot, typed: str, value: str | None, bad: bool) -> None:
    field = NumberField(unit="USD", minimum=Decimal(0), maximum=Decimal(5000))
    qtbot.addWidget(field)
    qtbot.keyClicks(field, typed)
    assert field.value() == (None if value is None else Decimal(value))
    assert (field.property("bad") == "true") == bad


def test_a_number_that_can_be_read_in_two_ways_says_both(qtbot: QtBot) -> None:
    field = NumberField(Decimal(10_000), unit="USD")
    qtbot.addWidget(field)
    assert field.text() == "10000"
    field.clear()
    qtbot.keyClicks(field, "1.500")
    assert field.toolTip() == "“1.500” can be read as 1500 and as 1.5: write it one of these ways."
    field.clear()
    qtbot.keyClicks(field, "1500")
    assert field.toolTip() == ""


def test_arrows_step_exactly_and_stop_at_the_limits(qtbot: QtBot) -> None:
    field = NumberField(Decimal("0.2"), step=Decimal("0.1"), maximum=Decimal("0.3"), places=2)
    qtbot.addWidget(field)
    assert field.text() == "0.20"
    with qtbot.waitSignal(field.value_changed) as told:
        qtbot.keyClick(field, Qt.Key.Key_Up)
    assert told.args == [Decimal("0.3")]
    with qtbot.assertNotEmitted(field.value_changed):
        qtbot.keyClick(field, Qt.Key.Key_Up)


def test_letters_do_not_get_into_a_number(qtbot: QtBot) -> None:
    field = NumberField()
    qtbot.addWidget(field)
    qtbot.keyClicks(field, "1a2e3")
    assert field.text() == "123"


def test_escape_clears_the_search(qtbot: QtBot) -> None:
    field = SearchField()
    qtbot.addWidget(field)
    qtbot.keyClicks(field, "BTC")
    qtbot.keyClick(field, Qt.Key.Key_Escape)
    assert field.text() == ""


def test_a_choice_tells_what_the_user_chose(qtbot: QtBot, window: QWidget) -> None:
    choice = SegmentedChoice([("7", "7 d"), ("30", "30 d")], "30", parent=window)
    choice.show()
    assert choice.value() == "30"
    with qtbot.waitSignal(choice.chosen) as told:
        choice.findChildren(QWidget)[0].click()
    assert (told.args, choice.value()) == (["7"], "7")


def test_all_arcs_share_one_timer_that_rests(qtbot: QtBot, window: QWidget) -> None:
    arcs = [BusyArc(parent=window), BusyArc(parent=window)]
    for arc in arcs:
        arc.show()
    assert BEAT._timer is not None
    assert BEAT._timer.isActive()
    for arc in arcs:
        arc.hide()
    assert not BEAT._timer.isActive()


def test_markup_in_a_label_is_shown_as_it_is(qtbot: QtBot) -> None:
    label = Label("<b>x</b>")
    qtbot.addWidget(label)
    assert label.textFormat() == Qt.TextFormat.PlainText


def test_an_ampersand_on_a_button_is_shown(qtbot: QtBot) -> None:
    made = button("Confirm & Execute", "danger")
    qtbot.addWidget(made)
    assert made.text() == "Confirm && Execute"


@pytest.mark.parametrize("name", ["dark", "light"])
def test_every_part_paints_in_both_themes(qapp: QApplication, window: QWidget, name) -> None:
    theme.apply(qapp, name)
    figure, fact = Figure("Pool"), Facts(unit_width=32)
    figure.show_value("10 / 10", "full", token="profit", unit="USD")
    fact.add("net", "Net", unit="USD")
    fact.add("total", "Total", unit="USD", bold=True)
    fact.show_fact("net", "+1.00", "profit")
    panel = Panel("Results", "all accounts")
    panel.add(fact)
    item, banner = StatusItem("Webhook"), Banner()
    item.show_state("127.0.0.1:8787", "warn")
    banner.say("Paused", action="Resume", then=lambda: None)
    chip = StateChip("group", "closing")
    parts = [FigureStrip([figure, Figure("Queue")]), panel, item, banner, chip, PoolBar(11, 10)]
    parts += [ModeBadge(mode) for mode in ("paper", "testnet", "live")]
    for part in parts:
        part.setParent(window)
        part.show()
        assert not part.grab().isNull()
    assert (fact.text("net"), chip.accessibleName(), banner.text()) == ("+1.00", "Closing", "Paused")


def test_a_question_is_as_high_as_its_sentences(qapp: QApplication, qtbot: QtBot) -> None:
    """A guessed height would leave a hole above the buttons or cut a sentence off."""
    parent = QWidget()
    qtbot.addWidget(parent)
    for explanation in ("Short.", "It goes on and on for several lines. " * 12):
        dialog = ConfirmDialog("Quit", "Quit?", "Quit", explanation=explanation, parent=parent)
        dialog.open()
        footer = dialog.confirm.parentWidget()
        assert footer is not None
        assert footer.height() == footer.sizeHint().height()
        sentence = next(each for each in dialog.findChildren(Label) if each.text() == explanation)
        assert sentence.height() >= sentence.heightForWidth(sentence.width())
        dialog.fail("It was not done, and this is why. " * 8)
        assert footer.height() == footer.sizeHint().height()
        dialog.reject()


def test_the_icon_of_a_filled_button_is_white_in_both_themes(qapp: QApplication, qtbot: QtBot) -> None:
    made = button("Send", "primary", icon="send")
    qtbot.addWidget(made)
    for name in ("light", "dark"):
        theme.apply(qapp, name)
        image = made.icon().pixmap(32, 32).toImage()
        drawn = {
            image.pixelColor(x, y).name()
            for x in range(32)
            for y in range(32)
            if image.pixelColor(x, y).alpha() == 255
        }
        assert drawn == {"#ffffff"}


def test_parts_stand_side_by_side_where_they_fit_and_below_one_another_where_they_do_not(
    qtbot: QtBot,
) -> None:
    ground = QWidget()
    qtbot.addWidget(ground)
    row = Turning(ground)
    row.setSpacing(10)
    parts = [QWidget() for _ in range(3)]
    for part in parts:
        part.setMinimumSize(100, 20)
        row.addWidget(part)
    for width, places in ((320, [(0, 0), (110, 0), (220, 0)]), (319, [(0, 0), (0, 30), (0, 60)])):
        ground.resize(width, row.totalHeightForWidth(width))
        row.activate()
        assert [(part.x(), part.y()) for part in parts] == places
    assert ground.minimumSizeHint().width() == 100


def test_a_long_reason_in_the_status_bar_leaves_the_others_their_room(qtbot: QtBot) -> None:
    item = StatusItem("Books")
    qtbot.addWidget(item)
    item.show_state("the books differ from what the exchange says of " * 8, "warn")
    assert item.sizeHint().width() < 420
    assert item.detail().endswith("says of ")


def test_a_page_bar_takes_a_second_line_where_its_tools_do_not_fit(qtbot: QtBot) -> None:
    bar = PageBar("Signals")
    qtbot.addWidget(bar)
    search, late = SearchField("Symbol, reason, id"), button("Clear filters")
    late.hide()
    for tool in (search, late):
        bar.add(tool)
    compose = button("Compose alert…", "primary")
    bar.add_right(compose)
    bar.resize(600, bar.height())
    bar.show()
    QApplication.processEvents()
    one = bar.height()
    assert search.y() == compose.y()
    late.show()
    bar.resize(470, bar.height())
    QApplication.processEvents()
    assert bar.height() > one
    assert search.y() > compose.geometry().bottom()
    assert late.geometry().right() <= bar.width()
    late.hide()
    QApplication.processEvents()
    assert bar.height() == one


def test_two_lines_of_a_consequence_keep_clear_of_the_lines_around_them(
    qtbot: QtBot, window: QWidget
) -> None:
    long = "that show only this secret are refused from now on, exits as well, and nobody is told of them"
    dialog = ConfirmDialog("x", "x?", "x", consequences=[follows("Alerts", long)], parent=window)
    dialog.open()
    QApplication.processEvents()
    labels = {each.text(): each for each in dialog.findChildren(Label)}
    lines = [each for each in dialog.findChildren(QFrame) if each.property("divider")]
    above, below = sorted(line.mapTo(dialog, QPoint()).y() for line in lines)
    value = QRect(labels[long].mapTo(dialog, QPoint()), labels[long].size())
    assert value.height() > labels["Alerts"].fontMetrics().height() * 2 - 2
    assert value.top() - above >= 4
    assert below - value.bottom() >= 4
    name = labels["Alerts"]
    assert abs(name.mapTo(dialog, name.contentsRect().topLeft()).y() - value.top()) <= 1
