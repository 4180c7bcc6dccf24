"""An exit that comes while an earlier signal of its key has not been decided: nothing may open behind it."""

from __future__ import annotations

import pytest

from execution_engine.domain.inputs import Verdict
from tests.house import House


@pytest.mark.fault(4)
def test_an_exit_cancels_what_waits_for_its_account():
    house = House(ready=False)
    house.price("BTCUSDT", "100")
    entry = house.alert(price="100")
    leave = house.alert(type="exit")
    assert house.outcome(leave) == ("dequeued", "the waiting signal was removed")
    assert house.outcome(entry) == ("cancelled", f"exit alert {leave.id} came before it was decided")
    house.reconcile()
    assert house.groups == []


def test_an_exit_cancels_what_waits_for_a_price():
    house = House()
    entry = house.alert(price="100")
    assert house.outcome(entry)[0] is None
    house.alert(type="exit")
    house.price("BTCUSDT", "100")
    assert house.outcome(entry)[0] == "cancelled"
    assert house.groups == []


@pytest.mark.parametrize(
    "other", [{"timeframe": "60"}, {"symbol": "ETHUSDT"}, {"exchange": "BINANCE", "account": "paper-perp"}]
)
def test_an_exit_of_another_key_or_account_leaves_it_alone(other: dict[str, str]):
    house = House()
    entry = house.alert(price="100")
    house.alert(type="exit", **other)
    house.price("BTCUSDT", "100")
    assert len(house.groups) == 1
    assert house.outcome(entry)[0] is None  # on its way to the exchange


def test_an_earlier_exit_and_what_comes_after_the_exit_stay():
    house = House(ready=False)
    house.price("BTCUSDT", "100")
    first = house.alert(type="exit")
    assert house.outcome(first)[0] == "no_position"
    house.alert(price="100")
    house.alert(type="exit")
    last = house.alert(price="100")
    house.reconcile()
    assert house.group.alert_id == last.id


def test_a_signal_that_will_be_refused_is_not_cancelled_first():
    house = House(ready=False)
    house.price("BTCUSDT", "100")
    entry = house.alert(price="100", account="paper")
    account = house.book.accounts["paper"]
    house.book.accounts.pop("paper")
    leave = house.alert(type="exit")
    assert house.outcome(leave)[0] == "no_position"
    house.book.accounts["paper"] = account
    assert house.outcome(entry)[0] is None


@pytest.mark.fault(4)
def test_a_pyramid_that_never_left_before_the_exit_is_cancelled_and_has_not_failed():
    house = House()
    house.price("BTCUSDT", "100")
    house.alert(price="100")
    house.accept()
    house.fill(house.sent[0])
    pyramid = house.alert(price="99")
    for order in house.sent[5:]:
        house.says(order, Verdict.UNKNOWN)
    house.alert(type="exit")
    for _ in range(2):
        for order in house.sent[5:10]:
            house.says(order, Verdict.ABSENT)
        house.clock.forward(seconds=2)
    assert house.outcome(pyramid) == ("cancelled", "its group was closed before it was placed")
    assert "entry_failed" not in [fact.code for fact in house.facts]
