"""An exit whose outcome is not known cannot wait for the end of a lost request."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest

from execution_engine.domain.inputs import ExitGroup, OpenOrders, OrderReport, Verdict
from execution_engine.domain.rows import Group, Order, OrderStatus
from execution_engine.engine import reconcile
from execution_engine.engine.reconcile import Reconcile
from tests.engine.exchange import Exchange, report
from tests.engine.virtual import Floor, in_virtual_time
from tests.house import D, House
from tests.waiting import until


def closing(symbol: str = "BTCUSDT.P") -> tuple[House, Group, Order]:
    """Open, fill the first leg, exit, and lose the answer to the close."""
    house = House()
    house.price(symbol, "65000")
    house.alert(symbol=symbol, entry_price="65000")
    house.accept()
    house.fill(house.sent[0])
    house.post(ExitGroup(group_id=house.group.id))
    house.confirm_cancels()
    (close,) = house.orders("exit")
    house.says(close, Verdict.UNKNOWN)
    return house, house.groups[0], close


def listed(house: House, group: Group, held: D, seconds: float = 3) -> None:
    house.clock.forward(seconds=seconds)
    house.post(
        OpenOrders(
            account=group.account,
            reports=(),
            known=frozenset(order.client_order_id for order in house.working),
            positions={(group.exchange, group.symbol): held},
            at=house.clock.time,
        )
    )


def test_a_close_in_doubt_of_a_swap_is_cancelled_and_replaced_once_all_of_it_is_seen_to_be_there():
    house, group, lost = closing()
    assert house.cancelled[-1].id == lost.id
    listed(house, group, group.open_quantity)
    first, second = house.orders("exit")
    assert (first.superseded, second.status, second.quantity) == (True, "pending", group.open_quantity)
    assert second.reduce_only
    house.fill(second)
    assert house.group.status == "closing"  # the lost one may still turn up
    for _ in range(2):
        house.clock.forward(seconds=61)
        house.says(lost, Verdict.ABSENT)
    assert house.group.status == "closed"
    assert len(house.orders("exit")) == 2


def test_what_both_closes_filled_is_booked():
    house, group, lost = closing()
    listed(house, group, group.open_quantity)
    house.fill(lost, quantity="0.001")
    house.fill(house.orders("exit")[1], quantity="0.002")
    assert house.group.open_quantity == 0


@pytest.mark.parametrize("held", ["0", "0.002", "0.004", "-0.003"])
def test_while_the_position_is_not_just_what_is_held_here_nothing_is_sent_again(held):
    house, group, lost = closing()
    listed(house, group, D(held))
    assert house.orders("exit") == [house.book.orders[lost.id]]


def test_a_position_that_was_read_too_early_proves_nothing():
    house, group, _ = closing()
    listed(house, group, group.open_quantity, seconds=1)
    assert len(house.orders("exit")) == 1


def test_a_position_that_two_groups_share_waits_for_the_end_of_the_request():
    house = House()
    house.price("BTCUSDT.P", "65000")
    for timeframe in ("15", "60"):
        house.alert(symbol="BTCUSDT.P", timeframe=timeframe, entry_price="65000")
        house.accept()
    house.fill(house.sent[0])
    group = house.groups[0]
    house.post(ExitGroup(group_id=group.id))
    house.confirm_cancels()
    (close,) = house.orders("exit")
    house.says(close, Verdict.UNKNOWN)
    assert close.id not in [order.id for order in house.cancelled]
    listed(house, group, house.groups[0].open_quantity)
    assert len(house.orders("exit")) == 1


def test_a_sale_of_coins_waits_for_the_end_of_the_request():
    house, group, lost = closing("BTCUSDT")
    assert lost.id not in [order.id for order in house.cancelled]
    listed(house, group, group.open_quantity)
    assert len(house.orders("exit")) == 1


async def test_an_account_with_a_close_in_doubt_is_read_again_soon(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(reconcile, "URGENT_S", 0.001)
    house, _, lost = closing()
    exchange = Exchange()
    keeping = asyncio.ensure_future(
        Reconcile(house.book, lambda _: exchange, house.desk.post, house.clock).keep("paper-perp")
    )
    await until(lambda: len(exchange.calls) >= 6)
    house.fill(lost)
    keeping.cancel()


async def replaced(house: Floor, unanswered: int) -> list[Order]:
    """Enter, exit, leave so many closes without an answer, and let the first be replaced; return those in doubt."""
    house.price("BTCUSDT.P", "65000")
    house.price("ETHUSDT.P", "3000")
    house.balance("paper-perp")
    house.exchange.found = Verdict.UNKNOWN
    house.alert(symbol="BTCUSDT.P", entry_price="65000")
    await asyncio.sleep(0.1)
    house.fill(house.orders("entry")[0])
    lost: list[Order] = []

    def silent(order: Order, said: OrderReport) -> OrderReport:
        if order.purpose == "exit" and len(lost) < unanswered:
            lost.append(order)
        unclear = order.id in [each.id for each in lost]
        return replace(said, verdict=Verdict.UNKNOWN, status=None) if unclear else said

    async def cancel(orders: Sequence[Order]) -> Sequence[OrderReport]:
        known = [order for order in orders if order.purpose == "entry"]
        done = [report(order, status=OrderStatus.CANCELLED) for order in known]
        return done + [report(order, Verdict.ABSENT) for order in orders if order not in known]

    house.exchange.answer = silent
    house.exchange.cancel = cancel
    house.post(ExitGroup(group_id=house.group.id))
    await asyncio.sleep(0.1)
    house.clock.forward(seconds=3)
    listed(house, house.groups[0], house.groups[0].open_quantity)
    await asyncio.sleep(0.1)
    assert house.book.orders[lost[0].id].superseded
    assert len(lost) == unanswered
    return lost


async def newcomers(house: Floor) -> set[str]:
    """Let signals of another timeframe come, and return what leaves for them."""
    before = len(house.exchange.calls)
    house.alert(symbol="BTCUSDT.P", timeframe="60", entry_price="65000")
    house.alert(symbol="ETHUSDT.P", timeframe="60", entry_price="3000")
    await asyncio.sleep(0.1)
    return {name for call, names in house.exchange.calls[before:] if call == "place" for name in names}


async def never_arrives(house: Floor, order: Order) -> set[str]:
    """Settle that an order never reached the exchange, and return what leaves then."""
    before = len(house.exchange.calls)
    for _ in range(2):
        house.clock.forward(seconds=61)
        house.says(order, Verdict.ABSENT)
    await asyncio.sleep(0.1)
    return {name for call, names in house.exchange.calls[before:] if call == "place" for name in names}


@in_virtual_time
async def test_no_entry_leaves_where_a_replaced_close_may_still_arrive():
    house = Floor()
    (lost,) = await replaced(house, unanswered=1)
    assert await newcomers(house) == {"entry ETHUSDT.P"}
    assert "entry BTCUSDT.P" in await never_arrives(house, lost)


@in_virtual_time
async def test_no_entry_leaves_where_a_close_may_still_arrive_after_the_one_that_it_replaced_did():
    house = Floor()
    lost, second = await replaced(house, unanswered=2)
    house.fill(lost)
    assert await newcomers(house) == {"entry ETHUSDT.P"}
    assert "entry BTCUSDT.P" in await never_arrives(house, second)


def test_a_close_that_waits_is_planned_anew_when_a_late_fill_sold_a_part_of_it():
    house = House({"take_profit.order": "limit"})
    house.price("BTCUSDT.P", "65000")
    house.alert(symbol="BTCUSDT.P", entry_price="65000")
    house.accept()
    house.fill(house.sent[0])
    (target,) = house.orders("take_profit")
    house.says(target)
    house.post(ExitGroup(group_id=house.group.id))
    house.confirm_cancels()
    (close,) = house.orders("exit")
    house.book.apply([replace(house.book.orders[close.id], sent_at=None)])  # its lane is busy
    house.fill(target, quantity="0.002")
    first, second = house.orders("exit")
    assert (first.status, second.quantity) == ("cancelled", D("0.001"))
    house.fill(second)
    assert house.group.status == "closed"
    assert house.group.open_quantity == 0
