"""A month of days: each says what it brought, with a sign, and how many groups closed."""

from __future__ import annotations

import calendar
from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QHelpEvent, QKeyEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QHBoxLayout, QToolTip, QVBoxLayout, QWidget

from execution_engine.domain.money import ZERO
from execution_engine.domain.performance import DayResult
from execution_engine.ui.format import counted, exact, result_token, signed_usd, tooltip
from execution_engine.ui.tables.paint import elided, width_of
from execution_engine.ui.theme import THEME, color, font, px, tint
from execution_engine.ui.tongue import tr
from execution_engine.ui.widgets import Label, button

MONTHS = tuple(calendar.month_name)
WEEKDAYS = (tr("Mon"), tr("Tue"), tr("Wed"), tr("Thu"), tr("Fri"), tr("Sat"), tr("Sun"))
STEPS = 4
HEAD = 22


class Calendar(QWidget):
    """Show one month at a time; ← and → turn the pages."""

    def __init__(self, parent: QWidget | None = None) -> None:
        """Begin without days."""
        super().__init__(parent)
        self.grid = MonthGrid()
        self.title = Label("", "body", "text", weight=600)
        self.sum = Label("", "small", "text2")
        self.back = button("‹", small=True, tip=tr("The month before"))
        self.ahead = button("›", small=True, tip=tr("The month after"))
        head = QHBoxLayout()
        head.setContentsMargins(px(12), px(6), px(12), px(4))
        head.setSpacing(px(8))
        for each in (self.back, self.title, self.ahead, self.sum):
            head.addWidget(each)
        head.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(head)
        column.addWidget(self.grid, 1)
        self.back.clicked.connect(lambda: self.turn(-1))
        self.ahead.clicked.connect(lambda: self.turn(1))
        self.grid.turned.connect(self.turn)

    def show_days(self, days: Mapping[date, DayResult], today: date) -> None:
        """Take other days; the month shown stays where it has any, else the last one with a result comes."""
        first = self.grid.month
        self.grid.days = days
        if not first or not any((day.year, day.month) == (first.year, first.month) for day in days):
            first = max(days, default=today).replace(day=1)
        self._show(first)

    def turn(self, by: int) -> None:
        """Show the month before or after."""
        month = self.grid.month
        if month is None:
            return
        self._show((month + timedelta(days=31) if by > 0 else month - timedelta(days=1)).replace(day=1))

    def _show(self, month: date) -> None:
        self.grid.show_month(month)
        some = [d for day, d in self.grid.days.items() if (day.year, day.month) == (month.year, month.month)]
        total = sum((each.realized for each in some), ZERO)
        trades = sum(each.trades for each in some)
        self.title.show_text(f"{MONTHS[month.month]} {month.year}")
        self.sum.show_text(
            tr("{amount} USD · {count} · days of UTC").format(
                amount=signed_usd(total), count=counted(trades, tr("trade"), tr("trades"))
            )
        )


class MonthGrid(QWidget):
    """Paint the days. turned: ← or → was pressed, as −1 or 1."""

    turned = Signal(int)

    def __init__(self) -> None:
        """Begin without a month."""
        super().__init__()
        self.days: Mapping[date, DayResult] = {}
        self.month: date | None = None
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        THEME.theme_changed.connect(self.update)

    def show_month(self, month: date) -> None:
        """Show another month."""
        self.month = month
        named = [day for day in self.days if (day.year, day.month) == (month.year, month.month)]
        self.setAccessibleName(
            tr("Days of {months} {year}").format(months=MONTHS[month.month], year=month.year)
        )
        self.setAccessibleDescription("; ".join(self.words(day) for day in named))
        self.update()

    def words(self, day: date) -> str:
        """Say a day."""
        found = self.days.get(day)
        if found is None:
            return tr("{isoformat}: nothing was realized").format(isoformat=day.isoformat())
        return f"{day.isoformat()}: {exact(found.realized)} USD, {counted(found.trades, tr('trade'), tr('trades'))}"

    def minimumSizeHint(self) -> QSize:
        """Ask for six weeks of two lines."""
        return QSize(px(560), px(HEAD + 6 * 19))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Turn the pages."""
        turns = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}
        by = turns.get(Qt.Key(event.key()))
        if by is None:
            super().keyPressEvent(event)
        else:
            self.turned.emit(by)

    def weeks(self) -> list[list[date]]:
        """Return the days of the month in weeks from Monday, with what lies around it."""
        if self.month is None:
            return []
        return calendar.Calendar().monthdatescalendar(self.month.year, self.month.month)

    def box_of(self, row: int, column: int) -> QRectF:
        """Return where a day stands."""
        head = px(HEAD)
        width, height = (
            (self.width() - px(24)) / 7,
            (self.height() - head - px(10)) / max(1, len(self.weeks())),
        )
        return QRectF(px(12) + column * width, head + row * height, width, height).adjusted(1, 1, -1, -1)

    def step_of(self, result: Decimal) -> int:
        """Return how strong a day's tint is: 1 to 4, by its share of the month's largest."""
        if self.month is None or not result:
            return 0
        shown = (
            d for day, d in self.days.items() if (day.year, day.month) == (self.month.year, self.month.month)
        )
        most = max((abs(each.realized) for each in shown), default=ZERO)
        return max(1, min(STEPS, -(-abs(result) * STEPS // most).__int__())) if most else 0

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the names of the days and a box for each."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), color("panel"))
        painter.setFont(font("caption"))
        painter.setPen(color("text3"))
        for column, name in enumerate(WEEKDAYS):
            painter.drawText(QPointF(self.box_of(0, column).x() + px(6), px(15)), name)
        for row, week in enumerate(self.weeks()):
            for column, day in enumerate(week):
                self._paint_day(painter, self.box_of(row, column), day)
        if self.hasFocus():
            painter.setPen(QPen(color("accent"), 1))
            painter.drawRect(self.rect().adjusted(0, 0, -1, -1))

    def _paint_day(self, painter: QPainter, box: QRectF, day: date) -> None:
        if self.month is None or day.month != self.month.month:
            return
        found = self.days.get(day)
        realized = found.realized if found else ZERO
        token = result_token(realized)
        strength = self.step_of(realized) * 0.06
        painter.fillRect(box, tint(token, share=strength) if strength else color("window"))
        flat = box.height() < px(34)
        line = box.y() + (box.height() + px(8)) / 2 if flat else box.y() + px(15)
        painter.setPen(color("text3"))
        painter.setFont(font("caption"))
        painter.drawText(QPointF(box.x() + px(6), line), str(day.day))
        if found is None:
            return
        if not flat:
            count = (
                counted(found.trades, tr("trade"), tr("trades"))
                if box.width() > px(130)
                else f"{found.trades:,}"
            )
            painter.setPen(color("text2"))
            painter.drawText(QPointF(box.right() - px(6) - width_of(count, "caption"), line), count)
        left = box.x() + px(26 if flat else 6)
        painter.setFont(font("small", 500))
        painter.setPen(color(token))
        text = elided(signed_usd(realized), box.right() - px(4) - left, "small", 500)
        painter.drawText(QPointF(left, line if flat else line + px(16)), text)

    def day_at(self, x: float, y: float) -> date | None:
        """Return the day of the month at a place."""
        for row, week in enumerate(self.weeks()):
            for column, day in enumerate(week):
                if (
                    self.box_of(row, column).contains(QPointF(x, y))
                    and self.month
                    and day.month == self.month.month
                ):
                    return day
        return None

    def event(self, event: QEvent) -> bool:
        """Say the day under the pointer."""
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            day = self.day_at(event.pos().x(), event.pos().y())
            if day is not None:
                QToolTip.showText(event.globalPos(), tooltip(self.words(day)), self)
                return True
        return super().event(event)
