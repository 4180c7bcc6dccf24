"""Small painted things that say a state: badge of the world, chip, blocks of the pool, arc of the busy."""

from typing import Literal

from PySide6.QtCore import QObject, QRect, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QHideEvent, QPainter, QPaintEvent, QPen, QShowEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from execution_engine.ui.icons import Kind, StateLook, state_look
from execution_engine.ui.shapes import Shape
from execution_engine.ui.tables.paint import CHIP_HEIGHT, baseline, chip_pixmap, chip_width, width_of
from execution_engine.ui.theme import THEME, WHITE, Token, color, font, px
from execution_engine.ui.tongue import tr

BUSY_FRAMES_PER_S = 10
_FRAMES = 12


class ModeBadge(QWidget):
    """Show PAPER, TESTNET, DEMO or LIVE; only LIVE is filled."""

    def __init__(self, mode: str = "paper", parent: QWidget | None = None) -> None:
        """Take paper, testnet, demo or live."""
        super().__init__(parent)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.mode = ""
        self.set_mode(mode)
        THEME.theme_changed.connect(self.updateGeometry)

    def set_mode(self, mode: str) -> None:
        """Change the mode."""
        if mode != self.mode:
            self.mode = mode
            self.setAccessibleName(tr("{mode} mode").format(mode=mode))
            self.updateGeometry()
            self.update()

    def sizeHint(self) -> QSize:
        """Return the room the word takes."""
        return QSize(round(width_of(self.mode.upper(), "caption", 700)) + 16, px(20))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the badge."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        live = self.mode == "live"
        token: Token = "danger" if live else "accent" if self.mode == "paper" else "testnet"
        painter.setPen(Qt.PenStyle.NoPen if live else QPen(color(token), 1.2))
        painter.setBrush(color("dangerfill") if live else QColor(Qt.GlobalColor.transparent))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.6, 0.6, -0.6, -0.6), 3, 3)
        painter.setPen(QColor(WHITE) if live else color(token))
        painter.setFont(font("caption", 700))
        word = self.mode.upper()
        x = (self.width() - width_of(word, "caption", 700)) / 2
        painter.drawText(round(x), round(baseline(self.rect(), "caption", 700)), word)


class StateChip(QWidget):
    """Show a state as a chip: shape and word on a tint."""

    def __init__(self, kind: Kind | None = None, state: str = "", parent: QWidget | None = None) -> None:
        """Take a state of icons.STATE, or nothing and use `show_look` later."""
        super().__init__(parent)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.look = StateLook("", "ring", "neutral")
        if kind is not None:
            self.show_state(kind, state)
        THEME.theme_changed.connect(self.updateGeometry)

    def show_state(self, kind: Kind, state: str) -> None:
        """Show a known state."""
        self.show_look(*state_look(kind, state))

    def show_look(self, word: str, shape: Shape, token: Token) -> None:
        """Show a word of one's own."""
        look = StateLook(word, shape, token)
        if look != self.look:
            self.look = look
            self.setAccessibleName(word)
            self.updateGeometry()
            self.update()

    def sizeHint(self) -> QSize:
        """Return the room the chip takes."""
        return QSize(chip_width(self.look.word), px(CHIP_HEIGHT))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the chip."""
        painter = QPainter(self)
        painter.drawPixmap(0, 0, chip_pixmap(*self.look, self.devicePixelRatioF()))


class PoolBar(QWidget):
    """Show used slots as blocks; those above the limit are amber."""

    def __init__(self, used: int = 0, size: int = 0, parent: QWidget | None = None) -> None:
        """Take how many slots are used, of how many."""
        super().__init__(parent)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.used, self.size_ = used, size
        self.show_pool(used, size)

    def show_pool(self, used: int, size: int) -> None:
        """Change the numbers."""
        self.used, self.size_ = used, size
        self.setAccessibleName(tr("{used} of {size} slots used").format(used=used, size=size))
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        """Return the room of ten blocks, whatever the pool's size is."""
        return QSize(px(148), px(8))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint a block per slot."""
        painter = QPainter(self)
        count = max(self.used, self.size_, 1)
        gap = 2 if count <= 40 else 0
        for place in range(count):
            left = round(place * (self.width() + gap) / count)
            right = round((place + 1) * (self.width() + gap) / count) - gap
            token: Token = "line" if place >= self.used else "accentfill" if place < self.size_ else "warn"
            if place < min(self.used, self.size_) and THEME.current.name == "dark":
                token = "accent"
            painter.fillRect(QRect(left, 0, right - left, self.height()), color(token))


class _Beat(QObject):
    """Tick ten times a second for all arcs together, only while one is to be seen."""

    tick = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.frame = 0
        self._watchers = 0
        self._timer: QTimer | None = None

    def join(self) -> None:
        self._watchers += 1
        if self._timer is None:
            self._timer = QTimer(self, interval=1000 // BUSY_FRAMES_PER_S)
            self._timer.timeout.connect(self._next)
        self._timer.start()

    def leave(self) -> None:
        self._watchers = max(0, self._watchers - 1)
        if not self._watchers and self._timer is not None:
            self._timer.stop()

    def _next(self) -> None:
        self.frame = (self.frame + 1) % _FRAMES
        self.tick.emit()


BEAT = _Beat()


class BusyArc(QWidget):
    """Turn an arc while something runs; all arcs share one timer, which rests when none is visible."""

    def __init__(
        self, size: int = 12, token: Token | Literal["white"] = "accent", parent: QWidget | None = None
    ) -> None:
        """Take the size [px] and the colour; "white" is for filled buttons."""
        super().__init__(parent)
        self.setFixedSize(px(size), px(size))
        self.setAccessibleName(tr("busy"))
        self._token: Token | Literal["white"] = token
        self._joined = False
        BEAT.tick.connect(self.update)

    def showEvent(self, event: QShowEvent) -> None:
        """Start turning."""
        if not self._joined:
            self._joined = True
            BEAT.join()

    def hideEvent(self, event: QHideEvent) -> None:
        """Stop turning."""
        if self._joined:
            self._joined = False
            BEAT.leave()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint three quarters of a ring."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        colour = QColor(WHITE) if self._token == "white" else color(self._token)
        painter.setPen(QPen(colour, 1.6, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
        start = -BEAT.frame * 360 // _FRAMES
        painter.drawArc(QRectF(self.rect()).adjusted(1, 1, -1, -1), start * 16, 270 * 16)
