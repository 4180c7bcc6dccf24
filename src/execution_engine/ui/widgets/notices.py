"""Notices: what just happened, in a corner; at most four, gone by themselves unless they are errors."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QEnterEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from execution_engine.ui.icons import Mark
from execution_engine.ui.theme import THEME, Token, px, tint
from execution_engine.ui.tongue import tr
from execution_engine.ui.widgets.labels import Label, button

Level = Literal["success", "info", "warning", "error"]

WIDTH = 340
AT_MOST = 4
# How long a notice stays; an error stays until it is closed.
SHOWN_MS: dict[Level, int | None] = {"success": 6_000, "info": 6_000, "warning": 12_000, "error": None}
_LOOK: dict[Level, tuple[str, Token]] = {
    "success": ("success", "profit"),
    "info": ("info", "accent"),
    "warning": ("warning", "warn"),
    "error": ("error", "danger"),
}
_SPOKEN: dict[Level, str] = {
    "success": tr("success"),
    "info": tr("info"),
    "warning": tr("warning"),
    "error": tr("error"),
}


@dataclass(frozen=True, slots=True)
class Notice:
    """Say what happened: a title, one sentence, one thing to do about it.

    logged: it stands in the log already.
    """

    level: Level
    title: str
    sentence: str = ""
    action: str = ""
    then: Callable[[], object] | None = None
    logged: bool = False


class NoticeCard(QWidget):
    """Show one notice; the pointer over it holds it."""

    closed = Signal()

    def __init__(self, notice: Notice, parent: QWidget | None = None) -> None:
        """Take the notice and start its time."""
        super().__init__(parent)
        self.notice = notice
        self.setFixedWidth(px(WIDTH))
        icon, self._token = _LOOK[notice.level]
        row = QHBoxLayout(self)
        row.setContentsMargins(14, 11, 8, 11)
        row.setSpacing(10)
        top = Qt.AlignmentFlag.AlignTop
        row.addWidget(Mark(icon=icon, token=self._token, size=px(16)), alignment=top)
        column = QVBoxLayout()
        column.setSpacing(3)
        column.addWidget(Label(notice.title, "body", "text", weight=600, wrap=True))
        if notice.sentence:
            column.addWidget(Label(notice.sentence, "small", "text2", wrap=True))
        if notice.action:
            act = button(notice.action, "link", small=True)
            act.setProperty("flush", "true")
            act.clicked.connect(self._act)
            column.addWidget(act, alignment=Qt.AlignmentFlag.AlignLeft)
        row.addLayout(column, 1)
        close = button(role="icon", icon="close", small=True, tip=tr("Close"))
        close.clicked.connect(self.closed)
        row.addWidget(close, alignment=top)
        self.setAccessibleName(f"{_SPOKEN[notice.level]}: {notice.title}")
        self.setAccessibleDescription(notice.sentence)
        # Labels that wrap know their height only once the width is known.
        self.setFixedHeight(row.totalHeightForWidth(px(WIDTH)))
        self.timer = QTimer(self, singleShot=True)
        self.timer.timeout.connect(self.closed)
        self._start()
        THEME.theme_changed.connect(self.update)

    def enterEvent(self, event: QEnterEvent) -> None:
        """Hold it while somebody reads."""
        self.timer.stop()

    def leaveEvent(self, event: QEvent) -> None:
        """Give it its whole time again."""
        self._start()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint a tinted ground with a frame of the same colour."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(tint(self._token, "raised", 0.55), 1))
        painter.setBrush(tint(self._token, "raised", 0.08))
        painter.drawRoundedRect(self.rect().toRectF().adjusted(0.5, 0.5, -0.5, -0.5), 4, 4)

    def _start(self) -> None:
        shown_ms = SHOWN_MS[self.notice.level]
        if shown_ms is not None:
            self.timer.start(shown_ms)

    def _act(self) -> None:
        if self.notice.then is not None:
            self.notice.then()
        self.closed.emit()


class NoticeStack(QWidget):
    """Keep notices in the lower right corner of a window, the newest lowest.

    logs_wanted: the user asked for those that no longer fit
    """

    logs_wanted = Signal()

    def __init__(self, over: QWidget, bottom: int = 38) -> None:
        """Lie over a window, `bottom` [px] above its lower edge."""
        super().__init__(over)
        self._over, self._bottom, self._unseen = over, bottom, 0
        self.cards: list[NoticeCard] = []
        self._more = button("", small=True)  # with a ground: it lies over whatever is below
        self._more.clicked.connect(self._to_logs)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(8)
        self._column.addWidget(self._more, alignment=Qt.AlignmentFlag.AlignRight)
        over.installEventFilter(self)
        self.hide()

    def add(self, notice: Notice) -> None:
        """Show a notice; the oldest that is no error leaves when there are too many."""
        card = NoticeCard(notice, self)
        card.closed.connect(lambda: self._remove(card))
        self.cards.append(card)
        self._column.addWidget(card)
        while len(self.cards) > AT_MOST:
            gone = next((each for each in self.cards[:-1] if each.notice.level != "error"), self.cards[0])
            self._unseen += 1
            self._remove(gone)
        self._place()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Stay in the corner when the window changes its size."""
        if watched is self._over and event.type() == QEvent.Type.Resize:
            self._place()
        return False

    def _remove(self, card: NoticeCard) -> None:
        if card in self.cards:
            self.cards.remove(card)
            self._column.removeWidget(card)
            card.timer.stop()
            card.hide()
            card.deleteLater()
        if not self.cards:
            self._unseen = 0
        self._place()

    def _to_logs(self) -> None:
        self._unseen = 0
        self._place()
        self.logs_wanted.emit()

    def _place(self) -> None:
        self._more.setText(tr("{unseen} more in Logs").format(unseen=self._unseen))
        self._more.setVisible(self._unseen > 0)
        self.setVisible(bool(self.cards))
        height = sum(card.height() for card in self.cards) + 8 * max(0, len(self.cards) - 1)
        if self._unseen:
            height += self._more.sizeHint().height() + 8
        self.resize(px(WIDTH), height)
        self.move(self._over.width() - self.width() - 16, self._over.height() - self.height() - self._bottom)
        self.raise_()
