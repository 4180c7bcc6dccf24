"""Reads an exchange's markets in a process of its own, because parsing them would hold the window.

The process has no network and no keys: what ccxt wants to ask goes through a pipe, and whoever started the
process asks it and passes the answer back.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from datetime import datetime
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from execution_engine.adapters.exchanges.catalogue import VENUES
from execution_engine.adapters.exchanges.ccxt_client import build
from execution_engine.adapters.exchanges.ccxt_market_file import write
from execution_engine.domain.instrument import Market
from execution_engine.domain.rows import Mode

DONE = "done"
ENDED = "ended"


class Courier:
    """Stands where ccxt expects its connections, and carries each request to the other end of the pipe."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe
        self.headers: dict[str, str] = {}

    def get(self, url: Any, *, headers: Mapping[str, str] | None = None, **more: Any) -> Carried:
        self._pipe.send_bytes(json.dumps({"url": str(url), "headers": dict(headers or {})}).encode())
        said = json.loads(self._pipe.recv_bytes())
        return Carried(said["status"], said["reason"], said["headers"], self._pipe.recv_bytes())


class Carried:
    """An answer as ccxt reads it from aiohttp."""

    def __init__(self, status: int, reason: str, headers: dict[str, str], body: bytes) -> None:
        self.status = status
        self.reason = reason
        self.headers = headers
        self._body = body

    async def text(self, errors: str = "strict") -> str:
        return self._body.decode("utf-8", errors)

    async def __aenter__(self) -> Carried:
        return self

    async def __aexit__(self, *gone: object) -> None:
        return None


def work(pipe: Connection, name: str, market: str, mode: str, path: str, at: str) -> None:
    """Read the markets of an exchange into a file and tell how many, and how many ended; the process's whole life."""
    venue, kind = VENUES[name], Market(market)
    try:
        exchange, _ = build(venue, kind, Mode(mode), None, Courier(pipe))
        exchange.enableRateLimit = False
        found = asyncio.run(_read(exchange))
        written = write(Path(path), venue, kind, found, datetime.fromisoformat(at))
        said: dict[str, Any] = {DONE: written.count, ENDED: written.ended}
    except Exception as error:
        said = {DONE: 0, "error": f"{type(error).__name__}: {error}"[:500]}
    pipe.send_bytes(json.dumps(said).encode())
    pipe.close()


async def _read(exchange: Any) -> Any:
    # One question after the other: the pipe has one end.
    try:
        return await exchange.fetch_markets()
    finally:
        exchange.session = None  # there is nothing to close; ccxt would complain on the terminal
