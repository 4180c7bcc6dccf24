"""What the user can do from everywhere; menu, header and shortcuts share these actions."""

from __future__ import annotations

from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QAction, QKeySequence

from execution_engine.ui import icons
from execution_engine.ui.tongue import source, tr

WHY = "why_not"


class Acts(QObject):
    """The actions of the frame. Who carries them out connects to `triggered`."""

    def __init__(self, parent: QObject) -> None:
        """Make them all."""
        super().__init__(parent)
        self._shows_paused: bool | None = None
        self.pause = self._made(tr("Pause"), "pause", "Ctrl+Shift+P")
        self.close_all = self._made(tr("Close everything…"), "stop")
        self.lock = self._made(tr("Lock the window"), "lock", "Ctrl+L")
        self.quit = self._made(tr("Quit"), "quit", "Ctrl+Q")
        self.theme = self._made(tr("Light theme"), "sun")
        self.palette = self._made(tr("Find anything…"), "search", "Ctrl+K", "Ctrl+Shift+A")
        self.columns = self._made(tr("Columns of the table…"), "columns", "Ctrl+Shift+K")
        self.reset_page = self._made(tr("Reset the layout of this page"), "undo")
        self.reset_all = self._made(tr("Reset every layout…"), "undo")
        self.refresh = self._made(tr("Refresh"), "refresh", "F5")
        self.find = self._made(tr("Filter this page"), "search", "Ctrl+F")
        self.full_screen = self._made(tr("Full screen"), "", "F11")
        self.test_alert = self._made(tr("Send test alert…"), "send")
        self.compose = self._made(tr("Compose alert…"), "edit", "Ctrl+N")
        self.paper = self._made(tr("Paper exchange…"), "wallet")
        self.copy_webhook = self._made(tr("Copy webhook address"), "copy")
        self.open_folder = self._made(tr("Open data folder"), "folder")
        self.guide = self._made(tr("First steps…"), "help")
        self.keys = self._made(tr("Keyboard shortcuts"), "keyboard", "F1", "Ctrl+/")
        self.updates = self._made(tr("Look for a new version…"), "refresh")
        self.about = self._made(tr("About Execution Engine"), "info")
        self.close_all.setToolTip(tr("Pause, empty the queue and close every group at market"))
        self.compose.setToolTip(tr("Write the message and the URL for TradingView, or check a message"))
        self.full_screen.setCheckable(True)
        self.columns.setToolTip(tr("Show, hide and order the columns of the table the cursor is in"))
        self.reset_page.setToolTip(tr("Columns, order and sizes of this page as they were made"))
        self.reset_all.setToolTip(tr("Window, pages, tables and splitters as they were made"))

    def show_paused(self, paused: bool) -> None:
        """Let the first action say what it would do now."""
        if paused is self._shows_paused:
            return
        self._shows_paused = paused
        self.pause.setText(tr("Resume") if paused else tr("Pause"))
        tip = (
            tr("Open new groups again")
            if paused
            else tr("Store alerts, open nothing; exits and targets go on")
        )
        self.pause.setToolTip(tr("{tip} (Ctrl+Shift+P)").format(tip=tip))
        icons.bind(self.pause, "play" if paused else "pause", "text")

    def show_theme(self, dark: bool) -> None:
        """Name the theme that a click would bring."""
        self.theme.setText(tr("Light theme") if dark else tr("Dark theme"))
        self.theme.setToolTip(self.theme.text())
        icons.bind(self.theme, "sun" if dark else "moon", "text2")

    def _made(self, text: str, icon: str, *keys: str) -> QAction:
        action = QAction(text, self)
        action.setObjectName(source(text))  # a name that stays, whatever it will be called
        # Quit, About and Preferences would wander about in the menus of macOS by their words alone.
        action.setMenuRole(QAction.MenuRole.NoRole)
        if keys:
            action.setShortcuts([QKeySequence(each) for each in keys])
            action.setShortcutContext(Qt.ShortcutContext.WindowShortcut)
        if icon:
            icons.bind(action, icon, "text2")
        return action


def allow(action: QAction, able: bool, why: str) -> None:
    """Let an action be chosen, or say why it cannot be."""
    action.setEnabled(able)
    action.setProperty(WHY, "" if able else why)


def why_not(action: QAction) -> str:
    """Return why an action cannot be chosen now; empty when it can."""
    return "" if action.isEnabled() else str(action.property(WHY) or tr("Not possible now"))
