"""Icons in a token's colour, and how every state looks."""

from collections.abc import Callable
from functools import cache
from typing import Final, Literal, NamedTuple, Protocol

import qtawesome
from PySide6.QtCore import QObject, QRectF, QSize, Qt
from PySide6.QtGui import QIcon, QPainter, QPixmap
from PySide6.QtWidgets import QWidget

from execution_engine.ui.shapes import SHAPE_SIZE, Shape, draw_shape, shape_pixmap
from execution_engine.ui.theme import THEME, WHITE, Token, color
from execution_engine.ui.tongue import tr

# Page authors ask by meaning; the drawing behind it is Phosphor's bold one, whose lines are
# 1.5 px at 16 px, but for the one it lacks.
GLYPHS: Final[dict[str, str]] = {
    "dashboard": "ph.squares-four-bold",
    "positions": "ph.tree-structure-bold",
    "queue": "ph.sort-ascending-bold",
    "risk": "ph.shield-check-bold",
    "signals": "ri.pulse-line",
    "performance": "ph.chart-bar-bold",
    "logs": "ph.article-bold",
    "settings": "ph.sliders-horizontal-bold",
    "sun": "ph.sun-bold",
    "moon": "ph.moon-bold",
    "pause": "ph.pause-bold",
    "play": "ph.play-bold",
    "stop": "ph.stop-bold",
    "close": "ph.x-bold",
    "search": "ph.magnifying-glass-bold",
    "plus": "ph.plus-bold",
    "minus": "ph.minus-bold",
    "copy": "ph.copy-bold",
    "refresh": "ph.arrows-clockwise-bold",
    "undo": "ph.arrow-counter-clockwise-bold",
    "warning": "ph.warning-bold",
    "info": "ph.info-bold",
    "success": "ph.check-circle-bold",
    "error": "ph.x-circle-bold",
    "question": "ph.question-bold",
    "gear": "ph.gear-bold",
    "more": "ph.dots-three-bold",
    "export": "ph.export-bold",
    "import": "ph.download-simple-bold",
    "columns": "ph.layout-bold",
    "bell": "ph.bell-bold",
    "clock": "ph.clock-bold",
    "key": "ph.key-bold",
    "lock": "ph.lock-bold",
    "globe": "ph.globe-bold",
    "trash": "ph.trash-bold",
    "down": "ph.caret-down-bold",
    "up": "ph.caret-up-bold",
    "left": "ph.caret-left-bold",
    "right": "ph.caret-right-bold",
    "bolt": "ph.lightning-bold",
    "eye": "ph.eye-bold",
    "eye_off": "ph.eye-slash-bold",
    "link": "ph.link-bold",
    "filter": "ph.funnel-bold",
    "folder": "ph.folder-open-bold",
    "save": "ph.floppy-disk-bold",
    "send": "ph.paper-plane-tilt-bold",
    "edit": "ph.pencil-simple-bold",
    "quit": "ph.sign-out-bold",
    "help": "ph.book-open-bold",
    "keyboard": "ph.keyboard-bold",
    "calendar": "ph.calendar-blank-bold",
    "wallet": "ph.wallet-bold",
    "webhook": "ph.broadcast-bold",
    "prohibit": "ph.prohibit-bold",
    "list": "ph.list-bullets-bold",
    "tick": "ph.check-bold",
}

Ink = Token | Literal["white"]
Kind = Literal["group", "order", "leg", "alert", "risk", "engine"]


class StateLook(NamedTuple):
    """Say how one state appears: a word, a shape and a token."""

    word: str
    shape: Shape
    token: Token


_ORDER: dict[str, StateLook] = {
    "pending": StateLook(tr("Sending"), "three_dots", "neutral"),
    "open": StateLook(tr("Open"), "ring", "accent"),
    "partially_filled": StateLook(tr("Part filled"), "half_disc", "accent"),
    "filled": StateLook(tr("Filled"), "disc", "profit"),
    "cancelled": StateLook(tr("Cancelled"), "struck_ring", "neutral"),
    "rejected": StateLook(tr("Rejected"), "cross", "danger"),
    "failed": StateLook(tr("Failed"), "cross", "danger"),
    "unknown": StateLook(tr("Checking"), "question", "warn"),
}
_GROUP: dict[str, StateLook] = {
    "waiting": StateLook(tr("Waiting"), "dashed_ring", "neutral"),
    "live": StateLook(tr("Live"), "ring", "accent"),
    "partially_filled": StateLook(tr("Part filled"), "half_disc", "accent"),
    "active": StateLook(tr("Active"), "disc", "profit"),
    "closing": StateLook(tr("Closing"), "arrow_to_bar", "warn"),
    "closed": StateLook(tr("Closed"), "square", "neutral"),
    "failed": StateLook(tr("Failed"), "cross", "danger"),
    "hold": StateLook(tr("On hold"), "two_bars", "warn"),
}
_LEG: dict[str, StateLook] = _ORDER | {
    "tp_hit": StateLook(tr("Target hit"), "tick", "neutral"),
    "sold": StateLook(tr("Sold"), "tick", "neutral"),
    "offset": StateLook(tr("Offset"), "tick", "neutral"),
}
_ALERT: dict[str, StateLook] = {
    "opened": StateLook(tr("Opened"), "disc", "profit"),
    "pyramided": StateLook(tr("Pyramided"), "plus", "profit"),
    "promoted": StateLook(tr("Promoted"), "triangle", "profit"),
    "reversed": StateLook(tr("Reversed"), "two_arrows", "profit"),
    "exited": StateLook(tr("Exited"), "square", "neutral"),
    "no_position": StateLook(tr("No position"), "square", "neutral"),
    "dequeued": StateLook(tr("Dequeued"), "square", "neutral"),
    "replacement": StateLook(tr("Replacement"), "plus_in_ring", "neutral"),
    "queued": StateLook(tr("Queued"), "lines", "accent"),
    "replaced": StateLook(tr("Replaced"), "two_squares", "neutral"),
    "duplicate": StateLook(tr("Duplicate"), "two_squares", "neutral"),
    "cancelled": StateLook(tr("Cancelled"), "struck_ring", "neutral"),
    "expired": StateLook(tr("Expired"), "struck_ring", "neutral"),
    "rejected": StateLook(tr("Rejected"), "cross", "danger"),
    "failed": StateLook(tr("Failed"), "cross", "danger"),
    "exiting": StateLook(tr("Exiting"), "arrow_to_bar", "warn"),
    "working": StateLook(tr("Working"), "arrow_to_bar", "warn"),
}
_RISK: dict[str, StateLook] = {
    "ready": StateLook(tr("Ready"), "half_disc", "warn"),
    "running": StateLook(tr("Running"), "arrow_to_bar", "warn"),
    "complete": StateLook(tr("Complete"), "tick", "profit"),
    "incomplete": StateLook(tr("Incomplete"), "question", "warn"),
    "skipped": StateLook(tr("Skipped"), "struck_ring", "neutral"),
}
_ENGINE: dict[str, StateLook] = {
    "running": StateLook(tr("Running"), "disc", "profit"),
    "paused": StateLook(tr("Paused"), "two_bars", "warn"),
    "reconciling": StateLook(tr("Reconciling"), "dashed_ring", "accent"),
    "read_only": StateLook(tr("Read only"), "ring", "neutral"),
    "starting": StateLook(tr("Starting"), "two_bars", "warn"),
    "hold": StateLook(tr("Hold"), "two_bars", "warn"),
    "stopped": StateLook(tr("Stopped: error"), "cross", "danger"),
}
_BY_KIND: dict[Kind, dict[str, StateLook]] = {
    "group": _GROUP,
    "order": _ORDER,
    "leg": _LEG,
    "alert": _ALERT,
    "risk": _RISK,
    "engine": _ENGINE,
}
STATE: Final[dict[tuple[Kind, str], StateLook]] = {
    (kind, state): look for kind, states in _BY_KIND.items() for state, look in states.items()
}


def state_look(kind: Kind, state: str) -> StateLook:
    """Return word, shape and token of a state; an unknown one shows its own name and a question mark."""
    known = STATE.get((kind, state))
    return known or StateLook(state.replace("_", " ").capitalize(), "question", "neutral")


def icon(name: str, token: Ink = "text2") -> QIcon:
    """Return an icon by its meaning (a key of GLYPHS) in a token's colour; faint when disabled.

    White is for filled buttons, whose words are white in both themes.
    """
    return _icon(THEME.current.name, name, token)


def pixmap(name: str, token: Token = "text2", size: int = 16, ratio: float = 1.0) -> QPixmap:
    """Return an icon as pixmap, `size` [px] at the device pixel ratio `ratio`."""
    return _pixmap(THEME.current.name, name, token, size, ratio)


def shape_icon(shape: Shape, token: Token) -> QIcon:
    """Return a state shape as icon, for combo boxes and menus."""
    made = QIcon()
    for ratio in (1.0, 2.0):
        made.addPixmap(shape_pixmap(shape, token, SHAPE_SIZE, ratio))
    return made


class TakesIcon(Protocol):
    """Whatever shows an icon: a button, an action, a tab."""

    def setIcon(self, icon: QIcon, /) -> None:
        """Show an icon."""


def bind(target: TakesIcon, name: str, token: Ink = "text2") -> None:
    """Give a button or an action an icon that follows the theme; calling again replaces it."""
    if not isinstance(target, QObject):
        raise TypeError("an icon can only follow the theme on a QObject")
    bound = target.findChild(_Bound, options=Qt.FindChildOption.FindDirectChildrenOnly) or _Bound(target)
    bound.show(lambda: target.setIcon(icon(name, token)))


class _Bound(QObject):
    """Live as a child of what shows the icon, so that the connection ends with it."""

    def __init__(self, target: QObject) -> None:
        super().__init__(target)
        self._paint: Callable[[], None] = lambda: None
        THEME.theme_changed.connect(self._again)

    def show(self, paint: Callable[[], None]) -> None:
        self._paint = paint
        paint()

    def _again(self) -> None:
        self._paint()


class Mark(QWidget):
    """Show one state shape or one icon, in a token's colour."""

    def __init__(
        self,
        shape: Shape | None = None,
        token: Token = "text2",
        *,
        icon: str = "",
        size: int = SHAPE_SIZE,
        parent: QWidget | None = None,
    ) -> None:
        """Take a shape, or the name of an icon, and its size [px]."""
        super().__init__(parent)
        self._shape, self._icon, self._token = shape, icon, token
        self.setFixedSize(QSize(size, size))
        THEME.theme_changed.connect(self.update)

    def show_shape(self, shape: Shape, token: Token) -> None:
        """Change shape and colour."""
        if (shape, token) != (self._shape, self._token):
            self._shape, self._icon, self._token = shape, "", token
            self.update()

    def show_icon(self, name: str, token: Token) -> None:
        """Change to an icon."""
        self._shape, self._icon, self._token = None, name, token
        self.update()

    def paintEvent(self, event: object) -> None:
        """Paint the shape or the icon."""
        painter = QPainter(self)
        if self._shape:
            draw_shape(painter, self._shape, QRectF(self.rect()), color(self._token))
        elif self._icon:
            ratio = self.devicePixelRatioF()
            painter.drawPixmap(0, 0, pixmap(self._icon, self._token, self.width(), ratio))


@cache
def _drawings() -> qtawesome.IconicFont:
    """Load the fonts that our icons are of, and no others: all that come with the library take 17 MB."""
    used = {glyph.partition(".")[0] for glyph in GLYPHS.values()}
    return qtawesome.IconicFont(*(font for font in qtawesome._BUNDLED_FONTS if font[0] in used))


@cache
def _icon(theme: str, name: str, token: Ink) -> QIcon:
    ink = WHITE if token == "white" else color(token)
    made: QIcon = _drawings().icon(GLYPHS[name], color=ink, color_disabled=color("ctl"))
    return made


@cache
def _pixmap(theme: str, name: str, token: Token, size: int, ratio: float) -> QPixmap:
    return _icon(theme, name, token).pixmap(QSize(size, size), ratio)
