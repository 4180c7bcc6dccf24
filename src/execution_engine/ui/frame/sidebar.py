"""The sidebar: the pages, how much is on them, and a dot where something needs a look."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFocusEvent, QPainter, QPen
from PySide6.QtWidgets import (
    QAbstractItemView,
    QListWidget,
    QListWidgetItem,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from execution_engine.ui import icons
from execution_engine.ui.frame.places import Place
from execution_engine.ui.tables.paint import baseline, elided, width_of
from execution_engine.ui.theme import SIZE, THEME, color, font, px, row_height
from execution_engine.ui.tongue import tr

COUNT = Qt.ItemDataRole.UserRole + 1
DOT = Qt.ItemDataRole.UserRole + 2
ICON = Qt.ItemDataRole.UserRole + 3
KEY = Qt.ItemDataRole.UserRole + 4
GAP = 2
AROUND, WIDEST = 88, 230  # [px]: beside a name are icon, margins and a count


class Sidebar(QListWidget):
    """List the pages; `chosen` tells the key of the one the user went to."""

    chosen = Signal(str)

    def __init__(self, places: Sequence[Place], parent: QWidget | None = None) -> None:
        """Take the pages from top to bottom."""
        super().__init__(parent)
        self.slim = False
        self.setAccessibleName(tr("Pages"))
        self.setProperty("ground", "chrome")
        self.setProperty("rule", "right")
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setMouseTracking(True)
        self.setItemDelegate(_Entry(self))
        self.setViewportMargins(0, px(8), 0, 0)
        self._items: dict[str, QListWidgetItem] = {}
        for place in places:
            if place.listed:
                self._add(place)
        self.setFixedWidth(self._wide())
        self.currentItemChanged.connect(lambda *_: self.chosen.emit(self.current()))
        THEME.theme_changed.connect(self.scheduleDelayedItemsLayout)

    def _add(self, place: Place) -> None:
        item = QListWidgetItem(place.title)
        item.setData(KEY, place.key)
        item.setData(ICON, place.icon)
        self._items[place.key] = item
        self.addItem(item)

    def current(self) -> str:
        """Return the key of the current page."""
        index = self.currentIndex()
        return cast(str, index.data(KEY)) if index.isValid() else ""

    def show_current(self, key: str) -> None:
        """Mark a page as the current one, none if it is not listed; this tells `chosen` when it was another."""
        if key in self._items:
            self.setCurrentItem(self._items[key])
        else:
            self.setCurrentRow(-1)

    def show_count(self, key: str, count: int, dot: bool = False) -> None:
        """Say how much is on a page, and whether it needs a look."""
        item = self._items[key]
        if (item.data(COUNT) or 0, bool(item.data(DOT))) == (count, dot):
            return
        item.setData(COUNT, count)
        item.setData(DOT, dot)
        said = [item.text(), str(count) if count else "", tr("needs a look") if dot else ""]
        item.setData(Qt.ItemDataRole.AccessibleTextRole, ", ".join(each for each in said if each))

    def count_of(self, key: str) -> tuple[int, bool]:
        """Return the count and the dot of a page."""
        item = self._items[key]
        return item.data(COUNT) or 0, bool(item.data(DOT))

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Take the cursor without going anywhere: a list would make its first entry the current one."""
        if self.currentIndex().isValid():
            super().focusInEvent(event)
        else:
            QWidget.focusInEvent(self, event)

    def _wide(self) -> int:
        """Return the width [px] that shows every name; long ones are cut."""
        names = (round(width_of(item.text(), "body", 500)) for item in self._items.values())
        return min(max(px(SIZE["sidebar"]), max(names) + px(AROUND)), px(WIDEST))

    def set_slim(self, slim: bool) -> None:
        """Show icons only."""
        if slim != self.slim:
            self.slim = slim
            self.setFixedWidth(px(SIZE["sidebar_slim"]) if slim else self._wide())
            for item in self._items.values():
                item.setToolTip(item.text() if slim else "")
            self.scheduleDelayedItemsLayout()


class _Entry(QStyledItemDelegate):
    """Paint one page: icon, name, count or dot."""

    def __init__(self, sidebar: Sidebar) -> None:
        super().__init__(sidebar)
        self._sidebar = sidebar

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        return QSize(px(40), row_height("sidebar") + GAP)

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        given = cast(Any, option)  # the fields of a style option are missing from its type
        margin = px(7 if self._sidebar.slim else 8)
        box: QRect = given.rect.adjusted(margin, 0, -margin, -GAP)
        selected = bool(given.state & QStyle.StateFlag.State_Selected)
        hovered = bool(given.state & QStyle.StateFlag.State_MouseOver)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if selected or hovered:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(color("sel" if selected else "hover"))
            painter.drawRoundedRect(QRectF(box), 4, 4)
        if given.state & QStyle.StateFlag.State_HasFocus and selected:
            painter.setPen(QPen(color("accent"), 1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(box).adjusted(0.5, 0.5, -0.5, -0.5), 4, 4)
        self._paint_icon(painter, box, index, selected)
        if self._sidebar.slim:
            self._paint_dot(painter, box, index, box.right() - px(7), box.y() + px(7))
        else:
            self._paint_words(painter, box, index, selected)
        painter.restore()

    def _paint_icon(
        self, painter: QPainter, box: QRect, index: QModelIndex | QPersistentModelIndex, selected: bool
    ) -> None:
        size = px(16)
        ratio = painter.device().devicePixelRatioF()
        mark = icons.pixmap(index.data(ICON), "accent" if selected else "text2", size, ratio)
        x = box.x() + ((box.width() - size) // 2 if self._sidebar.slim else px(10))
        painter.drawPixmap(x, box.y() + (box.height() - size) // 2, mark)

    def _paint_words(
        self, painter: QPainter, box: QRect, index: QModelIndex | QPersistentModelIndex, selected: bool
    ) -> None:
        left, right = box.x() + px(36), box.right() - px(10)
        if index.data(DOT):
            self._paint_dot(painter, box, index, right - px(4), box.center().y() + 1)
            right -= px(16)
        count = index.data(COUNT)
        if count:
            painter.setFont(font("small"))
            painter.setPen(color("text3"))
            right -= round(width_of(f"{count:,}", "small"))
            painter.drawText(right, round(baseline(box, "small")), f"{count:,}")
            right -= px(6)
        painter.setFont(font("body", 500))
        painter.setPen(color("text" if selected else "text2"))
        name = elided(index.data(), right - left, "body", 500)
        painter.drawText(left, round(baseline(box, "body", 500)), name)

    def _paint_dot(
        self, painter: QPainter, box: QRect, index: QModelIndex | QPersistentModelIndex, x: int, y: int
    ) -> None:
        if index.data(DOT):
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(color("warn"))
            painter.drawEllipse(QRectF(x - px(4), y - px(4), px(7), px(7)))
