"""What the palette can find: the acts of the menus and of the row at hand, pages, positions, signals, settings."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtGui import QAction, QIcon, QKeySequence
from PySide6.QtWidgets import QMenu, QMenuBar

from execution_engine.domain.instrument import Side
from execution_engine.ui import schema
from execution_engine.ui.bridge import Bridge
from execution_engine.ui.format import counted
from execution_engine.ui.frame.acts import why_not
from execution_engine.ui.frame.menus import PAGE
from execution_engine.ui.tables import RowsView
from execution_engine.ui.tongue import source, tr

if TYPE_CHECKING:
    from execution_engine.ui.main_window import MainWindow

Go = Callable[..., object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Find:
    """One thing that can be found.

    key: names it among those used before. kind: one word for what it is. more: what else it is found by.
    keys: its shortcut. why_not: why it cannot be done now; empty when it can. run: does it, or goes there.
    """

    key: str
    title: str
    kind: str
    run: Callable[[], object]
    detail: str = ""
    more: str = ""
    keys: str = ""
    icon: QIcon | str = ""
    why_not: str = ""


def everything(window: MainWindow, table: RowsView | None, holder: QMenu) -> list[Find]:
    """Return what can be found now. `table`: where the cursor is; `holder` keeps the acts of its row alive."""
    bridge, go = window.bridge, window.go
    acts = [*_of_menus(window.menuBar()), *_of_action(window.acts.theme, tr("View"))]
    return [
        # What cannot do any harm stands first: Enter is pressed by accident sometimes.
        *(find for find in acts if find.kind == tr("Page")),
        *_of_row(table, holder),
        *(find for find in acts if find.kind != tr("Page")),
        *_positions(bridge, go),
        *_queue(bridge, go),
        *_tabs(go),
        *_settings(go),
    ]


def shortcut_of(action: QAction) -> str:
    """Return the keys of an action as this system writes them."""
    written = [keys.toString(QKeySequence.SequenceFormat.NativeText) for keys in action.shortcuts()]
    return tr(" or ").join(each for each in written if each)


def leaves(menu: QMenu, above: str = "") -> Iterator[tuple[str, QAction]]:
    """Yield every act of a menu and of the menus in it, each with its whole name."""
    for action in menu.actions():
        inner = action.menu()
        name = f"{above}: {action.text()}" if above else action.text()
        if isinstance(inner, QMenu):
            if inner.isEnabled():
                yield from leaves(inner, name)
        elif not action.isSeparator() and action.isVisible():
            yield name, action


def is_page(action: QAction) -> bool:
    """Tell whether an action shows a page."""
    return action.objectName().startswith(PAGE)


def _of_menus(bar: QMenuBar) -> Iterator[Find]:
    for action in bar.actions():
        menu = action.menu()
        if isinstance(menu, QMenu):
            for name, each in leaves(menu):
                kind = tr("Page") if is_page(each) else menu.title()
                yield from _of_action(each, kind, name)


def _of_action(action: QAction, kind: str, name: str = "") -> Iterator[Find]:
    yield Find(
        key=f"act.{action.objectName() or name or action.text()}",
        title=name or action.text(),
        kind=kind,
        run=action.trigger,
        detail=_tip(action),
        keys=shortcut_of(action),
        icon=action.icon(),
        why_not=why_not(action),
    )


def _tip(action: QAction) -> str:
    """Return what the tooltip says beyond the name; Qt makes one of the name where there is none."""
    plain = action.text().replace("&", "").removesuffix("…")
    tip = action.toolTip().partition(" (")[0]
    return "" if tip.removesuffix("…") == plain else tip


def _of_row(table: RowsView | None, holder: QMenu) -> Iterator[Find]:
    """Yield what the context menu of the current row offers."""
    key = table.key() if table is not None else None
    if table is None or key is None:
        return
    table.fill_menu(key, holder)
    chosen = table.selected_keys()
    row = (
        counted(len(chosen), tr("row"), tr("rows"))
        if len(chosen) > 1 and key in chosen
        else table.name_of(key)
    )
    for name, action in leaves(holder):
        yield Find(
            key=f"row.{source(table.accessibleName())}.{source(name)}",
            title=name,
            kind=tr("Row"),
            run=action.trigger,
            detail=row,
            more=row,
            keys=shortcut_of(action),
            icon="list",
            why_not=why_not(action),
        )


def _positions(bridge: Bridge, go: Go) -> Iterator[Find]:
    for group in bridge.groups.values():
        if group.holds_slot:
            side = tr("Long") if group.side is Side.LONG else tr("Short")
            yield Find(
                key=f"position.{group.id}",
                title=f"{group.symbol} {group.timeframe}",
                kind=tr("Position"),
                run=partial(go, "positions", group.id),
                detail=f"{side} · {group.account}",
                more=f"{side} {group.account} {group.exchange} {group.world.value}",
                icon="positions",
            )


def _queue(bridge: Bridge, go: Go) -> Iterator[Find]:
    for row in bridge.queue.values():
        side = tr("Long") if row.side is Side.LONG else tr("Short")
        yield Find(
            key=f"queued.{row.id}",
            title=f"{row.symbol} {row.timeframe}",
            kind=tr("Queued signal"),
            run=partial(go, "queue", row.id),
            detail=f"{side} · {row.account}",
            more=tr("waits {side} {account} {exchange}").format(
                side=side, account=row.account, exchange=row.exchange
            ),
            icon="queue",
        )


def _tabs(go: Go) -> Iterator[Find]:
    from execution_engine.ui.pages.settings.tabs import (
        TABS,
    )  # its package draws with pyqtgraph, 0.2 s to import

    for tab in TABS:
        yield Find(
            key=f"tab.{tab.key}",
            title=tab.title,
            kind=tr("Settings"),
            run=partial(go, "settings", tab.key),
            more=tr("settings tab"),
            icon="settings",
        )


def _settings(go: Go) -> Iterable[Find]:
    return [
        Find(
            key=f"setting.{setting.path}",
            title=setting.title,
            kind=tr("Setting"),
            run=partial(go, "settings", setting.path),
            detail=schema.heading(setting.section)[0],
            more=f"{setting.path} {setting.help} {setting.unit}",
            icon="settings",
        )
        for setting in schema.settings()
    ]
