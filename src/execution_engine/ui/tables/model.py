"""The table model: rows named by a key, that sort and filter themselves and tell only what changed."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from PySide6.QtCore import QModelIndex, Qt

from execution_engine.ui.tables.cell import Cell, Key, R, changed_runs
from execution_engine.ui.tables.rows import ROOT, SELECTABLE, Index, RowsModel


class TableModel(RowsModel[R]):
    """Show records as rows of a flat table.

    A row nobody has looked at since its last change is announced whole and rendered when it is asked for;
    of a row on the screen only the cells that differ are announced.
    """

    row_flags = SELECTABLE | Qt.ItemFlag.ItemNeverHasChildren  # so that a view need not ask each row

    def _start(self) -> None:
        self._records: dict[Key, R] = {}
        self._arrival: dict[Key, int] = {}
        self._rows: list[Key] = []
        self._row_of: dict[Key, int] | None = {}
        self._ready: dict[Key, Sequence[Cell]] = {}
        self._seen: set[Key] = set()
        self._accepts: Callable[[R], bool] | None = None

    # Changing rows.

    def upsert(self, records: Iterable[R]) -> None:
        """Apply one batch: known keys change, new ones appear; the order follows at its own pace."""
        fresh: list[Key] = []
        gone: list[Key] = []
        moved = False
        for key, record in {self._key(record): record for record in records}.items():
            old = self._records.get(key)
            if old is not None and (old is record or old == record):
                continue
            if old is None:
                self._arrival[key] = self._arrivals = self._arrivals + 1
            self._records[key] = record
            shown, wanted = key in self._places(), self._accepted(record)
            if shown and wanted:
                self._announce(key, record)
                moved = moved or self._ranks_differ(key, old, record)
                continue
            self._forget_cells(key)
            if shown or wanted:
                (gone if shown else fresh).append(key)
        self._take_out(gone)
        self._put_in(fresh)
        if moved:
            self._pace.ask()

    def remove(self, keys: Iterable[Key]) -> None:
        """Drop rows; keys that are not known are no error."""
        known = [key for key in dict.fromkeys(keys) if key in self._records]
        self._take_out([key for key in known if key in self._places()])
        for key in known:
            del self._records[key], self._arrival[key]
            self._forget_cells(key)

    def replace(self, records: Iterable[R]) -> None:
        """Make these the only rows; those that stay keep selection and place."""
        wanted = {self._key(record): record for record in records}
        self.remove([key for key in self._records if key not in wanted])
        self.upsert(wanted.values())

    def set_filter(self, accepts: Callable[[R], bool] | None) -> None:
        """Show only records for which `accepts` is true; None shows all."""
        self._accepts = accepts
        places = self._places()
        self._take_out([key for key in self._rows if not self._accepted(self._records[key])])
        self._put_in([k for k, record in self._records.items() if k not in places and self._accepted(record)])

    def refresh(self) -> None:
        """Make every cell again: something all rows depend on has changed, such as the clock of ages."""
        for key in list(self._ready):
            self._announce(key, self._records[key])

    # Looking rows up.

    def __len__(self) -> int:
        """Return how many records there are, shown or not."""
        return len(self._records)

    def __bool__(self) -> bool:
        """Stay true when empty: a model is not a collection to test."""
        return True

    def keys(self) -> list[Key]:
        """Return the keys shown, from top to bottom."""
        return list(self._rows)

    def records(self) -> list[R]:
        """Return all records as they arrived, shown or not."""
        return list(self._records.values())

    def record(self, key: Key) -> R | None:
        """Return the record of a key, shown or filtered out."""
        return self._records.get(key)

    def record_at(self, index: Index) -> R:
        """Return the record of the index's row."""
        return self._records[self._rows[index.row()]]

    def index_of(self, key: Key, column: int = 0) -> QModelIndex:
        """Return where a key is shown; invalid when it is not."""
        row = self._places().get(key)
        return QModelIndex() if row is None else self.createIndex(row, column)

    def cells(self, index: Index) -> Sequence[Cell]:
        """Return the cells of the index's row, made now if they were not ready."""
        key = self._rows[index.row()]
        self._seen.add(key)
        ready = self._ready.get(key)
        if ready is None:
            ready = self._ready[key] = self._render(self._records[key])
        return ready

    # Qt's questions.

    def rowCount(self, parent: Index = ROOT) -> int:
        """Return the number of rows shown."""
        return 0 if parent.isValid() else len(self._rows)

    def index(self, row: int, column: int, parent: Index = ROOT) -> QModelIndex:
        """Return the index of a cell."""
        inside = not parent.isValid() and 0 <= row < len(self._rows) and 0 <= column < len(self.columns)
        return self.createIndex(row, column) if inside else QModelIndex()

    def parent(self, index: Index = ROOT) -> QModelIndex:  # type: ignore[override]
        """Return nothing: rows of a table have no parent."""
        return QModelIndex()

    # How it is done.

    def _accepted(self, record: R) -> bool:
        return self._accepts is None or self._accepts(record)

    def _places(self) -> dict[Key, int]:
        if self._row_of is None:
            self._row_of = {key: row for row, key in enumerate(self._rows)}
        return self._row_of

    def _forget_cells(self, key: Key) -> None:
        self._ready.pop(key, None)
        self._seen.discard(key)

    def _rank(self, key: Key) -> tuple[Any, ...]:
        return self._order.rank(self._records[key], self._arrival[key])

    def _ranks_differ(self, key: Key, old: R | None, record: R) -> bool:
        arrival = self._arrival[key]
        return old is None or self._order.rank(old, arrival) != self._order.rank(record, arrival)

    def _announce(self, key: Key, record: R) -> None:
        ready = self._ready.get(key)
        if ready is None and key not in self._seen:
            # Announced whole already, or new; whoever shows it has yet to ask.
            return
        if ready is None or key not in self._seen:
            self._forget_cells(key)
            runs = [(0, len(self.columns) - 1)]
        else:
            fresh = self._ready[key] = self._render(record)
            runs = changed_runs(ready, fresh)
            if runs:
                self._seen.discard(key)
        row = self._places().get(key)
        if row is None:
            return
        for first, last in runs:
            self.dataChanged.emit(self.createIndex(row, first), self.createIndex(row, last))

    def _put_in(self, keys: list[Key]) -> None:
        """Insert rows where they belong, at the end while the order is held."""
        if not keys:
            return
        keys.sort(key=self._rank, reverse=self._order.descending)
        for row, run in self._runs_of_new(keys):
            self.beginInsertRows(QModelIndex(), row, row + len(run) - 1)
            self._rows[row:row] = run
            self._row_of = None
            self.endInsertRows()
        if self.held:
            self._pace.ask()

    def _runs_of_new(self, keys: list[Key]) -> list[tuple[int, list[Key]]]:
        """Return (row, keys) for each run, the rows counted with the runs before already in place."""
        count = len(self._rows)
        runs: list[tuple[int, list[Key]]] = []
        place = 0
        for done, key in enumerate(keys):
            # A stale order may send a later key further up; then it stays beside the one before it.
            wanted = count if self.held else self._order.place(self._rank_at, count, self._rank(key))
            if runs and wanted <= place:
                runs[-1][1].append(key)
            else:
                place = wanted
                runs.append((place + done, [key]))
        return runs

    def _rank_at(self, row: int) -> tuple[Any, ...]:
        return self._rank(self._rows[row])

    def _take_out(self, keys: list[Key]) -> None:
        """Remove rows from the screen, neighbours together, from the bottom up."""
        rows = sorted((self._places()[key] for key in keys), reverse=True)
        start = 0
        while start < len(rows):
            end = start
            while end + 1 < len(rows) and rows[end + 1] == rows[end] - 1:
                end += 1
            first, last = rows[end], rows[start]
            self.beginRemoveRows(QModelIndex(), first, last)
            del self._rows[first : last + 1]
            self._row_of = None
            self.endRemoveRows()
            start = end + 1

    def _sort(self) -> None:
        """Reorder rows; what points at a row goes with it."""
        ordered = sorted(self._rows, key=self._rank, reverse=self._order.descending)
        if ordered == self._rows:
            return
        self.layoutAboutToBeChanged.emit()
        before = self.persistentIndexList()
        keys = [self._rows[index.row()] for index in before]
        self._rows, self._row_of = ordered, None
        after = [self.index_of(key, index.column()) for key, index in zip(keys, before, strict=True)]
        self.changePersistentIndexList(before, after)
        self.layoutChanged.emit()
