"""The chart of a position: its price since the start, what was ordered, what filled, where it is going."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pyqtgraph as pg
from PySide6.QtCore import QPointF, Qt, Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from execution_engine.ui import format as f
from execution_engine.ui.charts.position_axes import PriceAxis, Tag, TimeAxis
from execution_engine.ui.charts.position_drawing import Drawing
from execution_engine.ui.charts.position_marks import Marks
from execution_engine.ui.charts.position_prices import Trail
from execution_engine.ui.theme import THEME, color
from execution_engine.ui.tongue import tr
from execution_engine.ui.widgets import Label

_LEAST_SPAN = 0.004  # of the price: less would make noise look like a market
_LEAST_TIME_S = 120.0
_ROOM_RIGHT = 0.1
_FAR = 0.05  # of the price: what is further away than this waits out of sight


class PositionChart(QWidget):
    """Show one position. The wheel zooms time, dragging moves, a double click shows everything again."""

    def __init__(self, parent: QWidget | None = None) -> None:
        """Begin without a position."""
        super().__init__(parent)
        self.times, self.prices = TimeAxis(), PriceAxis()
        self._box = _Box()
        self._plot = pg.PlotWidget(viewBox=self._box, axisItems={"right": self.prices, "bottom": self.times})
        self._plot.hideAxis("left")
        self._plot.showAxis("right")
        self._plot.hideButtons()
        self._plot.setMenuEnabled(False)
        self._plot.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._plot.getPlotItem().layout.setContentsMargins(4, 6, 2, 0)
        self.drawing = Drawing(self._box, self.prices, self.times)
        self._follows = True
        self._now = 0.0
        self.sentence = Label("", "body", "text2", parent=self)
        self.sentence.setAlignment(Qt.AlignmentFlag.AlignCenter)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._plot)
        self._box.sigRangeChangedManually.connect(self._let_go)
        self._box.reset_wanted.connect(self.follow)
        self._plot.scene().sigMouseMoved.connect(self.point_at)
        THEME.theme_changed.connect(self._restyle)
        self._restyle()
        self.clear(tr("Select a position to see its chart."))

    def clear(self, sentence: str) -> None:
        """Show no position and say why."""
        self.drawing.marks, self.drawing.trail, self.drawing.last = Marks(0), Trail(), None
        self.prices.show_tags(())
        self._plot.hide()
        self.sentence.setText(sentence)
        self.sentence.show()
        self.setAccessibleName(tr("Position chart"))

    def show_position(self, name: str, marks: Marks, trail: Trail, places: int) -> None:
        """Show a position from its beginning: `places` is how many decimals its prices have."""
        self.setAccessibleName(tr("Chart of {name}").format(name=name))
        self.sentence.hide()
        self._plot.show()
        self.drawing.trail = trail
        self.prices.show_places(places)
        self._follows = True
        self.show_marks(marks)

    def show_marks(self, marks: Marks) -> None:
        """Change what was ordered and filled; the view stays where the user put it."""
        self.drawing.marks = marks
        self._fit()
        self._tag()
        self.drawing.update()

    def show_price(self, price: Decimal | None, now: float, *, stale: bool = False) -> None:
        """Move the last price; `now` [s] is the right end."""
        # A place on the axis: from here on a float is right.
        self.drawing.last = None if price is None else float(price)
        self.drawing.stale = stale
        self._now = now
        self._fit()
        self._tag()
        self.drawing.update()

    def show_candles(self, wanted: bool) -> None:
        """Draw candles where there are enough prices for them, or a line."""
        self.drawing.wants_candles = wanted
        self.drawing.update()

    def point_at(self, place: QPointF | None) -> None:
        """Put the crosshair on a place of the scene; None takes it away."""
        self.drawing.pointer = None if place is None else self.drawing.mapFromScene(place)
        self.drawing.update()

    def leaveEvent(self, event: Any) -> None:
        """Take the crosshair away."""
        self.point_at(None)
        super().leaveEvent(event)

    def follow(self) -> None:
        """Show everything again, and keep up with the time."""
        self._follows = True
        self._fit()

    @property
    def labels(self) -> list[str]:
        """Return what is written beside lines now."""
        return list(self.drawing.labels)

    # How it is done.

    def resizeEvent(self, event: Any) -> None:
        """Keep the sentence in the middle."""
        super().resizeEvent(event)
        self.sentence.setGeometry(self.rect())

    def _let_go(self, *_: object) -> None:
        self._follows = False
        self._fit_prices()

    def _fit(self) -> None:
        if self._follows:
            start = self.drawing.marks.since
            span = max(_LEAST_TIME_S, self._now - start)
            left, right = start - span * 0.04, start + span * (1 + _ROOM_RIGHT)
            if self._would_move(left, right):
                self._box.setXRange(left, right, padding=0)
        self._fit_prices()

    def _would_move(self, left: float, right: float) -> bool:
        """Tell whether these times would be seen to lie elsewhere: less than a pixel is not worth drawing all anew."""
        (before, until), _ = self._box.viewRange()
        pixel: float = (right - left) / max(self._box.width(), 1)
        moved: float = max(abs(left - before), abs(right - until))
        return moved >= pixel

    def _fit_prices(self) -> None:
        """Show the prices in sight, what was paid, and the levels that are near enough to matter."""
        (left, right), _ = self._box.viewRange()
        drawing = self.drawing
        seen = drawing.trail.reach(left, right)
        seen += [mark.price for mark in drawing.marks.fills]
        seen += [line.price for line in drawing.marks.lines if line.tag]
        if drawing.last is not None:
            seen += [drawing.last, *_neighbours(drawing.marks.levels, drawing.last)]
        seen = seen or list(drawing.marks.levels)
        if not seen:
            return
        low, high = min(seen), max(seen)
        room = max(high - low, high * _LEAST_SPAN) * 0.6
        near = [level for level in drawing.marks.levels if low - room <= level <= high + room]
        low, high = min([low, *near]), max([high, *near])
        margin = max((high - low) * 0.08, high * _LEAST_SPAN / 4)
        self._box.setYRange(low - margin, high + margin, padding=0)

    def _tag(self) -> None:
        tags = []
        if self.drawing.last is not None:
            text = f.number(Decimal(repr(self.drawing.last)), self.prices.places)
            tags.append(Tag(self.drawing.last, text, "text3" if self.drawing.stale else "text", "panel"))
        tags += [Tag(line.price, line.tag, "warn", "panel") for line in self.drawing.marks.lines if line.tag]
        self.prices.show_tags(tags)

    def _restyle(self) -> None:
        self._plot.setBackground(color("panel"))
        for axis in (self.prices, self.times):
            axis.restyle()
        self.drawing.update()


def _neighbours(levels: Sequence[float], last: float) -> list[float]:
    """Return the next level above and below a price, where they are not far away."""
    near = [level for level in levels if abs(level - last) <= last * _FAR]
    above, below = [each for each in near if each >= last], [each for each in near if each <= last]
    return [*([min(above)] if above else []), *([max(below)] if below else [])]


class _Box(pg.ViewBox):
    """Zoom and move time only; prices fit themselves."""

    reset_wanted = Signal()

    def __init__(self) -> None:
        super().__init__(enableMenu=False, defaultPadding=0)
        self.setMouseEnabled(x=True, y=False)
        self.disableAutoRange()

    def mouseClickEvent(self, ev: Any) -> None:
        """Show everything again on a double click."""
        if ev.double():
            self.reset_wanted.emit()
