"""The secret that senders show is set, replaced and removed in the window, and compared with the next alert."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from execution_engine.adapters.security import vault as vaults
from execution_engine.adapters.security.password import Cost
from execution_engine.ui.panels.webhook_asking import SecretDialog
from execution_engine.ui.panels.webhook_secrets import MASK, WebhookSecretsPanel
from execution_engine.ui.widgets import ConfirmDialog
from tests.stories.screen import Screen, on_the_screen

BTC = "BINANCE:BTCUSDT"
FIRST, SECOND, PASSWORD = "the first body secret", "another body secret", "correct horse battery"


async def kept(screen: Screen, panel: WebhookSecretsPanel, text: str) -> None:
    """Set the body secret as a user does; the first time a vault is made for it."""
    panel.rows["body"].set.click()
    await screen.sees(lambda: isinstance(panel.dialog, SecretDialog))
    dialog = panel.dialog
    assert isinstance(dialog, SecretDialog)
    dialog.secret.setText(text)
    if (new := dialog.new_password) is not None:
        new.first.setText(PASSWORD)
        new.second.setText(PASSWORD)
        await screen.sees(lambda: new.is_fit)
    dialog.confirm.click()
    await screen.sees(lambda: panel.dialog is None)


async def test_alerts_show_the_secret_that_was_set_in_the_window(
    qapp: QApplication, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vaults, "calibrated", lambda: Cost(memory_mib=8, passes=1))
    monkeypatch.setattr(vaults.Vault, "keyring_is_there", lambda vault: False)
    async with on_the_screen(qapp, tmp_path / "data", webhook__secret_required=True) as screen:
        screen.window.go("settings", "webhook")
        panel = screen.window.findChild(WebhookSecretsPanel)
        assert isinstance(panel, WebhookSecretsPanel)
        await screen.price(BTC, 100)
        row = panel.rows["body"]
        assert row.state.text() == "required, and not set: every alert is refused"
        assert await screen.answer(BTC, price=100, secret=FIRST) == 401

        await kept(screen, panel, FIRST)
        assert row.state.text() == MASK
        assert await screen.answer(BTC, price=100, secret="a wrong secret") == 401
        assert await screen.answer(BTC, price=100) == 401
        assert await screen.answer(BTC, price=100, secret=FIRST) == 202

        await kept(screen, panel, SECOND)
        row.copy.click()
        assert QGuiApplication.clipboard().text() == SECOND
        assert await screen.answer(BTC, price=100, secret=FIRST, type="exit") == 401
        assert await screen.answer(BTC, price=100, secret=SECOND, type="exit") == 202

        row.remove.click()
        assert isinstance(panel.dialog, ConfirmDialog)
        panel.dialog.confirm.click()
        await screen.sees(lambda: panel.dialog is None)
        assert await screen.answer(BTC, price=100, secret=SECOND) == 401
        assert panel.said.text() == "The body secret of the webhook was removed."
