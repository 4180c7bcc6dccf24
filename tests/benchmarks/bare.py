"""The bare baseline: aiohttp takes a body, a thread commits one row with `synchronous=FULL`, 200 goes out."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import web


@asynccontextmanager
async def bare_server(folder: Path) -> AsyncIterator[str]:
    """Run the baseline and yield its URL."""
    writer = ThreadPoolExecutor(1)
    database = writer.submit(_open, folder / "bare.sqlite").result()

    def commit(text: str) -> None:
        database.execute("INSERT INTO bodies (body) VALUES (?)", (text,))
        database.commit()

    async def take(request: web.Request) -> web.Response:
        text = await request.text()
        json.loads(text)
        await asyncio.get_running_loop().run_in_executor(writer, commit, text)
        return web.json_response({"status": "accepted"})

    application = web.Application()
    application.router.add_post("/", take)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = site._server.sockets[0].getsockname()[1]  # type: ignore[union-attr]
    try:
        yield f"http://127.0.0.1:{port}/"
    finally:
        await runner.cleanup()
        writer.submit(database.close).result()
        writer.shutdown()


def _open(path: Path) -> sqlite3.Connection:
    database = sqlite3.connect(path)
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("PRAGMA synchronous=FULL")
    database.execute("CREATE TABLE bodies (id INTEGER PRIMARY KEY, body TEXT)")
    return database
