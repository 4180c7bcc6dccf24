"""The facts of one group, beside its chart."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from execution_engine.domain.money import ZERO
from execution_engine.domain.rows import Pyramid
from execution_engine.ui import format as f
from execution_engine.ui.icons import Mark
from execution_engine.ui.pages.positions import words
from execution_engine.ui.pages.positions.lines import GroupLine
from execution_engine.ui.theme import px
from execution_engine.ui.tongue import tr, translated
from execution_engine.ui.widgets import Facts, Label, Panel, button

_ROWS = (
    ("invested", tr("Invested"), "USD"),
    ("quantity", tr("Quantity"), " "),
    ("entry", tr("Average entry"), ""),
    ("unrealized", tr("Unrealized"), "USD"),
    ("realized", tr("Realized"), "USD"),
    ("fees", tr("Fees paid"), "USD"),
    ("target", tr("Next target"), " "),
    ("grid", tr("Grid"), ""),
    ("capital", tr("Capital"), "USD"),
    ("timer", tr("Risk timer"), ""),
)


class HoldNote(QFrame):
    """Say why a group is on hold, with the button that lifts it, where it can be lifted.

    lift, review: the user wants to lift the hold, or to see what was found.
    """

    lift = Signal()
    review = Signal()

    def __init__(self) -> None:
        """Begin hidden."""
        super().__init__()
        self.setProperty("rule", "bottom")
        self.reason = Label("", "body", "text2", wrap=True)
        self.lift_button = button(tr("Lift the hold…"), small=True)
        self.review_button = button(tr("See what was found"), "link", small=True)
        self.review_button.setProperty("flush", "true")
        head = QHBoxLayout()
        head.setSpacing(px(6))
        head.addWidget(Mark(icon="pause", token="warn", size=px(14)))
        head.addWidget(Label(tr("On hold"), "body", "warn", weight=600), 1)
        acts = QHBoxLayout()
        acts.setSpacing(px(10))
        acts.addWidget(self.lift_button)
        acts.addWidget(self.review_button)
        acts.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(px(12), px(10), px(12), px(10))
        column.setSpacing(px(5))
        column.addLayout(head)
        column.addWidget(self.reason)
        column.addLayout(acts)
        self.lift_button.clicked.connect(self.lift)
        self.review_button.clicked.connect(self.review)
        self.hide()

    def show_hold(self, reason: str, *, releasable: bool) -> None:
        """Show a reason; an empty one hides all this."""
        self.reason.show_text(f.visible(translated(reason), 400))
        self.lift_button.setVisible(releasable)
        self.setVisible(bool(reason))
        self.setAccessibleName(tr("On hold: {reason}").format(reason=reason) if reason else "")


class GroupFacts(Panel):
    """List what a group is and holds."""

    def __init__(self, parent: QWidget | None = None) -> None:
        """Begin without a group."""
        super().__init__(tr("Group"), framed=False, parent=parent)
        self.facts = Facts()
        for key, label, unit in _ROWS:
            self.facts.add(key, label, unit=unit)
        self.hold = HoldNote()
        self.add(self.hold)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        area.setWidget(self.facts)
        # The panel behind it shows through; `setWidget` has just turned that off.
        for each in (area.viewport(), self.facts):
            each.setAutoFillBackground(False)
        area.setAccessibleName(tr("Facts of the group"))
        self.add(area, 1)

    def show_group(
        self, line: GroupLine | None, pyramids: Iterable[Pyramid] = (), *, releasable: bool = False
    ) -> None:
        """Show a group; None shows dashes. `releasable`: the user can lift its hold."""
        self.hold.show_hold("" if line is None else line.hold, releasable=releasable)
        if line is None:
            self.set_subtitle("")
            for key, _, unit in _ROWS:
                self.facts.show_fact(key, f.MISSING, "text3", unit="" if unit.isspace() else unit)
            return
        group = line.group
        self.set_subtitle(
            tr("{account} · {grid_name} grid").format(
                account=f.visible(group.account, 30), grid_name=f.visible(group.grid_name, 30)
            )
        )
        self._money(line)
        self._targets(line)
        capital = sum((pyramid.capital_usd for pyramid in pyramids), ZERO)
        each = f.counted(group.pyramid_count, tr("pyramid"), tr("pyramids"))
        self.facts.show_fact(
            "capital", f.usd(capital), tip=tr("What the grids of {name} may spend").format(name=each)
        )
        tips = tr("{grid_name}: {count} per pyramid").format(
            grid_name=f.visible(group.grid_name), count=f.counted(len(group.grid), tr("leg"), tr("legs"))
        )
        self.facts.show_fact("grid", f.visible(group.grid_name, 30), tip=tips)
        timer, moment = words.timer(group)
        self.facts.show_fact("timer", timer, "text" if moment else "text3", tip=moment or tr("Not started"))

    def _money(self, line: GroupLine) -> None:
        group, rules, show = line.group, line.rules, self.facts.show_fact
        show("invested", f.usd(group.invested), tip=f"{f.exact(group.invested)} USD")
        held = rules.quantity(group.open_quantity)
        show("quantity", f.quantity(held, rules.step), unit=group.base, tip=words.filled(line))
        average = f.price(group.avg_entry, rules.tick)
        show("entry", average, "text" if group.avg_entry else "text3", tip=words.entry(line))
        result = line.unrealized
        token = "text3" if line.stale else f.result_token(result)
        show("unrealized", f.signed_usd(result), token, tip=words.unrealized(line))
        realized = f.signed_usd(group.realized)
        show("realized", realized, f.result_token(group.realized), tip=f"{f.exact(group.realized)} USD")
        show("fees", f.usd(group.fees), tip=f"{f.exact(group.fees)} USD")

    def _targets(self, line: GroupLine) -> None:
        goal = line.goal
        if goal is None:
            self.facts.show_fact("target", f.MISSING, "text3", unit="")
            return
        whose = tr("group") if goal.whose == "all" else goal.whose
        at = f.price(goal.target, line.rules.tick)
        self.facts.show_fact("target", at, unit=whose, tip=words.target(line))
