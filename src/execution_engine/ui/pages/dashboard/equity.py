"""The equity panel: the curve and how far back it goes."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt

from execution_engine.domain.money import ZERO
from execution_engine.domain.rows import EquityPoint
from execution_engine.ui.format import local_date
from execution_engine.ui.theme import px
from execution_engine.ui.tongue import tr
from execution_engine.ui.widgets import Label, Panel, SegmentedChoice

if TYPE_CHECKING:
    from execution_engine.ui.charts.equity import EquityChart

SPANS = {
    "7": timedelta(days=7),
    "30": timedelta(days=30),
    "90": timedelta(days=90),
    "365": timedelta(days=365),
}
CHOICES = (("7", "7 d"), ("30", "30 d"), ("90", "90 d"), ("365", "1 y"), ("all", tr("All")))
FIRST_CHOICE = "30"
NOTHING = tr("The curve begins with the first closed trade.")


class EquityPanel(Panel):
    """Show the realized result over time."""

    def __init__(self) -> None:
        """Start empty."""
        super().__init__(tr("Equity"), tr("realized, USD"))
        self._points: list[EquityPoint] = []
        self.choice = SegmentedChoice(CHOICES, FIRST_CHOICE, name=tr("Time span"))
        self._chosen = False
        self.choice.chosen.connect(self._choose)
        self.add_right(self.choice)
        self.chart: EquityChart | None = None
        self.nothing = Label(NOTHING, "body", "text2")
        self.nothing.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.add(self.nothing, 1)
        self.setMinimumHeight(px(150))
        self._now: datetime | None = None

    def show_points(self, points: Sequence[EquityPoint], now: datetime) -> None:
        """Replace the curve."""
        self._points = list(points)
        if self._points:
            self._drawn().show_points(self._points)
        self._draw(now)

    def add_points(self, points: Sequence[EquityPoint], now: datetime) -> None:
        """Lengthen the curve."""
        known = self._points[-1].id if self._points else 0
        fresh = [point for point in points if point.id > known]
        if fresh:
            self._points += fresh
            self._drawn().add_points(fresh)
            self._draw(now)

    def _drawn(self) -> EquityChart:
        """Return the chart; it is made for the first point, which comes after the window is shown."""
        if self.chart is None:
            from execution_engine.ui.charts.equity import EquityChart  # imports pyqtgraph and numpy: 0.2 s

            self.chart = EquityChart()
            self.add(self.chart, 1)
            self.setTabOrder(self.choice.last_button, self.chart)
        return self.chart

    def tick(self, now: datetime) -> None:
        """Let the curve reach to now, each minute."""
        if self._now is None or now - self._now >= timedelta(minutes=1):
            self._draw(now)

    def realized_before(self, moment: datetime) -> Decimal:
        """Return what was realized up to a moment."""
        place = bisect_left(self._points, moment, key=lambda point: point.at)
        return self._points[place - 1].realized if place else ZERO

    def _choose(self, key: str) -> None:
        self._chosen = True
        self._draw(self._now)

    def _draw(self, now: datetime | None) -> None:
        self._now = now
        if self.chart is not None:
            self.chart.setVisible(bool(self._points))
        self.nothing.setVisible(not self._points)
        if not self._points or now is None:
            return
        if not self._chosen:
            young = now - self._points[0].at < SPANS["7"]
            self.choice.set_value("all" if young else FIRST_CHOICE)
        span = SPANS.get(self.choice.value())
        since = now - span if span else None
        self.set_subtitle(
            tr("realized, USD, since {time}").format(time=local_date(since or self._points[0].at))
        )
        self._drawn().show_since(since, now)
