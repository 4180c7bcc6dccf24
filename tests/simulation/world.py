"""One history from its program: everything joined, run to the end and judged."""

from __future__ import annotations

import gc
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from time import process_time
from typing import Any

from execution_engine.adapters.exchanges.instruments import load as load_instruments
from execution_engine.adapters.exchanges.paper_rows import PaperOrder, PaperTerms
from execution_engine.domain import document as documents
from execution_engine.domain.errors import StoreFailed
from execution_engine.domain.inputs import Balances, CloseAll, Input, OrderReport, Price
from execution_engine.domain.instrument import Action, Instrument, Market
from execution_engine.domain.money import ZERO, round_down
from execution_engine.domain.order import client_order_id, prefix
from execution_engine.domain.rows import (
    Account,
    AccountStatus,
    Engine,
    Mode,
    Order,
    Row,
    SettingsVersion,
    WebhookToken,
    World,
)
from execution_engine.domain.settings import Settings
from execution_engine.domain.symbols import Catalogue
from execution_engine.engine.book import Book
from execution_engine.engine.feed import Released
from tests.house import resources
from tests.simulation import defects, trader
from tests.simulation.auditor import Auditor, Broken
from tests.simulation.clock import MachineClock, TrueClock
from tests.simulation.loop import Stuck, Timeline, VirtualLoop
from tests.simulation.machine import TOKEN, Life, Machine
from tests.simulation.market import Path
from tests.simulation.network import VALID_S, InjectedDefect, Network, Stream
from tests.simulation.program import Event, Program
from tests.simulation.sometimes import Sometimes
from tests.simulation.story import Story
from tests.simulation.tradingview import CANARY, TradingView
from tests.simulation.venue import Venue

INSTALL_KEY = "a simulated installation"
OURS = prefix(INSTALL_KEY)
INSTRUMENTS = {
    instrument.key: instrument for instrument in load_instruments(resources() / "instruments.json")
}

# After the faults have stopped: how long until nothing is in doubt any more, and how long to close everything.
# The longest fence is 60 s, an order that the exchange forgot takes 60 s more, the slowest retry comes after 60 s.
SETTLE_S = 240.0
CLOSE_S = 240.0
ENGINE_LOG = logging.getLogger("execution_engine")


@dataclass(slots=True)
class Ending:
    """How a history ended. seconds: simulated. took: seconds of the processor.

    longest_s: the longest that the loop was kept from everything else, in seconds of the processor.
    economy: what every key and account came to, for comparisons.
    """

    program: Program
    broken: Broken | None
    seconds: float
    took: float
    commits: int
    prices: int
    lives: int
    longest_s: float
    sometimes: Sometimes
    story: Story | None = None
    economy: dict[str, Any] = field(default_factory=dict)


class LogEar(logging.Handler):
    """Hears what the engine logs as an error; what nobody injected is a defect."""

    def __init__(self, heard: Callable[[logging.LogRecord], None]) -> None:
        super().__init__(logging.ERROR)
        self._heard = heard

    def emit(self, record: logging.LogRecord) -> None:
        self._heard(record)


class History:
    """Runs one program."""

    def __init__(self, program: Program, sometimes: Sometimes | None = None, *, tell: bool = False) -> None:
        self.program = program
        self.timeline = Timeline()
        self.story = Story(self.timeline) if tell else None
        self.sometimes = sometimes or Sometimes()
        start = datetime.fromisoformat(program.start)
        self.true_clock = TrueClock(self.timeline, start)
        self.clock = MachineClock(self.timeline, start)
        self.settings = settings_of(program)
        self.instruments = [INSTRUMENTS[program.venue, symbol] for symbol in program.symbols]
        self.catalogue = Catalogue(self.instruments)
        self.auditor = Auditor(self.catalogue.get, OURS)
        self.auditor.on_broken = self._stop
        self.auditor.decided = self.clock.true_time
        self.auditor.met = self.sometimes.hit
        self.auditor.budget = program.budget if program.budget[0] else None
        self.venue = Venue(
            self.true_clock,
            {instrument.key: instrument for instrument in self.instruments},
            PaperTerms(start_balance_usd=Decimal(program.balance_usd)),
            lambda account: self.settings.account(account).leverage,
            self._told,
            self._seen,
        )
        self.venue.retention = timedelta(seconds=program.retention_s)
        self.venue.most_open = program.most_open
        self.venue.fee_currency = program.fee_currency
        self.network = Network(program, self.timeline, self.venue, self.sometimes)
        self.network.clock_jumps = self._jump
        self.machine = Machine(program, self.timeline, self.clock, self.catalogue, self.network, self)
        self.tradingview = TradingView(self.timeline, self.network, self.machine, self.auditor, self.story)
        self.trader = trader.Trader(self)
        self.stream = Stream(self.network, self._stream)
        self.commits = self.prices = 0
        self.over = self.closing = False
        self._partial = Random(f"{program.seed}/partial")
        self._arrived: dict[tuple[str, str], float] = {}  # when a market's last late price is there
        self._others = Random(f"{program.seed}/others")
        self._paths = [Path(program, instrument) for instrument in self.instruments]
        self._between = VirtualLoop(self.timeline)

    # -- running

    def run(self) -> Ending:
        """Run to the end, or to the first broken invariant."""
        began = process_time()
        ear = LogEar(self._logged)
        level, propagate = ENGINE_LOG.level, ENGINE_LOG.propagate
        ENGINE_LOG.addHandler(ear)
        ENGINE_LOG.propagate = False
        try:
            with defects.planted(self):
                self._run()
        except Stuck:
            self.auditor.breaks("I3", "nothing goes on any more")
        finally:
            ENGINE_LOG.removeHandler(ear)
            ENGINE_LOG.setLevel(level)
            ENGINE_LOG.propagate = propagate
            self._between.close()
            self.venue.close()
        return self._ending(process_time() - began)

    def _run(self) -> None:
        self.machine.write_first(self._first_rows())
        for account in self.program.accounts:
            self.venue.open_account(account.name, Market(account.market))
            self.machine.validity_s[account.name] = VALID_S[account.exchange]
        self.timeline.at(0, self._tick)
        for event in self.program.events:
            self.timeline.at(event["at"], self._happen, event)
        self.timeline.at(self.program.length_s, self._quieten)
        while not self.over:
            self.machine.live()
            if not self.over:
                self._down_for(self.machine.pause)

    def _down_for(self, seconds: float) -> None:
        """Let the world go on while the program is down."""
        self.timeline.after(seconds, self._between.stop)
        self._between.run_forever()

    def _stop(self) -> None:
        self.over = True
        if self.machine.life is not None:
            self.machine.life.alive = False
            self.machine.life.loop.stop()
        self._between.stop()

    def _first_rows(self) -> tuple[Row, ...]:
        now = self.clock.now()
        accounts = [
            Account(
                name=plan.name,
                exchange=plan.exchange,
                market=Market(plan.market),
                mode=Mode.PAPER if plan.exchange == "paper" else Mode.DEMO,
                world=World.PAPER if plan.exchange == "paper" else World.TEST,
                enabled=True,
                created_at=now,
            )
            for plan in self.program.accounts
        ]
        document = documents.dump(self.settings)
        return (
            Engine(install_key=INSTALL_KEY),
            *accounts,
            WebhookToken(name=TOKEN, token="a simulated token", created_at=now),
            SettingsVersion(id=1, saved_at=now, document=document),
        )

    def _tick(self) -> None:
        """Let every market move, once a second."""
        now = self.true_clock.now()
        self.prices += len(self._paths)
        portion = self._portion if self.program.rate("partial") else None
        self.venue.move([path.next(now) for path in self._paths], portion)
        life = self.machine.life
        up = life is not None and life.alive and not self.machine.asleep
        self.auditor.look_at_queue(self.timeline.now, up=up)
        if not self.over:
            self.timeline.after(1.0, self._tick)

    def _portion(self, order: PaperOrder, price: Price) -> Decimal:
        """Say how much of a reached order fills now [base]."""
        if not self.network.happens("partial", order.status.value):
            return order.remaining
        rules = self.venue.rules[order.key]
        part = round_down(order.remaining * Decimal(self._partial.randint(1, 99)) / 100, rules.step)
        return max(part, rules.step)

    # -- what is heard

    def _told(self, said: Input) -> None:
        """Hear what the exchange sends out."""
        life = self.machine.life
        if isinstance(said, Price):
            told = said.key not in self.machine.stale and int(self.timeline.now) % self.program.price_s == 0
            if life is not None and life.alive and told:
                self._told_price(life, said)
        elif isinstance(said, Balances) and said.account in self.machine.validity_s:
            self.stream.send(said, "balance")

    def _told_price(self, life: Life, price: Price) -> None:
        """Let a price travel; none overtakes the one before it."""
        now, price = self.timeline.now, replace(price, quoted_at=price.at)
        arrives = max(now + self.machine.late.get(price.key, 0.0), self._arrived.get(price.key, 0.0))
        if arrives <= now:
            life.price(price)
            return
        self._arrived[price.key] = arrives
        self.timeline.after(arrives - now, life.price, price)

    def _seen(self, report: OrderReport) -> None:
        """Hear how an order stands at the exchange, before anybody is told."""
        if self.story:
            trades = f", {len(report.trades)} trades" if report.trades else ""
            self.story.tell("exchange", f"{report.client_order_id[-6:]} is {report.status}{trades}")
        self.auditor.seen(report)
        self.stream.send(report, "" if report.status is None else report.status.value)

    def _stream(self, said: Any) -> None:
        life = self.machine.life
        if life is not None and life.alive and not self.machine.asleep and hasattr(life, "running"):
            life.running.desk.post(replace(said, at=self.clock.now()))

    # -- what the machine tells its witness

    def started(self, book: Book) -> None:
        self.tell("program", f"starts, life {self.machine.lives}")
        self.auditor.started()
        self.auditor.compare(book.rows())
        self.auditor.acknowledged()

    def killed(self, why: str, book: Book) -> None:
        self.tell("program", f"is killed {why}")
        for id in book.open_risk_actions():
            at = book.risk_actions[id].current
            role = "between" if at is None else book.risk_actions[id].steps[at].role.value
            self.sometimes.hit("crash_in_offset", role)
        for order in book.orders.values():
            self.sometimes.hit("crash", order.status.value)

    def heard(self, price: Price) -> None:
        self.auditor.hear(price, self.timeline.now)

    def cancelling(self, orders: Sequence[Order]) -> None:
        self.auditor.cancelling(orders)

    def began(self, number: int, orders: Sequence[Order]) -> None:
        self.auditor.began(number, orders, self.timeline.now)

    def ended(self, number: int) -> None:
        self.auditor.ended(number)

    def read(self, account: str, call: str, well: bool) -> None:
        self.auditor.read(account, call, well, self.timeline.now)

    def sending(self, orders: Sequence[Order]) -> None:
        if self.story:
            sent = ", ".join(f"{order.id} ({order.client_order_id[-6:]})" for order in orders)
            self.story.tell("lane", f"sends {sent}")
        self.auditor.sending(orders, self.timeline.now)

    def committed(self, rows: tuple[Row, ...]) -> None:
        self.commits += 1
        if self.story:
            for row in rows:
                told = told_of(row)
                if told:
                    self.story.tell("disk", told)
        self.auditor.committed(rows, self.timeline.now)

    def failed(self) -> None:
        self.tell("disk", "a commit fails")

    def refused(self, failed: StoreFailed) -> None:
        self.auditor.breaks("I4", f"the database refused a commit: {failed}: {failed.__cause__}")

    def released(self, change: Released) -> None:
        for fact in change.facts:
            if CANARY in fact.text:
                self.auditor.breaks("I18", f"a secret is in a fact: {fact.text}")
            self.tell("engine", fact.text)

    def complained(self, context: dict[str, Any]) -> None:
        self._defect(str(context.get("message")), context.get("exception"))

    def _logged(self, record: logging.LogRecord) -> None:
        if record.exc_info and record.exc_info[1] is not None:
            self._defect(record.getMessage(), record.exc_info[1])

    def _defect(self, message: str, error: BaseException | None) -> None:
        self.tell("log", f"{message}: {error!r}")
        if not isinstance(error, InjectedDefect):
            if self.story and error is not None:
                self.story.lines += defects.trace(error)
            self.auditor.breaks("defect", f"{message}: {error!r}")

    def tell(self, who: str, what: str) -> None:
        if self.story:
            self.story.tell(who, what)

    # -- what is planned

    def _happen(self, event: Event) -> None:
        if self.over or self.network.quiet:
            return
        if self.story:
            self.story.tell("program of", ", ".join(f"{name} {value}" for name, value in event.items()))
        self.sometimes.hit("event", event["do"])
        getattr(self, f"_do_{event['do']}")(event)

    def _do_alert(self, event: Event) -> None:
        self.tradingview.send(event)

    def _do_command(self, event: Event) -> None:
        self.trader.command(event)

    def _do_crash(self, event: Event) -> None:
        self.machine.plan(event)

    _do_power = _do_fail = _do_crash

    def _do_defect(self, event: Event) -> None:
        self.machine.plan(event)
        self.auditor.disturbed.defects += 1

    def _do_sleep(self, event: Event) -> None:
        self.machine.sleep(event["seconds"])
        if event["seconds"] > 10:
            self.auditor.lost_time(self.timeline.now)

    def _do_step(self, event: Event) -> None:
        self.clock.set_on(event["seconds"])
        if abs(event["seconds"]) > 3:
            self.auditor.lost_time(self.timeline.now, event["seconds"])
            self.auditor.heard.clear()  # nobody can tell how old those prices are

    def _jump(self, seconds: float) -> None:
        """Set the clock of the machine forward, in so many seconds: a request is on its way meanwhile."""
        self.timeline.after(seconds, self._set_forward)

    def _set_forward(self) -> None:
        if not self.network.quiet:
            self.tell("program of", "the clock is set forward while a request is on its way")
            self.clock.set_on(120)
            self.auditor.lost_time(self.timeline.now)
            self.auditor.heard.clear()

    def _do_down(self, event: Event) -> None:
        self.network.take_down(event["account"], event["seconds"], event["how"])

    def _do_stale(self, event: Event) -> None:
        key = (self.program.venue, event["symbol"])
        self.machine.stale.add(key)
        self.timeline.after(event["seconds"], self.machine.stale.discard, key)

    def _do_late(self, event: Event) -> None:
        key = (self.program.venue, event["symbol"])
        self.machine.late[key] = event["lag"]
        self.timeline.after(event["seconds"], self.machine.late.pop, key, None)

    def _do_read_defect(self, event: Event) -> None:
        self.network.broken_reads.add(event["account"])

    def _do_cancelled(self, event: Event) -> None:
        """The exchange cancels an order by itself."""
        resting = self.venue.resting(self.auditor.ours)
        if resting:
            self.venue.cancel(self.venue.orders[self._others.choice(resting)])

    def _do_hand(self, event: Event) -> None:
        """The owner of the account closes a part of what is held, by hand; or the exchange all, by force."""
        rules = self.instruments[event["symbol"] % len(self.instruments)]
        account = self._account_for(rules)
        name = event["name"]
        if account is None:
            return
        if rules.market is Market.SWAP:
            held = self.venue.positions(account).get(rules.key, ZERO)
        else:
            held = self.venue.wallet(account).get(rules.base, ZERO)
        part = round_down(abs(held) * Decimal(event["percent"]) / 100, rules.step)
        if part <= 0:
            return
        self.auditor.disturbed.accounts.add(account)
        self.sometimes.hit(name, rules.market.value)
        action = Action.SELL if held > 0 else Action.BUY
        swap = rules.market is Market.SWAP
        self.venue.by_other(name, account, rules.key, action, part, reduce_only=swap)

    def _do_foreign(self, event: Event) -> None:
        """Somebody else has an order on the account, far from the market; with our prefix it is an orphan."""
        rules = self.instruments[event["symbol"] % len(self.instruments)]
        account, price = self._account_for(rules), self.venue.price(rules.key)
        if account is None or price is None:
            return
        name = "other"
        if event["ours"]:
            name = client_order_id(INSTALL_KEY, 1, 10**9 + int(event["at"]), 1)[:-4]
        low = round_down(price.last * Decimal("0.6"), rules.tick)
        least = max(rules.min_qty, Decimal(200) / low)
        quantity = round_down(least, rules.step) + rules.step
        self.auditor.disturbed.orphans.add(f"{name}{self.venue._count + 1}")
        self.venue.by_other(name, account, rules.key, Action.BUY, quantity, low)

    def _account_for(self, rules: Instrument) -> str | None:
        fitting = [plan.name for plan in self.program.accounts if plan.market == rules.market.value]
        return fitting[0] if fitting else None

    def _do_rules(self, event: Event) -> None:
        """The exchange changes a market's rules for a while: prices must be coarser."""
        rules = self.instruments[event["symbol"] % len(self.instruments)]
        self.venue.rules[rules.key] = replace(rules, tick=rules.tick * 10)
        self.timeline.after(event["seconds"], self.venue.rules.__setitem__, rules.key, rules)

    # -- the end

    def _quieten(self) -> None:
        """Stop all faults; from here on everything must come to its end."""
        self.tell("program of", "faults stop")
        self.network.quiet = True
        self.machine.forget_plans()
        self.machine.stale.clear()
        self.machine.late.clear()
        self.network.broken_reads.clear()
        for rules in self.instruments:
            self.venue.rules[rules.key] = rules
        self._settle(SETTLE_S, self._close_all)

    def _settle(self, most: float, then: Callable[[], None]) -> None:
        """Wait until nothing is in doubt any more, but not for ever: so many seconds with the program at work."""
        if self.over:
            return
        up = self.machine.life is not None and self.machine.life.alive and not self.machine.asleep
        if up:
            self.trader.attend()
        left = self._under_way()
        if not left:
            then()
        elif most <= 0:
            self.auditor.breaks("I15", f"{left}, long after the faults have stopped")
        else:
            self.timeline.after(1.0, self._settle, most - up, then)

    def _under_way(self) -> str:
        life = self.machine.life
        if life is None or not life.alive or self.machine.asleep or not hasattr(life, "running"):
            return "the program is down"
        not_ready = [a.name for a in life.book.accounts.values() if a.status is not AccountStatus.READY]
        return self.auditor.quiet(
            pending=[
                *(["alerts are being delivered"] if self.tradingview.waiting else []),
                *(["changes are not durable"] if life.running.busy else []),
                *(f"{id}, which nobody intended, rests" for id in self._orphans()),
                *(f"account {name} is {life.book.accounts[name].status}" for name in not_ready),
            ]
        )

    def _orphans(self) -> list[str]:
        """Return the orders with our prefix that the books lack: what could add risk must be cancelled."""
        ours = [id for id in self.auditor.disturbed.orphans if id.startswith(OURS)]
        return sorted(id for id in ours if id in self.venue.past and not self.venue.is_over(id))

    def _close_all(self) -> None:
        self.closing = True
        self.trader.post(CloseAll())
        self.timeline.after(1.0, self._settle, CLOSE_S, self._judge)

    def _judge(self) -> None:
        self.auditor.acknowledged()
        self.auditor.at_the_end(self.venue.positions, self.venue.price)
        if self.machine.disk.contains(CANARY):
            self.auditor.breaks("I18", "a secret is on the disk")
        self._stop()

    def _ending(self, took: float) -> Ending:
        return Ending(
            program=self.program,
            broken=self.auditor.broken,
            seconds=self.timeline.now,
            took=took,
            commits=self.commits,
            prices=self.prices,
            lives=self.machine.lives,
            longest_s=self.machine.longest_s,
            sometimes=self.sometimes,
            story=self.story,
            economy=self.auditor.economy(),
        )


def told_of(row: Row) -> str:
    """Say in a line what a committed row is about; nothing for those that tell no story."""
    if isinstance(row, Order):
        filled = f", {row.filled_quantity} filled" if row.filled_quantity else ""
        cancel = ", to be cancelled" if row.cancel_requested and not row.is_final else ""
        price = f" at {row.price}" if row.price is not None else ""
        return (
            f"order {row.id} ({row.client_order_id[-6:]}) {row.purpose} of group {row.group_id}: {row.action} "
            f"{row.quantity}{price} is {row.status}{filled}{cancel} {row.reason}"
        )
    return ""


def settings_of(program: Program) -> Settings:
    settings = Settings()
    for path, value in program.settings.items():
        settings = documents.with_value(settings, path, value)
    return settings


def run(program: Program, sometimes: Sometimes | None = None, *, tell: bool = False) -> Ending:
    """Run one program; without the collector, which would only walk through what is thrown away at the end."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        return History(program, sometimes, tell=tell).run()
    finally:
        if enabled:
            gc.enable()
