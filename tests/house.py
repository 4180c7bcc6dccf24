"""The desk with everything around it played by hand: a clock that is set, a store that commits at once, an
exchange whose answers the test gives. What a test sees is what leaves the door: orders, answers, rows."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from execution_engine.domain import alert as alerts
from execution_engine.domain import document as documents
from execution_engine.domain.errors import FieldFault, StoreFailed
from execution_engine.domain.facts import Fact
from execution_engine.domain.inputs import (
    AlertReceived,
    Balances,
    Input,
    OpenOrders,
    OrderReport,
    Price,
    SaveSettings,
    Sending,
    Started,
    Trade,
    Verdict,
)
from execution_engine.domain.instrument import Instrument, Market
from execution_engine.domain.order import Want, wants
from execution_engine.domain.rows import (
    Account,
    Alert,
    Engine,
    Group,
    Leg,
    Mode,
    Order,
    OrderStatus,
    OrderType,
    Pyramid,
    QueuedSignal,
    Row,
    World,
)
from execution_engine.domain.symbols import Catalogue
from execution_engine.engine.book import Book
from execution_engine.engine.desk import Desk, Reply
from execution_engine.engine.feed import Feed, Released

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
D = Decimal


def spot(symbol: str = "BTCUSDT", **rules: Any) -> Instrument:
    given: dict[str, Any] = {
        "exchange": "binance",
        "symbol": symbol,
        "market": Market.SPOT,
        "base": symbol.removesuffix("USDT"),
        "quote": "USDT",
        "tick": D("0.01"),
        "step": D("0.00001"),
        "min_qty": D("0.00001"),
        "min_notional": D("5"),
    }
    return Instrument(**(given | rules))


def perp(symbol: str = "BTCUSDT.P", **rules: Any) -> Instrument:
    given: dict[str, Any] = {
        "market": Market.SWAP,
        "base": symbol.removesuffix("USDT.P"),
        "tick": D("0.1"),
        "step": D("0.001"),
        "min_qty": D("0.001"),
        "min_notional": D("5"),
        "max_leverage": D(100),
    }
    return spot(symbol, **(given | rules))


INSTRUMENTS = (
    spot(),
    perp(),
    spot("ETHUSDT", step=D("0.0001"), min_qty=D("0.0001")),
    perp("ETHUSDT.P", tick=D("0.01")),
    spot("SOLUSDT", step=D("0.001"), min_qty=D("0.001")),
    spot("DOGEUSDT", tick=D("0.00001"), step=D("1"), min_qty=D("1")),
)


class HandClock:
    def __init__(self) -> None:
        self.time = NOON

    def now(self) -> datetime:
        return self.time

    def monotonic(self) -> float:
        return (self.time - NOON).total_seconds()

    def forward(self, **span: float) -> None:
        self.time += timedelta(**span)


class InlineStore:
    """Commits at once, unless it is held back or broken."""

    def __init__(self) -> None:
        self.committed: list[Row] = []
        self.broken: StoreFailed | None = None
        self.held: list[Callable[[], None]] | None = None

    @property
    def behind(self) -> int:
        return len(self.held or ())

    def load(self) -> list[Row]:
        return list(self.committed)

    def next_id(self) -> int:
        return 1 + max((getattr(row, "id", 0) for row in self.committed), default=0)

    def write(self, rows: tuple[Row, ...], then: Callable[[StoreFailed | None], None]) -> None:
        def commit() -> None:
            if self.broken is None:
                self.committed += rows
            then(self.broken)

        if self.held is None:
            commit()
        else:
            self.held.append(commit)

    def let_go(self) -> None:
        held, self.held = self.held or [], None
        for commit in held:
            commit()


class House:
    """A running desk whose exchange is the test. `settings`: dotted paths and values."""

    def __init__(
        self, settings: dict[str, Any] | None = None, *, store: InlineStore | None = None, ready: bool = True
    ) -> None:
        self.clock = HandClock()
        self.store = store or InlineStore()
        self.catalogue = Catalogue(INSTRUMENTS)
        self.book = Book(self.catalogue, Engine(install_key="a test installation"))
        self.book.apply(self.store.load())
        self.book.counter = self.store.next_id()
        self.feed = Feed()
        self.desk = Desk(self.book, self.store, self.clock, self.feed)
        self.sent: list[Order] = []
        self.cancelled: list[Order] = []
        self.facts: list[Fact] = []
        self._trade_ids = self.book.counter
        self.feed.on_released(self._released)
        if not self.book.accounts:
            self._first_accounts()
        document = self.book.settings
        for path, value in (settings or {}).items():
            document = documents.with_value(document, path, value)
        if settings:
            self.post(SaveSettings(document=documents.dump(document)))
        if ready:
            self.reconcile()

    def _first_accounts(self) -> None:
        for name, market in (("paper", Market.SPOT), ("paper-perp", Market.SWAP)):
            account = Account(
                name=name,
                exchange="paper",
                market=market,
                mode=Mode.PAPER,
                world=World.PAPER,
                enabled=True,
                created_at=NOON,
            )
            self.store.committed.append(account)
            self.book.apply([account])

    def start(self) -> None:
        """Begin as after loading: no exchange has answered yet."""
        self.post(Started())

    def reconcile(self) -> None:
        self.start()
        for name in list(self.book.accounts):
            self.balance(name)
            self.post(OpenOrders(account=name, reports=(), at=self.clock.now()))

    def _released(self, change: Released) -> None:
        self.facts += change.facts
        for row in change.rows:
            if isinstance(row, Order) and self.book.order(row.id) is row:
                if wants(row) is Want.PLACE:
                    self.sent.append(row)
                    self.desk.post(Sending(order_ids=(row.id,), at=self.clock.now()))
                elif wants(row) is Want.CANCEL:
                    self.cancelled.append(row)
                    self.desk.post(Sending(order_ids=(row.id,), at=self.clock.now(), cancel=True))

    # -- what comes in

    def post(self, given: Input) -> Reply:
        replies: list[Reply] = []
        self.desk.post(given, replies.append)
        return replies[-1] if replies else None

    def balance(self, account: str = "paper", usdt: str = "100000") -> None:
        self.post(Balances(account=account, free={"USDT": D(usdt)}, at=self.clock.now()))

    def price(
        self, symbol: str, last: str, bid: str = "0", ask: str = "0", exchange: str = "binance", **more: Any
    ) -> None:
        """Move a market by hand; `manual=False` makes it a price that ages."""
        given: dict[str, Any] = {"at": self.clock.now(), "manual": True} | more
        self.desk.post(Price(exchange=exchange, symbol=symbol, last=D(last), bid=D(bid), ask=D(ask), **given))

    def alert(self, **fields: Any) -> Alert:
        """Send an alert in the flat form; what is not given is a long entry on BINANCE:BTCUSDT 15m."""
        reply = self.answer(**fields)
        assert getattr(reply, "alert_id", None) is not None, reply
        return self.book.alerts[reply.alert_id]  # type: ignore[union-attr, index]

    def answer(self, **fields: Any) -> Reply:
        body = {"exchange": "BINANCE", "symbol": "BTCUSDT", "timeframe": "15"} | fields
        if not {"action", "type", "market_position", "side"} & set(fields):
            body["action"] = "buy"
        body.setdefault("id", f"alert {self.book.counter}")
        parsed = alerts.parse(self.read(json.dumps(body)), self.catalogue)
        assert isinstance(parsed, alerts.ParsedAlert), parsed
        return self.post(self.received(parsed))

    def alert_later(self, then: Callable[[Reply], None] | None = None, **fields: Any) -> None:
        """Post an alert whose answer may come later, or never."""
        body = {"exchange": "BINANCE", "symbol": "BTCUSDT", "timeframe": "15", "action": "buy"} | fields
        parsed = alerts.parse(self.read(json.dumps(body)), self.catalogue)
        assert isinstance(parsed, alerts.ParsedAlert), parsed
        self.desk.post(self.received(parsed), then)

    @staticmethod
    def read(text: str) -> alerts.Body:
        body = alerts.read(text.encode())
        assert isinstance(body, alerts.Body), body
        return body

    def received(self, parsed: alerts.ParsedAlert, **more: Any) -> AlertReceived:
        return AlertReceived(
            signal=parsed.signal,
            key=parsed.key,
            body=parsed.body,
            body_hash=parsed.body_hash,
            received_at=self.clock.now(),
            token="TradingView",
            **more,
        )

    # -- what the exchange says

    def says(self, order: Order, verdict: Verdict = Verdict.ACCEPTED, **more: Any) -> None:
        self.post(self.report(order, verdict, **more))

    def report(self, order: Order, verdict: Verdict = Verdict.ACCEPTED, **more: Any) -> OrderReport:
        given: dict[str, Any] = {"status": OrderStatus.OPEN} if verdict is Verdict.ACCEPTED else {}
        if verdict is Verdict.ACCEPTED:
            given["exchange_order_id"] = f"x{order.id}"
        return OrderReport(
            account=order.account,
            client_order_id=order.client_order_id,
            verdict=verdict,
            at=self.clock.now(),
            **(given | more),
        )

    def accept(self) -> None:
        """Let the exchange take everything that was sent and rests."""
        for order in self.working:
            if order.acknowledged_at is None and order.type is OrderType.LIMIT:
                self.says(order)

    def trade(
        self, order: Order, price: str | None, quantity: str | None, fee_percent: str, fee_in: str
    ) -> Trade:
        self._trade_ids += 1
        amount = D(quantity) if quantity else order.quantity - order.filled_quantity
        at = D(price) if price else order.price or self.book.prices[order.exchange, order.symbol].last
        base = self.book.groups[order.group_id].base
        in_base = fee_in == base
        fee = amount * D(fee_percent) / 100 * (1 if in_base else at)
        return Trade(
            trade_id=f"t{self._trade_ids}",
            price=at,
            quantity=amount,
            fee=fee,
            fee_currency=fee_in,
            fee_value=fee * at if in_base else fee,
            at=self.clock.now(),
        )

    def fill(
        self,
        order: Order,
        price: str | None = None,
        quantity: str | None = None,
        fee_percent: str = "0",
        fee_in: str = "USDT",
    ) -> Trade:
        """Fill an order, whole unless a quantity is given."""
        order = self.book.orders[order.id]
        trade = self.trade(order, price, quantity, fee_percent, fee_in)
        filled = order.filled_quantity + trade.quantity
        status = OrderStatus.FILLED if filled >= order.quantity else OrderStatus.PARTIALLY_FILLED
        self.says(order, status=status, filled_quantity=filled, trades=(trade,))
        return trade

    def fill_all(self, purpose: str, price: str | None = None) -> None:
        for order in self.working:
            if order.purpose == purpose:
                self.fill(order, price)

    def confirm_cancels(self) -> None:
        """Let the exchange carry out every cancel that was asked for."""
        while pending := [o for o in self.working if o.cancel_sent_at is not None and o.acknowledged_at]:
            for order in pending:
                if not self.book.orders[order.id].is_final:
                    self.says(
                        order,
                        status=OrderStatus.CANCELLED,
                        filled_quantity=order.filled_quantity,
                        about_cancel=True,
                    )

    # -- what there is

    @property
    def working(self) -> list[Order]:
        return [order for order in self.book.orders.values() if not order.is_final]

    @property
    def groups(self) -> list[Group]:
        return list(self.book.groups.values())

    @property
    def group(self) -> Group:
        (group,) = self.groups
        return group

    def group_rows(self) -> list[Row]:
        """Return everything under groups but the groups themselves."""
        return [*self.book.pyramids.values(), *self.book.legs.values(), *self.book.orders.values()]

    def legs(self, group: Group | None = None) -> list[Leg]:
        return [self.book.legs[id] for id in self.book.legs_of((group or self.group).id)]

    def pyramids(self, group: Group | None = None) -> list[Pyramid]:
        return [self.book.pyramids[id] for id in self.book.pyramids_of((group or self.group).id)]

    def orders(self, purpose: str | None = None) -> list[Order]:
        return [order for order in self.book.orders.values() if purpose in (None, order.purpose)]

    @property
    def queue(self) -> list[QueuedSignal]:
        return list(self.book.queue.values())

    def outcome(self, alert: Alert) -> tuple[str | None, str]:
        now = self.book.alerts[alert.id]
        return now.outcome, now.reason

    def restarted(self) -> House:
        """Return a new house on the same store, as after a kill."""
        house = House(store=self.store, ready=False)
        house.clock.time = self.clock.time
        house.book.prices.update(self.book.prices)
        return house


def faults(raw: str | bytes, catalogue: Catalogue | None = None) -> dict[str, str]:
    """Return what is wrong with a body: field → sentence."""
    body = alerts.read(raw if isinstance(raw, bytes) else raw.encode())
    if isinstance(body, alerts.Body):
        parsed = alerts.parse(body, catalogue or Catalogue(INSTRUMENTS))
        return {} if isinstance(parsed, alerts.ParsedAlert) else _by_field(parsed.errors)
    return _by_field(body.errors)


def _by_field(errors: tuple[FieldFault, ...]) -> dict[str, str]:
    return {error.field: error.message for error in errors}


def resources() -> Path:
    return Path(__file__).parent.parent / "resources"
