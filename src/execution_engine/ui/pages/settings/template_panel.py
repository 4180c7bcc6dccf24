"""The three templates: a sentence each, taken into the forms as changes that are not saved yet."""

from __future__ import annotations

from functools import partial

from PySide6.QtWidgets import QGridLayout

from execution_engine.domain.templates import TEMPLATES, Template
from execution_engine.ui.pages.settings.sheet import Sheet
from execution_engine.ui.theme import px
from execution_engine.ui.tongue import tr, translated
from execution_engine.ui.widgets import Label, Panel, button


class TemplatePanel(Panel):
    """Offer the templates."""

    def __init__(self, sheet: Sheet) -> None:
        """Take the sheet they are applied to."""
        super().__init__(tr("Start from a template"), tr("nothing is saved before you say so"))
        self._sheet = sheet
        self.buttons = {}
        grid = QGridLayout()
        grid.setContentsMargins(px(12), px(8), px(12), px(10))
        grid.setHorizontalSpacing(px(12))
        grid.setVerticalSpacing(px(8))
        for line, template in enumerate(TEMPLATES):
            apply = button(
                tr("Apply"),
                small=True,
                tip=tr("Take the values of {template} into the forms").format(template=tr(template.name)),
            )
            apply.clicked.connect(partial(self._apply, template))
            self.buttons[template.name] = apply
            grid.addWidget(Label(tr(template.name), "body", "text", weight=600), line, 0)
            grid.addWidget(Label(translated(template.sentence), "body", "text2", wrap=True), line, 1)
            grid.addWidget(apply, line, 2)
        grid.setColumnStretch(1, 1)
        self.add(grid)

    def _apply(self, template: Template) -> None:
        self._sheet.put_all(template.values)
