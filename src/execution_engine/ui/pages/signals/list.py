"""The list of alerts: newest first, live, and older ones are read as they are wanted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta

from PySide6.QtCore import QPoint, Signal
from PySide6.QtWidgets import QWidget

from execution_engine.domain.errors import Refusal
from execution_engine.domain.rows import Alert
from execution_engine.domain.signal import Outcome
from execution_engine.ui.bridge import Batch, Bridge
from execution_engine.ui.pages.signals.lines import NARROW, WIDE, AlertLine, columns, sentence
from execution_engine.ui.tables import Chip, Key, Position, TableModel, TableView
from execution_engine.ui.tongue import tr

READ_AT_ONCE = 1_000
MOST = 20_000
HELD = 2_000  # older ones than a week's are let go beyond these, unless somebody has scrolled to them
AT_ONCE = 200
WEEK = timedelta(days=7)


class AlertList(TableView):
    """Show alerts. read: older alerts came from the database."""

    read = Signal()

    def __init__(self, bridge: Bridge, parent: QWidget | None = None) -> None:
        """Show what a bridge holds; `take` must hear its batches."""
        self.alerts: TableModel[AlertLine] = TableModel(
            columns(), lambda line: line.id, default_sort=lambda line: -line.id, sentence=sentence
        )
        super().__init__(
            self.alerts, {"signal": Position(), "outcome": Chip()}, name=tr("Alerts"), parent=parent
        )
        self._bridge = bridge
        self._was_queued: set[int] = set()
        self._today: date | None = None
        self._since: datetime | None = None
        self._reading = self._exhausted = False
        self.alerts.sort_by("received", descending=True)
        self.verticalScrollBar().valueChanged.connect(self._scrolled)

    # What changes it.

    def take(self, batch: Batch) -> None:
        """Take in a batch: new alerts appear on top, what is being read stays where it is."""
        alerts = self._bridge.alerts
        if batch.whole:
            self._today = self._now().astimezone().date()
            self._exhausted = False
            self.alerts.replace(self._lines(alerts.values()))
            return
        fresh = self._lines(alerts[id] for id in batch.alerts if id in alerts)
        if fresh:
            self._keep_place(fresh)
            self._let_go()

    def tick(self) -> None:
        """Turn times of yesterday into dates at midnight."""
        today = self._now().astimezone().date()
        if today != self._today:
            self._today = today
            self.alerts.upsert(self._lines(line.alert for line in self.alerts.records()))

    def show_since(self, since: datetime | None) -> None:
        """Say from when on alerts are wanted, so that what is missing is read."""
        self._since = since
        self.read_older()

    def read_older(self) -> None:
        """Read older alerts, unless all that are wanted are there."""
        known = self.alerts.records()
        oldest = min((line.alert.received_at for line in known), default=None)
        enough = self._since is not None and oldest is not None and oldest < self._since
        if self._reading or self._exhausted or enough or len(known) >= MOST or self._bridge.doors is None:
            return
        self._reading = True
        wanted = len(known) + READ_AT_ONCE
        self._bridge.run(self._bridge.doors.read_alerts(wanted), lambda rows: self._older(rows, wanted))

    def _older(self, rows: Sequence[Alert] | Refusal, wanted: int) -> None:
        self._reading = False
        if isinstance(rows, Refusal):
            return
        self._exhausted = len(rows) < wanted
        # What was released meanwhile is newer than what was read.
        known = {line.id for line in self.alerts.records()}
        self.alerts.upsert(self._lines(alert for alert in rows if alert.id not in known))
        self.read.emit()
        if self._since is not None:
            self.read_older()

    # What others ask of it.

    def line(self, key: Key) -> AlertLine | None:
        """Return an alert, shown or not."""
        return self.alerts.record(key)

    def lines(self) -> list[AlertLine]:
        """Return the alerts shown."""
        found = (self.alerts.record(key) for key in self.alerts.keys())  # noqa: SIM118  # it is no mapping
        return [line for line in found if line is not None]

    def set_narrow(self, narrow: bool) -> None:
        """Show the columns for which there is room."""
        self.show_columns(NARROW if narrow else WIDE)

    # How it is done.

    def _lines(self, alerts: Iterable[Alert]) -> list[AlertLine]:
        return [AlertLine(alert, self._promoted(alert), self._today) for alert in alerts]

    def _promoted(self, alert: Alert) -> bool:
        """Tell whether an alert came through the queue, as far as it was seen there or forced out of it."""
        if alert.outcome is Outcome.QUEUED:
            self._was_queued.add(alert.id)
        group = self._bridge.groups.get(alert.group_id or 0)
        forced = group is not None and group.forced and group.alert_id == alert.id
        return forced or alert.id in self._was_queued

    def _keep_place(self, fresh: list[AlertLine]) -> None:
        """Add rows without moving those that the user has scrolled to."""
        bar = self.verticalScrollBar()
        top = self.indexAt(QPoint(1, 0)) if bar.value() > 0 else None
        key = self.alerts.key_at(top) if top is not None and top.isValid() else None
        before = self.visualRect(top).y() if top is not None and key is not None else 0
        self.alerts.upsert(fresh)
        if key is not None:
            self.doItemsLayout()
            bar.setValue(bar.value() + self.visualRect(self.alerts.index_of(key)).y() - before)

    def _let_go(self) -> None:
        """Forget the oldest alerts; they are read again when they are wanted."""
        surplus = len(self.alerts) - HELD
        if surplus < AT_ONCE or self.verticalScrollBar().value() > 0:
            return
        week, chosen = self._now() - WEEK, {*self.selected_keys()}
        oldest = sorted(self.alerts.records(), key=lambda line: line.id)[:surplus]
        gone = [line.id for line in oldest if line.alert.received_at < week and line.id not in chosen]
        self.alerts.remove(gone)
        self._was_queued.difference_update(gone)
        self._exhausted = False

    def _scrolled(self, value: int) -> None:
        bar = self.verticalScrollBar()
        if bar.maximum() > 0 and value >= bar.maximum():
            self.read_older()

    def _now(self) -> datetime:
        return self._bridge.doors.now()
