"""The open state in memory: rows in dictionaries and the few indices that decisions ask for.

Only `apply` changes it, and only with rows that a decision wrote.
"""

from __future__ import annotations

from bisect import insort
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from heapq import heappop, heappush

from execution_engine.domain import age, audit
from execution_engine.domain import document as documents
from execution_engine.domain.draft import FRESH, is_fresh
from execution_engine.domain.inputs import Balances, Instruments, NoPrice, Price, PricesAsked
from execution_engine.domain.instrument import Side
from execution_engine.domain.intake import KEY_LIFETIME
from execution_engine.domain.market import next_time
from execution_engine.domain.money import ZERO
from execution_engine.domain.ranking import Asked, GroupKey, Line
from execution_engine.domain.rows import (
    Account,
    AccountRemoved,
    Alert,
    AlertKey,
    Archive,
    AuditEntry,
    Engine,
    EquityPoint,
    Fill,
    Finding,
    FindingKind,
    Group,
    GroupStatus,
    Leg,
    Order,
    Purpose,
    Pyramid,
    QueuedSignal,
    RiskAction,
    RiskType,
    Row,
    SettingsVersion,
    TokenRemoved,
    WebhookToken,
    World,
    WorldHold,
)
from execution_engine.domain.settings import Settings
from execution_engine.domain.signal import Outcome
from execution_engine.domain.symbols import Catalogue
from execution_engine.domain.take_profit import closing_price, nearest
from execution_engine.domain.view import AlertChain

Market = tuple[str, str]
Lane = tuple[str, str, str, str]

FINDINGS_KEPT = 200  # settled ones that stay at hand for the screens
RISK_ACTIONS_KEPT = 200  # finished ones, likewise
ALERTS_KEPT = 2000  # finished ones that stay at hand for the screens
ALERTS_AT_ONCE = 200  # that are let go together


class Targets:
    """The nearest target of each group of one market, sorted, so that a price costs two comparisons."""

    def __init__(self) -> None:
        self._of: dict[int, tuple[Side, Decimal]] = {}
        self._sorted: dict[Side, list[tuple[Decimal, int]]] = {Side.LONG: [], Side.SHORT: []}

    def set(self, group_id: int, side: Side, target: Decimal | None) -> None:
        """Remember a group's nearest target; None forgets it."""
        old = self._of.get(group_id)
        if old == (None if target is None else (side, target)):
            return
        if old is not None:
            self._sorted[old[0]].remove((old[1], group_id))
            del self._of[group_id]
        if target is not None:
            self._of[group_id] = (side, target)
            insort(self._sorted[side], (target, group_id))

    def reached(self, price: Price) -> list[int]:
        """Return the groups whose nearest target this price reached, in order of their ids."""
        longs, shorts = self._sorted[Side.LONG], self._sorted[Side.SHORT]
        found: list[int] = []
        if longs and longs[0][0] <= (bid := closing_price(price, Side.LONG)):
            found += [group_id for target, group_id in longs if target <= bid]
        if shorts and shorts[-1][0] >= (ask := closing_price(price, Side.SHORT)):
            found += [group_id for target, group_id in shorts if target >= ask]
        return sorted(found)


def _member(members: dict[int, None], id: int, belongs: bool) -> None:
    if belongs:
        members[id] = None
    else:
        members.pop(id, None)


class Book:
    """The view of `domain.view`, kept up to date row by row."""

    def __init__(self, catalogue: Catalogue, engine: Engine, settings: Settings | None = None) -> None:
        self.catalogue = catalogue
        self.engine = engine
        self.settings = settings or Settings()
        self.counter = 0
        self.audit_hash = audit.BEGINNING
        self.accounts: dict[str, Account] = {}
        self.tokens: dict[str, WebhookToken] = {}
        self.groups: dict[int, Group] = {}
        self.alerts: dict[int, Alert] = {}
        self.queue: dict[int, QueuedSignal] = {}
        self.orders: dict[int, Order] = {}
        self.legs: dict[int, Leg] = {}
        self.pyramids: dict[int, Pyramid] = {}
        self.findings: dict[int, Finding] = {}  # open ones and the newest of the others
        self.risk_actions: dict[int, RiskAction] = {}  # open ones and the newest of the others
        self.world_holds: dict[World, WorldHold] = {}
        self.prices: dict[Market, Price] = {}
        self.balances: dict[str, Mapping[str, Decimal]] = {}
        self.settings_version: SettingsVersion | None = None
        self.settings_fault = ""  # why the newest saved settings are not in force
        self._no_price: dict[Market, str] = {}
        self._entry_fills: dict[Market, datetime] = {}
        self._fill_counts: defaultdict[str, Counter[Market]] = defaultdict(Counter)
        self._keys: dict[str, AlertKey] = {}
        self._undecided: dict[int, None] = {}
        self._sent: set[tuple[str, str]] = set()  # timeframes that each webhook has sent
        self._last_alerts: dict[AlertChain, int] = {}
        self._alerts_of: defaultdict[int, dict[int, None]] = defaultdict(dict)
        self._groups_in: defaultdict[Market, dict[int, None]] = defaultdict(dict)
        self._open_groups: dict[int, None] = {}
        self._slots: defaultdict[World, int] = defaultdict(int)
        self._realized: dict[World, Decimal] = {}
        self._entries: defaultdict[tuple[World, date], int] = defaultdict(int)
        self._pyramids_of: defaultdict[int, list[int]] = defaultdict(list)
        self._legs_of: defaultdict[int, list[int]] = defaultdict(list)
        self._orders_of: defaultdict[int, list[int]] = defaultdict(list)
        self._order_of: dict[str, int] = {}
        self._working: defaultdict[str, dict[int, None]] = defaultdict(dict)
        self._unseen: defaultdict[str, dict[int, None]] = defaultdict(dict)
        self._superseded: defaultdict[Lane, dict[int, None]] = defaultdict(dict)
        self._open_findings: dict[tuple[str, FindingKind, str], int] = {}
        self._last_findings: dict[tuple[str, FindingKind, str], int] = {}
        self._open_risk_actions: dict[int, None] = {}
        self._last_rehearsals: dict[World, int] = {}
        self._trades: set[tuple[str, str, str, str]] = set()
        self._trades_of: defaultdict[int, list[tuple[str, str, str, str]]] = defaultdict(list)
        self._waiting: defaultdict[World, dict[int, None]] = defaultdict(dict)
        self._queued_in: defaultdict[Market, dict[int, None]] = defaultdict(dict)
        self._queued_of: dict[GroupKey, int] = {}
        self._lines: defaultdict[World, Line] = defaultdict(Line)
        self._keys_held: Counter[GroupKey] = Counter()  # groups that hold a slot
        self._held: defaultdict[World, dict[int, None]] = defaultdict(dict)  # waiting signals of such keys
        self._asked: dict[World, Asked] = {}
        self._balances_at: dict[str, datetime] = {}
        self._freed_at: dict[str, datetime] = {}  # when an order last gave money back
        self._targets: defaultdict[Market, Targets] = defaultdict(Targets)
        self._due: list[tuple[datetime, int]] = []
        self._apply: dict[type, Callable[..., None]] = {
            Account: self._account,
            AccountRemoved: self._account_removed,
            Alert: self._alert,
            AlertKey: self._alert_key,
            Archive: self._archive,
            AuditEntry: self._audit,
            Engine: self._engine,
            EquityPoint: self._equity,
            Fill: self._fill,
            Finding: self._finding,
            Group: self._group,
            Leg: self._leg,
            Order: self._order,
            Pyramid: self._pyramid,
            QueuedSignal: self._queued,
            RiskAction: self._risk_action,
            SettingsVersion: self._settings,
            WebhookToken: self._token,
            TokenRemoved: self._token_removed,
            WorldHold: self._world_hold,
        }

    # -- changing

    def apply(self, rows: Iterable[Row]) -> None:
        """Take in new versions of rows."""
        touched: dict[int, None] = {}
        for row in rows:
            change = self._apply.get(type(row))
            if change is not None:
                change(row)
            if isinstance(row, Group):
                touched[row.id] = None
            elif isinstance(row, Leg):
                touched[row.group_id] = None
            id = getattr(row, "id", 0)
            if id > self.counter:
                self.counter = id
        for group_id in touched:
            self._retarget(group_id)

    def note_price(self, price: Price) -> None:
        """Remember the market; the only thing that changes without a row."""
        self.prices[price.key] = price
        self._no_price.pop(price.key, None)

    def doubt_prices(self, now: datetime) -> None:
        """Count every price as old: when it was said to be of cannot be compared with the clock any more."""
        for market, price in self.prices.items():
            self.prices[market] = replace(price, at=min(price.at, now - 2 * FRESH))

    def note_no_price(self, missing: NoPrice) -> None:
        if (missing.exchange, missing.symbol) not in self.prices:
            self._no_price[missing.exchange, missing.symbol] = missing.reason

    def forget_price(self, market: Market) -> None:
        """Know nothing of a market's price until another comes."""
        self.prices.pop(market, None)

    def note_instruments(self, read: Instruments) -> list[Market]:
        """Go by these rules from now on, the targets of what is open as well; return the markets it concerns."""
        news = [rules for rules in read.instruments if self.catalogue.get(*rules.key) != rules]
        self.catalogue.add(news)
        changed = [rules.key for rules in news if self.groups_in(rules.key)]
        awaited = [rules.key for rules in read.instruments if self._waits_for_rules(rules.key)]
        for market in changed:
            for group_id in self.groups_in(market):
                self._retarget(group_id)
        return [*dict.fromkeys(changed + awaited)]

    def _waits_for_rules(self, market: Market) -> bool:
        """Return whether a position is on hold there, as in a market that halted, or a leg waits for new rules."""
        return any(
            self.groups[id].hold or any(self.orders[one].rules_by is not None for one in self.orders_of(id))
            for id in self._groups_in.get(market, ())
        )

    def note_balances(self, read: Balances) -> None:
        self.balances[read.account] = read.free
        self._balances_at[read.account] = read.at

    def note_asked(self, asked: Asked) -> None:
        """Remember that prices are asked for, because slots wait for them."""
        self._asked[asked.world] = asked

    def note_answered(self, told: PricesAsked, now: datetime) -> None:
        """Remember that what has not come by now cannot be had."""
        self._asked[told.world] = Asked(told.world, told.markets, now, answered=True)

    def _account(self, row: Account) -> None:
        self.accounts[row.name] = row

    def _account_removed(self, row: AccountRemoved) -> None:
        self.accounts.pop(row.name, None)
        self.balances.pop(row.name, None)

    def _audit(self, row: AuditEntry) -> None:
        self.audit_hash = row.hash

    def _token(self, row: WebhookToken) -> None:
        self.tokens[row.name] = row

    def _token_removed(self, row: TokenRemoved) -> None:
        self.tokens.pop(row.name, None)

    def _engine(self, row: Engine) -> None:
        self.engine = row

    def _settings(self, row: SettingsVersion) -> None:
        self.settings_version = row
        self.settings = documents.parse(row.document)
        self.settings_fault = ""
        for id in self._open_groups:
            self._remember_time(self.groups[id])
        for id in self._undecided:
            self._remember_age(self.alerts[id])

    def _equity(self, row: EquityPoint) -> None:
        self._realized[row.world] = row.realized

    def _alert(self, row: Alert) -> None:
        old = self.alerts.get(row.id)
        if old is not None and old.group_id is not None and old.group_id != row.group_id:
            self._alerts_of[old.group_id].pop(row.id, None)
        self.alerts[row.id] = row
        self._sent.add((row.token, row.timeframe))
        if row.replay_of is None:  # a replay says what its strategy did once
            self._last_alerts[row.chain] = max(row.id, self._last_alerts.get(row.chain, 0))
        if row.outcome is None and row.decided_at is None:
            if row.id not in self._undecided:
                self._undecided[row.id] = None
                self._remember_age(row)
        else:
            self._undecided.pop(row.id, None)
        if row.group_id is not None:
            if row.outcome is None:
                self._alerts_of[row.group_id][row.id] = None
            else:
                self._alerts_of[row.group_id].pop(row.id, None)
        if old is None and len(self.alerts) - len(self._last_alerts) > ALERTS_KEPT + ALERTS_AT_ONCE:
            self._forget_alerts()

    def _remember_age(self, row: Alert) -> None:
        """Have an undecided alert looked at when it is too old."""
        limits = self.settings.signals
        limit = limits.max_exit_age_s if age.closes(row) else limits.max_alert_age_s
        heappush(self._due, (age.counted_from(row) + timedelta(seconds=limit + 1), row.id))

    def _forget_alerts(self) -> None:
        """Let go of the oldest finished alerts but the last of each chain; the database keeps them."""
        last = set(self._last_alerts.values())
        done = (id for id, row in self.alerts.items() if row.outcome not in (None, Outcome.QUEUED))
        finished = [id for id in done if id not in last]
        for id in finished[:-ALERTS_KEPT]:
            del self.alerts[id]

    def _alert_key(self, row: AlertKey) -> None:
        self._keys.pop(row.key, None)  # the oldest come first, also where a body comes again
        self._keys[row.key] = row
        oldest = next(iter(self._keys.values()))
        if row.received_at - oldest.received_at > KEY_LIFETIME:  # one goes for each that comes
            del self._keys[oldest.key]

    def _group(self, row: Group) -> None:
        old = self.groups.get(row.id)
        held = old is not None and old.holds_slot
        self.groups[row.id] = row
        market = (row.exchange, row.symbol)
        if row.holds_slot:
            self._groups_in[market][row.id] = None
            self._open_groups[row.id] = None
        elif held:
            self._groups_in[market].pop(row.id, None)
            self._open_groups.pop(row.id, None)
        self._slots[row.world] += row.holds_slot - held
        if row.holds_slot is not held:
            self._keys_held[row.key] += row.holds_slot - held
            self._note_held(row.key)
        if old is None or old.status is not row.status or old.retry_at != row.retry_at:
            self._remember_time(row)

    def _note_held(self, key: GroupKey) -> None:
        """Keep in mind whether the signal that waits under a key has a group there."""
        if not self._keys_held[key]:
            del self._keys_held[key]
        id = self._queued_of.get(key)
        if id is not None:
            _member(self._held[self.queue[id].world], id, key in self._keys_held)

    def _remember_time(self, row: Group) -> None:
        at = next_time(row, self.settings)
        if at is not None:
            heappush(self._due, (at, row.id))

    def _pyramid(self, row: Pyramid) -> None:
        if row.id not in self.pyramids:
            self._pyramids_of[row.group_id].append(row.id)
            self._entries[self.groups[row.group_id].world, row.created_at.date()] += 1
        self.pyramids[row.id] = row

    def _leg(self, row: Leg) -> None:
        if row.id not in self.legs:
            self._legs_of[row.group_id].append(row.id)
        self.legs[row.id] = row

    def _order(self, row: Order) -> None:
        if row.id not in self.orders:
            self._orders_of[row.group_id].append(row.id)
            self._order_of[row.client_order_id] = row.id
        self.orders[row.id] = row
        if row.finished_at is not None:
            known = self._freed_at.get(row.account, row.finished_at)
            self._freed_at[row.account] = max(known, row.finished_at)
        _member(self._working[row.account], row.id, not row.is_final)
        _member(self._superseded[row.lane], row.id, row.superseded and not row.is_final)
        unseen = row.purpose is Purpose.ENTRY and not row.is_final and row.acknowledged_at is None
        _member(self._unseen[row.account], row.id, unseen)
        if row.rules_by is not None:
            heappush(self._due, (row.rules_by, row.id))
        if row.cancel_at is not None:
            heappush(self._due, (row.cancel_at, row.id))

    def _fill(self, row: Fill) -> None:
        key = (row.account, row.exchange, row.symbol, row.trade_id)
        self._trades.add(key)
        self._trades_of[row.group_id].append(key)
        self._fill_counts[row.account][row.exchange, row.symbol] += 1
        account = self.accounts.get(row.account)
        if row.purpose is Purpose.ENTRY and account is not None and account.world is not World.PAPER:
            market = (row.exchange, row.symbol)
            self._entry_fills[market] = max(row.at, self._entry_fills.get(market, row.at))

    def _finding(self, row: Finding) -> None:
        old = self.findings.get(row.id)
        self.findings[row.id] = row
        self._last_findings[row.key] = row.id
        if row.settled_at is None:
            self._open_findings[row.key] = row.id
        elif old is not None and old.settled_at is None:
            self._open_findings.pop(row.key, None)
        if old is None and len(self.findings) > FINDINGS_KEPT * 2:
            settled = [id for id, kept in self.findings.items() if kept.settled_at is not None]
            for id in settled[:-FINDINGS_KEPT]:
                key = self.findings.pop(id).key
                if self._last_findings.get(key) == id:
                    del self._last_findings[key]

    def _risk_action(self, row: RiskAction) -> None:
        new = row.id not in self.risk_actions
        self.risk_actions[row.id] = row
        _member(self._open_risk_actions, row.id, row.is_open)
        if row.type is RiskType.REHEARSAL:
            self._last_rehearsals[row.world] = max(row.id, self._last_rehearsals.get(row.world, 0))
        if new and len(self.risk_actions) > RISK_ACTIONS_KEPT * 2:
            last = self._last_rehearsals.values()
            over = [id for id, kept in self.risk_actions.items() if not kept.is_open and id not in last]
            for id in over[:-RISK_ACTIONS_KEPT]:
                del self.risk_actions[id]

    def _world_hold(self, row: WorldHold) -> None:
        self.world_holds[row.name] = row

    def _queued(self, row: QueuedSignal) -> None:
        if row.outcome is None:
            old = self.queue.get(row.id)
            self.queue[row.id] = row
            self._waiting[row.world][row.id] = None
            self._queued_in[row.exchange, row.symbol][row.id] = None
            self._queued_of[row.key] = row.id
            self._lines[row.world].put(row)
            self._note_held(row.key)
            if row.expires_at is not None and (old is None or old.expires_at != row.expires_at):
                heappush(self._due, (row.expires_at, row.id))
        elif self.queue.pop(row.id, None) is not None:
            self._waiting[row.world].pop(row.id, None)
            self._queued_in[row.exchange, row.symbol].pop(row.id, None)
            self._queued_of.pop(row.key, None)
            self._held[row.world].pop(row.id, None)
            self._lines[row.world].drop(row.id)

    def _archive(self, row: Archive) -> None:
        """Let go of a finished group and everything under it; the history tables keep them."""
        group = self.groups.pop(row.group_id, None)
        if group is None:
            return
        for id in self._pyramids_of.pop(row.group_id, ()):
            del self.pyramids[id]
        for id in self._legs_of.pop(row.group_id, ()):
            del self.legs[id]
        for id in self._orders_of.pop(row.group_id, ()):
            order = self.orders.pop(id)
            del self._order_of[order.client_order_id]
            self._working[order.account].pop(id, None)
            self._unseen[order.account].pop(id, None)
            self._superseded[order.lane].pop(id, None)
        for key in self._trades_of.pop(row.group_id, ()):
            self._trades.discard(key)
        self._alerts_of.pop(row.group_id, None)

    def _retarget(self, group_id: int) -> None:
        group = self.groups.get(group_id)
        if group is None:
            return
        targets = self._targets[group.exchange, group.symbol]
        if not group.is_open:
            targets.set(group_id, group.side, None)
            return
        instrument = self.catalogue.get(group.exchange, group.symbol)
        if instrument is not None:
            legs = [self.legs[id] for id in self._legs_of[group_id]]
            targets.set(group_id, group.side, nearest(group, legs, instrument))

    # -- reading

    def price(self, market: Market) -> Price | None:
        return self.prices.get(market)

    def entry_filled_at(self, market: Market) -> datetime | None:
        """Return when an entry last filled there, by the clock of the exchange; None for paper."""
        return self._entry_fills.get(market)

    def fill_counts(self, account: str) -> Mapping[Market, int]:
        """Return how many fills of an account were taken in so far, by market."""
        return self._fill_counts.get(account, {})

    def no_price(self, market: Market) -> str | None:
        return self._no_price.get(market)

    def balance(self, account: str) -> Mapping[str, Decimal] | None:
        return self.balances.get(account)

    def alert(self, id: int) -> Alert | None:
        return self.alerts.get(id)

    def alert_key(self, key: str) -> AlertKey | None:
        return self._keys.get(key)

    def has_sent(self, token: str, timeframe: str) -> bool:
        return (token, timeframe) in self._sent

    def last_alert(self, chain: AlertChain) -> int | None:
        """Return the newest alert of a chain; it may have left the memory."""
        return self._last_alerts.get(chain)

    def undecided(self) -> Sequence[int]:
        return list(self._undecided)

    def alerts_of(self, group_id: int) -> Sequence[int]:
        return list(self._alerts_of.get(group_id, ()))

    def group(self, id: int) -> Group | None:
        return self.groups.get(id)

    def groups_in(self, market: Market) -> Sequence[int]:
        return list(self._groups_in.get(market, ()))

    def open_groups(self) -> Iterable[int]:
        return list(self._open_groups)

    def reached(self, price: Price) -> Sequence[int]:
        targets = self._targets.get(price.key)
        return targets.reached(price) if targets is not None else ()

    def slots_used(self, world: World) -> int:
        return self._slots[world]

    def realized(self, world: World) -> Decimal:
        return self._realized.get(world, ZERO)

    def entries_on(self, world: World, day: date) -> int:
        return self._entries[world, day]

    def pyramid(self, id: int) -> Pyramid | None:
        return self.pyramids.get(id)

    def pyramids_of(self, group_id: int) -> Sequence[int]:
        return self._pyramids_of.get(group_id, ())

    def leg(self, id: int) -> Leg | None:
        return self.legs.get(id)

    def legs_of(self, group_id: int) -> Sequence[int]:
        return self._legs_of.get(group_id, ())

    def order(self, id: int) -> Order | None:
        return self.orders.get(id)

    def order_of(self, client_order_id: str) -> int | None:
        return self._order_of.get(client_order_id)

    def orders_of(self, group_id: int) -> Sequence[int]:
        return self._orders_of.get(group_id, ())

    def working_orders(self, account: str) -> Sequence[int]:
        return list(self._working.get(account, ()))

    def unseen_entries(self, account: str) -> Sequence[int]:
        return list(self._unseen.get(account, ()))

    def awaits_lost_close(self, lane: Lane) -> bool:
        """Return whether a close may still arrive there that its group has no need of: it would close whatever it
        finds. Either another took its place, or the one whose place it took turned up after all."""
        if self._superseded.get(lane):
            return True
        account, exchange, symbol, side = lane
        for id in self._groups_in.get((exchange, symbol), ()):
            group = self.groups[id]
            closing = group.status is GroupStatus.CLOSING
            if closing and (group.account, group.side) == (account, side) and self._closes_too_much(group):
                return True
        return False

    def _closes_too_much(self, group: Group) -> bool:
        own = (self.orders[id] for id in self._orders_of.get(group.id, ()))
        sent = (order for order in own if order.purpose is not Purpose.ENTRY and not order.is_final)
        return sum((order.remaining for order in sent), ZERO) > max(group.open_quantity, ZERO)

    def has_trade(self, account: str, exchange: str, symbol: str, trade_id: str) -> bool:
        return (account, exchange, symbol, trade_id) in self._trades

    def finding(self, id: int) -> Finding | None:
        return self.findings.get(id)

    def finding_of(self, key: tuple[str, FindingKind, str]) -> int | None:
        """Return the open finding under this key."""
        return self._open_findings.get(key)

    def last_finding(self, key: tuple[str, FindingKind, str]) -> int | None:
        """Return the last finding under this key, open or settled, that is still at hand."""
        return self._last_findings.get(key)

    def open_findings(self) -> Sequence[int]:
        return list(self._open_findings.values())

    def risk_action(self, id: int) -> RiskAction | None:
        return self.risk_actions.get(id)

    def open_risk_actions(self) -> Sequence[int]:
        return list(self._open_risk_actions)

    def last_rehearsal(self, world: World) -> int | None:
        return self._last_rehearsals.get(world)

    def world_hold(self, world: World) -> str:
        """Return why nothing new is begun in a world; empty if nothing keeps it."""
        hold = self.world_holds.get(world)
        return hold.reason if hold is not None else ""

    def queued(self, id: int) -> QueuedSignal | None:
        return self.queue.get(id)

    def balance_is_current(self, account: str) -> bool:
        """Return whether an account's balance was read after the last of its orders ended."""
        freed, read = self._freed_at.get(account), self._balances_at.get(account)
        return read is not None and (freed is None or freed <= read)

    def queued_of(self, key: GroupKey) -> int | None:
        return self._queued_of.get(key)

    def waiting(self, world: World) -> Sequence[int]:
        return list(self._waiting[world])

    def waiting_count(self, world: World) -> int:
        return len(self._waiting[world])

    def held_keys(self, world: World) -> Sequence[int]:
        """Return the signals that wait although their key has a group, which holds a slot."""
        return list(self._held[world])

    def line(self, world: World) -> Line:
        return self._lines[world]

    def asked(self, world: World) -> Asked | None:
        return self._asked.get(world)

    def cares(self, price: Price) -> bool:
        """Return whether a price decides anything; most do not."""
        if self._undecided or self.reached(price):
            return True
        waiting = (self.queue[id] for id in self._queued_in.get(price.key, ()))
        return any(self._has_slot(row.world) or row.id in self._held[row.world] for row in waiting)

    def cares_for_balance(self, account: str) -> bool:
        """Return whether an account's balance decides anything."""
        if self._undecided:
            return True
        found = self.accounts.get(account)
        if found is None or not self._waiting[found.world]:
            return False
        return self._has_slot(found.world) or bool(self._held[found.world])

    def _has_slot(self, world: World) -> bool:
        return self._slots[world] < self.settings.pool.max_open_groups

    def due(self, now: datetime) -> Sequence[int]:
        """Take out the rows whose time has come."""
        found: dict[int, None] = {}
        while self._due and self._due[0][0] <= now:
            found[heappop(self._due)[1]] = None
        return list(found)

    def put_off(self, id: int, at: datetime) -> None:
        """Have a row come due again: what it asked for was not done."""
        heappush(self._due, (at, id))

    def next_due(self) -> datetime | None:
        return self._due[0][0] if self._due else None

    def rows(self) -> list[Row]:
        """Return every row of the open state, parents before children."""
        return [
            self.engine,
            *self.accounts.values(),
            *self.tokens.values(),
            *self.alerts.values(),
            *self.groups.values(),
            *self.pyramids.values(),
            *self.legs.values(),
            *self.orders.values(),
            *self.queue.values(),
            *self.risk_actions.values(),
            *self.findings.values(),
            *self.world_holds.values(),
        ]

    def stale(self, now: datetime) -> list[Price]:
        """Return the last prices of markets in use whose prices have stopped to come."""
        prices = (self.prices.get(market) for market in sorted(self.markets_in_use()))
        return [price for price in prices if price is not None and not is_fresh(price, now)]

    def markets_in_use(self) -> frozenset[Market]:
        """Return the markets whose prices matter: of open groups, queued and undecided signals."""
        groups = (self.groups[id] for id in self._open_groups)
        waiting = (self.queue[id] for ids in self._waiting.values() for id in ids)
        alerts = (self.alerts[id] for id in self._undecided)
        return frozenset((row.exchange, row.symbol) for rows in (groups, waiting, alerts) for row in rows)
