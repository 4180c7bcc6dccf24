"""What an exchange said about orders and accounts, taken into the rows."""

from __future__ import annotations

from datetime import timedelta

from execution_engine.domain import listings
from execution_engine.domain import order as orders
from execution_engine.domain.draft import Draft
from execution_engine.domain.facts import Category, Level
from execution_engine.domain.findings import note, note_about
from execution_engine.domain.inputs import (
    About,
    AccountTrade,
    AdvanceOffset,
    Fills,
    History,
    OrderReport,
    OrderReports,
    Sending,
    Trade,
    Verdict,
)
from execution_engine.domain.money import ZERO, text
from execution_engine.domain.plan import ENTRY_ATTEMPTS, REFUSED
from execution_engine.domain.replacing import replace
from execution_engine.domain.rows import (
    AccountStatus,
    Fill,
    FindingKind,
    Group,
    Order,
    OrderStatus,
    Purpose,
    Row,
)
from execution_engine.domain.settle import legs_of, name, reopen, settle
from execution_engine.domain.take_profit import is_done
from execution_engine.domain.view import View

RETRY_LIMIT = timedelta(seconds=60)
RULES_WITHIN = timedelta(minutes=5)  # for so long a refused leg waits for the market's new rules
INSUFFICIENT_FUNDS = "InsufficientFundsError"


def sending(draft: Draft, left: Sending) -> None:
    """Note when requests left; the committed intent was the licence."""
    for id in left.order_ids:
        order = draft.order(id)
        draft.put(replace(order, cancel_sent_at=left.at) if left.cancel else replace(order, sent_at=left.at))


def report(draft: Draft, said: OrderReport) -> None:
    """Take in what an exchange says about one order, and what follows."""
    changed = _take_in(draft, said)
    if changed is not None:
        settle(draft, changed.group_id, legs_of(changed))


def together(draft: Draft, said: OrderReports) -> None:
    """Take in several reports about one group's orders; what follows is asked once."""
    changed = [order for one in said.reports if (order := _take_in(draft, one)) is not None]
    if changed:
        settle(draft, said.group_id, [leg_id for order in changed for leg_id in legs_of(order)])


def account_trades(draft: Draft, read: Fills) -> None:
    """Have the trades of our orders taken in that an account's list shows and the rows lack, group by group."""
    by_order: dict[int, list[Trade]] = {}
    for other in read.trades:
        order = _order_of(draft, other)
        if order is None:
            _unknown_trade(draft, read, other)
        elif not draft.has_trade(order, other.trade.trade_id):
            by_order.setdefault(order.id, []).append(other.trade)
    by_group: dict[int, list[OrderReport]] = {}
    for id, trades in by_order.items():
        order = draft.order(id)
        by_group.setdefault(order.group_id, []).append(_said_by_trades(order, tuple(trades), read))
    for group_id, reports in by_group.items():
        draft.follow(OrderReports(group_id=group_id, reports=tuple(reports)))


def _order_of(draft: Draft, other: AccountTrade) -> Order | None:
    return draft.order_of(other.client_order_id) if other.client_order_id else None


def _unknown_trade(draft: Draft, read: Fills, other: AccountTrade) -> None:
    """Show that an order traded which is of this installation and not in its books."""
    account = draft.account(read.account)
    ours = other.client_order_id.startswith(orders.prefix(draft.engine.install_key))
    if not ours or account is None:
        return
    note(
        draft,
        FindingKind.ORPHAN,
        other.client_order_id,
        f"An order of this installation traded on {account.name} and is not in its books: {other.action} "
        f"{text(other.trade.quantity)} {other.symbol} at {text(other.trade.price)}.",
        done="Nothing here rests on it.",
        account=account.name,
        world=account.world,
        exchange=other.exchange,
        symbol=other.symbol,
    )


def _said_by_trades(order: Order, trades: tuple[Trade, ...], read: Fills) -> OrderReport:
    """A trade proves that its order was accepted; whether the rest of it still works is another question."""
    return OrderReport(
        account=order.account,
        client_order_id=order.client_order_id,
        verdict=Verdict.ACCEPTED,
        status=None if order.is_final else OrderStatus.PARTIALLY_FILLED,
        trades=trades,
        at=read.at,
    )


def bring_back(draft: Draft, past: History) -> None:
    """Take the rows of an archived group up again, because something more happened to it."""
    if draft.group_or_none(past.group.id) is None:
        rows: tuple[Row, ...] = (*past.pyramids, *past.legs, *past.orders, *past.fills)
        for row in (past.group, *rows):
            draft.put(row)


def is_news(view: View, said: OrderReport) -> bool:
    """Return whether a report of an order that rests says anything new; a cheap look before a decision."""
    id = view.order_of(said.client_order_id)
    order = view.orders.get(id) if id is not None else None
    return (
        order is None
        or order.status is not said.status
        or order.filled_quantity != said.filled_quantity
        or order.acknowledged_at is None
    )


def _take_in(draft: Draft, said: OrderReport) -> Order | None:
    """Write what a report changes, fills first, then the order; return the order if it changed."""
    order = draft.order_of(said.client_order_id)
    if order is None:
        _unknown_order(draft, said)
        return None
    group = draft.group(order.group_id)
    trades = {trade.trade_id: trade for trade in said.trades}  # pages of an answer may overlap
    fills = tuple(trade for id, trade in trades.items() if not draft.has_trade(order, id))
    filled = orders.with_trades(order, fills, group.base)
    for trade in fills:
        draft.put(_fill(draft, order, group, trade))
    account = draft.account(order.account)
    fence = orders.FENCE.get(account.exchange if account else "", orders.DEFAULT_FENCE)
    after = orders.apply(filled, said, draft.now, fence)
    if after == order:
        return None
    draft.put(after)
    if after.risk_action_id is not None:
        draft.follow(AdvanceOffset(action_id=after.risk_action_id))  # late fills count as well
    if order.is_final and not after.is_final:
        _found_late(draft, after)
    if after.status is OrderStatus.FAILED and after.acknowledged_at is not None and not order.is_final:
        _lost(draft, group, after)
    if is_done(group) and (fills or not after.is_final):
        reopen(draft, group)
        _late_finding(draft, group, after)
    elif account is not None and account.status is AccountStatus.RECONCILING:
        _meanwhile(draft, group, order, after)
    if after.acknowledged_at is not None and order.acknowledged_at is None:
        listings.order_taken(draft, group)
    _told(draft, group, order, after, said)
    _after_refusal(draft, group, after, said)
    return after


def _found_late(draft: Draft, order: Order) -> None:
    """An order that was given up is there after all: an entry is cancelled, because another took its place."""
    newer = [
        o for o in draft.orders(order.group_id) if o.leg_id == order.leg_id and o.attempt > order.attempt
    ]
    if order.purpose is Purpose.ENTRY and newer:
        draft.put(orders.request_cancel(order, draft.now))


def _lost(draft: Draft, group: Group, order: Order) -> None:
    note_about(
        draft,
        group,
        FindingKind.LOST,
        order.client_order_id,
        f"{name(group)}: the exchange had the {order.purpose} {orders.title(order)} and does not know it any more.",
        done="It is taken for over; what it had filled is booked.",
    )


def _late_finding(draft: Draft, group: Group, order: Order) -> None:
    note_about(
        draft,
        group,
        FindingKind.LATE_FILL,
        order.client_order_id,
        f"{name(group)}: {orders.title(order)} filled or was found after its group had ended.",
        done="What it holds is closed at market.",
    )


def _meanwhile(draft: Draft, group: Group, before: Order, after: Order) -> None:
    """Note what became of a group's orders while nobody watched."""
    ended = after.is_final and not before.is_final
    more = after.filled_quantity - before.filled_quantity
    if not ended and not more:
        return
    old = draft.finding_of((group.account, FindingKind.FILLED, str(group.id)))
    what = f"{after.purpose} {orders.title(after)}: {after.status.replace('_', ' ')}"
    note_about(
        draft,
        group,
        FindingKind.FILLED,
        str(group.id),
        f"{old.found} {what}." if old is not None else f"{name(group)}: {what}.",
        done="Taken in, once each.",
    )


def _fill(draft: Draft, order: Order, group: Group, trade: Trade) -> Fill:
    value, estimated = orders.fee_value(trade, group.base)
    return Fill(
        id=draft.new_id(),
        account=order.account,
        exchange=order.exchange,
        symbol=order.symbol,
        trade_id=trade.trade_id,
        order_id=order.id,
        group_id=order.group_id,
        purpose=order.purpose,
        action=order.action,
        price=trade.price,
        quantity=trade.quantity,
        fee=trade.fee,
        fee_currency=trade.fee_currency,
        fee_value=value,
        fee_estimated=estimated,
        maker=trade.maker,
        at=trade.at,
    )


def _unknown_order(draft: Draft, said: OrderReport) -> None:
    """Show an order of this installation that its books lack, as after an older backup."""
    ours = said.client_order_id.startswith(orders.prefix(draft.engine.install_key))
    account = draft.account(said.account)
    if not ours or said.verdict is not Verdict.ACCEPTED or account is None:
        return
    if said.reduces:
        done = "It can only close a position and is left alone."
    elif said.status is OrderStatus.CANCELLED:
        filled = f" It had filled {text(said.filled_quantity)}." if said.filled_quantity > ZERO else ""
        done = f"It could add risk and was cancelled.{filled}"
    elif draft.engine.moved_to is not None:
        done = "It is left alone until you resume: the other computer may look after it."
    else:
        done = "It could add risk and is being cancelled."
    note(
        draft,
        FindingKind.ORPHAN,
        said.client_order_id,
        f"An order of this installation is on {said.account} and not in its books: {said.symbol} "
        f"{said.client_order_id}.",
        done=done,
        account=account.name,
        world=account.world,
        exchange=said.exchange,
        symbol=said.symbol,
    )


def _told(draft: Draft, group: Group, before: Order, after: Order, said: OrderReport) -> None:
    title = f"{name(group)} {after.purpose}: {orders.title(after)}"
    if after.status is OrderStatus.REJECTED:
        text = f"{title} was refused: {after.reason}"
        draft.tell("order_rejected", text, Level.WARNING, group=group, order=after, notice=True)
    elif said.about_cancel and after.cancel_at is not None and not after.is_final:
        wait = (after.cancel_at - draft.now).total_seconds()
        why = f" ({said.reason})" if said.reason else ""
        text = f"{title}: its cancel was not carried out{why}. It goes out again in {wait:.0f} s."
        first = before.cancels_in_vain is None  # the list of what needs attention shows the others
        draft.tell(
            "cancel_refused", text, Level.WARNING, Category.API, group=group, order=after, notice=first
        )
    elif after.status is OrderStatus.UNKNOWN and before.status is not OrderStatus.UNKNOWN:
        text = f"{title}: the outcome is being looked up. Nothing is sent again until it is settled."
        draft.tell("order_unknown", text, Level.WARNING, Category.API, group=group, order=after, notice=True)
    elif after.filled_quantity != before.filled_quantity:
        draft.tell("order_filled", f"{title}: {after.status}", group=group, order=after)
    elif after.status is not before.status:
        draft.tell(f"order_{after.status}", f"{title}: {after.status}", Level.DEBUG, group=group, order=after)


def _after_refusal(draft: Draft, group: Group, order: Order, said: OrderReport) -> None:
    """Refused for want of funds: no further entries. A refused close is tried again, later each time."""
    if said.verdict is not Verdict.REFUSED or order.status not in REFUSED:
        return
    if order.purpose is Purpose.ENTRY:
        if said.code == INSUFFICIENT_FUNDS:
            _stop_entries(draft, group, order)
        elif said.about is About.RULES and order.attempt < ENTRY_ATTEMPTS:
            draft.put(replace(order, rules_by=draft.now + RULES_WITHIN))
        elif said.about is About.MARKET:
            listings.order_refused(draft, group, 0)
        return
    tries = [other for other in draft.orders(group.id) if other.purpose is order.purpose]
    refused = 0
    for other in reversed(tries):
        if draft.order(other.id).status not in REFUSED:
            break
        refused += 1
    wait = min(timedelta(seconds=2 ** min(refused, 10)), RETRY_LIMIT)
    if said.about is About.MARKET:
        wait = listings.order_refused(draft, group, refused)
    draft.put(replace(draft.group(group.id), retry_at=draft.now + wait))


def _stop_entries(draft: Draft, group: Group, refused: Order) -> None:
    for other in draft.orders(group.id):
        unsent = other.status is OrderStatus.PENDING and other.sent_at is None
        if other.rules_by is not None:
            draft.put(orders.request_cancel(other, draft.now))
        elif other.purpose is Purpose.ENTRY and unsent and other.id != refused.id:
            rejected = orders.move(other, OrderStatus.REJECTED)
            draft.put(replace(rejected, reason="not sent: insufficient funds", finished_at=draft.now))
