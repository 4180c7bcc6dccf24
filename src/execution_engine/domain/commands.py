"""What the user asks for, in the window or on the command line."""

from __future__ import annotations

from dataclasses import replace

from execution_engine.domain import document as documents
from execution_engine.domain import order as orders
from execution_engine.domain import promotion, queue, recovery
from execution_engine.domain import risk_timer as timers
from execution_engine.domain.audit import Act
from execution_engine.domain.changes import between, told
from execution_engine.domain.closing import begin_closing, cancel_next
from execution_engine.domain.draft import Draft
from execution_engine.domain.errors import Refusal, SettingsError
from execution_engine.domain.facts import Category, Level
from execution_engine.domain.inputs import (
    AccountChanged,
    Answer,
    CancelLegs,
    ExitGroup,
    Judge,
    Promote,
    PromoteWaiting,
    Reached,
    RemoveQueued,
    SaveSettings,
    SetRisk,
    SetTakeProfitMode,
    Settle,
)
from execution_engine.domain.rows import (
    Group,
    Purpose,
    QueuedSignal,
    RiskAction,
    RiskStatus,
    RiskType,
    SettingsVersion,
    World,
)
from execution_engine.domain.settle import name, settle
from execution_engine.domain.signal import Outcome

Reply = Answer | Refusal


def _done(text: str, group_id: int | None = None) -> Answer:
    return Answer(status="done", text=text, group_id=group_id)


def _open_group(draft: Draft, id: int) -> Group | Refusal:
    group = draft.view.group(id)
    if group is None or not group.holds_slot:
        return Refusal("UNKNOWN", f"there is no open group {id}")
    return group


def exit_group(draft: Draft, wish: ExitGroup) -> Reply:
    group = _open_group(draft, wish.group_id)
    if isinstance(group, Refusal):
        return group
    cancel_next(draft, group, "you closed it")
    begin_closing(draft, group.id, Purpose.EXIT, "closed by you")
    settle(draft, group.id)
    draft.record(Act.EXIT, f"{name(group)} on {group.account} was closed by hand.")
    if draft.engine.recovering:
        return _done(f"{name(group)} is closed once you resume: {recovery.NOTHING_SENT}.", group.id)
    return _done(f"{name(group)} is being closed.", group.id)


def cancel_legs(draft: Draft, wish: CancelLegs) -> Reply:
    group = _open_group(draft, wish.group_id)
    if isinstance(group, Refusal):
        return group
    working = [o for o in draft.orders(group.id) if o.purpose is Purpose.ENTRY and not o.is_over]
    for order in working:
        draft.put(orders.request_cancel(order, draft.now))
    settle(draft, group.id)
    draft.record(
        Act.CANCEL_LEGS, f"The open legs of {name(group)} on {group.account} were cancelled by hand."
    )
    return _done(f"{len(working)} open legs of {name(group)} are being cancelled.", group.id)


def set_take_profit_mode(draft: Draft, wish: SetTakeProfitMode) -> Reply:
    group = _open_group(draft, wish.group_id)
    if isinstance(group, Refusal):
        return group
    draft.put(replace(group, tp_mode=wish.mode))
    draft.record(Act.RISK_CHANGED, f"{name(group)} on {group.account} takes its profit {wish.mode} now.")
    settle(draft, group.id)
    price = draft.price((group.exchange, group.symbol))
    if price is not None:
        draft.follow(Reached(group_id=group.id, price=price))  # the new mode's target may be reached already
    return _done(f"{name(group)} takes its profit {wish.mode.replace('_', ' ')} now.", group.id)


def set_risk(draft: Draft, wish: SetRisk) -> Reply:
    group = _open_group(draft, wish.group_id)
    if isinstance(group, Refusal):
        return group
    blocked = group.blocked if wish.blocked is None else wish.blocked
    skip = group.skip_once if wish.skip_once is None else wish.skip_once
    draft.put(replace(group, blocked=blocked, skip_once=skip))
    for kind, changed in (
        (RiskType.MANUAL_SKIP, skip and not group.skip_once),
        (RiskType.MANUAL_BLOCK, blocked and not group.blocked),
        (RiskType.MANUAL_UNBLOCK, group.blocked and not blocked),
    ):
        if changed:
            _keep_manual(draft, group, kind)
    draft.record(
        Act.RISK_CHANGED,
        f"{name(group)} on {group.account} for the risk engine: blocked {blocked}, skipped once {skip}.",
    )
    skipped = ", skipped once" if skip else ""
    if blocked:
        return _done(f"{name(group)} is blocked for the risk engine{skipped}.", group.id)
    return _done(f"{name(group)} is free for the risk engine{skipped}.", group.id)


def _keep_manual(draft: Draft, group: Group, kind: RiskType) -> None:
    """Keep what was done by hand in the history of the risk engine."""
    draft.put(
        RiskAction(
            id=draft.new_id(),
            world=group.world,
            type=kind,
            status=RiskStatus.DONE,
            loser=group.id,
            by_hand=True,
            notes=f"{name(group)} on {group.account}",
            started_at=draft.now,
            finished_at=draft.now,
        )
    )


def close_all(draft: Draft) -> Reply:
    """Pause, empty the queues, close every group: what reduces risk goes on while paused.

    After a restore it is the user's word that the books may be acted on.
    """
    if draft.engine.recovering:
        recovery.end(draft)
    pause(draft)
    waiting = sum(queue.empty(draft, world, "everything was closed") for world in World)
    groups = draft.groups()
    for group in groups:
        cancel_next(draft, group, "everything was closed")
        begin_closing(draft, group.id, Purpose.EXIT, "everything was closed")
        draft.follow(Settle(group_id=group.id))  # each by itself: a defect in one must not keep another open
    text = (
        f"{len(groups)} groups are being closed, {waiting} queued signals were removed; the engine is paused."
    )
    draft.tell("close_all", text, Level.WARNING, notice=True)
    draft.record(Act.CLOSE_ALL, text)
    return _done(text)


def pause(draft: Draft) -> Reply:
    if not draft.engine.paused:
        draft.put(replace(draft.engine, paused=True, paused_at=draft.now))
        for group in draft.groups():
            cancel_next(draft, group, "paused")
        draft.record(Act.PAUSED, "Paused by hand.")
        draft.tell("paused", "Paused: alerts are stored, nothing is opened.", Level.WARNING, Category.SYSTEM)
    return _done("Paused: alerts are stored, nothing is opened; exits, targets and fills go on.")


def resume(draft: Draft) -> Reply:
    if draft.engine.recovering:
        recovery.end(draft)
    if draft.engine.paused:
        draft.put(replace(draft.engine, paused=False, paused_at=None))
        draft.record(Act.RESUMED, "Resumed by hand.")
        draft.tell("resumed", "Running again.", category=Category.SYSTEM)
        _wake(draft)
    return _done("Running.")


def _wake(draft: Draft) -> None:
    """Have decided what waited, after something that held it back is gone."""
    for id in draft.view.undecided():
        draft.follow(Judge(alert_id=id))
    for world in World:
        draft.follow(PromoteWaiting(world=world))


def _waiting(draft: Draft, id: int) -> QueuedSignal | Refusal:
    row = draft.view.queued(id)
    if row is None or row.outcome is not None:
        return Refusal("UNKNOWN", f"no signal {id} waits in the queue")
    return row


def promote(draft: Draft, wish: Promote) -> Reply:
    row = _waiting(draft, wish.queued_id)
    if isinstance(row, Refusal):
        return row
    opened = promotion.force(draft, row)
    if isinstance(opened, Refusal):
        return opened
    draft.record(Act.PROMOTED, f"{name(opened)} on {opened.account} was forced into the pool.")
    return _done(f"Position group for {name(opened)} has been forced into the pool.", opened.id)


def remove_queued(draft: Draft, wish: RemoveQueued) -> Reply:
    row = _waiting(draft, wish.queued_id)
    if isinstance(row, Refusal):
        return row
    queue.dequeue(draft, row, Outcome.CANCELLED, "removed by you")
    draft.record(
        Act.QUEUE_REMOVED, f"{row.symbol} {row.timeframe} on {row.account} was taken out of the queue."
    )
    return _done(f"{row.symbol} {row.timeframe} was removed from the queue.")


def save_settings(draft: Draft, wish: SaveSettings) -> Reply:
    """Check and store a whole document; it is in force for the next decision."""
    try:
        settings = documents.parse(wish.document)
    except SettingsError as error:
        return Refusal("SETTINGS", str(error))
    what = told(between(draft.view.settings, settings))
    draft.settings = settings
    _retime(draft)
    id = draft.new_id()
    draft.put(SettingsVersion(id=id, saved_at=draft.now, document=documents.dump(settings), note=wish.note))
    draft.record(Act.SETTINGS_SAVED, f"Settings were saved{f' ({wish.note})' if wish.note else ''}: {what}.")
    draft.tell("settings_saved", "Settings were saved.", category=Category.SYSTEM)
    queue.set_expiry(draft)
    _wake(draft)
    return _done("Settings were saved.")


def _retime(draft: Draft) -> None:
    """Risk settings apply at once, to timers that run as well."""
    before, risk = draft.view.settings.risk, draft.settings.risk
    waits = (before.timer_start, before.post_full_wait_minutes)
    if waits == (risk.timer_start, risk.post_full_wait_minutes):
        return
    for group in draft.groups():
        timed = timers.resettled(group, draft.legs(group.id), before, risk, draft.now)
        if timed != group:
            draft.put(timed)


def change_account(draft: Draft, wish: AccountChanged) -> Reply:
    draft.put(wish.account)
    return _done(f"Account {wish.account.name} was saved.")
