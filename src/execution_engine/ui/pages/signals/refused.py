"""Requests that were answered 4xx: what they said, and why nothing happened."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from execution_engine.domain.rows import RefusedRequest
from execution_engine.ui import format as f
from execution_engine.ui.pages.signals.message import MessagePanel
from execution_engine.ui.tables import Cell, Column, TableModel, TableView
from execution_engine.ui.theme import px
from execution_engine.ui.tongue import inline, tr, translated
from execution_engine.ui.widgets import Label, Panel, Splitter, button, divider

SHOWN = 1_000  # as many as are kept
_ABOUT_THE_BODY = (400, 422)


def _errors(row: RefusedRequest) -> list[str]:
    return [
        f.visible(f"{field}: {translated(text)}" if field else translated(text), 300)
        for field, text in row.errors
    ]


_STATUS = {
    400: tr("Not JSON"),
    401: tr("No or wrong secret"),
    403: tr("Not allowed"),
    413: tr("Too large"),
    422: tr("Not valid"),
    429: tr("Too many failures"),
}

COLUMNS: tuple[Column[RefusedRequest], ...] = (
    Column(
        key="time",
        title=tr("Time"),
        width=126,
        cell=lambda row: Cell(f.local_moment(row.at), raw=row.at.isoformat()),
        sort_key=lambda row: row.id,
        tooltip=lambda row: f.utc_text(row.at),
    ),
    Column(
        key="status",
        title=tr("Status"),
        width=66,
        align="right",
        cell=lambda row: Cell(str(row.status)),
        sort_key=lambda row: row.status,
        tooltip=lambda row: _STATUS.get(row.status, ""),
    ),
    Column(
        key="errors",
        title=tr("Errors"),
        width=256,
        cell=lambda row: Cell("; ".join(_errors(row)), "text2"),
        tooltip=lambda row: "\n".join(_errors(row)),
    ),
    Column(
        key="source",
        title=tr("Source"),
        width=112,
        cell=lambda row: Cell(f.visible(row.source, 60), "text2"),
        sort_key=lambda row: row.source,
    ),
    Column(key="body", title=tr("Body"), width=130, cell=lambda row: Cell(f.visible(row.body, 120), "text3")),
)
WIDE = {column.key: column.width for column in COLUMNS}
NARROW = {"time": 126, "status": 60, "errors": 200}


class RefusedList(QWidget):
    """List refused requests, and show one of them whole.

    check_wanted: the user wants to check this message, and the webhook it came by.
    """

    check_wanted = Signal(str, str)

    def __init__(self, parent: QWidget | None = None) -> None:
        """Begin empty; `show_rows` brings what was read."""
        super().__init__(parent)
        self.rows: TableModel[RefusedRequest] = TableModel(
            COLUMNS, lambda row: row.id, default_sort=lambda row: -row.id
        )
        self.view = TableView(self.rows, name=tr("Refused requests"))
        self.view.set_empty(tr("No request was refused."))
        self.errors = Label("", "body", "text2", wrap=True)
        self.errors.setMargin(12)
        self.errors.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.errors.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.panel = Panel(tr("Request"), framed=False)
        self.panel.add(self.errors)
        self.message = MessagePanel()
        self.check = button(tr("Check…"), small=True, tip=tr("Look for what is wrong with it, line by line"))
        self.message.add_right(self.check)
        self._lay_out()
        self.view.current_changed.connect(self._choose)
        self.check.clicked.connect(self._check)
        self._choose(None)

    def show_rows(self, rows: Sequence[RefusedRequest]) -> None:
        """Show what was read."""
        self.rows.replace(rows)

    def set_narrow(self, narrow: bool) -> None:
        """Show the columns for which there is room."""
        self.view.show_columns(NARROW if narrow else WIDE)

    def _lay_out(self) -> None:
        side = QWidget()
        column = QVBoxLayout(side)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.panel)
        column.addWidget(divider())
        column.addWidget(self.message, 1)
        side.setMinimumWidth(px(280))
        both = Splitter(Qt.Orientation.Horizontal)
        both.setAccessibleName(tr("Refused requests and one of them"))
        both.addWidget(self.view)
        both.addWidget(side)
        both.setSizes([720, 560])
        both.setStretchFactor(0, 1)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(both)

    def _check(self) -> None:
        if self._shown is not None:
            self.check_wanted.emit(self._shown.body, self._shown.token)

    def _choose(self, key: object) -> None:
        row = None if key is None else self.rows.record(key)  # keys are ids
        self._shown = row
        self.check.setEnabled(row is not None and row.status in _ABOUT_THE_BODY and bool(row.body))
        if row is None:
            self.panel.set_subtitle("")
            self.errors.show_text(tr("Select a request to see why it was refused."))
            self.message.show_body("")
            return
        why = _STATUS.get(row.status, "")
        token = tr(" · token “{token}”").format(token=f.visible(row.token, 60)) if row.token else ""
        self.panel.set_subtitle(
            tr("answered {status}{more}{token}").format(
                status=row.status, more=f", {inline(why)}" if why else "", token=token
            )
        )
        self.errors.show_text("\n".join(_errors(row)) or tr("No reason was given."))
        self.message.show_body(row.body)
