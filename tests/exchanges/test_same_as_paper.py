"""The paper exchange and the local ones make the same of the same orders, each with an engine of its own."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from execution_engine.adapters.exchanges.paper_rows import PaperTerms
from execution_engine.domain.inputs import Balances, OrderReport
from execution_engine.domain.rows import Order, OrderStatus
from tests.adapters.exchanges.paper_world import SPOT, SWAP, World
from tests.exchanges.trading import Trading, on_every_market, trading


@dataclass(frozen=True)
class Price:
    last: str
    bid: str
    ask: str


@dataclass(frozen=True)
class Place:
    id: str
    side: str
    quantity: str
    price: str | None = None
    reduce_only: bool = False


@dataclass(frozen=True)
class Cancel:
    id: str


SCRIPT = (
    Price("64000", "63999", "64001"),
    Place("rests", "buy", "0.01", "60000"),
    Place("takes", "buy", "0.02"),
    Place("crosses", "buy", "0.03", "64500"),
    Place("deep", "buy", "0.04", "50000"),
    Place("toomuch", "buy", "40", "63000"),
    Price("59990", "59990", "59991"),
    Place("sells", "sell", "0.03", "66000"),
    Place("dear", "sell", "0.01", "70000"),
    Cancel("dear"),
    Price("67000", "66999", "67001"),
    Cancel("sells"),
    Place("closes", "sell", "0.0199"),
    Cancel("deep"),
)
MORE_ON_SWAP = (
    Place("allofit", "sell", "0.5", reduce_only=True),
    Place("nothing", "sell", "0.01", reduce_only=True),
    Place("short", "sell", "0.02"),
    Price("66000", "65999", "66001"),
    Place("back", "buy", "0.02", reduce_only=True),
)
ENDED = {OrderStatus.OPEN: "new", OrderStatus.FILLED: "filled", OrderStatus.CANCELLED: "cancelled"}

Outcome = dict[str, Any]


def script(here: Trading) -> tuple[Any, ...]:
    steps = SCRIPT + (MORE_ON_SWAP if here.swap else ())
    return tuple(_stepped(step, here) if isinstance(step, Place) else step for step in steps)


def _stepped(step: Place, here: Trading) -> Place:
    """Return an order whose quantity the market's step allows."""
    size = here.exchange.listings[here.local].rules.step
    quantity = Decimal(step.quantity) // size * size
    return Place(step.id, step.side, str(quantity), step.price, step.reduce_only)


@on_every_market
async def test_the_same_orders_end_alike(name: str, market: str) -> None:
    async with trading(name, market, price="64000", USDT="100000") as here:
        here.exchange.unlimited()
        for symbol in here.exchange.listings:
            here.account.leverage[symbol] = Decimal(1)
            here.account.leverage[f"{symbol}/cross"] = Decimal(1)
        local = await on_local(here, script(here))
        paper = await on_paper(here, script(here))
        refused = ["toomuch", "cancel sells", *(["nothing"] if here.swap else [])]
        assert local["refused"] == refused
        assert local == paper


async def on_local(here: Trading, steps: tuple[Any, ...]) -> Outcome:
    refused = []
    for step in steps:
        if isinstance(step, Price):
            here.price(step.last, bid=step.bid, ask=step.ask)
        elif isinstance(step, Cancel):
            try:
                await here.cancel(step.id)
            except Exception:
                refused.append(f"cancel {step.id}")
        else:
            params: dict[str, Any] = {"reduceOnly": True} if step.reduce_only else {}
            if here.name == "kucoin" and here.swap:
                params["leverage"] = 1
            try:
                await here.order(step.side, step.quantity, step.price, id=step.id, **params)
            except Exception:
                refused.append(step.id)
    orders = {
        order.client_id: (
            order.status,
            order.filled,
            order.value,
            sum((trade.fee for trade in order.trades), Decimal(0)),
            {trade.fee_currency for trade in order.trades},
            [trade.maker for trade in order.trades],
        )
        for order in here.account.orders
    }
    wallet = {name: amount for name, amount in here.account.wallet(here.market).items() if amount}
    return {
        "refused": refused,
        "orders": orders,
        "wallet": wallet,
        "position": here.account.position(here.local),
    }


async def on_paper(here: Trading, steps: tuple[Any, ...]) -> Outcome:
    rules = here.exchange.listings[here.local].rules
    fees = {"maker_fee_percent": rules.maker_fee_percent, "taker_fee_percent": rules.taker_fee_percent}
    world = World(terms=PaperTerms(**fees))
    refused, orders = [], {}
    sent: dict[str, Order] = {}
    for step in steps:
        if isinstance(step, Price):
            await world.price(step.last, here.local, exchange=here.name, bid=step.bid, ask=step.ask)
        elif isinstance(step, Cancel):
            report = await world.cancel(sent[step.id])
            if report.status is not OrderStatus.CANCELLED:
                refused.append(f"cancel {step.id}")
        else:
            more = {"exchange": here.name, "reduce_only": step.reduce_only}
            order = world.order(step.side, step.quantity, step.price, here.local, **more)
            sent[step.id] = order
            report = await world.place(order)
            if report.status not in ENDED:
                refused.append(step.id)
    for id, order in sent.items():
        if id not in refused:
            orders[id] = _told(await world.exchange.look(order))
    account = SWAP if here.swap else SPOT
    balances = await world.exchange.balances(account)
    assert isinstance(balances, Balances)
    opened = await world.opened(account)
    return {
        "refused": refused,
        "orders": orders,
        "wallet": {name: amount for name, amount in balances.total.items() if amount},
        "position": opened.positions.get((here.name, here.local), Decimal(0)),
    }


def _told(report: OrderReport) -> tuple[Any, ...]:
    assert report.status is not None
    return (
        ENDED[report.status],
        report.filled_quantity,
        sum((trade.price * trade.quantity for trade in report.trades), Decimal(0)),
        sum((trade.fee for trade in report.trades), Decimal(0)),
        {trade.fee_currency for trade in report.trades},
        [trade.maker for trade in report.trades],
    )
