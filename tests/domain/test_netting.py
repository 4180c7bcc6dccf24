"""Two opposite groups of one market in one-way mode have closed one another: that is booked, once, at one price."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal as D
from typing import Any

from execution_engine.domain.inputs import DecideFinding, Difference, DueRow, ExitGroup, Verdict
from execution_engine.domain.netting import NETTED
from execution_engine.domain.rows import AccountStatus, Choice, Fill, Group, Order, OrderStatus
from tests.house import House


def opposite(
    settings: dict[str, Any] | None = None, symbol: str = "BTCUSDT.P", *, late_first: bool = False
) -> tuple[House, Group, Group]:
    """Open a long that ends without a fill, a short after it, and let an entry of the long fill late.

    late_first: that fill is heard of before the short's own.
    """
    house = House({"signals.opposite": "reject"} | (settings or {}))
    house.price(symbol, "50000")
    house.alert(symbol=symbol, entry_price="50000")
    house.accept()
    late, *rest = house.sent
    house.alert(symbol=symbol, type="exit", action=None)
    for order in (late, *rest):
        house.says(order, status=OrderStatus.CANCELLED, about_cancel=True)
    (long,) = house.groups
    house.alert(symbol=symbol, action="sell", entry_price="50000", timeframe="60")
    short = house.groups[-1]
    entry = next(order for order in house.sent if order.group_id == short.id)
    house.says(entry)
    fills = [(entry, "50100"), (late, "50000")]
    for order, price in reversed(fills) if late_first else fills:
        house.fill(order, price)
    return house, long, short


def refuse(house: House, group: Group) -> None:
    """Let the exchange refuse the close: it holds nothing of that side."""
    (close,) = (o for o in house.working if o.group_id == group.id and o.purpose == "emergency")
    house.says(close, Verdict.REFUSED, reason="ReduceOnly Order is rejected.")


def try_again(house: House, group: Group) -> None:
    house.clock.forward(minutes=2)
    house.price(group.symbol, "50000")
    house.post(DueRow(id=group.id))


def booked(house: House, group: Group) -> list[Order]:
    return [order for order in house.orders() if order.group_id == group.id and order.reason == NETTED]


def test_a_close_that_there_is_nothing_for_is_booked_against_the_opposite_group():
    house, long, short = opposite()
    refuse(house, long)
    try_again(house, long)
    (closed,), (reduced,) = booked(house, long), booked(house, short)
    assert closed.filled_quantity == reduced.filled_quantity > 0
    assert house.book.groups[long.id].status == "closed"
    ids = (closed.id, reduced.id)
    fills = [row for row in house.store.committed if isinstance(row, Fill) and row.order_id in ids]
    assert {fill.price for fill in fills} == {D("50000")}
    assert sum(fill.fee for fill in fills) == 0


def test_the_larger_of_both_goes_on_with_what_is_left():
    house, long, short = opposite()
    entry = [order for order in house.sent if order.group_id == short.id][1]
    house.says(entry)
    house.fill(entry, "50200")
    held = house.book.groups[short.id].open_quantity
    refuse(house, long)
    try_again(house, long)
    (reduced,) = booked(house, short)
    assert house.book.groups[short.id].open_quantity == held - reduced.filled_quantity > 0
    assert house.book.groups[short.id].is_open


def test_nothing_is_booked_while_a_close_of_the_other_is_on_its_way():
    house, long, short = opposite()
    refuse(house, long)
    house.post(ExitGroup(group_id=short.id))
    house.confirm_cancels()
    try_again(house, long)
    assert booked(house, long) == booked(house, short) == []


def test_nothing_is_booked_that_a_resting_target_may_close_beyond_what_is_left():
    house, long, short = opposite({"take_profit.order": "limit"}, late_first=True)
    (target,) = (order for order in house.working if order.purpose == "take_profit")
    house.says(target)
    assert not target.reduce_only  # the exchange knows only what is left of both, and would refuse it
    refuse(house, long)
    try_again(house, long)
    assert booked(house, long) == booked(house, short) == []
    (close,) = (order for order in house.working if order.purpose == "emergency")
    house.fill(close, "50000")
    assert house.book.groups[long.id].status == "closed"
    assert house.book.groups[short.id].open_quantity == target.quantity


def test_in_hedge_mode_a_target_closes_no_more_than_its_own_side_and_gives_way():
    hedge = {"accounts": {"paper-perp": {"position_mode": "hedge"}}, "take_profit.order": "limit"}
    house, long, short = opposite(hedge, late_first=True)
    entry = [order for order in house.sent if order.group_id == short.id][1]
    house.says(entry)
    house.fill(entry, "50200")
    for target in [order for order in house.working if order.purpose == "take_profit"]:
        house.says(target)
        assert not target.reduce_only
    held = house.book.groups[long.id].open_quantity - house.book.groups[short.id].open_quantity
    at = house.clock.now()
    ref = f"{short.exchange} {short.symbol}"
    house.post(Difference(account=short.account, ref=ref, ours=held, theirs=D(0), at=at))
    (found,) = (each for each in house.book.findings.values() if each.kind == "deficit")
    assert house.post(DecideFinding(finding_id=found.id, choice=Choice.BOOK)).status == "done"
    assert house.book.groups[short.id].open_quantity == house.book.groups[long.id].open_quantity


def test_it_is_told():
    house, long, _ = opposite()
    refuse(house, long)
    try_again(house, long)
    (told,) = (fact for fact in house.facts if fact.code == "netted")
    assert "have closed" in told.text
    assert told.notice


def test_in_hedge_mode_both_sides_are_held_and_nothing_is_booked():
    house, long, short = opposite({"accounts": {"paper-perp": {"position_mode": "hedge"}}})
    refuse(house, long)
    try_again(house, long)
    assert booked(house, long) == booked(house, short) == []


def test_a_close_that_is_refused_for_another_reason_is_only_tried_again():
    house, long, short = opposite()
    house.post(ExitGroup(group_id=short.id))
    house.confirm_cancels()
    house.fill_all("exit")
    refuse(house, long)
    try_again(house, long)
    assert booked(house, long) == []
    assert [order.purpose for order in house.working if order.group_id == long.id][-1] == "emergency"


def test_nothing_is_booked_while_the_books_are_not_to_be_trusted():
    house, long, short = opposite()
    refuse(house, long)
    house.book.apply([replace(house.book.engine, recovering="an older backup was restored")])
    try_again(house, long)
    assert booked(house, long) == booked(house, short) == []


def test_nothing_is_booked_while_the_account_is_compared_with_its_exchange():
    house, long, short = opposite()
    refuse(house, long)
    account = house.book.accounts[long.account]
    house.book.apply([replace(account, status=AccountStatus.RECONCILING)])
    try_again(house, long)
    assert booked(house, long) == booked(house, short) == []
