"""Pages that are to come: each says what it will show, and shows what there is already."""

from __future__ import annotations

from PySide6.QtWidgets import QVBoxLayout

from execution_engine.domain.settings import Risk
from execution_engine.ui.bridge import Batch, Bridge
from execution_engine.ui.format import GAP, MINUS, counted
from execution_engine.ui.pages.page import Page
from execution_engine.ui.theme import px
from execution_engine.ui.widgets import Facts, Label, PageBar, Panel, StateChip


class ToCome(Page):
    """Say what the page will show."""

    def __init__(self, title: str, sentence: str) -> None:
        """Take the page's name and the sentence."""
        super().__init__()
        self.bar = PageBar(title)
        self.sentence = Label(sentence, "body", "text2", wrap=True)
        self.sentence.setMaximumWidth(px(640))
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(0, 0, 0, 0)
        self.column.setSpacing(0)
        self.column.addWidget(self.bar)
        self.body = QVBoxLayout()
        self.body.setContentsMargins(px(16), px(14), px(16), px(14))
        self.body.setSpacing(px(12))
        self.body.addWidget(self.sentence)
        self.column.addLayout(self.body)
        self.column.addStretch(1)


class RiskPage(ToCome):
    """Show the rules of the risk engine as they are set; it does not evaluate yet."""

    title = "Risk"

    def __init__(self, bridge: Bridge) -> None:
        """Show the settings in force."""
        super().__init__(
            self.title,
            "The risk engine does not evaluate yet: it closes nothing and offsets nothing. This page will show "
            "who can be the loser and why, the plan with its projection, and what was done. These rules are set "
            "and will be followed:",
        )
        self._bridge = bridge
        self.chip = StateChip()
        self.bar.add(self.chip)
        self.facts = Facts()
        for key, label in _RULES:
            self.facts.add(key, label)
        panel = Panel("Rules in force", "settings, section risk")
        panel.setMaximumWidth(px(640))
        panel.add(self.facts)
        self.body.addWidget(panel)
        self._show()
        bridge.changed.connect(self._changed)

    def _changed(self, batch: Batch) -> None:
        if batch.settings or batch.whole:
            self._show()

    def _show(self) -> None:
        risk = self._bridge.doors.settings().risk
        self.chip.show_look("On, not evaluating yet" if risk.enabled else "Off", "ring", "neutral")
        for key, text in _rules(risk).items():
            self.facts.show_fact(key, text)


_RULES = (
    ("interval", "Evaluated every"),
    ("timer", "The timer starts"),
    ("wait", "It runs"),
    ("pyramids", "Only groups with all pyramids"),
    ("grid", "Only groups without working entries"),
    ("loss", "Loss from"),
    ("age", "Age from"),
    ("winners", "Winners that may pay for one loser"),
    ("partial", "Part of the loser, when not covered"),
    ("top_up", "A shortfall is made up once"),
)
_STARTS = {
    "after_5_pyramids": "when all pyramids are there",
    "after_all_dca_submitted": "when all legs were sent",
    "after_all_dca_filled": "when all legs filled",
}


def _rules(risk: Risk) -> dict[str, str]:
    return {
        "interval": f"{risk.interval_s} s",
        "timer": _STARTS[risk.timer_start.value],
        "wait": f"{risk.post_full_wait_minutes} min",
        "pyramids": _yes(risk.require_full_pyramids),
        "grid": _yes(risk.require_filled_grid),
        "loss": f"{str(risk.loss_threshold_percent).replace('-', MINUS)}{GAP}%",
        "age": counted(risk.age_threshold_minutes, "minute") if risk.use_age_filter else "not asked",
        "winners": f"at most {risk.max_winners_to_combine}",
        "partial": _yes(risk.allow_partial_offset),
        "top_up": _yes(risk.top_up),
    }


def _yes(value: bool) -> str:
    return "yes" if value else "no"
