"""Sending a test alert: which symbol, and what became of it."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QCompleter, QDialog, QFrame, QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from execution_engine.domain.errors import Refusal
from execution_engine.domain.inputs import Answer
from execution_engine.ui.bridge import Batch, Bridge
from execution_engine.ui.format import visible
from execution_engine.ui.icons import state_look
from execution_engine.ui.theme import Token, px
from execution_engine.ui.tongue import tr, translated
from execution_engine.ui.widgets import BusyArc, Label, ModeBadge, StateChip, button, fit_height

FIRST = "BINANCE:BTCUSDT"
WIDTH = 480
NOWHERE = "\0"  # in no symbol


class Symbols(QCompleter):
    """Offers symbols until one is there in full: an open list would swallow the next click, wherever it goes."""

    def __init__(self, symbols: list[str], parent: QWidget) -> None:
        super().__init__(symbols, parent)
        self._known = frozenset(symbols)

    def splitPath(self, path: str) -> list[str]:
        """Return what to look for; Qt asks with each letter."""
        return [NOWHERE] if path.upper() in self._known else [path]


def symbol_field(symbols: Iterable[str], name: str, text: str = "", example: str = "BTCUSDT") -> QLineEdit:
    """Return a field that completes symbols by any part of them."""
    field = QLineEdit(text)
    field.setAccessibleName(name)
    field.setPlaceholderText(example)
    completer = Symbols(sorted(set(symbols)), field)
    completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
    completer.setFilterMode(Qt.MatchFlag.MatchContains)
    completer.setMaxVisibleItems(8)
    field.setCompleter(completer)
    return field


class TestAlertDialog(QDialog):
    """Ask for a symbol, send an entry through the same door as a real one, show what became of it.

    sent: the id of the alert, once it is stored. alert_wanted: the user wants to see that alert's story.
    """

    __test__ = False  # the name is the user's word for it, not a test of ours
    sent = Signal(int)
    alert_wanted = Signal(int)

    def __init__(self, bridge: Bridge, symbol: str = FIRST, parent: QWidget | None = None) -> None:
        """Take the bridge whose doors send it, and the symbol to begin with."""
        super().__init__(parent)
        self._bridge = bridge
        self._alert_id: int | None = None
        self._busy = False
        self.setWindowTitle(tr("Send test alert"))
        self.setModal(True)
        self.setFixedWidth(px(WIDTH))
        markets = bridge.doors.catalogue.instruments
        known = (f"{exchange.upper()}:{name}" for exchange, name in markets)
        self.symbol = symbol_field(known, tr("Symbol"), symbol, FIRST)
        self.arc = BusyArc(12, "accent")
        self.send = button(tr("Send test alert"), "primary", icon="send")
        self.story = button(tr("Show its story"))
        self.close_button = button(tr("Close"))
        self.chip = StateChip()
        self.said = Label("", "body", "text2", wrap=True)
        for each in (self.arc, self.story, self.chip, self.said):
            each.hide()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._content())
        column.addWidget(self._footer())
        self._listen()
        self.send.setEnabled(bool(symbol))
        self.symbol.setFocus()
        self.symbol.selectAll()

    def _listen(self) -> None:
        self.send.clicked.connect(self._send)
        self.symbol.returnPressed.connect(self._send)
        self.symbol.textChanged.connect(lambda text: self.send.setEnabled(bool(text.strip())))
        self.story.clicked.connect(self._show_story)
        self.close_button.clicked.connect(self.reject)
        self._bridge.changed.connect(self._changed)

    # How it is built.

    def _content(self) -> QFrame:
        frame = QFrame()
        frame.setProperty("ground", "panel")
        column = QVBoxLayout(frame)
        column.setContentsMargins(px(20), px(18), px(20), px(16))
        column.setSpacing(px(8))
        head = QHBoxLayout()
        head.addWidget(Label(tr("Send a test alert?"), "heading"), 1)
        head.addWidget(ModeBadge("paper"))
        column.addLayout(head)
        words = tr(
            "A long entry on 15m at the market, through the same door as a real alert. It trades on paper."
        )
        column.addWidget(Label(words, "body", "text2", wrap=True))
        label = Label(tr("Symbol"), "small", "text3")
        label.setBuddy(self.symbol)
        column.addSpacing(px(4))
        column.addWidget(label)
        column.addWidget(self.symbol)
        row = QHBoxLayout()
        row.setSpacing(px(8))
        row.addWidget(self.chip, alignment=Qt.AlignmentFlag.AlignTop)
        row.addWidget(self.said, 1)
        column.addLayout(row)
        return frame

    def _footer(self) -> QFrame:
        frame = QFrame()
        frame.setProperty("ground", "chrome")
        frame.setProperty("rule", "top")
        row = QHBoxLayout(frame)
        row.setContentsMargins(px(20), px(12), px(20), px(12))
        row.setSpacing(px(8))
        row.addWidget(self.story)
        row.addStretch(1)
        for each in (self.arc, self.close_button, self.send):
            row.addWidget(each)
        return frame

    # What happens.

    def showEvent(self, event: QShowEvent) -> None:
        """Take the height that the sentences need."""
        super().showEvent(event)
        fit_height(self)

    def reject(self) -> None:
        """Close, unless the answer is awaited."""
        if not self._busy:
            super().reject()

    def _send(self) -> None:
        symbol = self.symbol.text().strip().upper()
        if not symbol or not self.send.isEnabled():
            return
        self._set_busy(True)
        for each in (self.chip, self.said, self.story):
            each.hide()
        fit_height(self)
        self._bridge.run(self._bridge.doors.send_test_alert(symbol), self._answered)

    def _set_busy(self, busy: bool) -> None:
        self._busy = busy
        self.arc.setVisible(busy)
        for each in (self.symbol, self.send, self.close_button):
            each.setEnabled(not busy)

    def _answered(self, reply: Answer | Refusal) -> None:
        self._set_busy(False)
        self.symbol.setFocus()
        if isinstance(reply, Refusal):
            self._say(visible(translated(reply.message), 300), "danger")
            return
        self._alert_id = reply.alert_id
        self.story.setVisible(reply.alert_id is not None)
        self._say(tr("Accepted as alert {alert_id}; it is being decided.").format(alert_id=reply.alert_id))
        self._show_outcome()
        if reply.alert_id is not None:
            self.sent.emit(reply.alert_id)

    def _changed(self, batch: Batch) -> None:
        if self._alert_id in batch.alerts:
            self._show_outcome()

    def _show_outcome(self) -> None:
        """Say how it stands with the alert that was sent last."""
        alert = self._bridge.alerts.get(self._alert_id or 0)
        if alert is None or alert.outcome is None:
            return
        look = state_look("alert", alert.outcome.value)
        self.chip.show_look(look.word, look.shape, look.token)
        self.chip.show()
        name = f"{alert.symbol} {alert.timeframe}"
        self._say(f"{name}: {visible(translated(alert.reason), 300)}" if alert.reason else name)

    def _show_story(self) -> None:
        if self._alert_id is not None:
            self.alert_wanted.emit(self._alert_id)
            self.accept()

    def _say(self, text: str, token: Token = "text2") -> None:
        self.said.show_text(text, token)
        self.said.show()
        fit_height(self)
