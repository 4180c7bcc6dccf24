"""Everything between the engine's machine and the exchange, and what goes wrong there.

`Network` outlives the program; a `Line` is one running program's way to one account, and implements `Exchange`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random
from typing import Any, Protocol, TypeVar

from execution_engine.adapters.exchanges.paper_answers import absent, refused, unclear
from execution_engine.adapters.exchanges.paper_checks import INVALID, NO_FUNDS
from execution_engine.domain.errors import Refusal
from execution_engine.domain.inputs import (
    AccountUnreadable,
    Balances,
    Fills,
    OpenOrders,
    OrderReport,
    Price,
)
from execution_engine.domain.rows import Order, OrderStatus
from tests.simulation.loop import Timeline
from tests.simulation.program import Program
from tests.simulation.sometimes import Sometimes
from tests.simulation.venue import Venue

T = TypeVar("T", OpenOrders, Fills, Balances)
Key = tuple[str, str]
NOW = timedelta(0)
RATE_LIMIT = "RateLimitError"

# How long after it left a request may still be admitted [s]: what each exchange's own validity allows.
VALID_S = {"paper": 0.0, "binance": 14.0, "bybit": 5.0, "okx": 30.0, "kucoin": 5.0}


class InjectedDefect(RuntimeError):
    """An error of ours that was put there on purpose."""


class Machine(Protocol):
    """What a line needs of the machine that it begins at."""

    alive: bool

    def now(self) -> datetime: ...

    def sending(self, orders: Sequence[Order], *, cancel: bool = False) -> None:
        """A request is about to leave; the program may die of it."""
        ...

    def sent(self, number: int, orders: Sequence[Order]) -> None:
        """A call's requests are on their way; the program may die of it."""
        ...

    def answered(self, number: int) -> None: ...

    def read(self, account: str, call: str, well: bool) -> None:
        """A reading of an account was answered."""
        ...

    def hear(self, said: OrderReport) -> None:
        """Take in what the exchange says by itself."""
        ...

    def deliver(self, call: Callable[[], None]) -> None:
        """Hand something to the program, now or when the machine is awake again."""
        ...


class Network:
    """How often what goes wrong, by the program; nothing once `quiet`."""

    def __init__(self, program: Program, timeline: Timeline, venue: Venue, sometimes: Sometimes) -> None:
        self.program = program
        self.timeline = timeline
        self.venue = venue
        self.sometimes = sometimes
        self.quiet = False
        self.clock_jumps: Callable[[float], None] = lambda seconds: None
        self.requests = 0
        self.broken_reads: set[str] = set()  # accounts whose next reading meets a defect of ours
        self.blind: set[str] = set()  # orders that the last look-up missed although they are there
        self._down: dict[str, tuple[float, str]] = {}
        self._chances: dict[str, Random] = {
            name: Random(f"{program.seed}/{name}") for name in ("time", *program.rates)
        }
        self._delays = self._chances["time"]

    def happens(self, fault: str, state: str = "") -> bool:
        """Let chance say whether a fault happens now, and note what it met."""
        rate = self.program.rates.get(fault)
        if not rate or self.quiet or self._chances[fault].random() >= rate:
            return False
        self.sometimes.hit(fault, state)
        return True

    def uniform(self, fault: str, least: float, most: float) -> float:
        return self._chances[fault].uniform(least, most)

    def travel(self) -> float:
        """Return how long one way takes [s]."""
        return self._delays.uniform(0.2, 1.0) * self.program.latency_s

    def take_down(self, account: str, seconds: float, how: str) -> None:
        self._down[account] = (self.timeline.now + seconds, how)

    def down(self, account: str, call: str = "") -> str:
        """Return how an account can't be reached now; empty if it can. `lists`: only its lists fail."""
        until, how = self._down.get(account, (0.0, ""))
        if self.timeline.now >= until or self.quiet or (how == "lists" and call != "open_orders"):
            return ""
        return how

    async def quotes(self, markets: Collection[Key]) -> list[Price]:
        """Answer what markets trade at; the answer may come late, or without some of them."""
        self.sometimes.hit("quotes", "asked")
        await asyncio.sleep(self.travel() + self.travel())
        if self.happens("quotes_slow"):
            await asyncio.sleep(self.uniform("quotes_slow", 0.2, 3))
        now = self.venue.now()
        found = [self.venue.price(key) for key in markets if not self.happens("quote_lost")]
        return [replace(price, at=now) for price in found if price is not None]

    def lag(self) -> timedelta:
        """Return how far the reading side is behind just now."""
        if not self.happens("read_lag"):
            return NOW
        return timedelta(seconds=self.uniform("read_lag", 0.2, 4))


class Line:
    """One program's way to one account."""

    def __init__(self, network: Network, machine: Machine, account: str, validity_s: float) -> None:
        self._network = network
        self._machine = machine
        self._account = account
        self._validity_s = validity_s
        self._timeline = network.timeline
        self._venue = network.venue

    async def place(self, orders: Sequence[Order]) -> Sequence[OrderReport]:
        self._machine.sending(orders)
        return await self._together([self._place(order) for order in orders], orders)

    async def cancel(self, orders: Sequence[Order]) -> Sequence[OrderReport]:
        self._machine.sending(orders, cancel=True)
        return await self._together([self._cancel(order) for order in orders], orders)

    async def look(self, order: Order) -> OrderReport:
        return (await self._together([self._look(order)]))[0]

    async def open_orders(self, account: str) -> OpenOrders | AccountUnreadable:
        if account in self._network.broken_reads:
            self._network.broken_reads.discard(account)
            raise InjectedDefect("a reading met a defect")
        return await self._read("open_orders", lambda lag: self._venue.open_orders(account, lag))

    async def fills(self, account: str, since: datetime) -> Fills | AccountUnreadable:
        return await self._read("fills", lambda lag: self._venue.fills(account, since, lag))

    async def balances(self, account: str) -> Balances | AccountUnreadable:
        return await self._read("balances", lambda lag: self._venue.balances(account))

    # -- requests

    async def _together(self, asked: Sequence[Reply], orders: Sequence[Order] = ()) -> Sequence[OrderReport]:
        """Wait for all answers of one request; they come in together, or the rest is given up."""
        if not self._machine.alive:
            await asyncio.get_running_loop().create_future()  # for ever: this program is dead
        self._network.requests += 1
        number = self._network.requests
        answers = Answers(len(asked), self._machine, number)
        for place, reply in enumerate(asked):
            reply(answers, place)
        if orders:
            self._machine.sent(number, orders)
        return await answers.complete

    def _place(self, order: Order) -> Reply:
        network, venue, there, back = (
            self._network,
            self._venue,
            self._network.travel(),
            self._network.travel(),
        )

        def send(answers: Answers, number: int) -> None:
            def answer(delay: float, said: OrderReport) -> None:
                self._timeline.after(delay, answers.give, number, said)

            def arrive(then: Callable[[OrderReport], None]) -> None:
                if network.down(order.account):
                    then(self._unclear(order, "The exchange is under maintenance."))
                else:
                    then(venue.place(order))

            def given_up(said: OrderReport | None = None) -> None:
                self._timeline.at(sent + self.program.timeout_s, answers.give, number, self._timed_out(order))

            sent = self._timeline.now
            happens = network.happens
            state = order.purpose.value
            if network.down(order.account) == "network" or happens("place_lost", state):
                given_up()
            elif happens("place_answer_lost", state):
                self._timeline.after(there, arrive, given_up)
            elif self._validity_s and happens("place_late", state):
                late = network.uniform(
                    "place_late", min(self.program.timeout_s, self._validity_s), self._validity_s
                )
                self._timeline.after(late, arrive, lambda said: None)
                given_up()
                if happens("clock_jumps_meanwhile", state):
                    network.clock_jumps(late * network.uniform("clock_jumps_meanwhile", 0.3, 0.9))
            elif happens("place_slow", state):
                wait = network.uniform("place_slow", 0.5, max(0.6, self.program.timeout_s - 0.5))
                self._timeline.after(there, arrive, lambda said: answer(wait, said))
            elif happens("place_garbage", state):
                garbage = self._unclear(order, "The answer was cut off.")
                self._timeline.after(there, arrive, lambda said: answer(back, garbage))
            elif happens("place_doubled", state):
                self._timeline.after(there, arrive, lambda said: None)
                self._timeline.after(there + 0.05, arrive, lambda said: answer(back, said))
            elif refusal := self._refusal(order, state):
                answer(there + back, refused(order, refusal, self._machine.now()))
            else:
                self._timeline.after(there, arrive, lambda said: answer(back, said))

        return send

    def _refusal(self, order: Order, state: str) -> Refusal | None:
        if self._network.happens("refused_funds", state):
            return Refusal(NO_FUNDS, "The account has insufficient balance for the requested action.")
        if self._network.happens("refused_rules", state):
            return Refusal(INVALID, "Filter failure.")
        if self._network.happens("refused_rate", state):
            return Refusal(RATE_LIMIT, "Too many new orders.")
        return None

    def _cancel(self, order: Order) -> Reply:
        network, there, back = self._network, self._network.travel(), self._network.travel()

        def send(answers: Answers, number: int) -> None:
            sent = self._timeline.now
            state = order.status.value

            def arrive(delay: float | None, instead: OrderReport | None = None) -> None:
                if network.down(order.account):
                    said = self._unclear(order, "The exchange is under maintenance.", about_cancel=True)
                    answer = said
                else:
                    answer = self._cancelled(order, state)
                if delay is not None:
                    self._timeline.after(delay, answers.give, number, instead or answer)

            def give_up() -> None:
                self._timeline.at(
                    sent + self.program.timeout_s,
                    answers.give,
                    number,
                    self._timed_out(order, about_cancel=True),
                )

            if network.down(order.account) == "network" or network.happens("cancel_lost", state):
                give_up()
            elif network.happens("cancel_answer_lost", state):
                self._timeline.after(there, arrive, None)
                give_up()
            elif self._validity_s and network.happens("cancel_late", state):
                late = network.uniform("cancel_late", 0.5, self._validity_s)
                self._timeline.after(late, arrive, None)
                give_up()
            elif network.happens("cancel_garbage", state):
                garbage = self._unclear(order, "The answer was cut off.", about_cancel=True)
                self._timeline.after(there, arrive, back, garbage)
            elif network.happens("cancel_slow", state):
                self._timeline.after(
                    there, arrive, network.uniform("cancel_slow", 0.5, self.program.timeout_s)
                )
            else:
                self._timeline.after(there, arrive, back)

        return send

    def _cancelled(self, order: Order, state: str) -> OrderReport:
        """Cancel at the exchange; it may know nothing of an order that is over, or not yet of its last trade."""
        network, id = self._network, order.client_order_id
        if id in self._venue.past and self._venue.is_over(id) and network.happens("cancel_unknown", state):
            return absent(order, self._machine.now(), about_cancel=True)
        if order.id and network.happens("fill_before_cancel", state):  # not what nobody intended
            self._venue.fill_some(id, network.uniform("fill_before_cancel", 0.01, 0.99))
        said = self._venue.cancel(order)
        if said.status is OrderStatus.CANCELLED and said.trades and network.happens("late_fill", state):
            whole = replace(said, about_cancel=False)
            wait = network.uniform("late_fill", 0.5, 10)
            self._timeline.after(wait, self._machine.deliver, lambda: self._machine.hear(whole))
            return without_last(said)
        return said

    def _look(self, order: Order) -> Reply:
        network, there, back = self._network, self._network.travel(), self._network.travel()

        def send(answers: Answers, number: int) -> None:
            state, id, blind = order.purpose.value, order.client_order_id, network.blind

            def arrive() -> None:
                said = self._venue.look(order, network.lag())
                if said.verdict == "absent":
                    network.sometimes.hit("look_absent", state)
                elif id in blind:
                    blind.discard(id)
                elif self._validity_s and network.happens("look_blank", state):
                    blind.add(id)  # the side that reads is far behind, but not twice in a row
                    said = absent(order, self._machine.now())
                elif said.trades and network.happens("trades_late", state):
                    said = replace(said, trades=said.trades[:-1])
                self._timeline.after(back, answers.give, number, replace(said, at=self._machine.now()))

            if network.down(order.account) or network.happens("look_fails", state):
                failed = self._unclear(order, "The request timed out.")
                self._timeline.after(there + back, answers.give, number, failed)
            else:
                self._timeline.after(there, arrive)

        return send

    def _timed_out(self, order: Order, *, about_cancel: bool = False) -> OrderReport:
        return self._unclear(order, "The request timed out.", about_cancel=about_cancel)

    def _unclear(self, order: Order, reason: str, *, about_cancel: bool = False) -> OrderReport:
        return unclear(order, reason, self._machine.now(), about_cancel=about_cancel)

    @property
    def program(self) -> Program:
        return self._network.program

    # -- readings

    async def _read(
        self, call: str, read: Callable[[timedelta], T | AccountUnreadable]
    ) -> T | AccountUnreadable:
        if not self._machine.alive:
            await asyncio.get_running_loop().create_future()
        network, asked = self._network, self._machine.now()
        done: asyncio.Future[T | AccountUnreadable] = asyncio.get_running_loop().create_future()

        def answer(said: T | AccountUnreadable) -> None:
            self._timeline.after(network.travel(), self._machine.deliver, lambda: tell(said))

        def tell(said: T | AccountUnreadable) -> None:
            self._machine.read(self._account, call, not isinstance(said, AccountUnreadable))
            done.set_result(said)

        def arrive() -> None:
            how = network.down(self._account, call) or ("network" if network.happens("read_fails") else "")
            if how:
                answer(AccountUnreadable(account=self._account, reason=f"The account can't be read: {how}."))
                return
            said = read(network.lag())
            answer(said if isinstance(said, AccountUnreadable) else replace(said, at=asked))

        self._timeline.after(network.travel(), arrive)
        return await done


def without_last(said: OrderReport) -> OrderReport:
    """Return a report as it was before the order's last trade."""
    *before, last = said.trades
    return replace(said, trades=tuple(before), filled_quantity=said.filled_quantity - last.quantity)


class Answers:
    """The answers to one request; whoever asked hears them together."""

    def __init__(self, count: int, machine: Machine, number: int) -> None:
        self.complete: asyncio.Future[Sequence[OrderReport]] = asyncio.get_running_loop().create_future()
        self._given: dict[int, OrderReport] = {}
        self._count = count
        self._machine = machine
        self._number = number

    def give(self, number: int, said: OrderReport) -> None:
        self._given[number] = said
        if len(self._given) == self._count and not self.complete.done():
            self._machine.deliver(self._tell)

    def _tell(self) -> None:
        self._machine.answered(self._number)
        if not self.complete.done():
            self.complete.set_result([self._given[number] for number in range(self._count)])


Reply = Callable[[Answers, int], None]


class Stream:
    """What the exchange reports by itself, on its way: late, doubled, out of order or never."""

    def __init__(self, network: Network, post: Callable[[Any], None]) -> None:
        self._network = network
        self._post = post

    def send(self, said: Any, state: str) -> None:
        network = self._network
        if not network.program.stream or network.down(said.account) or network.happens("stream_drops", state):
            return
        delay = network.travel()
        if network.happens("stream_early", state):
            delay = 0.001
        elif network.happens("stream_late", state):
            delay += network.uniform("stream_late", 0.5, 15)
        network.timeline.after(delay, self._post, said)
        if network.happens("stream_doubles", state):
            network.timeline.after(delay + network.uniform("stream_doubles", 0, 5), self._post, said)
