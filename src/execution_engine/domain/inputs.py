"""What may enter by the one door. An input carries everything that its decision needs."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from execution_engine.domain.audit import Act
from execution_engine.domain.facts import Level
from execution_engine.domain.instrument import Action, Instrument, Market
from execution_engine.domain.keys import CheckResult
from execution_engine.domain.money import ZERO
from execution_engine.domain.origin import Origin
from execution_engine.domain.rows import (
    Account,
    Choice,
    Fill,
    Group,
    Leg,
    Mode,
    Order,
    OrderStatus,
    Pyramid,
    World,
)
from execution_engine.domain.signal import Signal, TakeProfitMode


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertReceived:
    """An authenticated, valid alert. `body` has its secret replaced; `accounts`: what its token may use."""

    signal: Signal
    key: str
    body: str
    body_hash: str
    received_at: datetime
    token: str = ""
    accounts: tuple[str, ...] = ()
    source: str = ""
    replay_of: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestRefused:
    """A request that was answered 4xx."""

    at: datetime
    status: int
    errors: tuple[tuple[str, str], ...]
    body: str
    source: str
    token: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """The market of one symbol now [quote per base]. bid and ask are zero where there is no quote.

    manual: set by hand; it does not age. quoted_at: when it was so by the exchange's own clock, where it says so.
    """

    exchange: str
    symbol: str
    last: Decimal
    bid: Decimal = ZERO
    ask: Decimal = ZERO
    at: datetime
    manual: bool = False
    quoted_at: datetime | None = None

    @property
    def key(self) -> tuple[str, str]:
        return (self.exchange, self.symbol)


@dataclass(frozen=True, slots=True, kw_only=True)
class NoPrice:
    """A market in use has no price and none is to be expected soon; `reason` is a sentence fragment."""

    exchange: str
    symbol: str
    reason: str = "no market price"


@dataclass(frozen=True, slots=True, kw_only=True)
class Balances:
    """What an account has: free amounts by currency, after its open orders, and all of them.

    total: empty where the exchange was not asked for it.
    """

    account: str
    free: dict[str, Decimal]
    total: dict[str, Decimal] = field(default_factory=dict)
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Trade:
    """One fill as the exchange reports it. fee_value: in quote; None where it must be derived."""

    trade_id: str
    price: Decimal
    quantity: Decimal
    fee: Decimal = ZERO
    fee_currency: str = ""
    fee_value: Decimal | None = None
    maker: bool = False
    at: datetime


class Verdict(StrEnum):
    """What an answer proves."""

    ACCEPTED = "accepted"  # the exchange has it: an exchange id, a state
    REFUSED = "refused"  # certainly not taken: a code on the tested list
    UNKNOWN = "unknown"  # nothing is proven; look it up
    ABSENT = "absent"  # a successful look-up found nothing


class About(StrEnum):
    """What a refusal is about, where more is known than its code."""

    RULES = "rules"  # the market's rules are not those known here; they are read again
    MARKET = "market"  # the market is not traded any more, or not now


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderReport:
    """What an exchange said about one order, or that it said nothing clear.

    status: the exchange's own state, with ACCEPTED. trades: fills known to the sender, old ones may be among
    them. reason: the exchange's words. code: the engine's error class (`InsufficientFundsError`, …).
    about_cancel: it answers a cancel request. about: what a refusal is about.
    exchange, symbol, reduces: of an order that the books may lack: where it is, and that it can only close what
    is held (reduce-only, or a sale on spot).
    """

    account: str
    client_order_id: str
    verdict: Verdict
    status: OrderStatus | None = None
    exchange_order_id: str | None = None
    filled_quantity: Decimal = ZERO
    trades: tuple[Trade, ...] = ()
    reason: str = ""
    code: str = ""
    about_cancel: bool = False
    about: About | None = None
    exchange: str = ""
    symbol: str = ""
    reduces: bool = False
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountTrade:
    """A trade as an account's list of trades shows it; the order may be anybody's.

    client_order_id: empty where the exchange does not say it. liquidation: the exchange closed by force.
    """

    exchange: str
    symbol: str
    action: Action
    exchange_order_id: str
    client_order_id: str = ""
    liquidation: bool = False
    trade: Trade


@dataclass(frozen=True, slots=True, kw_only=True)
class Fills:
    """Every trade of an account since a time, oldest first. `at`: when the question was asked."""

    account: str
    since: datetime
    trades: tuple[AccountTrade, ...]
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderReports:
    """What came back together about orders of one group; the group is settled once."""

    group_id: int
    reports: tuple[OrderReport, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """The requests of these orders leave now (`cancel`: their cancel requests)."""

    order_ids: tuple[int, ...]
    at: datetime
    cancel: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenOrders:
    """Everything that rests on an account, read without an error; `reports` are about ours.

    known: client order ids that rest as the rows say, so that nothing has to be reported about them.
    foreign: descriptions of orders that are not ours. positions: held quantity per (exchange, symbol) [base],
    negative for short; swaps only. at: when the question was asked; later orders may be missing.
    unsettled: something that differs has to be seen a second time before the account may trade.
    """

    account: str
    reports: tuple[OrderReport, ...]
    known: frozenset[str] = frozenset()
    foreign: tuple[str, ...] = ()
    positions: dict[tuple[str, str], Decimal] = field(default_factory=dict)
    unsettled: bool = False
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """What an account holds is not what its groups add up to: read twice, with nothing under way between.

    ref: a currency on spot, `exchange symbol` on swaps. ours, theirs: quantities [base], negative for short.
    trades: of others, since the last reading that fitted; they may explain it.
    """

    account: str
    ref: str
    ours: Decimal
    theirs: Decimal
    trades: tuple[AccountTrade, ...] = ()
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Fits:
    """What an account holds is what its groups add up to, in everything that was compared."""

    account: str
    refs: frozenset[str]
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Interrupted:
    """Time or contact was lost: the machine slept, the clock was set, a task died, an account fell silent.

    reason: a sentence fragment. accounts: those concerned; empty means all. doubt: answers may have been missed
    and times cannot be trusted, so whatever is under way is looked up, from now on. set_back: the clock was, so
    that the times of prices cannot be compared with it any more.
    """

    reason: str
    accounts: tuple[str, ...] = ()
    doubt: bool = True
    set_back: bool = False


class Line(StrEnum):
    """How an account's line to its exchange is."""

    GOOD = "good"
    SLOW = "slow"  # the exchange refused something for being one too many
    BROKEN = "broken"  # call after call failed; it is tried again after a pause


@dataclass(frozen=True, slots=True, kw_only=True)
class LineChanged:
    """The line to an account's exchange is better or worse than before."""

    account: str
    line: Line


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountUnreadable:
    """An account could not be read. `reason` is a sentence, `failures` counts the readings in a row.

    asked: whether the exchange was asked at all; without keys nobody is.
    """

    account: str
    reason: str
    failures: int = 1
    asked: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountChanged:
    """A new or edited account row (already checked by whoever sends it)."""

    account: Account


@dataclass(frozen=True, slots=True, kw_only=True)
class Instruments:
    """Rules of markets, new or refreshed."""

    instruments: tuple[Instrument, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RulesRead:
    """The rules of a market were read: they have changed, or something open there waited for them."""

    exchange: str
    symbol: str

    @property
    def key(self) -> tuple[str, str]:
        return (self.exchange, self.symbol)


@dataclass(frozen=True, slots=True, kw_only=True)
class SaveSettings:
    """A whole settings document (JSON text) to be checked, stored and used from now on."""

    document: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class MayChange:
    """Asked before something is changed by hand that is no row: keys in the vault, a tunnel, practice prices."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenOn:
    """On which computer this program runs, as a digest that differs from computer to computer."""

    machine: str


@dataclass(frozen=True, slots=True)
class Started:
    """The state was loaded; nothing has been asked of any exchange yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """An archived group's rows; as an input: brought back because something happened to it."""

    group: Group
    pyramids: tuple[Pyramid, ...]
    legs: tuple[Leg, ...]
    orders: tuple[Order, ...]
    fills: tuple[Fill, ...] = ()


# What follows from other inputs: decided right after them, each by itself, so that a defect in one group or
# alert stays there.


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """A price reached a target of this group."""

    group_id: int
    price: Price


@dataclass(frozen=True, slots=True, kw_only=True)
class Judge:
    """An alert waited for an account, a price, a balance or its turn."""

    alert_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Settle:
    """Bring a group up to date with its rows and place what it lacks."""

    group_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondHalf:
    """The old side of a reversal is closed; its entry is next."""

    group_id: int
    alert_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PromoteWaiting:
    """A slot may be free in this world."""

    world: World


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluate:
    """It is time for the risk engine to look at this world."""

    world: World


@dataclass(frozen=True, slots=True, kw_only=True)
class AdvanceOffset:
    """Something happened to a group of this offset, or it is to go on."""

    action_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PricesAsked:
    """Prices were asked for because a slot waits for them; what has not come by now cannot be had."""

    world: World
    markets: frozenset[tuple[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class DueRow:
    """A time in this row has come."""

    id: int


# What the user asks for; each is answered with an `Answer` or a `Refusal`.


@dataclass(frozen=True, slots=True, kw_only=True)
class ExitGroup:
    group_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelLegs:
    """Cancel the entry orders of a group that still work."""

    group_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SetTakeProfitMode:
    group_id: int
    mode: TakeProfitMode


@dataclass(frozen=True, slots=True, kw_only=True)
class SetRisk:
    """Block, unblock or skip once; None leaves a flag as it is."""

    group_id: int
    blocked: bool | None = None
    skip_once: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRisk:
    """Let the risk engine look now; None means every world that has something open."""

    world: World | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DecideFinding:
    """Do what the user chose about a finding. message: what to send instead of what is proposed."""

    finding_id: int
    choice: Choice
    message: str = ""


@dataclass(frozen=True, slots=True)
class CloseAll:
    pass


@dataclass(frozen=True, slots=True)
class Pause:
    pass


@dataclass(frozen=True, slots=True)
class Resume:
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class Promote:
    """Force a queued signal into the pool, past its limit."""

    queued_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveQueued:
    queued_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """Receive a stored alert again, as a new one."""

    alert_id: int
    received_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AddAccount:
    name: str
    exchange: str
    market: Market
    mode: Mode


@dataclass(frozen=True, slots=True, kw_only=True)
class EnableAccount:
    """Let an account trade. confirmed: the user made sure that its keys cannot take money out."""

    name: str
    confirmed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DisableAccount:
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveAccount:
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DefaultAccount:
    name: str


# Webhooks of the user. `accounts`: what alerts of this webhook may use; empty means all.


@dataclass(frozen=True, slots=True, kw_only=True)
class AddToken:
    name: str
    token: str = field(repr=False)
    accounts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RotateToken:
    """Replace a token; overlap_s: how long the one before it still counts."""

    name: str
    token: str = field(repr=False)
    overlap_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RevokeToken:
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RenameToken:
    name: str
    to: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AllowAccounts:
    name: str
    accounts: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenUsed:
    """A request showed this webhook's token; said seldom, not with every request."""

    name: str
    at: datetime


# What was done about secrets, which are kept elsewhere.


@dataclass(frozen=True, slots=True, kw_only=True)
class KeysChanged:
    """The vault holds other keys of this account now, or (`entered` false) none."""

    account: str
    entered: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class KeysChecked:
    """An account's exchange was asked about its keys."""

    account: str
    result: CheckResult


@dataclass(frozen=True, slots=True, kw_only=True)
class WayInChanged:
    """Something about the way in from outside that the user should know; `bad` if alerts may not arrive."""

    text: str
    bad: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmChanged:
    """A figure of the application itself went beyond its limit, or came back (`domain.alarms`)."""

    code: str
    text: str
    level: Level


@dataclass(frozen=True, slots=True, kw_only=True)
class SecurityAct:
    """Something was done that belongs into the audit log; `detail` is a sentence without any secret.

    origin: where it came from, if not from whoever tells it.
    """

    act: Act
    detail: str
    level: Level = Level.INFO
    origin: Origin | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseReplaced:
    """An older state than the last one is in use, as after a backup was restored.

    act, detail, origin: as in `SecurityAct`. why: what the user is told until they say that trading may go on.
    """

    act: Act
    detail: str
    why: str
    level: Level = Level.WARNING
    origin: Origin | None = None


Input = (
    AlertReceived
    | DatabaseReplaced
    | SeenOn
    | RequestRefused
    | Price
    | NoPrice
    | Balances
    | OrderReport
    | OrderReports
    | Fills
    | Difference
    | Fits
    | Interrupted
    | LineChanged
    | Sending
    | OpenOrders
    | AccountUnreadable
    | AccountChanged
    | Instruments
    | RulesRead
    | SaveSettings
    | MayChange
    | Started
    | History
    | Reached
    | Judge
    | Settle
    | SecondHalf
    | PromoteWaiting
    | PricesAsked
    | Evaluate
    | AdvanceOffset
    | DueRow
    | ExitGroup
    | CancelLegs
    | SetTakeProfitMode
    | SetRisk
    | RunRisk
    | DecideFinding
    | CloseAll
    | Pause
    | Resume
    | Promote
    | RemoveQueued
    | Replay
    | AddAccount
    | EnableAccount
    | DisableAccount
    | RemoveAccount
    | DefaultAccount
    | AddToken
    | RotateToken
    | RevokeToken
    | RenameToken
    | AllowAccounts
    | TokenUsed
    | WayInChanged
    | AlarmChanged
    | KeysChanged
    | KeysChecked
    | SecurityAct
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What whoever asked is told. `status` is a word (`accepted`, `duplicate`, `done`), `text` a sentence."""

    status: str
    text: str = ""
    alert_id: int | None = None
    group_id: int | None = None
