"""What the steps of the guide have in common: a question, what is asked, and what Continue does."""

from __future__ import annotations

from typing import ClassVar

from PySide6.QtCore import QEvent, QObject, QSize, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QDialog, QFrame, QHBoxLayout, QLayout, QScrollArea, QVBoxLayout, QWidget

from execution_engine.domain import document as documents
from execution_engine.domain.cautions import cautions
from execution_engine.domain.changes import between
from execution_engine.domain.errors import Refusal
from execution_engine.domain.inputs import Answer, SaveSettings
from execution_engine.domain.rows import Mode
from execution_engine.domain.settings import Settings
from execution_engine.ui.bridge import Bridge
from execution_engine.ui.format import visible
from execution_engine.ui.theme import px
from execution_engine.ui.tongue import later, tr, translated
from execution_engine.ui.widgets import Label

WIDEST, READABLE = 1010, 760
LONGEST = 300
NOTE = later("chosen in the first steps")


class Step(QScrollArea):
    """Ask for one thing. It scrolls where it does not fit.

    changed: what the button says, or whether it may be pressed, is another now. done: the next step may come.
    """

    changed = Signal()
    done = Signal()
    name: ClassVar[str]
    about: ClassVar[str]
    question: ClassVar[str]
    sentence: ClassVar[str]

    def __init__(self, bridge: Bridge) -> None:
        """Show the question; who derives from this adds below it what is asked."""
        super().__init__()
        self.bridge = bridge
        self.is_busy = False
        self.dialog: QDialog | None = None
        self.said = Label("", "body", "danger", wrap=True)
        self.said.hide()
        self.setAccessibleName(self.question)
        self.setWidgetResizable(True)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._ground = QFrame()
        self._ground.setProperty("ground", "window")
        self._around = QHBoxLayout(self._ground)
        self._around.setSpacing(0)
        inside = QWidget()
        inside.setMaximumWidth(px(WIDEST))
        self._column = QVBoxLayout(inside)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(px(12))
        self._column.addWidget(Label(self.question, "title", wrap=True))
        self._column.addWidget(self._readable())
        self._column.addSpacing(px(4))
        self._column.addStretch(1)
        self._around.addWidget(inside, 100)
        self._around.addStretch(1)
        self.setWidget(self._ground)
        self._ground.installEventFilter(self)

    def _readable(self) -> QWidget:
        words = Label(self.sentence, "body", "text2", wrap=True)
        words.setMaximumWidth(px(READABLE))
        return words

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Give what is asked the height that its sentences need at this width."""
        super().resizeEvent(event)
        self._fit()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Look again when something is said in more lines."""
        if event.type() == QEvent.Type.LayoutRequest:
            self._fit()
        return super().eventFilter(watched, event)

    def _fit(self) -> None:
        self._ground.setMinimumHeight(max(0, self._around.totalHeightForWidth(self.viewport().width())))

    def minimumSizeHint(self) -> QSize:
        """Return next to nothing: what does not fit is scrolled to."""
        return QSize(px(320), px(200))

    def add(self, part: QWidget | QLayout) -> None:
        """Put something below what is there."""
        at = self._column.count() - 1
        if isinstance(part, QWidget):
            self._column.insertWidget(at, part)
        else:
            self._column.insertLayout(at, part)

    def set_narrow(self, narrow: bool) -> None:
        """Leave less space around what is asked, or more again."""
        x, y = (px(24), px(16)) if narrow else (px(72), px(48))
        self._around.setContentsMargins(x, y, x, px(12 if narrow else 20))

    # -- what the guide asks

    def verb(self) -> str:
        """Return what the button says."""
        return tr("Continue")

    def may_go_on(self) -> bool:
        """Return whether it may be pressed."""
        return True

    def go_on(self) -> None:
        """Do what the button says."""
        self.done.emit()

    def shown(self) -> None:
        """Show everything as it is now."""

    def begin(self) -> None:
        """Put the cursor where one begins."""

    # -- saving

    def save(self, wanted: Settings) -> None:
        """Save settings and go on; what becomes more dangerous is asked about first, as on the page of settings."""
        base = self.bridge.doors.settings()
        self.say("")
        if wanted == base:
            self.done.emit()
        elif cautions(base, wanted, live=self._live()):
            self._review(base, wanted)
        else:
            self.set_busy(True)
            self.bridge.wish(self._wish(wanted), self._saved)

    def _live(self) -> list[str]:
        accounts = self.bridge.accounts.values()
        return [account.name for account in accounts if account.enabled and account.mode is Mode.LIVE]

    @staticmethod
    def _wish(wanted: Settings) -> SaveSettings:
        return SaveSettings(document=documents.dump(wanted), note=NOTE)

    def _saved(self, reply: Answer | Refusal) -> None:
        self.set_busy(False)
        if isinstance(reply, Refusal):
            self.say(visible(translated(reply.message), LONGEST))
        else:
            self.done.emit()

    def _review(self, base: Settings, wanted: Settings) -> None:
        from execution_engine.ui.pages.settings.review import (
            ReviewDialog,
        )  # comes with charts, 0.2 s to import

        live = self._live()
        dialog = ReviewDialog(
            tr("Save settings"),
            tr("Save these values?"),
            tr("Save"),
            between(base, wanted),
            cautions(base, wanted, live=live),
            live=bool(live),
            parent=self.window(),
        )

        def done(reply: Answer | Refusal) -> None:
            if isinstance(reply, Refusal):
                dialog.fail(visible(translated(reply.message), LONGEST))
            else:
                dialog.accept()
                self.done.emit()

        def confirmed() -> None:
            dialog.busy()
            self.bridge.wish(self._wish(wanted), done)

        dialog.confirmed.connect(confirmed)
        self.dialog = dialog
        dialog.finished.connect(dialog.deleteLater)
        dialog.finished.connect(self._answered)
        dialog.open()

    def _answered(self) -> None:
        self.dialog = None

    # -- saying

    def set_busy(self, busy: bool) -> None:
        """Show that something is being done, or that it is over."""
        self.is_busy = busy
        self.changed.emit()

    def say(self, text: str) -> None:
        """Say why something was not done."""
        self.said.show_text(translated(text))
        self.said.setVisible(bool(text))
