"""The loop of a program with a window: qasync's, which does what is due in one turn.

qasync makes a timer of Qt for every callback that is due at once, and an alert's way to its orders has dozens
of them. Here they wait in a line, and one timer wakes the loop for all that stand in it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from contextvars import Context
from typing import Any

import qasync
from PySide6.QtCore import QCoreApplication, QTimer


class Loop(qasync.QEventLoop):
    """Runs coroutines and a window on one thread."""

    def __init__(self, qt: QCoreApplication) -> None:
        """Make the loop of an application that is not running yet."""
        self._due: deque[asyncio.Handle] = deque()
        self._wake = QTimer(interval=0)
        self._wake.setSingleShot(True)
        self._wake.timeout.connect(self._turn)
        super().__init__(qt, already_running=False)

    def call_soon(
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        """Have something called in the loop's next turn, in the order in which it was asked for."""
        return self._add_callback(asyncio.Handle(callback, args, self, context=context))

    def _add_callback(self, handle: asyncio.Handle, delay: float = 0) -> asyncio.Handle:
        if delay > 0:
            later: asyncio.Handle = super()._add_callback(handle, delay)
            return later
        self._due.append(handle)
        if not self._wake.isActive():
            self._wake.start()
        return handle

    def _turn(self) -> None:
        """Run what was due when the turn began; what that makes due has to wait for sockets and the window.

        A menu or a dialog that is shown by one of them has turns of its own meanwhile.
        """
        for _ in range(len(self._due)):
            if not self._due:
                return
            handle = self._due.popleft()
            if not handle.cancelled():
                handle._run()

    def close(self) -> None:
        """Release everything; what is still due is not run any more."""
        super().close()
        self._wake.stop()
        self._due.clear()
