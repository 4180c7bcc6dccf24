"""The rate budget of one account: what leaves never exceeds it, whenever the exchange counts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from execution_engine.domain.rates import UNLIMITED, Rates, fifth
from execution_engine.engine.limits import Kind, Limiter
from tests.engine.virtual import most_in
from tests.house import HandClock

SPOT = Rates(orders=fifth(50, 10), requests=fifth(10, 1))


def limiter(rates: Rates = SPOT) -> tuple[Limiter, HandClock]:
    clock = HandClock()
    return Limiter(rates, clock), clock


def test_what_adds_risk_leaves_a_fifth_alone():
    made, _ = limiter()
    assert made.room(Kind.ORDER) == 40
    made.take(Kind.ORDER, count=40)
    assert (made.room(Kind.ORDER), made.room(Kind.ORDER, reserved=True)) == (0, 10)
    made.take(Kind.ORDER, count=10)
    assert made.room(Kind.ORDER, reserved=True) == 0


def test_a_place_is_free_again_a_whole_window_after_the_answer():
    made, clock = limiter()
    made.take(Kind.ORDER, count=50)
    clock.forward(seconds=60)
    assert made.room(Kind.ORDER, reserved=True) == 0  # the exchange may count them only now
    assert made.frees_in() is None
    made.answered(Kind.ORDER, count=30)
    assert made.frees_in() == 10
    clock.forward(seconds=9.999)
    assert made.room(Kind.ORDER, reserved=True) == 0
    clock.forward(seconds=0.001)
    assert made.room(Kind.ORDER, reserved=True) == 30


def test_requests_take_nothing_from_orders():
    made, _ = limiter()
    made.take(Kind.REQUEST, count=10)
    assert made.room(Kind.REQUEST, reserved=True) == 0
    assert made.room(Kind.ORDER) == 40


@pytest.mark.parametrize(("apart", "left"), [(True, 50), (False, 10)])
def test_cancels_count_as_orders_unless_the_exchange_counts_them_apart(apart, left):
    made, _ = limiter(Rates(orders=fifth(50, 10), cancels_apart=apart))
    made.take(Kind.ORDER, count=40)
    assert made.room(Kind.CANCEL, reserved=True) == left


def test_where_each_instrument_is_counted_by_itself_one_leaves_the_others_room():
    made, _ = limiter(Rates(orders=fifth(60, 2), requests=fifth(10, 1), per_symbol=True))
    made.take(Kind.ORDER, "BTCUSDT", 48)
    made.take(Kind.REQUEST, "BTCUSDT", 8)
    assert (made.room(Kind.ORDER, "BTCUSDT"), made.room(Kind.ORDER, "ETHUSDT")) == (0, 48)
    assert made.room(Kind.REQUEST, "ETHUSDT") == 0  # readings are the account's
    assert not made.shares_orders


def test_without_a_budget_there_is_always_room():
    made, _ = limiter(UNLIMITED)
    made.take(Kind.ORDER, count=10**6)
    made.answered(Kind.ORDER, count=10**6)
    assert made.room(Kind.ORDER) > 10**6
    assert made.frees_in() is None


@pytest.mark.fault(23)
def test_after_a_refusal_for_its_rate_nothing_leaves_for_a_moment_and_then_half_as_much():
    made, clock = limiter()
    assert made.slow_down() == 61
    assert made.room(Kind.ORDER, reserved=True) == made.room(Kind.REQUEST, reserved=True) == 0
    assert made.frees_in() == 1
    clock.forward(seconds=1)
    assert (made.room(Kind.ORDER), made.room(Kind.ORDER, reserved=True)) == (20, 25)
    clock.forward(seconds=60)
    assert made.room(Kind.ORDER) == 40


def test_refusals_that_come_together_are_one_warning_and_those_that_follow_last_longer():
    made, clock = limiter(UNLIMITED)
    stops = []
    for _ in range(8):
        made.slow_down()
        made.slow_down()
        stops.append(made.frees_in())
        clock.forward(seconds=stops[-1])
        assert made.room(Kind.ORDER)
    assert stops == [1, 2, 4, 8, 16, 32, 60, 60]
    clock.forward(seconds=60)
    made.slow_down()
    assert made.frees_in() == 1


@given(
    calls=st.lists(
        st.tuples(st.floats(0, 5), st.integers(1, 30), st.floats(0, 8), st.floats(0, 1), st.booleans()),
        max_size=60,
    )
)
def test_no_window_of_the_exchange_ever_holds_more_than_the_budget(calls):
    """Each call: when it is wanted after the last, how many, how long it takes, when in between it is counted."""
    made, clock = limiter(Rates(orders=fifth(20, 10)))
    under_way: list[tuple[float, int]] = []
    counted: list[float] = []
    for pause, wanted, takes, at, reduces in calls:
        until = clock.monotonic() + pause
        for ends, count in sorted(under_way):
            if ends <= until:
                clock.forward(seconds=max(ends - clock.monotonic(), 0))
                made.answered(Kind.ORDER, count=count)
                under_way.remove((ends, count))
        clock.forward(seconds=until - clock.monotonic())
        count = min(wanted, made.room(Kind.ORDER, reserved=reduces))
        if count:
            made.take(Kind.ORDER, count=count)
            under_way.append((clock.monotonic() + takes, count))
            counted += [clock.monotonic() + takes * at] * count
    assert most_in(counted, 10 - 1e-5) <= 20
