"""Panels and page bars: the frame that every page hangs its content in."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLayout, QSplitter, QSplitterHandle, QVBoxLayout, QWidget

from execution_engine.ui.theme import SIZE, color, px
from execution_engine.ui.widgets.labels import ElidedLabel, Label


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
    """Show the page's title and its tools, 44 px high, with a line below."""

    def __init__(self, title: str, parent: QWidget | None = None) -> None:
        """Take the title; tools come by `add`, what stands at the right by `add_right`."""
        super().__init__(parent)
        self.setProperty("ground", "window")
        self.setProperty("rule", "bottom")
        self.setFixedHeight(px(SIZE["toolbar"]) + 1)
        self.title = Label(title, "heading")
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(12, 0, 12, 0)
        self._row.setSpacing(8)
        self._row.addWidget(self.title)
        self._row.addSpacing(8)
        self._row.addStretch(1)
        self._tools = 2

    def add(self, widget: QWidget) -> None:
        """Put a tool behind those at the left."""
        self._row.insertWidget(self._tools, widget)
        self._tools += 1

    def add_right(self, widget: QWidget) -> None:
        """Put a widget at the right end."""
        self._row.addWidget(widget)


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
