"""The toolbar of Signals: which alerts are shown, and how many there are of which kind."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QWidget

from execution_engine.domain.signal import Outcome
from execution_engine.ui import format as f
from execution_engine.ui.icons import shape_icon, state_look
from execution_engine.ui.pages.signals.lines import ACTED_ON, AlertLine
from execution_engine.ui.theme import THEME, px
from execution_engine.ui.tongue import tr
from execution_engine.ui.widgets import Label, PageBar, SearchField, SegmentedChoice, button

_ACTED = "acted on"
_WORKING = "working"
_RANGES: tuple[tuple[str, timedelta | None], ...] = (
    (tr("Last hour"), timedelta(hours=1)),
    (tr("Last 24 h"), timedelta(hours=24)),
    (tr("Last 7 d"), timedelta(days=7)),
    (tr("Everything"), None),
)
_USUAL_RANGE = 1


class SignalsBar(PageBar):
    """Choose alerts by text, outcome and time.

    changed: another choice was made. range_changed: another stretch of time. tab: `alerts` or `refused`.
    test_wanted: the user wants to send a test alert. compose_wanted: to write a message for TradingView.
    """

    changed = Signal()
    range_changed = Signal()
    tab = Signal(str)
    test_wanted = Signal()
    compose_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        """Begin with the last day."""
        super().__init__(tr("Signals"), parent)
        self.tabs = SegmentedChoice(
            [("alerts", tr("Alerts")), ("refused", tr("Refused requests"))],
            small=False,
            name=tr("What is listed"),
        )
        self.search = SearchField(tr("Symbol, reason, id"), 190)
        self.outcomes, self.ranges = QComboBox(), QComboBox()
        self.outcomes.setAccessibleName(tr("Outcome"))
        self.ranges.setAccessibleName(tr("Time"))
        self._add_outcomes()
        for text, span in _RANGES:
            self.ranges.addItem(text, span)
        self.ranges.setCurrentIndex(_USUAL_RANGE)
        for each in (self.tabs, self.search, self.outcomes, self.ranges):
            self.add(each)
        self.summary = Label("", "small", "text2")
        self.test = button(tr("Send test alert…"))
        self.compose = button(
            tr("Compose alert…"), "primary", icon="plus", tip=tr("Write a message for TradingView")
        )
        self.add_right(self.summary)
        self.add_right(self.test)
        self.add_right(self.compose)
        self.tabs.chosen.connect(self._choose_tab)
        self.search.textChanged.connect(self.changed)
        self.outcomes.currentIndexChanged.connect(self.changed)
        self.ranges.currentIndexChanged.connect(self.range_changed)
        self.test.clicked.connect(self.test_wanted)
        self.compose.clicked.connect(self.compose_wanted)
        self._narrow = False
        THEME.theme_changed.connect(self._draw_outcomes)

    def set_narrow(self, narrow: bool) -> None:
        """Leave out what does not fit."""
        self._narrow = narrow
        self.search.setFixedWidth(px(160 if narrow else 190))
        self.summary.setVisible(not narrow)

    @property
    def active(self) -> bool:
        """Tell whether anything is filtered but the time."""
        return bool(self.search.text().strip() or self.outcomes.currentData())

    def since(self, now: datetime) -> datetime | None:
        """Return where the chosen time begins; None = at the first alert."""
        span = self.ranges.currentData()
        return None if span is None else now - span

    def clear(self) -> None:
        """Show every alert there is."""
        self.search.clear()
        self.outcomes.setCurrentIndex(0)
        self.ranges.setCurrentIndex(self.ranges.count() - 1)

    def accepts(self, line: AlertLine, since: datetime | None) -> bool:
        """Tell whether an alert is wanted."""
        wanted, typed = self.outcomes.currentData(), self.search.text().strip().lower()
        if since is not None and line.alert.received_at < since:
            return False
        if wanted == _ACTED and line.alert.outcome not in ACTED_ON:
            return False
        if wanted == _WORKING and line.alert.outcome is not None:
            return False
        if wanted and wanted not in (_ACTED, _WORKING) and line.alert.outcome != wanted:
            return False
        return not typed or line.found_by(typed)

    def show_counts(self, lines: Sequence[AlertLine]) -> None:
        """Say how many alerts are shown."""
        acted = sum(1 for line in lines if line.alert.outcome in ACTED_ON)
        rejected = sum(1 for line in lines if line.alert.outcome is Outcome.REJECTED)
        failed = sum(1 for line in lines if line.alert.outcome is Outcome.FAILED)
        parts = [
            f.counted(len(lines), tr("alert"), tr("alerts")),
            tr("{acted} acted on").format(acted=f"{acted:,}"),
            tr("{rejected} rejected").format(rejected=f"{rejected:,}"),
        ]
        self.summary.show_text(
            " · ".join(parts + ([tr("{failed} failed").format(failed=f"{failed:,}")] if failed else []))
        )

    def show_refused_count(self, count: int) -> None:
        """Say how many refused requests are listed."""
        self.summary.show_text(f.counted(count, tr("refused request"), tr("refused requests")))

    def choose_tab(self, key: str) -> None:
        """Go to a tab."""
        self.tabs.set_value(key)
        self._choose_tab(key)

    def _choose_tab(self, key: str) -> None:
        for each in (self.search, self.outcomes, self.ranges):
            each.setEnabled(key == "alerts")
        self.tab.emit(key)

    def _add_outcomes(self) -> None:
        self.outcomes.addItem(tr("All outcomes"), "")
        self.outcomes.addItem(tr("Acted on"), _ACTED)
        self.outcomes.addItem(tr("Still working"), _WORKING)
        self.outcomes.insertSeparator(self.outcomes.count())
        for outcome in Outcome:
            self.outcomes.addItem(state_look("alert", outcome.value).word, outcome)
        self._draw_outcomes()

    def _draw_outcomes(self) -> None:
        for row in range(self.outcomes.count()):
            outcome = self.outcomes.itemData(row)
            if isinstance(outcome, Outcome):
                look = state_look("alert", outcome.value)
                self.outcomes.setItemIcon(row, shape_icon(look.shape, look.token))
