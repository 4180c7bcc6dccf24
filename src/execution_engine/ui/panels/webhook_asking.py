"""The questions about webhooks: what a new one is called, which accounts it may use, a new URL, its end."""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QDialog, QFrame, QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from execution_engine.domain.composer_check import BodySecret
from execution_engine.domain.rows import WebhookToken
from execution_engine.domain.safety import VaultShown
from execution_engine.ui.bridge import Bridge
from execution_engine.ui.format import visible
from execution_engine.ui.panels.form import FormDialog
from execution_engine.ui.panels.passwords import KEY as NEW
from execution_engine.ui.panels.passwords import NewPassword
from execution_engine.ui.theme import px
from execution_engine.ui.tongue import tr
from execution_engine.ui.widgets import ConfirmDialog, Label, button, fit_height, follows
from execution_engine.ui.widgets.dialogs import WIDTH

SECRET, PASSWORD = "secret", "password"
MADE_UP_BYTES = 24  # as a webhook's token
EVERY = tr("Every account, those that are added later as well")


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
        self.name.setAccessibleName(tr("Name"))
        self.every = QCheckBox(EVERY)
        self.boxes = {each: QCheckBox(each) for each in accounts or ()}
        self.cancel = button(tr("Cancel"))
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
        frame.setProperty("ground", "panel")
        column = QVBoxLayout(frame)
        column.setContentsMargins(px(20), px(20), px(20), px(16))
        column.setSpacing(px(8))
        column.addWidget(Label(title, "heading"))
        if asks_name:
            label = Label(tr("Name, as of the strategy or the sender"), "body", "text2")
            label.setBuddy(self.name)
            column.addWidget(label)
            column.addWidget(self.name)
        if asks_accounts:
            column.addWidget(Label(tr("Its alerts may use"), "body", "text2"))
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


class SecretDialog(FormDialog):
    """Ask for a secret that senders show, and for what the vault needs to keep it."""

    def __init__(
        self, bridge: Bridge, vault: VaultShown, short: str, use: str, kept: BodySecret, parent: QWidget
    ) -> None:
        """Take what the secret is called and what senders do with it, how the vault is, and what is kept now."""
        asked = tr("Replace the {short}") if kept.text else tr("Set the {short}")
        after = tr(" Alerts that still carry the old one are refused from then on.") if kept.text else ""
        super().__init__(
            asked.format(short=short),
            tr("Replace") if kept.text else tr("Set"),
            explanation=f"{use}{after}",
            parent=parent,
        )
        self.secret = self.add_text(SECRET, tr("Secret"), secret=True)
        self.make = button(
            tr("Make one up"), small=True, tip=tr("Fill in 32 random letters; Copy shows what they are")
        )
        self.add("make", "", _at_left(self.make))
        self.new_password: NewPassword | None = None
        if vault.exists and not vault.is_open and vault.password:
            self.add_text(PASSWORD, tr("Master password"), secret=True).textChanged.connect(self._check)
            self.hint(PASSWORD, tr("The vault is locked; this opens it."))
        elif not vault.exists and not vault.system_keyring:
            self.add_note(tr("This computer has no keyring. A master password keeps the secret; lost, it has to be set "
                          "again, nothing else is lost."))  # fmt: skip
            self.new_password = NewPassword(self, bridge, bridge.doors.vault.strength)
            self.new_password.changed.connect(self._check)
        self.secret.textChanged.connect(self._check)
        self.make.clicked.connect(lambda: self.secret.setText(secrets.token_urlsafe(MADE_UP_BYTES)))
        self._check()

    def master_password(self) -> str | None:
        """Return the password for the vault; None where none is needed."""
        return self.text(NEW if self.new_password is not None else PASSWORD) or None

    def field_of(self, sentence: str) -> str:
        """Return the field that a refusal is about; empty where it is about none."""
        if "master password" in sentence:
            return NEW if self.new_password is not None else PASSWORD
        return SECRET if sentence.startswith("The secret") else ""

    def _check(self) -> None:
        entered = bool(self.secret.text()) and (PASSWORD not in self.fields or bool(self.text(PASSWORD)))
        self.confirm.setEnabled(entered and (self.new_password is None or self.new_password.is_fit))


def _at_left(widget: QWidget) -> QWidget:
    """Return a widget that is no wider than it has to be, at the left of its cell."""
    cell = QWidget()
    row = QHBoxLayout(cell)
    row.setContentsMargins(0, 0, 0, 0)
    row.addWidget(widget)
    row.addStretch(1)
    return cell


def remove_secret(short: str, parent: QWidget, *, required: bool) -> ConfirmDialog:
    """Return the question before a secret of senders is forgotten."""
    alerts = (
        tr("all refused from now on, exits as well: the settings require it")
        if required
        else tr("that show only this secret are refused from now on, exits as well")
    )
    return ConfirmDialog(
        tr("Remove the {short}").format(short=short),
        tr("Forget the {short}?").format(short=short),
        tr("Remove"),
        consequences=[
            follows(tr("Alerts"), alerts),
            follows(tr("Positions"), tr("stay as they are and are looked after")),
        ],
        parent=parent,
    )


def rotate(token: WebhookToken, parent: QWidget, *, at_once: bool) -> ConfirmDialog:
    """Return the question before a webhook gets another URL."""
    name = visible(token.name, 40)
    old = tr("is refused at once; alerts that use it are lost") if at_once else tr("counts for 24 hours more")
    return ConfirmDialog(
        tr("New webhook URL"),
        tr("Give {name} a new URL?").format(name=name),
        tr("Make a new URL"),
        consequences=[
            follows(tr("Old URL"), old),
            follows(tr("To do"), tr("put the new one into TradingView's alerts")),
        ],
        danger=at_once,
        parent=parent,
    )


def revoke(token: WebhookToken, parent: QWidget) -> ConfirmDialog:
    """Return the question before a webhook is taken away."""
    return ConfirmDialog(
        tr("Revoke webhook"),
        tr("Revoke {token}?").format(token=visible(token.name, 40)),
        tr("Revoke"),
        consequences=[
            follows(
                tr("Its URL"),
                tr("is refused from now on, exits as well; TradingView does not send them again"),
            ),
            follows(tr("Positions"), tr("stay as they are and are looked after")),
        ],
        parent=parent,
    )


def only_tradingview(parent: QWidget, *, through_tunnel: bool) -> ConfirmDialog:
    """Return the question before everybody but TradingView is refused."""
    consequences = [follows(tr("Allowed"), tr("TradingView's four addresses; other senders are refused"))]
    if through_tunnel:
        consequences.append(
            follows(tr("Sender"), tr("is read from the tunnel's header: 127.0.0.1 becomes a trusted proxy"))
        )
    return ConfirmDialog(
        tr("Only TradingView"),
        tr("Take alerts from TradingView's addresses only?"),
        tr("Take only these"),
        consequences=consequences,
        danger=False,
        note=tr("An address can be forged by programs on this machine; it is a filter, not a secret."),
        parent=parent,
    )
