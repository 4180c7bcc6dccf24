"""Slots: who gets one, who waits, who is next."""

from __future__ import annotations

from dataclasses import replace

from execution_engine.domain import age, queue
from execution_engine.domain import entry as entries
from execution_engine.domain.draft import Draft
from execution_engine.domain.entry import Entry, Waiting
from execution_engine.domain.errors import Refusal
from execution_engine.domain.grid import money
from execution_engine.domain.instrument import Side
from execution_engine.domain.money import percent_change, text
from execution_engine.domain.rows import (
    Account,
    AccountStatus,
    Alert,
    Group,
    GroupStatus,
    QueuedSignal,
    World,
)
from execution_engine.domain.settle import finish, name, settle, take
from execution_engine.domain.signal import Outcome


def start(draft: Draft, alert: Alert, account: Account, side: Side) -> Refusal | None:
    """Open a group for a new key, or let its signal wait for a slot: one step, so no slot is shared."""
    refusal = entries.refused_outright(draft, alert, account, side)
    if refusal is not None:
        return refusal
    if not has_slot(draft, account.world):
        return queue.enqueue(draft, alert, account, side, "the pool is full")
    entry = entries.prepare(draft, alert, account, side)
    if isinstance(entry, Entry):
        forget_waiting(draft, alert, account, "a newer signal of its key was opened", Outcome.REPLACED)
        open_with(draft, alert, entry)
    return entry if isinstance(entry, Refusal) else None


def has_slot(draft: Draft, world: World) -> bool:
    return draft.slots_used(world) < draft.settings.pool.max_open_groups


def open_with(draft: Draft, alert: Alert, entry: Entry, *, forced: bool = False) -> Group:
    """Write a group and its orders; the alert's outcome comes when the exchange took a leg."""
    group = entries.open_group(draft, alert, entry, forced=forced)
    take(draft, alert, group)
    draft.put(replace(draft.alert(alert.id), reason=_slots(draft, group)))
    settle(draft, group.id, legs=())  # nothing filled yet
    group = draft.group(group.id)
    draft.tell(
        "group_opening",
        f"{name(group)} {group.side} on {group.account}: {len(entry.legs)} legs from {text(entry.base_price)}",
        group=group,
        alert=alert,
    )
    return group


def _slots(draft: Draft, group: Group) -> str:
    """Say how full the pool is with this group: what the reader of its alert wants to know later."""
    forced = "forced into the pool; " if group.forced else ""
    return f"{forced}pool {draft.slots_used(group.world)} / {draft.settings.pool.max_open_groups}"


def forget_waiting(
    draft: Draft, alert: Alert, account: Account, why: str, outcome: Outcome = Outcome.CANCELLED
) -> bool:
    """Take an alert's key out of the queue; the alert itself is not ended. Returns whether one waited."""
    key = (account.name, alert.exchange, alert.symbol, alert.timeframe)
    for row in draft.waiting(account.world):
        if row.key == key:
            queue.dequeue(draft, row, outcome, why)
            return True
    return False


def second_half(draft: Draft, group_id: int, alert_id: int) -> None:
    """Decide on the entry of a reversal by an entry's rules; whatever they say, the exit has run."""
    group = draft.group(group_id)
    alert = draft.alert(alert_id)
    account = draft.account(group.account)
    assert account is not None  # accounts with groups are not removed
    stale = age.entry_fault(alert, draft.settings.signals, draft.now)
    entry = stale or entries.prepare(draft, alert, account, group.side.opposite)
    if isinstance(entry, Entry):
        open_with(draft, alert, entry)
        return
    why = entry.message if isinstance(entry, Refusal) else "its price or balance was not known"
    if alert.group_id == group.id:  # otherwise another account has opened its new side
        finish(draft, alert, Outcome.EXITED, f"the new side was not opened: {why}", group.id)


def promote(draft: Draft, world: World) -> None:
    """Give free slots to waiting signals, in order; keys that are closing are passed over."""
    if draft.engine.paused or draft.view.world_hold(world):
        return
    for row in queue.promotion_order(draft.waiting(world)):
        if not has_slot(draft, world):
            return
        if draft.queued(row.id).outcome is None and _may_go(draft, row):
            _promote(draft, row)


def _may_go(draft: Draft, row: QueuedSignal) -> bool:
    account = draft.account(row.account)
    if account is None or account.status is not AccountStatus.READY:
        return False
    return draft.group_of(row.key) is None and draft.price((row.exchange, row.symbol)) is not None


def _promote(draft: Draft, row: QueuedSignal, *, forced: bool = False) -> Refusal | Group | None:
    """Open one waiting signal; a refusal by the rules ends it, a missing balance leaves it waiting."""
    account = draft.account(row.account)
    alert = draft.alert(row.alert_id)
    assert account is not None  # asked by the callers
    runaway = _runaway(draft, row)
    if runaway is not None:
        queue.dequeue(draft, row, Outcome.EXPIRED, runaway.message)
        return runaway
    entry = entries.prepare(draft, alert, account, row.side, promoted=True)
    if isinstance(entry, Entry):
        queue.dequeue(draft, row, Outcome.OPENED, "promoted", keep_alert=True)
        return open_with(draft, alert, entry, forced=forced)
    if isinstance(entry, Waiting):
        return None
    if not forced and entry.code != "ENTRIES_PER_DAY":
        queue.dequeue(draft, row, Outcome.REJECTED, entry.message)
    return entry


def _runaway(draft: Draft, row: QueuedSignal) -> Refusal | None:
    """A price that ran away on the gain side leaves nothing to enter."""
    price = draft.price((row.exchange, row.symbol))
    if price is None or row.entry_price is None:
        return None
    gain = percent_change(price.last, row.entry_price) * row.side.sign
    limit = draft.settings.signals.max_deviation_percent
    if gain <= limit:
        return None
    return Refusal("RUNAWAY", f"the price ran {money(gain)} % away on the gain side")


def force(draft: Draft, row: QueuedSignal) -> Refusal | Group:
    """Open one waiting signal past the pool's limit."""
    account = draft.account(row.account)
    if draft.engine.paused:
        return Refusal("PAUSED", "the engine is paused; resume it first")
    if held := draft.view.world_hold(row.world):
        return Refusal("HOLD", f"nothing new is begun: {held}")
    if account is None or account.status is not AccountStatus.READY:
        return Refusal("ACCOUNT", f"account “{row.account}” is not ready")
    group = draft.group_of(row.key)
    if group is not None and group.status is GroupStatus.CLOSING:
        return Refusal("CLOSING", f"{name(group)} is still closing")
    if draft.price((row.exchange, row.symbol)) is None:
        return Refusal("PRICE", "no market price")
    opened = _promote(draft, row, forced=not has_slot(draft, row.world))
    return opened or Refusal("BALANCE", f"the balance of “{row.account}” is not known yet")
