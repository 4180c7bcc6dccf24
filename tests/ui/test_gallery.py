"""Every page and dialog of the gallery at the smallest size; the command looks at all sizes and both themes."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QHBoxLayout, QLineEdit, QPushButton, QScrollArea, QWidget
from pytestqt.qtbot import QtBot

from execution_engine.ui import theme
from execution_engine.ui.places import PLACES
from execution_engine.ui.theme import DARK, LIGHT, Tokens
from execution_engine.ui.widgets import Label, button
from tests.gallery.checks import faults
from tests.gallery.house import KINDS
from tests.gallery.scenes import SCENES
from tests.gallery.show import shown
from tests.gallery.stretching import longer_words
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


@pytest.mark.qt_log_ignore("does not support raise", extend=True)
async def test_the_guide_is_read_downwards_in_the_largest_letters_on_the_smallest_window(
    qapp: QApplication, qloop: object
) -> None:
    theme.apply(qapp, "dark", scale=1.4)
    scenes = [scene for scene in SCENES if scene.page == "welcome" and scene.kind == "empty"]
    found = [f"{scene.name}: {fault}" async for scene, each in shown(scenes, SMALL) for fault in faults(each)]
    assert not found, "\n".join(found)


@pytest.mark.qt_log_ignore("does not support raise", extend=True)
@pytest.mark.parametrize(("scale", "size"), [(0.9, SMALL), (1.4, (1434, 980))])
async def test_pages_are_whole_in_the_smallest_and_in_the_largest_letters(
    scale: float, size: tuple[int, int], qapp: QApplication, qloop: object
) -> None:
    theme.apply(qapp, "dark", scale=scale)
    listed = {place.key for place in PLACES if not place.whole}
    scenes = [scene for scene in SCENES if scene.name in {f"{key}-full" for key in listed}]
    found = [f"{scene.name}: {fault}" async for scene, each in shown(scenes, size) for fault in faults(each)]
    assert not found, "\n".join(found)


@pytest.mark.qt_log_ignore("does not support raise", extend=True)
async def test_words_that_are_a_third_longer_fit_as_well(qloop: object) -> None:
    pages = {f"{place.key}-full" for place in PLACES if not place.whole}
    asking = {"dialog-composer", "dialog-account", "dialog-restore", "dialog-version-asks", "lock-none"}
    scenes = [scene for scene in SCENES if scene.name in pages | asking]
    with longer_words():
        found = [
            f"{scene.name}: {fault}" async for scene, each in shown(scenes, SMALL) for fault in faults(each)
        ]
    assert not found, "\n".join(found)


def test_cut_covered_nameless_sideways_and_twice_primary_is_found(qtbot: QtBot) -> None:
    ground, column = QWidget(), QHBoxLayout()
    qtbot.addWidget(ground)
    ground.setLayout(column)
    long, field, nameless = Label("too long for its place"), QLineEdit(), QPushButton()
    for each in (long, field, nameless):
        column.addWidget(each)
    long.setFixedWidth(30)
    wide = QScrollArea()
    wide.setWidget(Label("far too long for its place"))
    wide.setFixedWidth(60)
    wide.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)
    column.addWidget(wide)
    hiding = QScrollArea()
    hiding.setAccessibleName("form")
    hiding.setWidget(Label("far too long for its place"))
    hiding.setFixedWidth(60)
    hiding.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    column.addWidget(hiding)
    for verb in ("Save", "Send"):
        column.addWidget(button(verb, "primary"))
    ground.show()
    QApplication.processEvents()
    field.setGeometry(nameless.geometry())
    said = "\n".join(faults(ground))
    assert "“too long for its place” in QWidget lacks" in said
    assert "overlap" in said
    assert "QPushButton “” in QWidget has no accessible name" in said
    assert "QScrollArea “” in QWidget scrolls sideways by" in said
    assert "QScrollArea “form” in QWidget hides" in said
    assert "two primary buttons: QPushButton “Save” in QWidget and QPushButton “Send” in QWidget" in said


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
