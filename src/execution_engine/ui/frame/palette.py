"""The palette: type a few letters, and do it or go there. It does what the menus do, questions included."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, cast

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPoint, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QIcon, QKeyEvent, QKeySequence, QPainter, QPen
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QFrame,
    QHBoxLayout,
    QListWidget,
    QListWidgetItem,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from execution_engine.ui import icons
from execution_engine.ui.format import spoken, visible
from execution_engine.ui.frame.finds import Find
from execution_engine.ui.frame.fuzzy import fit
from execution_engine.ui.frame.memory import Memory
from execution_engine.ui.tables.paint import baseline, elided, width_of
from execution_engine.ui.theme import ICON, color, font, px, row_height
from execution_engine.ui.tongue import tr
from execution_engine.ui.widgets import ElidedLabel, SearchField

WIDTH, ROWS_SEEN = 640, 11
MOST_SHOWN = 60
MOST_RECENT = 20
RECENT = "palette.recent"
RECENTLY_USED = 20  # how much better a thing fits that was used before; less than a better fit is worth
FIND = Qt.ItemDataRole.UserRole + 1
PLACES = Qt.ItemDataRole.UserRole + 2
KIND = 96  # [px] for what kind a thing is of
HINT = tr("↑ ↓ to choose · Enter does it · Esc closes")


class Palette(QDialog):
    """Let the user find one thing and do it. Made anew each time it opens."""

    def __init__(self, finds: Sequence[Find], memory: Memory, parent: QWidget) -> None:
        """Take what can be found, and where it is kept what was used before."""
        super().__init__(parent)
        self._finds, self._memory = finds, memory
        self._recent = recent(memory)
        self.setWindowTitle(tr("Find anything"))
        self.setFixedWidth(px(WIDTH))
        self.search = SearchField(tr("An act, a page, a position, a setting …"))
        self.search.setMinimumWidth(0)
        self.search.setMaximumWidth(16_777_215)
        self.rows = QListWidget()
        self.rows.setAccessibleName(tr("Found"))
        self.rows.setItemDelegate(_Row(self.rows))
        self.rows.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.rows.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerItem)
        self.rows.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.rows.setFixedHeight(ROWS_SEEN * row_height("menu") + 2)
        self.rows.setMouseTracking(True)
        self.foot = ElidedLabel("", "small", "text3")
        self._lay_out()
        self.search.textChanged.connect(lambda _: self._find())
        self.rows.currentItemChanged.connect(lambda *_: self._say())
        self.rows.itemClicked.connect(lambda _: self.choose())
        self._find()
        self.search.setFocus()

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        top = QHBoxLayout()
        top.setContentsMargins(px(12), px(12), px(12), px(8))
        top.addWidget(self.search)
        column.addLayout(top)
        column.addWidget(self.rows)
        foot = QFrame()
        foot.setProperty("ground", "chrome")
        foot.setProperty("rule", "top")
        row = QHBoxLayout(foot)
        row.setContentsMargins(px(16), px(8), px(16), px(8))
        row.addWidget(self.foot)
        row.addStretch(1)
        column.addWidget(foot)

    def place_over(self, window: QWidget) -> QPoint:
        """Return where it stands in a window: in the middle, near the top."""
        return QPoint((window.width() - self.width()) // 2, px(84))

    # -- finding

    def shown(self) -> list[Find]:
        """Return what is listed now, from top to bottom."""
        return [self.rows.item(at).data(FIND) for at in range(self.rows.count())]

    def _find(self) -> None:
        typed = self.search.text().strip()
        self.rows.clear()
        for find, places in self._best(typed):
            item = QListWidgetItem(find.title)
            item.setData(FIND, find)
            item.setData(PLACES, places)
            item.setData(Qt.ItemDataRole.AccessibleTextRole, words(find))
            self.rows.addItem(item)
        self.rows.setCurrentRow(0)
        self._say()

    def _best(self, typed: str) -> list[tuple[Find, frozenset[int]]]:
        recent = {key: place for place, key in enumerate(self._recent)}
        if not typed:
            # Those used before, newest first; then all others as they come: acts, pages, positions, …
            ordered = sorted(self._finds, key=lambda find: recent.get(find.key, len(recent)))
            return [(find, frozenset()) for find in ordered[:MOST_SHOWN]]
        found = [
            (fits.score + RECENTLY_USED * (find.key in recent), find, fits.places)
            for find in self._finds
            if (fits := fit(typed, find.title, f"{find.kind} {find.detail} {find.more}"))
        ]
        found.sort(key=lambda each: (-each[0], recent.get(each[1].key, len(recent)), len(each[1].title)))
        return [(find, places) for _, find, places in found[:MOST_SHOWN]]

    def _say(self) -> None:
        """Say below what the current row is, or why it cannot be done."""
        find = self._current()
        if find is None:
            self.foot.show_text(
                tr("Nothing is called “{text}”.").format(text=visible(self.search.text().strip(), 40)),
                "text2",
            )
        elif find.why_not:
            self.foot.show_text(tr("Not now: {why_not}").format(why_not=find.why_not), "warn")
        else:
            self.foot.show_text(HINT, "text3")

    def _current(self) -> Find | None:
        index = self.rows.currentIndex()
        return cast(Find, index.data(FIND)) if index.isValid() else None

    # -- choosing

    def choose(self) -> None:
        """Close and do what the current row says; what cannot be done stays where it is."""
        find = self._current()
        if find is None or find.why_not:
            self._say()
            return
        used = [find.key, *(key for key in self._recent if key != find.key)][:MOST_RECENT]
        self._memory.put(RECENT, json.dumps(used))
        self.accept()
        find.run()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Walk through the list while the letters go into the field."""
        key = event.key()
        if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.choose()
        elif key in (Qt.Key.Key_Up, Qt.Key.Key_Down):
            self._walk(1 if key == Qt.Key.Key_Down else -1, around=True)
        elif key in (Qt.Key.Key_PageUp, Qt.Key.Key_PageDown):
            self._walk(ROWS_SEEN if key == Qt.Key.Key_PageDown else -ROWS_SEEN)
        elif event.keyCombination() == QKeySequence("Ctrl+K")[0]:  # type: ignore[index]  # the stubs do not know it
            self.reject()
        else:
            super().keyPressEvent(event)

    def _walk(self, by: int, *, around: bool = False) -> None:
        count, wanted = self.rows.count(), self.rows.currentRow() + by
        if count:
            self.rows.setCurrentRow(wanted % count if around else min(max(wanted, 0), count - 1))


def recent(memory: Memory) -> list[str]:
    """Return the keys of what was used before, newest first."""
    try:
        kept = json.loads(memory.text(RECENT) or "[]")
    except ValueError:
        return []
    return [key for key in kept if isinstance(key, str)] if isinstance(kept, list) else []


def words(find: Find) -> str:
    """Return a row as a screen reader says it."""
    reason = tr("not now: {why_not}").format(why_not=find.why_not) if find.why_not else ""
    return ", ".join(each for each in (find.title, find.detail, find.kind, spoken(find.keys), reason) if each)


class _Row(QStyledItemDelegate):
    """Paint one thing: icon, title with the letters that were meant, detail, shortcut, kind."""

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        return QSize(px(40), row_height("menu"))

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        given = cast(Any, option)  # the fields of a style option are missing from its type
        row: QRect = given.rect
        find: Find = index.data(FIND)
        painter.save()
        if given.state & QStyle.StateFlag.State_Selected:
            painter.fillRect(row, color("sel"))
            painter.fillRect(QRect(row.x(), row.y(), px(3), row.height()), color("accent"))
        elif given.state & QStyle.StateFlag.State_MouseOver:
            painter.fillRect(row, color("hover"))
        self._paint_icon(painter, row, find)
        right = self._paint_right(painter, row, find)
        self._paint_words(painter, row, find, index.data(PLACES), right)
        painter.restore()

    def _paint_icon(self, painter: QPainter, row: QRect, find: Find) -> None:
        size = px(ICON["normal"])
        box = QRect(row.x() + px(16), row.y() + (row.height() - size) // 2, size, size)
        if isinstance(find.icon, QIcon):
            find.icon.paint(painter, box)
        elif find.icon:
            painter.drawPixmap(
                box, icons.pixmap(find.icon, "text3", size, painter.device().devicePixelRatioF())
            )

    def _paint_right(self, painter: QPainter, row: QRect, find: Find) -> int:
        """Paint kind and shortcut and return where the room of the words ends."""
        right = row.right() - px(16)
        kind_x = right - px(KIND)
        painter.setFont(font("small"))
        painter.setPen(color("text3"))
        kind = elided(find.kind, px(KIND) - px(8), "small")
        painter.drawText(round(right - width_of(kind, "small")), round(baseline(row, "small")), kind)
        if not find.keys:
            return kind_x
        width = round(width_of(find.keys, "small")) + px(12)
        box = QRectF(kind_x - width - 0.5, row.y() + px(6) + 0.5, width, row.height() - px(12) - 1)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(color("ctl"), 1))
        painter.drawRoundedRect(box, 3, 3)
        painter.setPen(color("text2"))
        painter.drawText(kind_x - width + px(6), round(baseline(row, "small")), find.keys)
        return kind_x - width - px(8)

    def _paint_words(
        self, painter: QPainter, row: QRect, find: Find, places: frozenset[int], right: int
    ) -> None:
        x, y = row.x() + px(42), round(baseline(row))
        title = elided(find.title, right - x, "body", 600 if places else 400)
        for at, letter in enumerate(title):
            weight = 600 if at in places else 400
            painter.setFont(font("body", weight))
            painter.setPen(color("text3" if find.why_not else "accent" if at in places else "text"))
            painter.drawText(round(x), y, letter)
            x += width_of(letter, "body", weight)  # type: ignore[assignment]  # parts of a pixel add up
        detail = find.why_not or find.detail
        if detail and right - x > px(60):
            painter.setFont(font("small"))
            painter.setPen(color("warn" if find.why_not else "text3"))
            painter.drawText(
                round(x) + px(10),
                round(baseline(row, "small")),
                elided(detail, right - x - px(14), "small"),
            )
