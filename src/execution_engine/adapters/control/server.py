"""The engine's end of the command socket."""

from __future__ import annotations

import asyncio
import contextlib
import secrets as random
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from loguru import logger

from execution_engine.adapters.control.messages import pieces, read_request
from execution_engine.domain.errors import EngineError

if sys.platform == "win32":
    from execution_engine.adapters.control.windows import serve
else:
    from execution_engine.adapters.control.posix import serve

Handle = Callable[[str, dict[str, Any]], Awaitable[Any]]

CHUNK_CHARACTERS = 64 * 1024


class ControlServer:
    """Answers commands while it is started.

    `handle` gets the command and its arguments and returns what JSON can hold (decimals and times are written
    as text). An `EngineError` that it raises is told in its own words, anything else is logged as a bug.
    """

    def __init__(self, path: Path, handle: Handle, *, request_s: float = 10.0) -> None:
        self._path = path
        self._handle = handle
        self._request_s = request_s
        self._talks: set[asyncio.Task[Any]] = set()
        self._close: Callable[[], None] | None = None

    async def start(self) -> None:
        """Answer from now on. Raises ControlError."""
        self._close = await serve(self._path, self._talk)

    async def stop(self, grace_s: float = 2.0) -> None:
        """Take no more commands; those at work may finish within `grace_s`."""
        close, self._close = self._close, None
        if close is not None:
            close()
        # The command that ends the engine stops this server from within: it must not wait for itself.
        others = self._talks - {asyncio.current_task()}
        if others:
            _, late = await asyncio.wait(others, timeout=grace_s)
            for talk in late:
                talk.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection; whatever goes wrong in it ends it alone."""
        task = asyncio.current_task()
        assert task is not None
        self._talks.add(task)
        try:
            await self._serve(reader, writer)
        except OSError:
            pass  # the other side is gone and needs no answer
        except Exception:
            logger.bind(category="SYSTEM").exception("An answer on the command socket broke off")
            writer.transport.abort()  # without its last line the client knows that something is missing
        except asyncio.CancelledError:
            writer.transport.abort()  # what nobody reads would be waited for without end; this task ends here
        finally:
            self._talks.discard(task)
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(self._request_s):
                line = await reader.readline()
        except TimeoutError:
            await _write(writer, _failed("No whole request came in time."))
        except ValueError:
            await _write(writer, _failed("The request is larger than 1 MiB."))
        else:
            if line.strip():  # whoever only wants to know whether somebody is here sends nothing
                await _write(writer, await self._answer(line))

    async def _answer(self, line: bytes) -> dict[str, Any]:
        """Carry out one request and say how it went."""
        request = read_request(line)
        if request is None:
            return _failed('A request is one line: {"command": "…", "args": {…}}.')
        command, args = request
        try:
            return {"ok": True, "result": await self._handle(command, args)}
        except EngineError as error:
            return _failed(str(error))
        except Exception:
            number = random.token_hex(4)
            logger.bind(category="SYSTEM").exception("Command “{}” failed ({})", command[:50], number)
            return _failed(f"“{command[:50]}” failed inside the engine; the log says more under {number}.")


def _failed(sentence: str) -> dict[str, Any]:
    return {"ok": False, "error": sentence}


async def _write(writer: asyncio.StreamWriter, answer: dict[str, Any]) -> None:
    """Write an answer of any size while the loop goes on with its other work."""
    waiting: list[str] = []
    size = 0
    for piece in pieces(answer):
        waiting.append(piece)
        size += len(piece)
        if size >= CHUNK_CHARACTERS:
            writer.write("".join(waiting).encode())
            waiting, size = [], 0
            await writer.drain()
        await asyncio.sleep(0)
    writer.write("".join([*waiting, "\n"]).encode())
    await writer.drain()
