"""Exceptions that nobody caught: written to the log, and told to the page they came from."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from types import TracebackType
from typing import Any

from PySide6.QtCore import QObject, Signal

log = logging.getLogger(__name__)


class Trouble(QObject):
    """Stand where Qt reports what a slot raised. happened: the exception, after it was logged."""

    happened = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        """Hear of nothing until `install`."""
        super().__init__(parent)
        self._before = sys.excepthook

    def install(self) -> None:
        """Hear of every uncaught exception from now on; what heard of them before still does for Ctrl+C."""
        self._before = sys.excepthook
        sys.excepthook = self.hear

    def leave(self) -> None:
        """Put back what heard of them before."""
        if sys.excepthook == self.hear:
            sys.excepthook = self._before

    def hear(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> Any:
        """Log an exception and pass it on."""
        if not issubclass(kind, Exception):
            self._before(kind, error, trace)
            return
        log.error("something went wrong in the window: %s", error, exc_info=(kind, error, trace))
        self.happened.emit(error)


def modules(error: BaseException) -> Iterator[str]:
    """Yield the modules that an exception went through, the outermost first."""
    trace = error.__traceback__
    while trace is not None:
        yield trace.tb_frame.f_globals.get("__name__", "")
        trace = trace.tb_next
