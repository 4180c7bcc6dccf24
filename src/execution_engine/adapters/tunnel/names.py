"""Looking up names without making anybody wait at the end."""

from __future__ import annotations

import asyncio
import socket
import threading
from contextlib import suppress
from typing import Any

from aiohttp.abc import AbstractResolver, ResolveResult


class SystemNames(AbstractResolver):
    """Asks the system on a thread that nobody joins.

    While a machine is not online a name server may take half a minute to say nothing; the loop's own threads
    are waited for at the end, and the application with them.
    """

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Return the addresses of a name. Raises OSError."""
        loop = asyncio.get_running_loop()
        found: asyncio.Future[list[Any]] = loop.create_future()

        def look() -> None:
            try:
                result: list[Any] | OSError = socket.getaddrinfo(host, port, family, socket.SOCK_STREAM)
            except OSError as error:
                result = error
            except UnicodeError:  # no name at all
                result = OSError(socket.EAI_NONAME, "no name that could be looked up")
            with suppress(RuntimeError):  # the loop may be gone by now
                loop.call_soon_threadsafe(_tell, found, result)

        threading.Thread(target=look, name="a name is looked up", daemon=True).start()
        return [
            ResolveResult(
                hostname=host,
                host=place[0],
                port=place[1],
                family=kind,
                proto=proto,
                flags=socket.AI_NUMERICHOST,
            )
            for kind, _, proto, _, place in await found
        ]

    async def close(self) -> None:
        """Nothing is kept."""


def _tell(found: asyncio.Future[list[Any]], result: list[Any] | OSError) -> None:
    if found.done():
        return
    if isinstance(result, OSError):
        found.set_exception(result)
    else:
        found.set_result(result)
