"""One paper account: its money, what its open orders keep from being spent, its positions, its fees."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal

from execution_engine.adapters.exchanges.paper_rows import Key, PaperOrder, PaperPosition
from execution_engine.domain.inputs import Balances, Trade
from execution_engine.domain.instrument import Action, Market
from execution_engine.domain.money import ONE, ZERO, divide, percent_of

_FEE_DECIMALS = Decimal("1e-8")


class PaperAccount:
    """Money by currency, and for a swap account net positions. All sums are exact.

    Every open order's `reserved` counts against what is free. Nothing is liquidated: a loss beyond the margin
    is taken from the wallet.
    """

    def __init__(self, name: str, market: Market) -> None:
        self.name = name
        self.market = market
        self.wallet: dict[str, Decimal] = {}
        self.positions: dict[Key, PaperPosition] = {}
        self.orders: dict[str, PaperOrder] = {}
        self._reserved: dict[str, Decimal] = {}
        self._margin = ZERO

    def free(self) -> dict[str, Decimal]:
        """Return what can be spent by currency, never below zero."""
        return {currency: self.available(currency) for currency in self.wallet}

    def balances(self, at: datetime) -> Balances:
        """Return what is there and what of it can be spent."""
        return Balances(account=self.name, free=self.free(), total=dict(self.wallet), at=at)

    def available(self, currency: str) -> Decimal:
        held = self.wallet.get(currency, ZERO) - self._reserved.get(currency, ZERO)
        return max(ZERO, held - self._margin if self.market is Market.SWAP else held)

    def position(self, key: Key) -> Decimal:
        """Return the net position [base], negative for short; zero on spot."""
        position = self.positions.get(key)
        return position.quantity if position else ZERO

    def closable(self, key: Key, action: Action) -> Decimal:
        """Return how much of the position an order of this direction can close [base]."""
        held = self.position(key)
        return max(ZERO, -held if action is Action.BUY else held)

    def take_in(self, positions: Iterable[PaperPosition]) -> None:
        """Take positions over as they were stored."""
        for position in positions:
            self.positions[position.key] = position
            self._margin += position.margin

    def open(self, order: PaperOrder) -> None:
        """Count an order as open and reserve what it may need."""
        self.orders[order.client_order_id] = order
        self.settle(order)

    def settle(self, order: PaperOrder) -> None:
        """Reserve what an order needs from now on; a finished one is let go."""
        currency, amount = needs(order, order.price or ZERO, order.remaining)
        self._reserved[currency] = self._reserved.get(currency, ZERO) + amount - order.reserved
        order.reserved = amount
        if not order.is_open:
            self.orders.pop(order.client_order_id, None)

    def fill(
        self,
        order: PaperOrder,
        trade_id: str,
        price: Decimal,
        quantity: Decimal,
        at: datetime,
        *,
        maker: bool,
    ) -> Trade:
        """Book a fill [quote per base, base] with its fee: money, position, order."""
        trade = _trade(order, trade_id, price, quantity, at, maker)
        if self.market is Market.SPOT:
            self._swap_currencies(order, trade)
        else:
            self._change_position(order, trade)
        self._add(trade.fee_currency, -trade.fee)
        order.trades += (trade,)
        order.filled_quantity += quantity
        return trade

    def _swap_currencies(self, order: PaperOrder, trade: Trade) -> None:
        sign = 1 if order.action is Action.BUY else -1
        self._add(order.base, sign * trade.quantity)
        self._add(order.quote, -sign * trade.quantity * trade.price)

    def _change_position(self, order: PaperOrder, trade: Trade) -> None:
        position = self.positions.setdefault(
            order.key, PaperPosition(account=self.name, exchange=order.exchange, symbol=order.symbol)
        )
        closing = min(trade.quantity, self.closable(order.key, order.action))
        if closing:
            self._close(position, order, closing, trade.price)
        opening = trade.quantity - closing
        if opening:
            cost = opening * trade.price
            margin = _margin(cost, order.leverage)
            position.quantity += opening if order.action is Action.BUY else -opening
            position.cost += cost
            position.margin += margin
            self._margin += margin

    def _close(self, position: PaperPosition, order: PaperOrder, quantity: Decimal, price: Decimal) -> None:
        """Take a part out of the position, its cost in proportion, and the profit into the wallet."""
        held = abs(position.quantity)
        sign = 1 if position.quantity > 0 else -1
        whole = quantity == held
        cost = position.cost if whole else divide(position.cost * quantity, held)
        margin = position.margin if whole else divide(position.margin * quantity, held)
        position.quantity -= sign * quantity
        position.cost -= cost
        position.margin -= margin
        self._margin -= margin
        self._add(order.quote, sign * (quantity * price - cost))

    def _add(self, currency: str, amount: Decimal) -> None:
        self.wallet[currency] = self.wallet.get(currency, ZERO) + amount


def needs(order: PaperOrder, price: Decimal, quantity: Decimal) -> tuple[str, Decimal]:
    """Return the currency and the amount that filling a quantity [base] at a price needs at most.

    A fee in the quote currency is part of it, so that no fill is ever short of its fee.
    """
    if order.market is Market.SPOT and order.action is Action.SELL:
        return order.base, quantity
    if order.reduce_only:
        return order.quote, ZERO
    notional = price * quantity
    worst_fee = max(ZERO, order.maker_fee_percent, order.taker_fee_percent)
    fee = ZERO if order.fee_in_base else percent_of(notional, worst_fee)
    return order.quote, _margin(notional, order.leverage) + fee


def _margin(notional: Decimal, leverage: Decimal) -> Decimal:
    # Without leverage nothing is divided, and nothing rounded.
    return notional if leverage == ONE else divide(notional, leverage)


def _trade(
    order: PaperOrder, trade_id: str, price: Decimal, quantity: Decimal, at: datetime, maker: bool
) -> Trade:
    percent = order.maker_fee_percent if maker else order.taker_fee_percent
    if order.fee_in_base:
        fee = percent_of(quantity, percent).quantize(_FEE_DECIMALS, ROUND_HALF_UP)
        value = fee * price
    else:
        fee = value = percent_of(quantity * price, percent)
    return Trade(
        trade_id=trade_id,
        price=price,
        quantity=quantity,
        fee=fee,
        fee_currency=order.base if order.fee_in_base else order.quote,
        fee_value=value,
        maker=maker,
        at=at,
    )
