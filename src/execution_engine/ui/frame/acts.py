"""What the user can do from everywhere; menu, header and shortcuts share these actions."""

from __future__ import annotations

from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QAction, QKeySequence

from execution_engine.ui import icons

WHY = "why_not"


class Acts(QObject):
    """The actions of the frame. Who carries them out connects to `triggered`."""

    def __init__(self, parent: QObject) -> None:
        """Make them all."""
        super().__init__(parent)
        self._shows_paused: bool | None = None
        self.pause = self._made("Pause", "pause", "Ctrl+Shift+P")
        self.close_all = self._made("Close everything…", "stop")
        self.lock = self._made("Lock the window", "lock", "Ctrl+L")
        self.quit = self._made("Quit", "quit", "Ctrl+Q")
        self.theme = self._made("Light theme", "sun")
        self.palette = self._made("Find anything…", "search", "Ctrl+K", "Ctrl+Shift+A")
        self.columns = self._made("Columns of the table…", "columns", "Ctrl+Shift+K")
        self.reset_page = self._made("Reset the layout of this page", "undo")
        self.reset_all = self._made("Reset every layout…", "undo")
        self.refresh = self._made("Refresh", "refresh", "F5")
        self.find = self._made("Filter this page", "search", "Ctrl+F")
        self.full_screen = self._made("Full screen", "", "F11")
        self.test_alert = self._made("Send test alert…", "send")
        self.compose = self._made("Compose alert…", "edit", "Ctrl+N")
        self.paper = self._made("Paper exchange…", "wallet")
        self.copy_webhook = self._made("Copy webhook address", "copy")
        self.open_folder = self._made("Open data folder", "folder")
        self.guide = self._made("First steps…", "help")
        self.keys = self._made("Keyboard shortcuts", "keyboard", "F1", "Ctrl+/")
        self.updates = self._made("Look for a new version…", "refresh")
        self.about = self._made("About Execution Engine", "info")
        self.close_all.setToolTip("Pause, empty the queue and close every group at market")
        self.compose.setToolTip("Write the message and the URL for TradingView, or check a message")
        self.full_screen.setCheckable(True)
        self.columns.setToolTip("Show, hide and order the columns of the table the cursor is in")
        self.reset_page.setToolTip("Columns, order and sizes of this page as they were made")
        self.reset_all.setToolTip("Window, pages, tables and splitters as they were made")

    def show_paused(self, paused: bool) -> None:
        """Let the first action say what it would do now."""
        if paused is self._shows_paused:
            return
        self._shows_paused = paused
        self.pause.setText("Resume" if paused else "Pause")
        tip = "Open new groups again" if paused else "Store alerts, open nothing; exits and targets go on"
        self.pause.setToolTip(f"{tip} (Ctrl+Shift+P)")
        icons.bind(self.pause, "play" if paused else "pause", "text")

    def show_theme(self, dark: bool) -> None:
        """Name the theme that a click would bring."""
        self.theme.setText("Light theme" if dark else "Dark theme")
        self.theme.setToolTip(self.theme.text())
        icons.bind(self.theme, "sun" if dark else "moon", "text2")

    def _made(self, text: str, icon: str, *keys: str) -> QAction:
        action = QAction(text, self)
        action.setObjectName(text)  # a name that stays, whatever it will be called
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
    return "" if action.isEnabled() else str(action.property(WHY) or "Not possible now")
