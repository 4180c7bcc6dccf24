"""Slots: who gets one, who waits, who is next."""

from __future__ import annotations

from datetime import timedelta

from execution_engine.domain import age, queue
from execution_engine.domain import entry as entries
from execution_engine.domain.draft import Draft
from execution_engine.domain.entry import Entry
from execution_engine.domain.errors import Refusal
from execution_engine.domain.inputs import PromoteWaiting
from execution_engine.domain.instrument import Side
from execution_engine.domain.money import text
from execution_engine.domain.ranking import GroupKey, Market
from execution_engine.domain.replacing import replace
from execution_engine.domain.rows import Account, AccountStatus, Alert, Group, QueuedSignal, World
from execution_engine.domain.settle import finish, name, settle, take
from execution_engine.domain.signal import Outcome

NOT_AGAIN_FOR = timedelta(seconds=5)  # a price that could not be had is not asked for at every turn


def start(draft: Draft, alert: Alert, account: Account, side: Side) -> Refusal | None:
    """Open a group for a new key, or let its signal wait for a slot: one step, so no slot is shared."""
    refusal = entries.refused_outright(draft, alert, account, side)
    if refusal is not None:
        return refusal
    if not has_slot(draft, account.world):
        return queue.enqueue(draft, alert, account, side, "the pool is full")
    if others_first(draft, account.world, (account.name, alert.exchange, alert.symbol, alert.timeframe)):
        draft.follow(PromoteWaiting(world=account.world))
        return queue.enqueue(draft, alert, account, side, "others wait for the free slot")
    entry = entries.prepare(draft, alert, account, side)
    if isinstance(entry, Entry):
        forget_waiting(draft, alert, account, "a newer signal of its key was opened", Outcome.REPLACED)
        open_with(draft, alert, entry)
    return entry if isinstance(entry, Refusal) else None


def has_slot(draft: Draft, world: World) -> bool:
    return draft.slots_used(world) < draft.settings.pool.max_open_groups


def others_first(draft: Draft, world: World, key: GroupKey) -> bool:
    """Return whether a signal of another key waits that a free slot may go to: a new one takes its turn."""
    if not draft.waiting_count(world) or day_is_full(draft, world):
        return False
    return any(
        row.key != key and draft.group_of(row.key) is None and is_ready(draft, row)
        for row in draft.line(world).rows()
    )


def is_ready(draft: Draft, row: QueuedSignal) -> bool:
    """Return whether a waiting signal could be opened now, as far as account and market go."""
    account = draft.account(row.account)
    if account is None or account.status is not AccountStatus.READY:
        return False
    if draft.view.balance(account.name) is None:
        return False
    market = (row.exchange, row.symbol)
    return draft.price(market) is not None or not was_asked(draft, row.world, market)


def was_asked(draft: Draft, world: World, market: Market) -> bool:
    """Return whether a market's price was asked for just now: what did not come of it cannot be had."""
    asked = draft.view.asked(world)
    return (
        asked is not None
        and asked.answered
        and market in asked.markets
        and abs(draft.now - asked.at) <= NOT_AGAIN_FOR
    )


def day_is_full(draft: Draft, world: World) -> bool:
    """Return whether no more entries may be placed in a world today; promotions wait for tomorrow."""
    limit = draft.settings.signals.max_entries_per_day
    return 0 < limit <= draft.entries_today(world)


def open_with(draft: Draft, alert: Alert, entry: Entry, *, forced: bool = False, why: str = "") -> Group:
    """Write a group and its orders; the alert's outcome comes when the exchange took a leg.

    why: what it owes its promotion to.
    """
    group = entries.open_group(draft, alert, entry, forced=forced)
    if draft.alert(alert.id).outcome is not Outcome.OPENED:  # otherwise another account has taken it
        take(draft, alert, group)
        draft.put(replace(draft.alert(alert.id), reason=_slots(draft, group, why)))
    settle(draft, group.id, legs=())  # nothing filled yet
    group = draft.group(group.id)
    draft.tell(
        "group_opening",
        f"{name(group)} {group.side} on {group.account}: {len(entry.legs)} legs from {text(entry.base_price)}",
        group=group,
        alert=alert,
    )
    return group


def _slots(draft: Draft, group: Group, why: str) -> str:
    """Say how full the pool is with this group: what the reader of its alert wants to know later."""
    before = "forced into the pool; " if group.forced else f"{why}; " if why else ""
    return f"{before}pool {draft.slots_used(group.world)} / {draft.settings.pool.max_open_groups}"


def forget_waiting(
    draft: Draft, alert: Alert, account: Account, why: str, outcome: Outcome = Outcome.CANCELLED
) -> bool:
    """Take an alert's key out of the queue; the alert itself is not ended. Returns whether one waited."""
    row = draft.waiting_of((account.name, alert.exchange, alert.symbol, alert.timeframe))
    if row is not None:
        queue.dequeue(draft, row, outcome, why)
    return row is not None


def _on_hold(draft: Draft, account: Account) -> Refusal | None:
    """A turn is not left half done: what may not be opened now is not opened later at another price."""
    if held := draft.view.world_hold(account.world):
        return Refusal("HOLD", f"the {account.world} world is on hold: {held}")
    if account.status is AccountStatus.HOLD:
        return Refusal("HOLD", f"the account “{account.name}” is on hold: {account.reason}")
    return None


def second_half(draft: Draft, group_id: int, alert_id: int) -> None:
    """Decide on the entry of a reversal by an entry's rules; whatever they say, the exit has run."""
    group = draft.group(group_id)
    alert = draft.alert(alert_id)
    account = draft.account(group.account)
    assert account is not None  # accounts with groups are not removed
    refused = age.entry_fault(alert, draft.settings.signals, draft.now) or _on_hold(draft, account)
    entry = refused or entries.prepare(draft, alert, account, group.side.opposite)
    if isinstance(entry, Entry):
        open_with(draft, alert, entry)
        return
    why = entry.message if isinstance(entry, Refusal) else "its price or balance was not known"
    if alert.group_id == group.id:  # otherwise another account has opened its new side
        finish(draft, alert, Outcome.EXITED, f"the new side was not opened: {why}", group.id)
