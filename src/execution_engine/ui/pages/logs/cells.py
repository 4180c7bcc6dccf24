"""How lines of the log are painted: in letters of one width, the gravest level filled."""

from __future__ import annotations

from functools import lru_cache

from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter

from execution_engine.domain.facts import Level
from execution_engine.ui.tables import Cell, CellDelegate
from execution_engine.ui.tables.cell import Align
from execution_engine.ui.tables.delegates import PLAIN, State
from execution_engine.ui.tables.paint import PADDING, baseline, width_of
from execution_engine.ui.theme import THEME, WHITE, TextStyle, color, font, mono, px

STYLE: TextStyle = "small"


@lru_cache(maxsize=1)
def _metrics() -> QFontMetricsF:
    return QFontMetricsF(mono(STYLE))


THEME.theme_changed.connect(_metrics.cache_clear)


class Mono(CellDelegate):
    """Paint a text as logs are read: letters of one width under one another."""

    def wanted(self, cell: Cell) -> float:
        """Return the width [px] that shows a cell whole."""
        return _metrics().horizontalAdvance(cell.text) + 2 * PADDING

    def draw_text(self, painter: QPainter, rect: QRect, cell: Cell, align: Align) -> None:
        """Write the text, cut if it is too long."""
        room = float(rect.width() + PADDING)
        text = cell.text
        if _metrics().horizontalAdvance(text) > room:
            text = _metrics().elidedText(text, Qt.TextElideMode.ElideRight, room)
        painter.setFont(mono(STYLE))
        painter.setPen(color(cell.token))
        painter.drawText(QPointF(rect.x(), baseline(rect)), text)


class LevelWord(CellDelegate):
    """Paint a level's shape and word; CRITICAL stands white on red."""

    def draw(self, painter: QPainter, rect: QRect, cell: Cell, state: State = PLAIN) -> None:
        """Paint the cell; the ground is painted already."""
        if cell.text != Level.CRITICAL.value:
            super().draw(painter, rect, cell, state)
            return
        width, height = width_of(cell.text, STYLE, 600) + 2 * px(6), px(20)
        top = rect.y() + (rect.height() - height) // 2
        box = QRectF(rect.x() + PADDING, top, width, height)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(color("dangerfill"))
        painter.drawRoundedRect(box, 3, 3)
        painter.restore()
        painter.setFont(font(STYLE, 600))
        painter.setPen(QColor(WHITE))
        painter.drawText(QPointF(box.x() + px(6), baseline(box.toRect(), STYLE, 600)), cell.text)
