"""The equity curve: the realized result over time, as steps over a tinted area."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QMouseEvent, QPen
from PySide6.QtWidgets import QWidget

from execution_engine.domain.rows import EquityPoint
from execution_engine.ui.charts.axes import TimeAxis, ValueAxis
from execution_engine.ui.format import places_of, signed, signed_usd
from execution_engine.ui.theme import THEME, Token, color
from execution_engine.ui.tongue import tr

MOST_POINTS = 1500
SHORTEST_S = 600.0
BEFORE = 0.02
ROOM = 0.08  # above and below the curve, as a share of its height


class EquityChart(pg.PlotWidget):
    """Show what was realized since a moment; the wheel zooms time, dragging pans, a double click resets."""

    def __init__(self, parent: QWidget | None = None) -> None:
        """Start without points."""
        self._values = ValueAxis(lambda value: _label(value))
        super().__init__(parent, axisItems={"bottom": TimeAxis(), "right": self._values})
        self._times: list[float] = []
        self._results: list[float] = []
        self._last = Decimal(0)
        self._span: tuple[float, float] = (0.0, 1.0)
        self.setAccessibleName(tr("Equity, realized"))
        plot = self.getPlotItem()
        plot.hideAxis("left")
        plot.showAxis("right")
        plot.setMenuEnabled(False)
        plot.hideButtons()
        plot.setContentsMargins(8, 8, 0, 0)
        self._view: Any = plot.getViewBox()
        self._view.setMouseEnabled(x=True, y=False)
        self._view.setDefaultPadding(0)
        self._curve = stepped(plot)
        self._view.sigXRangeChanged.connect(self._fit_height)
        THEME.theme_changed.connect(self._recolour)
        self._recolour()

    @property
    def empty(self) -> bool:
        """Tell whether nothing was realized yet."""
        return not self._times

    def show_points(self, points: Sequence[EquityPoint]) -> None:
        """Replace all points, oldest first."""
        # From here on they are places on the screen, not money: a float is right.
        self._times = [point.at.timestamp() for point in points]
        self._results = [float(point.realized) for point in points]
        self._last = points[-1].realized if points else Decimal(0)

    def add_points(self, points: Sequence[EquityPoint]) -> None:
        """Add the newest points."""
        for point in points:
            self._times.append(point.at.timestamp())
            self._results.append(float(point.realized))
            self._last = point.realized

    def show_since(self, since: datetime | None, now: datetime) -> None:
        """Show from a moment, None = the first point, to now."""
        end = now.timestamp()
        start = since.timestamp() if since else self._beginning(end)
        times, results = self._cut(start, end)
        self._curve.setData(*steps(times, results))
        self._values.show_tag(results[-1], _tag(self._last))
        self._span = (start, end)
        self._view.setLimits(xMin=start, xMax=end, minXRange=60)
        self._reset()

    def shown(self) -> tuple[list[float], list[float]]:
        """Return the times and results drawn."""
        times, results = self._curve.getData()
        return [] if times is None else list(times), [] if results is None else list(results)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Show the whole span again."""
        self._reset()

    def _beginning(self, end: float) -> float:
        """Return a moment a little before the first point, so that its step is seen."""
        first = self._times[0] if self._times else end
        return min(first - (end - first) * BEFORE, end - SHORTEST_S)

    def _cut(self, start: float, end: float) -> tuple[list[float], list[float]]:
        """Return the steps inside, begun with what was realized before."""
        first = bisect_right(self._times, start)
        before = self._results[first - 1] if first else 0.0
        times, results = thinned(self._times[first:], self._results[first:])
        last = results[-1] if results else before
        return [start, *times, end], [before, *results, last]

    def _reset(self) -> None:
        self._view.setXRange(*self._span, padding=0)
        self._fit_height()

    def _fit_height(self, *_: object) -> None:
        times, results = self.shown()
        if not times:
            return
        low, high = self._view.viewRange()[0]
        inside = [value for at, value in zip(times, results, strict=True) if low <= at <= high]
        held = [value for at, value in zip(times, results, strict=True) if at < low][-1:]
        reach = [*inside, *held, 0.0]
        spread = (max(reach) - min(reach)) or 1.0
        self._view.setYRange(min(reach) - spread * ROOM, max(reach) + spread * ROOM, padding=0)

    def _recolour(self) -> None:
        self.setBackground(color("panel"))
        area = QColor(color("accent"))
        area.setAlphaF(0.10)
        self._curve.setPen(stroke("accent"))
        self._curve.setFillLevel(0)
        self._curve.setBrush(area)
        self._values.update()


def stepped(plot: Any) -> Any:
    """Return an empty curve that is drawn line by line: as one path, many steps take ten times as long."""
    made = plot.plot([], [], antialias=True)
    made.curve.setSegmentedLineMode("on")
    return made


def stroke(token: Token) -> QPen:
    """Return the pen of such a curve; its lines end where they meet."""
    made: QPen = pg.mkPen(color(token), width=1.5)
    made.setCapStyle(Qt.PenCapStyle.FlatCap)
    return made


def steps(times: list[float], results: list[float]) -> tuple[list[float], list[float]]:
    """Return the corners of a staircase: a result holds until the next one."""
    corners_x = [at for at in times for _ in (0, 1)][1:]
    corners_y = [result for result in results for _ in (0, 1)][:-1]
    return corners_x, corners_y


def thinned(times: list[float], results: list[float]) -> tuple[list[float], list[float]]:
    """Return at most `MOST_POINTS` steps: of each stretch of time what it ended with."""
    if len(times) <= MOST_POINTS:
        return times, results
    at = np.asarray(times)
    bins = ((at - at[0]) / (at[-1] - at[0] or 1) * (MOST_POINTS - 1)).astype(int)
    kept = [*np.flatnonzero(np.diff(bins)), len(times) - 1]
    return [times[each] for each in kept], [results[each] for each in kept]


def _label(value: float) -> str:
    exact = Decimal(repr(value))
    return signed(exact, min(2, places_of(exact)))


def _tag(value: Decimal) -> str:
    return signed(value, 0) if abs(value) >= 1000 else signed_usd(value)
