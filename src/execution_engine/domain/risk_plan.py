"""The plan of an offset: who loses, who pays for it, how much of each, and what that comes to.

Pure: nothing is written here. Screens show the same plan that the engine carries out.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from heapq import nsmallest
from itertools import chain

from execution_engine.domain.grid import money
from execution_engine.domain.money import HUNDRED, ZERO, round_up
from execution_engine.domain.risk_candidate import Candidate
from execution_engine.domain.risk_rules import is_eligible_but_for_skip
from execution_engine.domain.rows import RiskRole, RiskStep, World
from execution_engine.domain.settings import Risk

FEW = 64  # winners that are looked at before all of them are brought into order


@dataclass(frozen=True, slots=True)
class OffsetPlan:
    """What an offset would do now.

    loser, winners: its steps. needed: the loser's whole loss and closing fee [quote]. covered: what the winners
    give together. acts: whether it is carried out; otherwise `words` says why not.
    """

    world: World
    loser: RiskStep
    winners: tuple[RiskStep, ...]
    needed: Decimal
    covered: Decimal
    acts: bool
    words: str

    @property
    def steps(self) -> tuple[RiskStep, ...]:
        """Return the closes in their order: the winners, then the loser."""
        return (*self.winners, self.loser)

    @property
    def missing(self) -> Decimal:
        """Return how much is missing to cover the whole loss [quote]."""
        return max(self.needed - self.covered, ZERO)

    @property
    def is_partial(self) -> bool:
        return not self.loser.whole

    @property
    def fees(self) -> Decimal:
        """Return the closing fees of all steps together [quote]."""
        return sum((fee_of(step) for step in self.steps), ZERO)

    @property
    def total(self) -> Decimal:
        """Return what all closes together leave after their fees, before the entry fees [quote]."""
        return sum((step.expected for step in self.steps), ZERO)

    @property
    def signature(self) -> tuple[tuple[RiskRole, int, Decimal], ...]:
        return signature(self.steps)


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What the risk engine finds in a world.

    plan: None while no group can be the loser; `words` says how it stands. skips: ids of groups that would have
    been chosen and are skipped once instead.
    """

    world: World
    plan: OffsetPlan | None
    skips: tuple[int, ...]
    words: str


def evaluate(world: World, found: Sequence[Candidate], risk: Risk, now: datetime) -> Evaluation:
    """Choose the loser of a world and plan its offset."""
    able = [one for one in found if is_eligible_but_for_skip(one, risk, now)]
    skips: list[int] = []
    while able:
        worst = min(able, key=worst_first)
        if not worst.group.skip_once:
            plan = offset(world, worst, found, risk)
            return Evaluation(world, plan, tuple(skips), plan.words)
        skips.append(worst.group.id)
        able.remove(worst)
    words = "the groups that could be the loser are skipped once" if skips else "no group can be the loser"
    return Evaluation(world, None, tuple(skips), words)


def worst_first(found: Candidate) -> tuple[Decimal, Decimal, datetime, int]:
    """Return the order of losers: the highest loss %, the highest loss in USD, the oldest."""
    return (found.percent, found.unrealized or ZERO, found.group.created_at, found.group.id)


def offset(world: World, loser: Candidate, found: Sequence[Candidate], risk: Risk) -> OffsetPlan:
    """Plan how the loss of one group is paid for."""
    needed = loss_of(loser)
    paying = winners(found, needed, risk.max_winners_to_combine, {loser.group.id})
    covered = sum((step.expected for step in paying), ZERO)
    whole = _loser_step(loser, loser.closable, whole=True)
    said = f"{loser.name} needs {money(needed)} USD"
    if covered >= needed:
        given = f"1 winner gives {money(covered)} USD"
        if len(paying) > 1:
            given = f"{len(paying)} winners give {money(covered)} USD"
        return OffsetPlan(world, whole, paying, needed, covered, True, f"{said}; {given}")
    said += f"; the winners can give {money(covered)} USD; {money(needed - covered)} USD are missing"
    part = covered_part(loser, covered, needed) if risk.allow_partial_offset else ZERO
    if part > 0:
        step = _loser_step(loser, part, whole=False)
        return OffsetPlan(world, step, paying, needed, covered, True, f"{said}; a part of it is closed")
    return OffsetPlan(world, whole, paying, needed, covered, False, f"{said}; nothing happens")


def loss_of(loser: Candidate) -> Decimal:
    """Return a loser's unrealized loss with its closing fee [quote]."""
    return loser.fee(loser.group.open_quantity) - (loser.unrealized or ZERO)


def covered_part(loser: Candidate, covered: Decimal, needed: Decimal) -> Decimal:
    """Return the part of a loser whose loss is covered [base], as much of it as an order may close."""
    part = loser.instrument.quantity(loser.group.open_quantity * covered / needed)
    return loser.instrument.closable(min(part, loser.closable), loser.price or ZERO)


def winners(
    found: Sequence[Candidate], needed: Decimal, most: int, without: Collection[int]
) -> tuple[RiskStep, ...]:
    """Return the steps of the winners that pay `needed` [quote]; each gives what is still needed."""
    steps: list[RiskStep] = []
    for one in richest_first(found, without):
        if needed <= 0 or len(steps) >= most:
            break
        step = give(one, needed)
        if step is not None:
            steps.append(step)
            needed -= step.expected
    return tuple(steps)


def richest_first(found: Sequence[Candidate], without: Collection[int]) -> Iterator[Candidate]:
    """Yield those with an unrealized profit, the highest first; of equal ones the oldest."""
    paying = [one for one in found if one.unrealized is not None and one.unrealized > 0]
    for one in chain(nsmallest(FEW, paying, key=_richest), _the_others(paying)):
        if can_pay(one) and one.group.id not in without:
            yield one


def _the_others(paying: Sequence[Candidate]) -> Iterator[Candidate]:
    """Sort the whole crowd only if the first few were not enough."""
    if len(paying) > FEW:
        yield from sorted(paying, key=_richest)[FEW:]


def _richest(found: Candidate) -> tuple[Decimal, datetime, int]:
    return (-(found.unrealized or ZERO), found.group.created_at, found.group.id)


def can_pay(found: Candidate) -> bool:
    """A winner is open and on no hold; one that a close was just refused waits."""
    return found.group.is_open and not found.hold and found.group.retry_at is None


def gain_per_unit(found: Candidate) -> Decimal:
    """Return what closing one unit brings after its closing fee [quote]; entry fees are spent already."""
    price, group = found.price or ZERO, found.group
    return group.side.sign * (price - (group.avg_entry or ZERO)) - price * found.fee_percent / HUNDRED


def give(
    found: Candidate, needed: Decimal, role: RiskRole = RiskRole.WINNER, held: Decimal | None = None
) -> RiskStep | None:
    """Return the close with which a winner gives what is needed [quote], or all it can; None if it gives nothing.

    held: what of the group may be closed, where that is less than it holds [base].
    """
    gain, rules, price = gain_per_unit(found), found.instrument, found.price or ZERO
    most = found.closable if held is None else rules.closable(held, price)
    if gain <= 0 or most <= 0:
        return None
    quantity = min(round_up(needed / gain, rules.step), most)
    if quantity * gain < needed and quantity < most:  # the quotient was rounded
        quantity = min(quantity + rules.step, most)
    if rules.closable(quantity, price) <= 0:
        return None
    return _step(found, role, quantity, gain * quantity)


def _loser_step(loser: Candidate, quantity: Decimal, *, whole: bool) -> RiskStep:
    if whole:
        return _step(loser, RiskRole.LOSER, quantity, -loss_of(loser), whole=True)
    return _step(loser, RiskRole.LOSER, quantity, gain_per_unit(loser) * quantity)


def _step(
    found: Candidate, role: RiskRole, quantity: Decimal, expected: Decimal, *, whole: bool = False
) -> RiskStep:
    group = found.group
    return RiskStep(
        role=role,
        group_id=group.id,
        account=group.account,
        symbol=group.symbol,
        timeframe=group.timeframe,
        side=group.side,
        quantity=quantity,
        whole=whole,
        left=group.open_quantity - quantity,
        price=found.price or ZERO,
        avg_entry=group.avg_entry or ZERO,
        fee_percent=found.fee_percent,
        expected=expected,
    )


def fee_of(step: RiskStep) -> Decimal:
    """Return what the close of a step is to be charged [quote]."""
    return step.price * step.quantity * step.fee_percent / HUNDRED


def signature(steps: Sequence[RiskStep]) -> tuple[tuple[RiskRole, int, Decimal], ...]:
    """Return what makes two plans the same: the closes that they ask for."""
    return tuple((step.role, step.group_id, step.quantity) for step in steps)
