"""The rail of the guide: its steps, which of them are done, and where one is."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QPolygonF, QResizeEvent
from PySide6.QtWidgets import QAbstractButton, QFrame, QSizePolicy, QVBoxLayout

from execution_engine.ui.format import tooltip
from execution_engine.ui.tables.paint import baseline, elided, width_of
from execution_engine.ui.theme import WHITE, TextStyle, Token, color, font, px
from execution_engine.ui.tongue import tr
from execution_engine.ui.widgets import Label

WIDE, NARROW = 286, 220
ROOMY = 480  # [px]
PROMISE = tr("Nothing is traded before you send the test alert. Every choice can be changed later.")


class Rail(QFrame):
    """List the steps. chosen: the place of the one that the user wants, from 0."""

    chosen = Signal(int)

    def __init__(self, steps: Sequence[tuple[str, str]]) -> None:
        """Take name and explanation of each, from top to bottom."""
        super().__init__()
        self.setProperty("ground", "chrome")
        self.setProperty("rule", "right")
        self.setAccessibleName(tr("Steps"))
        self.entries = [Entry(at, len(steps), *texts) for at, texts in enumerate(steps)]
        column = QVBoxLayout(self)
        column.setContentsMargins(px(16), px(24), px(16), px(24))
        column.setSpacing(px(4))
        column.addWidget(Label("Execution Engine", "total"))
        column.addWidget(Label(tr("First steps, about three minutes"), "body", "text2", wrap=True))
        column.addSpacing(px(16))
        for entry in self.entries:
            entry.clicked.connect(lambda _=False, at=entry.at: self.chosen.emit(at))
            column.addWidget(entry)
        column.addStretch(1)
        self._promise = Label(PROMISE, "small", "text2", wrap=True)
        column.addWidget(self._promise)
        self.set_narrow(False)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Leave out what is no step where there is no room for it."""
        self._promise.setVisible(self.height() >= px(ROOMY))
        super().resizeEvent(event)

    def set_narrow(self, narrow: bool) -> None:
        """Take less room, or more again."""
        self.setFixedWidth(px(NARROW if narrow else WIDE))

    def show_at(self, at: int, done: frozenset[int]) -> None:
        """Mark the step that one is at, and those that are done."""
        for entry in self.entries:
            entry.show_state(entry.at == at, entry.at in done)


class Entry(QAbstractButton):
    """One step in the rail: its number or a tick, its name, and what it is about."""

    def __init__(self, at: int, count: int, name: str, about: str) -> None:
        super().__init__()
        self.at, self._count, self._about = at, count, about
        self._is_here = self._is_done = False
        self.setText(name)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        self.setMinimumHeight(px(28))
        self._name()

    def show_about(self, text: str) -> None:
        """Say something else below the name."""
        if text != self._about:
            self._about = text
            self._name()
            self.update()

    def show_state(self, here: bool, done: bool) -> None:
        """Show whether one is here, and whether it is done."""
        self._is_here, self._is_done = here, done
        self._name()
        self.update()

    def _name(self) -> None:
        state = "current" if self._is_here else "done" if self._is_done else tr("not done yet")
        self.setAccessibleName(
            tr("Step {at} of {count}, {text}: {about}, {state}").format(
                at=self.at + 1, count=self._count, text=self.text(), about=self._about, state=state
            )
        )

    def sizeHint(self) -> QSize:
        """Return the room of a number and the name."""
        return QSize(px(56) + round(width_of(self.text(), "body", 500)), px(56))

    def minimumSizeHint(self) -> QSize:
        """Return next to nothing for the name: cut, it is whole in the tooltip."""
        return QSize(px(56), px(28))

    def event(self, event: QEvent) -> bool:
        """Say the whole of what is cut."""
        if event.type() == QEvent.Type.ToolTip:
            room = self.width() - px(50)
            cut = width_of(self.text(), "body", 500) > room or width_of(self._about, "small") > room
            self.setToolTip(tooltip(f"{self.text()}\n{self._about}") if cut else "")
        return super().event(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the ring, the name and what it is about."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box = QRectF(self.rect()).adjusted(1, 1, -1, -1)
        if self._is_here or self.underMouse():
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(color("sel" if self._is_here else "hover"))
            painter.drawRoundedRect(box, 4, 4)
        roomy = self.height() >= px(46)  # low windows with large letters have room for the name alone
        self._draw_ring(painter, px(9) if roomy else (self.height() - px(22)) // 2)
        self._draw_text(
            painter, self.text(), "body", 500, "text", px(8) if roomy else (self.height() - px(20)) // 2
        )
        if roomy:
            self._draw_text(painter, self._about, "small", 400, "text2", px(28))
        if self.hasFocus():
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(color("accent"), 2))
            painter.drawRoundedRect(box, 4, 4)

    def _draw_text(
        self, painter: QPainter, text: str, style: TextStyle, weight: int, token: Token, top: int
    ) -> None:
        left, room = px(44), self.width() - px(50)
        painter.setFont(font(style, weight))
        painter.setPen(color(token))
        line = QRect(left, top, room, px(20))
        painter.drawText(left, round(baseline(line, style, weight)), elided(text, room, style, weight))

    def _draw_ring(self, painter: QPainter, top: int) -> None:
        size = px(22)
        ring = QRectF(px(10), top, size, size)
        painter.setPen(Qt.PenStyle.NoPen if self._is_here else QPen(color("ctl"), 1.2))
        painter.setBrush(color("accentfill") if self._is_here else QColor(Qt.GlobalColor.transparent))
        painter.drawEllipse(ring)
        if self._is_done and not self._is_here:
            painter.setPen(QPen(color("profit"), 1.8))
            x, y = ring.x(), ring.y()
            corners = ((0.28, 0.52), (0.44, 0.68), (0.73, 0.34))
            painter.drawPolyline(QPolygonF([QPointF(x + size * a, y + size * b) for a, b in corners]))
            return
        number = str(self.at + 1)
        painter.setFont(font("small", 600))
        painter.setPen(QColor(WHITE) if self._is_here else color("text2"))
        painter.drawText(
            round(ring.center().x() - width_of(number, "small", 600) / 2),
            round(baseline(ring.toRect(), "small", 600)),
            number,
        )
