"""A Unix domain socket in the data folder that only its user can open."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import socket
import stat
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from execution_engine.adapters.control.messages import (
    MOST_REQUEST_BYTES,
    CommandFailed,
    ControlError,
    NotRunning,
)

assert sys.platform != "win32"  # Windows has a pipe instead; this tells the type checker

MOST_PATH_BYTES = 100  # the system's own limit is 104 on macOS and 108 on Linux
CHUNK_BYTES = 64 * 1024

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def socket_path(path: Path) -> Path:
    """Return where the socket for this path really is: elsewhere, where the path is too long for the system.

    Asks no environment variable, so that engine and command line find the same place however they were started.
    """
    if len(os.fsencode(path)) <= MOST_PATH_BYTES:
        return path
    name = hashlib.sha256(os.fsencode(os.path.realpath(path))).hexdigest()[:24]
    return Path("/tmp") / f"execution-engine-{os.getuid()}" / f"{name}.sock"


async def serve(path: Path, talk: Talk) -> Callable[[], None]:
    """Listen, and return what ends it. Raises ControlError."""
    listening, close = _listen(path)
    server = await asyncio.start_unix_server(talk, sock=listening, limit=MOST_REQUEST_BYTES)

    def close_both() -> None:
        server.close()
        close()

    return close_both


def _listen(path: Path) -> tuple[socket.socket, Callable[[], None]]:
    """Make the socket; the second value removes its file again."""
    real = socket_path(path)
    try:
        if real == path:
            real.parent.mkdir(parents=True, exist_ok=True)
        else:
            real.parent.mkdir(mode=0o700, exist_ok=True)
            _check_private(real.parent)
        _remove_stale(real)
        listening = _bound(real)
        ours = real.stat().st_ino
    except OSError as error:
        raise ControlError(f"The command socket {real} cannot be opened: {error.strerror}.") from error

    def remove() -> None:
        with contextlib.suppress(OSError):
            if real.stat().st_ino == ours:  # a later engine may have put its own there
                real.unlink()

    return listening, remove


def _bound(path: Path) -> socket.socket:
    listening = socket.socket(socket.AF_UNIX)
    before = os.umask(0o177)  # nobody else can open it, from its first moment on
    try:
        listening.bind(os.fspath(path))
    except OSError:
        listening.close()
        raise
    finally:
        os.umask(before)
    return listening


def _check_private(folder: Path) -> None:
    """Refuse a folder that stands in for a long path if somebody else laid it out."""
    kind = folder.lstat()
    if not stat.S_ISDIR(kind.st_mode) or kind.st_uid != os.getuid() or kind.st_mode & 0o077:
        raise ControlError(f"{folder} does not belong to this user alone; remove it and try again.")


def _remove_stale(path: Path) -> None:
    """Remove a socket that was left behind; one that is answered stays."""
    try:
        if not stat.S_ISSOCK(path.lstat().st_mode):
            raise ControlError(f"{path} is in the way of the command socket; move it elsewhere.")
    except FileNotFoundError:
        return
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(1)
        try:
            probe.connect(os.fspath(path))
        except ConnectionRefusedError:
            path.unlink(missing_ok=True)
            return
        except TimeoutError:
            pass  # somebody listens but is busy
    raise ControlError("Another engine is running with this data folder.")


def ask(path: Path, line: bytes, timeout: float) -> bytes:
    """Send one line and return what comes back. Raises NotRunning and CommandFailed."""
    real = socket_path(path)
    until = time.monotonic() + timeout
    try:
        if real != path:
            _check_private(real.parent)
        with socket.socket(socket.AF_UNIX) as asking:
            asking.settimeout(timeout)
            asking.connect(os.fspath(real))
            # An engine that refuses a request early does not read the rest of it, but it answers.
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                asking.sendall(line)
            return _answer(asking, until)
    except (FileNotFoundError, ConnectionRefusedError):
        raise NotRunning("No engine is running for this data folder.") from None
    except TimeoutError:
        raise CommandFailed(f"The engine did not answer within {timeout:g} s.") from None
    except ControlError as error:
        raise CommandFailed(str(error)) from None
    except OSError as error:
        raise CommandFailed(f"The engine cannot be asked: {error.strerror}.") from error


def _answer(asking: socket.socket, until: float) -> bytes:
    answer = bytearray()
    while not answer.endswith(b"\n"):
        asking.settimeout(max(until - time.monotonic(), 0.001))
        chunk = asking.recv(CHUNK_BYTES)
        if not chunk:
            break
        answer += chunk
    return bytes(answer)
