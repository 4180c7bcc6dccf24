"""Colours, type and sizes of the screen, and the one function that puts them on the application."""

from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import Literal

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontDatabase, QGuiApplication, QPalette
from PySide6.QtWidgets import QApplication, QWidget

from execution_engine.ui.stylesheet import stylesheet

Name = Literal["dark", "light", "system"]
TextStyle = Literal["caption", "small", "body", "heading", "total", "figure", "title"]
Token = Literal[
    "chrome", "window", "panel", "raised", "input", "hover", "sel", "line", "ctl", "text", "text2", "text3",
    "accent", "accentfill", "profit", "loss", "warn", "danger", "dangerfill", "neutral", "testnet",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Tokens:
    """Name every colour of one theme, as `#RRGGBB`.

    Text colours reach 4.5 : 1 on `panel` and on `sel`, `ctl` reaches 3 : 1 on `panel` (WCAG 2.1).
    """

    name: Literal["dark", "light"]
    chrome: str
    window: str
    panel: str
    raised: str
    input: str
    hover: str
    sel: str
    line: str
    ctl: str
    text: str
    text2: str
    text3: str
    accent: str
    accentfill: str
    profit: str
    loss: str
    warn: str
    danger: str
    dangerfill: str
    neutral: str
    testnet: str

    def colours(self) -> dict[str, str]:
        """Return token → `#RRGGBB`."""
        return {f.name: getattr(self, f.name) for f in fields(self) if f.name != "name"}


DARK = Tokens(
    name="dark",
    chrome="#101318",
    window="#14171C",
    panel="#1A1E25",
    raised="#232831",
    input="#13161B",
    hover="#222832",
    sel="#1D3350",
    line="#2A303A",
    ctl="#667283",
    text="#E7EAEF",
    text2="#B0B8C4",
    text3="#949EAC",
    accent="#62A8F8",
    accentfill="#2A69BF",
    profit="#35B8A6",
    loss="#EE8A4E",
    warn="#E3B341",
    danger="#FF6B7A",
    dangerfill="#C43545",
    neutral="#A3ADBA",
    testnet="#C79BF2",
)
LIGHT = Tokens(
    name="light",
    chrome="#E9EBEF",
    window="#F3F4F6",
    panel="#FFFFFF",
    raised="#FFFFFF",
    input="#FFFFFF",
    hover="#EFF3F8",
    sel="#D8E7FB",
    line="#DDE1E6",
    ctl="#848D99",
    text="#171B22",
    text2="#434D5A",
    text3="#5C6672",
    accent="#1A5FBD",
    accentfill="#1A5FBD",
    profit="#00746A",
    loss="#AD430B",
    warn="#845500",
    danger="#B8142F",
    dangerfill="#B8142F",
    neutral="#4F5966",
    testnet="#6F3CAD",
)

WHITE = "#FFFFFF"

# Pixels at scale 1 and the weight a style has unless asked for another.
TYPE: dict[TextStyle, tuple[int, int]] = {
    "caption": (11, 400),
    "small": (12, 400),
    "body": (13, 400),
    "heading": (15, 600),
    "total": (18, 600),
    "figure": (20, 600),
    "title": (24, 600),
}
SPACE = (2, 4, 6, 8, 12, 16, 24)
RADIUS = {"chip": 3, "control": 4, "dialog": 6}
ICON = {"button": 14, "normal": 16, "dialog": 20}
SIZE = {
    "page_x": 16,
    "page_y": 14,
    "gap": 12,
    "panel_heading": 34,
    "toolbar": 44,
    "header": 48,
    "menu": 26,
    "status": 26,
    "sidebar": 168,
    "sidebar_slim": 48,
    "table_heading": 28,
    "button": 28,
    "button_small": 24,
}
ROW = {"tree": 26, "table": 28, "editable": 30, "sidebar": 32, "menu": 32}
COMFORTABLE = 4

UI_FAMILY = "Inter"
MONO_FAMILY = "JetBrains Mono"


class Theme(QObject):
    """Hold what is on the screen now and tell when it changed.

    `theme_changed` comes after style, palette and style sheet are in place; who keeps pixmaps or pens
    makes them again then.
    """

    theme_changed = Signal()

    def __init__(self) -> None:
        """Start dark, at scale 1, with normal rows."""
        super().__init__()
        self.current: Tokens = DARK
        self.choice: Name = "dark"
        self.scale: float = 1.0
        self.comfortable = False
        self._follows = False

    def follow(self, app: QApplication) -> None:
        """Listen to the system's colour scheme, once."""
        if not self._follows:
            self._follows = True
            app.styleHints().colorSchemeChanged.connect(self._system_changed)

    def _system_changed(self) -> None:
        app = QApplication.instance()
        if self.choice == "system" and isinstance(app, QApplication) and _system(app) is not self.current:
            apply(app, "system", scale=self.scale, comfortable=self.comfortable)


THEME = Theme()


def apply(app: QApplication, theme: Name, *, scale: float = 1.0, comfortable: bool = False) -> None:
    """Put a theme on the application: style, palette, style sheet, font, chart colours.

    `scale` is the interface scale, 0.9 to 1.4; `comfortable` makes every row 4 px higher.
    """
    THEME.choice, THEME.scale, THEME.comfortable = theme, scale, comfortable
    _tell_window_system(app, theme)
    THEME.follow(app)
    THEME.current = {"dark": DARK, "light": LIGHT}.get(theme) or _system(app)
    _forget()
    # The ground style is set once: setting it again would throw away every widget's polish twice.
    if app.style().objectName().lower() != "fusion":
        app.setStyle("Fusion")
    app.setPalette(palette(THEME.current))
    app.setFont(font("body"))
    app.setStyleSheet(stylesheet(THEME.current.colours(), THEME.current.name, _pixels))
    THEME.theme_changed.emit()


def load_fonts(folder: Path) -> list[str]:
    """Load every .ttf and .otf below a folder and return the families found, sorted."""
    families: set[str] = set()
    for path in sorted([*folder.rglob("*.ttf"), *folder.rglob("*.otf")]):
        identifier = QFontDatabase.addApplicationFont(str(path))
        families.update(QFontDatabase.applicationFontFamilies(identifier))
    _forget()
    return sorted(families)


@cache
def font(style: TextStyle = "body", weight: int | None = None) -> QFont:
    """Return the interface font of a style, with figures of equal width. Do not change it: it is shared."""
    pixels, usual = TYPE[style]
    made = QFont(UI_FAMILY)
    made.setStyleHint(QFont.StyleHint.SansSerif)
    # Whole pixels for every advance: figures of two rows then stand exactly under one another.
    made.setHintingPreference(QFont.HintingPreference.PreferFullHinting)
    made.setPixelSize(_pixels(pixels))
    made.setWeight(QFont.Weight(weight or usual))
    made.setFeature(QFont.Tag("tnum"), 1)
    return made


@cache
def mono(style: TextStyle = "caption") -> QFont:
    """Return the font of ids, addresses, JSON and log lines, without ligatures. Shared."""
    made = QFont(MONO_FAMILY)
    made.setStyleHint(QFont.StyleHint.Monospace)
    made.setHintingPreference(QFont.HintingPreference.PreferFullHinting)
    made.setPixelSize(_pixels(TYPE[style][0]))
    made.setFeature(QFont.Tag("calt"), 0)
    return made


def row_height(kind: Literal["tree", "table", "editable", "sidebar", "menu"]) -> int:
    """Return the height of a row [px] at the current scale and density."""
    return _pixels(ROW[kind]) + (COMFORTABLE if THEME.comfortable else 0)


def px(pixels: int) -> int:
    """Return a length [px] at the current interface scale."""
    return _pixels(pixels)


@cache
def color(token: Token) -> QColor:
    """Return a token's colour in the current theme. Do not change it: it is shared."""
    return QColor(getattr(THEME.current, token))


@cache
def tint(token: Token, ground: Token = "panel", share: float = 0.15) -> QColor:
    """Mix `share` of a token into a ground, as an opaque colour.

    Opaque, because the same colour with alpha loses its contrast over a selected row.
    """
    return QColor(mix(getattr(THEME.current, token), getattr(THEME.current, ground), share))


def mix(top: str, ground: str, share: float) -> str:
    """Return `share` of one `#RRGGBB` over another."""
    a, b = QColor(top), QColor(ground)
    pairs = ((a.red(), b.red()), (a.green(), b.green()), (a.blue(), b.blue()))
    return "#" + "".join(f"{round(t * share + g * (1 - share)):02X}" for t, g in pairs)


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two `#RRGGBB`, 1 to 21. Source: WCAG 2.1, relative luminance."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def palette(tokens: Tokens) -> QPalette:
    """Return the Qt palette of a theme."""
    role, group = QPalette.ColorRole, QPalette.ColorGroup
    colours = {
        role.Window: tokens.window,
        role.WindowText: tokens.text,
        role.Base: tokens.panel,
        role.AlternateBase: tokens.hover,
        role.Text: tokens.text,
        role.BrightText: WHITE,
        role.Button: tokens.raised,
        role.ButtonText: tokens.text,
        role.ToolTipBase: tokens.raised,
        role.ToolTipText: tokens.text,
        role.Highlight: tokens.sel,
        role.HighlightedText: tokens.text,
        role.Accent: tokens.accent,
        role.Link: tokens.accent,
        role.LinkVisited: tokens.accent,
        role.PlaceholderText: tokens.text3,
        role.Light: tokens.raised,
        role.Midlight: tokens.hover,
        role.Mid: tokens.line,
        role.Dark: tokens.line,
        role.Shadow: tokens.chrome,
    }
    made = QPalette()
    for each, value in colours.items():
        made.setColor(each, QColor(value))
    for each in (role.WindowText, role.Text, role.ButtonText, role.HighlightedText):
        made.setColor(group.Disabled, each, QColor(tokens.text3))
    return made


def restyle(widget: QWidget, **properties: object) -> None:
    """Set properties that the style sheet selects by, and make it look again."""
    for name, value in properties.items():
        widget.setProperty(name, value)
    widget.style().unpolish(widget)
    widget.style().polish(widget)
    widget.update()


def _pixels(pixels: int) -> int:
    return round(pixels * THEME.scale)


def _luminance(colour: str) -> float:
    value = QColor(colour)
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in (value.red() / 255, value.green() / 255, value.blue() / 255)
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _system(app: QGuiApplication) -> Tokens:
    # Platforms that report nothing (plain X11) get the theme this application was drawn for first.
    return LIGHT if app.styleHints().colorScheme() == Qt.ColorScheme.Light else DARK


def _tell_window_system(app: QGuiApplication, theme: Name) -> None:
    """Ask for title bars that match; `Unknown` hands the choice back to the system."""
    wanted = {"dark": Qt.ColorScheme.Dark, "light": Qt.ColorScheme.Light}
    app.styleHints().setColorScheme(wanted.get(theme, Qt.ColorScheme.Unknown))


def _forget() -> None:
    for cached in (font, mono, color, tint):
        cached.cache_clear()
