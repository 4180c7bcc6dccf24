"""After something happened to a group: its figures, its state, its missing orders, its end.

One path for every cause, so that a fill, a refusal, a cancel, a command and a restart end the same way.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from execution_engine.domain import listings, missed, position, risk_timer
from execution_engine.domain.draft import Draft
from execution_engine.domain.facts import Level
from execution_engine.domain.grid import money
from execution_engine.domain.inputs import AdvanceOffset, PromoteWaiting, SecondHalf
from execution_engine.domain.instrument import Instrument
from execution_engine.domain.money import ZERO
from execution_engine.domain.plan import end_flat, entries_by_leg, may_try_again, plan, price_of_close
from execution_engine.domain.replacing import replace
from execution_engine.domain.rows import (
    Alert,
    EquityPoint,
    Group,
    GroupStatus,
    Leg,
    LegStatus,
    Order,
    OrderStatus,
    Purpose,
    Pyramid,
    PyramidStatus,
)
from execution_engine.domain.signal import Outcome, SignalType
from execution_engine.domain.take_profit import is_done

IN_VAIN = frozenset({LegStatus.FAILED, LegStatus.REJECTED})  # unless they are being sent again


def settle(draft: Draft, group_id: int, legs: Iterable[int] | None = None) -> None:
    """Bring a group up to date with its orders. `legs`: ids of the legs concerned; None means all."""
    before = draft.group(group_id)
    was_done = is_done(before)
    _book(draft, before, legs, settled=was_done)  # what ended stays settled, whatever is heard of it later
    _state(draft, group_id)
    working = [order.id for order in draft.orders(group_id) if not order.is_over]
    plan(draft, group_id)
    if any(draft.order(id).is_over for id in working):
        # What never left was revoked on the spot, which may have been the last that kept the group open; or a
        # leg that had waited for new rules was planned anew, or left out.
        _state(draft, group_id)
        plan(draft, group_id)
    if draft.group(group_id).status is GroupStatus.CLOSING and not draft.engine.recovering:
        _finish_if_flat(draft, group_id)
    _note_realized(draft, before, draft.group(group_id))
    _time(draft, group_id)
    for action in draft.open_risk_actions():
        if any(step.group_id == group_id for step in action.steps):
            draft.follow(AdvanceOffset(action_id=action.id))
    after = draft.group(group_id)
    if is_done(after) and not was_done:
        _end(draft, after)


def _book(draft: Draft, group: Group, legs: Iterable[int] | None, *, settled: bool = False) -> None:
    """Recompute the legs concerned and the group's sums from their orders; all legs by the rules of now."""
    instrument = draft.instrument(group.exchange, group.symbol)
    all_legs, all_orders = draft.legs(group.id), draft.orders(group.id)
    wanted = {leg.id for leg in all_legs} if legs is None else set(legs)
    if legs is not None and not any(order.filled_quantity for order in all_orders):
        _restate(draft, [leg for leg in all_legs if leg.id in wanted], entries_by_leg(all_orders), settled)
        return
    entries: dict[int, list[Order]] = {}
    closes: dict[int, list[Order]] = {}
    held = ZERO
    for order in all_orders if wanted else ():
        if order.purpose is Purpose.ENTRY:
            held += order.filled_quantity - order.fee_base
            entries.setdefault(order.leg_id or 0, []).append(order)
        else:
            held -= order.filled_quantity + order.fee_base
            for leg_id, _ in order.parts:
                closes.setdefault(leg_id, []).append(order)
    for at, leg in enumerate(all_legs):
        if leg.id in wanted:
            own = entries.get(leg.id, []), closes.get(leg.id, [])
            booked = position.book(leg, group.side, *own, instrument, settled)
            if booked != leg:
                draft.put(booked)
                all_legs[at] = booked
    if wanted:
        booked_as_held = sum((leg.open_quantity for leg in all_legs), ZERO)
        if booked_as_held != held or any(leg.open_quantity < 0 for leg in all_legs):
            all_legs = _book_levelled(draft, group, instrument, all_legs, settled)
        _put_changed(draft, group, position.totals(draft.group(group.id), all_legs, instrument))


def _restate(draft: Draft, legs: Iterable[Leg], entries: dict[int, list[Order]], settled: bool) -> None:
    """Bring the states of legs up to date where nothing has filled: there is nothing to be summed up yet."""
    for leg in legs:
        status = position.status(leg, entries.get(leg.id, []), None, settled)
        if status is not leg.status:
            draft.put(replace(leg, status=status))


def _book_levelled(
    draft: Draft, group: Group, instrument: Instrument, legs: list[Leg], settled: bool
) -> list[Leg]:
    """Book all legs anew where one closed more than it held: what is too much was another's."""
    own = draft.orders(group.id)
    entries = entries_by_leg(own)
    held = {
        leg.id: sum((order.filled_quantity - order.fee_base for order in entries.get(leg.id, [])), ZERO)
        for leg in legs
    }
    closes = position.levelled([order for order in own if order.purpose is not Purpose.ENTRY], held)
    booked = []
    for leg in legs:
        of_leg = [order for order in closes if leg.id in dict(order.parts)]
        after = position.book(leg, group.side, entries.get(leg.id, []), of_leg, instrument, settled)
        booked.append(after)
        _put_changed(draft, draft.leg(leg.id), after)
    return booked


def _put_changed(draft: Draft, before: Group | Leg, after: Group | Leg) -> None:
    if after != before:
        draft.put(after)


def _state(draft: Draft, group_id: int) -> None:
    group = draft.group(group_id)
    group_orders = draft.orders(group_id)
    entries = [order for order in group_orders if order.purpose is Purpose.ENTRY]
    _pyramids(draft, group, entries)
    if is_done(group):
        return
    if group.filled_at is None and group.filled_quantity:
        group = replace(group, filled_at=draft.now)
    if group.status is not GroupStatus.CLOSING:
        group = _open_state(draft, group, entries, group_orders)
    _put_changed(draft, draft.group(group_id), group)


def _open_state(draft: Draft, group: Group, entries: list[Order], group_orders: list[Order]) -> Group:
    held = _holds(draft, group)
    working = any(not order.is_over for order in entries) or not entries
    if held:
        return replace(group, status=GroupStatus.PARTIALLY_FILLED if working else GroupStatus.ACTIVE)
    if not group.filled_quantity:
        retrying = any(may_try_again(tries) for tries in entries_by_leg(entries).values())
        if working or retrying:
            taken = any(order.acknowledged_at is not None for order in entries)
            return replace(group, status=GroupStatus.LIVE if taken else group.status)
        return _never_filled(group, entries, draft.now)
    if any(not order.is_final for order in group_orders if order.purpose is not Purpose.ENTRY):
        return group  # a close is still on its way
    if working and group.on_flat == "keep_grid":
        return replace(group, status=GroupStatus.LIVE)
    return end_flat(draft, group)


def _holds(draft: Draft, group: Group) -> bool:
    """Return whether a group holds anything but dust: what was to be sold, and is too little to be."""
    if group.avg_entry is None:
        return False
    instrument = draft.instrument(group.exchange, group.symbol)
    if any(
        leg.triggered_at is None and instrument.quantity(leg.open_quantity) > 0
        for leg in draft.legs(group.id)
    ):
        return True
    return instrument.closable(group.open_quantity, price_of_close(draft, group)) > 0


def _never_filled(group: Group, entries: list[Order], now: datetime) -> Group:
    """Nothing works and nothing filled: failed if the exchange took nothing, else it was cancelled."""
    if any(order.acknowledged_at is not None for order in entries):
        return replace(
            group,
            status=GroupStatus.CLOSING,
            closing=Purpose.EXIT,
            close_reason=group.close_reason or "its entries were cancelled before anything filled",
        )
    reason = next((order.reason for order in entries if order.reason), "no leg was placed")
    return replace(group, status=GroupStatus.FAILED, close_reason=reason, closed_at=now)


def _pyramids(draft: Draft, group: Group, entries: list[Order]) -> None:
    """Bring the states of pyramids up to date, and the alerts that opened them to their outcome."""
    by_pyramid: dict[int | None, list[Order]] = {}
    for order in entries:
        by_pyramid.setdefault(order.pyramid_id, []).append(order)
    for pyramid in draft.pyramids(group.id):
        own = by_pyramid.get(pyramid.id, [])
        status = _pyramid_status(own)
        if status is not pyramid.status:
            draft.put(replace(pyramid, status=status))
        alert = draft.alert_or_none(pyramid.alert_id)
        if own and alert is not None and alert.outcome is None:
            _entry_outcome(draft, group, pyramid, alert, own)


def _pyramid_status(own: list[Order]) -> PyramidStatus:
    if any(not order.is_over for order in own) or not own:
        sent = any(order.acknowledged_at is not None for order in own)
        return PyramidStatus.SUBMITTED if sent else PyramidStatus.PENDING
    return PyramidStatus.FILLED if any(order.filled_quantity for order in own) else PyramidStatus.CANCELLED


def _entry_outcome(draft: Draft, group: Group, pyramid: Pyramid, alert: Alert, own: list[Order]) -> None:
    """An entry is opened once the exchange took a leg; it failed when it took none and none is unknown."""
    if any(order.acknowledged_at is not None for order in own):
        finish(draft, alert, _success(alert, pyramid), _opened_text(group, pyramid, alert), group.id)
        return
    if any(order.rules_by is not None for order in own):
        return  # a leg may be taken yet, once the market's new rules are known
    refused = [order for order in own if order.status in (OrderStatus.REJECTED, OrderStatus.FAILED)]
    again = any(may_try_again(tries) for tries in entries_by_leg(own).values())
    if len(refused) == len(own) and not again:
        reason = next((order.reason for order in refused if order.reason), "the exchange took no leg")
        _finish_unopened(draft, alert, Outcome.FAILED, reason, group)
        draft.tell(
            "entry_failed", f"{name(group)}: {reason}", Level.ERROR, group=group, alert=alert, notice=True
        )
    elif len(refused) == len(own) and not group.is_open:
        _finish_unopened(draft, alert, Outcome.CANCELLED, "its group was closed before it was placed", group)
    elif all(order.is_final for order in own) and len(refused) < len(own):
        _finish_unopened(draft, alert, Outcome.CANCELLED, "cancelled before it was sent", group)


def _finish_unopened(draft: Draft, alert: Alert, outcome: Outcome, reason: str, group: Group) -> None:
    """End an alert whose entry came to nothing; the exit of a reversal has run all the same."""
    if alert.signal is SignalType.REVERSAL:
        outcome, reason = Outcome.EXITED, f"the new side was not opened: {reason}"
    finish(draft, alert, outcome, reason, group.id)


def _success(alert: Alert, pyramid: Pyramid) -> Outcome:
    if alert.signal is SignalType.REVERSAL:
        return Outcome.REVERSED
    return Outcome.PYRAMIDED if pyramid.index else Outcome.OPENED


def _opened_text(group: Group, pyramid: Pyramid, alert: Alert) -> str:
    return f"pyramid {pyramid.index + 1} of {group.max_pyramids}" if pyramid.index else alert.reason


def _finish_if_flat(draft: Draft, group_id: int) -> None:
    """Close the group once nothing of it works and nothing that can be sold is held."""
    group = draft.group(group_id)
    if any(not order.is_final for order in draft.orders(group_id)) or group.retry_at is not None:
        return
    _book(draft, group, None, settled=True)
    _pyramids(draft, group, [o for o in draft.orders(group_id) if o.purpose is Purpose.ENTRY])
    draft.put(replace(draft.group(group_id), status=GroupStatus.CLOSED, closed_at=draft.now))


def _time(draft: Draft, group_id: int) -> None:
    """Start the risk timer once its condition holds; a leg that is being sent again is not settled."""
    group = draft.group(group_id)
    if group.timer_started_at is not None or not group.is_open:
        return
    legs = draft.legs(group_id)
    retried = [
        order.leg_id
        for order in (draft.orders(group_id) if any(leg.status in IN_VAIN for leg in legs) else ())
        if order.purpose is Purpose.ENTRY and not order.is_over and order.leg_id is not None
    ]
    timed = risk_timer.started(group, legs, draft.settings.risk, draft.now, retried)
    _put_changed(draft, group, timed)


def _note_realized(draft: Draft, before: Group, after: Group) -> None:
    change = after.realized - before.realized
    if change:
        total = draft.realized(after.world) + change
        id = draft.new_id()
        draft.put(EquityPoint(id=id, world=after.world, at=draft.now, realized=total, group_id=after.id))


def _end(draft: Draft, group: Group) -> None:
    """Tell how a group ended, finish the alerts that waited for it and hand its slot on.

    A reversal's entry comes first and so reuses the slot.
    """
    _tell_end(draft, group)
    listings.ended(draft, group)
    missed.ended(draft, group)
    if group.next_alert_id is not None:
        draft.follow(SecondHalf(group_id=group.id, alert_id=group.next_alert_id))
    draft.follow(PromoteWaiting(world=group.world))


def _tell_end(draft: Draft, group: Group) -> None:
    if group.status is GroupStatus.FAILED:
        draft.tell(
            "group_failed",
            f"{name(group)} failed: {group.close_reason}",
            Level.ERROR,
            group=group,
            notice=True,
        )
        return
    result = f"{signed(group.realized)} USD"
    draft.tell(
        "group_closed", f"{name(group)} closed: {result}", group=group, notice=bool(group.filled_quantity)
    )
    for alert in _ended_by(draft, group):
        if alert.parsed.is_exit:
            reason = result if group.filled_quantity else "nothing had filled; its orders were cancelled"
            finish(draft, alert, Outcome.EXITED, reason, group.id)
        else:  # a reversal whose entry was cancelled says so itself
            finish(draft, alert, Outcome.EXITED, alert.reason or "its group was closed first", group.id)


def _ended_by(draft: Draft, group: Group) -> list[Alert]:
    """Return the alerts whose outcome is that this group is flat; one that closes several waits for the last."""
    waiting = {alert.id: alert for alert in draft.alerts_of(group.id)}
    if group.exit_alert_id is not None:
        first = draft.alert_or_none(group.exit_alert_id)
        if first is not None and first.outcome is None:
            waiting[first.id] = first
    others = {other.exit_alert_id for other in draft.groups()}
    return [alert for id, alert in waiting.items() if id != group.next_alert_id and id not in others]


def finish(draft: Draft, alert: Alert, outcome: Outcome, reason: str, group_id: int | None = None) -> None:
    """Give an alert its one outcome, or move it on from `queued`."""
    draft.put(
        replace(
            alert,
            outcome=outcome,
            reason=reason,
            group_id=group_id if group_id is not None else alert.group_id,
            decided_at=alert.decided_at or draft.now,
            finished_at=None if outcome is Outcome.QUEUED else draft.now,
        )
    )


def take(draft: Draft, alert: Alert, group: Group) -> None:
    """Note that an alert acts on a group; its outcome is what comes of that."""
    draft.put(
        replace(
            draft.alert(alert.id),
            group_id=group.id,
            decided_at=draft.now,
            outcome=None,
            reason="",
            finished_at=None,
        )
    )


def name(group: Group) -> str:
    """Name a group in a sentence: `BTCUSDT 15m`."""
    return f"{group.symbol} {group.timeframe}"


def signed(amount: Decimal) -> str:
    """Write an amount with its sign and two decimals; the minus is as wide as the plus."""
    written = money(abs(amount))
    return f"−{written}" if amount < ZERO else f"+{written}"


def legs_of(order: Order) -> tuple[int, ...]:
    """Return the legs that an order's fills belong to."""
    own = (order.leg_id,) if order.leg_id is not None else ()
    return own + tuple(leg_id for leg_id, _ in order.parts if leg_id != order.leg_id)


def reopen(draft: Draft, group: Group) -> None:
    """Bring a finished group back because an order of it filled, or turned up, late: close it at market."""
    full = draft.slots_used(group.world) >= draft.settings.pool.max_open_groups
    draft.put(
        replace(
            group,
            status=GroupStatus.CLOSING,
            forced=group.forced or full,
            next_alert_id=None,
            closing=Purpose.EMERGENCY,
            close_reason="an order filled or was found after the group had ended",
            closed_at=None,
            retry_at=None,
        )
    )
    draft.tell(
        "late_fill",
        f"{name(group)}: an order filled or was found after the group had ended; what it holds is closed at market.",
        Level.CRITICAL,
        group=group,
        notice=True,
    )


def trigger(leg: Leg, draft: Draft) -> Leg:
    """Mark that a leg's target was reached; the plan does the rest."""
    return replace(leg, triggered_at=draft.now)
