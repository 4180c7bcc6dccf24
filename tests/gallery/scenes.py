"""What there is to look at: each page, and each dialog over its page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtWidgets import QDialog, QWidget

from execution_engine.domain.composer_check import BodySecret
from execution_engine.domain.rows import WebhookToken
from execution_engine.domain.safety import VaultShown
from execution_engine.ui.composer import ComposerDialog
from execution_engine.ui.frame import asking
from execution_engine.ui.frame.fault import StartFault
from execution_engine.ui.frame.palette import Palette
from execution_engine.ui.main_window import MainWindow
from execution_engine.ui.panels import webhook_asking
from execution_engine.ui.panels.target_asking import TargetDialog
from execution_engine.ui.places import PLACES
from tests.gallery import first_steps, moments, real_money
from tests.gallery.long_texts import LONG_NAME, LONG_REASON
from tests.house import NOON

OF_EACH_PAGE = ("full", "empty", "long")
TABS = ("grid", "risk", "webhook", "notifications", "data", "appearance", "exchanges", "security")


@dataclass(frozen=True, slots=True)
class Scene:
    """A name for the picture, the sample data under it, the page, what is opened there, and what puts it back."""

    name: str
    kind: str
    page: str
    opens: Callable[[MainWindow], object] | None = None
    after: Callable[[MainWindow], object] | None = None


def _shown(make: Callable[[MainWindow], QDialog]) -> Callable[[MainWindow], object]:
    return lambda window: window.open_dialog(make(window))


def _on_page(act: Callable[[QWidget, MainWindow], object]) -> Callable[[MainWindow], object]:
    return lambda window: act(window.stage.page(window.stage.current), window)


def _first_group(window: MainWindow) -> int:
    return next(id for id, group in window.bridge.groups.items() if group.open_quantity)


def _typed(window: MainWindow, text: str) -> None:
    window.acts.palette.trigger()
    assert isinstance(window.dialog, Palette)
    window.dialog.search.setText(text)


def _fault(told: str, backup: str = "") -> Callable[[MainWindow], object]:
    def show(window: MainWindow) -> None:
        made = StartFault(told, Path("/home/trader/.local/share/execution-engine"), "1.0", backup)
        made.setParent(window, made.windowFlags())
        made.show()

    return show


def _composer(act: Callable[[ComposerDialog], object]) -> Callable[[MainWindow], object]:
    def open_it(window: MainWindow) -> None:
        if not window.bridge.doors.tokens():
            window.house.write(TOKEN)  # type: ignore[attr-defined]
        window.open_composer("TradingView")
        found = window.findChild(ComposerDialog)
        assert isinstance(found, ComposerDialog)
        _choose(found, sent_by="strategy", symbol_form="chart")
        act(found)

    return open_it


def _choose(dialog: ComposerDialog, **keys: str) -> None:
    for name, key in keys.items():
        choice = getattr(dialog.compose.form, name)
        choice.set_value(key)
        choice.chosen.emit(key)


def _price_alert(dialog: ComposerDialog) -> None:
    _choose(dialog, sent_by="price", act="short", symbol_form="fixed")
    dialog.compose.form.symbol.setText("BINANCE:ETHUSDT.P")
    dialog.compose.form.capital.setText("2500")


def _checked(dialog: ComposerDialog) -> None:
    dialog.show_view("check")
    dialog.check.take.click()


def _refused(dialog: ComposerDialog) -> None:
    dialog.show_view("check")
    dialog.check.edit.setPlainText(REFUSED)
    dialog.check.refresh()


def _long(dialog: ComposerDialog) -> None:
    form = dialog.compose.form
    form.account.setCurrentIndex(form.account.findData(LONG_NAME))


REFUSED = """{
  "id": "my alert",
  "timestamp": "{{time}}",
  "exchange": "BINANCE",
  "symbol": "MATICUSDT",
  "timeframe": "{{interval}}",
  "action": "long",
  "price": {{close}},
  "capital_usd": "1,000"
}"""
TOKEN = WebhookToken(name="TradingView", token="x" * 32, enabled=True, created_at=NOON)

PAGES = tuple(Scene(f"{place.key}-{kind}", kind, place.key) for place in PLACES for kind in OF_EACH_PAGE)
SETTINGS = tuple(
    Scene(f"settings-{tab}", "full", "settings", lambda window, tab=tab: window.go("settings", tab))
    for tab in TABS
)
VIEWS = tuple(
    Scene(
        f"performance-{view}",
        "full",
        "performance",
        _on_page(lambda page, window, view=view: (page.views.set_value(view), page.show_view(view))),  # type: ignore[attr-defined, misc]
    )
    for view in ("pairs", "months", "days", "results")
)
DIALOGS = (
    Scene(
        "dialog-close-everything",
        "full",
        "positions",
        _shown(lambda window: asking.close_everything(window.bridge, window.holdings, window)),
    ),
    Scene("dialog-quit", "full", "positions", _shown(lambda window: asking.quitting(window.bridge, window))),
    Scene(
        "dialog-quit-tray",
        "full",
        "positions",
        _shown(lambda window: asking.quitting(window.bridge, window, tray=True)),
    ),
    Scene("dialog-unsaved", "full", "settings", _shown(lambda window: asking.losing(3, window))),
    Scene("dialog-palette", "full", "positions", lambda window: _typed(window, "")),
    Scene("dialog-palette-row", "full", "positions", lambda window: _typed(window, "risk")),
    Scene("dialog-palette-refused", "empty", "dashboard", lambda window: _typed(window, "close ev")),
    Scene("dialog-palette-nothing", "full", "dashboard", lambda window: _typed(window, "zzqx")),
    Scene("dialog-reset", "full", "dashboard", lambda window: window.acts.reset_all.trigger()),
    Scene("dialog-shortcuts", "full", "dashboard", lambda window: window.acts.keys.trigger()),
    Scene("dialog-about", "full", "dashboard", lambda window: window.acts.about.trigger()),
    Scene("dialog-test-alert", "full", "signals", lambda window: window.acts.test_alert.trigger()),
    Scene("dialog-composer", "full", "signals", _composer(lambda dialog: None)),
    Scene("dialog-composer-price", "full", "signals", _composer(_price_alert)),
    Scene("dialog-composer-check", "full", "signals", _composer(_checked)),
    Scene("dialog-composer-refused", "full", "signals", _composer(_refused)),
    Scene(
        "dialog-composer-placeholders", "full", "signals", _composer(lambda d: d.show_view("placeholders"))
    ),
    Scene("dialog-composer-long", "long", "signals", _composer(_long)),
    Scene("dialog-paper", "full", "dashboard", lambda window: window.acts.paper.trigger()),
    Scene(
        "dialog-exit",
        "full",
        "positions",
        _on_page(lambda page, window: page.acts.ask_exit(_first_group(window))),  # type: ignore[attr-defined]
    ),
    Scene(
        "dialog-exit-long",
        "long",
        "positions",
        _on_page(lambda page, window: page.acts.ask_exit(_first_group(window))),  # type: ignore[attr-defined]
    ),
    Scene(
        "dialog-cancel-legs",
        "full",
        "positions",
        _on_page(lambda page, window: page.acts.ask_cancel(_first_group(window))),  # type: ignore[attr-defined]
    ),
    Scene(
        "dialog-force-add",
        "full",
        "queue",
        _on_page(lambda page, window: page._force(next(iter(window.bridge.queue)))),  # type: ignore[attr-defined]
    ),
    Scene("dialog-replay", "full", "signals", _on_page(lambda page, window: page.ask_replay())),  # type: ignore[attr-defined]
    Scene("dialog-versions", "full", "settings", _on_page(lambda page, window: page.show_versions())),  # type: ignore[attr-defined]
    Scene("dialog-target", "full", "settings", _shown(TargetDialog)),
    Scene(
        "dialog-webhook",
        "full",
        "settings",
        _shown(
            lambda window: webhook_asking.WebhookDialog(
                "Add webhook", "Add", name="", accounts=["paper", "paper-perp"], parent=window
            )
        ),
    ),
    Scene(
        "dialog-secret",
        "full",
        "settings",
        _shown(
            lambda window: webhook_asking.SecretDialog(
                window.bridge,
                VaultShown(),
                "body secret",
                "Senders write it into the field “secret”.",
                BodySecret(),
                window,
            )
        ),
    ),
    Scene(
        "dialog-rotate",
        "full",
        "settings",
        _shown(lambda window: webhook_asking.rotate(TOKEN, window, at_once=False)),
    ),
    Scene(
        "dialog-start-fault", "empty", "dashboard", _fault(f"The database cannot be opened. {LONG_REASON}.")
    ),
    Scene(
        "dialog-start-fault-backup",
        "empty",
        "dashboard",
        _fault(
            "The database is damaged and was set aside. A backup of 19 Nov 03:00 can take its place.",
            "engine-20261119-030000.sqlite",
        ),
    ),
)
WELCOME = tuple(Scene(f"welcome-{name}", kind, "welcome", opens) for name, kind, opens in first_steps.SCENES)
MOMENTS = tuple(Scene(*moment) for moment in moments.MOMENTS)
MONEY = tuple(Scene(name, "live", page, opens, after) for name, page, opens, after in real_money.SCENES)
SCENES = (*PAGES, *WELCOME, *SETTINGS, *VIEWS, *MOMENTS, *DIALOGS, *MONEY)
