"""What a price, a balance or the time changes."""

from __future__ import annotations

from datetime import datetime, timedelta

from execution_engine.domain import listings, netting, queue
from execution_engine.domain.closing import begin_closing
from execution_engine.domain.draft import FRESH, Draft, is_fresh
from execution_engine.domain.inputs import Balances, Judge, Price, PromoteWaiting, Reached
from execution_engine.domain.position import totals
from execution_engine.domain.readiness import judge_undecided
from execution_engine.domain.replacing import replace
from execution_engine.domain.rows import (
    AccountStatus,
    Archive,
    Group,
    GroupStatus,
    Purpose,
    QueuedSignal,
    World,
)
from execution_engine.domain.settings import Settings
from execution_engine.domain.settle import name, settle, trigger
from execution_engine.domain.signal import Outcome, TakeProfitMode
from execution_engine.domain.take_profit import (
    closing_price,
    is_done,
    reached,
    watches_aggregate,
    watches_leg,
)

ARCHIVE_AFTER = timedelta(hours=1)
ROUNDED = timedelta(milliseconds=1)  # so much a time may lose that an exchange tells in nanoseconds


def price(draft: Draft, now: Price) -> None:
    """Have everything decided that this price of one market concerns; one that is old news decides nothing."""
    if not is_fresh(now, draft.now):
        return
    for group_id in draft.view.reached(now):
        if not _is_being_read(draft, group_id):
            draft.follow(Reached(group_id=group_id, price=now))
    judge_undecided(draft, now.key)
    for world in World:
        if draft.view.waiting_count(world):
            draft.follow(PromoteWaiting(world=world))


def _is_being_read(draft: Draft, group_id: int) -> bool:
    """Nothing is sold or booked on what was true before; the price at the end of the reading decides."""
    if draft.engine.recovering:
        return True
    account = draft.account(draft.group(group_id).account)
    return account is not None and account.status is AccountStatus.RECONCILING


def take_profit(draft: Draft, group: Group, now: Price) -> None:
    """Close what one price reached: legs at their own targets first, then the aggregate on what is left."""
    if draft.engine.recovering or _was_overtaken(draft, now):
        return
    got = closing_price(now, group.side)
    instrument = draft.instrument(group.exchange, group.symbol)
    hit = [
        leg
        for leg in draft.legs(group.id)
        if watches_leg(group, leg, instrument) and reached(group.side, got, leg.tp_price)
    ]
    if hit:
        for leg in hit:
            draft.put(trigger(leg, draft))
        numbers = ", ".join(f"{leg.pyramid_index + 1}·{leg.index}" for leg in hit)
        draft.tell("target_reached", f"{name(group)}: target of {numbers} reached at {got}", group=group)
        settle(draft, group.id, legs=())  # a price fills nothing by itself
        group = draft.group(group.id)
    if not group.is_open or group.tp_mode is TakeProfitMode.PER_LEG:
        return
    left = [leg for leg in draft.legs(group.id) if leg.triggered_at is None]
    target = totals(group, left, instrument).aggregate_target
    if target is None or not watches_aggregate(group, target, instrument):
        return
    if reached(group.side, got, target):
        begin_closing(draft, group.id, Purpose.TAKE_PROFIT, f"its common target was reached at {got}")
        settle(draft, group.id, legs=())  # a price fills nothing by itself


def _was_overtaken(draft: Draft, price: Price) -> bool:
    """Return whether an entry filled after a price was quoted: what was bought in a fall is not sold as before it.

    Both times are the exchange's own. Where they are further apart than a late price, or one of them from now, it is
    not what it is taken for, and decides nothing.
    """
    filled, quoted = draft.view.entry_filled_at(price.key), price.quoted_at
    if filled is None or quoted is None or abs(price.at - quoted) > FRESH:
        return False
    return ROUNDED < filled - quoted <= FRESH


def balances(draft: Draft, read: Balances) -> None:
    """Have decided what waited for a balance, or for a newer one."""
    judge_undecided(draft)
    account = draft.account(read.account)
    if account is not None and draft.waiting_count(account.world):
        draft.follow(PromoteWaiting(world=account.world))


def due_row(draft: Draft, id: int) -> None:
    """Do what the time in one row asks for; a row that has changed meanwhile asks for nothing."""
    group, row, alert = draft.view.group(id), draft.view.queued(id), draft.view.alert(id)
    order = draft.view.order(id)
    if group is not None:
        _due_group(draft, group)
    elif row is not None:
        _due_queued(draft, row)
    elif alert is not None and alert.outcome is None and alert.decided_at is None:
        draft.follow(Judge(alert_id=id))
    elif order is not None and order.rules_by is not None and draft.now >= order.rules_by:
        draft.put(replace(order, rules_by=None))  # the rules were not what it broke, or cannot be read
        settle(draft, order.group_id)
    elif order is not None and order.cancel_at is not None and draft.now >= order.cancel_at:
        draft.put(replace(order, cancel_at=None))


def _due_group(draft: Draft, group: Group) -> None:
    at = next_time(group, draft.settings)
    if at is None or draft.now < at:
        return
    if is_done(group):
        draft.put(Archive(group.id))
    elif group.retry_at is not None:
        draft.put(replace(group, retry_at=None))
        if not _is_being_read(draft, group.id):
            netting.net_out(draft, group)
        settle(draft, group.id)
        listings.remind(draft, draft.group(group.id))
    else:
        hours = draft.settings.grid.max_unfilled_hours
        begin_closing(draft, group.id, Purpose.EXIT, f"nothing filled within {hours} h")
        settle(draft, group.id)


def next_time(group: Group, settings: Settings) -> datetime | None:
    """Return when a group asks for attention by itself: a retry, its end without a fill, its move to history."""
    if is_done(group):
        # It stays for the day, because the day's entries are counted in the book.
        ended = group.closed_at or group.created_at
        midnight = ended.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
        return max(ended + ARCHIVE_AFTER, midnight)
    if group.retry_at is not None:
        return group.retry_at
    hours = settings.grid.max_unfilled_hours
    if not hours or group.filled_quantity or group.status is GroupStatus.CLOSING:
        return None
    return group.created_at + timedelta(seconds=int(hours * 3600))


def _due_queued(draft: Draft, row: QueuedSignal) -> None:
    if row.expires_at is None or draft.now < row.expires_at:
        return  # the settings have changed meanwhile
    waited = int((draft.now - row.queued_at).total_seconds())
    queue.dequeue(draft, row, Outcome.EXPIRED, f"waited {waited} s, longer than pool.max_queue_age_s")
