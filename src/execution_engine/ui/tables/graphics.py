"""Delegates that draw more than text: progress, sparklines, rules met or not, painted buttons."""

from collections.abc import Sequence
from decimal import Decimal
from functools import lru_cache
from typing import Literal

from PySide6.QtCore import QObject, QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QPainter, QPen, QPixmap, QPolygonF

from execution_engine.ui import icons
from execution_engine.ui.format import GAP
from execution_engine.ui.shapes import shape_pixmap
from execution_engine.ui.tables.cell import Cell
from execution_engine.ui.tables.delegates import PLAIN, CellDelegate, State
from execution_engine.ui.tables.paint import PADDING, baseline, canvas, elided, width_of
from execution_engine.ui.theme import THEME, Token, color, font, px, tint
from execution_engine.ui.tongue import tr

BEHIND = -1
BAR_HEIGHT = 6


def progress_cell(fraction: Decimal | None, *, stale: bool = False) -> Cell:
    """Return the cell of a progress to target; a fraction below 0 is behind the fill price."""
    if fraction is None:
        return Cell()
    permille = int(max(Decimal(-1), min(Decimal(1), fraction)) * 1000)
    shown = max(0, (permille + 5) // 10)
    behind = fraction < 0
    token: Token = "text3" if shown == 0 or stale else "text"
    return Cell(f"{shown}{GAP}%", token, extra=BEHIND if behind else permille, stale=stale)


class Progress(CellDelegate):
    """Paint a bar and its figure; make the cell with `progress_cell`. Other cells are plain text."""

    def __init__(self, bar: int = 46, parent: QObject | None = None) -> None:
        """Take the length of the bar [px]."""
        super().__init__("left", parent)
        self.bar = bar

    def draw(self, painter: QPainter, rect: QRect, cell: Cell, state: State = PLAIN) -> None:
        """Paint the bar at the left and the figure behind it."""
        if not isinstance(cell.extra, int):
            super().draw(painter, rect, cell, state)
            return
        inner = rect.adjusted(PADDING, 0, -PADDING, 0)
        bar, height = px(self.bar), px(BAR_HEIGHT)
        y = inner.y() + (inner.height() - height) // 2
        painter.fillRect(inner.x(), y, bar, height, tint("text3", state.ground, 0.28))
        if cell.extra == BEHIND:
            painter.fillRect(inner.x(), y, 2, height, color("loss"))
        else:
            filled = round(bar * cell.extra / 1000)
            painter.fillRect(inner.x(), y, filled, height, color("text3" if cell.stale else "accent"))
        start = inner.x() + bar
        end = min(inner.right() + 1, start + px(8) + round(width_of(f"100{GAP}%")))
        self.draw_text(painter, QRect(start, inner.y(), end - start, inner.height()), cell, "right")

    def wanted(self, cell: Cell) -> float:
        """Return the width [px] of bar and figure."""
        if not isinstance(cell.extra, int):
            return super().wanted(cell)
        return px(self.bar) + px(4) + width_of(cell.text) + 2 * PADDING


class Spark(CellDelegate):
    """Paint a small line of what happened, `extra` being its points [any unit], at most 60; 0 is the line
    across. A cell without points is plain text."""

    def __init__(self, width: int = 72, height: int = 18, parent: QObject | None = None) -> None:
        """Take the size of the line [px]."""
        super().__init__("left", parent)
        self.width, self.height = width, height

    def draw(self, painter: QPainter, rect: QRect, cell: Cell, state: State = PLAIN) -> None:
        """Paint the line at the left."""
        if not isinstance(cell.extra, tuple) or len(cell.extra) < 2:
            super().draw(painter, rect, cell, state)
            return
        width = min(px(self.width), rect.width() - PADDING)
        height = px(self.height)
        pixmap = _spark(cell.extra, width, height, painter.device().devicePixelRatioF())
        painter.drawPixmap(rect.x() + PADDING, rect.y() + (rect.height() - height) // 2, pixmap)

    def wanted(self, cell: Cell) -> float:
        """Return the width [px] of the line."""
        return px(self.width) + PADDING if isinstance(cell.extra, tuple) else super().wanted(cell)


@lru_cache(maxsize=128)  # those in sight; each holds its points and a picture, 12 KB and more
def _spark(points: tuple[Decimal, ...], width: int, height: int, ratio: float) -> QPixmap:
    pixmap = canvas(width, height, ratio)
    painter = QPainter(pixmap)
    low, high = min(*points, Decimal(0)), max(*points, Decimal(0))
    spread = high - low or Decimal(1)
    right, bottom = width - 3, height - 4

    def y_of(value: Decimal) -> float:
        # A place on the screen, not money: from here on a float is right.
        return 2 + bottom * float((high - value) / spread)

    painter.setPen(QPen(color("line"), 1))
    painter.drawLine(QPointF(0, round(y_of(Decimal(0))) + 0.5), QPointF(width, round(y_of(Decimal(0))) + 0.5))
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    line = QPolygonF(
        [QPointF(1 + right * place / (len(points) - 1), y_of(value)) for place, value in enumerate(points)]
    )
    painter.setPen(QPen(color("text2"), 1.2))
    painter.drawPolyline(line)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(color("text"))
    painter.drawEllipse(line.last(), 2, 2)
    painter.end()
    return pixmap


def rule_cell(met: bool | None, text: str = "") -> Cell:
    """Return the cell of a rule: a tick or a cross and the value that decided; None = the rule is off."""
    if met is None:
        return Cell(tr("off"), "text3")
    said = f"{tr('met') if met else tr('not met')} {text}".strip()
    return Cell(text, "text" if met else "text2", extra=met, say=said)


class Rule(CellDelegate):
    """Paint whether a rule is met; make the cell with `rule_cell`."""

    def draw(self, painter: QPainter, rect: QRect, cell: Cell, state: State = PLAIN) -> None:
        """Paint tick or cross, then the text."""
        if not isinstance(cell.extra, bool):
            super().draw(painter, rect, cell, state)
            return
        met = cell.extra
        inner = rect.adjusted(PADDING, 0, -PADDING, 0)
        ratio, size = painter.device().devicePixelRatioF(), px(10)
        mark = shape_pixmap("tick" if met else "cross", "profit" if met else "text3", size, ratio)
        painter.drawPixmap(inner.x(), inner.y() + (inner.height() - size + 1) // 2, mark)
        self.draw_text(painter, inner.adjusted(size + 9, 0, 0, 0), cell, "left")

    def wanted(self, cell: Cell) -> float:
        """Return the width [px] of mark and text."""
        return super().wanted(cell) + (px(10) + 9 if isinstance(cell.extra, bool) else 0)


class ActionText(CellDelegate):
    """Paint something to click: a button, a link or an icon. The view tells of clicks.

    The cell's text is the label, for an icon its accessible name; an empty text paints nothing.
    """

    def __init__(
        self,
        look: Literal["button", "link", "icon"] = "button",
        icon: str = "close",
        parent: QObject | None = None,
    ) -> None:
        """Take how it looks and, for an icon, which one."""
        super().__init__("center", parent)
        self.look, self.icon = look, icon

    def draw(self, painter: QPainter, rect: QRect, cell: Cell, state: State = PLAIN) -> None:
        """Paint it, raised or underlined while the pointer is over it."""
        if not cell.text:
            return
        box = self.target(rect, cell)
        if self.look == "link":
            self._link(painter, box, cell, state)
            return
        if self.look == "button" or state.hot:
            _frame(painter, box, state, outlined=self.look == "button")
        if self.look == "icon":
            size = px(14)
            pixmap = icons.pixmap(self.icon, "text2", size, painter.device().devicePixelRatioF())
            painter.drawPixmap(box.center().x() - size // 2 + 1, box.center().y() - size // 2 + 1, pixmap)
            return
        painter.setFont(font("small", 500))
        painter.setPen(color(cell.token))
        text = elided(cell.text, box.width() - 8, "small", 500)
        x = box.x() + (box.width() - width_of(text, "small", 500)) / 2
        painter.drawText(QPointF(x, baseline(box, "small", 500)), text)

    def _link(self, painter: QPainter, box: QRect, cell: Cell, state: State) -> None:
        painter.setFont(font("body"))
        painter.setPen(color("accent"))
        text, y = elided(cell.text, box.width() + 1), baseline(box)
        painter.drawText(QPointF(box.x(), y), text)
        if state.hot:
            painter.drawLine(QPointF(box.x(), y + 2.5), QPointF(box.x() + width_of(text), y + 2.5))

    def target(self, rect: QRect, cell: Cell) -> QRect:
        """Return the part of a cell that reacts to a click."""
        height = min(px(24), rect.height() - 4)
        y = rect.y() + (rect.height() - height) // 2
        if self.look == "icon":
            return QRect(rect.center().x() - height // 2, y, height, height)
        if self.look == "link":
            width = min(rect.width() - 2 * PADDING, round(width_of(cell.text)))
            return QRect(rect.x() + PADDING, y, width, height)
        width = min(rect.width() - PADDING, round(width_of(cell.text, "small", 500)) + 2 * px(10))
        return QRect(rect.x() + (rect.width() - width) // 2, y, width, height)

    def wanted(self, cell: Cell) -> float:
        """Return the width [px] of the whole button."""
        return px(24) if self.look == "icon" else width_of(cell.text, "small", 500) + 2 * px(10)


def _frame(painter: QPainter, box: QRect, state: State, *, outlined: bool) -> None:
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setBrush(color("hover" if state.hot and outlined else "raised"))
    painter.setPen(QPen(color("ctl"), 1) if outlined else Qt.PenStyle.NoPen)
    painter.drawRoundedRect(QRectF(box).adjusted(0.5, 0.5, -0.5, -0.5), 4, 4)
    painter.restore()


def spark_points(values: Sequence[Decimal], at_most: int = 60) -> tuple[Decimal, ...]:
    """Thin a series out to `at_most` points, keeping its last."""
    if len(values) <= at_most:
        return tuple(values)
    last = len(values) - 1
    return tuple(values[round(place * last / (at_most - 1))] for place in range(at_most))


THEME.theme_changed.connect(_spark.cache_clear)
