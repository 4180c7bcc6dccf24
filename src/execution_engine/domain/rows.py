"""The state: frozen rows, one type per table.

A row is the unit of change everywhere. It is decided, written to its table and shown by the models. Ids come
from one counter of the installation, so an id names one thing whatever its table. Quantities are base units,
prices and money are of the instrument's quote currency (a USD stablecoin), times are UTC.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from execution_engine.domain.instrument import Action, Market, Side
from execution_engine.domain.keys import CheckResult
from execution_engine.domain.money import ONE, ZERO
from execution_engine.domain.signal import Outcome, Position, Signal, SignalType, TakeProfitMode


class Mode(StrEnum):
    PAPER = "paper"
    TESTNET = "testnet"
    DEMO = "demo"
    LIVE = "live"


class World(StrEnum):
    PAPER = "paper"
    TEST = "test"
    LIVE = "live"


class AccountStatus(StrEnum):
    READY = "ready"
    DISABLED = "disabled"
    RECONCILING = "reconciling"
    HOLD = "hold"
    ERROR = "error"


class GroupStatus(StrEnum):
    WAITING = "waiting"
    LIVE = "live"
    PARTIALLY_FILLED = "partially_filled"
    ACTIVE = "active"
    CLOSING = "closing"
    CLOSED = "closed"
    FAILED = "failed"


OPEN_GROUP = frozenset(
    {GroupStatus.WAITING, GroupStatus.LIVE, GroupStatus.PARTIALLY_FILLED, GroupStatus.ACTIVE}
)


SLOT_GROUP = OPEN_GROUP | {GroupStatus.CLOSING}


class PyramidStatus(StrEnum):
    PENDING = "pending"
    SUBMITTED = "submitted"
    FILLED = "filled"
    CANCELLED = "cancelled"


class OrderStatus(StrEnum):
    PENDING = "pending"
    OPEN = "open"
    PARTIALLY_FILLED = "partially_filled"
    FILLED = "filled"
    CANCELLED = "cancelled"
    REJECTED = "rejected"
    FAILED = "failed"
    UNKNOWN = "unknown"


FINAL_ORDER = frozenset({OrderStatus.FILLED, OrderStatus.CANCELLED, OrderStatus.REJECTED, OrderStatus.FAILED})


class LegStatus(StrEnum):
    """The states of the leg's entry order, and `tp_hit` once its own target closed it."""

    PENDING = "pending"
    OPEN = "open"
    PARTIALLY_FILLED = "partially_filled"
    FILLED = "filled"
    CANCELLED = "cancelled"
    REJECTED = "rejected"
    FAILED = "failed"
    UNKNOWN = "unknown"
    TP_HIT = "tp_hit"


class Purpose(StrEnum):
    ENTRY = "entry"
    TAKE_PROFIT = "take_profit"
    EXIT = "exit"
    OFFSET = "offset"
    EMERGENCY = "emergency"


class OrderType(StrEnum):
    LIMIT = "limit"
    MARKET = "market"


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """One layer of a grid [%]; the first gap may be 0, the others move away from the base price."""

    gap_percent: Decimal
    weight_percent: Decimal
    tp_percent: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One set of keys on one exchange, in one mode and one market type. Its name is its key.

    exchange: `paper` stands for every exchange, by the rules of that exchange's own instruments.
    check: what was last found out about its keys; None until they were checked.
    """

    name: str
    exchange: str
    market: Market
    mode: Mode
    world: World
    enabled: bool
    is_default: bool = False
    status: AccountStatus = AccountStatus.RECONCILING
    reason: str = ""
    created_at: datetime
    checked_at: datetime | None = None
    check: CheckResult | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountRemoved:
    """Delete the row of an account; what happened there stays in history under its name."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One authenticated, valid request; stored before it is answered.

    body: as received, with the value of `secret` replaced. allowed: the accounts its token may use; empty
        means all.
    late: it is an exit older than its limit for entries, carried out and flagged.
    decided_at: None while it waits for its account, price or balance. Its outcome may come later: when the
        exchange took the first leg, when the group is flat.
    """

    id: int
    received_at: datetime
    body: str
    parsed: Signal
    token: str = ""
    source: str = ""
    exchange: str
    symbol: str
    timeframe: str
    signal: SignalType | None = None
    side: Side | None = None
    outcome: Outcome | None = None
    reason: str = ""
    allowed: tuple[str, ...] = ()
    group_id: int | None = None
    replay_of: int | None = None
    late: bool = False
    decided_at: datetime | None = None
    finished_at: datetime | None = None

    @property
    def chain(self) -> tuple[str, str, str, str | None, tuple[str, ...]]:
        """What the alerts that tell of one strategy on one chart have in common."""
        return (self.exchange, self.symbol, self.timeframe, self.parsed.account, self.allowed)


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertKey:
    """The identity of an alert, kept for 90 days so that a copy is recognised. `id` is the alert's."""

    id: int
    key: str
    body_hash: str
    received_at: datetime
    duplicates: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedRequest:
    """A request answered 4xx: what it said (redacted) and why nothing happened."""

    id: int
    at: datetime
    status: int
    errors: tuple[tuple[str, str], ...]
    body: str
    source: str
    token: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Everything that belongs to one key while it is open.

    grid … on_flat: what the group was opened with and keeps.
    closing: why it is being closed; None while it is not. close_reason: the same in words.
    exit_alert_id: the alert that ends `exited` when the group is flat.
    next_alert_id: the entry of a reversal, decided on when the group is flat.
    retry_at: when a refused close is tried again.
    hold: why no new risk is taken for this group; empty when it is not on hold.
    """

    id: int
    account: str
    world: World
    exchange: str
    symbol: str
    market: Market
    base: str
    quote: str
    timeframe: str
    side: Side
    status: GroupStatus = GroupStatus.WAITING
    hold: str = ""
    forced: bool = False
    alert_id: int
    grid_name: str
    grid: tuple[Layer, ...]
    max_pyramids: int
    tp_mode: TakeProfitMode
    tp_aggregate_percent: Decimal
    tp_order: OrderType
    on_flat: str
    leverage: Decimal = ONE
    replacement_count: int = 0
    pyramid_count: int = 1
    filled_quantity: Decimal = ZERO
    open_quantity: Decimal = ZERO
    avg_entry: Decimal | None = None
    aggregate_target: Decimal | None = None
    invested: Decimal = ZERO
    realized: Decimal = ZERO
    fees: Decimal = ZERO
    closing: Purpose | None = None
    close_reason: str = ""
    exit_alert_id: int | None = None
    next_alert_id: int | None = None
    retry_at: datetime | None = None
    timer_started_at: datetime | None = None
    timer_expires_at: datetime | None = None
    blocked: bool = False
    skip_once: bool = False
    created_at: datetime
    filled_at: datetime | None = None
    closed_at: datetime | None = None

    @property
    def key(self) -> tuple[str, str, str, str]:
        return (self.account, self.exchange, self.symbol, self.timeframe)

    @property
    def is_open(self) -> bool:
        return self.status in OPEN_GROUP

    @property
    def holds_slot(self) -> bool:
        return self.status in SLOT_GROUP


@dataclass(frozen=True, slots=True, kw_only=True)
class Pyramid:
    """One entry inside a group, with its own base price and grid. `index` counts from 0."""

    id: int
    group_id: int
    index: int
    alert_id: int
    status: PyramidStatus = PyramidStatus.PENDING
    base_price: Decimal
    capital_usd: Decimal
    grid_name: str
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg:
    """One layer of a pyramid's grid and the quantity that it filled.

    price: limit of the entry order. tp_price: from `price` until something filled, then from the average fill.
    filled_quantity, filled_cost: sums over the entry's fills [base, quote].
    closed_quantity, proceeds: sums over the closing fills that fell to this leg [base, quote].
    base_fees: fees taken in the base currency [base]; entry_fees, exit_fees: all fees by value [quote].
    triggered_at: when its target was reached; its close is on the way or done.
    closed_by: the purpose of the order that closed it; None while it is held.
    """

    id: int
    group_id: int
    pyramid_id: int
    pyramid_index: int
    index: int
    gap_percent: Decimal
    weight_percent: Decimal
    tp_percent: Decimal
    price: Decimal
    quantity: Decimal
    tp_price: Decimal
    status: LegStatus = LegStatus.PENDING
    filled_quantity: Decimal = ZERO
    filled_cost: Decimal = ZERO
    closed_quantity: Decimal = ZERO
    proceeds: Decimal = ZERO
    base_fees: Decimal = ZERO
    entry_fees: Decimal = ZERO
    exit_fees: Decimal = ZERO
    open_quantity: Decimal = ZERO
    avg_fill_price: Decimal | None = None
    realized: Decimal = ZERO
    triggered_at: datetime | None = None
    closed_by: Purpose | None = None
    tp_hit: bool = False
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """An intent, committed before its request leaves, and what became of it.

    client_order_id: derived from the installation, this row's id and the attempt; it is on the exchange.
    leg_id: the leg of an entry or of a close of one leg; None for closes of several.
    parts: (leg id, quantity) of a closing order, in the order in which its fills are spread.
    filled_quantity, filled_cost, fee_base, fee_value: sums over its fills [base, quote, base, quote].
    sent_at: when the request left. look_at: when it is looked up next, while it is `unknown`.
    absent_since: the first of those look-ups that counts: after the request could be admitted no more.
    absences: successful look-ups that found nothing, since it became unknown.
    superseded: another close took its place before its outcome was known; what it fills is booked all the same.
    risk_action_id, risk_step: the offset that it is a part of, and which of its steps, counted from 0.
    rules_by: an entry that broke rules which are not known here yet: until when its leg waits for them.
    cancel_at: when a cancel that came to nothing goes out again. cancels_in_vain: how many did, one after the other.
    """

    id: int
    client_order_id: str
    attempt: int = 1
    account: str
    exchange: str
    symbol: str
    group_id: int
    pyramid_id: int | None = None
    leg_id: int | None = None
    purpose: Purpose
    position: Side
    action: Action
    type: OrderType
    price: Decimal | None
    quantity: Decimal
    reduce_only: bool = False
    parts: tuple[tuple[int, Decimal], ...] = ()
    status: OrderStatus = OrderStatus.PENDING
    cancel_requested: bool = False
    cancel_sent_at: datetime | None = None
    exchange_order_id: str | None = None
    filled_quantity: Decimal = ZERO
    filled_cost: Decimal = ZERO
    fee_base: Decimal = ZERO
    fee_value: Decimal = ZERO
    reason: str = ""
    created_at: datetime
    sent_at: datetime | None = None
    acknowledged_at: datetime | None = None
    look_at: datetime | None = None
    looks: int = 0
    absences: int = 0
    absent_since: datetime | None = None
    superseded: bool = False
    risk_action_id: int | None = None
    risk_step: int | None = None
    finished_at: datetime | None = None
    rules_by: datetime | None = None
    cancel_at: datetime | None = None
    cancels_in_vain: int | None = None

    @property
    def is_final(self) -> bool:
        return self.status in FINAL_ORDER

    @property
    def is_over(self) -> bool:
        """It is final, and no other is to take its place once the market's rules were read."""
        return self.is_final and self.rules_by is None

    @property
    def remaining(self) -> Decimal:
        """What may still fill [base]; zero once the order is final."""
        return ZERO if self.is_final else self.quantity - self.filled_quantity

    @property
    def lane(self) -> tuple[str, str, str, str]:
        return (self.account, self.exchange, self.symbol, self.position)

    @property
    def avg_fill_price(self) -> Decimal | None:
        return self.filled_cost / self.filled_quantity if self.filled_quantity else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fill:
    """One trade of one order, stored once by its trade id.

    fee: as charged, in `fee_currency`; fee_value: the same in the quote currency at the fill's time;
    fee_estimated: the exchange did not say, or the rate was not known.
    """

    id: int
    account: str
    exchange: str
    symbol: str
    trade_id: str
    order_id: int
    group_id: int
    purpose: Purpose
    action: Action
    price: Decimal
    quantity: Decimal
    fee: Decimal
    fee_currency: str
    fee_value: Decimal
    fee_estimated: bool = False
    maker: bool = False
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuedSignal:
    """A signal that waits for a slot; `outcome` is None while it waits."""

    id: int
    alert_id: int
    account: str
    world: World
    exchange: str
    symbol: str
    timeframe: str
    side: Side
    entry_price: Decimal | None
    queued_at: datetime
    updated_at: datetime
    expires_at: datetime | None = None
    replacement_count: int = 0
    outcome: Outcome | None = None
    reason: str = ""
    finished_at: datetime | None = None

    @property
    def key(self) -> tuple[str, str, str, str]:
        return (self.account, self.exchange, self.symbol, self.timeframe)


class RiskType(StrEnum):
    """What an entry in the history of the risk engine is."""

    OFFSET = "offset"
    REHEARSAL = "rehearsal"  # an offset that was planned and not carried out
    MANUAL_SKIP = "manual_skip"
    MANUAL_BLOCK = "manual_block"
    MANUAL_UNBLOCK = "manual_unblock"


class RiskStatus(StrEnum):
    PLANNED = "planned"
    RUNNING = "running"
    DONE = "done"
    SHORTFALL = "shortfall"  # the loser was closed and lost more than the winners realized
    INCOMPLETE = "incomplete"  # winners were closed, the loser was not
    CANCELLED = "cancelled"  # nothing was closed


class RiskRole(StrEnum):
    """What a step of an offset is for."""

    WINNER = "winner"
    STAND_IN = "stand_in"  # gives what the planned winners came to lack
    LOSER = "loser"
    TOP_UP = "top_up"  # makes up a shortfall


class StepStatus(StrEnum):
    PLANNED = "planned"
    RUNNING = "running"
    DONE = "done"
    SHORT = "short"  # closed less than was asked
    FAILED = "failed"  # closed nothing
    SKIPPED = "skipped"  # was not asked; the note says why


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskStep:
    """One close of an offset: what was planned, and what came of it.

    quantity: asked [base]. whole: the group is closed as by an exit. left: what stays open after it [base].
    price, avg_entry: of a close, and of the position, when the quantity was found [quote].
    fee_percent: what a close is charged. expected: its result after that fee, before entry fees [quote]; a
        loser's is negative.
    filled, fees, result: sums over the fills of its orders [base, quote, quote]; `result` is booked by legs.
    """

    role: RiskRole
    group_id: int
    account: str
    symbol: str
    timeframe: str
    side: Side
    quantity: Decimal
    whole: bool = False
    left: Decimal = ZERO
    price: Decimal
    avg_entry: Decimal
    fee_percent: Decimal
    expected: Decimal
    status: StepStatus = StepStatus.PLANNED
    filled: Decimal = ZERO
    fees: Decimal = ZERO
    result: Decimal = ZERO
    note: str = ""

    @property
    def name(self) -> str:
        return f"{self.symbol} {self.timeframe}"

    @property
    def is_open(self) -> bool:
        return self.status in (StepStatus.PLANNED, StepStatus.RUNNING)


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskAction:
    """One entry in the history of the risk engine; an offset goes on until `finished_at` is set.

    loser: the id of the group that it is about. steps: closes in their order: winners, then the loser.
    needed_usd: the loser's loss and closing fee when it was planned. realized_usd: what the winners gave by
        their fills. loss_usd: what the loser lost by its fills, as a positive number; None until it closed.
    """

    id: int
    world: World
    type: RiskType
    status: RiskStatus
    loser: int | None = None
    by_hand: bool = False
    steps: tuple[RiskStep, ...] = ()
    needed_usd: Decimal | None = None
    realized_usd: Decimal | None = None
    loss_usd: Decimal | None = None
    notes: str = ""
    started_at: datetime
    finished_at: datetime | None = None

    @property
    def is_open(self) -> bool:
        return self.finished_at is None

    @property
    def winners(self) -> tuple[RiskStep, ...]:
        return tuple(step for step in self.steps if step.role is not RiskRole.LOSER)

    @property
    def loser_step(self) -> RiskStep | None:
        return next((step for step in self.steps if step.role is RiskRole.LOSER), None)

    @property
    def current(self) -> int | None:
        """Return the index of the step that is being carried out; None between steps."""
        running = (at for at, step in enumerate(self.steps) if step.status is StepStatus.RUNNING)
        return next(running, None)


class FindingKind(StrEnum):
    """What a comparison with an exchange, or with what a strategy says of itself, brought to light."""

    FILLED = "filled"  # orders filled or ended while nobody watched; taken in
    LATE_FILL = "late_fill"  # an order filled after its group had ended; closed at market
    LOST = "lost"  # an order that the exchange had is not known there any more
    ORPHAN = "orphan"  # an order of this installation that its books lack
    EXTERNAL = "external"  # an order of somebody else; never touched
    DEFICIT = "deficit"  # the exchange holds less than the groups add up to
    SURPLUS = "surplus"  # the exchange holds more; swaps only
    LIQUIDATED = "liquidated"  # the exchange closed a position by force
    HALTED = "halted"  # the market of a position is not traded any more, or not now
    DEFECT = "defect"  # an internal error froze a group
    MISSED = "missed"  # an alert never came: the strategy holds something else than its key does here


class Choice(StrEnum):
    """What the user can do about a finding."""

    BOOK = "book"  # book what is missing as closed outside
    CLOSE = "close"  # ... and close the rest at market; of a missed alert, close the position
    SEND = "send"  # receive the alert that was missed, now
    CHECK = "check"  # compare again; a hold ends if it fits now
    RELEASE = "release"  # lift the hold
    DISMISS = "dismiss"  # seen


@dataclass(frozen=True, slots=True, kw_only=True)
class Missed:
    """An alert that never came.

    expected: where it would have led. held: what was held here instead.
    alert_id, told_at: the alert that gave it away, and when that came; sent_at: when its body says it was sent.
    since: when the last alert before that one came; None if none is known.
    message: the body that would make up for it; empty where nothing can be made up for any more.
    """

    timeframe: str
    expected: Position
    held: Position
    alert_id: int
    told_at: datetime
    sent_at: datetime | None = None
    since: datetime | None = None
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something that was found on an exchange or in the books, what was done, what is left to decide.

    ref: what makes it the same finding when it is seen again (a client order id, a currency, a group's id).
    found, done: sentences. ours, theirs: quantities of a deficit or surplus [base]; price: of the trades of
        others that explain it [quote].
    choices: what the user can do; empty where nothing is to be decided. settled_at: None while it is open.
    missed: of an alert that never came, what it was.
    """

    id: int
    at: datetime
    kind: FindingKind
    account: str
    world: World
    exchange: str = ""
    symbol: str = ""
    ref: str
    found: str
    done: str = ""
    group_ids: tuple[int, ...] = ()
    ours: Decimal | None = None
    theirs: Decimal | None = None
    price: Decimal | None = None
    choices: tuple[Choice, ...] = ()
    choice: Choice | None = None
    settled_at: datetime | None = None
    missed: Missed | None = None

    @property
    def key(self) -> tuple[str, FindingKind, str]:
        return (self.account, self.kind, self.ref)


@dataclass(frozen=True, slots=True, kw_only=True)
class WorldHold:
    """Why nothing new is begun in a world; an empty reason means that it is not on hold. Its name is its key."""

    name: World
    reason: str = ""
    since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EquityPoint:
    """The realized result of a world [USD], written whenever it changes."""

    id: int
    world: World
    at: datetime
    realized: Decimal
    group_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookToken:
    """One name for one secret path; the token itself is kept so that its URL can be shown.

    previous_token: what was rotated out; it counts as well until previous_until.
    last_used_at: written seldom, so it may be some minutes behind.
    """

    name: str
    token: str = field(repr=False)
    accounts: tuple[str, ...] = ()
    enabled: bool = True
    created_at: datetime
    expires_at: datetime | None = None
    last_used_at: datetime | None = None
    previous_token: str = field(default="", repr=False)
    previous_until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRemoved:
    """Delete the row of a webhook token; alerts keep its name."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingsVersion:
    """One saved settings document (JSON text); the highest id is in force."""

    id: int
    saved_at: datetime
    document: str
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """The one row about this installation.

    install_key: client order ids are derived from it (not a secret of the exchange's, but kept out of exports).
    epoch: raised when a backup is restored, so that ids are never handed out twice.
    paper_feed: the feed that the paper exchange keeps to while paper groups are open.
    recovering: why nothing is sent until the user says so, as after a backup was restored; empty otherwise.
    machine: the computer that trades by these books, as a digest; None while it is not known. moved_to: the other
        one on which they were found, until the user says that it trades now; the first may still run.
    """

    id: int = 1
    install_key: str = field(repr=False)
    epoch: int = 1
    paused: bool = False
    paused_at: datetime | None = None
    paper_feed: str = ""
    started_at: datetime | None = None
    recovering: str = ""
    machine: str | None = None
    moved_to: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LogEntry:
    """One line of the system log that is kept in the database."""

    id: int
    at: datetime
    level: str
    category: str
    code: str
    text: str
    alert_id: int | None = None
    group_id: int | None = None
    order_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """One sensitive act, chained: `hash` covers this entry and the `hash` before it (`domain.audit`).

    origin: where it came from (`domain.origin`); empty in what was written before that was noted.
    """

    id: int
    at: datetime
    act: str
    detail: str
    hash: str = ""
    origin: str = ""


@dataclass(frozen=True, slots=True)
class Archive:
    """Move a finished group with its pyramids, legs, orders and fills to the history tables."""

    group_id: int


Row = (
    Account
    | AccountRemoved
    | Alert
    | AlertKey
    | RefusedRequest
    | Group
    | Pyramid
    | Leg
    | Order
    | Fill
    | QueuedSignal
    | RiskAction
    | Finding
    | WorldHold
    | EquityPoint
    | WebhookToken
    | TokenRemoved
    | SettingsVersion
    | Engine
    | LogEntry
    | AuditEntry
    | Archive
)
