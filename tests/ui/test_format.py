"""Formatting: exact values in, the same words for everybody out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import ROUND_HALF_UP, Context, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from execution_engine.ui import format as fmt

D = Decimal
AMOUNTS = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**20), max_value=10**20)
WIDE = Context(prec=120)


@pytest.mark.parametrize(
    ("value", "places", "shown"),
    [
        ("64341.47", 2, "64,341.47"),
        ("-8.565", 2, "−8.57"),
        ("0.005", 2, "0.01"),
        ("-0.004", 2, "0.00"),
        ("1234567", 0, "1,234,567"),
        ("1E+3", 2, "1,000.00"),
        ("NaN", 2, "–"),
        ("Infinity", 2, "–"),
    ],
)
def test_a_number_has_commas_its_places_and_half_up(value: str, places: int, shown: str) -> None:
    assert fmt.number(D(value), places) == shown


@given(AMOUNTS, st.integers(0, 12))
def test_what_is_shown_reads_back_as_the_rounded_value(value: Decimal, places: int) -> None:
    expected = value.quantize(D(1).scaleb(-places), ROUND_HALF_UP, WIDE)
    assert fmt.parse_number(fmt.number(value, places)) == expected
    assert fmt.parse_number(fmt.signed(value, places)) == expected


@given(AMOUNTS)
def test_the_exact_value_loses_no_digit(value: Decimal) -> None:
    assert fmt.parse_number(fmt.exact(value)) == value
    assert D(fmt.raw(value)) == value


@given(AMOUNTS, st.integers(0, 6))
def test_sign_and_colour_agree(value: Decimal, places: int) -> None:
    first = fmt.signed(value, places)[0]
    assert fmt.result_token(value, places) == {"+": "profit", "−": "loss"}.get(first, "text3")


@pytest.mark.parametrize(
    ("step", "places"), [("0.01", 2), ("0.010", 2), ("0.5", 1), ("5", 0), ("10", 0), ("1E-8", 8)]
)
def test_decimals_follow_the_step(step: str, places: int) -> None:
    assert fmt.places_of(D(step)) == places


def test_the_kinds_of_amounts() -> None:
    assert fmt.price(D("0.4449"), D("0.0001")) == "0.4449"
    assert fmt.quantity(D("7641.4"), D("0.1")) == "7,641.4"
    assert fmt.quantity(D("0.000"), D("0.1")) == "0"
    assert fmt.usd(D("15108.9")) == "15,108.90"
    assert fmt.signed_usd(D("1231.82")) == "+1,231.82"
    assert fmt.percent(D("67"), 0) == "67\u202f%"
    assert fmt.signed_percent(D("-1.394")) == "−1.39\u202f%"
    assert fmt.signed_percent(D("0.001")) == "0.00\u202f%"


@pytest.mark.parametrize(
    "write", [fmt.usd, fmt.signed_usd, fmt.percent, fmt.signed_percent, fmt.exact, fmt.age]
)
def test_a_missing_value_is_a_dash(write) -> None:
    assert write(None) == "–"


@pytest.mark.parametrize("text", ["", "abc", "1e5", "1..2", "−", "NaN", "٣", "0x10"])
def test_what_is_no_number_is_none(text: str) -> None:
    assert fmt.parse_number(text) is None


@pytest.mark.parametrize(
    ("seconds", "age", "span", "countdown", "uptime"),
    [
        (12, "12 s", "12 s", "00:12", "00:00"),
        (2_280, "38 min", "38 min", "38:00", "00:38"),
        (3_720, "1 h", "1 h 02 min", "1:02:00", "01:02"),
        (61_200, "17 h", "17 h", "17:00:00", "17:00"),
        (183_600, "2 d", "2 d 3 h", "51:00:00", "2 d 03:00"),
        (-5, "0 s", "0 s", "00:00", "00:00"),
    ],
)
def test_durations(seconds: int, age: str, span: str, countdown: str, uptime: str) -> None:
    elapsed = timedelta(seconds=seconds)
    assert (fmt.age(elapsed), fmt.span(elapsed)) == (age, span)
    assert (fmt.countdown(elapsed), fmt.uptime(elapsed)) == (countdown, uptime)


def test_a_timer_is_over_only_at_zero() -> None:
    assert fmt.countdown(timedelta(milliseconds=1)) == "00:01"


def test_short_ages_have_tenths() -> None:
    assert fmt.fine_age(timedelta(milliseconds=449)) == "0.4 s"
    assert fmt.fine_age(timedelta(seconds=42)) == "42 s"
    assert fmt.ago(timedelta(seconds=12)) == "12 s ago"
    assert fmt.ago(None) == "never"


def test_times_are_local_and_the_tooltip_is_utc() -> None:
    at = datetime(2026, 11, 20, 13, 32, 8, 412_999, tzinfo=UTC)
    berlin = timezone(timedelta(hours=1))
    assert fmt.local_time(at, berlin) == "14:32:08"
    assert fmt.local_time_ms(at, berlin) == "14:32:08.412"
    assert fmt.local_moment(at, berlin) == "20 Nov 14:32:08"
    assert fmt.utc_text(at.astimezone(berlin)) == "2026-11-20 13:32:08 UTC"
    assert fmt.local_time(None) == "–"


@pytest.mark.parametrize(
    ("foreign", "shown"),
    [
        ("BTC\x1b[31m", "BTC\\x1b[31m"),
        ("a\nb", "a\\nb"),
        ("abc\u202etxt", "abc\\u{202e}txt"),
        ("zero\u200bwidth", "zero\\u{200b}width"),
        ("Grüße ₿ 日本", "Grüße ₿ 日本"),
    ],
)
def test_foreign_text_cannot_act(foreign: str, shown: str) -> None:
    assert fmt.visible(foreign) == shown


@given(st.text())
def test_what_is_shown_is_printable(text: str) -> None:
    assert all(each.isprintable() or each.isspace() for each in fmt.visible(text))
    assert not set(fmt.visible(text)) & set("\n\r\t\x00\x1b\u202e\u2028")


def test_long_text_is_cut_with_an_ellipsis() -> None:
    assert fmt.visible("abcdef", 4) == "abc…"


def test_a_tooltip_is_no_markup() -> None:
    assert fmt.tooltip("<b>x</b>\ny") == "<qt>&lt;b&gt;x&lt;/b&gt;<br>y</qt>"


def test_a_screen_reader_hears_words() -> None:
    assert fmt.spoken("−0.93\u202f%") == "minus 0.93 percent"
    assert fmt.spoken("–") == "no value"


def test_places_and_counts() -> None:
    assert [fmt.ordinal(n) for n in (1, 2, 3, 4, 11, 12, 21, 112)] == [
        "1st", "2nd", "3rd", "4th", "11th", "12th", "21st", "112th",
    ]  # fmt: skip
    assert (fmt.counted(1, "group"), fmt.counted(3, "group"), fmt.counted(2, "loss", "losses")) == (
        "1 group",
        "3 groups",
        "2 losses",
    )
