"""An evaluation of the risk engine as lines of text: the plan as a balance sheet."""

from __future__ import annotations

from collections.abc import Iterator

from execution_engine.domain.grid import money
from execution_engine.domain.money import text
from execution_engine.domain.risk_plan import Evaluation, OffsetPlan
from execution_engine.domain.rows import RiskRole
from execution_engine.domain.settle import signed


def balance(found: Evaluation, *, rehearsed: bool = False) -> list[str]:
    """Return what an evaluation found: who pays, who is closed, what that leaves and what remains open."""
    note = "; only rehearsed, nothing is sent" if rehearsed else ""
    lines = [f"{found.world.capitalize()}: {found.words}{note}."]
    if found.plan is not None and found.plan.acts:
        lines += sheet(found.plan)
    return lines


def sheet(plan: OffsetPlan) -> Iterator[str]:
    """Yield a plan as a balance sheet, results after closing fees and before entry fees."""
    for step in plan.steps:
        word = "loser" if step.role is RiskRole.LOSER else "winner"
        yield (
            f"  {word} {step.name} on {step.account}: close {text(step.quantity)} at {text(step.price)}, "
            f"{signed(step.expected)} USD; {text(step.left)} stay open"
        )
    yield f"  together {signed(plan.total)} USD, closing fees of {money(plan.fees)} USD included"
