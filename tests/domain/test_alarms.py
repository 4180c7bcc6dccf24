"""When the application itself calls for attention, and when it stops."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from execution_engine.domain.alarms import Alarms, Reading, fact_of
from execution_engine.domain.decide import decide
from execution_engine.domain.facts import Category, Level
from execution_engine.domain.inputs import AlarmChanged, ExitGroup, Verdict
from execution_engine.domain.overdue import overdue
from execution_engine.domain.settings import Notifications
from tests.house import House

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
LIMITS = Notifications(
    stream_age_s=60, errors_per_minute=10, latency_ms=2000, disk_free_mb=500, unhealthy_s=120
)
CALM = Reading(at=NOON, stream_age_s=1, errors_per_minute=0, latency_ms=20, disk_free_mb=9000)


@pytest.mark.parametrize(
    ("bad", "better", "code", "level", "words"),
    [
        ({"stream_age_s": 61}, {"stream_age_s": 51}, "alarm_stream", Level.ERROR, "61 s old"),
        ({"errors_per_minute": 11}, {"errors_per_minute": 9}, "alarm_errors", Level.WARNING, "11 errors"),
        ({"latency_ms": 2100}, {"latency_ms": 1900}, "alarm_latency", Level.WARNING, "2100 ms"),
        ({"disk_free_mb": 499}, {"disk_free_mb": 599}, "alarm_disk", Level.CRITICAL, "Only 499 MB"),
    ],
)
def test_each_limit_calls_once_when_it_is_passed_and_once_when_all_is_clearly_well_again(
    bad: dict[str, Any], better: dict[str, Any], code: str, level: Level, words: str
) -> None:
    alarms = Alarms()
    assert alarms.judge(CALM, LIMITS) == []
    [raised] = alarms.judge(replace(CALM, **bad), LIMITS)
    assert (raised.code, raised.level) == (code, level)
    assert words in raised.text
    assert alarms.judge(replace(CALM, **bad), LIMITS) == []
    assert alarms.judge(replace(CALM, **better), LIMITS) == []  # it may swing
    [over] = alarms.judge(CALM, LIMITS)
    assert (over.code, over.level) == (code, Level.INFO)
    assert alarms.judge(CALM, LIMITS) == []


@pytest.mark.fault(24)
def test_a_position_that_is_not_closed_within_a_minute_calls_until_it_is() -> None:
    house, alarms = House(), Alarms()

    def judged() -> list[AlarmChanged]:
        now = house.clock.time
        return alarms.judge(replace(CALM, at=now, overdue=overdue(house.book, now)), LIMITS)

    house.price("BTCUSDT", "65000")
    house.alert(entry_price="65000")
    house.accept()
    house.fill(house.sent[0])
    house.clock.forward(hours=1)
    assert judged() == []
    house.post(ExitGroup(group_id=house.group.id))
    house.confirm_cancels()
    for _ in range(5):
        house.says(house.sent[-1], Verdict.REFUSED, reason="System is under maintenance.")
        assert judged() == []
        house.clock.forward(seconds=(house.group.retry_at - house.clock.time).total_seconds())
        house.desk.look_at_clock()
    [raised] = judged()
    assert (raised.code, raised.level) == ("alarm_closing", Level.CRITICAL)
    assert raised.text == (
        "BTCUSDT 15m on paper still holds 0.00307 BTC after 62 s (System is under maintenance.). "
        "It is tried again until it is closed."
    )
    house.fill(house.sent[-1])
    [over] = judged()
    assert over.text == "What was to be closed is closed."


def test_a_close_in_parts_is_late_by_its_last_part_and_one_that_nothing_was_sent_for_is_not() -> None:
    house = House({"take_profit.mode": "per_leg"})
    house.price("BTCUSDT", "65000")
    house.alert(entry_price="65000")
    house.accept()
    house.fill(house.sent[0])
    house.fill(house.sent[1])
    house.price("BTCUSDT", "65000.01")
    house.fill(house.sent[-1], "65000.01")  # the second leg took its profit
    house.clock.forward(hours=1)
    house.post(ExitGroup(group_id=house.group.id))
    assert overdue(house.book, house.clock.time) == ()
    house.clock.forward(seconds=60)
    assert overdue(house.book, house.clock.time) == (
        "BTCUSDT 15m on paper still holds 0.00307 BTC after 60 s",
    )


def test_a_limit_of_0_and_what_cannot_be_measured_never_call() -> None:
    awful = Reading(
        at=NOON, stream_age_s=1e6, errors_per_minute=999, latency_ms=1e6, disk_free_mb=0, reasons=("x",)
    )
    off = Notifications(stream_age_s=0, errors_per_minute=0, latency_ms=0, disk_free_mb=0, unhealthy_s=0)
    assert Alarms().judge(awful, off) == []
    assert Alarms().judge(Reading(at=NOON), LIMITS) == []


def test_being_unhealthy_is_told_when_it_lasts() -> None:
    alarms = Alarms()
    ill = replace(CALM, reasons=("the database cannot be written", "task risk failed"))
    assert alarms.judge(ill, LIMITS) == []
    assert alarms.judge(replace(ill, at=NOON + timedelta(seconds=119)), LIMITS) == []
    assert alarms.judge(replace(CALM, at=NOON + timedelta(seconds=120)), LIMITS) == []  # it began anew
    assert alarms.judge(replace(ill, at=NOON + timedelta(seconds=130)), LIMITS) == []
    [raised] = alarms.judge(replace(ill, at=NOON + timedelta(seconds=250)), LIMITS)
    assert raised.level is Level.CRITICAL
    assert raised.text == (
        "Something has been wrong for 120 s: the database cannot be written; task risk failed."
    )
    [over] = alarms.judge(replace(CALM, at=NOON + timedelta(seconds=260)), LIMITS)
    assert over.text == "All is well again."


def test_an_alarm_is_a_notice_whether_the_desk_can_tell_it_or_not() -> None:
    said = AlarmChanged(code="alarm_disk", text="Only 3 MB are free.", level=Level.CRITICAL)
    [told] = decide(House().book, said, NOON).facts
    assert told == fact_of(said)
    assert (told.category, told.notice) == (Category.SYSTEM, True)
