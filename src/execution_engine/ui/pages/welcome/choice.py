"""Framed ways to go, side by side, one of which is chosen."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QButtonGroup, QFrame, QHBoxLayout, QRadioButton, QVBoxLayout, QWidget

from execution_engine.ui.icons import Mark
from execution_engine.ui.theme import THEME, Token, color, font, px
from execution_engine.ui.widgets import Label, ModeBadge, Turning


class ChoicePanel(QFrame):
    """One way to go: its name, what it brings line by line, and small print."""

    def __init__(
        self,
        title: str,
        lines: Sequence[str],
        note: str = "",
        *,
        badges: Sequence[str] = (),
        aside: str = "",
    ) -> None:
        """Take the texts. badges: modes shown beside the name. aside: a word at the right."""
        super().__init__()
        self.radio = QRadioButton(title)
        self.radio.setAccessibleDescription(" ".join([*lines, note, aside]).strip())
        self.radio.toggled.connect(lambda _: self.update())
        column = QVBoxLayout(self)
        column.setContentsMargins(px(20), px(16), px(20), px(16))
        column.setSpacing(px(8))
        head = QHBoxLayout()
        head.setSpacing(px(8))
        head.addWidget(self.radio)
        for mode in badges:
            head.addWidget(ModeBadge(mode))
        head.addStretch(1)
        if aside:
            head.addWidget(Label(aside, "small", "accent"))
        column.addLayout(head)
        column.addSpacing(px(2))
        for line in lines:
            column.addLayout(self._line(line))
        if note:
            column.addSpacing(px(4))
            column.addWidget(Label(note, "small", "text3", wrap=True))
        column.addStretch(1)
        THEME.theme_changed.connect(self._themed)
        self._themed()

    def _themed(self) -> None:
        self.radio.setFont(font("heading", 600))
        self.update()

    @staticmethod
    def _line(text: str) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(px(8))
        row.addWidget(Mark(icon="tick", token="profit", size=px(14)), alignment=Qt.AlignmentFlag.AlignTop)
        row.addWidget(Label(text, "body", "text", wrap=True), 1)
        return row

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Choose it, wherever it is clicked."""
        if event.button() == Qt.MouseButton.LeftButton and self.radio.isEnabled():
            self.radio.click()
            self.radio.setFocus()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the frame: strong around what is chosen."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        chosen = self.radio.isChecked()
        width, token = (2.0, "accent") if chosen else (1.0, "ctl")
        edge: Token = "accent" if token == "accent" else "ctl"
        painter.setPen(QPen(color(edge), width))
        painter.setBrush(color("panel"))
        inset = width / 2
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(inset, inset, -inset, -inset), 4, 4)


class Choices(QWidget):
    """Panels of one width, side by side where they fit. chosen: the key of the one that the user took."""

    chosen = Signal(str)

    def __init__(self, panels: Sequence[tuple[str, ChoicePanel]], name: str) -> None:
        """Take (key, panel) from left to right; none of them is chosen yet."""
        super().__init__()
        self.setAccessibleName(name)
        self.panels = dict(panels)
        self._group = QButtonGroup(self)
        row = Turning(self)
        row.setSpacing(px(16))
        for key, panel in panels:
            self._group.addButton(panel.radio)
            panel.radio.clicked.connect(lambda _=False, each=key: self.chosen.emit(each))
            row.addWidget(panel, 1)

    def value(self) -> str:
        """Return the key of what is chosen; empty where nothing is."""
        return next((key for key, panel in self.panels.items() if panel.radio.isChecked()), "")

    def set_value(self, key: str) -> None:
        """Choose without telling anybody; an empty key takes every choice back."""
        self._group.setExclusive(False)
        for each, panel in self.panels.items():
            panel.radio.setChecked(each == key)
        self._group.setExclusive(True)

    def begin(self) -> None:
        """Put the cursor on what is chosen, else on the first."""
        panel = self.panels.get(self.value()) or next(iter(self.panels.values()))
        panel.radio.setFocus()
