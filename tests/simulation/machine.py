"""The engine's machine: its program starts, is killed, starts again from its files; its clock and its sleep.

A `Life` is one run of the program, from its start to its end, with its own loop. What outlives it is the `Machine`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from datetime import datetime
from random import Random
from typing import Any

from execution_engine.adapters.storage.store import SqliteStore
from execution_engine.core import MOST_BEHIND, load_book
from execution_engine.domain import alert as alerts
from execution_engine.domain.errors import Refusal, StoreFailed
from execution_engine.domain.inputs import AlertReceived, Input, OrderReport, Price
from execution_engine.domain.instrument import Market
from execution_engine.domain.rates import Rates, fifth, rates_of
from execution_engine.domain.rows import Order, Row
from execution_engine.domain.symbols import Catalogue
from execution_engine.engine.desk import Reply
from execution_engine.engine.running import Running
from tests.simulation.clock import MachineClock
from tests.simulation.disk import Disk, SlowStore
from tests.simulation.loop import Timeline, VirtualLoop
from tests.simulation.network import Line, Network
from tests.simulation.program import Event, Program

TOKEN = "TradingView"
ENGINE_LOG = logging.getLogger("execution_engine")


class Life:
    """One run of the program."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.alive = True
        program = machine.program
        self.loop = VirtualLoop(machine.timeline, machine.timers, program.jitter)
        self.loop.stand_still(machine.clock.slept_s)
        self.loop.set_exception_handler(machine.complained)
        self.store = SlowStore(machine.disk.open(), self)
        self.book, _ = load_book(self.store, machine.catalogue, machine.clock)  # type: ignore[arg-type]
        self._lines: dict[str, Line] = {}
        self._wanted: frozenset[tuple[str, str]] = frozenset()
        self.loop.call_soon(self._begin)

    def _begin(self) -> None:
        self.running = Running(
            self.book, self.store, self.machine.clock, self._line, self, rates=self.machine.rates
        )
        self.running.desk.on_failed = lambda failure: self.machine.store_failed(self, failure)
        self.running.feed.on_released(self.machine.released)
        self.running.start()

    def _line(self, account: str) -> Line:
        if account not in self._lines:
            validity = self.machine.validity_s[account]
            self._lines[account] = Line(self.machine.network, self, account, validity)
        return self._lines[account]

    def end(self) -> None:
        """Let go of everything; the files stay as they are."""
        self.alive = False
        self.loop.abandon()
        self.store.inner.close()

    # -- what comes in

    def post(self, given: Input, then: Callable[[Reply], None] | None = None) -> None:
        """Hand an input to the desk, when the machine is awake."""
        if hasattr(self, "running"):
            self.deliver(lambda: self.running.desk.post(given, then))

    def price(self, price: Price) -> None:
        """Hand on a price; there is nobody to hear it while the program is down or the machine asleep."""
        if price.key in self._wanted and self.alive and not self.machine.asleep:
            price = replace(price, at=self.now())
            self.machine.witness.heard(price)
            self.running.desk.post(price)

    def want(self, markets: Collection[tuple[str, str]]) -> None:
        """Take up the markets in use; the price of a new one comes at once."""
        new = [key for key in sorted(markets) if key not in self._wanted]
        self._wanted = frozenset(markets)
        for key in new:
            self.machine.timeline.after(0.01, self._introduce, key)

    async def refresh(self, markets: Collection[tuple[str, str]]) -> None:
        """Ask for prices as over the wire; what is lost on the way does not come."""
        for price in await self.machine.network.quotes(markets):
            self.price(price)

    def _introduce(self, key: tuple[str, str]) -> None:
        price = self.machine.network.venue.price(key)
        if price is not None and key not in self.machine.stale:
            self.price(price)

    def receive(self, raw: bytes, answer: Callable[[int], None]) -> None:
        """Take an alert in as the listener does, and answer with a status."""

        def then(told: Reply) -> None:
            if isinstance(told, StoreFailed):
                answer(503)
            elif isinstance(told, Refusal):
                answer(422)
            else:
                answer(200 if told is not None and told.status == "duplicate" else 202)

        body = alerts.read(raw)
        parsed = alerts.parse(body, self.machine.catalogue) if isinstance(body, alerts.Body) else body
        if isinstance(parsed, alerts.Faults):
            answer(parsed.status)
        elif self.store.behind > MOST_BEHIND and not (parsed.signal.is_exit or parsed.signal.asks_reversal):
            answer(503)
        else:
            received = AlertReceived(
                signal=parsed.signal,
                key=parsed.key,
                body=parsed.body,
                body_hash=parsed.body_hash,
                received_at=self.now(),
                token=TOKEN,
            )
            self.running.desk.post(received, then)

    # -- what a line asks for

    def now(self) -> datetime:
        return self.machine.clock.now()

    def sending(self, orders: Sequence[Order], *, cancel: bool = False) -> None:
        if self.alive:
            (self.machine.witness.cancelling if cancel else self.machine.witness.sending)(orders)
        self.machine.point(self, "send", "before")

    def sent(self, number: int, orders: Sequence[Order]) -> None:
        self.machine.witness.began(number, orders)
        self.machine.point(self, "send", "after")

    def answered(self, number: int) -> None:
        self.machine.witness.ended(number)

    def read(self, account: str, call: str, well: bool) -> None:
        self.machine.witness.read(account, call, well)

    def hear(self, said: OrderReport) -> None:
        self.running.desk.post(said)

    def deliver(self, call: Callable[[], None]) -> None:
        if not self.alive:
            return
        if self.machine.asleep:
            self.machine.on_waking.append(lambda: self.deliver(call))
            return
        if self.machine.point(self, "receive", "before"):
            return
        call()
        self.machine.point(self, "receive", "after")

    # -- how commits go

    def later(self, call: Callable[[], None]) -> None:
        self.machine.timeline.after(self.machine.commit_delay(), self._on_disk, call)

    def _on_disk(self, call: Callable[[], None]) -> None:
        if self.alive:
            if self.machine.asleep:
                self.machine.on_waking.append(lambda: self._on_disk(call))
            else:
                call()

    def may_commit(self, store: SlowStore, rows: tuple[Row, ...]) -> bool:
        return self.machine.may_commit(self, rows)

    def committed(self, rows: tuple[Row, ...]) -> None:
        self.machine.committed(rows)
        self.machine.point(self, "commit", "after")

    def refused(self, failed: StoreFailed) -> None:
        self.machine.witness.refused(failed)

    def soon(self, call: Callable[[], None]) -> None:
        if self.alive:
            self.loop.call_soon(call)


class Machine:
    """What outlives the program: disk, clock, and when it is killed next.

    stale: markets whose prices do not come through. late: how late those of others come [s].
    """

    def __init__(
        self,
        program: Program,
        timeline: Timeline,
        clock: MachineClock,
        catalogue: Catalogue,
        network: Network,
        witness: Any,
    ) -> None:
        self.program = program
        self.timeline = timeline
        self.clock = clock
        self.catalogue = catalogue
        self.network = network
        self.disk = Disk()
        self.timers = Random(f"{program.seed}/timers")
        self.asleep = False
        self.on_waking: list[Callable[[], None]] = []
        self.stale: set[tuple[str, str]] = set()
        self.late: dict[tuple[str, str], float] = {}
        self.validity_s: dict[str, float] = {}
        self.life: Life | None = None
        self.lives = 0
        self.longest_s = 0.0  # that the loop was kept from everything else
        self.witness = witness
        self._commits = Random(f"{program.seed}/commits")
        self._planned: list[Event] = []  # crashes and failures that wait for their moment
        self._pause = 0.0

    def rates(self, exchange: str, market: Market) -> Rates:
        """Return what the exchange takes of one account."""
        orders, per_s = self.program.budget
        known = rates_of(exchange, market)
        return replace(known, orders=fifth(orders, per_s)) if orders and known.orders else known

    # -- lives

    def live(self) -> None:
        """Start the program and let it run until it is killed, or everything is over."""
        self.life = Life(self)
        self.lives += 1
        self.witness.started(self.life.book)
        try:
            self.life.loop.run_forever()
        finally:
            life, self.life = self.life, None
            self.longest_s = max(self.longest_s, life.loop.longest_s)
            life.end()

    def write_first(self, rows: tuple[Row, ...]) -> None:
        """Put rows on the disk before the first start."""
        store: SqliteStore = self.disk.open()
        store.write(rows, lambda failure: None)
        store.close()
        self.witness.committed(rows)

    def kill(self, why: str, pause: float) -> None:
        """End the program on the spot: nothing of it runs on, nothing more leaves."""
        life = self.life
        if life is None or not life.alive:
            return
        self.witness.killed(why, life.book)
        life.alive = False
        self._pause = pause
        life.loop.stop()

    @property
    def pause(self) -> float:
        """Return how long the program stays down."""
        pause, self._pause = self._pause, 0.0
        return pause

    def plan(self, event: Event) -> None:
        """Have a crash or a failure happen at the next such moment."""
        if event.get("where") == "now":
            self.kill("between two steps", event["pause"])
        else:
            self._planned.append(event)

    def forget_plans(self) -> None:
        self._planned.clear()

    def _due(self, do: str, where: str, when: str) -> Event | None:
        for event in self._planned:
            if (
                event["do"] == do
                and event.get("where", "commit") == where
                and event.get("when", when) == when
            ):
                self._planned.remove(event)
                return event
        return None

    def point(self, life: Life, where: str, when: str) -> bool:
        """Return whether the program is killed at this very point."""
        if not self._planned or life is not self.life or not life.alive:
            return False
        event = self._due("crash", where, when) or self._in_an_offset(life, when)
        if event is not None:
            self.kill(f"{when} a {where}", event["pause"])
        return event is not None

    def _in_an_offset(self, life: Life, when: str) -> Event | None:
        """Return a crash that waits for an offset to be at a certain step."""
        for id in life.book.open_risk_actions():
            action = life.book.risk_actions[id]
            role = "between" if action.current is None else action.steps[action.current].role.value
            if (event := self._due("crash", f"offset {role}", when)) is not None:
                return event
        return None

    def takes_defect(self, kind: str) -> bool:
        """Return whether a decision on this kind of input meets a defect now."""
        return bool(self._planned) and self._due("defect", kind, "") is not None

    def store_failed(self, life: Life, failure: StoreFailed) -> None:
        """Build everything anew from the files, as the application does."""
        if life.alive:
            life.loop.call_soon(self.kill, f"the store failed: {failure}", 1.0)

    # -- commits

    def commit_delay(self) -> float:
        return self._commits.uniform(0.1, 1.0) * self.program.commit_s

    def may_commit(self, life: Life, rows: tuple[Row, ...]) -> bool:
        if not self._planned or not rows:
            return True
        if self._due("fail", "commit", "before") is not None:
            life.store.fail("The disk is full.")
            self.witness.failed()
            return True
        if (event := self._due("power", "commit", "before")) is not None:
            self._tear(life, rows, event["pause"])
            return False
        return not self.point(life, "commit", "before")

    def _tear(self, life: Life, rows: tuple[Row, ...], pause: float) -> None:
        """Cut the power in the middle of a commit: the log ends somewhere before the commit's end."""
        before = self.disk.log_size()
        life.store.inner.write(rows, lambda failure: None)
        after = self.disk.log_size()
        if after > before:
            self.disk.power_loss(life.store.inner, self._commits.randrange(before, after))
            self.kill("by a power cut in the middle of a commit", pause)
        else:  # the log was begun anew: nothing shows where the commit ends
            self.committed(rows)
            self.kill("by a power cut after a commit", pause)

    def committed(self, rows: tuple[Row, ...]) -> None:
        self.witness.committed(rows)

    def released(self, change: Any) -> None:
        self.witness.released(change)

    def complained(self, loop: Any, context: dict[str, Any]) -> None:
        self.witness.complained(context)

    # -- sleep

    def sleep(self, seconds: float) -> None:
        """Stand still while the world goes on."""
        life = self.life
        if life is None or not life.alive or self.asleep:
            return
        self.asleep = True
        self.timeline.run_until(self.timeline.now + seconds)
        self.asleep = False
        if not self.program.counts_sleep:
            self.clock.slept_s += seconds
            life.loop.stand_still(seconds)
        waiting, self.on_waking = self.on_waking, []
        for call in waiting:
            call()
