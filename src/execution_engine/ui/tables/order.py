"""The order of rows: by which column, and how often it may change."""

import math
import time
from collections.abc import Callable, Sequence
from typing import Any, Generic

from PySide6.QtCore import QObject, QTimer

from execution_engine.ui.tables.cell import Column, R

SORT_INTERVAL_S = 1.0


class Order(Generic[R]):
    """Rank records by the chosen column, or by the default when none is chosen.

    Equal rows keep the places they have. A missing sort key comes last in both directions.
    """

    def __init__(self, columns: Sequence[Column[R]], default: Callable[[R], Any] | None) -> None:
        """Start in the default order: by `default`, or as the rows arrived."""
        self._columns = {column.key: column for column in columns}
        self._default = default
        self.column: str | None = None
        self.descending = False

    def choose(self, column: str | None, descending: bool) -> None:
        """Sort by a column, or by the default when it is None or cannot sort."""
        known = column is not None and column in self._columns and self._columns[column].sort_key is not None
        self.column = column if known else None
        self.descending = descending and known

    def rank(self, record: R, arrival: int) -> tuple[Any, ...]:
        """Return what a record sorts by."""
        by = self._default if self.column is None else self._columns[self.column].sort_key
        if by is None:
            return (arrival,)
        value = by(record)
        # With reverse=True the smallest comes last.
        last = not self.descending
        return (last,) if value is None else (not last, value)

    def place(self, ranks: Callable[[int], tuple[Any, ...]], count: int, rank: tuple[Any, ...]) -> int:
        """Return where a new rank belongs among `count` sorted ones, after those equal to it."""
        low, high = 0, count
        while low < high:
            middle = (low + high) // 2
            other = ranks(middle)
            if (other >= rank) if self.descending else (other <= rank):
                low = middle + 1
            else:
                high = middle
        return low


class SortPace(QObject):
    """Let the order change at most once per interval, and never while it is held.

    Hold while a menu is open, a row is dragged or pressed, or a cell is edited.
    """

    def __init__(
        self,
        act: Callable[[], None],
        parent: QObject,
        interval_s: float = SORT_INTERVAL_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Call `act` when it is time; `clock` counts seconds."""
        super().__init__(parent)
        self._act, self._interval_s, self._clock = act, interval_s, clock
        self._wanted = False
        self._holders = 0
        self._last = -math.inf
        self._timer = QTimer(self, singleShot=True)
        self._timer.timeout.connect(self.settle)

    @property
    def held(self) -> bool:
        """Tell whether the order must stay as it is."""
        return self._holders > 0

    def ask(self) -> None:
        """Say that the order is out of date."""
        self._wanted = True
        self.settle()

    def now(self) -> None:
        """Act at once, because the user asked for it."""
        self._wanted = False
        self._last = self._clock()
        self._act()

    def settle(self) -> None:
        """Act if something waits and it is time; called by the timer, by tests after moving their clock."""
        if not self._wanted or self.held:
            return
        wait_s = self._last + self._interval_s - self._clock()
        if wait_s <= 0:
            self.now()
        elif not self._timer.isActive():
            self._timer.start(math.ceil(wait_s * 1000))

    def hold(self) -> None:
        """Keep the order until `release`; holds are counted."""
        self._holders += 1

    def release(self) -> None:
        """Let go of one hold."""
        self._holders = max(0, self._holders - 1)
        self.settle()
