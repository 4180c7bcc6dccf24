"""Start the program so that it reaches local exchanges, or nothing at all.

    python -m tests.stories.led ROUTES.json [arguments of the program]

As `tests.exchanges.application`, but without what imports ccxt: when the program itself does is part of the story.
"""

from __future__ import annotations

import json
import multiprocessing
import socket
import sys
from pathlib import Path
from typing import Any

import aiohttp
import certifi
from aiohttp.abc import AbstractResolver, ResolveResult

from execution_engine.cli import main


class Names(AbstractResolver):
    """Knows the names in a routes file, and no others."""

    def __init__(self, hosts: dict[str, tuple[str, int]]) -> None:
        self._hosts = hosts

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        if host not in self._hosts:
            raise OSError(f"{host} is no local exchange")
        address, local_port = self._hosts[host]
        return [
            ResolveResult(
                hostname=host, host=address, port=local_port, family=socket.AF_INET, proto=0, flags=0
            )
        ]

    async def close(self) -> None:
        """Keep nothing."""


def lead(routes_file: Path) -> None:
    routes: dict[str, Any] = json.loads(routes_file.read_text())
    aiohttp.ThreadedResolver = lambda *_, **__: Names(routes["hosts"])  # type: ignore[assignment,misc]
    if routes["ca_file"]:
        certifi.where = lambda: routes["ca_file"]


if __name__ == "__main__":
    multiprocessing.freeze_support()
    lead(Path(sys.argv.pop(1)))
    sys.exit(main())
