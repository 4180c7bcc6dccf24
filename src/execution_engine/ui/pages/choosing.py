"""Boxes of a page's toolbar that narrow down what is shown: worlds and accounts."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtWidgets import QComboBox

from execution_engine.domain.rows import World
from execution_engine.ui.format import visible
from execution_engine.ui.theme import px
from execution_engine.ui.tongue import tr

WORLDS = {World.PAPER: tr("Paper"), World.TEST: tr("Testnet and demo"), World.LIVE: tr("Live")}
ALL = ""
WIDEST = 190


def box(name: str) -> QComboBox:
    """Return a box that is hidden until there is something to choose from."""
    made = QComboBox()
    made.setAccessibleName(name)
    made.setMinimumWidth(px(118))
    narrowed(made)
    made.hide()
    return made


def narrowed(of: QComboBox) -> None:
    """Keep a box from growing with one long name: what it opens is as wide as the names are."""
    of.setMaximumWidth(px(WIDEST))


def opens_wide(of: QComboBox) -> None:
    """Let the list of a box show its names whole."""
    of.view().setMinimumWidth(of.view().sizeHintForColumn(0) + px(24))


def offer(of: QComboBox, choices: Sequence[tuple[str, str]], chosen: str) -> None:
    """Fill a box anew if something else is to be offered; what is chosen stays."""
    if [of.itemData(at) for at in range(of.count())] != [value for _, value in choices]:
        of.clear()
        for name, value in choices:
            of.addItem(name, value)
        opens_wide(of)
    of.setCurrentIndex(max(0, of.findData(chosen)))


def offer_accounts(of: QComboBox, names: Sequence[str]) -> None:
    """Offer accounts, where there are several; a chosen one that is gone is let go."""
    chosen = str(of.currentData() or ALL)
    offer(of, [(tr("All accounts"), ALL), *((visible(name, 40), name) for name in names)], chosen)
    of.setVisible(len(names) > 1 or chosen in names)
