"""The views: rows are painted whole, cell by cell through our delegates; the layout is remembered."""

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, NamedTuple, cast

from PySide6.QtCore import QEvent, QModelIndex, QPersistentModelIndex, QPoint, QRect, Qt, Signal
from PySide6.QtGui import (
    QContextMenuEvent,
    QGuiApplication,
    QHelpEvent,
    QHideEvent,
    QKeyEvent,
    QKeySequence,
    QMouseEvent,
    QPainter,
    QPaintEvent,
)
from PySide6.QtWidgets import (
    QAbstractItemDelegate,
    QAbstractItemView,
    QMenu,
    QStyleOptionViewItem,
    QToolTip,
    QTreeView,
    QWidget,
)

from execution_engine.ui.format import parse_number, tooltip
from execution_engine.ui.shapes import Shape
from execution_engine.ui.tables import layout
from execution_engine.ui.tables.cell import Cell, Key
from execution_engine.ui.tables.delegates import CellDelegate, State
from execution_engine.ui.tables.empty import EmptyState
from execution_engine.ui.tables.graphics import ActionText
from execution_engine.ui.tables.header import Header, HeadingEnd
from execution_engine.ui.tables.model import TableModel
from execution_engine.ui.tables.paint import draw_shape_at
from execution_engine.ui.tables.rows import RowsModel
from execution_engine.ui.tables.tree import TreeModel
from execution_engine.ui.theme import THEME, Token, color, px, row_height, tint
from execution_engine.ui.tongue import tr

INDENT = 18
_BRANCH = 8
_TEXT_AFTER_BRANCH = 5  # the cell's padding less the room a triangle leaves

COPY, COPY_CSV = tr("Copy"), tr("Copy as CSV")
COPY_KEYS = {COPY: "Ctrl+C", COPY_CSV: "Ctrl+Shift+C"}

RowKind = Literal["tree", "table", "editable"]


class RowsView(QTreeView):
    """Paint rows of a RowsModel and hand keys, not indices, to who listens.

    opened:          a row was double-clicked, or Enter pressed on it: its key
    current_changed: another row is current: its key, or None
    action:          a painted button was clicked: row key, column key
    layout_changed:  the user moved, sized, showed, hid, sorted, opened or folded something
    """

    opened = Signal(object)
    current_changed = Signal(object)
    action = Signal(object, str)
    layout_changed = Signal()

    def __init__(
        self,
        model: RowsModel[Any],
        delegates: Mapping[str, QAbstractItemDelegate] | None = None,
        *,
        rows: RowKind = "table",
        name: str = "",
        parent: QWidget | None = None,
    ) -> None:
        """Show a model; `delegates` is column key → delegate, others paint text as the column is aligned.

        `name` is what a screen reader calls the table.
        """
        super().__init__(parent)
        self.rows_model = model
        self.rows = rows
        self.heading = Header(self)
        self.setAccessibleName(name)
        self._opened: set[str] = set()
        self._menu_of: Callable[[Key, QMenu], None] | None = None
        self._first_columns: Mapping[str, int] | None = None
        self._hover: tuple[Key, int] | None = None
        self._pressed = self._editing = False
        self._dirty = QRect()
        self._columns: list[tuple[int, int, int]] = []
        self._behave()
        self.setHeader(self.heading)
        self.addScrollBarWidget(HeadingEnd(), Qt.AlignmentFlag.AlignTop)
        self.heading.setSectionsClickable(True)  # a tree view takes that away from a new header
        self.setModel(model)
        self._painters = self._take_delegates(delegates or {})
        # The ground is painted here: otherwise every panel and page below would be, at each change of a cell.
        self.viewport().setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.empty = EmptyState(self.viewport())
        layout.reset(self.heading, model)
        self._listen()
        self._restyle()

    # What pages use.

    def key(self) -> Key | None:
        """Return the key of the current row."""
        index = self.currentIndex()
        return self.rows_model.key_at(index) if index.isValid() else None

    def select(self, key: Key) -> bool:
        """Make a row the current one and bring it into sight; tell whether it is shown at all."""
        index = self.rows_model.index_of(key)
        if index.isValid():
            self.setCurrentIndex(index)
            self.scrollTo(index)
        return index.isValid()

    def selected_keys(self) -> list[Key]:
        """Return the keys of the selected rows, from top to bottom."""
        rows = [index for index in self.selectionModel().selectedRows(0) if index.isValid()]
        return [
            self.rows_model.key_at(index)
            for index in sorted(rows, key=lambda each: self.visualRect(each).y())
        ]

    def set_menu(self, build: Callable[[Key, QMenu], None]) -> None:
        """Put acts into the context menu of rows: `build` fills it for the row's key. Rows stay while it is open.

        Copying is offered on the rows of every table.
        """
        self._menu_of = build

    def fill_menu(self, key: Key, menu: QMenu) -> None:
        """Put everything that can be done with a row into a menu."""
        if self._menu_of is not None:
            self._menu_of(key, menu)
        if not menu.isEmpty() and not any(each.text() == COPY for each in menu.actions()):
            menu.addSeparator()
        for text, does in ((COPY, self.copy), (COPY_CSV, self.copy_csv)):
            known = next((each for each in menu.actions() if each.text() == text), None)
            action = known or menu.addAction(text)
            action.setShortcut(QKeySequence(COPY_KEYS[text]))
            if known is None:
                action.triggered.connect(lambda _=False, does=does: does())

    def name_of(self, key: Key) -> str:
        """Return what a row is called: its first cell."""
        cell = self.rows_model.cell(self.rows_model.index_of(key))
        return " ".join(text.strip() for text, _ in cell.parts if text.strip()) or cell.text

    def choose_columns(self) -> None:
        """Open the list of columns by the keyboard."""
        self.heading.open_menu(self.heading.mapToGlobal(self.heading.rect().bottomLeft()))

    def set_empty(self, text: str, actions: Sequence[tuple[str, Callable[[], object]]] = ()) -> None:
        """Say what stands in the middle when there are no rows, and buttons that help."""
        self.empty.say(text, actions)
        self._show_empty()

    def show_columns(self, widths: Mapping[str, int]) -> None:
        """Show only these columns, with these widths [px], now and after a reset; the last one takes the rest."""
        self._first_columns = dict(widths)
        layout.show(self.heading, self.rows_model, widths)

    def save_layout(self) -> str:
        """Return columns, order and open rows as JSON."""
        return layout.save(self.heading, self.rows_model, self._opened)

    def restore_layout(self, text: str) -> None:
        """Take over a layout that was saved; anything else changes nothing."""
        self._opened = layout.restore(self.heading, self.rows_model, text)
        self._unfold(QModelIndex(), 0, self.rows_model.rowCount() - 1)

    def reset_layout(self) -> None:
        """Put columns and order back as they were made for a window of this width."""
        layout.reset(self.heading, self.rows_model)
        if self._first_columns is not None:
            layout.show(self.heading, self.rows_model, self._first_columns)
        self.layout_changed.emit()

    def copy(self) -> None:
        """Copy the selected rows as tab-separated text with full precision, the visible columns only."""
        QGuiApplication.clipboard().setText(self.text_of(self.selected_keys()))

    def copy_csv(self) -> None:
        """Copy the selected rows as CSV with a line of headings, the visible columns only."""
        QGuiApplication.clipboard().setText(self.csv_of(self.selected_keys()))

    def text_of(self, keys: Sequence[Key]) -> str:
        """Return rows as tab-separated lines with full precision."""
        return "\n".join("\t".join(map(_one_line, self._raw_of(key))) for key in keys)

    def csv_of(self, keys: Sequence[Key]) -> str:
        """Return rows as CSV with full precision, under their headings."""
        written = io.StringIO()
        lines = csv.writer(written, lineterminator="\n")
        lines.writerow(self.rows_model.columns[each].heading for each in self._shown())
        lines.writerows([_no_formula(cell) for cell in self._raw_of(key)] for key in keys)
        return written.getvalue()

    def _raw_of(self, key: Key) -> list[str]:
        model = self.rows_model
        return [model.raw(model.index_of(key, each)) for each in self._shown()]

    def _shown(self) -> list[int]:
        """Return the visible columns from left to right."""
        header = self.heading
        logicals = (header.logicalIndex(visual) for visual in range(header.count()))
        return [logical for logical in logicals if not header.isSectionHidden(logical)]

    # How rows are painted.

    def paintEvent(self, event: QPaintEvent) -> None:
        """Remember what is to be painted, so that rows leave out columns outside of it."""
        self._dirty = event.rect()
        header = self.heading
        self._columns = []
        for visual in range(header.count()):
            logical = header.logicalIndex(visual)
            x, width = header.sectionViewportPosition(logical), header.sectionSize(logical)
            if width and x <= self._dirty.right() and x + width > self._dirty.x():
                self._columns.append((logical, x, width))
        ground = QPainter(self.viewport())
        ground.fillRect(self._dirty, color("panel"))
        ground.end()
        super().paintEvent(event)

    def drawRow(
        self, painter: QPainter, options: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        """Paint ground, cells, branch, line and, on the current row, the frame of the focus."""
        given: QRect = cast(Any, options).rect  # the fields of a style option are missing from its type
        model, right = self.rows_model, self.viewport().width()
        row = QRect(0, given.y(), right, given.height())
        key = model.key_at(index)
        selected = self.selectionModel().isSelected(index)
        hovered = self._hover is not None and self._hover[0] == key
        ground = self._paint_ground(painter, row, index, selected, hovered)
        cells = model.cells(index)
        for logical, x, width in self._columns:
            hot = hovered and self._hover is not None and self._hover[1] == logical
            box = QRect(x, row.y(), width, row.height() - 1)
            if logical == 0 and self.rows == "tree":
                box.setLeft(x + self._branch(painter, index, row, x) - _TEXT_AFTER_BRANCH)
            self._paint_cell(painter, box, index, logical, cells[logical], State(ground, selected, hot))
        painter.fillRect(QRect(0, row.bottom(), right, 1), color("line"))
        if self.hasFocus() and index.sibling(index.row(), 0) == self.currentIndex().siblingAtColumn(0):
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(color("accent"))
            painter.drawRect(row.adjusted(0, 0, -1, -1))

    def _paint_ground(
        self,
        painter: QPainter,
        row: QRect,
        index: QModelIndex | QPersistentModelIndex,
        selected: bool,
        hovered: bool,
    ) -> Token:
        ground: Token = "sel" if selected else "hover" if hovered else "panel"
        tone = self.rows_model.tone(self.rows_model.record_at(index)) if self.rows_model.tone else None
        painter.fillRect(row, tint(tone, share=0.07) if tone and ground == "panel" else color(ground))
        return ground

    def _paint_cell(
        self,
        painter: QPainter,
        box: QRect,
        index: QModelIndex | QPersistentModelIndex,
        logical: int,
        cell: Cell,
        state: State,
    ) -> None:
        delegate = self._painters[logical]
        if isinstance(delegate, CellDelegate):
            if cell.text or cell.extra is not None:
                delegate.draw(painter, box, cell, state)
            return
        option = QStyleOptionViewItem()
        self.initViewItemOption(option)
        cast(Any, option).rect = box
        delegate.paint(painter, option, index.sibling(index.row(), logical))

    def _branch(
        self, painter: QPainter, index: QModelIndex | QPersistentModelIndex, row: QRect, x: int
    ) -> int:
        """Paint the triangle of a row that opens and return how far its text is moved in."""
        indent = self.indentation()
        depth = self.rows_model.depth(index)
        if self.rows_model.rowCount(index):
            shape: Shape = "triangle_down" if self.isExpanded(index) else "triangle_right"
            draw_shape_at(painter, x + depth * indent + 7, row, shape, "text3", px(_BRANCH))
        return (depth + 1) * indent

    # How the pointer and the keys are heard.

    def viewportEvent(self, event: QEvent) -> bool:
        """Show tooltips and follow the pointer."""
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            self._show_tooltip(event)
            return True
        if event.type() == QEvent.Type.Leave and self._hover is not None:
            # Without asking the model: it may be gone already when a window closes.
            self._hover = None
            self.viewport().update()
        return super().viewportEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Light up the row under the pointer."""
        self._hover_on(event.position().toPoint())
        super().mouseMoveEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Keep rows where they are while a button is pressed."""
        if not self._pressed:
            self._pressed = True
            self.rows_model.hold()
        super().mousePressEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Let rows move again, and click what was painted to be clicked."""
        super().mouseReleaseEvent(event)
        found = self._action_at(event.position().toPoint())
        self._let_go()
        if found is not None and event.button() == Qt.MouseButton.LeftButton:
            self.action.emit(*found)

    def hideEvent(self, event: QHideEvent) -> None:
        """Let go: the button will be released elsewhere."""
        self._let_go()
        super().hideEvent(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Open a row."""
        point = event.position().toPoint()
        index = self.indexAt(point)
        if index.isValid() and self._action_at(point) is None and not self._on_branch(index, point):
            self.opened.emit(self.rows_model.key_at(index))
            return
        super().mouseDoubleClickEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Do what the keys stand for, see `HEARD`; the rest is Qt's."""
        pressed = event.keyCombination().toCombined() & ~Qt.KeyboardModifier.KeypadModifier.value
        does = DOES.get(pressed)
        if does is None or not does(self):
            super().keyPressEvent(event)

    def _open_current(self) -> bool:
        key = self.key()
        if key is None or self._editing:
            return False
        self.opened.emit(key)
        return True

    def _copies(self) -> bool:
        self.copy()
        return True

    def _copies_csv(self) -> bool:
        self.copy_csv()
        return True

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Open the menu of the row that was asked."""
        index = self.indexAt(event.pos()) if event.reason() == event.Reason.Mouse else self.currentIndex()
        if not index.isValid():
            return
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.fill_menu(self.rows_model.key_at(index), menu)
        self.rows_model.hold()
        menu.aboutToHide.connect(self.rows_model.release)
        by_key = self.viewport().mapToGlobal(self.visualRect(index).bottomLeft())
        menu.popup(event.globalPos() if event.reason() == event.Reason.Mouse else by_key)

    def edit(self, index: Any, trigger: Any = None, event: Any = None) -> Any:
        """Keep rows where they are while a cell is edited."""
        if trigger is None:
            super().edit(index)
            return None
        started = super().edit(index, trigger, event)
        if started and not self._editing and self.state() == QAbstractItemView.State.EditingState:
            self._editing = True
            self.rows_model.hold()
        return started

    def closeEditor(self, editor: QWidget, hint: Any) -> None:
        """Let rows move again."""
        super().closeEditor(editor, hint)
        if self._editing:
            self._editing = False
            self.rows_model.release()

    def focusNextPrevChild(self, forward: bool) -> bool:
        """Leave the table with Tab; arrows move inside."""
        return QWidget.focusNextPrevChild(self, forward)

    def _let_go(self) -> None:
        if self._pressed:
            self._pressed = False
            self.rows_model.release()

    def _on_branch(self, index: QModelIndex, point: QPoint) -> bool:
        return index.column() == 0 and self.rows == "tree" and point.x() < self.visualRect(index).x()

    def _hover_on(self, point: QPoint) -> None:
        index = self.indexAt(point) if self.viewport().rect().contains(point) else QModelIndex()
        hover = (self.rows_model.key_at(index), index.column()) if index.isValid() else None
        if hover == self._hover:
            return
        before, self._hover = self._hover, hover
        hand = hover is not None and self._action_at(point) is not None
        self.viewport().setCursor(Qt.CursorShape.PointingHandCursor if hand else Qt.CursorShape.ArrowCursor)
        for each in (before, hover):
            if each is not None:
                self._update_row(each[0])

    def _update_row(self, key: Key) -> None:
        rect = self.visualRect(self.rows_model.index_of(key))
        self.viewport().update(0, rect.y(), self.viewport().width(), rect.height())

    def _action_at(self, point: QPoint) -> tuple[Key, str] | None:
        index = self.indexAt(point)
        if not index.isValid():
            return None
        delegate, cell = self._painters[index.column()], self.rows_model.cell(index)
        if not isinstance(delegate, ActionText) or not cell.text:
            return None
        if not delegate.target(self.visualRect(index), cell).contains(point):
            return None
        return self.rows_model.key_at(index), self.rows_model.columns[index.column()].key

    def _show_tooltip(self, event: QHelpEvent) -> None:
        index = self.indexAt(event.pos())
        text = self.tooltip_at(index) if index.isValid() else ""
        if text:
            QToolTip.showText(event.globalPos(), tooltip(text), self.viewport(), self.visualRect(index))
        else:
            QToolTip.hideText()

    def tooltip_at(self, index: QModelIndex) -> str:
        """Return what a cell's tooltip says: the whole text if it is cut, then the column's own words."""
        cell, delegate = self.rows_model.cell(index), self._painters[index.column()]
        cut = (
            isinstance(delegate, CellDelegate) and delegate.wanted(cell) > self.visualRect(index).width() + 1
        )
        words = self.rows_model.tooltip(index)
        return "\n".join(
            each for each in (cell.text if cut and cell.text not in words else "", words) if each
        )

    # How it is set up.

    def _behave(self) -> None:
        self.setUniformRowHeights(True)
        self.setAllColumnsShowFocus(False)
        self.setRootIsDecorated(self.rows == "tree")
        self.setItemsExpandable(self.rows == "tree")
        self.setExpandsOnDoubleClick(False)
        self.setAlternatingRowColors(False)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setFrameShape(QTreeView.Shape.NoFrame)
        self.setMouseTracking(True)
        self.viewport().setMouseTracking(True)

    def _take_delegates(self, delegates: Mapping[str, QAbstractItemDelegate]) -> list[QAbstractItemDelegate]:
        painters: list[QAbstractItemDelegate] = []
        for logical, column in enumerate(self.rows_model.columns):
            delegate = delegates.get(column.key) or CellDelegate(column.align)
            if delegate.parent() is None:
                delegate.setParent(self)
            self.setItemDelegateForColumn(logical, delegate)
            painters.append(delegate)
        return painters

    def _listen(self) -> None:
        model, header = self.rows_model, self.heading
        for signal in (model.rowsInserted, model.rowsRemoved, model.modelReset):
            signal.connect(self._show_empty)
        model.rowsInserted.connect(self._unfold)
        model.order_chosen.connect(self._order_chosen)
        header.layout_reset.connect(self.reset_layout)
        for signal in (header.sectionMoved, header.sectionResized, header.columns_chosen):
            signal.connect(self.layout_changed)
        self.expanded.connect(lambda index: self._fold_changed(index, True))
        self.collapsed.connect(lambda index: self._fold_changed(index, False))
        self.selectionModel().currentRowChanged.connect(
            lambda now, before: self.current_changed.emit(self.key())
        )
        THEME.theme_changed.connect(self._restyle)

    def _order_chosen(self) -> None:
        self.heading.viewport().update()
        self.layout_changed.emit()

    def _show_empty(self) -> None:
        self.empty.setVisible(self.rows_model.rowCount() == 0)

    def _fold_changed(self, index: QModelIndex, opened: bool) -> None:
        (self._opened.add if opened else self._opened.discard)(str(self.rows_model.key_at(index)))
        self.layout_changed.emit()

    def _unfold(self, parent: QModelIndex, first: int, last: int) -> None:
        """Open rows that come back as they were left."""
        if not self._opened:
            return
        for row in range(first, last + 1):
            index = self.rows_model.index(row, 0, parent)
            if str(self.rows_model.key_at(index)) in self._opened:
                self.setExpanded(index, True)
                self._unfold(index, 0, self.rows_model.rowCount(index) - 1)

    def _restyle(self) -> None:
        """Take over row height and indent of the theme."""
        for delegate in self._painters:
            if isinstance(delegate, CellDelegate):
                delegate.row_height = row_height(self.rows)
        self.setIndentation(px(INDENT))
        self.heading.setFixedHeight(self.heading.sizeHint().height())
        self.scheduleDelayedItemsLayout()
        self.viewport().update()


class TableView(RowsView):
    """Show a TableModel."""

    def __init__(
        self,
        model: TableModel[Any],
        delegates: Mapping[str, QAbstractItemDelegate] | None = None,
        *,
        rows: Literal["table", "editable"] = "table",
        name: str = "",
        parent: QWidget | None = None,
    ) -> None:
        """Take what RowsView takes."""
        super().__init__(model, delegates, rows=rows, name=name, parent=parent)


class TreeView(RowsView):
    """Show a TreeModel; which rows are open is kept by key."""

    def __init__(
        self,
        model: TreeModel[Any],
        delegates: Mapping[str, QAbstractItemDelegate] | None = None,
        *,
        name: str = "",
        parent: QWidget | None = None,
    ) -> None:
        """Take what RowsView takes."""
        super().__init__(model, delegates, rows="tree", name=name, parent=parent)


class Heard(NamedTuple):
    """Keys that a table hears, what they do in words, and what does it; None = Qt itself."""

    keys: tuple[str, ...]
    words: str
    does: Callable[[RowsView], bool] | None = None


HEARD = (
    Heard(("Return", "Enter"), tr("Open the row, or do what its button does"), RowsView._open_current),
    Heard(("Left", "Right"), tr("Fold and unfold the row")),
    Heard(("*",), tr("Unfold everything below it")),
    Heard(("Shift+F10",), tr("Open the menu of the row")),
    Heard(("Shift+Up", "Shift+Down"), tr("Select several rows")),
    Heard(("Ctrl+A",), tr("Select all rows")),
    Heard((COPY_KEYS[COPY], "Ctrl+Ins"), tr("Copy the selected rows with full precision"), RowsView._copies),
    Heard((COPY_KEYS[COPY_CSV],), tr("Copy them as CSV, with headings"), RowsView._copies_csv),
)
DOES = {
    QKeySequence(keys)[0].toCombined(): heard.does  # type: ignore[index]  # the stubs do not know it
    for heard in HEARD
    if heard.does is not None
    for keys in heard.keys
}


def _one_line(text: str) -> str:
    return text.replace("\t", " ").replace("\n", " ")


def _no_formula(cell: str) -> str:
    """Keep a spreadsheet from reading somebody else's text as a formula; numbers stay numbers."""
    return f"'{cell}" if cell[:1] in ("=", "+", "-", "@") and parse_number(cell) is None else cell
