"""What a table shows: ready cells, and columns that make them."""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Generic, Literal, NamedTuple, TypeVar

from PySide6.QtCore import Qt

from execution_engine.ui.shapes import Shape
from execution_engine.ui.theme import Token

R = TypeVar("R")
Key = Hashable
Align = Literal["left", "right", "center"]


class Role(IntEnum):
    """Name what a model answers beyond Qt's own roles."""

    CELL = Qt.ItemDataRole.UserRole + 1
    RECORD = Qt.ItemDataRole.UserRole + 2
    KEY = Qt.ItemDataRole.UserRole + 3
    RAW = Qt.ItemDataRole.UserRole + 4


class Cell(NamedTuple):
    """Hold everything one cell shows; two equal cells look the same.

    text:  what is written
    token: its colour
    raw:   what copying gives, with full precision; None = `text`
    parts: (text, token) pieces painted one after another instead of `text`
    shape: a state shape before the text
    extra: what a special delegate paints: see `Progress`, `Spark`, `ActionText`
    bold:  weight 600
    stale: the value is old: grey, dotted underline
    say:   the words for a screen reader; None = made from `text`
    """

    text: str = ""
    token: Token = "text"
    raw: str | None = None
    parts: tuple[tuple[str, Token], ...] = ()
    shape: Shape | None = None
    extra: object = None
    bold: bool = False
    stale: bool = False
    say: str | None = None


EMPTY = Cell()


@dataclass(frozen=True, slots=True, kw_only=True)
class Column(Generic[R]):
    """Describe one column.

    key:      names it in saved layouts
    title:    the heading; `unit` follows it in a lighter weight
    width:    first width [px]; the last visible column takes the rest
    cell:     makes the cell of a record; not needed when the model has a `render` of its own
    sort_key: what it sorts by, None = missing, always last; without it the column does not sort
    tooltip:  what the cell's tooltip says, asked for only when one opens
    hint:     the heading's tooltip
    hidden:   not shown until chosen in the heading's menu
    """

    key: str
    title: str
    unit: str = ""
    align: Align = "left"
    width: int = 100
    cell: Callable[[R], Cell] | None = None
    sort_key: Callable[[R], Any] | None = None
    tooltip: Callable[[R], str] | None = None
    hint: str = ""
    hidden: bool = False

    @property
    def heading(self) -> str:
        """Return title and unit as one text."""
        return f"{self.title} {self.unit}".strip()


def rendering(columns: Sequence[Column[R]]) -> Callable[[R], tuple[Cell, ...]]:
    """Return the function that makes all cells of a record from the columns' own functions."""
    makers = tuple(column.cell for column in columns)

    def render(record: R) -> tuple[Cell, ...]:
        return tuple(EMPTY if make is None else make(record) for make in makers)

    return render


def changed_runs(old: Sequence[Cell], new: Sequence[Cell]) -> list[tuple[int, int]]:
    """Return the first and last column of every run of neighbouring cells that differ."""
    runs: list[tuple[int, int]] = []
    for column, (before, after) in enumerate(zip(old, new, strict=True)):
        if before is after or before == after:
            continue
        if runs and runs[-1][1] == column - 1:
            runs[-1] = (runs[-1][0], column)
        else:
            runs.append((column, column))
    return runs
