"""What lies on what: a list inside a panel shows the panel's ground, in both themes."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from PySide6.QtWidgets import QApplication, QScrollArea, QWidget
from pytestqt.qtbot import QtBot

from execution_engine.ui import theme
from execution_engine.ui.pages.away.list import FindingList
from execution_engine.ui.pages.dashboard.needs import Needs
from execution_engine.ui.pages.positions.facts import GroupFacts
from execution_engine.ui.theme import color


@pytest.mark.parametrize("name", ["dark", "light"])
@pytest.mark.parametrize("made", [GroupFacts, Needs, lambda: FindingList("Found", "Nothing.")])
def test_a_panel_is_of_one_ground(
    qapp: QApplication, qtbot: QtBot, name: theme.Name, made: Callable[[], QWidget]
) -> None:
    theme.apply(qapp, name)
    panel = made()
    qtbot.addWidget(panel)
    panel.resize(300, 600)
    panel.show()
    for area in panel.findChildren(QScrollArea):
        area.show()
    shown = panel.grab().toImage()
    assert shown.pixelColor(150, 590).name() == color("panel").name()
