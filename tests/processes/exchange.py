"""An exchange in a process of its own, spoken to over HTTP: the paper exchange behind a web server.

`python -m tests.processes.exchange --port 0 --file exchange.sqlite --clock clock` prints the port that it
listens on. Traders call `/orders`, `/cancels`, `/order`, `/open_orders`, `/fills`, `/balances` and listen to
`/stream`; whoever runs it moves markets with `/prices` and orders faults with `/trouble`.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import TypeVar

from aiohttp import web

from execution_engine.adapters.exchanges import instruments
from execution_engine.adapters.exchanges.paper import PaperExchange
from execution_engine.adapters.exchanges.paper_rows import PaperTerms
from execution_engine.domain.inputs import (
    AccountUnreadable,
    Balances,
    Fills,
    Input,
    OpenOrders,
    OrderReport,
    Price,
)
from execution_engine.domain.instrument import Market
from execution_engine.domain.rows import Order
from execution_engine.domain.symbols import Catalogue
from execution_engine.main import resources
from tests.processes import wire
from tests.processes.clock import SharedClock
from tests.processes.trouble import Trouble, Troubles

VALID_S = 1.0  # a request that took longer to get here is not carried out any more
TICK_S = 1.0  # how often the stream repeats every price, so that silence means something
SILENCE_S = 30.0
PAGE = b"<html><body>Bad gateway</body></html>"
ACCOUNTS = {"paper": Market.SPOT, "paper-perp": Market.SWAP}

Answer = Callable[[web.Request], Awaitable[bytes]]
_Read = TypeVar("_Read", OpenOrders, Fills, Balances)


class Exchange:
    """The routes. Every answer says what is durable on this side."""

    def __init__(self, file: Path, clock: SharedClock) -> None:
        self._clock = clock
        self._catalogue = Catalogue(instruments.load(resources() / "instruments.json"))
        self._troubles = Troubles()
        self._listeners: dict[asyncio.Queue[Input], str] = {}
        self._journal: list[list[str]] = []  # call and account of every request, in their order of arrival
        terms = PaperTerms(start_balance_usd=Decimal(1_000_000))
        self.paper = PaperExchange(file, self._catalogue.get, clock, self._say, lambda: terms)
        for name, market in ACCOUNTS.items():
            self.paper.open_account(name, market)

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/orders", self._faulty("place", self._place)),
            web.post("/cancels", self._faulty("cancel", self._cancel)),
            web.post("/order", self._faulty("look", self._look)),
            web.get("/open_orders", self._faulty("open_orders", self._open_orders)),
            web.get("/fills", self._faulty("fills", self._fills)),
            web.get("/balances", self._faulty("balances", self._balances)),
            web.get("/stream", self._stream),
            web.post("/prices", self._move),
            web.post("/trouble", self._trouble),
            web.get("/journal", self._read_journal),
        ]

    # -- for traders

    async def _place(self, request: web.Request) -> bytes:
        return wire.REPORTS.dump_json(list(await self.paper.place(await self._orders("place", request))))

    async def _cancel(self, request: web.Request) -> bytes:
        return wire.REPORTS.dump_json(list(await self.paper.cancel(await self._orders("cancel", request))))

    async def _look(self, request: web.Request) -> bytes:
        (order,) = await self._orders("look", request)
        return wire.REPORTS.dump_json([await self.paper.look(order)])

    async def _orders(self, call: str, request: web.Request) -> list[Order]:
        tickets = wire.TICKETS.validate_json(await request.read())
        self._journal += [[call, account] for account in {ticket.account: None for ticket in tickets}]
        return list(map(wire.order, tickets))

    def _account(self, call: str, request: web.Request) -> str:
        account = request.query["account"]
        self._journal.append([call, account])
        return account

    async def _open_orders(self, request: web.Request) -> bytes:
        return wire.write_open_orders(
            _sound(await self.paper.open_orders(self._account("open_orders", request)))
        )

    async def _fills(self, request: web.Request) -> bytes:
        since = datetime.fromisoformat(request.query["since"])
        return wire.write_fills(_sound(await self.paper.fills(self._account("fills", request), since)))

    async def _balances(self, request: web.Request) -> bytes:
        return wire.BALANCES.dump_json(_sound(await self.paper.balances(self._account("balances", request))))

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        """Say everything about one account, and every price of its market, for as long as somebody listens."""
        answer = web.StreamResponse()
        await answer.prepare(request)
        heard: asyncio.Queue[Input] = asyncio.Queue()
        account = request.query["account"]
        self._listeners[heard] = account
        try:
            await answer.write(b"".join(map(wire.write_line, self._ticks(account))) + b"\n")
            while True:
                try:
                    said = [await asyncio.wait_for(heard.get(), TICK_S)]
                except TimeoutError:
                    said = list(self._ticks(account))
                await answer.write(b"".join(map(wire.write_line, said)))
        except ConnectionError:
            return answer
        finally:
            del self._listeners[heard]

    def _ticks(self, account: str) -> list[Input]:
        now = self._clock.now()
        return [replace(price, at=now) for price in self.paper.prices() if self._concerns(price, account)]

    def _say(self, said: Input) -> None:
        for heard, account in self._listeners.items():
            if self._concerns(said, account):
                heard.put_nowait(said)

    def _concerns(self, said: Input, account: str) -> bool:
        if isinstance(said, Price):
            found = self._catalogue.get(*said.key)
            return found is not None and found.market is ACCOUNTS[account]
        return isinstance(said, OrderReport | Balances) and said.account == account

    def _faulty(self, call: str, answer: Answer) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        """Let a request and its answer travel, and let happen to them what was ordered."""

        async def respond(request: web.Request) -> web.StreamResponse:
            arrived = asyncio.get_running_loop().time()
            trouble = self._troubles.draw(call)
            await asyncio.sleep(self._troubles.pause_s())
            late = asyncio.get_running_loop().time() - arrived > VALID_S
            if trouble is Trouble.LOST:
                return _broken(request)
            if trouble is Trouble.ERROR or late:
                return web.Response(status=500, body=PAGE, content_type="text/html")
            body = await answer(request)
            await asyncio.sleep(self._troubles.pause_s())
            return await _told(request, trouble, body)

        return respond

    # -- for whoever runs it

    async def _move(self, request: web.Request) -> web.Response:
        """Set prices and answer once all that they fill is durable: `[["binance", "BTCUSDT", "64000"], …]`."""
        now = self._clock.now()
        moved = [
            Price(exchange=exchange, symbol=symbol, last=Decimal(last), at=now)
            for exchange, symbol, last in await request.json()
        ]
        failed = await self.paper.move(moved)
        return web.Response(status=500 if failed else 200, text=str(failed or ""))

    async def _trouble(self, request: web.Request) -> web.Response:
        self._troubles.order(await request.json())
        return web.json_response(self._troubles.tell())

    async def _read_journal(self, request: web.Request) -> web.Response:
        return web.json_response(self._journal)


def _sound(read: _Read | AccountUnreadable) -> _Read:
    if isinstance(read, AccountUnreadable):
        raise web.HTTPServiceUnavailable(text=read.reason)
    return read


def _broken(request: web.Request) -> web.Response:
    if request.transport is not None:  # whoever asked may be dead
        request.transport.abort()
    return web.Response()


async def _told(request: web.Request, trouble: Trouble | None, body: bytes) -> web.StreamResponse:
    if trouble is Trouble.UNANSWERED:
        return _broken(request)
    if trouble is Trouble.ERROR_AFTER:
        return web.Response(status=500, body=PAGE, content_type="text/html")
    if trouble is Trouble.NONSENSE:
        return web.Response(body=PAGE, content_type="text/html")
    if trouble is Trouble.SILENT:
        await asyncio.sleep(SILENCE_S)
    if trouble is not Trouble.CUT:
        return web.Response(body=body, content_type="application/json")
    answer = web.StreamResponse()
    answer.content_length = len(body)
    await answer.prepare(request)
    await answer.write(body[: len(body) // 2])
    return _broken(request)


async def serve(file: Path, clock: Path, port: int) -> None:
    exchange = Exchange(file, SharedClock(clock))
    application = web.Application()
    application.add_routes(exchange.routes())
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port, reuse_address=True)
    await site.start()
    sys.stdout.write(json.dumps(runner.addresses[0][1]) + "\n")
    sys.stdout.flush()
    try:
        # Whoever started it holds its input open; it does not outlive them.
        await asyncio.to_thread(sys.stdin.read)
    finally:
        await runner.cleanup()
        await asyncio.to_thread(exchange.paper.close)


def run(arguments: Sequence[str]) -> int:
    """Serve until whoever started it is gone."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--file", type=Path, required=True)
    parser.add_argument("--clock", type=Path, required=True)
    given = parser.parse_args(arguments)
    with suppress(KeyboardInterrupt):
        asyncio.run(serve(given.file, given.clock, given.port))
    return 0


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
