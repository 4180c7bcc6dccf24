"""Orders of one group that cross each other's way: nothing is sold twice, nothing is taken for cancelled."""

from __future__ import annotations

from decimal import Decimal as D

import pytest

from execution_engine.domain.inputs import Verdict
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
