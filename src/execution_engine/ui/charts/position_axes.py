"""The axes of the position chart: prices at the right with tags on them, local time below."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, NamedTuple

import pyqtgraph as pg
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter

from execution_engine.ui.format import MONTHS, number
from execution_engine.ui.tables.paint import baseline, width_of
from execution_engine.ui.theme import Token, color, font, px

_STEPS_S = (
    1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400, 172800, 604800,
)  # fmt: skip
_BETWEEN_TIMES = 96  # px at least from one label to the next
_BETWEEN_PRICES = 36
TAG_HEIGHT = 18


class Tag(NamedTuple):
    """A value on the axis, filled; the first of two that collide stays."""

    value: float
    text: str
    ground: Token
    ink: Token


class PriceAxis(pg.AxisItem):
    """Show prices with the decimals of the market, and tags on top of them."""

    def __init__(self) -> None:
        """Stand at the right."""
        super().__init__("right")
        self.places = 2
        self._tags: tuple[Tag, ...] = ()
        self.setStyle(tickLength=0, autoExpandTextSpace=False, tickTextOffset=6)
        self.restyle()

    def restyle(self) -> None:
        """Take over font and colours of the theme."""
        _restyle(self)

    def show_tags(self, tags: Sequence[Tag]) -> None:
        """Change the tags."""
        if tuple(tags) != self._tags:
            self._tags = tuple(tags)
            self._fit()
            self.picture = None
            self.update()

    @property
    def tags(self) -> tuple[Tag, ...]:
        """Return what is tagged now."""
        return self._tags

    def show_places(self, places: int) -> None:
        """Change how many decimals prices have."""
        if places != self.places:
            self.places = places
            self.picture = None
            self._fit()

    def _fit(self) -> None:
        """Take the width that the longest price needs."""
        low, high = self.range
        texts = [self._text(low), self._text(high), *(tag.text for tag in self._tags)]
        wanted = round(max(width_of(text, "caption", 600) for text in texts)) + 18
        if abs(wanted - self.width()) > 3:
            self.setWidth(wanted)

    def _text(self, value: float) -> str:
        # A label of the axis is round anyway; what is exact stands in the tags.
        return number(Decimal(repr(value)), self.places)

    def tickValues(self, minVal: float, maxVal: float, size: float) -> list[tuple[float, list[float]]]:
        """Return round prices that leave room between their labels."""
        return [round_values(minVal, maxVal, size, self.places)]

    def tickStrings(self, values: Sequence[float], scale: float, spacing: float) -> list[str]:
        """Write prices."""
        return [self._text(value) for value in values]

    def drawPicture(self, p: QPainter, axisSpec: Any, tickSpecs: Any, textSpecs: Any) -> None:
        """Paint labels and tags; a label under a tag is left out."""
        boxes = self._boxes()
        free = [spec for spec in textSpecs if not any(box.intersects(QRectF(spec[0])) for box, _ in boxes)]
        _texts(p, free)
        p.setRenderHint(QPainter.RenderHint.Antialiasing)
        for box, tag in boxes:
            p.setPen(Qt.PenStyle.NoPen)
            p.setBrush(color(tag.ground))
            p.drawRoundedRect(box, 2, 2)
            p.setFont(font("caption", 600))
            p.setPen(color(tag.ink))
            p.drawText(QPointF(box.x() + 6, baseline(box.toRect(), "caption", 600)), tag.text)

    def _boxes(self) -> list[tuple[QRectF, Tag]]:
        bounds = self.mapRectFromParent(self.geometry())
        low, high = self.range
        boxes: list[tuple[QRectF, Tag]] = []
        for tag in self._tags:
            if high <= low or not low <= tag.value <= high:
                continue
            y = bounds.top() + (high - tag.value) / (high - low) * bounds.height()
            height = px(TAG_HEIGHT)
            box = QRectF(bounds.left() + 1, round(y - height / 2), bounds.width() - 3, height)
            if not any(box.intersects(other) for other, _ in boxes):
                boxes.append((box, tag))
        return boxes


class TimeAxis(pg.AxisItem):
    """Show local times; the first of each day says the day."""

    def __init__(self) -> None:
        """Stand below."""
        super().__init__("bottom")
        self.setStyle(tickLength=0, tickTextOffset=5)
        self.restyle()

    def restyle(self) -> None:
        """Take over font and colours of the theme."""
        _restyle(self)
        self.setHeight(px(24))

    def tickValues(self, minVal: float, maxVal: float, size: float) -> list[tuple[float, list[float]]]:
        """Return round local times that leave room between their labels."""
        wanted = (maxVal - minVal) * px(_BETWEEN_TIMES) / max(size, 1)
        step = next((each for each in _STEPS_S if each >= wanted), _STEPS_S[-1])
        # Round in local time: a day begins at its midnight here.
        offset = _local(minVal).utcoffset()
        shift = offset.total_seconds() if offset else 0
        first = math.ceil((minVal + shift) / step) * step - shift
        count = max(0, math.floor((maxVal - first) / step) + 1)
        return [(step, [first + step * place for place in range(min(count, 200))])]

    def tickStrings(self, values: Sequence[float], scale: float, spacing: float) -> list[str]:
        """Write times: 17:00, or 14:32:05 when they are close, with the day where it changes."""
        texts, day = [], None
        for value in values:
            at = _local(value)
            text = f"{at:%H:%M}" if spacing >= 60 else f"{at:%H:%M:%S}"
            if at.date() != day and (day is not None or spacing >= 3600):
                text = f"{at.day} {MONTHS[at.month - 1]} {text}"
            day = at.date()
            texts.append(text)
        return texts

    def drawPicture(self, p: QPainter, axisSpec: Any, tickSpecs: Any, textSpecs: Any) -> None:
        """Paint labels only."""
        _texts(p, textSpecs)


def round_values(low: float, high: float, size: float, places: int) -> tuple[float, list[float]]:
    """Return a round step and its multiples within a range that is `size` [px] long."""
    if not high > low:
        return 1.0, []
    rough = (high - low) * px(_BETWEEN_PRICES) / max(size, 1)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= rough)
    step = max(step, 10.0**-places)
    first = math.ceil(low / step)
    return step, [step * place for place in range(first, min(math.floor(high / step), first + 100) + 1)]


def _texts(p: QPainter, specs: Any) -> None:
    p.setFont(font("caption"))
    p.setPen(color("text3"))
    for rect, flags, text in specs:
        p.drawText(rect, int(flags), text)


def _restyle(axis: pg.AxisItem) -> None:
    axis.setTickFont(font("caption"))
    axis.setTextPen(color("text3"))
    axis.setPen(color("line"))
    axis.picture = None


def _local(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC).astimezone()
