"""The composer's window: compose, check a message, look up a placeholder."""

from __future__ import annotations

from PySide6.QtCore import QSize, QTimer, Signal
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QDialog, QFrame, QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from execution_engine.ui.bridge import Batch, Bridge
from execution_engine.ui.composer.chart import sample
from execution_engine.ui.composer.checking import CheckPage
from execution_engine.ui.composer.composing import ComposePage
from execution_engine.ui.composer.glossary import GlossaryPage
from execution_engine.ui.pages.test_alert import FIRST
from execution_engine.ui.theme import px
from execution_engine.ui.tongue import tr
from execution_engine.ui.widgets import Label, SegmentedChoice, button

SIZE = (900, 652)
SMALLEST_SCREEN = (960, 640)
REFRESH_MS = 1000
VIEWS = (("compose", tr("Compose")), ("check", tr("Check a message")), ("placeholders", tr("Placeholders")))


class ComposerDialog(QDialog):
    """Stands beside the window, so that Signals can be looked at meanwhile.

    tunnel_wanted: the user wants a public address. test_wanted: a test alert on this symbol.
    """

    tunnel_wanted = Signal()
    test_wanted = Signal(str)

    def __init__(self, bridge: Bridge, parent: QWidget | None = None) -> None:
        """Take the bridge whose webhooks, accounts and profiles are offered."""
        super().__init__(parent)
        self._bridge = bridge
        self.setWindowTitle(tr("Compose alert"))
        self.views = SegmentedChoice(VIEWS, small=False, name=tr("View"))
        self.compose = ComposePage(bridge)
        self.check = CheckPage(bridge, self.compose)
        self.glossary = GlossaryPage()
        self.stack = QStackedWidget()
        for page in (self.compose, self.check, self.glossary):
            self.stack.addWidget(page)
        self.test = button(tr("Send test alert…"), icon="send")
        self.close_button = button(tr("Close"))
        self._lay_out()
        room = self.screen().availableGeometry().size().expandedTo(QSize(*SMALLEST_SCREEN))
        wanted = QSize(px(SIZE[0]), px(SIZE[1])).boundedTo(room)
        self.setMinimumWidth(wanted.width())
        self.resize(wanted)
        self._timer = QTimer(self, interval=REFRESH_MS)
        self._listen()

    def choose_webhook(self, name: str) -> None:
        """Compose for a webhook."""
        self.show_view("compose")
        self.compose.form.choose_webhook(name)

    def check_message(self, message: str) -> None:
        """Check a message that came from elsewhere."""
        self.check.edit.setPlainText(message)
        self.show_view("check")

    def show_view(self, key: str) -> None:
        """Show one of the views."""
        self.views.set_value(key)
        self.stack.setCurrentIndex([name for name, _ in VIEWS].index(key))
        self._refresh()

    def showEvent(self, event: QShowEvent) -> None:
        """Follow address and positions while somebody looks."""
        self._refresh()
        self._timer.start()
        super().showEvent(event)

    def hideEvent(self, event: QHideEvent) -> None:
        """Rest while nobody does."""
        self._timer.stop()
        super().hideEvent(event)

    def _refresh(self) -> None:
        shown = self.stack.currentWidget()
        if shown is self.glossary:
            self.glossary.show_sample(sample(self._bridge, self.compose.form.composition))
        elif isinstance(shown, ComposePage | CheckPage):
            shown.refresh()

    def _listen(self) -> None:
        self.views.chosen.connect(self.show_view)
        self.compose.tunnel_wanted.connect(self.tunnel_wanted)
        self.test.clicked.connect(self._ask_test)
        self.close_button.clicked.connect(self.reject)
        self._timer.timeout.connect(self._refresh)
        self._bridge.changed.connect(self._changed)

    def _changed(self, batch: Batch) -> None:
        if self.isVisible() and (batch.whole or batch.settings or batch.tokens or batch.accounts):
            self._refresh()

    def _ask_test(self) -> None:
        self.test_wanted.emit(self.compose.form.composition.symbol or FIRST)

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(
            _strip(
                "bottom",
                self.views,
                Label(tr("Nothing is sent from here but a test alert."), "small", "text3"),
            )
        )
        column.addWidget(self.stack, 1)
        column.addWidget(_strip("top", self.test, self.compose.copied, None, self.close_button))


def _strip(rule: str, *parts: QWidget | None) -> QFrame:
    """Return a strip of tools; None is where the room goes, else it goes to the end."""
    frame = QFrame()
    frame.setProperty("ground", "chrome")
    frame.setProperty("rule", rule)
    row = QHBoxLayout(frame)
    row.setContentsMargins(px(16), px(8), px(16), px(8))
    row.setSpacing(px(12))
    for part in parts:
        if part is None:
            row.addStretch(1)
        else:
            row.addWidget(part)
    if None not in parts:
        row.addStretch(1)
    return frame
