"""Prices, quantities and targets of a grid, and the rules that each leg must meet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from execution_engine.domain.errors import Refusal
from execution_engine.domain.instrument import Instrument, Market, Side
from execution_engine.domain.money import HUNDRED, ONE, ZERO, percent_of, shifted, text
from execution_engine.domain.rows import Layer, Leg


@dataclass(frozen=True, slots=True)
class GridLeg:
    """One leg before it is committed: limit [quote], quantity [base], planned target [quote]."""

    layer: Layer
    price: Decimal
    quantity: Decimal
    tp_price: Decimal

    @property
    def notional(self) -> Decimal:
        return self.price * self.quantity


def legs(
    layers: Sequence[Layer],
    base_price: Decimal,
    side: Side,
    capital: Decimal,
    instrument: Instrument,
    leverage: Decimal = ONE,
) -> tuple[GridLeg, ...]:
    """Lay a grid: one leg per layer, in their order. `capital` [quote] is what the whole grid may spend."""
    gearing = leverage if instrument.market is Market.SWAP else ONE
    return tuple(_leg(layer, base_price, side, capital * gearing, instrument) for layer in layers)


def _leg(layer: Layer, base_price: Decimal, side: Side, spend: Decimal, instrument: Instrument) -> GridLeg:
    price = instrument.entry_price(shifted(base_price, side.sign * layer.gap_percent), side)
    # A price of zero has no quantity; `fault` says what is wrong with it.
    quantity = instrument.quantity(percent_of(spend, layer.weight_percent) / price) if price > 0 else ZERO
    return GridLeg(layer, price, quantity, target(price, layer.tp_percent, side, instrument))


def refitted(leg: Leg, side: Side, instrument: Instrument) -> GridLeg:
    """Make a leg that was laid by other rules fit those of now: its price by the usual rounding, its quantity down."""
    layer = Layer(gap_percent=leg.gap_percent, weight_percent=leg.weight_percent, tp_percent=leg.tp_percent)
    price = instrument.entry_price(leg.price, side)
    tp_price = target(price, leg.tp_percent, side, instrument)
    return GridLeg(layer, price, instrument.quantity(leg.quantity), tp_price)


def target(price: Decimal, tp_percent: Decimal, side: Side, instrument: Instrument) -> Decimal:
    """Return the price at which a fill at `price` has earned `tp_percent` before fees, on the tick."""
    return instrument.target_price(shifted(price, side.sign * tp_percent), side)


def fault(grid: Sequence[GridLeg], instrument: Instrument, max_order_usd: Decimal = ZERO) -> Refusal | None:
    """Return the first leg that breaks a rule, with its value and the limit; None if the grid is sound."""
    for number, leg in enumerate(grid):
        wrong = leg_fault(leg, instrument, max_order_usd)
        if wrong:
            return Refusal("LEG", f"leg {number} of {len(grid)}: {wrong}")
    return None


def leg_fault(leg: GridLeg, instrument: Instrument, max_order_usd: Decimal) -> str:
    """Return the rule that a leg breaks, with its value and the limit; empty if there is none."""
    quote, base = instrument.quote, instrument.base
    if leg.price <= 0:
        return "its price would be 0; bring its gap nearer"
    if leg.quantity < instrument.min_qty or leg.quantity <= 0:
        return (
            f"quantity {text(leg.quantity)} {base} is below the minimum of {text(instrument.min_qty)} {base}; "
            "raise the capital or the weight"
        )
    if leg.notional < instrument.min_notional:
        return (
            f"notional {money(leg.notional)} {quote} is below the minimum of {text(instrument.min_notional)} "
            f"{quote}; raise the capital or the weight"
        )
    if max_order_usd and leg.notional > max_order_usd:
        return (
            f"notional {money(leg.notional)} {quote} is above capital.max_order_usd ({text(max_order_usd)}); "
            "lower the capital or the weight"
        )
    return ""


def liquidation_fault(grid: Sequence[GridLeg], side: Side, leverage: Decimal) -> Refusal | None:
    """Refuse a leverage whose liquidation would come before the next leg can fill.

    With isolated margin a position is liquidated when the price has moved by about 1 / leverage against its
    average; the maintenance margin brings that nearer, so the estimate is on the generous side.
    """
    if leverage <= 1:
        return None
    cost = quantity = ZERO
    for number, leg in enumerate(grid):
        if quantity:
            edge = cost / quantity * (ONE - side.sign / leverage)
            if (leg.price - edge) * side.sign <= 0:
                return Refusal(
                    "LIQUIDATION",
                    f"leg {number} of {len(grid)}: {text(leverage)} × leverage would be liquidated near "
                    f"{money(edge)}, before this leg at {text(leg.price)}; lower the leverage",
                )
        cost, quantity = cost + leg.notional, quantity + leg.quantity
    return None


def needed(grid: Sequence[GridLeg], instrument: Instrument, leverage: Decimal) -> Decimal:
    """Return what a grid asks of the free balance [quote]: its cost, on a perpetual its margin and fees."""
    cost = sum((leg.notional for leg in grid), ZERO)
    if instrument.market is Market.SPOT:
        return cost
    return cost / leverage + cost * instrument.taker_fee_percent / HUNDRED


def money(amount: Decimal) -> str:
    """Write an amount for a sentence: two decimals, rounded half-up like on screen."""
    return text(amount.quantize(Decimal("0.01"), "ROUND_HALF_UP"))
