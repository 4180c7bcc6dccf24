"""Orders of one group that cross each other's way: nothing is sold twice, nothing is taken for cancelled."""

from __future__ import annotations

from decimal import Decimal as D

import pytest

from execution_engine.domain.inputs import ExitGroup, OrderReports, Verdict
from execution_engine.domain.rows import Order, OrderStatus
from tests.house import House


def entered() -> House:
    """Enter at 50000 with five legs, all sent and none answered."""
    house = House()
    house.price("BTCUSDT", "50000")
    house.alert(price="50000")
    return house


def sold(house: House) -> D:
    return sum((order.filled_quantity for order in house.orders() if order.action == "sell"), D(0))


def whole(house: House, order: Order, **more: object) -> None:
    """Let the exchange say that an order has filled, all at once."""
    trade = house.trade(order, None, None, "0", "USDT")
    house.says(order, status=OrderStatus.FILLED, filled_quantity=trade.quantity, trades=(trade,), **more)


@pytest.mark.fault(21)
def test_an_order_that_filled_before_it_was_looked_up_is_taken_in_and_not_sent_again():
    house = entered()
    lost, *others = house.sent
    house.says(lost, Verdict.UNKNOWN)
    for order in others:
        house.says(order)
    sent = len(house.sent)
    whole(house, lost)  # the look-up finds it among what is over
    (leg, *_) = house.legs()
    assert (leg.status, leg.filled_quantity) == ("filled", lost.quantity)
    assert [order for order in house.sent[sent:] if order.purpose == "entry"] == []


@pytest.mark.fault(27)
def test_a_cancel_answered_with_no_such_order_proves_nothing_and_what_it_filled_is_closed():
    house = entered()
    house.accept()
    house.alert(type="exit", action=None)
    gone, *others = house.cancelled
    house.says(gone, Verdict.ABSENT, about_cancel=True)
    assert house.book.orders[gone.id].status == "unknown"
    for order in others:
        house.says(order, status=OrderStatus.CANCELLED, about_cancel=True)
    assert house.group.status == "closing"
    whole(house, gone)  # it had filled: that is why it was not found among what rests
    house.fill_all("exit")
    assert sold(house) == gone.quantity
    assert house.group.status == "closed"


@pytest.mark.fault(29)
def test_an_exit_that_comes_while_a_target_closes_sells_only_the_rest():
    house = entered()
    house.accept()
    first, second, *_ = house.sent
    house.fill(first)
    house.fill(second)
    held = house.group.open_quantity
    house.price("BTCUSDT", str(house.legs()[1].tp_price))
    (target,) = house.orders("take_profit")
    assert target.quantity == second.quantity
    house.alert(type="exit", action=None)
    house.confirm_cancels()
    assert sum(order.quantity for order in house.orders("exit")) == first.quantity
    house.fill_all("take_profit")
    house.fill_all("exit")
    assert sold(house) == held
    assert (house.group.status, house.group.open_quantity) == ("closed", 0)


def absent(house: House, order: Order) -> None:
    """Let two look-ups, far enough apart, find nothing."""
    for _ in range(2):
        house.clock.forward(seconds=2)
        house.says(order, Verdict.ABSENT)


@pytest.mark.fault(26)
def test_what_a_target_traded_before_its_cancel_is_not_sold_again_with_another_leg():
    house = House({"take_profit.order": "limit"})
    house.price("BTCUSDT", "50000")
    house.alert(price="50000")
    house.accept()
    for entry in house.orders("entry")[:3]:
        house.fill(entry, fee_percent="0.1", fee_in="BTC")
    held = house.group.open_quantity
    first, lost, third = house.orders("take_profit")
    house.says(first)
    house.says(third)
    house.says(lost, Verdict.UNKNOWN)
    house.post(ExitGroup(group_id=house.group.id))
    both = [house.report(order, status=OrderStatus.CANCELLED) for order in (first, third)]
    house.post(OrderReports(group_id=house.group.id, reports=tuple(both)))
    (close,) = house.orders("exit")  # all but what the lost target may have sold
    traded = house.trade(first, None, "0.0005", "0", "USDT")
    house.says(first, status=OrderStatus.CANCELLED, filled_quantity=D("0.0005"), trades=(traded,))
    house.fill(close)
    absent(house, lost)
    house.fill_all("exit")
    house.confirm_cancels()
    assert house.group.status == "closed"
    assert D(0) <= held - sold(house) < D("0.00001")
    assert all(leg.open_quantity >= 0 for leg in house.legs()), "the surplus of one leg is another's"


def test_closes_of_both_sides_of_one_perpetual_are_not_refused_for_having_nothing_to_reduce():
    house = House()
    house.balance("paper-perp")
    house.price("BTCUSDT.P", "50000")
    house.alert(symbol="BTCUSDT.P", action="sell", price="50000")
    house.accept()
    late = house.orders("entry")[0]
    house.post(ExitGroup(group_id=house.group.id))
    house.confirm_cancels()
    house.alert(symbol="BTCUSDT.P", timeframe="60", price="50000")
    house.accept()
    newer = house.orders("entry")[-5]
    house.fill(newer, "50000")
    house.fill(late, "50000")  # on the exchange it closed what the newer group holds
    (emergency,) = house.orders("emergency")
    assert (emergency.action, emergency.reduce_only) == ("buy", False)
    house.fill(emergency, "50000")
    house.alert(symbol="BTCUSDT.P", timeframe="60", type="exit", action=None)
    house.confirm_cancels()
    (close,) = house.orders("exit")
    assert (close.quantity, close.reduce_only) == (newer.quantity, True)
