"""Why nothing moves: what keeps signals from being promoted, in a line above the queue."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from PySide6.QtWidgets import QFrame, QHBoxLayout

from execution_engine.domain.rows import AccountStatus, QueuedSignal, World
from execution_engine.ui.bridge import Bridge
from execution_engine.ui.format import visible
from execution_engine.ui.icons import Mark
from execution_engine.ui.pages.choosing import WORLDS
from execution_engine.ui.theme import px
from execution_engine.ui.widgets import ElidedLabel

STATES = {
    AccountStatus.DISABLED: "is disabled",
    AccountStatus.RECONCILING: "is being read",
    AccountStatus.HOLD: "is on hold",
    AccountStatus.ERROR: "cannot be used",
}


def halts(bridge: Bridge, waiting: Collection[QueuedSignal]) -> Iterator[str]:
    """Yield a sentence for everything that keeps waiting signals where they are."""
    if bridge.engine is not None and bridge.engine.paused:
        yield "Paused: nothing is promoted or forced until you resume."
    for world in World:
        hold = bridge.holds.get(world)
        if hold is not None and any(row.world is world for row in waiting):
            yield f"{WORLDS[world]} is on hold, nothing is promoted: {visible(hold.reason, 200)}."
    for name in sorted({row.account for row in waiting}):
        account = bridge.accounts.get(name)
        if account is None or account.status is AccountStatus.READY:
            continue
        why = f": {visible(account.reason, 200)}" if account.reason else ""
        yield f"{visible(name, 40)} {STATES[account.status]}{why}. Its signals wait."


class HaltNote(QFrame):
    """One line, tinted; hidden while everything moves."""

    def __init__(self) -> None:
        """Begin hidden."""
        super().__init__()
        self.setProperty("note", "warn")
        self.label = ElidedLabel("", "body", "warn")
        row = QHBoxLayout(self)
        row.setContentsMargins(px(12), px(6), px(12), px(6))
        row.setSpacing(px(8))
        row.addWidget(Mark(icon="warning", token="warn", size=px(16)))
        row.addWidget(self.label)
        row.addStretch(1)
        self.hide()

    @property
    def text(self) -> str:
        """Return what it says; empty while it is hidden."""
        return "" if self.isHidden() else self.label.text()

    def say(self, sentences: Collection[str]) -> None:
        """Show why nothing moves; nothing hides it."""
        self.label.show_text(" ".join(sentences))
        self.setVisible(bool(sentences))
