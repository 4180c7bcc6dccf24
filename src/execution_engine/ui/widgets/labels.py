"""Labels and buttons that follow the theme by themselves."""

from typing import Literal

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QLabel, QPushButton, QSizePolicy, QWidget

from execution_engine.ui import icons
from execution_engine.ui.format import tooltip
from execution_engine.ui.theme import ICON, TextStyle, Token, px, restyle

ButtonRole = Literal["normal", "primary", "danger", "danger-outline", "link", "icon"]


class Label(QLabel):
    """Show plain text in a style and a token; what looks like markup is shown as it is."""

    def __init__(
        self,
        text: str = "",
        style: TextStyle = "body",
        token: Token = "text",
        *,
        weight: int | None = None,
        wrap: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        """Take a text and how it looks; `weight` is 400 to 700, the style's own when None."""
        super().__init__(parent)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setWordWrap(wrap)
        self.setProperty("type", style)
        self.setProperty("token", token)
        if weight is not None:
            self.setProperty("weight", str(weight))
        self.setText(text)

    def show_text(self, text: str, token: Token | None = None) -> None:
        """Change text and, if given, colour; nothing is done when both are the same."""
        if text != self.text():
            self.setText(text)
        if token is not None and token != self.property("token"):
            restyle(self, token=token)


class ElidedLabel(Label):
    """Show one line of text as far as there is room, with an ellipsis and the whole in the tooltip."""

    def __init__(
        self,
        text: str = "",
        style: TextStyle = "body",
        token: Token = "text",
        *,
        weight: int | None = None,
        longest: int = 0,
        parent: QWidget | None = None,
    ) -> None:
        """Take a text and how it looks; `longest` [px] limits how much room it asks for, 0 does not."""
        self._whole, self._longest = text, longest
        super().__init__(text, style, token, weight=weight, parent=parent)
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Preferred)

    def text(self) -> str:
        """Return the whole text, shown or not."""
        return self._whole

    def setText(self, text: str, /) -> None:
        """Change the whole text."""
        self._whole = text
        self.updateGeometry()
        self._elide()

    def set_longest(self, longest: int) -> None:
        """Ask for less or more room [px]."""
        if longest != self._longest:
            self._longest = longest
            self.updateGeometry()

    def sizeHint(self) -> QSize:
        """Return the room of the whole text."""
        width = self.fontMetrics().horizontalAdvance(self._whole) + 2
        longest = px(self._longest)
        return QSize(min(width, longest) if longest else width, super().sizeHint().height())

    def minimumSizeHint(self) -> QSize:
        """Return next to nothing: it gives way to everything else."""
        return QSize(min(px(16), self.sizeHint().width()), super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Show as much as fits now."""
        super().resizeEvent(event)
        self._elide()

    def _elide(self) -> None:
        shown = self.fontMetrics().elidedText(self._whole, Qt.TextElideMode.ElideRight, self.width())
        super().setText(shown)
        self.setToolTip("" if shown == self._whole else tooltip(self._whole))
        self.setAccessibleName(self._whole)


def button(
    text: str = "",
    role: ButtonRole = "normal",
    *,
    icon: str = "",
    small: bool = False,
    tip: str = "",
    parent: QWidget | None = None,
) -> QPushButton:
    """Return a button; `icon` is a name of icons.GLYPHS, `small` is for headings of panels.

    An icon button has no text: `tip` is its tooltip and its accessible name.
    """
    # A lone & would underline the next letter instead of being shown.
    made = QPushButton(text.replace("&", "&&"), parent)
    made.setProperty("role", role)
    if small:
        made.setProperty("dense", "true")
    if icon:
        # Wider than the drawing: that is the only way to keep the words at a distance.
        made.setIconSize(QSize(px(ICON["button"]) + (6 if text else 0), px(ICON["button"])))
        icons.bind(made, icon, _icon_token(role))
    if tip:
        made.setToolTip(tip)
        made.setAccessibleName(text or tip)
    made.setAutoDefault(False)
    return made


def _icon_token(role: ButtonRole) -> icons.Ink:
    tokens: dict[ButtonRole, icons.Ink] = {
        "primary": "white",
        "danger": "white",
        "danger-outline": "danger",
        "link": "accent",
        "icon": "text2",
    }
    return tokens.get(role, "text")


def divider(*, vertical: bool = False, length: int = 0) -> QFrame:
    """Return a line of one pixel; `length` [px] shortens a vertical one."""
    line = QFrame()
    line.setProperty("divider", "true")
    if vertical:
        line.setFixedWidth(1)
    else:
        line.setFixedHeight(1)
    if length:
        line.setFixedHeight(px(length)) if vertical else line.setFixedWidth(px(length))
    return line
