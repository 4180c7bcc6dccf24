"""The tabs of the settings, from top to bottom, with what was found, changed or is wrong on each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPen
from PySide6.QtWidgets import (
    QListWidget,
    QListWidgetItem,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
)

from execution_engine.ui.pages.settings.tabs import TabPlace
from execution_engine.ui.tables.paint import baseline, elided, width_of
from execution_engine.ui.theme import THEME, Token, color, font, px, row_height
from execution_engine.ui.tongue import tr

WIDTH, WIDEST = 166, 220
AROUND = 36  # [px] beside a name: margins and a dot
GAP = 2
KEY = Qt.ItemDataRole.UserRole + 1
_SAID = {"danger": tr(", something is wrong"), "accent": tr(", not saved")}
DOT = Qt.ItemDataRole.UserRole + 2
HITS = Qt.ItemDataRole.UserRole + 3


class Rail(QListWidget):
    """List the tabs. chosen: the key of the one the user went to."""

    chosen = Signal(str)

    def __init__(self, tabs: Sequence[TabPlace]) -> None:
        """Take the tabs; the first one is chosen."""
        super().__init__()
        self.setAccessibleName(tr("Settings by subject"))
        self.setProperty("ground", "window")
        self.setProperty("rule", "right")
        self.setMouseTracking(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        widest = max(round(width_of(tab.title)) for tab in tabs) + px(AROUND)
        self.setFixedWidth(min(max(px(WIDTH), widest), px(WIDEST)))
        self.setViewportMargins(0, px(8), 0, 0)
        self.setItemDelegate(_Entry(self))
        self._items: dict[str, QListWidgetItem] = {}
        for tab in tabs:
            item = QListWidgetItem(tab.title)
            item.setData(KEY, tab.key)
            self._items[tab.key] = item
            self.addItem(item)
        self.setCurrentRow(0)
        self.currentItemChanged.connect(lambda *_: self.chosen.emit(self.current()))
        THEME.theme_changed.connect(self.scheduleDelayedItemsLayout)

    def current(self) -> str:
        """Return the key of the chosen tab."""
        index = self.currentIndex()
        return cast(str, index.data(KEY)) if index.isValid() else ""

    def choose(self, key: str) -> None:
        """Go to a tab."""
        self.setCurrentItem(self._items[key])

    def show_marks(self, faulty: frozenset[str], changed: frozenset[str]) -> None:
        """Put a dot on tabs with a fault or with something that is not saved."""
        for key, item in self._items.items():
            dot = "danger" if key in faulty else "accent" if key in changed else ""
            if item.data(DOT) != dot:
                item.setData(DOT, dot)
                said = _SAID.get(dot, "")
                item.setData(Qt.ItemDataRole.AccessibleTextRole, f"{item.text()}{said}")

    def dot_of(self, key: str) -> str:
        """Return the colour of a tab's dot; nothing where there is none."""
        return self._items[key].data(DOT) or ""

    def show_hits(self, hits: Mapping[str, int] | None) -> None:
        """Show only tabs on which something was found, with how much; None shows them all."""
        for key, item in self._items.items():
            found = None if hits is None else hits.get(key, 0)
            item.setHidden(found == 0)
            item.setData(HITS, found)

    def shown(self) -> list[str]:
        """Return the keys of the tabs that are in sight."""
        return [key for key, item in self._items.items() if not item.isHidden()]


class _Entry(QStyledItemDelegate):
    """Paint one tab: its name, a count of hits, a dot."""

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        return QSize(px(40), row_height("sidebar") - 4 + GAP)

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        given = cast(Any, option)  # the fields of a style option are missing from its type
        box: QRect = given.rect.adjusted(px(8), 0, -px(8), -GAP)
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
        painter.setFont(font("body"))
        painter.setPen(color("text" if selected else "text2"))
        name = elided(
            index.data(), box.width() - px(10) - px(24 if index.data(DOT) or index.data(HITS) else 4)
        )
        painter.drawText(box.x() + px(10), round(baseline(box)), name)
        self._paint_end(painter, box, index)
        painter.restore()

    @staticmethod
    def _paint_end(painter: QPainter, box: QRect, index: QModelIndex | QPersistentModelIndex) -> None:
        right = box.right() - px(8)
        if index.data(DOT):
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(color(cast(Token, index.data(DOT))))
            painter.drawEllipse(QRectF(right - px(7), box.center().y() - px(3), px(7), px(7)))
            right -= px(14)
        hits = index.data(HITS)
        if hits:
            painter.setFont(font("small"))
            painter.setPen(color("text3"))
            text = str(hits)
            painter.drawText(right - round(width_of(text, "small")), round(baseline(box, "small")), text)
