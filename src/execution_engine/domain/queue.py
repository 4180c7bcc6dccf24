"""Signals that wait for a slot."""

from __future__ import annotations

from datetime import datetime, timedelta

from execution_engine.domain.draft import Draft
from execution_engine.domain.errors import Refusal
from execution_engine.domain.instrument import Side
from execution_engine.domain.ranking import joined
from execution_engine.domain.replacing import replace
from execution_engine.domain.rows import Account, Alert, QueuedSignal, World
from execution_engine.domain.settings import Overflow
from execution_engine.domain.settle import finish
from execution_engine.domain.signal import Outcome


def enqueue(draft: Draft, alert: Alert, account: Account, side: Side, why: str) -> Refusal | None:
    """Let a signal wait; a waiting one of the same key is replaced and keeps its place in time."""
    signal = alert.parsed
    key = (account.name, signal.exchange, signal.symbol, signal.timeframe)
    same = draft.waiting_of(key)
    if same is not None:
        _replace(draft, same, alert, side)
    else:
        refusal = _make_room(draft, account.world)
        if refusal is not None:
            return refusal
        draft.put(_new(draft, alert, account, side))
    finish(draft, draft.alert(alert.id), Outcome.QUEUED, why)
    return None


def _new(draft: Draft, alert: Alert, account: Account, side: Side) -> QueuedSignal:
    age = draft.settings.pool.max_queue_age_s
    return QueuedSignal(
        id=draft.new_id(),
        alert_id=alert.id,
        account=account.name,
        world=account.world,
        exchange=alert.exchange,
        symbol=alert.symbol,
        timeframe=alert.timeframe,
        side=side,
        entry_price=alert.parsed.entry_price,
        queued_at=draft.now,
        updated_at=draft.now,
        expires_at=expiry(draft.now, age),
    )


def expiry(queued_at: datetime, max_queue_age_s: int) -> datetime | None:
    """Return when a signal has waited too long; None where the waiting has no end."""
    return queued_at + timedelta(seconds=max_queue_age_s) if max_queue_age_s else None


def set_expiry(draft: Draft) -> None:
    """Have the settings in force tell how long those wait that wait already."""
    for world in World:
        for row in draft.waiting(world):
            at = expiry(row.queued_at, draft.settings.pool.max_queue_age_s)
            if at != row.expires_at:
                draft.put(replace(row, expires_at=at))


def _replace(draft: Draft, same: QueuedSignal, alert: Alert, side: Side) -> None:
    _end(draft, same, Outcome.REPLACED, f"by alert {alert.id}")
    draft.put(
        replace(
            same,
            alert_id=alert.id,
            side=side,
            entry_price=alert.parsed.entry_price,
            updated_at=draft.now,
            replacement_count=same.replacement_count + 1 if side is same.side else 0,
        )
    )


def _make_room(draft: Draft, world: World) -> Refusal | None:
    """Drop those that would be promoted last, if the settings say so, until there is room for one."""
    pool = draft.settings.pool
    while draft.waiting_count(world) >= pool.max_queue:
        lowest = _lowest(draft, world) if pool.overflow is Overflow.DROP_LOWEST and pool.max_queue else None
        if lowest is None:
            return Refusal("QUEUE_FULL", f"the pool and the queue are full ({pool.max_queue} signals wait)")
        dequeue(draft, lowest, Outcome.REJECTED, "dropped from the full queue by a newer signal")
    return None


def _lowest(draft: Draft, world: World) -> QueuedSignal | None:
    """Return who is promoted last, at the prices that are known now."""
    joins = [row.id for row, group in draft.held_keys(world) if joined(row, group)]
    return draft.line(world).lowest(draft.last_price, joins)


def dequeue(
    draft: Draft,
    row: QueuedSignal,
    outcome: Outcome,
    why: str,
    *,
    keep_alert: bool = False,
) -> None:
    """Take a signal out of the queue and end its alert, unless the alert goes on by another way."""
    draft.put(replace(row, outcome=outcome, reason=why, finished_at=draft.now))
    if not keep_alert:
        _end(draft, row, outcome, why)


def _end(draft: Draft, row: QueuedSignal, outcome: Outcome, why: str) -> None:
    """End the alert of a signal, unless another account still queues it or has taken it."""
    alert = draft.alert(row.alert_id)
    others = (
        draft.waiting_of((account.name, *row.key[1:]))
        for account in draft.accounts
        if account.name != row.account
    )
    if alert.outcome is Outcome.QUEUED and not any(
        other is not None and other.alert_id == alert.id for other in others
    ):
        finish(draft, alert, outcome, why)


def empty(draft: Draft, world: World, why: str) -> int:
    """Cancel everything that waits in a world; return how many."""
    waiting = draft.waiting(world)
    for row in waiting:
        dequeue(draft, row, Outcome.CANCELLED, why)
    return len(waiting)
