"""From released rows to the screen: one batch every 100 ms; from the screen to the engine: wishes.

Decisions see every price, eyes see ten a second.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import partial
from typing import Any, TypeVar

from PySide6.QtCore import QObject, Qt, QTimer, Signal
from shiboken6 import isValid

from execution_engine.domain.errors import EngineError, Refusal
from execution_engine.domain.facts import Fact
from execution_engine.domain.inputs import Answer, Balances, Input, Price
from execution_engine.domain.origin import Origin, acting
from execution_engine.domain.rows import (
    Account,
    AccountRemoved,
    Alert,
    Archive,
    Engine,
    EquityPoint,
    Finding,
    Group,
    Leg,
    Order,
    Pyramid,
    QueuedSignal,
    RiskAction,
    Row,
    SettingsVersion,
    TokenRemoved,
    WebhookToken,
    World,
    WorldHold,
)
from execution_engine.ui.doors import Doors
from execution_engine.ui.tongue import tr

BATCH_MS = 95  # and some milliseconds to paint it: 110 from a price to its cell, ten pictures a second
WAIT_MS = 4  # orders before pictures: a turn waits while an alert or a fill is on its way
MOST_WAITS = 10
SUMS_MS = 250  # figures over many prices are for reading, not for watching
MARKETS_A_TURN = 10  # a batch of many markets is told in turns
TURN_MS = 8  # between two of them, for alerts and orders
ALERTS_KEPT = 2000
RISKS_KEPT = 500  # entries in the risk engine's history
SETTLED_KEPT = 500  # findings that nobody has to decide any more

Market = tuple[str, str]
log = logging.getLogger(__name__)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Batch:
    """What changed since the last batch: ids of rows, names of accounts and of worlds that are on hold or
    not any more, markets with a new price."""

    groups: frozenset[int] = frozenset()
    pyramids: frozenset[int] = frozenset()
    legs: frozenset[int] = frozenset()
    orders: frozenset[int] = frozenset()
    alerts: frozenset[int] = frozenset()
    queue: frozenset[int] = frozenset()
    accounts: frozenset[str] = frozenset()
    findings: frozenset[int] = frozenset()
    holds: frozenset[World] = frozenset()
    risks: frozenset[int] = frozenset()
    markets: frozenset[Market] = frozenset()
    equity: tuple[EquityPoint, ...] = ()
    balances: bool = False
    engine: bool = False
    settings: bool = False
    tokens: bool = False
    whole: bool = False
    """Everything was read anew; models replace what they hold."""
    hurried: bool = False
    """Somebody waits to see it: sums are shown at once as well."""

    @property
    def only_prices(self) -> bool:
        """Nothing but prices moved."""
        return not self.hurried and self == Batch(markets=self.markets)

    @property
    def is_pressing(self) -> bool:
        """Somebody waits for it, or it says how the engine stands; else sums may wait a quarter of a second."""
        said = self.accounts or self.findings or self.holds or self.engine or self.settings or self.tokens
        return bool(said) or self.whole or self.hurried


_KINDS: dict[type, str] = {
    Group: "groups",
    Pyramid: "pyramids",
    Leg: "legs",
    Order: "orders",
    Alert: "alerts",
    QueuedSignal: "queue",
    Account: "accounts",
    Finding: "findings",
    RiskAction: "risks",
    WorldHold: "holds",
}
_NAMED = ("accounts", "holds")


class Bridge(QObject):
    """Holds what the screens show, and tells them in batches what of it changed.

    changed: a `Batch`, at most ten a second. noticed: facts for the corner of the window and the log, at once.
    """

    changed = Signal(object)
    noticed = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.doors: Doors = None  # type: ignore[assignment]  # `attach` brings them before anything is shown
        self.groups: dict[int, Group] = {}
        self.pyramids: dict[int, Pyramid] = {}
        self.legs: dict[int, Leg] = {}
        self.orders: dict[int, Order] = {}
        self.alerts: dict[int, Alert] = {}
        self.queue: dict[int, QueuedSignal] = {}
        self.accounts: dict[str, Account] = {}
        self.findings: dict[int, Finding] = {}
        self.holds: dict[World, WorldHold] = {}
        self.risks: dict[int, RiskAction] = {}
        self.engine: Engine | None = None
        self.prices: dict[Market, Price] = {}
        self.balances: dict[str, Mapping[str, Decimal]] = {}
        self.pyramids_of: defaultdict[int, dict[int, None]] = defaultdict(dict)
        self.legs_of: defaultdict[int, dict[int, None]] = defaultdict(dict)
        self.orders_of: defaultdict[int, dict[int, None]] = defaultdict(dict)
        self.slots_of: defaultdict[str, dict[int, None]] = defaultdict(dict)  # by account
        self._touched: defaultdict[str, set[Any]] = defaultdict(set)
        self._flags: set[str] = set()
        self._equity: list[EquityPoint] = []
        self._tasks: set[asyncio.Task[Any]] = set()
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._begin_turns)
        self._turns: list[Batch] = []
        self._waits = 0
        self._next_turn = QTimer(self)
        self._next_turn.setSingleShot(True)
        self._next_turn.setTimerType(Qt.TimerType.PreciseTimer)
        self._next_turn.timeout.connect(self._turn)

    # -- from the engine

    def attach(self, doors: Doors) -> None:
        """Read the whole open state through these doors; called again when the engine was built anew."""
        self.doors = doors
        for held in (
            self.groups,
            self.pyramids,
            self.legs,
            self.orders,
            self.alerts,
            self.queue,
            self.accounts,
            self.findings,
            self.holds,
            self.risks,
        ):
            held.clear()
        for index in (self.pyramids_of, self.legs_of, self.orders_of, self.slots_of):
            index.clear()
        self._take(doors.rows())
        self.prices = {price.key: price for price in doors.prices()}
        self.balances = dict(doors.balances())
        self._flags.add("whole")
        self.flush()

    def released(self, rows: tuple[Row, ...], facts: tuple[Fact, ...]) -> None:
        """Take in a durable change."""
        self._take(rows)
        if facts:
            self.noticed.emit(facts)
        self._soon()

    def price(self, price: Price) -> None:
        self.prices[price.key] = price
        self._touched["markets"].add(price.key)
        self._soon()

    def balance(self, read: Balances) -> None:
        self.balances[read.account] = read.free
        self._flags.add("balances")
        self._soon()

    def _soon(self) -> None:
        if not self._timer.isActive():
            self._timer.start(BATCH_MS)

    def flush(self) -> None:
        """Tell the screens all that has gathered, at once."""
        turns, self._turns = self._turns, []
        self._timer.stop()
        self._next_turn.stop()
        for batch in (*turns, self._gathered()):
            self.changed.emit(replace(batch, hurried=True))

    def _begin_turns(self) -> None:
        """Tell the screens what has gathered in turns of a few markets, so that alerts get theirs in between."""
        if self._turns:
            self._timer.start(BATCH_MS)  # the last batch is not told yet: gather on, so that nothing piles up
            return
        gathered = self._gathered()
        markets = sorted(gathered.markets)
        first, rest = markets[:MARKETS_A_TURN], markets[MARKETS_A_TURN:]
        self._turns.append(replace(gathered, markets=frozenset(first)))
        for at in range(0, len(rest), MARKETS_A_TURN):
            self._turns.append(Batch(markets=frozenset(rest[at : at + MARKETS_A_TURN])))
        self._turn()

    def _turn(self) -> None:
        if self.doors.busy() and self._waits < MOST_WAITS:
            self._waits += 1
            self._next_turn.start(WAIT_MS)
            return
        self._waits = 0
        batch = self._turns.pop(0)
        if self._turns:
            self._next_turn.start(TURN_MS)
        self.changed.emit(batch)

    def _gathered(self) -> Batch:
        touched = {kind: frozenset(ids) for kind, ids in self._touched.items()}
        flags: dict[str, bool] = dict.fromkeys(self._flags, True)
        batch = Batch(**touched, **flags, equity=tuple(self._equity))  # type: ignore[arg-type]
        self._touched.clear()
        self._flags.clear()
        self._equity.clear()
        return batch

    def _take(self, rows: Iterable[Row]) -> None:
        for row in rows:
            kind = _KINDS.get(type(row))
            if kind is not None:
                self._keep(kind, row)
            elif isinstance(row, Archive):
                self._forget(row.group_id)
            elif isinstance(row, AccountRemoved):
                self.accounts.pop(row.name, None)
                self._touched["accounts"].add(row.name)
            elif isinstance(row, Engine):
                self.engine = row
                self._flags.add("engine")
            elif isinstance(row, EquityPoint):
                self._equity.append(row)
            elif isinstance(row, SettingsVersion):
                self._flags.add("settings")
            elif isinstance(row, WebhookToken | TokenRemoved):
                self._flags.add("tokens")

    def _keep(self, kind: str, row: Any) -> None:
        key = row.name if kind in _NAMED else row.id
        held: dict[Any, Any] = getattr(self, kind)
        if (kind == "queue" and row.outcome is not None) or (kind == "holds" and not row.reason):
            held.pop(key, None)
        else:
            held[key] = row
        self._touched[kind].add(key)
        if kind == "groups":
            if row.holds_slot:
                self.slots_of[row.account][row.id] = None
            else:
                self.slots_of[row.account].pop(row.id, None)
        if kind in ("pyramids", "legs", "orders"):
            getattr(self, f"{kind}_of")[row.group_id][key] = None
        if kind == "alerts" and len(held) > ALERTS_KEPT:
            del held[next(iter(held))]
        if kind == "risks" and len(held) > RISKS_KEPT:
            del held[next(id for id, each in held.items() if not each.is_open)]
        if kind == "findings" and row.settled_at is not None:
            settled = [id for id, each in held.items() if each.settled_at is not None]
            for id in settled[:-SETTLED_KEPT]:
                del held[id]

    def _forget(self, group_id: int) -> None:
        """Let go of a group that moved to history."""
        group = self.groups.pop(group_id, None)
        if group is not None:
            self.slots_of[group.account].pop(group_id, None)
        self._touched["groups"].add(group_id)
        for index, held in (
            (self.pyramids_of, self.pyramids),
            (self.legs_of, self.legs),
            (self.orders_of, self.orders),
        ):
            for id in index.pop(group_id, ()):
                held.pop(id, None)

    # -- to the engine

    def wish(self, wish: Input, done: Callable[[Answer | Refusal], None] | None = None) -> None:
        """Ask the engine for something; `done` hears a sentence either way, once it is committed."""
        self.run(self.doors.ask(wish), done)

    def run(self, work: Awaitable[T], done: Callable[[T | Refusal], None] | None = None) -> None:
        """Wait for something without holding the window; a failure comes back as a `Refusal`."""
        task = asyncio.ensure_future(self._finish(work, done))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    @staticmethod
    async def _finish(work: Awaitable[T], done: Callable[[T | Refusal], None] | None) -> None:
        result: T | Refusal
        try:
            with acting(Origin.WINDOW):
                result = await work
        except EngineError as error:
            result = Refusal("FAILED", str(error))
        except Exception as error:  # whoever waits must hear of it, whatever it is
            log.exception("what the window asked for failed")
            said = tr("This failed ({name}); the log says more.").format(name=type(error).__name__)
            result = Refusal("FAILED", said)
        if done is not None and _wanted(done):
            try:
                done(result)
            except Exception as error:
                # As with a slot: a page's own trouble, which its panel will show.
                sys.excepthook(type(error), error, error.__traceback__)


def _wanted(done: Callable[..., object]) -> bool:
    """Tell whether who waits is still there: a page may be gone before its answer comes."""
    asked = done.func if isinstance(done, partial) else done
    owner = getattr(asked, "__self__", None)
    return not isinstance(owner, QObject) or isValid(owner)
