"""The application on the screen: made once, shown when the engine is there."""

from __future__ import annotations

import logging
from pathlib import Path

from PySide6.QtWidgets import QApplication, QSystemTrayIcon

from execution_engine.domain.facts import Fact
from execution_engine.domain.inputs import Balances, Price
from execution_engine.domain.rows import Row
from execution_engine.domain.updates import Offer
from execution_engine.ui import theme
from execution_engine.ui.bridge import Batch, Bridge
from execution_engine.ui.doors import Doors
from execution_engine.ui.frame.brand import app_icon
from execution_engine.ui.frame.memory import Memory
from execution_engine.ui.frame.trouble import Trouble
from execution_engine.ui.main_window import MainWindow
from execution_engine.ui.places import PLACES
from execution_engine.ui.widgets import Notice

log = logging.getLogger(__name__)

REMEMBERED = "window.json"


def create(resources: Path) -> QApplication:
    """Return Qt's application with our name, icon, fonts and a first theme.

    resources: the folder of shipped data.
    """
    qt = QApplication.instance()
    if not isinstance(qt, QApplication):
        qt = QApplication([])
    qt.setApplicationName("Execution Engine")
    qt.setDesktopFileName("execution-engine")
    qt.setQuitOnLastWindowClosed(False)
    qt.setWindowIcon(app_icon())
    theme.load_fonts(resources / "fonts")
    theme.apply(qt, "system")
    return qt


class Window:
    """What the roof knows of the screen: it is told what is released, and asks it to go."""

    def __init__(self, qt: QApplication) -> None:
        """Nothing is shown before `attach`."""
        self._qt = qt
        self.bridge = Bridge()
        self.main: MainWindow | None = None
        self._trouble = Trouble()
        self._trouble.install()
        self.bridge.changed.connect(self._changed)
        qt.commitDataRequest.connect(lambda _: self.session_ends())

    def attach(self, doors: Doors) -> None:
        """Show what is behind these doors; called again when the engine was built anew."""
        self.bridge.attach(doors)
        if self.main is None:
            self._qt.setApplicationVersion(doors.version)
            self.main = MainWindow(self.bridge, PLACES, Memory(doors.data_folder / REMEMBERED))
            self.main.quit_wished.connect(lambda: self.bridge.doors.quit())
            self._trouble.happened.connect(self.main.stage.blame)
            self.main.begin()
            self.main.show()
            log.info("the window was shown %.2f s after the start", self._age_s(doors))

    @property
    def is_locked(self) -> bool:
        """Return whether a lock covers what is on the screen."""
        return self.main is not None and self.main.lock.is_on

    @staticmethod
    def _age_s(doors: Doors) -> float:
        return (doors.now() - doors.started_at).total_seconds()

    def released(self, rows: tuple[Row, ...], facts: tuple[Fact, ...]) -> None:
        """Take in a durable change."""
        self.bridge.released(rows, facts)

    def price(self, price: Price) -> None:
        """Take in the newest price of a market."""
        self.bridge.price(price)

    def balances(self, read: Balances) -> None:
        """Take in what an account can spend."""
        self.bridge.balance(read)

    def tray(self) -> QSystemTrayIcon | None:
        """Return what shows notices of the desktop; None where nothing does."""
        return self.main.tray.notices() if self.main is not None else None

    def session_ends(self) -> None:
        """Go without asking: whoever logs out or switches the computer off has been asked by the system."""
        if self.main is not None:
            self.main.leave()

    def offer(self, offer: Offer) -> None:
        """Tell of a new version."""
        if self.main is not None:
            self.main.offer(offer)

    def say(self, title: str, sentence: str) -> None:
        """Say something that has to be read."""
        if self.main is not None:
            self.main.notify(Notice("error", title, sentence))

    def close(self) -> None:
        """Go without asking: the engine has ended."""
        self._trouble.leave()
        if self.main is not None:
            self.main.put_away()
            self.main.deleteLater()
            self.main = None

    def _changed(self, batch: Batch) -> None:
        """Put the theme of the settings on."""
        if not (batch.settings or batch.whole):
            return
        ui = self.bridge.doors.settings().ui
        wanted = (ui.theme.value, float(ui.scale), ui.comfortable)  # a size on the screen, not money
        if wanted != (theme.THEME.choice, theme.THEME.scale, theme.THEME.comfortable):
            theme.apply(self._qt, ui.theme.value, scale=float(ui.scale), comfortable=ui.comfortable)
