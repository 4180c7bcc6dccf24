"""The panels of webhooks and tunnel: what is seen, what stays masked, and what each button does."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TypeVar

import pytest
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from execution_engine.domain.inputs import AddToken, RotateToken, TokenUsed
from execution_engine.domain.way_in import Reach, TunnelState, WayIn, Word
from execution_engine.ui.panels.tunnel import TunnelPanel
from execution_engine.ui.panels.webhook_asking import WebhookDialog
from execution_engine.ui.panels.webhooks import MASK, WebhooksPanel
from execution_engine.ui.widgets import ConfirmDialog
from tests.house import NOON
from tests.ui.house_bridge import WatchedHouse
from tests.waiting import until

W = TypeVar("W", bound=QWidget)
TOKEN = "tok-" + "a" * 28
PUBLIC = "https://alerts.example.com"


@pytest.fixture
def house(qapp: QApplication) -> WatchedHouse:
    made = WatchedHouse()
    made.desk.post(AddToken(name="TradingView", token=TOKEN))
    made.show()
    return made


def shown(qtbot: QtBot, panel: W) -> W:
    qtbot.addWidget(panel)
    panel.resize(860, 320)
    panel.show()
    return panel


@pytest.fixture
def webhooks(house: WatchedHouse, qtbot: QtBot) -> WebhooksPanel:
    return shown(qtbot, WebhooksPanel(house.bridge))


@pytest.fixture
def tunnel(house: WatchedHouse, qtbot: QtBot) -> TunnelPanel:
    return shown(qtbot, TunnelPanel(house.bridge))


def choose(panel: WebhooksPanel, name: str, words: str) -> None:
    """Choose from the menu of a webhook."""
    menu = panel.menu(name)
    next(action for action in menu.actions() if action.text().startswith(words)).trigger()
    menu.deleteLater()


def test_a_url_is_masked_until_it_is_asked_for_and_copied_whole(house: WatchedHouse, webhooks: WebhooksPanel):
    row = webhooks.rows["TradingView"]
    assert row.url.text() == f"http://127.0.0.1:8787/webhook/{MASK}"
    row.eye.click()
    assert row.url.text() == f"http://127.0.0.1:8787/webhook/{TOKEN}"
    row.eye.click()
    assert TOKEN not in row.url.text()
    row.eye.click()
    webhooks.hide()
    webhooks.show()
    assert TOKEN not in row.url.text()  # nobody finds it open the next time
    row.copy.click()
    assert QGuiApplication.clipboard().text() == f"http://127.0.0.1:8787/webhook/{TOKEN}"
    assert "TradingView cannot reach 127.0.0.1" in webhooks.said.text()
    house.way_in = WayIn(url=PUBLIC)
    row.copy.click()
    assert QGuiApplication.clipboard().text() == f"{PUBLIC}/webhook/{TOKEN}"
    assert webhooks.said.text() == "Copied the URL of TradingView. It contains a secret."


def test_a_row_says_what_a_webhook_may_use_and_when_it_was_used(house: WatchedHouse, webhooks: WebhooksPanel):
    row = webhooks.rows["TradingView"]
    assert (row.accounts.text(), row.used.text()) == ("every account", "never used")
    house.desk.post(AddToken(name="scalper", token=TOKEN[::-1], accounts=("paper",)))
    house.desk.post(TokenUsed(name="scalper", at=NOON - timedelta(minutes=3)))
    house.desk.post(RotateToken(name="scalper", token="new-" + "b" * 28, overlap_s=3600))
    house.show()
    row = webhooks.rows["scalper"]
    assert row.accounts.text() == "paper only"
    assert row.used.text().startswith("old URL until ")
    assert row.used.text().endswith("used 3 min ago")


async def test_webhooks_are_added_bound_renamed_and_revoked_after_a_question(
    house: WatchedHouse, webhooks: WebhooksPanel
):
    webhooks.add_button.click()
    dialog = webhooks.dialog
    assert isinstance(dialog, WebhookDialog)
    assert not dialog.confirm.isEnabled()
    dialog.name.setText("tradingview")
    dialog.every.setChecked(False)
    assert not dialog.confirm.isEnabled()  # none is not all
    dialog.boxes["paper"].setChecked(True)
    dialog.confirm.click()
    await until(lambda: dialog._error.isVisible())
    assert dialog._error.text() == "There is a webhook “TradingView” already."
    dialog.name.setText("scalper")
    dialog.confirm.click()
    await until(lambda: webhooks.dialog is None)
    assert house.book.tokens["scalper"].accounts == ("paper",)

    choose(webhooks, "scalper", "Accounts")
    assert isinstance(webhooks.dialog, WebhookDialog)
    assert webhooks.dialog.boxes["paper"].isChecked()
    webhooks.dialog.every.setChecked(True)
    webhooks.dialog.confirm.click()
    await until(lambda: webhooks.dialog is None)
    assert house.book.tokens["scalper"].accounts == ()

    house.show()
    choose(webhooks, "scalper", "Rename")
    assert isinstance(webhooks.dialog, WebhookDialog)
    webhooks.dialog.name.setText("swing")
    webhooks.dialog.confirm.click()
    await until(lambda: webhooks.dialog is None)
    house.show()
    choose(webhooks, "swing", "Revoke")
    await confirmed(webhooks)
    house.show()
    assert list(webhooks.rows) == ["TradingView"]


async def confirmed(panel: WebhooksPanel) -> None:
    assert isinstance(panel.dialog, ConfirmDialog)
    panel.dialog.confirm.click()
    await until(lambda: panel.dialog is None)


async def test_a_new_url_lets_the_old_one_count_or_not(house: WatchedHouse, webhooks: WebhooksPanel):
    choose(webhooks, "TradingView", "New URL, the old one counts")
    await confirmed(webhooks)
    row = house.book.tokens["TradingView"]
    assert row.token != TOKEN
    assert (row.previous_token, row.previous_until) == (TOKEN, NOON + timedelta(days=1))
    choose(webhooks, "TradingView", "New URL, refuse the old one")
    await confirmed(webhooks)
    assert house.book.tokens["TradingView"].previous_token == ""


async def test_one_button_lets_only_tradingview_in_also_through_a_tunnel(
    house: WatchedHouse, webhooks: WebhooksPanel
):
    house.way_in = WayIn(url=PUBLIC)
    webhooks.preset.click()
    await confirmed(webhooks)
    rules = house.book.settings.webhook
    assert (rules.ip_allowlist, rules.trusted_proxies) == (("tradingview",), ("127.0.0.1",))
    house.show()
    assert not webhooks.preset.isEnabled()


@pytest.mark.parametrize(
    ("state", "sentence"),
    [("ok", "Reached from outside in 240 ms."), ("warn", "The answer took 2 s."), ("error", "No answer.")],
)
def test_one_light_says_whether_tradingview_gets_through(
    house: WatchedHouse, tunnel: TunnelPanel, state: str, sentence: str
):
    reach = Reach(state=state, sentence=sentence, url=PUBLIC, at=NOON - timedelta(seconds=12))
    up = TunnelState(word=Word.UP, program="cloudflared", url=PUBLIC)
    house.way_in = WayIn(tunnel=up, reach=reach, url=PUBLIC)
    tunnel.refresh()
    assert tunnel.sentence.text() == sentence
    assert tunnel.address.text() == PUBLIC
    assert tunnel.checked.text() == "cloudflared up · checked 12 s ago"
    tunnel.copy.click()
    assert QGuiApplication.clipboard().text() == PUBLIC


def test_without_an_address_it_says_so_and_what_is_missing(house: WatchedHouse, tunnel: TunnelPanel):
    assert "TradingView cannot reach this machine" in tunnel.sentence.text()
    assert tunnel.address.text() == "none; the local one is http://127.0.0.1:8787"
    assert not tunnel.check.isEnabled()
    house.way_in = WayIn(
        tunnel=TunnelState(word=Word.MISSING, sentence="ngrok is not installed.", hints=("ngrok: see x",))
    )
    tunnel.refresh()
    assert tunnel.hints.text() == "To install one of them:\nngrok: see x"
    assert tunnel.hints.isVisible()


async def test_the_tunnel_is_started_stopped_and_chosen_by_the_settings(
    house: WatchedHouse, tunnel: TunnelPanel
):
    for wanted, text in ((True, "Stop tunnel"), (False, "Start tunnel")):
        tunnel.toggle.click()
        await until(lambda wanted=wanted: house.book.settings.tunnel.enabled is wanted)
        await until(lambda text=text: tunnel.toggle.text() == text)
    segment = next(each for each in tunnel.program._segments.values() if each.text() == "ngrok")
    segment.click()
    await until(lambda: house.book.settings.tunnel.program == "ngrok")


async def test_a_check_is_made_on_demand(house: WatchedHouse, tunnel: TunnelPanel):
    house.way_in = replace(house.way_in, url=PUBLIC)
    tunnel.refresh()
    tunnel.check.click()
    await until(lambda: house.way_in_checks == 1 and tunnel.check.isEnabled())


def test_everything_that_can_be_pressed_has_a_name(webhooks: WebhooksPanel, tunnel: TunnelPanel):
    for panel in (webhooks, tunnel):
        for each in panel.findChildren(QPushButton):
            assert each.accessibleName() or each.text()
