"""What goes over the wire between the engine and the exchange: orders as an exchange sees them, and answers."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from pydantic import TypeAdapter

from execution_engine.domain.inputs import (
    AccountTrade,
    Balances,
    Fills,
    Input,
    OpenOrders,
    OrderReport,
    Price,
)
from execution_engine.domain.instrument import Action, Side
from execution_engine.domain.rows import Order, OrderType, Purpose


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """All that an exchange is told of an order."""

    account: str
    client_order_id: str
    exchange: str
    symbol: str
    action: Action
    type: OrderType
    price: Decimal | None
    quantity: Decimal
    reduce_only: bool


TICKETS = TypeAdapter(list[Ticket])
REPORTS = TypeAdapter(list[OrderReport])
REPORT = TypeAdapter(OrderReport)
BALANCES = TypeAdapter(Balances)
TRADES = TypeAdapter(list[AccountTrade])
PRICE = TypeAdapter(Price)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def ticket(order: Order) -> Ticket:
    return Ticket(
        account=order.account,
        client_order_id=order.client_order_id,
        exchange=order.exchange,
        symbol=order.symbol,
        action=order.action,
        type=order.type,
        price=order.price,
        quantity=order.quantity,
        reduce_only=order.reduce_only,
    )


def order(ticket: Ticket) -> Order:
    """Return what the paper exchange takes; what only the engine knows of an order is made up."""
    return Order(
        id=0,
        group_id=0,
        purpose=Purpose.ENTRY,
        position=Side.LONG,
        created_at=_EPOCH,
        **{name: getattr(ticket, name) for name in Ticket.__dataclass_fields__},
    )


# Readings of an account. The rest of `OpenOrders` is the engine's own comparison.


def write_open_orders(read: OpenOrders) -> bytes:
    reports = REPORTS.dump_python(list(read.reports), mode="json")
    positions = [[*key, str(quantity)] for key, quantity in read.positions.items()]
    return json.dumps({"reports": reports, "positions": positions}).encode()


def read_open_orders(account: str, raw: bytes, at: datetime) -> OpenOrders:
    """Raises ValueError and its kin for what is no such answer."""
    body = json.loads(raw)
    return OpenOrders(
        account=account,
        reports=tuple(REPORTS.validate_python(body["reports"])),
        positions={(exchange, symbol): Decimal(quantity) for exchange, symbol, quantity in body["positions"]},
        at=at,
    )


def write_fills(read: Fills) -> bytes:
    return TRADES.dump_json(list(read.trades))


def read_fills(account: str, since: datetime, raw: bytes, at: datetime) -> Fills:
    return Fills(account=account, since=since, trades=tuple(TRADES.validate_json(raw)), at=at)


# The stream: one line for each thing that the exchange says by itself.

_SPOKEN: dict[str, TypeAdapter[Any]] = {"price": PRICE, "report": REPORT, "balances": BALANCES}
_NAMES = {Price: "price", OrderReport: "report", Balances: "balances"}


def write_line(said: Input) -> bytes:
    name = _NAMES[type(said)]
    told = _SPOKEN[name].dump_python(said, mode="json")
    return json.dumps({name: told}).encode() + b"\n"


def read_line(raw: bytes) -> Input:
    ((name, told),) = json.loads(raw).items()
    heard: Input = _SPOKEN[name].validate_python(told)
    return heard
