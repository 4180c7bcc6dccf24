"""The guide of the first start, step by step: as it begins, as it ends, and with texts of great length."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from execution_engine.domain.keys import CheckResult
from execution_engine.domain.rows import Outcome, WebhookToken
from execution_engine.domain.safety import VaultShown
from execution_engine.domain.way_in import Reach
from execution_engine.ui.main_window import MainWindow
from execution_engine.ui.pages.welcome import WelcomePage
from execution_engine.ui.pages.welcome.capital import CapitalStep
from execution_engine.ui.pages.welcome.hook import HookStep
from execution_engine.ui.pages.welcome.keys import AccountForm, KeysStep
from execution_engine.ui.pages.welcome.trial import TrialStep
from tests.gallery.long_texts import LONG_REASON
from tests.house import NOON

KEYS, CAPITAL, HOOK, TRIAL = range(1, 5)
FIT = CheckResult(at=NOON, can_read=True, can_trade=True, can_withdraw=False, mode_fits=True)
WRONG = CheckResult(at=NOON, can_read=True, can_withdraw=True, problems=(LONG_REASON,))


def _page(window: MainWindow, at: int) -> WelcomePage:
    page = window.stage.page("welcome")
    assert isinstance(page, WelcomePage)
    page.steps[0].choices.set_value("exchange" if at == KEYS else "paper")  # type: ignore[attr-defined]
    page.show_step(at)
    return page


def _form(window: MainWindow, vault: VaultShown, found: CheckResult) -> None:
    step = _page(window, KEYS).step
    assert isinstance(step, KeysStep)
    step._ask(vault)
    form = step.form
    assert isinstance(form, AccountForm)
    for key in ("api_key", "api_secret"):
        form.fields[key].setText("kZ4nT0vQ8xLr2mYb")  # type: ignore[attr-defined]
    form._timer.stop()
    assert form._asked is not None
    form._tried(form._asked, found)


def _keys_fit(window: MainWindow) -> None:
    _form(window, VaultShown(), FIT)


def _keys_refused(window: MainWindow) -> None:
    _form(window, VaultShown(), WRONG)


def _capital(window: MainWindow) -> None:
    _page(window, CAPITAL)


def _capital_wrong(window: MainWindow) -> None:
    step = _page(window, CAPITAL).step
    assert isinstance(step, CapitalStep)
    step.positions.setText("0")
    step.positions.textEdited.emit("0")
    step.say(LONG_REASON)


def _hook(window: MainWindow) -> HookStep:
    token = WebhookToken(name="TradingView", token="x" * 32, enabled=True, created_at=NOON)
    window.house.write(token)  # type: ignore[attr-defined]
    step = _page(window, HOOK).step
    assert isinstance(step, HookStep)
    step.refresh()
    return step


def _hook_long(window: MainWindow) -> None:
    house = window.house  # type: ignore[attr-defined]
    url = "https://verbindung-der-daueraufträge-frankfurt.trycloudflare.com"
    house.way_in = replace(house.way_in, url=url, reach=Reach(state="error", sentence=LONG_REASON, url=url))
    step = _hook(window)
    step.eye.click()


def _tunnel(window: MainWindow) -> None:
    _hook(window).tunnel_button.click()


def _trial(window: MainWindow) -> None:
    step = _page(window, TRIAL).step
    assert isinstance(step, TrialStep)
    held = {id for id, group in window.bridge.groups.items() if group.open_quantity}
    step.alert_id = next(id for id, alert in window.bridge.alerts.items() if alert.group_id in held)
    step._tell()


def _trial_refused(window: MainWindow) -> None:
    step = _page(window, TRIAL).step
    assert isinstance(step, TrialStep)
    alert = next(iter(window.bridge.alerts.values()))
    window.house.write(replace(alert, outcome=Outcome.REJECTED, reason=LONG_REASON, group_id=None))  # type: ignore[attr-defined]
    step.alert_id = alert.id
    step._tell()


SCENES: tuple[tuple[str, str, Callable[[MainWindow], object]], ...] = (
    ("keys", "empty", _keys_fit),
    ("keys-refused", "long", _keys_refused),
    ("capital", "empty", _capital),
    ("capital-wrong", "long", _capital_wrong),
    ("webhook", "empty", _hook),
    ("webhook-tunnel", "empty", _tunnel),
    ("webhook-long", "long", _hook_long),
    ("trial", "full", _trial),
    ("trial-refused", "long", _trial_refused),
)
