"""The questions about the vault: opening it, what opens it from now on, and its end."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QWidget

from execution_engine.domain.safety import VaultShown
from execution_engine.ui.bridge import Bridge
from execution_engine.ui.panels.asks import AskingPanel
from execution_engine.ui.panels.form import FormDialog
from execution_engine.ui.panels.passwords import NewPassword
from execution_engine.ui.tongue import tr
from execution_engine.ui.widgets import ConfirmDialog, follows

PRESENT = "present"
FORGET = "forget"


class OpenDialog(FormDialog):
    """Ask for the master password of a locked vault."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(
            tr("Open the vault"),
            tr("Open", "to open it"),
            explanation=tr("Until it is open, accounts with keys cannot be traded; alerts are stored."),
            parent=parent,
        )
        self.password = self.add_text(PRESENT, tr("Master password"), secret=True)
        self.password.textChanged.connect(lambda text: self.confirm.setEnabled(bool(text)))
        self.confirm.setEnabled(False)


def ask_to_open(panel: AskingPanel, bridge: Bridge, vault: VaultShown, then: Callable[[], object]) -> None:
    """Have the vault opened by what protects it: the keyring is asked at once, a password in a dialog."""

    async def opened(password: str | None) -> str:
        await bridge.doors.vault.ready(password)
        return tr("The vault is open.")

    if not vault.password:
        panel.say(tr("The system's keyring is asked…"))
        panel.do(opened(None), then)
        return
    dialog = OpenDialog(panel.window())
    panel.form(
        dialog,
        lambda: opened(dialog.text(PRESENT)),
        doing=tr("This takes half a second…"),
        field_of=lambda sentence: PRESENT,
        then=then,
    )


class PasswordDialog(FormDialog):
    """Ask for a new master password, and for the present one where there is one."""

    def __init__(self, bridge: Bridge, vault: VaultShown, parent: QWidget) -> None:
        title = tr("Change the master password") if vault.password else tr("Use a master password")
        explanation = tr(
            "It opens the vault at each start, and the window after it was locked. Lost, the keys have to be entered "
            "again; nothing else is lost. A start that nobody attends needs it in a file (--password-file)."
        )
        super().__init__(
            title, tr("Change") if vault.password else tr("Use it"), explanation=explanation, parent=parent
        )
        self._asks_present = vault.exists and vault.password
        if self._asks_present:
            self.add_text(PRESENT, tr("Present password"), secret=True).textChanged.connect(self._check)
        self.new = NewPassword(self, bridge, bridge.doors.vault.strength)
        self.new.changed.connect(self._check)
        self._check()

    def present(self) -> str | None:
        """Return the present password; None where there is none."""
        return self.text(PRESENT) if self._asks_present else None

    def _check(self) -> None:
        self.confirm.setEnabled(self.new.is_fit and (not self._asks_present or bool(self.text(PRESENT))))


class KeyringDialog(FormDialog):
    """Ask for the present password before the system's keyring opens the vault."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(
            tr("Use the system's keyring"),
            tr("Use the keyring"),
            explanation=tr(
                "The vault is opened without asking while you are logged in, so also at a start that nobody "
                "attends. Programs that run as you could ask the keyring as well, and a locked "
                "window is opened by whoever "
                "sits at this session."
            ),
            parent=parent,
        )
        self.add_text(PRESENT, tr("Present password"), secret=True).textChanged.connect(
            lambda text: self.confirm.setEnabled(bool(text))
        )
        self.confirm.setEnabled(False)


def forget(vault: VaultShown, parent: QWidget) -> ConfirmDialog:
    """Return the question before the vault is deleted."""
    inside = (
        tr("its keys and secrets")
        if not vault.is_open
        else tr("{keys} entries: keys, secrets, addresses").format(keys=vault.keys)
    )
    return ConfirmDialog(
        tr("Forget all keys"),
        tr("Delete the vault with every key in it?"),
        tr("Forget all keys"),
        consequences=[
            follows(
                tr("Deleted"),
                tr("{inside} and the copy that was kept; there is no way back").format(inside=inside),
            ),
            follows(tr("Accounts"), tr("stay, and trade no more until their keys are entered again")),
            follows(tr("Open orders"), tr("stay on the exchange; positions are not looked after")),
            follows(tr("On the exchange"), tr("the keys stay valid until you delete them there")),
        ],
        type_this=FORGET,
        parent=parent,
    )
