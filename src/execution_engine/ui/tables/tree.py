"""The tree model: groups, their pyramids, their legs; each named by a key, each changing by itself."""

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Generic

from PySide6.QtCore import QModelIndex, QObject

from execution_engine.ui.tables.cell import Cell, Column, Key, R, changed_runs
from execution_engine.ui.tables.order import SORT_INTERVAL_S
from execution_engine.ui.tables.rows import ROOT, Index, RowsModel
from execution_engine.ui.theme import Token


class _Node(Generic[R]):
    """Hold one record, its place among its siblings and its ready cells."""

    __slots__ = ("children", "identifier", "key", "parent", "ready", "record", "row", "seen", "shown")

    def __init__(self, identifier: int, key: Key, record: R) -> None:
        # Counts up, so it is the order of arrival too.
        self.identifier, self.key, self.record = identifier, key, record
        self.parent: _Node[R] | None = None
        self.children: list[_Node[R]] = []
        self.row = 0
        self.ready: Sequence[Cell] | None = None
        self.seen = False
        self.shown = False  # asked of top nodes only: is it among the rows?

    def family(self) -> "Iterator[_Node[R]]":
        """Give this node and all below."""
        yield self
        for child in self.children:
            yield from child.family()

    def top(self) -> "_Node[R]":
        """Return the top node this one belongs to."""
        return self if self.parent is None else self.parent.top()


class TreeModel(RowsModel[R]):
    """Show records as a tree; made for group → pyramids → legs.

    The top level sorts and filters itself, children keep the order they came in, or that of `child_order`.
    A record may come before its parent: it waits. A parent never changes.
    """

    def __init__(
        self,
        columns: Sequence[Column[R]],
        key: Callable[[R], Key],
        parent_key: Callable[[R], Key | None],
        *,
        child_order: Callable[[R], Any] | None = None,
        render: Callable[[R], Sequence[Cell]] | None = None,
        default_sort: Callable[[R], Any] | None = None,
        sentence: Callable[[R], str] | None = None,
        tone: Callable[[R], Token | None] | None = None,
        sort_interval_s: float = SORT_INTERVAL_S,
        clock: Callable[[], float] = time.monotonic,
        parent: QObject | None = None,
    ) -> None:
        """Take what RowsModel takes, and `parent_key`: what a record hangs on, None = the top level."""
        super().__init__(
            columns,
            key,
            render=render,
            default_sort=default_sort,
            sentence=sentence,
            tone=tone,
            sort_interval_s=sort_interval_s,
            clock=clock,
            parent=parent,
        )
        self._parent_key, self._child_order = parent_key, child_order

    def _start(self) -> None:
        self._nodes: dict[Key, _Node[R]] = {}
        self._by_id: dict[int, _Node[R]] = {}
        self._top: list[_Node[R]] = []
        self._orphans: dict[Key, dict[Key, R]] = defaultdict(dict)
        self._accepts: Callable[[R], bool] | None = None

    # Changing rows.

    def upsert(self, records: Iterable[R]) -> None:
        """Apply one batch: known keys change, new ones appear with all their children at once."""
        fresh: list[_Node[R]] = []
        moved = False
        for key, record in {self._key(record): record for record in records}.items():
            node = self._nodes.get(key)
            if node is None:
                fresh.append(self._new(key, record))
            elif node.record is not record and node.record != record:
                moved = self._change(node, record) or moved
        self._hang(fresh)
        if moved:
            self._pace.ask()

    def remove(self, keys: Iterable[Key]) -> None:
        """Drop rows with all below them; keys that are not known are no error."""
        by_parent: dict[int, list[_Node[R]]] = defaultdict(list)
        for key in dict.fromkeys(keys):
            self._orphans.pop(key, None)
            for orphans in self._orphans.values():
                orphans.pop(key, None)
            if key in self._nodes:
                node = self._nodes[key]
                by_parent[node.parent.identifier if node.parent else 0].append(node)
        for nodes in by_parent.values():
            # A parent removed before has taken its children along.
            here = [node for node in nodes if node.identifier in self._by_id]
            self._take_out(here)
            for node in here:
                for each in node.family():
                    del self._nodes[each.key], self._by_id[each.identifier]

    def replace(self, records: Iterable[R]) -> None:
        """Make these the only records; those that stay keep selection, place and fold."""
        wanted = {self._key(record): record for record in records}
        self.remove([key for key in self._nodes if key not in wanted])
        self.upsert(wanted.values())

    def set_filter(self, accepts: Callable[[R], bool] | None) -> None:
        """Show only top rows for which `accepts` is true, with all below them; None shows all."""
        self._accepts = accepts
        self._take_out([node for node in self._top if not self._accepted(node)])
        hidden = [node for node in self._nodes.values() if node.parent is None and not node.shown]
        self._put_in_top([node for node in hidden if self._accepted(node)])

    def refresh(self) -> None:
        """Make every cell again: something all rows depend on has changed, such as the clock of ages."""
        for node in self._by_id.values():
            if node.ready is not None:
                self._announce(node)

    # Looking rows up.

    def __len__(self) -> int:
        """Return how many records there are, at all levels, shown or not."""
        return len(self._nodes)

    def __bool__(self) -> bool:
        """Stay true when empty: a model is not a collection to test."""
        return True

    def keys(self) -> list[Key]:
        """Return the top keys shown, from top to bottom."""
        return [node.key for node in self._top]

    def child_keys(self, key: Key) -> list[Key]:
        """Return the keys right below a key, in order."""
        node = self._nodes.get(key)
        return [child.key for child in node.children] if node else []

    def record(self, key: Key) -> R | None:
        """Return the record of a key, shown or filtered out."""
        node = self._nodes.get(key)
        return None if node is None else node.record

    def record_at(self, index: Index) -> R:
        """Return the record of the index's row."""
        return self._by_id[index.internalId()].record

    def index_of(self, key: Key, column: int = 0) -> QModelIndex:
        """Return where a key is shown, folded or not; invalid when it is filtered out or unknown."""
        node = self._nodes.get(key)
        return QModelIndex() if node is None or not node.top().shown else self._index(node, column)

    def depth(self, index: Index) -> int:
        """Return the level of a row: 0 = top."""
        node, depth = self._by_id[index.internalId()], 0
        while node.parent is not None:
            node, depth = node.parent, depth + 1
        return depth

    def cells(self, index: Index) -> Sequence[Cell]:
        """Return the cells of the index's row, made now if they were not ready."""
        node = self._by_id[index.internalId()]
        node.seen = True
        if node.ready is None:
            node.ready = self._render(node.record)
        return node.ready

    # Qt's questions.

    def rowCount(self, parent: Index = ROOT) -> int:
        """Return the number of rows right below a row."""
        if not parent.isValid():
            return len(self._top)
        return len(self._by_id[parent.internalId()].children) if parent.column() == 0 else 0

    def hasChildren(self, parent: Index = ROOT) -> bool:
        """Tell whether a row opens."""
        return self.rowCount(parent) > 0

    def index(self, row: int, column: int, parent: Index = ROOT) -> QModelIndex:
        """Return the index of a cell."""
        siblings = self._by_id[parent.internalId()].children if parent.isValid() else self._top
        if not (0 <= row < len(siblings) and 0 <= column < len(self.columns)):
            return QModelIndex()
        return self.createIndex(row, column, siblings[row].identifier)

    def parent(self, index: Index = ROOT) -> QModelIndex:  # type: ignore[override]
        """Return the row this row hangs on."""
        above = self._by_id[index.internalId()].parent if index.isValid() else None
        return QModelIndex() if above is None else self._index(above)

    # How it is done.

    def _index(self, node: _Node[R], column: int = 0) -> QModelIndex:
        return self.createIndex(node.row, column, node.identifier)

    def _accepted(self, node: _Node[R]) -> bool:
        return self._accepts is None or self._accepts(node.record)

    def _rank(self, node: _Node[R]) -> tuple[Any, ...]:
        return self._order.rank(node.record, node.identifier)

    def _siblings(self, parent: _Node[R] | None) -> list[_Node[R]]:
        return self._top if parent is None else parent.children

    def _new(self, key: Key, record: R) -> _Node[R]:
        self._arrivals += 1
        node = _Node(self._arrivals, key, record)
        self._nodes[key] = self._by_id[node.identifier] = node
        return node

    def _change(self, node: _Node[R], record: R) -> bool:
        """Take a changed record; return whether its place may be another one now."""
        top = node.parent is None
        before = self._rank(node) if top else ()
        node.record = record
        if not top or node.shown == self._accepted(node):
            self._announce(node)
            return top and node.shown and before != self._rank(node)
        node.ready = None
        if node.shown:
            self._take_out([node])
        else:
            self._put_in_top([node])
        return False

    def _announce(self, node: _Node[R]) -> None:
        if node.ready is None and not node.seen:
            # Announced whole already, or new; whoever shows it has yet to ask.
            return
        runs = [(0, len(self.columns) - 1)]
        if node.ready is None or not node.seen:
            node.ready = None
        else:
            old, node.ready = node.ready, self._render(node.record)
            runs = changed_runs(old, node.ready)
            node.seen = not runs
        if not node.top().shown:
            return
        for first, last in runs:
            self.dataChanged.emit(self._index(node, first), self._index(node, last))

    def _hang(self, fresh: list[_Node[R]]) -> None:
        """Put new nodes where they belong; whole new families appear in one step."""
        unplaced = {node.key: node for node in fresh}
        on_top: list[_Node[R]] = []
        below: dict[int, list[_Node[R]]] = defaultdict(list)
        for node in self._parents_first(unplaced):
            node.parent = self._nodes[key] if (key := self._parent_key(node.record)) is not None else None
            (on_top if node.parent is None else below[node.parent.identifier]).append(node)
        new = {node.identifier for nodes in (on_top, *below.values()) for node in nodes}
        for identifier, children in below.items():
            self._add_children(
                self._by_id[identifier], children, quietly=self._appears_later(identifier, new)
            )
        self._put_in_top([node for node in on_top if self._accepted(node)])

    def _parents_first(self, unplaced: dict[Key, _Node[R]]) -> list[_Node[R]]:
        """Return new nodes in an order that can be hung; who has no parent yet is put aside."""
        queue: list[_Node[R]] = []
        by_parent: dict[Key, list[_Node[R]]] = defaultdict(list)
        for node in unplaced.values():
            key = self._parent_key(node.record)
            if key is None or (key in self._nodes and key not in unplaced):
                queue.append(node)
            else:
                by_parent[key].append(node)
        for node in queue:  # grows while it is walked
            queue += by_parent.pop(node.key, [])
            found = self._orphans.pop(node.key, {})
            queue += [self._new(key, record) for key, record in found.items() if key not in self._nodes]
        for key, nodes in by_parent.items():
            for node in nodes:
                self._orphans[key][node.key] = node.record
                del self._nodes[node.key], self._by_id[node.identifier]
        return queue

    def _appears_later(self, identifier: int, new: set[int]) -> bool:
        """Tell whether nobody can see a node yet: its family is new, or filtered out."""
        return identifier in new or not self._by_id[identifier].top().shown

    def _add_children(self, parent: _Node[R], children: list[_Node[R]], *, quietly: bool) -> None:
        by = self._child_order
        if by is not None:
            children.sort(key=lambda node: by(node.record))
        if by is None or not parent.children or by(parent.children[-1].record) <= by(children[0].record):
            self._insert(parent, len(parent.children), children, quietly=quietly)
            return
        for child in children:
            rank = by(child.record)
            row = sum(1 for each in parent.children if by(each.record) <= rank)
            self._insert(parent, row, [child], quietly=quietly)

    def _put_in_top(self, nodes: list[_Node[R]]) -> None:
        """Insert top rows where they belong, at the end while the order is held."""
        nodes.sort(key=self._rank, reverse=self._order.descending)
        if nodes and (self.held or not self._top):
            self._insert(None, len(self._top), nodes)
            nodes = []
            self._pace.ask()
        row = 0
        for node in nodes:
            place = self._order.place(lambda at: self._rank(self._top[at]), len(self._top), self._rank(node))
            # A stale order may send a later one further up; then it stays behind the one before it.
            row = max(place, row)
            self._insert(None, row, [node])

    def _insert(
        self, parent: _Node[R] | None, row: int, nodes: list[_Node[R]], *, quietly: bool = False
    ) -> None:
        siblings = self._siblings(parent)
        if not quietly:
            at = QModelIndex() if parent is None else self._index(parent)
            self.beginInsertRows(at, row, row + len(nodes) - 1)
        siblings[row:row] = nodes
        for place in range(row, len(siblings)):
            siblings[place].row = place
        for node in nodes:
            node.shown = parent is None
        if not quietly:
            self.endInsertRows()

    def _take_out(self, nodes: list[_Node[R]]) -> None:
        """Remove siblings from the screen, from the bottom up."""
        for node in sorted(nodes, key=lambda each: each.row, reverse=True):
            siblings = self._siblings(node.parent)
            if node.parent is None and not node.shown:
                continue
            visible = node.top().shown
            if visible:
                above = QModelIndex() if node.parent is None else self._index(node.parent)
                self.beginRemoveRows(above, node.row, node.row)
            del siblings[node.row]
            for place in range(node.row, len(siblings)):
                siblings[place].row = place
            node.shown = False
            if visible:
                self.endRemoveRows()

    def _sort(self) -> None:
        """Reorder the top rows; what points at a row goes with it."""
        ordered = sorted(self._top, key=self._rank, reverse=self._order.descending)
        if ordered == self._top:
            return
        self.layoutAboutToBeChanged.emit()
        before = self.persistentIndexList()
        self._top = ordered
        for row, node in enumerate(ordered):
            node.row = row
        after = [self._index(self._by_id[index.internalId()], index.column()) for index in before]
        self.changePersistentIndexList(before, after)
        self.layoutChanged.emit()
