"""Notices when the event loop stands still, and what holds it: a thread that rings four times a second.

Asking for an answer costs next to nothing; only where none comes is the stack of the loop's thread looked at.
"""

from __future__ import annotations

import sys
import threading
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

EVERY_S = 0.25
PATIENCE_S = 0.05
FRAMES = 8


class Watchdog:
    """Watches the thread that makes it.

    soon: has something called on the loop, from any thread. noticed: called on the watchdog's thread when there is
    no answer, with the stack. over: called there with how long it took [s] and that stack.
    """

    def __init__(
        self,
        soon: Callable[[Callable[[], None]], object],
        over: Callable[[float, str], None],
        noticed: Callable[[str], None] = lambda stack: None,
        every_s: float = EVERY_S,
    ) -> None:
        self._soon = soon
        self._over = over
        self._noticed = noticed
        self._every_s = every_s
        self._watched = threading.get_ident()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Let the thread end; the loop may be gone afterwards."""
        self._stopping.set()

    def _watch(self) -> None:
        with suppress(RuntimeError):  # the loop was closed
            while not self._stopping.wait(self._every_s):
                self._ring()

    def _ring(self) -> None:
        answered = threading.Event()
        began = time.monotonic()
        self._soon(answered.set)
        if answered.wait(PATIENCE_S):
            return
        stack = stack_of(self._watched)
        self._noticed(stack)
        while not answered.wait(1):
            if self._stopping.is_set():
                return
        self._over(time.monotonic() - began, stack)


def stack_of(thread: int) -> str:
    """Return where a thread is: files, lines and functions, no values."""
    frame = sys._current_frames().get(thread)
    if frame is None:
        return ""
    found = traceback.extract_stack(frame)[-FRAMES:]
    return " < ".join(f"{Path(each.filename).name}:{each.lineno} {each.name}" for each in reversed(found))
