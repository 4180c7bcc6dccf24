"""Sending an alert that never came: its message, what it would come to now, and the button that sends it."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QHBoxLayout, QWidget

from execution_engine.domain import alert as alerts
from execution_engine.domain.errors import Refusal
from execution_engine.domain.inputs import AlertReceived, Answer, DecideFinding
from execution_engine.domain.missed import told
from execution_engine.domain.rows import Account, Choice, Finding, Mode
from execution_engine.ui.bridge import Bridge
from execution_engine.ui.composer.text import MessageText
from execution_engine.ui.composer.words import would
from execution_engine.ui.findings import expectation, pair
from execution_engine.ui.format import visible
from execution_engine.ui.panels.form import FormDialog
from execution_engine.ui.theme import px
from execution_engine.ui.tongue import tr, translated
from execution_engine.ui.widgets import Label, ModeBadge
from execution_engine.ui.widgets.labels import ButtonRole

HEIGHT = 284
PATIENCE_MS = 250  # a message is judged once nothing more was typed for so long
SAID = 300


class SendMissed(FormDialog):
    """Show the message, let it be changed, send it. sent: what the engine answered, and the alert's id."""

    sent = Signal(str, int)

    def __init__(self, bridge: Bridge, finding: Finding, account: Account | None, parent: QWidget) -> None:
        """Take the finding whose alert is sent, and its account."""
        missed = told(finding)
        live = account is not None and account.mode is Mode.LIVE
        role: ButtonRole = "danger" if live else "primary"
        door = tr(
            "It goes in by the same door as every alert, as one that came now: it is classified, the limits bind "
            "it, and Signals tells its story."
        )
        super().__init__(
            tr("Send the missed alert"), tr("Send it now"), explanation=door, role=role, parent=parent
        )
        self._bridge, self._finding = bridge, finding
        self.message = MessageText(tr("Message"), read_only=False)
        self.message.setPlainText(missed.message)
        self.message.setFixedHeight(px(HEIGHT))
        self.add("account", tr("Account"), _named(finding, account, self.message))
        self.add("expected", tr("Expected"), Label(f"{pair(finding)}: {expectation(missed)}"))
        self.add("message", tr("Message"), self.message)
        self._grid.setAlignment(self._rows["message"][0], Qt.AlignmentFlag.AlignTop)
        self._timer = QTimer(self, interval=PATIENCE_MS, singleShot=True)
        self._timer.timeout.connect(self._judge)
        self.message.textChanged.connect(self._timer.start)
        self.wanted.connect(self._send)
        self._judge()
        # What it would come to depends on a price that perhaps nothing else needs.
        bridge.run(bridge.doors.look_at((finding.exchange, finding.symbol)), self._priced)

    def _priced(self, _: object) -> None:
        self._judge()

    def _judge(self) -> None:
        """Say what the message would come to now, or what is wrong with it."""
        read = alerts.read(self.message.toPlainText().encode("utf-8", "replace"))
        parsed = alerts.parse(read, self._bridge.doors.catalogue) if isinstance(read, alerts.Body) else read
        self.confirm.setEnabled(isinstance(parsed, alerts.ParsedAlert) and not self.is_busy)
        if isinstance(parsed, alerts.Faults):
            faults = "; ".join(f"{fault.field}: {translated(fault.message)}" for fault in parsed.errors)
            self.hint("message", visible(faults, SAID), "danger")
            return
        rehearsed = self._bridge.doors.rehearse(
            AlertReceived(
                signal=parsed.signal,
                key=parsed.key,
                body=parsed.body,
                body_hash=parsed.body_hash,
                received_at=self._bridge.doors.now(),
                accounts=(self._finding.account,),
            )
        )
        self.hint("message", tr("It would come to this now: {what}.").format(what=would(rehearsed)), "text2")

    def _send(self) -> None:
        self.busy(tr("Sending…"))
        wish = DecideFinding(
            finding_id=self._finding.id, choice=Choice.SEND, message=self.message.toPlainText()
        )
        self._bridge.wish(wish, self._answered)

    def _answered(self, reply: Answer | Refusal) -> None:
        if isinstance(reply, Refusal):
            self.fail(visible(translated(reply.message), SAID))
            return
        self.accept()
        self.sent.emit(reply.text, reply.alert_id or 0)


def _named(finding: Finding, account: Account | None, message: QWidget) -> QWidget:
    """Return the account with its mode; the cursor goes on to what can be changed."""
    frame = QWidget()
    row = QHBoxLayout(frame)
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(px(6))
    if account is not None:
        row.addWidget(ModeBadge(account.mode.value))
    row.addWidget(Label(visible(finding.account, 40)), 1)
    frame.setFocusProxy(message)
    return frame
