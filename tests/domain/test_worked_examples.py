"""The examples of the specification, to the last digit."""

from __future__ import annotations

from decimal import Decimal as D

import pytest

from tests.house import House


def test_the_default_grid_long_on_spot_is_the_specifications_to_the_last_digit():
    house = House()
    house.price("BTCUSDT", "65000")
    house.alert(entry_price="65000.00")
    assert [(str(o.price), str(o.quantity)) for o in house.sent] == [
        ("65000.00", "0.00307"),
        ("64675.00", "0.00309"),
        ("64350.00", "0.00310"),
        ("63700.00", "0.00313"),
        ("62400.00", "0.00320"),
    ]
    assert [str(leg.tp_price) for leg in house.legs()] == [
        "65650.00",
        "64998.38",
        "64671.75",
        "64018.50",
        "62712.00",
    ]


@pytest.mark.fault(35)
def test_a_leg_fills_takes_profit_and_closes_with_the_specifications_result():
    house = House()
    house.price("BTCUSDT", "65000")
    alert = house.alert(entry_price="65000.00")
    house.accept()
    assert house.outcome(alert)[0] == "opened"
    house.fill(house.sent[0], fee_percent="0.1", fee_in="BTC")
    assert house.group.status == "partially_filled"
    house.price("BTCUSDT", "65649.99")
    assert len(house.sent) == 5
    house.price("BTCUSDT", "65650")
    (tp,) = house.orders("take_profit")
    assert (tp.quantity, tp.action, tp.type) == (D("0.00306"), "sell", "market")
    house.fill(tp, "65650", fee_percent="0.1")
    house.confirm_cancels()
    assert house.group.status == "closed"
    assert house.group.realized == D("1.588561")
    assert house.group.open_quantity == D("0.00000693")
    assert house.group.invested == D("0.45045")


def test_the_reason_of_an_opened_alert_is_how_full_the_pool_was_when_it_was_decided():
    house = House()
    house.price("BTCUSDT", "65000")
    house.price("ETHUSDT", "3000")
    first = house.alert(entry_price="65000")
    second = house.alert(symbol="ETHUSDT")
    house.accept()
    assert [house.outcome(first)[1], house.outcome(second)[1]] == ["pool 1 / 10", "pool 2 / 10"]
