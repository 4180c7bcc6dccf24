"""Exact decimal arithmetic: ticks, steps, percentages.

Forty significant digits are kept, far more than any product of a price and a quantity needs, so that sums of
money agree to the last digit. Only divisions round; they go through `divide`.
"""

from __future__ import annotations

import decimal
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal

PRECISION = 40
decimal.getcontext().prec = PRECISION
decimal.DefaultContext.prec = PRECISION  # threads started later inherit it

ZERO = Decimal(0)
ONE = Decimal(1)
HUNDRED = Decimal(100)
_QUOTIENT = Decimal("1e-18")


def round_down(value: Decimal, step: Decimal) -> Decimal:
    """Round to the multiple of `step` at or below `value`; keeps the decimals of the step."""
    return _to_multiple(value, step, ROUND_FLOOR)


def round_up(value: Decimal, step: Decimal) -> Decimal:
    """Round to the multiple of `step` at or above `value`; keeps the decimals of the step."""
    return _to_multiple(value, step, ROUND_CEILING)


def _to_multiple(value: Decimal, step: Decimal, rounding: str) -> Decimal:
    return (value / step).quantize(ONE, rounding) * step


def divide(dividend: Decimal, divisor: Decimal) -> Decimal:
    """Divide, rounded half-even to 18 decimals (far below any tick) and without trailing zeros.

    A quotient that is too large for that (from a senseless price) keeps its forty digits.
    """
    quotient = dividend / divisor
    if quotient.adjusted() < PRECISION + _QUOTIENT.adjusted():
        quotient = quotient.quantize(_QUOTIENT, ROUND_HALF_EVEN)
    return plain(quotient)


def plain(value: Decimal) -> Decimal:
    """Return the same number without trailing zeros and without an exponent."""
    if value == 0:
        return ZERO
    normal = value.normalize()
    return normal if normal.as_tuple().exponent <= 0 else Decimal(text(normal))  # type: ignore[operator]


def text(value: Decimal) -> str:
    """Write a number the way the database and every output have it: digits and a point, no exponent."""
    return format(value, "f")


def percent_of(value: Decimal, percent: Decimal) -> Decimal:
    """Return `percent` per cent of `value`, exactly."""
    return value * percent / HUNDRED


def shifted(value: Decimal, percent: Decimal) -> Decimal:
    """Return `value` moved by `percent` per cent, exactly."""
    return value * (HUNDRED + percent) / HUNDRED


def percent_change(now: Decimal, then: Decimal) -> Decimal:
    """Return the change from `then` to `now` [%]."""
    return divide((now - then) * HUNDRED, then)
