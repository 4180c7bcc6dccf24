"""Which events are told outside of the window, when, how many of them, and what the daily summary says."""

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from pydantic import ValidationError

from execution_engine.domain import notify
from execution_engine.domain.facts import Category, Fact, Level
from execution_engine.domain.notify import Day, Message, Rule, Sieve, WorldDay
from execution_engine.domain.settings import Notifications, NotifyTarget

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def fact(code: str = "order_rejected", level: Level = Level.WARNING, **more: object) -> Fact:
    return Fact(code=code, text="It was refused.", level=level, **more)  # type: ignore[arg-type]


def message(code: str = "group_closed", level: Level = Level.INFO, at: datetime = NOON) -> Message:
    return Message(title="t", text="x", level=level, code=code, at=at)


@pytest.mark.parametrize(
    ("rule", "told", "wanted"),
    [
        (Rule(Level.WARNING), fact(level=Level.WARNING), True),
        (Rule(Level.WARNING), fact(level=Level.INFO), False),
        (Rule(Level.ERROR, also=("order_*",)), fact(level=Level.INFO), True),
        (Rule(Level.ERROR, also=("SECURITY",)), fact(level=Level.INFO, category=Category.SECURITY), True),
        (Rule(Level.ERROR, also=("SECURITY",)), fact(level=Level.INFO, category=Category.RISK), False),
        (Rule(Level.DEBUG, never=("order_rejected",)), fact(level=Level.ERROR), False),
        (Rule(Level.DEBUG, also=("order_*",), never=("TRADING",)), fact(level=Level.INFO), False),
    ],
)
def test_a_rule_asks_for_level_kind_and_category(rule: Rule, told: Fact, wanted: bool) -> None:
    assert rule.wants(told) is wanted


def test_a_target_has_a_rule_of_its_own_where_it_says_so() -> None:
    for_all = Notifications(also=("a",), never=("b",))
    assert notify.rule_of(for_all) == Rule(Level.WARNING, ("a",), ("b",))
    assert notify.rule_of(for_all, NotifyTarget()) == Rule(Level.WARNING, ("a",), ("b",))
    own = NotifyTarget(level="CRITICAL", also=(), never=("c",))  # type: ignore[arg-type]
    assert notify.rule_of(for_all, own) == Rule(Level.CRITICAL, (), ("c",))


def test_a_message_says_how_urgent_it_is_and_in_which_world() -> None:
    told = notify.message_of(fact("defect", Level.CRITICAL, world="live"), NOON)
    assert (told.title, told.text, told.is_critical) == (
        "Execution Engine: act now (live)",
        "It was refused.",
        True,
    )
    assert notify.message_of(fact(level=Level.INFO), NOON).title == "Execution Engine"
    long = notify.message_of(Fact(code="x", text="a" * 5000), NOON)
    assert len(long.text) == 1500
    assert long.text.endswith("…")


@pytest.mark.parametrize(
    ("start", "end", "hour", "quiet"),
    [
        ("22:30", "07:00", 23, True),
        ("22:30", "07:00", 6, True),
        ("22:30", "07:00", 7, False),
        ("22:30", "07:00", 22, False),
        ("12:00", "14:00", 13, True),
        ("12:00", "14:00", 14, False),
        ("", "14:00", 13, False),
        ("12:00", "", 13, False),
        ("12:00", "12:00", 12, False),
    ],
)
def test_quiet_hours_may_go_over_midnight(start: str, end: str, hour: int, quiet: bool) -> None:
    settings = Notifications(quiet_from=start, quiet_until=end)
    berlin = timezone(timedelta(hours=1))
    assert notify.is_quiet(settings, datetime(2026, 11, 20, hour, tzinfo=berlin)) is quiet


@pytest.mark.parametrize("field", [{"quiet_from": "24:00"}, {"summary_at": "8:00"}, {"also": ("a b",)}])
def test_times_and_kinds_that_make_no_sense_are_refused(field: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Notifications(**field)  # type: ignore[arg-type]


def test_quiet_hours_let_only_what_is_critical_through_and_tell_the_rest_when_they_end() -> None:
    settings, sieve = Notifications(quiet_from="12:00", quiet_until="13:00"), Sieve()
    assert not sieve.passes(message(), settings, NOON)
    assert sieve.passes(message("defect", Level.CRITICAL), settings, NOON)
    assert sieve.left_out(settings, NOON + timedelta(minutes=30)) is None
    told = sieve.left_out(settings, NOON + timedelta(hours=1))
    assert told is not None
    assert told.text == "1 notification was left out since 12:00: 1 × group_closed. Logs has all of them."
    assert sieve.left_out(settings, NOON + timedelta(hours=2)) is None


def test_no_more_than_the_limit_is_told_in_an_hour_and_the_rest_in_one() -> None:
    settings, sieve = Notifications(most_per_hour=2), Sieve()
    codes = ["a", "a", "a", "b", "a", "c", "d", "e", "f", "g"]
    assert [sieve.passes(message(code), settings, NOON) for code in codes] == [True, True] + [False] * 8
    assert [sieve.passes(message("x", Level.CRITICAL), settings, NOON) for _ in range(3)] == [
        True,
        True,
        False,
    ]
    assert sieve.left_out(settings, NOON + timedelta(minutes=14)) is None
    told = sieve.left_out(settings, NOON + timedelta(minutes=15))
    assert told is not None
    assert told.text.startswith("9 notifications were left out since 12:00: 2 × a, 1 × b, ")
    assert "2 other kinds" in told.text
    assert not sieve.passes(message(), settings, NOON + timedelta(minutes=59))
    assert sieve.passes(message(), settings, NOON + timedelta(minutes=60))


def test_without_a_limit_everything_is_told() -> None:
    sieve = Sieve()
    assert all(sieve.passes(message(), Notifications(most_per_hour=0), NOON) for _ in range(200))


def test_pauses_grow_and_in_the_end_it_is_given_up() -> None:
    assert [notify.pause_s(failures) for failures in (1, 2, 3, 9, 5000)] == [5, 10, 20, 600, 600]
    assert not notify.is_given_up(message(), NOON + timedelta(hours=1))
    assert notify.is_given_up(message(), NOON + timedelta(hours=1, seconds=1))
    critical = message(level=Level.CRITICAL)
    assert not notify.is_given_up(critical, NOON + timedelta(hours=24))
    assert notify.is_given_up(critical, NOON + timedelta(hours=25))


def test_the_summary_comes_once_a_day_at_its_time_or_later() -> None:
    settings = Notifications(summary_at="12:00")
    today, yesterday = NOON.date(), date(2026, 11, 19)
    assert notify.summary_is_due(settings, yesterday, NOON)
    assert notify.summary_is_due(settings, None, NOON + timedelta(hours=3))
    assert not notify.summary_is_due(settings, today, NOON + timedelta(hours=3))
    assert not notify.summary_is_due(settings, yesterday, NOON - timedelta(minutes=1))
    assert not notify.summary_is_due(Notifications(), yesterday, NOON)


def test_the_summary_says_what_came_of_the_day() -> None:
    live = WorldDay(realized=Decimal("-12.5"), unrealized=Decimal(3), trades=1, wins=0, open_groups=2)
    day = Day(worlds={"paper": WorldDay(), "live": live}, queued=3, problems=[f"p{n}" for n in range(8)])
    assert notify.summary(day, NOON).text.split("\n") == [
        "Paper: +0.00 USD realized in 24 h (0 trades), 0 open positions, unknown unrealized.",
        "Live: −12.50 USD realized in 24 h (1 trade, 0 won), 2 open positions, +3.00 USD unrealized.",
        "Queue: 3 waiting.",
        *[f"Needs attention: p{n}" for n in range(6)],
        "… and 2 more.",
    ]
    calm = notify.summary(Day(worlds={}), NOON)
    assert calm.title == "Execution Engine: summary of 20 Nov 2026"
    assert calm.text == "Nothing waits in the queue.\nNo problems."
