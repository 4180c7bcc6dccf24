"""Notices when the event loop stands still, and what holds it: a thread that rings four times a second.

Asking for an answer costs next to nothing; only where none comes is the stack of the loop's thread looked at.
"""

from __future__ import annotations

import faulthandler
import re
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

EVERY_S = 0.25
PATIENCE_S = 0.05
FRAMES = 8
_LINE = re.compile(r'^  File "(.*)", line (\S+) in (.*)$', re.MULTILINE)


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
    """Return where a thread is: files, lines and functions, no values.

    Python's own frames would keep what is in them, painters and windows too, and let go of it on this thread.
    """
    told = ""
    with suppress(OSError), tempfile.TemporaryFile() as file:  # the disk may be full
        faulthandler.dump_traceback(file, all_threads=True)
        file.seek(0)
        told = file.read().decode(errors="replace")
    found = re.search(rf"hread 0x0*{thread:x}\b.*\n((?:  .*\n)*)", told)
    lines = _LINE.findall(found[1])[:FRAMES] if found else []
    return " < ".join(f"{Path(file).name}:{line} {function}" for file, line, function in lines)
