"""What becomes of positions when their market's rules change, or when it is not traded any more."""

from __future__ import annotations

from decimal import Decimal as D

import pytest

from execution_engine.domain.inputs import (
    About,
    CancelLegs,
    DueRow,
    ExitGroup,
    Instruments,
    OrderReports,
    Verdict,
)
from execution_engine.domain.rows import Leg, Order
from tests.house import House, spot

BROKE = "Order validation failed. The rules of this market are read again."


def entered(**settings: str) -> House:
    house = House({path.replace("__", "."): value for path, value in settings.items()})
    house.price("BTCUSDT", "65000")
    house.first = house.alert(entry_price="65000")
    return house


def broke(house: House, *orders: Order, about: About | None = About.RULES, code: str = "") -> None:
    """Let the exchange refuse orders together."""
    code = code or "OrderValidationError"
    said = tuple(
        house.report(order, Verdict.REFUSED, code=code, reason=BROKE, about=about) for order in orders
    )
    house.post(OrderReports(group_id=house.group.id, reports=said))


def change(house: House, **rules: str) -> None:
    house.desk.post(Instruments(instruments=(spot(**{name: D(value) for name, value in rules.items()}),)))


def told(house: House, code: str) -> list[str]:
    return [fact.text for fact in house.facts if fact.code == code]


def attempts(house: House, leg: Leg) -> list[tuple[int, str]]:
    return [(order.attempt, order.status) for order in house.orders("entry") if order.leg_id == leg.id]


@pytest.mark.fault(38)
def test_a_leg_that_broke_new_rules_is_planned_anew_when_they_are_known():
    house = entered()
    first, second, *others = house.sent
    for order in (first, *others):
        house.says(order)
    broke(house, second)
    assert attempts(house, house.legs()[1]) == [(1, "rejected")]
    assert len(house.sent) == 5  # by the rules that it broke nothing is sent again
    change(house, tick="50", step="0.001")
    anew = house.sent[-1]
    assert (anew.leg_id, anew.attempt, anew.price, anew.quantity) == (second.leg_id, 2, D(64650), D("0.003"))
    assert anew.client_order_id != second.client_order_id
    leg = house.legs()[1]
    assert (leg.status, leg.price, leg.quantity) == ("pending", D(64650), D("0.003"))
    assert leg.tp_price == D(65000)  # 64,973.25, on the new tick
    assert told(house, "leg_planned_anew") == [
        "BTCUSDT 15m leg 2 is planned anew by the market's new rules: 0.003 at 64650."
    ]
    house.says(anew)
    assert len(house.sent) == 6
    change(house, tick="100", step="0.001")
    assert len(house.sent) == 6  # what rests is left alone


@pytest.mark.fault(38)
def test_an_entry_of_which_every_leg_broke_new_rules_has_not_failed_yet():
    house = entered()
    broke(house, *house.sent)
    assert house.outcome(house.first)[0] is None
    assert (house.group.status, house.pyramids()[0].status) == ("waiting", "pending")
    change(house, tick="37")
    assert [(order.attempt, order.price % 37) for order in house.sent[5:]] == [(2, 0)] * 5
    house.accept()
    assert house.outcome(house.first)[0] == "opened"
    assert house.group.status == "live"


@pytest.mark.fault(38)
def test_a_leg_that_the_new_rules_leave_no_room_for_says_so():
    house = entered()
    for order in house.sent[1:]:
        house.says(order)
    broke(house, house.sent[0])
    change(house, min_notional="1000")
    assert attempts(house, house.legs()[0]) == [(1, "rejected")]
    (said,) = told(house, "leg_left_out")
    assert said.startswith(
        "BTCUSDT 15m leg 1 is left out. By the market's new rules, its notional 199.55 USDT is below the minimum"
    )
    assert house.orders("entry")[0].reason.startswith(f"{BROKE} By the market's new rules, its notional")
    change(house, min_notional="5")
    assert len(house.sent) == 5


@pytest.mark.fault(38)
def test_a_group_fails_with_its_reason_where_the_new_rules_leave_room_for_no_leg():
    house = entered()
    broke(house, *house.sent)
    change(house, min_notional="1000")
    assert house.group.status == "failed"
    outcome, reason = house.outcome(house.first)
    assert outcome == "failed"
    assert "is below the minimum of 1000 USDT" in reason


@pytest.mark.fault(38)
def test_rules_are_waited_for_five_minutes_and_no_longer():
    house = entered()
    broke(house, *house.sent)
    change(house, maker_fee_percent="0.2")  # they were read, and the orders still fit them
    house.clock.forward(minutes=4)
    house.desk.look_at_clock()
    assert house.group.status == "waiting"
    house.clock.forward(minutes=1)
    house.desk.look_at_clock()
    assert (house.group.status, house.group.close_reason) == ("failed", BROKE)
    assert house.outcome(house.first) == ("failed", BROKE)
    change(house, tick="37")
    assert len(house.sent) == 5
    house.post(DueRow(id=house.orders()[0].id))  # its time has come and gone


@pytest.mark.fault(38)
def test_rules_that_change_again_and_again_end_with_the_third_attempt():
    house = entered()
    for order in house.sent[1:]:
        house.says(order)
    for tick in ("37", "41", "43"):
        broke(house, house.sent[-1] if len(house.sent) > 5 else house.sent[0])
        change(house, tick=tick)
    assert attempts(house, house.legs()[0]) == [(1, "rejected"), (2, "rejected"), (3, "rejected")]
    assert house.group.status == "live"


@pytest.mark.fault(38)
def test_a_leg_that_waits_for_rules_is_planned_anew_after_a_restart():
    house = entered()
    for order in house.sent[1:]:
        house.says(order)
    broke(house, house.sent[0])
    after = house.restarted()
    change(after, tick="37")
    after.reconcile()
    assert [
        (order.attempt, order.price % 37) for order in after.sent if order.leg_id == house.sent[0].leg_id
    ] == [(2, 0)]


@pytest.mark.fault(38, 41)
def test_a_leg_that_waits_for_rules_is_given_up_with_the_others():
    for ends in ("exit", "legs", "funds"):
        house = entered()
        house.says(house.sent[4])
        broke(house, house.sent[0])
        if ends == "exit":
            house.post(ExitGroup(group_id=house.group.id))
        elif ends == "legs":
            house.post(CancelLegs(group_id=house.group.id))
        else:
            broke(house, house.sent[1], about=None, code="InsufficientFundsError")
        change(house, tick="37")
        assert attempts(house, house.legs()[0]) == [(1, "rejected")], ends


def test_an_order_at_market_keeps_no_tick_and_a_large_one_is_split_by_the_new_rules():
    house = entered(grid__first_leg="market")
    broke(house, house.sent[0])
    change(house, tick="50")
    assert len(house.sent) == 5
    change(house, tick="50", max_qty="0.002")
    pieces = [order.quantity for order in house.sent[5:]]
    assert (sum(pieces), max(pieces) <= D("0.002"), len(pieces)) == (D("0.00307"), True, 2)


def test_the_risk_timer_waits_for_a_leg_that_waits_for_rules():
    house = entered(risk__timer_start="after_all_dca_submitted")
    for order in house.sent[1:]:
        house.says(order)
    broke(house, house.sent[0])
    assert house.group.timer_started_at is None
    change(house, tick="37")
    house.says(house.sent[-1])
    assert house.group.timer_started_at == house.clock.time


def test_targets_are_those_of_the_new_tick():
    house = entered()
    house.fill(house.sent[0])
    change(house, tick="100")
    assert house.legs()[0].tp_price == D(65700)
