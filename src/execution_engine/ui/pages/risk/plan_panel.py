"""The current plan: its steps, the balance below them, and what can be done about it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal

from PySide6.QtWidgets import QHBoxLayout, QWidget

from execution_engine.domain.risk_plan import OffsetPlan
from execution_engine.domain.rows import RiskAction, RiskRole, RiskStep
from execution_engine.ui.pages.risk import plan
from execution_engine.ui.pages.risk.cover import Cover
from execution_engine.ui.pages.risk.plan import StepLine
from execution_engine.ui.pages.risk.projection import footer, so_far
from execution_engine.ui.tables import TableModel, TableView
from execution_engine.ui.theme import px
from execution_engine.ui.tongue import tr
from execution_engine.ui.widgets import ElidedLabel, Panel, StateChip, button

Sizes = Mapping[int, tuple[Decimal, Decimal]]
ROWS_SHOWN = 4
_UNKNOWN = (Decimal("0.01"), Decimal("0.00000001"))  # a market that has gone: show what there is


class PlanPanel(Panel):
    """Show what would be closed, or is being closed."""

    def __init__(self) -> None:
        """Begin without a plan."""
        super().__init__(tr("Current plan"))
        self.chip = StateChip()
        self.skip = button(tr("Skip once"), small=True)
        self.block = button(tr("Block"), small=True)
        self.run = button(tr("Run now…"), "primary", small=True)
        self.add_left(self.chip)
        for each in (self.skip, self.block, self.run):
            self.add_right(each)
        self.model: TableModel[StepLine] = TableModel(
            plan.COLUMNS,
            key=lambda line: line.number,
            default_sort=lambda line: line.number,
            sentence=plan.sentence,
            tone=plan.tone,
        )
        self.table = TableView(self.model, plan.delegates(), name=tr("Current plan"))
        self.cover = Cover()
        self.footer = ElidedLabel("", "small", "text2")
        self.add(self.table, 1)
        self.add(self.cover)
        self._foot = QWidget()
        foot = QHBoxLayout(self._foot)
        foot.setContentsMargins(px(14), 0, px(14), px(10))
        foot.addWidget(self.footer)
        foot.addStretch(1)
        self.add(self._foot)
        self.table.setFixedHeight(self.table.heading.height() + ROWS_SHOWN * px(28) + 2)
        self._said: tuple[str, str] = ("", "")
        self._running: bool | None = None
        self._narrow = False

    def set_narrow(self, narrow: bool) -> None:
        """In a small window the projection is the last line."""
        self._narrow = narrow
        self._foot.setVisible(narrow)

    def say_nothing(self, sentence: str, action: str = "", then: Callable[[], object] | None = None) -> None:
        """Say why there is no plan."""
        self._show_columns(running=False)
        self.set_subtitle("")
        self.chip.hide()
        self._offer(None, can_run=False)
        self.model.replace(())
        if (sentence, action) != self._said:
            self._said = (sentence, action)
            self.table.set_empty(sentence, [(action, then)] if then is not None else ())
        self.cover.show_cover((), None)
        self.footer.show_text("")

    def show_plan(self, found: OffsetPlan, sizes: Sizes, subtitle: str, *, can_run: bool) -> None:
        """Show a plan; `can_run`: it could be carried out now."""
        self._show_columns(running=False)
        if found.acts:
            self.chip.show_state("risk", "ready")
        else:
            self.chip.show_look(tr("Not covered"), "cross", "neutral")
        self.chip.show()
        self.set_subtitle(subtitle)
        self._offer(found.loser, can_run=can_run)
        self.model.replace(_lines(found.steps, sizes, planned=True))
        shares = [(step.symbol, step.expected) for step in found.winners]
        self.cover.show_cover(shares, found.needed, said=_part(found))
        self.footer.show_text(footer(found))

    def show_action(self, action: RiskAction, sizes: Sizes) -> None:
        """Show an offset that is under way."""
        self._show_columns(running=True)
        self.chip.show_state("risk", "running")
        self.chip.show()
        at = action.current
        now = (
            tr("step {at} of {count}").format(at=at + 1, count=len(action.steps))
            if at is not None
            else tr("between two steps")
        )
        self.set_subtitle(tr("an offset is under way, {now}; it goes on after a restart").format(now=now))
        self._offer(None, can_run=False)
        self.model.replace(_lines(action.steps, sizes, planned=False))
        paid = [(step.symbol, step.result) for step in action.steps if step.role is not RiskRole.LOSER]
        self.cover.show_cover(paid, action.needed_usd, gave=True)
        self.footer.show_text(so_far(action))

    def _offer(self, loser: RiskStep | None, *, can_run: bool) -> None:
        for each in (self.skip, self.block):
            each.setVisible(loser is not None)
        if loser is not None:
            self.block.setText(
                tr("Block {loser}").format(loser=loser.name) if not self._narrow else tr("Block")
            )
            self.block.setToolTip(tr("{loser} is left alone until you unblock it").format(loser=loser.name))
            self.skip.setToolTip(
                tr("{loser} is left alone once; the next worst group takes its turn").format(loser=loser.name)
            )
        self.run.setEnabled(can_run)
        self.run.setToolTip("" if can_run else tr("There is nothing to be carried out now"))

    def _show_columns(self, *, running: bool) -> None:
        if running is not self._running:
            self._running = running
            self.table.show_columns(plan.RUNNING if running else plan.PLANNED)


def _lines(steps: tuple[RiskStep, ...], sizes: Sizes, *, planned: bool) -> list[StepLine]:
    return [
        StepLine(number, step, *sizes.get(step.group_id, _UNKNOWN), planned=planned)
        for number, step in enumerate(steps, 1)
    ]


def _part(found: OffsetPlan) -> str:
    """Say what is done where not everything is covered."""
    return (
        tr("only the covered part is closed, {missing} USD are missing").format(
            missing=f"{found.missing:,.2f}"
        )
        if found.is_partial
        else ""
    )
