"""What a rehearsed offset would have meant: its closes then, held against the same quantities now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from execution_engine.domain.grid import money
from execution_engine.domain.money import HUNDRED, ZERO, divide
from execution_engine.domain.rows import Leg, RiskAction, RiskStep
from execution_engine.domain.settle import signed


@dataclass(frozen=True, slots=True)
class Hindsight:
    """A rehearsal, seen from now.

    then: what its closes would have come to [quote]. now: what the same quantities come to by now. gained: what
    carrying it out would have brought. words: the same as a line; unknown: a price of it is not known.
    """

    then: Decimal
    now: Decimal | None
    words: str

    @property
    def gained(self) -> Decimal | None:
        return None if self.now is None else self.then - self.now


def hindsight(action: RiskAction, prices: Mapping[int, Decimal]) -> Hindsight:
    """Compare a rehearsal with now. `prices` by group id: what a close gets now, or what closes got on average."""
    then = sum((step.expected for step in action.steps), ZERO)
    loser = action.loser_step
    paid = ", ".join(step.name for step in action.winners)
    did = (
        f"It would have closed {loser.name if loser else 'a loser'} at {signed(_lost(loser))} USD with {paid}"
    )
    if any(step.group_id not in prices for step in action.steps):
        return Hindsight(then, None, f"{did}; what that would have meant is not known: a price is missing")
    now = sum((_worth(step, prices[step.group_id]) for step in action.steps), ZERO)
    gained = then - now
    return Hindsight(then, now, f"{did}; {_meant(gained)}")


def _meant(gained: Decimal) -> str:
    if gained > 0:
        return f"by now that would have gained {money(gained)} USD"
    return f"by now that would have cost {money(-gained)} USD" if gained else "by now that is the same"


def _lost(loser: RiskStep | None) -> Decimal:
    return loser.expected if loser is not None else ZERO


def _worth(step: RiskStep, price: Decimal) -> Decimal:
    """Return what closing the same quantity at a price comes to after its fee [quote]."""
    fee = price * step.quantity * step.fee_percent / HUNDRED
    return step.side.sign * (price - step.avg_entry) * step.quantity - fee


def average_exit(legs: Sequence[Leg]) -> Decimal | None:
    """Return the average price that a group's closes got [quote]; None while nothing was closed."""
    quantity = sum((leg.closed_quantity for leg in legs), ZERO)
    return divide(sum((leg.proceeds for leg in legs), ZERO), quantity) if quantity else None
