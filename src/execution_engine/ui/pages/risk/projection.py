"""What a plan comes to, or what an offset under way came to so far."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from execution_engine.domain.money import ZERO
from execution_engine.domain.risk_plan import OffsetPlan, fee_of
from execution_engine.domain.rows import RiskAction, RiskStep
from execution_engine.ui.format import MISSING, exact, number, result_token, signed_usd, usd
from execution_engine.ui.theme import px
from execution_engine.ui.tongue import tr
from execution_engine.ui.widgets import Facts, Label, Panel

_UNIT = 30
_ROWS = (
    ("winners", tr("Winners, after closing fees"), "USD"),
    ("loser", tr("Loser"), "USD"),
    ("fee", tr("Loser's closing fee"), "USD"),
    ("result", tr("Together"), "USD"),
    ("missing", tr("Missing"), "USD"),
    ("slots", tr("Slots that become free"), ""),
    ("open", tr("Stays open"), ""),
)
NOTE = tr(
    "Winners are closed first. If a step fails the loser stays open, unless what was realized covers it."
)


class Projection(Panel):
    """The sums of a plan, one below the other."""

    def __init__(self) -> None:
        """Begin with dashes."""
        super().__init__(tr("Projection"))
        self.facts = Facts(unit_width=_UNIT)
        for key, label, unit in _ROWS:
            self.facts.add(key, label, unit=unit, bold=key == "result")
        self.note = Label(NOTE, "small", "text3", wrap=True)
        self.note.setContentsMargins(px(12), 0, px(12), px(8))
        self.add(self.facts)
        self.add(self.note)
        self.body.addStretch(1)

    def show_nothing(self, subtitle: str = "") -> None:
        """Show that there is no plan."""
        self.set_subtitle(subtitle)
        for key, _, _ in _ROWS:
            self.facts.show_fact(key, MISSING, "text3")

    def show_plan(self, plan: OffsetPlan, subtitle: str) -> None:
        """Show what a plan would come to."""
        self.heading.title.show_text(tr("Projection"))
        self.set_subtitle(subtitle)
        fee = fee_of(plan.loser)
        self._money("winners", plan.covered)
        self._money("loser", plan.loser.expected + fee)
        self._money("fee", -fee)
        self._money("result", plan.total)
        missing = plan.missing
        self.facts.show_fact("missing", usd(missing), "loss" if missing else "text3", tip=exact(missing))
        if plan.acts:
            self._after(plan.steps)
        else:
            self.facts.show_fact("slots", "0", "text3")
            self.facts.show_fact("open", tr("all of it, nothing is closed"))

    def show_action(self, action: RiskAction) -> None:
        """Show what an offset under way came to so far."""
        self.heading.title.show_text(tr("So far"))
        self.set_subtitle(tr("by the fills"))
        loser = action.loser_step
        fees, lost = (loser.fees, loser.result) if loser is not None else (ZERO, ZERO)
        realized = action.realized_usd or ZERO
        self._money("winners", realized)
        self._money("loser", lost + fees)
        self._money("fee", -fees)
        self._money("result", realized + lost)
        missing = max((action.needed_usd or ZERO) - realized, ZERO)
        self.facts.show_fact("missing", usd(missing), "text" if missing else "text3", tip=exact(missing))
        self._after(action.steps)

    def _money(self, key: str, value: Decimal) -> None:
        self.facts.show_fact(key, signed_usd(value), result_token(value), tip=f"{exact(value)} USD")

    def _after(self, steps: Sequence[RiskStep]) -> None:
        open_after = [step for step in steps if step.left > 0]
        self.facts.show_fact("slots", str(len(steps) - len(open_after)))
        said = ", ".join(stays(step) for step in open_after) or tr("nothing of these")
        self.facts.show_fact(
            "open",
            said
            if len(said) <= 38
            else tr("{count} of {count_2}").format(count=len(open_after), count_2=len(steps)),
            tip=said,
        )


def stays(step: RiskStep) -> str:
    """Say what of a group stays open: “XRPUSDT.P, 12.6 of 454.4”."""
    held = step.quantity + step.left
    return tr("{symbol}, {left} of {held}").format(
        symbol=step.symbol, left=exact(step.left), held=exact(held)
    )


def footer(plan: OffsetPlan) -> str:
    """Say the projection in one line, for a small window."""
    fee = fee_of(plan.loser)
    gives = tr("Winners {amount}, loser {amount_2}, fee {amount_3}").format(
        amount=signed_usd(plan.covered), amount_2=signed_usd(plan.loser.expected + fee), amount_3=usd(fee)
    )
    freed = sum(1 for step in plan.steps if step.left == 0)
    return tr("{gives}: together {amount} USD; {freed} slots become free").format(
        gives=gives, amount=signed_usd(plan.total), freed=number(Decimal(freed), 0)
    )


def so_far(action: RiskAction) -> str:
    """Say in one line what an offset under way came to, for a small window."""
    gave, loser = action.realized_usd or ZERO, action.loser_step
    lost = loser.result if loser is not None else ZERO
    return tr("So far winners gave {amount}, the loser {amount_2}: together {amount_3} USD").format(
        amount=usd(gave), amount_2=signed_usd(lost), amount_3=signed_usd(gave + lost)
    )
