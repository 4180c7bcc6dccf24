"""What Help shows: what this is, in which version."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QFrame, QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from execution_engine.ui.theme import px
from execution_engine.ui.tongue import tr
from execution_engine.ui.widgets import Label, button, divider, fit_height


def about(version: str, folder: Path, parent: QWidget) -> QDialog:
    """Return what this is, in which version, and where its data lies."""
    rows = ((tr("Version"), version), (tr("Data folder"), str(folder)))
    return _table(tr("About"), "Execution Engine", rows, parent)


def _table(title: str, heading: str, rows: Sequence[tuple[str, str]], parent: QWidget) -> QDialog:
    dialog = QDialog(parent)
    dialog.setWindowTitle(title)
    dialog.setFixedWidth(px(480))
    whole = QVBoxLayout(dialog)
    whole.setContentsMargins(0, 0, 0, 0)
    whole.setSpacing(0)
    content, footer = QFrame(), QFrame()
    for frame, ground in ((content, "panel"), (footer, "chrome")):
        frame.setProperty("ground", ground)
        whole.addWidget(frame)
    footer.setProperty("rule", "top")
    column = QVBoxLayout(content)
    column.setContentsMargins(px(20), px(18), px(20), px(14))
    column.setSpacing(px(12))
    column.addWidget(Label(heading, "heading"))
    grid = QGridLayout()
    grid.setHorizontalSpacing(px(24))
    grid.setVerticalSpacing(px(6))
    grid.setColumnStretch(1, 1)
    for place, (name, value) in enumerate(rows):
        grid.addWidget(Label(name, "body", "text2"), 2 * place, 0)
        label = Label(value, "body", "text", wrap=True)
        label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        grid.addWidget(label, 2 * place, 1)
        grid.addWidget(divider(), 2 * place + 1, 0, 1, 2)
    column.addLayout(grid)
    column.addStretch(1)
    close = button(tr("Close"))
    close.clicked.connect(dialog.accept)
    foot = QHBoxLayout(footer)
    foot.setContentsMargins(px(20), px(12), px(20), px(12))
    foot.addStretch(1)
    foot.addWidget(close)
    fit_height(dialog)
    close.setFocus()
    return dialog
