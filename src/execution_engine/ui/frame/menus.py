"""The menu bar: nothing in it that does not work."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtGui import QAction, QActionGroup, QKeySequence
from PySide6.QtWidgets import QMenu, QMenuBar

from execution_engine.ui import icons
from execution_engine.ui.frame.acts import Acts
from execution_engine.ui.frame.places import Place
from execution_engine.ui.theme import THEME, Name
from execution_engine.ui.tongue import tr

PAGE = "page "  # begins the names of the actions that show a page

THEMES: tuple[tuple[Name, str], ...] = (
    ("dark", tr("Dark")),
    ("light", tr("Light")),
    ("system", tr("Like the system")),
)


def fill(
    bar: QMenuBar,
    acts: Acts,
    places: Sequence[Place],
    go: Callable[[str], object],
    choose_theme: Callable[[Name], object],
) -> None:
    """Fill the bar. `go` shows a page by its key."""
    engine = bar.addMenu(tr("Engine"))
    engine.addActions([acts.pause, acts.close_all])
    engine.addSeparator()
    engine.addActions([acts.copy_webhook, acts.open_folder])
    engine.addSeparator()
    engine.addActions([acts.lock, acts.quit])
    view = bar.addMenu(tr("View"))
    for number, place in enumerate((place for place in places if not place.whole), 1):
        if not place.listed:
            view.addSeparator()
        view.addAction(_page(view, place, number, go))
    view.addSeparator()
    _themes(view.addMenu(tr("Theme")), choose_theme)
    view.addAction(acts.full_screen)
    view.addSeparator()
    view.addActions([acts.palette, acts.find, acts.refresh])
    view.addSeparator()
    view.addActions([acts.columns, acts.reset_page, acts.reset_all])
    bar.addMenu(tr("Trade")).addActions([acts.test_alert])
    bar.addMenu(tr("Tools")).addActions([acts.compose, acts.paper])
    bar.addMenu(tr("Help")).addActions([acts.guide, acts.keys, acts.updates, acts.about])


def _page(menu: QMenu, place: Place, number: int, go: Callable[[str], object]) -> QAction:
    action = QAction(place.title, menu)
    action.setObjectName(f"{PAGE}{place.key}")
    action.setMenuRole(QAction.MenuRole.NoRole)
    keys = [QKeySequence(f"Ctrl+{number}")]
    if place.key == "settings":
        keys.append(QKeySequence("Ctrl+,"))
    action.setShortcuts(keys)
    icons.bind(action, place.icon, "text2")
    action.triggered.connect(lambda: go(place.key))
    return action


def _themes(menu: QMenu, choose: Callable[[Name], object]) -> None:
    group = QActionGroup(menu)
    made: dict[str, QAction] = {}
    for name, label in THEMES:
        action = group.addAction(QAction(label, menu, checkable=True))
        action.triggered.connect(lambda _=False, each=name: choose(each))
        menu.addAction(action)
        made[name] = action

    def mark() -> None:
        made[THEME.choice].setChecked(True)

    menu.aboutToShow.connect(mark)
    mark()
