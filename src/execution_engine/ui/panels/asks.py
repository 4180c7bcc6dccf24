"""What panels with dialogs have in common: one dialog at a time, and a line that says what was done."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from PySide6.QtWidgets import QDialog

from execution_engine.domain.errors import Refusal
from execution_engine.ui.bridge import Bridge
from execution_engine.ui.format import visible
from execution_engine.ui.panels.form import FormDialog
from execution_engine.ui.theme import Token, px
from execution_engine.ui.tongue import translated
from execution_engine.ui.widgets import ConfirmDialog, Label, Panel

LONGEST = 400
Told = str | Sequence[str] | Refusal


class AskingPanel(Panel):
    """A panel that asks before it does something, and says below what came of it."""

    def __init__(self, title: str, subtitle: str, bridge: Bridge) -> None:
        """Take the heading and the bridge."""
        super().__init__(title, subtitle)
        self._bridge = bridge
        self.dialog: QDialog | None = None
        self.said = Label("", "small", "text2", wrap=True)
        self.said.setContentsMargins(px(12), px(2), px(12), px(8))
        self.said.hide()

    def say(self, text: str, token: Token = "text2") -> None:
        """Say what was done."""
        self.said.show_text(visible(translated(text), LONGEST), token)
        self.said.setVisible(bool(text))

    def do(self, work: Awaitable[Told], then: Callable[[], object] = lambda: None) -> None:
        """Do something and say what came of it."""

        def done(reply: Told) -> None:
            self._tell(reply)
            then()

        self._bridge.run(work, done)

    def _tell(self, reply: Told) -> None:
        if isinstance(reply, Refusal):
            self.say(reply.message, "danger")
        else:
            self.say(reply if isinstance(reply, str) else " ".join(map(translated, reply)))

    def form(
        self,
        dialog: FormDialog,
        act: Callable[[], Awaitable[Told]],
        *,
        doing: str = "",
        field_of: Callable[[str], str] = lambda sentence: "",
        then: Callable[[], object] = lambda: None,
    ) -> None:
        """Show a form; its act is tried until it is done or given up. field_of: the field a refusal is about."""

        def done(reply: Told) -> None:
            if isinstance(reply, Refusal):
                dialog.fail(visible(translated(reply.message), LONGEST), field_of(reply.message))
            else:
                dialog.accept()
                self._tell(reply)
            then()

        def wanted() -> None:
            work = act()
            dialog.busy(doing)
            self._bridge.run(work, done)

        dialog.wanted.connect(wanted)
        self.open(dialog)

    def confirm(
        self,
        dialog: ConfirmDialog,
        act: Callable[[], Awaitable[Told]],
        then: Callable[[], object] = lambda: None,
    ) -> None:
        """Show a question; its act is done once it is answered with yes."""

        def done(reply: Told) -> None:
            if isinstance(reply, Refusal):
                dialog.fail(visible(translated(reply.message), LONGEST))
            else:
                dialog.accept()
                self._tell(reply)
            then()

        def confirmed() -> None:
            dialog.busy()
            self._bridge.run(act(), done)

        dialog.confirmed.connect(confirmed)
        self.open(dialog)

    def open(self, dialog: QDialog) -> None:
        """Show a dialog; only one at a time."""
        if self.dialog is not None:
            dialog.deleteLater()
            return
        self.dialog = dialog
        dialog.finished.connect(dialog.deleteLater)
        dialog.finished.connect(self._answered)
        dialog.open()

    def _answered(self) -> None:
        self.dialog = None
