"""The lock of the window: a cover over everything, while the engine goes on behind it.

It keeps people from the screen, not programs from the computer: whoever is logged in as this user can read the data
folder and speak with the engine on the command line.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QApplication, QDialog, QFrame, QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from execution_engine.domain.errors import Refusal
from execution_engine.domain.safety import VaultShown
from execution_engine.ui.format import visible
from execution_engine.ui.icons import Mark
from execution_engine.ui.theme import ICON, px
from execution_engine.ui.tongue import tr, translated
from execution_engine.ui.widgets import BusyArc, Label, button

if TYPE_CHECKING:
    from execution_engine.ui.main_window import MainWindow

WIDTH = 360
TITLE = tr("Execution Engine – locked")
BY_PASSWORD = tr("The engine goes on. Your master password brings the window back.")
BY_KEYRING = tr(
    "The engine goes on. The system's keyring brings the window back, so this lock only hides what is on the screen "
    "from whoever passes by. A master password (Settings, Security) makes it more than that."
)
BY_NOTHING = tr(
    "The engine goes on. There is no master password, so this lock only hides what is on the screen from whoever "
    "passes by. One can be chosen in Settings, Security."
)


class LockScreen(QFrame):
    """Covers a main window from `cover` until its user proves to be its user."""

    def __init__(self, window: MainWindow) -> None:
        """Stay away until it is wanted."""
        super().__init__(window)
        self._window = window
        self._vault = VaultShown()
        self._frozen: list[QAction] = []
        self._hidden: list[QWidget] = []
        self.is_on = False
        self.setProperty("ground", "chrome")
        self.setAccessibleName(tr("The window is locked"))
        self.words = Label(BY_NOTHING, "body", "text2", wrap=True)
        self.password = QLineEdit()
        self.password.setEchoMode(QLineEdit.EchoMode.Password)
        self.password.setPlaceholderText(tr("Master password"))
        self.password.setAccessibleName(tr("Master password"))
        self.unlock = button(tr("Unlock"), "primary")
        self.error = Label("", "body", "danger", wrap=True)
        self._arc = BusyArc(12, "accent")
        self._arc.hide()
        self._lay_out()
        self.unlock.clicked.connect(self._ask)
        self.password.returnPressed.connect(self._ask)
        window.installEventFilter(self)
        self.hide()

    def cover(self, why: str) -> None:
        """Cover the window; `why` ends the sentence that is written down."""
        if self.is_on:
            return
        self.is_on = True
        window = self._window
        self._frozen = [act for act in window.findChildren(QAction) if act.isEnabled()]
        for act in self._frozen:
            act.setEnabled(False)
        while (popup := QApplication.activePopupWidget()) is not None:
            popup.close()
        others = [each for each in window.findChildren(QDialog) if each.isVisible()]
        ground = window.centralWidget()
        self._hidden = [*others, window.menuBar(), window.notices, *([ground] if ground is not None else [])]
        for widget in self._hidden:
            widget.hide()
        self.password.clear()
        self.error.show_text("")
        self._show(VaultShown())
        window.setWindowTitle(TITLE)
        self.setGeometry(window.rect())
        self.show()
        self.raise_()
        bridge = window.bridge
        bridge.run(bridge.doors.vault.window_locked(why))
        bridge.run(bridge.doors.vault.shown(), self._known)

    def refuse_to_close(self) -> None:
        """Say that only who unlocks the window may end the engine from here."""
        self.error.show_text(tr("Unlock the window to quit."))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Stay as large as the window."""
        if event.type() == QEvent.Type.Resize and self.is_on:
            self.setGeometry(self._window.rect())
        return False

    def _known(self, vault: VaultShown | Refusal) -> None:
        if not isinstance(vault, Refusal):
            self._show(vault)

    def _show(self, vault: VaultShown) -> None:
        self._vault = vault
        self.password.setVisible(vault.password)
        self.words.show_text(BY_PASSWORD if vault.password else BY_KEYRING if vault.exists else BY_NOTHING)
        (self.password if vault.password else self.unlock).setFocus()

    def _ask(self) -> None:
        """Ask whether this is the user; what is typed leaves the field at once."""
        if not self.unlock.isEnabled():
            return
        password = self.password.text() if self._vault.password else None
        self.password.clear()
        if password == "":
            return
        self._set_busy(True)
        vault = self._window.bridge.doors.vault
        self._window.bridge.run(vault.consent(password), self._answered)

    def _answered(self, reply: Refusal | None) -> None:
        self._set_busy(False)
        if isinstance(reply, Refusal):
            self.error.show_text(visible(translated(reply.message), 240))
            if self._vault.password:
                self.password.setFocus()
            else:  # a password may have been chosen meanwhile, on the command line or before it was known
                self._window.bridge.run(self._window.bridge.doors.vault.shown(), self._known)
            return
        self._uncover()

    def _set_busy(self, on: bool) -> None:
        self.unlock.setEnabled(not on)
        self.password.setEnabled(not on)
        self._arc.setVisible(on)

    def _uncover(self) -> None:
        self.is_on = False
        self.hide()
        for act in self._frozen:
            act.setEnabled(True)
        for widget in self._hidden:
            widget.show()
        self._frozen, self._hidden = [], []
        self._window.uncovered()

    def _lay_out(self) -> None:
        box = QFrame()
        box.setFixedWidth(px(WIDTH))
        column = QVBoxLayout(box)
        column.setSpacing(px(12))
        column.addWidget(Mark(icon="lock", token="text2", size=px(ICON["dialog"])))
        column.addWidget(Label(tr("The window is locked"), "title"))
        column.addWidget(self.words)
        column.addWidget(self.password)
        row = QHBoxLayout()
        row.setSpacing(px(8))
        row.addWidget(self.unlock)
        row.addWidget(self._arc)
        row.addStretch(1)
        column.addLayout(row)
        column.addWidget(self.error)
        whole = QVBoxLayout(self)
        whole.addStretch(2)
        middle = QHBoxLayout()  # an alignment would keep sentences from getting the height they need
        middle.addStretch(1)
        middle.addWidget(box)
        middle.addStretch(1)
        whole.addLayout(middle)
        whole.addStretch(3)
