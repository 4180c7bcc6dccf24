"""What the window remembers between starts: a small JSON file in the data folder.

Losing it costs a few clicks, so a file that cannot be read is ignored and one that cannot be written too.
"""

from __future__ import annotations

import json
import logging
import os
from pathlib import Path
from typing import Any

from PySide6.QtCore import QByteArray, QObject, QTimer
from PySide6.QtWidgets import QSplitter, QWidget
from shiboken6 import isValid

from execution_engine.ui.tables import RowsView
from execution_engine.ui.tongue import source
from execution_engine.ui.widgets import SegmentedChoice

log = logging.getLogger(__name__)

SAVE_AFTER_MS = 1500
MODES = (".wide", ".narrow")


class Memory(QObject):
    """Values by name, written a moment after the last change."""

    def __init__(self, path: Path, parent: QObject | None = None) -> None:
        """Read what was remembered."""
        super().__init__(parent)
        self._path = path
        self._values = _read(path)
        self._changed: dict[str, RowsView | QSplitter] = {}
        self._followed: dict[str, RowsView | QSplitter] = {}
        self._first: dict[str, QByteArray] = {}
        self._mode = "wide"
        self._restoring = False
        self._timer = QTimer(self, singleShot=True, interval=SAVE_AFTER_MS)
        self._timer.timeout.connect(self.save)

    def text(self, name: str) -> str:
        """Return a value; empty when there is none."""
        value = self._values.get(name, "")
        return value if isinstance(value, str) else ""

    def put(self, name: str, value: str) -> None:
        """Remember a value."""
        if self._values.get(name) != value:
            self._values[name] = value
            self._timer.start()

    def bytes(self, name: str) -> QByteArray:
        """Return a value that was remembered with `put_bytes`."""
        return QByteArray.fromBase64(self.text(name).encode())

    def put_bytes(self, name: str, value: QByteArray) -> None:
        """Remember what Qt gives as bytes: geometry, state of a splitter."""
        self.put(name, bytes(value.toBase64().data()).decode())

    # Tables and splitters

    def follow(self, page: str, widget: QWidget) -> None:
        """Put every table and splitter of a page back as it was left, and remember what becomes of it."""
        parts: list[RowsView | QSplitter] = [*widget.findChildren(RowsView), *widget.findChildren(QSplitter)]
        self._follow_choices(page, widget)
        for number, part in enumerate(parts):
            name = f"{page}.{source(part.accessibleName()) or number}"
            self._followed[name] = part
            if isinstance(part, QSplitter):
                self._first[name] = part.saveState()
            signal = part.layout_changed if isinstance(part, RowsView) else part.splitterMoved
            signal.connect(lambda *_, name=name, part=part: self._touched(name, part))
        QTimer.singleShot(0, self, self._restore)

    def _follow_choices(self, page: str, widget: QWidget) -> None:
        for choice in widget.findChildren(SegmentedChoice):
            name = f"{page}.{source(choice.accessibleName())}"
            if self.text(name):
                choice.set_value(self.text(name))
                choice.chosen.emit(choice.value())
            choice.chosen.connect(lambda key, name=name: self.put(name, key))

    def forget(self, page: str = "") -> None:
        """Put tables and splitters of a page back as they were made; without a page, of all, and the window's place."""
        start = f"{page}." if page else ""
        for name, part in self._followed.items():
            if not name.startswith(start) or not isValid(part):
                continue
            if isinstance(part, RowsView):
                part.reset_layout()
            else:
                part.restoreState(self._first[name])
            self._changed.pop(name, None)
        for name in [each for each in self._values if each.endswith(MODES) and each.startswith(start)]:
            del self._values[name]
        if not page:
            self._values.pop("geometry", None)
        self._timer.start()

    def set_mode(self, mode: str) -> None:
        """Remember layouts of the wide and the narrow window apart."""
        if mode != self._mode:
            self._gather()
            self._mode = mode
            self._restoring = True
            # The pages lay themselves out for the new width first.
            QTimer.singleShot(0, self, self._restore)

    def _restore(self) -> None:
        self._restoring = True
        for name, part in self._followed.items():
            saved = self.text(f"{name}.{self._mode}")
            if saved and isValid(part):
                if isinstance(part, RowsView):
                    part.restore_layout(saved)
                else:
                    part.restoreState(self.bytes(f"{name}.{self._mode}"))
        self._restoring = False

    def _touched(self, name: str, part: RowsView | QSplitter) -> None:
        if not self._restoring:
            self._changed[name] = part
            self._timer.start()

    def _gather(self) -> None:
        for name, part in self._changed.items():
            if not isValid(part):
                continue
            if isinstance(part, RowsView):
                self.put(f"{name}.{self._mode}", part.save_layout())
            else:
                self.put_bytes(f"{name}.{self._mode}", part.saveState())
        self._changed.clear()

    def save(self) -> None:
        """Write everything now."""
        self._gather()
        self._timer.stop()
        beside = self._path.with_suffix(".new")
        try:
            beside.write_text(json.dumps(self._values, indent=1), "utf-8")
            os.replace(beside, self._path)
        except OSError as error:
            log.warning("the layout of the window could not be remembered: %s", error)


def _read(path: Path) -> dict[str, Any]:
    try:
        values = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return values if isinstance(values, dict) else {}
