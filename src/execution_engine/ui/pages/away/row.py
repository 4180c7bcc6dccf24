"""One finding: what it is, where and when, the sentences, both quantities, and what can be done."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from execution_engine.domain.money import ZERO
from execution_engine.domain.rows import Choice, Finding, Missed
from execution_engine.ui.findings import (
    DOING,
    TELLING,
    expectation,
    missing,
    part_of,
    sentences,
    verb,
    when_missed,
    where,
)
from execution_engine.ui.format import exact, spoken, utc_text, visible
from execution_engine.ui.icons import Mark
from execution_engine.ui.theme import px
from execution_engine.ui.tongue import tr, translated
from execution_engine.ui.widgets import BusyArc, Label, button

SAID = 300  # letters of an answer that are shown
WIDE, NARROW = 4, 2  # facts beside each other


class Fact(NamedTuple):
    """A figure under its name, and what a tooltip says of it."""

    name: str
    figure: str
    tip: str = ""


class FindingRow(QFrame):
    """Show a finding with a button per choice.

    chosen: the user wants this done. concerns: the names of the groups it is about.
    story_wanted: the user wants to see an alert's story.
    """

    chosen = Signal(object, object)
    story_wanted = Signal(int)

    def __init__(self, finding: Finding, concerns: Sequence[str] = (), unit: str = "") -> None:
        """Take the finding and the unit of its quantities; one that changed gets a new row."""
        super().__init__()
        self.finding, self._unit = finding, unit
        self.buttons: dict[Choice, QPushButton] = {}
        self.story: QPushButton | None = None
        look = TELLING[finding.kind]
        found, done = sentences(finding)
        self.title = Label(look.title, "body", "text", weight=600, wrap=True)
        self.where = Label(where(finding), "small", "text3", wrap=True)
        self.where.setToolTip(utc_text(finding.at))
        self.found = Label(found, "body", "text", wrap=True)
        self.done = Label(done, "body", "text2", wrap=True)
        self.done.setVisible(bool(done))
        self.concerns = Label(
            tr("Concerns {concerns}").format(concerns=", ".join(concerns)), "small", "text2", wrap=True
        )
        self.concerns.setVisible(bool(concerns))
        self.arc = BusyArc(12, "accent")
        self.said = Label("", "body", "text2", wrap=True)
        row = QHBoxLayout(self)
        row.setContentsMargins(px(12), px(12), px(12), px(12))
        row.setSpacing(px(10))
        mark = Mark(icon=look.icon, token=look.token, size=px(16))
        row.addWidget(mark, alignment=Qt.AlignmentFlag.AlignTop)
        row.addLayout(self._words(), 1)
        self.setAccessibleName(f"{look.title}. {self.where.text()}. {found} {done}".rstrip())
        self.show_quiet()

    def _words(self) -> QVBoxLayout:
        column = QVBoxLayout()
        column.setSpacing(px(4))
        choices = self._choices()
        head = QHBoxLayout()
        head.setSpacing(px(8))
        head.addWidget(self.title, 1, Qt.AlignmentFlag.AlignTop)
        if part_of(self.finding) != "decide":
            # What is only to be read takes no line of its own for its one button.
            head.addLayout(choices)
        column.addLayout(head)
        for each in (self.where, self.found, self.done):
            column.addWidget(each)
        if missing(self.finding) is not None:
            column.addSpacing(px(4))
            column.addWidget(_grid(self._quantities(), WIDE))
        elif self.finding.missed is not None:
            column.addSpacing(px(4))
            side_list = part_of(self.finding) != "decide"
            column.addWidget(_grid(_facts(self.finding.missed), NARROW if side_list else WIDE))
        column.addSpacing(px(2))
        column.addWidget(self.concerns)
        if part_of(self.finding) == "decide":
            column.addSpacing(px(6))
            column.addLayout(choices)
        answer = QHBoxLayout()
        answer.setSpacing(px(8))
        answer.addWidget(self.arc)
        answer.addWidget(self.said, 1)
        column.addLayout(answer)
        return column

    def _quantities(self) -> Sequence[Fact]:
        """Return what both sides hold."""
        finding = self.finding
        gap = missing(finding) or ZERO
        facts = [
            Fact(tr("The groups hold"), f"{exact(finding.ours)} {self._unit}".rstrip()),
            Fact(tr("The exchange holds"), f"{exact(finding.theirs)} {self._unit}".rstrip()),
            Fact(tr("Missing") if gap >= 0 else tr("More"), f"{exact(abs(gap))} {self._unit}".rstrip()),
        ]
        if finding.price is not None:
            facts.append(Fact(tr("Traded at"), exact(finding.price)))
        return facts

    def _choices(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(px(8))
        for choice in self.finding.choices:
            says = verb(self.finding, choice)
            made = button(says, "danger-outline" if choice is Choice.CLOSE else "normal", small=True)
            made.setAccessibleName(f"{says}: {self.title.text()}, {self.where.text()}")
            made.clicked.connect(lambda _=False, each=choice: self.chosen.emit(self.finding, each))
            self.buttons[choice] = made
            row.addWidget(made)
        missed = self.finding.missed
        if missed is not None and part_of(self.finding) == "decide":
            self.story = button(tr("Show alert {id}").format(id=missed.alert_id), small=True)
            self.story.clicked.connect(lambda: self.story_wanted.emit(missed.alert_id))
            row.addWidget(self.story)
        row.addStretch(1)
        return row

    # How it stands with what the user chose.

    def show_quiet(self) -> None:
        """Show that nothing is being done."""
        self._show(busy=False)
        self.said.hide()

    def show_busy(self, choice: Choice) -> None:
        """Show that it is being done."""
        self._show(busy=True)
        self.said.show_text(DOING[choice], "text2")
        self.said.show()

    def show_said(self, text: str, *, refused: bool) -> None:
        """Show what the engine answered."""
        self._show(busy=False)
        self.said.show_text(visible(translated(text), SAID), "danger" if refused else "text2")
        self.said.show()

    def _show(self, *, busy: bool) -> None:
        self.arc.setVisible(busy)
        cursor = self.window().focusWidget()
        if busy and cursor in self.buttons.values():
            self.setFocus()  # a button that is switched off would hand the cursor to whatever comes next
        for each in self.buttons.values():
            each.setEnabled(not busy)
        if not busy and cursor is self:
            self.take_focus()

    def take_focus(self) -> bool:
        """Put the cursor on the first button; tell whether there is one."""
        first = next(iter(self.buttons.values()), None)
        if first is not None:
            first.setFocus()
        return first is not None


def _capital(text: str) -> str:
    """Begin with a capital and leave the rest: 1M is a month."""
    return text[:1].upper() + text[1:]


def _facts(missed: Missed) -> Sequence[Fact]:
    """Return what was expected of the alert that never came."""
    due = [utc_text(at) for at in (missed.since, missed.told_at) if at is not None]
    return (
        Fact(tr("Expected"), _capital(expectation(missed))),
        Fact(tr("The strategy was"), _capital(tr(missed.expected.value))),
        Fact(tr("You were"), _capital(tr(missed.held.value))),
        Fact(tr("It was due"), when_missed(missed), " – ".join(due)),
    )


def _grid(facts: Sequence[Fact], abreast: int) -> QWidget:
    """Return facts under their names, so many beside each other."""
    frame = QWidget()
    grid = QGridLayout(frame)
    grid.setContentsMargins(0, 0, 0, 0)
    grid.setHorizontalSpacing(px(24))
    grid.setVerticalSpacing(0)
    for place, (name, figure, tip) in enumerate(facts):
        line, column = divmod(place, abreast)
        if line and not column:
            grid.setRowMinimumHeight(3 * line - 1, px(6))
        grid.addWidget(Label(name, "small", "text3"), 3 * line, column)
        value = Label(figure, "body", "text", weight=500)
        value.setAccessibleName(f"{name} {spoken(figure)}")
        value.setToolTip(tip)
        grid.addWidget(value, 3 * line + 1, column)
    grid.setColumnStretch(min(abreast, len(facts)), 1)
    return frame
