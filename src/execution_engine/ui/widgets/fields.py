"""Fields: searching, and numbers that stay exact."""

import re
from decimal import Decimal

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QAction, QKeyEvent, QResizeEvent, QValidator, QWheelEvent
from PySide6.QtWidgets import QLineEdit, QToolButton, QWidget

from execution_engine.domain.typed import read_number
from execution_engine.ui import icons
from execution_engine.ui.format import GAP, MINUS, exact
from execution_engine.ui.theme import px, restyle
from execution_engine.ui.tongue import tr
from execution_engine.ui.widgets.labels import Label

# Thousands by one mark and decimals by the other can be read in one way only, in every country.
_BOTH_MARKS = re.compile(r"([+-]?\d{1,3}(?:([.,])\d{3})+)(?!\2)[.,](\d*)", re.ASCII)


class SearchField(QLineEdit):
    """Filter by a text; Esc clears it, a cross appears while there is something to clear."""

    def __init__(
        self, placeholder: str = tr("Filter by symbol"), width: int = 200, parent: QWidget | None = None
    ) -> None:
        """Take the grey text and the width [px]."""
        super().__init__(parent)
        self.setPlaceholderText(placeholder)
        self.setAccessibleName(placeholder)
        self.setProperty("search", "true")
        self.setFixedWidth(px(width))
        glass, self._clear = QAction(self), QAction(tr("Clear"), self)
        icons.bind(glass, "search", "text")
        icons.bind(self._clear, "close", "text2")
        self.addAction(glass, QLineEdit.ActionPosition.LeadingPosition)
        self.addAction(self._clear, QLineEdit.ActionPosition.TrailingPosition)
        for each in self.findChildren(QToolButton):
            each.setAccessibleName(tr("Clear") if each.defaultAction() is self._clear else tr("Search"))
        self._clear.triggered.connect(self.clear)
        self._clear.setVisible(False)
        self.textChanged.connect(lambda text: self._clear.setVisible(bool(text)))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Clear with Esc; an empty field lets Esc pass."""
        if event.key() == Qt.Key.Key_Escape and self.text():
            self.clear()
            return
        super().keyPressEvent(event)


class _Digits(QValidator):
    """Let through what can become a number, exactly as it is typed."""

    def validate(self, text: str, position: int) -> object:
        if isinstance(_read(text), Decimal):
            return QValidator.State.Acceptable, text, position
        typed = text.replace(MINUS, "-").replace(GAP, "").strip()
        rest = typed[1:] if typed[:1] in "+-" else typed
        possible = all(each in "0123456789.," for each in rest)
        return (QValidator.State.Intermediate if possible else QValidator.State.Invalid), text, position


def _read(text: str) -> Decimal | str:
    """Return the number that was typed, with either decimal mark, or why it is none; nothing is guessed."""
    plain = text.replace(MINUS, "-").replace(GAP, "").strip()
    both = _BOTH_MARKS.fullmatch(plain)
    if both is not None:
        plain = f"{both[1].replace(both[2], '')}.{both[3]}"
    return read_number(plain)


class NumberField(QLineEdit):
    """Take an exact decimal number with its unit; never a float. What can be read in two ways is not taken.

    value_changed: the new value, None while there is none
    """

    value_changed = Signal(object)

    def __init__(
        self,
        value: Decimal | None = None,
        *,
        unit: str = "",
        step: Decimal = Decimal(1),
        minimum: Decimal | None = None,
        maximum: Decimal | None = None,
        places: int | None = None,
        name: str = "",
        parent: QWidget | None = None,
    ) -> None:
        """Take limits (both inclusive), the step of ↑ and ↓, and how many decimals are shown at least."""
        super().__init__(parent)
        self.step, self.minimum, self.maximum, self.places = step, minimum, maximum, places
        self._value: Decimal | None = None
        self.setValidator(_Digits(self))
        self.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.setAccessibleName(name)
        self._unit = Label(unit, "small", "text3", parent=self)
        self._unit.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.set_unit(unit)
        self.textEdited.connect(self._edited)
        self.editingFinished.connect(self._tidy)
        self.set_value(value)

    def value(self) -> Decimal | None:
        """Return the number, None when there is none or it is outside of the limits."""
        return self._value

    @property
    def why(self) -> str:
        """Return why what stands there is no number; empty when it is one, or nothing stands there."""
        read = _read(self.text())
        return read if isinstance(read, str) and self.text() else ""

    def set_value(self, value: Decimal | None) -> None:
        """Show a number without telling anybody."""
        self._value = value
        self.setText("" if value is None else self._shown(value))
        self.mark(bad=False)

    def set_unit(self, unit: str) -> None:
        """Change the unit at the right end."""
        self._unit.setText(unit)
        self._unit.adjustSize()
        self.setTextMargins(0, 0, self._unit.width() + 6 if unit else 0, 0)
        self._place_unit()

    def mark(self, *, bad: bool) -> None:
        """Draw the border in red, or as usual."""
        if (self.property("bad") == "true") != bad:
            restyle(self, bad="true" if bad else "false")

    def sizeHint(self) -> QSize:
        """Return a width for ten digits and the unit."""
        return QSize(
            px(120) + (self._unit.width() + 6 if self._unit.text() else 0), super().sizeHint().height()
        )

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep the unit at the right."""
        super().resizeEvent(event)
        self._place_unit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Step with ↑ and ↓, tenfold with Shift."""
        if event.key() in (Qt.Key.Key_Up, Qt.Key.Key_Down) and not self.isReadOnly():
            tenfold = 10 if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else 1
            self._step(tenfold if event.key() == Qt.Key.Key_Up else -tenfold)
            return
        super().keyPressEvent(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Step with the wheel, only with the focus: a page that scrolls must not change a number."""
        if self.hasFocus() and not self.isReadOnly() and event.angleDelta().y():
            self._step(1 if event.angleDelta().y() > 0 else -1)
            event.accept()
        else:
            event.ignore()

    def _step(self, times: int) -> None:
        now = _read(self.text())
        wanted = (now if isinstance(now, Decimal) else Decimal(0)) + self.step * times
        if self.minimum is not None:
            wanted = max(self.minimum, wanted)
        if self.maximum is not None:
            wanted = min(self.maximum, wanted)
        self.setText(self._shown(wanted))
        self._edited()

    def _edited(self, text: str = "") -> None:
        read = _read(self.text())
        value = read if isinstance(read, Decimal) else None
        inside = value is not None and self._inside(value)
        self.mark(bad=bool(self.text()) and not inside)
        self.setToolTip(f"{self.why[:1].upper()}{self.why[1:]}." if self.why else "")
        accepted = value if inside else None
        if accepted != self._value:
            self._value = accepted
            self.value_changed.emit(accepted)

    def _inside(self, value: Decimal) -> bool:
        above = self.minimum is None or value >= self.minimum
        return above and (self.maximum is None or value <= self.maximum)

    def _tidy(self) -> None:
        if self._value is not None:
            self.setText(self._shown(self._value))

    def _shown(self, value: Decimal) -> str:
        text = exact(value).replace(",", "")  # no marks for thousands, which could be misread
        if not self.places:
            return text
        whole, _, decimals = text.partition(".")
        return f"{whole}.{decimals.ljust(self.places, '0')}"

    def _place_unit(self) -> None:
        unit = self._unit
        unit.move(self.width() - unit.width() - 8, (self.height() - unit.height()) // 2)
