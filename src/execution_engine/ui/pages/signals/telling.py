"""The panel that tells one alert's story, with its message below."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from execution_engine.domain.errors import Refusal
from execution_engine.domain.inputs import History
from execution_engine.domain.instrument import Instrument
from execution_engine.domain.rows import Alert, Fill
from execution_engine.ui.bridge import Batch, Bridge
from execution_engine.ui.format import visible
from execution_engine.ui.pages.signals.lines import AlertLine
from execution_engine.ui.pages.signals.message import MessagePanel
from execution_engine.ui.pages.signals.story import Related, related, story
from execution_engine.ui.pages.signals.story_view import StoryView
from execution_engine.ui.tongue import tr
from execution_engine.ui.widgets import Panel, Splitter, button

PAST_GROUPS = 200


class StoryPanel(QWidget):
    """Tell the story of one alert and keep it up to date.

    group_wanted: show its group. replay_wanted: replay it. back: return to the list, where both don't fit.
    """

    group_wanted = Signal(int)
    replay_wanted = Signal()
    back = Signal()

    def __init__(self, bridge: Bridge, parent: QWidget | None = None) -> None:
        """Begin without an alert."""
        super().__init__(parent)
        self._bridge = bridge
        self.line: AlertLine | None = None
        self._fills: Sequence[Fill] = ()
        self._past: dict[int, History] = {}
        self._asked: set[int] = set()
        self.panel = Panel(tr("Story"), framed=False)
        self.story = StoryView()
        self.message = MessagePanel()
        self.back_button = button(tr("List"), icon="left", small=True, tip=tr("Back to the list (Esc)"))
        self.group_button = button(tr("Show group"), small=True)
        self.replay_button = button(tr("Replay…"), icon="refresh", small=True)
        for each in (self.back_button, self.group_button, self.replay_button):
            self.panel.add_right(each)
        self.back_button.hide()
        self.panel.add(self.story, 1)
        both = Splitter(Qt.Orientation.Vertical)
        both.setAccessibleName(tr("Story and message"))
        both.addWidget(self.panel)
        both.addWidget(self.message)
        both.setSizes([520, 210])
        both.setStretchFactor(0, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(both)
        self.group_button.clicked.connect(self._want_group)
        self.replay_button.clicked.connect(self.replay_wanted)
        self.back_button.clicked.connect(self.back)
        self.show_alert(None)

    def show_alert(self, line: AlertLine | None) -> None:
        """Tell another alert's story; None tells none."""
        self.line, self._fills = line, ()
        self.replay_button.setEnabled(line is not None)
        if line is None:
            self.panel.heading.title.show_text(tr("Story"))
            self.panel.set_subtitle("")
            self.message.show_body("")
            self.story.show_story(())
            self.group_button.setEnabled(False)
            return
        alert = line.alert
        self.panel.heading.title.show_text(visible(alert.symbol, 40))
        side = f"{tr(line.side.value)} · " if line.side else ""
        self.panel.set_subtitle(
            tr("{timeframe} · {side}alert {alert}").format(
                timeframe=alert.timeframe, side=side, alert=alert.id
            )
        )
        self.message.show_body(alert.body)
        self.story.verticalScrollBar().setValue(0)
        self.read_fills()
        self.retell()

    def update_alert(self, line: AlertLine) -> None:
        """Take over a change of the same alert."""
        joined = self.line is not None and self.line.alert.group_id != line.alert.group_id
        self.line = line
        if joined:
            self.read_fills()
        self.retell()

    def take(self, batch: Batch) -> None:
        """Tell it again if a batch is about it; a price matters while it shows an open result."""
        if self.line is None:
            return
        alert, bridge = self.line.alert, self._bridge
        group_id = alert.group_id
        if group_id is None:
            return
        orders = [bridge.orders.get(id) for id in batch.orders]
        own = [order for order in orders if order is not None and order.group_id == group_id]
        legs = (bridge.legs.get(id) for id in batch.legs)
        touched = group_id in batch.groups or any(
            leg is not None and leg.group_id == group_id for leg in legs
        )
        if batch.whole or any(order.filled_quantity for order in own):
            self.read_fills()
        if batch.whole or own or touched or (alert.exchange, alert.symbol) in batch.markets:
            self.retell()

    def retell(self) -> None:
        """Tell the story as it is now."""
        line = self.line
        if line is None:
            return
        self.group_button.setEnabled(line.alert.group_id in self._bridge.groups)
        self.story.show_story(story(line, self._related(line), self._rules(line.alert)))

    def read_fills(self) -> None:
        """Read the fills of the alert's group, and the group itself where it is history."""
        line = self.line
        group_id = None if line is None else line.alert.group_id
        if line is None or group_id is None or self._bridge.doors is None:
            return

        def done(fills: Sequence[Fill] | Refusal) -> None:
            if self._is(line) and not isinstance(fills, Refusal):
                self._fills = fills
                self.retell()

        self._bridge.run(self._bridge.doors.read_fills(group_id), done)
        if group_id not in self._bridge.groups and group_id not in self._asked:
            self._asked.add(group_id)
            self._bridge.run(self._bridge.doors.read_closed(PAST_GROUPS), self._remember)

    def _remember(self, past: Sequence[History] | Refusal) -> None:
        if not isinstance(past, Refusal):
            self._past.update((each.group.id, each) for each in past if each.group.id in self._asked)
            self.retell()

    def _related(self, line: AlertLine) -> Related:
        bridge, id = self._bridge, line.alert.group_id
        quote = bridge.prices.get((line.alert.exchange, line.alert.symbol))
        if id is None:
            return Related()
        past = self._past.get(id)
        if id not in bridge.groups and past is not None:
            return related(line, past.group, past.pyramids, past.legs, past.orders, self._fills, quote)
        return related(
            line,
            bridge.groups.get(id),
            (bridge.pyramids[each] for each in bridge.pyramids_of.get(id, ())),
            (bridge.legs[each] for each in bridge.legs_of.get(id, ())),
            (bridge.orders[each] for each in bridge.orders_of.get(id, ())),
            self._fills,
            quote,
        )

    def _rules(self, alert: Alert) -> Instrument:
        found = self._bridge.doors.catalogue.get(alert.exchange, alert.symbol)
        finest = Decimal("1E-8")
        return found or Instrument(
            exchange=alert.exchange,
            symbol=alert.symbol,
            market=alert.parsed.market,
            base="",
            quote="",
            tick=finest,
            step=finest,
            min_qty=finest,
        )

    def _is(self, line: AlertLine) -> bool:
        return self.line is not None and self.line.id == line.id

    def _want_group(self) -> None:
        if self.line is not None and self.line.alert.group_id is not None:
            self.group_wanted.emit(self.line.alert.group_id)
