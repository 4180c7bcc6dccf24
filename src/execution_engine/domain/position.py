"""What follows from fills: quantities, average entry, realized and unrealized results, fees.

Everything is a function of sums over fills, so the order in which they arrive makes no difference. A leg
matches its own closes against its own average entry. Entry fees are booked in proportion to the quantity
closed; the last close carries what is left of them, and dust stays at cost.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from execution_engine.domain.grid import target
from execution_engine.domain.instrument import Instrument, Side
from execution_engine.domain.money import HUNDRED, ZERO, divide, shifted
from execution_engine.domain.replacing import replace
from execution_engine.domain.rows import FINAL_ORDER, Group, Leg, LegStatus, Order, OrderStatus, Purpose


@dataclass(frozen=True, slots=True)
class Share:
    """What one closing order did for one leg: quantity [base], proceeds, fees [quote], fees [base]."""

    quantity: Decimal = ZERO
    proceeds: Decimal = ZERO
    fee_value: Decimal = ZERO
    fee_base: Decimal = ZERO


def shares(order: Order) -> dict[int, Share]:
    """Spread a closing order's fills over its legs: quantity in the order of its parts, money with it.

    The last leg that got something takes the remainders, so the shares add up to the order exactly.
    """
    left = order.filled_quantity
    taken: dict[int, Decimal] = {}
    for leg_id, quantity in order.parts:
        part = min(quantity, left)
        if part:
            taken[leg_id] = part
            left -= part
    if not taken:
        return {}
    result: dict[int, Share] = {}
    proceeds, fees, base = order.filled_cost, order.fee_value, order.fee_base
    last = next(reversed(taken))
    taken[last] += left  # more than asked for can only be the exchange's doing; it is booked all the same
    for leg_id in [id for id in taken if id != last]:
        part = taken[leg_id]
        share = Share(
            part,
            divide(order.filled_cost * part, order.filled_quantity),
            divide(order.fee_value * part, order.filled_quantity),
            divide(order.fee_base * part, order.filled_quantity),
        )
        result[leg_id] = share
        proceeds, fees, base = proceeds - share.proceeds, fees - share.fee_value, base - share.fee_base
    result[last] = Share(taken[last], proceeds, fees, base)
    return result


def levelled(closes: Sequence[Order], held: dict[int, Decimal]) -> list[Order]:
    """Spread closing fills anew so that no leg closes more than it held [base by leg] while another holds some.

    Two closes of the same legs may both fill, where one was taken for lost; then what is too much for a leg is
    another's. Returned are the orders with parts as they filled.
    """
    left = dict(held)
    result: list[Order] = []
    for order in closes:
        wanted = dict(order.parts)
        filled = order.filled_quantity
        parts: dict[int, Decimal] = {}
        for leg_id, most in [*wanted.items(), *((leg_id, filled) for leg_id in left)]:
            taken = min(most, left[leg_id], filled)
            if taken > 0:
                parts[leg_id] = parts.get(leg_id, ZERO) + taken
                left[leg_id] -= taken
                filled -= taken
        if filled:  # more than all legs held: the last one that was meant carries it
            last = next(reversed(wanted))
            parts[last] = parts.get(last, ZERO) + filled
        result.append(replace(order, parts=tuple(parts.items())))
    return result


def book(
    leg: Leg,
    side: Side,
    entries: Sequence[Order],
    closes: Sequence[Order],
    instrument: Instrument,
    settled: bool,
) -> Leg:
    """Return the leg as its orders' fills make it.

    settled: the group is flat, so what is left of the entry fees belongs to what was closed.
    """
    filled = cost = entry_fees = base_fees = ZERO
    for order in entries:
        filled += order.filled_quantity
        cost += order.filled_cost
        entry_fees += order.fee_value
        base_fees += order.fee_base
    held = filled - base_fees
    parts = [(order.purpose, share) for order in closes if (share := shares(order).get(leg.id))]
    closed = proceeds = exit_fees = ZERO
    for _, share in parts:
        closed += share.quantity
        proceeds += share.proceeds
        exit_fees += share.fee_value
        base_fees += share.fee_base
    open_quantity = filled - base_fees - closed
    average = divide(cost, filled) if filled else None
    flat = closed > 0 and (settled or instrument.quantity(open_quantity) <= 0)
    closed_by = _closed_by(parts, open_quantity + closed, instrument) if flat else None
    return replace(
        leg,
        status=status(leg, entries, closed_by, settled),
        filled_quantity=filled,
        filled_cost=cost,
        closed_quantity=closed,
        proceeds=proceeds,
        base_fees=base_fees,
        entry_fees=entry_fees,
        exit_fees=exit_fees,
        open_quantity=open_quantity,
        avg_fill_price=average,
        tp_price=target(average or leg.price, leg.tp_percent, side, instrument),
        realized=_realized(side, filled, cost, held, closed, proceeds, entry_fees, exit_fees, flat),
        closed_by=closed_by,
        tp_hit=closed_by is Purpose.TAKE_PROFIT,
    )


def _closed_by(parts: Sequence[tuple[Purpose, Share]], held: Decimal, instrument: Instrument) -> Purpose:
    """Return the purpose of the close that left no more than dust; a later one only swept that up."""
    for purpose, share in parts:
        held -= share.quantity
        if instrument.quantity(held) <= 0:
            return purpose
    return parts[-1][0]


def _realized(
    side: Side,
    filled: Decimal,
    cost: Decimal,
    held: Decimal,
    closed: Decimal,
    proceeds: Decimal,
    entry_fees: Decimal,
    exit_fees: Decimal,
    flat: bool,
) -> Decimal:
    if not closed or not filled:
        return ZERO
    matched = cost if closed == filled else divide(cost * closed, filled)
    fees = entry_fees if flat or not held else divide(entry_fees * closed, held)
    return side.sign * (proceeds - matched) - exit_fees - fees


def status(leg: Leg, entries: Sequence[Order], closed_by: Purpose | None, settled: bool) -> LegStatus:
    """Return the state of the leg's entry orders together; several are the pieces of a split one."""
    if not entries:
        return LegStatus.CANCELLED if settled else leg.status
    if closed_by is Purpose.TAKE_PROFIT:
        return LegStatus.TP_HIT
    live = [order for order in entries if order.status not in FINAL_ORDER]
    if any(order.status is OrderStatus.UNKNOWN for order in live):
        return LegStatus.UNKNOWN
    filled = sum((order.filled_quantity for order in entries), ZERO)
    if filled >= leg.quantity:
        return LegStatus.FILLED
    if live:
        if filled:
            return LegStatus.PARTIALLY_FILLED
        resting = any(order.status is not OrderStatus.PENDING for order in live)
        return LegStatus.OPEN if resting else LegStatus.PENDING
    # Nothing works any more: what filled is the leg; without a fill the last attempt's end is its own.
    return LegStatus.FILLED if filled else LegStatus(entries[-1].status.value)


def totals(group: Group, legs: Iterable[Leg], instrument: Instrument) -> Group:
    """Return the group with the sums over its legs."""
    legs = tuple(legs)
    open_quantity = sum((leg.open_quantity for leg in legs), ZERO)
    invested = sum((cost_of(leg) for leg in legs if leg.open_quantity), ZERO)
    average = divide(invested, open_quantity) if open_quantity > 0 and _holds(legs, instrument) else None
    return replace(
        group,
        filled_quantity=sum((leg.filled_quantity for leg in legs), ZERO),
        open_quantity=open_quantity,
        avg_entry=average,
        aggregate_target=aggregate_target(group, average, instrument) if average else None,
        invested=invested,
        realized=sum((leg.realized for leg in legs), ZERO),
        fees=sum((leg.entry_fees + leg.exit_fees for leg in legs), ZERO),
    )


def _holds(legs: Iterable[Leg], instrument: Instrument) -> bool:
    """Return whether a close is still to come; what closed legs left is dust, however many left some."""
    waiting = sum((leg.open_quantity for leg in legs if leg.closed_by is None), ZERO)
    return instrument.quantity(waiting) > 0


def cost_of(leg: Leg) -> Decimal:
    """Return the notional at entry of what the leg holds now [quote]."""
    if leg.open_quantity == leg.filled_quantity:
        return leg.filled_cost
    return divide(leg.filled_cost * leg.open_quantity, leg.filled_quantity) if leg.filled_quantity else ZERO


def aggregate_target(group: Group, average: Decimal, instrument: Instrument) -> Decimal:
    """Return the price at which the whole group has earned its percentage before fees."""
    moved = shifted(average, group.side.sign * group.tp_aggregate_percent)
    return instrument.target_price(moved, group.side)


def unrealized(side: Side, invested: Decimal, quantity: Decimal, price: Decimal | None) -> Decimal | None:
    """Return (price − average entry) × quantity [quote], mirrored for a short; None without a price.

    Written with the invested amount, which is exact where an average is a rounded quotient.
    """
    return None if price is None else side.sign * (price * quantity - invested)


def unrealized_percent(result: Decimal | None, invested: Decimal) -> Decimal | None:
    """Return the unrealized result in per cent of what is invested; None where there is nothing."""
    return divide(result * HUNDRED, invested) if result is not None and invested else None
