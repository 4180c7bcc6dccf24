"""Webhooks: who may have which name, use which account, and for how long an old token counts."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from execution_engine.domain import audit
from execution_engine.domain.errors import Refusal
from execution_engine.domain.inputs import (
    AddToken,
    AllowAccounts,
    Input,
    RenameToken,
    RevokeToken,
    RotateToken,
    TokenUsed,
)
from execution_engine.domain.rows import AuditEntry, WebhookToken
from execution_engine.domain.token_commands import LONGEST_OVERLAP_S, MOST_TOKENS
from tests.house import NOON, House

OLD, NEW = "old-" + "o" * 28, "new-" + "n" * 28
DAY_S = 24 * 3600


def house_with(name: str = "TradingView") -> House:
    house = House()
    house.post(AddToken(name=name, token=OLD))
    return house


def acts(house: House) -> list[str]:
    entries = [row for row in house.store.committed if isinstance(row, AuditEntry)]
    assert list(audit.verify(entries)) == []
    assert not any(OLD in entry.detail or NEW in entry.detail for entry in entries)
    return [row.act for row in entries]


def test_a_new_webhook_may_use_every_account_unless_some_are_named():
    house = house_with()
    told = house.post(AddToken(name="scalper", token=NEW, accounts=("paper-perp", "paper", "paper")))
    assert told.text == "Webhook scalper was added; it may use accounts paper, paper-perp only."
    assert house.book.tokens["TradingView"].accounts == ()
    assert house.book.tokens["scalper"] == WebhookToken(
        name="scalper", token=NEW, accounts=("paper", "paper-perp"), created_at=NOON
    )
    assert acts(house) == ["token_added", "token_added"]


@pytest.mark.parametrize("name", ["", " ", "-x", "a/b", "tab\t", "end ", "ümlaut", "x" * 33, "tradingVIEW"])
def test_a_name_is_short_plain_and_taken_once(name: str):
    house = house_with()
    assert house.post(AddToken(name=name, token=NEW)).code == "NAME"
    assert list(house.book.tokens) == ["TradingView"]


@pytest.mark.parametrize("token", ["", "short", "x" * 21, "x" * 129, "white space" * 3, "slash/" * 6])
def test_a_token_that_could_be_guessed_or_breaks_a_url_is_refused(token: str):
    house = house_with()
    assert house.post(AddToken(name="second", token=token)).code == "TOKEN"
    assert house.post(RotateToken(name="TradingView", token=token, overlap_s=0)).code == "TOKEN"


def test_accounts_that_do_not_exist_cannot_be_allowed():
    house = house_with()
    for wish in (
        AddToken(name="second", token=NEW, accounts=("paper", "nowhere")),
        AllowAccounts(name="TradingView", accounts=("nowhere",)),
    ):
        assert house.post(wish).message == "There is no account “nowhere”."


def test_there_is_a_most_number_of_webhooks():
    house = House()
    for number in range(MOST_TOKENS):
        house.post(AddToken(name=f"hook {number}", token=f"{number:032}"))
    assert house.post(AddToken(name="one more", token=NEW)).code == "TOO_MANY"


def test_the_old_token_counts_for_as_long_as_was_said():
    house = house_with()
    told = house.post(RotateToken(name="TradingView", token=NEW, overlap_s=DAY_S))
    assert told.text == "Webhook TradingView has a new token; the old one counts until 2026-11-21 12:00 UTC."
    row = house.book.tokens["TradingView"]
    assert (row.token, row.previous_token, row.previous_until) == (NEW, OLD, NOON + timedelta(days=1))
    assert acts(house)[-1] == "token_rotated"


def test_without_an_overlap_the_old_token_is_wrong_at_once():
    house = house_with()
    assert house.post(RotateToken(name="TradingView", token=NEW, overlap_s=0)).text.endswith(
        "the old one is wrong from now on."
    )
    row = house.book.tokens["TradingView"]
    assert (row.token, row.previous_token, row.previous_until) == (NEW, "", None)


@pytest.mark.parametrize("overlap_s", [-1, LONGEST_OVERLAP_S + 1])
def test_an_overlap_has_its_limits(overlap_s: int):
    house = house_with()
    assert house.post(RotateToken(name="TradingView", token=NEW, overlap_s=overlap_s)).code == "OVERLAP"


def test_a_new_name_keeps_the_url_and_everything_else():
    house = house_with()
    before = house.book.tokens["TradingView"]
    assert house.post(RenameToken(name="TradingView", to="tradingview")).text == (
        "Webhook TradingView is called tradingview now."
    )
    assert house.book.tokens == {"tradingview": replace(before, name="tradingview")}
    house.post(RenameToken(name="tradingview", to="tradingview"))
    assert list(house.book.tokens) == ["tradingview"]
    house.post(AddToken(name="second", token=NEW))
    assert house.post(RenameToken(name="second", to="TradingView")).code == "NAME"


def test_a_revoked_webhook_is_gone_and_its_name_is_free():
    house = house_with()
    house.post(RevokeToken(name="TradingView"))
    assert house.book.tokens == {}
    house.post(AddToken(name="TradingView", token=NEW))
    assert house.book.tokens["TradingView"].token == NEW
    assert acts(house) == ["token_added", "token_revoked", "token_added"]


def test_the_accounts_of_a_webhook_can_be_changed():
    house = house_with()
    assert house.post(AllowAccounts(name="TradingView", accounts=("paper",))).text == (
        "Webhook TradingView may use account paper only now."
    )
    assert house.book.tokens["TradingView"].accounts == ("paper",)
    house.post(AllowAccounts(name="TradingView", accounts=()))
    assert house.book.tokens["TradingView"].accounts == ()


def test_its_last_use_never_goes_back_and_is_no_act_to_be_audited():
    house = house_with()
    for minutes in (5, 3):
        house.post(TokenUsed(name="TradingView", at=NOON + timedelta(minutes=minutes)))
    assert house.book.tokens["TradingView"].last_used_at == NOON + timedelta(minutes=5)
    house.post(TokenUsed(name="gone", at=NOON))
    assert list(house.book.tokens) == ["TradingView"]
    assert acts(house) == ["token_added"]


@pytest.mark.parametrize(
    "wish",
    [
        RotateToken(name="nobody", token=NEW, overlap_s=0),
        RevokeToken(name="nobody"),
        RenameToken(name="nobody", to="somebody"),
        AllowAccounts(name="nobody", accounts=()),
    ],
)
def test_what_is_not_there_cannot_be_changed(wish: Input):
    house = house_with()
    told = house.post(wish)
    assert isinstance(told, Refusal)
    assert told.message == "There is no webhook “nobody”."
    assert acts(house) == ["token_added"]
