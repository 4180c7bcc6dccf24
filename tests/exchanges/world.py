"""All local exchanges behind one TLS port, and the way there for a client that uses the real host names."""

from __future__ import annotations

import asyncio
import json
import shutil
import socket
import ssl
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Any

import aiohttp
import ccxt.pro
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult

from tests.exchanges import certificates
from tests.exchanges.binance import LocalBinance
from tests.exchanges.bybit import LocalBybit
from tests.exchanges.kucoin import LocalKucoin
from tests.exchanges.okx import LocalOkx
from tests.exchanges.server import LocalExchange
from tests.exchanges.venue import Account

KINDS: dict[str, type[LocalExchange]] = {
    kind.name: kind for kind in (LocalBinance, LocalBybit, LocalOkx, LocalKucoin)
}


class LocalNames(AbstractResolver):
    """Send the exchanges' names to this machine, and let no other name through."""

    def __init__(self, hosts: dict[str, tuple[str, int]], strangers: list[str]) -> None:
        self._hosts = hosts
        self._strangers = strangers

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        if host not in self._hosts:
            self._strangers.append(host)
            raise OSError(f"{host} is no local exchange")
        address, local_port = self._hosts[host]
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=local_port,
                family=socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
        ]

    async def close(self) -> None:
        """Keep nothing."""


class LocalExchanges:
    """The four, or those that are named. See the package's docstring."""

    def __init__(self, *names: str, port: int = 0) -> None:
        self._all = {name: KINDS[name]() for name in names or KINDS}
        self._port = port
        self._owners = {host: each for each in self._all.values() for host in each.hosts}
        self._sessions: list[aiohttp.ClientSession] = []
        self._clients: list[Any] = []
        self.beat_s = 1.0  # how often every price is told again, as markets that trade do all the time
        self.strangers: list[str] = []
        self.broken: list[Exception] = []  # faults of the local exchanges themselves: the test fails for them
        self.hosts: dict[str, tuple[str, int]] = {}

    def __getitem__(self, name: str) -> LocalExchange:
        return self._all[name]

    @property
    def binance(self) -> LocalBinance:
        found = self["binance"]
        assert isinstance(found, LocalBinance)
        return found

    @property
    def bybit(self) -> LocalExchange:
        return self["bybit"]

    @property
    def okx(self) -> LocalExchange:
        return self["okx"]

    @property
    def kucoin(self) -> LocalExchange:
        return self["kucoin"]

    async def __aenter__(self) -> LocalExchanges:
        self.folder = Path(tempfile.mkdtemp(prefix="local-exchanges-"))
        self.ca_file, tls = certificates.make(self.folder, self._owners)
        self.ssl_context = ssl.create_default_context(cafile=str(self.ca_file))
        app = web.Application(client_max_size=1 << 20)
        app.router.add_route("*", "/{path:.*}", self._handle)
        self._runner = web.AppRunner(
            app, access_log=None, handler_cancellation=True, shutdown_timeout=0.05, handle_signals=False
        )
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port, ssl_context=tls)
        await site.start()
        address, port = self._runner.addresses[0][:2]
        self.hosts.update(dict.fromkeys(self._owners, (address, port)))
        self._beating = asyncio.create_task(self._beat())
        self.resolver = LocalNames(self.hosts, self.strangers)
        self.routes_file = self.folder / "routes.json"
        self.routes_file.write_text(json.dumps({"ca_file": str(self.ca_file), "hosts": self.hosts}))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.gather(*(client.close() for client in self._clients))
        for session in self._sessions:
            await session.close()
        self._beating.cancel()
        for each in self._all.values():
            each.streams.drop()
        await self._runner.cleanup()
        shutil.rmtree(self.folder, ignore_errors=True)
        if self.broken and error is None:
            raise self.broken[0]

    def connector(self) -> aiohttp.TCPConnector:
        """Return a connector that reaches the local exchanges under their real names."""
        return aiohttp.TCPConnector(resolver=self.resolver, ssl=self.ssl_context, use_dns_cache=False)

    def session(self) -> aiohttp.ClientSession:
        """Return a session over such a connector; the world closes it."""
        session = aiohttp.ClientSession(connector=self.connector())
        self._sessions.append(session)
        return session

    def ccxt(self, name: str, account: Account | None = None, mode: str = "live", **config: Any) -> Any:
        """Return an unmodified ccxt.pro object with an account's keys and mode, routed here; closed with the world.

        Prices and amounts are text. config: as ccxt takes it; `options` are added to those a quick start needs.
        """
        # ccxt.pro compares a position's size with a number when it takes its first look at positions, and
        # fails unseen where numbers are text.
        no_first_look = {"fetchPositionsSnapshot": False, "awaitPositionsSnapshot": False}
        options = {"fetchCurrencies": False, "fetchMargins": False, "watchPositions": no_first_look}
        options |= config.pop("options", {})
        if name == "binance":
            options.setdefault("fetchMarkets", {"types": ["spot", "linear"]})
        mode = account.keys.mode if account else mode
        if name in self._all and mode not in self._all[name].modes:
            raise ValueError(f"{name} has no {mode}, only {', '.join(self._all[name].modes)}.")
        client = getattr(ccxt.pro, name)({"session": self.session(), "options": options} | config)
        client.number = str
        client.timeout_on_exit = 0
        if account is not None:
            client.apiKey, client.secret = account.keys.api_key, account.keys.secret
            client.password = account.keys.passphrase
        if mode == "testnet" or (mode == "demo" and name == "okx"):
            client.set_sandbox_mode(True)
        elif mode == "demo":
            client.enable_demo_trading(True)
        self._clients.append(client)
        return client

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(self.beat_s)
            for each in self._all.values():
                each.beat()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        host = request.headers["Host"].partition(":")[0]
        try:
            return await self._owners[host].handle(request, host)
        except ConnectionError:
            raise
        except Exception as error:
            self.broken.append(error)
            raise
