"""Who can be the loser: each rule met and not met, in words, with its countdown."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from execution_engine.domain.inputs import Price
from execution_engine.domain.instrument import Market, Side
from execution_engine.domain.risk_candidate import account_hold, candidate, fee_percent
from execution_engine.domain.risk_rules import QUICKEST_FIRST, RULES, is_eligible, verdicts
from execution_engine.domain.rows import AccountStatus, GroupStatus, Mode, World
from execution_engine.domain.settings import Settings, TimerStart
from tests.domain.house_risk import NOON, D, account_row, group, perp, risk, seen, spot

TOO_SMALL = "below the exchange's minimum, or without a price"
FULL: dict[str, Any] = {"max_pyramids": 5}
CONTRACTS: dict[str, Any] = {"step": D("0.1"), "min_qty": D("0.1"), "contract_size": D("0.1")}

# rule, what the group is like, the settings, the price, met, words, until
CASES: list[tuple[str, dict[str, Any], dict[str, Any], str | None, bool, str, Any]] = [
    ("position", {}, {}, "94", True, "holds 10 L", None),
    ("position", {"avg_entry": None}, {}, "94", False, "nothing is held", None),
    ("not_closing", {}, {}, "94", True, "open", None),
    ("not_closing", {"status": GroupStatus.CLOSING}, {}, "94", False, "closing", None),
    ("not_closing", {"status": GroupStatus.CLOSING, "close_reason": "by you"}, {}, "94", False, "by you", None),
    ("not_on_hold", {}, {}, "94", True, "nothing holds it", None),
    ("not_on_hold", {"hold": "2 L are missing"}, {}, "94", False, "2 L are missing", None),
    ("fresh_price", {}, {}, "94", True, "a close would get 94 USDT", None),
    ("fresh_price", {}, {}, None, False, "no fresh price", None),
    ("filled_grid", {}, {}, "94", True, "no entry leg is working", None),
    ("filled_grid", {"status": GroupStatus.PARTIALLY_FILLED}, {}, "94", False, "entry legs still work", None),
    (
        "filled_grid",
        {"status": GroupStatus.PARTIALLY_FILLED},
        {"require_filled_grid": False},
        "94",
        True,
        "not asked by the settings",
        None,
    ),
    ("full_pyramids", FULL | {"pyramid_count": 5}, {}, "94", True, "5 of 5 pyramids", None),
    ("full_pyramids", FULL | {"pyramid_count": 4}, {}, "94", False, "4 of 5 pyramids", None),
    (
        "full_pyramids",
        FULL | {"pyramid_count": 4},
        {"require_full_pyramids": False},
        "94",
        True,
        "not asked by the settings",
        None,
    ),
    ("timer", {}, {}, "94", True, "expired 2026-11-20 12:00:00 UTC", None),
    (
        "timer",
        {"timer_expires_at": NOON + timedelta(seconds=1)},
        {},
        "94",
        False,
        "runs until 2026-11-20 12:00:01 UTC",
        NOON + timedelta(seconds=1),
    ),
    (
        "timer",
        {"timer_started_at": None, "timer_expires_at": None},
        {"timer_start": TimerStart.AFTER_5_PYRAMIDS},
        "94",
        False,
        "not started; it starts when all pyramids are there",
        None,
    ),
    ("loss", {}, {}, "95", True, "-5.00 % now; asked is -5 % or less", None),
    ("loss", {}, {}, "95.01", False, "-4.99 % now; asked is -5 % or less", None),
    ("loss", {}, {"loss_threshold_percent": D("-0.5")}, "99.50", True, "-0.50 % now; asked is -0.5 % or less", None),
    ("loss", {}, {}, "106", False, "6.00 % now; asked is -5 % or less", None),
    ("loss", {}, {}, None, False, "no result without a position and a fresh price", None),
    ("age", {}, {}, "94", True, "not asked by the settings", None),
    (
        "age",
        {"created_at": NOON - timedelta(minutes=31)},
        {"use_age_filter": True, "age_threshold_minutes": 30},
        "94",
        True,
        "31 min old; asked are more than 30 min",
        None,
    ),
    (
        "age",
        {"created_at": NOON - timedelta(minutes=30)},
        {"use_age_filter": True, "age_threshold_minutes": 30},
        "94",
        False,
        "30 min old; asked are more than 30 min",
        NOON,
    ),
    ("sellable", {}, {}, "94", True, "all of it can be sold", None),
    ("sellable", {"open_quantity": D("0.05")}, {}, "94", False, TOO_SMALL, None),
    ("sellable", {}, {}, None, False, TOO_SMALL, None),
    ("not_blocked", {}, {}, "94", True, "not blocked", None),
    ("not_blocked", {"blocked": True}, {}, "94", False, "blocked by you", None),
    ("not_skipped", {}, {}, "94", True, "not skipped", None),
    ("not_skipped", {"skip_once": True}, {}, "94", False, "skipped the next time", None),
]  # fmt: skip


@pytest.mark.parametrize(("name", "of", "settings", "price", "met", "words", "until"), CASES)
def test_a_rule_says_how_a_group_stands(
    name: str,
    of: dict[str, Any],
    settings: dict[str, Any],
    price: str | None,
    met: bool,
    words: str,
    until: Any,
):
    found = seen(group(**of), price)
    told = {verdict.name: verdict for verdict in verdicts(found, risk(**settings), NOON)}[name]
    assert (told.met, told.words, told.until) == (met, words, until)
    assert told.asked is (words != "not asked by the settings")
    others = {verdict.name for verdict in verdicts(found, risk(**settings), NOON) if not verdict.met} - {name}
    assert is_eligible(found, risk(**settings), NOON) is (met and not others)


def test_a_group_that_meets_every_rule_can_be_the_loser_and_one_unmet_rule_is_enough_to_spare_it():
    assert is_eligible(seen(group(), "94"), risk(), NOON)
    assert {rule.name for rule in RULES} - {rule.name for rule in QUICKEST_FIRST} == {
        "position",
        "fresh_price",
        "not_skipped",
    }  # a loss asks for the first two already
    assert all(verdict.met for verdict in verdicts(seen(group(), "94"), risk(), NOON))


@pytest.mark.parametrize("fee", ["0", "1"])
@pytest.mark.parametrize(
    ("side", "price", "threshold", "loses"),
    [
        (Side.LONG, "95", "-5", True),
        (Side.LONG, "95.0001", "-5", False),
        (Side.LONG, "105", "-5", False),
        (Side.SHORT, "105", "-5", True),
        (Side.SHORT, "104.9999", "-5", False),
        (Side.SHORT, "95", "-5", False),
        (Side.LONG, "99.99", "-0.01", True),
        (Side.SHORT, "100.01", "-0.01", True),
        (Side.LONG, "100", "-0.01", False),
        (Side.SHORT, "100", "-0.01", False),
    ],
)
def test_a_loss_is_that_of_the_price_alone_on_either_side(
    side: Side, price: str, threshold: str, loses: bool, fee: str
):
    """Closing fees are for the need, not for the question whether a group has lost enough."""
    settings = risk(loss_threshold_percent=D(threshold))
    for of, rules in (
        (group(side=side), None),
        (group(side=side, market=Market.SWAP), perp("LUSDT", **CONTRACTS)),
    ):
        assert is_eligible(seen(of, price, fee=fee, rules=rules), settings, NOON) is loses


@pytest.mark.parametrize(
    ("quantity", "sellable"), [("0.1", True), ("0.19", True), ("0.09", False), ("0", False)]
)
def test_less_than_a_contract_cannot_be_sold(quantity: str, sellable: bool):
    of = group(quantity="10", market=Market.SWAP, open_quantity=D(quantity))
    found = seen(of, "94", rules=perp("LUSDT", **CONTRACTS))
    told = {verdict.name: verdict for verdict in verdicts(found, risk(), NOON)}["sellable"]
    assert told.met is sellable


@pytest.mark.parametrize(
    ("status", "reason", "hold"),
    [
        (AccountStatus.READY, "", ""),
        (AccountStatus.DISABLED, "", ""),  # what is held there is known
        (AccountStatus.RECONCILING, "reading the exchange", "paper: reading the exchange"),
        (AccountStatus.HOLD, "", "paper: hold"),
        (AccountStatus.ERROR, "invalid keys", "paper: invalid keys"),
    ],
)
def test_nothing_is_begun_with_a_group_whose_account_is_not_read(
    status: AccountStatus, reason: str, hold: str
):
    assert account_hold(account_row(status=status, reason=reason)) == hold
    assert seen(group(), "94", status=status, reason=reason).hold == hold


def test_a_group_of_an_account_that_is_not_known_is_on_hold():
    assert account_hold(None) == "its account is not known"


def test_a_practice_account_is_charged_its_own_fee_and_a_real_one_its_markets():
    rules = spot("LUSDT", taker_fee_percent=D("0.055"))
    real = account_row(exchange="binance", mode=Mode.LIVE, world=World.LIVE, market=Market.SPOT)
    assert fee_percent(rules, account_row(), Settings()) == D("0.1")
    assert fee_percent(rules, real, Settings()) == D("0.055")
    assert fee_percent(rules, None, Settings()) == D("0.055")


@pytest.mark.parametrize(
    ("side", "got"), [("long", D("93.9")), ("short", D("94.1"))], ids=["the bid", "the ask"]
)
def test_the_price_is_what_a_close_would_get(side: str, got: Any):
    quote = Price(exchange="binance", symbol="LUSDT", last=D(94), bid=D("93.9"), ask=D("94.1"), at=NOON)
    kind = type(group().side)(side)
    found = candidate(group(side=kind), spot("LUSDT"), quote, account_row(), Settings(), NOON)
    assert found.price == got


@pytest.mark.parametrize(
    ("age", "manual", "fresh"), [(10, False, True), (11, False, False), (3600, True, True)]
)
def test_only_a_fresh_price_counts_and_one_set_by_hand_does_not_age(age: int, manual: bool, fresh: bool):
    at = NOON - timedelta(seconds=age)
    quote = Price(exchange="binance", symbol="LUSDT", last=D(94), at=at, manual=manual)
    found = candidate(group(), spot("LUSDT"), quote, account_row(), Settings(), NOON)
    assert (found.price is not None) is fresh
    assert (found.unrealized is not None) is fresh
