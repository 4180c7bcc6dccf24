"""A panel of findings, one below the other, the newest first."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QScrollArea, QVBoxLayout, QWidget

from execution_engine.domain.rows import Finding
from execution_engine.ui.format import counted
from execution_engine.ui.pages.away.row import FindingRow
from execution_engine.ui.tongue import tr
from execution_engine.ui.widgets import Label, Panel, divider

MOST = 100  # rows are widgets; more than that nobody reads at once


class FindingList(Panel):
    """List findings. chosen: what the user wants done with one of them; story_wanted: an alert to be shown."""

    chosen = Signal(object, object)
    story_wanted = Signal(int)

    def __init__(self, title: str, empty: str) -> None:
        """Take the heading, and what to say where there is nothing."""
        super().__init__(title)
        self.rows: dict[int, FindingRow] = {}
        self._ground = QWidget()
        self._column = QVBoxLayout(self._ground)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(0)
        self._scroll = QScrollArea(widgetResizable=True)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._scroll.setWidget(self._ground)
        self._scroll.setAccessibleName(title)
        # The panel's own ground shows through.
        for each in (self._scroll.viewport(), self._ground):
            each.setAutoFillBackground(False)
        self.empty = Label(empty, "body", "text2", wrap=True)
        self.empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.empty.setMargin(12)
        self.add(self.empty, 1)
        self.add(self._scroll, 1)
        self._scroll.hide()

    def show_findings(
        self, findings: Sequence[Finding], made: Callable[[Finding], FindingRow]
    ) -> Mapping[int, FindingRow]:
        """Show these findings in this order; rows of those that did not change stay as they are."""
        shown = findings[:MOST]
        rows: dict[int, FindingRow] = {}
        for finding in shown:
            known = self.rows.pop(finding.id, None)
            if known is not None and known.finding == finding:
                rows[finding.id] = known
                continue
            if known is not None:
                _drop(known)
            rows[finding.id] = made(finding)
            rows[finding.id].chosen.connect(self.chosen)
            rows[finding.id].story_wanted.connect(self.story_wanted)
        for gone in self.rows.values():
            _drop(gone)
        self.rows = rows
        self._stack(len(findings) - len(shown))
        self.set_subtitle(f"{len(findings):,}" if findings else "")
        self.empty.setVisible(not findings)
        self._scroll.setVisible(bool(findings))
        return rows

    def _stack(self, more: int) -> None:
        while (item := self._column.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None and not isinstance(widget, FindingRow):
                widget.deleteLater()
        for row in self.rows.values():
            self._column.addWidget(row)
            self._column.addWidget(divider())
        if more:
            rest = Label(
                tr("{count}; they come up as these are settled.").format(
                    count=counted(more, tr("more"), tr("more"))
                ),
                "small",
                "text3",
            )
            rest.setMargin(12)
            self._column.addWidget(rest)
        self._column.addStretch(1)

    def show_row(self, id: int) -> bool:
        """Bring a finding into view and put the cursor on its first button; tell whether it is here."""
        row = self.rows.get(id)
        if row is None:
            return False
        row.take_focus()
        # Once it was given its place.
        QTimer.singleShot(0, row, lambda: self._scroll.ensureWidgetVisible(row))
        return True

    def take_focus(self) -> bool:
        """Put the cursor on the first button there is; tell whether there is one."""
        return any(row.take_focus() for row in self.rows.values())


def _drop(row: FindingRow) -> None:
    row.hide()
    row.deleteLater()
