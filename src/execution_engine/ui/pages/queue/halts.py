"""Why nothing moves: what keeps signals from being promoted, in a line above the queue."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtWidgets import QFrame, QHBoxLayout

from execution_engine.domain.rows import World
from execution_engine.domain.standstill import Obstacle
from execution_engine.ui.format import visible
from execution_engine.ui.icons import Mark
from execution_engine.ui.pages.choosing import WORLDS
from execution_engine.ui.theme import px, restyle
from execution_engine.ui.tongue import tr, translated
from execution_engine.ui.widgets import ElidedLabel


def sentences(found: Sequence[Obstacle]) -> list[str]:
    """Return what is in the way, each once; the world stands before what is not so in all of them."""
    worlds: dict[str, list[World]] = {}
    for each in found:
        worlds.setdefault(translated(each.sentence), []).append(each.world)
    everywhere = len({each.world for each in found})
    return [
        visible(sentence, 300) if len(where) == everywhere else f"{_names(where)}: {visible(sentence, 300)}"
        for sentence, where in worlds.items()
    ]


def _names(where: Sequence[World]) -> str:
    return tr(" and ").join(WORLDS[world] for world in where)


class HaltNote(QFrame):
    """One line, tinted where somebody may have to do something; hidden while everything moves."""

    def __init__(self) -> None:
        """Begin hidden."""
        super().__init__()
        self.setProperty("note", "calm")
        self._mark, self.label = Mark(icon="info", token="text2", size=px(16)), ElidedLabel()
        row = QHBoxLayout(self)
        row.setContentsMargins(px(12), px(6), px(12), px(6))
        row.setSpacing(px(8))
        row.addWidget(self._mark)
        row.addWidget(self.label)
        row.addStretch(1)
        self.hide()

    @property
    def text(self) -> str:
        """Return what it says; empty while it is hidden."""
        return "" if self.isHidden() else self.label.text()

    @property
    def warns(self) -> bool:
        """Tell whether it is tinted."""
        return str(self.property("note")) == "warn"

    def say(self, found: Sequence[Obstacle]) -> None:
        """Show why nothing moves; nothing hides it."""
        calm = all(each.usual for each in found)
        if calm is self.warns:
            restyle(self, note="calm" if calm else "warn")
            self._mark.show_icon("info" if calm else "warning", "text2" if calm else "warn")
        self.label.show_text(" ".join(sentences(found)), "text2" if calm else "warn")
        self.setVisible(bool(found))
