"""The guide of the first start: when it comes, what each step asks and keeps, and how one gets on, back and out."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QLineEdit
from pytestqt.qtbot import QtBot

from execution_engine.adapters.security import vault as vaults
from execution_engine.adapters.security.password import Cost
from execution_engine.domain import alert as alerts
from execution_engine.domain import document as documents
from execution_engine.domain.errors import Refusal
from execution_engine.domain.inputs import AddToken, SaveSettings
from execution_engine.domain.keys import CheckResult, Keys, unreachable
from execution_engine.domain.rows import Account, Mode
from execution_engine.ui import theme
from execution_engine.ui.app import Window
from execution_engine.ui.frame.memory import Memory
from execution_engine.ui.main_window import MainWindow
from execution_engine.ui.pages.settings.review import ReviewDialog
from execution_engine.ui.pages.welcome import WelcomePage
from execution_engine.ui.pages.welcome import keys as keys_step
from execution_engine.ui.pages.welcome.capital import CapitalStep
from execution_engine.ui.pages.welcome.hook import MASK, HookStep
from execution_engine.ui.pages.welcome.keys import AccountForm, KeysStep
from execution_engine.ui.pages.welcome.trial import TrialStep
from execution_engine.ui.pages.welcome.where import WhereStep
from execution_engine.ui.places import PLACES
from execution_engine.ui.widgets import ConfirmDialog
from tests.house import NOON, D
from tests.ui.house_window import WindowHouse
from tests.waiting import until

WHERE, KEYS, CAPITAL, HOOK, TRIAL = range(5)
PASSWORD = "correct horse"
FIT = CheckResult(at=NOON, can_read=True, can_trade=True, can_withdraw=False, mode_fits=True)


class Exchange:
    """Says of every key what the test wants, and remembers which were asked about."""

    def __init__(self) -> None:
        self.says = FIT
        self.asked: list[Keys] = []

    async def check(self, account: Account, keys: Keys) -> CheckResult:
        self.asked.append(keys)
        return self.says


@pytest.fixture(autouse=True)
def _dark(qapp: QApplication, monkeypatch: pytest.MonkeyPatch) -> None:
    theme.apply(qapp, "dark")
    monkeypatch.setattr(vaults, "calibrated", lambda: Cost(memory_mib=8, passes=1))
    monkeypatch.setattr(vaults.Vault, "keyring_is_there", lambda vault: False)
    monkeypatch.setattr(keys_step, "PAUSE_MS", 1)


@pytest.fixture
def exchange() -> Exchange:
    return Exchange()


@pytest.fixture
def house(tmp_path: Path, exchange: Exchange) -> WindowHouse:
    made = WindowHouse(tmp_path)
    made.look_after(tmp_path)
    made.key_checks["binance"] = exchange
    made.price("BTCUSDT", "65000")
    made.bridge.attach(made.doors())
    return made


def window_on(house: WindowHouse, qtbot: QtBot) -> MainWindow:
    made = MainWindow(house.bridge, PLACES, Memory(house.folder / "window.json"))
    qtbot.addWidget(made, before_close_func=lambda each: each.put_away())
    made.showNormal()
    made.resize(1440, 900)
    return made


@pytest.fixture
def window(house: WindowHouse, qtbot: QtBot) -> Iterator[MainWindow]:
    made = window_on(house, qtbot)
    made.begin()
    yield made
    made.put_away()


@pytest.fixture
def guide(house: WindowHouse, qtbot: QtBot) -> WelcomePage:
    page = WelcomePage(house.bridge)
    qtbot.addWidget(page)
    page.resize(1440, 850)
    page.show()
    page.shown()
    return page


def guide_of(window: MainWindow) -> WelcomePage:
    page = window.stage.page("welcome")
    assert isinstance(page, WelcomePage)
    return page


def change(house: WindowHouse, path: str, value: object) -> None:
    settings = documents.with_value(house.book.settings, path, value)
    house.post(SaveSettings(document=documents.dump(settings)))
    house.show()


def typed_in(qtbot: QtBot, field: QLineEdit, text: str) -> None:
    field.selectAll()
    qtbot.keyClick(field, Qt.Key.Key_Delete)
    qtbot.keyClicks(field, text)


def where(guide: WelcomePage) -> WhereStep:
    step = guide.steps[WHERE]
    assert isinstance(step, WhereStep)
    return step


def keys(guide: WelcomePage) -> KeysStep:
    step = guide.steps[KEYS]
    assert isinstance(step, KeysStep)
    return step


def capital(guide: WelcomePage) -> CapitalStep:
    step = guide.steps[CAPITAL]
    assert isinstance(step, CapitalStep)
    return step


def hook(guide: WelcomePage) -> HookStep:
    step = guide.steps[HOOK]
    assert isinstance(step, HookStep)
    return step


def trial(guide: WelcomePage) -> TrialStep:
    step = guide.steps[TRIAL]
    assert isinstance(step, TrialStep)
    return step


def told(guide: WelcomePage) -> dict[str, str]:
    return {key: line.text() for key, line in trial(guide).lines.items()}


async def form_of(guide: WelcomePage) -> AccountForm:
    guide.show_step(KEYS)
    await until(lambda: keys(guide).form is not None)
    form = keys(guide).form
    assert form is not None
    return form


def enter(form: AccountForm, api_key: str = "the-api-key", api_secret: str = "the-api-secret") -> None:
    form.fields["api_key"].setText(api_key)  # type: ignore[attr-defined]
    form.fields["api_secret"].setText(api_secret)  # type: ignore[attr-defined]


def hint(form: AccountForm, key: str) -> str:
    return form._hints[key].text()


# -- when it comes


async def test_it_takes_the_window_of_whoever_starts_for_the_first_time(window: MainWindow) -> None:
    assert window.stage.current == "welcome"
    assert window.sidebar.isHidden()
    assert window.header.isHidden()
    assert window.windowTitle() == "First steps – Execution Engine"
    assert not any(
        "First steps" in action.text() for action in window.menuBar().actions()[1].menu().actions()
    )  # type: ignore[union-attr]


async def test_once_it_was_left_it_does_not_come_by_itself_again(
    house: WindowHouse, window: MainWindow, qtbot: QtBot
) -> None:
    guide = guide_of(window)
    guide.skip_all.click()
    assert window.stage.current == "dashboard"
    assert not window.sidebar.isHidden()
    assert not window.header.isHidden()
    window.put_away()
    again = window_on(house, qtbot)
    again.begin()
    assert again.stage.current == "dashboard"
    again.acts.guide.trigger()
    assert again.stage.current == "welcome"


async def test_who_quits_in_the_middle_finds_it_at_the_next_start(
    house: WindowHouse, window: MainWindow, qtbot: QtBot
) -> None:
    house.holding()
    window.put_away()
    again = window_on(house, qtbot)
    again.begin()
    assert again.stage.current == "welcome"


async def test_who_has_traded_already_is_not_bothered(house: WindowHouse, qapp: QApplication) -> None:
    house.holding()
    screen = Window(qapp)
    screen.attach(house.doors())
    assert screen.main is not None
    assert screen.main.stage.current == "dashboard"
    screen.close()


async def test_an_empty_dashboard_and_the_menu_offer_it(window: MainWindow) -> None:
    window.go("dashboard")
    window.stage.page("dashboard").asked.emit("guide")  # type: ignore[attr-defined]
    assert window.stage.current == "welcome"
    help_menu = window.menuBar().actions()[-1].menu()
    assert window.acts.guide in help_menu.actions()  # type: ignore[union-attr]


# -- on, back and out


async def test_every_step_can_be_skipped_and_gone_back_from_and_nothing_is_saved_by_that(
    house: WindowHouse, guide: WelcomePage
) -> None:
    before = list(house.store.committed)
    seen = [guide.at]
    capital(guide).templates.panels["Aggressive"].radio.click()
    for press in (guide.skip, guide.skip, guide.skip, guide.back, guide.back, guide.back):
        press.click()
        seen.append(guide.at)
    assert seen == [WHERE, CAPITAL, HOOK, TRIAL, HOOK, CAPITAL, WHERE]
    assert not guide.back.isEnabled()
    assert house.store.committed == before


async def test_it_is_gone_through_by_keys_alone(window: MainWindow, qtbot: QtBot) -> None:
    guide = guide_of(window)
    focused = window.focusWidget()
    assert focused is where(guide).choices.panels["paper"].radio
    qtbot.keyClick(focused, Qt.Key.Key_Return)
    assert guide.at == CAPITAL
    qtbot.keyClick(window.focusWidget(), Qt.Key.Key_Return)
    assert guide.at == HOOK
    guide.rail.entries[WHERE].setFocus()
    qtbot.keyClick(guide.rail.entries[WHERE], Qt.Key.Key_Space)
    assert guide.at == WHERE
    assert guide.rail.entries[CAPITAL].accessibleName() == (
        "Step 3 of 5, Capital and positions: from a template, done"
    )


async def test_with_an_exchange_the_keys_are_the_second_step(guide: WelcomePage) -> None:
    assert guide.rail.entries[KEYS].accessibleName().startswith("Step 2 of 5, Keys: not needed on paper")
    where(guide).choices.panels["exchange"].radio.click()
    assert guide.forward.text() == "Continue with an exchange"
    assert where(guide).feed.isHidden() or not where(guide).feed.isVisible()
    guide.forward.click()
    assert guide.at == KEYS
    guide.back.click()
    assert guide.at == WHERE


async def test_where_the_prices_of_paper_come_from_is_saved_by_continue(
    house: WindowHouse, guide: WelcomePage
) -> None:
    feed = where(guide).feed
    feed.setCurrentIndex(feed.findData("synthetic"))
    assert house.book.settings.paper.feed == "auto"
    guide.forward.click()
    await until(lambda: guide.at == CAPITAL)
    assert house.book.settings.paper.feed == "synthetic"


# -- keys


async def test_keys_are_asked_about_while_they_are_typed_and_kept_when_the_user_says_so(
    house: WindowHouse, guide: WelcomePage, exchange: Exchange
) -> None:
    await house.unlocking.ready(PASSWORD)
    form = await form_of(guide)
    assert form.name.text() == "main"
    enter(form)
    assert not form.confirm.isEnabled()
    await until(form.confirm.isEnabled)
    assert "Cannot withdraw: yes" in form.checks.text()
    assert exchange.asked == [Keys("the-api-key", "the-api-secret")]
    assert "main" not in house.book.accounts
    assert house.unlocking.vault.keys("main") is None
    form.confirm.click()
    await until(lambda: keys(guide).form is None)
    house.show()
    row = keys(guide).accounts.rows["main"]
    assert row.keys.text().startswith("keys fit · cannot withdraw")
    assert row.chip.look.word == "Disabled"
    row.toggle.click()
    await until(lambda: isinstance(keys(guide).accounts.dialog, ConfirmDialog))
    keys(guide).accounts.dialog.confirm.click()  # type: ignore[union-attr]
    await until(lambda: house.book.accounts["main"].enabled)
    assert "the-api-secret" not in repr(list(house.store.committed))


@pytest.mark.parametrize(
    ("says", "sentence"),
    [
        (replace(FIT, can_trade=False), "may not trade"),
        (replace(FIT, can_withdraw=True), "This key may withdraw."),
        (CheckResult(at=NOON, problems=("The API key is not known to binance.",)), "not known to binance"),
    ],
)
async def test_wrong_keys_are_said_beside_the_field_and_cannot_be_kept(
    house: WindowHouse, guide: WelcomePage, exchange: Exchange, says: CheckResult, sentence: str
) -> None:
    await house.unlocking.ready(PASSWORD)
    exchange.says = says
    form = await form_of(guide)
    enter(form)
    await until(lambda: sentence in hint(form, "api_key"))
    assert form.fields["api_key"].property("bad") == "true"
    assert not form.confirm.isEnabled()
    exchange.says = FIT
    enter(form, "another-key")
    await until(form.confirm.isEnabled)
    assert hint(form, "api_key") == ""
    assert house.unlocking.vault.keys("main") is None


async def test_what_cannot_be_a_key_is_said_without_asking_anybody(
    guide: WelcomePage, exchange: Exchange
) -> None:
    form = await form_of(guide)
    enter(form, "short")
    await until(lambda: "too short" in hint(form, "api_key"))
    assert exchange.asked == []
    assert not form.confirm.isEnabled()


async def test_keys_that_nobody_could_be_asked_about_can_be_kept_all_the_same(
    house: WindowHouse, guide: WelcomePage, exchange: Exchange
) -> None:
    await house.unlocking.ready(PASSWORD)
    exchange.says = unreachable(NOON, "binance does not answer.")
    form = await form_of(guide)
    enter(form)
    await until(form.confirm.isEnabled)
    assert hint(form, "api_key").startswith("binance does not answer. They can be kept all the same")
    form.confirm.click()
    await until(lambda: "main" in house.book.accounts)
    assert not house.book.accounts["main"].enabled


async def test_without_a_keyring_a_master_password_is_asked_for(
    house: WindowHouse, guide: WelcomePage
) -> None:
    form = await form_of(guide)
    assert form.new_password is not None
    enter(form)
    await until(lambda: "Can trade: yes" in form.checks.text())
    assert not form.confirm.isEnabled()
    form.new_password.first.setText(PASSWORD)
    form.new_password.second.setText(PASSWORD)
    await until(form.confirm.isEnabled)
    form.confirm.click()
    await until(lambda: "main" in house.book.accounts)
    assert house.unlocking.vault.has_password


async def test_a_locked_vault_asks_for_its_password_and_says_when_it_is_wrong(
    house: WindowHouse, guide: WelcomePage
) -> None:
    await house.unlocking.ready(PASSWORD)
    await house.unlocking.lock()
    form = await form_of(guide)
    assert hint(form, "password") == "The vault is locked; this opens it."
    enter(form)
    form.fields["password"].setText("wrong")  # type: ignore[attr-defined]
    await until(form.confirm.isEnabled)
    form.confirm.click()
    await until(lambda: "wrong" in hint(form, "password"))
    assert not house.unlocking.vault.is_open
    assert "main" not in house.book.accounts


async def test_a_vault_that_only_a_keyring_opens_says_what_to_do(
    house: WindowHouse, guide: WelcomePage, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = replace(
        await house.unlocking.shown(),
        exists=True,
        is_open=False,
        keyring=True,
        trouble="The keyring is locked.",
    )

    async def locked() -> object:
        return shown

    monkeypatch.setattr(type(house.unlocking), "shown", lambda self: locked())
    guide.show_step(KEYS)
    await until(lambda: not keys(guide).vault.isHidden())
    assert keys(guide).vault.trouble.text() == "The keyring is locked."
    assert not keys(guide).vault.open_button.isHidden()
    assert keys(guide).form is None
    shown = replace(shown, is_open=True)
    keys(guide).vault.refresh()
    await until(lambda: keys(guide).form is not None)
    assert keys(guide).vault.isHidden()


# -- capital


async def test_a_template_fills_the_fields_and_is_in_force_after_continue(
    house: WindowHouse, guide: WelcomePage, qtbot: QtBot
) -> None:
    guide.show_step(CAPITAL)
    step = capital(guide)
    assert step.templates.value() == "Balanced"
    assert guide.forward.text() == "Continue"
    step.templates.panels["Careful"].radio.click()
    assert step.positions.text() == "5"
    typed_in(qtbot, step.capital, "25,000")
    assert "can be read as 25000 and as 25.0" in step.faults["capital.total_usd"].text()
    assert not guide.forward.isEnabled()
    typed_in(qtbot, step.capital, "25000")
    assert step.each.text().startswith("5,000.00 USD for each position")
    assert step.worst.words.text().endswith("25,000.00 USD, 1.0 × the capital.")
    assert "of 1,666.67 per pyramid" in step.outcome.text()
    assert guide.forward.text() == "Save and continue"
    assert house.book.settings.capital.total_usd == 10000
    guide.forward.click()
    await until(lambda: guide.at == HOOK)
    settings = house.book.settings
    assert (settings.capital.total_usd, settings.pool.max_open_groups) == (D(25000), 5)
    assert (settings.pool.max_pyramids, settings.capital.pyramid_capital) == (3, "split")


async def test_what_becomes_more_dangerous_is_asked_about_first(
    house: WindowHouse, guide: WelcomePage
) -> None:
    guide.show_step(CAPITAL)
    capital(guide).templates.panels["Aggressive"].radio.click()
    guide.forward.click()
    dialog = capital(guide).dialog
    assert isinstance(dialog, ReviewDialog)
    assert any(each.about == "Worst case" for each in dialog.cautions)
    assert guide.at == CAPITAL
    dialog.confirm.click()
    await until(lambda: guide.at == HOOK)
    assert house.book.settings.pool.max_open_groups == 20


@pytest.mark.parametrize(
    ("field", "typed", "path"),
    [
        ("capital", "0", "capital.total_usd"),
        ("capital", "", "capital.total_usd"),
        ("positions", "0", "pool.max_open_groups"),
        ("positions", "2.5", "pool.max_open_groups"),
        ("positions", "1001", "pool.max_open_groups"),
    ],
)
async def test_nonsense_is_said_at_its_field_and_cannot_be_saved(
    guide: WelcomePage, field: str, typed: str, path: str, qtbot: QtBot
) -> None:
    guide.show_step(CAPITAL)
    typed_in(qtbot, getattr(capital(guide), field), typed)
    assert capital(guide).faults[path].text()
    assert getattr(capital(guide), field).property("bad") == "true"
    assert not guide.forward.isEnabled()
    assert guide.skip.isEnabled()


async def test_values_of_ones_own_are_no_template(house: WindowHouse, guide: WelcomePage) -> None:
    change(house, "pool.max_pyramids", 4)
    guide.show_step(CAPITAL)
    assert capital(guide).templates.value() == ""
    assert guide.forward.text() == "Continue"


async def test_a_refusal_is_shown_and_the_step_stays(
    house: WindowHouse, guide: WelcomePage, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(wish: object) -> Refusal:
        return Refusal("READ_ONLY", "Read only: nothing can be changed.")

    house.bridge.doors = replace(house.bridge.doors, ask=refuse)
    guide.show_step(CAPITAL)
    capital(guide).templates.panels["Careful"].radio.click()
    guide.forward.click()
    assert not guide.forward.isEnabled()
    await until(lambda: capital(guide).said.text() == "Read only: nothing can be changed.")
    assert guide.at == CAPITAL
    assert guide.forward.isEnabled()


# -- address and message


async def test_the_address_is_masked_and_copied_whole(house: WindowHouse, guide: WelcomePage) -> None:
    house.post(AddToken(name="TradingView", token="t" * 32))
    guide.show_step(HOOK)
    step = hook(guide)
    assert step.url.text() == f"http://127.0.0.1:8787/webhook/{MASK}"
    step.copy_url.click()
    assert QGuiApplication.clipboard().text() == f"http://127.0.0.1:8787/webhook/{'t' * 32}"
    assert step.copy_url.text() == "Copied"
    step.eye.click()
    assert step.url.text().endswith("t" * 32)
    guide.show_step(WHERE)
    guide.show_step(HOOK)
    assert step.url.text().endswith(MASK)


async def test_where_there_is_no_webhook_one_is_made(house: WindowHouse, guide: WelcomePage) -> None:
    guide.show_step(HOOK)
    assert hook(guide).copy_url.isHidden()
    hook(guide).make.click()
    await until(lambda: not hook(guide).copy_url.isHidden())
    assert [token.name for token in house.book.tokens.values()] == ["TradingView"]


@pytest.mark.parametrize("kind", ["strategy", "long", "short", "exit"])
async def test_the_message_is_one_that_the_listener_takes(
    house: WindowHouse, guide: WelcomePage, kind: str, qtbot: QtBot
) -> None:
    guide.show_step(HOOK)
    step = hook(guide)
    step.made_of.set_value(kind)
    step.made_of.chosen.emit(kind)
    step.timeframe.setCurrentIndex(step.timeframe.findData("4h"))
    step.copy_message.click()
    text = QGuiApplication.clipboard().text()
    assert text == step.message.toPlainText()
    assert ("{{strategy." in text) is (kind == "strategy")
    filled = {
        "exchange": "BINANCE",
        "ticker": "BTCUSDT",
        "timenow": "2026-11-20T12:00:00Z",
        "close": "65000",
        "strategy.order.id": "Long",
        "strategy.order.action": "buy",
        "strategy.market_position": "long",
        "strategy.prev_market_position": "flat",
        "strategy.order.price": "65000",
    }
    body = alerts.read(re.sub(r"\{\{([^}]+)\}\}", lambda found: filled[found[1]], text).encode())
    assert isinstance(body, alerts.Body)
    parsed = alerts.parse(body, house.catalogue)
    assert isinstance(parsed, alerts.ParsedAlert)
    assert (parsed.signal.symbol, parsed.signal.timeframe) == ("BTCUSDT", "4h")
    assert parsed.signal.is_exit is (kind == "exit")
    side = {"strategy": "long", "exit": None}.get(kind, kind)
    assert parsed.signal.side == side or kind == "exit"


async def test_a_body_secret_that_is_asked_for_has_its_place_in_the_message(
    house: WindowHouse, guide: WelcomePage
) -> None:
    change(house, "webhook.secret_required", True)
    guide.show_step(HOOK)
    assert json.loads(hook(guide).message.toPlainText())["secret"] == "your body secret"


async def test_without_a_public_address_a_tunnel_is_offered(house: WindowHouse, guide: WelcomePage) -> None:
    guide.show_step(HOOK)
    step = hook(guide)
    assert "TradingView cannot reach this machine" in step.no_way.text()
    assert step.tunnel.isHidden()
    step.tunnel_button.click()
    assert not step.tunnel.isHidden()
    assert step.tunnel_button.isHidden()
    house.way_in = replace(house.way_in, url="https://example.trycloudflare.com")
    step.refresh()
    house.post(AddToken(name="TradingView", token="t" * 32))
    assert step.address().startswith("https://example.trycloudflare.com/webhook/")


# -- the test alert


async def test_what_becomes_of_the_test_alert_is_told_while_it_happens(
    house: WindowHouse, window: MainWindow
) -> None:
    guide = guide_of(window)
    guide.show_step(TRIAL)
    assert guide.forward.text() == "Send test alert"
    assert told(guide)["received"] == "not sent yet"
    guide.forward.click()
    await until(lambda: trial(guide).group is not None)
    house.show()
    assert told(guide)["received"].startswith("alert ")
    assert told(guide)["decided"] == "its orders are on the way"
    assert told(guide)["orders"] == "0 of 5 buy limits accepted"
    house.accept()
    house.show()
    assert told(guide)["decided"].startswith("Opened")
    assert told(guide)["orders"] == "5 of 5 buy limits accepted"
    assert told(guide)["fills"] == "the first one waits for the price"
    assert told(guide)["position"] == "BTCUSDT 15m: live"
    house.fill(next(order for order in house.working if order.purpose == "entry"))
    house.show()
    assert told(guide)["fills"].startswith("1 of 5 filled")
    assert told(guide)["position"].startswith(
        "BTCUSDT 15m is open on paper: 0.00307 held, on average at 65,000"
    )
    assert guide.forward.text() == "Go to Positions"
    guide.forward.click()
    assert window.stage.current == "positions"
    assert window.memory.text("welcome") == "left"
    window.acts.guide.trigger()
    assert guide.at == WHERE
    assert told(guide)["received"] == "not sent yet"


async def test_a_refused_test_alert_says_why(guide: WelcomePage) -> None:
    guide.show_step(TRIAL)
    trial(guide).symbol.setText("BINANCE:BTCUSD")
    guide.forward.click()
    await until(lambda: "unknown symbol BTCUSD" in trial(guide).said.text())
    assert guide.forward.isEnabled()
    trial(guide).symbol.clear()
    assert not guide.forward.isEnabled()


async def test_an_alert_that_opens_nothing_says_why(house: WindowHouse, guide: WelcomePage) -> None:
    change(house, "signals.symbols", ["ETHUSDT"])
    guide.show_step(TRIAL)
    guide.forward.click()
    await until(lambda: trial(guide).alert_id is not None)
    house.show()
    assert told(guide)["decided"].startswith("Rejected: ")
    assert told(guide)["position"] == "–"
    assert guide.forward.text() == "Send test alert"


async def test_with_an_account_in_use_the_header_stays(house: WindowHouse, qtbot: QtBot) -> None:
    some = next(iter(house.book.accounts.values()))
    real = replace(some, name="main", exchange="binance", mode=Mode.LIVE, enabled=True)
    house.bridge.released((real,), ())
    house.show()
    window = window_on(house, qtbot)
    window.acts.guide.trigger()
    assert window.sidebar.isHidden()
    assert not window.header.isHidden()
    window.put_away()
