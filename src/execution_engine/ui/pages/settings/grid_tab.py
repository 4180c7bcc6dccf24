"""The tab of the grid profiles: names, legs, preview and worst case, and what is bound to which."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from execution_engine.domain.exposure import worst_case
from execution_engine.domain.schema import Setting
from execution_engine.ui import schema
from execution_engine.ui.bridge import Bridge
from execution_engine.ui.pages.settings.bindings import BindingsPanel
from execution_engine.ui.pages.settings.editors import QuietCombo
from execution_engine.ui.pages.settings.legs import LegsPanel
from execution_engine.ui.pages.settings.preview import PreviewPanel
from execution_engine.ui.pages.settings.profile_list import ProfileList
from execution_engine.ui.pages.settings.profiles import DEFAULT, ProfileBook
from execution_engine.ui.pages.settings.sheet import Sheet
from execution_engine.ui.pages.settings.tab import Tab
from execution_engine.ui.pages.settings.worst import WorstCase, in_words
from execution_engine.ui.theme import px
from execution_engine.ui.tongue import tr
from execution_engine.ui.widgets import Label, button

WIDEST = 1400


class GridTab(Tab):
    """Edit grids: what is typed is drawn at once."""

    def __init__(
        self,
        title: str,
        sheet: Sheet,
        bridge: Bridge,
        settings: Callable[[], Sequence[Setting]] = tuple,
        more: Callable[[Tab], None] = lambda tab: None,
    ) -> None:
        """Take what a tab takes, and the bridge that knows markets and prices. more: adds what stands below."""
        super().__init__(title, sheet, settings, lambda _: self._build(bridge, more))
        self._narrow = False

    def _build(self, bridge: Bridge, more: Callable[[Tab], None]) -> None:
        sheet = self._sheet
        self.book = ProfileBook(sheet, self)
        self.list = ProfileList(self.book)
        self.legs = LegsPanel(self.book)
        self.preview = PreviewPanel(self.book, bridge)
        self.worst = WorstCase(sheet)
        self.worst_line = Label("", "small", "text2", wrap=True)
        self.choice = QuietCombo()
        self.choice.setAccessibleName(tr("Profile"))
        self.choice.setFixedWidth(px(170))
        self.new = button(tr("Add profile"), icon="plus", small=True)
        self.copy, self.remove = (
            button(tr("Duplicate", "to copy it"), small=True),
            button(tr("Delete"), small=True),
        )
        self.chooser = QWidget()
        self.bindings = BindingsPanel(self.book)
        editor = self._editor()
        self.add_panel(editor)
        editor.setMaximumWidth(px(WIDEST))  # as wide as there is room
        self._listen()
        self.add_panel(self.bindings)
        self.bindings.setMaximumWidth(px(WIDEST))  # ends where the table above ends
        others = [each for each in schema.section("grid") if each.path != DEFAULT]
        entries = self.add_form(tr("Entries"), tr("how the legs of every profile enter"), others)
        entries.setMaximumWidth(px(WIDEST))
        self.preview.refresh()
        self._refresh()
        more(self)
        self.set_narrow(self._narrow)

    def _editor(self) -> QWidget:
        self.list.setFixedWidth(px(236))
        self.worst.setFixedWidth(px(240))
        below = QHBoxLayout()
        below.setSpacing(px(12))
        below.addWidget(self.preview, 1)
        below.addWidget(self.worst)
        right = QVBoxLayout()
        right.setSpacing(px(12))
        right.addWidget(self._chooser())
        right.addWidget(self.legs)
        right.addWidget(self.worst_line)
        right.addLayout(below, 1)
        editor = QWidget()
        row = QHBoxLayout(editor)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(px(12))
        row.addWidget(self.list)
        row.addLayout(right, 1)
        return editor

    def _chooser(self) -> QWidget:
        """Return what stands for the list of profiles where there is no room for it."""
        row = QHBoxLayout(self.chooser)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(px(8))
        for each in (self.choice, self.new, self.copy, self.remove):
            row.addWidget(each)
        row.addStretch(1)
        self.chooser.hide()
        self.worst_line.hide()
        return self.chooser

    def _listen(self) -> None:
        self.new.clicked.connect(self.book.add)
        self.copy.clicked.connect(self.book.duplicate)
        self.remove.clicked.connect(self.book.delete)
        self.preview.laid.connect(self._laid)
        self.book.chosen.connect(self._refresh)
        self.book.sheet.changed.connect(self._refresh)
        self.choice.textActivated.connect(self.book.choose)

    def set_narrow(self, narrow: bool) -> None:
        """Put the profiles into a drop-down and the worst case on one line in a small window."""
        self._narrow = narrow
        if not self.filled:
            return
        self.list.setVisible(not narrow)
        self.worst.setVisible(not narrow)
        self.chooser.setVisible(narrow)
        self.worst_line.setVisible(narrow)
        self.legs.set_narrow(narrow)

    def _laid(self) -> None:
        shown = self.preview
        self.legs.show_legs(shown.legs, shown.instrument, shown.fault)

    def _refresh(self) -> None:
        names = self.book.names
        if [self.choice.itemText(each) for each in range(self.choice.count())] != names:
            self.choice.clear()
            self.choice.addItems(names)
        self.choice.setCurrentText(self.book.current)
        kept = self.book.why_kept()
        self.remove.setEnabled(not kept)
        self.remove.setToolTip(kept)
        settings = self._sheet.settings
        known = settings is not None
        words = (
            in_words(worst_case(settings))
            if settings is not None
            else tr("Worst case: not known while this is wrong")
        )
        self.worst_line.show_text(f"{words}.", "text2" if known else "text3")
