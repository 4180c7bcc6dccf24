"""What needs attention, one below the other: icon, title, sentence, button."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from execution_engine.ui.format import counted
from execution_engine.ui.frame.attention import Thing
from execution_engine.ui.icons import Mark
from execution_engine.ui.theme import px
from execution_engine.ui.tongue import tr
from execution_engine.ui.widgets import Banner, Label, Panel, button, divider

WELL = tr("All is well.")


class Needs(Panel):
    """List the things; `chosen` tells the one whose button was clicked."""

    chosen = Signal(object)

    def __init__(self) -> None:
        """Start with nothing to look at."""
        super().__init__(tr("Needs attention"))
        self._things: tuple[Thing, ...] | None = None
        self._ground = QWidget()
        self._column = QVBoxLayout(self._ground)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(0)
        self._scroll = QScrollArea(widgetResizable=True)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll.setWidget(self._ground)
        self._scroll.setAccessibleName(tr("Needs attention"))
        # The panel's own ground shows through.
        self._scroll.viewport().setAutoFillBackground(False)
        self._ground.setAutoFillBackground(False)
        self.well = Label(WELL, "body", "text2")
        self.well.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.add(self.well, 1)
        self.add(self._scroll, 1)
        self.show_things(())

    def show_things(self, things: Sequence[Thing]) -> None:
        """Show these things; nothing is made anew when they are the same."""
        if tuple(things) == self._things:
            return
        self._things = tuple(things)
        self.set_subtitle(str(len(things)) if things else "")
        self.well.setVisible(not things)
        self._scroll.setVisible(bool(things))
        while (item := self._column.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.deleteLater()
        for thing in things:
            self._column.addWidget(self._made(thing))
            self._column.addWidget(divider())
        self._column.addStretch(1)

    def titles(self) -> list[str]:
        """Return the titles, from top to bottom."""
        return [thing.title for thing in self._things or ()]

    def _made(self, thing: Thing) -> QFrame:
        frame = QFrame()
        frame.setAccessibleName(f"{thing.title}. {thing.sentence}")
        row = QHBoxLayout(frame)
        row.setContentsMargins(px(12), px(12), px(12), px(12))
        row.setSpacing(px(10))
        top = Qt.AlignmentFlag.AlignTop
        row.addWidget(Mark(icon=thing.icon, token=thing.token, size=px(16)), alignment=top)
        words = QVBoxLayout()
        words.setSpacing(px(3))
        words.addWidget(Label(thing.title, "body", "text", weight=600, wrap=True))
        words.addWidget(Label(thing.sentence, "body", "text2", wrap=True))
        row.addLayout(words, 1)
        if thing.action:
            act = button(thing.action, small=True)
            act.setAccessibleName(f"{thing.action}: {thing.title}")
            act.clicked.connect(lambda: self.chosen.emit(thing))
            row.addWidget(act, alignment=top)
        return frame


class NeedsBar(Banner):
    """Say in one line what needs attention, where there is no room for the list."""

    chosen = Signal(object)

    def show_things(self, things: Sequence[Thing]) -> None:
        """Show the first thing, or how many there are."""
        if not things:
            self.hide()
            return
        first = things[0]
        text = (
            first.title
            if len(things) == 1
            else tr("{count} need attention: {title} …").format(
                count=counted(len(things), tr("thing"), tr("things")), title=first.title
            )
        )
        if text != self.text():
            self.say(
                text, first.token, icon=first.icon, action=first.action, then=lambda: self.chosen.emit(first)
            )
