"""Accounts and the vault changed together, with an exchange that answers about keys."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from execution_engine.accounts import AccountRefused, Accounts
from execution_engine.adapters.security import vault as vaults
from execution_engine.adapters.security.password import Cost
from execution_engine.adapters.security.vault import Vault
from execution_engine.domain import account_commands, audit
from execution_engine.domain.draft import Draft
from execution_engine.domain.errors import EngineError, VaultError, VaultTrouble
from execution_engine.domain.instrument import Market
from execution_engine.domain.keys import CheckResult, Keys
from execution_engine.domain.rows import Account, AuditEntry, Mode
from execution_engine.unlocking import HMAC, Unlocking
from tests.house import NOON, House

PASSWORD = "correct horse"
GIVEN = {"api_key": "the-api-key", "api_secret": "the-api-secret"}
OTHER = {"api_key": "other-api-key", "api_secret": "other-api-secret"}
FIT = CheckResult(at=NOON, can_read=True, can_trade=True, can_withdraw=False, mode_fits=True, ip_bound=True)


class Exchange:
    """Knows which keys it gave out and what they may do."""

    def __init__(self) -> None:
        self.says: dict[str, CheckResult] = {"the-api-key": FIT, "other-api-key": FIT}
        self.asked: list[tuple[str, str]] = []

    async def check(self, account: Account, keys: Keys) -> CheckResult:
        self.asked.append((account.name, keys.api_key))
        return self.says[keys.api_key]


class Desk:
    """A house with a vault, and an exchange that can be asked about keys."""

    def __init__(self, folder: Path) -> None:
        self.house = House()
        self.exchange = Exchange()
        self.vault = Vault(folder / "vault")
        self.heard: list[str] = []
        self.unlocking = Unlocking(self.vault, self.ask, [lambda: self.heard.append("open")])
        self.accounts = Accounts(
            self.unlocking,
            self.ask,
            lambda: self.house.book.accounts,
            lambda name: account_commands.fault_of_removal(Draft(self.house.book, NOON), name),
            {"binance": self.exchange},
            self.house.clock.now,
        )

    async def ask(self, given: Any) -> Any:
        return self.house.post(given)

    async def add(self, name: str = "main", given: dict[str, str] = GIVEN) -> list[str]:
        return await self.accounts.add(name, "binance", Market.SPOT, Mode.LIVE, given)

    @property
    def acts(self) -> list[str]:
        entries = [row for row in self.house.store.committed if isinstance(row, AuditEntry)]
        assert list(audit.verify(entries)) == []
        return [row.act for row in entries]


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.setattr(vaults, "calibrated", lambda: Cost(memory_mib=8, passes=1))
    return Desk(tmp_path)


async def refused(work: Any) -> str:
    with pytest.raises(EngineError) as caught:
        await work
    return str(caught.value)


async def test_an_account_with_good_keys_is_added_checked_and_enabled(desk: Desk) -> None:
    await desk.unlocking.ready(PASSWORD)
    assert await desk.add() == [
        "Account main was added. It is disabled until you enable it.",
        "The keys of account main are fit.",
    ]
    assert desk.vault.keys("main") == Keys("the-api-key", "the-api-secret")
    assert not desk.accounts.needs_confirmation("main")
    assert await desk.accounts.enable("main") == "Account main is enabled."
    assert desk.acts == [
        "vault_made",
        "account_added",
        "keys_entered",
        "account_checked",
        "account_enabled",
    ]
    assert desk.heard == ["open"]


async def test_keys_that_may_withdraw_are_kept_but_never_trade(desk: Desk) -> None:
    await desk.unlocking.ready(PASSWORD)
    desk.exchange.says["the-api-key"] = CheckResult(
        at=NOON, can_read=True, can_trade=True, can_withdraw=True, mode_fits=True
    )
    assert "may withdraw" in (await desk.add())[-1]
    assert "may withdraw" in await refused(desk.accounts.enable("main"))
    assert (await desk.accounts.enter_keys("main", OTHER))[-1] == "The keys of account main are fit."
    await desk.accounts.enable("main")


async def test_rights_that_cannot_be_verified_need_a_word_of_the_user(desk: Desk) -> None:
    await desk.unlocking.ready(PASSWORD)
    desk.exchange.says["the-api-key"] = CheckResult(at=NOON, can_read=True, can_trade=True, mode_fits=True)
    await desk.add()
    assert desk.accounts.needs_confirmation("main")
    assert "confirm it" in await refused(desk.accounts.enable("main"))
    await desk.accounts.enable("main", confirmed=True)
    assert not desk.accounts.needs_confirmation("main")


async def test_the_daily_check_asks_about_what_is_enabled_and_stops_what_went_bad(desk: Desk) -> None:
    await desk.unlocking.ready(PASSWORD)
    await desk.add()
    await desk.add("idle")
    await desk.accounts.enable("main")
    desk.exchange.asked.clear()
    desk.exchange.says["the-api-key"] = CheckResult(at=NOON, can_read=True, can_trade=False, mode_fits=True)
    await desk.accounts.check_all()
    assert desk.exchange.asked == [("main", "the-api-key")]
    assert not desk.house.book.accounts["main"].enabled


async def test_nothing_is_added_where_no_key_can_be_kept(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise VaultError(VaultTrouble.UNREADABLE, "The disk is full.")

    await desk.unlocking.ready(PASSWORD)
    monkeypatch.setattr(desk.vault, "put_keys", full)
    assert await refused(desk.add()) == "The disk is full."
    assert "main" not in desk.house.book.accounts


async def test_wrong_wishes_leave_no_keys_behind(desk: Desk) -> None:
    await desk.unlocking.ready(PASSWORD)
    assert "already" in await refused(desk.add("Paper"))
    add = desk.accounts.add
    assert "no testnet mode" in await refused(add("x", "kucoin", Market.SPOT, Mode.TESTNET, GIVEN))
    assert "passphrase" in await refused(add("x", "kucoin", Market.SPOT, Mode.LIVE, GIVEN))
    assert "Keys are texts" in await refused(add("x", "binance", Market.SPOT, Mode.LIVE, {"api_key": 5}))  # type: ignore[dict-item]
    assert "missing" in await refused(add("x", "binance", Market.SPOT, Mode.LIVE))
    assert "needs no keys" in await refused(desk.accounts.enter_keys("paper", GIVEN))
    assert desk.vault.keys("x") is None
    assert desk.vault.keys("Paper") is None


async def test_an_exchange_that_nobody_can_ask_proves_nothing(desk: Desk) -> None:
    await desk.unlocking.ready(PASSWORD)
    told = await desk.accounts.add("other", "bybit", Market.SWAP, Mode.DEMO, GIVEN)
    assert told[-1] == "This version cannot reach bybit yet."
    assert "cannot reach bybit" in await refused(desk.accounts.enable("other"))


async def test_an_account_whose_keys_are_gone_says_so(desk: Desk) -> None:
    await desk.unlocking.ready(PASSWORD)
    await desk.add()
    await desk.unlocking.forget()
    await desk.unlocking.ready(PASSWORD)
    assert "holds no keys of account main" in await desk.accounts.check("main")
    assert desk.exchange.asked == [("main", "the-api-key")]


async def test_removing_takes_the_keys_first(desk: Desk) -> None:
    await desk.unlocking.ready(PASSWORD)
    await desk.add()
    await desk.unlocking.lock()
    assert desk.unlocking.trouble == "The vault was locked by you."
    assert "master password opens it" in await refused(desk.accounts.remove("main"))
    assert "main" in desk.house.book.accounts
    await desk.unlocking.open(PASSWORD)
    await desk.accounts.remove("main")
    assert desk.vault.keys("main") is None
    assert desk.acts[-3:] == ["vault_unlocked", "keys_removed", "account_removed"]


async def test_an_account_is_removed_after_all_keys_were_forgotten(desk: Desk) -> None:
    await desk.unlocking.ready(PASSWORD)
    await desk.add()
    await desk.unlocking.forget()
    assert await desk.accounts.remove("main") == "Account main was removed."


async def test_an_account_with_open_groups_keeps_its_keys(desk: Desk) -> None:
    desk.house.price("BTCUSDT", "65000")
    desk.house.alert()
    with pytest.raises(AccountRefused, match="has 1 open groups"):
        await desk.accounts.remove("paper")


async def test_wrong_passwords_are_written_down(desk: Desk) -> None:
    await desk.unlocking.ready(PASSWORD)
    await desk.unlocking.lock()
    await refused(desk.unlocking.ready("a wrong password"))
    assert "wrong" in desk.unlocking.trouble
    await desk.unlocking.at_start("another wrong one")
    await desk.unlocking.at_start(PASSWORD)
    assert desk.unlocking.trouble == ""
    assert desk.acts[-3:] == ["vault_refused", "vault_refused", "vault_unlocked"]


async def test_other_locks_and_secrets_are_written_down(desk: Desk) -> None:
    await desk.unlocking.ready(PASSWORD)
    assert desk.unlocking.listener_secrets().locked is False
    await desk.unlocking.protect("another password", present=PASSWORD)
    await desk.unlocking.set_secret(HMAC, "a secret of senders")
    assert desk.unlocking.listener_secrets().hmac_secret == "a secret of senders"
    await desk.unlocking.lock()
    assert desk.unlocking.listener_secrets().locked
    await desk.unlocking.open("another password")
    await desk.unlocking.set_secret(HMAC, None)
    assert desk.unlocking.listener_secrets().hmac_secret is None
    assert desk.acts == [
        "vault_made",
        "vault_protected",
        "secret_entered",
        "vault_locked",
        "vault_unlocked",
        "secret_removed",
    ]


async def test_whoever_fails_at_hearing_keeps_nobody_else_from_it(desk: Desk) -> None:
    heard: list[str] = []

    def fail() -> None:
        raise RuntimeError("no")

    desk.unlocking.on_open[:] = [fail, lambda: heard.append("open")]
    await desk.unlocking.ready(PASSWORD)
    assert heard == ["open"]


async def test_keys_can_be_tried_without_being_kept(desk: Desk) -> None:
    def tried(given: dict[str, str], exchange: str = "binance", mode: Mode = Mode.LIVE) -> Any:
        return desk.accounts.try_keys(exchange, Market.SPOT, mode, given)

    assert await tried(GIVEN) == FIT
    assert desk.exchange.asked == [("these keys", "the-api-key")]
    assert "too short" in await refused(tried({"api_key": "short", "api_secret": "the-api-secret"}))
    assert "kucoin" in await refused(tried(GIVEN | {"passphrase": "x"}, "kucoin", Mode.TESTNET))
    assert not (await tried(GIVEN, "bybit")).reached
    assert not desk.vault.exists
    assert "main" not in desk.house.book.accounts
    assert desk.acts == []
