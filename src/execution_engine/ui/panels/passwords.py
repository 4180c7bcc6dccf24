"""Fields for a new master password: typed twice, its strength said while it is typed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtWidgets import QProgressBar

from execution_engine.domain.errors import Refusal
from execution_engine.domain.safety import Strength
from execution_engine.ui.bridge import Bridge
from execution_engine.ui.panels.form import FormDialog
from execution_engine.ui.theme import Token
from execution_engine.ui.tongue import tr, translated

PAUSE_MS = 150  # after the last key, before it is judged
LEAST_SCORE = 2
TOKENS: tuple[Token, ...] = ("danger", "danger", "warn", "profit", "profit")
KEY, AGAIN, BAR = "new_password", "again", "strength"


class NewPassword(QObject):
    """Adds the fields to a form. changed: whether what is typed can be taken may be another now."""

    changed = Signal()

    def __init__(
        self, dialog: FormDialog, bridge: Bridge, judge: Callable[[str], Awaitable[Strength]]
    ) -> None:
        super().__init__(dialog)
        self._dialog, self._bridge, self._judge = dialog, bridge, judge
        self.first = dialog.add_text(KEY, tr("New master password"), secret=True)
        self.bar = QProgressBar()
        self.bar.setRange(0, 4)
        self.bar.setTextVisible(False)
        dialog.add(BAR, tr("Strength"), self.bar)
        self.second = dialog.add_text(AGAIN, tr("Once more"), secret=True)
        self._score = -1
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(PAUSE_MS)
        self._timer.timeout.connect(self._ask)
        self.first.textChanged.connect(self._typed)
        self.second.textChanged.connect(self._compare)

    @property
    def is_fit(self) -> bool:
        """Return whether this can be taken."""
        return self._score >= LEAST_SCORE and self.first.text() == self.second.text()

    def _typed(self) -> None:
        self._score = -1
        self._dialog.hint(KEY, "")
        self._timer.start()
        self._compare()

    def _ask(self) -> None:
        password = self.first.text()
        self._bridge.run(self._judge(password), lambda found: self._judged(password, found))

    def _judged(self, password: str, found: Strength | Refusal) -> None:
        if password != self.first.text() or isinstance(found, Refusal):
            return
        self._score = found.score
        self.bar.setValue(found.score)
        words = tr("{word}: {lasts} for somebody who has the file and many computers").format(
            word=translated(found.word).capitalize(), lasts=translated(found.lasts)
        )
        advice = " ".join(translated(each) for each in found.advice) if found.score <= LEAST_SCORE else ""
        self._dialog.hint(BAR, f"{words}. {advice}".strip() if password else "", TOKENS[found.score])
        self.changed.emit()

    def _compare(self) -> None:
        first, second = self.first.text(), self.second.text()
        differ = bool(second) and not first.startswith(second)
        self._dialog.hint(AGAIN, tr("The two differ.") if differ else "", "danger" if differ else "text3")
        self.changed.emit()
