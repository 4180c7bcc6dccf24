"""What a value is entered with: one editor per kind of setting, each with the same three things to ask of it."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent, QWheelEvent
from PySide6.QtWidgets import QCheckBox, QComboBox, QLineEdit, QPlainTextEdit, QWidget

from execution_engine.domain.money import text
from execution_engine.domain.schema import Kind, Setting
from execution_engine.domain.typed import read_number
from execution_engine.ui.format import MINUS
from execution_engine.ui.theme import px, restyle
from execution_engine.ui.tongue import tr

WIDTH = 220
LIST_HEIGHT = 76


class QuietCombo(QComboBox):
    """A combo box that lets the wheel scroll the page, unless it has the focus."""

    def __init__(self, parent: QWidget | None = None) -> None:
        """Take the focus by click and Tab alone."""
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Change the choice only with the focus."""
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()


class NumberEdit(QLineEdit):
    """Take an exact number with either decimal mark; ↑ and ↓ step it, tenfold with Shift.

    edited: the number, or the sentence that says why there is none.
    """

    edited = Signal(object)

    def __init__(self, *, unit: str = "", whole: bool = False, parent: QWidget | None = None) -> None:
        """Take the unit that may be typed behind it, and whether only whole numbers make sense."""
        super().__init__(parent)
        self._unit, self._whole = unit, whole
        self.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.setMaxLength(64)
        self.textEdited.connect(lambda _: self.edited.emit(self.read()))
        self.editingFinished.connect(self._tidy)

    def read(self) -> Decimal | str:
        """Return the number that stands there, or why there is none."""
        return read_number(self.text(), self._unit)

    def show_number(self, value: Decimal) -> None:
        """Show a number without telling anybody."""
        self.setText(shown(value))
        self.setCursorPosition(0)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Step with ↑ and ↓."""
        if event.key() in (Qt.Key.Key_Up, Qt.Key.Key_Down):
            times = 10 if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else 1
            self._step(times if event.key() == Qt.Key.Key_Up else -times)
            return
        super().keyPressEvent(event)

    def _step(self, times: int) -> None:
        now = self.read()
        if isinstance(now, Decimal):
            places = 0 if self._whole else max(0, -int(now.as_tuple().exponent))
            self.setText(shown(now + Decimal(times).scaleb(-places), places))
            self.edited.emit(self.read())

    def _tidy(self) -> None:
        now = self.read()
        if isinstance(now, Decimal):
            self.setText(shown(now, max(0, -int(now.as_tuple().exponent))))


def shown(value: Decimal, places: int | None = None) -> str:
    """Write a number for a field: digits and a point, no marks for thousands, which could be misread."""
    if places is not None:
        written = text(value.quantize(Decimal(1).scaleb(-places)))
    else:
        written = text(value)
        written = written.rstrip("0").rstrip(".") if "." in written else written
    return written.replace("-", MINUS)


class Editor(QWidget):
    """What the row asks of every kind: `show_value(plain)`, and these two signals.

    entered: a plain value. refused: the sentence that says why what stands there is none.
    """

    entered = Signal(object)
    refused = Signal(str)

    field: QWidget

    def show_value(self, value: Any) -> None:
        """Show a plain value without telling anybody."""
        raise NotImplementedError

    def mark(self, *, bad: bool) -> None:
        """Draw the border in red, or as usual."""
        if (self.field.property("bad") == "true") != bad:
            restyle(self.field, bad="true" if bad else "false")

    def _hold(self, field: QWidget, setting: Setting) -> None:
        self.field = field
        field.setParent(self)
        field.setAccessibleName(setting.title)
        field.setAccessibleDescription(setting.help)
        self.setFocusProxy(field)
        field.setFixedWidth(px(WIDTH))
        self.setFixedWidth(px(WIDTH))
        field.ensurePolished()
        height = px(LIST_HEIGHT) if isinstance(field, QPlainTextEdit) else field.sizeHint().height()
        field.setFixedHeight(height)
        self.setFixedHeight(height)


class NumberEditor(Editor):
    """Numbers, exact and whole."""

    def __init__(self, setting: Setting) -> None:
        """Take the limits from the schema."""
        super().__init__()
        self._setting = setting
        self.line = NumberEdit(unit=setting.unit, whole=setting.kind is Kind.WHOLE)
        self.line.edited.connect(self._edited)
        self._hold(self.line, setting)

    def show_value(self, value: Any) -> None:
        """Show a number."""
        self.line.show_number(Decimal(value))

    def _edited(self, read: Decimal | str) -> None:
        if isinstance(read, str):
            self.refused.emit(read)
            return
        fault = self._setting.fault_of(read)
        if fault:
            self.refused.emit(fault)
        else:
            self.entered.emit(int(read) if self._setting.kind is Kind.WHOLE else text(read))


class SwitchEditor(Editor):
    """Yes or no."""

    def __init__(self, setting: Setting) -> None:
        """Take the name from the schema."""
        super().__init__()
        self.box = QCheckBox()
        self.box.toggled.connect(lambda on: self.box.setText(tr("On") if on else tr("Off")))
        self.box.clicked.connect(lambda on: self.entered.emit(on))
        self.box.setText(tr("Off"))
        self._hold(self.box, setting)

    def show_value(self, value: Any) -> None:
        """Show a choice."""
        self.box.setChecked(bool(value))


class ChoiceEditor(Editor):
    """One of a few."""

    def __init__(self, setting: Setting) -> None:
        """Take the choices from the schema."""
        super().__init__()
        self.combo = QuietCombo()
        for value, word in setting.choices:
            self.combo.addItem(word, value)
        self.combo.activated.connect(lambda place: self.entered.emit(setting.choices[place][0]))
        self._values = [value for value, _ in setting.choices]
        self._hold(self.combo, setting)

    def show_value(self, value: Any) -> None:
        """Show a choice."""
        self.combo.setCurrentIndex(self._values.index(value))


class TextEditor(Editor):
    """A text of one line."""

    def __init__(self, setting: Setting) -> None:
        """Take the name from the schema."""
        super().__init__()
        self.line = QLineEdit()
        self.line.textEdited.connect(lambda typed: self.entered.emit(typed.strip()))
        self._hold(self.line, setting)

    def show_value(self, value: Any) -> None:
        """Show a text from its beginning."""
        self.line.setText(value)
        self.line.setCursorPosition(0)


class ListEditor(Editor):
    """Several texts, one per line; commas divide, too."""

    def __init__(self, setting: Setting) -> None:
        """Take the name from the schema."""
        super().__init__()
        self._showing = False
        self.area = QPlainTextEdit()
        self.area.setTabChangesFocus(True)
        self.area.setPlaceholderText(tr("one per line"))
        self.area.textChanged.connect(self._edited)
        self._hold(self.area, setting)

    def show_value(self, value: Any) -> None:
        """Show the texts."""
        if value != entries(self.area.toPlainText()):
            self._showing = True
            self.area.setPlainText("\n".join(value))
            self._showing = False

    def _edited(self) -> None:
        if not self._showing:
            self.entered.emit(entries(self.area.toPlainText()))


def entries(typed: str) -> list[str]:
    """Return the texts of a list: divided by lines and commas, without spaces around them."""
    found: Sequence[str] = typed.replace(",", "\n").split("\n")
    return [each.strip() for each in found if each.strip()]


_EDITORS: dict[Kind, type[Editor]] = {
    Kind.NUMBER: NumberEditor,
    Kind.WHOLE: NumberEditor,
    Kind.SWITCH: SwitchEditor,
    Kind.CHOICE: ChoiceEditor,
    Kind.TEXT: TextEditor,
    Kind.LIST: ListEditor,
}


def editor_for(setting: Setting) -> Editor:
    """Return what a setting is entered with."""
    made: Any = _EDITORS[setting.kind]
    return made(setting)  # type: ignore[no-any-return]
