"""The icon in the system's tray: how the engine is, and a menu for while no window is open."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QPointF, QRectF, Qt, QTimer
from PySide6.QtGui import QAction, QColor, QIcon, QPainter
from PySide6.QtWidgets import QMenu, QSystemTrayIcon

from execution_engine.ui.format import counted, signed_usd
from execution_engine.ui.frame.asking import open_groups
from execution_engine.ui.frame.brand import SIZES, drawn
from execution_engine.ui.frame.worlds import shown_world
from execution_engine.ui.icons import state_look
from execution_engine.ui.shapes import draw_shape
from execution_engine.ui.theme import DARK
from execution_engine.ui.tongue import tr

if TYPE_CHECKING:
    from execution_engine.ui.main_window import MainWindow

LOOK_AGAIN_MS = 30_000  # after a login the tray may come later than this program
STAYS = tr("The engine goes on here. Quit in the menu of this icon ends it.")


class TrayIcon(QObject):
    """Shows the state outside of the window. there: tells whether the desktop has a tray at all."""

    def __init__(
        self, window: MainWindow, there: Callable[[], bool] = QSystemTrayIcon.isSystemTrayAvailable
    ) -> None:
        """Appear as soon as there is a tray."""
        super().__init__(window)
        self._window, self._looked = window, ""
        self.there = there
        self.icon = QSystemTrayIcon(self)
        self.menu = QMenu(window)
        self.state = QAction("", self)
        self.state.setEnabled(False)
        self.open = QAction(tr("Show the window"), self)
        self._told = False
        self.menu.addAction(self.state)
        self.menu.addSeparator()
        self.menu.addActions([self.open, window.acts.pause])
        self.menu.addSeparator()
        self.menu.addAction(window.acts.quit)
        self.icon.setContextMenu(self.menu)
        self.open.triggered.connect(window.come_back)
        self.icon.activated.connect(self._activated)
        self.icon.messageClicked.connect(window.come_back)
        self._again = QTimer(self, interval=LOOK_AGAIN_MS)
        self._again.timeout.connect(self.appear)
        self.appear()

    def appear(self) -> bool:
        """Show the icon if there is a tray; tell whether there is."""
        there = self.there()
        if there:
            self._again.stop()
            self.icon.show()
        elif not self._again.isActive():
            self._again.start()
        return there

    def notices(self) -> QSystemTrayIcon | None:
        """Return what shows notices of the desktop; None where nothing does."""
        return self.icon if self.appear() and QSystemTrayIcon.supportsMessages() else None

    def refresh(self) -> None:
        """Say how the engine is now; a locked window keeps its figures to itself."""
        header, locked = self._window.header, self._window.lock.is_on
        word = header.state_key
        if word != self._looked:
            self._looked = word
            self.icon.setIcon(icon_of(word))
        said = [state_look("engine", word).word, *([] if locked else self._figures())]
        text = " · ".join(said)
        if text != self.state.text():
            self.state.setText(text)
            self.icon.setToolTip(tr("Execution Engine\n{text}").format(text=text))

    def say_it_stays(self) -> None:
        """Say, the first time, where the window went."""
        if not self._told and (tray := self.notices()) is not None:
            self._told = True
            tray.showMessage("Execution Engine", STAYS, tray.icon())

    def leave(self) -> None:
        """Take the icon away."""
        self._again.stop()
        self.icon.hide()

    def _figures(self) -> list[str]:
        window = self._window
        groups = open_groups(window.bridge)
        if not groups:
            return [tr("nothing is open")]
        sums = window.holdings.sums(shown_world(window.bridge), window.bridge.doors.now())
        result = [] if sums.unrealized is None else [f"{signed_usd(sums.unrealized)} USD"]
        return [tr("{count} open").format(count=counted(len(groups), tr("group"), tr("groups"))), *result]

    def _activated(self, reason: QSystemTrayIcon.ActivationReason) -> None:
        """Show the window at a click; on macOS a click opens the menu."""
        clicks = (QSystemTrayIcon.ActivationReason.Trigger, QSystemTrayIcon.ActivationReason.DoubleClick)
        if reason in clicks and sys.platform != "darwin":
            self._window.come_back()


def icon_of(state: str) -> QIcon:
    """Return the application's icon with the shape of a state at its lower right."""
    look = state_look("engine", state)
    made = QIcon()
    for size in SIZES:
        pixmap = drawn(size)
        painter = QPainter(pixmap)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        side = size * 0.5
        at = QPointF(size - side, size - side)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(DARK.chrome))
        painter.drawEllipse(QRectF(at.x() - side * 0.08, at.y() - side * 0.08, side * 1.16, side * 1.16))
        ink = QColor(DARK.colours()[look.token])
        draw_shape(painter, look.shape, QRectF(at.x(), at.y(), side, side), ink)
        painter.end()
        made.addPixmap(pixmap)
    return made
