"""One setting on the screen: its name, its value, what it means, and what is wrong with it."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QWidget

from execution_engine.domain.changes import same
from execution_engine.domain.schema import Kind, Setting
from execution_engine.ui.format import exact
from execution_engine.ui.pages.settings.editors import editor_for, shown
from execution_engine.ui.pages.settings.sheet import Sheet
from execution_engine.ui.theme import THEME, color, px, tint
from execution_engine.ui.tongue import inline, tr, translated
from execution_engine.ui.widgets import Label, button

LABEL = 200
INDENT = 24
FAR = 10**9


class SettingRow(QWidget):
    """Show a setting and take edits of it; a bar at the left says that it is not saved yet."""

    def __init__(self, setting: Setting, sheet: Sheet) -> None:
        """Take what the schema says, and the sheet that holds the value."""
        super().__init__()
        self.setting, self._sheet = setting, sheet
        self._hit = False
        self.editor = editor_for(setting)
        self.label = Label(setting.title, "body", "text", wrap=True)
        self.label.setBuddy(self.editor.field)
        self.label.setToolTip(setting.path)
        self.unit = Label(setting.unit, "small", "text3")
        self.usual = Label("", "small", "text3")
        self.reset = button(
            tr("Reset"),
            "link",
            small=True,
            tip=tr("Reset {title} to its default").format(title=setting.title),
        )
        self.fault = Label("", "small", "danger", wrap=True)
        self.help = Label(self._helping(), "small", "text2", wrap=True)
        self._lay_out()
        self.editor.entered.connect(lambda value: sheet.put(setting.path, value))
        self.editor.refused.connect(lambda said: sheet.spoil(setting.path, said))
        self.reset.clicked.connect(self._reset)
        sheet.changed.connect(self._mark)
        sheet.refilled.connect(self.refill)
        THEME.theme_changed.connect(self.update)
        self.refill()
        self._mark()

    def _helping(self) -> str:
        limits = limits_of(self.setting)
        help = in_words(self.setting)
        return f"{help} {limits}.".strip() if limits else help

    def _lay_out(self) -> None:
        beside = QHBoxLayout()
        beside.setSpacing(px(8))
        beside.addWidget(self.editor)
        beside.addWidget(self.unit)
        beside.addWidget(self.usual)
        beside.addWidget(self.reset)
        beside.addStretch(1)
        self.label.setFixedWidth(px(LABEL))
        self.label.setMinimumHeight(px(28))
        grid = QGridLayout(self)
        grid.setContentsMargins(px(INDENT), px(6), px(16), px(6))
        grid.setHorizontalSpacing(px(8))
        grid.setVerticalSpacing(px(2))
        grid.addWidget(self.label, 0, 0, Qt.AlignmentFlag.AlignTop)
        grid.addLayout(beside, 0, 1)
        grid.addWidget(self.fault, 1, 1)
        grid.addWidget(self.help, 2, 1)
        grid.setColumnStretch(1, 1)

    @property
    def is_hit(self) -> bool:
        """Tell whether the last search found this setting."""
        return self._hit

    def show_hit(self, hit: bool) -> None:
        """Mark what a search found."""
        if hit != self._hit:
            self._hit = hit
            self.update()

    def refill(self) -> None:
        """Show the value of the sheet, unless what stands there makes no sense yet."""
        if not self._sheet.fault(self.setting.path) or not self._sheet.is_edited(self.setting.path):
            self.editor.show_value(self._sheet.value(self.setting.path))
            self._mark()

    def _reset(self) -> None:
        self._sheet.put(self.setting.path, self.setting.default)
        self.editor.show_value(self.setting.default)

    def _mark(self) -> None:
        path = self.setting.path
        fault = self._sheet.fault(path)
        self.fault.show_text(sentence(fault))
        self.fault.setVisible(bool(fault))
        self.editor.mark(bad=bool(fault))
        usual = not fault and same(self._sheet.value(path), self.setting.default)
        self.usual.show_text(
            "" if usual else tr("default {default}").format(default=self._written(self.setting.default))
        )
        self.usual.setVisible(not usual)
        self.reset.setVisible(not usual)
        self.unit.setVisible(bool(self.setting.unit))
        self.update()

    def _written(self, value: Any) -> str:
        if self.setting.kind is Kind.SWITCH:
            return tr("on") if value else tr("off")
        word = next((word for choice, word in self.setting.choices if choice == value), None)
        if word is not None:
            return word
        if self.setting.kind in (Kind.NUMBER, Kind.WHOLE):
            return shown(Decimal(value))
        return ", ".join(value) if isinstance(value, list) and value else str(value or tr("empty"))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the ground of a hit and the bar of what is not saved."""
        painter = QPainter(self)
        if self._hit:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(tint("accent"))
            painter.drawRect(self.rect())
        if self._sheet.is_edited(self.setting.path):
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(color("accent"))
            painter.drawRect(QRectF(0, px(4), 3, self.height() - px(8)))


def in_words(setting: Setting) -> str:
    """Return a setting's help with its choices called as the field calls them: Keep grid, not keep_grid."""
    said = setting.help
    for value, word in setting.choices:
        said = re.sub(rf"(?<![\w.]){re.escape(str(value))}:", f"{word}:", said)
    return said


def matches(setting: Setting, text: str) -> bool:
    """Tell whether a search finds a setting."""
    said = f"{setting.title} {setting.path} {setting.help} {setting.unit}"
    return all(word in said.casefold() for word in text.split())


def limits_of(setting: Setting) -> str:
    """Write the limits of a number; one that nobody reaches is left out."""
    low = "" if setting.minimum is None else exact(setting.minimum)
    high = "" if setting.maximum is None or setting.maximum > FAR else exact(setting.maximum)
    if low and high and not setting.above and not setting.below:
        return tr("{low} to {high}").format(low=low, high=high)
    if low == "0" and not high and not setting.above:
        return ""
    lower = (tr("above {low}") if setting.above else tr("from {low}")).format(low=low) if low else ""
    upper = (tr("below {high}") if setting.below else tr("at most {high}")).format(high=high) if high else ""
    said = ", ".join(each for each in (lower, upper) if each)
    return f"{said[:1].upper()}{said[1:]}"


def clause(said: str) -> str:
    """Return the same for the end of a sentence: “must be above 0.”"""
    told = sentence(said)
    return f"{inline(told[:1])}{told[1:]}"


def sentence(said: str) -> str:
    """Make a sentence of what the schema says of a value: “must be above 0” → “Must be above 0.”"""
    if said == "is missing":
        return tr("Enter a value.")
    said = translated(said)
    return f"{said[:1].upper()}{said[1:]}{'' if said.endswith('.') else '.'}" if said else ""
