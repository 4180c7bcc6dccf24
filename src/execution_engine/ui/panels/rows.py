"""Rows under one another in a panel, one for each name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from PySide6.QtWidgets import QVBoxLayout, QWidget

from execution_engine.ui.theme import px
from execution_engine.ui.widgets import Label, divider

R = TypeVar("R", bound=QWidget)


class NamedRows(QWidget, Generic[R]):
    """Keeps a row for each name, in order, with a line between them, and a sentence where there is none."""

    def __init__(self, make: Callable[[str], R], empty: Label | None = None) -> None:
        """Start with none. make: builds the row of a name. empty: what stands there without any."""
        super().__init__()
        self.rows: dict[str, R] = {}
        self._make = make
        self._empty = empty
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(0)
        self._list = QVBoxLayout()
        self._column.addLayout(self._list)
        if empty is not None:
            empty.setContentsMargins(px(12), px(10), px(12), px(10))
            self._column.addWidget(empty)

    def lay_out(self, names: Sequence[str]) -> None:
        """Have a row for each of these names; nothing is built anew while they are the same."""
        if self._empty is not None:
            self._empty.setVisible(not names)
        if list(self.rows) == list(names):
            return
        while (item := self._list.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()
        self.rows.clear()
        for name in names:
            if self.rows:
                self._list.addWidget(divider())
            self.rows[name] = self._make(name)
            self._list.addWidget(self.rows[name])
