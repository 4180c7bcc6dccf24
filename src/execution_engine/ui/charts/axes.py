"""The two axes of a chart: local time below, values at the right with a tag on the last one."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pyqtgraph as pg
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPen

from execution_engine.ui.format import MONTHS
from execution_engine.ui.tables.paint import baseline, width_of
from execution_engine.ui.theme import THEME, WHITE, Token, color, font, mix, px

MINUTE, HOUR, DAY = 60, 3_600, 86_400
TIME_STEPS = (
    *(each * MINUTE for each in (1, 2, 5, 10, 15, 30)),
    *(each * HOUR for each in (1, 2, 3, 6, 12)),
    *(each * DAY for each in (1, 2, 3, 5, 7, 14, 30, 60, 91, 182, 365)),
)
LABEL_EVERY_PX = 124
VALUE_EVERY_PX, VALUE_LEAST_PX = 62, 28  # a low chart has its values closer together: one says nothing
TAG_HEIGHT = 18
EDGE_ROOM = 5  # px a label needs above and below its middle


def most_values(height: float) -> int:
    """Return how many values a height [px] has room for: three where they just fit."""
    return max(2, min(3, int(height / px(VALUE_LEAST_PX))), int(height / px(VALUE_EVERY_PX)))


def value_steps(low: float, high: float, most: int) -> list[float]:
    """Return round values between two ends, at most that many: 0, 500, 1,000."""
    rough = max(high - low, 1e-9) / most
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * each for each in (1, 2, 5, 10) if power * each >= rough)
    first = int(low // step) + (1 if low % step else 0)
    return [round(each * step, 10) for each in range(first, int(high // step) + 1)]


def time_steps(low: float, high: float, most: int) -> tuple[int, list[float]]:
    """Return the step [s] and the round local times between two timestamps, at most that many."""
    step = next((each for each in TIME_STEPS if (high - low) / each <= most), TIME_STEPS[-1])
    return step, list(_local_times(low, high, step))


def _local_times(low: float, high: float, step: int) -> Iterator[float]:
    at = datetime.fromtimestamp(low, UTC).astimezone()
    midnight = at.replace(hour=0, minute=0, second=0, microsecond=0)
    if step >= DAY:
        # Counted from a fixed day, so that labels stay where they are while the chart moves on.
        days = step // DAY
        midnight -= timedelta(days=midnight.toordinal() % days)
    moment = midnight.timestamp()
    while moment <= high:
        if moment >= low:
            yield moment
        moment += step


def time_label(moment: float, step: int) -> str:
    """Write a time for its step: 14:30, 22 Aug, Aug 2026."""
    at = datetime.fromtimestamp(moment, UTC).astimezone()
    if step >= 60 * DAY:
        return f"{MONTHS[at.month - 1]} {at.year}"
    if step >= DAY or (at.hour, at.minute) == (0, 0):
        return f"{at.day} {MONTHS[at.month - 1]}"
    return f"{at:%H:%M}"


class TimeAxis(pg.AxisItem):
    """Show local times below a chart."""

    def __init__(self) -> None:
        """Take the height of one line."""
        super().__init__("bottom")
        self.setHeight(px(26))

    def paint(self, painter: QPainter, *_: Any) -> None:
        """Write the labels that have room."""
        low, high = self.range
        box = self.mapRectFromParent(self.geometry())
        if high <= low or box.width() <= 0:
            return
        step, moments = time_steps(low, high, max(2, int(box.width() / px(LABEL_EVERY_PX))))
        painter.setFont(font("caption"))
        painter.setPen(color("text3"))
        y = baseline(box.toRect(), "caption")
        for moment in moments:
            text = time_label(moment, step)
            x = box.x() + (moment - low) / (high - low) * box.width()
            if x + width_of(text, "caption") <= box.right():
                painter.drawText(QPointF(round(x), y), text)


class ValueAxis(pg.AxisItem):
    """Show values at the right, thin lines across the chart, and the last value as a filled tag."""

    def __init__(self, write: Callable[[float], str], width: int = 56) -> None:
        """Take how a value is written and the room [px] for it."""
        super().__init__("right")
        self._write = write
        self._tag: tuple[float, str, Token] | None = None
        self._least = width
        self.setWidth(px(width))
        self.setGrid(255)  # makes room for the lines, which are painted here

    def show_tag(self, value: float | None, text: str = "", token: Token = "accentfill") -> None:
        """Put a tag on a value; None takes it away."""
        self._tag = None if value is None else (value, text, token)
        wanted = max(px(self._least), math.ceil(width_of(text, "caption", 700)) + px(14))
        if wanted != self.fixedWidth:
            self.setWidth(wanted)
        self.update()

    def paint(self, painter: QPainter, *_: Any) -> None:
        """Paint lines, labels and the tag; labels that would touch the tag are left out."""
        low, high = self.range
        box: QRectF = self.mapRectFromParent(self.geometry())
        view: Any = self.linkedView()
        if high <= low or box.height() <= 0 or view is None:
            return
        plot: QRectF = view.mapRectToItem(self, view.boundingRect())

        def y_of(value: float) -> float:
            return float(box.bottom() - (value - low) / (high - low) * box.height())

        tag_y = None if self._tag is None else min(max(y_of(self._tag[0]), box.y() + 9), box.bottom() - 9)
        painter.setFont(font("caption"))
        for value in value_steps(low, high, most_values(box.height())):
            y = round(y_of(value)) + 0.5
            painter.setPen(QPen(grid_colour(), 1))
            painter.drawLine(QPointF(plot.x(), y), QPointF(plot.right(), y))
            if tag_y is not None and abs(y - tag_y) < px(TAG_HEIGHT) * 0.9:
                continue
            if not box.top() + EDGE_ROOM <= y <= box.bottom() - EDGE_ROOM:
                continue  # it would lie over what stands above or below
            text = self._write(value)
            painter.setPen(color("text3"))
            line = QRectF(box.x(), y - 10, box.width() - px(8), 20)
            painter.drawText(
                QPointF(line.right() - width_of(text, "caption"), baseline(line.toRect(), "caption")), text
            )
        if tag_y is not None and self._tag is not None:
            self._paint_tag(painter, box, plot, tag_y, *self._tag[1:])

    def _paint_tag(
        self, painter: QPainter, box: QRectF, plot: QRectF, y: float, text: str, token: Token
    ) -> None:
        painter.setPen(QPen(color("accent"), 1, Qt.PenStyle.DotLine))
        painter.drawLine(QPointF(plot.x(), round(y) + 0.5), QPointF(plot.right(), round(y) + 0.5))
        height = px(TAG_HEIGHT)
        tag = QRectF(box.x() + 2, y - height / 2, box.width() - 4, height)
        path = QPainterPath()
        path.addRoundedRect(tag, 2, 2)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillPath(path, color(token))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        painter.setPen(WHITE)
        painter.setFont(font("caption", 700))
        x = tag.right() - px(5) - width_of(text, "caption", 700)
        painter.drawText(QPointF(x, baseline(tag.toRect(), "caption", 700)), text)


def grid_colour() -> QColor:
    """Return the colour of thin lines: two thirds of `line`."""
    return QColor(mix(THEME.current.line, THEME.current.panel, 0.66))
