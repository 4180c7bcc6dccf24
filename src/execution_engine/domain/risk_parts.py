"""Which legs a partial close of an offset is taken from, and what it realized."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from execution_engine.domain.instrument import Instrument, Side
from execution_engine.domain.money import ZERO, divide, round_down
from execution_engine.domain.position import shares
from execution_engine.domain.rows import Leg, Order

Parts = tuple[tuple[int, Decimal], ...]


def proportional(held: Mapping[int, Decimal], quantity: Decimal, rules: Instrument) -> Parts:
    """Take a quantity from legs in proportion to what each holds [base by leg], in whole steps.

    What the whole steps cannot give, dust gives: a close of everything takes all legs' dust together.
    """
    free = {id: amount for id, amount in held.items() if amount > 0}
    total = sum(free.values(), ZERO)
    if quantity >= rules.quantity(total):
        return cut(tuple(free.items()), quantity)[0]
    taken = {id: round_down(quantity * amount / total, rules.step) for id, amount in free.items()}
    left = quantity - sum(taken.values(), ZERO)
    # The remaining steps go to those that were rounded down most.
    for id in sorted(free, key=lambda id: taken[id] - quantity * free[id] / total):
        step = min(rules.step, left)
        if taken[id] + step <= free[id]:
            taken[id] += step
            left -= step
    for id, amount in free.items():
        more = min(amount - taken[id], left)
        taken[id] += more
        left -= more
    return tuple((id, amount) for id, amount in taken.items() if amount > 0)


def cut(parts: Parts, quantity: Decimal) -> tuple[Parts, Parts]:
    """Divide parts into the first `quantity` of them and the rest."""
    first: list[tuple[int, Decimal]] = []
    rest: list[tuple[int, Decimal]] = []
    for id, amount in parts:
        taken = min(amount, quantity)
        quantity -= taken
        if taken > 0:
            first.append((id, taken))
        if amount > taken:
            rest.append((id, amount - taken))
    return tuple(first), tuple(rest)


def realized(order: Order, legs: Mapping[int, Leg], side: Side) -> Decimal:
    """Return what a close brought after its fee and before entry fees [quote], by the legs that it closed."""
    result = ZERO
    for id, share in shares(order).items():
        leg = legs[id]
        cost = divide(leg.filled_cost * share.quantity, leg.filled_quantity)
        result += side.sign * (share.proceeds - cost) - share.fee_value
    return result


def closed(orders: Sequence[Order]) -> tuple[Decimal, Decimal]:
    """Return how much orders closed [base] and what they were charged for it [quote]."""
    quantity = sum((order.filled_quantity for order in orders), ZERO)
    return quantity, sum((order.fee_value for order in orders), ZERO)
