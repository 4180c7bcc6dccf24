"""The desk and everything that serves it, joined: the same in the application and in the simulation."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from execution_engine.domain.inputs import (
    Input,
    Interrupted,
    Line,
    LineChanged,
    OpenOrders,
    Started,
)
from execution_engine.domain.instrument import Market
from execution_engine.domain.rates import Rates, rates_of
from execution_engine.engine.book import Book
from execution_engine.engine.breaker import State
from execution_engine.engine.desk import Desk
from execution_engine.engine.feed import Feed
from execution_engine.engine.lanes import Lanes
from execution_engine.engine.ports import Clock, Exchange, Past, Store
from execution_engine.engine.pulse import Pulse
from execution_engine.engine.quotes import Quotes
from execution_engine.engine.reconcile import Reconcile
from execution_engine.engine.risk import RiskRounds
from execution_engine.engine.tasks import Tasks
from execution_engine.engine.watch import Prices, Watch
from execution_engine.engine.way import Condition, Ways


class Running:
    """One book at work on one store.

    exchange: gives an account's way to its exchange by the account's name. past: finds archived groups.
    rates: what an exchange takes of one account.
    """

    def __init__(
        self,
        book: Book,
        store: Store,
        clock: Clock,
        exchange: Callable[[str], Exchange],
        prices: Prices,
        past: Past | None = None,
        rates: Callable[[str, Market], Rates] = rates_of,
    ) -> None:
        self.book = book
        self._clock = clock
        self.feed = Feed()
        self.tasks = Tasks(self._task_failed)
        self.desk = Desk(book, store, clock, self.feed)
        self.ways = Ways(book, exchange, clock, rates)
        self.lanes = Lanes(book, self.ways, self.desk.post, clock, self.tasks)
        self.watch = Watch(book, prices)
        self.quotes = Quotes(prices, self.desk.post, self.tasks)
        self.desk.on_asked = self.quotes.asked
        self.reconcile = Reconcile(book, self.ways.patient, self._read, clock, past)
        self.lanes.on_looked(self.reconcile.looked)
        self.desk.on_outdated = self.reconcile.soon
        self.risk = RiskRounds(book, clock, self.desk.post)
        self.pulse = Pulse(clock, self.desk.post)
        self.desk.before = self.pulse.look
        self._lines: dict[str, Line] = {}
        self.ways.on_change(self._line_changed)
        self.feed.on_released(self.lanes.released)
        self.feed.on_released(self.watch.released)
        self.feed.on_rules(self.watch.learnt)
        self.feed.on_released(self.reconcile.released)

    def start(self) -> None:
        """Begin: nothing is known to be true until each exchange has answered."""
        self.desk.post(Started())
        self.watch.start()
        self.tasks.keep("clock", self.desk.keep_time)
        self.tasks.keep("watch", self.watch.keep)
        self.tasks.keep("pulse", self.pulse.keep)
        self.tasks.keep("risk", self.risk.keep)
        for name in self.book.accounts:
            self.tasks.keep(f"reconcile {name}", partial(self.reconcile.keep, name))

    def _task_failed(self, name: str, error: BaseException) -> None:
        """Trade no further on what a failed task may have missed."""
        self.desk.post(Interrupted(reason=f"the task “{name}” failed"))

    def _line_changed(self, now: Condition) -> None:
        """Tell when the line to an exchange got better or worse."""
        slow = now.slow_until is not None and now.slow_until > self._clock.now()
        line = Line.GOOD if now.breaker is State.CLOSED else Line.BROKEN
        if line is Line.GOOD and slow:
            line = Line.SLOW
        before = self._lines.get(now.account, Line.GOOD)
        self._lines[now.account] = line
        if line is not before and not (before is Line.SLOW and line is Line.GOOD):
            self.desk.post(LineChanged(account=now.account, line=line))

    def troubles(self) -> list[str]:
        """Return which lines to exchanges are not as they should be, in words."""
        now = self._clock.now()
        found = []
        for line in self.ways.conditions:
            if line.breaker is not State.CLOSED:
                again = f"; tried again at {line.until:%H:%M:%S} UTC" if line.until is not None else ""
                found.append(f"{line.account}: the exchange does not answer{again}")
            elif line.slow_until is not None and line.slow_until > now:
                found.append(f"{line.account}: slowed down by the exchange's rate limits")
        return found

    def _read(self, said: Input) -> None:
        """Take in what an account says; once it has listed what rests there, what is missing is looked up."""
        self.desk.post(said)
        if isinstance(said, OpenOrders):
            self.lanes.listed(said.account)

    @property
    def busy(self) -> bool:
        """Return whether a change is not durable yet or orders are at the exchange."""
        return self.desk.behind > 0 or self.lanes.busy

    async def stop(self) -> None:
        """Send nothing more and end every task; what was decided is the store's."""
        self.lanes.stop()
        await self.tasks.stop()
