"""What an alert gives away about the strategy behind it."""

from __future__ import annotations

from tests.house import House


def told(house: House, code: str) -> list[str]:
    return [fact.text for fact in house.facts if fact.code == code]


def test_a_timeframe_of_one_is_pointed_out_the_first_time_a_webhook_sends_it():
    house = House()
    house.price("BTCUSDT", "65000")
    house.alert(timeframe="1")
    house.alert(timeframe="1")
    assert len(told(house, "doubtful_timeframe")) == 1


def test_other_timeframes_are_not_pointed_out():
    house = House()
    house.price("BTCUSDT", "65000")
    house.alert(timeframe="15")
    assert told(house, "doubtful_timeframe") == []
