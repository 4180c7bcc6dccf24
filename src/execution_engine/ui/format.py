"""Numbers, times and foreign text as the screen shows them; exact values in, strings out.

Rounding here is half-up and for the eye only: sums are made of exact values before they come here.
"""

import html
import unicodedata
from datetime import UTC, datetime, timedelta, tzinfo
from decimal import ROUND_HALF_UP, Context, Decimal, InvalidOperation
from functools import lru_cache
from typing import Literal

from execution_engine.ui.tongue import tr

MISSING = "–"
MINUS = "\u2212"
GAP = "\u202f"  # thin, and no line breaks there
_CALLED = {"okx": "OKX", "kucoin": tr("KuCoin")}  # exchanges that are not written with one capital
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

# The default 28 digits would refuse to round the largest amounts of small coins.
_WIDE = Context(prec=120, rounding=ROUND_HALF_UP)


def exchange_name(key: str) -> str:
    """Write an exchange as it calls itself: `binance` → Binance, `okx` → OKX."""
    return _CALLED.get(key) or f"{key[:1].upper()}{key[1:]}"


@lru_cache(maxsize=256)
def places_of(step: Decimal) -> int:
    """Return how many decimals a tick or step needs: 0.010 → 2, 5 → 0, 1E-8 → 8."""
    exponent = step.normalize(_WIDE).as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def number(value: Decimal | None, places: int) -> str:
    """Write a number with `places` decimals and commas: 64,341.47; zero never has a sign."""
    if value is None or not value.is_finite():
        return MISSING
    rounded = value.quantize(_unit(places), ROUND_HALF_UP, _WIDE)
    if rounded < 0:
        return f"{MINUS}{rounded.copy_abs():,f}"
    return f"{rounded.copy_abs():,f}"


def signed(value: Decimal | None, places: int) -> str:
    """Write a number with its sign, + or −; what rounds to zero has none."""
    text = number(value, places)
    if value is None or text == MISSING or value <= 0 or not any("1" <= each <= "9" for each in text):
        return text
    return "+" + text


def price(value: Decimal | None, tick: Decimal) -> str:
    """Write a price with the decimals of its tick."""
    return number(value, places_of(tick))


def quantity(value: Decimal | None, step: Decimal) -> str:
    """Write a quantity with the decimals of its step; zero is plainly 0."""
    return "0" if value == 0 else number(value, places_of(step))


def usd(value: Decimal | None) -> str:
    """Write an amount of USD, two decimals, without the unit."""
    return number(value, 2)


def signed_usd(value: Decimal | None) -> str:
    """Write a result in USD, two decimals and a sign, without the unit."""
    return signed(value, 2)


def percent(value: Decimal | None, places: int = 2) -> str:
    """Write a percentage [%] with the sign of a minus only: 67 %, −1.39 %."""
    text = number(value, places)
    return text if text == MISSING else f"{text}{GAP}%"


def signed_percent(value: Decimal | None, places: int = 2) -> str:
    """Write a percentage [%] with its sign, + or −."""
    text = signed(value, places)
    return text if text == MISSING else f"{text}{GAP}%"


def exact(value: Decimal | None) -> str:
    """Write every digit a value has, with commas; for tooltips."""
    if value is None or not value.is_finite():
        return MISSING
    text = f"{value.copy_abs():,f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return f"{MINUS}{text}" if value < 0 else text


def raw(value: Decimal | None) -> str:
    """Write every digit a value has as a machine reads it (1234.5, -0.1); for copying."""
    return "" if value is None else format(value, "f")


def result_token(value: Decimal | None, places: int = 2) -> Literal["profit", "loss", "text3"]:
    """Return the colour of a result as it is shown: what rounds to zero is neither won nor lost."""
    if value is None or not value.is_finite():
        return "text3"
    rounded = value.quantize(_unit(places), ROUND_HALF_UP, _WIDE)
    if rounded == 0:
        return "text3"
    return "profit" if rounded > 0 else "loss"


def parse_number(text: str) -> Decimal | None:
    """Read what a person typed: 1,234.5 and −0.5 and +3; None when it is not a number."""
    plain = text.strip().replace(MINUS, "-").replace(",", "").replace(" ", "").replace(GAP, "")
    if not plain or not all(each in "+-.0123456789" for each in plain):
        return None
    try:
        return Decimal(plain)
    except InvalidOperation:
        return None


def ordinal(place: int) -> str:
    """Write a place in a row: 1st, 2nd, 3rd, 11th."""
    if 10 <= place % 100 <= 20:
        return tr("{place}th").format(place=place)
    written = {1: tr("{place}st"), 2: tr("{place}nd"), 3: tr("{place}rd")}.get(place % 10, tr("{place}th"))
    return written.format(place=place)


def counted(count: int, one: str, many: str = "") -> str:
    """Write a count with its noun: 1 group, 3 groups."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def age(elapsed: timedelta | None) -> str:
    """Write an age in its largest unit: 12 s, 38 min, 17 h, 2 d."""
    if elapsed is None:
        return MISSING
    seconds = _seconds(elapsed)
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def span(elapsed: timedelta | None) -> str:
    """Write a duration in its two largest units: 20 s, 38 min, 1 h 02 min, 2 d 3 h."""
    if elapsed is None:
        return MISSING
    seconds = _seconds(elapsed)
    minutes, hours, days = seconds // 60, seconds // 3_600, seconds // 86_400
    if days:
        return f"{days} d {hours % 24} h" if hours % 24 else f"{days} d"
    if hours:
        return f"{hours} h {minutes % 60:02d} min" if minutes % 60 else f"{hours} h"
    return f"{minutes} min" if minutes else f"{seconds} s"


def ago(elapsed: timedelta | None) -> str:
    """Write how long ago something was: 12 s ago."""
    return tr("never") if elapsed is None else tr("{span} ago").format(span=age(elapsed))


def fine_age(elapsed: timedelta | None) -> str:
    """Write a short age with tenths of a second: 0.4 s, 9.9 s, then 42 s."""
    if elapsed is None:
        return MISSING
    tenths = max(0, elapsed // timedelta(milliseconds=100))
    return f"{tenths // 10}.{tenths % 10} s" if tenths < 100 else age(elapsed)


def latency(elapsed: timedelta) -> str:
    """Write how long something took: 4 ms, 2.3 s, 1 h 17 min; nothing takes less than no time."""
    milliseconds = max(0, elapsed // timedelta(milliseconds=1))
    if milliseconds < 1000:
        return f"{milliseconds} ms"
    return fine_age(elapsed) if milliseconds < 10_000 else span(elapsed)


def countdown(remaining: timedelta | None) -> str:
    """Write what is left of a timer: 00:32, 23:41, 1:02:05; never below zero."""
    if remaining is None:
        return MISSING
    # Up, so that a timer shows 00:01 until it is over.
    seconds = max(0, -(-remaining // timedelta(seconds=1)))
    hours, minutes = seconds // 3_600, seconds // 60 % 60
    return f"{hours}:{minutes:02d}:{seconds % 60:02d}" if hours else f"{minutes:02d}:{seconds % 60:02d}"


def uptime(elapsed: timedelta | None) -> str:
    """Write how long something runs: 04:12 (hours and minutes), 3 d 04:12."""
    if elapsed is None:
        return MISSING
    minutes = _seconds(elapsed) // 60
    days, clock = minutes // 1_440, f"{minutes // 60 % 24:02d}:{minutes % 60:02d}"
    return f"{days} d {clock}" if days else clock


def local_time(at: datetime | None, zone: tzinfo | None = None) -> str:
    """Write the time of day, 14:32:08, in `zone` (the computer's when None)."""
    return MISSING if at is None else f"{at.astimezone(zone):%H:%M:%S}"


def local_time_ms(at: datetime | None, zone: tzinfo | None = None) -> str:
    """Write the time of day with milliseconds, 12:31:07.412."""
    if at is None:
        return MISSING
    here = at.astimezone(zone)
    return f"{here:%H:%M:%S}.{here.microsecond // 1000:03d}"


def local_date(at: datetime | None, zone: tzinfo | None = None) -> str:
    """Write a day, 19 Nov."""
    if at is None:
        return MISSING
    here = at.astimezone(zone)
    return f"{here.day} {MONTHS[here.month - 1]}"


def local_moment(at: datetime | None, zone: tzinfo | None = None) -> str:
    """Write day and time, 19 Nov 03:12:40."""
    return MISSING if at is None else f"{local_date(at, zone)} {local_time(at, zone)}"


def utc_text(at: datetime | None) -> str:
    """Write a moment in UTC for a tooltip, 2026-11-20 13:32:08 UTC."""
    return "" if at is None else f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


# What can turn text round, hide in it or break a line, though it is no control character.
_SLY = frozenset("\u00ad\u061c\u115f\u1160\u3164\ufeff\uffa0") | {chr(code) for code in range(0x2028, 0x2030)}


def visible(text: str, limit: int = 0) -> str:
    """Make foreign text safe to show: what controls a terminal, a line or the direction is spelled out.

    `limit` > 0 cuts to that many characters, the last one being an ellipsis.
    """
    if text.isascii() and text.isprintable():
        shown = text
    else:
        shown = "".join(each if _harmless(each) else _spelled(each) for each in text)
    return shown if not limit or len(shown) <= limit else shown[: limit - 1] + "…"


def tooltip(text: str) -> str:
    """Make text safe for a tooltip, which would take `<b>` for markup; lines stay lines."""
    return "<qt>" + "<br>".join(html.escape(line) for line in text.split("\n")) + "</qt>" if text else ""


def spoken(text: str) -> str:
    """Write a shown value as a screen reader should say it."""
    if text == MISSING:
        return tr("no value")
    return (
        text.replace(MINUS, tr("minus "))
        .replace("+", tr("plus "))
        .replace(f"{GAP}%", tr(" percent"))
        .replace(GAP, " ")
    )


@lru_cache(maxsize=64)
def _unit(places: int) -> Decimal:
    return Decimal(1).scaleb(-places)


def _seconds(elapsed: timedelta) -> int:
    return max(0, elapsed // timedelta(seconds=1))


def _harmless(each: str) -> bool:
    return each not in _SLY and unicodedata.category(each) not in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def _spelled(each: str) -> str:
    named = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
    code = ord(each)
    return named.get(each) or (f"\\x{code:02x}" if code < 0x100 else f"\\u{{{code:x}}}")
