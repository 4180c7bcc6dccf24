"""A dialog of fields: what is wrong stands below the field it is wrong with."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QDialog, QFrame, QGridLayout, QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from execution_engine.ui.theme import Token, px, restyle
from execution_engine.ui.tongue import tr
from execution_engine.ui.widgets import BusyArc, Label, button, fit_height
from execution_engine.ui.widgets.dialogs import WIDTH
from execution_engine.ui.widgets.labels import ButtonRole

CAPTION = 132
GAP = 2  # [px] between two fields, besides the spacing around it
MOST = 8192
UNBOUND = 16_777_215  # [px]: Qt's own bound of a widget's size


class FormDialog(QDialog):
    """Ask for a few texts. `wanted` tells that the button was pressed; whoever listens calls `busy`, then
    `accept` or `fail`."""

    wanted = Signal()

    def __init__(
        self,
        title: str,
        verb: str,
        *,
        explanation: str = "",
        role: ButtonRole = "primary",
        parent: QWidget | None = None,
    ) -> None:
        """Take the title, the verb on the button and what to know before."""
        super().__init__(parent)
        self.setWindowTitle(title)
        self.setModal(True)
        self.setFixedWidth(px(WIDTH))
        self._is_page = False
        self.fields: dict[str, QWidget] = {}
        self._hints: dict[str, Label] = {}
        self._rows: dict[str, tuple[QWidget, ...]] = {}
        self._gaps: dict[str, int] = {}
        self._left_out: set[str] = set()
        self._is_busy = False
        self.cancel = button(tr("Cancel"))
        self.cancel.setMinimumWidth(px(92))
        self.confirm = button(verb, role)
        self.confirm.setDefault(role == "primary")
        self.error = Label("", "body", "danger", wrap=True)
        self.error.hide()
        self._doing = Label("", "small", "text2", wrap=True)
        self._arc = BusyArc(12, "accent")
        self._arc.hide()
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(px(12))
        self._grid.setVerticalSpacing(px(3))
        self._grid.setColumnMinimumWidth(0, px(CAPTION))
        self._grid.setColumnStretch(1, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._content(title, explanation))
        column.addWidget(self._footer())
        self.cancel.clicked.connect(self.reject)
        self.confirm.clicked.connect(self._press)

    # -- what is asked

    def add(self, key: str, caption: str, widget: QWidget) -> None:
        """Ask for something below what is asked already."""
        at = self._grid.rowCount() + 1  # an empty row between two keeps a hint with its own field
        label, hint = Label(caption, "body", "text2"), Label("", "small", "text3", wrap=True)
        label.setBuddy(widget)
        if not widget.accessibleName():
            widget.setAccessibleName(caption)
        hint.hide()
        self._grid.addWidget(label, at, 0)
        self._grid.addWidget(widget, at, 1)
        self._grid.addWidget(hint, at + 1, 1)
        self.fields[key], self._hints[key], self._rows[key] = widget, hint, (label, widget)
        self._gaps[key] = at - 1
        self._grid.setRowMinimumHeight(at - 1, px(GAP) if len(self.fields) > 1 else 0)

    def add_text(self, key: str, caption: str, *, secret: bool = False) -> QLineEdit:
        """Ask for a text; a secret one is not shown while it is typed."""
        field = QLineEdit()
        field.setMaxLength(MOST)
        if secret:
            field.setEchoMode(QLineEdit.EchoMode.Password)
        self.add(key, caption, field)
        return field

    def add_note(self, text: str, token: Token = "text2") -> Label:
        """Say something below what is asked already."""
        note = Label(text, "small", token, wrap=True)
        at = self._grid.rowCount() + 1
        self._grid.setRowMinimumHeight(at - 1, px(GAP))
        self._grid.addWidget(note, at, 0, 1, 2)
        return note

    def text(self, key: str) -> str:
        """Return what was entered; nothing where it is not asked for."""
        field = self.fields.get(key)
        return field.text() if isinstance(field, QLineEdit) and self.asks(key) else ""

    def asks(self, key: str) -> bool:
        """Return whether something is asked for now."""
        return key in self.fields and key not in self._left_out

    def show_field(self, key: str, shown: bool) -> None:
        """Ask for something, or leave it out."""
        self._left_out = self._left_out - {key} if shown else self._left_out | {key}
        for part in self._rows[key]:
            part.setVisible(shown)
        self._grid.setRowMinimumHeight(self._gaps[key], px(GAP) if shown and self._gaps[key] > 1 else 0)
        hint = self._hints[key]
        hint.setVisible(shown and bool(hint.text()))

    def hint(self, key: str, text: str, token: Token = "text3") -> None:
        """Say something below a field."""
        label = self._hints[key]
        if (text, token) == (label.text(), label.property("token")):
            return
        label.show_text(text, token)
        label.setVisible(bool(text) and self.asks(key))
        restyle(self.fields[key], bad="true" if token == "danger" and text else "false")
        self._fit()

    # -- while it is done

    @property
    def is_busy(self) -> bool:
        return self._is_busy

    def busy(self, doing: str = "") -> None:
        """Show that it is being done."""
        self._set_busy(True)
        self._doing.show_text(doing)
        self.error.hide()

    def fail(self, sentence: str, key: str = "") -> None:
        """Say why it was not done, at the field it is about if there is one."""
        self._set_busy(False)
        self._doing.show_text("")
        if self.asks(key):
            self.hint(key, sentence, "danger")
            self.fields[key].setFocus()
        else:
            self.error.show_text(sentence)
            self.error.show()
        self._fit()

    def _set_busy(self, on: bool) -> None:
        self._is_busy = on
        self._arc.setVisible(on)
        for part in (self.confirm, self.cancel, *self.fields.values()):
            part.setEnabled(not on)

    def reject(self) -> None:
        """Close, unless it is being done."""
        if not self._is_busy:
            super().reject()

    def showEvent(self, event: QShowEvent) -> None:
        """Take the height that the sentences need, and put the cursor where one begins."""
        super().showEvent(event)
        self._fit()
        first = next((field for key, field in self.fields.items() if self.asks(key)), None)
        if first is not None and not event.spontaneous():
            first.setFocus()

    def become_page(self) -> None:
        """Stand on a page instead of in a window: what heads the page heads it, and nothing is cancelled."""
        self._is_page = True
        self.setWindowFlags(Qt.WindowType.Widget)
        # A dialog would put itself into the middle of the screen.
        self.setAttribute(Qt.WidgetAttribute.WA_Moved)
        self.setModal(False)
        self.setMinimumSize(0, 0)
        self.setMaximumHeight(UNBOUND)
        for part in (*self._head, self.cancel):
            part.hide()

    def _fit(self) -> None:
        if not self._is_page:
            fit_height(self)

    def _press(self) -> None:
        if not self._is_busy and self.confirm.isEnabled():
            self.wanted.emit()

    # -- how it is built

    def _content(self, title: str, explanation: str) -> QFrame:
        frame = QFrame()
        frame.setProperty("ground", "panel")
        column = QVBoxLayout(frame)
        column.setContentsMargins(px(20), px(18), px(20), px(16))
        column.setSpacing(px(10))
        self._head = [Label(title, "heading")]
        if explanation:
            self._head.append(Label(explanation, "body", "text2", wrap=True))
        for label in self._head:
            column.addWidget(label)
        column.addLayout(self._grid)
        column.addWidget(self.error)
        return frame

    def _footer(self) -> QFrame:
        frame = QFrame()
        frame.setProperty("ground", "chrome")
        frame.setProperty("rule", "top")
        row = QHBoxLayout(frame)
        row.setContentsMargins(px(20), px(12), px(20), px(12))
        row.setSpacing(px(8))
        row.addWidget(self._doing, 1)
        row.addWidget(self._arc, alignment=Qt.AlignmentFlag.AlignVCenter)
        row.addWidget(self.cancel)
        row.addWidget(self.confirm)
        return frame
