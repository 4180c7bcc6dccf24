"""The page Signals: every alert and its story, and the requests that were refused."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QStackedWidget, QVBoxLayout, QWidget

from execution_engine.domain.errors import Refusal
from execution_engine.domain.facts import Fact
from execution_engine.domain.inputs import Answer, Replay
from execution_engine.domain.rows import RefusedRequest
from execution_engine.ui.bridge import Batch, Bridge
from execution_engine.ui.format import visible
from execution_engine.ui.pages.signals.asking import mode_of, replay_dialog
from execution_engine.ui.pages.signals.bar import SignalsBar
from execution_engine.ui.pages.signals.list import AlertList
from execution_engine.ui.pages.signals.refused import SHOWN, RefusedList
from execution_engine.ui.pages.signals.telling import StoryPanel
from execution_engine.ui.theme import px
from execution_engine.ui.tongue import tr, translated
from execution_engine.ui.widgets import Notice, Splitter

STORY_WIDTH = 560
REFUSED_AFTER_MS = 500  # a flood of refused requests is read twice a second
RANGE_AGAIN_S = 30


class SignalsPage(QWidget):
    """Show every alert with its outcome, and one of them closely.

    show_group: the user wants to see a group. notice: something for the corner of the window.
    asked: the user wants what the frame does, a test alert or the composer. check_wanted: to check a message, and
    the webhook it came by.
    """

    title = tr("Signals")
    show_group = Signal(int)
    show_alert = Signal(int)
    notice = Signal(object)
    asked = Signal(str)
    check_wanted = Signal(str, str)

    def __init__(self, bridge: Bridge) -> None:
        """Show what a bridge holds, and follow it."""
        super().__init__()
        self._bridge = bridge
        self._wanted: int | None = None
        self._narrow = self._looked_at = False
        self._seconds = 0
        self.bar = SignalsBar()
        self.list = AlertList(bridge)
        self.story = StoryPanel(bridge)
        self.refused = RefusedList()
        self._refused_soon = QTimer(self, singleShot=True, interval=REFUSED_AFTER_MS)
        self._refused_soon.timeout.connect(self._read_refused)
        self._lay_out()
        self._listen()
        if bridge.doors is not None:
            self._take(Batch(whole=True))

    # What the frame calls.

    def shown(self) -> None:
        """Bring everything up to now."""
        self._looked_at = True
        self._filter()
        # Once the order that was remembered is back.
        QTimer.singleShot(0, self, self._choose_first)
        self.story.retell()
        self._read_refused()

    def hidden(self) -> None:
        """Leave prices alone: nobody looks."""
        self._looked_at = False

    def tick(self) -> None:
        """Let the time that is shown move on; called each second."""
        self._seconds += 1
        self.list.tick()
        if self._seconds % RANGE_AGAIN_S == 0:
            self._filter()

    def set_narrow(self, narrow: bool) -> None:
        """Fit a small window: a short list beside the story, or the story alone."""
        self._narrow = narrow
        self.bar.set_narrow(narrow)
        self.list.set_narrow(narrow)
        self.refused.set_narrow(narrow)
        self._both.setSizes([400, 576] if narrow else [712, px(STORY_WIDTH)])
        self._show_list(True)

    def go_to(self, key: int) -> None:
        """Choose an alert; a filter that hides it is taken off, and it is read if it is old."""
        self.bar.choose_tab("alerts")
        self._wanted = key
        self._select_wanted()
        self.list.setFocus()
        if self._wanted is not None:
            self.list.show_since(None)

    def focus_rows(self) -> None:
        """Let the arrow keys walk through the alerts."""
        self.list.setFocus()

    def focus_filter(self) -> None:
        """Let the user type."""
        self.bar.choose_tab("alerts")
        self.bar.search.setFocus()
        self.bar.search.selectAll()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Return to the list with Esc where the story stands alone."""
        if event.key() == Qt.Key.Key_Escape and self.list.isHidden():
            self._show_list(True)
            return
        super().keyPressEvent(event)

    # How it is made.

    def _lay_out(self) -> None:
        self._both = Splitter(Qt.Orientation.Horizontal)
        self._both.setAccessibleName(tr("Alerts and story"))
        self._both.addWidget(self.list)
        self._both.addWidget(self.story)
        self._both.setSizes([712, px(STORY_WIDTH)])
        self._both.setStretchFactor(0, 1)
        self.list.setMinimumWidth(px(300))
        self.story.setMinimumWidth(px(320))
        self._tabs = QStackedWidget()
        self._tabs.addWidget(self._both)
        self._tabs.addWidget(self.refused)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.bar)
        column.addWidget(self._tabs, 1)

    def _listen(self) -> None:
        self._bridge.changed.connect(self._take)
        self._bridge.noticed.connect(self._hear)
        self.bar.changed.connect(self._filter)
        self.bar.range_changed.connect(self._change_range)
        self.bar.tab.connect(self._choose_tab)
        self.bar.test_wanted.connect(self._ask_test_alert)
        self.bar.compose_wanted.connect(self._ask_composer)
        self.refused.check_wanted.connect(self.check_wanted)
        self.list.current_changed.connect(self._choose)
        self.list.opened.connect(lambda key: self._show_list(not self._narrow))
        self.list.read.connect(self._older_came)
        self.story.group_wanted.connect(self.show_group)
        self.story.replay_wanted.connect(self.ask_replay)
        self.story.back.connect(lambda: self._show_list(True))

    # How it follows the bridge.

    def _take(self, batch: Batch) -> None:
        self.list.take(batch)
        if batch.whole:
            self._filter()
            self.refused.show_rows(())
            self._refused_soon.start()
        if batch.alerts or batch.whole:
            self._after_alerts(batch)
        if self._looked_at:
            self.story.take(batch)

    def _after_alerts(self, batch: Batch) -> None:
        if self._wanted is not None:
            self._select_wanted()
        chosen = self.story.line
        line = None if chosen is None else self.list.line(chosen.id)
        if line is not None and chosen is not None and line != chosen:
            self.story.update_alert(line)
        self._show_counts()

    def _hear(self, facts: Sequence[Fact]) -> None:
        if any(fact.code == "request_refused" for fact in facts) and not self._refused_soon.isActive():
            self._refused_soon.start()

    def _read_refused(self) -> None:
        if self._bridge.doors is None:
            return

        def done(rows: Sequence[RefusedRequest] | Refusal) -> None:
            if not isinstance(rows, Refusal):
                self.refused.show_rows(rows)
                self._show_counts()

        self._bridge.run(self._bridge.doors.read_refused(SHOWN), done)

    # What is shown.

    def _choose_tab(self, key: str) -> None:
        self._tabs.setCurrentWidget(self.refused if key == "refused" else self._both)
        self._show_counts()

    def _choose(self, key: object) -> None:
        self.story.show_alert(None if key is None else self.list.line(key))

    def _choose_first(self) -> None:
        """Tell a story rather than none."""
        if not self.list.selected_keys() and self._wanted is None and self.list.alerts.rowCount():
            self.list.select(self.list.alerts.key_at(self.list.alerts.index(0, 0)))

    def _show_list(self, shown: bool) -> None:
        """Show the list beside the story, or the story alone where both don't fit."""
        self.list.setVisible(shown)
        self.story.back_button.setVisible(not shown)
        (self.list if shown else self.story.back_button).setFocus()

    def _change_range(self) -> None:
        self._filter()
        self.list.show_since(self._since())

    def _filter(self) -> None:
        since = self._since()
        self.list.alerts.set_filter(lambda line: self.bar.accepts(line, since))
        if self.list.alerts.records():
            self.list.set_empty(tr("No alert matches."), [(tr("Show all"), self.bar.clear)])
        else:
            self.list.set_empty(
                tr("No alert yet. Make one with the composer, or send a test alert."),
                [(tr("Compose alert…"), self._ask_composer), (tr("Send test alert…"), self._ask_test_alert)],
            )
        self._show_counts()
        if self._wanted is not None:
            self._select_wanted()

    def _since(self) -> datetime | None:
        """Return where the time that is shown begins."""
        if self._bridge.doors is None:  # before there is an engine
            return None
        return self.bar.since(self._bridge.doors.now())

    def _show_counts(self) -> None:
        if self._tabs.currentWidget() is self.refused:
            self.bar.show_refused_count(len(self.refused.rows))
        else:
            self.bar.show_counts(self.list.lines())

    def _older_came(self) -> None:
        if self._wanted is not None:
            self._select_wanted()
        self._show_counts()

    def _select_wanted(self) -> None:
        """Choose the alert that was asked for, once it is there."""
        wanted = self._wanted
        if wanted is None or self.list.line(wanted) is None:
            return
        self._wanted = None
        if not self.list.select(wanted):
            self.bar.clear()
            self.list.select(wanted)

    # What the user does.

    def _ask_composer(self) -> None:
        self.asked.emit("compose")

    def _ask_test_alert(self) -> None:
        self.asked.emit("test_alert")

    def ask_replay(self) -> None:
        """Ask, then receive the chosen alert again, and show the new one's story."""
        line = self.story.line
        if line is None:
            return
        alert = line.alert
        group = self._bridge.groups.get(alert.group_id or 0)
        dialog = replay_dialog(alert, mode_of(alert, group, self._bridge.accounts.values()), self)

        def done(reply: Answer | Refusal) -> None:
            if isinstance(reply, Refusal):
                dialog.fail(visible(translated(reply.message)))
                return
            dialog.accept()
            self.notice.emit(Notice("success", tr("Replayed"), visible(translated(reply.text))))
            if reply.alert_id is not None:
                self.go_to(reply.alert_id)

        def confirmed() -> None:
            dialog.busy()
            wish = Replay(alert_id=alert.id, received_at=self._bridge.doors.now())
            self._bridge.wish(wish, done)

        dialog.confirmed.connect(confirmed)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()
