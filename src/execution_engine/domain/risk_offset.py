"""An offset under way: the winners one after the other, then the loser.

Closes cannot be undone, so there is no way back, only forward. What stands is in the action's steps and in the
orders that name them; after a crash the orders in doubt are settled like all others, and the action goes on at
the step where it stood.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from execution_engine.domain import risk_plan
from execution_engine.domain.closing import begin_closing
from execution_engine.domain.draft import Draft
from execution_engine.domain.facts import Category, Level
from execution_engine.domain.grid import money
from execution_engine.domain.inputs import AdvanceOffset, Settle
from execution_engine.domain.instrument import Action, Side
from execution_engine.domain.money import ZERO, plain
from execution_engine.domain.plan import uncovered, write_order
from execution_engine.domain.risk_candidate import Candidate, candidate, candidates
from execution_engine.domain.risk_parts import closed, cut, proportional, realized
from execution_engine.domain.risk_plan import OffsetPlan
from execution_engine.domain.rows import (
    AccountStatus,
    Group,
    GroupStatus,
    Order,
    OrderStatus,
    OrderType,
    Purpose,
    RiskAction,
    RiskRole,
    RiskStatus,
    RiskStep,
    RiskType,
    StepStatus,
)
from execution_engine.domain.settle import settle, signed
from execution_engine.domain.take_profit import is_done

ATTEMPTS = 3  # of one step, where the exchange is known to have none of its orders
SLIP = Decimal("0.01")  # of the need: market orders fill a little beside the price that was seen
CENT = Decimal("0.01")
ENTERED = frozenset({StepStatus.DONE, StepStatus.SHORT, StepStatus.FAILED})  # its order was sent


def begin(draft: Draft, plan: OffsetPlan, *, by_hand: bool) -> RiskAction:
    """Commit an offset with its steps; the first of them follows at once."""
    action = RiskAction(
        id=draft.new_id(),
        world=plan.world,
        type=RiskType.OFFSET,
        status=RiskStatus.PLANNED,
        loser=plan.loser.group_id,
        by_hand=by_hand,
        steps=plan.steps,
        needed_usd=plain(plan.needed),
        realized_usd=ZERO,
        notes=plan.words,
        started_at=draft.now,
    )
    draft.put(action)
    draft.follow(AdvanceOffset(action_id=action.id))
    _tell(draft, action, "planned", f"Offset planned: {plan.words}.", Level.INFO)
    return action


def restarted(draft: Draft) -> None:
    """Give up what had not sent anything when the program ended: the prices that it was planned at are gone."""
    for action in draft.open_risk_actions():
        if not any(_orders(draft, action, at) for at in range(len(action.steps))):
            _end(draft, action, RiskStatus.CANCELLED, "the program was restarted before anything was sent")


def failed(draft: Draft, action_id: int, why: str) -> None:
    """End an offset that met a defect."""
    action = draft.risk_action_or_none(action_id)
    if action is not None and action.is_open:
        _end(draft, action, RiskStatus.INCOMPLETE, why)


def advance(draft: Draft, wish: AdvanceOffset) -> None:
    """Take an offset as far as it goes now."""
    action = draft.risk_action_or_none(wish.action_id)
    if action is None:
        return  # history
    action = _counted(draft, action)
    while action.is_open:
        at = action.current
        moved = _next(draft, action) if at is None else _carry_out(draft, action, at)
        if moved is None:
            return
        action = moved


# -- counting


def _counted(draft: Draft, action: RiskAction) -> RiskAction:
    """Write what the fills of its orders add up to by now; late ones count after its end as well."""
    steps = tuple(_with_fills(draft, action, at) for at in range(len(action.steps)))
    if steps == action.steps:
        return action
    changed = replace(action, steps=steps, realized_usd=_sum(steps, RiskRole.LOSER, without=True))
    if changed.loss_usd is not None:
        changed = replace(changed, loss_usd=-_sum(steps, RiskRole.LOSER))
    if not action.is_open:
        changed = replace(changed, notes=f"{action.notes}; a fill came after its end")
    draft.put(changed)
    return changed


def _with_fills(draft: Draft, action: RiskAction, at: int) -> RiskStep:
    step = action.steps[at]
    orders = _orders(draft, action, at)
    if not orders:
        return step
    quantity, fees = closed(orders)
    if quantity == step.filled and fees == step.fees:
        return step
    legs = {leg.id: leg for leg in draft.legs(step.group_id)}
    result = sum((realized(order, legs, step.side) for order in orders), ZERO)
    return replace(step, filled=quantity, fees=fees, result=result)


def _sum(steps: Sequence[RiskStep], role: RiskRole, *, without: bool = False) -> Decimal:
    return plain(sum((step.result for step in steps if (step.role is role) is not without), ZERO))


def _orders(draft: Draft, action: RiskAction, at: int) -> list[Order]:
    group_id = action.steps[at].group_id
    if draft.group_or_none(group_id) is None:
        return []  # it has moved to history; what it did is in the step
    return [
        order
        for order in draft.orders(group_id)
        if order.risk_action_id == action.id and order.risk_step == at
    ]


# -- from step to step


def _next(draft: Draft, action: RiskAction) -> RiskAction | None:
    """Begin the next step, or end the action."""
    at = next((at for at, step in enumerate(action.steps) if step.status is StepStatus.PLANNED), None)
    if at is None:
        return _finish(draft, action)
    if action.steps[at].role is RiskRole.TOP_UP:
        return _start(draft, action, at)
    fault = _loser_fault(draft, action)
    if fault:
        return _stop(draft, action, fault)
    if action.steps[at].role is not RiskRole.LOSER:
        return _start(draft, action, at)
    return _start_loser(draft, action, at)


def _loser_fault(draft: Draft, action: RiskAction) -> str:
    """Return why a loser is not closed any more."""
    loser = draft.group_or_none(action.loser or 0)
    if loser is None or not loser.is_open:
        return "the loser was closed by something else first"
    if loser.blocked:
        return "the loser was blocked"
    return f"the loser is on hold: {loser.hold}" if loser.hold else ""


def _start(draft: Draft, action: RiskAction, at: int) -> RiskAction:
    """Begin a partial close. What rests in its way is cancelled first; the order follows when that is gone."""
    step = action.steps[at]
    group = draft.group_or_none(step.group_id)
    fault = "its group has moved to history" if group is None else _fault(group)
    if step.role is not RiskRole.LOSER and _still_needed(action) <= 0:
        fault = "it is not needed any more"
    if fault:
        return _step_over(draft, action, at, fault)
    changed = _put_step(draft, action, at, replace(step, status=StepStatus.RUNNING))
    settle(draft, step.group_id, legs=())
    return changed


def _start_loser(draft: Draft, action: RiskAction, at: int) -> RiskAction | None:
    step, loser = action.steps[at], draft.group(action.steps[at].group_id)
    if not step.whole:
        return _start(draft, action, at)  # only what is covered is asked for
    if _still_needed(action) > (action.needed_usd or ZERO) * SLIP:
        stand_ins = _select(draft, action, RiskRole.STAND_IN, _still_needed(action))
        if not stand_ins:
            return _stop(draft, action, f"{money(_still_needed(action))} USD are missing")
        steps = (*action.steps[:at], *stand_ins, *action.steps[at:])
        changed = replace(action, steps=steps)
        draft.put(changed)
        return changed
    if not _is_ready(draft, loser):
        return None
    changed = _put_step(draft, action, at, replace(step, status=StepStatus.RUNNING))
    begin_closing(draft, loser.id, Purpose.OFFSET, "its loss was paid for by winners")
    settle(draft, loser.id, legs=())
    return changed


def _still_needed(action: RiskAction) -> Decimal:
    wanted = action.needed_usd if action.loss_usd is None else action.loss_usd
    return (wanted or ZERO) - (action.realized_usd or ZERO)


def _select(draft: Draft, action: RiskAction, role: RiskRole, needed: Decimal) -> tuple[RiskStep, ...]:
    """Find winners that pay what is missing, once; none if they cannot."""
    if any(step.role is role for step in action.steps):
        return ()
    found = candidates(draft.view, action.world, draft.now)
    most = draft.settings.risk.max_winners_to_combine
    without = {step.group_id for step in action.steps if step.status is StepStatus.FAILED}
    steps = risk_plan.winners(found, needed, most, without | {action.loser or 0})
    if role is RiskRole.STAND_IN and sum((step.expected for step in steps), ZERO) < needed:
        return ()
    return tuple(replace(step, role=role) for step in steps)


def _finish(draft: Draft, action: RiskAction) -> RiskAction:
    """Hold the loser's real loss against what was realized, after its close."""
    step = action.loser_step
    assert step is not None  # every offset has one
    if step.status in (StepStatus.SKIPPED, StepStatus.FAILED):
        return _stop(draft, action, step.note)
    action = replace(action, loss_usd=plain(-step.result))
    missing = _still_needed(action)
    if missing > CENT and draft.settings.risk.top_up:
        more = _select(draft, action, RiskRole.TOP_UP, missing)
        if more:
            action = replace(action, steps=(*action.steps, *more))
            draft.put(action)
            return action
    if missing > CENT:
        return _end(draft, action, RiskStatus.SHORTFALL, f"{money(missing)} USD were not made up")
    return _end(draft, action, RiskStatus.DONE, f"{signed(-missing)} USD are left")


def _stop(draft: Draft, action: RiskAction, why: str) -> RiskAction:
    """End an action whose loser stays open. Without a close, and none refused, nothing has happened."""
    nothing = not any(step.status in ENTERED or step.filled for step in action.steps)
    return _end(draft, action, RiskStatus.CANCELLED if nothing else RiskStatus.INCOMPLETE, why)


def _end(draft: Draft, action: RiskAction, status: RiskStatus, why: str) -> RiskAction:
    steps = tuple(
        replace(step, status=StepStatus.SKIPPED, note=step.note or why) if step.is_open else step
        for step in action.steps
    )
    ended = replace(action, status=status, steps=steps, notes=f"{action.notes}; {why}", finished_at=draft.now)
    draft.put(ended)
    for step in action.steps:
        if step.status is StepStatus.RUNNING and draft.group_or_none(step.group_id) is not None:
            draft.follow(Settle(group_id=step.group_id))  # its targets may rest again
    loser = ended.loser_step
    about = f"Offset of {loser.name}" if loser is not None else "Offset"
    gave = f"winners gave {money(ended.realized_usd or ZERO)} USD"
    lost = f", the loser lost {money(ended.loss_usd)} USD" if ended.loss_usd is not None else ""
    level = Level.INFO if status in (RiskStatus.DONE, RiskStatus.CANCELLED) else Level.WARNING
    _tell(draft, ended, status.value, f"{about} {status.value}: {gave}{lost}; {why}.", level)
    return ended


def _tell(draft: Draft, action: RiskAction, word: str, text: str, level: Level) -> None:
    loser = draft.group_or_none(action.loser or 0)
    draft.tell(f"risk_{word}", text, level, Category.RISK, group=loser, notice=True)


def _put_step(draft: Draft, action: RiskAction, at: int, step: RiskStep) -> RiskAction:
    steps = (*action.steps[:at], step, *action.steps[at + 1 :])
    changed = replace(action, status=RiskStatus.RUNNING, steps=steps)
    draft.put(changed)
    return changed


# -- one step


def _carry_out(draft: Draft, action: RiskAction, at: int) -> RiskAction | None:
    """Write a step's order, or take in its end; None while it has to be waited for."""
    step = action.steps[at]
    group = draft.group_or_none(step.group_id)
    if group is None:
        return _step_over(draft, action, at, "its group has moved to history")
    if step.whole:
        return _after_close(draft, action, at) if is_done(group) else None
    orders = _orders(draft, action, at)
    if any(not order.is_final for order in orders):
        return None
    if not all(_never_there(order) for order in orders):
        return _step_over(draft, action, at, orders[-1].reason)
    lost = any(order.status is OrderStatus.FAILED for order in orders)
    if lost and not any(other.filled for other in action.steps):
        return _end(draft, action, RiskStatus.CANCELLED, "its first order never reached the exchange")
    if orders and orders[-1].attempt >= ATTEMPTS:
        return _step_over(draft, action, at, "its order never reached the exchange")
    return _place(draft, action, at, group, orders[-1].attempt + 1 if orders else 1)


def _never_there(order: Order) -> bool:
    """The exchange has nothing of an order: it was revoked before it left, or is known to be absent."""
    revoked = order.status is OrderStatus.CANCELLED and order.acknowledged_at is None
    return not order.filled_quantity and (revoked or order.status is OrderStatus.FAILED)


def _step_over(draft: Draft, action: RiskAction, at: int, why: str) -> RiskAction:
    """End a step that has sent all it will, or nothing, and let the group's targets rest again."""
    step = action.steps[at]
    if not step.filled and not _orders(draft, action, at):
        status, note = StepStatus.SKIPPED, why
    elif step.filled >= step.quantity:
        status, note = StepStatus.DONE, ""
    else:
        status, note = StepStatus.SHORT if step.filled else StepStatus.FAILED, why
    if draft.group_or_none(step.group_id) is not None:
        draft.follow(Settle(group_id=step.group_id))
    return _put_step(draft, action, at, replace(step, status=status, note=note))


def _after_close(draft: Draft, action: RiskAction, at: int) -> RiskAction:
    step = action.steps[at]
    if not step.filled:
        ended = replace(step, status=StepStatus.SKIPPED, note="the loser was closed by something else first")
    else:
        ended = replace(step, status=StepStatus.DONE)
    return _put_step(draft, action, at, ended)


def _place(draft: Draft, action: RiskAction, at: int, group: Group, attempt: int) -> RiskAction | None:
    """Ask of a group what is still needed, by its price and what it holds now."""
    if action.loss_usd is None and (gone := _loser_fault(draft, action)):
        return _stop(draft, action, gone)
    if fault := _fault(group):
        return _step_over(draft, action, at, fault)
    held = {id: free for id, free in uncovered(draft, group, draft.legs(group.id)).items() if free > 0}
    resting = any(
        order.type is OrderType.LIMIT and order.purpose is not Purpose.ENTRY and not order.is_final
        for order in draft.orders(group.id)
    )
    seen = _look(draft, group)
    if resting or seen.price is None or not _is_ready(draft, group):
        return None
    asked = _asked(action, at, seen, sum(held.values(), ZERO))
    if asked is None:
        return _step_over(draft, action, at, "it has nothing to give any more")
    changed = _put_step(draft, action, at, asked)
    rules = seen.instrument
    rest = proportional(held, asked.quantity, rules)
    for piece in rules.pieces(asked.quantity, market_order=True):
        own, rest = cut(rest, piece)
        write_order(
            draft,
            group,
            purpose=Purpose.OFFSET,
            action=Action.SELL if group.side is Side.LONG else Action.BUY,
            type=OrderType.MARKET,
            price=None,
            quantity=piece,
            parts=own,
            attempt=attempt,
        )
    return changed


def _fault(group: Group) -> str:
    """Return why nothing is asked of a group any more."""
    if not group.is_open:
        return "it is closing" if group.status is GroupStatus.CLOSING else "it was closed"
    if group.hold:
        return f"it is on hold: {group.hold}"
    return "a close of it was refused" if group.retry_at is not None else ""


def _is_ready(draft: Draft, group: Group) -> bool:
    """Nothing is sold on what was true before an account was read."""
    account = draft.account(group.account)
    reading = account is None or account.status is AccountStatus.RECONCILING
    return not (reading or draft.engine.recovering)


def _look(draft: Draft, group: Group) -> Candidate:
    market = (group.exchange, group.symbol)
    return candidate(
        group,
        draft.instrument(*market),
        draft.price(market),
        draft.account(group.account),
        draft.settings,
        draft.now,
    )


def _asked(action: RiskAction, at: int, seen: Candidate, held: Decimal) -> RiskStep | None:
    """Return the step as it is asked for now; None if it comes to nothing."""
    step = action.steps[at]
    if seen.unrealized is None:
        return None
    if step.role is not RiskRole.LOSER:
        needed = _still_needed(action)
        asked = risk_plan.give(seen, needed, step.role, held) if needed > 0 else None
        return None if asked is None else replace(asked, status=StepStatus.RUNNING)
    covered = risk_plan.covered_part(seen, action.realized_usd or ZERO, risk_plan.loss_of(seen))
    quantity = min(covered, step.quantity, seen.instrument.quantity(held))
    if seen.instrument.closable(quantity, seen.price or ZERO) <= 0:
        return None
    left = seen.group.open_quantity - quantity
    return replace(step, quantity=quantity, left=left, expected=risk_plan.gain_per_unit(seen) * quantity)
