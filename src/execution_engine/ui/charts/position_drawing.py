"""Paints the marks of a position over its prices, in pixels, so that lines are crisp and labels never collide."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import NamedTuple

import numpy as np
import pyqtgraph as pg
from pyqtgraph.Qt.internals import PrimitiveArray
from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPen
from PySide6.QtWidgets import QGraphicsObject, QStyleOptionGraphicsItem, QWidget

from execution_engine.ui import format as f
from execution_engine.ui.charts.position_axes import PriceAxis, TimeAxis
from execution_engine.ui.charts.position_candles import Candle, are_enough, candles, step_for
from execution_engine.ui.charts.position_marks import Dash, Line, Mark, Marks
from execution_engine.ui.charts.position_prices import Trail
from execution_engine.ui.shapes import Shape, draw_shape
from execution_engine.ui.tables.paint import width_of
from execution_engine.ui.theme import Token, color, font, px
from execution_engine.ui.tongue import tr

_DASHES: dict[Dash, list[float]] = {"solid": [], "dashed": [6, 4], "dotted": [1.5, 3]}
_SHORT = 22  # px, half of the line of a filled leg
_LINE_ROOM = 14  # px between two labels
_BASELINE = 11  # px from the top of that room
_EDGE = 6  # px beside a label
_REACH = 9  # px around a fill that belong to it

Place = Callable[[float, float], QPointF]


class Level(NamedTuple):
    """A line, where it begins and how high it is, and the room of its label if it has one [px]."""

    line: Line
    x: float
    y: float
    label: QRectF | None


class Drawing(QGraphicsObject):
    """Lie over the plot; coordinates are the plot's pixels."""

    def __init__(self, plot: pg.ViewBox, prices: PriceAxis, times: TimeAxis) -> None:
        """Take the plot and its axes, whose ticks give the grid."""
        super().__init__(plot)
        self._plot, self._prices, self._times = plot, prices, times
        self.marks = Marks(0)
        self.trail = Trail()
        self.last: float | None = None
        self.stale = False
        self.wants_candles = False
        self.pointer: QPointF | None = None
        self.readout = ""
        self.labels: list[str] = []
        """What was written when it was last painted."""
        self._pieces = PrimitiveArray(
            QLineF, 4
        )  # a Python object for each would be garbage ten times a second
        plot.sigResized.connect(self._resized)
        plot.sigRangeChanged.connect(lambda *_: self.update())
        self.setZValue(10)

    def boundingRect(self) -> QRectF:
        """Cover the plot."""
        return QRectF(self._plot.rect())

    def _resized(self) -> None:
        self.prepareGeometryChange()
        self.update()

    def paint(
        self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None
    ) -> None:
        """Paint from back to front: grid, prices, levels, fills, labels."""
        area = self.boundingRect()
        if area.width() < 2 or area.height() < 2:
            return
        place = self._placing(area)
        painter.setClipRect(area)
        self._grid(painter, area, place)
        levels = self._levels(area, place)
        labels = [level.label for level in levels if level.label is not None]
        self._pyramids(painter, area, place)
        found = self.candles(area)
        self._candles(painter, place, *found) if found else self._curve(painter, area)
        self._last_price(painter, area, place, labels)
        self._lines(painter, area, levels, labels)
        written: list[QRectF] = []
        for mark in self.marks.fills:
            self._fill(painter, area, place, mark, written)
        self._pointer(painter, area)

    def candles(self, area: QRectF) -> tuple[list[Candle], int] | None:
        """Return the candles in sight and how long each lasts [s]; None where the prices are drawn as a line."""
        if not self.wants_candles or len(self.trail.times) < 2:
            return None
        (left, right), _ = self._plot.viewRange()
        step = step_for((right - left) / max(area.width(), 1))
        times = np.array(self.trail.times)
        first, last = np.searchsorted(times, [left - step, right])
        found = candles(times[first:last], np.array(self.trail.prices)[first:last], step)
        return (found, step) if are_enough(found, int(last - first)) else None

    def _candles(self, painter: QPainter, place: Place, found: Sequence[Candle], step: int) -> None:
        wide = max(2.0, (place(step, 0).x() - place(0, 0).x()) * 0.62)
        for candle in found:
            rises = candle.closed >= candle.opened
            ink = color("profit" if rises else "loss")
            middle = round(place(candle.start + step / 2, 0).x()) + 0.5
            top, bottom = sorted(place(0, each).y() for each in (candle.opened, candle.closed))
            painter.setPen(QPen(ink, 1))
            painter.drawLine(QLineF(middle, place(0, candle.high).y(), middle, top))
            painter.drawLine(QLineF(middle, bottom, middle, place(0, candle.low).y()))
            body = QRectF(
                round(middle - wide / 2) + 0.5, round(top) + 0.5, round(wide), max(1, round(bottom - top))
            )
            if rises:
                painter.drawRect(body)  # hollow, so that it is not told by colour alone
            else:
                painter.fillRect(body, ink)

    def _pyramids(self, painter: QPainter, area: QRectF, place: Place) -> None:
        """Mark where each pyramid begins."""
        painter.setFont(font("caption"))
        free = area.left()
        for at, name in self.marks.pyramids:
            x = round(place(at, 0).x()) + 0.5
            if not area.left() <= x <= area.right():
                continue
            painter.setPen(_pen("ctl", 1, "dotted"))
            painter.drawLine(QLineF(x, area.top(), x, area.bottom()))
            if x >= free:
                painter.setPen(color("text3"))
                painter.drawText(QPointF(x + 4, area.top() + px(_BASELINE) + 1), name)
                free = x + width_of(name, "caption") + 10

    def _pointer(self, painter: QPainter, area: QRectF) -> None:
        """Paint the crosshair, and say in the corner what lies under it."""
        self.readout = ""
        if self.pointer is None or not area.contains(self.pointer):
            return
        (left, right), (low, high) = self._plot.viewRange()
        at = left + (self.pointer.x() - area.left()) / area.width() * (right - left)
        price = high - (self.pointer.y() - area.top()) / area.height() * (high - low)
        x, y = round(self.pointer.x()) + 0.5, round(self.pointer.y()) + 0.5
        painter.setPen(_pen("text3", 1, "dotted"))
        painter.drawLine(QLineF(x, area.top(), x, area.bottom()))
        painter.drawLine(QLineF(area.left(), y, area.right(), y))
        place = self._placing(area)
        self.readout = read_out(self.marks, self.trail, at, price, self._prices.places, self._near(place))
        painter.setFont(font("caption", 500))
        box = QRectF(area.left() + 4, area.top() + 3, width_of(self.readout, "caption", 500) + 12, px(18))
        painter.fillRect(box, color("raised"))
        painter.setPen(color("text"))
        painter.drawText(QPointF(box.x() + 6, round(box.y() + px(13))), self.readout)

    def _near(self, place: Place) -> Mark | None:
        """Return the fill under the pointer."""
        if self.pointer is None:
            return None
        for mark in self.marks.fills:
            point = place(mark.at, mark.price)
            if abs(point.x() - self.pointer.x()) <= px(_REACH) and abs(point.y() - self.pointer.y()) <= px(
                _REACH
            ):
                return mark
        return None

    def _placing(self, area: QRectF) -> Place:
        (left, right), (low, high) = self._plot.viewRange()
        across, up = area.width() / (right - left or 1), area.height() / (high - low or 1)
        return lambda at, price: QPointF(
            area.left() + (at - left) * across, area.bottom() - (price - low) * up
        )

    def _grid(self, painter: QPainter, area: QRectF, place: Place) -> None:
        (left, right), (low, high) = self._plot.viewRange()
        faint = pg.mkColor(color("line"))
        faint.setAlphaF(0.6)
        painter.setPen(QPen(faint, 1))
        for _, values in self._prices.tickValues(low, high, area.height()):
            for value in values:
                y = round(place(left, value).y()) + 0.5
                painter.drawLine(QLineF(area.left(), y, area.right(), y))
        for _, values in self._times.tickValues(left, right, area.width()):
            for value in values:
                x = round(place(value, low).x()) + 0.5
                painter.drawLine(QLineF(x, area.top(), x, area.bottom()))

    def _curve(self, painter: QPainter, area: QRectF) -> None:
        if len(self.trail.times) < 2:
            return
        (left, right), (low, high) = self._plot.viewRange()
        times, prices = np.array(self.trail.times), np.array(self.trail.prices)
        # One point beyond either edge, so that the line leaves the picture instead of ending in it.
        first, last = np.searchsorted(times, [left, right])
        inside = slice(max(0, int(first) - 1), int(last) + 1)
        x = area.left() + (times[inside] - left) * (area.width() / (right - left or 1))
        y = area.bottom() - (prices[inside] - low) * (area.height() / (high - low or 1))
        if len(x) < 2:
            return
        x, y = thinned(x, y, int(area.width()))
        self._pieces.resize(len(x) - 1)
        self._pieces.ndarray()[:] = np.column_stack([x[:-1], y[:-1], x[1:], y[1:]])
        pen = QPen(color("text2"), 1.2)
        pen.setCapStyle(Qt.PenCapStyle.FlatCap)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(pen)
        # Line by line: as one path, a price that jumps to and fro crosses itself, which takes a hundred times as long.
        painter.drawLines(*self._pieces.drawargs())
        painter.restore()

    def _last_price(self, painter: QPainter, area: QRectF, place: Place, labels: Sequence[QRectF]) -> None:
        if self.last is None:
            return
        y = round(place(0, self.last).y()) + 0.5
        painter.setPen(_pen("text3" if self.stale else "text2", 1, "dotted"))
        painter.drawLine(QLineF(area.left(), y, _end(area, y, labels), y))

    def _levels(self, area: QRectF, place: Place) -> list[Level]:
        """Say where each level is and where its label goes; of two that collide the first one has it."""
        levels: list[Level] = []
        taken: list[QRectF] = []
        for line in sorted(self.marks.lines, key=self._rank):
            point = place(line.start, line.price)
            y = round(point.y()) + 0.5
            if not area.top() <= y <= area.bottom():
                continue
            box = None if line.short or not line.label else _label_box(area, y, line)
            if box is not None and any(abs(box.y() - other.y()) < box.height() for other in taken):
                box = None
            if box is not None:
                taken.append(box)
            levels.append(Level(line, point.x(), y, box))
        return levels

    def _lines(
        self, painter: QPainter, area: QRectF, levels: Iterable[Level], labels: Sequence[QRectF]
    ) -> None:
        """Paint the levels; no line runs through a label."""
        self.labels = []
        painter.setFont(font("caption", 500))
        for line, x, y, label in levels:
            if line.short:
                painter.setPen(_pen(line.token, 1.6, line.dash))
                painter.drawLine(QLineF(x - px(_SHORT), y, x + px(_SHORT), y))
                continue
            end = _end(area, y, labels)
            painter.setPen(_pen(line.token, 1.6 if line.dash == "solid" else 1.3, line.dash))
            painter.drawLine(QLineF(min(max(x, area.left()), end), y, end, y))
            if label is not None:
                self.labels.append(line.label)
                painter.drawText(QPointF(label.x(), round(label.y() + px(_BASELINE))), line.label)

    def _rank(self, line: Line) -> tuple[bool, float]:
        """Say whose label is written first: the average entry's, then those near the price."""
        return not line.tag, abs(line.price - (self.last if self.last is not None else line.price))

    def _fill(self, painter: QPainter, area: QRectF, place: Place, mark: Mark, written: list[QRectF]) -> None:
        """Paint a fill; its label is left out where it would lie on another one."""
        point = place(mark.at, mark.price)
        if not area.contains(point):
            return
        size = px(9)
        if mark.shape == "square":
            painter.fillRect(QRectF(point.x() - 3, point.y() - 3, 6, 6), color(mark.token))
            painter.setPen(color(mark.token))
            painter.setFont(font("caption", 500))
            width = width_of(mark.label, "caption", 500)
            box = QRectF(point.x() + 7, point.y() - px(_BASELINE) - 5, width, px(_LINE_ROOM))
            if not any(box.intersects(other) for other in written):
                written.append(box)
                self.labels.append(mark.label)
                painter.drawText(QPointF(point.x() + 7, point.y() - 5), mark.label)
            return
        shape: Shape = mark.shape
        gap = 3 if shape == "triangle" else -3 - size
        draw_shape(
            painter, shape, QRectF(point.x() - size / 2, point.y() + gap, size, size), color(mark.token)
        )


def _label_box(area: QRectF, y: float, line: Line) -> QRectF:
    """Return the room of a label: at the end of its line, below it where the line goes on to a tag."""
    width = width_of(line.label, "caption", 500)
    top = y + px(3) if line.tag else y - px(7)
    return QRectF(area.right() - width - _EDGE, top, width, px(_LINE_ROOM))


def _end(area: QRectF, y: float, labels: Iterable[QRectF]) -> float:
    """Return where a line of this height ends: at the edge, or before the labels it would run through."""
    met = (label.left() - _EDGE for label in labels if label.top() <= y <= label.bottom())
    return min(met, default=area.right())


def read_out(
    marks: Marks, trail: Trail, at: float, height: float, places: int, mark: Mark | None = None
) -> str:
    """Say a place of the chart: when, at which price, how far from the average entry, what filled there."""
    moment = f.local_moment(datetime.fromtimestamp(at, UTC))
    parts = [moment, f.number(Decimal(repr(round(height, places))), places)]
    if marks.entry:
        far = Decimal(repr(round((height / marks.entry - 1) * 100, 2)))
        parts.append(tr("{percent} from the average entry").format(percent=f.signed_percent(far)))
    if mark is not None and mark.words:
        parts.append(mark.words)
    elif len(trail.times) and trail.times[0] <= at <= trail.times[-1]:
        last = trail.prices[int(np.searchsorted(trail.times, at, side="right")) - 1]
        parts.append(tr("price then {last}").format(last=f.number(Decimal(repr(last)), places)))
    return " · ".join(parts)


def thinned(x: np.ndarray, y: np.ndarray, columns: int) -> tuple[np.ndarray, np.ndarray]:
    """Keep the highest and the lowest point of every few, so that a line has at most two per column."""
    every = -(-len(x) // max(1, columns))
    if every < 2:
        return x, y
    count = len(x) // every * every
    parts = y[:count].reshape(-1, every)
    both = np.stack([parts.min(axis=1), parts.max(axis=1)], axis=1).ravel()
    return np.append(np.repeat(x[:count:every], 2), x[-1]), np.append(both, y[-1])


def _pen(token: Token, width: float, dash: Dash) -> QPen:
    pen = QPen(color(token), width)
    if _DASHES[dash]:
        pen.setDashPattern(_DASHES[dash])
        pen.setCapStyle(Qt.PenCapStyle.FlatCap)
    return pen
