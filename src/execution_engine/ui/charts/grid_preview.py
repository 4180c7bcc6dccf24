"""The legs of a grid at a price: where each buys, where it sells, and the average entry as they fill."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import pyqtgraph as pg
from PySide6.QtCore import QLineF, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPen
from PySide6.QtWidgets import QGraphicsObject, QStyleOptionGraphicsItem, QWidget

from execution_engine.domain.grid import GridLeg
from execution_engine.domain.instrument import Instrument
from execution_engine.domain.money import ZERO, divide
from execution_engine.ui.charts.position_axes import PriceAxis, Tag
from execution_engine.ui.format import number, places_of, price
from execution_engine.ui.tables.paint import width_of
from execution_engine.ui.theme import THEME, color, font, px
from execution_engine.ui.tongue import tr

HALF = 0.31  # of a leg's room, to either side
ROOM = 0.12  # above and below, as a share of the height
LINE = 14  # px of one line of a label


class GridPreview(pg.PlotWidget):
    """Draw legs from left to right. It stays as it is: there is nothing to zoom into."""

    def __init__(self, parent: QWidget | None = None) -> None:
        """Start without legs."""
        self._prices = PriceAxis()
        super().__init__(parent, axisItems={"right": self._prices})
        self.setAccessibleName(tr("Preview of the grid"))
        plot = self.getPlotItem()
        for side in ("left", "bottom"):
            plot.hideAxis(side)
        plot.showAxis("right")
        plot.setMenuEnabled(False)
        plot.hideButtons()
        self._view = plot.getViewBox()
        self._view.setMouseEnabled(x=False, y=False)
        self._view.setDefaultPadding(0)
        self._drawing = _Legs(self._view, self._prices)
        THEME.theme_changed.connect(self._recolour)
        self._recolour()

    def sizeHint(self) -> QSize:
        """Ask for the room that shows a grid well."""
        return QSize(px(400), px(374))

    def show_legs(self, legs: Sequence[GridLeg], instrument: Instrument | None, base: Decimal) -> None:
        """Draw other legs."""
        drawing = self._drawing
        drawing.legs, drawing.averages = tuple(legs), averages(legs)
        drawing.quote = instrument.quote if instrument else ""
        tick = instrument.tick if instrument is not None else Decimal("0.01")
        self._prices.show_places(places_of(tick))
        # From here on they are places on the screen, not money: a float is right.
        levels = [float(each) for leg in legs for each in (leg.price, leg.tp_price)]
        low, high = (min(levels), max(levels)) if levels else (0.0, 1.0)
        spread = (high - low) or abs(high) or 1.0
        self._view.setRange(
            xRange=(-0.6, max(len(legs), 1) - 0.4),
            yRange=(low - spread * (ROOM + 0.06), high + spread * ROOM),
            padding=0,
        )
        held = [each for each in drawing.averages if each is not None]
        tags = [Tag(float(held[-1]), price(held[-1], tick), "warn", "panel")] if held else []
        self._prices.show_tags(tags)
        told = ", ".join(
            tr("leg {count} at {price}").format(count=n, price=price(leg.price, tick))
            for n, leg in enumerate(legs)
        )
        self.setAccessibleDescription(told or tr("nothing to draw"))
        drawing.update()

    def shown(self) -> list[tuple[Decimal, Decimal]]:
        """Return price and target of the legs that are drawn."""
        return [(leg.price, leg.tp_price) for leg in self._drawing.legs]

    def _recolour(self) -> None:
        self.setBackground(color("panel"))
        self._prices.restyle()
        self._drawing.update()


def averages(legs: Sequence[GridLeg]) -> list[Decimal | None]:
    """Return the average entry after each leg; None while nothing is held."""
    cost = held = ZERO
    found: list[Decimal | None] = []
    for leg in legs:
        cost, held = cost + leg.notional, held + leg.quantity
        found.append(divide(cost, held) if held else None)
    return found


class _Legs(QGraphicsObject):
    """Paint in the plot's pixels, so that lines are crisp and labels do not collide."""

    def __init__(self, plot: pg.ViewBox, prices: PriceAxis) -> None:
        super().__init__(plot)
        self._plot, self._prices = plot, prices
        self.legs: tuple[GridLeg, ...] = ()
        self.averages: list[Decimal | None] = []
        self.quote = ""
        plot.sigResized.connect(self._resized)
        plot.sigRangeChanged.connect(lambda *_: self.update())
        self.setZValue(10)

    def _resized(self) -> None:
        self.prepareGeometryChange()
        self.update()

    def boundingRect(self) -> QRectF:
        return QRectF(self._plot.rect())

    def paint(
        self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None
    ) -> None:
        area = self.boundingRect()
        if area.width() < 2 or area.height() < 2:
            return
        painter.setClipRect(area)
        self._grid(painter, area)
        boxes = [self._leg(painter, area, place, leg) for place, leg in enumerate(self.legs)]
        self._average(painter, area)
        self._labels(painter, boxes)
        self._legend(painter, area, boxes)

    def _at(self, area: QRectF, x: float, value: float) -> QPointF:
        (left, right), (low, high) = self._plot.viewRange()
        return QPointF(
            area.left() + (x - left) / ((right - left) or 1) * area.width(),
            area.bottom() - (value - low) / ((high - low) or 1) * area.height(),
        )

    def _grid(self, painter: QPainter, area: QRectF) -> None:
        low, high = self._plot.viewRange()[1]
        faint = QColor(color("line"))
        faint.setAlphaF(0.66)
        painter.setPen(QPen(faint, 1))
        for _, values in self._prices.tickValues(low, high, area.height()):
            for value in values:
                y = round(self._at(area, 0, value).y()) + 0.5
                painter.drawLine(QLineF(area.left(), y, area.right(), y))

    def _leg(self, painter: QPainter, area: QRectF, place: int, leg: GridLeg) -> QRectF:
        """Paint one leg and return the room below or above it for its name."""
        bought, sold = float(leg.price), float(leg.tp_price)  # places on the screen
        left, right = (self._at(area, place + half, bought) for half in (-HALF, HALF))
        target = self._at(area, place, sold).y()
        y, middle = round(left.y()) + 0.5, (left.x() + right.x()) / 2
        tinted = QColor(color("profit"))
        tinted.setAlphaF(0.14)
        narrow = (right.x() - left.x()) / 8
        painter.fillRect(
            QRectF(QPointF(middle - narrow, y), QPointF(middle + narrow, target)).normalized(), tinted
        )
        dotted = QPen(color("profit"), 2)
        dotted.setDashPattern([1, 1.5])
        painter.setPen(dotted)
        painter.drawLine(QLineF(left.x(), round(target) + 0.5, right.x(), round(target) + 0.5))
        painter.setPen(QPen(color("accent"), 2))
        painter.drawLine(QLineF(left.x(), y, right.x(), y))
        below = target <= y  # a long sells above where it buys
        return QRectF(left.x(), y + 4 if below else y - 4 - 2 * px(LINE), right.x() - left.x(), 2 * px(LINE))

    def _average(self, painter: QPainter, area: QRectF) -> None:
        points = [
            self._at(area, place, float(each)) for place, each in enumerate(self.averages) if each is not None
        ]
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(color("warn"), 1.5))
        painter.drawPolyline(points)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(color("warn"))
        for point in points:
            painter.drawEllipse(point, 2.5, 2.5)
        painter.restore()

    def _labels(self, painter: QPainter, boxes: Sequence[QRectF]) -> None:
        spent = ZERO
        painter.setFont(font("caption"))
        for place, (box, leg) in enumerate(zip(boxes, self.legs, strict=True)):
            spent += leg.notional
            lines = (
                (tr("Leg {place}").format(place=place), "text"),
                (f"{number(spent, 0)} {self.quote}", "text3"),
            )
            for line, (said, token) in enumerate(lines):
                wide = width_of(said, "caption")
                if wide > box.width() + px(24):
                    continue
                painter.setPen(color(token))
                x = box.center().x() - wide / 2
                painter.drawText(QPointF(round(x), round(box.y() + px(LINE) * line + px(11))), said)

    def _legend(self, painter: QPainter, area: QRectF, boxes: Sequence[QRectF]) -> None:
        """Say what the lines are, in the corner that is empty: long grids go down to the right, short ones up."""
        falling = len(self.legs) < 2 or self.legs[-1].price <= self.legs[0].price
        names = (
            tr("Leg"),
            tr("Target"),
            tr("Average entry if filled so far"),
            tr("with what is spent so far"),
        )
        height = px(LINE + 3) * len(names)
        room = QRectF(area.x() + px(12), area.bottom() - height - px(8), px(220), height)
        if not falling:
            room.moveTop(area.y() + px(8))
        if any(box.adjusted(0, -px(LINE), 0, 0).intersects(room) for box in boxes) or not self.legs:
            return
        looks = (
            ("accent", Qt.PenStyle.SolidLine),
            ("profit", Qt.PenStyle.DotLine),
            ("warn", Qt.PenStyle.SolidLine),
        )
        for line, name in enumerate(names):
            y = room.y() + px(LINE + 3) * line + px(8)
            if line < len(looks):
                token, style = looks[line]
                painter.setPen(QPen(color(token), 2, style))
                painter.drawLine(QLineF(room.x(), y, room.x() + px(20), y))
            painter.setPen(color("text2" if line < len(looks) else "text3"))
            painter.drawText(QPointF(room.x() + px(28), y + px(4)), name)
