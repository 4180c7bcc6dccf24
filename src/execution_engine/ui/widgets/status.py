"""What lasts: an item of the status bar, and the banner under the header."""

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QWidget

from execution_engine.ui.icons import Mark
from execution_engine.ui.shapes import Shape
from execution_engine.ui.theme import THEME, Token, color, px, tint
from execution_engine.ui.widgets.labels import ElidedLabel, Label, button

LONGEST = 300  # [px] of what an item says: a long reason would leave nothing of the others


class StatusItem(QWidget):
    """Show a part's health in the status bar: a dot, its name, what it does."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        """Take the part's name: Webhook, Tunnel, Exchange, Prices."""
        super().__init__(parent)
        self._mark = Mark("ring", "neutral", size=px(8))
        self._name, self._detail = (
            Label(name, "small", "text2"),
            ElidedLabel("", "small", "text3", longest=LONGEST),
        )
        row = QHBoxLayout(self)
        row.setContentsMargins(8, 0, 8, 0)
        row.setSpacing(6)
        for each in (self._mark, self._name, self._detail):
            row.addWidget(each)
        self.setAccessibleName(name)

    def show_state(
        self, detail: str, token: Token = "profit", *, shape: Shape = "disc", tip: str = ""
    ) -> None:
        """Change what it does and how it is: profit = well, warn = look here, danger = broken."""
        self._mark.show_shape(shape, token)
        self._detail.show_text(detail, token if token in ("warn", "danger") else "text3")
        self.setToolTip(tip)
        self.setAccessibleDescription(detail)

    def detail(self) -> str:
        """Return what it says now."""
        return self._detail.text()


class Banner(QFrame):
    """Say a state that lasts, 36 px high and tinted, with one button that helps."""

    def __init__(self, parent: QWidget | None = None) -> None:
        """Start hidden."""
        super().__init__(parent)
        self.setFixedHeight(px(36))
        self._token: Token = "warn"
        self._mark = Mark(icon="warning", token="warn", size=px(16))
        self._text = ElidedLabel("", "body", "warn")
        self._then: Callable[[], object] | None = None
        self.button: QPushButton = button(small=True)
        self.button.clicked.connect(self._act)
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 0, 16, 0)
        row.setSpacing(8)
        row.addWidget(self._mark)
        row.addWidget(self._text)
        row.addSpacing(8)
        row.addWidget(self.button)
        row.addStretch(1)
        THEME.theme_changed.connect(self.update)
        self.hide()

    def say(
        self,
        text: str,
        token: Token = "warn",
        *,
        icon: str = "warning",
        action: str = "",
        then: Callable[[], object] | None = None,
    ) -> None:
        """Show a sentence and, with `action`, a button; danger, warn or neutral."""
        self._token, self._then = token, then
        self._mark.show_icon(icon, token)
        self._text.show_text(text, token)
        self.button.setText(action.replace("&", "&&"))
        self.button.setVisible(bool(action))
        self.setAccessibleName(text)
        self.show()
        self.update()

    def text(self) -> str:
        """Return what it says now; empty when hidden."""
        return "" if self.isHidden() else self._text.text()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the tint and the line below."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), tint(self._token))
        painter.fillRect(0, self.height() - 1, self.width(), 1, color("line"))

    def _act(self) -> None:
        if self._then is not None:
            self._then()


def separator() -> QFrame:
    """Return the short line between two items of the status bar."""
    line = QFrame()
    line.setProperty("divider", "true")
    line.setFixedSize(1, px(12))
    line.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
    return line
