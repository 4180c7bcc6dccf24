"""How long nobody touched the keyboard or the mouse over any of our windows."""

from __future__ import annotations

from PySide6.QtCore import QElapsedTimer, QEvent, QObject
from PySide6.QtWidgets import QApplication

TOUCHES = frozenset(
    {
        QEvent.Type.KeyPress,
        QEvent.Type.MouseButtonPress,
        QEvent.Type.MouseMove,
        QEvent.Type.Wheel,
        QEvent.Type.TouchBegin,
        QEvent.Type.TabletPress,
    }
)


class Idle(QObject):
    """Watches what reaches the application, while that is wanted; nothing is kept back."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._watches = False
        self._since = QElapsedTimer()
        self._since.start()

    def watch(self, wanted: bool) -> None:
        """Begin or end to watch: every event takes a look, which costs something."""
        qt = QApplication.instance()
        if wanted == self._watches or qt is None:
            return
        self._watches = wanted
        self.touched()
        qt.installEventFilter(self) if wanted else qt.removeEventFilter(self)

    @property
    def minutes(self) -> float:
        """Return how long nothing was touched."""
        return self._since.elapsed() / 60_000

    def touched(self) -> None:
        """Begin to count anew."""
        self._since.restart()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Note that somebody is there."""
        if event.type() in TOUCHES:
            self._since.restart()
        return False
