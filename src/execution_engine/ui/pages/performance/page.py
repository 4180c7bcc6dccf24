"""What trading came to: figures, the curve and its falls, trades, pairs, timeframes, months, days, results."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QFileDialog, QStackedWidget, QVBoxLayout, QWidget

from execution_engine.domain.errors import Refusal
from execution_engine.domain.performance import Report
from execution_engine.ui.bridge import Batch, Bridge
from execution_engine.ui.format import counted, visible
from execution_engine.ui.frame.worlds import shown_world
from execution_engine.ui.pages.page import Page
from execution_engine.ui.pages.performance import tables
from execution_engine.ui.pages.performance.bar import PerformanceBar
from execution_engine.ui.pages.performance.calendar import Calendar
from execution_engine.ui.pages.performance.distribution import Distribution
from execution_engine.ui.pages.performance.strip import Strip
from execution_engine.ui.theme import SIZE, px
from execution_engine.ui.tongue import tr, translated
from execution_engine.ui.widgets import Label, Notice, Panel, SegmentedChoice, Splitter

if TYPE_CHECKING:
    from execution_engine.ui.charts.results import ResultsChart

MOST_LISTED = 2_000
LEAST_MS = 2_000
LEAST_CURVE, LEAST_CURVE_NARROW, LEAST_LIST = 176, 148, 100
SHARE = 20  # a reading may take a twentieth of the time: so much longer is waited for the next
VIEWS = (
    ("trades", tr("Trades")),
    ("pairs", tr("Per pair")),
    ("timeframes", tr("Per timeframe")),
    ("months", tr("Per month")),
    ("days", tr("Calendar")),
    ("results", tr("Distribution")),
)


class PerformancePage(Page):
    """Read when it is looked at, and again, not too often, when something was realized."""

    title = tr("Performance")

    def __init__(self, bridge: Bridge) -> None:
        """Read nothing yet."""
        super().__init__()
        self._bridge = bridge
        self.report = Report()
        self._late, self._busy, self._again = True, False, False
        self._began = 0.0
        self._wanted: int | None = None
        self.bar, self.strip = PerformanceBar(), Strip()
        self.chart: ResultsChart | None = None
        self.curve_panel = Panel(tr("Equity and drawdown"), tr("start capital + realized, USD"))
        self.nothing = Label("", "body", "text2")
        self.model, self.table = tables.trades()
        self.parts = {
            "pairs": tables.parts(tr("Pair")),
            "timeframes": tables.parts(tr("Timeframe")),
            "months": tables.parts(tables.MONTH),
        }
        self.calendar, self.results = Calendar(), Distribution()
        self.views = SegmentedChoice(VIEWS, name=tr("What is listed"))
        self.counted = Label("", "small", "text3")
        self._pages: dict[str, QWidget] = {
            "trades": self.table,
            **{key: table for key, (_, table) in self.parts.items()},
            "days": self.calendar,
            "results": self.results,
        }
        self.stack = QStackedWidget()
        self._wait = QTimer(self, singleShot=True)
        self._lay_out()
        self._listen()

    def _lay_out(self) -> None:
        for page in self._pages.values():
            self.stack.addWidget(page)
        self.stack.setMinimumHeight(px(LEAST_LIST))  # not what the highest of them would like
        self.nothing.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.curve_panel.add(self.nothing, 1)
        below = Panel(tr("Results"))
        below.heading.title.hide()
        below.add_left(self.views)
        below.add_right(self.counted)
        below.add(self.stack, 1)
        self.split = Splitter(Qt.Orientation.Vertical)
        self.split.setObjectName("performance")
        self.split.addWidget(self.curve_panel)
        self.split.addWidget(below)
        self.curve_panel.setMinimumHeight(px(LEAST_CURVE))
        self.split.setSizes([450, 550])
        ground = QVBoxLayout()
        ground.setContentsMargins(
            px(SIZE["page_x"]), px(SIZE["page_y"]), px(SIZE["page_x"]), px(SIZE["page_y"])
        )
        ground.setSpacing(px(SIZE["gap"]) - 4)
        ground.addWidget(self.strip)
        ground.addWidget(self.split, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.bar)
        column.addLayout(ground, 1)

    def _listen(self) -> None:
        self.views.chosen.connect(self.show_view)
        self.bar.changed.connect(self.refresh)
        self.bar.export_wanted.connect(self._ask_for_file)
        self._wait.timeout.connect(self._go_on)
        self._bridge.changed.connect(self._changed)

    # -- what the frame asks

    def set_narrow(self, narrow: bool) -> None:
        """Put the figures into two rows and show the columns for which there is room."""
        self.strip.set_rows(2 if narrow else 1)
        self.curve_panel.setMinimumHeight(px(LEAST_CURVE_NARROW if narrow else LEAST_CURVE))
        self.table.show_columns(tables.NARROW if narrow else tables.WIDE)
        for _, table in self.parts.values():
            table.show_columns(tables.PART_NARROW if narrow else tables.PART_WIDE)

    def focus_rows(self) -> None:
        """Let the arrow keys walk through what is listed."""
        self._pages[self.views.value()].setFocus()

    def focus_filter(self) -> None:
        """Put the cursor into the choice of the pair."""
        self.bar.symbol.setFocus()

    def go_to(self, key: int) -> None:
        """Show a trade, once it was read."""
        self.views.set_value("trades")
        self.show_view("trades")
        if not self.table.select(key):
            self._wanted = key
            if self.bar.narrows:
                self.bar.show_all()

    def shown(self) -> None:
        """Read what was realized meanwhile."""
        if self._late:
            self.refresh()

    def refresh(self) -> None:
        """Read again."""
        if self._busy:
            self._again = True
            return
        if not self.bar.own_world:
            self.bar.choose_world(shown_world(self._bridge))
        self._busy, self._late, self._again = True, False, False
        self._began = time.monotonic()
        question = self.bar.question(self._bridge.doors.now())
        self._bridge.run(self._bridge.doors.read_performance(question), self._read)

    def show_view(self, key: str) -> None:
        """Show one of the lists."""
        self.stack.setCurrentWidget(self._pages[key])
        self._fill(key)

    # -- what happens

    def _changed(self, batch: Batch) -> None:
        if batch.whole or batch.equity or any(id not in self._bridge.groups for id in batch.groups):
            self._late = True
            self._go_on()

    def _go_on(self) -> None:
        if self._late and self.isVisible() and not self._wait.isActive():
            self.refresh()

    def _read(self, report: Report | Refusal) -> None:
        self._busy = False
        taken = time.monotonic() - self._began
        self._wait.start(max(LEAST_MS, round(taken * SHARE * 1000)))
        if self._again:
            self.refresh()
            return
        if isinstance(report, Refusal):
            self.table.set_empty(
                tr("The trades could not be read: {message}").format(
                    message=visible(translated(report.message), 200)
                )
            )
            return
        self.report = report
        self._show()

    def _show(self) -> None:
        report, bar = self.report, self.bar
        world = bar.shown_world
        bar.offer_accounts(each.name for each in self._bridge.accounts.values() if each.world is world)
        if not bar.symbol.currentData():
            bar.offer_symbols(part.name for part in report.pairs)
        bar.export.setEnabled(bool(report.trades))
        self.strip.show_report(report)
        self._show_curve()
        empty = tr("No closed trade in this range.") if bar.narrows else tr("No trade was closed yet.")
        self.table.set_empty(empty, [(tr("Show all"), bar.show_all)] if bar.narrows else [])
        for _, table in self.parts.values():
            table.set_empty(empty)
        self._fill(self.views.value())
        if self._wanted is not None:
            self._fill("trades")
            if self.table.select(self._wanted):
                self._wanted = None

    def _fill(self, key: str) -> None:
        """Fill the list that is looked at; the others wait until they are."""
        report = self.report
        listed = report.trades[:MOST_LISTED]
        if key == "trades":
            self.model.replace(listed)
        elif key in self.parts:
            self.parts[key][0].replace(getattr(report, key))
        elif key == "days":
            self.calendar.show_days(report.days, self._bridge.doors.now().astimezone(UTC).date())
        else:
            self.results.show_bars(report.bars)
        many = len(report.trades)
        cut = tr("the newest {count} of {many} trades; the export has all").format(
            count=f"{len(listed):,}", many=f"{many:,}"
        )
        self.counted.show_text(
            cut if many > len(listed) and key == "trades" else counted(many, tr("trade"), tr("trades"))
        )

    def _show_curve(self) -> None:
        there = bool(self.report.curve)
        self.nothing.setVisible(not there)
        self.nothing.show_text(tr("The curve begins with the first result.") if not there else "")
        if there:
            self._drawn().show_report(self.report, self._until())
        if self.chart is not None:
            self.chart.setVisible(there)

    def _until(self) -> datetime:
        now = self._bridge.doors.now()
        until = self.bar.question(now).until
        return min(until, now) if until else now

    def _drawn(self) -> ResultsChart:
        if self.chart is None:
            from execution_engine.ui.charts.results import ResultsChart  # imports pyqtgraph and numpy: 0.2 s

            self.chart = ResultsChart()
            self.curve_panel.add(self.chart, 1)
        return self.chart

    # -- to a file

    def _ask_for_file(self) -> None:
        dialog = QFileDialog(self, tr("Export trades"), "trades.csv", tr("CSV (*.csv);;JSON (*.json)"))
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix("csv")
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(lambda name: self.export(Path(name)))
        dialog.open()

    def export(self, path: Path) -> None:
        """Write all trades that are asked for to a file, and say so."""

        def done(count: int | Refusal) -> None:
            if isinstance(count, Refusal):
                self.notice.emit(
                    Notice(
                        "error", tr("The trades were not exported"), visible(translated(count.message), 300)
                    )
                )
            else:
                self.notice.emit(
                    Notice(
                        "success",
                        tr("Exported {count}").format(count=counted(count, tr("trade"), tr("trades"))),
                        visible(str(path)),
                    )
                )

        question = self.bar.question(self._bridge.doors.now())
        self._bridge.run(self._bridge.doors.export_trades(question, path), done)
