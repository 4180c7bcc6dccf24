"""Put scenes on a window, one after another, and say when each stands still."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Iterable
from pathlib import Path

from PySide6.QtCore import QCoreApplication, QEvent
from PySide6.QtWidgets import QApplication, QDialog, QWidget

from execution_engine.ui.frame.memory import Memory
from execution_engine.ui.main_window import EAGER, MainWindow
from execution_engine.ui.places import PLACES
from execution_engine.ui.tables import RowsView
from tests.gallery.house import house_of, move, talk
from tests.gallery.scenes import Scene

TURNS = 8  # of the loop: reading, showing, laying out
TURN_S = 0.002


async def shown(scenes: Iterable[Scene], size: tuple[int, int]) -> AsyncIterator[tuple[Scene, QWidget]]:
    """Yield each scene with what is to be looked at: the window, or the dialog over it."""
    by_kind: dict[str, list[Scene]] = {}
    for scene in scenes:
        by_kind.setdefault(scene.kind, []).append(scene)
    for kind, some in by_kind.items():
        with tempfile.TemporaryDirectory() as folder:
            window = window_of(kind, Path(folder), size)
            for scene in some:
                before = _dialogs(window)
                window.go(scene.page)
                window.notices.hide()
                catch_up(window)
                await settle()
                if scene.opens is not None:
                    scene.opens(window)
                    await settle()
                fresh = [each for each in _dialogs(window) if each not in before]
                yield scene, fresh[-1] if fresh else window
                for each in fresh:
                    each.close()
                if scene.after is not None:
                    scene.after(window)
                await settle()
            window.put_away()
            window.deleteLater()
            QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


def window_of(kind: str, folder: Path, size: tuple[int, int]) -> MainWindow:
    """Return a window of a size with the sample data of a kind."""
    house = house_of(kind, folder)
    window = MainWindow(house.bridge, PLACES, Memory(folder / "window.json"))
    window.house = house  # type: ignore[attr-defined]  # kept as long as the window
    window.showNormal()
    window.resize(*size)
    for key in EAGER:
        window.stage.page(key)
    if kind in ("full", "long"):
        talk(house, long=kind == "long")
        move(house)
    return window


def catch_up(window: MainWindow) -> None:
    """Let pass what takes a second: the clock and the lights below, and the order of rows."""
    window._tick()
    for view in window.findChildren(RowsView):
        view.rows_model._pace.now()


def _dialogs(window: MainWindow) -> list[QWidget]:
    """Return what stands over the window now."""
    top = (each for each in QApplication.topLevelWidgets() if each.isVisible() and each is not window)
    return [each for each in top if isinstance(each, QDialog) or each.parentWidget() is window]


async def settle() -> None:
    """Let everything be read, shown and laid out."""
    for _ in range(TURNS):
        await asyncio.sleep(TURN_S)  # never a nested loop, which can end a task without a word
