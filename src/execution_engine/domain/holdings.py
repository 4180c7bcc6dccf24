"""What the groups of an account add up to, held against what the exchange says it holds.

An exchange nets: groups of different timeframes share one quantity. It is known here by a `ref`: the base
currency on spot, `exchange symbol` on swaps.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from execution_engine.domain import order as orders
from execution_engine.domain.closing import cancel_next
from execution_engine.domain.draft import Draft
from execution_engine.domain.findings import note, settle_of
from execution_engine.domain.inputs import AccountTrade, Difference, Fits, Trade
from execution_engine.domain.instrument import Action, Market, Side
from execution_engine.domain.money import ZERO, divide, text
from execution_engine.domain.plan import uncovered
from execution_engine.domain.rows import (
    Account,
    Choice,
    Fill,
    Finding,
    FindingKind,
    Group,
    Order,
    OrderStatus,
    OrderType,
    Purpose,
)
from execution_engine.domain.settings import PositionMode
from execution_engine.domain.settle import settle
from execution_engine.domain.take_profit import is_done
from execution_engine.domain.view import View

_IN_FLIGHT = frozenset({OrderStatus.PENDING, OrderStatus.UNKNOWN})


@dataclass(frozen=True, slots=True)
class Unequal:
    """ours, theirs: quantities [base], negative for short."""

    ours: Decimal
    theirs: Decimal


def ref_of(group: Group) -> str:
    return group.base if group.market is Market.SPOT else f"{group.exchange} {group.symbol}"


def unequal(
    view: View,
    account: Account,
    total: Mapping[str, Decimal],
    positions: Mapping[tuple[str, str], Decimal],
    resting: Collection[str],
) -> tuple[dict[str, Unequal], frozenset[str]]:
    """Compare an account's groups with what it holds; return what differs, and the refs that fit.

    total: everything it has, by currency, on spot. resting: the client order ids that it lists. What has an order
    under way or in doubt, or one that rests no more, is left out: its quantity is about to change. More than a group
    holds, on spot, are the user's own coins.
    """
    groups = _groups(view, account)
    busy = _busy(view, account, groups, resting)
    ours: dict[str, Decimal] = {}
    steps: dict[str, Decimal] = {}
    for group in groups:
        ref = ref_of(group)
        ours[ref] = ours.get(ref, ZERO) + held_by([group])
        step = _step(view, group)
        steps[ref] = min(steps.get(ref, step), step)
    spot = account.market is Market.SPOT
    theirs = (
        dict(total) if spot else {f"{exchange} {symbol}": q for (exchange, symbol), q in positions.items()}
    )
    differing: dict[str, Unequal] = {}
    fitting: dict[str, None] = {}
    shown = (
        found.ref for id in view.open_findings() if (found := view.finding(id)) and _is_of(found, account)
    )
    for ref in dict.fromkeys([*ours, *(() if spot else theirs), *shown]):
        if ref in busy:
            continue
        pair = Unequal(ours.get(ref, ZERO), theirs.get(ref, ZERO))
        missing = pair.ours - pair.theirs if spot else abs(pair.ours - pair.theirs)
        if missing >= steps.get(ref, ZERO) and missing > 0:
            differing[ref] = pair
        else:
            fitting[ref] = None
    return differing, frozenset(fitting)


def _is_of(found: Finding, account: Account) -> bool:
    return found.account == account.name and found.kind in (FindingKind.DEFICIT, FindingKind.SURPLUS)


def _groups(view: View, account: Account) -> list[Group]:
    found = (view.group(id) for id in view.open_groups())
    return [group for group in found if group is not None and group.account == account.name]


def _step(view: View, group: Group) -> Decimal:
    instrument = view.catalogue.get(group.exchange, group.symbol)
    return instrument.step if instrument is not None else ZERO


def _busy(view: View, account: Account, groups: Iterable[Group], resting: Collection[str]) -> frozenset[str]:
    """Return what has an order that is not answered, or whose outcome is not known: one that rests no more, too."""
    by_id = {group.id: group for group in groups}
    busy = set()
    for id in view.working_orders(account.name):
        order = view.orders[id]
        in_doubt = order.status in _IN_FLIGHT or order.client_order_id not in resting
        if in_doubt and (group := by_id.get(order.group_id)) is not None:
            busy.add(ref_of(group))
    return frozenset(busy)


# -- what is done about it


def differs(draft: Draft, seen: Difference) -> None:
    """Hold the positions that the exchange lacks, show a surplus; a forced close is booked as it was traded."""
    account = draft.account(seen.account)
    if account is None:
        return
    groups = [
        group for group in draft.groups() if group.account == account.name and ref_of(group) == seen.ref
    ]
    if held_by(groups) != seen.ours:
        return  # a fill came in or they were closed while the trades were read; the next reading compares anew
    missing = abs(seen.ours) - abs(seen.theirs) if seen.ours * seen.theirs >= 0 else abs(seen.ours)
    if missing <= 0:
        _surplus(draft, account, seen, groups)
        return
    explained = [other for other in seen.trades if _reduces(other, seen.ours)]
    if seen.trades and all(other.liquidation for other in explained) and _sum(explained) >= missing:
        _liquidated(draft, account, seen, groups, missing, explained)
        return
    _deficit(draft, account, seen, groups, explained)


def held_by(groups: Iterable[Group]) -> Decimal:
    """Return what groups that are not done hold together [base], negative for short."""
    return sum((group.side.sign * group.open_quantity for group in groups if not is_done(group)), ZERO)


def _reduces(other: AccountTrade, ours: Decimal) -> bool:
    return other.action is (Action.SELL if ours > 0 else Action.BUY)


def _sum(trades: Iterable[AccountTrade]) -> Decimal:
    return sum((other.trade.quantity for other in trades), ZERO)


def _average(trades: Sequence[AccountTrade]) -> Decimal | None:
    quantity = _sum(trades)
    if not quantity:
        return None
    return divide(sum((other.trade.quantity * other.trade.price for other in trades), ZERO), quantity)


def _compared(account: Account, seen: Difference) -> str:
    """Say what differs: `paper holds 0.002 BTC; its groups add up to 0.003.`"""
    return (
        f"{account.name} holds {_held(seen.theirs)} {_what(seen)}; its groups add up to {_held(seen.ours)}."
    )


def _what(seen: Difference) -> str:
    """Name a currency or a market without its exchange."""
    return seen.ref.rpartition(" ")[2]


def _held(quantity: Decimal) -> str:
    return f"{'short ' if quantity < ZERO else ''}{_plain(abs(quantity))}"


def _plain(number: Decimal) -> str:
    """Write a number without the zeros that end it."""
    return text(number.normalize())


def _surplus(draft: Draft, account: Account, seen: Difference, groups: Sequence[Group]) -> None:
    note(
        draft,
        FindingKind.SURPLUS,
        seen.ref,
        _compared(account, seen),
        done="What is more was not opened here and is left alone.",
        account=account.name,
        world=account.world,
        groups=groups,
        ours=seen.ours,
        theirs=seen.theirs,
    )


def _deficit(
    draft: Draft,
    account: Account,
    seen: Difference,
    groups: Sequence[Group],
    explained: Sequence[AccountTrade],
) -> None:
    price = _average(explained)
    others = _plain(_sum(explained))
    by = f" Somebody else traded {others}, at {_plain(price)} on average." if price else ""
    note(
        draft,
        FindingKind.DEFICIT,
        seen.ref,
        f"{_compared(account, seen)}{by}",
        done="These positions are on hold: nothing is added to them.",
        account=account.name,
        world=account.world,
        exchange=groups[0].exchange,
        symbol=groups[0].symbol,
        groups=groups,
        ours=seen.ours,
        theirs=seen.theirs,
        price=price,
        choices=(Choice.BOOK, Choice.CLOSE, Choice.CHECK),
    )


def _liquidated(
    draft: Draft,
    account: Account,
    seen: Difference,
    groups: Sequence[Group],
    missing: Decimal,
    explained: Sequence[AccountTrade],
) -> None:
    trades = [other.trade for other in explained]
    book_outside(draft, groups, missing, None, "liquidated by the exchange", trades)
    settle_of(draft, account, FindingKind.DEFICIT, seen.ref, "The exchange had closed it by force.")
    note(
        draft,
        FindingKind.LIQUIDATED,
        seen.ref,
        f"The exchange closed {_plain(missing)} {_what(seen)} on {account.name} by force.",
        done="It was booked as it was traded, and the orders of its groups were cancelled.",
        account=account.name,
        world=account.world,
        groups=groups,
        ours=seen.ours,
        theirs=seen.theirs,
        price=_average(explained),
    )


def fits(draft: Draft, seen: Fits) -> None:
    """End what was found about quantities that fit again, and what was kept on hold for it."""
    account = draft.account(seen.account)
    if account is None:
        return
    for finding in draft.open_findings():
        if _is_of(finding, account) and finding.ref in seen.refs:
            settle_of(draft, account, finding.kind, finding.ref, "It fits again.")
            for id in finding.group_ids:
                if (group := draft.group_or_none(id)) is not None and group.holds_slot:
                    settle(draft, id, legs=())


# -- booking what others closed


def book_outside(
    draft: Draft,
    groups: Sequence[Group],
    missing: Decimal,
    price: Decimal | None,
    why: str,
    trades: Sequence[Trade] = (),
) -> Decimal:
    """Book a quantity as closed outside, the oldest group first: by the trades that are known, in their order,
    the rest at a price, or at the market. Return how much was booked [base].

    Closes that have not left are revoked. What an order on its way covers is not booked: it may fill. A target
    that rests gives way: it is laid anew for what is left.
    """
    left = list(trades)
    booked = ZERO
    for group in groups:
        if missing <= 0:
            break
        _revoke_closes(draft, group)
        free = sum(bookable(draft, group).values(), ZERO)
        part = min(missing, free)
        if part > 0:
            missing -= part
            booked += part
            cancel_next(draft, group, why)
            left = _book_one(draft, draft.group(group.id), part, left, price, why)
        else:
            settle(draft, group.id)  # what was revoked is planned anew
    return booked


def _revoke_closes(draft: Draft, group: Group) -> None:
    for order in draft.orders(group.id):
        unsent = order.status is OrderStatus.PENDING and order.sent_at is None
        if unsent and order.purpose is not Purpose.ENTRY:
            draft.put(orders.request_cancel(order, draft.now))


def _book_one(
    draft: Draft, group: Group, quantity: Decimal, trades: list[Trade], price: Decimal | None, why: str
) -> list[Trade]:
    id = draft.new_id()
    own, rest = _take(draft, group, id, quantity, trades, price)
    order = Order(
        id=id,
        client_order_id=orders.client_order_id(draft.engine.install_key, draft.engine.epoch, id, 1),
        account=group.account,
        exchange=group.exchange,
        symbol=group.symbol,
        group_id=group.id,
        purpose=Purpose.EXIT,
        position=group.side,
        action=Action.SELL if group.side is Side.LONG else Action.BUY,
        type=OrderType.MARKET,
        price=None,
        quantity=quantity,
        reduce_only=group.market is Market.SWAP,
        parts=_parts(draft, group, quantity),
        status=OrderStatus.FILLED,
        reason=why,
        created_at=draft.now,
        acknowledged_at=draft.now,
        finished_at=draft.now,
    )
    draft.put(orders.with_trades(order, tuple(own), group.base))
    for trade in own:
        draft.put(_outside_fill(draft, group, order, trade))
    draft.put(replace(draft.group(group.id), close_reason=why, retry_at=None))
    settle(draft, group.id)
    return rest


def _take(
    draft: Draft,
    group: Group,
    order_id: int,
    quantity: Decimal,
    trades: list[Trade],
    price: Decimal | None,
) -> tuple[list[Trade], list[Trade]]:
    """Divide trades into those of this quantity and the rest; what no trade covers is made up at the price."""
    own: list[Trade] = []
    rest = list(trades)
    while rest and quantity > 0:
        trade = rest.pop(0)
        if trade.quantity > quantity:
            part = divide(quantity, trade.quantity)
            rest.insert(0, _portion(trade, trade.quantity - quantity, 1 - part))
            trade = _portion(trade, quantity, part)
        own.append(trade)
        quantity -= trade.quantity
    if quantity > 0:
        market = draft.view.price((group.exchange, group.symbol))
        at = price or (market.last if market is not None else group.avg_entry or ZERO)
        own.append(Trade(trade_id="", price=at, quantity=quantity, fee_value=ZERO, at=draft.now))
    return [replace(trade, trade_id=f"outside {order_id}·{n}") for n, trade in enumerate(own, 1)], rest


def _portion(trade: Trade, quantity: Decimal, part: Decimal) -> Trade:
    value = None if trade.fee_value is None else trade.fee_value * part
    return replace(trade, quantity=quantity, fee=trade.fee * part, fee_value=value)


def _parts(draft: Draft, group: Group, quantity: Decimal) -> tuple[tuple[int, Decimal], ...]:
    parts: list[tuple[int, Decimal]] = []
    for leg_id, free in bookable(draft, group).items():
        part = min(quantity, free)
        if part > 0:
            parts.append((leg_id, part))
            quantity -= part
    return tuple(parts)


def bookable(draft: Draft, group: Group) -> dict[int, Decimal]:
    """Return what each leg holds that no close on its way covers [base]."""
    shared = shares_position(draft, group)
    return uncovered(draft, group, draft.legs(group.id), aside=lambda order: _gives_way(order, shared=shared))


def shares_position(draft: Draft, group: Group) -> bool:
    """Return whether the exchange keeps one position for both sides of a group's market."""
    mode = draft.settings.account(group.account).position_mode
    return group.market is Market.SWAP and mode is PositionMode.ONE_WAY


def _gives_way(order: Order, *, shared: bool) -> bool:
    """A target that rests does, unless it could close more than is left before its cancel arrives."""
    rests = order.status in (OrderStatus.OPEN, OrderStatus.PARTIALLY_FILLED) and order.type is OrderType.LIMIT
    return rests and (order.reduce_only or not shared)


def _outside_fill(draft: Draft, group: Group, order: Order, trade: Trade) -> Fill:
    value, estimated = orders.fee_value(trade, group.base)
    return Fill(
        id=draft.new_id(),
        account=group.account,
        exchange=group.exchange,
        symbol=group.symbol,
        trade_id=trade.trade_id,
        order_id=order.id,
        group_id=group.id,
        purpose=order.purpose,
        action=order.action,
        price=trade.price,
        quantity=trade.quantity,
        fee=trade.fee,
        fee_currency=trade.fee_currency,
        fee_value=value,
        fee_estimated=estimated or not trade.fee_currency,
        at=trade.at,
    )
