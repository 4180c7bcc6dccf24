"""Looking at changes before they are saved: what differs, and what becomes more dangerous."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QDialog, QFrame, QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from execution_engine.domain.cautions import Caution
from execution_engine.domain.changes import Change
from execution_engine.ui.format import visible
from execution_engine.ui.icons import Mark
from execution_engine.ui.tables import Cell, Column, TableModel, TableView
from execution_engine.ui.theme import ICON, px, row_height
from execution_engine.ui.tongue import tr, translated
from execution_engine.ui.widgets import BusyArc, Label, ModeBadge, button

WIDTH = 720
MOST_ROWS = 10
GRAVE = frozenset({"Webhook", "Real money"})


def _cell(value: str | None) -> Cell:
    if value is None:
        return Cell(tr("not there"), "text3")
    return Cell(visible(tr(value), 200), "text") if value else Cell(tr("empty"), "text3")


def _full(value: str | None) -> str:
    return "" if value is None else value


COLUMNS: Sequence[Column[Change]] = (
    Column(
        key="path",
        title=tr("Setting"),
        width=270,
        cell=lambda change: Cell(change.path, "text2"),
        tooltip=lambda change: change.path,
    ),
    Column(
        key="old", title=tr("Before"), width=180, cell=lambda c: _cell(c.old), tooltip=lambda c: _full(c.old)
    ),
    Column(
        key="new", title=tr("After"), width=180, cell=lambda c: _cell(c.new), tooltip=lambda c: _full(c.new)
    ),
)


class ChangesTable(TableView):
    """List changes: path, old, new."""

    def __init__(self, empty: str = tr("Nothing differs.")) -> None:
        """Take the sentence for no change."""
        self.changes: TableModel[Change] = TableModel(COLUMNS, key=lambda change: change.path)
        super().__init__(self.changes, name=tr("What differs"))
        self.set_empty(empty)

    def show_changes(self, changes: Sequence[Change]) -> None:
        """Show other changes."""
        self.changes.replace(changes)


class ReviewDialog(QDialog):
    """Show what would change, and ask. Show it with `open()`; Enter never saves what is dangerous.

    confirmed: save it. The page calls `busy()`, and later `accept()` or `fail(sentence)`.
    """

    confirmed = Signal()

    def __init__(
        self,
        title: str,
        question: str,
        verb: str,
        changes: Sequence[Change],
        cautions: Sequence[Caution] = (),
        *,
        live: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        """Take the question, the button's verb, what changes and what has to be thought about."""
        super().__init__(parent)
        self.cautions = tuple(cautions)
        self._busy = False
        self.setWindowTitle(title)
        self.setModal(True)
        self.setFixedWidth(px(WIDTH))
        self._danger = live or any(each.about in GRAVE for each in cautions)
        self.cancel = button(tr("Cancel"))
        self.confirm = button(verb, "danger" if self._danger else "primary")
        self.confirm.setEnabled(bool(changes))
        self.arc = BusyArc(12, "accent")
        self.arc.hide()
        self.error = Label("", "body", "danger", wrap=True)
        self.error.hide()
        self.table = ChangesTable()
        self.table.show_changes(changes)
        rows = min(MOST_ROWS, max(len(changes), 2))
        self.table.setFixedHeight(row_height("table") * rows + self.table.heading.sizeHint().height() + 2)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._head(question, live))
        column.addWidget(self.table)
        column.addWidget(self._footer())
        self.cancel.clicked.connect(self.reject)
        self.confirm.clicked.connect(self._confirm)
        self.setAccessibleDescription(question)
        self.cancel.setFocus()

    def _head(self, question: str, live: bool) -> QFrame:
        frame = QFrame()
        frame.setProperty("ground", "panel")
        frame.setProperty("rule", "bottom")
        row = QHBoxLayout(frame)
        row.setContentsMargins(20, 20, 20, 16)
        row.setSpacing(12)
        icon = ("warning", "warn") if self.cautions else ("question", "accent")
        mark = Mark(icon=icon[0], token=icon[1], size=px(ICON["dialog"]))  # type: ignore[arg-type]
        row.addWidget(mark, alignment=Qt.AlignmentFlag.AlignTop)
        column = QVBoxLayout()
        column.setSpacing(8)
        heading = QHBoxLayout()
        heading.addWidget(Label(question, "heading", wrap=True), 1)
        if live:
            heading.addWidget(ModeBadge("live"), alignment=Qt.AlignmentFlag.AlignTop)
        column.addLayout(heading)
        if self.cautions:
            grid = QGridLayout()
            grid.setHorizontalSpacing(16)
            grid.setVerticalSpacing(6)
            for line, caution in enumerate(self.cautions):
                name = Label(translated(caution.about), "body", "text3")
                grid.addWidget(name, line, 0, Qt.AlignmentFlag.AlignTop)
                grid.addWidget(
                    Label(visible(translated(caution.sentence)), "body", "text", wrap=True), line, 1
                )
            grid.setColumnStretch(1, 1)
            column.addLayout(grid)
        column.addWidget(self.error)
        row.addLayout(column, 1)
        return frame

    def _footer(self) -> QFrame:
        frame = QFrame()
        frame.setProperty("ground", "chrome")
        frame.setProperty("rule", "top")
        row = QHBoxLayout(frame)
        row.setContentsMargins(20, 12, 20, 12)
        row.setSpacing(8)
        row.addStretch(1)
        for each in (self.arc, self.cancel, self.confirm):
            row.addWidget(each)
        return frame

    def busy(self) -> None:
        """Show that it is being saved."""
        self._busy = True
        self.arc.show()
        self.error.hide()
        self.confirm.setEnabled(False)
        self.cancel.setEnabled(False)

    def fail(self, sentence: str) -> None:
        """Say why it was not saved."""
        self._busy = False
        self.arc.hide()
        self.error.setText(sentence)
        self.error.show()
        self.confirm.setEnabled(True)
        self.cancel.setEnabled(True)
        self.cancel.setFocus()

    def reject(self) -> None:
        """Close, unless it is being saved."""
        if not self._busy:
            super().reject()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Let Enter press only what has the focus, and never a red button."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            if self.cancel.hasFocus():
                self.reject()
            elif not self._danger and self.confirm.hasFocus():
                self._confirm()
            return
        super().keyPressEvent(event)

    def _confirm(self) -> None:
        if not self._busy:
            self.confirmed.emit()
