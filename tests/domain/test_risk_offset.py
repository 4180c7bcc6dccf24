"""Offsets carried out: the winners one after the other, then the loser, whatever comes in between."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from execution_engine.domain import risk_offset
from execution_engine.domain.audit import Act
from execution_engine.domain.inputs import (
    AdvanceOffset,
    CloseAll,
    DatabaseReplaced,
    ExitGroup,
    Pause,
    Promote,
    Resume,
    SetRisk,
    Settle,
    Verdict,
)
from execution_engine.domain.risk_parts import cut, proportional
from execution_engine.domain.rows import (
    Order,
    OrderStatus,
    RiskAction,
    RiskRole,
    RiskStatus,
    StepStatus,
    World,
)
from tests.domain.house_risk import RULES, THREE_LEGS, D, RiskHouse, perp, spot

A_B_L = [("A", "100"), ("B", "5"), ("L", "10")]


def ready(settings: dict[str, Any] | None = None) -> RiskHouse:
    """Return a house with the worked example's positions at the prices of its offset."""
    house = RiskHouse(settings)
    house.worked_example()
    return house


def steps(house: RiskHouse) -> list[tuple[str, str, str]]:
    return [(step.symbol[0], step.role.value, step.status.value) for step in house.action.steps]


# -- as planned


@pytest.mark.parametrize("swap", [False, True], ids=["spot", "perpetual"])
@pytest.mark.parametrize(
    ("fee", "realized", "lost"), [("0", "60", "60"), ("0.1", "60.941888", "60.94")], ids=["free", "with fees"]
)
def test_winners_are_closed_one_after_the_other_and_then_the_loser(
    swap: bool, fee: str, realized: str, lost: str
):
    house = RiskHouse({"paper.taker_fee_percent": D(fee)})
    if swap:
        house.catalogue.add([fine(name) for name in "LAB"])
    house.worked_example(fee=fee, swap=swap)
    house.evaluate()
    assert house.action.status is RiskStatus.RUNNING
    assert len(house.offsets) == 1  # the next one is asked for what is still needed then
    done = house.carry_out(fee)
    assert [name[0] + quantity for name, quantity in done] == [
        "A100",
        f"B{'5' if fee == '0' else '6.156'}",
        "L10",
    ]
    action = house.action
    assert (action.status, action.realized_usd, action.loss_usd) == (RiskStatus.DONE, D(realized), D(lost))
    assert {step.status for step in action.steps} == {StepStatus.DONE}
    assert all(order.reduce_only is swap for order in house.offsets)
    assert {order.purpose for order in house.orders()} == {"entry", "offset"}
    assert [house.of(name + (".P" if swap else "")).status for name in "LAB"] == [
        "closed",
        "closed",
        "active",
    ]


def fine(name: str) -> Any:
    return perp(f"{name}USDT.P", **RULES)


def test_shorts_on_perpetuals_pay_for_a_short():
    house = RiskHouse({"paper.taker_fee_percent": D("0.1")})
    house.catalogue.add([fine(name) for name in "LAB"])
    house.worked_example(fee="0.1", swap=True, short=True)
    house.evaluate()
    assert [quantity for _, quantity in house.carry_out("0.1")] == ["100", "6.153", "10"]
    action = house.action
    assert (action.status, action.realized_usd, action.loss_usd) == (
        RiskStatus.DONE,
        D("61.060656"),
        D("61.06"),
    )
    assert {order.action for order in house.offsets} == {"buy"}


def test_contracts_are_closed_in_whole_ones():
    house = RiskHouse({"paper.taker_fee_percent": D("0.1")})
    house.worked_example(fee="0.1", swap=True)  # these perpetuals trade in contracts of 0.1
    house.evaluate()
    assert [quantity for _, quantity in house.carry_out("0.1")] == ["100", "6.2", "10"]
    assert house.action.status is RiskStatus.DONE


def test_the_plan_is_committed_with_its_steps_before_anything_leaves():
    house = ready()
    house.store.held = []
    house.evaluate()
    assert house.offsets
    assert not [order for order in house.sent if order.purpose == "offset"]
    house.store.let_go()
    written = [row for row in house.store.committed if isinstance(row, RiskAction | Order)]
    first = next(i for i, row in enumerate(written) if isinstance(row, RiskAction))
    order = next(i for i, row in enumerate(written) if isinstance(row, Order) and row.purpose == "offset")
    assert first < order
    assert written[order].risk_action_id == written[first].id
    assert written[order].risk_step == 0


def test_what_happens_is_told():
    house = ready()
    house.evaluate()
    house.carry_out()
    told = [(fact.code, fact.category, fact.notice) for fact in house.facts if fact.code.startswith("risk_")]
    assert told == [("risk_planned", "RISK", True), ("risk_done", "RISK", True)]


def test_the_alerts_of_a_loser_end_as_after_any_close_and_its_slot_is_given_on():
    house = ready({"pool.max_open_groups": 3})
    house.price("MUSDT", "10")
    waiting = [
        house.alert(symbol="MUSDT", timeframe=frame, price="10", capital_usd="100") for frame in ("5", "15")
    ]
    assert len(house.queue) == 2
    house.evaluate()
    house.carry_out()
    # A is flat and the loser is closed: two slots, one for each of the two that wait
    assert [house.book.alerts[alert.id].group_id for alert in waiting] == [
        group.id for group in house.groups[-2:]
    ]
    assert not house.queue
    assert house.book.slots_used(World.PAPER) == 3


# -- parts of a position


ALL_BUT_HALF = {1: "0.0015", 2: "0.0015", 3: "0.0010"}
SOME_DUST = {1: "0.0018", 2: "0.0012", 3: "0.001"}
PARTS: list[tuple[str, dict[int, str], str, dict[int, str]]] = [
    ("one leg", {1: "10"}, "4", {1: "4"}),
    ("in proportion", {1: "6", 2: "3", 3: "1"}, "5", {1: "3", 2: "1.5", 3: "0.5"}),
    ("whole steps, the largest remainder first", {1: "1", 2: "1", 3: "1"}, "1", {1: "0.334", 2: "0.333", 3: "0.333"}),
    ("never more than a leg holds", {1: "0.001", 2: "9"}, "8.999", {1: "0.001", 2: "8.998"}),
    ("a leg without a whole step gives nothing", {1: "0.0005", 2: "5"}, "2", {2: "2"}),
    ("everything, dust together", {1: "0.0015", 2: "0.0015"}, "0.003", {1: "0.0015", 2: "0.0015"}),
    ("everything but dust", {1: "1.0004", 2: "1.0004"}, "2.000", {1: "1.0004", 2: "0.9996"}),
    ("dust where whole steps do not suffice", {1: "0.0015", 2: "0.0015", 3: "0.0015"}, "0.004", ALL_BUT_HALF),
    ("dust beside whole steps", {1: "0.0018", 2: "0.0018", 3: "0.0018"}, "0.004", SOME_DUST),
    ("what is closed already gives nothing", {1: "0", 2: "-1", 3: "2"}, "1", {3: "1"}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("held", "quantity", "parts"), [row[1:] for row in PARTS], ids=[row[0] for row in PARTS]
)
def test_a_partial_close_is_taken_from_the_legs_in_proportion(
    held: dict[int, str], quantity: str, parts: dict[int, str]
):
    rules = spot("LUSDT", **RULES)
    given = {id: D(amount) for id, amount in held.items()}
    taken = proportional(given, D(quantity), rules)
    assert dict(taken) == {id: D(amount) for id, amount in parts.items()}
    assert sum(amount for _, amount in taken) == D(quantity)


def test_parts_are_divided_over_several_orders():
    parts = ((1, D(2)), (2, D(3)))
    assert cut(parts, D(3)) == (((1, D(2)), (2, D(1))), ((2, D(2)),))
    assert cut(parts, D(9)) == (parts, ())
    assert cut(parts, D(2)) == (parts[:1], parts[1:])


def test_a_winner_of_several_legs_gives_from_each_in_proportion_and_its_entries_stay():
    house = RiskHouse()
    house.hold("L", "10", "100")
    house.post_grid(THREE_LEGS)
    house.price("AUSDT", "10")
    house.alert(symbol="AUSDT", price="10", capital_usd="2000")
    first, second, third = [order for order in house.working if order.symbol == "AUSDT"]
    house.accept()
    house.fill(first)
    house.fill(second)
    house.move(L="94", A="12")
    house.evaluate()
    close = house.next_offset()
    legs = {leg.id: leg.open_quantity for leg in house.legs(house.of("A"))}
    for id, amount in close.parts:
        assert abs(amount - close.quantity * legs[id] / sum(legs.values())) < D("0.001")
    house.carry_out()
    assert house.action.status is RiskStatus.DONE
    assert house.of("A").status == "partially_filled"
    assert not house.book.orders[third.id].is_final


def test_a_close_above_the_exchanges_maximum_is_split_and_belongs_to_one_step():
    house = RiskHouse()
    house.catalogue.add([spot("AUSDT", **(RULES | {"market_max_qty": D(40)}))])
    house.worked_example()
    house.evaluate()
    pieces = [order for order in house.working if order.purpose == "offset"]
    assert [order.quantity for order in pieces] == [D("33.334"), D("33.333"), D("33.333")]
    house.carry_out()
    assert house.action.steps[0].filled == D(100)
    assert house.action.status is RiskStatus.DONE


def test_a_winner_that_becomes_flat_sells_the_dust_of_all_its_legs_together():
    house = RiskHouse({"paper.taker_fee_percent": D("0.1")})
    house.hold("L", "10", "100")
    house.post_grid(THREE_LEGS)
    house.price("AUSDT", "10")
    house.alert(symbol="AUSDT", price="10", capital_usd="100")
    house.accept()
    for order in [order for order in house.working if order.symbol == "AUSDT"]:
        house.fill(order, fee_percent="0.1", fee_in="A")
    held = house.of("A").open_quantity
    house.hold("B", "20", "50")
    house.move(L="94", A="15.5", B="52")
    house.evaluate()
    close = house.next_offset()
    assert close.quantity == held.quantize(D("0.001"), "ROUND_FLOOR")
    assert sum(amount for _, amount in close.parts) == close.quantity


def test_a_flat_winner_says_what_it_was_sold_for():
    house = ready()
    house.evaluate()
    house.carry_out()
    assert house.of("A").close_reason == "what was left was sold to pay for a loser"
    assert house.of("L").close_reason == "its loss was paid for by winners"


# -- resting targets


def test_resting_targets_are_cancelled_first_and_what_is_left_rests_anew():
    house = ready({"take_profit.order": "limit"})
    for order in house.working:
        house.says(order)
    house.evaluate()
    assert not house.offsets  # A's target is in the way
    (target,) = [o for o in house.cancelled if o.symbol == "AUSDT"]
    house.confirm_cancels()
    assert house.next_offset().symbol == "AUSDT"
    house.fill(house.next_offset())
    house.confirm_cancels()
    assert house.next_offset().symbol == "BUSDT"
    house.fill(house.next_offset())
    house.confirm_cancels()
    house.fill(house.next_offset())
    resting = [o for o in house.working if o.purpose == "take_profit"]
    assert [(o.symbol, o.quantity) for o in resting] == [("BUSDT", D(15))]
    assert house.action.status is RiskStatus.DONE
    assert target.purpose == "take_profit"


def test_a_target_that_fills_while_it_is_cancelled_leaves_less_to_give_and_another_winner_gives_the_rest():
    house = ready({"take_profit.order": "limit"})
    for order in house.working:
        house.says(order)
    house.evaluate()
    (target,) = [o for o in house.cancelled if o.symbol == "AUSDT"]
    house.fill(target, "60", quantity="40")
    house.confirm_cancels()
    assert house.next_offset().quantity == D(60)
    house.fill(house.next_offset())
    house.confirm_cancels()
    assert (house.next_offset().symbol, house.next_offset().quantity) == ("BUSDT", D(15))


def test_a_winner_that_is_closed_while_its_targets_are_cancelled_is_passed_over():
    house = ready({"take_profit.order": "limit"})
    for order in house.working:
        house.says(order)
    house.evaluate()
    house.post(ExitGroup(group_id=house.of("A").id))
    assert house.action.steps[0].note == "it is closing"
    assert steps(house)[1] == ("B", "winner", "running")


def test_a_winner_whose_target_sold_all_it_held_has_nothing_to_give():
    house = RiskHouse({"take_profit.order": "limit", "take_profit.on_flat": "keep_grid"})
    house.hold("L", "10", "100")
    house.post_grid(THREE_LEGS)
    house.price("AUSDT", "10")
    house.alert(symbol="AUSDT", price="10", capital_usd="2000")
    house.accept()
    house.fill(next(order for order in house.working if order.symbol == "AUSDT"))
    house.accept()
    house.move(L="94", A="12")
    house.evaluate()
    (target,) = [
        order for order in house.cancelled if order.symbol == "AUSDT" and order.purpose == "take_profit"
    ]
    house.fill(target)
    assert house.of("A").status == "live"
    assert house.action.steps[0].note == "it has nothing to give any more"
    assert house.action.status is RiskStatus.CANCELLED


# -- winners that change meanwhile


@pytest.mark.fault(82)
def test_a_winner_that_is_closed_first_hands_its_share_to_the_next():
    house = ready()
    house.hold("C", "100", "10")
    house.move(C="10.1")
    house.evaluate()
    house.post(ExitGroup(group_id=house.of("B").id))
    house.fill(house.next_offset())
    assert steps(house)[:2] == [("A", "winner", "done"), ("B", "winner", "skipped")]
    assert house.next_offset().symbol == "CUSDT"  # a stand-in for the rest
    assert house.carry_out() == [("C", "100"), ("L", "10")]
    assert [step.role for step in house.action.steps] == [
        RiskRole.WINNER,
        RiskRole.WINNER,
        RiskRole.STAND_IN,
        RiskRole.LOSER,
    ]
    assert house.action.status is RiskStatus.DONE


def test_winners_that_are_not_enough_any_more_leave_the_loser_open():
    house = ready()
    house.evaluate()
    house.post(ExitGroup(group_id=house.of("B").id))
    house.fill(house.next_offset())
    action = house.action
    assert (action.status, action.realized_usd, action.loss_usd) == (RiskStatus.INCOMPLETE, D(50), None)
    assert action.notes.endswith("10.00 USD are missing")
    assert house.of("L").status == "active"
    assert steps(house)[-1] == ("L", "loser", "skipped")


def test_a_price_that_rose_meanwhile_lets_the_next_winner_give_less():
    house = ready()
    house.evaluate()
    house.fill(house.next_offset(), "10.58")
    assert (house.next_offset().symbol, house.next_offset().quantity) == ("BUSDT", D(1))
    house.carry_out()
    assert house.action.status is RiskStatus.DONE


def test_a_winner_that_is_not_needed_any_more_is_left_alone():
    house = ready()
    house.evaluate()
    house.fill(house.next_offset(), "10.7")
    assert steps(house)[1] == ("B", "winner", "skipped")
    assert house.action.steps[1].note == "it is not needed any more"
    assert house.next_offset().symbol == "LUSDT"


def test_orders_at_market_that_got_a_little_less_do_not_stop_the_offset():
    house = ready()
    house.evaluate()
    house.fill(house.next_offset())
    house.fill(house.next_offset(), "51.9")  # 9.50 instead of 10
    assert house.action.realized_usd == D("59.5")
    assert house.next_offset().symbol == "LUSDT"
    house.carry_out()
    assert house.action.status is RiskStatus.SHORTFALL
    assert house.action.notes.endswith("0.50 USD were not made up")


def test_a_winner_that_lost_its_profit_gives_nothing():
    house = ready()
    house.evaluate()
    house.move(B="49")
    house.fill(house.next_offset())
    assert steps(house)[1] == ("B", "winner", "skipped")
    assert house.action.status is RiskStatus.INCOMPLETE


@pytest.mark.fault(81)
def test_a_step_waits_for_a_fresh_price():
    house = RiskHouse()
    house.worked_example()
    house.price("BUSDT", "52", manual=False)
    house.evaluate()
    house.clock.forward(seconds=11)
    house.fill(house.next_offset())
    assert steps(house)[1] == ("B", "winner", "running")
    assert [o for o in house.working if o.purpose == "offset"] == []
    house.price("BUSDT", "52", manual=False)
    house.post(AdvanceOffset(action_id=house.action.id))
    assert house.next_offset().symbol == "BUSDT"


def test_a_winner_whose_close_was_just_refused_is_passed_over():
    house = ready()
    house.hold("C", "100", "10")
    house.move(C="10.2")
    house.evaluate()
    house.says(house.next_offset(), Verdict.REFUSED, reason="the market is halted")
    assert steps(house)[0] == ("A", "winner", "failed")
    assert house.action.steps[0].note == "the market is halted"
    # B can give 40 and C 20: together the 60 that are needed
    assert house.carry_out() == [("B", "20"), ("C", "100"), ("L", "10")]
    assert house.action.status is RiskStatus.DONE


def test_a_refused_close_stops_the_offset_before_the_loser_is_closed():
    house = ready()
    house.evaluate()
    house.says(house.next_offset(), Verdict.REFUSED, reason="the market is halted")
    house.carry_out()
    assert house.action.status is RiskStatus.INCOMPLETE
    assert house.of("L").status == "active"


def test_a_failed_step_does_not_stop_an_offset_that_is_covered_all_the_same():
    house = ready()
    house.evaluate()
    house.fill(house.next_offset(), "10.595")
    house.says(house.next_offset(), Verdict.REFUSED, reason="the market is halted")
    assert steps(house)[1] == ("B", "winner", "failed")
    assert house.next_offset().symbol == "LUSDT"


def test_a_close_that_was_cut_short_is_short_and_the_next_gives_the_rest():
    house = ready()
    house.evaluate()
    close = house.next_offset()
    house.fill(close, quantity="90")
    house.says(close, status=OrderStatus.CANCELLED, filled_quantity=D(90))
    assert steps(house)[0] == ("A", "winner", "short")
    assert (house.next_offset().symbol, house.next_offset().quantity) == ("BUSDT", D("7.5"))


# -- orders that never arrived


def absent(house: RiskHouse, order: Order) -> None:
    """Let an order be looked for in vain until it is known never to have arrived."""
    house.says(order, Verdict.UNKNOWN, reason="timed out")
    for _ in range(2):
        house.clock.forward(seconds=70)
        house.says(order, Verdict.ABSENT)


def test_an_action_whose_first_order_never_arrived_is_cancelled():
    house = ready()
    house.evaluate()
    absent(house, house.next_offset())
    action = house.action
    assert (action.status, action.realized_usd) == (RiskStatus.CANCELLED, D(0))
    assert action.notes.endswith("its first order never reached the exchange")
    assert {step.status for step in action.steps} == {StepStatus.SKIPPED}
    assert not house.working


def test_a_later_order_that_never_arrived_is_sent_again_three_times():
    house = ready()
    house.evaluate()
    house.fill(house.next_offset())
    for attempt in (1, 2, 3):
        order = house.next_offset()
        assert (order.symbol, order.attempt) == ("BUSDT", attempt)
        absent(house, order)
    assert steps(house)[1] == ("B", "winner", "failed")
    assert len({order.client_order_id for order in house.offsets}) == 4


def test_an_order_in_doubt_is_waited_for():
    house = ready()
    house.evaluate()
    close = house.next_offset()
    house.says(close, Verdict.UNKNOWN, reason="timed out")
    house.evaluate()
    assert len(house.offsets) == 1
    house.fill(close)
    assert house.next_offset().symbol == "BUSDT"


def test_an_order_that_was_revoked_before_it_left_is_planned_anew():
    house = ready({"take_profit.mode": "per_leg"})
    house.store.held = []  # nothing leaves
    house.evaluate()
    close = house.next_offset()
    house.book.apply([risk_offset.replace(close, status=OrderStatus.CANCELLED)])
    house.post(AdvanceOffset(action_id=house.action.id))
    again = house.next_offset()
    assert (again.symbol, again.attempt) == ("AUSDT", 2)


# -- the loser


def test_a_loser_that_is_closed_first_ends_the_offset():
    for before, status in ((True, RiskStatus.CANCELLED), (False, RiskStatus.INCOMPLETE)):
        house = ready({"take_profit.order": "limit"} if before else None)
        for order in house.working:
            house.says(order)
        house.evaluate()
        house.post(ExitGroup(group_id=house.of("L").id))
        if before:
            house.confirm_cancels()
        else:
            house.fill(house.next_offset())
        assert house.action.status is status
        assert house.action.notes.endswith("the loser was closed by something else first")
        assert len(house.offsets) == (0 if before else 1)


@pytest.mark.parametrize(
    ("act", "why"),
    [
        (lambda house: house.post(SetRisk(group_id=house.of("L").id, blocked=True)), "the loser was blocked"),
        (lambda house: house.put_on_hold("L", "2 L are missing"), "the loser is on hold: 2 L are missing"),
    ],
    ids=["blocked", "on hold"],
)
def test_a_loser_that_is_blocked_or_held_meanwhile_stays_open(act: Callable[[RiskHouse], Any], why: str):
    house = ready()
    house.evaluate()
    act(house)
    house.fill(house.next_offset())
    assert house.action.status is RiskStatus.INCOMPLETE
    assert house.action.notes.endswith(why)
    assert house.of("L").status == "active"


def test_a_winner_that_is_held_meanwhile_is_passed_over():
    house = ready()
    house.evaluate()
    house.put_on_hold("B", "1 B is missing")
    house.fill(house.next_offset())
    assert house.action.steps[1].note == "it is on hold: 1 B is missing"


def test_a_real_loss_above_what_was_realized_is_a_shortfall():
    house = ready()
    house.evaluate()
    house.fill(house.next_offset())
    house.fill(house.next_offset())
    house.fill(house.next_offset(), "93")
    action = house.action
    assert (action.status, action.realized_usd, action.loss_usd) == (RiskStatus.SHORTFALL, D(60), D(70))
    assert action.notes.endswith("10.00 USD were not made up")


@pytest.mark.parametrize(("b", "status"), [("52", RiskStatus.DONE), ("50.1", RiskStatus.SHORTFALL)])
def test_a_shortfall_is_made_up_once_where_the_settings_say_so(b: str, status: RiskStatus):
    house = ready({"risk.top_up": True})
    house.evaluate()
    house.fill(house.next_offset())
    house.fill(house.next_offset())
    loser = house.next_offset()
    house.move(B=b)
    house.fill(loser, "93")
    top_up = house.next_offset()
    assert steps(house)[-1] == ("B", "top_up", "running")
    house.fill(top_up)
    assert house.action.status is status
    assert house.action.realized_usd == D(60) + top_up.quantity * (D(b) - 50)


def test_a_shortfall_that_nobody_can_make_up_is_one():
    house = ready({"risk.top_up": True})
    house.evaluate()
    house.fill(house.next_offset())
    house.fill(house.next_offset())
    house.move(B="49")
    house.fill(house.next_offset(), "93")
    assert house.action.status is RiskStatus.SHORTFALL


def test_a_refused_close_of_the_loser_is_tried_again_like_any_exit():
    house = ready()
    house.evaluate()
    house.fill(house.next_offset())
    house.fill(house.next_offset())
    house.says(house.next_offset(), Verdict.REFUSED, reason="busy")
    assert house.action.status is RiskStatus.RUNNING
    house.clock.forward(seconds=61)
    house.desk.look_at_clock()
    house.fill(house.next_offset())
    assert house.action.status is RiskStatus.DONE
    assert house.action.steps[-1].filled == D(10)


def test_a_loser_closed_by_its_own_orders_while_they_were_cancelled_is_not_counted_as_the_offsets():
    house = ready({"take_profit.order": "limit"})
    for order in house.working:
        house.says(order)
    house.evaluate()
    for _ in range(2):
        house.confirm_cancels_of("A", "B")
        house.fill(house.next_offset())
    (target,) = [o for o in house.working if o.symbol == "LUSDT"]
    house.fill(target, "600")
    action = house.action
    assert action.steps[-1].note == "the loser was closed by something else first"
    assert action.status is RiskStatus.INCOMPLETE


# -- a part of the loser


def test_the_covered_part_of_a_loser_is_closed_and_the_rest_stays():
    house = RiskHouse({"risk.allow_partial_offset": True})
    house.hold("L", "10", "100")
    house.hold("A", "100", "10")
    house.move(L="94", A="10.5")
    house.evaluate()
    assert house.carry_out() == [("A", "100"), ("L", "8.333")]
    action = house.action
    assert (action.status, action.realized_usd, action.loss_usd) == (RiskStatus.DONE, D(50), D("49.998"))
    assert (house.of("L").status, house.of("L").open_quantity) == ("active", D("1.667"))


def test_a_winner_that_gave_less_lets_a_smaller_part_of_the_loser_be_closed():
    house = RiskHouse({"risk.allow_partial_offset": True})
    house.hold("L", "10", "100")
    house.hold("A", "100", "10")
    house.move(L="94", A="10.5")
    house.evaluate()
    house.fill(house.next_offset(), "10.3")
    assert (house.next_offset().symbol, house.next_offset().quantity) == ("LUSDT", D(5))
    house.carry_out()
    assert house.action.status is RiskStatus.DONE


def test_a_part_that_came_to_nothing_leaves_the_offset_incomplete():
    house = RiskHouse({"risk.allow_partial_offset": True})
    house.hold("L", "10", "100")
    house.hold("A", "100", "10")
    house.move(L="94", A="10.5")
    house.evaluate()
    house.fill(house.next_offset(), "10.001")
    assert house.action.status is RiskStatus.INCOMPLETE
    assert house.action.notes.endswith("it has nothing to give any more")


# -- what the user and others do meanwhile


def test_pausing_lets_a_running_offset_go_on_and_begins_none():
    house = ready()
    house.post(Pause())
    house.evaluate()
    assert not house.actions
    house.post(Resume())
    house.evaluate()
    house.post(Pause())
    assert house.carry_out() == A_B_L
    assert house.action.status is RiskStatus.DONE


def test_closing_everything_overtakes_an_offset():
    house = ready()
    house.evaluate()
    house.post(CloseAll())
    house.fill_all("offset")
    house.fill_all("exit")
    assert house.action.status is RiskStatus.INCOMPLETE
    assert {group.status for group in house.groups} == {"closed"}
    sold = {name: Decimal(0) for name in ("LUSDT", "AUSDT", "BUSDT")}
    for order in house.orders():
        if order.purpose != "entry":
            sold[order.symbol] += order.filled_quantity
    assert sold == {"LUSDT": D(10), "AUSDT": D(100), "BUSDT": D(20)}


def test_an_exit_of_a_winner_that_is_being_closed_closes_the_rest_and_the_offset_goes_on():
    house = ready()
    house.evaluate()
    house.fill(house.next_offset())
    close = house.next_offset()
    house.post(ExitGroup(group_id=house.of("B").id))
    (leave,) = [order for order in house.working if order.purpose == "exit"]
    assert (close.quantity, leave.quantity) == (D(5), D(15))
    house.fill(close)
    assert house.next_offset().symbol == "LUSDT"


@pytest.mark.fault(83)
def test_two_evaluations_at_once_begin_one_offset():
    house = ready()
    house.hold("M", "10", "100")
    house.move(M="93")
    house.evaluate()
    house.evaluate()
    assert len(house.actions) == 1
    house.carry_out()
    assert house.action.loser == house.of("M").id


def test_a_forced_entry_in_the_middle_of_an_offset_takes_nothing_from_it():
    house = ready({"pool.max_open_groups": 3})
    house.price("MUSDT", "10")
    house.alert(symbol="MUSDT", price="10", capital_usd="100")
    house.evaluate()
    house.post(Promote(queued_id=house.queue[0].id))
    assert house.carry_out() == A_B_L


# -- crashes


@pytest.mark.fault(80)
@pytest.mark.parametrize("filled", [False, True], ids=["not arrived", "filled"])
@pytest.mark.parametrize("crash", [1, 2, 3])
def test_after_a_crash_an_offset_goes_on_at_the_step_where_it_stood(crash: int, filled: bool):
    house = ready()
    house.evaluate()
    for _ in range(crash - 1):
        house.fill(house.next_offset())
    again = house.restarted()
    again.start()
    close = again.next_offset()
    assert close.status is OrderStatus.UNKNOWN
    again.reconcile_ledger()
    assert again.book.orders[close.id].status is OrderStatus.UNKNOWN
    if filled:
        again.fill(close)
    else:
        for _ in range(2):
            again.clock.forward(seconds=70)
            again.says(close, Verdict.ABSENT)
    again.reconcile_ledger()
    done = again.carry_out()
    if crash == 1 and not filled:
        assert (again.action.status, done) == (RiskStatus.CANCELLED, [])
        return
    assert again.action.status is RiskStatus.DONE
    assert done == A_B_L[crash if filled else crash - 1 :]
    filled_by_name = [(o.symbol[0], o.filled_quantity) for o in again.offsets if o.filled_quantity]
    assert filled_by_name == [("A", D(100)), ("B", D(5)), ("L", D(10))]


def test_an_action_that_had_sent_nothing_is_cancelled_by_a_restart():
    house = ready({"take_profit.order": "limit"})
    for order in house.working:
        house.says(order)
    house.evaluate()
    assert house.action.status is RiskStatus.RUNNING
    again = house.restarted()
    again.start()
    assert again.action.status is RiskStatus.CANCELLED
    assert again.action.notes.endswith("the program was restarted before anything was sent")


def test_nothing_is_asked_of_a_winner_before_its_account_was_read():
    house = ready()
    house.evaluate()
    again = house.restarted()
    again.start()
    again.fill(again.next_offset())
    assert steps(again)[1] == ("B", "winner", "running")
    assert not [order for order in again.working if order.purpose == "offset"]
    again.reconcile_ledger()
    assert again.next_offset().symbol == "BUSDT"


@pytest.mark.fault(61)
def test_an_offset_of_a_restored_backup_goes_on_when_the_user_says_so():
    house = ready()
    house.evaluate()
    again = house.restarted()
    again.start()
    again.post(DatabaseReplaced(act=Act.BACKUP_RESTORED, detail="Restored.", why="A backup was restored."))
    again.fill(again.next_offset())
    again.reconcile_ledger()
    assert not [order for order in again.working if order.purpose == "offset"]
    again.post(Resume())
    assert again.next_offset().symbol == "BUSDT"


def test_the_loser_is_not_closed_before_its_account_was_read():
    house = ready()
    house.evaluate()
    house.fill(house.next_offset())
    again = house.restarted()
    again.start()
    again.fill(again.next_offset())
    assert steps(again)[2] == ("L", "loser", "planned")
    again.reconcile_ledger()
    again.carry_out()
    assert again.action.status is RiskStatus.DONE


# -- late news and defects


def test_a_late_fill_counts_after_the_end_of_its_offset():
    house = ready()
    house.evaluate()
    close = house.next_offset()
    absent(house, close)
    assert house.action.status is RiskStatus.CANCELLED
    house.fill(close, quantity="10")
    assert (house.action.steps[0].filled, house.action.realized_usd) == (D(10), D(5))
    assert house.action.notes.endswith("a fill came after its end")


def test_a_late_fill_of_a_loser_raises_its_loss():
    house = ready()
    house.evaluate()
    house.fill(house.next_offset())
    house.fill(house.next_offset())
    close = house.next_offset()
    absent(house, close)
    second = house.next_offset()
    house.fill(second)
    assert house.action.loss_usd == D(60)
    house.fill(close, quantity="1")
    assert house.action.steps[-1].filled == D(11)


def test_an_action_that_left_the_memory_is_let_be():
    house = ready()
    house.post(AdvanceOffset(action_id=4711))
    assert not house.actions


def test_a_group_that_moved_to_history_is_passed_over():
    house = ready()
    house.evaluate()
    house.fill(house.next_offset())
    house.book.apply([risk_offset.replace(house.action, steps=gone(house.action, house.of("B").id))])
    house.post(AdvanceOffset(action_id=house.action.id))
    assert house.action.steps[1].note == "its group has moved to history"
    house.evaluate()
    assert steps(house)[1:3] == [("B", "winner", "skipped"), ("B", "stand_in", "running")]


def gone(action: RiskAction, id: int) -> tuple[Any, ...]:
    return tuple(
        risk_offset.replace(step, group_id=9999, status=StepStatus.RUNNING) if step.group_id == id else step
        for step in action.steps
    )


def test_a_defect_ends_the_offset_and_leaves_everything_else(monkeypatch: pytest.MonkeyPatch):
    house = ready()
    house.evaluate()
    with monkeypatch.context() as broken:
        broken.setattr(risk_offset, "_carry_out", lambda *_: 1 / 0)
        house.fill(house.next_offset())
    assert house.action.status is RiskStatus.INCOMPLETE
    assert house.of("L").status == "active"
    assert any(fact.code == "defect" for fact in house.facts)


def test_a_defect_after_the_end_changes_nothing(monkeypatch: pytest.MonkeyPatch):
    house = ready()
    house.evaluate()
    house.carry_out()
    before = house.action
    monkeypatch.setattr(risk_offset, "_counted", lambda *_: 1 / 0)
    house.post(AdvanceOffset(action_id=before.id))
    assert house.action == before


def test_settling_a_group_again_changes_nothing():
    house = ready()
    house.evaluate()
    before = house.action
    house.post(Settle(group_id=house.of("B").id))
    house.evaluate()
    assert house.action == before
