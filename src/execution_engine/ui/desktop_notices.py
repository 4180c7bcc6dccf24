"""Notices of the desktop, through the system tray; nothing where there is none, or while the window is looked at."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QSystemTrayIcon

from execution_engine.domain.facts import Level
from execution_engine.domain.notify import Message
from execution_engine.ui.tongue import later, translated

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


LOCKED = later("Unlock the window to read it.")
_VEILED = {
    Level.WARNING: later("A warning of Execution Engine"),
    Level.ERROR: later("Something is wrong in Execution Engine"),
    Level.CRITICAL: later("Execution Engine needs you"),
}


def veiled(message: Message) -> Message:
    """Return what may be seen of a message by anybody: that there is one, and how grave it is."""
    title = _VEILED.get(message.level, later("News of Execution Engine"))
    return Message(title=title, text=LOCKED, level=message.level, code=message.code, at=message.at)


class DesktopNotices:
    """Shows messages on the desktop while no window of this program is in front."""

    def __init__(
        self,
        tray: Callable[[], Tray | None],
        is_in_front: Callable[[], bool] = lambda: QGuiApplication.focusWindow() is not None,
        is_locked: Callable[[], bool] = lambda: False,
    ) -> None:
        """Take what gives the tray's icon, None where there is none. is_locked: whether the window is."""
        self._tray = tray
        self._is_in_front = is_in_front
        self._is_locked = is_locked

    def show(self, message: Message) -> None:
        """Show a message. Whoever looks at the window sees the notice there, unless the window is locked.

        What the lock hides, amounts and positions, is not on the desktop either.
        """
        if self._is_locked():
            message = veiled(message)
        elif self._is_in_front():
            return
        tray = self._tray()
        if tray is not None:
            icon = _ICONS.get(message.level, QSystemTrayIcon.MessageIcon.Information)
            tray.showMessage(translated(message.title), translated(message.text), icon, SHOWN_MS)
