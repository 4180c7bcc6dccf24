"""A decision in the making: it reads its own writes, and dropping it leaves no trace."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar, get_args

from execution_engine.domain import audit
from execution_engine.domain.audit import Act
from execution_engine.domain.errors import Defect
from execution_engine.domain.facts import Category, Fact, Level
from execution_engine.domain.inputs import Input, Price
from execution_engine.domain.instrument import Instrument
from execution_engine.domain.money import ZERO
from execution_engine.domain.origin import Origin
from execution_engine.domain.ranking import Asked, Line
from execution_engine.domain.rows import (
    Account,
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
    Leg,
    Order,
    Purpose,
    Pyramid,
    QueuedSignal,
    RiskAction,
    Row,
    WebhookToken,
    World,
)
from execution_engine.domain.settings import Settings
from execution_engine.domain.view import GroupKey, View

R = TypeVar("R")

# The rows that are known by their names; the others are by their ids.
NAMED = frozenset(kind for kind in get_args(Row) if hasattr(kind, "name"))
FRESH = timedelta(seconds=10)  # an older price may be long gone; nothing is begun at it


def is_fresh(price: Price, now: datetime) -> bool:
    """Return whether a price may be acted on; one that was set by hand does not age.

    One from the future was there before the clock was set back.
    """
    return price.manual or abs(now - price.at) <= FRESH


class Draft:
    """The view, overlaid with the rows that this decision has written so far."""

    def __init__(self, view: View, now: datetime, origin: Origin = Origin.AUTOMATIC) -> None:
        self.view = view
        self.now = now
        self.origin = origin
        self.facts: list[Fact] = []
        self.next: list[Input] = []
        self.asked: Asked | None = None
        self.outdated: dict[str, None] = {}
        self.settings: Settings = view.settings
        self._rows: dict[tuple[type, int | str], Row] = {}
        self._over: dict[type, dict[int | str, Any]] = {Pyramid: {}, Leg: {}, Order: {}, RiskAction: {}}
        self._members: dict[tuple[type, int], list[int]] = defaultdict(list)
        self._clients: dict[str, int] = {}
        self._counter = view.counter
        self._archives: list[Archive] = []

    # -- writing

    def new_id(self) -> int:
        self._counter += 1
        return self._counter

    def put(self, row: Row) -> None:
        """Write a new version of a row."""
        if isinstance(row, Archive):
            self._archives.append(row)
            return
        kind: type[Any] = type(row)
        key = (kind, row.name if kind in NAMED else row.id)  # type: ignore[union-attr]
        over = self._over.get(kind)
        if over is not None:
            if key not in self._rows and kind is not RiskAction:
                self._note_member(kind, row)
            over[key[1]] = row
        self._rows[key] = row

    def _note_member(self, kind: type[Any], row: Any) -> None:
        view = self.view
        known = {Pyramid: view.pyramids, Leg: view.legs, Order: view.orders}[kind]
        if row.id not in known:
            self._members[kind, row.group_id].append(row.id)
            if kind is Order:
                self._clients[row.client_order_id] = row.id

    def follow(self, next_input: Input) -> None:
        """Have something decided right after this decision, by itself."""
        self.next.append(next_input)

    def tell(
        self,
        code: str,
        text: str,
        level: Level = Level.INFO,
        category: Category = Category.TRADING,
        *,
        group: Group | None = None,
        alert: Alert | None = None,
        order: Order | None = None,
        notice: bool = False,
    ) -> None:
        """Note what happened, for those who listen."""
        fact = Fact(
            code=code,
            text=text,
            level=level,
            category=category,
            world=group.world if group else "",
            group_id=group.id if group else None,
            alert_id=alert.id if alert else None,
            order_id=order.id if order else None,
            notice=notice,
        )
        self.facts.append(fact)

    def ask(self, asked: Asked) -> None:
        """Have prices asked for; the answer comes in by the same door as everything else."""
        self.asked = asked

    def read_balance(self, account: str) -> None:
        """Have an account's balance read soon: something waits for a newer one."""
        self.outdated[account] = None

    def record(self, act: Act, detail: str, origin: Origin | None = None) -> None:
        """Write a sensitive act to the audit log; `detail` is a sentence without any secret.

        origin: where it came from, if not from where this decision does.
        """
        before = next((row.hash for row in reversed(self._written(AuditEntry))), self.view.audit_hash)
        came = origin or self.origin
        entry = AuditEntry(id=self.new_id(), at=self.now, act=act, detail=detail, origin=came)
        self.put(audit.chain(before, entry))

    @property
    def rows(self) -> tuple[Row, ...]:
        return (*self._rows.values(), *self._archives)

    # -- reading

    def _get(self, kind: type[R], id: int, before: Callable[[int], R | None]) -> R:
        row = self._rows.get((kind, id)) or before(id)
        if row is None:
            raise Defect(f"there is no {kind.__name__} {id}")
        return row  # type: ignore[return-value]

    def group(self, id: int) -> Group:
        return self._get(Group, id, self.view.group)

    def group_or_none(self, id: int) -> Group | None:
        """Return a group; None for one that has moved to history."""
        return self._rows.get((Group, id)) or self.view.group(id)  # type: ignore[return-value]

    def alert(self, id: int) -> Alert:
        return self._get(Alert, id, self.view.alert)

    def alert_or_none(self, id: int) -> Alert | None:
        """Return an alert; None for an old one that has left the memory."""
        return self._rows.get((Alert, id)) or self.view.alert(id)  # type: ignore[return-value]

    def leg(self, id: int) -> Leg:
        return self._get(Leg, id, self.view.leg)

    def order(self, id: int) -> Order:
        return self._get(Order, id, self.view.order)

    def finding(self, id: int) -> Finding:
        return self._get(Finding, id, self.view.finding)

    def finding_or_none(self, id: int) -> Finding | None:
        return self._rows.get((Finding, id)) or self.view.finding(id)  # type: ignore[return-value]

    def finding_of(self, key: tuple[str, FindingKind, str]) -> Finding | None:
        """Return the open finding under this key."""
        for row in self._written(Finding):
            if row.key == key and row.settled_at is None:
                return row
        id = self.view.finding_of(key)
        found = self.finding(id) if id is not None else None
        return found if found is not None and found.settled_at is None else None

    def open_findings(self) -> list[Finding]:
        ids = dict.fromkeys(self.view.open_findings())
        ids.update((row.id, None) for row in self._written(Finding))
        return [row for id in ids if (row := self.finding(id)).settled_at is None]

    def risk_action(self, id: int) -> RiskAction:
        return self._get(RiskAction, id, self.view.risk_action)

    def risk_action_or_none(self, id: int) -> RiskAction | None:
        """Return an action of the risk engine; None for an old one that has left the memory."""
        return self._rows.get((RiskAction, id)) or self.view.risk_action(id)  # type: ignore[return-value]

    def open_risk_actions(self) -> list[RiskAction]:
        """Return the offsets under way; there is at most one in a world."""
        ids = dict.fromkeys(self.view.open_risk_actions())
        if self._over[RiskAction]:
            ids.update((action.id, None) for action in self._over[RiskAction].values())
        return [action for id in ids if (action := self.risk_action(id)).is_open]

    def last_rehearsal(self, world: World) -> RiskAction | None:
        """Return the newest offset of a world that was planned and not carried out."""
        id = self.view.last_rehearsal(world)
        return self.risk_action(id) if id is not None else None

    def offset_of(self, group_id: int) -> tuple[RiskAction, int] | None:
        """Return the offset that has a step under way on a group, and which step."""
        for action in self.open_risk_actions():
            at = action.current
            if at is not None and action.steps[at].group_id == group_id:
                return action, at
        return None

    def queued(self, id: int) -> QueuedSignal:
        return self._get(QueuedSignal, id, self.view.queued)

    def account(self, name: str) -> Account | None:
        return self._rows.get((Account, name)) or self.view.accounts.get(name)  # type: ignore[return-value]

    @property
    def accounts(self) -> list[Account]:
        names = dict.fromkeys(self.view.accounts)
        names.update({str(name): None for kind, name in self._rows if kind is Account})
        return [account for name in names if (account := self.account(name))]

    def token(self, name: str) -> WebhookToken | None:
        return self.view.tokens.get(name)

    @property
    def tokens(self) -> Mapping[str, WebhookToken]:
        """The webhooks there were before this decision."""
        return self.view.tokens

    @property
    def engine(self) -> Engine:
        return self._rows.get((Engine, 1)) or self.view.engine  # type: ignore[return-value]

    def alert_key(self, key: str) -> AlertKey | None:
        return self.view.alert_key(key)

    def instrument(self, exchange: str, symbol: str) -> Instrument:
        found = self.view.catalogue.get(exchange, symbol)
        if found is None:
            raise Defect(f"the rules of {exchange} {symbol} are not known")
        return found

    def _of(self, kind: type[R], base: Mapping[int, R], ids: Sequence[int], group_id: int) -> list[R]:
        """Return a group's rows of one kind, with this decision's versions laid over them."""
        over = self._over.get(kind)
        if not over:
            return [base[id] for id in ids]
        new = self._members.get((kind, group_id), ())
        return [over[id] if id in over else base[id] for id in (*ids, *new)]

    def pyramids(self, group_id: int) -> list[Pyramid]:
        return self._of(Pyramid, self.view.pyramids, self.view.pyramids_of(group_id), group_id)

    def legs(self, group_id: int) -> list[Leg]:
        return self._of(Leg, self.view.legs, self.view.legs_of(group_id), group_id)

    def orders(self, group_id: int) -> list[Order]:
        return self._of(Order, self.view.orders, self.view.orders_of(group_id), group_id)

    def order_of(self, client_order_id: str) -> Order | None:
        id = self._clients.get(client_order_id) or self.view.order_of(client_order_id)
        return self.order(id) if id is not None else None

    def has_trade(self, order: Order, trade_id: str) -> bool:
        return self.view.has_trade(order.account, order.exchange, order.symbol, trade_id) or any(
            isinstance(row, Fill) and row.trade_id == trade_id and row.order_id == order.id
            for row in self._rows.values()
        )

    def _written(self, kind: type[R]) -> list[R]:
        return [row for (type_, _), row in self._rows.items() if type_ is kind]  # type: ignore[misc]

    def groups(self) -> list[Group]:
        """Return every group that holds a slot."""
        ids = dict.fromkeys(self.view.open_groups())
        ids.update((group.id, None) for group in self._written(Group))
        return [group for id in ids if (group := self.group(id)).holds_slot]

    def group_of(self, key: GroupKey) -> Group | None:
        """Return the group that holds a slot under this key; the newest, beside one that a late fill reopened."""
        own = [group for group in self.groups_in((key[1], key[2])) if group.key == key]
        return max(own, key=lambda group: group.id, default=None)

    def groups_in(self, market: tuple[str, str]) -> list[Group]:
        """Return the groups of one market that hold a slot."""
        ids = dict.fromkeys(self.view.groups_in(market))
        ids.update(
            (group.id, None) for group in self._written(Group) if (group.exchange, group.symbol) == market
        )
        return [group for id in ids if (group := self.group(id)).holds_slot]

    def slots_used(self, world: World) -> int:
        own = [group for group in self._written(Group) if group.world is world]
        before = [known for group in own if (known := self.view.group(group.id))]
        change = sum(group.holds_slot for group in own) - sum(group.holds_slot for group in before)
        return self.view.slots_used(world) + change

    def waiting_count(self, world: World) -> int:
        """Count what waits in a world, with what this decision put in or took out."""
        own = [row for row in self._written(QueuedSignal) if row.world is world]
        before = sum(self.view.queued(row.id) is not None for row in own)
        return self.view.waiting_count(world) + sum(row.outcome is None for row in own) - before

    def waiting_of(self, key: GroupKey) -> QueuedSignal | None:
        """Return the signal that waits under this key."""
        for row in self._written(QueuedSignal):
            if row.key == key and row.outcome is None:
                return row
        id = self.view.queued_of(key)
        found = self.queued(id) if id is not None else None
        return found if found is not None and found.outcome is None else None

    def line(self, world: World) -> Line:
        """Return what waits in a world, ready to be ranked."""
        if any(row.world is world for row in self._written(QueuedSignal)):
            return Line(self.waiting(world))
        return self.view.line(world)

    def held_keys(self, world: World) -> list[tuple[QueuedSignal, Group]]:
        """Return the waiting signals whose key has a group that holds a slot, each with that group."""
        rows = [self.queued(id) for id in self.view.held_keys(world)]
        found = [(row, self.group_of(row.key)) for row in rows if row.outcome is None]
        return [(row, group) for row, group in found if group is not None]

    def realized(self, world: World) -> Decimal:
        """Return the realized result of a world [USD], with what this decision booked."""
        points = [point for point in self._written(EquityPoint) if point.world is world]
        return points[-1].realized if points else self.view.realized(world)

    def waiting(self, world: World) -> list[QueuedSignal]:
        ids = dict.fromkeys(self.view.waiting(world))
        ids.update((row.id, None) for row in self._written(QueuedSignal) if row.world is world)
        return [row for id in ids if (row := self.queued(id)).outcome is None]

    def entries_today(self, world: World) -> int:
        """Count the entries that were placed in a world this UTC day."""
        today: date = self.now.date()
        new = [p for p in self._written(Pyramid) if self.view.pyramid(p.id) is None]
        placed = sum(1 for pyramid in new if self.group(pyramid.group_id).world is world)
        return self.view.entries_on(world, today) + placed

    def alerts_of(self, group_id: int) -> list[Alert]:
        """Return the alerts that wait for something to happen to a group."""
        ids = dict.fromkeys(self.view.alerts_of(group_id))
        ids.update((alert.id, None) for alert in self._written(Alert) if alert.group_id == group_id)
        return [a for id in ids if (a := self.alert(id)).group_id == group_id and a.outcome is None]

    def working_orders(self, account: str) -> list[Order]:
        """Return an account's orders that are not final."""
        return self._orders_of_account(self.view.working_orders(account), account)

    def unseen_entries(self, account: str) -> list[Order]:
        """Return an account's entry orders that the exchange has not acknowledged: its balance lacks them."""
        return [
            order
            for order in self._orders_of_account(self.view.unseen_entries(account), account)
            if order.purpose is Purpose.ENTRY and order.acknowledged_at is None
        ]

    def _orders_of_account(self, known: Sequence[int], account: str) -> list[Order]:
        over, stored = self._over[Order], self.view.orders
        ids = dict.fromkeys(known)
        ids.update((order.id, None) for order in over.values() if order.account == account)
        return [order for id in ids if not (order := over.get(id) or stored[id]).is_final]

    def price(self, market: tuple[str, str]) -> Price | None:
        """Return a market's price; None where there is none, or only one that may be long gone."""
        price = self.view.price(market)
        return price if price is not None and is_fresh(price, self.now) else None

    def last_price(self, market: tuple[str, str]) -> Decimal | None:
        """Return what a market was last traded at, if that may be acted on."""
        price = self.price(market)
        return None if price is None else price.last

    def has_seen(self, market: tuple[str, str], within: timedelta) -> bool:
        """Return whether a market's price came within this time."""
        price = self.view.price(market)
        return price is not None and (price.manual or abs(self.now - price.at) <= within)

    def free(self, account: str, currency: str) -> Decimal | None:
        """Return what an account can spend of a currency; None while it was not read yet."""
        balance = self.view.balance(account)
        return None if balance is None else balance.get(currency, ZERO)
