"""The waiting time before a group can be the loser: its three starts, what stops it, what begins it anew."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from execution_engine.domain.inputs import Verdict
from execution_engine.domain.risk_timer import has_reason, started
from execution_engine.domain.rows import Group, GroupStatus, Leg, LegStatus
from execution_engine.domain.settings import TimerStart
from tests.domain.house_risk import NOON, THREE_LEGS, D, RiskHouse, group, risk, save

FIVE, SENT, FILLED = (
    TimerStart.AFTER_5_PYRAMIDS,
    TimerStart.AFTER_ALL_DCA_SUBMITTED,
    TimerStart.AFTER_ALL_DCA_FILLED,
)
S = LegStatus


def leg(id: int, status: LegStatus) -> Leg:
    given: dict[str, Any] = {"gap_percent": D(0), "weight_percent": D(100), "tp_percent": D(1)}
    given |= {"price": D(100), "quantity": D(1), "tp_price": D(101)}
    return Leg(id=id, group_id=1, pyramid_id=1, pyramid_index=0, index=id, status=status, **given)


# the start, pyramids of 5, the states of the legs, whether the time starts
STARTS: list[tuple[TimerStart, int, list[LegStatus], bool]] = [
    (FIVE, 4, [S.FILLED], False),
    (FIVE, 5, [S.PENDING], True),
    (SENT, 1, [S.PENDING, S.OPEN], False),
    (SENT, 1, [S.UNKNOWN, S.OPEN], False),  # it may never have arrived
    (SENT, 1, [S.OPEN, S.PARTIALLY_FILLED, S.FILLED, S.TP_HIT], True),
    (SENT, 1, [S.OPEN, S.CANCELLED, S.REJECTED, S.FAILED], True),
    (FILLED, 1, [S.FILLED, S.OPEN], False),
    (FILLED, 1, [S.FILLED, S.PARTIALLY_FILLED], False),
    (FILLED, 1, [S.FILLED, S.UNKNOWN], False),
    (FILLED, 1, [S.FILLED, S.TP_HIT, S.CANCELLED, S.REJECTED], True),
    (FILLED, 1, [S.CANCELLED, S.REJECTED], False),  # nothing is there to wait for
    (FILLED, 1, [], False),
]


@pytest.mark.parametrize(("start", "count", "states", "starts"), STARTS)
def test_the_time_starts_when_its_condition_holds(
    start: TimerStart, count: int, states: list[LegStatus], starts: bool
):
    of = group(max_pyramids=5, pyramid_count=count, timer_started_at=None, timer_expires_at=None)
    legs = [leg(id, status) for id, status in enumerate(states)]
    assert has_reason(of, legs, start) is starts
    timed = started(of, legs, risk(timer_start=start, post_full_wait_minutes=7), NOON)
    times = (NOON, NOON + timedelta(minutes=7)) if starts else (None, None)
    assert (timed.timer_started_at, timed.timer_expires_at) == times


def test_a_leg_that_is_being_sent_again_is_not_settled():
    of = group(timer_started_at=None, timer_expires_at=None)
    legs = [leg(1, S.FILLED), leg(2, S.FAILED)]
    assert has_reason(of, legs, FILLED)
    assert not has_reason(of, legs, FILLED, retried=[2])


def test_a_closing_group_starts_no_time_and_one_that_runs_is_left_alone():
    closing = group(status=GroupStatus.CLOSING, timer_started_at=None, timer_expires_at=None)
    assert started(closing, [leg(1, S.FILLED)], risk(), NOON) == closing
    running = group()
    assert started(running, [leg(1, S.FILLED)], risk(), NOON) is running


def three(**settings: Any) -> RiskHouse:
    return RiskHouse(
        {
            "grid.profiles": {"default": THREE_LEGS},
            "pool.max_pyramids": 2,
            "risk.post_full_wait_minutes": 60,
        }
        | settings
    )


def open_three(house: RiskHouse) -> Group:
    house.price("LUSDT", "100")
    house.alert(symbol="LUSDT", price="100", capital_usd="1000")
    return house.group


def times(house: RiskHouse) -> tuple[Any, Any]:
    group = house.groups[0]
    return group.timer_started_at, group.timer_expires_at


def test_the_time_starts_with_the_last_fill_is_stopped_by_a_pyramid_and_starts_again_with_its_last_fill():
    house = three()
    open_three(house)
    house.accept()
    first, second, third = house.orders("entry")
    house.fill(first)
    house.fill(second)
    assert times(house) == (None, None)
    house.clock.forward(minutes=5)
    house.fill(third)
    began = NOON + timedelta(minutes=5)
    assert times(house) == (began, began + timedelta(hours=1))
    house.clock.forward(minutes=5)
    house.alert(symbol="LUSDT", price="97", capital_usd="1000")
    assert house.group.pyramid_count == 2
    assert times(house) == (None, None)
    house.clock.forward(minutes=5)
    house.accept()
    house.fill_all("entry")
    assert times(house)[0] == NOON + timedelta(minutes=15)


def test_the_time_after_submission_starts_when_the_exchange_took_the_last_leg_and_stops_with_a_pyramid():
    house = three(**{"risk.timer_start": SENT.value})
    open_three(house)
    first, second, third = house.orders("entry")
    house.says(first)
    house.says(second)
    assert times(house) == (None, None)
    house.says(third, Verdict.REFUSED, reason="too many orders")
    assert times(house)[0] == NOON
    house.alert(symbol="LUSDT", price="97", capital_usd="1000")
    assert times(house) == (None, None)
    house.accept()
    assert times(house)[0] == NOON


def test_a_leg_that_never_arrived_and_is_sent_again_keeps_the_time_from_starting():
    house = three(**{"risk.timer_start": SENT.value})
    open_three(house)
    first, second, third = house.orders("entry")
    house.says(first)
    house.says(second)
    house.says(third, Verdict.REFUSED, code="RateLimitError", reason="too many requests")
    assert times(house) == (None, None)
    house.accept()
    assert times(house)[0] == NOON


def test_the_time_after_the_last_pyramid_is_not_stopped_by_anything():
    house = three(**{"risk.timer_start": FIVE.value})
    open_three(house)
    assert times(house) == (None, None)
    house.clock.forward(minutes=1)
    house.alert(symbol="LUSDT", price="97", capital_usd="1000")
    assert times(house)[0] == NOON + timedelta(minutes=1)
    house.accept()
    house.fill_all("entry")
    assert times(house)[0] == NOON + timedelta(minutes=1)


@pytest.mark.parametrize(("resets", "after"), [(True, 10), (False, 0)])
def test_a_replacement_begins_a_running_time_anew_where_the_settings_say_so(resets: bool, after: int):
    house = RiskHouse({"risk.reset_timer_on_replacement": resets, "risk.post_full_wait_minutes": 60})
    house.hold("L", "10", "100")
    house.clock.forward(minutes=10)
    house.alert(symbol="LUSDT", price="100")
    assert house.group.replacement_count == 1
    assert times(house)[0] == NOON + timedelta(minutes=after)
    assert times(house)[1] == NOON + timedelta(minutes=after + 60)


def test_a_replacement_starts_no_time_that_does_not_run():
    house = three(**{"risk.reset_timer_on_replacement": True, "pool.max_pyramids": 1})
    open_three(house)
    house.alert(symbol="LUSDT", price="100")
    assert house.group.replacement_count == 1
    assert times(house) == (None, None)


def test_the_time_survives_a_restart():
    house = RiskHouse({"risk.post_full_wait_minutes": 60})
    house.hold("L", "10", "100")
    before = times(house)
    again = house.restarted()
    again.reconcile()
    assert times(again) == before == (NOON, NOON + timedelta(hours=1))


def test_a_changed_waiting_time_applies_at_once_to_times_that_run():
    house = RiskHouse({"risk.post_full_wait_minutes": 60})
    house.hold("L", "10", "100")
    house.clock.forward(minutes=10)
    house.price("MUSDT", "10")
    house.alert(symbol="MUSDT", price="10", capital_usd="100")  # its time has not started
    save(house, post_full_wait_minutes=5)
    assert house.of("M").timer_expires_at is None
    assert times(house) == (NOON, NOON + timedelta(minutes=5))


def test_a_changed_start_stops_times_whose_new_condition_does_not_hold_and_starts_those_whose_does():
    house = three(**{"risk.timer_start": SENT.value})
    open_three(house)
    house.accept()
    assert times(house)[0] == NOON
    save(house, timer_start=FILLED.value)
    assert times(house) == (None, None)
    house.clock.forward(minutes=3)
    save(house, timer_start=SENT.value)
    assert times(house)[0] == NOON + timedelta(minutes=3)
    save(house, interval_s=30)
    assert times(house)[0] == NOON + timedelta(minutes=3)
