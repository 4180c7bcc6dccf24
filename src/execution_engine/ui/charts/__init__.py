"""Charts: pyqtgraph with our axes, colours and manners. Only here does money become a float, to be a place."""

from __future__ import annotations

import pyqtgraph as pg

from execution_engine.ui.theme import THEME


def _take_colours() -> None:
    pg.setConfigOptions(background=THEME.current.panel, foreground=THEME.current.text3, antialias=False)


_take_colours()
THEME.theme_changed.connect(_take_colours)
