"""The dashboard's layout, and how batches reach its parts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QGridLayout, QVBoxLayout, QWidget

from execution_engine.domain.errors import Refusal
from execution_engine.domain.rows import EquityPoint
from execution_engine.ui.bridge import SUMS_MS, Batch, Bridge
from execution_engine.ui.format import usd
from execution_engine.ui.frame.attention import Attention, Thing
from execution_engine.ui.frame.worlds import shown_world
from execution_engine.ui.holdings import holdings_of
from execution_engine.ui.pages.dashboard import positions
from execution_engine.ui.pages.dashboard.equity import EquityPanel
from execution_engine.ui.pages.dashboard.figures import Strip
from execution_engine.ui.pages.dashboard.needs import Needs, NeedsBar
from execution_engine.ui.pages.dashboard.results import Reading, Results, midnight
from execution_engine.ui.pages.page import Page
from execution_engine.ui.tables import TableView
from execution_engine.ui.theme import SIZE, px
from execution_engine.ui.tongue import tr
from execution_engine.ui.widgets import Panel, button

APART_MS = 70  # from the window's own sums: alerts get their turn in between
RIGHT_WIDTH = 366
TOP_HEIGHT = 288
IN_BANNERS = ("resume", "away")
LEAST_CURVE = 104  # below the strip and two banners of a small window


class DashboardPage(Page):
    """How it stands, at a glance."""

    title = tr("Dashboard")

    def __init__(self, bridge: Bridge) -> None:
        """Show what the bridge holds."""
        super().__init__()
        self._bridge = bridge
        self.holdings = holdings_of(bridge)
        self._attention = Attention(bridge)
        self._rows = positions.PositionRows(bridge, self.holdings)
        self._world = shown_world(bridge)
        self._day = midnight(bridge.doors.now())
        self._reading = Reading(bridge, lambda: self._world, self._read, self)
        self.strip = Strip(bridge)
        self.equity = EquityPanel()
        self.results = Results()
        self.needs, self.bar = Needs(), NeedsBar()
        self.model = positions.model()
        self.table = TableView(self.model, positions.delegates(), name=tr("Open positions"))
        self._lay_out()
        self._listen()
        self._rows.take(Batch(whole=True))
        self._read_anew()
        self.shown()

    # -- how it is built

    def _lay_out(self) -> None:
        self._column = column = QVBoxLayout(self)
        self.results_panel = Panel(tr("Results"), tr("all accounts"))
        self.results_panel.add(self.results)
        self.results_panel.body.addStretch(1)
        self.positions_panel = Panel(tr("Open positions"))
        link = button(tr("Open Positions"), "link", small=True)
        link.clicked.connect(lambda: self.wanted.emit("positions", None))
        self.positions_panel.add_right(link)
        self.positions_panel.add(self.table, 1)
        self._grid = QGridLayout()
        column.addWidget(self.strip)
        column.addWidget(self.bar)
        column.addLayout(self._grid, 1)
        self.table.set_empty(
            tr("No positions. The next alert opens the first one."),
            [
                (tr("First steps…"), lambda: self.asked.emit("guide")),
                (tr("Compose alert…"), lambda: self.asked.emit("compose")),
                (tr("Send test alert…"), lambda: self.asked.emit("test_alert")),
            ],
        )
        self.model.sort_by("unrealized")
        self._narrow: bool | None = None
        self.set_narrow(False)
        self._order_focus()

    def _order_focus(self) -> None:
        """Let Tab go as one reads: the curve, the positions, what needs attention."""
        parts = (self.equity, self.results_panel, self.positions_panel, self.needs)
        last: QWidget | None = None
        for part in parts:
            for each in _focusable(part):
                if last is not None:
                    QWidget.setTabOrder(last, each)
                last = each

    def set_narrow(self, narrow: bool) -> None:
        """Put Results under the curve and fold what needs attention, or put them back beside it."""
        if narrow == self._narrow:
            return
        self._narrow = narrow
        grid = self._grid
        for widget in (self.equity, self.results_panel, self.positions_panel, self.needs):
            grid.removeWidget(widget)
        self.strip.setFixedHeight(px(80 if narrow else 92))
        self.results_panel.heading.setVisible(not narrow)
        self.results.set_columns(2 if narrow else 1)
        places = [(self.equity, 0, 0), (self.results_panel, 1, 0), (self.positions_panel, 2, 0)]
        if not narrow:
            places = [(self.equity, 0, 0), (self.results_panel, 0, 1), (self.positions_panel, 1, 0)]
            grid.addWidget(self.needs, 1, 1)
        for widget, row, column in places:
            grid.addWidget(widget, row, column)
        self._stretch(narrow)
        self.table.show_columns(positions.NARROW if narrow else positions.WIDE)
        self._show_needs()

    def _stretch(self, narrow: bool) -> None:
        around_x, around_y = px(SIZE["page_x"]), px(8 if narrow else SIZE["page_y"])
        self._column.setContentsMargins(around_x, around_y, around_x, around_y)
        for layout in (self._column, self._grid):
            layout.setSpacing(px(8 if narrow else SIZE["gap"]))
        grid, right = self._grid, px(RIGHT_WIDTH)
        grid.setColumnStretch(0, 1)
        grid.setColumnMinimumWidth(1, 0 if narrow else right)
        top = px(TOP_HEIGHT)
        for panel in (self.results_panel, self.needs):
            panel.setMaximumWidth(16_777_215 if narrow else right)
        self.equity.setMinimumHeight(px(LEAST_CURVE if narrow else TOP_HEIGHT))
        self.results_panel.setMaximumHeight(px(136) if narrow else 16_777_215)
        grid.setRowMinimumHeight(0, 0 if narrow else top)
        # A high window gives the curve its share; in a usual one it has the least that it needs.
        for row, share in enumerate((1, 0, 1) if narrow else (2, 3, 0)):
            grid.setRowStretch(row, share)

    def _listen(self) -> None:
        self._sums = QTimer(self)
        self._sums.setSingleShot(True)
        self._sums.timeout.connect(self._show_figures)
        self._bridge.changed.connect(self._changed)
        self.table.opened.connect(lambda key: self.wanted.emit("positions", key))
        for part in (self.needs, self.bar):
            part.chosen.connect(self._go)

    def _go(self, thing: Thing) -> None:
        if thing.page == "resume":
            self.asked.emit("resume")
        else:
            self.wanted.emit(thing.page, thing.row)

    # -- what happens

    def _changed(self, batch: Batch) -> None:
        closed = any(id not in self._bridge.groups for id in batch.groups)
        touched = set(self.holdings.touched)
        self._attention.take(batch)
        self._rows.take(batch)
        for id in batch.legs:
            leg = self._bridge.legs.get(id)
            if leg is not None:
                touched.add(leg.group_id)
        if self.isVisible():
            self._show_rows(touched)
        if batch.whole or shown_world(self._bridge) is not self._world:
            self._read_anew()
        elif closed or batch.equity:
            self._reading.ask()
        elif any(self._filled(id) for id in batch.orders):
            self._reading.ask_later()
        mine = [point for point in batch.equity if point.world is self._world]
        self.equity.add_points(mine, self._now())
        if batch.is_pressing:
            self._show_figures()
        elif not self._sums.isActive():
            self._sums.start(SUMS_MS + APART_MS)

    def _filled(self, order_id: int) -> bool:
        order = self._bridge.orders.get(order_id)
        return order is not None and order.filled_quantity > 0

    def shown(self) -> None:
        """Catch up with what happened meanwhile."""
        gone = {row.group.id for row in self.model.records()}
        self._show_rows(gone | set(self.holdings.by_id))
        self.tick()

    def tick(self) -> None:
        """Show ages anew; at midnight UTC another day begins."""
        now = self._now()
        if midnight(now) != self._day:
            self._day = midnight(now)
            self._reading.ask()
        self.equity.tick(now)
        self._show_rows({id for id, held in self.holdings.by_id.items() if held.holds})
        self._show_figures()

    def refresh(self) -> None:
        """Read curve and statistics again."""
        self._read_anew()

    def _read_anew(self) -> None:
        self._reading.forget()
        self._world = shown_world(self._bridge)
        self._bridge.run(self._bridge.doors.read_equity(self._world), self._equity_read)
        self._reading.ask()

    def _equity_read(self, points: Sequence[EquityPoint] | Refusal) -> None:
        if not isinstance(points, Refusal):
            self.equity.show_points(points, self._now())
            self._show_figures()

    def _read(self) -> None:
        self.results.show_statistics(self._reading.read)
        self._show_figures()

    def _show_rows(self, ids: set[int]) -> None:
        now, known = self._now(), self.holdings.by_id
        self.model.upsert([self._rows.row(id, now) for id in ids if id in known])
        self.model.remove([id for id in ids if id not in known])

    def _show_figures(self) -> None:
        now = self._now()
        sums = self.holdings.sums(self._world, now)
        realized = self._bridge.doors.realized(self._world)
        self.results.show_money(realized, sums.unrealized)
        today: Decimal = realized - self.equity.realized_before(self._day)
        read = self._reading.read
        self.strip.refresh(self._world, today, read.today.trades if read else None)
        text = (
            tr("{groups} · invested {amount} USD").format(groups=sums.groups, amount=usd(sums.invested))
            if sums.groups
            else ""
        )
        self.positions_panel.set_subtitle(text)
        self._show_needs()

    def _show_needs(self) -> None:
        things = self._attention.things(self._now())
        self.needs.show_things(things)
        self.needs.setVisible(not self._narrow)
        # That it is paused, and which decisions wait, is in the banners already.
        self.bar.show_things([each for each in things if self._narrow and each.page not in IN_BANNERS])

    def _now(self) -> datetime:
        return self._bridge.doors.now()


def _focusable(part: QWidget) -> list[QWidget]:
    """Return what Tab reaches in a part, in the order in which it was made."""
    inside = [part, *part.findChildren(QWidget)]
    return [each for each in inside if each.focusPolicy() & Qt.FocusPolicy.TabFocus]
