"""The orders that a group still lacks, derived from its rows alone.

Asked after every input that touched the group and after start-up. Nothing is remembered anywhere else, so
entries, take-profits and exits go on after a crash where they stood.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from decimal import Decimal

from execution_engine.domain import order as orders
from execution_engine.domain.draft import Draft
from execution_engine.domain.facts import Level
from execution_engine.domain.grid import leg_fault, refitted
from execution_engine.domain.instrument import Action, Instrument, Market, Side
from execution_engine.domain.money import ZERO, round_down, text
from execution_engine.domain.replacing import replace
from execution_engine.domain.rows import (
    Group,
    GroupStatus,
    Leg,
    LegStatus,
    Order,
    OrderStatus,
    OrderType,
    Purpose,
)
from execution_engine.domain.take_profit import (
    closing_price,
    is_done,
    restable,
    rests_aggregate,
    rests_leg_targets,
)

ENTRY_ATTEMPTS = 3
TARGET_FOLLOWS = Decimal("1.1")  # how far fills may run ahead of a resting target that was just placed
TARGET_STANDS = timedelta(seconds=5)
REFUSED = frozenset({OrderStatus.REJECTED, OrderStatus.FAILED})

Parts = tuple[tuple[int, Decimal], ...]


def plan(draft: Draft, group_id: int) -> None:
    """Write the orders and cancel requests that the group's rows ask for."""
    group = draft.group(group_id)
    if is_done(group) or draft.engine.recovering:
        return
    _revoke_too_large(draft, group)
    if group.status is GroupStatus.CLOSING:
        _close(draft, group)
        return
    if not group.hold:
        _enter(draft, group)
    _drop_foreign_targets(draft, group)
    _close_triggered(draft, group)
    if draft.offset_of(group.id) is not None:
        _clear_way(draft, group)
        return
    if rests_leg_targets(group):
        _rest_legs(draft, group)
    elif rests_aggregate(group):
        _rest_aggregate(draft, group)


# -- entering


def _enter(draft: Draft, group: Group) -> None:
    sent = entries_by_leg(draft.orders(group.id))
    for leg in draft.legs(group.id):
        tries = sent.get(leg.id, [])
        if not tries and leg.status is LegStatus.PENDING:
            _place_entry(draft, group, leg, leg.quantity, 1)
        elif may_try_again(tries):
            _place_entry(draft, group, leg, leg.quantity, tries[-1].attempt + 1)
        elif awaits_rules(tries):
            _plan_anew(draft, group, leg, tries)


def entries_by_leg(group_orders: Iterable[Order]) -> dict[int, list[Order]]:
    """Return the entry orders of each leg, in order of creation."""
    found: dict[int, list[Order]] = {}
    for order in group_orders:
        if order.purpose is Purpose.ENTRY and order.leg_id is not None:
            found.setdefault(order.leg_id, []).append(order)
    return found


def may_try_again(tries: Sequence[Order]) -> bool:
    """The exchange is known to have none of a leg's orders, and there is an attempt left."""
    return (
        bool(tries)
        and tries[-1].attempt < ENTRY_ATTEMPTS
        and all(order.status is OrderStatus.FAILED and order.acknowledged_at is None for order in tries)
    )


def awaits_rules(tries: Sequence[Order]) -> bool:
    """The exchange took none of a leg's orders, and the last broke rules that were not known here yet."""
    return (
        bool(tries)
        and any(order.rules_by is not None for order in tries)
        and all(order.status in REFUSED and order.acknowledged_at is None for order in tries)
    )


def _plan_anew(draft: Draft, group: Group, leg: Leg, tries: Sequence[Order]) -> None:
    """Make a refused leg fit the rules once they are known, and try again; or say what keeps it out by now."""
    instrument = draft.instrument(group.exchange, group.symbol)
    last = [order for order in tries if order.rules_by is not None]
    if not instrument.traded or all(fits(order, leg, instrument) for order in last):
        return
    for order in last:
        draft.put(replace(order, rules_by=None))
    fitted = refitted(leg, group.side, instrument)
    title = f"{group.symbol} {group.timeframe} leg {leg.index + 1}"
    fault = leg_fault(fitted, instrument, draft.settings.capital.max_order_usd)
    if fault:
        reason = f"By the market's new rules, its {fault}."
        draft.put(replace(last[-1], rules_by=None, reason=f"{last[-1].reason} {reason}"))
        draft.tell(
            "leg_left_out",
            f"{title} is left out. {reason}",
            Level.WARNING,
            group=group,
            order=last[-1],
            notice=True,
        )
        return
    renewed = replace(
        leg,
        status=LegStatus.PENDING,
        price=fitted.price,
        quantity=fitted.quantity,
        tp_price=fitted.tp_price,
    )
    draft.put(renewed)
    _place_entry(draft, group, renewed, renewed.quantity, last[-1].attempt + 1)
    draft.tell(
        "leg_planned_anew",
        f"{title} is planned anew by the market's new rules: {text(fitted.quantity)} at {text(fitted.price)}.",
        group=group,
        order=last[-1],
        notice=True,
    )


def fits(order: Order, leg: Leg, instrument: Instrument) -> bool:
    """Return whether an entry keeps the rules of its market."""
    market_order = order.type is OrderType.MARKET
    return instrument.takes(order.quantity, order.price or leg.price, market_order=market_order)


def _place_entry(draft: Draft, group: Group, leg: Leg, quantity: Decimal, attempt: int) -> None:
    instrument = draft.instrument(group.exchange, group.symbol)
    kind = _entry_type(draft, leg)
    for piece in instrument.pieces(quantity, market_order=kind is OrderType.MARKET):
        write_order(
            draft,
            group,
            purpose=Purpose.ENTRY,
            action=Action.BUY if group.side is Side.LONG else Action.SELL,
            type=kind,
            price=leg.price if kind is OrderType.LIMIT else None,
            quantity=piece,
            leg=leg,
            attempt=attempt,
        )


def _entry_type(draft: Draft, leg: Leg) -> OrderType:
    first = leg.index == 0 and draft.settings.grid.first_leg is OrderType.MARKET
    return OrderType.MARKET if first else OrderType.LIMIT


# -- closing


def _revoke_too_large(draft: Draft, group: Group) -> None:
    """Revoke closes that have not left and cover more than is held by now; they are planned anew."""
    unsent = _unsent_closes(draft, group)
    if not unsent:
        return
    legs = draft.legs(group.id)
    for order in reversed(unsent):
        free = uncovered(draft, group, legs)
        if any(free[leg_id] < 0 for leg_id, _ in order.parts):
            _cancel(draft, order)


def _unsent_closes(draft: Draft, group: Group) -> list[Order]:
    return [
        order
        for order in draft.orders(group.id)
        if order.purpose is not Purpose.ENTRY
        and order.status is OrderStatus.PENDING
        and order.sent_at is None
    ]


def _close(draft: Draft, group: Group) -> None:
    """Cancel what works, close at once what is held, and wait for what is not settled yet."""
    purpose = group.closing or Purpose.EXIT
    alone = is_alone(draft, group)
    for order in draft.orders(group.id):
        in_doubt = alone and order.status is OrderStatus.UNKNOWN
        if order.purpose is Purpose.ENTRY or order.type is OrderType.LIMIT or in_doubt:
            _cancel(draft, order)
    if not _may_close_now(draft, group):
        return
    instrument = draft.instrument(group.exchange, group.symbol)
    parts = _held_parts(draft, group)
    waiting = [o for o in _unsent_closes(draft, group) if o.purpose is purpose and o.leg_id is None]
    if waiting and instrument.quantity(sum((quantity for _, quantity in parts), ZERO)) > 0:
        # While its lane was busy more has filled: all of it leaves as one close.
        for order in waiting:
            _cancel(draft, order)
        parts = _held_parts(draft, group)
    _market_close(draft, group, instrument, parts, purpose)


def _held_parts(draft: Draft, group: Group) -> Parts:
    """Return what each leg holds that nothing on its way closes [base]."""
    legs = draft.legs(group.id)
    free = _levelled(uncovered(draft, group, legs))
    return tuple((leg.id, free[leg.id]) for leg in legs if free[leg.id] > 0)


def is_alone(draft: Draft, group: Group) -> bool:
    """Return whether a swap position is this group's alone: then the exchange itself keeps closes from doubling."""
    lane = [
        other for other in draft.groups_in((group.exchange, group.symbol)) if other.account == group.account
    ]
    return group.market is Market.SWAP and len(lane) == 1


def _may_close_now(draft: Draft, group: Group) -> bool:
    return group.retry_at is None or draft.now >= group.retry_at


def _cancel(draft: Draft, order: Order) -> None:
    asked = orders.request_cancel(order, draft.now)
    if asked is not order:
        draft.put(asked)


def uncovered(
    draft: Draft, group: Group, legs: Sequence[Leg], aside: Callable[[Order], bool] = lambda order: False
) -> dict[int, Decimal]:
    """Return what each leg holds that no reducing order on the way covers [base]; those to be put aside do not."""
    free = {leg.id: leg.open_quantity for leg in legs}
    for order in draft.orders(group.id):
        if order.purpose is Purpose.ENTRY or order.is_final or order.superseded or aside(order):
            continue
        done = order.filled_quantity
        for leg_id, quantity in order.parts:
            filled = min(done, quantity)
            done -= filled
            free[leg_id] -= quantity - filled
    return free


def _levelled(free: dict[int, Decimal]) -> dict[int, Decimal]:
    """Take what is on its way beyond one leg's holding off the others: together they sell no more than is held."""
    short = -sum((quantity for quantity in free.values() if quantity < 0), ZERO)
    result = {leg_id: max(quantity, ZERO) for leg_id, quantity in free.items()}
    for leg_id in reversed(result):
        taken = min(result[leg_id], short)
        result[leg_id] -= taken
        short -= taken
    return result


def _market_close(
    draft: Draft, group: Group, instrument: Instrument, parts: Parts, purpose: Purpose, leg: Leg | None = None
) -> None:
    held = sum((quantity for _, quantity in parts), ZERO)
    price = price_of_close(draft, group)
    there = instrument.closable(_really_there(draft, group, held), price)
    quantity = there or instrument.closable(held, price)
    if quantity <= 0:
        return
    rest = _cut(parts, quantity)
    for piece in instrument.pieces(quantity, market_order=True):
        own, rest = _split(rest, piece)
        write_order(
            draft,
            group,
            purpose=purpose,
            action=Action.SELL if group.side is Side.LONG else Action.BUY,
            type=OrderType.MARKET,
            price=None,
            quantity=piece,
            leg=leg,
            parts=own,
        )


def _really_there(draft: Draft, group: Group, held: Decimal) -> Decimal:
    """After a refused sale, sell what the account has, where that is less than what the group holds [base]."""
    last = next(
        (order for order in reversed(draft.orders(group.id)) if order.purpose is not Purpose.ENTRY), None
    )
    refused = last is not None and last.status is OrderStatus.REJECTED
    free = draft.free(group.account, group.base) if refused and group.market is Market.SPOT else None
    return min(held, free) if free else held


def price_of_close(draft: Draft, group: Group) -> Decimal:
    """Return the best guess of what a close would get; only the minimum notional is asked of it."""
    price = draft.view.price((group.exchange, group.symbol))
    return closing_price(price, group.side) if price else group.avg_entry or ZERO


def _cut(parts: Parts, quantity: Decimal) -> Parts:
    return _split(parts, quantity)[0]


def _split(parts: Parts, quantity: Decimal) -> tuple[Parts, Parts]:
    """Divide parts into the first `quantity` of them and the rest."""
    first: list[tuple[int, Decimal]] = []
    rest: list[tuple[int, Decimal]] = []
    for leg_id, held in parts:
        taken = min(held, quantity)
        quantity -= taken
        if taken > 0:
            first.append((leg_id, taken))
        if held > taken:
            rest.append((leg_id, held - taken))
    return tuple(first), tuple(rest)


# -- taking profit


def _close_triggered(draft: Draft, group: Group) -> None:
    """Close the legs whose target was reached, together; a leg's unfilled remainder is cancelled first."""
    legs = draft.legs(group.id)
    triggered = [leg for leg in legs if leg.triggered_at is not None and leg.open_quantity > 0]
    if not triggered:
        return
    group_orders = draft.orders(group.id)
    ready = [leg for leg in triggered if not _stop_working(draft, leg, group_orders)]
    if not ready or not _may_close_now(draft, group):
        return
    instrument = draft.instrument(group.exchange, group.symbol)
    free = _levelled(uncovered(draft, group, legs))
    parts = [(leg.id, free[leg.id]) for leg in ready if instrument.quantity(free[leg.id]) > 0]
    parts += _dust_to_sweep(draft, group, legs, parts, free)
    alone = draft.leg(parts[0][0]) if len(parts) == 1 else None
    _market_close(draft, group, instrument, tuple(parts), Purpose.TAKE_PROFIT, alone)


def _stop_working(draft: Draft, leg: Leg, group_orders: Sequence[Order]) -> bool:
    """Ask to cancel what works for a leg, entries and resting targets; return whether something still does."""
    working = False
    for order in group_orders:
        concerns = order.leg_id == leg.id
        if (
            concerns
            and not order.is_final
            and (order.purpose is Purpose.ENTRY or order.type is OrderType.LIMIT)
        ):
            _cancel(draft, order)
            working = working or not draft.order(order.id).is_final
    return working


def _dust_to_sweep(
    draft: Draft,
    group: Group,
    legs: Sequence[Leg],
    parts: Sequence[tuple[int, Decimal]],
    free: dict[int, Decimal],
) -> list[tuple[int, Decimal]]:
    """Return the other legs' dust when this close makes the group flat: it is sold together."""
    instrument = draft.instrument(group.exchange, group.symbol)
    closing = {leg_id for leg_id, _ in parts}
    others = [leg for leg in legs if leg.id not in closing]
    if any(instrument.quantity(leg.open_quantity) > 0 for leg in others):
        return []
    return [(leg.id, free[leg.id]) for leg in others if free[leg.id] > 0]


def _drop_foreign_targets(draft: Draft, group: Group) -> None:
    """Cancel resting targets that the group's mode does not know any more."""
    for order in draft.orders(group.id):
        if order.purpose is Purpose.TAKE_PROFIT and order.type is OrderType.LIMIT:
            belongs = rests_leg_targets(group) if order.leg_id is not None else rests_aggregate(group)
            if not belongs:
                _cancel(draft, order)


def _clear_way(draft: Draft, group: Group) -> None:
    """Cancel the resting targets while a step of an offset closes a part of the group; then they rest anew."""
    for order in draft.orders(group.id):
        if order.purpose is Purpose.TAKE_PROFIT and order.type is OrderType.LIMIT:
            _cancel(draft, order)


def _rest_legs(draft: Draft, group: Group) -> None:
    """Keep one limit order on the exchange for each leg's target, in step with its fills."""
    instrument = draft.instrument(group.exchange, group.symbol)
    group_orders = draft.orders(group.id)
    for leg in draft.legs(group.id):
        resting = [
            order
            for order in group_orders
            if order.purpose is Purpose.TAKE_PROFIT
            and order.leg_id == leg.id
            and order.type is OrderType.LIMIT
        ]
        if any(order.filled_quantity for order in resting):
            # The target's first fill: what the leg has not filled is no longer wanted.
            for order in group_orders:
                if order.purpose is Purpose.ENTRY and order.leg_id == leg.id:
                    _cancel(draft, order)
        if leg.triggered_at is None:
            _keep_resting(
                draft, group, instrument, resting, ((leg.id, leg.open_quantity),), leg.tp_price, leg
            )


def _rest_aggregate(draft: Draft, group: Group) -> None:
    """Keep one limit order on the exchange at the common target; its first fill ends the entries."""
    instrument = draft.instrument(group.exchange, group.symbol)
    resting = [
        order
        for order in draft.orders(group.id)
        if order.purpose is Purpose.TAKE_PROFIT and order.type is OrderType.LIMIT
    ]
    if any(order.status in (OrderStatus.PARTIALLY_FILLED, OrderStatus.FILLED) for order in resting):
        for order in draft.orders(group.id):
            if order.purpose is Purpose.ENTRY:
                _cancel(draft, order)
    parts = tuple((leg.id, leg.open_quantity) for leg in draft.legs(group.id) if leg.open_quantity > 0)
    _keep_resting(draft, group, instrument, resting, parts, group.aggregate_target, None)


def _keep_resting(
    draft: Draft,
    group: Group,
    instrument: Instrument,
    resting: Sequence[Order],
    parts: Parts,
    target: Decimal | None,
    leg: Leg | None,
) -> None:
    """Leave a resting target that is right, cancel one that is not, place one where there is none.

    Above the exchange's maximum it is several orders, right or wrong together.
    """
    held = sum((quantity for _, quantity in parts), ZERO)
    wanted = round_down(held, instrument.step)
    working = [order for order in resting if not order.is_final]
    stands = sum((order.remaining for order in working), ZERO)
    begun = any(order.filled_quantity for order in working)  # it was reached: what is left keeps its price
    if _follows_soon(draft, group, working, target, leg, stands, wanted):
        return
    for order in working:
        if stands != wanted or (order.price != target and not begun):
            _cancel(draft, order)
    free = uncovered(draft, group, draft.legs(group.id))
    if any(free[leg_id] < quantity for leg_id, quantity in parts):
        return  # another order stands for it, as after a change of mode; its end is waited for
    if target is None or not restable(held, target, instrument) or not _may_close_now(draft, group):
        return
    rest = _cut(parts, wanted)
    for piece in instrument.pieces(wanted, market_order=False):
        own, rest = _split(rest, piece)
        write_order(
            draft,
            group,
            purpose=Purpose.TAKE_PROFIT,
            action=Action.SELL if group.side is Side.LONG else Action.BUY,
            type=OrderType.LIMIT,
            price=target,
            quantity=piece,
            leg=leg,
            parts=own,
        )


def _follows_soon(
    draft: Draft,
    group: Group,
    working: Sequence[Order],
    target: Decimal | None,
    leg: Leg | None,
    stands: Decimal,
    wanted: Decimal,
) -> bool:
    """An entry that fills in many small parts at once moves its target on by tenths, not for each of them.

    With the next fill after that, when the entry ends, or when the target begins to fill, which ends it, the
    whole is offered.
    """
    if not stands < wanted < stands * TARGET_FOLLOWS or any(order.price != target for order in working):
        return False
    if all(draft.now - order.created_at >= TARGET_STANDS for order in working):
        return False
    return any(
        order.purpose is Purpose.ENTRY and not order.is_final and (leg is None or order.leg_id == leg.id)
        for order in draft.orders(group.id)
    )


# -- writing


def write_order(
    draft: Draft,
    group: Group,
    *,
    purpose: Purpose,
    action: Action,
    type: OrderType,
    price: Decimal | None,
    quantity: Decimal,
    leg: Leg | None = None,
    parts: Parts = (),
    attempt: int = 1,
) -> Order:
    """Write one intent. Its client order id follows from its row; it leaves once it is committed."""
    id = draft.new_id()
    engine = draft.engine
    offset = draft.offset_of(group.id) if purpose is Purpose.OFFSET else None
    order = Order(
        id=id,
        client_order_id=orders.client_order_id(engine.install_key, engine.epoch, id, attempt),
        attempt=attempt,
        account=group.account,
        exchange=group.exchange,
        symbol=group.symbol,
        group_id=group.id,
        pyramid_id=leg.pyramid_id if leg else None,
        leg_id=leg.id if leg else None,
        purpose=purpose,
        position=group.side,
        action=action,
        type=type,
        price=price,
        quantity=quantity,
        reduce_only=purpose is not Purpose.ENTRY
        and group.market is Market.SWAP
        and not _is_netted(draft, group),
        parts=parts,
        risk_action_id=offset[0].id if offset is not None else None,
        risk_step=offset[1] if offset is not None else None,
        created_at=draft.now,
    )
    draft.put(order)
    return order


def _is_netted(draft: Draft, group: Group) -> bool:
    """Return whether a group of the other side holds the same symbol, as after a late fill.

    The exchange knows only what is left of both, and would refuse a reduce-only close of either.
    """
    return any(
        other.account == group.account and other.side is not group.side and other.open_quantity > 0
        for other in draft.groups_in((group.exchange, group.symbol))
    )


def end_flat(draft: Draft, group: Group) -> Group:
    """Start closing a group that sold everything, so that its unfilled legs are cancelled."""
    closes = [order for order in draft.orders(group.id) if order.purpose is not Purpose.ENTRY]
    paid = bool(closes) and closes[-1].purpose is Purpose.OFFSET
    sold = "what was left was sold to pay for a loser"
    if not paid:
        sold = "everything that filled was sold at its target"
    closing = replace(
        group,
        status=GroupStatus.CLOSING,
        closing=Purpose.TAKE_PROFIT,
        close_reason=group.close_reason or sold,
    )
    draft.put(closing)
    return closing
