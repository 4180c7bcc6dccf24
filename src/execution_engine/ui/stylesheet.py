"""The style sheet: what the palette cannot say, as a template over the tokens."""

import atexit
import re
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

from PySide6.QtCore import QTemporaryDir

_FONT_PIXELS = {"caption": 11, "small": 12, "body": 13, "heading": 15, "total": 18, "figure": 20, "title": 24}
_TEXT_TOKENS = ("text", "text2", "text3", "accent", "profit", "loss", "warn", "danger", "neutral", "testnet")

_RULES = """
QMainWindow, QDialog { background:@window }
QToolTip { background:@raised; color:@text; border:1px solid @ctl; padding:5px 7px; font-size:@small }

QMenuBar { background:@chrome; color:@text2; font-size:@small; border:0; padding:0 2px; spacing:2px }
QMenuBar::item { background:transparent; padding:5px 9px; margin:0 }
QMenuBar::item:selected, QMenuBar::item:pressed { background:@hover; color:@text }
QMenu { background:@raised; color:@text; border:1px solid @ctl; padding:4px 0; font-size:@small }
QMenu::item { padding:6px 24px 6px 12px; background:transparent }
QMenu::item:selected { background:@sel }
QMenu::item:disabled { color:@text3 }
QMenu::icon { padding-left:10px }
QMenu::separator { height:1px; background:@line; margin:4px 0 }
QMenu::indicator { width:14px; height:14px; left:8px }
QMenu::indicator:checked { image:url(@tick_svg) }
QMenu::right-arrow { image:url(@right_svg); width:12px; height:12px; right:6px }
QStatusBar { background:@chrome; color:@text2; font-size:@small; border-top:1px solid @line }
QStatusBar::item { border:0 }

QHeaderView { background:@window; border:0 }
QHeaderView::section { background:@window; color:@text3; border:0; border-bottom:1px solid @line;
    padding:0 8px; font-size:@small }
QTreeView, QTableView, QListView { border:0; background:@panel; outline:0 }
QAbstractScrollArea { border:0 }
QAbstractScrollArea::corner { background:@panel; border:0 }

QPushButton { background:@raised; color:@text; border:1px solid @ctl; border-radius:4px; padding:0 12px;
    min-height:@26; font-weight:500 }
QPushButton:hover { background:@hover }
QPushButton:pressed { background:@sel }
QPushButton:focus { border:2px solid @accent; padding:0 11px; min-height:@26-2 }
QPushButton:disabled { color:@text3; border-color:@line; background:transparent }
QPushButton[dense="true"] { min-height:@22; padding:0 8px; font-size:@small }
QPushButton[dense="true"]:focus { min-height:@22-2; padding:0 7px }
QPushButton[role="primary"] { background:@accentfill; border-color:@accentfill; color:#fff }
QPushButton[role="danger"] { background:@dangerfill; border-color:@dangerfill; color:#fff }
QPushButton[role="primary"]:hover { background:@accentfill_hover; border-color:@accentfill_hover }
QPushButton[role="danger"]:hover { background:@dangerfill_hover; border-color:@dangerfill_hover }
QPushButton[role="primary"]:focus, QPushButton[role="danger"]:focus { border:2px solid @text }
QPushButton[role="primary"]:disabled, QPushButton[role="danger"]:disabled {
    background:transparent; color:@text3; border-color:@line }
QPushButton[role="danger-outline"] { background:transparent; border-color:@danger; color:@danger }
QPushButton[role="danger-outline"]:hover { background:@danger_tint }
QPushButton[role="danger-outline"]:focus { border-color:@danger }
QPushButton[role="danger-outline"]:disabled { border-color:@line; color:@text3 }
QPushButton[role="link"] { background:transparent; border:1px solid transparent; color:@accent; padding:0 4px;
    font-weight:400 }
QPushButton[role="link"]:hover { background:@hover }
QPushButton[role="link"]:focus { border:2px solid @accent; padding:0 3px }
QPushButton[role="link"][flush="true"] { padding:0; text-align:left }
QPushButton[role="link"][flush="true"]:focus { border:0; text-decoration:underline }
QPushButton[role="icon"] { background:transparent; border:1px solid transparent; padding:0; min-width:@26 }
QPushButton[role="icon"]:hover { background:@hover }
QPushButton[role="icon"]:focus { border:2px solid @accent; min-width:@26-2 }
QPushButton[role="icon"][dense="true"] { min-width:@22 }
QPushButton[role="icon"][dense="true"]:focus { min-width:@22-2 }
QPushButton::menu-indicator { image:url(@arrow_svg); width:12px; height:12px; right:6px;
    subcontrol-origin:padding; subcontrol-position:center right }

QLineEdit, QComboBox, QAbstractSpinBox, QDateTimeEdit { background:@input; color:@text; border:1px solid @ctl;
    border-radius:4px; padding:0 8px; min-height:@26; selection-background-color:@accentfill;
    selection-color:#fff }
QLineEdit:focus, QComboBox:focus, QAbstractSpinBox:focus, QDateTimeEdit:focus { border:1px solid @accent }
QLineEdit[search="true"] { padding:0 4px 0 2px }
QLineEdit[bad="true"], QComboBox[bad="true"] { border:1px solid @danger }
QLineEdit:disabled, QComboBox:disabled { color:@text3; border-color:@line; background:transparent }
QLineEdit:read-only { color:@text2 }
QLineEdit[dense="true"], QComboBox[dense="true"] { min-height:@22 }
QLineEdit[dense="cell"] { min-height:@20; padding:0 6px }
QComboBox { padding-right:4px }
QComboBox::drop-down { border:0; width:@24 }
QComboBox::down-arrow { image:url(@arrow_svg); width:@12; height:@12 }
QComboBox QAbstractItemView { background:@raised; color:@text; border:1px solid @ctl; padding:4px 0;
    selection-background-color:@sel; selection-color:@text }
QComboBox QAbstractItemView::item { min-height:@24; padding:0 8px }
QAbstractSpinBox::up-button, QAbstractSpinBox::down-button, QDateTimeEdit::drop-down {
    background:transparent; border:0; width:20px }
QAbstractSpinBox::up-arrow { image:url(@up_svg); width:10px; height:10px }
QAbstractSpinBox::down-arrow, QDateTimeEdit::down-arrow { image:url(@arrow_svg); width:10px; height:10px }
QPlainTextEdit, QTextEdit { background:@input; color:@text; border:1px solid @ctl; border-radius:4px;
    padding:4px; selection-background-color:@accentfill; selection-color:#fff }
QPlainTextEdit:focus, QTextEdit:focus { border:1px solid @accent }
QPlainTextEdit[bad="true"] { border:1px solid @danger }
QPlainTextEdit[frameless="true"], QTextEdit[frameless="true"], QTextBrowser { border:0; border-radius:0 }
QTextBrowser { background:transparent; padding:0 }

QCheckBox, QRadioButton { spacing:8px; color:@text }
QCheckBox:disabled, QRadioButton:disabled { color:@text3 }
QCheckBox::indicator, QRadioButton::indicator { width:@14; height:@14; border:1px solid @ctl;
    background:@input; border-radius:3px }
QRadioButton::indicator { border-radius:@8 }
QCheckBox::indicator:focus, QRadioButton::indicator:focus,
QCheckBox::indicator:hover, QRadioButton::indicator:hover { border-color:@accent }
QCheckBox::indicator:checked, QRadioButton::indicator:checked { background:@accentfill;
    border-color:@accentfill; image:url(@check_svg) }
QCheckBox::indicator:indeterminate { background:@accentfill; border-color:@accentfill; image:url(@dash_svg) }
QRadioButton::indicator:checked { image:url(@dot_svg) }
QCheckBox::indicator:checked:focus, QRadioButton::indicator:checked:focus { border-color:@text }
QCheckBox::indicator:disabled, QRadioButton::indicator:disabled { border-color:@line; background:transparent }
QCheckBox::indicator:checked:disabled, QRadioButton::indicator:checked:disabled { background:@line }

QScrollBar { background:transparent; border:0; margin:0 }
QScrollBar:vertical { width:10px }
QScrollBar:horizontal { height:10px }
QScrollBar::handle { background:@scroll; border:1px solid transparent; border-radius:3px }
QScrollBar::handle:vertical { min-height:32px; margin:1px 1px 1px 2px }
QScrollBar::handle:horizontal { min-width:32px; margin:2px 1px 1px 1px }
QScrollBar::handle:hover, QScrollBar::handle:pressed { background:@ctl }
QScrollBar::add-line, QScrollBar::sub-line { width:0; height:0 }
QScrollBar::add-page, QScrollBar::sub-page { background:transparent }
QSplitter::handle { background:@window }

QTabWidget::pane { border:0; border-top:1px solid @line }
QTabBar { background:transparent; qproperty-drawBase:0; qproperty-expanding:0 }
QTabBar::tab { background:transparent; color:@text2; border:0; border-bottom:2px solid transparent;
    padding:0 12px; min-height:30px }
QTabBar::tab:hover { color:@text; background:@hover }
QTabBar::tab:selected { color:@text; border-bottom:2px solid @accent }
QTabBar::tab:focus { color:@accent }
QTabBar::tab:disabled { color:@text3 }
QProgressBar { background:@line; border:0; border-radius:3px; max-height:6px; min-height:6px }
QProgressBar::chunk { background:@accent; border-radius:3px }
QSlider::groove:horizontal { background:@line; height:4px; border-radius:2px }
QSlider::sub-page:horizontal { background:@accent; border-radius:2px }
QSlider::handle:horizontal { background:@raised; border:1px solid @ctl; width:14px; height:14px;
    margin:-6px 0; border-radius:8px }
QSlider::handle:horizontal:focus { border:2px solid @accent }

QFrame[ground="chrome"] { background:@chrome; border:0 }
QFrame[ground="window"] { background:@window; border:0 }
QFrame[ground="panel"] { background:@panel; border:0 }
QFrame[rule="top"] { border-top:1px solid @line }
QFrame[rule="bottom"] { border-bottom:1px solid @line }
QFrame[rule="right"] { border-right:1px solid @line }
QFrame[rule="left"] { border-left:1px solid @line }
QFrame[panel="true"] { background:@panel; border:1px solid @line; border-radius:4px }
QFrame[panel="plain"] { background:@panel; border:0 }
QFrame[note="warn"] { background:@warn_tint; border:1px solid @warn_line; border-radius:4px }
QFrame[note="calm"] { background:@panel; border:0; border-bottom:1px solid @line; border-radius:0 }
QFrame[heading="true"] { background:transparent; border:0; border-bottom:1px solid @line }
QFrame[cell="divided"] { background:transparent; border:0; border-right:1px solid @line; border-radius:0 }
QFrame[divider="true"] { background:@line; border:0 }
QLabel { background:transparent; border:0 }
"""

_SVG = {
    "arrow": '<path d="M2.5 4.5 6 8l3.5-3.5" fill="none" stroke="@text2" stroke-width="1.4"/>',
    "up": '<path d="M2.5 7.5 6 4l3.5 3.5" fill="none" stroke="@text2" stroke-width="1.4"/>',
    "right": '<path d="M4.5 2.5 8 6 4.5 9.5" fill="none" stroke="@text2" stroke-width="1.4"/>',
    "tick": '<path d="M2 6.3 4.8 9 10 3.4" fill="none" stroke="@accent" stroke-width="1.6"/>',
    "check": '<path d="M2.4 6.2 4.9 8.7 9.7 3.6" fill="none" stroke="#fff" stroke-width="1.7"/>',
    "dash": '<path d="M3 6h6" fill="none" stroke="#fff" stroke-width="1.7"/>',
    "dot": '<circle cx="6" cy="6" r="2.6" fill="#fff"/>',
}


def stylesheet(colours: Mapping[str, str], name: str, pixels: Callable[[int], int]) -> str:
    """Return the whole style sheet of a theme.

    `colours` is token → `#RRGGBB`; `name` keeps the drawn marks of two themes apart; `pixels` scales a
    length [px].
    """
    values = dict(colours)
    values["scroll"] = _mix(colours["ctl"], colours["panel"], 0.8)
    values["accentfill_hover"] = _mix(colours["accentfill"], "#000000", 0.9)
    values["dangerfill_hover"] = _mix(colours["dangerfill"], "#000000", 0.9)
    values["danger_tint"] = _mix(colours["danger"], colours["chrome"], 0.12)
    values["warn_tint"] = _mix(colours["warn"], colours["panel"], 0.1)
    values["warn_line"] = _mix(colours["warn"], colours["panel"], 0.45)
    values.update({style: f"{pixels(size)}px" for style, size in _FONT_PIXELS.items()})
    for mark, body in _SVG.items():
        values[f"{mark}_svg"] = _drawn(f"{name}-{mark}", _fill(body, colours))
    return _fill(_scaled(_RULES, pixels) + _label_rules(), values)


def _label_rules() -> str:
    """Let a label say its colour and size by properties, so that it follows the theme by itself."""
    tokens = "".join(f'QLabel[token="{each}"] {{ color:@{each} }}\n' for each in _TEXT_TOKENS)
    sizes = "".join(
        f'QLabel[type="{style}"] {{ font-size:@{style}; font-weight:{600 if size >= 15 else 400} }}\n'
        for style, size in _FONT_PIXELS.items()
    )
    return (
        tokens
        + sizes
        + "".join(f'QLabel[weight="{w}"] {{ font-weight:{w} }}\n' for w in (400, 500, 600, 700))
    )


def _scaled(rules: str, pixels: Callable[[int], int]) -> str:
    """Write lengths at the interface scale: `@26` is 26 px scaled, `@26-2` that less 2 px of border."""
    return re.sub(r"@(\d+)(?:-(\d))?", lambda match: f"{pixels(int(match[1])) - int(match[2] or 0)}px", rules)


def _fill(text: str, values: Mapping[str, str]) -> str:
    return re.sub(r"@(\w+)", lambda match: values[match[1]], text)


def _mix(top: str, ground: str, share: float) -> str:
    parts = ((int(top[i : i + 2], 16), int(ground[i : i + 2], 16)) for i in (1, 3, 5))
    return "#" + "".join(f"{round(a * share + b * (1 - share)):02X}" for a, b in parts)


@cache
def _folder() -> QTemporaryDir:
    # Style sheets load images from files only. What a cache holds is never destroyed, so the folder would stay.
    made = QTemporaryDir()
    atexit.register(made.remove)
    return made


def _drawn(name: str, body: str) -> str:
    path = Path(_folder().path()) / f"{name}.svg"
    path.write_text(f'<svg xmlns="http://www.w3.org/2000/svg" width="12" height="12">{body}</svg>', "utf-8")
    return path.as_posix()
