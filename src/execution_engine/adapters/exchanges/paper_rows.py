"""What the paper exchange keeps: orders, trades, positions, prices; and what it is told from outside."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Protocol

from execution_engine.domain.inputs import OrderReport, Price, Trade, Verdict
from execution_engine.domain.instrument import Action, Instrument, Market
from execution_engine.domain.money import ONE, ZERO
from execution_engine.domain.rows import FINAL_ORDER, OrderStatus, OrderType

Key = tuple[str, str]
"""An exchange and a symbol."""

Lookup = Callable[[str, str], Instrument | None]
Sleep = Callable[[float], Awaitable[None]]


class Clock(Protocol):
    def now(self) -> datetime:
        """Return the time in UTC, with its zone."""
        ...


class Source(StrEnum):
    """Where prices come from. Those of one source are kept apart from those of another."""

    LIVE = "live"
    SYNTHETIC = "synthetic"
    MANUAL = "manual"


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperTerms:
    """The settings of the paper exchange as they are now [%, ms, USD]."""

    maker_fee_percent: Decimal = Decimal("0.1")
    taker_fee_percent: Decimal = Decimal("0.1")
    latency_ms: int = 0
    start_balance_usd: Decimal = Decimal(100000)


@dataclass(slots=True, kw_only=True)
class PaperOrder:
    """One accepted order, from then on with the terms it was accepted under.

    fee_in_base: its fees are taken in the base currency. reserved: what it keeps from being spent; of the
    quote, for a spot sale of the base.
    """

    id: int
    account: str
    client_order_id: str
    exchange: str
    symbol: str
    market: Market
    base: str
    quote: str
    action: Action
    type: OrderType
    price: Decimal | None
    quantity: Decimal
    reduce_only: bool
    leverage: Decimal = ONE
    maker_fee_percent: Decimal
    taker_fee_percent: Decimal
    fee_in_base: bool
    status: OrderStatus = OrderStatus.OPEN
    filled_quantity: Decimal = ZERO
    created_at: datetime
    finished_at: datetime | None = None
    trades: tuple[Trade, ...] = ()
    reserved: Decimal = field(default=ZERO, compare=False)

    @property
    def key(self) -> Key:
        return (self.exchange, self.symbol)

    @property
    def is_open(self) -> bool:
        return self.status.value not in FINAL_ORDER

    @property
    def remaining(self) -> Decimal:
        """What may still fill [base]."""
        return self.quantity - self.filled_quantity if self.is_open else ZERO

    def finish(self, status: OrderStatus, at: datetime) -> None:
        self.status = status
        self.finished_at = at

    def report(self, at: datetime, *, about_cancel: bool = False, reason: str = "") -> OrderReport:
        """Say how the order stands, with all its trades."""
        return OrderReport(
            account=self.account,
            client_order_id=self.client_order_id,
            verdict=Verdict.ACCEPTED,
            status=self.status,
            exchange_order_id=str(self.id),
            filled_quantity=self.filled_quantity,
            trades=self.trades,
            about_cancel=about_cancel,
            reason=reason,
            exchange=self.exchange,
            symbol=self.symbol,
            reduces=self.reduce_only or (self.market is Market.SPOT and self.action is Action.SELL),
            at=at,
        )


@dataclass(slots=True, kw_only=True)
class PaperPosition:
    """The net position of a swap account in one market.

    quantity: negative for short [base]. cost: what the held quantity was entered for [quote].
    margin: what is set aside for it [quote].
    """

    account: str
    exchange: str
    symbol: str
    quantity: Decimal = ZERO
    cost: Decimal = ZERO
    margin: Decimal = ZERO

    @property
    def key(self) -> Key:
        return (self.exchange, self.symbol)


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """How far a made-up price has gone: `level` is 10^9 at the start, `tick` counts its steps."""

    symbol: str
    tick: int
    level: int


def ask(price: Price) -> Decimal:
    """Return what a buyer pays now [quote]."""
    return price.ask or price.last


def bid(price: Price) -> Decimal:
    """Return what a seller gets now [quote]."""
    return price.bid or price.last


def price_for(action: Action, price: Price) -> Decimal:
    """Return what an order of this direction gets now [quote]."""
    return ask(price) if action is Action.BUY else bid(price)
