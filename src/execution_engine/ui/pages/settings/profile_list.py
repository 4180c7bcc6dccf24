"""The profiles by name: which one is looked at, which is the default, and what uses each."""

from __future__ import annotations

from typing import Any, cast

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPointF, QRect, QSize, Qt
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QListWidget,
    QListWidgetItem,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
)

from execution_engine.ui.pages.settings.profiles import ProfileBook
from execution_engine.ui.tables.paint import elided, width_of
from execution_engine.ui.theme import THEME, color, font, px
from execution_engine.ui.tongue import tr
from execution_engine.ui.widgets import Panel, button

ROW = 52
SUBTITLE = Qt.ItemDataRole.UserRole + 1
DEFAULT = Qt.ItemDataRole.UserRole + 2


class ProfileList(Panel):
    """List the profiles, and add, copy and delete them."""

    def __init__(self, book: ProfileBook) -> None:
        """Take the profiles."""
        super().__init__(tr("Profiles"))
        self._book = book
        self._showing = False
        self.list = QListWidget()
        self.list.setAccessibleName(tr("Grid profiles"))
        self.list.setMouseTracking(True)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setItemDelegate(_Entry(self.list))
        self.new = button(icon="plus", role="icon", small=True, tip=tr("Add a profile"))
        self.copy = button(tr("Duplicate", "to copy it"), small=True)
        self.remove = button(tr("Delete"), small=True)
        self.add_right(self.new)
        self.add(self.list, 1)
        foot = QFrame()
        foot.setProperty("rule", "top")
        row = QHBoxLayout(foot)
        row.setContentsMargins(px(8), px(8), px(8), px(8))
        row.setSpacing(px(6))
        for each in (self.copy, self.remove):
            row.addWidget(each)
        row.addStretch(1)
        self.add(foot)
        self.new.clicked.connect(book.add)
        self.copy.clicked.connect(book.duplicate)
        self.remove.clicked.connect(book.delete)
        self.list.currentRowChanged.connect(self._picked)
        book.chosen.connect(self.refresh)
        book.sheet.changed.connect(self.refresh)
        THEME.theme_changed.connect(self.list.scheduleDelayedItemsLayout)
        self.refresh()

    def _picked(self, row: int) -> None:
        if not self._showing and row >= 0:
            self._book.choose(self.list.item(row).text())

    def refresh(self) -> None:
        """Show names and uses anew."""
        book, names = self._book, self._book.names
        self._showing = True
        while self.list.count() > len(names):
            self.list.takeItem(self.list.count() - 1)
        while self.list.count() < len(names):
            self.list.addItem(QListWidgetItem())
        for row, name in enumerate(names):
            item, subtitle = self.list.item(row), book.subtitle(name)
            item.setText(name)
            item.setData(SUBTITLE, subtitle)
            item.setData(DEFAULT, name == book.default)
            item.setToolTip(f"{name}\n{subtitle}")
            said = f"{name}, {(tr('default, ') if name == book.default else '')}{subtitle}"
            item.setData(Qt.ItemDataRole.AccessibleTextRole, said)
        self.list.setCurrentRow(names.index(book.current) if book.current in names else -1)
        self._showing = False
        kept = book.why_kept()
        self.remove.setEnabled(not kept)
        self.remove.setToolTip(kept)


class _Entry(QStyledItemDelegate):
    """Paint one profile: its name, a word if it is the default, and below what uses it."""

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        return QSize(px(80), px(ROW))

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        given = cast(Any, option)  # the fields of a style option are missing from its type
        box: QRect = given.rect
        selected = bool(given.state & QStyle.StateFlag.State_Selected)
        hovered = bool(given.state & QStyle.StateFlag.State_MouseOver)
        painter.save()
        painter.fillRect(box, color("sel" if selected else "hover" if hovered else "panel"))
        painter.setPen(color("line"))
        painter.drawLine(box.bottomLeft(), box.bottomRight())
        if selected and given.state & QStyle.StateFlag.State_HasFocus:
            painter.setPen(color("accent"))
            painter.drawRect(box.adjusted(0, 0, -1, -1))
        x, room = box.x() + px(12), box.width() - px(24)
        mark = tr("default") if index.data(DEFAULT) else ""
        wide = width_of(mark, "small") + px(8) if mark else 0
        name = elided(index.data(), room - wide, "body", 600)
        painter.setFont(font("body", 600))
        painter.setPen(color("text"))
        painter.drawText(QPointF(x, box.y() + px(22)), name)
        painter.setFont(font("small"))
        painter.setPen(color("accent"))
        painter.drawText(QPointF(x + width_of(name, "body", 600) + px(8), box.y() + px(22)), mark)
        painter.setPen(color("text2"))
        painter.drawText(QPointF(x, box.y() + px(40)), elided(index.data(SUBTITLE), room, "small"))
        painter.restore()
