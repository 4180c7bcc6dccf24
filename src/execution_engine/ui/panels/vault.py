"""The panel of the vault: what opens it, what that protects against, and the lock of the window."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QTimer
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout

from execution_engine.domain.errors import Refusal
from execution_engine.domain.safety import VaultShown
from execution_engine.ui.bridge import Bridge
from execution_engine.ui.format import counted, visible
from execution_engine.ui.icons import Mark
from execution_engine.ui.panels import vault_asking as asking
from execution_engine.ui.panels.asks import AskingPanel
from execution_engine.ui.panels.vault_asking import PRESENT, KeyringDialog, PasswordDialog, ask_to_open
from execution_engine.ui.shapes import Shape
from execution_engine.ui.theme import Token, px
from execution_engine.ui.tongue import tr, translated
from execution_engine.ui.widgets import Label, button

REFRESH_MS = 30_000  # the keyring is asked each time
PASSWORD_WORDS = tr(
    "Protects against: a stolen computer or disk, a copied folder, a backup in wrong "
    "hands; without the password none "
    "of them opens. Not against: a program that runs as you while the vault is open, or that reads what you type."
)
KEYRING_WORDS = tr(
    "Protects against: a copied folder or a backup in wrong hands, and a stolen disk as far as your login does. Not "
    "against: whoever is logged in as you, and any program that runs as you."
)
BOTH_WORDS = tr(
    "Either of the two opens it, so it protects as the weaker one does: not against whoever is logged in as you, nor "
    "any program that runs as you."
)
NONE_WORDS = tr(
    "It is made with the first keys. Then the system's keyring opens it, or a master password where there is no "
    "keyring or you prefer one."
)


class VaultPanel(AskingPanel):
    """Say how keys are kept, and let the user choose what opens the vault."""

    def __init__(self, bridge: Bridge) -> None:
        """Ask how it is now; while it is seen it follows."""
        super().__init__(tr("Keys and secrets"), tr("AES-256-GCM, in one file"), bridge)
        self.vault = VaultShown()
        self._asking = self._again = False
        self.mark = Mark("ring", "neutral", size=px(10))
        self.sentence = Label("", "body", "text", wrap=True)
        self.words = Label("", "small", "text2", wrap=True)
        self.trouble = Label("", "small", "danger", wrap=True)
        self.open_button = button(tr("Open…"), icon="key", small=True)
        self.password = button("", small=True)
        self.keyring = button(tr("Use the system's keyring…"), small=True)
        self.forget = button(tr("Forget all keys…"), "danger-outline", small=True)
        self._lay_out()
        self._timer = QTimer(self)
        self._timer.setInterval(REFRESH_MS)
        self._timer.timeout.connect(self.refresh)
        self.open_button.clicked.connect(lambda: ask_to_open(self, bridge, self.vault, self.refresh))
        self.password.clicked.connect(self._ask_for_password)
        self.keyring.clicked.connect(self._ask_for_keyring)
        self.forget.clicked.connect(self._ask_to_forget)
        self._show(self.vault)

    def showEvent(self, event: QShowEvent) -> None:
        """Follow while somebody looks."""
        self.refresh()
        self._timer.start()
        super().showEvent(event)

    def hideEvent(self, event: QHideEvent) -> None:
        """Rest while nobody does."""
        self._timer.stop()
        super().hideEvent(event)

    def refresh(self) -> None:
        """Ask how the vault is now; an answer that is on its way may be of before, so it is asked once more."""
        if self._asking:
            self._again = True
            return
        self._asking, self._again = True, False
        self._bridge.run(self._bridge.doors.vault.shown(), self._known)

    def _known(self, vault: VaultShown | Refusal) -> None:
        self._asking = False
        if not isinstance(vault, Refusal):
            self._show(vault)
        if self._again:
            self.refresh()

    def _show(self, vault: VaultShown) -> None:
        self.vault = vault
        shape, token, sentence = _state(vault)
        self.mark.show_shape(shape, token)
        self.sentence.show_text(sentence)
        self.words.show_text(_words(vault))
        self.trouble.show_text(visible(translated(vault.trouble), 300))
        self.trouble.setVisible(bool(vault.trouble))
        self.open_button.setVisible(vault.exists and not vault.is_open)
        self.password.setText(tr("Change password…") if vault.password else tr("Use a master password…"))
        self.password.setVisible(vault.is_open or not vault.exists)
        self.keyring.setVisible(vault.is_open and not vault.keyring)
        self.keyring.setEnabled(vault.system_keyring)
        self.keyring.setToolTip(
            "" if vault.system_keyring else tr("This system has no keyring that could be used")
        )
        self.forget.setVisible(vault.exists)

    def _lay_out(self) -> None:
        column = QVBoxLayout()
        column.setContentsMargins(px(12), px(10), px(12), px(10))
        column.setSpacing(px(8))
        top = QHBoxLayout()
        top.setSpacing(px(10))
        top.addWidget(self.mark)
        top.addWidget(self.sentence, 1)
        column.addLayout(top)
        column.addWidget(self.words)
        column.addWidget(self.trouble)
        tools = QHBoxLayout()
        tools.setSpacing(px(8))
        for each in self._buttons():
            tools.addWidget(each)
        tools.addStretch(1)
        tools.addWidget(self.forget)
        column.addLayout(tools)
        self.add(column)
        self.add(self.said)

    def _buttons(self) -> Sequence[QPushButton]:
        return (self.open_button, self.password, self.keyring)

    # -- what the user wants

    def _ask_for_password(self) -> None:
        dialog = PasswordDialog(self._bridge, self.vault, self.window())

        async def act() -> str:
            vault, password = self._bridge.doors.vault, dialog.new.first.text()
            if not self.vault.exists:
                await vault.ready(password)
            else:
                await vault.protect(password, present=dialog.present())
            return tr("The master password opens the vault from now on.")

        self.form(
            dialog,
            act,
            doing=tr("Everything is encrypted anew; this takes a second…"),
            field_of=_field,
            then=self.refresh,
        )

    def _ask_for_keyring(self) -> None:
        dialog = KeyringDialog(self.window())

        async def act() -> str:
            await self._bridge.doors.vault.protect(in_keyring=True, present=dialog.text(PRESENT))
            return tr("The system's keyring opens the vault from now on.")

        doing = tr("Everything is encrypted anew; this takes a second…")
        self.form(dialog, act, doing=doing, field_of=_field, then=self.refresh)

    def _ask_to_forget(self) -> None:
        async def act() -> str:
            await self._bridge.doors.vault.forget()
            return tr("The vault was deleted. Delete the keys on the exchanges, too.")

        self.confirm(asking.forget(self.vault, self.window()), act, self.refresh)


def _field(sentence: str) -> str:
    wrong = "wrong" in sentence or "present master password" in sentence
    return PRESENT if wrong else "new_password" if "master password" in sentence else ""


def _state(vault: VaultShown) -> tuple[Shape, Token, str]:
    if not vault.exists:
        return "ring", "neutral", tr("There are no keys yet, and so no vault.")
    both = vault.password and vault.keyring
    locks = tr("a master password or the system's keyring") if both else _lock(vault)
    if not vault.is_open:
        return (
            "two_bars",
            "warn",
            tr("The vault is locked; {locks} opens it.").format(locks=locks)
            if locks
            else tr("The vault is locked."),
        )
    inside = counted(vault.keys, tr("entry"), tr("entries")) if vault.keys else tr("nothing in it yet")
    return (
        "disc",
        "profit",
        tr("The vault is open ({inside}); {locks} opens it.").format(inside=inside, locks=locks),
    )


def _lock(vault: VaultShown) -> str:
    return tr("a master password") if vault.password else tr("the system's keyring") if vault.keyring else ""


def _words(vault: VaultShown) -> str:
    if not vault.exists:
        return NONE_WORDS
    if vault.password and vault.keyring:
        return BOTH_WORDS
    return PASSWORD_WORDS if vault.password else KEYRING_WORDS if vault.keyring else ""
