"""The worst case: what can be at stake with the values that stand in the forms."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QSizePolicy, QVBoxLayout

from execution_engine.domain.exposure import Exposure, worst_case
from execution_engine.domain.settings import PyramidCapital, Settings
from execution_engine.ui.format import MISSING, number, usd
from execution_engine.ui.icons import Mark
from execution_engine.ui.pages.settings.sheet import Sheet
from execution_engine.ui.theme import px
from execution_engine.ui.tongue import tr
from execution_engine.ui.widgets import Facts, Label, Panel, button

SPLIT = "capital.pyramid_capital"


class WorstCase(Panel):
    """Show leg, pyramid, group and all groups, and how many times the capital that is."""

    def __init__(self, sheet: Sheet) -> None:
        """Follow a sheet."""
        super().__init__(tr("Worst case"), "USD")
        self._sheet = sheet
        self.facts = Facts()
        for key, label in (
            ("leg", tr("Heaviest leg")),
            ("pyramid", tr("Per pyramid")),
            ("group", tr("Per group")),
            ("total", tr("All groups")),
            ("before", tr("Now in force")),
        ):
            self.facts.add(key, label, bold=key == "total")
        self.facts.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        self.add(self.facts)
        self.note = _Note()
        self.note.split.clicked.connect(self._use_split)
        frame = QVBoxLayout()
        frame.setContentsMargins(px(12), px(4), px(12), px(12))
        frame.addWidget(self.note)
        frame.addStretch(1)
        self.add(frame, 1)
        sheet.changed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Compute it anew."""
        settings = self._sheet.settings
        self.facts.show_fact("before", usd(worst_case(self._sheet.base).total), "text3")
        if settings is None:
            for key in ("leg", "pyramid", "group", "total"):
                self.facts.show_fact(key, MISSING, "text3")
            self.note.hide()
            return
        worst = worst_case(settings)
        for key, value in (
            ("leg", worst.leg),
            ("pyramid", worst.pyramid),
            ("group", worst.group),
            ("total", worst.total),
        ):
            self.facts.show_fact(key, usd(value), tip=formula(worst))
        self.note.say(settings, worst)

    def _use_split(self) -> None:
        self._sheet.put(SPLIT, PyramidCapital.SPLIT.value)
        self._sheet.refilled.emit()


def formula(worst: Exposure) -> str:
    """Write how the worst case is computed, with its numbers."""
    lever = (
        tr(", {leverage} × leverage in it").format(leverage=number(worst.leverage, 1))
        if worst.leverage > 1
        else ""
    )
    return tr("{amount} per pyramid{lever} × {pyramids} pyramids × {groups} groups = {amount_2} USD").format(
        amount=usd(worst.pyramid),
        lever=lever,
        pyramids=worst.pyramids,
        groups=worst.groups,
        amount_2=usd(worst.total),
    )


def in_words(worst: Exposure) -> str:
    """Write the worst case on one line."""
    return tr(
        "Worst case: leg {amount}, pyramid {amount_2}, group {amount_3}, all {groups} groups "
        "{amount_4} USD, {times} × your capital"
    ).format(
        amount=usd(worst.leg),
        amount_2=usd(worst.pyramid),
        amount_3=usd(worst.group),
        groups=worst.groups,
        amount_4=usd(worst.total),
        times=number(worst.times, 1),
    )


class _Note(QFrame):
    """Say it in words when more can be at stake than there is."""

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("note", "warn")
        self.title = Label("", "body", "text", weight=600)
        self.words = Label("", "small", "text2", wrap=True)
        self.split = button(
            tr("Use split"), "link", small=True, tip=tr("Let the pyramids share a group's capital")
        )
        self.split.setProperty("flush", "true")
        row = QHBoxLayout(self)
        row.setContentsMargins(px(12), px(10), px(12), px(10))
        row.setSpacing(px(8))
        row.addWidget(Mark(icon="warning", token="warn", size=px(16)), alignment=Qt.AlignmentFlag.AlignTop)
        column = QVBoxLayout()
        column.setSpacing(px(4))
        column.addWidget(self.title)
        column.addWidget(self.words)
        column.addWidget(self.split, alignment=Qt.AlignmentFlag.AlignLeft)
        row.addLayout(column, 1)

    def say(self, settings: Settings, worst: Exposure) -> None:
        self.setVisible(worst.times > 1)
        if worst.times <= 1:
            return
        self.title.show_text(tr("{times} × your capital").format(times=number(worst.times, 1)))
        capital = usd(settings.capital.total_usd)
        full = settings.capital.pyramid_capital is PyramidCapital.FULL and worst.pyramids > 1
        words = tr("{capital} USD is set as capital.").format(capital=capital)
        if worst.leverage > 1:
            words += tr(" Leverage of {leverage} × is in it.").format(leverage=number(worst.leverage, 1))
        if full:
            words += tr(" With “split”, a group never spends more than {amount} USD.").format(
                amount=usd(worst.group / worst.pyramids)
            )
        self.words.show_text(words)
        self.split.setVisible(full)
