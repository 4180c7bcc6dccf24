"""How cells are painted: text, numbers on their point, chips, positions.

A delegate paints what the model has ready and formats nothing.
"""

from functools import lru_cache
from typing import Any, NamedTuple, cast

from PySide6.QtCore import QModelIndex, QObject, QPersistentModelIndex, QPointF, QRect, QSize, Qt
from PySide6.QtGui import QPainter, QPen
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from execution_engine.ui.format import MISSING
from execution_engine.ui.shapes import SHAPE_SIZE, Shape
from execution_engine.ui.tables import paint
from execution_engine.ui.tables.cell import EMPTY, Align, Cell, Role
from execution_engine.ui.tables.paint import PADDING, baseline, draw_shape_at, elided, width_of
from execution_engine.ui.theme import THEME, Token, color, font, px
from execution_engine.ui.tongue import inline, tr


class State(NamedTuple):
    """Say what happens to a cell while it is painted.

    ground: the token its row is painted on; hot: the pointer is over this very cell
    """

    ground: Token = "panel"
    selected: bool = False
    hot: bool = False


PLAIN = State()


class CellDelegate(QStyledItemDelegate):
    """Paint a cell's text, or its parts, with an optional shape before it."""

    def __init__(self, align: Align = "left", parent: QObject | None = None) -> None:
        """Take where the text stands."""
        super().__init__(parent)
        self.align = align
        self.row_height = 0  # of a row [px]; the view sets it

    def draw(self, painter: QPainter, rect: QRect, cell: Cell, state: State = PLAIN) -> None:
        """Paint a cell into a rectangle that includes the padding; the ground is painted already."""
        inner = rect.adjusted(PADDING, 0, -PADDING, 0)
        if cell.shape is not None:
            size = px(SHAPE_SIZE)
            draw_shape_at(painter, inner.x(), inner, cell.shape, cell.token, size)
            inner = inner.adjusted(size + paint.GAP, 0, 0, 0)
        self.draw_text(painter, inner, cell, self.align)

    def wanted(self, cell: Cell) -> float:
        """Return the width [px] that shows a cell whole."""
        shape = px(SHAPE_SIZE) + paint.GAP if cell.shape else 0
        return width_of(cell.text, "body", 600 if cell.bold else 400) + shape + 2 * PADDING

    def draw_text(self, painter: QPainter, rect: QRect, cell: Cell, align: Align) -> None:
        """Write a cell's text into a rectangle without padding, cut if it is too long."""
        weight = 600 if cell.bold else 400
        painter.setFont(font("body", weight))
        # Left text that is only just too long uses the padding at its right before it is cut.
        room = rect.width() + (PADDING if align == "left" else 1)
        text = elided(cell.text, room, "body", weight)
        width = width_of(text, "body", weight)
        x: float = rect.x()
        if align != "left":
            x += (rect.width() - width) / (1 if align == "right" else 2)
        y = baseline(rect)
        if cell.parts and text == cell.text:
            paint.draw_parts(painter, x, y, cell.parts, weight)
        else:
            painter.setPen(color("text3" if cell.stale else cell.token))
            painter.drawText(QPointF(x, y), text)
        if cell.stale:
            painter.setPen(QPen(color("text3"), 1, Qt.PenStyle.DotLine))
            painter.drawLine(QPointF(x, y + 3), QPointF(x + width, y + 3))

    # Qt's way in, for views that are not ours.

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        """Paint one cell with the ground of its row."""
        given = cast(Any, option)  # the fields of a style option are missing from its type
        selected = bool(given.state & QStyle.StateFlag.State_Selected)
        ground: Token = "sel" if selected else "panel"
        painter.fillRect(given.rect, color(ground))
        self.draw(painter, given.rect, _cell(index), State(ground, selected))

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        """Return the width a cell wants; the height of rows is the view's."""
        return QSize(round(self.wanted(_cell(index))) + 1, self.row_height or px(20))


def _cell(index: QModelIndex | QPersistentModelIndex) -> Cell:
    return cast(Cell | None, index.data(Role.CELL)) or EMPTY


class Number(CellDelegate):
    """Paint numbers so that their decimal points stand under one another.

    `places` is the largest number of decimals in the column; numbers with fewer leave room at the right.
    A cell's shape (a clock on an old price) is painted just before the number.
    """

    def __init__(self, places: int = 0, parent: QObject | None = None) -> None:
        """Take the largest number of decimals."""
        super().__init__("right", parent)
        self.places = places

    def draw(self, painter: QPainter, rect: QRect, cell: Cell, state: State = PLAIN) -> None:
        """Paint a number on its decimal point."""
        if not cell.text:
            return
        inner = rect.adjusted(PADDING, 0, -PADDING - round(_missing_room(self.places, cell.text)), 0)
        inner.setLeft(rect.x() + 2)  # a long number may use the padding of its left
        if width_of(cell.text) > inner.width():
            # Rather off the point than cut: a number without its end is a wrong number.
            inner.setRight(rect.right() - PADDING)
        if cell.shape is not None:
            size = px(SHAPE_SIZE)
            x = inner.right() + 1 - round(width_of(cell.text)) - size - 4
            if x >= rect.x() - 4:
                draw_shape_at(painter, x, inner, cell.shape, "text3", size)
        self.draw_text(painter, inner, cell, "right")

    def wanted(self, cell: Cell) -> float:
        """Return the width [px] that shows a number whole."""
        return width_of(cell.text, "body", 600 if cell.bold else 400) + 2 * PADDING


@lru_cache(maxsize=2048)
def _missing_room(places: int, text: str) -> float:
    """Return how wide [px] the decimals are that a text lacks."""
    digits = text.rpartition("/")[2] or text
    if not places or not any(each.isdigit() for each in digits) or MISSING in digits:
        return 0.0
    _, point, decimals = digits.partition(".")
    missing = places - sum(1 for each in decimals if each.isdigit())
    return 0.0 if missing <= 0 else missing * width_of("0") + (0.0 if point else width_of("."))


class Chip(CellDelegate):
    """Paint a state: shape and word in the token, on a tint of it; without a shape it is plain text."""

    def draw(self, painter: QPainter, rect: QRect, cell: Cell, state: State = PLAIN) -> None:
        """Paint the chip at the left."""
        if cell.shape is None or not cell.text:
            super().draw(painter, rect, cell, state)
            return
        text = elided(cell.text, rect.width() - 2 * PADDING - paint.chip_extra() + 1, "small", 500)
        pixmap = paint.chip_pixmap(text, cell.shape, cell.token, painter.device().devicePixelRatioF())
        y = rect.y() + (rect.height() - px(paint.CHIP_HEIGHT)) // 2
        painter.drawPixmap(rect.x() + PADDING, y, pixmap)

    def wanted(self, cell: Cell) -> float:
        """Return the width [px] of the chip and the padding."""
        return paint.chip_width(cell.text) + 2 * PADDING if cell.shape else super().wanted(cell)


class Side(NamedTuple):
    """Name what a position cell shows."""

    symbol: str
    timeframe: str
    word: str
    long: bool


class Position(CellDelegate):
    """Paint symbol, timeframe and side; make the cell with `position_cell`. Other cells are plain text."""

    def draw(self, painter: QPainter, rect: QRect, cell: Cell, state: State = PLAIN) -> None:
        """Paint the parts as far as they fit, a triangle between timeframe and side."""
        side = cell.extra
        if not isinstance(side, Side):
            super().draw(painter, rect, cell, state)
            return
        inner = rect.adjusted(PADDING, 0, -PADDING, 0)
        size = px(9)
        shape: Shape = "triangle" if side.long else "triangle_down"
        painter.setFont(font("body"))
        x = _word(painter, inner, inner.x(), side.symbol, cell.token) + 4
        x = _word(painter, inner, x, side.timeframe, "text3") + 5
        if x + size <= inner.right():
            draw_shape_at(painter, round(x), inner, shape, "text3", size)
            _word(painter, inner, x + size + 5, side.word, "text2")

    def wanted(self, cell: Cell) -> float:
        """Return the width [px] that shows all parts."""
        if not isinstance(cell.extra, Side):
            return super().wanted(cell)
        words = width_of(cell.extra.symbol) + width_of(cell.extra.timeframe) + width_of(cell.extra.word)
        return words + 14 + px(9) + 2 * PADDING


def _word(painter: QPainter, rect: QRect, x: float, text: str, token: Token) -> float:
    """Write one word and return where it ends; too long, it is cut, and what follows finds no room."""
    room = rect.right() + 1 - x
    if room < width_of("…"):
        return x + room
    painter.setPen(color(token))
    painter.drawText(QPointF(x, baseline(rect)), elided(text, room))
    return x + width_of(text)


def position_cell(symbol: str, timeframe: str, *, long: bool, token: Token = "text") -> Cell:
    """Return the cell of a position: BTCUSDT 1h ▲ Long."""
    word = tr("Long") if long else tr("Short")
    return Cell(
        f"{symbol} {timeframe} {word}",
        token,
        extra=Side(symbol, timeframe, word, long),
        say=f"{symbol} {timeframe} {inline(word)}",
    )


THEME.theme_changed.connect(_missing_room.cache_clear)
