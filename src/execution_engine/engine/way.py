"""One account's way to its exchange: its rate budgets and its circuit breaker, in front of every call."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from execution_engine.domain.inputs import (
    AccountUnreadable,
    Balances,
    Fills,
    OpenOrders,
    OrderReport,
    Verdict,
)
from execution_engine.domain.instrument import Market
from execution_engine.domain.order import RATE_LIMIT
from execution_engine.domain.rates import USUAL, Rates, rates_of
from execution_engine.domain.rows import Order
from execution_engine.domain.settings import Orders as Terms
from execution_engine.engine.book import Book
from execution_engine.engine.breaker import Breaker, Call, State
from execution_engine.engine.limits import Kind, Limiter
from execution_engine.engine.ports import Clock, Exchange

log = logging.getLogger(__name__)

LEAST_WAIT_S = 0.001

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """How an account's way to its exchange is, for the screen.

    until: when an open breaker is tried again. slow_until: after a refusal for the rate, when all of the budget
    is used again; the time may have passed.
    """

    account: str
    breaker: State
    until: datetime | None
    slow_until: datetime | None


class Way:
    """What may leave for one account's exchange, and one timer for everything there that waits."""

    def __init__(
        self,
        account: str,
        rates: Rates,
        clock: Clock,
        terms: Callable[[], Terms],
        told: Callable[[Condition], None],
    ) -> None:
        self.account = account
        self.limiter = Limiter(rates, clock)
        self.breaker = Breaker(clock, terms, self._breaker_changed)
        self._clock = clock
        self._told = told
        self._slow_until: datetime | None = None
        self._listeners: list[Callable[[str], None]] = []
        self._rung = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None
        self._rings_at = clock.monotonic()
        self._stopped = False

    @property
    def condition(self) -> Condition:
        return Condition(
            account=self.account,
            breaker=self.breaker.state,
            until=self.breaker.until,
            slow_until=self._slow_until,
        )

    def on_room(self, listener: Callable[[str], None]) -> None:
        """Have somebody look again whenever more may leave than before; the first is asked first."""
        self._listeners.append(listener)

    def answered(self, call: Call, *, well: bool, probe: bool) -> None:
        """Take in how a call ended whose places in the budgets are given back already."""
        self.breaker.answered(call, well=well, probe=probe)
        self.ring()

    def withdrawn(self, *, probe: bool) -> None:
        """Take back a call that did not leave after all; its places are given back already."""
        self.breaker.withdrawn(probe=probe)
        self.ring()

    def slow_down(self) -> None:
        """Hold back: the exchange refused something for its rate."""
        slow = self.limiter.slow_down()
        self._slow_until = self._clock.now() + timedelta(seconds=slow)
        self._told(self.condition)

    def wake_in(self, seconds: float) -> None:
        """Ring after this time at the latest; it may be earlier, and then whoever still waits asks again."""
        rings_at = self._clock.monotonic() + seconds
        if self._stopped or (self._timer is not None and self._rings_at <= rings_at):
            return
        if self._timer is not None:
            self._timer.cancel()
        self._rings_at = rings_at
        self._timer = asyncio.get_running_loop().call_later(max(seconds, LEAST_WAIT_S), self._alarm)

    def wake_when_free(self) -> None:
        """Ring when more may leave than now. Without a time for it, the next answer rings."""
        for wait in (self.limiter.frees_in(), self.breaker.half_opens_in):
            if wait is not None:
                self.wake_in(wait)

    async def woken(self) -> None:
        """Wait for the next ring."""
        await self._rung.wait()

    def ring(self) -> None:
        for listener in self._listeners:
            listener(self.account)
        self._rung.set()
        self._rung.clear()
        if (wait := self.breaker.half_opens_in) is not None:
            self.wake_in(wait)

    def stop(self) -> None:
        self._stopped = True
        if self._timer is not None:
            self._timer.cancel()

    def _alarm(self) -> None:
        self._timer = None
        self.ring()

    def _breaker_changed(self) -> None:
        if (wait := self.breaker.half_opens_in) is not None:
            self.wake_in(wait)
        self._told(self.condition)


class Patient:
    """An account's exchange for whoever can wait: each call leaves as soon as there is room for it."""

    def __init__(self, way: Way, exchange: Callable[[], Exchange]) -> None:
        self._way = way
        self._exchange = exchange

    async def place(self, orders: Sequence[Order]) -> Sequence[OrderReport]:
        places = [(Kind.ORDER, order.symbol) for order in orders]
        return await self._call(places, Call.ORDERS, lambda exchange: exchange.place(orders), understood)

    async def cancel(self, orders: Sequence[Order]) -> Sequence[OrderReport]:
        places = [(Kind.CANCEL, order.symbol) for order in orders]
        return await self._call(places, Call.ORDERS, lambda exchange: exchange.cancel(orders), understood)

    async def look(self, order: Order) -> OrderReport:
        return await self._ask(lambda exchange: exchange.look(order), lambda report: understood([report]))

    async def open_orders(self, account: str) -> OpenOrders | AccountUnreadable:
        return await self._ask(lambda exchange: exchange.open_orders(account), _read)

    async def fills(self, account: str, since: datetime) -> Fills | AccountUnreadable:
        return await self._ask(lambda exchange: exchange.fills(account, since), _read)

    async def balances(self, account: str) -> Balances | AccountUnreadable:
        return await self._ask(lambda exchange: exchange.balances(account), _read)

    async def _ask(self, call: Callable[[Exchange], Awaitable[T]], well: Callable[[T], bool]) -> T:
        return await self._call([(Kind.REQUEST, "")], Call.READING, call, well)

    async def _call(
        self,
        places: Sequence[tuple[Kind, str]],
        counted: Call,
        call: Callable[[Exchange], Awaitable[T]],
        well: Callable[[T], bool],
    ) -> T:
        limiter = self._way.limiter
        taken: list[tuple[Kind, str]] = []
        good = False
        try:
            for kind, symbol in places:
                while not limiter.room(kind, symbol, reserved=True):
                    self._way.wake_when_free()
                    await self._way.woken()
                limiter.take(kind, symbol)
                taken.append((kind, symbol))
            answer = await call(self._exchange())
            good = well(answer)
            return answer
        finally:
            for kind, symbol in taken:
                limiter.answered(kind, symbol)
            if len(taken) == len(places):
                self._way.answered(counted, well=good, probe=False)


class Ways:
    """The way of each account, made when it is first asked for.

    exchange: gives an account's exchange by the account's name. rates: what an exchange takes of one account.
    """

    def __init__(
        self,
        book: Book,
        exchange: Callable[[str], Exchange],
        clock: Clock,
        rates: Callable[[str, Market], Rates] = rates_of,
    ) -> None:
        self._book = book
        self._clock = clock
        self._rates = rates
        self._ways: dict[str, Way] = {}
        self._changed: list[Callable[[Condition], None]] = []
        self._room: list[Callable[[str], None]] = []
        self.exchange = exchange

    def __call__(self, account: str) -> Way:
        way = self._ways.get(account)
        if way is None:
            row = self._book.accounts.get(account)
            rates = self._rates(row.exchange, row.market) if row is not None else USUAL
            way = Way(account, rates, self._clock, lambda: self._book.settings.orders, self._tell)
            for listener in self._room:
                way.on_room(listener)
            self._count_sent(way)
            self._ways[account] = way
        return way

    def _count_sent(self, way: Way) -> None:
        """Count what left shortly before the start, or may have: to the exchange it was a moment ago."""
        since = self._clock.now() - timedelta(seconds=way.limiter.window_s)
        for order in self._book.orders.values():
            if order.account != way.account:
                continue
            for kind, at in ((Kind.ORDER, order.sent_at), (Kind.CANCEL, order.cancel_sent_at)):
                if at is not None and at > since:
                    way.limiter.take(kind, order.symbol)
                    way.limiter.answered(kind, order.symbol)

    def patient(self, account: str) -> Exchange:
        """Return an account's exchange for whoever can wait for room: readings are for it."""
        return Patient(self(account), lambda: self.exchange(account))

    def on_room(self, listener: Callable[[str], None]) -> None:
        """Have somebody hear, by the account's name, whenever more may leave than before."""
        self._room.append(listener)

    def on_change(self, listener: Callable[[Condition], None]) -> None:
        """Have somebody hear when a breaker changes its state or an exchange wants fewer requests."""
        self._changed.append(listener)

    @property
    def conditions(self) -> tuple[Condition, ...]:
        return tuple(way.condition for way in self._ways.values())

    def stop(self) -> None:
        """Ring nowhere any more."""
        for way in self._ways.values():
            way.stop()

    def _tell(self, condition: Condition) -> None:
        for listener in self._changed:
            try:
                listener(condition)
            except Exception:
                log.exception("a listener failed")


def understood(reports: Sequence[OrderReport]) -> bool:
    """Return whether an exchange can be talked to: it said something clear about one order at least."""
    return any(report.verdict is not Verdict.UNKNOWN for report in reports)


def too_many(reports: Sequence[OrderReport]) -> bool:
    """Return whether the exchange refused anything for its rate."""
    return any(report.code == RATE_LIMIT for report in reports)


def _read(answer: object) -> bool:
    """Return whether an exchange answered, or was not even asked."""
    return not isinstance(answer, AccountUnreadable) or not answer.asked
