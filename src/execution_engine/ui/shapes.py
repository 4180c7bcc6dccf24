"""The shapes that say a state without colour, painted as paths on a square of 10 × 10."""

import math
from collections.abc import Callable
from functools import cache
from typing import Final, Literal

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPen, QPixmap

from execution_engine.ui.theme import THEME, Token, color

Shape = Literal[
    "disc", "ring", "half_disc", "dashed_ring", "square", "cross", "two_bars", "three_dots", "struck_ring",
    "question", "tick", "arrow_to_bar", "plus", "plus_in_ring", "triangle", "triangle_down",
    "triangle_right", "two_arrows", "lines", "two_squares", "clock", "warning",
]  # fmt: skip

SHAPE_SIZE: Final = 10


def draw_shape(painter: QPainter, shape: Shape, rect: QRectF, colour: QColor) -> None:
    """Paint a state shape into a square, scaled from its 10 px drawing."""
    filled, lines = _outline(shape)
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.translate(rect.topLeft())
    painter.scale(rect.width() / SHAPE_SIZE, rect.height() / SHAPE_SIZE)
    painter.fillPath(filled, colour)
    pen = QPen(colour, 1.6 if shape in {"tick", "cross", "plus", "question"} else 1.3)
    pen.setCapStyle(Qt.PenCapStyle.RoundCap)
    pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    painter.strokePath(lines, pen)
    painter.restore()


def shape_pixmap(shape: Shape, token: Token, size: int = SHAPE_SIZE, ratio: float = 1.0) -> QPixmap:
    """Return a state shape as pixmap, `size` [px] at the device pixel ratio `ratio`."""
    return _shape_pixmap(THEME.current.name, shape, token, size, ratio)


@cache
def _shape_pixmap(theme: str, shape: Shape, token: Token, size: int, ratio: float) -> QPixmap:
    made = QPixmap(math.ceil(size * ratio), math.ceil(size * ratio))
    made.setDevicePixelRatio(ratio)
    made.fill(Qt.GlobalColor.transparent)
    painter = QPainter(made)
    draw_shape(painter, shape, QRectF(0, 0, size, size), color(token))
    painter.end()
    return made


@cache
def _outline(shape: Shape) -> tuple[QPainterPath, QPainterPath]:
    """Return what is filled and what is stroked, on a square of 10 × 10."""
    filled, lines = QPainterPath(), QPainterPath()
    _DRAW[shape](filled, lines)
    return filled, lines


def _ring(lines: QPainterPath, radius: float = 3.8) -> None:
    lines.addEllipse(QPointF(5, 5), radius, radius)


def _stroke(lines: QPainterPath, *points: tuple[float, float]) -> None:
    lines.moveTo(*points[0])
    for point in points[1:]:
        lines.lineTo(*point)


def _disc(filled: QPainterPath, lines: QPainterPath) -> None:
    filled.addEllipse(QPointF(5, 5), 4.3, 4.3)


def _half_disc(filled: QPainterPath, lines: QPainterPath) -> None:
    _ring(lines)
    filled.moveTo(5, 1.2)
    filled.arcTo(QRectF(1.2, 1.2, 7.6, 7.6), 90, -180)
    filled.closeSubpath()


def _dashed_ring(filled: QPainterPath, lines: QPainterPath) -> None:
    box = QRectF(1.2, 1.2, 7.6, 7.6)
    for start in range(8, 368, 60):
        lines.arcMoveTo(box, start)
        lines.arcTo(box, start, 32)


def _struck_ring(filled: QPainterPath, lines: QPainterPath) -> None:
    _ring(lines)
    _stroke(lines, (2.5, 7.5), (7.5, 2.5))


def _two_bars(filled: QPainterPath, lines: QPainterPath) -> None:
    filled.addRect(QRectF(2, 1.5, 2, 7))
    filled.addRect(QRectF(6, 1.5, 2, 7))


def _three_dots(filled: QPainterPath, lines: QPainterPath) -> None:
    for x in (1.6, 5.0, 8.4):
        filled.addEllipse(QPointF(x, 5), 1.1, 1.1)


def _question(filled: QPainterPath, lines: QPainterPath) -> None:
    lines.moveTo(3, 3.2)
    lines.cubicTo(QPointF(3, 0.6), QPointF(7.2, 0.7), QPointF(7.1, 3.2))
    lines.cubicTo(QPointF(7.0, 4.6), QPointF(5, 4.6), QPointF(5, 6.1))
    filled.addEllipse(QPointF(5, 8.6), 1, 1)


def _arrow_to_bar(filled: QPainterPath, lines: QPainterPath) -> None:
    _stroke(lines, (0.8, 5), (6.4, 5))
    _stroke(lines, (4, 2.4), (6.6, 5), (4, 7.6))
    _stroke(lines, (9, 1.6), (9, 8.4))


def _plus(filled: QPainterPath, lines: QPainterPath) -> None:
    _stroke(lines, (5, 1.2), (5, 8.8))
    _stroke(lines, (1.2, 5), (8.8, 5))


def _plus_in_ring(filled: QPainterPath, lines: QPainterPath) -> None:
    _ring(lines, 4.2)
    _stroke(lines, (5, 3), (5, 7))
    _stroke(lines, (3, 5), (7, 5))


def _triangle(filled: QPainterPath, lines: QPainterPath) -> None:
    _stroke(filled, (5, 1.4), (9.2, 8.4), (0.8, 8.4))
    filled.closeSubpath()


def _triangle_down(filled: QPainterPath, lines: QPainterPath) -> None:
    _stroke(filled, (5, 8.6), (9.2, 1.6), (0.8, 1.6))
    filled.closeSubpath()


def _triangle_right(filled: QPainterPath, lines: QPainterPath) -> None:
    _stroke(filled, (1.6, 0.8), (8.6, 5), (1.6, 9.2))
    filled.closeSubpath()


def _cross(filled: QPainterPath, lines: QPainterPath) -> None:
    _stroke(lines, (1.6, 1.6), (8.4, 8.4))
    _stroke(lines, (8.4, 1.6), (1.6, 8.4))


def _two_arrows(filled: QPainterPath, lines: QPainterPath) -> None:
    _stroke(lines, (0.8, 3.2), (9, 3.2))
    _stroke(lines, (7, 1.2), (9, 3.2), (7, 5.2))
    _stroke(lines, (9.2, 7), (1, 7))
    _stroke(lines, (3, 5.2), (1, 7), (3, 8.8))


def _lines(filled: QPainterPath, lines: QPainterPath) -> None:
    _stroke(lines, (1, 2), (9, 2))
    _stroke(lines, (1, 5), (7.4, 5))
    _stroke(lines, (1, 8), (5.4, 8))


def _two_squares(filled: QPainterPath, lines: QPainterPath) -> None:
    lines.addRect(QRectF(3.4, 3.4, 5.6, 5.6))
    _stroke(lines, (1, 6.4), (1, 1), (6.4, 1), (6.4, 3.2))
    _stroke(lines, (1, 6.4), (3.2, 6.4))


def _warning(filled: QPainterPath, lines: QPainterPath) -> None:
    _stroke(lines, (5, 1), (9.4, 8.8), (0.6, 8.8))
    lines.closeSubpath()
    _stroke(lines, (5, 3.9), (5, 5.8))
    filled.addEllipse(QPointF(5, 7.4), 0.7, 0.7)


def _clock(filled: QPainterPath, lines: QPainterPath) -> None:
    _ring(lines)
    _stroke(lines, (5, 2.8), (5, 5), (6.6, 6))


_DRAW: dict[Shape, Callable[[QPainterPath, QPainterPath], None]] = {
    "disc": _disc,
    "ring": lambda filled, lines: _ring(lines),
    "half_disc": _half_disc,
    "dashed_ring": _dashed_ring,
    "square": lambda filled, lines: lines.addRect(QRectF(1.4, 1.4, 7.2, 7.2)),
    "cross": _cross,
    "two_bars": _two_bars,
    "three_dots": _three_dots,
    "struck_ring": _struck_ring,
    "question": _question,
    "tick": lambda filled, lines: _stroke(lines, (1.4, 5.4), (4, 8), (8.8, 2.4)),
    "arrow_to_bar": _arrow_to_bar,
    "plus": _plus,
    "plus_in_ring": _plus_in_ring,
    "triangle": _triangle,
    "triangle_down": _triangle_down,
    "triangle_right": _triangle_right,
    "two_arrows": _two_arrows,
    "lines": _lines,
    "two_squares": _two_squares,
    "clock": _clock,
    "warning": _warning,
}
