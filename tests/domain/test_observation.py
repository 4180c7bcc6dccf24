"""What the application counts and how fast it finds itself."""

from datetime import timedelta
from typing import Any

import pytest

from execution_engine.domain import observation
from execution_engine.domain.facts import Fact, Level
from execution_engine.domain.observation import Histogram, Observation, Stage
from execution_engine.domain.rows import (
    Action,
    Alert,
    Engine,
    Fill,
    Order,
    OrderStatus,
    OrderType,
    Purpose,
    RefusedRequest,
)
from execution_engine.domain.signal import Outcome, Side, Signal
from tests.house import NOON, D


def ms(number: int) -> timedelta:
    return timedelta(milliseconds=number)


def alert(id: int = 1, *, outcome: Outcome | None = Outcome.OPENED, **more: Any) -> Alert:
    given = {
        "id": id,
        "received_at": NOON,
        "body": "{}",
        "parsed": object.__new__(Signal),
        "exchange": "binance",
        "symbol": "BTCUSDT",
        "timeframe": "15m",
        "outcome": outcome,
        "group_id": 7,
    }
    return Alert(**given | more)


def order(id: int = 3, *, status: OrderStatus = OrderStatus.PENDING, **more: Any) -> Order:
    given = {
        "id": id,
        "client_order_id": f"c{id}",
        "account": "paper",
        "exchange": "binance",
        "symbol": "BTCUSDT",
        "group_id": 7,
        "purpose": Purpose.ENTRY,
        "position": Side.LONG,
        "action": Action.BUY,
        "type": OrderType.LIMIT,
        "price": D(1),
        "quantity": D(1),
        "status": status,
        "created_at": NOON + ms(3),
    }
    return Order(**given | more)


def fill(id: int = 5, order_id: int = 3) -> Fill:
    given: dict[str, Any] = {
        "account": "paper",
        "exchange": "binance",
        "symbol": "BTCUSDT",
        "trade_id": f"t{id}",
        "group_id": 7,
        "purpose": Purpose.ENTRY,
        "action": Action.BUY,
        "price": D(1),
        "quantity": D(1),
        "fee": D(0),
        "fee_currency": "USDT",
        "fee_value": D(0),
        "at": NOON,
    }
    return Fill(id=id, order_id=order_id, **given)


def opened(status: OrderStatus = OrderStatus.OPEN, **more: Any) -> Order:
    return order(status=status, sent_at=NOON + ms(5), acknowledged_at=NOON + ms(40), **more)


def test_the_way_of_an_alert_is_measured_stage_by_stage() -> None:
    seen = Observation(NOON)
    seen.released(
        [alert(outcome=None), Engine(install_key="x"), order()], [Fact(code="x", text="x")], NOON + ms(4)
    )
    seen.released([opened()], [], NOON + ms(41))
    seen.released([opened(OrderStatus.FILLED), fill(), fill(6), alert()], [], NOON + ms(65))
    found = {each.stage: each for each in seen.latencies(NOON + ms(70))}
    assert {stage: (each.count, each.p50_ms, each.p99_ms) for stage, each in found.items()} == {
        Stage.ANSWER: (1, pytest.approx(4), pytest.approx(4)),
        Stage.ORDER: (1, pytest.approx(40), pytest.approx(40)),
        Stage.FILL: (1, pytest.approx(60), pytest.approx(60)),
    }
    assert dict(seen.alerts) == {"opened": 1}
    assert dict(seen.orders) == {("entry", "pending"): 1, ("entry", "open"): 1, ("entry", "filled"): 1}
    assert dict(seen.facts) == {Level.INFO.value: 1}


def test_what_waited_for_a_price_a_slot_or_a_restart_is_no_latency() -> None:
    seen = Observation(NOON)
    seen.released([alert(2, received_at=NOON - ms(1))], [], NOON)  # of the run before
    seen.released([alert(), alert(4, group_id=None)], [], NOON)
    late = NOON + timedelta(seconds=11)
    seen.released([order(created_at=late)], [], late)
    seen.released([opened(created_at=late)], [], late)  # promoted from the queue
    seen.released([opened(created_at=late)], [], late)  # nothing new
    seen.released([order(8, purpose=Purpose.EXIT)], [], NOON)
    seen.released([opened(id=8, purpose=Purpose.EXIT)], [], NOON)
    seen.released([opened(id=9)], [], NOON)  # it was sent before anybody listened
    seen.released([fill()], [], NOON + timedelta(minutes=2))  # it rested
    seen.released([fill(7, order_id=99), fill(8, order_id=8)], [], NOON + ms(9))
    counts = {each.stage: each.count for each in seen.latencies(NOON)}
    assert counts == {Stage.ANSWER: 2, Stage.ORDER: 0, Stage.FILL: 1}


def test_percentiles_are_over_the_last_hour_and_a_clock_that_was_set_back_counts_as_nothing() -> None:
    seen = Observation(NOON)
    for number in range(1, 101):
        seen.released([alert(number)], [], NOON + ms(number))
    found = seen.latency(Stage.ANSWER, NOON + ms(100))
    assert (found.p50_ms, found.p95_ms, found.p99_ms) == (50, 95, 99)
    assert seen.latency(Stage.ANSWER, NOON + timedelta(hours=2)).p50_ms is None
    seen.released([alert(500, received_at=NOON + timedelta(hours=3))], [], NOON + timedelta(hours=2))
    assert seen.latency(Stage.ANSWER, NOON + timedelta(hours=2)).p50_ms == 0


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(observation, "KEPT", 3)
    seen = Observation(NOON)
    for number in range(9):
        seen.released([alert(number)], [], NOON)
    assert len(seen._alerts) == 3


def test_what_took_how_long_is_kept_for_the_hour_that_is_shown() -> None:
    seen = Observation(NOON)
    for number in range(9):
        seen.released([alert(number)], [], NOON + timedelta(minutes=number))
    assert len(seen._samples[Stage.ANSWER]) == 9
    seen.released([alert(10)], [], NOON + timedelta(hours=1, minutes=7))
    assert len(seen._samples[Stage.ANSWER]) == 2


def test_what_was_refused_is_counted_with_the_outcomes() -> None:
    seen = Observation(NOON)
    refused = RefusedRequest(id=1, at=NOON, status=401, errors=(), body="", source="")
    seen.released([refused], [], NOON)
    assert dict(seen.alerts) == {"refused": 1}


def test_a_histogram_counts_by_bounds() -> None:
    counted = Histogram()
    for seconds in (0.001, 0.005, 0.006, 99):
        counted.add(seconds)
    assert (counted.counts[0], counted.counts[1], counted.counts[-1]) == (2, 1, 1)
    assert counted.total_s == pytest.approx(99.012)
