"""The question before an offset is run by hand: what is closed, what that comes to."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtWidgets import QWidget

from execution_engine.domain.risk_plan import OffsetPlan, fee_of
from execution_engine.domain.rows import RiskRole, RiskStep, World
from execution_engine.ui.format import counted, exact, result_token, signed_usd, usd
from execution_engine.ui.pages.risk.projection import stays
from execution_engine.ui.tongue import tr
from execution_engine.ui.widgets import ConfirmDialog, Consequence, follows

MOST_SHOWN = 5  # steps in a dialog; the page behind it shows them all


def run(plan: OffsetPlan, *, rehearsed: bool, parent: QWidget) -> ConfirmDialog:
    """Return the question before the plan is carried out, or rehearsed."""
    if rehearsed:
        return ConfirmDialog(
            tr("Rehearse the offset"),
            tr("Rehearse closing {plan}?").format(plan=_listed(plan)),
            tr("Rehearse"),
            explanation=tr(
                "This is a rehearsal: nothing is sent to an exchange, no skip is used up. The plan is kept "
                "in the history, with what it would have meant."
            ),
            consequences=_consequences(plan),
            danger=False,
            note=tr("Nothing is sent"),
            parent=parent,
        )
    return ConfirmDialog(
        tr("Run the offset"),
        tr("Close {plan}?").format(plan=_listed(plan)),
        tr("Run the offset"),
        explanation=tr("Winners are closed first. What was closed cannot be taken back."),
        consequences=_consequences(plan),
        mode="live" if plan.world is World.LIVE else "",
        note=tr("Quantities follow the prices of that moment"),
        parent=parent,
    )


def _listed(plan: OffsetPlan) -> str:
    """Name what is closed in its order: “SOLUSDT 4h, part of XRPUSDT.P 1h, then ETHUSDT 4h”."""
    names = [_name(step) for step in plan.winners]
    if len(names) > MOST_SHOWN:
        names = [*names[: MOST_SHOWN - 1], tr("{count} more").format(count=len(names) - MOST_SHOWN + 1)]
    return tr("{names}, then {loser}").format(names=", ".join(names), loser=_name(plan.loser))


def _name(step: RiskStep) -> str:
    part = not step.whole if step.role is RiskRole.LOSER else step.left > 0
    return tr("part of {step}").format(step=step.name) if part else step.name


def _consequences(plan: OffsetPlan) -> list[Consequence]:
    shown: Sequence[RiskStep] = plan.winners[:MOST_SHOWN]
    found = [_close(step, tr("Winner")) for step in shown]
    rest = plan.winners[MOST_SHOWN:]
    if rest:
        gives = sum(step.expected for step in rest)
        found.append(
            follows(
                tr("Winners"),
                f"{counted(len(rest), tr('more'), tr('mores'))}: {signed_usd(gives or None)} USD",
            )
        )
    found.append(_close(plan.loser, tr("Loser")))
    total = plan.total
    found.append(
        Consequence(
            tr("Together"),
            [
                (f"{signed_usd(total)} USD", f"{result_token(total)}!"),
                (tr("after {amount} USD of closing fees").format(amount=usd(plan.fees)), "text3"),
            ],
        )
    )
    left = [stays(step) for step in plan.steps if step.left > 0]
    found.append(follows(tr("Stays open"), ", ".join(left) or tr("nothing of these")))
    return found


def _close(step: RiskStep, label: str) -> Consequence:
    token = "profit" if step.expected > 0 else "loss"
    return Consequence(
        label,
        [
            (step.name, "text!"),
            (
                tr("{quantity} at {price}").format(quantity=exact(step.quantity), price=exact(step.price)),
                "text",
            ),
            (f"{signed_usd(step.expected)} USD", token),
            (tr("fee {amount}").format(amount=usd(fee_of(step))), "text3"),
        ],
    )
