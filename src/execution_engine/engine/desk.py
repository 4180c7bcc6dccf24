"""The one door: an input is decided, written, and released once it is durable.

`post` is synchronous. Nothing awaits between reading and changing the state, so there are no locks and no
half-seen positions. Everything is released in the order of posting: answers, orders, notices, screens.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

from execution_engine.domain.decide import Decision, decide
from execution_engine.domain.errors import Refusal, StoreFailed
from execution_engine.domain.facts import Fact
from execution_engine.domain.inputs import (
    Answer,
    Balances,
    DueRow,
    Input,
    Instruments,
    Interrupted,
    NoPrice,
    OpenOrders,
    Price,
    PricesAsked,
    PromoteWaiting,
    RulesRead,
    Sending,
)
from execution_engine.domain.origin import Origin, actor
from execution_engine.domain.ranking import Asked
from execution_engine.domain.rows import Row, World
from execution_engine.engine.book import Book
from execution_engine.engine.feed import Feed, Released
from execution_engine.engine.ports import Clock, Store

log = logging.getLogger(__name__)

Reply = Answer | Refusal | StoreFailed | None
Then = Callable[[Reply], None]

TICK_S = 0.25  # how often the times in rows are compared with the clock
AFTER_A_DEFECT = timedelta(minutes=1)  # until what was due and could not be decided is due again


class Desk:
    """Takes every input, in the order in which they come."""

    def __init__(self, book: Book, store: Store, clock: Clock, feed: Feed) -> None:
        self.book = book
        self.failed: StoreFailed | None = None
        self.before: Callable[[], None] | None = None  # looks at the clock before anything is decided
        self.on_asked: Callable[[Asked], None] | None = (
            None  # asks for prices; posts `PricesAsked` in the end
        )
        self.on_outdated: Callable[[str], None] | None = None  # has an account's balance read soon
        self.on_failed: Callable[[StoreFailed], None] | None = None
        self._noted: list[Row] = []
        self._store = store
        self._clock = clock
        self._feed = feed
        self._day = clock.now().date()

    @property
    def behind(self) -> int:
        """Return how many decisions are not durable yet."""
        return self._store.behind

    def post(self, given: Input, then: Then | None = None) -> None:
        """Decide an input now; `then` hears the answer once everything it rests on is durable."""
        if self.failed is not None:
            _answer(then, self.failed)
            return
        if self.before is not None:
            self.before()
        if self._only_noted(given) and then is None:
            return
        rows: list[Row] = []
        facts: list[Fact] = []
        answer: Answer | Refusal | None = None
        origin = actor()
        todo: deque[Input] = deque(self._parts(given))
        free: dict[Input, None] = {}  # slots are handed on last: the entry of a reversal reuses its own
        first = todo[-1]
        while todo:
            part = todo.popleft()
            decision = self._decide(part, origin)
            rows += decision.rows
            facts += decision.facts
            if decision.asked is not None:
                self._ask(decision.asked, todo)
            if self.on_outdated is not None:
                for name in decision.outdated:
                    self.on_outdated(name)
            for step in decision.next:
                if isinstance(step, PromoteWaiting):
                    free[step] = None
                else:
                    todo.append(step)
            if not todo:
                todo.extend(free)
                free.clear()
            if part is first:
                answer = decision.answer
        if isinstance(given, Sending) and then is None:
            self._noted += (
                rows  # the committed intent was the licence: when it left goes with the next commit
            )
        elif rows or facts or then is not None:
            self._write(tuple(rows), tuple(facts), answer, then)

    def _ask(self, asked: Asked, todo: deque[Input]) -> None:
        """Have prices asked for; where nobody can, none will come."""
        self.book.note_asked(asked)
        if self.on_asked is not None:
            self.on_asked(asked)
        else:
            todo.append(PricesAsked(world=asked.world, markets=asked.markets))

    def _only_noted(self, given: Input) -> bool:
        """Take in what is no row; return whether that was all there is to it."""
        if isinstance(given, Price):
            self.book.note_price(given)
            self._feed.price(given)
            return not self.book.cares(given)
        if isinstance(given, Instruments):
            for market in self.book.note_instruments(given):
                self.post(RulesRead(exchange=market[0], symbol=market[1]))
            self._feed.rules(given)
            return True
        if isinstance(given, Interrupted) and given.set_back:
            self.book.doubt_prices(self._clock.now())
        elif isinstance(given, NoPrice):
            self.book.note_no_price(given)
        elif isinstance(given, Balances):
            self.book.note_balances(given)
            self._feed.balances(given)
            return not self.book.cares_for_balance(given.account)
        return False

    @staticmethod
    def _parts(given: Input) -> tuple[Input, ...]:
        """Have what concerns several groups decided once per group; the whole comes last."""
        if not isinstance(given, OpenOrders):
            return (given,)
        return (*given.reports, given)

    def _decide(self, part: Input, origin: Origin) -> Decision:
        if isinstance(part, PricesAsked):
            self.book.note_answered(part, self._clock.now())
        decision = decide(self.book, part, self._clock.now(), origin)
        if decision.defect is not None:
            log.error(
                "a defect was contained while deciding %s", type(part).__name__, exc_info=decision.defect
            )
            if isinstance(part, DueRow):
                self.book.put_off(part.id, self._clock.now() + AFTER_A_DEFECT)
        self.book.apply(decision.rows)
        return decision

    def _write(
        self,
        rows: tuple[Row, ...],
        facts: tuple[Fact, ...],
        answer: Answer | Refusal | None,
        then: Then | None,
    ) -> None:
        rows = (*self._noted, *rows)
        self._noted.clear()

        def done(failure: StoreFailed | None) -> None:
            if failure is not None:
                self._fail(failure)
                _answer(then, failure)
                return
            _answer(then, answer)
            self._feed.released(Released(rows, facts))

        self._store.write(rows, done)

    def _fail(self, failure: StoreFailed) -> None:
        """Stop deciding for good: what is in memory is not what is on disk any more."""
        if self.failed is None:
            self.failed = failure
            log.critical("nothing is decided any more: %s", failure)
            if self.on_failed is not None:
                self.on_failed(failure)

    def look_at_clock(self) -> None:
        """Decide the rows whose time has come, and write what waited for another commit."""
        if self._noted:
            self._write((), (), None, None)
        now = self._clock.now()
        for id in self.book.due(now):
            self.post(DueRow(id=id))
        if now.date() != self._day:  # the entries of a day are limited, and this is another one
            self._day = now.date()
            for world in World:
                if self.book.waiting_count(world):
                    self.post(PromoteWaiting(world=world))

    async def keep_time(self) -> None:
        """Compare the times in rows with the clock, for ever; waits may end early or late."""
        while True:
            await asyncio.sleep(TICK_S)
            self.look_at_clock()

    async def ask(self, given: Input) -> Answer | Refusal:
        """Post an input and wait for its answer. Raises StoreFailed."""
        future: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()

        def then(reply: Reply) -> None:
            if not future.done():
                future.set_result(reply)

        self.post(given, then)
        reply = await future
        if isinstance(reply, StoreFailed):
            raise reply
        return reply or Answer(status="done")


def _answer(then: Then | None, reply: Reply) -> None:
    if then is not None:
        with suppress(asyncio.CancelledError):
            try:
                then(reply)
            except Exception:
                log.exception("an answer could not be delivered")
