"""The page Positions: tree above, chart and facts of the chosen group below."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QVBoxLayout, QWidget

from execution_engine.ui.bridge import Batch, Bridge
from execution_engine.ui.findings import of_group, releasing
from execution_engine.ui.pages.positions.acts import GroupActs
from execution_engine.ui.pages.positions.chart_panel import ChartPanel
from execution_engine.ui.pages.positions.facts import GroupFacts
from execution_engine.ui.pages.positions.filters import FilterBar
from execution_engine.ui.pages.positions.lines import Line
from execution_engine.ui.pages.positions.tree import PositionsTree
from execution_engine.ui.theme import px
from execution_engine.ui.tongue import tr
from execution_engine.ui.widgets import Splitter

FACTS_WIDTH = 280


class PositionsPage(QWidget):
    """Show every group, and one of them closely.

    show_alert: the user wants to see an alert. notice: something for the corner of the window.
    wanted: another page, and a row there or None.
    """

    title = tr("Positions")
    show_group = Signal(int)
    show_alert = Signal(int)
    notice = Signal(object)
    wanted = Signal(str, object)

    def __init__(self, bridge: Bridge) -> None:
        """Show what a bridge holds, and follow it."""
        super().__init__()
        self._bridge = bridge
        self._chosen: int | None = None
        self._looked_at = False
        self._narrow, self._facts_wanted = False, True
        self.bar = FilterBar()
        self.tree = PositionsTree(bridge)
        self.chart = ChartPanel(bridge)
        self.facts = GroupFacts()
        self.acts = GroupActs(bridge, self.tree, self)
        self._lay_out()
        self._listen()
        self.tree.lines.set_filter(self._accepts)
        self.tree.set_empty(tr("No open positions."))
        if bridge.doors is not None:
            self._take(Batch(whole=True))

    # What the frame calls.

    def shown(self) -> None:
        """Bring everything up to now."""
        self._looked_at = True
        self.tree.price_all()
        # Once the order that was remembered is back.
        QTimer.singleShot(0, self, self._choose_first)
        self._show_sums()
        self._show_chosen()

    def hidden(self) -> None:
        """Leave prices alone: nobody looks."""
        self._looked_at = False

    def tick(self) -> None:
        """Let ages and old prices show, once a second."""
        self.tree.catch_up()
        self._show_sums()
        self._show_price()

    def set_narrow(self, narrow: bool) -> None:
        """Fit a small window: the facts go, F4 brings them back."""
        self._narrow, self._facts_wanted = narrow, not narrow
        self.facts.setVisible(self._facts_wanted)
        self.bar.set_narrow(narrow)
        self._show_sums()

    def go_to(self, key: int) -> None:
        """Choose a group; a filter that hides it is taken off."""
        if not self.tree.select(key) and self.bar.active:
            self.bar.clear()
            self.tree.select(key)
        self.tree.setFocus()

    def focus_rows(self) -> None:
        """Let the arrow keys walk through the tree."""
        self.tree.setFocus()

    def focus_filter(self) -> None:
        """Let the user type a symbol."""
        self.bar.search.setFocus()
        self.bar.search.selectAll()

    # How it is made.

    def _lay_out(self) -> None:
        below = Splitter(Qt.Orientation.Horizontal)
        below.setAccessibleName(tr("Chart and facts"))
        below.addWidget(self.chart)
        below.addWidget(self.facts)
        below.setStretchFactor(0, 1)
        below.setSizes([1000, px(FACTS_WIDTH)])
        self.facts.setMinimumWidth(px(220))
        both = Splitter(Qt.Orientation.Vertical)
        both.setAccessibleName(tr("Tree and chart"))
        both.addWidget(self.tree)
        both.addWidget(below)
        both.setSizes([550, 450])
        both.setStretchFactor(0, 55)
        both.setStretchFactor(1, 45)
        self.tree.setMinimumHeight(px(120))
        self.chart.setMinimumHeight(px(120))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.bar)
        column.addWidget(both, 1)
        toggle = QShortcut(QKeySequence(Qt.Key.Key_F4), self)
        toggle.setWhatsThis(tr("Show or hide the facts of the group"))
        toggle.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        toggle.activated.connect(self.toggle_facts)

    def _listen(self) -> None:
        self._bridge.changed.connect(self._take)
        self.bar.changed.connect(self._filter)
        self.tree.current_changed.connect(self._choose)
        self.tree.opened.connect(self._open)
        self.acts.notice.connect(self.notice)
        self.acts.chart.connect(self._show_chart)
        self.acts.alerts.connect(self._show_alerts)
        self.acts.found.connect(lambda id: self.wanted.emit("away", id))
        self.facts.hold.lift.connect(lambda: self.acts.ask_release(self._chosen or 0))
        self.facts.hold.review.connect(self._show_found)

    def toggle_facts(self) -> None:
        """Show or hide the facts of the group."""
        self._facts_wanted = not self._facts_wanted
        self.facts.setVisible(self._facts_wanted)

    # How it follows the bridge.

    def _take(self, batch: Batch) -> None:
        self.chart.note_prices(batch)
        self.tree.take(batch, prices=self._looked_at)
        if batch.whole or batch.accounts:
            self.bar.show_accounts(sorted(self._bridge.accounts))
        if batch.whole or batch.groups:
            self._say_empty()
        if batch.whole or self._concerns_chosen(batch):
            self._show_chosen(fills=batch.whole or self._filled(batch))
        if not self._looked_at:
            return
        if batch.markets or batch.groups or batch.whole:
            self._show_sums()
        if batch.markets:
            self._show_price(batch)

    def _concerns_chosen(self, batch: Batch) -> bool:
        bridge, id = self._bridge, self._chosen
        if id is None:
            return False
        if batch.findings or batch.accounts or batch.holds:
            return True  # they may put it on hold
        return id in batch.groups or any(
            row is not None and row.group_id == id
            for row in (
                *(bridge.legs.get(each) for each in batch.legs),
                *(bridge.orders.get(each) for each in batch.orders),
            )
        )

    def _filled(self, batch: Batch) -> bool:
        """Tell whether an order of the chosen group that has fills changed."""
        orders = (self._bridge.orders.get(id) for id in batch.orders)
        return any(o is not None and o.group_id == self._chosen and o.filled_quantity > 0 for o in orders)

    # What is shown.

    def _choose(self, key: object) -> None:
        group_id = None if key is None else self.tree.group_of(key)
        if group_id == self._chosen:
            return
        self._chosen = group_id
        line = None if group_id is None else self.tree.maker.group(group_id)
        self.chart.show_group(line)
        self._show_facts()

    def _choose_first(self) -> None:
        """Show something below the tree rather than nothing."""
        if not self.tree.selected_keys() and self.tree.lines.rowCount():
            self.tree.select(self.tree.lines.key_at(self.tree.lines.index(0, 0)))

    def _show_chosen(self, *, fills: bool = False) -> None:
        """Bring chart and facts of the chosen group up to now; it may be gone."""
        if self._chosen is not None and self._chosen not in self._bridge.groups:
            self._chosen = None
            self.chart.show_group(None)
        elif self._chosen is not None:
            self.chart.update_group(self.tree.maker.group(self._chosen))
            if fills:
                self.chart.read_fills()
        self._show_price()

    def _show_price(self, batch: Batch | None = None) -> None:
        group = self._bridge.groups.get(self._chosen or 0)
        if group is not None and (batch is None or (group.exchange, group.symbol) in batch.markets):
            self.chart.show_price(self.tree.maker.group(group.id))
        self._show_facts()

    def _show_facts(self) -> None:
        id = self._chosen
        if id is None or id not in self._bridge.groups:
            self.facts.show_group(None)
            return
        pyramids = [self._bridge.pyramids[each] for each in self._bridge.pyramids_of.get(id, ())]
        releasable = releasing(self._bridge, id) is not None
        self.facts.show_group(self.tree.maker.group(id), pyramids, releasable=releasable)

    def _show_sums(self) -> None:
        lines = self.tree.groups()
        of = sum(1 for group in self._bridge.groups.values() if group.holds_slot)
        self.bar.show_sums(lines, of)

    def _accepts(self, line: Line) -> bool:
        return self.bar.accepts(line, self.tree.maker.now)

    def _filter(self) -> None:
        self.tree.lines.set_filter(self._accepts)
        self._say_empty()
        self._show_sums()
        self.tree.catch_up()

    def _say_empty(self) -> None:
        if self.bar.active:
            self.tree.set_empty(self.bar.describe(), [(tr("Clear filter"), self.bar.clear)])
        else:
            self.tree.set_empty(tr("No open positions."))

    # What the user does.

    def _open(self, key: object) -> None:
        """Fold or unfold a row that was opened; a leg has nothing below."""
        index = self.tree.lines.index_of(key)  # keys are ids
        if self.tree.lines.rowCount(index):
            self.tree.setExpanded(index, not self.tree.isExpanded(index))

    def _show_chart(self, group_id: int) -> None:
        self.tree.select(group_id)
        self.chart.chart.follow()

    def _show_found(self) -> None:
        found = of_group(self._bridge, self._chosen or 0)
        self.wanted.emit("away", found[0].id if found else None)

    def _show_alerts(self, group_id: int) -> None:
        group = self._bridge.groups[group_id]
        newest = [self._bridge.pyramids[id] for id in self._bridge.pyramids_of.get(group_id, ())]
        entries = [pyramid.alert_id for pyramid in newest] or [group.alert_id]
        self.show_alert.emit(group.exit_alert_id or max(entries))
