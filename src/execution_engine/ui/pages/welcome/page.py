"""The guide's layout: the rail, one step at a time, and the buttons below."""

from __future__ import annotations

from typing import ClassVar

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QStackedWidget, QVBoxLayout

from execution_engine.ui.bridge import Bridge
from execution_engine.ui.pages.page import Page
from execution_engine.ui.pages.welcome.capital import CapitalStep
from execution_engine.ui.pages.welcome.hook import HookStep
from execution_engine.ui.pages.welcome.keys import KeysStep
from execution_engine.ui.pages.welcome.rail import Rail
from execution_engine.ui.pages.welcome.step import Step
from execution_engine.ui.pages.welcome.trial import TrialStep
from execution_engine.ui.pages.welcome.where import WhereStep
from execution_engine.ui.theme import px
from execution_engine.ui.tongue import tr
from execution_engine.ui.widgets import BusyArc, button

KEYS = 1
NOT_NEEDED = tr("not needed on paper")


class WelcomePage(Page):
    """Lead from nothing to a paper position; every step can be skipped and gone back from."""

    title = tr("First steps")
    steps_of: ClassVar = (WhereStep, KeysStep, CapitalStep, HookStep, TrialStep)

    def __init__(self, bridge: Bridge) -> None:
        """Begin with the first step."""
        super().__init__()
        self.steps: list[Step] = [kind(bridge) for kind in self.steps_of]
        self.at = 0
        self._passed: set[int] = set()
        self._finished = False
        self.rail = Rail([(step.name, step.about) for step in self.steps])
        self.stack = QStackedWidget()
        for step in self.steps:
            self.stack.addWidget(step)
        self.skip_all = button(tr("Skip the guide"), "link")
        self.back = button(tr("Back"))
        self.skip = button(tr("Skip this step"))
        self.forward = button(tr("Continue"), "primary")
        self.arc = BusyArc(12, "accent")
        self._lay_out()
        self._listen()
        self.set_narrow(False)
        self._show()

    # -- how it is built

    def _lay_out(self) -> None:
        row = QHBoxLayout()
        row.setSpacing(0)
        row.addWidget(self.rail)
        row.addWidget(self.stack, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(row, 1)
        column.addWidget(self._footer())

    def _footer(self) -> QFrame:
        frame = QFrame()
        frame.setProperty("ground", "chrome")
        frame.setProperty("rule", "top")
        frame.setFixedHeight(px(60))
        row = QHBoxLayout(frame)
        row.setContentsMargins(px(24), 0, px(24), 0)
        row.setSpacing(px(12))
        row.addWidget(self.skip_all)
        row.addStretch(1)
        for each in (self.arc, self.back, self.skip, self.forward):
            row.addWidget(each)
        return frame

    def _listen(self) -> None:
        self.rail.chosen.connect(self.show_step)
        self.back.clicked.connect(self._go_back)
        self.skip.clicked.connect(self._skip_step)
        self.skip_all.clicked.connect(lambda: self.wanted.emit("dashboard", None))
        self.forward.clicked.connect(self._go_on)
        for step in self.steps:
            step.changed.connect(self._show)
            step.done.connect(self._step_done)

    def set_narrow(self, narrow: bool) -> None:
        """Take less room at the left, or more again."""
        self.rail.set_narrow(narrow)
        for step in self.steps:
            step.set_narrow(narrow)

    # -- where one is

    @property
    def step(self) -> Step:
        """Return the step that is shown."""
        return self.steps[self.at]

    def shown(self) -> None:
        """Go on where one was; after the end, from the beginning."""
        if self._finished:
            self._finished = False
            self._passed.clear()
            self._trial.forget()
            self.at = 0
        self.show_step(self.at)

    def show_step(self, at: int) -> None:
        """Show a step; nothing is saved by that."""
        self.at = at
        self.stack.setCurrentIndex(at)
        self.step.say("")
        self.step.shown()
        self._show()
        self.step.begin()

    def focus_rows(self) -> None:
        """Put the cursor where one begins."""
        self.step.begin()

    @property
    def _on_paper(self) -> bool:
        first = self.steps[0]
        return isinstance(first, WhereStep) and first.is_paper

    @property
    def _trial(self) -> TrialStep:
        last = self.steps[-1]
        assert isinstance(last, TrialStep)
        return last

    def _next(self, by: int) -> int:
        """Return the place of the step before or behind; keys are left out on paper."""
        to = self.at + by
        return to + by if to == KEYS and self._on_paper else to

    def _show(self) -> None:
        """Let buttons and rail say what they would do now."""
        step = self.step
        last = self.at == len(self.steps) - 1
        self.forward.setText(step.verb())
        self.forward.setEnabled(step.may_go_on() and not step.is_busy)
        self.back.setEnabled(self.at > 0 and not step.is_busy)
        self.skip.setVisible(not last)
        self.skip.setEnabled(not step.is_busy)
        self.skip_all.setText(tr("Close the guide") if self._passed else tr("Skip the guide"))
        self.arc.setVisible(step.is_busy)
        about = NOT_NEEDED if self._on_paper else KeysStep.about
        self.rail.entries[KEYS].show_about(about)
        self.rail.show_at(self.at, frozenset(self._passed))

    # -- what the user wants

    def _go_on(self) -> None:
        if self.forward.isEnabled():
            self.step.go_on()

    def _step_done(self) -> None:
        self._passed.add(self.at)
        if self.at < len(self.steps) - 1:
            self.show_step(self._next(1))
            return
        self._finished = True
        group = self._trial.group
        self.wanted.emit("positions", group.id if group is not None else None)

    def _go_back(self) -> None:
        self.show_step(self._next(-1))

    def _skip_step(self) -> None:
        self.show_step(self._next(1))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Go on with Enter, unless a button has the cursor and takes it."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            focused = self.window().focusWidget()
            if isinstance(focused, QPushButton):
                focused.click()
            else:
                self._go_on()
            return
        super().keyPressEvent(event)
