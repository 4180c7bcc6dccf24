"""A message in mono: its parts coloured, each placeholder explained under the mouse, faulty lines marked."""

from __future__ import annotations

import re
from collections.abc import Iterable

from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtGui import (
    QHelpEvent,
    QSyntaxHighlighter,
    QTextCharFormat,
    QTextCursor,
    QTextDocument,
    QTextFormat,
    QTextOption,
)
from PySide6.QtWidgets import QPlainTextEdit, QTextEdit, QToolTip, QWidget

from execution_engine.domain.composer_placeholders import FOUND, meaning
from execution_engine.ui.format import tooltip
from execution_engine.ui.theme import THEME, Token, color, mono, px, tint
from execution_engine.ui.tongue import tr

_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')


class _Colours(QSyntaxHighlighter):
    """Keys and punctuation are quiet, values are text, placeholders stand out."""

    def highlightBlock(self, text: str) -> None:
        self._colour(0, len(text), "text3")
        for found in _STRING.finditer(text):
            is_key = text[found.end() :].lstrip().startswith(":")
            self._colour(found.start(), found.end() - found.start(), "text2" if is_key else "text")
        for placeholder in FOUND.finditer(text):
            self._colour(placeholder.start(), placeholder.end() - placeholder.start(), "accent")

    def _colour(self, start: int, count: int, token: Token) -> None:
        look = QTextCharFormat()
        look.setForeground(color(token))
        self.setFormat(start, count, look)


class MessageText(QPlainTextEdit):
    """Show or take a message."""

    def __init__(self, name: str, *, read_only: bool, parent: QWidget | None = None) -> None:
        """Take the name that a screen reader says."""
        super().__init__(parent)
        self.setAccessibleName(name)
        self.setReadOnly(read_only)
        self.setWordWrapMode(QTextOption.WrapMode.WrapAnywhere)
        self.setTabChangesFocus(True)
        self.setMinimumHeight(px(72))
        if read_only:
            self.setTextInteractionFlags(
                Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
            )
        self._bad: tuple[int, ...] = ()
        self._colours = _Colours(self.document())
        THEME.theme_changed.connect(self._restyle)
        self._restyle()

    def show_text(self, text: str) -> None:
        """Show another message and keep the place; nothing happens when it is the same."""
        if text != self.toPlainText():
            place = self.verticalScrollBar().value()
            self.setPlainText(text)
            self.verticalScrollBar().setValue(place)

    def mark_lines(self, lines: Iterable[int]) -> None:
        """Give lines, counted from 1, the ground of a fault."""
        bad = tuple(sorted({line for line in lines if line}))
        if bad != self._bad:
            self._bad = bad
            self._mark()

    @property
    def marked(self) -> tuple[int, ...]:
        return self._bad

    def explained(self, at: QPoint) -> str:
        """Return what stands at a point of the viewport, if it is a placeholder."""
        cursor = self.cursorForPosition(at)
        line, column = cursor.block().text(), cursor.positionInBlock()
        for found in FOUND.finditer(line):
            if found.start() <= column <= found.end():
                told = meaning(found[1]) or tr(
                    "TradingView has no such placeholder; it would arrive as it stands."
                )
                return f"{found[0]}\n{told}"
        return ""

    def viewportEvent(self, event: QEvent) -> bool:
        """Explain the placeholder under the mouse."""
        if event.type() is QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            QToolTip.showText(event.globalPos(), tooltip(self.explained(event.pos())), self)
            return True
        return super().viewportEvent(event)

    def _mark(self) -> None:
        marks = []
        document: QTextDocument = self.document()
        for line in self._bad:
            mark = QTextEdit.ExtraSelection()
            mark.cursor = QTextCursor(document.findBlockByNumber(line - 1))
            look = QTextCharFormat()
            look.setBackground(tint("danger", "input"))
            look.setProperty(QTextFormat.Property.FullWidthSelection, True)
            mark.format = look
            marks.append(mark)
        self.setExtraSelections(marks)

    def _restyle(self) -> None:
        self.setFont(mono("small"))
        self._colours.rehighlight()
        self._mark()
