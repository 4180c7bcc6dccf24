"""Sending a test alert: which symbol, and what became of it."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCompleter, QDialog, QFrame, QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from execution_engine.domain.errors import Refusal
from execution_engine.domain.inputs import Answer
from execution_engine.domain.symbols import Catalogue
from execution_engine.ui.bridge import Batch, Bridge
from execution_engine.ui.format import visible
from execution_engine.ui.icons import state_look
from execution_engine.ui.theme import Token, px
from execution_engine.ui.widgets import Label, StateChip, button

FIRST = "BTCUSDT"


def symbol_field(catalogue: Catalogue, name: str, text: str = "") -> QLineEdit:
    """Return a field that completes the symbols of every exchange."""
    field = QLineEdit(text)
    field.setAccessibleName(name)
    field.setPlaceholderText("BTCUSDT")
    known = sorted({symbol for _, symbol in catalogue.instruments})
    completer = QCompleter(known, field)
    completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
    completer.setFilterMode(Qt.MatchFlag.MatchContains)
    field.setCompleter(completer)
    return field


class TestAlertDialog(QDialog):
    """Ask for a symbol, send an entry through the same door as a real one, show what became of it."""

    __test__ = False  # the name is the user's word for it, not a test of ours

    def __init__(self, bridge: Bridge, parent: QWidget | None = None) -> None:
        """Take the bridge whose doors send it."""
        super().__init__(parent)
        self._bridge = bridge
        self._alert_id: int | None = None
        self.setWindowTitle("Send test alert")
        self.setModal(True)
        self.setFixedWidth(px(460))
        self.symbol = symbol_field(bridge.doors.catalogue, "Symbol", FIRST)
        self.send = button("Send test alert", "primary", icon="send")
        self.close_button = button("Close")
        self.chip = StateChip()
        self.chip.hide()
        self.said = Label("", "body", "text2", wrap=True)
        self._lay_out()
        self.send.clicked.connect(self._send)
        self.symbol.returnPressed.connect(self._send)
        self.symbol.textChanged.connect(lambda text: self.send.setEnabled(bool(text.strip())))
        self.close_button.clicked.connect(self.reject)
        bridge.changed.connect(self._changed)
        self.symbol.setFocus()
        self.symbol.selectAll()

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        body = QFrame()
        body.setProperty("ground", "panel")
        inside = QVBoxLayout(body)
        inside.setContentsMargins(px(20), px(18), px(20), px(16))
        inside.setSpacing(px(10))
        inside.addWidget(Label("Send a long entry to a paper account?", "heading"))
        words = "It takes the way of a real alert: checked, decided, stored, traded. Timeframe 15m, at the market."
        inside.addWidget(Label(words, "body", "text2", wrap=True))
        inside.addWidget(self.symbol)
        row = QHBoxLayout()
        row.setSpacing(px(8))
        row.addWidget(self.chip, alignment=Qt.AlignmentFlag.AlignTop)
        row.addWidget(self.said, 1)
        inside.addLayout(row)
        column.addWidget(body)
        foot = QFrame()
        foot.setProperty("ground", "chrome")
        foot.setProperty("rule", "top")
        buttons = QHBoxLayout(foot)
        buttons.setContentsMargins(px(20), px(12), px(20), px(12))
        buttons.setSpacing(px(8))
        buttons.addStretch(1)
        buttons.addWidget(self.close_button)
        buttons.addWidget(self.send)
        column.addWidget(foot)

    def _send(self) -> None:
        symbol = self.symbol.text().strip().upper()
        if symbol and self.send.isEnabled():
            self.send.setEnabled(False)
            self.chip.hide()
            self._say("Sending…")
            self._bridge.run(self._bridge.doors.send_test_alert(symbol), self._answered)

    def _answered(self, reply: Answer | Refusal) -> None:
        self.send.setEnabled(True)
        if isinstance(reply, Refusal):
            self._say(visible(reply.message, 300), "danger")
            return
        self._alert_id = reply.alert_id
        self._say(f"Accepted as alert {reply.alert_id}; it is being decided.")
        self._show_outcome()

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
        self._say(f"{name}: {visible(alert.reason, 300)}" if alert.reason else name)

    def _say(self, text: str, token: Token = "text2") -> None:
        self.said.show_text(text, token)
        self.adjustSize()
