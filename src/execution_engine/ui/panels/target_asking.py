"""The question where a new target is: its kind, and what belongs to its address."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QDialog, QFrame, QGridLayout, QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from execution_engine.domain.notify_kinds import KINDS, Kind
from execution_engine.ui.theme import px
from execution_engine.ui.tongue import tr, translated
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
        self.setWindowTitle(tr("Add target"))
        self.setModal(True)
        self.setFixedWidth(px(WIDTH))
        self.kind = SegmentedChoice(
            [(kind.key, translated(kind.title)) for kind in KINDS], name=tr("Kind of target")
        )
        self.name = QLineEdit()
        self.name.setMaxLength(64)
        self.name.setAccessibleName(tr("Name"))
        self.name.setPlaceholderText("phone")
        self.fields: dict[str, QLineEdit] = {}
        self._fields: dict[str, dict[str, QLineEdit]] = {kind.key: {} for kind in KINDS}
        self._parts: dict[str, list[QWidget]] = {kind.key: [] for kind in KINDS}
        self._grid = QGridLayout()
        self._hint = Label("", "small", "text2", wrap=True)
        self._error = Label("", "body", "danger", wrap=True)
        self._error.hide()
        self.cancel = button(tr("Cancel"))
        self.confirm = button(tr("Add"), "primary")
        self.confirm.setDefault(True)
        self._busy = BusyArc()
        self._busy.hide()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._content())
        column.addWidget(self._footer())
        self._add(tr("Name"), self.name)
        for kind in KINDS:
            self._make(kind)
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
        """Show the fields of a kind; what was entered into those of another stays there."""
        self._kind: Kind = next(kind for kind in KINDS if kind.key == key)
        self.kind.set_value(key)
        for of, parts in self._parts.items():
            for part in parts:
                part.setVisible(of == key)
        self.fields = self._fields[key]
        self._hint.show_text(translated(self._kind.hint))
        self._error.hide()
        self._check()
        fit_height(self)

    def _make(self, kind: Kind) -> None:
        for asked in kind.fields:
            field = QLineEdit()
            field.setAccessibleName(translated(asked.title))
            field.setPlaceholderText(asked.example)
            if asked.secret:
                field.setEchoMode(QLineEdit.EchoMode.PasswordEchoOnEdit)
            field.textChanged.connect(self._check)
            self._fields[kind.key][asked.key] = field
            self._parts[kind.key] += self._add(translated(asked.title), field)

    def _add(self, caption: str, field: QLineEdit) -> list[QWidget]:
        line = self._grid.rowCount()
        label = Label(caption, "body", "text2")
        label.setFixedWidth(px(CAPTION))
        label.setBuddy(field)
        self._grid.addWidget(label, line, 0)
        self._grid.addWidget(field, line, 1)
        return [label, field]

    def _check(self) -> None:
        values = {key: field.text().strip() for key, field in self.fields.items()}
        self.confirm.setEnabled(bool(self.name.text().strip()) and not self._kind.missing(values))

    def _content(self) -> QFrame:
        frame = QFrame()
        frame.setProperty("ground", "panel")
        column = QVBoxLayout(frame)
        column.setContentsMargins(px(20), px(20), px(20), px(16))
        column.setSpacing(px(12))
        column.addWidget(Label(tr("Who is to be told?"), "heading"))
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
        row.addWidget(Label(tr("Kept encrypted in the vault."), "small", "text3"))
        row.addStretch(1)
        row.addWidget(self._busy)
        row.addWidget(self.cancel)
        row.addWidget(self.confirm)
        return frame
