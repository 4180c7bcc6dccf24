"""The third view: every placeholder, what it stands for, and what a message gets in its place."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QScrollArea, QVBoxLayout, QWidget

from execution_engine.domain.composer import SentBy
from execution_engine.domain.composer_placeholders import PLACEHOLDERS, Sample, filled
from execution_engine.ui.theme import THEME, mono, px
from execution_engine.ui.tongue import tr, translated
from execution_engine.ui.widgets import Label, divider

EVERYWHERE = tr("In every alert made on a chart")
STRATEGIES = tr("Only in the alerts of a strategy")
HEADINGS = (tr("Placeholder"), tr("Stands for"), tr("As here"))


class GlossaryPage(QScrollArea):
    """Explain the placeholders."""

    def __init__(self) -> None:
        """Show them all; samples come by `show_sample`."""
        super().__init__()
        self.setAccessibleName(tr("Placeholders"))
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        inside = QWidget()
        column = QVBoxLayout(inside)
        column.setContentsMargins(px(16), px(12), px(16), px(12))
        column.setSpacing(px(8))
        self.samples: dict[str, Label] = {}
        self._mono: list[Label] = []
        column.addLayout(self._table())
        column.addStretch(1)
        self.setWidget(inside)
        for each in (inside, self.viewport()):
            each.setAutoFillBackground(False)
        THEME.theme_changed.connect(self._restyle)

    def show_sample(self, sample: Sample | None) -> None:
        """Show what each would become on a chart."""
        for each in PLACEHOLDERS:
            text = filled(each.written, sample, SentBy.STRATEGY) if sample else ""
            self.samples[each.name].show_text(text)

    def _table(self) -> QGridLayout:
        grid = QGridLayout()
        grid.setHorizontalSpacing(px(16))
        grid.setVerticalSpacing(px(4))
        grid.setColumnMinimumWidth(0, px(252))
        grid.setColumnMinimumWidth(2, px(150))
        grid.setColumnStretch(1, 1)
        for column, heading in enumerate(HEADINGS):
            grid.addWidget(Label(heading, "small", "text3"), 0, column)
        place = self._part(grid, 1, EVERYWHERE, strategy=False)
        self._part(grid, place, STRATEGIES, strategy=True)
        return grid

    def _part(self, grid: QGridLayout, place: int, heading: str, *, strategy: bool) -> int:
        grid.addWidget(divider(), place, 0, 1, 3)
        title = Label(heading, "body", "text", weight=600)
        title.setContentsMargins(0, px(6), 0, px(2))
        grid.addWidget(title, place + 1, 0, 1, 3)
        place += 2
        for each in PLACEHOLDERS:
            if each.strategy is not strategy:
                continue
            sample = self._monospaced("text2")
            name = self._monospaced("accent")
            name.setText(each.written)
            said = Label(translated(each.meaning), "small", "text", wrap=True)
            top = Qt.AlignmentFlag.AlignTop
            grid.addWidget(name, place, 0, top)
            grid.addWidget(said, place, 1)
            grid.addWidget(sample, place, 2, top)
            self.samples[each.name] = sample
            place += 1
        return place

    def _monospaced(self, token: str) -> Label:
        label = Label("", "caption", token)  # type: ignore[arg-type]
        label.setFont(mono("caption"))
        label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._mono.append(label)
        return label

    def _restyle(self) -> None:
        for label in self._mono:
            label.setFont(mono("caption"))
