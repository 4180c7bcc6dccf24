"""Figures: the tiles of a strip, and lists of facts with a label, a value and a unit."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from execution_engine.ui.theme import Token, px
from execution_engine.ui.widgets.labels import Label, divider
from execution_engine.ui.widgets.panel import Panel


class Figure(QFrame):
    """Show one figure: a label, a big value with its unit, a line below.

    `show_widget` puts a chip or a bar in the place of the value or of the line below.
    """

    def __init__(self, label: str, parent: QWidget | None = None) -> None:
        """Take the label."""
        super().__init__(parent)
        self.label = Label(label, "small", "text3")
        self.value = Label("–", "figure")
        self.unit = Label("", "small", "text3")
        self.below = Label("", "small", "text2")
        self.setAccessibleName(label)
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self.value, alignment=Qt.AlignmentFlag.AlignBaseline)
        row.addWidget(self.unit, alignment=Qt.AlignmentFlag.AlignBaseline)
        row.addStretch(1)
        self._rows = QVBoxLayout(self)
        self._rows.setContentsMargins(px(16), px(12), px(16), px(12))
        self._rows.setSpacing(0)
        self._rows.addWidget(self.label)
        self._rows.addStretch(1)
        self._rows.addLayout(row)
        self._rows.addStretch(1)
        self._rows.addWidget(self.below)

    def show_value(self, value: str, below: str = "", *, token: Token = "text", unit: str = "") -> None:
        """Change value, unit, colour and the line below."""
        self.value.show_text(value, token)
        self.unit.show_text(unit)
        self.below.show_text(below)
        self.setAccessibleDescription(f"{value} {unit} {below}".strip())

    def replace_value(self, widget: QWidget) -> None:
        """Show a widget, such as a chip, instead of the big value."""
        self.value.hide()
        self.unit.hide()
        self._rows.insertWidget(2, widget, alignment=Qt.AlignmentFlag.AlignLeft)

    def replace_below(self, widget: QWidget) -> None:
        """Show a widget, such as the pool's bar, instead of the line below."""
        self.below.hide()
        # As high as the line it replaces, so that the values of all tiles stand on one line.
        line = QWidget()
        line.setFixedHeight(self.below.sizeHint().height())
        row = QHBoxLayout(line)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(widget)
        row.addStretch(1)
        self._rows.addWidget(line)


class FigureStrip(Panel):
    """Show figures side by side in one frame, with a line between them."""

    def __init__(self, figures: list[Figure], height: int = 92, parent: QWidget | None = None) -> None:
        """Take the figures from left to right and the height [px]."""
        super().__init__(parent=parent)
        self.setFixedHeight(px(height))
        self.figures = figures
        row = QHBoxLayout()
        row.setSpacing(0)
        for place, figure in enumerate(figures):
            if place < len(figures) - 1:
                figure.setProperty("cell", "divided")
            row.addWidget(figure, 1)
        self.add(row)


class Facts(QWidget):
    """List facts: label at the left, value and unit at the right, a line between two.

    Rows are made once by `add` and changed by `show_fact`.
    """

    def __init__(self, *, unit_width: int = 0, parent: QWidget | None = None) -> None:
        """Take the room [px] for units, so that the values stand under one another; 0 = no units."""
        super().__init__(parent)
        self._unit_width = unit_width
        self._rows: dict[str, tuple[Label, Label]] = {}
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(12, 4, 12, 4)
        self._column.setSpacing(0)
        self._column.addStretch(1)

    def add(self, key: str, label: str, *, unit: str = "", bold: bool = False, tip: str = "") -> None:
        """Add a row below the others."""
        weight = 600 if bold else 400
        name = Label(label, "body", "text" if bold else "text2", weight=weight)
        value, units = Label("–", "body", "text", weight=weight), Label(unit, "small", "text3")
        value.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        value.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        value.setContentsMargins(0, 1, 0, 0)  # a text that can be selected stands higher than others
        if self._unit_width:
            units.setFixedWidth(px(self._unit_width))
        line = QWidget()
        line.setFixedHeight(px(23))
        row = QHBoxLayout(line)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(6)
        row.addWidget(name, 1)
        row.addWidget(value)
        if unit or self._unit_width:
            row.addWidget(units)
        for each in (name, value):
            each.setToolTip(tip)
        value.setAccessibleName(label)
        at = self._column.count() - 1
        if self._rows:
            self._column.insertWidget(at, divider())
            at += 1
        self._column.insertWidget(at, line)
        self._rows[key] = (value, units)

    def show_fact(
        self, key: str, text: str, token: Token = "text", *, unit: str | None = None, tip: str = ""
    ) -> None:
        """Change a value, its colour and, if given, its unit and tooltip (plain text)."""
        value, units = self._rows[key]
        value.show_text(text, token)
        if unit is not None:
            units.show_text(unit)
        if tip:
            value.setToolTip(tip)

    def text(self, key: str) -> str:
        """Return what a fact says now."""
        return self._rows[key][0].text()
