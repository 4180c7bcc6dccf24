"""Notices of the desktop, through the system tray; nothing where there is none, or while the window is looked at."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QSystemTrayIcon

from execution_engine.domain.facts import Level
from execution_engine.domain.notify import Message

SHOWN_MS = 10_000
_ICONS = {
    Level.WARNING: QSystemTrayIcon.MessageIcon.Warning,
    Level.ERROR: QSystemTrayIcon.MessageIcon.Critical,
    Level.CRITICAL: QSystemTrayIcon.MessageIcon.Critical,
}


class Tray(Protocol):
    """What shows a notice of the desktop."""

    def showMessage(
        self, title: str, msg: str, icon: QSystemTrayIcon.MessageIcon, msecs: int, /
    ) -> object: ...


def system_tray() -> Tray | None:
    """Return an icon in the system's tray; None where the desktop has no place for one."""
    if not QSystemTrayIcon.isSystemTrayAvailable() or not QSystemTrayIcon.supportsMessages():
        return None
    tray = QSystemTrayIcon(QGuiApplication.windowIcon(), QApplication.instance())
    tray.show()
    return tray


LOCKED = "Unlock the window to read it."
_VEILED = {
    Level.WARNING: "A warning of Execution Engine",
    Level.ERROR: "Something is wrong in Execution Engine",
    Level.CRITICAL: "Execution Engine needs you",
}


def veiled(message: Message) -> Message:
    """Return what may be seen of a message by anybody: that there is one, and how grave it is."""
    title = _VEILED.get(message.level, "News of Execution Engine")
    return Message(title=title, text=LOCKED, level=message.level, code=message.code, at=message.at)


class DesktopNotices:
    """Shows messages on the desktop while no window of this program is in front."""

    def __init__(
        self,
        tray: Callable[[], Tray | None] = system_tray,
        is_in_front: Callable[[], bool] = lambda: QGuiApplication.focusWindow() is not None,
        is_locked: Callable[[], bool] = lambda: False,
    ) -> None:
        """Take what makes the tray's icon; it is made with the first message. is_locked: whether the window is."""
        self._make = tray
        self._is_in_front = is_in_front
        self._is_locked = is_locked
        self._tray: Tray | None = None

    def show(self, message: Message) -> None:
        """Show a message. Whoever looks at the window sees the notice there, unless the window is locked.

        What the lock hides, amounts and positions, is not on the desktop either.
        """
        if self._is_locked():
            message = veiled(message)
        elif self._is_in_front():
            return
        self._tray = self._tray or self._make()
        if self._tray is not None:
            icon = _ICONS.get(message.level, QSystemTrayIcon.MessageIcon.Information)
            self._tray.showMessage(message.title, message.text, icon, SHOWN_MS)
