"""Every page and dialog of the gallery at the smallest size; the command looks at all sizes and both themes."""

from __future__ import annotations

import pytest
from PySide6.QtWidgets import QApplication, QHBoxLayout, QLineEdit, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from execution_engine.ui import theme
from execution_engine.ui.theme import DARK, LIGHT, Tokens
from execution_engine.ui.widgets import Label
from tests.gallery.checks import faults
from tests.gallery.house import KINDS
from tests.gallery.scenes import SCENES
from tests.gallery.show import shown
from tests.house import resources

SMALL = (1024, 700)


@pytest.fixture(autouse=True)
def _dark(qapp: QApplication) -> None:
    theme.load_fonts(resources() / "fonts")
    theme.apply(qapp, "dark")


@pytest.mark.qt_log_ignore("does not support raise", extend=True)
@pytest.mark.parametrize("kind", KINDS)
async def test_nothing_is_cut_covered_or_nameless(kind: str, qloop: object) -> None:
    scenes = [scene for scene in SCENES if scene.kind == kind]
    found = [f"{scene.name}: {fault}" async for scene, each in shown(scenes, SMALL) for fault in faults(each)]
    assert not found, "\n".join(found)


def test_a_cut_text_a_covered_field_and_a_nameless_button_are_found(qtbot: QtBot) -> None:
    ground, column = QWidget(), QHBoxLayout()
    qtbot.addWidget(ground)
    ground.setLayout(column)
    long, field, nameless = Label("too long for its place"), QLineEdit(), QPushButton()
    for each in (long, field, nameless):
        column.addWidget(each)
    long.setFixedWidth(30)
    ground.show()
    field.setGeometry(nameless.geometry())
    said = "\n".join(faults(ground))
    assert "“too long for its place” in QWidget lacks" in said
    assert "overlap" in said
    assert "QPushButton “” in QWidget has no accessible name" in said


@pytest.mark.parametrize("tokens", [DARK, LIGHT])
def test_every_token_that_colours_text_is_readable_on_every_ground(tokens: Tokens) -> None:
    inks = ("text", "text2", "text3", "accent", "profit", "loss", "warn", "danger", "neutral", "testnet")
    grounds = ("panel", "window", "chrome", "raised", "input", "hover", "sel")
    low = {
        (ink, ground): round(theme.contrast(getattr(tokens, ink), getattr(tokens, ground)), 2)
        for ink in inks
        for ground in grounds
        if theme.contrast(getattr(tokens, ink), getattr(tokens, ground)) < 4.5
    }
    assert not low
