"""Whatever is ordered and wherever prices go, no money appears or vanishes on the paper exchange."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

import hypothesis.strategies as st
from hypothesis import given

from execution_engine.adapters.exchanges.paper_rows import PaperOrder, PaperTerms
from execution_engine.domain.inputs import OrderReport, Price, Trade
from execution_engine.domain.instrument import Action
from execution_engine.domain.money import round_up
from execution_engine.domain.rows import Order, OrderStatus
from tests.adapters.exchanges.paper_world import RULES, SPOT, SWAP, World

Step = tuple[Any, ...]

START = Decimal(100000)
EXCHANGES = ("binance", "kucoin")

price_steps = st.integers(min_value=-3000, max_value=3000)
moves = st.tuples(st.just("price"), st.sampled_from(EXCHANGES), price_steps, st.booleans())
orders = st.tuples(
    st.just("order"),
    st.sampled_from(EXCHANGES),
    st.sampled_from(Action),
    st.integers(min_value=1, max_value=900),  # thousandths of a coin
    st.one_of(st.none(), price_steps),
    st.booleans(),
)
cancels = st.tuples(st.just("cancel"), st.integers(min_value=0, max_value=30))
scripts = st.lists(st.one_of(orders, orders, moves, moves, cancels), min_size=5, max_size=40)
fees = st.decimals(min_value=Decimal("-0.5"), max_value=Decimal(2), places=3)


class Ledger:
    """Books what the exchange reports, each trade once."""

    def __init__(self) -> None:
        self.orders: dict[str, Order] = {}
        self.trades: dict[str, tuple[Order, Trade]] = {}
        self.last: dict[str, OrderReport] = {}

    def take_in(self, report: OrderReport) -> None:
        order = self.orders[report.client_order_id]
        for trade in report.trades:
            self.trades[trade.trade_id] = (order, trade)
        before = self.last.get(report.client_order_id)
        if before and report.status is not None:
            assert report.filled_quantity >= before.filled_quantity
        self.last[report.client_order_id] = report
        assert report.filled_quantity == sum(trade.quantity for trade in report.trades)
        assert report.filled_quantity <= order.quantity

    def held(self, exchange: str | None = None) -> Decimal:
        """Return bought less sold [base]."""
        return sum(
            (
                _sign(order) * trade.quantity
                for order, trade in self.trades.values()
                if exchange in (None, order.exchange)
            ),
            Decimal(0),
        )

    def spent(self) -> Decimal:
        """Return paid less received [quote], without fees."""
        return sum(
            (_sign(order) * trade.quantity * trade.price for order, trade in self.trades.values()), Decimal(0)
        )

    def fees(self, currency: str) -> Decimal:
        return sum(
            (trade.fee for _, trade in self.trades.values() if trade.fee_currency == currency), Decimal(0)
        )


def _sign(order: Order) -> int:
    return 1 if order.action is Action.BUY else -1


async def play(
    script: list[Step], symbol: str, terms: PaperTerms, leverage: str = "1"
) -> tuple[World, Ledger]:
    """Carry out a script; after each step nothing is below zero and reduce-only never turned a position."""
    world, ledger = World(terms=terms, leverage=leverage), Ledger()
    levels = dict.fromkeys(EXCHANGES, 65000)
    for exchange in EXCHANGES:
        await world.price("65000", symbol, exchange=exchange)
    for step in script:
        before = {exchange: ledger.held(exchange) for exchange in EXCHANGES}
        reducing = await act(step, world, ledger, levels, symbol)
        for report in world.said(OrderReport):
            ledger.take_in(report)
            reducing = reducing and ledger.orders[report.client_order_id].reduce_only
        if reducing:
            for exchange in EXCHANGES:
                now = ledger.held(exchange)
                assert now == 0 or now.is_signed() == before[exchange].is_signed()
                assert abs(now) <= abs(before[exchange])
        check(world)
    return world, ledger


async def act(step: Step, world: World, ledger: Ledger, levels: dict[str, int], symbol: str) -> bool:
    """Take one step; tell whether only reduce-only orders can have filled by it."""
    if step[0] == "price":
        _, exchange, change, in_parts = step
        levels[exchange] = max(20000, levels[exchange] + change)
        portion = a_third if in_parts else None
        await world.price(str(levels[exchange]), symbol, exchange=exchange, portion=portion)
        return True
    if step[0] == "cancel":
        if step[1] < len(ledger.orders):
            report = await world.cancel(list(ledger.orders.values())[step[1]])
            if report.status is not None:
                ledger.take_in(report)
        return True
    _, exchange, action, thousandths, distance, reduce_only = step
    price = None if distance is None else str(max(1, levels[exchange] + distance))
    quantity = Decimal(thousandths) / 1000
    reduce_only = reduce_only and symbol.endswith(".P")
    order = world.order(action, quantity, price, symbol, exchange=exchange, reduce_only=reduce_only)
    ledger.orders[order.client_order_id] = order
    report = await world.place(order)
    if report.status is OrderStatus.REJECTED:
        del ledger.orders[order.client_order_id]
    else:
        ledger.take_in(report)
    return reduce_only


def a_third(order: PaperOrder, price: Price) -> Decimal:
    return round_up(order.remaining / 3, Decimal("0.001"))


def check(world: World) -> None:
    for account in world.exchange._venue.accounts.values():
        assert all(amount >= 0 for amount in account.free().values())
        reserved = sum((order.reserved for order in account.orders.values()), Decimal(0))
        assert reserved == sum(account._reserved.values(), Decimal(0))
        if account.name == SPOT:
            assert all(amount >= 0 for amount in account.wallet.values())
            assert all(
                account.wallet.get(currency, 0) >= kept for currency, kept in account._reserved.items()
            )


@given(scripts, fees, fees)
def test_spot_money_changes_by_trades_and_fees_alone(
    script: list[Step], maker: Decimal, taker: Decimal
) -> None:
    terms = PaperTerms(maker_fee_percent=maker, taker_fee_percent=taker)
    world, ledger = asyncio.run(play(script, "BTCUSDT", terms))
    wallet = world.exchange._venue.accounts[SPOT].wallet

    assert wallet["USDT"] == START - ledger.spent() - ledger.fees("USDT")
    assert wallet.get("BTC", 0) == ledger.held() - ledger.fees("BTC")


@given(scripts, fees, fees, st.sampled_from(["1", "3", "7", "50"]))
def test_margin_money_changes_by_profit_and_fees_alone(
    script: list[Step],
    maker: Decimal,
    taker: Decimal,
    leverage: str,
) -> None:
    terms = PaperTerms(maker_fee_percent=maker, taker_fee_percent=taker)
    world, ledger = asyncio.run(play(script, "BTCUSDT.P", terms, leverage))
    account = world.exchange._venue.accounts[SWAP]

    tied_up = Decimal(0)
    for exchange in EXCHANGES:
        position = account.positions.get((exchange, "BTCUSDT.P"))
        assert (position.quantity if position else 0) == ledger.held(exchange)
        if position:
            tied_up += position.cost if position.quantity > 0 else -position.cost
            assert position.quantity or not (position.cost or position.margin)
    assert account.wallet["USDT"] == START - ledger.spent() + tied_up - ledger.fees("USDT")
    assert account._margin == sum((held.margin for held in account.positions.values()), Decimal(0))


def test_the_scripts_use_rules_that_fit() -> None:
    assert all(
        RULES[exchange, symbol].step <= Decimal("0.001")
        for exchange in EXCHANGES
        for symbol in ("BTCUSDT", "BTCUSDT.P")
    )
