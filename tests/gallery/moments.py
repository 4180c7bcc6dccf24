"""What a page looks like in the middle of being used: several rows chosen, a story open, notices, the end of a tab."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtWidgets import QScrollArea

from execution_engine.ui.main_window import MainWindow
from execution_engine.ui.widgets import Notice
from tests.gallery.long_texts import LONG_REASON

Moment = tuple[str, str, str, Callable[[MainWindow], object]]


def _page(window: MainWindow) -> Any:
    return window.stage.page(window.stage.current)


def _several(window: MainWindow) -> None:
    _page(window).tree.selectAll()


def _unfolded(window: MainWindow) -> None:
    tree = _page(window).tree
    tree.expandAll()


def _story(window: MainWindow) -> None:
    held = {id for id, group in window.bridge.groups.items() if group.open_quantity}
    alert = next(id for id, each in window.bridge.alerts.items() if each.group_id in held)
    _page(window).go_to(alert)


def _refused(window: MainWindow) -> None:
    _page(window).bar.choose_tab("refused")


def _filtered(window: MainWindow) -> None:
    _page(window).focus_filter()
    _page(window).bar.search.setText("zzqx")
    _page(window).bar._typing.stop()
    _page(window).bar.changed.emit()


def _notices(window: MainWindow) -> None:
    window.notices.show()
    for notice in (
        Notice("success", "Settings saved", "Version 15 is in force.", "Undo", lambda: None),
        Notice("warning", "Prices are old", LONG_REASON, "Show", lambda: None),
        Notice("error", "Order rejected", "BTCUSDT 1h, leg 2: notional below 5 USDT.", "Show", lambda: None),
        Notice("info", "Engine paused"),
        Notice("success", "Backup made", "4.2 MiB, checked."),
    ):
        window.notices.add(notice)


def _tab(key: str, *, below: bool = False) -> Callable[[MainWindow], object]:
    def show(window: MainWindow) -> None:
        window.go("settings", key)
        if below:
            areas = [each for each in _page(window).findChildren(QScrollArea) if each.isVisible()]
            for each in areas:
                each.verticalScrollBar().setValue(each.verticalScrollBar().maximum())

    return show


MOMENTS: tuple[Moment, ...] = (
    ("positions-several", "full", "positions", _several),
    ("positions-unfolded", "full", "positions", _unfolded),
    ("signals-story", "full", "signals", _story),
    ("signals-refused", "full", "signals", _refused),
    ("logs-nothing", "full", "logs", _filtered),
    ("dashboard-notices", "full", "dashboard", _notices),
    ("settings-trading", "full", "settings", _tab("trading", below=True)),
    ("settings-pool", "full", "settings", _tab("pool")),
    ("settings-grid-below", "full", "settings", _tab("grid", below=True)),
    ("settings-risk-below", "full", "settings", _tab("risk", below=True)),
    ("settings-exchanges-below", "full", "settings", _tab("exchanges", below=True)),
    ("settings-webhook-below", "full", "settings", _tab("webhook", below=True)),
    ("settings-notifications-below", "full", "settings", _tab("notifications", below=True)),
    ("settings-security-below", "full", "settings", _tab("security", below=True)),
    ("settings-data-below", "full", "settings", _tab("data", below=True)),
)
