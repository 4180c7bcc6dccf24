"""What a desktop user sees when the program cannot start: why, what to do, and where the data lies."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, QUrl, Signal
from PySide6.QtGui import QCloseEvent, QDesktopServices, QGuiApplication, QKeyEvent, QShowEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from execution_engine.ui.format import visible
from execution_engine.ui.icons import Mark
from execution_engine.ui.theme import ICON, px
from execution_engine.ui.tongue import tr
from execution_engine.ui.widgets import Label, button, divider, fit_height

WIDTH = 568
LONGEST_WORD = 24  # letters; the column has room for them
BREAK, JOINED = "\u200b", "\u2060"  # where a line may break, and where it may not


class StartFault(QWidget):
    """Say in a small window of its own what keeps the program from starting.

    closed: the user has read it. restore_wanted: the backup that is offered is to be restored.
    """

    closed = Signal()
    restore_wanted = Signal()

    def __init__(self, told: str, folder: Path, version: str, backup: str = "") -> None:
        """Take the sentences, the first of which says what is wrong, the data folder, and the version.

        backup: the name of a backup that can be restored; empty where there is none.
        """
        super().__init__()
        self._told, self._folder, self._version = told, folder, version
        self.setWindowTitle("Execution Engine")
        wrong, _, advice = told.partition(". ")
        self.wrong = _wrapping(wrong + "." * bool(advice))
        self.advice = _wrapping(advice or tr("Put that right and start again."))
        self.folder = _wrapping(str(folder))
        self.copy = button(tr("Copy"), icon="copy")
        self.open = button(tr("Open data folder"), icon="folder")
        self.restore = button(
            tr("Restore the backup"),
            "primary",
            tip=tr("Put {backup} in place of the database").format(backup=backup),
        )
        self.restore.setVisible(bool(backup))
        self.quit = button(tr("Quit"), "normal" if backup else "primary")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._content())
        footer = self._footer()
        column.addWidget(footer)
        # Other languages have longer words on the buttons.
        self.setFixedWidth(max(px(WIDTH), footer.minimumSizeHint().width()))
        self.copy.clicked.connect(self._copy)
        self.restore.clicked.connect(self._restore)
        self.open.clicked.connect(lambda: QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder))))
        self.quit.clicked.connect(self.close)
        self.setAccessibleName(tr("Execution Engine could not start"))
        self.setAccessibleDescription(told)
        self.quit.setFocus()

    def _content(self) -> QFrame:
        frame = QFrame()
        frame.setProperty("ground", "panel")
        row = QHBoxLayout(frame)
        row.setContentsMargins(px(20), px(20), px(20), px(16))
        row.setSpacing(px(12))
        row.addWidget(
            Mark(icon="warning", token="warn", size=px(ICON["dialog"])), alignment=Qt.AlignmentFlag.AlignTop
        )
        column = QVBoxLayout()
        column.setSpacing(px(10))
        column.addWidget(Label(tr("Execution Engine could not start"), "heading"))
        column.addLayout(self._table())
        row.addLayout(column, 1)
        return frame

    def _table(self) -> QGridLayout:
        grid = QGridLayout()
        grid.setHorizontalSpacing(px(12))
        grid.setVerticalSpacing(px(7))
        grid.setColumnMinimumWidth(0, px(92))
        grid.setColumnStretch(1, 1)
        grid.addWidget(divider(), 0, 0, 1, 2)
        rows = ((tr("Why"), self.wrong), (tr("What to do"), self.advice), (tr("Data folder"), self.folder))
        for place, (name, value) in enumerate(rows):
            at = 2 * place + 1
            grid.addWidget(Label(name, "body", "text2"), at, 0, Qt.AlignmentFlag.AlignTop)
            grid.addWidget(value, at, 1)
            grid.addWidget(divider(), at + 1, 0, 1, 2)
        return grid

    def _footer(self) -> QFrame:
        frame = QFrame()
        frame.setProperty("ground", "chrome")
        frame.setProperty("rule", "top")
        row = QHBoxLayout(frame)
        row.setContentsMargins(px(20), px(12), px(20), px(12))
        row.setSpacing(px(8))
        row.addWidget(self.copy)
        row.addWidget(self.open)
        row.addStretch(1)
        self.quit.setMinimumWidth(px(92))
        row.addWidget(self.quit)
        row.addWidget(self.restore)
        return frame

    def showEvent(self, event: QShowEvent) -> None:
        """Take the height that the wrapped sentences need at this width, now that the fonts are known."""
        super().showEvent(event)
        fit_height(self)

    def _restore(self) -> None:
        self.restore.setEnabled(False)
        self.restore_wanted.emit()

    def say(self, done: str, *, again: bool) -> None:
        """Say what came of the restoring; `again`: it can be tried once more."""
        self.advice.show_text(_breaking(done))
        self.restore.setEnabled(again)
        self.restore.setVisible(again)
        fit_height(self)

    def _copy(self) -> None:
        lines = (
            tr("Execution Engine {version} could not start.").format(version=self._version),
            self._told,
            tr("Data: {folder}").format(folder=self._folder),
        )
        QGuiApplication.clipboard().setText("\n".join(lines))
        self.copy.setText(tr("Copied"))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Go with Esc, and with Enter unless another button has the focus."""
        leaving = event.key() == Qt.Key.Key_Escape
        entered = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        if leaving or (
            entered and not (self.copy.hasFocus() or self.open.hasFocus() or self.restore.hasFocus())
        ):
            self.close()
            return
        super().keyPressEvent(event)

    def closeEvent(self, event: QCloseEvent) -> None:
        """Tell that it was read."""
        super().closeEvent(event)
        self.closed.emit()


def _wrapping(text: str) -> Label:
    """Return a label that breaks a long path, which has no spaces, and never tears `--port` apart."""
    return Label(_breaking(text), "body", "text", wrap=True)


def _breaking(text: str) -> str:
    shown = visible(text).replace("--", f"-{JOINED}-{JOINED}")
    return " ".join(BREAK.join(_pieces(word)) for word in shown.split(" "))


def _pieces(word: str) -> list[str]:
    return [word[at : at + LONGEST_WORD] for at in range(0, len(word), LONGEST_WORD)]
