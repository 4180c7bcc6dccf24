"""A named pipe, where there are no Unix sockets.

Only read and type-checked: this has not run on Windows yet. Python makes the pipe with the system's default
rights: full access for this user, administrators and the system; everybody else may at most read, and so
cannot ask anything.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import sys
import threading
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from execution_engine.adapters.control.messages import (
    MOST_REQUEST_BYTES,
    CommandFailed,
    ControlError,
    NotRunning,
)

assert sys.platform == "win32"  # this tells the type checker

CHUNK_BYTES = 64 * 1024
BUSY = 231  # ERROR_PIPE_BUSY: every instance is taken, another one is made at once

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def pipe_name(path: Path) -> str:
    """Return the name of the pipe that stands for this path."""
    name = hashlib.sha256(os.path.realpath(path).lower().encode()).hexdigest()[:24]
    return rf"\\.\pipe\execution-engine-{name}"


async def serve(path: Path, talk: Talk) -> Callable[[], None]:
    """Listen, and return what ends it. Raises ControlError."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, asyncio.ProactorEventLoop)

    def protocol() -> asyncio.StreamReaderProtocol:
        reader = asyncio.StreamReader(limit=MOST_REQUEST_BYTES, loop=loop)
        return asyncio.StreamReaderProtocol(reader, talk, loop=loop)

    try:
        [server] = await loop.start_serving_pipe(protocol, pipe_name(path))
    except OSError as error:
        raise ControlError(f"The command pipe cannot be opened: {error}.") from error
    return server.close


def ask(path: Path, line: bytes, timeout: float) -> bytes:
    """Send one line and return what comes back. Raises NotRunning and CommandFailed."""
    told: list[bytes | OSError] = []

    def talk() -> None:
        try:
            told.append(_ask(pipe_name(path), line, time.monotonic() + timeout))
        except OSError as error:
            told.append(error)

    # On a thread, because a pipe that was opened as a file knows no time-out.
    thread = threading.Thread(target=talk, daemon=True)
    thread.start()
    thread.join(timeout)
    if not told:
        raise CommandFailed(f"The engine did not answer within {timeout:g} s.")
    answer = told[0]
    if isinstance(answer, FileNotFoundError):
        raise NotRunning("No engine is running for this data folder.")
    if isinstance(answer, OSError):
        raise CommandFailed(f"The engine cannot be asked: {answer}.")
    return answer


def _ask(name: str, line: bytes, until: float) -> bytes:
    while True:
        try:
            with open(name, "r+b", buffering=0) as pipe:
                pipe.write(line)
                answer = bytearray()
                while not answer.endswith(b"\n") and (chunk := pipe.read(CHUNK_BYTES)):
                    answer += chunk
                return bytes(answer)
        except OSError as error:
            if error.winerror != BUSY or time.monotonic() > until:
                raise
            time.sleep(0.02)
