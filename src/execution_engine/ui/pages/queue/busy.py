"""The button of a row that is being opened: an arc turns beside the word until the answer is there."""

from __future__ import annotations

from PySide6.QtCore import QObject, QRect, QRectF, Qt
from PySide6.QtGui import QPainter, QPen

from execution_engine.ui.tables import ActionText, Cell, TableView
from execution_engine.ui.tables.delegates import PLAIN, State
from execution_engine.ui.tables.paint import PADDING, baseline
from execution_engine.ui.theme import color, font, px
from execution_engine.ui.tongue import tr
from execution_engine.ui.widgets.marks import BEAT

OPENING = tr("Opening…")
TURN = 360 // 12  # a twelfth of a round per beat
ARC = 12


class ForceButton(ActionText):
    """Paint the button, or the arc and the word while the row is busy."""

    def draw(self, painter: QPainter, rect: QRect, cell: Cell, state: State = PLAIN) -> None:
        """Paint what the cell says."""
        if cell.text != OPENING:
            super().draw(painter, rect, cell, state)
            return
        size = px(ARC)
        box = QRectF(rect.x() + PADDING, rect.y() + (rect.height() - size) / 2, size, size)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(color("accent"), 1.6, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
        painter.drawArc(box.adjusted(1, 1, -1, -1), -BEAT.frame * TURN * 16, 270 * 16)
        painter.restore()
        painter.setFont(font("small", 500))
        painter.setPen(color("text3"))
        painter.drawText(round(box.right()) + px(6), round(baseline(rect, "small", 500)), OPENING)

    def target(self, rect: QRect, cell: Cell) -> QRect:
        """Return nothing to be clicked while the row is busy."""
        return QRect() if cell.text == OPENING else super().target(rect, cell)


class Turning(QObject):
    """Lets the arcs of a table turn while a row of it is busy, and not a moment longer."""

    def __init__(self, table: TableView, column: int) -> None:
        """Take the column in which the arcs are."""
        super().__init__(table)
        self._table, self._column = table, column
        self._joined = False

    def show(self, *, busy: bool) -> None:
        """Begin or stop to turn."""
        if busy is self._joined:
            return
        self._joined = busy
        if busy:
            BEAT.join()
            BEAT.tick.connect(self._turn)
        else:
            BEAT.tick.disconnect(self._turn)
            BEAT.leave()

    def _turn(self) -> None:
        heading = self._table.heading
        left, width = heading.sectionViewportPosition(self._column), heading.sectionSize(self._column)
        self._table.viewport().update(left, 0, width, self._table.viewport().height())
