"""The engine's way to the exchange that speaks HTTP. It never says more than an answer proves."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime

import aiohttp

from execution_engine.adapters.clock import SystemClock
from execution_engine.core import Connection
from execution_engine.domain.inputs import (
    AccountUnreadable,
    Balances,
    Fills,
    Input,
    OpenOrders,
    OrderReport,
    Verdict,
)
from execution_engine.domain.rows import Account, Order
from tests.processes import wire

log = logging.getLogger(__name__)

ANSWER_S = 1.5
SILENCE_S = 5.0  # the exchange repeats its prices each second
AGAIN_S = 0.2
FIRST_WORD_S = 2.0


class NoAnswer(Exception):
    """Nothing is proven. The text is a sentence."""


class HttpExchange(Connection):
    """One account at the exchange at `url`; what its stream says goes to `post`."""

    def __init__(
        self,
        url: str,
        account: str,
        clock: SystemClock,
        post: Callable[[Input], None],
        *,
        answer_s: float = ANSWER_S,
    ) -> None:
        self._url = url
        self._account = account
        self._clock = clock
        self._post = post
        self._limit = aiohttp.ClientTimeout(total=answer_s)
        self._session: aiohttp.ClientSession | None = None
        self._listening: asyncio.Task[None] | None = None
        self._first_word = asyncio.Event()

    async def start(self) -> None:
        """Listen, and wait a little for the first prices: without them nothing can be decided."""
        self._session = aiohttp.ClientSession(self._url)
        self._listening = asyncio.create_task(self._listen(self._session), name=f"stream {self._account}")
        with suppress(TimeoutError):
            await asyncio.wait_for(self._first_word.wait(), FIRST_WORD_S)

    async def stop(self) -> None:
        if self._listening is not None:
            self._listening.cancel()
            await asyncio.gather(self._listening, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    # -- what the engine asks

    async def place(self, orders: Sequence[Order]) -> Sequence[OrderReport]:
        return await self._about("/orders", orders)

    async def cancel(self, orders: Sequence[Order]) -> Sequence[OrderReport]:
        return await self._about("/cancels", orders, about_cancel=True)

    async def look(self, order: Order) -> OrderReport:
        return (await self._about("/order", [order]))[0]

    async def open_orders(self, account: str) -> OpenOrders | AccountUnreadable:
        at = self._clock.now()
        try:
            return wire.read_open_orders(
                account, await self._ask("GET", f"/open_orders?account={account}"), at
            )
        except (NoAnswer, ValueError, KeyError, TypeError) as error:
            return AccountUnreadable(account=account, reason=_sentence(error))

    async def fills(self, account: str, since: datetime) -> Fills | AccountUnreadable:
        at = self._clock.now()
        try:
            raw = await self._ask("GET", "/fills", account=account, since=since.isoformat())
            return wire.read_fills(account, since, raw, at)
        except (NoAnswer, ValueError) as error:
            return AccountUnreadable(account=account, reason=_sentence(error))

    async def balances(self, account: str) -> Balances | AccountUnreadable:
        try:
            return wire.BALANCES.validate_json(await self._ask("GET", f"/balances?account={account}"))
        except (NoAnswer, ValueError) as error:
            return AccountUnreadable(account=account, reason=_sentence(error))

    # -- how it asks

    async def _about(
        self, path: str, orders: Sequence[Order], *, about_cancel: bool = False
    ) -> list[OrderReport]:
        """Ask about orders; whatever is wrong with the answer, nothing is proven about any of them."""
        body = wire.TICKETS.dump_json([wire.ticket(order) for order in orders])
        try:
            reports = wire.REPORTS.validate_json(await self._ask("POST", path, body))
        except (NoAnswer, ValueError) as error:
            return [self._unclear(order, _sentence(error), about_cancel) for order in orders]
        told = {report.client_order_id: report for report in reports}
        return [self._proven(order, told.get(order.client_order_id), about_cancel) for order in orders]

    def _proven(self, order: Order, report: OrderReport | None, about_cancel: bool) -> OrderReport:
        if report is None or (report.verdict is Verdict.ACCEPTED and not report.exchange_order_id):
            return self._unclear(order, "The answer does not say what became of the order.", about_cancel)
        return replace(report, at=self._clock.now())

    def _unclear(self, order: Order, reason: str, about_cancel: bool) -> OrderReport:
        return OrderReport(
            account=order.account,
            client_order_id=order.client_order_id,
            verdict=Verdict.UNKNOWN,
            reason=reason,
            about_cancel=about_cancel,
            at=self._clock.now(),
        )

    async def _ask(self, method: str, path: str, body: bytes | None = None, **query: str) -> bytes:
        """Send one request once. Raises NoAnswer for everything but a whole answer with 200."""
        if self._session is None:
            raise NoAnswer("There is no connection.")
        try:
            async with self._session.request(
                method, path, data=body, params=query or None, timeout=self._limit
            ) as answer:
                if answer.status != 200:
                    raise NoAnswer(f"The exchange answered {answer.status}.")
                return await answer.read()
        except TimeoutError as error:
            raise NoAnswer("The request timed out.") from error
        except (aiohttp.ClientError, OSError) as error:
            raise NoAnswer(f"The connection broke ({type(error).__name__}).") from error

    # -- what it hears

    async def _listen(self, session: aiohttp.ClientSession) -> None:
        """Post what the stream says; a silent or broken one is opened anew, for ever."""
        while True:
            with suppress(aiohttp.ClientError, OSError, ValueError, TimeoutError):
                await self._one_stream(session)
            await asyncio.sleep(AGAIN_S)

    async def _one_stream(self, session: aiohttp.ClientSession) -> None:
        limit = aiohttp.ClientTimeout(total=None, sock_connect=ANSWER_S, sock_read=SILENCE_S)
        async with session.get("/stream", params={"account": self._account}, timeout=limit) as stream:
            async for line in stream.content:
                if line == b"\n":
                    self._first_word.set()
                elif line.endswith(b"\n"):  # a cut line proves nothing
                    self._post(wire.read_line(line))


def _sentence(error: Exception) -> str:
    return str(error) if isinstance(error, NoAnswer) else "The answer makes no sense."


class Connect:
    """Gives every account its way to the exchange at `url`."""

    def __init__(self, url: str, clock: SystemClock) -> None:
        self._url = url
        self._clock = clock

    def __call__(self, account: Account, post: Callable[[Input], None]) -> Connection:
        return HttpExchange(self._url, account.name, self._clock, post)
