"""What is left of closed legs, too little to be sold, keeps nothing open and changes nothing."""

from __future__ import annotations

from decimal import Decimal as D

import pytest

from execution_engine.domain.inputs import Settle
from tests.house import House

FEE = {"fee_percent": "0.1", "fee_in": "ETH"}


def opened(**settings: str) -> House:
    house = House({"capital.total_usd": "10000", "take_profit.order": "limit"} | settings)
    house.price("ETHUSDT", "101")
    house.alert(symbol="ETHUSDT", entry_price="100")
    house.accept()
    return house


def close_by_targets(house: House, legs: int) -> None:
    for order in house.orders("entry")[:legs]:
        house.fill(order, **FEE)
    house.accept()
    for order in house.orders("take_profit"):
        if not order.is_final:
            house.fill(order, fee_percent="0.1")
    house.confirm_cancels()


@pytest.mark.fault(37)
def test_dust_of_several_legs_that_makes_a_step_together_does_not_keep_a_group_open():
    house = opened()
    close_by_targets(house, legs=3)
    dust = [leg.open_quantity for leg in house.legs()]
    assert all(rest < D("0.0001") for rest in dust)
    assert house.group.open_quantity == sum(dust) > D("0.0001")
    assert house.group.status == "closed"


def test_a_kept_grid_is_flat_beside_such_dust():
    house = opened(**{"take_profit.on_flat": "keep_grid"})
    close_by_targets(house, legs=3)
    assert (house.group.status, house.group.avg_entry) == ("live", None)


@pytest.mark.fault(37)
def test_dust_that_is_worth_an_order_is_sold_at_the_end():
    house = House({"take_profit.order": "limit"})
    house.price("DOGEUSDT", "26")
    house.alert(symbol="DOGEUSDT", entry_price="25")
    house.accept()
    for order in house.orders("entry"):
        house.fill(order, fee_percent="10", fee_in="DOGE")  # each leg sells 7 of its 7.2
    house.accept()
    targets = [order for order in house.orders("take_profit") if not order.is_final]
    for order in targets:
        house.fill(order, fee_percent="0.1")
    house.confirm_cancels()
    (last,) = house.working
    assert (last.purpose, last.type, last.quantity) == ("take_profit", "market", D(1))
    house.fill(last)
    assert house.group.status == "closed"


def test_a_leg_at_its_target_stays_there_when_an_exit_sells_its_dust():
    house = opened(**{"take_profit.order": "market", "take_profit.on_flat": "keep_grid"})
    first, second = house.orders("entry")[1:3]
    house.fill(first, **FEE)
    house.price("ETHUSDT", "100")
    (target,) = house.orders("take_profit")
    house.fill(target, fee_percent="0.1")
    house.fill(second, **FEE)
    house.alert(symbol="ETHUSDT", type="exit")
    house.confirm_cancels()
    (close,) = house.orders("exit")
    assert len(close.parts) > 1
    house.fill(close)
    hit, other = house.legs()[1:3]
    assert (hit.status, hit.tp_hit) == ("tp_hit", True)
    assert (other.status, other.tp_hit) == ("filled", False)


def test_what_is_heard_of_a_group_after_its_end_leaves_its_result_as_it_was():
    house = opened()
    house.fill(house.orders("entry")[0], **FEE)
    house.accept()
    (target,) = (order for order in house.orders("take_profit") if not order.is_final)
    house.fill(target, quantity=str(target.quantity - D("0.0001")), fee_percent="0.1")
    house.alert(symbol="ETHUSDT", type="exit")
    house.confirm_cancels()
    assert house.group.status == "closed"
    assert house.group.open_quantity >= D("0.0001")  # a step, and too little to be sold
    result = house.group.realized
    house.post(Settle(group_id=house.group.id))
    assert house.group.realized == result
