"""The chart below the tree, with its heading and what each line means."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QLineF, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from execution_engine.domain.errors import Refusal
from execution_engine.domain.rows import Fill
from execution_engine.ui.bridge import Batch, Bridge
from execution_engine.ui.charts.position import PositionChart
from execution_engine.ui.charts.position_marks import Marks, marks_of
from execution_engine.ui.charts.position_prices import Trails
from execution_engine.ui.format import places_of
from execution_engine.ui.pages.positions.lines import GroupLine
from execution_engine.ui.shapes import draw_shape
from execution_engine.ui.tables.paint import baseline, width_of
from execution_engine.ui.theme import THEME, Token, color, font, px
from execution_engine.ui.tongue import tr
from execution_engine.ui.widgets import Label, Panel, SegmentedChoice

_KEYS: tuple[tuple[str, Token, str], ...] = (
    ("solid", "warn", tr("Average entry")),
    ("dashed", "accent", tr("Open leg")),
    ("dotted", "profit", tr("Target")),
    ("triangle", "text", tr("Fill")),
)


class ChartPanel(Panel):
    """Show the chart of one group."""

    def __init__(self, bridge: Bridge, parent: QWidget | None = None) -> None:
        """Begin without a group."""
        super().__init__(tr("Chart"), framed=False, parent=parent)
        self._bridge, self._trails = bridge, Trails()
        self._line: GroupLine | None = None
        self._fills: Sequence[Fill] = ()
        self.chart = PositionChart()
        self._about = Label("", "small", "text3")
        self.legend = Legend()
        self.add_left(self._about)
        self.add_left(self.legend)
        self.look = SegmentedChoice(
            [("candles", tr("Candles")), ("line", tr("Line", "of a chart"))], name=tr("How prices are drawn")
        )
        self.look.setToolTip(tr("Candles appear where there are enough prices for them"))
        self.look.chosen.connect(lambda key: self.chart.show_candles(key == "candles"))
        self.chart.show_candles(True)
        self.add_right(self.look)
        self.add(self.chart, 1)
        self.legend.hide()

    def note_prices(self, batch: Batch) -> None:
        """Keep the prices that came, of every market: it may be looked at later."""
        markets = self._bridge.prices if batch.whole else batch.markets
        for market in markets:
            price = self._bridge.prices.get(market)
            if price is not None:
                self._trails.add(price)

    def show_group(self, line: GroupLine | None) -> None:
        """Show another group from its beginning; None shows none."""
        self._line, self._fills = line, ()
        self.legend.setVisible(line is not None)
        if line is None:
            self.heading.title.show_text(tr("Chart"))
            self._about.show_text("")
            self.chart.clear(tr("Select a position to see its chart."))
            return
        group = line.group
        self.heading.title.show_text(group.symbol)
        self._about.show_text(f"{group.timeframe} · {tr(group.side.value)}")
        self.read_fills()
        trail = self._trails.of((group.exchange, group.symbol))
        places = places_of(line.rules.tick)
        self.chart.show_position(f"{group.symbol} {group.timeframe}", self._marks(line), trail, places)
        self.show_price(line)

    def update_group(self, line: GroupLine) -> None:
        """Take over what was decided or filled for the same group."""
        self._line = line
        self.chart.show_marks(self._marks(line))

    def show_price(self, line: GroupLine) -> None:
        """Move the last price."""
        self._line = line
        now = line.group.closed_at or self._bridge.doors.now()
        self.chart.drawing.trail = self._trails.of((line.group.exchange, line.group.symbol))
        self.chart.show_price(line.price, now.timestamp(), stale=line.stale)

    def read_fills(self) -> None:
        """Read the fills of the group shown."""
        line = self._line
        if line is None:
            return

        def done(fills: Sequence[Fill] | Refusal) -> None:
            # Another group may have been chosen meanwhile.
            if self._line is not None and self._line.id == line.id and not isinstance(fills, Refusal):
                self._fills = fills
                self.update_group(self._line)

        self._bridge.run(self._bridge.doors.read_fills(line.id), done)

    def _marks(self, line: GroupLine) -> Marks:
        bridge = self._bridge
        orders = {id: bridge.orders[id] for id in bridge.orders_of.get(line.id, ())}
        return marks_of(line.group, bridge.pyramids, line.legs, orders, self._fills, line.rules)


class Legend(QWidget):
    """Say what each kind of line means."""

    def __init__(self, parent: QWidget | None = None) -> None:
        """Show all kinds."""
        super().__init__(parent)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(tr("Lines: ") + ", ".join(word for *_, word in _KEYS))
        THEME.theme_changed.connect(self.updateGeometry)

    def sizeHint(self) -> QSize:
        """Return the room the words take."""
        return QSize(round(sum(self._width(kind, word) for kind, _, word in _KEYS)), px(20))

    def _width(self, kind: str, word: str) -> float:
        return (px(10) if kind == "triangle" else px(18)) + 6 + width_of(word, "small") + 12

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint a sample and a word of each."""
        painter = QPainter(self)
        painter.setFont(font("small"))
        x, middle = 0.0, self.height() // 2 + 0.5
        for kind, token, word in _KEYS:
            length = px(10) if kind == "triangle" else px(18)
            if kind == "triangle":
                draw_shape(painter, "triangle", QRectF(x, middle - 5, 9, 9), color(token))
            else:
                pen = QPen(color(token), 1.6)
                pen.setCapStyle(Qt.PenCapStyle.FlatCap)
                if kind != "solid":
                    pen.setDashPattern([3, 2] if kind == "dashed" else [1.2, 1.6])
                painter.setPen(pen)
                painter.drawLine(QLineF(x, middle, x + length, middle))
            painter.setPen(color("text2"))
            painter.drawText(round(x + length + 6), round(baseline(self.rect(), "small")), word)
            x += self._width(kind, word)
