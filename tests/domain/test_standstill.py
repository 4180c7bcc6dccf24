"""Why nothing is promoted: every reason as a sentence, the gravest first, and beside each signal that it concerns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from execution_engine.domain.inputs import AccountChanged, ExitGroup, Pause, Price, PricesAsked
from execution_engine.domain.read_only import SENTENCE
from execution_engine.domain.rows import AccountStatus, World, WorldHold
from execution_engine.domain.standstill import Obstacle, standstill
from tests.domain.test_pool_and_queue import full, saved
from tests.domain.test_promotion import asking
from tests.house import NOON, House

ONLY = "The only slot is used: the first goes as soon as one is free."


def waiting(**settings: Any) -> House:
    """Give a house whose only slot is used, with one signal that waits."""
    house = full(settings)
    house.alert(symbol="ETHUSDT", price="3000")
    return house


def found(house: House) -> list[Obstacle]:
    return standstill(house.book, house.clock.now())


def said(house: House) -> list[str]:
    return [each.sentence for each in found(house)]


def becomes(status: AccountStatus, reason: str = "") -> Callable[[House], object]:
    def change(house: House) -> object:
        account = replace(house.book.accounts["paper"], status=status, reason=reason)
        return house.post(AccountChanged(account=account))

    return change


def test_nothing_is_said_where_nothing_waits():
    house = full()
    house.post(Pause())
    assert found(house) == []


def test_the_usual_reason_is_that_no_slot_is_free():
    (obstacle,) = found(waiting())
    assert (obstacle.sentence, obstacle.usual, obstacle.account) == (ONLY, True, "")


@pytest.mark.parametrize(
    ("change", "first", "own"),
    [
        (
            lambda house: house.post(Pause()),
            "Paused: nothing is promoted or forced until you resume.",
            "",
        ),
        (
            lambda house: house.book.apply([WorldHold(name=World.PAPER, reason="a defect", since=NOON)]),
            "On hold, nothing is promoted or forced: a defect.",
            "",
        ),
        (
            lambda house: saved(house, "signals.max_entries_per_day", 1),
            "The day's limit of 1 entry is reached: nothing is promoted or forced before 00:00 UTC.",
            "",
        ),
        (
            becomes(AccountStatus.HOLD, "keys were refused"),
            "paper is on hold: keys were refused. Its signals wait.",
            "its account is on hold",
        ),
        (
            becomes(AccountStatus.RECONCILING),
            "paper is being read. Its signals wait.",
            "its account is being read",
        ),
        (
            becomes(AccountStatus.ERROR, "no connection"),
            "paper cannot be used: no connection. Its signals wait.",
            "its account cannot be used",
        ),
        (
            becomes(AccountStatus.DISABLED),
            "paper is disabled. Its signals wait.",
            "its account is disabled",
        ),
        (
            lambda house: house.book.balances.pop("paper"),
            "The balance of paper is not known yet. Its signals wait.",
            "its balance is not known",
        ),
    ],
    ids=["paused", "held", "day", "account held", "account read", "account broken", "account off", "balance"],
)
def test_what_is_out_of_the_usual_stands_first(
    change: Callable[[House], object], first: str, own: str
) -> None:
    house = waiting()
    change(house)
    grave, full_pool = found(house)
    assert (grave.sentence, grave.own, grave.usual) == (first, own, False)
    assert grave.account == ("paper" if own else "")
    assert full_pool.sentence == ONLY


def test_the_day_ends_at_midnight_utc():
    house = waiting()
    saved(house, "signals.max_entries_per_day", 1)
    house.clock.forward(hours=11, minutes=59)
    assert len(found(house)) == 2
    house.clock.forward(minutes=1)
    assert said(house) == [ONLY]


def test_the_entries_of_the_day_are_counted():
    house = waiting(**{"pool.max_open_groups": 2, "pool.max_pyramids": 1})
    house.accept()
    house.alert(symbol="SOLUSDT", price="150")
    saved(house, "signals.max_entries_per_day", 2)
    assert said(house)[0].startswith("The day's limit of 2 entries is reached: ")


def test_without_a_limit_of_the_day_none_is_met():
    house = waiting()
    saved(house, "signals.max_entries_per_day", 0)
    assert said(house) == [ONLY]


def test_read_only_keeps_nothing_from_going_but_is_said():
    house = waiting()
    saved(house, "security.read_only", True)
    assert said(house) == [ONLY, SENTENCE]
    assert all(each.usual for each in found(house))


@pytest.mark.parametrize(
    ("enabled", "rehearsal", "ending"),
    [
        (True, True, "; the risk engine rehearses and frees none."),
        (True, "auto", "."),
        (True, False, "."),
        (False, True, "."),
    ],
)
def test_a_rehearsing_risk_engine_frees_no_slot(enabled: bool, rehearsal: object, ending: str) -> None:
    house = waiting(**{"risk.enabled": enabled, "risk.rehearsal": rehearsal})
    assert said(house) == [f"The only slot is used: the first goes as soon as one is free{ending}"]


def test_the_slots_of_a_larger_pool_are_counted():
    house = waiting(**{"pool.max_open_groups": 2, "pool.max_pyramids": 1})
    house.accept()
    house.alert(symbol="SOLUSDT", price="150")
    assert said(house) == ["All 2 slots are used: the first goes as soon as one is free."]


def test_whoever_waits_for_an_account_alone_is_not_told_of_free_slots():
    house = waiting()
    house.book.balances.pop("paper")
    saved(house, "pool.max_open_groups", 2)
    assert said(house) == ["The balance of paper is not known yet. Its signals wait."]


@pytest.mark.parametrize(("size", "first"), [(2, "A slot is free"), (3, "2 slots are free")])
def test_a_free_slot_helps_nobody_whose_price_cannot_be_had(size: int, first: str) -> None:
    house = waiting()
    asked = asking(house)
    stale = Price(
        exchange="binance", symbol="ETHUSDT", last=house.book.prices["binance", "ETHUSDT"].last,
        at=house.clock.time - timedelta(minutes=1),
    )  # fmt: skip
    house.book.note_price(stale)
    saved(house, "pool.max_open_groups", size)
    assert found(house) == [], "its price is asked for just now"
    house.post(PricesAsked(world=asked[0].world, markets=asked[0].markets))
    assert said(house) == [f"{first}, but nothing that waits can go now: each row says why."]


def test_a_free_slot_helps_nobody_whose_key_is_closing():
    house = full()
    house.post(ExitGroup(group_id=house.group.id))
    house.alert()
    saved(house, "pool.max_open_groups", 2)
    assert said(house) == ["A slot is free, but nothing that waits can go now: each row says why."]
