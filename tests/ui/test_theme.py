"""Colours keep their contrast, every state looks as it was drawn, the theme reaches every widget."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtGui import QFontDatabase, QFontMetricsF, QPalette
from PySide6.QtWidgets import QApplication, QLabel, QPushButton
from pytestqt.qtbot import QtBot

from execution_engine.ui import icons, shapes, theme
from execution_engine.ui.theme import DARK, LIGHT, THEME, Tokens

FONTS = Path(__file__).parents[2] / "resources" / "fonts"

# token, on panel and on sel: dark, then light; as the design measured them.
RATIOS = [
    ("text", 13.9, 10.6, 17.3, 13.8),
    ("text2", 8.4, 6.4, 8.6, 6.8),
    ("text3", 6.2, 4.7, 5.8, 4.7),
    ("accent", 6.7, 5.2, 6.1, 4.9),
    ("profit", 6.8, 5.2, 5.7, 4.5),
    ("loss", 6.7, 5.1, 5.9, 4.7),
    ("warn", 8.6, 6.6, 6.4, 5.1),
    ("danger", 6.1, 4.7, 6.6, 5.3),
    ("neutral", 7.4, 5.6, 7.1, 5.7),
    ("testnet", 7.5, 5.7, 7.2, 5.7),
]


@pytest.fixture(autouse=True)
def _dark_again(qapp: QApplication):
    yield
    theme.apply(qapp, "dark")


@pytest.mark.parametrize(("token", "dark", "dark_sel", "light", "light_sel"), RATIOS)
def test_text_is_readable_on_its_worst_ground(
    token: str, dark: float, dark_sel: float, light: float, light_sel: float
) -> None:
    measured = [
        theme.contrast(getattr(tokens, token), getattr(tokens, ground))
        for tokens in (DARK, LIGHT)
        for ground in ("panel", "sel")
    ]
    assert measured == pytest.approx([dark, dark_sel, light, light_sel], abs=0.06)
    assert min(measured) >= 4.5


@pytest.mark.parametrize("tokens", [DARK, LIGHT], ids=["dark", "light"])
def test_borders_and_filled_buttons_are_seen(tokens: Tokens) -> None:
    assert theme.contrast(tokens.ctl, tokens.panel) >= 3
    assert theme.contrast(tokens.line, tokens.panel) == pytest.approx(1.3, abs=0.06)
    for fill in (tokens.accentfill, tokens.dangerfill):
        assert theme.contrast(theme.WHITE, fill) >= 4.5


@pytest.mark.parametrize("tokens", [DARK, LIGHT], ids=["dark", "light"])
def test_chips_are_readable(tokens: Tokens) -> None:
    used = {look.token for look in icons.STATE.values()}
    ratios = {
        token: theme.contrast(getattr(tokens, token), theme.mix(getattr(tokens, token), tokens.panel, 0.15))
        for token in used
    }
    assert min(ratios.values()) >= 4.5, ratios


@pytest.mark.parametrize(("name", "tokens"), [("dark", DARK), ("light", LIGHT)])
def test_a_theme_reaches_palette_style_and_listeners(qapp: QApplication, qtbot: QtBot, name, tokens) -> None:
    with qtbot.waitSignal(THEME.theme_changed):
        theme.apply(qapp, name)
    assert THEME.current is tokens
    assert qapp.palette().color(QPalette.ColorRole.Base).name().upper() == tokens.panel
    assert qapp.palette().color(QPalette.ColorRole.Highlight).name().upper() == tokens.sel
    label = QLabel("x")
    label.setProperty("token", "loss")
    qtbot.addWidget(label)
    label.ensurePolished()
    assert label.palette().color(QPalette.ColorRole.WindowText).name().upper() == tokens.loss
    assert theme.color("accent").name().upper() == tokens.accent


def test_an_icon_follows_the_theme(qapp: QApplication, qtbot: QtBot) -> None:
    button = QPushButton()
    qtbot.addWidget(button)
    theme.apply(qapp, "dark")
    icons.bind(button, "pause")
    before = button.icon().pixmap(16).toImage()
    theme.apply(qapp, "light")
    assert button.icon().pixmap(16).toImage() != before


def test_a_button_that_is_gone_does_not_hear_of_the_theme(qapp: QApplication) -> None:
    button = QPushButton()
    icons.bind(button, "pause")
    button.deleteLater()
    del button
    qapp.processEvents()
    theme.apply(qapp, "light")


def test_figures_are_of_equal_width(qapp: QApplication) -> None:
    assert "Inter" in theme.load_fonts(FONTS)
    theme.apply(qapp, "dark")
    metrics = QFontMetricsF(theme.font("body"))
    assert len({metrics.horizontalAdvance(figure) for figure in "0123456789"}) == 1
    assert metrics.horizontalAdvance("−") == metrics.horizontalAdvance("+")


def test_sizes_grow_with_the_interface(qapp: QApplication) -> None:
    theme.apply(qapp, "dark", scale=1.4, comfortable=True)
    assert theme.font("body").pixelSize() == 18
    assert theme.row_height("table") == 39 + 4
    theme.apply(qapp, "dark")
    assert (theme.font("body").pixelSize(), theme.row_height("tree")) == (13, 26)


@pytest.mark.parametrize("kind_state", icons.STATE, ids=" ".join)
def test_every_state_has_a_word_a_shape_and_paints_something(qapp: QApplication, kind_state) -> None:
    look = icons.STATE[kind_state]
    image = shapes.shape_pixmap(look.shape, look.token).toImage()
    painted = sum(image.pixelColor(x, y).alpha() > 100 for x in range(10) for y in range(10))
    assert look.word
    assert painted >= 8


def test_states_that_share_a_colour_differ_in_word_or_shape() -> None:
    for kind in ("group", "order", "leg", "risk", "engine"):
        looks = [look for (each, _), look in icons.STATE.items() if each == kind]
        assert len({(look.word, look.shape) for look in looks}) == len(looks)


def test_an_unknown_state_says_its_own_name() -> None:
    assert icons.state_look("group", "some_new_one")[:2] == ("Some new one", "question")


@pytest.mark.parametrize("name", icons.GLYPHS)
def test_every_icon_exists(qapp: QApplication, name: str) -> None:
    assert not icons.pixmap(name, "text", 16).isNull()


def test_no_fonts_of_icons_are_loaded_but_those_that_are_drawn_from(qapp: QApplication) -> None:
    icons.pixmap("gear")
    families = " ".join(QFontDatabase.families())
    assert "hosphor" in families
    assert "Material Design" not in families
    assert "Font Awesome" not in families
