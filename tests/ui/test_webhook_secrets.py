"""The panel of the secrets that senders show, over a real vault: what is seen, what stays masked, what is kept."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

import pytest
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QLineEdit, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from execution_engine.adapters.security import vault as vaults
from execution_engine.adapters.security.password import Cost
from execution_engine.domain import document as documents
from execution_engine.domain.inputs import SaveSettings
from execution_engine.domain.rows import AuditEntry
from execution_engine.ui.panels.vault_asking import OpenDialog
from execution_engine.ui.panels.webhook_asking import PASSWORD as MASTER
from execution_engine.ui.panels.webhook_asking import SECRET, SecretDialog
from execution_engine.ui.panels.webhook_secrets import MASK, WebhookSecretsPanel
from execution_engine.ui.widgets import ConfirmDialog, Label
from tests.ui.house_bridge import WatchedHouse
from tests.waiting import until

W = TypeVar("W", bound=QWidget)
BODY, HMAC, PASSWORD = "the-body-secret", "the-hmac-secret", "correct horse"


@pytest.fixture
def house(tmp_path: Path, qapp: QApplication, monkeypatch: pytest.MonkeyPatch) -> WatchedHouse:
    monkeypatch.setattr(vaults, "calibrated", lambda: Cost(memory_mib=8, passes=1))
    monkeypatch.setattr(vaults.Vault, "keyring_is_there", lambda vault: False)
    made = WatchedHouse()
    made.look_after(tmp_path)
    made.bridge.attach(made.doors())
    return made


@pytest.fixture
def panel(house: WatchedHouse, qtbot: QtBot) -> WebhookSecretsPanel:
    made = WebhookSecretsPanel(house.bridge)
    qtbot.addWidget(made)
    made.resize(860, 320)
    made.show()
    return made


async def asked(panel: Any, kind: type[W]) -> W:
    await until(lambda: isinstance(panel.dialog, kind))
    return panel.dialog  # type: ignore[no-any-return]


async def to_set(panel: WebhookSecretsPanel, key: str) -> SecretDialog:
    panel.rows[key].set.click()
    return await asked(panel, SecretDialog)


async def with_vault(house: WatchedHouse, panel: WebhookSecretsPanel) -> None:
    """Have a vault with both secrets in it."""
    await house.unlocking.ready(PASSWORD)
    await house.unlocking.set_secret("body", BODY)
    await house.unlocking.set_secret("hmac", HMAC)
    panel.refresh()


def acts(house: WatchedHouse) -> list[str]:
    return [row.act for row in house.store.committed if isinstance(row, AuditEntry)]


def said_in(widget: QWidget) -> str:
    return " ".join(label.text() for label in widget.findChildren(Label))


async def test_the_first_secret_makes_a_vault_with_a_password_and_is_written_down(
    house: WatchedHouse, panel: WebhookSecretsPanel
) -> None:
    row = panel.rows["body"]
    assert row.state.text() == "not set"
    assert not any(each.isEnabled() for each in (row.eye, row.copy, row.remove))
    dialog = await to_set(panel, "body")
    assert dialog.secret.echoMode() is QLineEdit.EchoMode.Password
    assert not dialog.confirm.isEnabled()
    dialog.secret.setText("short")
    assert dialog.new_password is not None
    dialog.new_password.first.setText(PASSWORD)
    dialog.new_password.second.setText(PASSWORD)
    await until(dialog.confirm.isEnabled)
    dialog.confirm.click()
    await until(lambda: "at least 8 are needed" in dialog._hints[SECRET].text())
    dialog.secret.setText(f" {BODY}\n")
    dialog.confirm.click()
    await until(lambda: panel.dialog is None)
    assert house.unlocking.webhook_secret("body").text == BODY
    assert panel.said.text() == "The body secret of the webhook was set."
    assert acts(house)[-1] == "secret_entered"
    assert BODY not in said_in(panel)


async def test_a_secret_is_masked_until_it_is_asked_for_and_copied_by_copy_alone(
    house: WatchedHouse, panel: WebhookSecretsPanel
) -> None:
    await with_vault(house, panel)
    QGuiApplication.clipboard().setText("before")
    row, other = panel.rows["hmac"], panel.rows["body"]
    assert (row.state.text(), other.state.text()) == (MASK, MASK)
    row.eye.click()
    assert (row.state.text(), other.state.text()) == (HMAC, MASK)
    row.eye.click()
    assert row.state.text() == MASK
    row.eye.click()
    panel.hide()
    panel.show()
    assert row.state.text() == MASK  # nobody finds it open the next time
    assert QGuiApplication.clipboard().text() == "before"
    row.copy.click()
    assert QGuiApplication.clipboard().text() == HMAC
    assert HMAC not in panel.said.text()


async def test_a_secret_is_made_up_replaced_and_removed_after_a_question(
    house: WatchedHouse, panel: WebhookSecretsPanel
) -> None:
    await with_vault(house, panel)
    dialog = await to_set(panel, "hmac")
    assert (dialog.windowTitle(), dialog.confirm.text()) == ("Replace the HMAC secret", "Replace")
    assert "the old one are refused" in said_in(dialog)
    dialog.make.click()
    made = dialog.secret.text()
    assert len(made) == 32
    dialog.confirm.click()
    await until(lambda: panel.dialog is None)
    assert house.unlocking.webhook_secret("hmac").text == made
    panel.rows["hmac"].remove.click()
    question = await asked(panel, ConfirmDialog)
    question.confirm.click()
    await until(lambda: panel.dialog is None)
    assert house.unlocking.webhook_secret("hmac").text == ""
    assert house.unlocking.webhook_secret("body").text == BODY
    assert panel.rows["hmac"].state.text() == "not set"
    assert acts(house)[-2:] == ["secret_entered", "secret_removed"]


async def test_while_the_vault_is_locked_it_says_what_to_do_and_does_it(
    house: WatchedHouse, panel: WebhookSecretsPanel
) -> None:
    assert not panel.locked.isVisible()  # there is none
    await with_vault(house, panel)
    await house.unlocking.lock()
    panel.refresh()
    row = panel.rows["body"]
    assert panel.locked.isVisible()
    assert row.state.text() == "unknown while the vault is locked"
    assert not row.copy.isEnabled()
    panel.open_button.click()
    opening = await asked(panel, OpenDialog)
    opening.password.setText("wrong")
    opening.confirm.click()
    await until(lambda: "wrong" in opening._hints["present"].text())
    opening.password.setText(PASSWORD)
    house.watch += 60
    opening.confirm.click()
    await until(lambda: panel.dialog is None)
    assert not panel.locked.isVisible()
    assert row.state.text() == MASK


async def test_setting_one_opens_a_locked_vault_by_the_way(
    house: WatchedHouse, panel: WebhookSecretsPanel
) -> None:
    await with_vault(house, panel)
    await house.unlocking.lock()
    panel.refresh()
    dialog = await to_set(panel, "body")
    dialog.secret.setText("quite another secret")
    assert not dialog.confirm.isEnabled()
    dialog.fields[MASTER].setText("wrong")  # type: ignore[attr-defined]
    dialog.confirm.click()
    await until(lambda: "wrong" in dialog._hints[MASTER].text())
    dialog.fields[MASTER].setText(PASSWORD)  # type: ignore[attr-defined]
    house.watch += 60
    dialog.confirm.click()
    await until(lambda: panel.dialog is None)
    assert house.unlocking.webhook_secret("body").text == "quite another secret"
    assert house.unlocking.webhook_secret("hmac").text == HMAC


async def test_one_that_is_required_and_not_set_is_pointed_out(
    house: WatchedHouse, panel: WebhookSecretsPanel
) -> None:
    settings = documents.with_value(house.book.settings, "webhook.signature_required", True)
    house.post(SaveSettings(document=documents.dump(settings), note=""))
    panel.refresh()
    assert panel.rows["hmac"].state.text() == "required, and not set: every alert is refused"
    assert panel.rows["body"].state.text() == "not set"
    await with_vault(house, panel)
    panel.rows["hmac"].remove.click()
    question = await asked(panel, ConfirmDialog)
    assert "all refused from now on" in said_in(question)
    question.cancel.click()
    await until(lambda: panel.dialog is None)


async def test_in_read_only_mode_nothing_is_changed(house: WatchedHouse, panel: WebhookSecretsPanel) -> None:
    await with_vault(house, panel)
    settings = documents.with_value(house.book.settings, "security.read_only", True)
    house.post(SaveSettings(document=documents.dump(settings), note=""))
    dialog = await to_set(panel, "body")
    dialog.secret.setText("quite another secret")
    dialog.confirm.click()
    await until(lambda: dialog.error.isVisible())
    assert dialog.error.text().startswith("Read only: nothing can be changed by hand.")
    assert house.unlocking.webhook_secret("body").text == BODY
    dialog.cancel.click()


def test_everything_that_can_be_pressed_has_a_name(panel: WebhookSecretsPanel) -> None:
    for each in panel.findChildren(QPushButton):
        assert each.accessibleName() or each.text()
