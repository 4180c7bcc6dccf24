"""The tree of groups, pyramids and legs: it takes batches and keeps what is in sight up to date."""

from __future__ import annotations

import json
from collections.abc import Iterable
from decimal import Decimal

from PySide6.QtCore import QPoint, QSignalBlocker
from PySide6.QtGui import QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QWidget

from execution_engine.ui import format as f
from execution_engine.ui.bridge import Batch, Bridge
from execution_engine.ui.pages.positions import words
from execution_engine.ui.pages.positions.cells import render
from execution_engine.ui.pages.positions.columns import (
    WIDTHS,
    by_group,
    columns,
    delegates,
    name_order,
    width_class,
)
from execution_engine.ui.pages.positions.lines import (
    GroupLine,
    LegLine,
    Line,
    PyramidLine,
    order_of,
    parent_of,
)
from execution_engine.ui.pages.positions.making import LineMaker
from execution_engine.ui.tables import Number, TreeModel, TreeView
from execution_engine.ui.tongue import tr

MOST_PLACES = 5  # decimals for which room is left; finer prices are rare and stand where they fit


class PositionsTree(TreeView):
    """Show every group of the bridge with its pyramids and legs.

    Prices reach the lines of groups at once, because rows are sorted by them. What hangs below learns of them
    only while it is in sight: thousands of legs would otherwise be computed for nobody.
    """

    def __init__(self, bridge: Bridge, parent: QWidget | None = None) -> None:
        """Show what a bridge holds; `take` must hear its batches."""
        self.maker = LineMaker(bridge)
        self.lines: TreeModel[Line] = TreeModel(
            columns(lambda: self.maker.now),
            lambda line: line.id,
            parent_of,
            child_order=order_of,
            render=render,
            default_sort=by_group(name_order),
            sentence=words.sentence,
        )
        painters = delegates()
        self._numbers = {key: each for key, each in painters.items() if isinstance(each, Number)}
        super().__init__(self.lines, painters, name=tr("Positions"), parent=parent)
        self._class, self._behind = "", False
        self._layouts: dict[str, str] = {}
        self.lines.sort_by("position")
        self.expanded.connect(self._fall_behind)
        self.verticalScrollBar().valueChanged.connect(self._fall_behind)

    # What changes it.

    def read_all(self) -> None:
        """Show the whole state anew; what stays keeps its place and fold."""
        lines = self.maker.everything()
        self.lines.replace(lines)
        self._line_up(lines)

    def take(self, batch: Batch, *, prices: bool = True) -> None:
        """Take in a batch; without `prices` only what was decided, because nobody looks."""
        if batch.whole:
            self.read_all()
            return
        change = self.maker.take(batch)
        if change.gone:
            self.lines.remove(change.gone)
        lines = change.lines
        if prices:
            lines = lines + [self.maker.group(id) for id in change.priced]
        if not lines:
            return
        self.lines.upsert(lines)
        self._line_up(change.lines)
        if prices:
            self.catch_up()

    def catch_up(self) -> None:
        """Bring the rows in sight up to now: their price, their age, whether the price is old."""
        self._upsert(self.keys_in_sight())

    def price_all(self) -> None:
        """Bring every group up to now, after nobody looked for a while."""
        self.lines.upsert([self.maker.group(id) for id in self.maker.known()])
        self.catch_up()

    def set_busy(self, group_id: int, text: str) -> None:
        """Say in the group's row what the user's wish is doing; empty when it is done."""
        if text:
            self.maker.busy[group_id] = text
        else:
            self.maker.busy.pop(group_id, None)
        line = self.maker.line(group_id)
        if line is not None:
            self.lines.upsert([line])

    # What others ask of it.

    def group_of(self, key: object) -> int | None:
        """Return the group that a row belongs to."""
        line = self.lines.record(key)  # keys are ids
        if isinstance(line, PyramidLine):
            return line.pyramid.group_id
        return line.leg.group_id if isinstance(line, LegLine) else None if line is None else line.id

    def groups(self) -> list[GroupLine]:
        """Return the lines of the groups shown."""
        lines = (self.lines.record(key) for key in self.lines.keys())  # noqa: SIM118  # it is no mapping
        return [line for line in lines if isinstance(line, GroupLine)]

    def keys_in_sight(self) -> list[int]:
        """Return the ids of the rows that can be seen now, from top to bottom."""
        keys: list[int] = []
        index, bottom = self.indexAt(QPoint(1, 0)), self.viewport().height()
        while index.isValid() and self.visualRect(index).y() < bottom:
            keys.append(self.lines.record_at(index).id)
            index = self.indexBelow(index)
        return keys

    # How it fits its window.

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Show the columns for which there is room; each width keeps what the user made of it."""
        super().resizeEvent(event)
        self.fit(event.size().width())
        self._fall_behind()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Bring up to now what has just come into sight, then paint."""
        if self._behind:
            self._behind = False
            # Groups are up to date, and rows must not move while they are painted.
            self._upsert(key for key in self.keys_in_sight() if self.group_of(key) != key)
        super().paintEvent(event)

    def _upsert(self, keys: Iterable[int]) -> None:
        fresh = (self.maker.line(key) for key in keys)
        self.lines.upsert([line for line in fresh if line is not None])

    def _fall_behind(self, *_: object) -> None:
        # Not at once: rows are still being laid out while Qt tells of them.
        self._behind = True

    def fit(self, width: int) -> None:
        """Show the columns for a width [px]."""
        wanted = width_class(width)
        if wanted == self._class:
            return
        if self._class:
            self._layouts[self._class] = self.save_layout()
        self._class = wanted
        sort = self.lines.sort_column, self.lines.sort_descending
        # Nobody chose this: it must not be remembered as a wish.
        with QSignalBlocker(self):
            self.show_columns(WIDTHS[wanted])
            self.restore_layout(self._layouts.get(wanted, ""))
            self.lines.sort_by(*sort)

    def save_layout(self) -> str:
        """Return columns, order and open rows as JSON, and for which width."""
        return json.dumps(json.loads(super().save_layout()) | {"class": self._class})

    def restore_layout(self, text: str) -> None:
        """Take over a layout; columns that were chosen for another width stay as they are here."""
        try:
            saved = dict(json.loads(text))
        except (ValueError, TypeError):
            return
        if saved.get("class") != self._class:
            saved["columns"] = json.loads(super().save_layout())["columns"]
        saved["open"] = sorted({*map(str, saved.get("open", ())), *self._opened})
        super().restore_layout(json.dumps(saved))

    def reset_layout(self) -> None:
        """Put the columns back as they are made for this width."""
        super().reset_layout()
        self.show_columns(WIDTHS[self._class or "wide"])
        self.lines.sort_by("position")

    def _line_up(self, lines: Iterable[Line]) -> None:
        """Leave room for the most decimals that any market shows, so that points stand under one another."""
        widened = False
        for line in lines:
            if isinstance(line, GroupLine):
                widened = self._widen(("entry", "price", "target"), line.rules.tick) or widened
                widened = self._widen(("filled",), line.rules.step) or widened
        if widened:
            self.viewport().update()

    def _widen(self, columns: tuple[str, ...], step: Decimal) -> bool:
        places = min(MOST_PLACES, f.places_of(step))
        wider = [self._numbers[key] for key in columns if self._numbers[key].places < places]
        for number in wider:
            number.places = places
        return bool(wider)
