"""From a received alert to what is done about it."""

from __future__ import annotations

from datetime import timedelta

from execution_engine.domain import age, queue
from execution_engine.domain import entry as entries
from execution_engine.domain import risk_timer as timers
from execution_engine.domain.audit import Act
from execution_engine.domain.closing import begin_closing, cancel_next
from execution_engine.domain.draft import Draft
from execution_engine.domain.errors import Refusal
from execution_engine.domain.facts import Category, Level
from execution_engine.domain.hints import point_out
from execution_engine.domain.inputs import AlertReceived, Answer, Replay, RequestRefused, Settle
from execution_engine.domain.instrument import Side
from execution_engine.domain.missed import sent_by_hand
from execution_engine.domain.pool import forget_waiting, start
from execution_engine.domain.replacing import replace
from execution_engine.domain.routing import route
from execution_engine.domain.rows import (
    Account,
    AccountStatus,
    Alert,
    AlertKey,
    Group,
    GroupStatus,
    Purpose,
    RefusedRequest,
)
from execution_engine.domain.settings import Opposite
from execution_engine.domain.settle import finish, settle, take
from execution_engine.domain.signal import Outcome, SignalType

KEY_LIFETIME = timedelta(days=90)


def receive(draft: Draft, received: AlertReceived) -> Answer:
    """Store an alert once and decide on it as far as everything it needs is known."""
    first = _first_copy(draft, received)
    if first is not None:
        return _duplicate(draft, first, received)
    alert = store(draft, received)
    point_out(draft, alert)
    judge(draft, alert)
    return Answer(status="accepted", alert_id=alert.id)


def _first_copy(draft: Draft, received: AlertReceived) -> AlertKey | None:
    """Return the key of the alert that this one is a copy of."""
    if received.replay_of is not None:
        return None
    key = draft.alert_key(received.key)
    if key is None:
        return None
    by_id = received.signal.id is not None
    window = KEY_LIFETIME if by_id else timedelta(seconds=draft.settings.signals.duplicate_window_s)
    if received.received_at - key.received_at > window:
        return None
    # An exit under a used id is carried out: closing too often does no harm, not closing does.
    return None if by_id and key.body_hash != received.body_hash and received.signal.is_exit else key


def _duplicate(draft: Draft, first: AlertKey, received: AlertReceived) -> Answer:
    draft.put(replace(first, duplicates=first.duplicates + 1))
    if first.body_hash != received.body_hash:
        draft.tell(
            "same_id_other_body",
            f"An alert came with the id of alert {first.id} but another body. It was taken for a copy; "
            "give every alert an id of its own, with {{timenow}} in it.",
            Level.WARNING,
            notice=True,
        )
    return Answer(status="duplicate", alert_id=first.id)


def store(draft: Draft, received: AlertReceived) -> Alert:
    signal = received.signal
    alert = Alert(
        id=draft.new_id(),
        received_at=received.received_at,
        body=received.body,
        parsed=signal,
        token=received.token,
        source=received.source,
        exchange=signal.exchange,
        symbol=signal.symbol,
        timeframe=signal.timeframe,
        side=None if signal.is_exit else signal.side,
        allowed=received.accounts,
        replay_of=received.replay_of,
    )
    draft.put(alert)
    key = received.key if received.replay_of is None else f"replay:{alert.id}"
    draft.put(AlertKey(id=alert.id, key=key, body_hash=received.body_hash, received_at=received.received_at))
    return alert


def judge(draft: Draft, alert: Alert) -> None:
    """Decide on a stored alert; leave it undecided while an account, a price or a balance is missing."""
    accounts = _unfit(draft, alert) or route(draft, alert)
    if isinstance(accounts, Refusal):
        _reject(draft, alert, accounts)
        return
    if any(not _can_act(draft, account, alert) for account in accounts):
        return
    removed = alert.parsed.is_exit and _cancel_undecided(draft, alert)
    if not accounts:
        _nothing_held(draft, replace(draft.alert(alert.id), signal=SignalType.EXIT), removed)
        return
    for account in accounts:
        refusal = _act(draft, draft.alert(alert.id), account)
        if refusal is not None:
            _reject(draft, alert, refusal)


def judge_again(draft: Draft, alert_id: int) -> None:
    """Decide on an alert that waited, unless that has happened meanwhile."""
    alert = draft.alert(alert_id)
    if alert.outcome is None and alert.decided_at is None:
        judge(draft, alert)


def _can_act(draft: Draft, account: Account, alert: Alert) -> bool:
    """An account acts once it is reconciled; on hold, or in a world on hold, it only gets what closes."""
    if _closes(draft, account, alert):
        return account.status in (AccountStatus.READY, AccountStatus.HOLD) or not account.enabled
    if draft.view.world_hold(account.world):
        return False
    return account.status is AccountStatus.READY or not account.enabled


def _closes(draft: Draft, account: Account, alert: Alert) -> bool:
    """Return whether the first thing that an alert does on an account is to close: an exit, or a turn."""
    signal = alert.parsed
    group = draft.group_of((account.name, signal.exchange, signal.symbol, signal.timeframe))
    if signal.is_exit or group is None:
        return signal.is_exit
    return group.side is not signal.side and _turns(draft, alert, group)


def _unfit(draft: Draft, alert: Alert) -> Refusal | None:
    if alert.parsed.contradicts_itself:
        named = " and ".join(dict.fromkeys(side.value for side in alert.parsed.sides))
        return Refusal("CONTRADICTION", f"the alert contradicts itself: its parts name {named}")
    return age.fault(alert, draft.settings.signals, draft.now)


def _reject(draft: Draft, alert: Alert, refusal: Refusal) -> None:
    """Tell what was refused; it is the alert's outcome unless another account has taken the alert."""
    alert = draft.alert(alert.id)
    draft.tell(
        "alert_rejected",
        f"{alert.symbol} {alert.timeframe}: rejected: {refusal.message}",
        Level.WARNING,
        alert=alert,
    )
    if alert.decided_at is None:
        kind = alert.signal or _guess(alert)
        finish(draft, replace(alert, signal=kind), Outcome.REJECTED, refusal.message)


def _guess(alert: Alert) -> SignalType:
    """Return the kind of a signal that was refused before its account's state was asked."""
    if alert.parsed.is_exit:
        return SignalType.EXIT
    return SignalType.REVERSAL if alert.parsed.asks_reversal else SignalType.ENTRY


def _act(draft: Draft, alert: Alert, account: Account) -> Refusal | None:
    """Classify an alert against one account's state and act; the rules are asked in SPEC's order."""
    signal = alert.parsed
    group = draft.group_of((account.name, signal.exchange, signal.symbol, signal.timeframe))
    if signal.is_exit:
        _exit(draft, alert, account, group)
        return None
    side = signal.side
    assert side is not None  # the parser refuses entries without a side
    if group is not None and group.side is side and (done := sent_by_hand(draft, alert, account.name)):
        return Refusal("SENT", done)
    if group is not None and group.side is not side and _turns(draft, alert, group):
        _reverse(draft, alert, account, group)
        return None
    stale = age.entry_fault(alert, draft.settings.signals, draft.now)
    if stale is not None:
        return stale
    if group is None:
        return start(draft, typed(draft, alert, SignalType.ENTRY), account, side)
    if group.status is GroupStatus.CLOSING:
        return _wait_for_close(draft, alert, account, side, group)
    if group.side is side:
        return pyramid(draft, alert, account, group)
    typed(draft, alert, SignalType.ENTRY)
    return Refusal("OPPOSITE", "opposite side is open")


def _turns(draft: Draft, alert: Alert, group: Group) -> bool:
    """A reversal says so itself, whatever the group is doing; any entry is one if the settings say so."""
    return alert.parsed.asks_reversal or (
        group.is_open and draft.settings.signals.opposite is Opposite.REVERSE
    )


def typed(draft: Draft, alert: Alert, kind: SignalType) -> Alert:
    """Note what an alert was found to be."""
    late = kind in (SignalType.EXIT, SignalType.REVERSAL) and bool(
        age.entry_fault(alert, draft.settings.signals, draft.now)
    )
    alert = replace(alert, signal=kind, late=late)
    draft.put(alert)
    return alert


def _exit(draft: Draft, alert: Alert, account: Account, group: Group | None) -> None:
    alert = typed(draft, alert, SignalType.EXIT)
    removed = forget_waiting(draft, alert, account, "an exit came for its key")
    if group is not None:
        take(draft, alert, group)
        _close(draft, group, alert, f"exit alert {alert.id}")
    elif draft.alert(alert.id).decided_at is None:
        _nothing_held(draft, draft.alert(alert.id), removed)


def _nothing_held(draft: Draft, alert: Alert, removed: bool) -> None:
    """End an exit that found no position; it may have kept one from being opened."""
    outcome = Outcome.DEQUEUED if removed else Outcome.NO_POSITION
    reason = "the waiting signal was removed" if removed else "nothing is open or queued for this key"
    finish(draft, alert, outcome, reason)


def _cancel_undecided(draft: Draft, alert: Alert) -> bool:
    """End the signals of an exit's key that still wait for their account, price or balance.

    Decided after the exit, they would open what the strategy has left already. Returns whether there was one.
    """
    found = False
    for id in draft.view.undecided():
        other = draft.alert(id)
        if (
            id < alert.id
            and not other.parsed.is_exit
            and _same_key(other, alert)
            and _reaches(draft, alert, other)
        ):
            finish(draft, other, Outcome.CANCELLED, f"exit alert {alert.id} came before it was decided")
            found = True
    return found


def _same_key(one: Alert, other: Alert) -> bool:
    return (one.exchange, one.symbol, one.timeframe) == (other.exchange, other.symbol, other.timeframe)


def _reaches(draft: Draft, leave: Alert, entry: Alert) -> bool:
    """An exit concerns the account that it names, or all that its webhook may use."""
    accounts = route(draft, entry)
    if isinstance(accounts, Refusal):
        return False  # it ends with that refusal
    named = leave.parsed.account
    return all(
        account.name == named if named else not leave.allowed or account.name in leave.allowed
        for account in accounts
    )


def _close(draft: Draft, group: Group, alert: Alert, reason: str) -> None:
    """Close a group, each in a decision of its own: a defect in one must not keep another open."""
    cancel_next(draft, group, f"alert {alert.id} came before it")
    begin_closing(draft, group.id, Purpose.EXIT, reason, alert.id)
    draft.follow(Settle(group_id=group.id))


def _wait_for_close(draft: Draft, alert: Alert, account: Account, side: Side, group: Group) -> Refusal | None:
    if alert.parsed.asks_reversal:
        # It turns back to the side that is being closed: the entry that was to come is not wanted any more.
        cancel_next(draft, group, f"alert {alert.id} came before it")
    alert = typed(draft, alert, SignalType.ENTRY)
    refusal = entries.refused_outright(draft, alert, account, side, key_is_closing=True)
    return refusal or queue.enqueue(draft, alert, account, side, "its key is closing")


def pyramid(
    draft: Draft, alert: Alert, account: Account, group: Group, *, promoted: bool = False
) -> Refusal | None:
    """Add to an open group of the same side; `promoted`: the signal has waited in the queue."""
    if group.pyramid_count >= group.max_pyramids:
        return _replacement(draft, alert, group)
    alert = typed(draft, alert, SignalType.PYRAMID)
    entry = entries.prepare(draft, alert, account, group.side, group, promoted=promoted)
    if not isinstance(entry, entries.Entry):
        return entry if isinstance(entry, Refusal) else None
    entries.add_pyramid(draft, group, alert, entry)
    take(draft, alert, group)
    settle(draft, group.id, legs=())  # the new legs have not filled yet
    return None


def _replacement(draft: Draft, alert: Alert, group: Group) -> Refusal | None:
    """Count one signal more than the group has pyramids; it places nothing."""
    alert = typed(draft, alert, SignalType.REPLACEMENT)
    if draft.engine.paused:
        return Refusal("PAUSED", "paused")
    risk = draft.settings.risk
    changed = replace(group, replacement_count=group.replacement_count + 1)
    if risk.reset_timer_on_replacement and group.timer_started_at is not None:
        changed = timers.begun(changed, risk, draft.now)
    draft.put(changed)
    reason = f"all {group.max_pyramids} pyramids are there; replacement {changed.replacement_count}"
    finish(draft, alert, Outcome.REPLACEMENT, reason, group.id)
    return None


def _reverse(draft: Draft, alert: Alert, account: Account, group: Group) -> None:
    """Close the old side by an exit's rules; the entry is decided on when the group is flat."""
    alert = typed(draft, alert, SignalType.REVERSAL)
    forget_waiting(draft, alert, account, "a reversal came for its key")
    take(draft, alert, group)
    _close(draft, group, alert, f"reversal by alert {alert.id}")
    draft.put(replace(draft.group(group.id), next_alert_id=alert.id))


def refuse(draft: Draft, refused: RequestRefused) -> None:
    """Keep a request that was answered 4xx, so that the user can see why nothing happened."""
    draft.put(
        RefusedRequest(
            id=draft.new_id(),
            at=refused.at,
            status=refused.status,
            errors=refused.errors,
            body=refused.body,
            source=refused.source,
            token=refused.token,
        )
    )
    why = "; ".join(f"{field}: {message}" for field, message in refused.errors) or "no or wrong secret"
    category = Category.SECURITY if refused.status in (401, 429) else Category.API
    draft.tell("request_refused", f"A request was answered {refused.status}: {why}", Level.WARNING, category)


def replay(draft: Draft, wish: Replay) -> Answer | Refusal:
    """Receive a stored alert again, as a new one that counts as received now."""
    old = draft.alert_or_none(wish.alert_id)
    if old is None:
        return Refusal("UNKNOWN", f"there is no alert {wish.alert_id} among the kept ones")
    draft.record(Act.REPLAYED, f"Alert {old.id} ({old.symbol} {old.timeframe}) was replayed by hand.")
    again = AlertReceived(
        signal=old.parsed,
        key=f"replay:{old.id}",
        body=old.body,
        body_hash="",
        received_at=wish.received_at,
        token=old.token,
        accounts=old.allowed,
        source=old.source,
        replay_of=old.id,
    )
    return receive(draft, again)
