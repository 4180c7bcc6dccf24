"""The toolbar of Logs: which lines are shown, from when to when, and whether the newest are followed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QCheckBox, QComboBox, QLineEdit, QWidget

from execution_engine.domain.facts import Category, Level
from execution_engine.domain.log_lines import LogQuestion
from execution_engine.ui.theme import px, restyle
from execution_engine.ui.tongue import tr
from execution_engine.ui.widgets import Label, PageBar, SearchField, button

LEVELS = list(Level)
TYPING_MS = 200
SPANS: dict[str, timedelta] = {
    "hour": timedelta(hours=1),
    "day": timedelta(hours=24),
    "week": timedelta(days=7),
}
RANGES = (
    ("all", tr("Any time")),
    ("hour", tr("Last hour")),
    ("today", tr("Today")),
    ("day", tr("Last 24 h")),
    ("week", tr("Last 7 days")),
    ("own", tr("From … to …")),
)


class LogsBar(PageBar):
    """Choose lines. changed: other lines are wanted. export_wanted: all of them are wanted in a file."""

    changed = Signal()
    export_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        """Begin with everything from INFO on, of any time, followed."""
        super().__init__(tr("Logs"), parent)
        self.search = SearchField(tr("Search text"), 190)
        self.level, self.category, self.range = QComboBox(), QComboBox(), QComboBox()
        self.first, self.last = _moment_field(tr("From")), _moment_field(tr("To"))
        self.follow = QCheckBox(tr("Follow"))
        self.follow.setToolTip(tr("Keep the newest line in sight"))
        self.follow.setChecked(True)
        self.counted = Label("", "small", "text3")
        self.export = button(tr("Export…"))
        self._fill()
        for tool in (self.search, self.level, self.category, self.range, self.first, self.last, self.follow):
            self.add(tool)
        self.add_right(self.counted)
        self.add_right(self.export)
        self._typing = QTimer(self, singleShot=True, interval=TYPING_MS)
        self._typing.timeout.connect(self.changed)
        self.search.textChanged.connect(lambda _: self._typing.start())
        for box in (self.level, self.category):
            box.currentIndexChanged.connect(lambda _: self.changed.emit())
        self.range.currentIndexChanged.connect(lambda _: self._range_chosen())
        for field in (self.first, self.last):
            field.editingFinished.connect(self._typed)
            field.hide()
        self.export.clicked.connect(self.export_wanted)

    def _fill(self) -> None:
        for level in LEVELS:
            self.level.addItem(tr("Level ≥ {level}").format(level=level.value), level.value)
        self.level.setCurrentIndex(LEVELS.index(Level.INFO))
        self.category.addItem(tr("All categories"), "")
        for category in Category:
            self.category.addItem(tr(category.value.capitalize()), category.value)
        for key, word in RANGES:
            self.range.addItem(word, key)
        for box, name in (
            (self.level, tr("Least level")),
            (self.category, tr("Category")),
            (self.range, tr("Time")),
        ):
            box.setAccessibleName(name)

    def set_narrow(self, narrow: bool) -> None:
        """Give way in a small window."""
        self.search.setFixedWidth(px(140 if narrow else 190))
        self.counted.setVisible(not narrow)

    @property
    def filters(self) -> bool:
        """Tell whether any line is left out."""
        return self.question(datetime.now(UTC)) != LogQuestion()

    def clear(self) -> None:
        """Leave nothing out."""
        for box in (self.level, self.category, self.range):
            box.blockSignals(True)
            box.setCurrentIndex(0)
            box.blockSignals(False)
        self.search.clear()
        self._typing.stop()
        self._range_chosen()

    def question(self, now: datetime) -> LogQuestion:
        """Return what is asked for."""
        least = self.level.currentIndex()
        category = self.category.currentData()
        since, until = self._times(now)
        return LogQuestion(
            levels=tuple(level.value for level in LEVELS[least:]) if least else (),
            categories=(category,) if category else (),
            contains=self.search.text().strip(),
            since=since,
            until=until,
        )

    def _times(self, now: datetime) -> tuple[datetime | None, datetime | None]:
        key = self.range.currentData()
        if key in SPANS:
            return now - SPANS[key], None
        if key == "today":
            return now.astimezone().replace(hour=0, minute=0, second=0, microsecond=0), None
        if key == "own":
            return _read(self.first.text()), _read(self.last.text())
        return None, None

    def _range_chosen(self) -> None:
        own = self.range.currentData() == "own"
        for field in (self.first, self.last):
            field.setVisible(own)
        self.changed.emit()

    def _typed(self) -> None:
        for field in (self.first, self.last):
            bad = bool(field.text().strip()) and _read(field.text()) is None
            restyle(field, bad="true" if bad else "false")
        self.changed.emit()


def _moment_field(name: str) -> QLineEdit:
    field = QLineEdit()
    field.setAccessibleName(name)
    field.setPlaceholderText("2026-11-20 14:30")
    field.setToolTip(
        tr(
            "{name}: your local time, year-month-day and, if you like, hour:minute; empty leaves it open"
        ).format(name=name)
    )
    field.setFixedWidth(px(132))
    return field


def _read(text: str) -> datetime | None:
    """Read a moment as it is typed, in the time of this computer."""
    try:
        return datetime.fromisoformat(text.strip()).astimezone()
    except ValueError:
        return None
