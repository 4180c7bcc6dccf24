"""The alert composer: what is chosen becomes a message and a URL, what is pasted is checked, nothing is sent."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QPushButton
from pytestqt.qtbot import QtBot

from execution_engine.domain import alert as alerts
from execution_engine.domain.composer_check import BodySecret
from execution_engine.domain.inputs import AddToken, RequestRefused
from execution_engine.domain.symbols import Catalogue
from execution_engine.domain.way_in import Reach, WayIn
from execution_engine.ui import theme
from execution_engine.ui.composer import ComposerDialog
from execution_engine.ui.composer.form import FROM_CHART
from execution_engine.ui.frame.memory import Memory
from execution_engine.ui.main_window import MainWindow
from execution_engine.ui.pages.settings import SettingsPage
from execution_engine.ui.pages.signals import SignalsPage
from execution_engine.ui.pages.test_alert import TestAlertDialog
from execution_engine.ui.panels.webhooks import WebhooksPanel
from execution_engine.ui.places import PLACES
from tests.house import NOON
from tests.ui.house_window import WindowHouse
from tests.waiting import until

SECRET = "a body secret that nobody guesses"
LEFT = Qt.MouseButton.LeftButton

pytestmark = pytest.mark.qt_log_ignore("does not support (raise|propagateSizeHints)", extend=True)


@pytest.fixture(autouse=True)
def _dark(qapp: QApplication) -> None:
    theme.apply(qapp, "dark")
    QGuiApplication.clipboard().clear()


class ComposingHouse(WindowHouse):
    """A desk with two webhooks; its body secret is the test's to set."""

    def __init__(self, folder: Path, settings: dict[str, Any] | None = None) -> None:
        self.secret = BodySecret()
        super().__init__(folder, settings)
        self.price("BTCUSDT", "65000")
        self.post(AddToken(name="TradingView", token="t" * 40, accounts=()))
        self.post(AddToken(name="Perps", token="p" * 40, accounts=("paper-perp",)))
        self.show()

    def doors(self) -> Any:
        return replace(super().doors(), body_secret=lambda: self.secret)


@pytest.fixture
def house(tmp_path: Path) -> ComposingHouse:
    return ComposingHouse(tmp_path)


@pytest.fixture
def dialog(house: ComposingHouse, qtbot: QtBot) -> ComposerDialog:
    made = ComposerDialog(house.bridge)
    qtbot.addWidget(made)
    made.show()
    return made


@pytest.fixture
def window(house: ComposingHouse, qtbot: QtBot) -> Iterator[MainWindow]:
    made = MainWindow(house.bridge, PLACES, Memory(house.folder / "window.json"))
    qtbot.addWidget(made, before_close_func=lambda each: each.put_away())
    made.show()
    yield made
    made.put_away()


def choose(dialog: ComposerDialog, name: str, key: str) -> None:
    segments = getattr(dialog.compose.form, name)
    segments.set_value(key)
    segments.chosen.emit(key)


def copied(button: QPushButton, qtbot: QtBot) -> str:
    qtbot.mouseClick(button, LEFT)
    return QGuiApplication.clipboard().text()


def shown(dialog: ComposerDialog) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(dialog.compose.message.toPlainText())
    return body


# -- composing


async def test_a_strategys_message_and_its_url_are_copied_ready_for_tradingview(
    house: ComposingHouse, dialog: ComposerDialog, qtbot: QtBot
) -> None:
    compose = dialog.compose
    assert shown(dialog)["tv"]["action"] == "{{strategy.order.action}}"
    assert compose.verdict.text().startswith("Valid. Buys while flat: Entry on paper: opens a long position")
    assert copied(compose.copy_message, qtbot) == compose.message.toPlainText()
    assert compose.copied.text() == "Copied the message."
    assert copied(compose.copy_url, qtbot) == f"http://127.0.0.1:8787/webhook/{'t' * 40}"
    assert "TradingView cannot reach it" in compose.copied.text()
    assert "t" * 40 not in compose.url.text()
    assert not house.sent


async def test_every_choice_changes_the_message_at_once(dialog: ComposerDialog, qtbot: QtBot) -> None:
    form = dialog.compose.form
    choose(dialog, "sent_by", "price")
    choose(dialog, "act", "short")
    choose(dialog, "symbol_form", "fixed")
    form.symbol.setText("binance:ethusdt.p")
    form.timeframe.setCurrentText("4H")
    form.account.setCurrentIndex(form.account.findData("paper-perp"))
    form.grid.setCurrentIndex(form.grid.findData("default"))
    form.tp_mode.setCurrentText("Aggregate")
    qtbot.keyClicks(form.capital, "250")
    body = shown(dialog)
    assert body["tv"] == {
        "exchange": "BINANCE", "symbol": "ETHUSDT.P", "timeframe": "4h", "action": "sell", "close": "{{close}}",
    }  # fmt: skip
    assert body["execution_intent"] == {
        "type": "signal", "strategy": "grid", "account": "paper-perp", "grid": "default", "tp_mode": "aggregate",
        "capital_usd": "250",
    }  # fmt: skip
    assert "Entry on paper-perp" in dialog.compose.verdict.text()
    choose(dialog, "form", "flat")
    choose(dialog, "order", "name")
    choose(dialog, "layout_choice", "one")
    text = dialog.compose.message.toPlainText()
    assert "\n" not in text
    assert list(json.loads(text)) == sorted(json.loads(text))


async def test_a_price_alert_writes_its_timeframe_out(dialog: ComposerDialog) -> None:
    form = dialog.compose.form
    form.timeframe.setCurrentText(FROM_CHART)
    assert shown(dialog)["tv"]["timeframe"] == "{{interval}}"
    assert "Range charts" in dialog.compose.traps.text()
    choose(dialog, "sent_by", "price")
    assert form.timeframe.findText(FROM_CHART) < 0
    assert shown(dialog)["tv"]["timeframe"] == "1h"
    assert form.timeframe_said.isVisible()
    choose(dialog, "sent_by", "strategy")
    assert form.timeframe.itemText(0) == FROM_CHART
    assert not form.timeframe_said.isVisible()


async def test_the_price_of_a_market_that_nothing_uses_is_asked_for_once(
    house: ComposingHouse, dialog: ComposerDialog
) -> None:
    assert house.looked_at == []  # the chart's is known
    choose(dialog, "symbol_form", "fixed")
    dialog.compose.form.symbol.setText("BINANCE:ETHUSDT")
    assert "waits until its account, price" in dialog.compose.verdict.text()
    await until(lambda: "opens a long position" in dialog.compose.verdict.text())
    dialog.compose.refresh()
    assert house.looked_at == [("binance", "ETHUSDT")]


async def test_an_exit_has_no_wishes(dialog: ComposerDialog) -> None:
    choose(dialog, "sent_by", "price")
    choose(dialog, "act", "exit")
    assert shown(dialog)["execution_intent"] == {"type": "exit", "strategy": "grid"}
    assert not dialog.compose.form.grid.isEnabled()
    assert "no position, nothing is open" in dialog.compose.verdict.text()


@pytest.mark.parametrize(
    ("field", "text", "said"),
    [
        ("symbol", "", "Name a symbol"),
        ("capital", "1,234", "can be read as 1234 and as 1.234"),
        ("capital", "1e3", "without an exponent"),
        ("timeframe", "7x", "“7x” is no timeframe"),
        ("capital", "0", "must be above 0"),
    ],
)
async def test_what_no_message_can_be_made_of_is_said_and_not_copied(
    dialog: ComposerDialog, qtbot: QtBot, field: str, text: str, said: str
) -> None:
    form = dialog.compose.form
    choose(dialog, "symbol_form", "fixed" if field == "symbol" else "chart")
    if field == "timeframe":
        form.timeframe.setCurrentText(text)
    else:
        qtbot.keyClicks(getattr(form, field), text)
    assert said in dialog.compose.verdict.text()
    assert not dialog.compose.copy_message.isEnabled()


async def test_an_unknown_symbol_is_refused_with_the_nearest(dialog: ComposerDialog) -> None:
    choose(dialog, "symbol_form", "fixed")
    dialog.compose.form.symbol.setText("BINANCE:BTCUSD")
    assert "Refused with 422: tv.symbol: unknown symbol BTCUSD" in dialog.compose.verdict.text()
    assert "nearest: BTCUSDT" in dialog.compose.verdict.text()


async def test_a_webhook_offers_the_accounts_it_may_use(dialog: ComposerDialog) -> None:
    form = dialog.compose.form
    dialog.choose_webhook("Perps")
    names = [form.account.itemData(place) for place in range(form.account.count())]
    assert names == ["", "paper-perp"]
    assert "no enabled account" in dialog.compose.verdict.text()


async def test_webhooks_and_profiles_that_come_later_are_offered(
    house: ComposingHouse, dialog: ComposerDialog
) -> None:
    form = dialog.compose.form
    dialog.choose_webhook("Perps")
    house.post(AddToken(name="Another", token="a" * 40, accounts=()))
    house.show()
    assert form.webhook.findData("Another") >= 0
    assert form.webhook.currentData() == "Perps"


async def test_without_a_webhook_there_is_no_url(tmp_path: Path, qtbot: QtBot) -> None:
    made = ComposerDialog(WindowHouse(tmp_path).bridge)
    qtbot.addWidget(made)
    made.show()
    assert "There is no webhook" in made.compose.url.text()
    assert not made.compose.copy_url.isEnabled()


# -- secrets


async def test_a_secret_is_masked_until_asked_for_and_copied_whole(
    house: ComposingHouse, dialog: ComposerDialog, qtbot: QtBot
) -> None:
    compose = dialog.compose
    assert not compose.form.secret.isEnabled()
    house.secret = BodySecret(SECRET)
    compose.refresh()
    assert compose.form.secret.isEnabled()
    assert not compose.form.secret.isChecked()
    qtbot.mouseClick(compose.form.secret, LEFT, pos=QPoint(8, compose.form.secret.height() // 2))
    assert shown(dialog)["secret"] == "•••"
    assert "in its alert list and log" in compose.traps.text()
    assert json.loads(copied(compose.copy_message, qtbot))["secret"] == SECRET
    assert "contains your secret" in compose.copied.text()
    qtbot.mouseClick(compose.eye, LEFT)
    qtbot.mouseClick(compose.url_eye, LEFT)
    assert shown(dialog)["secret"] == SECRET
    assert "t" * 40 in compose.url.text()
    dialog.hide()
    dialog.show()
    assert shown(dialog)["secret"] == "•••"
    assert "t" * 40 not in compose.url.text()


async def test_a_secret_that_is_required_is_in_the_message_by_itself(tmp_path: Path, qtbot: QtBot) -> None:
    house = ComposingHouse(tmp_path, {"webhook.secret_required": True})
    made = ComposerDialog(house.bridge)
    qtbot.addWidget(made)
    made.show()
    assert "Refused with 401" in made.compose.verdict.text()
    house.secret = BodySecret(locked=True)
    made.compose.refresh()
    assert "vault is locked" in made.compose.form.secret_said.text()
    house.secret = BodySecret(SECRET)
    made.compose.refresh()
    assert shown(made)["secret"] == "•••"
    assert made.compose.verdict.text().startswith("Valid.")


async def test_a_hidden_secret_counts_as_the_right_one(tmp_path: Path, qtbot: QtBot) -> None:
    house = ComposingHouse(tmp_path, {"webhook.secret_required": True})
    house.secret = BodySecret(SECRET)
    made = ComposerDialog(house.bridge)
    qtbot.addWidget(made)
    made.show()
    made.show_view("check")
    made.check.take.click()
    assert made.check.verdict.text().startswith("Valid,")
    assert "hidden here, and counts as the right one" in made.check.told.text()
    assert SECRET not in made.check.edit.toPlainText()
    made.check.edit.setPlainText(made.check.edit.toPlainText().replace("•••", "wrong"))
    made.check.refresh()
    assert made.check.verdict.text() == "Refused with 401, 1 fault"


# -- the way in


async def test_without_a_public_address_a_tunnel_is_offered(
    house: ComposingHouse, dialog: ComposerDialog, qtbot: QtBot
) -> None:
    traps = dialog.compose.traps
    assert "There is no public address" in traps.text()
    with qtbot.waitSignal(dialog.tunnel_wanted):
        qtbot.mouseClick(traps.findChildren(QPushButton)[0], LEFT)
    house.way_in = WayIn(url="https://a.example", reach=Reach(state="ok", url="https://a.example"))
    dialog.compose.refresh()
    assert "public address" not in traps.text()
    assert dialog.compose.url.text() == "https://a.example/webhook/••••••••"
    assert copied(dialog.compose.copy_url, qtbot) == f"https://a.example/webhook/{'t' * 40}"
    assert "local" not in dialog.compose.copied.text()


# -- checking


async def test_a_pasted_message_is_told_every_fault_with_its_line(dialog: ComposerDialog) -> None:
    dialog.show_view("check")
    check = dialog.check
    assert check.verdict.text() == "Nothing to check yet"
    QGuiApplication.clipboard().setText('{\n "exchange": "BINANCE",\n "symbol": "BTCUSD",\n "price": "0"\n}')
    check.paste.click()
    await until(lambda: check.verdict.text() == "Refused with 422, 3 faults")
    said = check.told.text()
    assert "symbol, line 3 unknown symbol BTCUSD" in said
    assert "timeframe is missing" in said
    assert "price, line 4 0 must be above 0" in said
    assert check.edit.marked == (3, 4)
    assert "Without a timestamp" in said


async def test_the_composed_message_is_checked_turn_by_turn(
    house: ComposingHouse, dialog: ComposerDialog, qtbot: QtBot
) -> None:
    dialog.show_view("check")
    check = dialog.check
    qtbot.mouseClick(check.take, LEFT)
    assert check.verdict.text().startswith("Valid,")
    assert check.edit.marked == ()
    said = check.told.text()
    assert "Buys while flat Entry on paper: opens a long position with 5 legs" in said
    assert "Closes the long Exit: no position" in said
    assert "Sells while flat Entry on paper: rejected, a spot account cannot be short" in said
    check.sent_by.set_value("pine")
    check.sent_by.chosen.emit("pine")
    assert check.verdict.text().startswith("Refused with 422")
    assert "str.tostring" in check.told.text()
    assert not house.sent
    assert not house.book.alerts


async def test_what_is_checked_is_what_the_listener_would_say(
    house: ComposingHouse, dialog: ComposerDialog
) -> None:
    text = '{"exchange": "NASDAQ", "symbol": "A\u202eB", "timeframe": true}'
    body = alerts.read(text.encode())
    assert isinstance(body, alerts.Body)
    faults = alerts.parse(body, Catalogue(house.catalogue.instruments.values()))
    assert isinstance(faults, alerts.Faults)
    dialog.show_view("check")
    dialog.check.edit.setPlainText(text)
    dialog.check.refresh()
    for fault in faults.errors:
        assert f"{fault.field}, line 1 {fault.message}" in dialog.check.told.text()


async def test_a_checked_message_is_forgotten_with_the_window(dialog: ComposerDialog) -> None:
    dialog.show_view("check")
    dialog.check.edit.setPlainText('{"secret": "mine"}')
    dialog.show_view("compose")
    assert dialog.check.edit.toPlainText()
    dialog.show_view("check")
    dialog.hide()
    assert not dialog.check.edit.toPlainText()


# -- placeholders


async def test_a_placeholder_is_explained_under_the_mouse(dialog: ComposerDialog) -> None:
    text = dialog.compose.message
    text.show_text('{"a": "{{close}}", "b": "{{closed}}"}')
    cursor = text.textCursor()
    cursor.setPosition(text.toPlainText().index("close}}") + 2)
    assert "The bar's last price" in text.explained(text.cursorRect(cursor).center())
    cursor.setPosition(text.toPlainText().index("closed") + 2)
    assert "no such placeholder" in text.explained(text.cursorRect(cursor).center())
    cursor.setPosition(2)
    assert text.explained(text.cursorRect(cursor).center()) == ""


async def test_the_table_of_placeholders_shows_what_each_becomes(dialog: ComposerDialog) -> None:
    dialog.show_view("placeholders")
    samples = {name: label.text() for name, label in dialog.glossary.samples.items()}
    assert samples["ticker"] == "BTCUSDT"
    assert samples["close"] == "65000"
    assert samples["interval"] == "60"


# -- where it is opened


async def test_it_is_opened_from_everywhere(window: MainWindow, qtbot: QtBot) -> None:
    def opened() -> ComposerDialog:
        found = window.findChild(ComposerDialog)
        assert isinstance(found, ComposerDialog)
        return found

    tools = next(act.menu() for act in window.menuBar().actions() if act.text() == "Tools")
    assert window.acts.compose in tools.actions()  # type: ignore[union-attr]
    assert window.acts.compose.shortcut().toString() == "Ctrl+N"
    window.acts.compose.trigger()
    assert opened().isVisible()
    opened().reject()
    window.go("signals")
    signals = window.stage.page("signals")
    assert isinstance(signals, SignalsPage)
    qtbot.mouseClick(signals.bar.compose, LEFT)
    assert opened().isVisible()
    opened().reject()
    window.go("settings", "webhook")
    settings = window.stage.page("settings")
    assert isinstance(settings, SettingsPage)
    panel = settings.findChild(WebhooksPanel)
    assert isinstance(panel, WebhooksPanel)
    panel.menu("Perps").actions()[0].trigger()
    assert opened().isVisible()
    assert opened().compose.form.webhook.currentData() == "Perps"


async def test_a_refused_request_is_checked_line_by_line(
    house: ComposingHouse, window: MainWindow, qtbot: QtBot
) -> None:
    for status, body in ((401, ""), (422, '{\n "exchange": "BINANCE",\n "symbol": "BTCUSD"\n}')):
        house.post(RequestRefused(at=NOON, status=status, errors=(), body=body, source="here", token="Perps"))
    window.go("signals")
    signals = window.stage.page("signals")
    assert isinstance(signals, SignalsPage)
    signals.bar.choose_tab("refused")
    await until(lambda: signals.refused.rows.rowCount() == 2)
    newest, older = (signals.refused.rows.key_at(signals.refused.rows.index(row, 0)) for row in range(2))
    signals.refused.view.select(older)
    assert not signals.refused.check.isEnabled()
    signals.refused.view.select(newest)
    qtbot.mouseClick(signals.refused.check, LEFT)
    composer = window.findChild(ComposerDialog)
    assert isinstance(composer, ComposerDialog)
    assert composer.check.isVisible()
    assert composer.compose.form.webhook.currentData() == "Perps"
    assert composer.check.edit.marked == (3,)


async def test_a_test_alert_is_sent_by_the_one_dialog_there_is(
    house: ComposingHouse, window: MainWindow, qtbot: QtBot
) -> None:
    window.acts.compose.trigger()
    composer = window.findChild(ComposerDialog)
    assert isinstance(composer, ComposerDialog)
    choose(composer, "symbol_form", "fixed")
    composer.compose.form.symbol.setText("BINANCE:ETHUSDT")
    qtbot.mouseClick(composer.test, LEFT)
    dialog = window.dialog
    assert isinstance(dialog, TestAlertDialog)
    assert dialog.symbol.text() == "BINANCE:ETHUSDT"
    qtbot.mouseClick(dialog.send, LEFT)
    await until(lambda: dialog.said.text().startswith("Accepted as alert"))
    assert house.test_alerts == ["BINANCE:ETHUSDT"]


async def test_a_locked_window_hides_it_and_every_secret(window: MainWindow, qtbot: QtBot) -> None:
    window.acts.compose.trigger()
    composer = window.findChild(ComposerDialog)
    assert isinstance(composer, ComposerDialog)
    qtbot.mouseClick(composer.compose.url_eye, LEFT)
    assert "t" * 40 in composer.compose.url.text()
    window.lock.cover("by you")
    assert not composer.isVisible()
    assert "t" * 40 not in composer.compose.url.text()
