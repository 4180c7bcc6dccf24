"""What delegates and headings paint with: widths, baselines, chips; measured once and kept."""

from collections.abc import Sequence
from functools import lru_cache

from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QPixmap

from execution_engine.ui.shapes import SHAPE_SIZE, Shape, shape_pixmap
from execution_engine.ui.theme import THEME, TextStyle, Token, color, font, px, tint

PADDING = 8
CHIP_HEIGHT = 20
CHIP_PADDING = 7
GAP = 6


@lru_cache(maxsize=64)
def _metrics(style: TextStyle, weight: int) -> QFontMetricsF:
    return QFontMetricsF(font(style, weight))


@lru_cache(maxsize=2048)  # some screens full; not every price that was ever shown
def width_of(text: str, style: TextStyle = "body", weight: int = 400) -> float:
    """Return how wide a text is [px]."""
    return _metrics(style, weight).horizontalAdvance(text)


@lru_cache(maxsize=64)
def _cap_height(style: TextStyle, weight: int) -> float:
    return _metrics(style, weight).capHeight()


def baseline(rect: QRect, style: TextStyle = "body", weight: int = 400) -> float:
    """Return the y of a text whose capitals stand in the middle of a rectangle."""
    return round(rect.y() + (rect.height() + _cap_height(style, weight)) / 2)


def elided(text: str, width: float, style: TextStyle = "body", weight: int = 400) -> str:
    """Return a text that fits into a width [px], cut at the right with an ellipsis if need be."""
    if width_of(text, style, weight) <= width:
        return text
    return _metrics(style, weight).elidedText(text, Qt.TextElideMode.ElideRight, max(0.0, width))


def draw_parts(
    painter: QPainter, x: float, y: float, parts: Sequence[tuple[str, Token]], weight: int = 400
) -> None:
    """Write pieces of text one after another, each in its colour."""
    for text, token in parts:
        painter.setPen(color(token))
        painter.drawText(QPointF(x, y), text)
        x += width_of(text, "body", weight)


def draw_shape_at(painter: QPainter, x: int, rect: QRect, shape: Shape, token: Token, size: int) -> None:
    """Paint a state shape at x, in the middle of a rectangle's height."""
    pixmap = shape_pixmap(shape, token, size, painter.device().devicePixelRatioF())
    painter.drawPixmap(x, rect.y() + (rect.height() - size + 1) // 2, pixmap)


def canvas(width: int, height: int, ratio: float) -> QPixmap:
    """Return an empty pixmap of a size [px] at a device pixel ratio."""
    pixmap = QPixmap(round(width * ratio), round(height * ratio))
    pixmap.setDevicePixelRatio(ratio)
    pixmap.fill(Qt.GlobalColor.transparent)
    return pixmap


def chip_extra() -> int:
    """Return how much wider [px] than its word a chip is."""
    return px(SHAPE_SIZE) + GAP + 2 * CHIP_PADDING


def chip_width(text: str) -> int:
    """Return how wide the chip of a word is [px]."""
    return round(width_of(text, "small", 500)) + chip_extra()


@lru_cache(maxsize=512)
def chip_pixmap(text: str, shape: Shape, token: Token, ratio: float) -> QPixmap:
    """Return a chip: shape and word in the token, on an opaque tint of it."""
    width, height, size = chip_width(text), px(CHIP_HEIGHT), px(SHAPE_SIZE)
    pixmap = canvas(width, height, ratio)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(tint(token))
    box = QRect(0, 0, width, height)
    painter.drawRoundedRect(QRectF(box), 3, 3)
    draw_shape_at(painter, CHIP_PADDING, box, shape, token, size)
    painter.setFont(font("small", 500))
    painter.setPen(color(token))
    painter.drawText(QPointF(CHIP_PADDING + size + GAP, baseline(box, "small", 500)), text)
    painter.end()
    return pixmap


def forget() -> None:
    """Drop what was measured and painted in the last theme."""
    for cached in (_metrics, width_of, _cap_height, chip_pixmap):
        cached.cache_clear()


THEME.theme_changed.connect(forget)
