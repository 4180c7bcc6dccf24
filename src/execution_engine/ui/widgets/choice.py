"""Choosing one of a few things that are all in sight."""

from collections.abc import Sequence

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPainterPath, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QButtonGroup, QHBoxLayout, QSizePolicy, QWidget

from execution_engine.ui.tables.paint import baseline, width_of
from execution_engine.ui.theme import SIZE, color, font, px


class SegmentedChoice(QWidget):
    """Choose one of a few: 7 d | 30 d | 90 d; arrows move, the chosen one keeps its place.

    chosen: the key of the choice, when the user changed it
    """

    chosen = Signal(str)

    def __init__(
        self,
        options: Sequence[tuple[str, str]],
        value: str = "",
        *,
        small: bool = True,
        name: str = "",
        parent: QWidget | None = None,
    ) -> None:
        """Take (key, label) from left to right; `small` is for headings of panels."""
        super().__init__(parent)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(name)
        self._group = QButtonGroup(self)
        self._segments: dict[str, _Segment] = {}
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        height = SIZE["button_small"] if small else SIZE["button"]
        for place, (key, label) in enumerate(options):
            segment = _Segment(label, height, place == 0, place == len(options) - 1)
            segment.clicked.connect(lambda _=False, each=key: self.chosen.emit(each))
            self._group.addButton(segment)
            self._segments[key] = segment
            row.addWidget(segment)
        self.set_value(value or options[0][0])

    @property
    def last_button(self) -> QAbstractButton:
        """Return the last button, for who comes next with Tab."""
        return list(self._segments.values())[-1]

    def value(self) -> str:
        """Return the key of the choice."""
        return next(key for key, segment in self._segments.items() if segment.isChecked())

    def set_value(self, key: str) -> None:
        """Choose without telling anybody; an unknown key changes nothing."""
        if key in self._segments:
            self._segments[key].setChecked(True)


class _Segment(QAbstractButton):
    def __init__(self, label: str, height: int, first: bool, last: bool) -> None:
        super().__init__()
        self.setText(label)
        self.setCheckable(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self._height, self._first, self._last = height, first, last

    def sizeHint(self) -> QSize:
        return QSize(round(width_of(self.text(), "small", 500)) + 2 * px(10), px(self._height))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        # Inner edges are cut off by the neighbours, so that only the outer corners are round.
        box = QRectF(self.rect()).adjusted(0.5 if self._first else -6, 0.5, -0.5 if self._last else 6, -0.5)
        outline = QPainterPath()
        outline.addRoundedRect(box, 4, 4)
        ground = "sel" if self.isChecked() else "hover" if self.underMouse() else "panel"
        painter.fillPath(outline, color(ground))
        painter.setPen(QPen(color("ctl"), 1))
        painter.drawPath(outline)
        if not self._last:
            painter.fillRect(self.width() - 1, 1, 1, self.height() - 2, color("line"))
        if self.hasFocus():
            painter.setPen(QPen(color("accent"), 2))
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(2, 2, -2, -2), 3, 3)
        painter.setFont(font("small", 500))
        painter.setPen(color("text" if self.isChecked() else "text2" if self.isEnabled() else "text3"))
        x = (self.width() - width_of(self.text(), "small", 500)) / 2
        painter.drawText(round(x), round(baseline(self.rect(), "small", 500)), self.text())
