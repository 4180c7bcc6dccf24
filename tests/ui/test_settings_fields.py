"""Fields of the settings: each kind with what is right, what is nonsense, and what is out of range."""

from __future__ import annotations

from decimal import Decimal as D

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from execution_engine.domain import document as documents
from execution_engine.domain import schema
from execution_engine.domain.money import text
from execution_engine.domain.schema import Kind, Setting
from execution_engine.domain.settings import Settings
from execution_engine.ui import theme
from execution_engine.ui.pages.settings.editors import (
    ChoiceEditor,
    ListEditor,
    NumberEditor,
    SwitchEditor,
    TextEditor,
)
from execution_engine.ui.pages.settings.row import SettingRow, in_words, limits_of, matches, sentence
from execution_engine.ui.pages.settings.sheet import Sheet

EVERY = [*schema.settings(), *schema.of_account("main")]
NUMBERS = [each for each in EVERY if each.kind in (Kind.NUMBER, Kind.WHOLE)]
WHOLE = [each for each in NUMBERS if each.kind is Kind.WHOLE]
NONSENSE = {
    "": "Enter a value.",
    "abc": "Must be a number.",
    "1e3": "Must be written with all its digits, without an exponent.",
    "NaN": "Must be a number.",
    "--1": "Must be a number.",
    "1,234.5": "Write thousands without marks: 1234.5.",
    "1.234,5": "Write thousands without marks: 1234.5.",
    "1,234": "“1,234” can be read as 1234 and as 1.234: write it one of these ways.",
    "10.000": "“10.000” can be read as 10000 and as 10.0: write it one of these ways.",
    "9" * 40: "Has more than 28 digits.",
    "<b>1</b>": "Must be a number.",
}


def ids(setting: Setting) -> str:
    return setting.path


@pytest.fixture(autouse=True)
def _dark(qapp: QApplication) -> None:
    theme.apply(qapp, "dark")


def row_of(qtbot: QtBot, path: str, settings: Settings | None = None) -> tuple[SettingRow, Sheet]:
    setting = next(each for each in EVERY if each.path == path)
    sheet = Sheet(settings or Settings())
    row = SettingRow(setting, sheet)
    qtbot.addWidget(row)
    row.show()
    return row, sheet


def typed(row: SettingRow, text: str) -> None:
    """Put a text in the place of what stands in the field, as a person would."""
    assert isinstance(row.editor, NumberEditor | TextEditor)
    line = row.editor.line
    line.selectAll()
    line.insert(text) if text else line.del_()


@pytest.mark.fault(76)
@pytest.mark.parametrize("setting", NUMBERS, ids=ids)
def test_nonsense_is_marked_at_the_field_as_it_is_typed_and_cannot_be_saved(
    qtbot: QtBot, setting: Setting
) -> None:
    row, sheet = row_of(qtbot, setting.path)
    for wrong, words in NONSENSE.items():
        typed(row, wrong)
        assert row.fault.text() == words
        assert row.fault.isVisible()
        assert row.editor.field.property("bad") == "true"
        assert sheet.settings is None
        assert sheet.is_edited(setting.path)
    typed(row, text(D(str(setting.default))))
    assert not row.fault.isVisible()
    assert sheet.settings == Settings()
    assert not sheet.is_dirty


@pytest.mark.parametrize("setting", NUMBERS, ids=ids)
def test_extremes_are_refused_in_the_words_of_the_schema(qtbot: QtBot, setting: Setting) -> None:
    row, sheet = row_of(qtbot, setting.path)
    step = D(1) if setting.kind is Kind.WHOLE else D("0.01")
    for limit, outward, strict in (
        (setting.minimum, -step, setting.above),
        (setting.maximum, step, setting.below),
    ):
        if limit is None:
            continue
        for wrong in (limit + outward, limit + outward * 10**6, *([limit] if strict else [])):
            typed(row, text(wrong))
            assert row.fault.text().startswith("Must be ")
            assert text(limit) in row.fault.text()
            assert sheet.settings is None
        right = limit - outward if strict else limit
        typed(row, text(right))
        assert row.fault.text() == ""
        assert sheet.settings is not None
        assert D(str(sheet.value(setting.path))) == right


def test_where_only_whole_numbers_make_sense_a_part_of_one_is_refused(qtbot: QtBot) -> None:
    for setting in WHOLE:
        row, sheet = row_of(qtbot, setting.path)
        for part in ("1.5", "1,5"):
            typed(row, part)
            assert row.fault.text() == "Must be a whole number."
        assert sheet.settings is None


@pytest.mark.parametrize(
    ("path", "given", "value"),
    [
        ("capital.total_usd", "12500.5", "12500.5"),
        ("capital.total_usd", "12500,5", "12500.5"),
        ("capital.total_usd", "12 500,5", "12500.5"),
        ("capital.total_usd", "12500.5 USD", "12500.5"),
        ("risk.loss_threshold_percent", "\u22127,5", "-7.5"),
        ("risk.loss_threshold_percent", "-7.5 %", "-7.5"),
        ("ui.scale", "1,25", "1.25"),
        ("accounts.main.leverage", "3", "3"),
        ("pool.max_open_groups", "0012", 12),
    ],
)
def test_either_decimal_mark_is_understood(qtbot: QtBot, path: str, given: str, value: object) -> None:
    row, sheet = row_of(qtbot, path)
    typed(row, given)
    assert sheet.value(path) == value
    assert row.fault.text() == ""
    assert sheet.settings is not None
    assert documents.get(sheet.settings, path) == value


def test_a_number_is_tidied_once_the_cursor_leaves_it(qtbot: QtBot) -> None:
    row, sheet = row_of(qtbot, "risk.loss_threshold_percent")
    assert isinstance(row.editor, NumberEditor)
    typed(row, " -7,50 % ")
    row.editor.line.editingFinished.emit()
    assert row.editor.line.text() == "\u22127.50"
    typed(row, "x")
    row.editor.line.editingFinished.emit()
    assert row.editor.line.text() == "x"
    assert sheet.settings is None


@pytest.mark.parametrize(
    ("path", "key", "shift", "now"),
    [
        ("pool.max_open_groups", Qt.Key.Key_Up, False, "11"),
        ("pool.max_open_groups", Qt.Key.Key_Down, True, "0"),
        ("grid.max_slippage_percent", Qt.Key.Key_Up, False, "0.6"),
        ("grid.max_slippage_percent", Qt.Key.Key_Down, False, "0.4"),
        ("grid.max_slippage_percent", Qt.Key.Key_Up, True, "1.5"),
    ],
)
def test_arrow_keys_step_a_number(qtbot: QtBot, path: str, key: Qt.Key, shift: bool, now: str) -> None:
    row, _ = row_of(qtbot, path)
    assert isinstance(row.editor, NumberEditor)
    keys = Qt.KeyboardModifier.ShiftModifier if shift else Qt.KeyboardModifier.NoModifier
    qtbot.keyClick(row.editor.line, key, keys)
    assert row.editor.line.text() == now
    typed(row, "x")
    qtbot.keyClick(row.editor.line, key, keys)
    assert row.editor.line.text() == "x"


def test_a_switch(qtbot: QtBot) -> None:
    row, sheet = row_of(qtbot, "risk.enabled")
    assert isinstance(row.editor, SwitchEditor)
    assert row.editor.box.text() == "On"
    row.editor.box.click()
    assert row.editor.box.text() == "Off"
    assert sheet.value("risk.enabled") is False
    assert row.usual.text() == "default on"
    row.reset.click()
    assert row.editor.box.isChecked()
    assert not sheet.is_dirty


def test_a_choice_and_the_wheel_that_scrolls_the_page(qtbot: QtBot) -> None:
    row, sheet = row_of(qtbot, "risk.rehearsal")
    assert isinstance(row.editor, ChoiceEditor)
    combo = row.editor.combo
    assert [combo.itemText(n) for n in range(combo.count())] == ["Auto", "On", "Off"]
    row.setFocus()
    combo.clearFocus()
    down = QPoint(0, -120)
    none, plain = Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier
    turn = QWheelEvent(
        QPointF(5, 5), QPointF(5, 5), down, down, none, plain, Qt.ScrollPhase.NoScrollPhase, False
    )
    QApplication.sendEvent(combo, turn)
    assert combo.currentText() == "Auto"
    combo.setCurrentIndex(2)
    combo.activated.emit(2)
    assert sheet.value("risk.rehearsal") is False
    assert row.usual.text() == "default Auto"
    row.reset.click()
    assert combo.currentText() == "Auto"


@pytest.mark.parametrize(
    ("path", "given", "words"),
    [
        (
            "webhook.host",
            "http://x",
            "“http://x” is no address to listen on, as 127.0.0.1, 0.0.0.0 or localhost.",
        ),
        (
            "webhook.host",
            "1.2.3.4.5",
            "“1.2.3.4.5” is no address to listen on, as 127.0.0.1, 0.0.0.0 or localhost.",
        ),
        ("webhook.host", "", "“” is no address to listen on, as 127.0.0.1, 0.0.0.0 or localhost."),
        ("webhook.host", " localhost ", ""),
        ("backups.folder", "x" * 5000, "Must have at most 4096 characters."),
    ],
)
def test_a_text(qtbot: QtBot, path: str, given: str, words: str) -> None:
    row, sheet = row_of(qtbot, path)
    typed(row, given)
    assert row.fault.text() == words
    assert (sheet.settings is None) == bool(words)


@pytest.mark.parametrize(
    ("path", "given", "value", "words"),
    [
        ("webhook.ip_allowlist", "10.0.0.1\n 10.1.0.0/16 ,::1\n\n", ["10.0.0.1", "10.1.0.0/16", "::1"], ""),
        ("webhook.ip_allowlist", "10.0.0.300", ["10.0.0.300"], "“10.0.0.300” is no IP address or network"),
        ("signals.symbols", "BTC*\nETH USDT", ["BTC*", "ETH USDT"], "Must be a pattern without spaces"),
    ],
)
def test_a_list(qtbot: QtBot, path: str, given: str, value: list[str], words: str) -> None:
    row, sheet = row_of(qtbot, path)
    assert isinstance(row.editor, ListEditor)
    row.editor.area.setPlainText(given)
    assert sheet.value(path) == value
    assert words in row.fault.text()
    assert (sheet.settings is None) == bool(words)
    row.reset.click()
    assert row.editor.area.toPlainText() == ""
    assert not sheet.is_dirty


TEXTS = [each for each in EVERY if each.kind in (Kind.TEXT, Kind.LIST)]
ODD = (
    "\u0661\u0662\u066b\u0665",  # Arabic digits
    "\uff11\uff12",  # full-width ones
    "‮gnp.exe",  # written from right to left
    "a\u200bb\ufeff",
    "a\tb\x07\x1b[31m",
    "\ud83d\ude00 ünï",
    "../../etc/passwd",
    "'; DROP TABLE alerts; --",
    "${HOME} %s {0}",
    "x" * 20_000,
    " \u00a0 ",
)


@pytest.mark.fault(76)
@pytest.mark.parametrize("setting", TEXTS, ids=ids)
def test_an_odd_text_is_marked_or_can_be_saved_and_read_again(qtbot: QtBot, setting: Setting) -> None:
    row, sheet = row_of(qtbot, setting.path)
    for odd in ODD:
        if isinstance(row.editor, ListEditor):
            row.editor.area.setPlainText(odd)
        else:
            typed(row, odd)
        if sheet.settings is None:
            assert row.fault.text()
            assert row.fault.isVisible()
        else:
            assert documents.parse(documents.dump(sheet.settings)) == sheet.settings
    row.reset.click()
    assert sheet.settings == Settings()


ELSEWHERE = (
    "1'234.5",
    "1.234.567",
    "12,34,567",
    "1,234,567.8",
    "\u0661\u0662",
    "\uff11",
    "1_000",
    "½",
    "12\n34",
)


@pytest.mark.fault(76)
@pytest.mark.parametrize("setting", NUMBERS, ids=ids)
def test_numbers_as_they_are_written_elsewhere_are_understood_or_asked_about_and_never_guessed(
    qtbot: QtBot, setting: Setting
) -> None:
    row, sheet = row_of(qtbot, setting.path)
    for elsewhere in ELSEWHERE:
        typed(row, elsewhere)
        assert row.fault.text(), elsewhere
        assert sheet.settings is None


def test_what_differs_from_the_default_is_marked_with_a_way_back(qtbot: QtBot) -> None:
    changed = documents.with_value(Settings(), "capital.total_usd", "25000")
    row, sheet = row_of(qtbot, "capital.total_usd", changed)
    assert (row.usual.text(), row.reset.isVisible()) == ("default 10000", True)
    assert not sheet.is_dirty
    row.reset.click()
    assert (row.usual.isVisible(), row.reset.isVisible()) == (False, False)
    assert [str(change) for change in sheet.changes] == ["capital.total_usd 25000 → 10000"]
    sheet.discard()
    assert isinstance(row.editor, NumberEditor)
    assert row.editor.line.text() == "25000"


def test_what_is_changed_elsewhere_is_shown_unless_it_is_edited_here(qtbot: QtBot) -> None:
    row, sheet = row_of(qtbot, "capital.total_usd")
    assert isinstance(row.editor, NumberEditor)
    sheet.rebase(documents.with_value(Settings(), "capital.total_usd", "500"))
    assert row.editor.line.text() == "500"
    typed(row, "x")
    sheet.rebase(documents.with_value(Settings(), "capital.total_usd", "600"))
    assert row.editor.line.text() == "x"
    typed(row, "700")
    sheet.rebase(documents.with_value(Settings(), "capital.total_usd", "700.0"))
    assert not sheet.is_dirty


def test_every_field_says_its_name_and_what_it_means(qtbot: QtBot) -> None:
    for setting in EVERY:
        row, _ = row_of(qtbot, setting.path)
        assert row.editor.field.accessibleName() == setting.title
        assert row.help.text().startswith(in_words(setting))
        assert all(f" {key}:" not in f" {row.help.text()}" for key, word in setting.choices if key != word)
        assert matches(setting, setting.path.casefold())
        assert row.unit.isVisible() == bool(setting.unit)
        assert not row.fault.isVisible()


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("capital.total_usd", "Above 0"),
        ("capital.max_order_usd", ""),
        ("pool.max_open_groups", "1 to 1,000"),
        ("risk.loss_threshold_percent", "From \u2212100, below 0"),
        ("risk.enabled", ""),
    ],
)
def test_limits_are_said_where_somebody_could_reach_them(path: str, words: str) -> None:
    assert limits_of(schema.by_path()[path]) == words


def test_a_sentence_is_made_of_what_the_schema_says() -> None:
    assert [sentence(said) for said in ("", "is missing", "must be above 0", "Is so.")] == [
        "", "Enter a value.", "Must be above 0.", "Is so.",
    ]  # fmt: skip
