"""Equity as steps over the distance from its highest, on one axis of time, with a readout under the pointer."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pyqtgraph as pg
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QVBoxLayout, QWidget

from execution_engine.domain.money import HUNDRED
from execution_engine.domain.performance import CurvePoint, Report, thinned
from execution_engine.ui.charts.axes import TimeAxis, ValueAxis
from execution_engine.ui.charts.equity import stepped, steps, stroke
from execution_engine.ui.format import local_moment, percent, signed, signed_usd, usd, utc_text
from execution_engine.ui.theme import THEME, Token, color, px
from execution_engine.ui.tongue import tr
from execution_engine.ui.widgets import Label

MOST_POINTS = 1500
ROOM = 0.08
AXIS_WIDTH = 72
SHORTEST_S = 3600.0


class ResultsChart(QWidget):
    """Show a report's curve. The wheel zooms time, dragging moves, a double click shows everything again."""

    def __init__(self, parent: QWidget | None = None) -> None:
        """Begin without a curve."""
        super().__init__(parent)
        self.readout = Label("", "small", "text2")
        self._values, self._falls = ValueAxis(_whole, AXIS_WIDTH), ValueAxis(_whole, AXIS_WIDTH)
        self._equity, self._drawdown = _plot(None, self._values), _plot(TimeAxis(), self._falls)
        self._drawdown.setXLink(self._equity)
        self._lines = [pg.InfiniteLine(angle=90, movable=False) for _ in (0, 1)]
        for plot, line in zip((self._equity, self._drawdown), self._lines, strict=True):
            plot.addItem(line, ignoreBounds=True)
            line.hide()
            plot.scene().sigMouseMoved.connect(lambda at, plot=plot: self._point(plot, at))
        self._curve, self._area = stepped(self._equity), stepped(self._drawdown)
        self._curve_of: Sequence[CurvePoint] = ()
        self._start = Decimal(0)
        self._span = (0.0, 1.0)
        column = QVBoxLayout(self)
        column.setContentsMargins(px(12), px(4), 0, 0)
        column.setSpacing(0)
        column.addWidget(self.readout)
        column.addWidget(self._equity, 3)
        column.addWidget(self._drawdown, 2)
        view: Any = self._equity.getViewBox()
        view.sigXRangeChanged.connect(self._fit)
        self.setAccessibleName(tr("Equity and drawdown"))
        THEME.theme_changed.connect(self._recolour)
        self._recolour()

    def show_report(self, report: Report, until: datetime) -> None:
        """Show another curve, to a moment."""
        self._curve_of, self._start = thinned(report.curve, MOST_POINTS), report.start
        end = until.timestamp()
        # From here on they are places on the screen, not money: a float is right.
        times = [point.at.timestamp() for point in self._curve_of]
        first = min([*times[:1], end - SHORTEST_S])
        begin = first - (end - first) * 0.01
        equity = [float(self._start), *(float(point.equity) for point in self._curve_of)]
        falls = [0.0, *(float(point.drawdown) for point in self._curve_of)]
        at = [begin, *times]
        self._curve.setData(*steps([*at, end], [*equity, equity[-1]]))
        self._curve.setFillLevel(float(self._start))
        self._area.setData(*steps([*at, end], [*falls, falls[-1]]))
        self._area.setFillLevel(0)
        last = self._curve_of[-1] if self._curve_of else None
        self._values.show_tag(equity[-1], usd(last.equity if last else self._start))
        self._span = (begin, end)
        for plot in (self._equity, self._drawdown):
            plot.getViewBox().setLimits(xMin=begin, xMax=end, minXRange=60)
        self.reset()
        self._say(last)

    def reset(self) -> None:
        """Show the whole time again."""
        self._equity.getViewBox().setXRange(*self._span, padding=0)
        self._fit()

    def mouseDoubleClickEvent(self, event: Any) -> None:
        """Show the whole time again."""
        self.reset()

    def leaveEvent(self, event: Any) -> None:
        """Say how it ended once the pointer is gone."""
        for line in self._lines:
            line.hide()
        self._say(self._curve_of[-1] if self._curve_of else None)
        super().leaveEvent(event)

    def show_at(self, moment: float) -> None:
        """Draw the line at a time [s] and say what there was."""
        for line in self._lines:
            line.setPos(moment)
            line.show()
        place = bisect_right(self._curve_of, moment, key=lambda point: point.at.timestamp())
        if place:
            self._say(self._curve_of[place - 1], datetime.fromtimestamp(moment, UTC))
        else:
            self.readout.show_text(
                tr("Equity {amount} USD before the first result").format(amount=usd(self._start))
            )

    def _point(self, plot: Any, at: QPointF) -> None:
        if plot.sceneBoundingRect().contains(at) and self._curve_of:
            self.show_at(plot.getViewBox().mapSceneToView(at).x())

    def _say(self, point: CurvePoint | None, at: datetime | None = None) -> None:
        if point is None:
            self.readout.show_text("")
            return
        peak = point.equity - point.drawdown
        fallen = point.drawdown * HUNDRED / peak if peak > 0 else None
        self.readout.setToolTip(utc_text(at or point.at))
        self.readout.show_text(
            tr(
                "{time} · equity {amount} USD · since the beginning {amount_2} · drawdown {amount_3} "
                "({percent})"
            ).format(
                time=local_moment(at or point.at),
                amount=usd(point.equity),
                amount_2=signed_usd(point.equity - self._start),
                amount_3=signed_usd(point.drawdown),
                percent=percent(fallen),
            )
        )

    def _fit(self, *_: object) -> None:
        """Let what is in sight fill the height."""
        low, high = self._equity.getViewBox().viewRange()[0]
        for plot, curve, always in (
            (self._equity, self._curve, float(self._start)),
            (self._drawdown, self._area, 0.0),
        ):
            times, values = curve.getData()
            if times is None or not len(times):
                continue
            seen = [value for at, value in zip(times, values, strict=True) if low <= at <= high]
            before = [value for at, value in zip(times, values, strict=True) if at < low][-1:]
            reach = [*seen, *before, always]
            spread = (max(reach) - min(reach)) or 1.0
            plot.getViewBox().setYRange(min(reach) - spread * ROOM, max(reach) + spread * ROOM, padding=0)

    def _recolour(self) -> None:
        for plot in (self._equity, self._drawdown):
            plot.setBackground(color("panel"))
        for curve, token, alpha in ((self._curve, "accent", 0.10), (self._area, "loss", 0.25)):
            _dress(curve, token, alpha)  # type: ignore[arg-type]
        for line in self._lines:
            line.setPen(pg.mkPen(color("text3"), width=1, style=Qt.PenStyle.DotLine))


def _dress(curve: Any, token: Token, alpha: float) -> None:
    area = QColor(color(token))
    area.setAlphaF(alpha)
    curve.setPen(stroke(token))
    curve.setBrush(area)


def _plot(times: TimeAxis | None, values: ValueAxis) -> Any:
    axes = {"right": values} | ({"bottom": times} if times else {})
    made = pg.PlotWidget(axisItems=axes)
    plot = made.getPlotItem()
    plot.hideAxis("left")
    if times is None:
        plot.hideAxis("bottom")
    plot.showAxis("right")
    plot.setMenuEnabled(False)
    plot.hideButtons()
    view: Any = plot.getViewBox()
    view.setMouseEnabled(x=True, y=False)
    view.setDefaultPadding(0)
    made.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    made.setMinimumHeight(px(36))
    return made


def _whole(value: float) -> str:
    return signed(Decimal(repr(value)), 0).removeprefix("+")
