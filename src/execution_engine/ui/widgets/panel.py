"""Panels and page bars: the frame that every page hangs its content in."""

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import (
    QComboBox,
    QFrame,
    QHBoxLayout,
    QLayout,
    QSplitter,
    QSplitterHandle,
    QVBoxLayout,
    QWidget,
)

from execution_engine.ui.theme import SIZE, color, px
from execution_engine.ui.widgets.labels import ElidedLabel, Label

BAR_EDGE, BAR_GAP = 12, 8
SECOND_LINE = 36  # what a page bar's second line adds to its height
TITLE_ITEMS = 2  # the title and the space behind it
MOST_ASKED = 700
BOX_AROUND = 44  # of a combo box, around its text


class Heading(QFrame):
    """Show a title, a grey subtitle beside it and, at the right, whatever belongs there."""

    def __init__(self, title: str, subtitle: str = "", parent: QWidget | None = None) -> None:
        """Take the texts; widgets come by `add_left` and `add_right`."""
        super().__init__(parent)
        self.setProperty("heading", "true")
        self.setFixedHeight(px(SIZE["panel_heading"]) + 1)
        self.title = Label(title, "body", "text", weight=600)
        self.subtitle = ElidedLabel(subtitle, "small", "text3")
        self._left, self._right = QHBoxLayout(), QHBoxLayout()
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 0, 12, 0)
        row.setSpacing(8)
        for layout in (self._left, self._right):
            layout.setSpacing(8)
        self._left.addWidget(self.title)
        row.addLayout(self._left)
        row.addWidget(self.subtitle)
        row.addStretch(1)
        row.addLayout(self._right)

    def add_left(self, widget: QWidget) -> None:
        """Put a widget between title and subtitle."""
        self._left.addWidget(widget)

    def add_right(self, widget: QWidget) -> None:
        """Put a widget at the right end."""
        self._right.addWidget(widget)


class Panel(QFrame):
    """Frame content with one line, under a heading of 34 px.

    `framed=False` leaves the line out, for panels that reach the edge of the page.
    """

    def __init__(
        self, title: str = "", subtitle: str = "", *, framed: bool = True, parent: QWidget | None = None
    ) -> None:
        """Take the heading's texts; without a title there is no heading."""
        super().__init__(parent)
        self.setProperty("panel", "true" if framed else "plain")
        self.heading = Heading(title, subtitle)
        self.body = QVBoxLayout()
        self.body.setContentsMargins(0, 0, 0, 0)
        self.body.setSpacing(0)
        column = QVBoxLayout(self)
        edge = 1 if framed else 0
        column.setContentsMargins(edge, edge, edge, edge)
        column.setSpacing(0)
        column.addWidget(self.heading)
        if not title:
            self.heading.hide()
        column.addLayout(self.body, 1)
        if title:
            self.setAccessibleName(title)

    def add(self, content: QWidget | QLayout, stretch: int = 0) -> None:
        """Put content below what is there; it reaches to the frame."""
        if isinstance(content, QWidget):
            self.body.addWidget(content, stretch)
        else:
            self.body.addLayout(content, stretch)

    def set_subtitle(self, text: str) -> None:
        """Change the grey text beside the title."""
        self.heading.subtitle.show_text(text)

    def add_right(self, widget: QWidget) -> None:
        """Put a widget at the right end of the heading."""
        self.heading.add_right(widget)

    def add_left(self, widget: QWidget) -> None:
        """Put a widget beside the title."""
        self.heading.add_left(widget)


class PageBar(QFrame):
    """Show the page's title and its tools, 44 px high, with a line below.

    Where they do not fit side by side, the tools take a second line.
    """

    def __init__(self, title: str, parent: QWidget | None = None) -> None:
        """Take the title; tools come by `add`, what stands at the right by `add_right`."""
        super().__init__(parent)
        self.setProperty("ground", "window")
        self.setProperty("rule", "bottom")
        self.title = Label(title, "heading")
        self._tools, self._ends = list[QWidget](), list[QWidget]()
        self._two: bool | None = None
        self._first, self._second = QHBoxLayout(), QHBoxLayout()
        self._lines = QVBoxLayout(self)
        self._lines.setContentsMargins(BAR_EDGE, 0, BAR_EDGE, 0)
        self._lines.setSpacing(0)
        for line in (self._first, self._second):
            line.setSpacing(BAR_GAP)
            self._lines.addLayout(line, 1)
        self._first.addWidget(self.title)
        self._first.addSpacing(BAR_GAP)
        self._first.addStretch(1)
        self._second.addStretch(1)
        self._fit()

    def add(self, widget: QWidget) -> None:
        """Put a tool behind those at the left."""
        self._tools.append(widget)
        self._place(widget)

    def add_right(self, widget: QWidget) -> None:
        """Put a widget at the right end."""
        self._ends.append(widget)
        self._first.addWidget(widget)

    def minimumSizeHint(self) -> QSize:
        """Ask for no more width than the wider of two lines needs."""
        wanted = max(self._width_of([self.title, *self._ends]), self._width_of(self._tools))
        return QSize(min(wanted, px(MOST_ASKED)), self.height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Take one line or two."""
        super().resizeEvent(event)
        self._fit()

    def event(self, event: QEvent) -> bool:
        """Look again when a tool comes, goes or says something else."""
        heard = super().event(event)
        if event.type() == QEvent.Type.LayoutRequest:
            self._fit()
        return heard

    def _fit(self) -> None:
        two = self._width_of([self.title, *self._tools, *self._ends]) > self.width()
        if two != self._two:
            self._two = two
            for tool in self._tools:
                (self._first if two else self._second).removeWidget(tool)
            for tool in self._tools:
                self._place(tool)
            self._lines.setStretch(1, int(two))  # an empty line would take half of the height
        self.setFixedHeight(px(SIZE["toolbar"]) + 1 + (px(SECOND_LINE) if two else 0))

    def _place(self, tool: QWidget) -> None:
        """Put a tool behind those that stand in its line already."""
        line, before = (self._second, 0) if self._two else (self._first, TITLE_ITEMS)
        line.insertWidget(before + self._tools.index(tool), tool)

    def _width_of(self, parts: Sequence[QWidget]) -> int:
        """Return how wide a line of these would be; what is elided gives way first."""
        shown = [part for part in parts if not part.isHidden()]
        return sum(map(_least, shown)) + BAR_GAP * (len(shown) + 1) + 2 * BAR_EDGE


def _least(part: QWidget) -> int:
    """Return the width [px] in which a tool shows what it shows now."""
    if isinstance(part, ElidedLabel):
        return part.minimumSizeHint().width()
    whole = part.sizeHint().width()
    if isinstance(part, QComboBox):
        whole = min(whole, part.fontMetrics().horizontalAdvance(part.currentText()) + px(BOX_AROUND))
    return min(max(whole, part.minimumWidth()), part.maximumWidth())


class Splitter(QSplitter):
    """Divide an area by a bar with a small grip; children do not fold away by accident."""

    def __init__(self, orientation: Qt.Orientation, parent: QWidget | None = None) -> None:
        """Take the direction in which children follow one another."""
        super().__init__(orientation, parent)
        self.setHandleWidth(6)
        self.setChildrenCollapsible(False)

    def createHandle(self) -> QSplitterHandle:
        """Return a handle with a grip."""
        return _Grip(self.orientation(), self)


class _Grip(QSplitterHandle):
    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), color("window"))
        middle = self.rect().center()
        if self.orientation() == Qt.Orientation.Vertical:
            painter.fillRect(middle.x() - 13, middle.y(), 27, 2, color("ctl"))
        else:
            painter.fillRect(middle.x(), middle.y() - 13, 2, 27, color("ctl"))
