"""A row that becomes a column where it does not fit."""

from __future__ import annotations

from PySide6.QtCore import QRect, QSize
from PySide6.QtWidgets import QBoxLayout, QWidget

ACROSS, DOWN = QBoxLayout.Direction.LeftToRight, QBoxLayout.Direction.TopToBottom


class Turning(QBoxLayout):
    """Put parts side by side, or below one another where the width is less than they need.

    It asks for no more width than its widest part, so that nothing around it has to scroll sideways.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        """Begin side by side, without margins."""
        super().__init__(ACROSS, parent)
        self.setContentsMargins(0, 0, 0, 0)

    def minimumSize(self) -> QSize:
        """Return the width of the widest part and the height of the lowest."""
        sizes = self._least()
        widest = max((size.width() for size in sizes), default=0)
        lowest = max((size.height() for size in sizes), default=0)
        around = self.contentsMargins()
        return QSize(widest + around.left() + around.right(), lowest + around.top() + around.bottom())

    def hasHeightForWidth(self) -> bool:
        """Say that how high it is hangs on how wide it may be."""
        return True

    def heightForWidth(self, width: int) -> int:
        """Return the height that a width leads to."""
        self._turn(width)
        if super().hasHeightForWidth():
            return super().heightForWidth(width)
        return super().sizeHint().height()

    def minimumHeightForWidth(self, width: int) -> int:
        """Return the least height that a width leads to."""
        self._turn(width)
        if super().hasHeightForWidth():
            return super().minimumHeightForWidth(width)
        return super().minimumSize().height()

    def setGeometry(self, place: QRect) -> None:
        """Put the parts where they go in this width."""
        self._turn(place.width())
        super().setGeometry(place)

    def _turn(self, width: int) -> None:
        around = self.contentsMargins()
        parts = [size.width() for size in self._least()]
        gaps = self.spacing() * max(0, len(parts) - 1)
        wanted = ACROSS if sum(parts) + gaps + around.left() + around.right() <= width else DOWN
        if wanted != self.direction():
            self.setDirection(wanted)

    def _least(self) -> list[QSize]:
        items = (self.itemAt(place) for place in range(self.count()))
        return [item.minimumSize() for item in items if item is not None]
