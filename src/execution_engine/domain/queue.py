"""Signals that wait for a slot."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

from execution_engine.domain.draft import Draft
from execution_engine.domain.errors import Refusal
from execution_engine.domain.instrument import Side
from execution_engine.domain.rows import Account, Alert, QueuedSignal, World
from execution_engine.domain.settings import Overflow
from execution_engine.domain.settle import finish
from execution_engine.domain.signal import Outcome


def promotion_order(waiting: Iterable[QueuedSignal]) -> list[QueuedSignal]:
    """Return who goes first: first in, first out."""
    return sorted(waiting, key=lambda row: (row.queued_at, row.id))


def reason(rank: int) -> str:
    """Say in words why a signal has its rank (1 is next)."""
    return "next" if rank == 1 else f"{rank - 1} came before it"


def enqueue(draft: Draft, alert: Alert, account: Account, side: Side, why: str) -> Refusal | None:
    """Let a signal wait; a waiting one of the same key is replaced and keeps its place in time."""
    signal = alert.parsed
    key = (account.name, signal.exchange, signal.symbol, signal.timeframe)
    waiting = draft.waiting(account.world)
    same = next((row for row in waiting if row.key == key), None)
    if same is not None:
        _replace(draft, same, alert, side)
    else:
        refusal = _make_room(draft, waiting)
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
        expires_at=draft.now + timedelta(seconds=age) if age else None,
    )


def _replace(draft: Draft, same: QueuedSignal, alert: Alert, side: Side) -> None:
    old = draft.alert(same.alert_id)
    finish(draft, old, Outcome.REPLACED, f"by alert {alert.id}")
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


def _make_room(draft: Draft, waiting: list[QueuedSignal]) -> Refusal | None:
    pool = draft.settings.pool
    if len(waiting) < pool.max_queue:
        return None
    if pool.overflow is Overflow.REJECT_NEW or not waiting:
        return Refusal("QUEUE_FULL", f"the pool and the queue are full ({pool.max_queue} signals wait)")
    dequeue(
        draft, promotion_order(waiting)[-1], Outcome.REJECTED, "dropped from the full queue by a newer signal"
    )
    return None


def dequeue(
    draft: Draft,
    row: QueuedSignal,
    outcome: Outcome,
    why: str,
    group_id: int | None = None,
    *,
    keep_alert: bool = False,
) -> None:
    """Take a signal out of the queue and end its alert, unless the alert goes on by another way."""
    draft.put(replace(row, outcome=outcome, reason=why, finished_at=draft.now))
    if not keep_alert:
        finish(draft, draft.alert(row.alert_id), outcome, why)


def empty(draft: Draft, world: World, why: str) -> int:
    """Cancel everything that waits in a world; return how many."""
    waiting = draft.waiting(world)
    for row in waiting:
        dequeue(draft, row, Outcome.CANCELLED, why)
    return len(waiting)
