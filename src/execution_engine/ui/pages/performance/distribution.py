"""How many trades ended with how much, as bars; zero is an edge between two of them."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize
from PySide6.QtGui import QHelpEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QToolTip, QWidget

from execution_engine.domain.performance import Bar
from execution_engine.ui.format import counted, exact, signed, tooltip
from execution_engine.ui.tables.paint import width_of
from execution_engine.ui.theme import THEME, color, font, px, tint
from execution_engine.ui.tongue import tr

MARGIN_X, MARGIN_TOP, MARGIN_BOTTOM = 16, 24, 30
GAP = 2
LABEL_ROOM = 12


class Distribution(QWidget):
    """Draw the bars of a report."""

    def __init__(self, parent: QWidget | None = None) -> None:
        """Begin without bars."""
        super().__init__(parent)
        self.bars: Sequence[Bar] = ()
        THEME.theme_changed.connect(self.update)
        self.show_bars(())

    def show_bars(self, bars: Sequence[Bar]) -> None:
        """Draw other bars."""
        self.bars = bars
        said = "; ".join(self.words(bar) for bar in bars if bar.trades)
        self.setAccessibleName(tr("Distribution of results"))
        self.setAccessibleDescription(said)
        self.update()

    @staticmethod
    def words(bar: Bar) -> str:
        """Say a bar."""
        ends = (signed(each, 2).removesuffix(".00") for each in (bar.low, bar.high))
        return tr("{count} from {ends} USD").format(
            count=counted(bar.trades, tr("trade"), tr("trades")), ends=tr(" to ").join(ends)
        )

    def minimumSizeHint(self) -> QSize:
        """Ask for room for a few bars."""
        return QSize(px(240), px(110))

    def box_of(self, place: int) -> QRectF:
        """Return where a bar stands."""
        width = (self.width() - 2 * px(MARGIN_X)) / max(1, len(self.bars))
        room = self.height() - px(MARGIN_TOP) - px(MARGIN_BOTTOM)
        most = max((bar.trades for bar in self.bars), default=1) or 1
        height = room * self.bars[place].trades / most
        x = px(MARGIN_X) + place * width
        return QRectF(x + GAP / 2, px(MARGIN_TOP) + room - height, width - GAP, height)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint bars, their counts and the edges that have room."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), color("panel"))
        painter.setFont(font("caption"))
        if not self.bars:
            return
        floor = self.height() - px(MARGIN_BOTTOM)
        painter.setPen(QPen(color("line"), 1))
        painter.drawLine(px(MARGIN_X), floor, self.width() - px(MARGIN_X), floor)
        free = 0.0
        for place, bar in enumerate(self.bars):
            box = self.box_of(place)
            painter.fillRect(box, tint("loss" if bar.high <= 0 else "profit", share=0.6))
            count = f"{bar.trades:,}" if bar.trades else ""
            if width_of(count, "caption") <= box.width():
                painter.setPen(color("text2"))
                middle = QPointF(box.center().x() - width_of(count, "caption") / 2, box.y() - 5)
                painter.drawText(middle, count)
            edge = _edge(bar)
            x = box.x() - width_of(edge, "caption") / 2
            if x >= free:
                painter.setPen(color("text3"))
                painter.drawText(QPointF(max(2.0, x), floor + px(17)), edge)
                free = x + width_of(edge, "caption") + px(LABEL_ROOM)

    def event(self, event: QEvent) -> bool:
        """Say the bar under the pointer."""
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            for place, bar in enumerate(self.bars):
                box = self.box_of(place)
                if box.left() <= event.pos().x() <= box.right():
                    QToolTip.showText(event.globalPos(), tooltip(self.words(bar)), self)
                    return True
        return super().event(event)

    def sizeHint(self) -> QSize:
        """Take what there is."""
        return QSize(px(600), px(240))


def _edge(bar: Bar) -> str:
    text = exact(bar.low)
    return text if bar.low <= 0 else f"+{text}"
