"""The panel of the secrets that senders show besides the URL: in the body, or as a signature of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QGuiApplication, QHideEvent, QShowEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from execution_engine.domain.composer_check import BodySecret
from execution_engine.domain.errors import Refusal
from execution_engine.domain.safety import VaultShown
from execution_engine.ui.bridge import Bridge
from execution_engine.ui.panels import webhook_asking as asking
from execution_engine.ui.panels.asks import AskingPanel
from execution_engine.ui.panels.rows import NamedRows
from execution_engine.ui.panels.vault_asking import ask_to_open
from execution_engine.ui.panels.webhook_asking import SECRET, SecretDialog
from execution_engine.ui.theme import Token, font, mono, px
from execution_engine.ui.tongue import tr
from execution_engine.ui.widgets import ElidedLabel, Label, button

REFRESH_MS = 1000
MASK = "••••••••"
LOCKED = tr(
    "The vault is locked: what is set is neither shown nor compared. Alerts that need one of these secrets are asked "
    "to come again (503) until you open it."
)


@dataclass(frozen=True, slots=True)
class Kind:
    """One of the two secrets.

    key: what the vault calls it. short: its name within a sentence. use: what senders do with it, a sentence.
    required: the field of the settings that asks for it.
    """

    key: str
    title: str
    short: str
    about: str
    use: str
    required: str


BODY = Kind(
    "body",
    tr("Body secret"),
    tr("body secret"),
    tr("the field “secret” of a message"),
    tr("Senders write it into the field “secret” of their messages."),
    "secret_required",
)
HMAC = Kind(
    "hmac",
    tr("HMAC secret"),
    tr("HMAC secret"),
    tr("signs the body, in the header X-Signature; TradingView cannot"),
    tr(
        "Senders sign each body with it, in the header X-Signature: sha256=<HMAC-SHA256 "
        "of the body>. TradingView cannot."
    ),
    "signature_required",
)
KINDS = {kind.key: kind for kind in (BODY, HMAC)}


class WebhookSecretsPanel(AskingPanel):
    """Show whether each secret is set, and let the user set, replace, copy and remove it."""

    def __init__(self, bridge: Bridge) -> None:
        """Show how it is; while it is seen it follows."""
        super().__init__(tr("Secrets of senders"), tr("besides the URL; kept in the vault"), bridge)
        self._shown: set[str] = set()
        self._asking = False
        self.locked = Label(LOCKED, "small", "warn", wrap=True)
        self.open_button = button(tr("Open the vault…"), icon="key", small=True)
        self.rows = {key: SecretRow(kind) for key, kind in KINDS.items()}
        self._notice = self._lay_out()
        for key, row in self.rows.items():
            row.eye.clicked.connect(partial(self._reveal, key))
            row.copy.clicked.connect(partial(self._copy, key))
            row.set.clicked.connect(partial(self._with_vault, partial(self._ask_to_set, key)))
            row.remove.clicked.connect(partial(self._ask_to_remove, key))
        self.open_button.clicked.connect(partial(self._with_vault, self._ask_to_open))
        self._timer = QTimer(self)
        self._timer.setInterval(REFRESH_MS)
        self._timer.timeout.connect(self.refresh)
        self.refresh()

    def showEvent(self, event: QShowEvent) -> None:
        """Follow the vault and the settings while somebody looks."""
        self.refresh()
        self._timer.start()
        super().showEvent(event)

    def hideEvent(self, event: QHideEvent) -> None:
        """Rest while nobody does, with every secret masked again."""
        self._timer.stop()
        self._shown.clear()
        super().hideEvent(event)

    def refresh(self) -> None:
        """Show each secret as it is now."""
        rules = self._bridge.doors.settings().webhook
        for key, row in self.rows.items():
            kept = self._kept(key)
            if not kept.text:
                self._shown.discard(key)
            row.show_secret(kept, required=getattr(rules, row.kind.required), open=key in self._shown)
        self._notice.setVisible(self._kept(BODY.key).locked)

    def _kept(self, key: str) -> BodySecret:
        return self._bridge.doors.vault.webhook_secret(key)

    def _lay_out(self) -> QWidget:
        column = QVBoxLayout()
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        notice = QWidget()
        line = QHBoxLayout(notice)
        line.setContentsMargins(px(12), px(10), px(12), px(6))
        line.setSpacing(px(12))
        line.addWidget(self.locked, 1)
        line.addWidget(self.open_button, alignment=Qt.AlignmentFlag.AlignTop)
        column.addWidget(notice)
        rows = NamedRows(self.rows.__getitem__)
        rows.lay_out(list(self.rows))
        column.addWidget(rows)
        self.add(column)
        self.add(self.said)
        return notice

    # -- what the user wants

    def _reveal(self, key: str) -> None:
        self._shown ^= {key}
        self.refresh()

    def _copy(self, key: str) -> None:
        if text := self._kept(key).text:
            QGuiApplication.clipboard().setText(text)
            self.say(tr("Copied the {short}. Whoever has it may send alerts.").format(short=KINDS[key].short))

    def _with_vault(self, then: Callable[[VaultShown], None]) -> None:
        """Ask how the vault is: what is needed to open it, or to make it, is part of the question."""
        if self._asking:
            return
        self._asking = True

        def known(vault: VaultShown | Refusal) -> None:
            self._asking = False
            if isinstance(vault, Refusal):
                self.say(vault.message, "danger")
            else:
                then(vault)

        self._bridge.run(self._bridge.doors.vault.shown(), known)

    def _ask_to_set(self, key: str, vault: VaultShown) -> None:
        kind = KINDS[key]
        dialog = SecretDialog(self._bridge, vault, kind.short, kind.use, self._kept(key), self.window())

        async def act() -> str:
            await self._bridge.doors.vault.ready(dialog.master_password())
            return await self._bridge.doors.vault.set_secret(key, dialog.text(SECRET))

        self.form(
            dialog, act, doing=tr("It is encrypted and kept…"), field_of=dialog.field_of, then=self.refresh
        )

    def _ask_to_remove(self, key: str) -> None:
        kind = KINDS[key]
        required = getattr(self._bridge.doors.settings().webhook, kind.required)
        dialog = asking.remove_secret(kind.short, self.window(), required=required)
        self.confirm(dialog, lambda: self._bridge.doors.vault.set_secret(key, None), self.refresh)

    def _ask_to_open(self, vault: VaultShown) -> None:
        ask_to_open(self, self._bridge, vault, self.refresh)


class SecretRow(QFrame):
    """One secret: what it is for, whether it is set, and what can be done with it."""

    def __init__(self, kind: Kind) -> None:
        """Take what it is; the rest comes by `show_secret`."""
        super().__init__()
        self.kind = kind
        self.setAccessibleName(kind.title)
        self.state = ElidedLabel("", "small", "text2")
        self.state.setFont(mono("small"))
        self.eye = button(role="icon", icon="eye", tip=tr("Show the {short}").format(short=kind.short))
        self.copy = button(
            tr("Copy"), icon="copy", small=True, tip=tr("Copy the {short}").format(short=kind.short)
        )
        self.set = button(tr("Replace…"), small=True)
        self.set.setMinimumWidth(self.set.sizeHint().width())  # in either of its words
        self.remove = button(
            role="icon", icon="close", tip=tr("Remove the {short}…").format(short=kind.short)
        )
        grid = QGridLayout(self)
        grid.setContentsMargins(px(12), px(8), px(8), px(8))
        grid.setHorizontalSpacing(px(12))
        grid.setVerticalSpacing(px(3))
        top = QHBoxLayout()
        top.setSpacing(px(10))
        top.addWidget(Label(kind.title, "body", "text", weight=600))
        top.addWidget(ElidedLabel(kind.about, "small", "text2"))
        top.addStretch(1)
        grid.addLayout(top, 0, 0)
        grid.addWidget(self.state, 1, 0)
        tools = QHBoxLayout()
        tools.setSpacing(px(4))
        for each in (self.eye, self.copy, self.set, self.remove):
            tools.addWidget(each)
        grid.addLayout(tools, 0, 1, 2, 1, Qt.AlignmentFlag.AlignVCenter)
        grid.setColumnStretch(0, 1)

    def show_secret(self, kept: BodySecret, *, required: bool, open: bool) -> None:
        """Show a secret as it is now; `open` shows its text, too."""
        text, token = _state(kept, required=required, open=open)
        self.state.setFont(mono("small") if kept.text else font("small"))
        self.state.show_text(text, token)
        self.set.setText(tr("Replace…") if kept.text or kept.locked else tr("Set…"))
        self.set.setToolTip(
            (tr("Replace the {short}") if kept.text else tr("Set the {short}")).format(short=self.kind.short)
        )
        for each in (self.eye, self.copy, self.remove):
            each.setEnabled(bool(kept.text))
            each.setVisible(bool(kept.text))


def _state(kept: BodySecret, *, required: bool, open: bool) -> tuple[str, Token]:
    if kept.locked:
        return tr("unknown while the vault is locked"), "text3"
    if not kept.text:
        return (
            (tr("required, and not set: every alert is refused"), "danger")
            if required
            else (tr("not set"), "text3")
        )
    return (kept.text if open else MASK), "text2"
