"""The panels of accounts, vault, backups and audit log, over a real vault, a real database and the desk."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from execution_engine.adapters.security import vault as vaults
from execution_engine.adapters.security.password import Cost
from execution_engine.adapters.storage import backup, migrate
from execution_engine.adapters.storage.store import SqliteStore
from execution_engine.domain import audit
from execution_engine.domain.instrument import Market
from execution_engine.domain.keys import CheckResult, Keys
from execution_engine.domain.origin import Origin
from execution_engine.domain.rows import Account, AuditEntry, Engine, Mode
from execution_engine.domain.safety import VaultShown
from execution_engine.ui.panels.accounts import AccountsPanel
from execution_engine.ui.panels.accounts_asking import AccountDialog, KeysDialog
from execution_engine.ui.panels.audit import AuditPanel
from execution_engine.ui.panels.backups import SOUND, BackupsPanel
from execution_engine.ui.panels.vault import KEYRING_WORDS, PASSWORD_WORDS, VaultPanel
from execution_engine.ui.panels.vault_asking import FORGET, OpenDialog, PasswordDialog
from execution_engine.ui.widgets import ConfirmDialog
from execution_engine.unlocking import Unlocking
from tests.house import NOON
from tests.ui.house_bridge import WatchedHouse
from tests.waiting import until

KEYS_TAKE_S = 20  # half a second of a processor each, however many share it
W = TypeVar("W", bound=QWidget)
PASSWORD = "correct horse"
GIVEN = {"api_key": "the-api-key", "api_secret": "the-api-secret"}
FIT = CheckResult(at=NOON, can_read=True, can_trade=True, can_withdraw=False, mode_fits=True, ip_bound=True)


class Exchange:
    """Says of every key what the test wants, and remembers which were asked about."""

    def __init__(self) -> None:
        self.says = FIT
        self.asked: list[Keys] = []

    async def check(self, account: Account, keys: Keys) -> CheckResult:
        self.asked.append(keys)
        return self.says


class SafeHouse(WatchedHouse):
    """A house with a folder of its own, and one exchange that can be asked about keys."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.look_after(folder)
        self.exchange = Exchange()
        self.key_checks["binance"] = self.exchange
        self.bridge.attach(self.doors())

    def acts(self) -> list[str]:
        return [row.act for row in self.store.committed if isinstance(row, AuditEntry)]


@pytest.fixture
def house(tmp_path: Path, qapp: QApplication, monkeypatch: pytest.MonkeyPatch) -> SafeHouse:
    monkeypatch.setattr(vaults, "calibrated", lambda: Cost(memory_mib=8, passes=1))
    monkeypatch.setattr(vaults.Vault, "keyring_is_there", lambda vault: False)
    return SafeHouse(tmp_path)


def shown(qtbot: QtBot, panel: W) -> W:
    qtbot.addWidget(panel)
    panel.resize(860, 500)
    panel.show()
    return panel


async def asked(panel: Any, kind: type[W]) -> W:
    await until(lambda: isinstance(panel.dialog, kind))
    return panel.dialog  # type: ignore[no-any-return]


async def confirmed(panel: Any, typed: str = "") -> None:
    dialog = await asked(panel, ConfirmDialog)
    dialog.typed.setText(typed)
    dialog.confirm.click()
    await until(lambda: panel.dialog is None)


def choose(panel: AccountsPanel, name: str, words: str) -> None:
    menu = panel.menu(name)
    next(action for action in menu.actions() if action.text().startswith(words)).trigger()
    menu.deleteLater()


# -- accounts


async def test_an_account_is_added_with_a_password_and_pasted_keys_are_cleaned_and_checked(
    house: SafeHouse, qtbot: QtBot
) -> None:
    panel = shown(qtbot, AccountsPanel(house.bridge))
    panel.add_button.click()
    dialog = await asked(panel, AccountDialog)
    dialog.name.setText("paper")
    assert dialog._hints["name"].text() == "There is an account “paper” already."
    dialog.name.setText("main")
    assert not dialog.confirm.isEnabled()
    dialog.fields["api_key"].setText(" the-api- key\u200b ")
    assert "Spaces and line breaks" in dialog._hints["api_key"].text()
    dialog.fields["api_secret"].setText("the-api-secret")
    assert not dialog.asks("passphrase")
    assert dialog.new_password is not None
    dialog.new_password.first.setText("password1234")
    await until(lambda: "Weak" in dialog._hints["strength"].text())
    dialog.new_password.first.setText(PASSWORD)
    dialog.new_password.second.setText("correct hose")
    assert dialog._hints["again"].text() == "The two differ."
    dialog.new_password.second.setText(PASSWORD)
    await until(dialog.confirm.isEnabled, KEYS_TAKE_S)  # the word lists are read first
    dialog.confirm.click()
    await until(lambda: panel.dialog is None)
    house.show()
    assert house.exchange.asked == [Keys("the-api-key", "the-api-secret")]
    assert "Spaces and line breaks around or in the API key were taken out." in panel.said.text()
    assert "The keys of account main are fit." in panel.said.text()
    row = panel.rows["main"]
    assert row.keys.text().startswith("keys fit · cannot withdraw · bound to addresses · checked ")
    assert row.chip.look.word == "Disabled"
    assert "the-api-secret" not in repr(list(house.store.committed))


async def test_what_is_wrong_with_keys_is_said_at_their_field(house: SafeHouse, qtbot: QtBot) -> None:
    await house.unlocking.ready(PASSWORD)
    panel = shown(qtbot, AccountsPanel(house.bridge))
    panel.add_button.click()
    dialog = await asked(panel, AccountDialog)
    dialog.name.setText("main")
    dialog.fields["api_key"].setText("short")
    dialog.fields["api_secret"].setText("the-api-secret")
    dialog.confirm.click()
    await until(lambda: bool(dialog._hints["api_key"].text()))
    assert dialog._hints["api_key"].text().startswith("The API key is too short")
    assert dialog.fields["api_key"].property("bad") == "true"
    dialog.fields["api_key"].setText("the-api-key")
    assert dialog._hints["api_key"].text() == ""
    dialog.exchange.setCurrentIndex(dialog.exchange.findData("okx"))
    assert dialog.asks("passphrase")
    assert not dialog.confirm.isEnabled()
    dialog.exchange.setCurrentIndex(dialog.exchange.findData("paper"))
    assert not dialog.asks("api_key")
    assert dialog.confirm.isEnabled()
    assert dialog.keys() == {}


async def test_a_locked_vault_asks_for_its_password_before_other_keys_are_kept(
    house: SafeHouse, qtbot: QtBot
) -> None:
    await house.unlocking.ready(PASSWORD)
    await house.keys.add("main", "binance", Market.SPOT, Mode.LIVE, GIVEN)
    house.unlocking.vault.lock()
    house.show()
    panel = shown(qtbot, AccountsPanel(house.bridge))
    choose(panel, "main", "Enter other keys")
    dialog = await asked(panel, KeysDialog)
    dialog.fields["api_key"].setText("other-api-key")
    dialog.fields["api_secret"].setText("other-api-secret")
    dialog.fields["password"].setText("wrong horse")
    dialog.confirm.click()
    await until(lambda: dialog.fields["password"].property("bad") == "true")
    assert "master password is wrong" in dialog._hints["password"].text()
    dialog.fields["password"].setText(PASSWORD)
    dialog.confirm.click()
    await until(lambda: panel.dialog is None)
    assert house.exchange.asked[-1] == Keys("other-api-key", "other-api-secret")


async def test_rights_that_cannot_be_verified_are_confirmed_in_words(house: SafeHouse, qtbot: QtBot) -> None:
    await house.unlocking.ready(PASSWORD)
    house.exchange.says = replace(FIT, can_withdraw=None)
    await house.keys.add("main", "binance", Market.SPOT, Mode.LIVE, GIVEN)
    house.show()
    panel = shown(qtbot, AccountsPanel(house.bridge))
    assert "whether they may withdraw the exchange does not tell" in panel.rows["main"].keys.text()
    panel.rows["main"].toggle.click()
    dialog = await asked(panel, ConfirmDialog)
    assert not dialog.confirm.isEnabled()
    await confirmed(panel, "main")
    assert house.book.accounts["main"].enabled
    house.show()
    panel.rows["main"].toggle.click()
    await until(lambda: not house.book.accounts["main"].enabled)


async def test_keys_that_may_withdraw_never_trade_and_a_row_says_when_keys_end(
    house: SafeHouse, qtbot: QtBot
) -> None:
    await house.unlocking.ready(PASSWORD)
    house.exchange.says = replace(FIT, can_withdraw=True)
    await house.keys.add("main", "binance", Market.SPOT, Mode.LIVE, GIVEN)
    house.show()
    panel = shown(qtbot, AccountsPanel(house.bridge))
    assert "may withdraw or transfer" in panel.rows["main"].keys.text()
    panel.rows["main"].toggle.click()
    dialog = await asked(panel, ConfirmDialog)
    dialog.confirm.click()
    await until(lambda: bool(dialog.error))
    assert "may withdraw or transfer" in dialog.error
    dialog.reject()
    house.exchange.says = replace(FIT, ip_bound=False, expires_at=NOON + timedelta(days=3))
    choose(panel, "main", "Check keys now")
    await until(lambda: "are fit" in panel.said.text())
    house.show()
    words = panel.rows["main"].keys
    assert "not bound to an address · end on " in words.text()
    assert words.property("token") == "warn"
    choose(panel, "main", "Make it the default")
    await until(lambda: house.book.accounts["main"].is_default)
    choose(panel, "main", "Remove")
    await confirmed(panel)
    house.show()
    assert "main" not in panel.rows
    assert house.unlocking.vault.keys("main") is None
    assert house.acts()[-2:] == ["keys_removed", "account_removed"]


# -- vault


async def test_what_happens_to_the_vault_while_the_panel_asks_about_it_is_shown_too(
    house: SafeHouse, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    await house.unlocking.ready(PASSWORD)
    panel = shown(qtbot, VaultPanel(house.bridge))
    await until(lambda: panel.keyring.isVisible())
    ask, asked_before, answered = Unlocking.shown, asyncio.Event(), asyncio.Event()

    async def slowly(unlocking: Unlocking) -> VaultShown:
        vault = await ask(unlocking)
        asked_before.set()
        await answered.wait()
        return vault

    monkeypatch.setattr(Unlocking, "shown", slowly)
    panel.refresh()
    await asked_before.wait()
    house.unlocking.vault.lock()
    panel.refresh()
    answered.set()
    await until(lambda: panel.open_button.isVisible())
    assert panel.sentence.text() == "The vault is locked; a master password opens it."


async def test_the_vault_says_what_opens_it_and_what_that_is_good_for(house: SafeHouse, qtbot: QtBot) -> None:
    panel = shown(qtbot, VaultPanel(house.bridge))
    await until(lambda: panel.sentence.text() == "There are no keys yet, and so no vault.")
    assert not panel.forget.isVisible()
    panel.password.click()
    dialog = await asked(panel, PasswordDialog)
    dialog.new.first.setText(PASSWORD)
    dialog.new.second.setText(PASSWORD)
    await until(dialog.confirm.isEnabled, KEYS_TAKE_S)  # the word lists are read first
    dialog.confirm.click()
    await until(lambda: panel.words.text() == PASSWORD_WORDS, KEYS_TAKE_S)
    assert panel.sentence.text() == "The vault is open (nothing in it yet); a master password opens it."
    assert not panel.keyring.isEnabled()

    panel.password.click()
    dialog = await asked(panel, PasswordDialog)
    dialog.fields["present"].setText("wrong horse")
    dialog.new.first.setText("another password")
    dialog.new.second.setText("another password")
    await until(dialog.confirm.isEnabled, KEYS_TAKE_S)  # the word lists are read first
    dialog.confirm.click()
    await until(lambda: dialog._hints["present"].text() == "The master password is wrong.", KEYS_TAKE_S)
    dialog.fields["present"].setText(PASSWORD)
    dialog.confirm.click()
    await until(lambda: panel.dialog is None, KEYS_TAKE_S)
    house.unlocking.vault.lock()
    panel.refresh()
    await until(lambda: panel.open_button.isVisible())
    panel.open_button.click()
    opening = await asked(panel, OpenDialog)
    opening.password.setText("another password")
    opening.confirm.click()
    await until(lambda: house.unlocking.vault.is_open, KEYS_TAKE_S)

    await until(lambda: panel.dialog is None, KEYS_TAKE_S)
    panel.forget.click()
    await confirmed(panel, FORGET)
    await until(lambda: not house.unlocking.vault.exists)
    assert house.acts() == [
        "vault_made",
        "vault_refused",
        "vault_protected",
        "vault_unlocked",
        "vault_forgotten",
    ]


def test_a_vault_in_the_keyring_is_said_not_to_keep_out_who_is_logged_in() -> None:
    assert "whoever is logged in as you" in KEYRING_WORDS


# -- backups and audit log


@pytest.fixture
def database(house: SafeHouse, tmp_path: Path) -> Iterator[SqliteStore]:
    migrate.create(house.place.database)
    store = SqliteStore(house.place.database)
    entries: list[AuditEntry] = []
    done = (
        (audit.Act.PAUSED, ""),  # from before its origin was noted
        (audit.Act.KEYS_ENTERED, Origin.WINDOW),
        (audit.Act.VAULT_REFUSED, Origin.COMMAND_LINE),
    )
    for id, (act, origin) in enumerate(done, 1):
        entry = AuditEntry(id=id, at=NOON + timedelta(minutes=id), act=act, detail=f"what was done, {id}")
        entry = replace(entry, origin=origin)
        entries.append(audit.chain(entries[-1].hash if entries else audit.BEGINNING, entry))
    store.write((Engine(install_key="key"), *entries), lambda failure: None)
    yield store
    store.close()


async def test_backups_are_made_listed_checked_and_restored_after_a_question(
    house: SafeHouse, database: SqliteStore, qtbot: QtBot
) -> None:
    panel = shown(qtbot, BackupsPanel(house.bridge))
    panel.make.click()
    await until(lambda: len(panel.rows) == 1)
    assert "was made and checked" in panel.said.text()
    assert panel.facts.text("last") == "0 s ago"
    assert not panel.restore.isEnabled()
    (key,) = panel.rows.keys()
    panel.view.select(key)
    panel.check.click()
    await until(lambda: panel.found.get(str(key)) == SOUND)
    panel.verify.click()
    await until(lambda: panel.said.text().startswith("The database is sound"))
    panel.restore.click()
    await confirmed(panel)
    assert "was restored. The database before it is kept as engine-set-aside-" in panel.said.text()
    await until(lambda: len(panel.rows) == 2)
    assert panel.facts.text("aside").startswith("engine-set-aside-")
    panel.export_to(house.place.root / "trades.json")
    await until((house.place.root / "trades.json").exists)
    assert json.loads((house.place.root / "trades.json").read_text()) == []


async def test_a_file_that_is_no_backup_is_refused_in_the_dialog(
    house: SafeHouse, database: SqliteStore, qtbot: QtBot
) -> None:
    panel = shown(qtbot, BackupsPanel(house.bridge))
    letter = house.place.root / "letter.sqlite"
    letter.write_text("dear reader")
    panel.ask_to_restore(letter)
    dialog = await asked(panel, ConfirmDialog)
    dialog.confirm.click()
    await until(lambda: bool(dialog.error))
    assert "is not a backup of this application" in dialog.error


async def test_a_backup_of_a_newer_version_is_refused_in_the_dialog(
    house: SafeHouse, database: SqliteStore, qtbot: QtBot
) -> None:
    panel = shown(qtbot, BackupsPanel(house.bridge))
    newer = backup.backup(house.place.database, house.place.root / "newer.sqlite")
    with closing(sqlite3.connect(newer)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    panel.ask_to_restore(newer)
    dialog = await asked(panel, ConfirmDialog)
    dialog.confirm.click()
    await until(lambda: bool(dialog.error))
    assert "was written by a newer version. Install that version to restore it." in dialog.error


async def test_a_folder_that_others_synchronise_is_warned_of(tmp_path: Path, qtbot: QtBot) -> None:
    (tmp_path / "Dropbox").mkdir()
    house = SafeHouse(tmp_path / "Dropbox")
    panel = shown(qtbot, BackupsPanel(house.bridge))
    await until(lambda: "Dropbox" in panel.cautions.text())
    assert panel.cautions.isVisible()


async def test_what_was_typed_as_a_secret_is_in_no_title_tooltip_or_clipboard(
    house: SafeHouse, qtbot: QtBot
) -> None:
    panel = shown(qtbot, AccountsPanel(house.bridge))
    panel.add_button.click()
    dialog = await asked(panel, AccountDialog)
    dialog.name.setText("main")
    assert dialog.new_password is not None
    secret = {"api_key": "shown-key-4711", "api_secret": "hidden-secret-4712"}
    for name, text in secret.items():
        dialog.fields[name].setText(text)
    for field in (dialog.new_password.first, dialog.new_password.second):
        field.setText(PASSWORD)
        field.selectAll()
        field.copy()  # a field of a password gives nothing away
    assert found_in_widgets([*secret.values(), PASSWORD]) == []
    await until(dialog.confirm.isEnabled, KEYS_TAKE_S)  # the word lists are read first
    dialog.confirm.click()
    await until(lambda: panel.dialog is None)
    assert found_in_widgets([*secret.values(), PASSWORD]) == []


def found_in_widgets(secrets: list[str]) -> list[str]:
    """Return every secret that is told by a title, a tooltip, an accessible word or the clipboard."""
    told = [QGuiApplication.clipboard().text()]
    for widget in QApplication.allWidgets():
        told += [
            widget.windowTitle(),
            widget.toolTip(),
            widget.accessibleName(),
            widget.accessibleDescription(),
        ]
        told += [widget.statusTip(), widget.whatsThis(), widget.objectName()]
    return [secret for secret in secrets if any(secret in text for text in told)]


async def test_the_audit_log_is_shown_searched_verified_and_written_to_a_file(
    house: SafeHouse, database: SqliteStore, qtbot: QtBot
) -> None:
    panel = shown(qtbot, AuditPanel(house.bridge))
    await until(lambda: len(panel.rows) == 3)
    first = panel.rows.record_at(panel.rows.index(0, 0))
    assert first.act == "vault_refused"  # the newest stands at the top
    assert panel.head.text().startswith("last: 3 · ")
    panel.search.setText("keys ENTERED")
    assert panel.counted.text() == "1 of 3 entries"
    panel.search.setText("command line")
    assert panel.counted.text() == "1 of 3 entries"
    panel.search.clear()
    column = [each.key for each in panel.rows.columns].index("origin")
    shown_as = [panel.rows.index(row, column).data() for row in range(3)]
    assert shown_as == ["Command line", "Window", "–"]
    panel.verify.click()
    await until(lambda: panel.said.text().startswith("The chain holds"))
    panel.export_to(house.place.root / "audit.csv")
    await until((house.place.root / "audit.csv").exists)
    entry = AuditEntry(id=9, at=NOON, act="exit", detail="put in by somebody", hash="x")
    database.write((entry,), lambda failure: None)
    panel.verify.click()
    await until(lambda: "Audit entry 9" in panel.said.text())
    assert panel.said.property("token") == "danger"


def test_everything_that_can_be_pressed_has_a_name(house: SafeHouse, qtbot: QtBot) -> None:
    for make in (AccountsPanel, VaultPanel, BackupsPanel, AuditPanel):
        panel = make(house.bridge)
        qtbot.addWidget(panel)
        for each in panel.findChildren(QPushButton):
            assert each.accessibleName() or each.text()
