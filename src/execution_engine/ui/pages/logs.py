"""What happened since the start, line by line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from PySide6.QtWidgets import QCheckBox, QComboBox, QVBoxLayout

from execution_engine.domain.facts import Category, Fact, Level
from execution_engine.ui.bridge import Batch, Bridge
from execution_engine.ui.format import counted, local_moment, local_time_ms, utc_text, visible
from execution_engine.ui.pages.page import Page, stretch
from execution_engine.ui.shapes import Shape
from execution_engine.ui.tables import ActionText, Cell, Column, TableModel, TableView
from execution_engine.ui.theme import Token
from execution_engine.ui.widgets import Label, PageBar, SearchField

MOST = 5000
LET_GO = 500  # at once, so that a full list is not shortened line by line

_LEVELS: dict[Level, tuple[Token, Shape | None]] = {
    Level.DEBUG: ("text3", None),
    Level.INFO: ("text2", None),
    Level.WARNING: ("warn", "warning"),
    Level.ERROR: ("danger", "cross"),
    Level.CRITICAL: ("danger", "cross"),
}
_ORDER = list(Level)


@dataclass(frozen=True, slots=True)
class Line:
    """A fact, when it was heard, and its number since the start."""

    number: int
    at: datetime
    fact: Fact


class LogsPage(Page):
    """Collect facts from the moment it is made."""

    title = "Logs"

    def __init__(self, bridge: Bridge) -> None:
        """Begin to listen."""
        super().__init__()
        self._bridge = bridge
        self._heard: list[Line] = []
        self._count = 0
        self.model: TableModel[Line] = TableModel(_COLUMNS, key=lambda line: line.number)
        self.table = TableView(self.model, {"group": ActionText("link")}, name="Log")
        self.search = SearchField("Search text", 220)
        self.level, self.category = QComboBox(), QComboBox()
        self.follow = QCheckBox("Follow")
        self.counted = Label("", "small", "text3")
        stretch(self.table, "message")
        self._lay_out()
        self._listen()
        self._filter()

    def _lay_out(self) -> None:
        for level in _ORDER:
            self.level.addItem(f"Level ≥ {level.value}", level)
        self.level.setCurrentIndex(_ORDER.index(Level.INFO))
        self.level.setAccessibleName("Least level")
        self.category.addItem("All categories", None)
        for category in Category:
            self.category.addItem(category.value.capitalize(), category)
        self.category.setAccessibleName("Category")
        self.follow.setChecked(True)
        bar = PageBar(self.title)
        for tool in (self.search, self.level, self.category, self.follow):
            bar.add(tool)
        bar.add_right(self.counted)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(bar)
        column.addWidget(self.table, 1)

    def _listen(self) -> None:
        self._bridge.noticed.connect(self._noticed)
        self._bridge.changed.connect(self._changed)
        self.search.textChanged.connect(lambda _: self._filter())
        self.level.currentIndexChanged.connect(lambda _: self._filter())
        self.category.currentIndexChanged.connect(lambda _: self._filter())
        self.follow.toggled.connect(lambda on: on and self.table.scrollToBottom())
        self.table.action.connect(self._show_group)
        bar = self.table.verticalScrollBar()
        bar.actionTriggered.connect(lambda _: self.follow.setChecked(bar.sliderPosition() >= bar.maximum()))

    def focus_rows(self) -> None:
        """Let the arrow keys walk through the lines."""
        self.table.setFocus()

    def focus_filter(self) -> None:
        """Put the cursor into the search field."""
        self.search.setFocus()

    def shown(self) -> None:
        """Go on where the end is."""
        self._scroll()

    def set_narrow(self, narrow: bool) -> None:
        """Leave the category out of a small window."""
        shown = {column.key: column.width for column in _COLUMNS}
        if narrow:
            del shown["category"]
        self.table.show_columns(shown)

    def _noticed(self, facts: tuple[Fact, ...]) -> None:
        now = self._bridge.doors.now()
        for fact in facts:
            self._count += 1
            self._heard.append(Line(self._count, now, fact))

    def _changed(self, batch: Batch) -> None:
        """Show what was heard since the last batch, all at once."""
        if not self._heard:
            return
        self.model.upsert(self._heard[-MOST:])
        self._heard.clear()
        if len(self.model) > MOST:
            lines = self.model.records()
            self.model.remove([line.number for line in lines[: len(lines) - MOST + LET_GO]])
        self._tell()
        self._scroll()

    def _scroll(self) -> None:
        if self.follow.isChecked() and self.isVisible():
            self.table.scrollToBottom()

    def _filter(self) -> None:
        text = self.search.text().strip().casefold()
        least, wanted = self.level.currentIndex(), self.category.currentData()

        def accepts(line: Line) -> bool:
            fact = line.fact
            return (
                _ORDER.index(fact.level) >= least
                and (wanted is None or fact.category == wanted)
                and (text in fact.text.casefold() or text in fact.code)
            )

        self.model.set_filter(accepts)
        self._tell()
        self._scroll()

    def _tell(self) -> None:
        shown, known = self.model.rowCount(), len(self.model)
        self.counted.show_text(
            f"{shown:,} of {counted(known, 'line')} since the start"
            if shown != known
            else f"{counted(known, 'line')} since the start"
        )
        if known:
            hidden = "line is" if known == 1 else "lines are"
            sentence = f"Nothing matches. {known:,} {hidden} hidden by the filter."
            self.table.set_empty(sentence, [("Clear filter", self._clear)])
        else:
            self.table.set_empty("Nothing has happened since the start.")

    def _clear(self) -> None:
        self.search.clear()
        self.level.setCurrentIndex(0)
        self.category.setCurrentIndex(0)

    def _show_group(self, number: object, column: str) -> None:
        line = self.model.record(number)
        if line is not None and line.fact.group_id is not None:
            self.wanted.emit("positions", line.fact.group_id)


def _level(line: Line) -> Cell:
    token, shape = _LEVELS[line.fact.level]
    return Cell(line.fact.level.value, token, shape=shape)


def _group(line: Line) -> Cell:
    id = line.fact.group_id
    return Cell("" if id is None else f"group {id}")


def _ids(line: Line) -> Cell:
    named = (("alert", line.fact.alert_id), ("order", line.fact.order_id))
    return Cell(" · ".join(f"{name} {id}" for name, id in named if id is not None), "text3")


_COLUMNS: Sequence[Column[Line]] = (
    Column(
        key="time",
        title="Time",
        width=116,
        cell=lambda line: Cell(local_time_ms(line.at), "text2", raw=line.at.isoformat()),
        sort_key=lambda line: line.number,
        tooltip=lambda line: f"{local_moment(line.at)}\n{utc_text(line.at)}",
    ),
    Column(
        key="level",
        title="Level",
        width=108,
        cell=_level,
        sort_key=lambda line: _ORDER.index(line.fact.level),
    ),
    Column(
        key="category",
        title="Category",
        width=100,
        cell=lambda line: Cell(line.fact.category.value, "text2"),
        sort_key=lambda line: line.fact.category.value,
    ),
    Column(
        key="message",
        title="Message",
        width=620,
        cell=lambda line: Cell(visible(line.fact.text)),
        tooltip=lambda line: line.fact.code,
    ),
    Column(
        key="group",
        title="Group",
        width=96,
        cell=_group,
        sort_key=lambda line: line.fact.group_id,
    ),
    Column(
        key="ids",
        title="Alert, order",
        width=132,
        cell=_ids,
    ),
)
