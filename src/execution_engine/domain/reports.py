"""What an exchange said about orders and accounts, taken into the rows."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from execution_engine.domain import order as orders
from execution_engine.domain.draft import Draft
from execution_engine.domain.facts import Category, Level
from execution_engine.domain.inputs import (
    AccountUnreadable,
    Judge,
    OpenOrders,
    OrderReport,
    OrderReports,
    PromoteWaiting,
    Sending,
    Settle,
    Trade,
    Verdict,
)
from execution_engine.domain.money import text
from execution_engine.domain.rows import (
    Account,
    AccountStatus,
    Fill,
    Group,
    Order,
    OrderStatus,
    Purpose,
)
from execution_engine.domain.settle import legs_of, name, reopen, settle
from execution_engine.domain.take_profit import is_done
from execution_engine.domain.view import View

RETRY_LIMIT = timedelta(seconds=60)
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
    if is_done(group) and (fills or not after.is_final):
        reopen(draft, group)
    _told(draft, group, order, after, said)
    _after_refusal(draft, group, after, said)
    return after


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
    ours = said.client_order_id.startswith(orders.prefix(draft.engine.install_key))
    if not ours or said.verdict is not Verdict.ACCEPTED:
        return
    where = f"order {said.client_order_id} of this installation, which is not in its books"
    if said.status is OrderStatus.CANCELLED:
        filled = f"; it had filled {text(said.filled_quantity)}" if said.filled_quantity else ""
        draft.tell(
            "orphan_cancelled", f"Cancelled on the exchange: {where}{filled}.", Level.WARNING, notice=True
        )
        return
    close = "It can only close a position and is left alone." if said.reduces else "It could add risk."
    draft.tell("orphan", f"On the exchange: {where}. {close}", Level.ERROR, notice=True)


def _told(draft: Draft, group: Group, before: Order, after: Order, said: OrderReport) -> None:
    title = f"{name(group)} {after.purpose}: {orders.title(after)}"
    if after.status is OrderStatus.REJECTED:
        text = f"{title} was refused: {after.reason}"
        draft.tell("order_rejected", text, Level.WARNING, group=group, order=after, notice=True)
    elif after.status is OrderStatus.UNKNOWN and before.status is not OrderStatus.UNKNOWN:
        text = f"{title}: the outcome is being looked up. Nothing is sent again until it is settled."
        draft.tell("order_unknown", text, Level.WARNING, Category.API, group=group, order=after, notice=True)
    elif after.filled_quantity != before.filled_quantity:
        draft.tell("order_filled", f"{title}: {after.status}", group=group, order=after)
    elif after.status is not before.status:
        draft.tell(f"order_{after.status}", f"{title}: {after.status}", Level.DEBUG, group=group, order=after)


def _after_refusal(draft: Draft, group: Group, order: Order, said: OrderReport) -> None:
    """Refused for want of funds: no further entries. A refused close is tried again, later each time."""
    if order.status is not OrderStatus.REJECTED:
        return
    if order.purpose is Purpose.ENTRY:
        if said.code == INSUFFICIENT_FUNDS:
            _stop_entries(draft, group, order)
        return
    tries = [other for other in draft.orders(group.id) if other.purpose is order.purpose]
    refused = 0
    for other in reversed(tries):
        if draft.order(other.id).status is not OrderStatus.REJECTED:
            break
        refused += 1
    wait = min(timedelta(seconds=2 ** min(refused, 10)), RETRY_LIMIT)
    draft.put(replace(draft.group(group.id), retry_at=draft.now + wait))


def _stop_entries(draft: Draft, group: Group, refused: Order) -> None:
    for other in draft.orders(group.id):
        unsent = other.status is OrderStatus.PENDING and other.sent_at is None
        if other.purpose is Purpose.ENTRY and unsent and other.id != refused.id:
            rejected = orders.move(other, OrderStatus.REJECTED)
            draft.put(replace(rejected, reason="not sent: insufficient funds", finished_at=draft.now))


def restart(draft: Draft) -> None:
    """Begin after a stop: nothing is known to be true until each exchange has answered.

    A committed intent may have left although no row says so, hence its order is looked up, not sent.
    """
    for account in draft.accounts:
        status = (
            AccountStatus.RECONCILING if account.enabled or _works(draft, account) else AccountStatus.DISABLED
        )
        draft.put(replace(account, status=status, reason="reading the exchange" if account.enabled else ""))
        for order in draft.working_orders(account.name):
            doubted = _doubted(order, draft)
            # What rests and wants nothing is left alone; a cancel that never left is released once more.
            if doubted is not order or orders.wants(order) is not orders.Want.NOTHING:
                draft.put(doubted)


def _works(draft: Draft, account: Account) -> bool:
    """A disabled account that still has orders or groups is looked after."""
    return bool(draft.working_orders(account.name)) or any(g.account == account.name for g in draft.groups())


def _doubted(order: Order, draft: Draft) -> Order:
    if order.status in (OrderStatus.PENDING, OrderStatus.UNKNOWN):
        doubted = replace(
            orders.unknown(order, draft.now, "the program was restarted"), absences=0, absent_since=None
        )
        return replace(doubted, look_at=draft.now, looks=0)
    return order if order.cancel_sent_at is None else replace(order, cancel_sent_at=None)


def open_orders(draft: Draft, listed: OpenOrders) -> None:
    """Compare everything that rests on an account with the rows, and let the account trade again.

    The reports about single orders were decided before, each by itself.
    """
    shown = listed.known | {said.client_order_id for said in listed.reports}
    for order in draft.working_orders(listed.account):
        older = order.acknowledged_at is not None and order.acknowledged_at < listed.at
        if older and order.client_order_id not in shown and order.status is not OrderStatus.UNKNOWN:
            _look_now(draft, order)
    account = draft.account(listed.account)
    if account is not None and account.status is AccountStatus.RECONCILING:
        _ready_if_settled(draft, account)


def _look_now(draft: Draft, order: Order) -> None:
    """The exchange does not list it any more: how it ended has to be asked."""
    missing = orders.unknown(order, draft.now, "it rests no more; how it ended is being looked up")
    draft.put(replace(missing, look_at=draft.now, looks=0))


def _ready_if_settled(draft: Draft, account: Account) -> None:
    """Let an account trade once none of its orders is in doubt, and decide what waited for it.

    While one is, the account is read again and again; an order's own report does not end that, because
    nothing trades before everything that rests on the account was read.
    """
    if any(order.status is OrderStatus.UNKNOWN for order in draft.working_orders(account.name)):
        return
    status = AccountStatus.READY if account.enabled else AccountStatus.DISABLED
    draft.put(replace(account, status=status, reason="", checked_at=draft.now))
    for group in draft.groups():
        if group.account == account.name:
            draft.follow(Settle(group_id=group.id))
    judge_undecided(draft)
    draft.follow(PromoteWaiting(world=account.world))


def judge_undecided(draft: Draft, market: tuple[str, str] | None = None) -> None:
    """Have the alerts decided that waited for an account, a price or a balance, oldest first."""
    for id in draft.view.undecided():
        alert = draft.alert(id)
        if market in (None, (alert.exchange, alert.symbol)):
            draft.follow(Judge(alert_id=id))


def unreadable(draft: Draft, said: AccountUnreadable) -> None:
    """An account that cannot be read stays on hold; it is asked again."""
    account = draft.account(said.account)
    if account is not None and account.reason != said.reason:
        draft.put(replace(account, reason=said.reason))
        text = f"Account {account.name} cannot be read: {said.reason}"
        draft.tell("account_unreadable", text, Level.ERROR, Category.API, notice=True)
