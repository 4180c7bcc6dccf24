"""The toolbar of Performance: which world, account and pair, and over which time."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QLineEdit, QWidget

from execution_engine.domain.performance import Question
from execution_engine.domain.rows import World
from execution_engine.ui.pages import choosing
from execution_engine.ui.theme import px, restyle
from execution_engine.ui.tongue import tr
from execution_engine.ui.widgets import PageBar, button

DAYS = {"7": 7, "30": 30, "90": 90, "365": 365}
RANGES = (
    ("all", tr("All time")),
    ("7", tr("Last 7 days")),
    ("30", tr("Last 30 days")),
    ("90", tr("Last 90 days")),
    ("365", tr("Last year")),
    ("month", tr("This month")),
    ("before", tr("Last month")),
    ("year", tr("This year")),
    ("own", tr("From … to …")),
)
WORLDS = {World.PAPER: tr("Paper"), World.TEST: tr("Test network"), World.LIVE: tr("Live")}
DAY = timedelta(days=1)


class PerformanceBar(PageBar):
    """Choose what the figures are of. changed: something else was chosen."""

    changed = Signal()
    export_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        """Begin with all time of the paper world."""
        super().__init__(tr("Performance"), parent)
        self.world, self.account, self.symbol = QComboBox(), QComboBox(), QComboBox()
        self.range = QComboBox()
        self.first, self.last = _day_field(tr("First day")), _day_field(tr("Last day"))
        self.export = button(tr("Export…"))
        for box, name in (
            (self.world, tr("World")),
            (self.account, tr("Account")),
            (self.symbol, tr("Pair")),
            (self.range, tr("Time")),
        ):
            box.setAccessibleName(name)
            choosing.narrowed(box)
            self.add(box)
        for world, word in WORLDS.items():
            self.world.addItem(word, world)
        self.account.addItem(tr("All accounts"), "")
        self.symbol.addItem(tr("All pairs"), "")
        for key, word in RANGES:
            self.range.addItem(word, key)
        for field in (self.first, self.last):
            self.add(field)
            field.hide()
            field.editingFinished.connect(self._typed)
        self.add_right(self.export)
        self.own_world = False  # the user chose it: it no longer follows the world in use
        self.world.currentIndexChanged.connect(lambda _: self._world_chosen())
        for box in (self.account, self.symbol):
            box.currentIndexChanged.connect(lambda _: self.changed.emit())
        self.range.currentIndexChanged.connect(lambda _: self._range_chosen())
        self.export.clicked.connect(self.export_wanted)

    @property
    def shown_world(self) -> World:
        """Return the world that is chosen; Qt hands back plain text."""
        return World(self.world.currentData())

    def choose_world(self, world: World) -> None:
        """Show a world without telling anybody."""
        self.world.blockSignals(True)
        self.world.setCurrentIndex(self.world.findData(world))
        self.world.blockSignals(False)

    def choose_range(self, key: str) -> None:
        """Choose a time by its key."""
        self.range.setCurrentIndex(self.range.findData(key))

    def offer_accounts(self, names: Iterable[str]) -> None:
        """Offer accounts; the chosen one stays."""
        _offer(self.account, tr("All accounts"), sorted(names))

    def offer_symbols(self, names: Iterable[str]) -> None:
        """Offer pairs; the chosen one stays."""
        _offer(self.symbol, tr("All pairs"), sorted(names))

    @property
    def narrows(self) -> bool:
        """Tell whether anything but the world is left out."""
        return bool(
            self.account.currentData() or self.symbol.currentData() or self.range.currentData() != "all"
        )

    def show_all(self) -> None:
        """Leave nothing out."""
        for box in (self.account, self.symbol, self.range):
            box.blockSignals(True)
            box.setCurrentIndex(0)
            box.blockSignals(False)
        self._range_chosen()

    def question(self, now: datetime) -> Question:
        """Return what is asked for; days are those of UTC."""
        since, until = self._days(now.astimezone(UTC).date())
        return Question(
            world=self.shown_world,
            since=_midnight(since),
            until=_midnight(until + DAY) if until else None,
            account=self.account.currentData(),
            symbol=self.symbol.currentData(),
        )

    def _days(self, today: date) -> tuple[date | None, date | None]:
        """Return the first and the last day of the chosen time."""
        key = self.range.currentData()
        if key in DAYS:
            return today - (DAYS[key] - 1) * DAY, None
        if key == "month":
            return today.replace(day=1), None
        if key == "before":
            last = today.replace(day=1) - DAY
            return last.replace(day=1), last
        if key == "year":
            return today.replace(month=1, day=1), None
        if key == "own":
            return _read(self.first.text()), _read(self.last.text())
        return None, None

    def _world_chosen(self) -> None:
        self.own_world = True
        self.changed.emit()

    def _range_chosen(self) -> None:
        own = self.range.currentData() == "own"
        for field in (self.first, self.last):
            field.setVisible(own)
        if own:
            self.first.setFocus()
        self.changed.emit()

    def _typed(self) -> None:
        for field in (self.first, self.last):
            bad = bool(field.text().strip()) and _read(field.text()) is None
            restyle(field, bad="true" if bad else "false")
        self.changed.emit()


def _day_field(name: str) -> QLineEdit:
    field = QLineEdit()
    field.setAccessibleName(name)
    field.setPlaceholderText("2026-07-01")
    field.setToolTip(tr("{name} (UTC) as year-month-day; empty leaves it open").format(name=name))
    field.setFixedWidth(px(104))
    return field


def _offer(box: QComboBox, everything: str, names: list[str]) -> None:
    chosen = box.currentData()
    if [box.itemData(place) for place in range(1, box.count())] == names:
        return
    box.blockSignals(True)
    box.clear()
    box.addItem(everything, "")
    for name in [*names, *([chosen] if chosen and chosen not in names else [])]:
        box.addItem(name, name)
    choosing.opens_wide(box)
    box.setCurrentIndex(max(0, box.findData(chosen)))
    box.blockSignals(False)


def _read(text: str) -> date | None:
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        return None


def _midnight(day: date | None) -> datetime | None:
    return None if day is None else datetime(day.year, day.month, day.day, tzinfo=UTC)
