"""Asking before something happens: the question, what follows from it, and two buttons."""

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent, QShowEvent
from PySide6.QtWidgets import QDialog, QFrame, QGridLayout, QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from execution_engine.ui.icons import Mark
from execution_engine.ui.theme import ICON, Token, px
from execution_engine.ui.tongue import tr
from execution_engine.ui.widgets.labels import Label, button, divider
from execution_engine.ui.widgets.marks import BusyArc, ModeBadge

WIDTH = 568
AROUND = 6  # [px] above and below a consequence


@dataclass(frozen=True, slots=True)
class Consequence:
    """Say one thing that will be so: a name and pieces of text, each (text, token).

    A bold piece has the token with a trailing "!": ("999.79 USDT", "text!"). `mode` puts the badge first.
    """

    name: str
    parts: Sequence[tuple[str, str]]
    mode: str = ""


def follows(name: str, text: str) -> Consequence:
    """Return a consequence that is plain text."""
    return Consequence(name, ((text, "text"),))


def fit_height(window: QWidget) -> None:
    """Give a window of fixed width the height of its wrapped sentences; guessing leaves holes at the bottom."""
    layout = window.layout()
    if layout is not None:
        layout.activate()
        wraps = layout.hasHeightForWidth()
        window.setFixedHeight(
            layout.totalHeightForWidth(window.width()) if wraps else layout.totalSizeHint().height()
        )


class ConfirmDialog(QDialog):
    """Ask before something happens. Show it with `open()`.

    turned_to: the harmless act of `instead` was chosen; the dialog is closed.

    The page listens to `confirmed`, calls `busy()`, and later `accept()` or `fail(sentence)`; closing by
    Cancel or Esc is `rejected`. Enter never triggers what is dangerous, Cancel has the focus.
    """

    confirmed = Signal()
    turned_to = Signal()

    def __init__(
        self,
        title: str,
        question: str,
        verb: str,
        *,
        explanation: str = "",
        consequences: Sequence[Consequence] = (),
        danger: bool = True,
        mode: str = "",
        note: str = "",
        type_this: str = "",
        instead: str = "",
        stay: str = tr("Cancel"),
        parent: QWidget | None = None,
    ) -> None:
        """Take what is asked and what follows.

        title:     names the act in the title bar
        verb:      the label of the button that does it, a verb with its object
        danger:    red button and Enter does nothing; otherwise blue
        mode:      "live" shows the badge beside the question
        note:      small print in the footer
        type_this: what must be typed first, such as the number of open groups
        instead:   a harmless act that may be what was wanted; it has a button between the two
        stay:      the button that does nothing, where the act itself is to cancel something
        """
        super().__init__(parent)
        self.setWindowTitle(title)
        self.setModal(True)
        self.setFixedWidth(px(WIDTH))
        self._danger, self._type_this, self._busy = danger, type_this, False
        self.cancel = button(stay)
        self.cancel.setMinimumWidth(px(92))
        self.cancel.clicked.connect(self.reject)
        self.confirm = button(verb, "danger" if danger else "primary")
        self.confirm.clicked.connect(self._confirm)
        self.instead = button(instead)
        self.instead.clicked.connect(self._turn)
        self._arc = BusyArc(12, "accent")
        self._arc.hide()
        self._note = Label(note, "small", "text3", wrap=True)
        self._error = Label("", "body", "danger", wrap=True)
        self._error.hide()
        self.typed = QLineEdit()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._content(question, explanation, consequences, mode))
        column.addWidget(self._footer())
        self.setAccessibleDescription(question)
        self._typed_changed()
        self.cancel.setFocus()

    # What the page calls.

    def busy(self) -> None:
        """Show that it is being done: the arc turns, nothing can be pressed."""
        self._busy = True
        self._arc.show()
        self._error.hide()
        self.confirm.setEnabled(False)
        self.cancel.setEnabled(False)
        self.typed.setEnabled(False)

    def fail(self, sentence: str) -> None:
        """Say why it was not done; it can be tried again."""
        self._busy = False
        self._arc.hide()
        self._error.setText(sentence)
        self._error.show()
        self.cancel.setEnabled(True)
        self.typed.setEnabled(True)
        self._typed_changed()
        fit_height(self)
        self.cancel.setFocus()

    @property
    def error(self) -> str:
        """Return the sentence of `fail`; empty when there is none."""
        return "" if self._error.isHidden() else self._error.text()

    # How it behaves.

    def showEvent(self, event: QShowEvent) -> None:
        """Take the height that the sentences need."""
        super().showEvent(event)
        fit_height(self)

    def reject(self) -> None:
        """Close, unless it is being done: then the answer is awaited."""
        if not self._busy:
            super().reject()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Let Enter press only the button that has the focus, and never a red one."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            if self.cancel.hasFocus():
                self.reject()
            elif self.instead.hasFocus():
                self._turn()
            elif not self._danger and self.confirm.isEnabled():
                self._confirm()
            return
        super().keyPressEvent(event)

    def _confirm(self) -> None:
        if not self._busy and self._complete():
            self.confirmed.emit()

    def _turn(self) -> None:
        if not self._busy:
            super().reject()
            self.turned_to.emit()

    def _complete(self) -> bool:
        return not self._type_this or self.typed.text().strip() == self._type_this

    def _typed_changed(self) -> None:
        self.confirm.setEnabled(self._complete() and not self._busy)

    # How it is built.

    def _content(
        self, question: str, explanation: str, consequences: Sequence[Consequence], mode: str
    ) -> QFrame:
        frame = QFrame()
        frame.setProperty("ground", "panel")
        row = QHBoxLayout(frame)
        row.setContentsMargins(20, 20, 20, 16)
        row.setSpacing(12)
        look: tuple[str, Token] = ("warning", "warn") if self._danger else ("question", "accent")
        row.addWidget(
            Mark(icon=look[0], token=look[1], size=px(ICON["dialog"])), alignment=Qt.AlignmentFlag.AlignTop
        )
        column = QVBoxLayout()
        column.setSpacing(6)
        heading = QHBoxLayout()
        heading.setSpacing(8)
        heading.addWidget(Label(question, "heading", wrap=True), 1)
        if mode:
            heading.addWidget(ModeBadge(mode), alignment=Qt.AlignmentFlag.AlignTop)
        column.addLayout(heading)
        if explanation:
            column.addWidget(Label(explanation, "body", "text2", wrap=True))
        if consequences:
            column.addSpacing(8)
            column.addLayout(_table(consequences))
        if self._type_this:
            column.addSpacing(8)
            column.addLayout(self._typing())
        column.addWidget(self._error)
        row.addLayout(column, 1)
        return frame

    def _typing(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(8)
        label = Label(tr("Type {type_this} to go on").format(type_this=self._type_this), "body", "text2")
        label.setBuddy(self.typed)
        self.typed.setFixedWidth(px(72))
        self.typed.setAccessibleName(label.text())
        self.typed.textChanged.connect(self._typed_changed)
        row.addWidget(label)
        row.addWidget(self.typed)
        row.addStretch(1)
        return row

    def _footer(self) -> QFrame:
        frame = QFrame()
        frame.setProperty("ground", "chrome")
        frame.setProperty("rule", "top")
        row = QHBoxLayout(frame)
        row.setContentsMargins(20, 12, 20, 12)
        row.setSpacing(8)
        row.addWidget(self._note, 1)
        row.addWidget(self._arc)
        row.addWidget(self.cancel)
        if self.instead.text():
            row.addWidget(self.instead)
        row.addWidget(self.confirm)
        return frame


def _table(consequences: Sequence[Consequence]) -> QGridLayout:
    """Return the two columns, a line above, between and below."""
    grid = QGridLayout()
    grid.setHorizontalSpacing(12)
    grid.setVerticalSpacing(0)
    grid.setColumnMinimumWidth(0, px(100))
    grid.setColumnStretch(1, 1)
    grid.addWidget(divider(), 0, 0, 1, 2)
    for place, consequence in enumerate(consequences):
        at = 2 * place + 1
        # Both begin on one line, and two lines of a value keep clear of the lines around them.
        name = Label(consequence.name, "body", "text2")
        name.setContentsMargins(0, px(AROUND), 0, px(AROUND))
        grid.addWidget(name, at, 0, Qt.AlignmentFlag.AlignTop)
        grid.addLayout(_value(consequence), at, 1)
        grid.addWidget(divider(), at + 1, 0, 1, 2)
    return grid


def _value(consequence: Consequence) -> QHBoxLayout:
    row = QHBoxLayout()
    row.setSpacing(6)
    around, place_of = AROUND, Qt.AlignmentFlag.AlignTop
    if consequence.mode:
        row.addWidget(ModeBadge(consequence.mode))
        around, place_of = AROUND - 2, Qt.AlignmentFlag.AlignVCenter  # a badge is higher than a line of text
    row.setContentsMargins(0, px(around), 0, px(around))
    last = len(consequence.parts) - 1
    for place, (text, look) in enumerate(consequence.parts):
        token: Token = look.rstrip("!")  # type: ignore[assignment]
        weight = 600 if look.endswith("!") else 400
        # The last piece takes what is left and wraps there: no amount is ever cut.
        row.addWidget(
            Label(text, "body", token, weight=weight, wrap=place == last),
            int(place == last),
            place_of if last or consequence.mode else Qt.AlignmentFlag(0),
        )
    return row
