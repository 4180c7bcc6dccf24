"""A listener with a desk that can be read, on a real socket, with clocks set by hand."""

import asyncio
import dataclasses
import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import aiohttp
from loguru import logger

from execution_engine.adapters.webhook import Limits, Listener, Secrets
from execution_engine.adapters.webhook.probes import Probes
from execution_engine.domain import document as settings_document
from execution_engine.domain.errors import Refusal, StoreFailed
from execution_engine.domain.inputs import AlertReceived, Answer, RequestRefused, SecurityAct, TokenUsed
from execution_engine.domain.instrument import Instrument, Market
from execution_engine.domain.rows import WebhookToken
from execution_engine.domain.symbols import Catalogue

TOKEN = "tok-4f1dc2a97b6e4c70"
NOW = datetime(2026, 11, 20, 14, 32, 8, tzinfo=UTC)

BTC = Instrument(
    exchange="binance",
    symbol="BTCUSDT",
    market=Market.SPOT,
    base="BTC",
    quote="USDT",
    tick=Decimal("0.01"),
    step=Decimal("0.00001"),
    min_qty=Decimal("0.00001"),
)


def entry(**more: Any) -> dict[str, Any]:
    return {
        "exchange": "BINANCE",
        "symbol": "BTCUSDT",
        "timeframe": "15",
        "action": "buy",
        "price": "64000",
        **more,
    }


def exit_(**more: Any) -> dict[str, Any]:
    return entry(market_position="flat", prev_market_position="long", action="sell", **more)


class Desk:
    """Answers like the desk: an alert is accepted once, its copies are duplicates of the first one.

    answers: what to say instead, once; "later" keeps the alert until `release`.
    """

    def __init__(self) -> None:
        self.alerts: list[AlertReceived] = []
        self.refused: list[RequestRefused] = []
        self.used: list[TokenUsed] = []
        self.acts: list[SecurityAct] = []
        self.instead: list[Refusal | StoreFailed | Exception | str] = []
        self.held: list[Callable[[], None]] = []

    def post(self, asked: Any, then: Callable[[Any], None]) -> None:
        instead = self.instead.pop() if self.instead else None
        if isinstance(instead, Exception) and not isinstance(instead, StoreFailed):
            raise instead
        if isinstance(asked, RequestRefused):
            self.refused.append(asked)
        elif isinstance(asked, TokenUsed):
            self.used.append(asked)
        elif isinstance(asked, SecurityAct):
            self.acts.append(asked)
        answer = instead if isinstance(instead, Refusal | StoreFailed) else self._answer(asked)
        if instead == "later":
            self.held.append(lambda: then(answer))
        else:
            # The store commits on a thread of its own and calls back later.
            asyncio.get_running_loop().call_soon(then, answer)

    def _answer(self, asked: Any) -> Answer:
        if not isinstance(asked, AlertReceived):
            return Answer(status="done")
        first = next((i for i, one in enumerate(self.alerts, 1) if one.key == asked.key), None)
        if first is not None:
            return Answer(status="duplicate", alert_id=first)
        self.alerts.append(asked)
        return Answer(status="accepted", alert_id=len(self.alerts))

    def release(self) -> None:
        while self.held:
            self.held.pop(0)()


class House:
    """Everything around one listener, to be changed by a test as it likes."""

    def __init__(self, limits: Limits, **webhook: Any) -> None:
        self.desk = Desk()
        self.now = NOW
        self.seconds = 1000.0
        self.secrets = Secrets()
        self.tokens = [WebhookToken(name="main", token=TOKEN, created_at=NOW)]
        self.not_ready: str | None = None
        self.health: tuple[bool, dict[str, Any]] = (True, {"status": "running"})
        self.prices: dict[str, Decimal] = {}
        self.probes = Probes(lambda: self.seconds)
        self.rules(**webhook)
        self.listener = Listener(
            settings=lambda: self.settings,
            tokens=lambda: self.tokens,
            secrets=lambda: self.secrets,
            catalogue=lambda: Catalogue([BTC]),
            post=self.desk.post,
            ready_for_entries=lambda: self.not_ready,
            clock=lambda: self.now,
            health=lambda: self.health,
            metrics=self._metrics,
            probes=self.probes,
            set_price=lambda symbol, price: self.set_price(symbol, price),
            monotonic=lambda: self.seconds,
            limits=limits,
        )
        self.host, self.port = "", 0
        self.client: aiohttp.ClientSession

    def rules(self, **webhook: Any) -> None:
        self.settings = settings_document.check({"webhook": webhook})

    def token(self, **changes: Any) -> None:
        self.tokens = [dataclasses.replace(self.tokens[0], **changes)]

    async def set_price(self, symbol: str, price: Decimal) -> Sequence[str] | Refusal:
        if symbol != "BTCUSDT":
            return Refusal("symbol", f"unknown symbol {symbol}")
        self.prices[symbol] = price
        return ["binance BTCUSDT", "bybit BTCUSDT"]

    def url(self, path: str = f"/webhook/{TOKEN}") -> str:
        return f"http://{self.host}:{self.port}{path}"

    async def _metrics(self) -> str:
        return "execution_engine_up 1\n"

    async def send(
        self, body: Any, path: str = f"/webhook/{TOKEN}", method: str = "POST", **options: Any
    ) -> tuple[int, Any]:
        """Send one request and return the status and the JSON of the answer; None where it has no body."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        async with self.client.request(method, self.url(path), data=raw, **options) as answer:
            text = await answer.text()
            return answer.status, json.loads(text) if text else None

    async def raw(self, data: bytes) -> bytes:
        """Send bytes as they are and return everything that comes back until the listener closes."""
        reader, writer = await self.connect()
        writer.write(data)
        answer = await reader.read()
        writer.close()
        return answer

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection(self.host, self.port)


@asynccontextmanager
async def listening(limits: Limits | None = None, **webhook: Any) -> AsyncIterator[House]:
    """Give a house whose listener is up; `webhook` are its settings."""
    house = House(limits or Limits(), **webhook)
    house.host, house.port = await house.listener.start("127.0.0.1", 0)
    async with aiohttp.ClientSession() as house.client:
        try:
            yield house
        finally:
            house.desk.release()
            await house.listener.stop()


@asynccontextmanager
async def logged(level: str = "DEBUG") -> AsyncIterator[list[str]]:
    """Collect the lines of the log."""
    lines: list[str] = []
    sink = logger.add(lines.append, level=level, format="{level} {message}\n{exception}", diagnose=False)
    try:
        yield lines
    finally:
        logger.remove(sink)
