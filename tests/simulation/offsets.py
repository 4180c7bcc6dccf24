"""What no offset of the risk engine may do, written down a second time for the auditor."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from execution_engine.domain.instrument import Side
from execution_engine.domain.rows import (
    Fill,
    Group,
    Order,
    OrderStatus,
    Purpose,
    RiskAction,
    RiskRole,
    RiskStatus,
    RiskStep,
    RiskType,
    StepStatus,
    World,
)
from execution_engine.domain.settings import Risk

COVERED = Decimal("0.99")  # of the need has to be realized before a whole loser is closed
ENDED = frozenset({StepStatus.DONE, StepStatus.SHORT, StepStatus.FAILED, StepStatus.SKIPPED})
STEP_STEPS = {
    StepStatus.PLANNED: frozenset({StepStatus.RUNNING}) | ENDED,
    StepStatus.RUNNING: ENDED,
    **dict.fromkeys(ENDED, frozenset()),
}
NOWHERE = frozenset({OrderStatus.FAILED, OrderStatus.REJECTED})
PRICE_S = 12.5  # so old the price of a step may be when it is planned, the clock being a little wrong
Sums = Mapping[int, Mapping[str, Fill]]


class Offsets:
    """Hears of actions and their orders as they become durable, and complains."""

    def __init__(
        self, rows: Mapping[type, Mapping[Any, Any]], fills_of: Sums, breaks: Callable[[str, str], None]
    ) -> None:
        self._rows = rows
        self._fills_of = fills_of
        self._breaks = breaks
        self._orders: defaultdict[tuple[int, int], dict[int, None]] = defaultdict(dict)
        self._touched: dict[int, None] = {}
        self.age: Callable[[tuple[str, str], datetime], float] = lambda market, at: 0.0
        self.met: Callable[[str, str], None] = lambda what, how: None

    # -- rows

    def action(self, old: RiskAction | None, new: RiskAction, risk: Risk, paused: bool) -> None:
        """Look at an action that was begun, went on or ended."""
        if new.type is not RiskType.OFFSET:
            return
        self._touched[new.id] = None
        if old is None:
            self._begun(new, risk, paused)
            return
        if not old.is_open and (new.is_open or new.status is not old.status):
            self._complain(new, f"had ended as {old.status} and is {new.status}")
        kept = [step for step in new.steps if step.role in (RiskRole.WINNER, RiskRole.LOSER)]
        for before in old.steps:
            if before.role in (RiskRole.WINNER, RiskRole.LOSER):
                self._stepped(new, before, kept.pop(0))
        if not new.is_open and old.is_open:
            self.met("offset", new.status.value)
            self._ended(new)

    def _begun(self, new: RiskAction, risk: Risk, paused: bool) -> None:
        if paused or not risk.enabled:
            self._complain(new, "was begun although the engine is paused, or the risk engine switched off")
        for step in new.steps:
            group: Group = self._rows[Group][step.group_id]
            if group.world is not new.world:
                self._complain(new, f"asks group {group.id} of the {group.world} world")
            if group.hold:
                self._complain(new, f"asks group {group.id}, which is on hold")
            if (old := self.age((group.exchange, group.symbol), new.started_at)) > PRICE_S:
                self._complain(new, f"asks group {group.id} at a price that is {old:.1f} s old")
        loser = new.loser_step
        group = self._rows[Group][new.loser]
        assert loser is not None
        if group.blocked:
            self._complain(new, "closes a group that is blocked")
        if group.timer_expires_at is None or group.timer_expires_at > new.started_at:
            self._complain(new, "closes a group whose time is not over")
        moved = (loser.price - loser.avg_entry) * (1 if loser.side is Side.LONG else -1)
        if moved * 100 > loser.avg_entry * risk.loss_threshold_percent * COVERED:
            self._complain(new, f"closes a group that has moved by {moved} from {loser.avg_entry}")

    def _stepped(self, action: RiskAction, old: RiskStep, new: RiskStep) -> None:
        if (old.role, old.group_id) != (new.role, new.group_id):
            self._complain(action, f"asked group {old.group_id} and now group {new.group_id}")
        if new.status is not old.status:
            if new.status not in STEP_STEPS[old.status]:
                self._complain(action, f"has a step that went from {old.status} to {new.status}")
            if new.status is StepStatus.RUNNING:
                self.met("offset_step", new.role.value)
                if new.role is RiskRole.LOSER:
                    self._covered(action, new)

    def _covered(self, action: RiskAction, loser: RiskStep) -> None:
        """The loser is closed only after the winners, and only as far as what they gave covers it."""
        for at, step in enumerate(action.steps):
            if step.role is RiskRole.LOSER:
                break
            if step.status not in ENDED:
                self._complain(action, "closes its loser before its winners")
            if any(not self._is_over(self._rows[Order][id]) for id in self._orders[action.id, at]):
                self._complain(action, "closes its loser while a winner's close is on its way")
        gave = self._gave(action)
        assert action.needed_usd is not None
        if loser.whole and gave < action.needed_usd * COVERED:
            self._complain(action, f"closes a loser that needs {action.needed_usd}; the winners gave {gave}")

    def _ended(self, new: RiskAction) -> None:
        closed = new.loser_step
        assert closed is not None
        if (new.status in (RiskStatus.DONE, RiskStatus.SHORTFALL)) is (closed.filled == 0):
            self._complain(new, f"ended as {new.status}; of its loser {closed.filled} were closed")
        gave = self._gave(new)
        if new.status is RiskStatus.DONE and gave < -closed.result - Decimal("0.02"):
            self._complain(new, f"is done; the winners gave {gave}, the loser lost {-closed.result}")

    def _gave(self, action: RiskAction) -> Decimal:
        """Work out anew what winners gave: fills against the average entry, before entry fees."""
        total = Decimal(0)
        for at, step in enumerate(action.steps):
            if step.role is not RiskRole.LOSER:
                for id in self._orders[action.id, at]:
                    total += self._result(self._rows[Order][id], step.side)
        return total

    def _result(self, order: Order, side: Side) -> Decimal:
        fills = self._fills_of[order.id].values()
        left = sum((fill.quantity for fill in fills), Decimal(0))
        got = sum((fill.quantity * fill.price for fill in fills), Decimal(0))
        cost = Decimal(0)
        for leg_id, part in order.parts:
            taken = min(part, left)
            left -= taken
            cost += taken * self._average(leg_id)
        fees = sum((fill.fee_value for fill in fills), Decimal(0))
        return (got - cost) * (1 if side is Side.LONG else -1) - fees

    def _average(self, leg_id: int) -> Decimal:
        entries = [
            fill
            for order in self._rows[Order].values()
            if order.leg_id == leg_id and order.purpose is Purpose.ENTRY
            for fill in self._fills_of[order.id].values()
        ]
        quantity = sum((fill.quantity for fill in entries), Decimal(0))
        return sum((fill.quantity * fill.price for fill in entries), Decimal(0)) / quantity

    def order(self, old: Order | None, new: Order) -> None:
        """Look at a close that belongs to an offset."""
        if new.purpose is not Purpose.OFFSET:
            return
        if new.risk_action_id is None or new.risk_step is None:
            self._breaks("R1", f"order {new.id} closes for an offset and names none")
            return
        action: RiskAction = self._rows[RiskAction][new.risk_action_id]
        self._touched[action.id] = None
        if old is not None:
            return
        self._orders[action.id, new.risk_step][new.id] = None
        step = action.steps[new.risk_step]
        if step.group_id != new.group_id:
            self._complain(action, f"has order {new.id} of group {new.group_id} in a step of {step.group_id}")

    def fill(self, new: Fill) -> None:
        order = self._rows[Order].get(new.order_id)
        if order is not None and order.risk_action_id is not None:
            self._touched[order.risk_action_id] = None

    # -- the whole

    def committed(self) -> None:
        """Look at the actions that a commit touched, after all of it."""
        running: dict[World, int] = {}
        for id in self._touched:
            self._adds_up(self._rows[RiskAction][id])
        if self._touched:
            for action in self._rows[RiskAction].values():
                if action.is_open and running.setdefault(action.world, action.id) != action.id:
                    self._complain(action, f"is under way beside {running[action.world]}")
        self._touched.clear()

    def _adds_up(self, action: RiskAction) -> None:
        """Each step is what its fills are, and has asked for no more than once what it is for."""
        if sum(step.status is StepStatus.RUNNING for step in action.steps) > 1:
            self._complain(action, "carries out two steps at once")
        for at, step in enumerate(action.steps):
            orders = [self._rows[Order][id] for id in self._orders[action.id, at]]
            filled = sum((f.quantity for o in orders for f in self._fills_of[o.id].values()), Decimal(0))
            if filled != step.filled:
                self._complain(action, f"says step {at} closed {step.filled}; its fills say {filled}")
            asked = sum((self._may_close(order) for order in orders), Decimal(0))
            late = not action.is_open or step.status in ENDED
            if not step.whole and asked > step.quantity and not late:
                self._complain(action, f"asks step {at} for {asked} instead of {step.quantity}")
        gave = sum((s.result for s in action.steps if s.role is not RiskRole.LOSER), Decimal(0))
        if (action.realized_usd or 0) != gave:
            self._complain(action, f"says it realized {action.realized_usd}, its steps {gave}")

    def _may_close(self, order: Order) -> Decimal:
        """Return what an order has closed, or may still close."""
        if self._is_over(order):
            return sum((fill.quantity for fill in self._fills_of[order.id].values()), Decimal(0))
        return order.quantity

    @staticmethod
    def _is_over(order: Order) -> bool:
        return order.is_final

    def _complain(self, action: RiskAction, what: str) -> None:
        self._breaks("R1", f"offset {action.id} {what}")


def open_ones(actions: Iterable[RiskAction]) -> list[RiskAction]:
    return [action for action in actions if action.is_open]
