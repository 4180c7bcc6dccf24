"""What becomes of positions when their market's rules change, or when it is not traded any more."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal as D

import pytest

from execution_engine.domain.inputs import (
    About,
    CancelLegs,
    DecideFinding,
    Difference,
    DueRow,
    ExitGroup,
    Instruments,
    OrderReports,
    Verdict,
)
from execution_engine.domain.rows import Choice, Finding, Leg, Order, OrderStatus
from execution_engine.engine.desk import Reply
from tests.house import House, perp, spot

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
def test_a_leg_that_keeps_the_rules_as_they_were_read_again_is_given_up_at_once():
    house = entered()
    for order in house.sent[1:]:
        house.says(order)
    broke(house, house.sent[0])
    assert house.group.timer_started_at is None
    resume(house)  # they are what they were
    assert house.orders("entry")[0].is_over
    change(house, tick="37")
    assert attempts(house, house.legs()[0]) == [(1, "rejected")]


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
    change(house, tick="37", max_qty="0.002")
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


# -- a market that is not traded


HALTED = "BTCUSDT is not traded on BINANCE any more, or not now."


def held() -> House:
    """Return a house with a filled first leg and four that rest."""
    house = entered()
    house.accept()
    house.fill(house.sent[0])
    return house


def halt(house: House) -> None:
    house.desk.post(Instruments(instruments=(replace(spot(), traded=False),)))


def resume(house: House) -> None:
    house.desk.post(Instruments(instruments=(spot(),)))


def finding(house: House) -> Finding:
    """Return the one finding that there ever was, as it is now."""
    (found,) = house.book.findings.values()
    return found


def closes(house: House) -> list[Order]:
    return [order for order in house.sent if order.purpose != "entry"]


def choose(house: House, choice: Choice) -> Reply:
    return house.post(DecideFinding(finding_id=finding(house).id, choice=choice))


@pytest.mark.fault(39)
def test_entries_into_a_market_that_is_not_traded_are_refused_in_a_sentence():
    house = House()
    house.price("BTCUSDT", "65000")
    halt(house)
    alert = house.alert(entry_price="65000")
    assert house.outcome(alert) == ("rejected", HALTED.removesuffix("."))
    resume(house)
    assert house.outcome(house.alert(entry_price="65000"))[0] is None


@pytest.mark.fault(39)
def test_a_position_whose_market_ended_is_held_with_its_choices_and_its_entries_are_cancelled():
    house = held()
    halt(house)
    assert house.group.hold == finding(house).found == HALTED
    assert finding(house).choices == (Choice.CLOSE, Choice.RELEASE)
    assert len(house.cancelled) == 4
    house.confirm_cancels()
    assert house.group.status == "active"
    assert closes(house) == []
    refused = house.alert(entry_price="65000")
    assert house.outcome(refused)[1] == HALTED.removesuffix(".")
    halt(house)
    assert len(told(house, "found_halted")) == 1


@pytest.mark.fault(39)
def test_it_is_looked_after_again_when_its_market_is_traded_again():
    house = held()
    halt(house)
    house.confirm_cancels()
    house.post(ExitGroup(group_id=house.group.id))
    broke(house, closes(house)[0], about=About.MARKET)
    assert house.group.retry_at == house.clock.time + timedelta(days=1)
    resume(house)
    assert (house.group.hold, house.group.retry_at, finding(house).settled_at is None) == ("", None, False)
    assert len(closes(house)) == 2
    house.fill(closes(house)[1])
    assert house.group.status == "closed"


@pytest.mark.fault(39)
def test_a_close_is_tried_once_a_day_and_the_position_remembered_as_often():
    house = held()
    halt(house)
    house.confirm_cancels()
    house.post(ExitGroup(group_id=house.group.id))
    for day in range(1, 4):
        assert len(closes(house)) == day
        broke(house, closes(house)[-1], about=About.MARKET)
        house.clock.forward(hours=23, minutes=59)
        house.desk.look_at_clock()
        assert len(closes(house)) == day
        house.clock.forward(minutes=1)
        house.desk.look_at_clock()
    assert len(told(house, "found_halted")) == 4


@pytest.mark.fault(39)
def test_a_position_that_nothing_closes_is_remembered_every_day_too():
    house = held()
    halt(house)
    house.confirm_cancels()
    for _ in range(3):
        house.clock.forward(days=1)
        house.desk.look_at_clock()
    assert len(told(house, "found_halted")) == 4
    assert closes(house) == []


@pytest.mark.fault(39)
def test_a_refused_close_holds_the_position_before_the_market_is_read_and_is_tried_ever_later():
    house = held()
    house.post(ExitGroup(group_id=house.group.id))
    house.confirm_cancels()
    waits = []
    for _ in range(12):
        broke(house, closes(house)[-1], about=About.MARKET)
        waits.append((house.group.retry_at - house.clock.time).total_seconds())
        assert house.group.hold == HALTED
        house.clock.forward(seconds=waits[-1])
        house.desk.look_at_clock()
    assert waits[:5] == [2, 4, 8, 16, 32]
    assert waits[-2:] == [600, 600]
    assert len(house.book.findings) == 1
    house.says(closes(house)[-1], status=OrderStatus.OPEN)  # it takes this one
    assert (house.group.hold, house.group.retry_at, finding(house).done) == ("", None, "It is traded again.")


@pytest.mark.fault(39)
def test_what_was_held_for_one_refusal_is_let_go_when_the_exchange_lists_its_market_as_before():
    house = entered()
    house.says(house.sent[0])
    broke(house, house.sent[1], about=About.MARKET)
    assert house.group.hold == HALTED
    resume(house)
    assert house.group.hold == ""
    assert house.cancelled == []


@pytest.mark.fault(39)
def test_an_entry_that_the_exchange_refuses_as_a_whole_fails_and_holds_nothing():
    house = entered()
    broke(house, *house.sent, about=About.MARKET)
    assert house.group.status == "failed"
    assert house.book.findings == {}


@pytest.mark.fault(39)
def test_a_group_that_never_filled_is_closed_when_its_market_ends():
    house = entered()
    house.accept()
    halt(house)
    house.confirm_cancels()
    assert (house.group.status, house.group.close_reason) == ("closed", HALTED)
    assert finding(house).done == "Nothing is held there any more."


@pytest.mark.fault(39)
def test_the_user_may_have_it_closed_all_the_same_or_lift_the_hold():
    house = held()
    halt(house)
    house.confirm_cancels()
    assert choose(house, Choice.CLOSE).text.startswith("It is being closed;")
    assert [order.quantity for order in closes(house)] == [house.group.open_quantity]
    broke(house, closes(house)[-1], about=About.MARKET)
    choose(house, Choice.CLOSE)
    assert len(closes(house)) == 2
    broke(house, closes(house)[-1], about=About.MARKET)
    assert choose(house, Choice.RELEASE).status == "done"
    assert (house.group.hold, len(closes(house))) == ("", 3)
    house.fill(closes(house)[-1])
    assert house.group.status == "closed"


@pytest.mark.fault(39)
def test_two_groups_of_one_market_are_held_and_let_go_together():
    house = held()
    other = house.alert(entry_price="65000", timeframe="60")
    house.accept()
    house.fill(next(order for order in house.sent if order.group_id == house.groups[1].id))
    halt(house)
    assert [group.hold for group in house.groups] == [HALTED, HALTED]
    house.post(ExitGroup(group_id=house.groups[0].id))
    house.confirm_cancels()
    house.fill(closes(house)[0])  # the exchange takes it after all
    assert [group.hold for group in house.groups] == ["", ""]
    assert house.groups[0].status == "closed"
    assert house.outcome(other)[0] == "opened"


@pytest.mark.fault(39)
def test_closing_what_is_held_leaves_alone_what_was_closed_meanwhile():
    house = held()
    house.alert(entry_price="65000", timeframe="60")
    house.accept()  # it holds nothing yet
    halt(house)
    house.confirm_cancels()
    assert [group.status for group in house.groups] == ["active", "closed"]
    choose(house, Choice.CLOSE)
    assert [order.group_id for order in closes(house)] == [house.groups[0].id]


@pytest.mark.fault(39)
def test_nothing_is_sold_at_a_price_from_before_the_halt():
    house = held()
    house.price("BTCUSDT", "64900", manual=False)
    halt(house)
    house.clock.forward(hours=1)
    resume(house)
    assert (house.group.hold, closes(house)) == ("", [])


@pytest.mark.fault(39)
def test_what_the_user_wrote_off_leaves_nothing_to_decide():
    house = held()
    halt(house)
    house.confirm_cancels()
    house.post(
        Difference(
            account="paper", ref="BTC", ours=house.group.open_quantity, theirs=D(0), at=house.clock.time
        )
    )
    (deficit,) = [found for found in house.book.findings.values() if found.kind == "deficit"]
    house.post(DecideFinding(finding_id=deficit.id, choice=Choice.BOOK))
    assert house.group.status == "closed"
    assert [found.settled_at is None for found in house.book.findings.values()] == [False, False]


def test_the_targets_of_legs_that_have_not_filled_follow_the_new_rules():
    house = House()
    house.price("BTCUSDT.P", "50000")
    house.alert(symbol="BTCUSDT.P", entry_price="50000")
    house.accept()
    house.desk.post(Instruments(instruments=(perp(tick=D(25)),)))
    assert {leg.tp_price % 25 for leg in house.legs()} == {0}
