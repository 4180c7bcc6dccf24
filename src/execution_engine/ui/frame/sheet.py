"""The sheet of shortcuts, read from what hears them: the menus, the page, the tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QDialog,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QMenu,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from execution_engine.ui.frame.finds import is_page, leaves, shortcut_of
from execution_engine.ui.tables.views import HEARD
from execution_engine.ui.theme import px
from execution_engine.ui.tongue import tr
from execution_engine.ui.widgets import Label, button, divider

if TYPE_CHECKING:
    from execution_engine.ui.main_window import MainWindow

WIDTH, MOST_HEIGHT = 860, 620
ARROWS = {"Left": "←", "Right": "→", "Up": "↑", "Down": "↓"}

Lines = list[tuple[str, str]]


def sections(window: MainWindow) -> list[tuple[str, Lines]]:
    """Return every heading with its keys and what they do."""
    page = window.stage.page(window.stage.current)
    title = next(place.title for place in window.stage.places if place.key == window.stage.current)
    found = [
        *_of_menus(window),
        (tr("On the page {title}").format(title=title), list(_of_page(page))),
        (tr("In tables"), of_tables()),
    ]
    return [(heading, lines) for heading, lines in found if lines]


def _of_menus(window: MainWindow) -> Iterator[tuple[str, Lines]]:
    menus = [(menu.title(), menu) for a in window.menuBar().actions() if isinstance(menu := a.menu(), QMenu)]
    found = [(title, name, each) for title, menu in menus for name, each in leaves(menu) if shortcut_of(each)]
    yield tr("Pages"), [(shortcut_of(each), name) for _, name, each in found if is_page(each)]
    for title, _ in menus:
        yield title, [(shortcut_of(a), name) for at, name, a in found if at == title and not is_page(a)]


def _of_page(page: QWidget) -> Iterator[tuple[str, str]]:
    """Yield the keys that a page hears and has words for."""
    for each in page.findChildren(QShortcut):
        if each.whatsThis():
            yield written(each.key().toString(QKeySequence.SequenceFormat.PortableText)), each.whatsThis()


def of_tables() -> Lines:
    """Return what every table hears."""
    return [(tr(" or ").join(dict.fromkeys(map(written, each.keys[:2]))), each.words) for each in HEARD]


def written(keys: str) -> str:
    """Write keys as this system does, arrows as arrows."""
    native = QKeySequence(keys).toString(QKeySequence.SequenceFormat.NativeText)
    before, plus, last = native.rpartition("+")
    return f"{before}{plus}{ARROWS.get(last, last)}"


def shortcuts(window: MainWindow) -> QDialog:
    """Return the sheet."""
    dialog = QDialog(window)
    dialog.setWindowTitle(tr("Keyboard shortcuts"))
    found = sections(window)
    ground = QFrame()
    ground.setProperty("ground", "panel")
    row = QHBoxLayout(ground)
    row.setContentsMargins(px(20), px(16), px(20), px(16))
    row.setSpacing(px(32))
    for part in _halves(found):
        row.addLayout(_column(part), 1)
    scroll = QScrollArea()
    scroll.setAccessibleName(tr("Keyboard shortcuts"))
    scroll.setWidgetResizable(True)
    scroll.setFrameShape(QFrame.Shape.NoFrame)
    scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    scroll.setWidget(ground)
    close = button(tr("Close"))
    close.clicked.connect(dialog.accept)
    foot = QFrame()
    foot.setProperty("ground", "chrome")
    foot.setProperty("rule", "top")
    bottom = QHBoxLayout(foot)
    bottom.setContentsMargins(px(20), px(12), px(20), px(12))
    tip = tr("{palette} finds every act by a few letters, with or without a shortcut.").format(
        palette=shortcut_of(window.acts.palette)
    )
    bottom.addWidget(Label(tip, "small", "text3"))
    bottom.addStretch(1)
    bottom.addWidget(close)
    column = QVBoxLayout(dialog)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(0)
    column.addWidget(scroll, 1)
    column.addWidget(foot)
    wanted = ground.sizeHint().height() + foot.sizeHint().height() + 2
    dialog.setFixedSize(px(WIDTH), min(px(MOST_HEIGHT), wanted, window.height() - px(40)))
    close.setFocus()
    return dialog


def _halves(
    found: Sequence[tuple[str, Lines]],
) -> tuple[Sequence[tuple[str, Lines]], Sequence[tuple[str, Lines]]]:
    """Part the sections so that both columns are about equally high."""
    heights = [len(lines) + 2 for _, lines in found]
    # Of two equal ways the one with less at the right: what tables hear takes two lines here and there.
    cut = min(range(len(found) + 1), key=lambda at: (abs(sum(heights[:at]) - sum(heights[at:])), -at))
    return found[:cut], found[cut:]


def _column(found: Sequence[tuple[str, Lines]]) -> QVBoxLayout:
    column = QVBoxLayout()
    column.setSpacing(px(6))
    for heading, lines in found:
        column.addWidget(Label(heading, "body", "text", weight=600))
        grid = QGridLayout()
        grid.setHorizontalSpacing(px(16))
        grid.setVerticalSpacing(px(4))
        grid.setColumnStretch(1, 1)
        grid.setColumnMinimumWidth(0, px(140))
        for place, (keys, words) in enumerate(lines):
            grid.addWidget(divider(), 2 * place, 0, 1, 2)
            grid.addWidget(Label(keys, "body", "text2"), 2 * place + 1, 0, Qt.AlignmentFlag.AlignTop)
            grid.addWidget(Label(words, "body", "text", wrap=True), 2 * place + 1, 1)
        column.addLayout(grid)
        column.addSpacing(px(10))
    column.addStretch(1)
    return column
