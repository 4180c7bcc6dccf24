"""What tables and trees have in common: columns, roles of a cell, the order, the hold."""

import time
from collections.abc import Callable, Sequence
from typing import Any, Generic

from PySide6.QtCore import QAbstractItemModel, QModelIndex, QObject, QPersistentModelIndex, Qt, Signal

from execution_engine.ui.format import spoken
from execution_engine.ui.tables.cell import Cell, Column, Key, R, Role, rendering
from execution_engine.ui.tables.order import SORT_INTERVAL_S, Order, SortPace
from execution_engine.ui.theme import Token

Index = QModelIndex | QPersistentModelIndex
ROOT = QModelIndex()
# Asked of every row whenever the order changes: put together once, not each time.
_NOTHING = Qt.ItemFlag.NoItemFlags
SELECTABLE = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable

_ALIGN = {
    "left": Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter,
    "right": Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter,
    "center": Qt.AlignmentFlag.AlignCenter,
}


class RowsModel(QAbstractItemModel, Generic[R]):
    """Answer for cells that were made ready before; the parts that keep rows are in table and tree.

    `order_chosen` tells the heading that another column or direction was chosen.
    """

    order_chosen = Signal()
    row_flags = SELECTABLE

    def __init__(
        self,
        columns: Sequence[Column[R]],
        key: Callable[[R], Key],
        *,
        render: Callable[[R], Sequence[Cell]] | None = None,
        default_sort: Callable[[R], Any] | None = None,
        sentence: Callable[[R], str] | None = None,
        tone: Callable[[R], Token | None] | None = None,
        sort_interval_s: float = SORT_INTERVAL_S,
        clock: Callable[[], float] = time.monotonic,
        parent: QObject | None = None,
    ) -> None:
        """Take the columns and how a record is named.

        render:       makes all cells of a record at once, one per column; default: the columns' own
        default_sort: the order when no column is chosen; default: as rows arrived
        sentence:     says a whole row in words, for screen readers
        tone:         tints a row's ground with a token
        clock:        seconds; with `sort_interval_s` it paces changes of the order
        """
        super().__init__(parent)
        self.columns: tuple[Column[R], ...] = tuple(columns)
        self.tone = tone
        self._key, self._sentence = key, sentence
        self._render = render or rendering(self.columns)
        self._order = Order(self.columns, default_sort)
        self._pace = SortPace(self._sort, self, sort_interval_s, clock)
        self._arrivals = 0
        self._start()

    # What a table and a tree each do their own way.

    def cells(self, index: Index) -> Sequence[Cell]:
        """Return the cells of the index's row, made now if they were not ready."""
        raise NotImplementedError

    def record_at(self, index: Index) -> R:
        """Return the record of the index's row."""
        raise NotImplementedError

    def record(self, key: Key) -> R | None:
        """Return the record of a key, shown or filtered out."""
        raise NotImplementedError

    def depth(self, index: Index) -> int:
        """Return the level of a row: 0 = top."""
        return 0

    def index_of(self, key: Key, column: int = 0) -> QModelIndex:
        """Return where a key is shown; invalid when it is not."""
        raise NotImplementedError

    def _start(self) -> None:
        """Begin without rows."""
        raise NotImplementedError

    def _sort(self) -> None:
        raise NotImplementedError

    # The order.

    @property
    def sort_column(self) -> str | None:
        """Return the key of the column sorted by; None = the default order."""
        return self._order.column

    @property
    def sort_descending(self) -> bool:
        """Tell the direction of the chosen column."""
        return self._order.descending

    @property
    def held(self) -> bool:
        """Tell whether the order must stay as it is now."""
        return self._pace.held

    def sort_by(self, column: str | None, descending: bool = False) -> None:
        """Sort at once by a column, or by the default when it is None."""
        self._order.choose(column, descending)
        self._pace.now()
        self.order_chosen.emit()

    def hold(self) -> None:
        """Keep rows where they are until `release`: a menu is open, a row is dragged, edited or pressed."""
        self._pace.hold()

    def release(self) -> None:
        """Let go of one hold."""
        self._pace.release()

    def settle(self) -> None:
        """Sort now if that was put off and is allowed again."""
        self._pace.settle()

    # Qt's questions.

    def columnCount(self, parent: Index = ROOT) -> int:
        """Return the number of columns, the same at every level."""
        return len(self.columns)

    def key_at(self, index: Index) -> Key:
        """Return the key of the index's row."""
        return self._key(self.record_at(index))

    def cell(self, index: Index) -> Cell:
        """Return one ready cell."""
        return self.cells(index)[index.column()]

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Look up what is ready; tooltips and words are made when asked for."""
        if not index.isValid():
            return None
        answer = _ANSWERS.get(role)
        return answer(self, index) if answer else None

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        """Return heading, alignment and hint of a column."""
        if orientation != Qt.Orientation.Horizontal or not 0 <= section < len(self.columns):
            return None
        column = self.columns[section]
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return column.heading
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _ALIGN[column.align]
        return (column.hint or None) if role == Qt.ItemDataRole.ToolTipRole else None

    def flags(self, index: Index) -> Qt.ItemFlag:
        """Let rows be selected."""
        return self.row_flags if index.isValid() else _NOTHING

    def words(self, index: Index) -> str:
        """Return a cell as a screen reader says it; the first column says the whole row."""
        if index.column() == 0 and self._sentence is not None:
            return self._sentence(self.record_at(index))
        cell = self.cell(index)
        said = spoken(cell.text) if cell.say is None else cell.say
        return f"{self.columns[index.column()].heading} {said}".strip()

    def tooltip(self, index: Index) -> str:
        """Return the plain text of a cell's tooltip; empty when it has none."""
        make = self.columns[index.column()].tooltip
        return "" if make is None else make(self.record_at(index))

    def raw(self, index: Index) -> str:
        """Return a cell's value for copying, with full precision."""
        cell = self.cell(index)
        return cell.text if cell.raw is None else cell.raw


_Answer = Callable[[RowsModel[Any], Index], Any]
_ANSWERS: dict[int, _Answer] = {
    Qt.ItemDataRole.DisplayRole: lambda model, index: model.cell(index).text,
    Qt.ItemDataRole.ToolTipRole: lambda model, index: model.tooltip(index) or None,
    Qt.ItemDataRole.AccessibleTextRole: RowsModel.words,
    Qt.ItemDataRole.TextAlignmentRole: lambda model, index: _ALIGN[model.columns[index.column()].align],
    Role.CELL: RowsModel.cell,
    Role.RECORD: lambda model, index: model.record_at(index),
    Role.KEY: RowsModel.key_at,
    Role.RAW: RowsModel.raw,
}
