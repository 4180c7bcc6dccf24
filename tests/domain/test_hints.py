"""What an alert gives away about the strategy behind it."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from execution_engine.domain import alert as alerts
from execution_engine.domain.inputs import AccountChanged, Replay
from execution_engine.domain.rows import Mode, World
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


@pytest.mark.parametrize(
    ("before", "sentence"),
    [
        ("long", "BTCUSDT 15m: the strategy was long before this alert, you are flat."),
        ("short", "BTCUSDT 15m: the strategy was short before this alert, you are flat."),
        ("flat", None),
    ],
)
def test_a_gap_between_the_strategy_and_a_flat_account_is_told(before: str, sentence: str | None):
    house = House()
    house.price("BTCUSDT", "65000")
    house.alert(market_position="flat", prev_market_position=before, action="sell")
    assert told(house, "missed_alert") == ([sentence] if sentence else [])


def test_an_entry_that_never_came_is_told_when_the_position_is_still_open():
    house = House()
    house.price("BTCUSDT", "65000")
    house.alert(market_position="long", prev_market_position="flat", action="buy")
    house.alert(market_position="long", prev_market_position="flat", action="buy")
    assert told(house, "missed_alert") == [
        "BTCUSDT 15m: the strategy was flat before this alert, you are long."
    ]


@pytest.mark.parametrize(
    ("limit", "gap"),
    [
        ({}, False),  # its group on paper is as the strategy is
        ({"account": "paper"}, False),
        ({"account": "mine"}, True),
    ],
)
def test_what_another_account_holds_hides_no_gap(limit: dict[str, str], gap: bool):
    house = House()
    house.price("BTCUSDT", "65000")
    house.alert(account="paper")
    mine = replace(
        house.book.accounts["paper"], name="mine", exchange="binance", mode=Mode.LIVE, world=World.LIVE
    )
    house.post(AccountChanged(account=mine))
    house.alert(market_position="flat", prev_market_position="long", action="sell", **limit)
    sentence = "BTCUSDT 15m: the strategy was long before this alert, you are flat."
    assert told(house, "missed_alert") == ([sentence] if gap else [])


def test_what_a_webhook_may_not_touch_hides_no_gap():
    house = House()
    house.price("BTCUSDT", "65000")
    house.alert(account="paper")
    fields = {"exchange": "BINANCE", "symbol": "BTCUSDT", "timeframe": "15", "market_position": "flat"}
    body = House.read(json.dumps(fields | {"prev_market_position": "long"}))
    parsed = alerts.parse(body, house.catalogue)
    assert isinstance(parsed, alerts.ParsedAlert)
    house.post(house.received(parsed, accounts=("paper-perp",)))
    assert len(told(house, "missed_alert")) == 1


def test_a_key_that_still_waits_is_not_called_missed():
    house = House({"pool.max_open_groups": 1})
    house.price("BTCUSDT", "65000")
    house.price("ETHUSDT", "3000")
    house.alert(symbol="ETHUSDT")
    house.alert(market_position="long", prev_market_position="flat", action="buy")
    house.alert(market_position="long", prev_market_position="long", action="buy")
    assert told(house, "missed_alert") == []


def test_a_replay_is_not_compared():
    house = House()
    house.price("BTCUSDT", "65000")
    first = house.alert(market_position="long", prev_market_position="short", action="buy")
    before = len(told(house, "missed_alert"))
    house.post(Replay(alert_id=first.id, received_at=house.clock.now()))
    assert len(told(house, "missed_alert")) == before
