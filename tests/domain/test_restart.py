"""After a kill nothing is known to be true until each exchange has answered; then everything goes on."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal as D

import pytest

from execution_engine.domain.inputs import AccountUnreadable, ExitGroup, OpenOrders, OrderReport, Verdict
from execution_engine.domain.rows import Order, OrderStatus
from tests.house import House


def opened(**settings) -> House:
    house = House(settings or None)
    house.price("BTCUSDT", "65000")
    house.alert(price="65000")
    return house


def listed(house: House, *orders: Order, **more) -> None:
    """Let the exchange tell what rests on the account."""
    reports = tuple(
        OrderReport(
            account=order.account,
            client_order_id=order.client_order_id,
            verdict=Verdict.ACCEPTED,
            status=OrderStatus.OPEN,
            exchange_order_id="x",
            filled_quantity=order.filled_quantity,
            at=house.clock.time,
        )
        for order in orders
    )
    house.clock.forward(seconds=1)
    house.post(OpenOrders(account="paper", reports=reports, at=house.clock.time, **more))


def status(house: House) -> str:
    return house.book.accounts["paper"].status.value


@pytest.mark.fault(56)
def test_after_a_restart_every_order_that_is_not_final_is_doubted_or_asked_about():
    house = opened()
    for order in house.sent[:2]:
        house.says(order)
    house.fill(house.sent[1])
    house.says(house.sent[2], Verdict.UNKNOWN)
    again = house.restarted()
    again.start()
    assert [order.status.value for order in again.orders()] == [
        "open",
        "filled",
        "unknown",
        "unknown",
        "unknown",
    ]
    assert all(order.look_at == again.clock.time for order in again.orders()[2:])
    assert status(again) == "reconciling"


@pytest.mark.fault(56)
def test_nothing_trades_before_the_exchange_was_read_and_every_doubt_settled():
    house = opened()
    for order in house.sent[:4]:
        house.says(order)
    again = house.restarted()
    again.start()
    again.balance()
    waiting = again.alert(timeframe="60")
    again.price("BTCUSDT", "65000")
    again.says(again.orders()[4])  # its look-up finds it; what rests on the account was not read yet
    assert status(again) == "reconciling"
    assert again.sent == []
    listed(again, *again.orders())
    assert status(again) == "ready"
    assert len(again.sent) == 5
    assert again.outcome(waiting) == (None, "pool 2 / 10")  # on its way


def test_an_account_with_an_order_in_doubt_stays_closed():
    house = opened()
    again = house.restarted()
    again.start()
    listed(again, *again.orders()[:4])
    assert status(again) == "reconciling"
    for _ in range(2):
        again.says(again.orders()[4], Verdict.ABSENT)
        again.clock.forward(seconds=2)
    again.says(again.orders()[4], Verdict.ABSENT)
    listed(again, *again.orders()[:4])
    assert status(again) == "ready"
    assert [order.attempt for order in again.orders()] == [1] * 5 + [2]


def test_the_fence_of_an_order_in_doubt_runs_from_the_restart():
    """How long nothing ran is told by a clock that may have been set meanwhile."""
    house = opened()
    sent, lost, *_ = house.sent
    house.says(lost, Verdict.UNKNOWN)
    house.says(lost, Verdict.ABSENT)
    house.clock.forward(minutes=10)
    again = house.restarted()
    again.start()
    rows = [again.book.orders[order.id] for order in (sent, lost)]
    assert [(row.sent_at, row.absences) for row in rows] == [(again.clock.time, 0)] * 2


def test_an_account_that_cannot_be_read_says_why_and_is_told_once():
    again = opened().restarted()
    again.start()
    for _ in range(3):
        again.post(AccountUnreadable(account="paper", reason="the exchange is under maintenance"))
    again.post(AccountUnreadable(account="nobody", reason="x"))
    assert (status(again), again.book.accounts["paper"].reason) == (
        "reconciling",
        "the exchange is under maintenance",
    )
    assert [fact.code for fact in again.facts].count("account_unreadable") == 1


def test_fills_that_happened_meanwhile_are_taken_in_and_their_group_goes_on():
    house = opened()
    house.accept()
    again = house.restarted()
    again.start()
    again.balance()
    listed(again, *again.orders()[1:])  # the first does not rest any more
    first = again.orders()[0]
    assert first.status == "unknown"
    again.fill(first)
    assert again.group.status == "partially_filled"
    listed(again, *again.orders()[1:])
    again.price("BTCUSDT", "65650")
    assert [order.quantity for order in again.orders("take_profit")] == [D("0.00307")]


def test_an_exit_goes_on_where_it_stood():
    house = opened()
    house.accept()
    house.fill(house.sent[0])
    house.post(ExitGroup(group_id=house.group.id))
    again = house.restarted()
    again.start()
    (close,) = again.orders("exit")
    assert close.status == "unknown"
    again.says(close, Verdict.ABSENT)
    again.clock.forward(seconds=2)
    again.says(close, Verdict.ABSENT)
    assert len(again.orders("exit")) == 2
    assert len(again.cancelled) == 4  # asked for again: whether the first request arrived is not known
    again.confirm_cancels()
    again.fill(again.orders("exit")[1])
    assert again.group.status == "closed"


def test_a_reversal_goes_on_where_it_stood():
    house = House()
    house.price("BTCUSDT.P", "65000")
    house.alert(symbol="BTCUSDT.P", market_position="long")
    house.accept()
    house.fill(house.sent[0])
    turn = house.alert(symbol="BTCUSDT.P", market_position="short", prev_market_position="long")
    again = house.restarted()
    again.start()
    again.balance("paper-perp")
    again.confirm_cancels()
    for order in again.orders("exit"):
        again.fill(order)
    again.accept()
    assert again.outcome(turn)[0] == "reversed"


def test_a_refused_close_is_tried_again_after_a_restart():
    house = opened()
    house.accept()
    house.fill(house.sent[0])
    house.post(ExitGroup(group_id=house.group.id))
    house.confirm_cancels()
    house.says(house.orders("exit")[0], Verdict.REFUSED)
    again = house.restarted()
    again.start()
    assert [order.status.value for order in again.orders("exit")] == ["rejected"]
    again.reconcile()
    assert [order.status.value for order in again.orders("exit")] == ["rejected", "pending"]


def test_a_disabled_account_that_still_holds_something_is_looked_after():
    house = opened()
    house.accept()
    for name in ("paper", "paper-perp"):
        house.book.accounts[name] = replace(house.book.accounts[name], enabled=False)
        house.store.committed.append(house.book.accounts[name])
    again = house.restarted()
    again.start()
    assert [row.status.value for row in again.book.accounts.values()] == ["reconciling", "disabled"]
    listed(again, *again.orders())
    assert status(again) == "disabled"


def test_an_order_younger_than_the_list_is_not_missed_in_it():
    house = opened()
    house.accept()
    house.post(OpenOrders(account="paper", reports=(), at=house.clock.time))
    assert {order.status.value for order in house.orders()} == {"open"}
    house.clock.forward(seconds=1)
    house.post(OpenOrders(account="paper", reports=(), at=house.clock.time))
    assert {order.status.value for order in house.orders()} == {"unknown"}
    house.post(OpenOrders(account="nobody", reports=(), at=house.clock.time))


@pytest.mark.fault(72)
@pytest.mark.parametrize("hours", [0.5, 1.5])
def test_a_closed_group_leaves_the_memory_after_its_day(hours):
    house = opened()
    house.accept()
    house.post(ExitGroup(group_id=house.group.id))
    house.confirm_cancels()
    house.clock.forward(hours=12 if hours > 1 else 1.5)
    house.desk.look_at_clock()
    assert len(house.groups) == (0 if hours > 1 else 1)
    assert len(house.book.orders) == (0 if hours > 1 else 5)


def test_a_group_that_lives_on_is_not_asked_to_leave():
    house = opened()
    house.accept()
    house.clock.forward(days=3)
    house.desk.look_at_clock()
    assert house.group.status == "live"


def test_a_cancel_that_was_committed_and_never_left_goes_out_after_the_restart():
    house = opened()
    house.accept()
    house.post(ExitGroup(group_id=house.group.id))
    asked = [order for order in house.working if order.cancel_requested]
    assert asked
    # The process died between the commit and the request: no row says that anything left.
    house.store.committed += [replace(order, cancel_sent_at=None) for order in asked]
    again = house.restarted()
    again.start()
    again.balance()
    resting = frozenset(order.client_order_id for order in asked)
    again.post(OpenOrders(account="paper", reports=(), known=resting, at=again.clock.now()))
    assert {order.id for order in again.cancelled} == {order.id for order in asked}
