"""What follows from fills: the same whatever order they come in, and to the last digit."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal as D
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from execution_engine.domain import position
from execution_engine.domain.errors import IllegalTransition
from execution_engine.domain.inputs import OrderReport as Report
from execution_engine.domain.inputs import OrderReports, SetRisk, Trade, Verdict
from execution_engine.domain.instrument import Side
from execution_engine.domain.order import move
from execution_engine.domain.position import unrealized, unrealized_percent
from execution_engine.domain.rows import Order, OrderStatus
from execution_engine.domain.statistics import Statistics
from tests.house import House

EXIT = {"type": "exit", "action": None}


def opened(settings: dict[str, Any] | None = None, **fields: Any) -> House:
    house = House(settings)
    house.price(fields.get("symbol", "BTCUSDT"), "50000")
    house.alert(**{"price": "50000"} | fields)
    house.accept()
    return house


@st.composite
def cuts(draw: st.DrawFn, steps: int) -> list[int]:
    """Cut a quantity of so many steps into a few trades."""
    at = sorted(draw(st.sets(st.integers(1, steps - 1), max_size=3)))
    return [b - a for a, b in zip([0, *at], [*at, steps], strict=True)]


@pytest.mark.fault(34)
@given(data=st.data(), fee=st.sampled_from(["none", "quote", "base"]))
def test_any_order_of_the_same_fills_gives_the_same_position(data, fee):
    """Entries of two legs and the close of a third are cut into trades that come in any order."""

    def at_the_target() -> House:
        house = opened()
        house.fill(house.sent[0], fee_percent="0.1" if fee == "base" else "0", fee_in="BTC")
        house.price("BTCUSDT", "50500")
        return house

    house = at_the_target()
    step = D("0.00001")
    trades: list[tuple[int, Trade]] = []
    for order in (*house.sent[1:3], *house.orders("take_profit")):
        price = order.price or D(50500)
        for count in data.draw(cuts(int(order.quantity / step))):
            quantity = count * step
            in_base = fee == "base" and order.purpose == "entry"
            amount = D(0) if fee == "none" else quantity / 1000 * (1 if in_base else price)
            trade = Trade(
                trade_id=f"{len(trades)}",
                price=price - D("0.01") * len(trades),
                quantity=quantity,
                fee=amount,
                fee_currency="BTC" if in_base else "USDT",
                at=house.clock.time,
                fee_value=None if in_base else amount,
            )
            trades.append((order.id, trade))

    def position_after(order_of_trades: list[tuple[int, Trade]]) -> list[Any]:
        house = at_the_target()
        for id, trade in order_of_trades:
            order = house.book.orders[id]
            filled = order.filled_quantity + trade.quantity
            state = OrderStatus.FILLED if filled == order.quantity else OrderStatus.PARTIALLY_FILLED
            house.says(order, status=state, filled_quantity=filled, trades=(trade,))
        group = house.group
        figures = [group.filled_quantity, group.open_quantity, group.avg_entry, group.aggregate_target]
        figures += [group.invested, group.realized, group.fees]
        return figures + [replace(leg, triggered_at=None) for leg in house.legs()]

    assert position_after(data.draw(st.permutations(trades))) == position_after(trades)


@pytest.mark.parametrize(
    ("side", "invested", "quantity", "price", "result", "percent"),
    [
        ("long", "1000", "10", "110", "100", "10"),
        ("long", "1000", "10", "94", "-60", "-6"),
        ("short", "1000", "10", "94", "60", "6"),
        ("short", "1000", "3", "400", "-200", "-20"),
        ("long", "0", "0", "94", "0", None),
        ("long", "1000", "10", None, None, None),
    ],
)
def test_an_unrealized_result_is_over_what_is_held(side, invested, quantity, price, result, percent):
    got = unrealized(Side(side), D(invested), D(quantity), D(price) if price else None)
    assert got == (None if result is None else D(result))
    assert unrealized_percent(got, D(invested)) == (None if percent is None else D(percent))


def test_what_closed_groups_came_to_is_told_where_there_is_something_to_tell():
    nothing = Statistics(
        trades=0, wins=0, losses=0, won=D(0), lost=D(0), realized=D(0), fees=D(0), volume=D(0)
    )
    some = replace(nothing, trades=4, wins=3, losses=1, won=D(90), lost=D(-20))
    assert (nothing.win_rate, nothing.average_win, nothing.average_loss, nothing.profit_factor) == (None,) * 4
    assert (some.win_rate, some.average_win, some.average_loss, some.profit_factor) == (75, 30, -20, D("4.5"))


def test_an_orders_average_follows_from_its_fills():
    house = opened()
    assert house.orders()[0].avg_fill_price is None
    house.fill(house.sent[0], "49000", "0.001")
    house.fill(house.sent[0], "49900", "0.002")
    assert house.orders()[0].avg_fill_price == 49600


def test_a_short_earns_what_a_long_would_lose():
    house = opened(symbol="BTCUSDT.P", market_position="short")
    house.fill(house.sent[0], fee_percent="0.1")
    house.price("BTCUSDT.P", "49500")
    house.fill(house.orders("take_profit")[0], "49500", fee_percent="0.1")
    assert house.group.realized == 500 * D("0.004") - D("0.2") - D("0.198")


def test_entry_fees_are_booked_in_proportion_to_what_is_closed_and_the_last_close_takes_the_rest():
    house = opened()
    house.fill(house.sent[0], fee_percent="0.1")  # 0.2 USDT for 0.004
    house.price("BTCUSDT", "50500")
    (close,) = house.orders("take_profit")
    house.fill(close, "50500", "0.001")
    assert house.group.realized == D("0.5") - D("0.05")
    house.fill(close, "50500")
    assert house.group.realized == D("2") - D("0.2")


def test_one_close_of_several_legs_is_shared_without_a_remainder():
    house = opened()
    for order in house.sent[:3]:
        house.fill(order, fee_percent="0.07")
    house.alert(**EXIT)
    (close,) = house.orders("exit")
    house.fill(close, "49999.99", "0.00777", fee_percent="0.03")
    house.fill(close, "49888.88", fee_percent="0.03")
    order = house.book.orders[close.id]
    legs = house.legs()
    assert sum(leg.proceeds for leg in legs) == order.filled_cost
    assert sum(leg.exit_fees for leg in legs) == order.fee_value
    assert sum(leg.closed_quantity for leg in legs) == order.filled_quantity


def test_more_than_was_to_be_closed_goes_to_the_last_leg():
    house = opened()
    for order in house.sent[:2]:
        house.fill(order)
    house.alert(**EXIT)
    (close,) = house.orders("exit")
    house.fill(close, "50000", "0.01000")
    assert [leg.closed_quantity for leg in house.legs()[:2]] == [D("0.00400"), D("0.00600")]
    assert house.group.open_quantity == D("-0.00198")


@pytest.mark.fault(42)
def test_a_close_that_the_exchange_trimmed_leaves_dust_at_cost():
    house = opened()
    house.fill(house.sent[0])
    house.alert(**EXIT)
    house.confirm_cancels()
    (close,) = house.orders("exit")
    trade = house.trade(close, "50000", "0.00392", "0", "USDT")
    house.says(close, status=OrderStatus.FILLED, filled_quantity=trade.quantity, trades=(trade,))
    assert (house.group.status, house.group.open_quantity, house.group.invested) == (
        "closed",
        D("0.00008"),
        D("4"),
    )
    assert house.legs()[0].closed_by == "exit"
    assert house.group.realized == 0


def test_a_close_under_way_is_waited_for_though_the_price_makes_dust_of_it():
    house = opened()
    house.fill(house.sent[0], quantity="0.00011")
    house.price("BTCUSDT", "50500")
    house.says(house.sent[0], status=OrderStatus.CANCELLED, filled_quantity=D("0.00011"), about_cancel=True)
    assert len(house.orders("take_profit")) == 1
    house.price("BTCUSDT", "30000")  # worth 3.30 USDT now
    house.says(house.sent[1], status=OrderStatus.CANCELLED)
    assert house.group.status == "partially_filled"
    house.fill(house.orders("take_profit")[0], "30000")
    assert house.group.status == "closing"


@pytest.mark.fault(32)
def test_several_reports_of_one_group_are_decided_together_and_copies_change_nothing():
    house = opened()

    def filled(order: Order) -> Report:
        trade = Trade(
            trade_id=f"t{order.id}", price=order.price or D(0), quantity=order.quantity, at=house.clock.time
        )
        return Report(
            account="paper", client_order_id=order.client_order_id, verdict=Verdict.ACCEPTED, trades=(trade,),
            status=OrderStatus.FILLED, filled_quantity=order.quantity, exchange_order_id="x", at=house.clock.time,
        )  # fmt: skip

    both = OrderReports(group_id=house.group.id, reports=tuple(filled(order) for order in house.sent[:2]))
    house.post(both)
    assert house.group.filled_quantity == D("0.00802")
    before = len(house.store.committed)
    house.post(both)
    assert len(house.store.committed) == before


def test_a_close_that_sold_something_starts_the_waiting_anew():
    house = opened()
    house.fill(house.sent[0])
    house.alert(**EXIT)
    house.confirm_cancels()
    waits = []
    for answer in ("refused", "refused", "part", "refused"):
        close = house.orders("exit")[-1]
        if answer == "refused":
            house.says(close, Verdict.REFUSED)
            waits.append((house.group.retry_at - house.clock.time).total_seconds())
            house.clock.forward(seconds=waits[-1])
            house.desk.look_at_clock()
        else:
            trade = house.trade(close, "50000", "0.001", "0", "USDT")
            house.says(close, status=OrderStatus.CANCELLED, filled_quantity=D("0.001"), trades=(trade,))
    assert waits == [2, 4, 2]


def test_a_refused_order_that_turns_out_to_have_been_cancelled_reopens_nothing():
    house = opened()
    again = House()
    again.price("BTCUSDT", "50000")
    again.alert()
    for order in list(again.sent):
        again.says(order, Verdict.REFUSED)
    again.says(again.sent[0], status=OrderStatus.CANCELLED)
    assert (again.group.status, again.orders()[0].status) == ("failed", "cancelled")
    assert house.group.status == "live"


def test_a_final_state_may_not_be_left_for_another():
    house = opened()
    house.fill(house.sent[0])
    with pytest.raises(IllegalTransition, match="filled may not become open"):
        move(house.orders()[0], OrderStatus.OPEN)


def test_risk_flags_that_are_not_named_stay_as_they_are():
    house = opened()
    house.post(SetRisk(group_id=house.group.id, skip_once=True))
    assert house.post(SetRisk(group_id=house.group.id)).text.endswith("skipped once.")


@pytest.mark.parametrize(("settled", "status"), [(False, "pending"), (True, "cancelled")])
def test_a_leg_without_any_order_waits_until_its_group_is_settled(settled, status):
    house = House()
    house.price("BTCUSDT", "65000")
    house.alert(entry_price="65000")
    leg = house.legs()[0]
    instrument = house.catalogue.get("binance", "BTCUSDT")
    assert position.book(leg, Side.LONG, (), (), instrument, settled).status == status
