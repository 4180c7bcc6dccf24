"""The dialogs of Signals: replaying an alert, and sending a test alert."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QCompleter, QDialog, QFrame, QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from execution_engine.domain.rows import Account, Alert, Group, Mode
from execution_engine.ui.theme import px
from execution_engine.ui.widgets import BusyArc, ConfirmDialog, Label, ModeBadge, button, follows

_PAPER = "paper"


def mode_of(alert: Alert, group: Group | None, accounts: Iterable[Account]) -> Mode:
    """Return the most serious mode in which an alert would trade if it came again."""
    known = {account.name: account for account in accounts}
    named = alert.parsed.account or (group.account if group is not None else None)
    if named is not None and named in known:
        return known[named].mode
    fitting = [
        account
        for account in known.values()
        if account.enabled
        and account.market is alert.parsed.market
        and account.exchange in (_PAPER, alert.exchange)
    ]
    modes = {account.mode for account in fitting}
    return next((mode for mode in (Mode.LIVE, Mode.DEMO, Mode.TESTNET) if mode in modes), Mode.PAPER)


def replay_dialog(alert: Alert, mode: Mode, parent: QWidget) -> ConfirmDialog:
    """Ask before an alert is received again."""
    live = mode is Mode.LIVE
    where = "with real money" if live else f"on {mode.value}"
    side = f" {alert.side.value}" if alert.side else ""
    return ConfirmDialog(
        "Replay alert",
        "Replay as a new alert?",
        "Replay",
        explanation=f"It is marked as a replay and trades {where} now.",
        consequences=[
            follows("Alert", f"{alert.id}, {alert.symbol} {alert.timeframe}{side}"),
            follows("Checks", "neither its age nor duplicates are asked; every other rule is"),
        ],
        danger=live,
        mode="live" if live else "",
        parent=parent,
    )


class TestAlertDialog(QDialog):
    """Ask for a symbol and send a test alert. Show it with `open()`.

    wanted: the user asked to send it for this symbol. Then call `busy()`, and `accept()` or `fail(sentence)`.
    """

    __test__ = False  # it is no test, whatever its name begins with
    wanted = Signal(str)

    def __init__(self, symbols: Iterable[str], symbol: str, parent: QWidget | None = None) -> None:
        """Take the symbols to complete from and the one to begin with."""
        super().__init__(parent)
        self.setWindowTitle("Send test alert")
        self.setModal(True)
        self.setFixedWidth(px(440))
        self._busy = False
        self.symbol = QLineEdit(symbol)
        self.symbol.setAccessibleName("Symbol")
        self.symbol.setPlaceholderText("BINANCE:BTCUSDT")
        completer = QCompleter(sorted(symbols), self.symbol)
        completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        completer.setFilterMode(Qt.MatchFlag.MatchContains)
        completer.setMaxVisibleItems(8)
        self.symbol.setCompleter(completer)
        self._error = Label("", "small", "danger", wrap=True)
        self._error.hide()
        self._arc = BusyArc(12, "accent")
        self._arc.hide()
        self.cancel, self.send = button("Cancel"), button("Send", "primary")
        self.cancel.clicked.connect(self.reject)
        self.send.clicked.connect(self._send)
        self.symbol.textChanged.connect(lambda text: self.send.setEnabled(bool(text.strip())))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._content())
        column.addWidget(self._footer())
        self.send.setEnabled(bool(symbol))
        self.symbol.setFocus()
        self.symbol.selectAll()

    @property
    def error(self) -> str:
        """Return the sentence of `fail`; empty when there is none."""
        return "" if self._error.isHidden() else self._error.text()

    def busy(self) -> None:
        """Show that it is being sent."""
        self._set_busy(True)
        self._error.hide()

    def fail(self, sentence: str) -> None:
        """Say why it was not sent; it can be tried again."""
        self._set_busy(False)
        self._error.setText(sentence)
        self._error.show()
        self.adjustSize()
        self.symbol.setFocus()

    def reject(self) -> None:
        """Close, unless the answer is awaited."""
        if not self._busy:
            super().reject()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Send with Enter: it trades on paper only."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and not self.cancel.hasFocus():
            self._send()
            return
        super().keyPressEvent(event)

    def _set_busy(self, busy: bool) -> None:
        self._busy = busy
        self._arc.setVisible(busy)
        for each in (self.symbol, self.send, self.cancel):
            each.setEnabled(not busy)

    def _send(self) -> None:
        if self.send.isEnabled():
            self.wanted.emit(self.symbol.text().strip().upper())

    def _content(self) -> QFrame:
        frame = QFrame()
        frame.setProperty("ground", "panel")
        column = QVBoxLayout(frame)
        column.setContentsMargins(20, 18, 20, 16)
        column.setSpacing(8)
        head = QHBoxLayout()
        head.addWidget(Label("Send a test alert?", "heading"), 1)
        head.addWidget(ModeBadge("paper"))
        column.addLayout(head)
        said = "A long entry on 15m, through the same door as a real alert. It opens a position on paper."
        column.addWidget(Label(said, "body", "text2", wrap=True))
        label = Label("Symbol", "small", "text3")
        label.setBuddy(self.symbol)
        column.addSpacing(4)
        column.addWidget(label)
        column.addWidget(self.symbol)
        column.addWidget(self._error)
        return frame

    def _footer(self) -> QFrame:
        frame = QFrame()
        frame.setProperty("ground", "chrome")
        frame.setProperty("rule", "top")
        row = QHBoxLayout(frame)
        row.setContentsMargins(20, 12, 20, 12)
        row.setSpacing(8)
        row.addStretch(1)
        for each in (self._arc, self.cancel, self.send):
            row.addWidget(each)
        return frame
