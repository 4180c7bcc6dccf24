"""Local exchanges started by hand, in a process of their own, and the application led to them."""

from __future__ import annotations

import asyncio
import json
import signal
import ssl
import sys
from pathlib import Path
from typing import Any

import aiohttp
import ccxt.pro
import certifi
import pytest

from execution_engine.adapters.exchanges.ccxt_client import new_session
from tests.exchanges import LocalExchanges
from tests.exchanges.application import lead_to
from tests.exchanges.world import LocalNames


@pytest.mark.skipif(sys.platform == "win32", reason="there is no Ctrl+C to send there")
async def test_an_exchange_started_by_hand_tells_how_to_reach_it_and_takes_orders() -> None:
    arguments = ("-m", "tests.exchanges", "okx", "--still")
    process = await asyncio.create_subprocess_exec(
        sys.executable, *arguments, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stdin is not None
    try:
        said = ""
        while "Ctrl+C" not in said:
            said += (await process.stdout.readline()).decode()
        routes = routes_in(said)
        hosts = {host: tuple(where) for host, where in routes["hosts"].items()}
        keys = next(each for each in routes["accounts"] if each["mode"] == "demo")
        connector = aiohttp.TCPConnector(
            resolver=LocalNames(hosts, []), ssl=ssl.create_default_context(cafile=routes["ca_file"])
        )
        async with aiohttp.ClientSession(connector=connector) as session:
            client = ccxt.pro.okx({"session": session, "apiKey": keys["api_key"], "secret": keys["secret"]})
            client.password, client.timeout_on_exit = keys["passphrase"], 0
            client.set_sandbox_mode(True)
            await client.create_order("BTC/USDT", "limit", "buy", 0.01, 60000, {"clientOrderId": "a1"})
            process.stdin.write(b"BTCUSDT 59000\n")
            while (await client.fetch_order(None, "BTC/USDT", {"clientOrderId": "a1"}))["status"] == "open":
                pass
            await client.close()
    finally:
        process.send_signal(signal.SIGINT)
        await process.wait()
    assert not folder_of(routes).exists()


def folder_of(routes: Any) -> Path:
    return Path(routes["ca_file"]).parent


def routes_in(said: str) -> Any:
    return json.loads(Path(said.split("Both as JSON:")[1].split()[0]).read_text())


async def test_the_applications_own_connections_can_be_led_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aiohttp, "ThreadedResolver", aiohttp.ThreadedResolver)
    monkeypatch.setattr(certifi, "where", certifi.where)
    async with LocalExchanges("okx") as world:
        lead_to(world.routes_file)
        async with new_session() as session, session.get("https://www.okx.com/api/v5/public/time") as answer:
            assert (await answer.json())["code"] == "0"
        async with new_session() as session:
            with pytest.raises(aiohttp.ClientConnectorError):
                await session.get("https://example.com/")
