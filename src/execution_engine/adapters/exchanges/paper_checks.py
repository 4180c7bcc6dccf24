"""What an exchange refuses before it takes an order: its rules, asked one after the other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from execution_engine.adapters.exchanges.paper_rows import price_for
from execution_engine.domain.errors import Refusal
from execution_engine.domain.inputs import Price
from execution_engine.domain.instrument import Instrument, Market
from execution_engine.domain.money import ZERO, text
from execution_engine.domain.rows import Order, OrderType

MAX_OPEN_ORDERS = 200
"""Per account and market. Source: Binance's MAX_NUM_ORDERS."""

_MOST_DIGITS = 18  # before the point; what is longer is a fault, and too long to be divided exactly

INVALID = "OrderValidationError"
NO_FUNDS = "InsufficientFundsError"
NO_ACCOUNT = "InvalidCredentialsError"
OTHER = "GenericExchangeError"
DUPLICATE = "DuplicateOrderId"


@dataclass(frozen=True, slots=True)
class Asked:
    """An order with everything its check needs. closable: what of the position it could close [base]."""

    order: Order
    rules: Instrument
    price: Price
    resting: int
    closable: Decimal

    @property
    def is_limit(self) -> bool:
        return self.order.type is OrderType.LIMIT

    @property
    def expected(self) -> Decimal:
        """Return the price to judge its value by [quote]."""
        return (
            self.order.price
            if self.is_limit and self.order.price
            else price_for(self.order.action, self.price)
        )


def check(asked: Asked) -> Refusal | None:
    """Return the first thing that speaks against an order; its funds are asked for later."""
    return next((Refusal(INVALID, said) for rule in _RULES if (said := rule(asked))), None)


def _quantity(asked: Asked) -> str | None:
    quantity, rules = asked.order.quantity, asked.rules
    if not quantity.is_finite() or quantity <= 0:
        return "The quantity must be above zero."
    if quantity.adjusted() > _MOST_DIGITS:
        return "The quantity is larger than any market."
    if quantity % rules.step:
        return f"The quantity {text(quantity)} is no multiple of the step {text(rules.step)}."
    least = rules.min_qty if asked.is_limit else max(rules.min_qty, rules.market_min_qty)
    if quantity < least:
        return f"The quantity {text(quantity)} is below the minimum of {text(least)} {rules.base}."
    most = rules.max_qty if asked.is_limit else rules.market_max_qty or rules.max_qty
    if most and quantity > most:
        return f"The quantity {text(quantity)} is above the maximum of {text(most)} {rules.base}."
    return None


def _limit_price(asked: Asked) -> str | None:
    price = asked.order.price
    if not asked.is_limit:
        return None
    if price is None or not price.is_finite() or price <= 0:
        return "The price must be above zero."
    if price.adjusted() > _MOST_DIGITS:
        return "The price is higher than any market's."
    if price % asked.rules.tick:
        return f"The price {text(price)} is no multiple of the tick {text(asked.rules.tick)}."
    return None


def _reduce_only(asked: Asked) -> str | None:
    if not asked.order.reduce_only:
        return None
    if asked.rules.market is Market.SPOT:
        return "There are no reduce-only orders on spot."
    return None if asked.closable > ZERO else "There is no position that this reduce-only order could close."


def _notional(asked: Asked) -> str | None:
    # An exit from a perpetual is free of the minimum, or small positions could never be closed.
    if asked.order.reduce_only:
        return None
    rules, notional = asked.rules, asked.order.quantity * asked.expected
    if notional >= rules.min_notional:
        return None
    return f"The order's value {text(notional)} is below the minimum of {text(rules.min_notional)} {rules.quote}."


def _room(asked: Asked) -> str | None:
    if not asked.is_limit or asked.resting < MAX_OPEN_ORDERS:
        return None
    return f"There are {MAX_OPEN_ORDERS} open orders in this market, more are not allowed."


_RULES: tuple[Callable[[Asked], str | None], ...] = (_quantity, _limit_price, _reduce_only, _notional, _room)
