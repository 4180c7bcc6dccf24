"""Accounts: what a restart or an interruption puts in doubt, and when one may trade again."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import timedelta

from execution_engine.domain import order as orders
from execution_engine.domain.draft import Draft
from execution_engine.domain.facts import Category, Level
from execution_engine.domain.findings import note, settle_of
from execution_engine.domain.inputs import (
    AccountUnreadable,
    Interrupted,
    Judge,
    Line,
    LineChanged,
    OpenOrders,
    PromoteWaiting,
    Reached,
    Settle,
)
from execution_engine.domain.instrument import Market
from execution_engine.domain.money import ZERO
from execution_engine.domain.plan import is_alone
from execution_engine.domain.rows import (
    Account,
    AccountStatus,
    FindingKind,
    GroupStatus,
    Order,
    OrderStatus,
    Purpose,
)

UNREADABLE_TWICE = 2
CANCELLED_FOR = timedelta(seconds=2)  # a close in doubt, before the position that was read counts
CHECKED_EVERY = timedelta(minutes=10)


def restart(draft: Draft) -> None:
    """Begin after a stop: nothing is known to be true until each exchange has answered.

    A committed intent may have left although no row says so, hence its order is looked up, not sent.
    """
    # Ids of this life are those of no other, whatever the disk may have lost of the last one.
    draft.put(replace(draft.engine, epoch=max(draft.engine.epoch + 1, int(draft.now.timestamp()))))
    for account in draft.accounts:
        watched = account.enabled or _works(draft, account)
        status = AccountStatus.RECONCILING if watched else AccountStatus.DISABLED
        draft.put(replace(account, status=status, reason="reading the exchange" if account.enabled else ""))
        for order in _told_before(draft, account):
            after = _after_restart(order, draft)
            # What rests and wants nothing is left alone; a cancel that never left is released once more.
            if after is not order or orders.wants(order) is not orders.Want.NOTHING:
                draft.put(after)
    _wait_no_longer(draft, [account.name for account in draft.accounts])


def _told_before(draft: Draft, account: Account) -> list[Order]:
    """Return an account's working orders; none was acknowledged in the future, as the clock may now say.

    A list of what rests that was read from now on is newer than any of them.
    """
    for order in draft.working_orders(account.name):
        if order.acknowledged_at is not None and order.acknowledged_at > draft.now:
            draft.put(replace(order, acknowledged_at=draft.now))
    return draft.working_orders(account.name)


def _wait_no_longer(draft: Draft, names: Collection[str]) -> None:
    """Let refused closes and cancels be tried again as soon as their account trades: times in rows may be off."""
    for group in draft.groups():
        if group.account in names and group.retry_at is not None:
            draft.put(replace(group, retry_at=None))
    for name in names:
        for order in draft.working_orders(name):
            if order.cancel_at is not None:
                draft.put(replace(order, cancel_at=None))


def _works(draft: Draft, account: Account) -> bool:
    """A disabled account that still has orders or groups is looked after."""
    return bool(draft.working_orders(account.name)) or any(g.account == account.name for g in draft.groups())


def _after_restart(order: Order, draft: Draft) -> Order:
    if order.status in (OrderStatus.PENDING, OrderStatus.UNKNOWN):
        return orders.doubted(order, draft.now, "the program was restarted", fence_from=draft.now)
    return order if order.cancel_sent_at is None else replace(order, cancel_sent_at=None)


def interrupted(draft: Draft, lost: Interrupted) -> None:
    """Have accounts read anew before they trade; what was under way is looked up where answers may be missing."""
    names = lost.accounts or tuple(account.name for account in draft.accounts)
    _wait_no_longer(draft, names)
    for account in draft.accounts:
        if account.name not in names or account.status in (AccountStatus.DISABLED, AccountStatus.ERROR):
            continue
        reason = f"{lost.reason}; reading the exchange again"
        draft.put(replace(account, status=AccountStatus.RECONCILING, reason=reason))
        for order in _told_before(draft, account) if lost.doubt else ():
            sent = order.status is OrderStatus.PENDING and order.sent_at is not None
            if sent or order.status is OrderStatus.UNKNOWN:
                draft.put(orders.doubted(order, draft.now, lost.reason, fence_from=draft.now))
            elif order.cancel_sent_at is not None:
                draft.put(replace(order, cancel_sent_at=None))
    where = f" ({', '.join(lost.accounts)})" if lost.accounts else ""
    text = f"Trading is suspended{where}: {lost.reason}. It goes on once the exchange was read again."
    draft.tell("interrupted", text, Level.WARNING, Category.SYSTEM, notice=True)


def line_changed(draft: Draft, said: LineChanged) -> None:
    """Tell how the line to an exchange is."""
    text = {
        Line.SLOW: "Approaching the exchange's rate limits. Slowing down.",
        Line.BROKEN: "Cannot connect to the exchange. Retrying… Entries wait; what closes is tried first.",
        Line.GOOD: "The exchange answers again.",
    }[said.line]
    level = Level.INFO if said.line is Line.GOOD else Level.WARNING
    draft.tell(f"line_{said.line}", f"{said.account}: {text}", level, Category.API, notice=True)


def unreadable(draft: Draft, said: AccountUnreadable) -> None:
    """An account that cannot be read is on hold from the second time on; it is asked again and again."""
    account = draft.account(said.account)
    if account is None:
        return
    status = account.status
    if status is AccountStatus.READY and said.failures >= UNREADABLE_TWICE:
        status = AccountStatus.HOLD
    if account.reason == said.reason and status is account.status:
        return
    draft.put(replace(account, status=status, reason=said.reason))
    text = f"Account {account.name} cannot be read: {said.reason}"
    draft.tell("account_unreadable", text, Level.ERROR, Category.API, notice=True)


def open_orders(draft: Draft, listed: OpenOrders) -> None:
    """Compare everything that rests on an account with the rows, and let the account trade again.

    The reports about single orders were decided before, each by itself.
    """
    shown = listed.known | {said.client_order_id for said in listed.reports}
    for order in draft.working_orders(listed.account):
        older = order.acknowledged_at is not None and order.acknowledged_at < listed.at
        if older and order.client_order_id not in shown and order.status is not OrderStatus.UNKNOWN:
            # The exchange does not list it any more: how it ended has to be asked.
            draft.put(orders.doubted(order, draft.now, "it rests no more; how it ended is being looked up"))
    account = draft.account(listed.account)
    if account is None:
        return
    _foreign(draft, account, listed)
    _supersede_lost_closes(draft, account, listed)
    if account.status in (AccountStatus.RECONCILING, AccountStatus.HOLD):
        if not listed.unsettled:
            _ready_if_settled(draft, account, listed)
    elif account.checked_at is None or listed.at - account.checked_at >= CHECKED_EVERY:
        draft.put(replace(account, checked_at=listed.at, reason=""))
    elif account.reason and account.status is AccountStatus.READY:
        draft.put(replace(account, reason=""))  # one reading had failed


def _supersede_lost_closes(draft: Draft, account: Account, listed: OpenOrders) -> None:
    """Let a close in doubt be replaced where the exchange itself keeps both from closing more than is held.

    An exit cannot wait for the end of a lost request. The position was read after the close in doubt was
    cancelled, it is this group's alone, and it is all still there.
    """
    if account.market is not Market.SWAP:
        return
    for group in draft.groups():
        if group.account != account.name or group.status is not GroupStatus.CLOSING:
            continue
        held = listed.positions.get((group.exchange, group.symbol), ZERO) * group.side.sign
        lost = [order for order in draft.orders(group.id) if _is_lost(order, listed)]
        if lost and held == group.open_quantity and is_alone(draft, group):
            for order in lost:
                draft.put(replace(order, superseded=True))
            draft.follow(Settle(group_id=group.id))


def _is_lost(order: Order, listed: OpenOrders) -> bool:
    in_doubt = order.purpose is not Purpose.ENTRY and order.status is OrderStatus.UNKNOWN
    cancelled = order.cancel_sent_at is not None and listed.at - order.cancel_sent_at >= CANCELLED_FOR
    return in_doubt and cancelled and not order.superseded


def _foreign(draft: Draft, account: Account, listed: OpenOrders) -> None:
    """Show the orders of others, which are never touched."""
    if not listed.foreign:
        settle_of(draft, account, FindingKind.EXTERNAL, "orders", "They are gone.")
        return
    count = len(listed.foreign)
    some = "; ".join(listed.foreign[:5]) + ("; …" if count > 5 else "")
    note(
        draft,
        FindingKind.EXTERNAL,
        "orders",
        f"{count} orders of others rest on {account.name}: {some}."
        if count > 1
        else f"1 order of others rest on {account.name}: {some}.",
        done="They are left alone.",
        account=account.name,
        world=account.world,
    )


def _ready_if_settled(draft: Draft, account: Account, listed: OpenOrders) -> None:
    """Let an account trade once each of its orders in doubt was looked for, and decide what waited for it.

    Until then the account is read again and again; an order's own report does not end that, because nothing
    trades before everything that rests on the account was read.
    """
    for order in draft.working_orders(account.name):
        if order.status is OrderStatus.UNKNOWN and not order.absences:
            return
    status = AccountStatus.READY if account.enabled else AccountStatus.DISABLED
    draft.put(replace(account, status=status, reason="", checked_at=listed.at))
    for group in draft.groups():
        if group.account == account.name:
            draft.follow(Settle(group_id=group.id))
            # What its targets met while nothing was traded is asked of the price as it is now.
            price = draft.price((group.exchange, group.symbol))
            if price is not None:
                draft.follow(Reached(group_id=group.id, price=price))
    judge_undecided(draft)
    draft.follow(PromoteWaiting(world=account.world))


def judge_undecided(draft: Draft, market: tuple[str, str] | None = None) -> None:
    """Have the alerts decided that waited for an account, a price or a balance, oldest first."""
    for id in draft.view.undecided():
        alert = draft.alert(id)
        if market in (None, (alert.exchange, alert.symbol)):
            draft.follow(Judge(alert_id=id))
