"""Watches everything that becomes durable and everything that the exchange does, and says what no rule allows.

The rules are written down here a second time, on purpose: nothing is borrowed from the code that they judge. The
codes are those of the design's list of invariants.
"""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from execution_engine.domain import document as documents
from execution_engine.domain.inputs import OrderReport, Price, Trade
from execution_engine.domain.instrument import Instrument, Market, Side
from execution_engine.domain.money import ZERO
from execution_engine.domain.netting import NETTED
from execution_engine.domain.rows import (
    Account,
    AccountStatus,
    Alert,
    AlertKey,
    Archive,
    Engine,
    EquityPoint,
    Fill,
    Finding,
    FindingKind,
    Group,
    GroupStatus,
    Leg,
    Order,
    OrderStatus,
    Purpose,
    Pyramid,
    QueuedSignal,
    RiskAction,
    Row,
    SettingsVersion,
    World,
    WorldHold,
)
from execution_engine.domain.settings import Settings
from execution_engine.domain.signal import Outcome, SignalType
from execution_engine.engine.pulse import BEAT_S, JUMP_S
from tests.simulation.offsets import Offsets, open_ones

S, G = OrderStatus, GroupStatus
FINAL = frozenset({S.FILLED, S.CANCELLED, S.REJECTED, S.FAILED})
WORKING = frozenset({S.OPEN, S.PARTIALLY_FILLED, S.FILLED, S.CANCELLED})
STEPS = {
    S.PENDING: WORKING | {S.REJECTED, S.FAILED, S.UNKNOWN},
    S.UNKNOWN: WORKING | {S.REJECTED, S.FAILED},
    S.OPEN: (WORKING - {S.OPEN}) | {S.UNKNOWN},
    S.PARTIALLY_FILLED: frozenset({S.FILLED, S.CANCELLED, S.UNKNOWN}),
    S.FILLED: frozenset(),
    S.CANCELLED: frozenset({S.FILLED}),  # a late fill
    S.REJECTED: WORKING,  # found after all
    S.FAILED: WORKING,
}
OPEN = frozenset({G.WAITING, G.LIVE, G.PARTIALLY_FILLED, G.ACTIVE})
SLOT = OPEN | {G.CLOSING}
GROUP_STEPS = {
    G.WAITING: OPEN | {G.CLOSING, G.CLOSED, G.FAILED},
    G.LIVE: OPEN | {G.CLOSING, G.CLOSED, G.FAILED},
    G.PARTIALLY_FILLED: OPEN | {G.CLOSING, G.CLOSED},
    G.ACTIVE: OPEN | {G.CLOSING, G.CLOSED},
    G.CLOSING: frozenset({G.CLOSED}),
    G.CLOSED: frozenset({G.CLOSING}),  # a late fill
    G.FAILED: frozenset({G.CLOSING}),
}
Key = tuple[str, str]
KEPT = (
    "client_order_id", "quantity", "price", "action", "type", "parts", "group_id", "leg_id", "purpose",
    "risk_action_id", "risk_step",
)  # fmt: skip
# Order requests that an exchange takes of one account, in so many seconds; OKX counts each market by itself.
BUDGETS = {
    ("binance", "spot"): (100, 10),
    ("binance", "swap"): (300, 10),
    ("bybit", "spot"): (20, 1),
    ("bybit", "swap"): (10, 1),
    ("okx", "spot"): (60, 2),
    ("okx", "swap"): (60, 2),
    ("kucoin", "spot"): (100, 10),
    ("kucoin", "swap"): (100, 10),
}
COMMIT_S = 1.5  # how much later than it was decided something may be on the disk
NOTICED_S = 2.5  # how long it may take until the loss of time is noticed
MOST_FAILURES = 3  # rounds of readings in a row that may fail before an account counts as unreadable
MOST_CLOSES = 12  # of one group within ten seconds
HOLDING = (FindingKind.DEFICIT, FindingKind.DEFECT)
SLACK_S = 2.5  # the clock may be a little wrong
FRESH_S = 10.0  # the price of a market that is older begins nothing
SURE_S = 7.0  # one that is so new counts for certain, whatever the clock says
SAME_MOMENT_S = 0.6  # prices so near a decision may have come before or after it
HEARD_KEPT_S = 60.0
IDLE_S = 60.0  # how long a slot may stay free while somebody could take it
BY_HAND = "by you"
USUAL_FEE = Decimal("0.001")
CENT = Decimal("0.000001")


@dataclass(frozen=True, slots=True)
class Broken:
    """A broken invariant: its code and a sentence."""

    code: str
    text: str


@dataclass(slots=True)
class Truth:
    """What the exchange has of one order of ours."""

    order: Order
    report: OrderReport
    trades: int = 0
    over: bool = False


@dataclass(slots=True)
class Disturbed:
    """What others did, which the books cannot know by themselves."""

    accounts: set[str] = field(default_factory=set)  # positions there were changed by others
    orphans: set[str] = field(default_factory=set)  # client order ids with our prefix that nobody intended
    defects: int = 0  # errors of ours that were put there on purpose


class Auditor:
    """Hears what is durable (`committed`), what leaves (`sending`) and what the exchange does (`seen`)."""

    def __init__(self, catalogue: Callable[[str, str], Instrument | None], ours: str) -> None:
        self.broken: Broken | None = None
        self.decided: Callable[[datetime], float] = lambda at: self._now  # when that was, in true time
        self.on_broken: Callable[[], None] = lambda: None
        self.disturbed = Disturbed()
        self.rows: defaultdict[type, dict[Any, Any]] = defaultdict(dict)
        self.truth: dict[str, Truth] = {}
        self.settings = Settings()
        self.paused = False
        self.answered: dict[str, set[int]] = defaultdict(
            set
        )  # by an alert's id: statuses it was answered with
        self.unanswered: Counter[str] = (
            Counter()
        )  # by an alert's key: copies that came in and were not answered
        self._catalogue = catalogue
        self._ours = ours
        self._order_of: dict[str, int] = {}
        self._fills_of: defaultdict[int, dict[str, Fill]] = defaultdict(dict)
        self._orders_of: defaultdict[int, dict[int, None]] = defaultdict(dict)
        self._legs_of: defaultdict[int, dict[int, None]] = defaultdict(dict)
        self._accepted: defaultdict[int, Decimal] = defaultdict(lambda: ZERO)  # entries by leg [base]
        self._held: defaultdict[int, Decimal] = defaultdict(lambda: ZERO)  # by group, as the exchange has it
        self._untold: defaultdict[int, Decimal] = defaultdict(lambda: ZERO)  # by group, at the worst moment
        self._reducing: defaultdict[int, dict[str, None]] = defaultdict(dict)  # by group, those that rest
        self._slots: defaultdict[World, int] = defaultdict(int)
        self.budget: tuple[int, int] | None = None
        self.heard_at: dict[tuple[str, str], float] = {}  # when the program last had a price
        self.heard: defaultdict[Key, deque[tuple[float, Decimal]]] = defaultdict(deque)
        self._quotes: defaultdict[Key, deque[tuple[float, Price]]] = defaultdict(deque)
        self._entered: dict[Key, datetime] = {}  # when an entry last filled, by the exchange's clock
        self._entered_before: dict[Key, datetime] = {}  # the same, before what is being committed
        self.met: Callable[[str, str], None] = lambda what, how: None
        self._idle: dict[int, float] = {}  # since when a signal waits beside a free slot
        self._now = 0.0
        self._left: dict[str, None] = {}  # client order ids that have left, in whatever life
        self._under_way: dict[int, tuple[tuple[str, str, str, str], float]] = {}
        self._closes: defaultdict[int, deque[float]] = defaultdict(deque)
        self._unread: dict[str, float] = {}  # accounts that must be read anew, and since when
        self._stepped = (0.0, 0.0)  # when the clock was set last, and by how much
        self._streaks: dict[str, tuple[int, float]] = {}  # rounds of readings that failed in a row
        self._failing: set[str] = set()
        self._sent: defaultdict[tuple[str, str], deque[float]] = defaultdict(deque)
        self._entries: Counter[tuple[World, date]] = Counter()
        self._before: dict[World, int] = {}
        self._waiting: dict[int, None] = {}
        self._outside: dict[int, None] = {}  # orders that stand for what others closed
        self._netted: defaultdict[tuple[str, str], Decimal] = defaultdict(lambda: ZERO)
        self._check: dict[type, Callable[[Any, Any], None]] = {
            Order: self._order,
            Group: self._group,
            Leg: self._leg,
            Alert: self._alert,
            Fill: self._fill,
            QueuedSignal: self._queued,
            Pyramid: self._pyramid,
            AlertKey: self._alert_key,
            Account: self._account,
            Engine: self._engine,
        }
        self._keys: dict[str, AlertKey] = {}
        self.offsets = Offsets(self.rows, self._fills_of, self.breaks)
        self.offsets.age = lambda market, at: self.decided(at) - self.heard_at.get(market, -1e9)
        self.offsets.met = lambda what, how: self.met(what, how)
        self._check[RiskAction] = lambda old, new: self.offsets.action(
            old, new, self.settings.risk, self.paused
        )

    def breaks(self, code: str, text: str) -> None:
        """Note the first broken invariant; the run ends with it."""
        if self.broken is None:
            self.broken = Broken(code, text)
            self.on_broken()

    def ours(self, client_order_id: str) -> bool:
        return client_order_id.startswith(self._ours) and client_order_id not in self.disturbed.orphans

    # -- what becomes durable

    def committed(self, rows: Iterable[Row], now: float) -> None:
        """Take in a transaction, row by row in the order of the decisions, then look at the whole."""
        self._now = now
        touched: dict[int, None] = {}
        self._before = dict(self._slots)
        self._entered_before = dict(self._entered)
        for row in rows:
            kind = type(row)
            if kind is Archive:
                continue
            key = _key(row)
            known = self.rows[kind]
            check = self._check.get(kind)
            if check is not None:
                check(known.get(key), row)
            known[key] = row
            if kind is SettingsVersion:
                self.settings = documents.parse(row.document)  # type: ignore[union-attr]
            elif kind is Fill or kind is Order:
                touched[row.group_id] = None  # type: ignore[union-attr]
        for group_id in touched:
            self._sums(group_id)
        for (account, symbol), over in self._netted.items():
            if over:
                self.breaks("I5", f"{over} of {symbol} on {account} were booked against no opposite position")
        self.offsets.committed()

    def _order(self, old: Order | None, new: Order) -> None:
        self.offsets.order(old, new)
        if old is None:
            self._order_of[new.client_order_id] = new.id
            self._orders_of[new.group_id][new.id] = None
            if new.status is S.FILLED:
                self._closed_outside(new)
            return
        if new.acknowledged_at is not None and new.client_order_id not in self.truth:
            self.breaks("I10", f"order {new.id} counts as accepted, but the exchange never had it")
        if new.status is not old.status:
            if new.status not in STEPS[old.status]:
                self.breaks("I10", f"order {new.id} went from {old.status} to {new.status}")
            if old.status in FINAL and new.client_order_id not in self.truth:
                self.breaks("I10", f"order {new.id} left {old.status} for {new.status} without any proof")
            if new.status in (S.REJECTED, S.FAILED) and self._is_there(new):
                self.breaks(
                    "I2", f"order {new.id} is booked as {new.status} ({new.reason}), but the exchange has it"
                )
        if new.filled_quantity < old.filled_quantity:
            self.breaks("I9", f"order {new.id}: filled {old.filled_quantity}, then {new.filled_quantity}")
        changed = [name for name in KEPT if getattr(new, name) != getattr(old, name)]
        if changed:
            self.breaks("I1", f"order {new.id} is committed and changed its {', '.join(changed)}")

    def _closed_outside(self, order: Order) -> None:
        """Take in an order that nobody sent: it books what others have closed."""
        self._outside[order.id] = None
        if order.reason == NETTED:
            self._netted[order.account, order.symbol] += order.filled_quantity * order.position.sign
            self._held[order.group_id] -= order.filled_quantity
        elif order.account not in self.disturbed.accounts:
            self.breaks("I5", f"order {order.id} books a trade of others ({order.reason}); there was none")

    def _is_there(self, order: Order) -> bool:
        """Return whether the exchange has an order that is alive or did something."""
        truth = self.truth.get(order.client_order_id)
        if truth is None:
            return False
        return truth.report.status not in FINAL or truth.report.filled_quantity > order.filled_quantity

    def _group(self, old: Group | None, new: Group) -> None:
        before = old is not None and old.status in SLOT
        self._slots[new.world] += (new.status in SLOT) - before
        if old is None:
            used, limit = self._slots[new.world], self.settings.pool.max_open_groups
            # A reversal opens its new side in the slot of the old one, however full the pool is.
            if used > max(limit, self._before.get(new.world, 0)) and not new.forced:
                self.breaks("I7", f"group {new.id} was opened as number {used} of {limit} and not by force")
            self._overtakes(new)
            return
        if new.status is not old.status and new.status not in GROUP_STEPS[old.status]:
            self.breaks("I10", f"group {new.id} went from {old.status} to {new.status}")
        if new.filled_quantity < old.filled_quantity:
            self.breaks("I9", f"group {new.id}: filled {old.filled_quantity}, then {new.filled_quantity}")
        late = new.filled_quantity > old.filled_quantity and old.status in (G.CLOSED, G.FAILED)
        if late and new.status is not G.CLOSING and not self._is_dust(new):
            self.breaks("I10", f"group {new.id} filled after its end and was not reopened")

    def _is_dust(self, group: Group) -> bool:
        """Return whether what a group holds is too little to be sold: its end is where it stays."""
        rules = self._catalogue(group.exchange, group.symbol)
        heard = self.heard[group.exchange, group.symbol]
        assert rules is not None
        least = max(rules.min_qty, rules.market_min_qty, rules.step)
        worth = group.open_quantity * heard[-1][1] if heard else ZERO
        return group.open_quantity < least or (rules.market is Market.SPOT and worth < rules.min_notional)

    def _leg(self, old: Leg | None, new: Leg) -> None:
        if old is None:
            self._legs_of[new.group_id][new.id] = None
        elif new.filled_quantity < old.filled_quantity:
            self.breaks("I9", f"leg {new.id}: filled {old.filled_quantity}, then {new.filled_quantity}")
        if new.triggered_at is not None and (old is None or old.triggered_at is None):
            self._reached_since(new, new.triggered_at)

    def _reached_since(self, leg: Leg, at: datetime) -> None:
        """A price from before an entry filled sells nothing, however late it comes."""
        group: Group = self.rows[Group][leg.group_id]
        key, then = (group.exchange, group.symbol), self.decided(at)
        filled = self._entered_before.get(key)
        quotes = [
            quote for when, quote in self._quotes[key] if then - FRESH_S <= when <= then + SAME_MOMENT_S
        ]
        if filled is None or group.world is World.PAPER or not quotes:
            return
        if all(_is_of_before(quote, filled) for quote in quotes):
            self.breaks(
                "I11",
                f"leg {leg.id} takes its profit at {then:.1f} by a price of before its market's fill at {filled}",
            )

    def _alert(self, old: Alert | None, new: Alert) -> None:
        if old is None or old.outcome in (None, Outcome.QUEUED):
            return
        if new.outcome is not old.outcome:
            self.breaks("I3", f"alert {new.id} ended {old.outcome} and then {new.outcome}")

    def _engine(self, old: Engine | None, new: Engine) -> None:
        self.paused = new.paused

    def _account(self, old: Account | None, new: Account) -> None:
        if new.status is AccountStatus.RECONCILING:
            self._unread.pop(new.name, None)  # what was in doubt is being read
        if old is None or new.status is old.status or new.status is not AccountStatus.READY:
            return
        for order in self.rows[Order].values():
            if order.account == new.name and order.status is S.UNKNOWN and not order.absences:
                self.breaks("I11", f"account {new.name} is ready before order {order.id} was looked for")

    def _alert_key(self, old: AlertKey | None, new: AlertKey) -> None:
        first = self._keys.setdefault(new.key, new)
        alert: Alert = self.rows[Alert][new.id]
        if first.id != new.id and not alert.parsed.is_exit and alert.outcome is not Outcome.FAILED:
            self.breaks("I3", f"alert {new.id} was taken although it is alert {first.id} once more")

    def _pyramid(self, old: Pyramid | None, new: Pyramid) -> None:
        """Look at an entry: the day's limit, and the price that it was decided at."""
        if old is not None:
            return
        group: Group = self.rows[Group][new.group_id]
        day = (group.world, new.created_at.date())
        self._entries[day] += 1
        limit = self.settings.signals.max_entries_per_day
        if 0 < limit < self._entries[day]:
            self.breaks("I12", f"pyramid {new.id} is entry {self._entries[day]} of the day, {limit} may")
        if self.paused:
            self.breaks("I11", f"pyramid {new.id} was begun although the engine is paused")
        self._not_too_old(new)
        age = self.decided(new.created_at) - self.heard_at.get((group.exchange, group.symbol), -1e9)
        if age > FRESH_S + SLACK_S:
            self.breaks("I11", f"pyramid {new.id} was begun at a price that is {age:.1f} s old")

    def _not_too_old(self, entry: Pyramid) -> None:
        """An alert that is too old enters nothing; one that waited in the queue may have grown old there."""
        alert: Alert = self.rows[Alert][entry.alert_id]
        if any(row.alert_id == alert.id for row in self.rows[QueuedSignal].values()):
            return
        since = alert.received_at if alert.replay_of else alert.parsed.sent_at or alert.received_at
        age = (entry.created_at - since).total_seconds()
        if age > self.settings.signals.max_alert_age_s + 1:
            self.breaks("I11", f"alert {alert.id} is {age:.0f} s old and enters")

    def _fill(self, old: Fill | None, new: Fill) -> None:
        if old is not None:
            self.breaks("I9", f"fill {new.id} was written twice")
        if new.trade_id in self._fills_of[new.order_id]:
            self.breaks("I9", f"trade {new.trade_id} of order {new.order_id} was booked twice")
        self._fills_of[new.order_id][new.trade_id] = new
        if new.purpose is Purpose.ENTRY:
            market = (new.exchange, new.symbol)
            self._entered[market] = max(new.at, self._entered.get(market, new.at))
        self.offsets.fill(new)
        if new.order_id in self._outside:
            return
        order = self.rows[Order].get(new.order_id)
        truth = self.truth.get(order.client_order_id) if order is not None else None
        trade = next((t for t in truth.report.trades if t.trade_id == new.trade_id), None) if truth else None
        if trade is None:
            self.breaks("I9", f"fill {new.id} of order {new.order_id} never happened at the exchange")
        elif (trade.price, trade.quantity, trade.fee) != (new.price, new.quantity, new.fee):
            self.breaks("I9", f"fill {new.id} is not what the exchange says: {trade}")
        else:
            self._fee(new, trade)

    def _fee(self, fill: Fill, trade: Trade) -> None:
        """A fee is worth what the exchange says, or else what it usually takes, and that is marked."""
        group: Group = self.rows[Group][fill.group_id]
        value = trade.fee_value
        if value is None:
            in_base = trade.fee_currency == group.base
            value = trade.fee * trade.price if in_base else trade.quantity * trade.price * USUAL_FEE
        if fill.fee_value != value:
            self.breaks("I8", f"the fee of fill {fill.id} is worth {value}, booked are {fill.fee_value}")

    def _queued(self, old: QueuedSignal | None, new: QueuedSignal) -> None:
        if new.outcome is None:
            self._waiting[new.id] = None
            if old is not None:
                self._replaced(old, new)
            waiting = sum(1 for id in self._waiting if self._world_of(id, new) is new.world)
            if old is None and waiting > self.settings.pool.max_queue:
                self.breaks("I19", f"{waiting} signals wait, {self.settings.pool.max_queue} may")
            return
        self._waiting.pop(new.id, None)
        if old is None or old.outcome is not None or BY_HAND in new.reason:
            return
        if new.outcome is Outcome.OPENED:
            self._in_turn(new)
        if new.outcome in (Outcome.PYRAMIDED, Outcome.REPLACEMENT):
            self._continues(new)
        elif new.outcome is Outcome.REJECTED and new.reason.startswith("dropped"):
            self._lowest(new)

    def _replaced(self, old: QueuedSignal, new: QueuedSignal) -> None:
        """A newer signal of a key takes the place of the one that waits, and its place in time."""
        if new.alert_id == old.alert_id:
            return
        count = old.replacement_count + 1 if new.side is old.side else 0
        if new.replacement_count != count:
            self.breaks("I7", f"signal {new.id} was replaced: {new.replacement_count} instead of {count}")
        if new.queued_at != old.queued_at:
            self.breaks("I7", f"signal {new.id} was replaced and lost its place in time")

    def _in_turn(self, promoted: QueuedSignal) -> None:
        """Who has an open group goes first; then the deepest loss, more replacements, the earlier one."""
        at = promoted.finished_at
        assert at is not None
        if self._group_of(promoted) is not None:
            self.breaks("I7", f"signal {promoted.id} opened a second group of its key")
        own = self._depths(promoted, at)
        self.met("promoted", "by time" if len(self._waiting) else "alone")
        for id in self._waiting:
            other: QueuedSignal = self.rows[QueuedSignal][id]
            if other.account != promoted.account or other.world is not promoted.world:
                continue
            depths = self._depths(other, at)
            if not depths:
                continue  # nobody knows what it is worth: it is passed over
            holder = self._group_of(other)
            if holder is not None:
                if holder.status in OPEN and holder.side is other.side and not holder.hold:
                    text = f"signal {promoted.id} was promoted before {other.id}, whose group is open"
                    self.breaks("I7", text)
                continue
            before = [(depth, *_place(other)) < (mine, *_place(promoted)) for depth in depths for mine in own]
            self._note_rule(promoted, other, min(own, default=ZERO), min(depths))
            if before and all(before):  # where its own price is too old to be sure of, nobody can tell
                text = f"signal {promoted.id} was promoted before {other.id}, which comes first"
                self.breaks("I7", f"{text}: {_said(own, promoted)} against {_said(depths, other)}")

    def _overtakes(self, new: Group) -> None:
        """An alert that finds a slot free, while others wait that it could go to, takes its turn behind them."""
        alert: Alert = self.rows[Alert][new.alert_id]
        queued = any(row.alert_id == alert.id for row in self.rows[QueuedSignal].values())
        if queued or alert.signal is SignalType.REVERSAL:
            return
        for id in self._waiting:
            other: QueuedSignal = self.rows[QueuedSignal][id]
            same = other.account == new.account and other.key != new.key
            if same and self._is_priced(other, new.created_at) and self._group_of(other) is None:
                self.breaks("I7", f"group {new.id} was opened past signal {other.id}, which waits")

    def _note_rule(self, promoted: QueuedSignal, other: QueuedSignal, mine: Decimal, its: Decimal) -> None:
        if mine != its:
            self.met("promoted", "by loss")
        elif promoted.replacement_count != other.replacement_count:
            self.met("promoted", "by replacements")

    def _continues(self, joined: QueuedSignal) -> None:
        """A signal joins an open group of its key and side, and no other."""
        self.met("promoted", "as a pyramid")
        group = self._group_of(joined)
        if group is None or group.status not in OPEN or group.side is not joined.side:
            self.breaks("I7", f"signal {joined.id} continues a group that is not open on its side")

    def _lowest(self, dropped: QueuedSignal) -> None:
        """Who is dropped from a full queue is not in line before any who stays."""
        at = dropped.finished_at
        assert at is not None
        if self._group_of(dropped) is not None:
            return
        own = self._depths(dropped, at) or {ZERO}
        self.met("promoted", "dropped")
        for id in self._waiting:
            other: QueuedSignal = self.rows[QueuedSignal][id]
            if other.world is dropped.world and self._group_of(other) is None:
                depths = self._depths(other, at) or {ZERO}
                sure = self._sure(dropped, at) and self._sure(other, at)
                if sure and all(
                    (mine, *_place(dropped)) < (depth, *_place(other)) for mine in own for depth in depths
                ):
                    self.breaks("I7", f"signal {dropped.id} was dropped, {other.id} comes after it")

    def _depths(self, signal: QueuedSignal, at: datetime) -> set[Decimal]:
        """Return how far a signal may have been under water: at each price that may have counted then.

        Several prices may have come at that very moment. Empty: there was none.
        """
        then = self.decided(at)
        heard = self.heard[signal.exchange, signal.symbol]
        now = [price for when, price in heard if abs(when - then) <= SAME_MOMENT_S]
        before = [price for when, price in heard if then - SURE_S <= when < then - SAME_MOMENT_S]
        return {_depth(signal, price) for price in [*now, *before[-1:]]}

    def _sure(self, signal: QueuedSignal, at: datetime) -> bool:
        """Return whether it is beyond doubt whether a price counted then: it is new, or there has been none."""
        then = self.decided(at)
        heard = [
            when for when, _ in self.heard[signal.exchange, signal.symbol] if when <= then + SAME_MOMENT_S
        ]
        return signal.entry_price is None or not heard or self._is_priced(signal, at)

    def _is_priced(self, signal: QueuedSignal, at: datetime) -> bool:
        """Return whether a price of its market counted then for certain: one of that very moment may be later."""
        then = self.decided(at)
        heard = self.heard[signal.exchange, signal.symbol]
        return any(then - SURE_S <= when < then - SAME_MOMENT_S for when, _ in heard)

    def _group_of(self, signal: QueuedSignal) -> Group | None:
        own = [g for g in self.rows[Group].values() if g.key == signal.key and g.status in SLOT]
        return max(own, key=lambda group: group.id, default=None)

    def hear(self, price: Price, now: float) -> None:
        """Note a price that the program has heard."""
        self.heard_at[price.key] = now
        heard = self.heard[price.key]
        heard.append((now, price.last))
        while heard[0][0] < now - HEARD_KEPT_S:
            heard.popleft()
        quotes = self._quotes[price.key]
        quotes.append((now, price))
        while quotes[0][0] < now - FRESH_S - 2 * COMMIT_S:
            quotes.popleft()

    def look_at_queue(self, now: float, *, up: bool) -> None:
        """A slot that is free is taken, as long as somebody waits who may go."""
        idle = {id: None for id in self._waiting if up and self._could_go(self.rows[QueuedSignal][id], now)}
        self._idle = {id: self._idle.get(id, now) for id in idle}
        for id, since in self._idle.items():
            if now - since > IDLE_S:
                self.breaks("I7", f"signal {id} waits for {now - since:.0f} s beside a free slot")

    def _could_go(self, signal: QueuedSignal, now: float) -> bool:
        account: Account = self.rows[Account][signal.account]
        hold: WorldHold | None = self.rows[WorldHold].get(signal.world)
        if self.paused or account.status is not AccountStatus.READY or (hold is not None and hold.reason):
            return False
        limit = self.settings.signals.max_entries_per_day
        if limit and any(world is signal.world and n >= limit for (world, _), n in self._entries.items()):
            return False
        if now - self.heard_at.get((signal.exchange, signal.symbol), -1e9) > SURE_S:
            return False
        holder = self._group_of(signal)
        if holder is not None:
            return holder.status in OPEN and holder.side is signal.side and not holder.hold
        return self._slots[signal.world] < self.settings.pool.max_open_groups

    def _world_of(self, id: int, new: QueuedSignal) -> World:
        row: QueuedSignal = new if id == new.id else self.rows[QueuedSignal][id]
        return row.world

    def _sums(self, group_id: int) -> None:
        """Every figure of a group follows from its fills; they are committed together."""
        filled = closed = fees = ZERO
        for id in self._orders_of[group_id]:
            order: Order = self.rows[Order][id]
            fills = self._fills_of.get(id)
            quantity = sum((fill.quantity for fill in fills.values()), ZERO) if fills else ZERO
            if quantity != order.filled_quantity:
                self.breaks("I5", f"order {id} filled {order.filled_quantity}, its fills say {quantity}")
            if order.purpose is Purpose.ENTRY:
                filled += quantity
            else:
                closed += quantity
            if fills:
                group: Group = self.rows[Group][group_id]
                fees += sum((f.fee for f in fills.values() if f.fee_currency == group.base), ZERO)
        group = self.rows[Group][group_id]
        if group.hold and self.disturbed.defects:
            return  # a defect keeps it as it was; its figures are due when it is released
        if filled != group.filled_quantity:
            self.breaks("I5", f"group {group_id} filled {group.filled_quantity}, its fills say {filled}")
        if filled - closed - fees != group.open_quantity:
            text = f"{filled} − {closed} − fees {fees}"
            self.breaks("I5", f"group {group_id} holds {group.open_quantity}, its fills say {text}")
        if group.status is G.CLOSED:
            working = [id for id in self._orders_of[group_id] if self.rows[Order][id].status not in FINAL]
            if working:
                self.breaks("I10", f"group {group_id} is closed while orders {working} work")

    def _booked_outside(self, group: Group) -> bool:
        """Others closed a part of it, and the user had that booked."""
        return group.account in self.disturbed.accounts

    # -- what leaves

    def sending(self, orders: Iterable[Order], now: float) -> None:
        """Look at requests that are about to leave: everything they rest on must be durable."""
        self._now = now
        for order in orders:
            self._budget(order, now)
            self._once(order, now)
            row: Order | None = self.rows[Order].get(order.id)
            if row is None or row.client_order_id != order.client_order_id:
                self.breaks("I1", f"order {order.id} leaves and is not committed")
            elif row.status is not S.PENDING:
                self.breaks("I2", f"order {order.id} leaves, but it is {row.status}")
            else:
                self._licence(row)

    def _budget(self, order: Order, now: float) -> None:
        """Count a request against what the exchange takes of its account."""
        account: Account = self.rows[Account][order.account]
        real = BUDGETS.get((account.exchange, account.market.value))
        if real is None:
            return
        most, per_s = self.budget or real
        sent = self._sent[order.account, order.symbol if account.exchange == "okx" else ""]
        sent.append(now)
        while sent[0] <= now - per_s:
            sent.popleft()
        if len(sent) > most:
            self.breaks("I17", f"{len(sent)} orders left {order.account} in {per_s} s, {most} may")

    def _once(self, order: Order, now: float) -> None:
        """A request leaves once in its life, one step at a time, and a refused close is not repeated in a storm."""
        if order.client_order_id in self._left:
            self.breaks("I2", f"order {order.id} leaves a second time under the same id")
        self._left[order.client_order_id] = None
        if any(began < now for lane, began in self._under_way.values() if lane == order.lane):
            self.breaks("I2", f"order {order.id} leaves while its lane waits for an answer")
        if order.purpose is not Purpose.ENTRY:
            closes = self._closes[order.group_id]
            closes.append(now)
            while closes[0] <= now - 10:
                closes.popleft()
            # Each leg's close may wait for the cancel of its own target.
            own = (leg for leg in self.rows[Leg].values() if leg.group_id == order.group_id)
            self._note_untold(order.group_id)
            if len(closes) > MOST_CLOSES and len(closes) > MOST_CLOSES + sum(1 for _ in own):
                self.breaks("I17", f"group {order.group_id} sent {len(closes)} closes within 10 s")

    def _note_untold(self, group_id: int) -> None:
        """Note what a close cannot know of: the exchange said that an order ended, and not all that it traded."""
        untold = ZERO
        for id in self._orders_of[group_id]:
            row: Order = self.rows[Order][id]
            truth = self.truth.get(row.client_order_id)
            if truth is not None and row.status is S.CANCELLED and row.purpose is not Purpose.ENTRY:
                untold += truth.report.filled_quantity - row.filled_quantity
        self._untold[group_id] = max(self._untold[group_id], untold)

    def began(self, number: int, orders: Iterable[Order], now: float) -> None:
        """Note a call with all its orders: their lane waits until it is answered."""
        for order in orders:
            if order.id:
                self._under_way[number] = (order.lane, now)

    def ended(self, number: int) -> None:
        self._under_way.pop(number, None)

    def cancelling(self, orders: Iterable[Order]) -> None:
        """Look at cancels that are about to leave: what is not ours is never touched."""
        for order in orders:
            if not order.client_order_id.startswith(self._ours):
                self.breaks("I2", f"somebody else's order {order.client_order_id} is to be cancelled")

    def lost_time(self, now: float, step: float = 0.0) -> None:
        """The machine slept, or its clock was set by a step [s]: every account must be read anew.

        A step that takes back the one before it, sooner than anybody looks at the clock, leaves nothing to notice.
        """
        (before, other), self._stepped = self._stepped, (now, step)
        if step and now - before < BEAT_S and abs(step + other) < JUMP_S:
            self._unread = {name: since for name, since in self._unread.items() if since != before}
            return
        for account in self.rows[Account].values():
            if account.status is not AccountStatus.RECONCILING:
                self._unread[account.name] = now

    def read(self, account: str, call: str, well: bool, now: float) -> None:
        """Hear how a reading of an account went; a round begins with its balances."""
        if call == "balances":
            streak = self._streaks.get(account, (0, now))[0]
            self._streaks[account] = (streak + 1 if account in self._failing else 0, now)
            self._failing.discard(account)
        if not well:
            self._failing.add(account)
        elif call == "open_orders" and account not in self._failing:
            self._streaks[account] = (0, now)

    def started(self) -> None:
        """Begin a life of the program: what was sent before it is the exchange's to count, not its own."""
        self._sent.clear()
        self._under_way.clear()
        self._streaks.clear()
        self._failing.clear()

    def _licence(self, order: Order) -> None:
        account: Account = self.rows[Account][order.account]
        group: Group = self.rows[Group][order.group_id]
        if account.status in (AccountStatus.RECONCILING, AccountStatus.ERROR):
            self.breaks("I11", f"order {order.id} leaves while its account is {account.status}")
        if order.purpose is not Purpose.ENTRY:
            return
        hold: WorldHold | None = self.rows[WorldHold].get(group.world)
        self._trusted(order)
        if group.status not in OPEN:
            self.breaks("I11", f"entry {order.id} leaves while its group is {group.status}")
        if group.hold:
            self.breaks("I11", f"entry {order.id} leaves while its group is on hold: {group.hold}")
        if account.status is not AccountStatus.READY:
            self.breaks("I11", f"entry {order.id} leaves while its account is {account.status}")
        if hold is not None and hold.reason:
            self.breaks("I11", f"entry {order.id} leaves while its world is on hold: {hold.reason}")

    def _trusted(self, order: Order) -> None:
        """Nothing is added where something is wrong, or where nobody knows."""
        for finding in self.rows[Finding].values():
            if finding.settled_at is None and finding.kind in HOLDING and order.group_id in finding.group_ids:
                self.breaks("I11", f"entry {order.id} leaves although it was found that {finding.found}")
        lost = self._unread.get(order.account)
        if lost is not None and self._now - lost > NOTICED_S + COMMIT_S:
            self.breaks(
                "I11", f"entry {order.id} leaves, and {order.account} was not read since time was lost"
            )
        streak, since = self._streaks.get(order.account, (0, 0.0))
        if streak >= MOST_FAILURES and self._now - since > COMMIT_S:
            self.breaks("I11", f"entry {order.id} leaves although {order.account} can't be read")

    # -- what the exchange does

    def seen(self, report: OrderReport) -> None:
        """Take in how an order stands at the exchange."""
        if not self.ours(report.client_order_id):
            return
        truth = self.truth.get(report.client_order_id)
        if truth is None:
            id = self._order_of.get(report.client_order_id)
            if id is None:
                self.breaks("I1", f"the exchange took {report.client_order_id}, which was never committed")
                return
            truth = self.truth[report.client_order_id] = Truth(self.rows[Order][id], report)
            self._taken(truth, self.rows[Order][id])
        truth.report = report
        for trade in report.trades[truth.trades :]:
            self._traded(truth.order, trade)
        truth.trades = len(report.trades)
        if report.status in FINAL and not truth.over:
            truth.over = True
            self._reducing[truth.order.group_id].pop(report.client_order_id, None)
            if truth.order.purpose is Purpose.ENTRY:  # what it has not filled it never will
                self._accepted[truth.order.leg_id or 0] -= truth.order.quantity - report.filled_quantity

    def _taken(self, truth: Truth, order: Order) -> None:
        """Look at an order that the exchange has just accepted."""
        if order.status in FINAL:
            self.breaks("I2", f"the exchange took order {order.id} after it was booked as {order.status}")
        self._rules(order)
        if order.purpose is Purpose.ENTRY:
            leg: Leg = self.rows[Leg][order.leg_id]
            self._accepted[leg.id] += order.quantity
            if self._accepted[leg.id] > leg.quantity:
                text = f"{self._accepted[leg.id]} was accepted for leg {leg.id}, {leg.quantity} was intended"
                self.breaks("I2", text)
            return
        group: Group = self.rows[Group][order.group_id]
        resting = sum((self._remaining(id) for id in self._reducing[group.id]), ZERO)
        held = self._held[group.id]
        if resting + order.quantity > held + self._untold[group.id] and not order.reduce_only:
            text = f"order {order.id} closes {order.quantity}; {resting} is being closed, {held} is held"
            self.breaks("I6", text)
        self._reducing[group.id][order.client_order_id] = None

    def _remaining(self, client_order_id: str) -> Decimal:
        truth = self.truth[client_order_id]
        return truth.order.quantity - truth.report.filled_quantity

    def _rules(self, order: Order) -> None:
        rules = self._catalogue(order.exchange, order.symbol)
        assert rules is not None
        if order.quantity % rules.step or order.quantity < rules.min_qty:
            self.breaks("I12", f"order {order.id}: quantity {order.quantity} breaks the market's rules")
        if order.price is not None and order.price % rules.tick:
            self.breaks("I12", f"order {order.id}: price {order.price} is between two ticks")
        cap = self.settings.capital.max_order_usd
        worth = order.price * order.quantity if order.price is not None else ZERO
        if order.purpose is Purpose.ENTRY and 0 < cap < worth:
            self.breaks("I12", f"order {order.id} is worth more than {cap}")

    def _traded(self, order: Order, trade: Trade) -> None:
        group: Group = self.rows[Group][order.group_id]
        entry = order.purpose is Purpose.ENTRY
        self._held[group.id] += trade.quantity if entry else -trade.quantity
        if trade.fee_currency == group.base:
            self._held[group.id] -= trade.fee
        if self._held[group.id] < 0 and -self._held[group.id] <= self._untold[group.id]:
            self.disturbed.accounts.add(
                group.account
            )  # what it took too much was another group's, or the user's
        elif self._held[group.id] < 0:
            self.breaks("I6", f"group {group.id} closed more than it held, {-self._held[group.id]} too much")

    # -- when everything is quiet

    def quiet(self, *, pending: Iterable[str] = ()) -> str:
        """Return what is still under way; empty once nothing is."""
        for order in self.rows[Order].values():
            if order.status in (S.UNKNOWN, S.PENDING):
                return f"order {order.id} ({order.purpose}) is {order.status}: {order.reason}"
        for order in self.rows[Order].values():
            truth = self.truth.get(order.client_order_id)
            if truth is not None and truth.report.filled_quantity != order.filled_quantity:
                there = truth.report.filled_quantity
                return (
                    f"order {order.id} filled {there} at the exchange, {order.filled_quantity} in the books"
                )
        for group in self.rows[Group].values():
            if group.status is G.CLOSING:
                return f"group {group.id} is closing: {group.close_reason}"
        for action in open_ones(self.rows[RiskAction].values()):
            return f"offset {action.id} is {action.status}"
        for alert in self.rows[Alert].values():
            if alert.outcome is None and alert.group_id is None:
                return f"alert {alert.id} is undecided"
        return next(iter(pending), "")

    def at_the_end(
        self, positions: Callable[[str], Mapping[Key, Decimal]], prices: Callable[[Key], Price | None]
    ) -> None:
        """Judge the whole, after faults have stopped, everything was closed and nothing is under way."""
        for account in self.rows[Account].values():
            held = positions(account.name)
            if held and account.name not in self.disturbed.accounts:
                self.breaks("I5", f"{account.name} holds {dict(held)} after everything was closed")
        for group in self.rows[Group].values():
            self._flat(group, prices((group.exchange, group.symbol)))
        for group in self.rows[Group].values():
            if group.status in SLOT:
                self.breaks(
                    "I3", f"group {group.id} is {group.status} after everything was closed: {group.hold}"
                )
        for alert in self.rows[Alert].values():
            if alert.outcome in (None, Outcome.QUEUED):
                self.breaks("I3", f"alert {alert.id} never came to its outcome ({alert.reason})")
        for action in self.rows[RiskAction].values():
            if action.finished_at is None:
                self.breaks("I16", f"risk action {action.id} never ended")
        for truth in self.truth.values():
            self._agrees(truth)
        for id in self.rows[Group]:
            self._sums(id)
        self._money()

    def _flat(self, group: Group, price: Price | None) -> None:
        """A group that ended holds no more at the exchange than what could not be sold."""
        rules = self._catalogue(group.exchange, group.symbol)
        if group.account in self.disturbed.accounts or rules is None or price is None:
            return
        left = rules.quantity(self._held[group.id])
        worth = left * price.last
        if left >= max(rules.min_qty, rules.step) and worth > 2 * rules.min_notional + 1:
            self.breaks("I5", f"group {group.id} is {group.status} and still holds {left} at the exchange")

    def _agrees(self, truth: Truth) -> None:
        row: Order = self.rows[Order][truth.order.id]
        booked = set(self._fills_of[row.id])
        there = {trade.trade_id for trade in truth.report.trades}
        if booked != there:
            text = f"order {row.id} ({row.status}): trades {sorted(there - booked)} were never booked"
            self.breaks("I5", text)
        if truth.report.status not in FINAL:
            self.breaks("I5", f"order {row.id} is {row.status} in the books and rests at the exchange")

    def _money(self) -> None:
        total: defaultdict[World, Decimal] = defaultdict(lambda: ZERO)
        for group in self.rows[Group].values():
            total[group.world] += group.realized
            if not self._booked_outside(group):
                expected = self._realized(group)
                if abs(expected - group.realized) > CENT:
                    text = f"group {group.id} says {group.realized}, its fills say {expected}"
                    self.breaks("I8", text)
        last: dict[World, EquityPoint] = {}
        for point in self.rows[EquityPoint].values():
            last[point.world] = point
        for world, realized in total.items():
            said = last[world].realized if world in last else ZERO
            if abs(said - realized) > CENT:
                self.breaks("I8", f"the {world} world says {said}, its groups {realized}")

    def _realized(self, group: Group) -> Decimal:
        """Work a group's result out anew, from its fills alone: leg by leg, average cost, dust at cost."""
        bought: defaultdict[int, list[Decimal]] = defaultdict(lambda: [ZERO, ZERO, ZERO])
        result = fees = ZERO
        closes: list[Order] = []
        for id in self._orders_of[group.id]:
            order: Order = self.rows[Order][id]
            fills = self._fills_of[id].values()
            fees += sum((fill.fee_value for fill in fills), ZERO)
            if order.purpose is not Purpose.ENTRY:
                closes.append(order)
                continue
            sums = bought[order.leg_id or 0]
            sums[0] += sum((fill.quantity for fill in fills), ZERO)
            sums[1] += sum((fill.quantity * fill.price for fill in fills), ZERO)
            sums[2] += sum((fill.fee for fill in fills if fill.fee_currency == group.base), ZERO)
        closed: defaultdict[int, Decimal] = defaultdict(lambda: ZERO)
        for order in closes:
            left = order.filled_quantity
            result += sum((f.quantity * f.price for f in self._fills_of[order.id].values()), ZERO)
            # What a leg did not hold any more was another's; nobody's at all is the last one's.
            for leg_id, most in (*order.parts, *((id, left) for id in bought)):
                there = bought[leg_id][0] - bought[leg_id][2] - closed[leg_id]
                taken = max(min(most, left, there), ZERO)
                closed[leg_id] += taken
                left -= taken
            if left:
                closed[order.parts[-1][0]] += left
        if not closes or not any(closed.values()):
            return ZERO
        cost = sum((sums[1] * closed[leg] / sums[0] for leg, sums in bought.items() if sums[0]), ZERO)
        unclosed = [leg for leg, sums in bought.items() if sums[0] and not closed[leg]]
        if unclosed:  # a leg that was dust from the beginning keeps its fees at cost
            return group.realized
        sign = 1 if group.side is Side.LONG else -1
        return sign * (result - cost) - fees

    def economy(self) -> dict[str, list[str]]:
        """Return what every alert that opened something came to: its trades, without their times and ids."""
        found: dict[str, list[str]] = {}
        for group in self.rows[Group].values():
            key: AlertKey = self.rows[AlertKey][group.alert_id]
            trades = [
                f"{fill.purpose} {fill.action} {fill.quantity.normalize()} at {fill.price.normalize()}"
                for id in self._orders_of[group.id]
                for fill in self._fills_of[id].values()
            ]
            found[key.key] = [*sorted(trades), f"{group.status} with {group.realized.normalize():f}"]
        return found

    def acknowledged(self) -> None:
        """Compare what was answered with what is on the disk."""
        stored = {row.key for row in self.rows[AlertKey].values()}
        for key, statuses in self.answered.items():
            if statuses & {200, 202} and key not in stored:
                self.breaks("I4", f"alert {key} was answered {sorted(statuses)} and is not stored")
            heard = not self.unanswered.get(key)
            if heard and statuses and statuses <= {500, 503} and key in stored:
                self.breaks(
                    "I4", f"alert {key} was answered {sorted(statuses)} alone and is stored all the same"
                )

    def compare(self, loaded: Iterable[Row]) -> None:
        """Compare what a new life finds on the disk with what was committed."""
        for row in loaded:
            kind = type(row)
            if kind not in self._check and kind is not AlertKey:
                continue
            known = self.rows[kind].get(_key(row))
            if known != row:
                self.breaks("I4", f"the disk has another {kind.__name__} than was committed: {row} / {known}")


def _place(signal: QueuedSignal) -> tuple[int, datetime, int]:
    return (-signal.replacement_count, signal.queued_at, signal.id)


def _depth(signal: QueuedSignal, price: Decimal) -> Decimal:
    """Return a loss as a part of the entry price, never above 0."""
    if signal.entry_price is None:
        return ZERO
    lost = price - signal.entry_price if signal.side is Side.LONG else signal.entry_price - price
    return min(lost / signal.entry_price, ZERO)


def _said(depths: set[Decimal], signal: QueuedSignal) -> str:
    some = " or ".join(f"{depth:.6f}" for depth in sorted(depths))
    return f"{some}, replaced {signal.replacement_count}, in since {signal.queued_at:%H:%M:%S.%f}"


def _key(row: Row) -> Any:
    return row.name if hasattr(row, "name") else row.id  # type: ignore[union-attr]


def _is_of_before(quote: Price, filled: datetime) -> bool:
    """Return whether a price was quoted before a fill; of one that was asked for, or a wrong clock, nobody knows."""
    if quote.quoted_at is None or abs((quote.at - quote.quoted_at).total_seconds()) > FRESH_S:
        return False
    return 0.001 < (filled - quote.quoted_at).total_seconds() <= FRESH_S
