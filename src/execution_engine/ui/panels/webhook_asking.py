"""The questions about webhooks: what a new one is called, which accounts it may use, a new URL, its end."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QDialog, QFrame, QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from execution_engine.domain.rows import WebhookToken
from execution_engine.ui.format import visible
from execution_engine.ui.theme import px
from execution_engine.ui.widgets import ConfirmDialog, Label, button, fit_height, follows
from execution_engine.ui.widgets.dialogs import WIDTH

EVERY = "Every account, those that are added later as well"


class WebhookDialog(QDialog):
    """Ask for a webhook's name, for its accounts, or for both.

    `wanted` tells that the button was pressed; whoever listens calls `accept` or `fail`.
    """

    wanted = Signal()

    def __init__(
        self,
        title: str,
        verb: str,
        *,
        name: str | None = None,
        accounts: Sequence[str] | None = None,
        chosen: Sequence[str] = (),
        parent: QWidget | None = None,
    ) -> None:
        """Take what is asked: `name` where the name is, `accounts` (all there are) where they are."""
        super().__init__(parent)
        self.setWindowTitle(title)
        self.setModal(True)
        self.setFixedWidth(px(WIDTH))
        self.name = QLineEdit(name or "")
        self.name.setMaxLength(32)
        self.name.setAccessibleName("Name")
        self.every = QCheckBox(EVERY)
        self.boxes = {each: QCheckBox(each) for each in accounts or ()}
        self.cancel = button("Cancel")
        self.confirm = button(verb, "primary")
        self.confirm.setDefault(True)
        self._error = Label("", "body", "danger", wrap=True)
        self._error.hide()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._content(title, asks_name=name is not None, asks_accounts=accounts is not None))
        column.addWidget(self._footer())
        self.every.toggled.connect(self._every_toggled)
        self.every.setChecked(not chosen)
        for each, box in self.boxes.items():
            box.setChecked(each in chosen)
            box.toggled.connect(self._check)
        self.name.textChanged.connect(self._check)
        self.cancel.clicked.connect(self.reject)
        self.confirm.clicked.connect(self.wanted.emit)
        self._asks_name = name is not None
        self._check()
        fit_height(self)

    def accounts(self) -> tuple[str, ...]:
        """Return the accounts that were chosen; none stands for all."""
        if self.every.isChecked():
            return ()
        return tuple(each for each, box in self.boxes.items() if box.isChecked())

    def fail(self, sentence: str) -> None:
        """Say why it was not done."""
        self._error.show_text(sentence)
        self._error.show()
        fit_height(self)

    def _every_toggled(self, every: bool) -> None:
        for box in self.boxes.values():
            box.setEnabled(not every)
        self._check()

    def _check(self) -> None:
        named = bool(self.name.text().strip()) or not self._asks_name
        self.confirm.setEnabled(named and (self.every.isChecked() or bool(self.accounts())))

    _asks_name = False

    def _content(self, title: str, *, asks_name: bool, asks_accounts: bool) -> QFrame:
        frame = QFrame()
        column = QVBoxLayout(frame)
        column.setContentsMargins(px(20), px(20), px(20), px(16))
        column.setSpacing(px(8))
        column.addWidget(Label(title, "heading"))
        if asks_name:
            label = Label("Name, as of the strategy or the sender", "body", "text2")
            label.setBuddy(self.name)
            column.addWidget(label)
            column.addWidget(self.name)
        if asks_accounts:
            column.addWidget(Label("Its alerts may use", "body", "text2"))
            column.addWidget(self.every)
            for box in self.boxes.values():
                column.addWidget(box)
        column.addWidget(self._error)
        return frame

    def _footer(self) -> QFrame:
        frame = QFrame()
        frame.setProperty("ground", "chrome")
        frame.setProperty("rule", "top")
        row = QHBoxLayout(frame)
        row.setContentsMargins(px(20), px(12), px(20), px(12))
        row.setSpacing(px(8))
        row.addStretch(1)
        row.addWidget(self.cancel)
        row.addWidget(self.confirm)
        return frame


def rotate(token: WebhookToken, parent: QWidget, *, at_once: bool) -> ConfirmDialog:
    """Return the question before a webhook gets another URL."""
    name = visible(token.name, 40)
    old = "is refused at once; alerts that use it are lost" if at_once else "counts for 24 hours more"
    return ConfirmDialog(
        "New webhook URL",
        f"Give {name} a new URL?",
        "Make a new URL",
        consequences=[follows("Old URL", old), follows("To do", "put the new one into TradingView's alerts")],
        danger=at_once,
        parent=parent,
    )


def revoke(token: WebhookToken, parent: QWidget) -> ConfirmDialog:
    """Return the question before a webhook is taken away."""
    return ConfirmDialog(
        "Revoke webhook",
        f"Revoke {visible(token.name, 40)}?",
        "Revoke",
        consequences=[
            follows("Its URL", "is refused from now on, exits as well; TradingView does not send them again"),
            follows("Positions", "stay as they are and are looked after"),
        ],
        parent=parent,
    )


def only_tradingview(parent: QWidget, *, through_tunnel: bool) -> ConfirmDialog:
    """Return the question before everybody but TradingView is refused."""
    consequences = [follows("Allowed", "TradingView's four addresses; other senders are refused")]
    if through_tunnel:
        consequences.append(
            follows("Sender", "is read from the tunnel's header: 127.0.0.1 becomes a trusted proxy")
        )
    return ConfirmDialog(
        "Only TradingView",
        "Take alerts from TradingView's addresses only?",
        "Take only these",
        consequences=consequences,
        danger=False,
        note="An address can be forged by programs on this machine; it is a filter, not a secret.",
        parent=parent,
    )
