"""The order of promotion, as four rules one below the other, and what happens when the queue is full."""

from __future__ import annotations

from datetime import timedelta

from PySide6.QtCore import Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from execution_engine.domain.settings import Overflow, Pool
from execution_engine.ui.format import span
from execution_engine.ui.tables.paint import baseline, width_of
from execution_engine.ui.theme import THEME, color, font, px, tint
from execution_engine.ui.tongue import tr
from execution_engine.ui.widgets import Label, Panel

RULES = (
    (tr("Its key has an open group"), tr("continues the position: needs no slot, goes at once")),
    (tr("Deepest current loss"), tr("a gain counts as 0, and so does a price that is not fresh")),
    (tr("Most often replaced"), tr("the newest signal of a key counts, its place in time is kept")),
    (tr("First in, first out"), tr("by the time since which the key waits")),
)
OVERFLOW = {
    Overflow.REJECT_NEW: tr("when it is full, new signals are rejected"),
    Overflow.DROP_LOWEST: tr("when it is full, the last rank is dropped"),
}


def capacity(count: int, pool: Pool) -> str:
    """Say how full the queue is and what happens when it is: “5 of 100 · when it is full, …”."""
    return tr("{count} of {max_queue} · {overflow} · {pool}").format(
        count=f"{count:,}",
        max_queue=f"{pool.max_queue:,}",
        overflow=OVERFLOW[pool.overflow],
        pool=waits_for(pool),
    )


def waits_for(pool: Pool) -> str:
    """Say how long a signal may wait."""
    if not pool.max_queue_age_s:
        return tr("each waits without end")
    return tr("each waits {span} at most").format(span=span(timedelta(seconds=pool.max_queue_age_s)))


class RulesPanel(Panel):
    """The four rules, numbered."""

    def __init__(self) -> None:
        """Lay them out."""
        super().__init__(tr("Order of promotion"), tr("compared one after the other"))
        column = QVBoxLayout()
        column.setContentsMargins(px(12), px(8), px(12), px(10))
        column.setSpacing(px(9))
        for number, (title, words) in enumerate(RULES, 1):
            row = QHBoxLayout()
            row.setSpacing(px(12))
            row.addWidget(_Number(number), alignment=Qt.AlignmentFlag.AlignTop)
            both = QVBoxLayout()
            both.setSpacing(px(1))
            both.addWidget(Label(title, "body"))
            both.addWidget(Label(words, "small", "text3", wrap=True))
            row.addLayout(both, 1)
            column.addLayout(row)
        column.addStretch(1)
        self.add(column)


class _Number(QWidget):
    def __init__(self, number: int) -> None:
        super().__init__()
        self._text = str(number)
        self.setFixedSize(px(18), px(18))
        self.setAccessibleName(f"{tr('rule ') + self._text}")
        THEME.theme_changed.connect(self.update)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), tint("accent"))
        painter.setPen(color("accent"))
        painter.setFont(font("caption", 700))
        x = (self.width() - width_of(self._text, "caption", 700)) / 2
        painter.drawText(round(x), round(baseline(self.rect(), "caption", 700)), self._text)
