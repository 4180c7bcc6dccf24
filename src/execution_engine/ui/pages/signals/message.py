"""The raw message: as it was received, readable, and never more than text."""

from __future__ import annotations

import re

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication, QSyntaxHighlighter, QTextCharFormat, QTextOption
from PySide6.QtWidgets import QPlainTextEdit, QWidget

from execution_engine.ui.format import visible
from execution_engine.ui.theme import THEME, Token, color, mono
from execution_engine.ui.tongue import tr
from execution_engine.ui.widgets import Panel, button

_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
_PLAIN = re.compile(r"-?[0-9][0-9.eE+-]*|\b(?:true|false|null)\b")
_LONG = 80


def laid_out(body: str) -> str:
    """Give a long JSON text of one line an indent; nothing but space between its parts changes.

    What is no JSON, or laid out already, stays as it is. Characters that could deceive are spelled out.
    """
    text = body.replace("\r\n", "\n")
    if "\n" not in text.strip() and len(text) > _LONG and text.lstrip()[:1] in ("{", "["):
        text = _indented(text.strip())
    return "\n".join(visible(line) for line in text.split("\n"))


def _indented(text: str) -> str:
    pieces: list[str] = []
    depth, place = 0, 0
    while place < len(text):
        each = text[place]
        string = _STRING.match(text, place) if each == '"' else None
        if string is not None:
            pieces.append(string.group())
            place = string.end()
            continue
        place += 1
        if each in "{[":
            empty = text[place : place + 1] in ("}", "]")
            depth += 1
            pieces.append(each if empty else f"{each}\n{_indent(depth)}")
        elif each in "}]":
            depth -= 1
            opened = bool(pieces) and pieces[-1] in ("{", "[")
            pieces.append(each if opened else f"\n{_indent(depth)}{each}")
        elif each == ",":
            pieces.append(f",\n{_indent(depth)}")
        elif each == ":":
            pieces.append(": ")
        elif not each.isspace():
            pieces.append(each)
    return "".join(pieces)


def _indent(depth: int) -> str:
    # A hostile body may open more than anybody could read.
    return "  " * max(0, min(depth, 20))


class _Colours(QSyntaxHighlighter):
    """Colour keys, values and what stands between them."""

    def highlightBlock(self, text: str) -> None:
        self._colour(0, len(text), "text3")
        for found in _PLAIN.finditer(text):
            self._colour(found.start(), found.end() - found.start(), "accent")
        for found in _STRING.finditer(text):
            is_key = text[found.end() :].lstrip().startswith(":")
            self._colour(found.start(), found.end() - found.start(), "text2" if is_key else "accent")

    def _colour(self, start: int, count: int, token: Token) -> None:
        look = QTextCharFormat()
        look.setForeground(color(token))
        self.setFormat(start, count, look)


class MessagePanel(Panel):
    """Show a body in mono; copying gives it as it was received."""

    def __init__(self, parent: QWidget | None = None) -> None:
        """Begin without a message."""
        super().__init__(tr("Message"), tr("as received, secret hidden"), framed=False, parent=parent)
        self.received = ""
        self.edit = QPlainTextEdit()
        self.edit.setReadOnly(True)
        self.edit.setProperty("frameless", "true")
        self.edit.setAccessibleName(tr("Message as received"))
        self.edit.setWordWrapMode(QTextOption.WrapMode.WrapAnywhere)
        self.edit.setTabChangesFocus(True)
        self.edit.document().setDocumentMargin(10)
        self.edit.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self._colours = _Colours(self.edit.document())
        self.copy_button = button(tr("Copy"), icon="copy", small=True)
        self.copy_button.clicked.connect(self.copy)
        self.add_right(self.copy_button)
        self.add(self.edit, 1)
        THEME.theme_changed.connect(self._restyle)
        self._restyle()
        self.show_body("")

    def show_body(self, body: str) -> None:
        """Show another message; nothing happens when it is the same."""
        if body != self.received or not body:
            self.received = body
            self.edit.setPlainText(laid_out(body))
            self.copy_button.setEnabled(bool(body))

    def copy(self) -> None:
        """Put the message on the clipboard."""
        QGuiApplication.clipboard().setText(self.received)

    def _restyle(self) -> None:
        self.edit.setFont(mono("small"))
        self._colours.rehighlight()
