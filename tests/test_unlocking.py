"""Back to a locked window, and other locks on the vault: by whom, how often, and what is written down."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keyring as system
import pytest

from execution_engine.adapters.security import vault as vaults
from execution_engine.adapters.security.password import Cost
from execution_engine.adapters.security.patience import Patience
from execution_engine.adapters.security.vault import Vault
from execution_engine.domain.composer_check import BodySecret
from execution_engine.domain.errors import VaultError, VaultTrouble
from execution_engine.domain.keys import Keys
from execution_engine.domain.rows import AuditEntry
from execution_engine.domain.safety import VaultShown
from execution_engine.unlocking import Unlocking
from tests.adapters.security.keyrings import Remembering
from tests.house import House

PASSWORD = "correct horse"


class Desk:
    """A house with a vault whose keyring is this test's, and a watch that stands still."""

    def __init__(self, folder: Path) -> None:
        self.house = House()
        self.at = 0.0
        self.vault = Vault(folder / "vault")
        self.unlocking = Unlocking(self.vault, self.ask, patience=Patience(lambda: self.at))

    async def ask(self, given: Any) -> Any:
        return self.house.post(given)

    @property
    def acts(self) -> list[str]:
        return [row.act for row in self.house.store.committed if isinstance(row, AuditEntry)]

    async def trouble(self, work: Any) -> VaultTrouble:
        with pytest.raises(VaultError) as caught:
            await work
        return caught.value.trouble


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.setattr(vaults, "calibrated", lambda: Cost(memory_mib=8, passes=1))
    return Desk(tmp_path)


@pytest.fixture
def keyring() -> Iterator[Remembering]:
    before, made = system.get_keyring(), Remembering()
    system.set_keyring(made)
    yield made
    system.set_keyring(before)


async def test_only_the_master_password_leads_back_to_a_locked_window(desk: Desk) -> None:
    await desk.unlocking.ready(PASSWORD)
    await desk.unlocking.window_locked("by you")
    assert await desk.trouble(desk.unlocking.consent()) is VaultTrouble.PASSWORD_NEEDED
    assert await desk.trouble(desk.unlocking.consent("wrong horse")) is VaultTrouble.PASSWORD_WRONG
    await desk.unlocking.consent(PASSWORD)
    assert desk.vault.is_open  # the engine kept its keys all the while
    assert desk.acts == ["vault_made", "window_locked", "vault_refused", "window_unlocked"]


async def test_ten_wrong_passwords_take_minutes_and_the_right_one_waits_as_well(desk: Desk) -> None:
    await desk.unlocking.ready(PASSWORD)
    for _ in range(10):
        desk.at += 300
        assert await desk.trouble(desk.unlocking.consent("wrong horse")) is VaultTrouble.PASSWORD_WRONG
    desk.at += 127
    assert await desk.trouble(desk.unlocking.consent(PASSWORD)) is VaultTrouble.TOO_SOON
    assert desk.acts.count("vault_refused") == 10
    desk.at += 1
    await desk.unlocking.consent(PASSWORD)
    assert await desk.trouble(desk.unlocking.consent("wrong horse")) is VaultTrouble.PASSWORD_WRONG


async def test_guessing_at_the_vault_itself_is_slowed_down_alike(desk: Desk) -> None:
    await desk.unlocking.ready(PASSWORD)
    desk.vault.lock()
    for _ in range(3):
        assert await desk.trouble(desk.unlocking.open("wrong horse")) is VaultTrouble.PASSWORD_WRONG
    assert await desk.trouble(desk.unlocking.open(PASSWORD)) is VaultTrouble.TOO_SOON
    assert desk.unlocking.trouble == "The master password is wrong; the vault stays locked."
    desk.at += 1
    await desk.unlocking.open(PASSWORD)
    assert desk.unlocking.trouble == ""


async def test_where_only_a_keyring_opens_the_vault_it_lets_its_user_back(
    desk: Desk, keyring: Remembering
) -> None:
    await desk.unlocking.consent()  # no vault: nothing keeps anybody out
    await desk.unlocking.ready()
    await desk.unlocking.consent()
    assert await desk.trouble(desk.unlocking.consent(PASSWORD)) is VaultTrouble.PASSWORD_WRONG
    assert desk.acts == ["window_unlocked", "vault_made", "window_unlocked", "vault_refused"]


async def test_other_locks_are_put_on_by_who_opens_the_present_ones(desk: Desk, keyring: Remembering) -> None:
    unlocking = desk.unlocking
    await unlocking.ready()
    desk.vault.put_keys("main", Keys("the-api-key", "the-api-secret"))
    await unlocking.protect(PASSWORD)
    assert await unlocking.shown() == VaultShown(
        exists=True, is_open=True, password=True, system_keyring=True, keys=1
    )
    assert await desk.trouble(unlocking.protect(in_keyring=True)) is VaultTrouble.PASSWORD_NEEDED
    wrong = unlocking.protect(in_keyring=True, present="wrong horse")
    assert await desk.trouble(wrong) is VaultTrouble.PASSWORD_WRONG
    weak = unlocking.protect("password1234", present=PASSWORD)
    assert await desk.trouble(weak) is VaultTrouble.PASSWORD_WEAK
    await unlocking.protect(in_keyring=True, present=PASSWORD)
    shown = await unlocking.shown()
    assert (shown.password, shown.keyring, shown.keys) == (False, True, 1)


async def test_what_is_shown_of_no_vault_and_of_a_damaged_one(desk: Desk) -> None:
    assert (await desk.unlocking.shown()).exists is False
    (desk.vault._path).write_bytes(b"no vault at all")
    shown = await desk.unlocking.shown()
    assert shown.exists
    assert "is not a vault" in shown.trouble


async def test_the_window_learns_what_a_message_must_hold_while_the_vault_is_open(desk: Desk) -> None:
    assert desk.unlocking.body_secret() == BodySecret()
    await desk.unlocking.ready(PASSWORD)
    await desk.unlocking.set_secret("body", "a secret for bodies")
    known = desk.unlocking.body_secret()
    assert known == BodySecret("a secret for bodies")
    assert "secret for bodies" not in repr(known)
    await desk.unlocking.lock()
    assert desk.unlocking.body_secret() == BodySecret(locked=True)
