"""One run of a tunnel's program: from its start to its end, with what it says."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

KEPT_LINES = 30
LONGEST_LINE = 16 * 1024
END_S = 3.0
ASK_S = 10.0


class Process:
    """A program that runs until it ends by itself or is ended; every line of it is handed on."""

    def __init__(self, heard: Callable[[str], None]) -> None:
        self._heard = heard
        self.lines: deque[str] = deque(maxlen=KEPT_LINES)
        self._running: asyncio.subprocess.Process | None = None
        self._reading: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int:
        return self._running.pid if self._running is not None else 0

    async def start(self, path: str, arguments: Sequence[str]) -> None:
        """Start it. Raises OSError."""
        self._running = await asyncio.create_subprocess_exec(
            path,
            *arguments,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            limit=LONGEST_LINE,
            **_apart(),
        )
        self._reading = asyncio.get_running_loop().create_task(
            self._read(self._running), name="tunnel output"
        )

    async def _read(self, running: asyncio.subprocess.Process) -> None:
        assert running.stdout is not None
        while True:
            try:
                raw = await running.stdout.readline()
            except ValueError:  # a line without end; what was read of it is gone
                continue
            if not raw:
                return
            line = raw.decode("utf-8", "replace").strip()
            if line:
                self.lines.append(line)
                self._heard(line)

    async def ended(self) -> int:
        """Wait for its end; return its status."""
        assert self._running is not None
        status = await self._running.wait()
        if self._reading is not None:
            # Whoever it started may hold its output open for ever.
            await asyncio.wait({self._reading}, timeout=1.0)
        return status

    async def end(self) -> None:
        """Ask it to end, and make it if it does not."""
        if self._running is not None and self._running.returncode is None:
            self._signal(signal.SIGTERM)
            try:
                async with asyncio.timeout(END_S):
                    await self._running.wait()
            except TimeoutError:
                self._signal(getattr(signal, "SIGKILL", signal.SIGTERM))
                await self._running.wait()
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)

    def _signal(self, number: int) -> None:
        assert self._running is not None
        with suppress(ProcessLookupError):
            if hasattr(os, "killpg"):
                os.killpg(self._running.pid, number)
            elif number == signal.SIGTERM:
                self._running.terminate()
            else:
                self._running.kill()


async def output(path: str, arguments: Sequence[str]) -> str:
    """Run a program to its end and return what it printed. Raises OSError or TimeoutError."""
    running = await asyncio.create_subprocess_exec(
        path,
        *arguments,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        **_apart(),
    )
    try:
        async with asyncio.timeout(ASK_S):
            printed, _ = await running.communicate()
    finally:
        if running.returncode is None:
            with suppress(ProcessLookupError):
                running.kill()
            await running.wait()
    return printed.decode("utf-8", "replace")


def _apart() -> dict[str, Any]:
    """Keep Ctrl-C in our terminal from reaching it: it is ended when we are, in order."""
    if sys.platform == "win32":
        return {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW}
    return {"start_new_session": True}
