"""The most that can be at stake with given settings: what a trader should see before saving them.

Everything is notional, in USD and per world: what is bought, not what is paid for it. Signals that are forced into
the pool come on top, because the user asks for each of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from execution_engine.domain.money import HUNDRED, ONE, ZERO, divide, percent_of
from execution_engine.domain.settings import PyramidCapital, Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposure:
    """What can be at stake [USD] per leg, pyramid, group and in all; `times` is all of it by the capital."""

    leg: Decimal
    pyramid: Decimal
    pyramids: int
    group: Decimal
    groups: int
    total: Decimal
    times: Decimal
    leverage: Decimal
    """The highest of all accounts: any signal may go there."""


def worst_case(settings: Settings) -> Exposure:
    """Return the worst case: every group open, every pyramid and leg filled, on the account of most leverage."""
    pyramids, groups = settings.pool.max_pyramids, settings.pool.max_open_groups
    leverage = max((each.leverage for each in settings.accounts.values()), default=ONE)
    pyramid = max(settings.group_capital(), settings.signals.max_capital_usd) * leverage
    if settings.capital.pyramid_capital is PyramidCapital.SPLIT:
        pyramid /= pyramids
    heaviest = heaviest_leg(settings)
    limit = settings.capital.max_order_usd
    if limit > ZERO:  # a grid with one larger leg is refused whole, one with less capital is not
        pyramid = min(pyramid, divide(limit * HUNDRED, _least_heavy(settings)))
    leg = percent_of(pyramid, heaviest)
    if limit > ZERO:
        leg = min(leg, limit)
    total = _cents(pyramid * pyramids * groups)
    return Exposure(
        leg=_cents(leg),
        pyramid=_cents(pyramid),
        pyramids=pyramids,
        group=_cents(pyramid * pyramids),
        groups=groups,
        total=total,
        times=divide(total, settings.capital.total_usd),
        leverage=leverage,
    )


def heaviest_leg(settings: Settings) -> Decimal:
    """Return the largest weight of any leg of any profile [%]: an alert may name each of them."""
    return max(layer.weight_percent for layers in settings.grid.profiles.values() for layer in layers)


def _least_heavy(settings: Settings) -> Decimal:
    """Return the heaviest leg of the most even profile [%]: it spends the most under a limit per order."""
    return min(max(layer.weight_percent for layer in layers) for layers in settings.grid.profiles.values())


def _cents(amount: Decimal) -> Decimal:
    """Round to cents: a third of the capital, three times, is all of it."""
    return amount.quantize(Decimal("0.01"))
