"""One tab: forms from top to bottom, and below them whatever else belongs there."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from execution_engine.domain.schema import Setting
from execution_engine.ui.pages.settings.row import SettingRow, matches
from execution_engine.ui.pages.settings.sheet import Sheet
from execution_engine.ui.theme import px
from execution_engine.ui.widgets import Panel

WIDEST = 860


class Tab(QScrollArea):
    """Show forms and panels under one another; it scrolls where they don't fit.

    It is filled when it is first wanted: all of them together would take a noticeable moment.
    """

    def __init__(
        self,
        title: str,
        sheet: Sheet,
        settings: Callable[[], Sequence[Setting]] = tuple,
        fill: Callable[[Tab], None] = lambda tab: None,
    ) -> None:
        """Take the settings that stand here, for the search, and what fills the tab."""
        super().__init__()
        self._sheet = sheet
        self._settings, self._fill = settings, fill
        self._filled, self._wanted = False, ""
        self.rows: list[SettingRow] = []
        self._panel_rows: dict[QWidget, QHBoxLayout] = {}
        self.setAccessibleName(title)
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        ground = QFrame()
        ground.setProperty("ground", "window")
        self._column = QVBoxLayout(ground)
        self._column.setContentsMargins(px(16), px(14), px(16), px(14))
        self._column.setSpacing(px(12))
        self._column.addStretch(1)
        self.setWidget(ground)
        self.viewport().setAutoFillBackground(False)

    @property
    def filled(self) -> bool:
        """Tell whether it was wanted yet."""
        return self._filled

    def ready(self) -> Tab:
        """Return the tab with everything on it."""
        if not self._filled:
            self._filled = True
            self._fill(self)
            self.search(self._wanted)
        return self

    def add_form(
        self, title: str, subtitle: str, settings: Sequence[Setting], place: int | None = None
    ) -> Panel:
        """Put a form below what is there, or at a place counted from the top; one row per setting."""
        panel = Panel(title, subtitle)
        body = QVBoxLayout()
        body.setContentsMargins(0, px(6), 0, px(6))
        body.setSpacing(0)
        for setting in settings:
            row = SettingRow(setting, self._sheet)
            self.rows.append(row)
            body.addWidget(row)
        panel.add(body)
        self.add_panel(panel, place)
        return panel

    def add_panel(self, widget: QWidget, place: int | None = None) -> None:
        """Put a widget below what is there, or at a place counted from the top."""
        widget.setMaximumWidth(min(px(WIDEST), widget.maximumWidth()))
        # In a row of its own: a column would ask it how high it is at a width that it never gets.
        row = QHBoxLayout()
        row.addWidget(widget, 1000)
        row.addStretch(1)
        self._panel_rows[widget] = row
        self._column.insertLayout(self._column.count() - 1 if place is None else place, row)

    def remove_panel(self, widget: QWidget) -> None:
        """Take a form or a panel away again."""
        inside = set(widget.findChildren(SettingRow))
        self.rows = [row for row in self.rows if row not in inside]
        row = self._panel_rows.pop(widget)
        self._column.removeItem(row)
        row.deleteLater()
        widget.hide()
        widget.deleteLater()

    def row(self, path: str) -> SettingRow | None:
        """Return the row of a setting, if it stands here."""
        return next((row for row in self.rows if row.setting.path == path), None)

    def search(self, text: str) -> int:
        """Mark what a search finds, and return how much that is; an empty text finds nothing."""
        self._wanted = text
        for row in self.rows:
            row.show_hit(bool(text) and matches(row.setting, text))
        return sum(1 for setting in self._settings() if text and matches(setting, text))

    def first_hit(self) -> SettingRow | None:
        """Return the first setting that the last search found."""
        return next((row for row in self.rows if row.is_hit), None)

    def show_row(self, row: SettingRow) -> None:
        """Scroll to a setting and put the cursor into it."""
        self.ensureWidgetVisible(row, 0, px(60))
        row.editor.setFocus(Qt.FocusReason.OtherFocusReason)
