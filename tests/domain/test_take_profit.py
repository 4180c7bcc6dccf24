"""When a position takes its profit, with which orders, and what becomes of the rest."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal as D
from typing import Any

import pytest

from execution_engine.domain.errors import Refusal
from execution_engine.domain.inputs import Price, SetRisk, SetTakeProfitMode, Verdict
from execution_engine.domain.rows import OrderStatus, World
from execution_engine.domain.signal import TakeProfitMode
from tests.house import House, spot

LONG = {"symbol": "BTCUSDT", "side": "long"}
SHORT = {"symbol": "BTCUSDT.P", "side": "short"}


def two(first: str, second: str, gap: str = "-1") -> list[dict[str, str]]:
    """A grid of two halves with these targets [%]."""
    return [
        {"gap_percent": "0", "weight_percent": "50", "tp_percent": first},
        {"gap_percent": gap, "weight_percent": "50", "tp_percent": second},
    ]


def filled(
    legs: int, settings: dict[str, Any] | None = None, world: World = World.PAPER, **fields: Any
) -> House:
    """Return a house with a group whose first legs have filled, long at 50,000 unless told otherwise."""
    house = House(
        {f"take_profit.{path}" if "." not in path else path: v for path, v in (settings or {}).items()}
    )
    house.book.apply([replace(account, world=world) for account in house.book.accounts.values()])
    house.price(fields.get("symbol", "BTCUSDT"), "50000")
    house.alert(**{"price": "50000"} | fields)
    house.accept()
    for order in house.sent[:legs]:
        house.fill(order)
    house.accept()
    house.confirm_cancels()  # of resting targets that were in step before the last fill
    house.accept()
    return house


def closing(house: House) -> list[tuple[str, str, D | None, D]]:
    """Return what is on its way to close something: purpose, type, price, quantity."""
    return [
        (o.purpose.value, o.type.value, o.price, o.quantity) for o in house.working if o.purpose != "entry"
    ]


# -- watched targets


@pytest.mark.parametrize(
    ("fields", "price", "bid", "ask", "hit"),
    [
        (LONG, "50499.99", "0", "0", False),
        (LONG, "50500", "0", "0", True),
        (LONG, "50510", "50499.99", "50510", False),  # a close would get the bid
        (LONG, "50400", "50500", "50501", True),
        (SHORT, "49500.1", "0", "0", False),
        (SHORT, "49500", "0", "0", True),
        (SHORT, "49400", "49400", "49500.1", False),  # a close would pay the ask
        (SHORT, "49600", "49499", "49500", True),
    ],
)
def test_a_target_is_reached_at_the_price_that_a_close_would_get(fields, price, bid, ask, hit):
    house = filled(1, **fields)
    house.price(fields["symbol"], price, bid, ask)
    assert len(house.orders("take_profit")) == hit


@pytest.mark.parametrize(
    ("quoted_ms", "clock_s", "hit"),
    [
        (-2, 0, False),
        (-10_000, 0, False),
        (-2, -9, False),
        (-1, 0, True),  # as much as a time may lose where it is rounded
        (0, 0, True),
        (1, 0, True),
        (-10_001, 0, True),  # no price is so late: one of the times is not what it is taken for
        (-2, 11, True),  # as here, where the computer's clock says another time
        (-2, -3600, True),
        (None, 0, True),  # this exchange does not say
    ],
)
@pytest.mark.parametrize("mode", ["per_leg", "aggregate"])
@pytest.mark.parametrize("side", [LONG, SHORT])
def test_what_filled_in_a_fall_is_not_sold_because_of_a_price_from_before_it(
    quoted_ms, clock_s, hit, mode, side
):
    settings = {"mode": mode, "grid.profiles": {"default": two("1", "1")}}
    house = filled(0, settings, world=World.LIVE, **side)
    house.clock.forward(minutes=1)
    house.fill(house.sent[0])
    quoted_at = None if quoted_ms is None else house.clock.now() + timedelta(milliseconds=quoted_ms)
    house.clock.time += timedelta(seconds=clock_s)
    before = "51000" if side is LONG else "49000"
    house.price(side["symbol"], before, manual=False, quoted_at=quoted_at)
    assert len(house.orders("take_profit")) == hit


def test_a_price_from_before_another_legs_close_filled_counts():
    house = filled(2, world=World.LIVE)
    house.clock.forward(minutes=1)
    house.price("BTCUSDT", "49999")
    at = house.clock.now()
    house.clock.forward(seconds=1)
    house.fill_all("take_profit", "49999")
    house.price("BTCUSDT", "50500", manual=False, quoted_at=at)
    assert len(house.orders("take_profit")) == 2


def test_on_paper_it_is_the_price_that_fills_and_the_next_one_counts_whenever_it_was_quoted():
    house = filled(1)
    house.price("BTCUSDT", "51000", manual=False, quoted_at=house.clock.now() - timedelta(seconds=1))
    assert len(house.orders("take_profit")) == 1


def test_the_targets_come_from_what_the_fills_really_cost():
    house = filled(0)
    house.fill(house.sent[0], "49000.004", "0.002")
    house.fill(house.sent[0], "49900.003", "0.002")
    assert house.legs()[0].tp_price == D("49944.51")  # 49450.0035 and one per cent, rounded up to the tick


def test_a_leg_whose_target_is_reached_closes_alone_and_the_others_stay():
    house = filled(2)
    house.price("BTCUSDT", "49999")  # leg 1 filled at 49,750: its half per cent is reached, leg 0's is not
    assert closing(house) == [("take_profit", "market", None, D("0.00402"))]
    house.fill_all("take_profit", "49999")
    assert [leg.status.value for leg in house.legs()] == ["filled", "tp_hit", "open", "open", "open"]
    assert house.group.status == "partially_filled"
    assert house.group.open_quantity == house.legs()[0].open_quantity


@pytest.mark.fault(31)
def test_targets_that_one_price_reaches_become_one_order_that_names_its_legs():
    house = filled(2)
    house.price("BTCUSDT", "60000")
    (order,) = house.orders("take_profit")
    assert [leg_id for leg_id, _ in order.parts] == [leg.id for leg in house.legs()[:2]]
    assert (order.leg_id, order.quantity) == (None, D("0.00802"))
    house.fill(order, "60000")
    assert house.group.status == "closing"
    house.confirm_cancels()
    assert house.group.status == "closed"


def test_the_price_has_to_fall_back_for_nothing_a_reached_target_is_closed_once():
    house = filled(1)
    for price in ("50600", "50700", "50400", "50800"):
        house.price("BTCUSDT", price)
    assert len(house.orders("take_profit")) == 1


def test_of_a_partly_filled_leg_the_remainder_is_cancelled_before_what_filled_is_closed():
    house = filled(0)
    house.fill(house.sent[0], quantity="0.001")
    house.price("BTCUSDT", "50500")
    assert house.orders("take_profit") == []
    assert [order.id for order in house.cancelled] == [house.sent[0].id]
    house.fill(house.sent[0], quantity="0.002")  # the cancel races a fill
    house.confirm_cancels()
    assert closing(house) == [("take_profit", "market", None, D("0.003"))]


@pytest.mark.fault(30)
def test_a_leg_that_fills_while_its_close_is_under_way_is_not_sold_before_its_own_target():
    house = filled(1)
    house.price("BTCUSDT", "50500")
    house.fill(house.sent[1])
    house.fill_all("take_profit", "50500")
    assert house.group.open_quantity == D("0.00402")
    assert house.group.status == "partially_filled"


def test_a_flat_group_cancels_its_unfilled_legs_and_closes():
    house = filled(1)
    house.price("BTCUSDT", "50500")
    house.fill_all("take_profit")
    assert (house.group.status, len(house.cancelled)) == ("closing", 4)
    assert house.group.avg_entry is None
    house.confirm_cancels()
    assert house.group.status == "closed"
    assert house.group.close_reason == "everything that filled was sold at its target"


def test_a_kept_grid_goes_on_until_no_leg_works_any_more():
    house = filled(1, {"on_flat": "keep_grid"})
    house.price("BTCUSDT", "50500")
    house.fill_all("take_profit")
    assert (house.group.status, house.cancelled) == ("live", [])
    for order in house.sent[1:5]:
        house.fill(order)
    assert house.group.status == "active"
    house.price("BTCUSDT", "50000")
    house.fill_all("take_profit", "50000")
    assert house.group.status == "closed"


# -- aggregate and hybrid


@pytest.mark.parametrize(
    ("fields", "before", "at"), [(LONG, "50373.43", "50373.44"), (SHORT, "49606.1", "49606.0")]
)
def test_an_aggregate_closes_the_whole_group_at_its_common_target(fields, before, at):
    house = filled(2, {"mode": "aggregate"}, **fields)
    house.price(fields["symbol"], before)
    assert house.group.status == "partially_filled"
    house.price(fields["symbol"], at)
    assert house.group.status == "closing"
    (close,) = house.orders("take_profit")
    assert close.quantity == house.group.open_quantity
    house.confirm_cancels()
    house.fill(close, at)
    assert house.group.status == "closed"
    assert house.group.realized > 0


@pytest.mark.fault(30)
def test_what_fills_while_an_aggregate_closes_is_closed_too():
    house = filled(2, {"mode": "aggregate"})
    house.price("BTCUSDT", "51000")
    house.fill(house.sent[2])
    house.confirm_cancels()
    first, second = house.orders("take_profit")
    assert second.quantity == house.sent[2].quantity
    house.fill(first)
    house.fill(second)
    assert house.group.status == "closed"


def test_what_fills_while_a_close_waits_for_its_turn_leaves_with_it():
    house = filled(1)
    house.alert(type="exit", action=None)
    (waiting,) = house.orders("exit")
    house.book.apply([replace(waiting, sent_at=None)])  # its lane is still busy with cancels
    house.fill(house.sent[1])
    revoked, together = house.orders("exit")
    assert (revoked.id, revoked.status) == (waiting.id, "cancelled")
    assert together.quantity == house.sent[0].quantity + house.sent[1].quantity
    assert house.sent[-1].id == together.id


def hybrid(first: str, second: str, **settings: Any) -> House:
    return filled(2, {"mode": "hybrid", "grid.profiles": {"default": two(first, second)}} | settings)


@pytest.mark.fault(31)
@pytest.mark.parametrize(
    ("targets", "price", "closes", "group"),
    [
        (("5", "5"), "50000", [], "active"),
        (("5", "5"), "50250", ["0.02010"], "closing"),  # the aggregate first: everything
        (("5", "0.5"), "49760", ["0.01010"], "active"),  # a leg first: that leg
        (
            ("5", "0.5"),
            "50400",
            ["0.01010"],
            "active",
        ),  # both: the leg; the rest, from 50,000, is not there yet
        (
            ("5", "0.5"),
            "50500",
            ["0.01010", "0.01000"],
            "closing",
        ),  # both: the leg, then what is left at its own
        (("1", "2"), "50500", ["0.02010"], "active"),
    ],
)
def test_hybrid_takes_whichever_is_first_and_judges_the_aggregate_on_what_is_left(
    targets, price, closes, group
):
    house = hybrid(*targets)
    house.price("BTCUSDT", price)
    assert [str(order.quantity) for order in house.orders("take_profit")] == closes
    assert house.group.status == group


def test_a_mode_changed_by_hand_counts_at_once_where_the_price_is_fresh():
    house = filled(2, {"grid.profiles": {"default": two("5", "5")}})
    house.price("BTCUSDT", "50300", manual=False)
    house.clock.forward(seconds=11)
    house.post(SetTakeProfitMode(group_id=house.group.id, mode=TakeProfitMode.AGGREGATE))
    assert house.group.status == "active"  # eleven seconds old: the next price decides
    house.post(SetTakeProfitMode(group_id=house.group.id, mode=TakeProfitMode.PER_LEG))
    house.price("BTCUSDT", "50300", manual=False)
    answer = house.post(SetTakeProfitMode(group_id=house.group.id, mode=TakeProfitMode.AGGREGATE))
    assert answer.text == "BTCUSDT 15m takes its profit aggregate now."
    assert house.group.status == "closing"


def test_a_price_set_by_hand_does_not_age():
    house = filled(2, {"grid.profiles": {"default": two("5", "5")}})
    at = house.clock.time
    house.desk.post(Price(exchange="binance", symbol="BTCUSDT", last=D(50300), at=at, manual=True))
    house.clock.forward(hours=1)
    house.post(SetTakeProfitMode(group_id=house.group.id, mode=TakeProfitMode.HYBRID))
    assert house.group.status == "closing"


def test_what_is_asked_for_a_group_that_is_gone_is_refused():
    house = filled(1)
    unknown = Refusal("UNKNOWN", "there is no open group 999")
    for wish in (SetTakeProfitMode(group_id=999, mode=TakeProfitMode.HYBRID), SetRisk(group_id=999)):
        assert house.post(wish) == unknown


def test_a_group_can_be_blocked_and_skipped_for_the_risk_engine():
    house = filled(1)
    id = house.group.id
    assert (
        house.post(SetRisk(group_id=id, blocked=True)).text == "BTCUSDT 15m is blocked for the risk engine."
    )
    house.post(SetRisk(group_id=id, skip_once=True))
    assert (house.group.blocked, house.group.skip_once) == (True, True)
    house.post(SetRisk(group_id=id, blocked=False, skip_once=False))
    assert (house.group.blocked, house.group.skip_once) == (False, False)


# -- resting targets

RESTING = {"order": "limit"}


def test_resting_targets_stand_on_the_exchange_in_step_with_fills():
    house = filled(0, RESTING)
    house.fill(house.sent[0], quantity="0.001")
    assert closing(house) == [("take_profit", "limit", D("50500.00"), D("0.00100"))]
    house.accept()
    house.fill(house.sent[0], quantity="0.001")
    house.confirm_cancels()
    assert closing(house) == [("take_profit", "limit", D("50500.00"), D("0.00200"))]


def test_many_small_fills_at_once_move_a_resting_target_on_by_tenths():
    house = filled(0, RESTING)
    house.fill(house.sent[0], quantity="0.002")
    house.accept()
    for _ in range(3):
        house.fill(house.sent[0], quantity="0.0001")
        house.confirm_cancels()
        house.accept()
    assert [order.quantity for order in house.orders("take_profit")] == [D("0.00200"), D("0.00220")]


def test_a_resting_target_that_has_stood_a_while_follows_the_next_fill_whatever_its_size():
    house = filled(0, RESTING)
    house.fill(house.sent[0], quantity="0.002")
    house.accept()
    house.fill(house.sent[0], quantity="0.0001")
    house.clock.forward(seconds=5)
    house.fill(house.sent[0], quantity="0.00001")
    house.confirm_cancels()
    assert closing(house) == [("take_profit", "limit", D("50500.00"), D("0.00211"))]


def test_a_resting_target_offers_the_whole_once_its_entry_has_ended():
    house = filled(0, RESTING)
    house.fill(house.sent[0], quantity="0.002")
    house.accept()
    house.fill(house.sent[0], quantity="0.0001")
    house.says(house.sent[0], status=OrderStatus.CANCELLED, filled_quantity=D("0.0021"))
    house.confirm_cancels()
    assert closing(house) == [("take_profit", "limit", D("50500.00"), D("0.00210"))]


def test_the_first_fill_of_a_resting_target_cancels_its_legs_remainder():
    house = filled(0, RESTING)
    house.fill(house.sent[0], quantity="0.002")
    house.accept()
    (target,) = house.orders("take_profit")
    house.fill(target, quantity="0.001")
    assert [order.id for order in house.cancelled] == [house.sent[0].id]
    house.confirm_cancels()
    assert house.working[-1].id == target.id  # what is left of the target goes on resting
    house.fill(target)
    assert house.legs()[0].tp_hit


def test_a_resting_target_of_less_than_the_minimum_is_watched_instead():
    house = filled(0, RESTING)
    house.fill(house.sent[0], quantity="0.00009")
    assert closing(house) == []
    house.price("BTCUSDT", "60000")  # now worth enough to be sold at market
    house.confirm_cancels()
    assert closing(house) == [("take_profit", "market", None, D("0.00009"))]


def test_a_resting_target_above_the_maximum_is_split_and_kept_in_step():
    house = House({"take_profit.order": "limit"})
    house.catalogue.add([spot(max_qty=D("0.002"))])
    house.price("BTCUSDT", "50000")
    house.alert(price="50000")
    house.accept()
    first = house.sent[:2]
    house.fill(first[0])
    house.accept()
    assert [quantity for *_, quantity in closing(house)] == [D("0.00200")]
    house.fill(first[1], quantity="0.001")
    house.confirm_cancels()
    house.accept()
    assert [quantity for *_, quantity in closing(house)] == [D("0.00150"), D("0.00150")]
    one, other = [order for order in house.working if order.purpose == "take_profit"]
    house.fill(one, quantity="0.001")
    assert [order.id for order in house.cancelled].count(other.id) == 0
    house.fill(one)
    house.fill(other)
    assert house.legs()[0].tp_hit


@pytest.mark.fault(29, 31)
def test_an_exit_cancels_resting_targets_and_closes_what_they_stood_for():
    house = filled(2, RESTING)
    targets = house.orders("take_profit")
    assert len(targets) == 2
    house.alert(type="exit", action=None)
    assert house.orders("exit") == []  # the targets stand for all that is held
    trade = house.trade(targets[0], None, "0.001", "0", "USDT")
    house.says(
        targets[0],
        status=OrderStatus.CANCELLED,
        filled_quantity=D("0.001"),
        trades=(trade,),
        about_cancel=True,
    )
    house.confirm_cancels()
    assert sum(order.quantity for order in house.orders("exit")) == D("0.00702")
    house.fill_all("exit")
    assert house.group.status == "closed"


def test_hybrid_rests_the_legs_targets_and_watches_the_aggregate():
    house = hybrid("5", "5", order="limit")
    assert [kind for _, kind, *_ in closing(house)] == ["limit", "limit"]
    house.price("BTCUSDT", "50260")
    assert house.group.status == "closing"
    house.confirm_cancels()
    assert [(kind, quantity) for _, kind, _, quantity in closing(house)] == [
        ("market", D("0.01")),
        ("market", D("0.0101")),
    ]


def test_an_aggregate_rests_as_one_order_and_its_first_fill_ends_the_entries():
    house = filled(2, RESTING | {"mode": "aggregate"})
    assert closing(house) == [("take_profit", "limit", D("50373.44"), D("0.00802"))]
    old, target = house.orders("take_profit")
    house.fill(target, quantity="0.001")
    assert len(house.cancelled) == 1 + 3
    assert old.status == "cancelled"
    house.confirm_cancels()
    house.fill(target)
    assert house.group.status == "closed"


@pytest.mark.fault(55)
def test_a_resting_aggregate_that_fills_at_once_closes_a_kept_grid_too():
    house = filled(2, RESTING | {"mode": "aggregate", "on_flat": "keep_grid"})
    house.fill_all("take_profit")
    house.confirm_cancels()
    assert house.group.status == "closed"
    assert len(house.cancelled) == 4  # three legs, and the target that stood before the second leg filled


def test_a_resting_aggregate_follows_the_average_entry():
    house = filled(2, RESTING | {"mode": "aggregate"})
    house.fill(house.sent[2])
    house.confirm_cancels()
    assert closing(house) == [
        ("take_profit", "limit", house.group.aggregate_target, house.group.open_quantity)
    ]


@pytest.mark.parametrize(
    ("mode", "orders"),
    [("aggregate", ["0.00802"]), ("hybrid", ["0.00400", "0.00402"]), ("per_leg", ["0.00400", "0.00402"])],
)
def test_a_mode_changed_by_hand_takes_back_the_targets_it_does_not_know(mode, orders):
    house = filled(2, RESTING)
    house.post(SetTakeProfitMode(group_id=house.group.id, mode=TakeProfitMode(mode)))
    house.confirm_cancels()
    assert [str(quantity) for *_, quantity in closing(house)] == orders


def test_an_aggregate_changed_to_legs_rests_the_legs():
    house = filled(2, RESTING | {"mode": "aggregate"})
    house.post(SetTakeProfitMode(group_id=house.group.id, mode=TakeProfitMode.PER_LEG))
    house.confirm_cancels()
    assert [quantity for *_, quantity in closing(house)] == [D("0.00400"), D("0.00402")]


def test_a_refused_resting_target_is_tried_again_later():
    house = filled(0, RESTING)
    house.fill(house.sent[0])
    (target,) = house.orders("take_profit")
    house.says(target, Verdict.REFUSED, reason="too many orders")
    assert closing(house) == []
    house.clock.forward(seconds=2)
    house.desk.look_at_clock()
    assert closing(house) == [("take_profit", "limit", D("50500.00"), D("0.00400"))]


# -- closing: dust, real balances


@pytest.mark.fault(37)
def test_a_remainder_that_cannot_be_sold_is_dust_and_keeps_no_group_open():
    house = filled(0)
    house.fill(house.sent[0], quantity="0.00009")  # worth 4.50 USDT, the minimum is 5
    house.price("BTCUSDT", "50500")
    house.confirm_cancels()
    assert house.orders("take_profit") == []
    assert (house.group.status, house.group.open_quantity) == ("closed", D("0.00009"))
    assert house.group.invested == D("4.5")


def test_a_small_fill_is_no_dust_while_its_leg_still_fills():
    house = filled(0)
    house.fill(house.sent[0], quantity="0.00009")
    house.price("BTCUSDT", "49990")
    assert house.group.status == "partially_filled"


def test_dust_at_its_target_is_sold_together_with_the_next_leg():
    house = filled(0, {"on_flat": "keep_grid"})
    house.fill(house.sent[0], quantity="0.00009")
    house.price("BTCUSDT", "50500")
    house.confirm_cancels()
    assert house.group.status == "live"
    house.fill(house.sent[1])
    house.price("BTCUSDT", "50000")
    assert closing(house) == [("take_profit", "market", None, D("0.00411"))]


@pytest.mark.fault(41)
def test_after_a_refused_sale_what_is_really_there_is_sold():
    house = filled(1)
    house.alert(type="exit", action=None)
    house.confirm_cancels()
    close = house.orders("exit")[0]
    house.book.balances["paper"] = {"USDT": D(1000), "BTC": D("0.003")}  # some was sold by hand
    house.says(close, Verdict.REFUSED, reason="insufficient balance", code="InsufficientFundsError")
    house.clock.forward(seconds=2)
    house.desk.look_at_clock()
    assert [order.quantity for order in house.orders("exit")] == [D("0.00400"), D("0.00300")]


def test_a_balance_of_nothing_is_not_believed():
    house = filled(1)
    house.alert(type="exit", action=None)
    house.confirm_cancels()
    house.book.balances["paper"] = {"USDT": D(1000), "BTC": D("0.00001")}
    house.says(house.orders("exit")[0], Verdict.REFUSED)
    house.clock.forward(seconds=2)
    house.desk.look_at_clock()
    assert house.orders("exit")[-1].quantity == D("0.00400")


def test_a_close_above_the_market_maximum_is_split():
    house = filled(1)
    house.catalogue.add([spot(market_max_qty=D("0.0015"))])
    house.alert(type="exit", action=None)
    assert [str(order.quantity) for order in house.orders("exit")] == ["0.00134", "0.00133", "0.00133"]
    assert all(len(order.parts) == 1 for order in house.orders("exit"))


def test_a_close_on_a_perpetual_only_reduces():
    house = filled(1, symbol="BTCUSDT.P", market_position="short")
    house.price("BTCUSDT.P", "49500")
    (close,) = house.orders("take_profit")
    assert (close.reduce_only, close.action, close.position) == (True, "buy", "short")
    assert not any(order.reduce_only for order in house.orders("entry"))
    house.fill(close, "49500")
    house.confirm_cancels()
    assert house.group.realized == D("500") * close.quantity


def test_without_a_price_the_average_entry_says_whether_a_close_is_worth_it():
    house = filled(1)
    house.book.prices.clear()
    house.alert(type="exit", action=None)
    assert len(house.orders("exit")) == 1


def test_a_group_on_hold_still_takes_its_profit():
    house = filled(1)
    house.book.apply([replace(house.group, hold="an internal error")])
    house.price("BTCUSDT", "50500")
    assert len(house.orders("take_profit")) == 1


def test_a_group_that_is_flat_while_entries_have_not_left_yet_closes_at_once():
    house = House({"take_profit.order": "limit"})
    house.price("BTCUSDT.P", "65000")
    house.alert(symbol="BTCUSDT.P", entry_price="65000")
    first, *rest = house.sent
    unsent = [replace(order, sent_at=None) for order in rest]  # they wait for room in the rate budget
    house.book.apply(unsent)
    house.says(first)
    house.fill(first)
    (target,) = house.orders("take_profit")
    house.says(target)
    house.fill(target)
    assert house.group.status == "closed"
    assert {leg.status.value for leg in house.legs()[1:]} == {"cancelled"}
