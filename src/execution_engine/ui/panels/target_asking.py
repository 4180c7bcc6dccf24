"""The question where a new target is: its kind, and what belongs to its address."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QDialog, QFrame, QGridLayout, QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from execution_engine.domain.notify_kinds import KINDS, Kind
from execution_engine.ui.theme import px
from execution_engine.ui.widgets import BusyArc, Label, SegmentedChoice, button, fit_height
from execution_engine.ui.widgets.dialogs import WIDTH

CAPTION = 96


class TargetDialog(QDialog):
    """Ask for a name and an address, field by field.

    `wanted` tells that the button was pressed; whoever listens calls `accept` or `fail`.
    """

    wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        """Begin with the first kind."""
        super().__init__(parent)
        self.setWindowTitle("Add target")
        self.setModal(True)
        self.setFixedWidth(px(WIDTH))
        self.kind = SegmentedChoice([(kind.key, kind.title) for kind in KINDS], name="Kind of target")
        self.name = QLineEdit()
        self.name.setMaxLength(64)
        self.name.setAccessibleName("Name")
        self.name.setPlaceholderText("phone")
        self.fields: dict[str, QLineEdit] = {}
        self._grid = QGridLayout()
        self._hint = Label("", "small", "text2", wrap=True)
        self._error = Label("", "body", "danger", wrap=True)
        self._error.hide()
        self.cancel = button("Cancel")
        self.confirm = button("Add", "primary")
        self.confirm.setDefault(True)
        self._busy = BusyArc()
        self._busy.hide()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._content())
        column.addWidget(self._footer())
        self.kind.chosen.connect(self._choose)
        self.name.textChanged.connect(self._check)
        self.cancel.clicked.connect(self.reject)
        self.confirm.clicked.connect(self._press)
        self._choose(KINDS[0].key)

    @property
    def address(self) -> str:
        """Return the address of what was entered."""
        return self._kind.build({key: field.text().strip() for key, field in self.fields.items()})

    def fail(self, sentence: str) -> None:
        """Say why it was not done."""
        self._busy.hide()
        self.cancel.setEnabled(True)
        self._error.show_text(sentence)
        self._error.show()
        self._check()
        fit_height(self)

    def _press(self) -> None:
        self.confirm.setEnabled(False)
        self.cancel.setEnabled(False)
        self._busy.show()
        self.wanted.emit()

    def _choose(self, key: str) -> None:
        self._kind: Kind = next(kind for kind in KINDS if kind.key == key)
        self.kind.set_value(key)
        while (item := self._grid.takeAt(0)) is not None:
            if (widget := item.widget()) is not None and widget is not self.name:
                widget.hide()
                widget.deleteLater()
        self.fields = {}
        self._add("Name", self.name)
        for asked in self._kind.fields:
            field = QLineEdit()
            field.setAccessibleName(asked.title)
            field.setPlaceholderText(asked.example)
            if asked.secret:
                field.setEchoMode(QLineEdit.EchoMode.PasswordEchoOnEdit)
            field.textChanged.connect(self._check)
            self.fields[asked.key] = field
            self._add(asked.title, field)
        self._hint.show_text(self._kind.hint)
        self._error.hide()
        self._check()
        fit_height(self)

    def _add(self, caption: str, field: QLineEdit) -> None:
        line = self._grid.count()
        label = Label(caption, "body", "text2")
        label.setFixedWidth(px(CAPTION))
        label.setBuddy(field)
        self._grid.addWidget(label, line, 0)
        self._grid.addWidget(field, line, 1)

    def _check(self) -> None:
        values = {key: field.text().strip() for key, field in self.fields.items()}
        self.confirm.setEnabled(bool(self.name.text().strip()) and not self._kind.missing(values))

    def _content(self) -> QFrame:
        frame = QFrame()
        column = QVBoxLayout(frame)
        column.setContentsMargins(px(20), px(20), px(20), px(16))
        column.setSpacing(px(12))
        column.addWidget(Label("Who is to be told?", "heading"))
        row = QHBoxLayout()
        row.addWidget(self.kind)
        row.addStretch(1)
        column.addLayout(row)
        self._grid.setHorizontalSpacing(px(12))
        self._grid.setVerticalSpacing(px(8))
        column.addLayout(self._grid)
        column.addWidget(self._hint)
        column.addWidget(self._error)
        return frame

    def _footer(self) -> QFrame:
        frame = QFrame()
        frame.setProperty("ground", "chrome")
        frame.setProperty("rule", "top")
        row = QHBoxLayout(frame)
        row.setContentsMargins(px(20), px(12), px(20), px(12))
        row.setSpacing(px(8))
        row.addWidget(Label("Kept encrypted in the vault.", "small", "text3"))
        row.addStretch(1)
        row.addWidget(self._busy)
        row.addWidget(self.cancel)
        row.addWidget(self.confirm)
        return frame
