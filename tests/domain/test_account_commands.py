"""Accounts of the user: what they may be called, which there are, and what has to be true before one trades."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from execution_engine.domain import audit
from execution_engine.domain.errors import Refusal
from execution_engine.domain.inputs import (
    AccountChanged,
    AddAccount,
    DefaultAccount,
    DisableAccount,
    EnableAccount,
    ExitGroup,
    Input,
    KeysChanged,
    KeysChecked,
    RemoveAccount,
    Verdict,
)
from execution_engine.domain.instrument import Market
from execution_engine.domain.keys import CheckResult, Keys, nothing_to_check, unreachable
from execution_engine.domain.rows import Account, AccountStatus, AuditEntry, Finding, FindingKind, Mode, World
from tests.house import NOON, House


def added(house: House, name: str = "main", **given: Any) -> Account:
    house.post(
        AddAccount(
            **({"name": name, "exchange": "binance", "market": Market.SPOT, "mode": Mode.LIVE} | given)
        )
    )
    return house.book.accounts[name]


def fit(**given: Any) -> CheckResult:
    return replace(nothing_to_check(NOON), ip_bound=True, **given)


def check(house: House, result: CheckResult, name: str = "main") -> Any:
    return house.post(KeysChecked(account=name, result=result))


def enabled(house: House, name: str = "main", **given: Any) -> Account:
    account = added(house, name, **given)
    if account.mode is not Mode.PAPER:
        check(house, fit(), name)
    house.post(EnableAccount(name=name))
    return house.book.accounts[name]


def audited(house: House) -> list[str]:
    entries = [row for row in house.store.committed if isinstance(row, AuditEntry)]
    assert list(audit.verify(entries)) == []
    return [row.act for row in entries]


def refused(house: House, wish: Input) -> str:
    reply = house.post(wish)
    assert isinstance(reply, Refusal), reply
    return reply.message


def test_a_new_account_does_nothing_until_it_is_enabled():
    house = House()
    account = added(house)
    assert (account.enabled, account.status, account.world) == (False, AccountStatus.DISABLED, World.LIVE)
    alert = house.alert(account="main")
    assert house.outcome(alert) == ("rejected", "account “main” is disabled")


@pytest.mark.parametrize("name", ["", " main", "a b", "-a", "ünlü", "a/b", "a.b", "x" * 33, "a\n"])
def test_a_name_is_plain(name: str):
    house = House()
    wish = AddAccount(name=name, exchange="binance", market=Market.SPOT, mode=Mode.LIVE)
    assert "letters, digits" in refused(house, wish)
    assert name not in house.book.accounts


def test_a_name_is_there_once_however_it_is_written():
    house = House()
    wish = AddAccount(name="PAPER", exchange="binance", market=Market.SPOT, mode=Mode.LIVE)
    assert refused(house, wish) == "There is an account “paper” already."


S, W = Market.SPOT, Market.SWAP
OFFERED = {
    ("binance", S): "live testnet demo", ("binance", W): "live demo",
    ("bybit", S): "live testnet demo", ("bybit", W): "live testnet demo",
    ("okx", S): "live demo", ("okx", W): "live demo",
    ("kucoin", S): "live", ("kucoin", W): "live",
}  # fmt: skip


@pytest.mark.parametrize("mode", list(Mode))
@pytest.mark.parametrize(("exchange", "market"), list(OFFERED))
def test_there_are_the_accounts_that_the_exchanges_offer_and_no_others(
    exchange: str, market: Market, mode: Mode
):
    house = House()
    wish = AddAccount(name="new", exchange=exchange, market=market, mode=mode)
    if mode in (*OFFERED[exchange, market].split(), "paper"):
        house.post(wish)
        world = {"paper": World.PAPER, "live": World.LIVE}.get(mode, World.TEST)
        assert house.book.accounts["new"].world is world
    else:
        assert f"{exchange} has no {mode} mode for {market} markets" in refused(house, wish)


def test_an_exchange_that_is_not_known_is_named_with_those_that_are():
    house = House()
    wish = AddAccount(name="new", exchange="mtgox", market=Market.SPOT, mode=Mode.LIVE)
    assert refused(house, wish).endswith("binance, bybit, okx, kucoin.")


def test_the_paper_exchange_takes_more_accounts_but_only_on_paper():
    house = House()
    assert added(house, exchange="paper", mode=Mode.PAPER).world is World.PAPER
    wish = AddAccount(name="other", exchange="paper", market=Market.SPOT, mode=Mode.LIVE)
    assert "no mode but paper" in refused(house, wish)


def test_keys_are_checked_before_an_account_is_enabled():
    house = House()
    added(house)
    assert "were not checked yet" in refused(house, EnableAccount(name="main"))
    assert check(house, fit()).text == "The keys of account main are fit."
    assert house.post(EnableAccount(name="main")).text == "Account main is enabled."
    assert house.book.accounts["main"].status is AccountStatus.RECONCILING
    assert house.post(EnableAccount(name="main")).text == "Account main is enabled."
    assert audited(house) == ["account_added", "account_checked", "account_enabled"]


def test_on_paper_there_is_nothing_to_check():
    assert enabled(House(), mode=Mode.PAPER).enabled


@pytest.mark.fault(52)
@pytest.mark.parametrize(
    ("found", "sentence"),
    [
        ({"can_read": False}, "cannot read the account's balance"),
        ({"can_trade": False}, "may not trade"),
        ({"can_withdraw": True}, "may withdraw or transfer"),
        ({"mode_fits": False}, "The account's mode on the exchange"),
        ({"problems": ("The key ends tomorrow.",)}, "The key ends tomorrow."),
    ],
)
def test_keys_that_are_no_good_are_refused_and_it_is_said_why(found: dict[str, Any], sentence: str):
    house = House()
    added(house)
    assert sentence in check(house, fit(**found)).message
    assert sentence in refused(house, EnableAccount(name="main"))
    assert not house.book.accounts["main"].enabled


def test_an_exchange_that_could_not_be_asked_proves_nothing():
    house = House()
    added(house)
    check(house, unreachable(NOON, "Nobody answers."))
    assert refused(house, EnableAccount(name="main")) == "Nobody answers."
    check(house, CheckResult(at=NOON, reached=False))
    assert "could not be asked" in refused(house, EnableAccount(name="main"))


def test_rights_that_an_exchange_does_not_tell_are_confirmed_by_the_user():
    house = House()
    added(house)
    check(house, fit(can_withdraw=None))
    assert "Make sure on its site" in refused(house, EnableAccount(name="main"))
    house.post(EnableAccount(name="main", confirmed=True))
    assert house.book.accounts["main"].enabled


@pytest.mark.fault(53)
def test_prices_of_a_test_mode_never_meet_real_money():
    house = House()
    enabled(house, "real", mode=Mode.LIVE)
    enabled(house, "real-too", mode=Mode.LIVE)
    enabled(house, "practice", exchange="paper", mode=Mode.PAPER)
    assert enabled(house, "perpetuals", market=Market.SWAP, mode=Mode.DEMO).enabled
    assert enabled(house, "elsewhere", exchange="bybit", mode=Mode.TESTNET).enabled
    for mode in (Mode.TESTNET, Mode.DEMO):
        name = f"try-{mode}"
        added(house, name, mode=mode)
        check(house, fit(), name)
        said = refused(house, EnableAccount(name=name))
        assert said.startswith(
            f"Account real (binance spot live) is in use, and prices of live and {mode} are"
        )
    for name in ("real", "real-too"):
        house.post(DisableAccount(name=name))
        house.post(AccountChanged(account=replace(house.book.accounts[name], status=AccountStatus.DISABLED)))
    house.post(EnableAccount(name="try-demo"))
    assert house.book.accounts["try-demo"].enabled
    assert "prices of demo and live are not mixed" in refused(house, EnableAccount(name="real"))


def test_what_is_still_held_in_another_mode_keeps_its_prices():
    house = House()
    house.price("BTCUSDT", "65000")
    house.alert()
    house.accept()
    was = house.book.accounts["paper"]
    real = replace(was, exchange="binance", mode=Mode.LIVE, enabled=False, status=AccountStatus.DISABLED)
    house.post(AccountChanged(account=real))
    added(house, "try", mode=Mode.DEMO)
    check(house, fit(), "try")
    assert "close what it holds" in refused(house, EnableAccount(name="try"))
    house.confirm_cancels()
    house.post(ExitGroup(group_id=house.group.id))
    house.confirm_cancels()
    assert house.group.status == "closed"
    house.post(EnableAccount(name="try"))
    assert house.book.accounts["try"].enabled


def test_other_keys_have_to_be_checked_again():
    house = House()
    added(house)
    check(house, fit())
    house.post(KeysChanged(account="main"))
    assert "were not checked yet" in refused(house, EnableAccount(name="main"))
    house.post(KeysChanged(account="main", entered=False))
    assert audited(house)[-2:] == ["keys_entered", "keys_removed"]


@pytest.mark.fault(50)
def test_an_enabled_account_whose_keys_went_bad_opens_nothing_more():
    house = House()
    enabled(house)
    check(house, fit(can_withdraw=True))
    account = house.book.accounts["main"]
    assert not account.enabled
    assert "may withdraw" in account.reason
    assert any(fact.notice and "may withdraw" in fact.text for fact in house.facts)


def test_an_exchange_that_is_silent_for_once_disables_nothing():
    house = House()
    enabled(house)
    check(house, unreachable(NOON, "Nobody answers."))
    assert house.book.accounts["main"].enabled


def test_what_is_held_is_looked_after_on_a_disabled_account():
    house = House()
    house.price("BTCUSDT", "65000")
    house.alert()
    house.accept()
    house.post(DisableAccount(name="paper"))
    account = house.book.accounts["paper"]
    assert (account.enabled, account.status) == (False, AccountStatus.DISABLED)
    later = house.alert(timeframe="60")
    assert house.outcome(later)[0] == "rejected"
    house.post(ExitGroup(group_id=house.group.id))
    house.confirm_cancels()
    assert house.group.status == "closed"
    assert house.post(DisableAccount(name="paper")).status == "done"
    assert audited(house) == ["account_disabled", "exit"]


def test_an_account_on_hold_stays_there_when_it_is_disabled():
    house = House()
    held = replace(house.book.accounts["paper"], status=AccountStatus.HOLD)
    house.post(AccountChanged(account=held))
    house.post(DisableAccount(name="paper"))
    assert house.book.accounts["paper"].status is AccountStatus.HOLD


def test_an_account_is_not_removed_while_anything_is_open_there():
    house = House({"pool.max_open_groups": 1})
    house.price("BTCUSDT", "65000")
    house.price("ETHUSDT", "3000")
    house.alert()
    house.accept()
    house.alert(symbol="ETHUSDT")
    assert "has 1 open groups" in refused(house, RemoveAccount(name="paper"))
    house.post(AccountChanged(account=replace(house.book.accounts["paper"], enabled=False)))
    house.post(ExitGroup(group_id=house.group.id))
    house.confirm_cancels()
    assert house.group.status == "closed"


def test_an_account_is_not_removed_while_a_signal_waits_for_it():
    house = House({"pool.max_open_groups": 1})
    added(house, "second", exchange="paper", market=Market.SPOT, mode=Mode.PAPER)
    house.post(EnableAccount(name="second"))
    house.reconcile()
    house.price("BTCUSDT", "65000")
    house.price("ETHUSDT", "3000")
    house.alert()
    house.accept()
    house.alert(symbol="ETHUSDT", account="second")
    assert "wait in the queue" in refused(house, RemoveAccount(name="second"))


def test_an_account_is_not_removed_while_an_order_works_there():
    house = House()
    house.price("BTCUSDT", "65000")
    house.alert()
    house.says(house.working[0], Verdict.UNKNOWN)
    closed = [replace(group, status="closed") for group in house.groups]
    house.book.apply(closed)
    assert "still has working orders" in refused(house, RemoveAccount(name="paper"))


def test_a_removed_account_is_gone_and_its_name_is_free():
    house = House()
    added(house)
    finding = Finding(
        id=900, at=NOON, kind=FindingKind.SURPLUS, account="main", world=World.LIVE, ref="BTC", found="More."
    )
    other = replace(finding, id=901, account="paper", world=World.PAPER)
    house.book.apply([finding, other])
    house.post(RemoveAccount(name="main"))
    assert "main" not in house.book.accounts
    assert house.book.open_findings() == [901]
    assert audited(house)[-1] == "account_removed"
    assert added(house).name == "main"


def test_one_account_of_an_exchange_and_a_market_is_the_default():
    house = House()
    for name in ("first", "second"):
        enabled(house, name, exchange="paper", mode=Mode.PAPER)
    enabled(house, "perp", exchange="paper", market=Market.SWAP, mode=Mode.PAPER)
    house.reconcile()
    for symbol in ("BTCUSDT", "BTCUSDT.P"):
        house.price(symbol, "65000")
    for name in ("perp", "first", "second"):
        house.post(DefaultAccount(name=name))
    chosen = [house.alert(symbol=symbol) for symbol in ("BTCUSDT", "BTCUSDT.P")]
    by_alert = {group.alert_id: group.account for group in house.groups}
    assert [by_alert[alert.id] for alert in chosen] == ["second", "perp"]
    house.post(DefaultAccount(name="second"))
    assert [row.name for row in house.book.accounts.values() if row.is_default] == ["second", "perp"]


@pytest.mark.parametrize(
    "wish",
    [
        EnableAccount(name="nobody"),
        DisableAccount(name="nobody"),
        RemoveAccount(name="nobody"),
        DefaultAccount(name="nobody"),
        KeysChanged(account="nobody"),
        KeysChecked(account="nobody", result=nothing_to_check(NOON)),
    ],
)
def test_an_account_that_is_not_there_is_named(wish: Input):
    assert refused(House(), wish) == "There is no account “nobody”."


def test_keys_are_in_no_text_about_them():
    keys = Keys("the-key", "the-secret", "the-phrase")
    for text in (repr(keys), str(keys), f"{keys}", repr([keys])):
        assert "the-" not in text
