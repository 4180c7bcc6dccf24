"""A list of sentences with a mark before each: faults, traps, what would happen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from execution_engine.ui.icons import Mark
from execution_engine.ui.theme import ICON, TextStyle, Token, px
from execution_engine.ui.widgets import Label, button


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing to tell. title: what it is about, a heading where there is no icon. act: a button's words."""

    icon: str
    token: Token
    title: str
    sentence: str
    act: str = ""


class ToldList(QScrollArea):
    """Show entries from top to bottom; acted: the words of the button that was pressed."""

    acted = Signal(str)

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        """Take the name that a screen reader says."""
        super().__init__(parent)
        self.setAccessibleName(name)
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        inside = QWidget()
        self._column = QVBoxLayout(inside)
        self._column.setContentsMargins(0, 0, px(10), 0)
        self._column.setSpacing(px(6))
        self._column.addStretch(1)
        self.setWidget(inside)
        for each in (inside, self.viewport()):
            each.setAutoFillBackground(False)
        self.entries: tuple[Entry, ...] = ()
        self._height: int | None = None
        self._rows: list[QWidget] = []

    def show_entries(self, entries: Sequence[Entry]) -> None:
        """Show other entries; what stays the same is not made anew."""
        if tuple(entries) == self.entries:
            return
        self.entries = tuple(entries)
        for row in self._rows:
            self._column.removeWidget(row)
            row.hide()
            row.deleteLater()
        self._rows = [self._row(entry) for entry in entries]
        for place, row in enumerate(self._rows):
            self._column.insertWidget(place, row)
            row.show()  # now, so that its height is known

    def text(self) -> str:
        """Return everything as it is read."""
        return "\n".join(f"{entry.title} {entry.sentence}".strip() for entry in self.entries)

    def ask_for(self, width: int, most: int) -> None:
        """Ask for the room that the entries take in a width, at most so much [px]; less than that scrolls."""
        wanted = max(0, self._column.totalHeightForWidth(width)) if self.entries else 0
        self._height = min(wanted, most)
        self.setMinimumHeight(min(self._height, px(40)))
        self.setMaximumHeight(self._height)
        self.updateGeometry()

    def sizeHint(self) -> QSize:
        """Return the room that was asked for."""
        hint = super().sizeHint()
        return hint if self._height is None else QSize(hint.width(), self._height)

    def _row(self, entry: Entry) -> QWidget:
        row = QWidget()
        line = QHBoxLayout(row)
        heading = not entry.icon
        line.setContentsMargins(0, px(10) if heading and entry is not self.entries[0] else 0, 0, 0)
        line.setSpacing(px(8))
        if entry.icon:
            mark = Mark(icon=entry.icon, token=entry.token, size=px(ICON["button"]))
            line.addLayout(_lowered(mark, 5 if entry.act else 0))
        words = QVBoxLayout()
        words.setSpacing(px(1))
        words.setContentsMargins(
            0, px(4) if entry.act else 0, 0, 0
        )  # the first line stands beside the button
        if entry.title:
            style: TextStyle = "body" if heading else "small"
            words.addWidget(Label(entry.title, style, "text", weight=600, wrap=True))
        if entry.sentence:
            said = Label(entry.sentence, "small", "text2", wrap=True)
            said.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            words.addWidget(said)
        line.addLayout(words, 1)
        if entry.act:
            press = button(entry.act, small=True)
            press.clicked.connect(lambda: self.acted.emit(entry.act))
            line.addWidget(press, alignment=Qt.AlignmentFlag.AlignTop)
        return row


def _lowered(mark: Mark, by: int) -> QVBoxLayout:
    """Put a mark beside the first line of words, so much [px] below the top."""
    column = QVBoxLayout()
    column.setContentsMargins(0, px(by), 0, 0)
    column.addWidget(mark)
    column.addStretch(1)
    return column
