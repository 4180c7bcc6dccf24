"""What a table says when it has no rows: one sentence and, at most, one button that helps."""

from collections.abc import Callable, Sequence

from PySide6.QtCore import QEvent, QObject, Qt, QTimer
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from execution_engine.ui.tongue import tr

LOADING_AFTER_MS = 300


class EmptyState(QWidget):
    """Lie over an empty table's middle and let the pointer through beside its buttons."""

    def __init__(self, over: QWidget) -> None:
        """Lie over a widget and follow its size."""
        super().__init__(over)
        self._sentence = QLabel(alignment=Qt.AlignmentFlag.AlignCenter, wordWrap=True)
        self._sentence.setProperty("token", "text2")
        self._sentence.setTextFormat(Qt.TextFormat.PlainText)
        self._buttons = QHBoxLayout()
        self._buttons.setSpacing(8)
        column = QVBoxLayout(self)
        column.setSpacing(12)
        column.addStretch()
        column.addWidget(self._sentence)
        column.addLayout(self._buttons)
        column.addStretch()
        self._text = ""
        self._loading = QTimer(self, singleShot=True, interval=LOADING_AFTER_MS)
        self._loading.timeout.connect(lambda: self._sentence.setText(tr("Loading…")))
        over.installEventFilter(self)
        self.hide()

    @property
    def sentence(self) -> str:
        """Return what it says now."""
        return self._sentence.text()

    def say(self, text: str, actions: Sequence[tuple[str, Callable[[], object]]] = ()) -> None:
        """Say a sentence with buttons (label, what a click does)."""
        self._loading.stop()
        self._text = text
        self._sentence.setText(text)
        while (item := self._buttons.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.deleteLater()
        if actions:
            self._buttons.addStretch()
            for label, then in actions:
                button = QPushButton(label)
                button.clicked.connect(lambda _=False, act=then: act())
                self._buttons.addWidget(button)
            self._buttons.addStretch()

    def load(self, loading: bool) -> None:
        """Say nothing for a moment and then "Loading…", until told otherwise."""
        if loading:
            self._sentence.setText("")
            self._loading.start()
        else:
            self._loading.stop()
            self._sentence.setText(self._text)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Keep the size of what is below."""
        if event.type() == QEvent.Type.Resize and isinstance(watched, QWidget):
            self.resize(watched.size())
        return False
