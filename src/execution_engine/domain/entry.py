"""Opening a group and adding a pyramid: every rule first, then the rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from execution_engine.domain import grid as grids
from execution_engine.domain import risk_timer
from execution_engine.domain.draft import Draft
from execution_engine.domain.errors import Refusal
from execution_engine.domain.grid import GridLeg, money
from execution_engine.domain.instrument import Instrument, Market, Side
from execution_engine.domain.listings import not_traded
from execution_engine.domain.money import ONE, ZERO, percent_change, text
from execution_engine.domain.replacing import replace
from execution_engine.domain.rows import (
    Account,
    Alert,
    Group,
    Layer,
    Leg,
    OrderType,
    Pyramid,
)
from execution_engine.domain.settings import PositionMode, PyramidCapital
from execution_engine.domain.signal import Signal


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry that met every rule and only has to be written."""

    account: Account
    instrument: Instrument
    side: Side
    base_price: Decimal
    capital: Decimal
    leverage: Decimal
    grid_name: str
    layers: tuple[Layer, ...]
    legs: tuple[GridLeg, ...]


class Waiting:
    """The account's balance or the market's price is not known yet; the alert is decided on when it is."""


WAITING = Waiting()


def refused_outright(
    draft: Draft, alert: Alert, account: Account, side: Side, *, key_is_closing: bool = False
) -> Refusal | None:
    """Return what forbids this entry whatever the market does; asked before it may wait in the queue."""
    signal = alert.parsed
    settings = draft.settings
    if draft.engine.paused:
        return Refusal("PAUSED", "paused")
    if not account.enabled:
        return Refusal("ACCOUNT", f"account “{account.name}” is disabled")
    if account.market is Market.SPOT and side is Side.SHORT:
        return Refusal("SIDE", "a spot account cannot be short")
    if not settings.signals.allows(signal.exchange, signal.symbol):
        return Refusal(
            "SYMBOL", f"{signal.symbol} is not among the symbols that may be traded (signals.symbols)"
        )
    refusal = (
        not_traded(draft.view.catalogue.get(alert.exchange, alert.symbol))
        or _grid_fault(draft, signal)
        or _capital_fault(draft, signal)
    )
    return refusal or (None if key_is_closing else _other_side(draft, account, alert, side))


def _grid_fault(draft: Draft, signal: Signal) -> Refusal | None:
    profiles = draft.settings.grid.profiles
    if signal.grid is not None and signal.grid not in profiles:
        known = ", ".join(profiles)
        return Refusal("GRID", f"there is no grid profile “{signal.grid}”; there are: {known}")
    return None


def _capital_fault(draft: Draft, signal: Signal) -> Refusal | None:
    wanted = signal.capital_usd
    limit = max(draft.settings.group_capital(), draft.settings.signals.max_capital_usd)
    if wanted is None or wanted <= limit:
        return None
    return Refusal(
        "CAPITAL", f"capital_usd {text(wanted)} is above the limit of {money(limit)} USD for one group"
    )


def _other_side(draft: Draft, account: Account, alert: Alert, side: Side) -> Refusal | None:
    """In one-way mode an exchange nets both sides of a symbol, so two groups may not oppose each other."""
    if draft.settings.account(account.name).position_mode is PositionMode.HEDGE:
        return None
    for group in draft.groups_in((alert.exchange, alert.symbol)):
        if group.account == account.name and group.side is not side:
            return Refusal(
                "OPPOSITE",
                f"{group.symbol} {group.timeframe} is open {group.side}; in one-way mode the account cannot hold both",
            )
    return None


def prepare(
    draft: Draft,
    alert: Alert,
    account: Account,
    side: Side,
    group: Group | None = None,
    *,
    promoted: bool = False,
) -> Entry | Refusal | Waiting:
    """Check an entry against market, limits, filters and balance.

    group: the one that a pyramid joins. promoted: it comes from the queue, where the market may have moved on;
    that one side of it is too far is asked there.
    """
    outright = refused_outright(draft, alert, account, side)
    if outright is not None:
        return outright
    if group is not None and group.hold:
        return Refusal("HOLD", f"the position is on hold: {group.hold}")
    signal = alert.parsed
    instrument = draft.instrument(signal.exchange, signal.symbol)
    price = draft.price(instrument.key)
    if price is None:
        reason = draft.view.no_price(instrument.key)
        return Refusal("PRICE", reason) if reason else WAITING
    base_price = signal.entry_price or price.last
    away = None if promoted else _deviation_fault(draft, base_price, price.last)
    if away is not None:
        return away
    if draft.free(account.name, instrument.quote) is None:
        return WAITING
    entry = _lay_out(draft, signal, account, instrument, side, base_price, group)
    return (
        _first_leg_fault(draft, entry, price.last)
        or _entries_today_fault(draft, account)
        or grids.fault(entry.legs, instrument, draft.settings.capital.max_order_usd)
        or grids.liquidation_fault(entry.legs, side, entry.leverage)
        or _balance_fault(draft, entry, _yet_to_come(draft, signal, entry, group))
        or entry
    )


def _lay_out(
    draft: Draft,
    signal: Signal,
    account: Account,
    instrument: Instrument,
    side: Side,
    base_price: Decimal,
    group: Group | None,
) -> Entry:
    settings = draft.settings
    name, layers = _grid(draft, signal, group)
    capital = settings.group_capital() if signal.capital_usd is None else signal.capital_usd
    if settings.capital.pyramid_capital is PyramidCapital.SPLIT:
        capital /= group.max_pyramids if group else settings.pool.max_pyramids
    leverage = group.leverage if group else _leverage(draft, account)
    legs = grids.legs(layers, base_price, side, capital, instrument, leverage)
    return Entry(account, instrument, side, base_price, capital, leverage, name, layers, legs)


def _leverage(draft: Draft, account: Account) -> Decimal:
    return draft.settings.account(account.name).leverage if account.market is Market.SWAP else ONE


def _grid(draft: Draft, signal: Signal, group: Group | None) -> tuple[str, tuple[Layer, ...]]:
    if group is not None and signal.grid is None:
        return group.grid_name, group.grid
    grid = draft.settings.grid
    name = signal.grid or grid.profile_for(signal.exchange, signal.symbol, signal.timeframe)
    return name, grid.layers[name]


def _deviation_fault(draft: Draft, base_price: Decimal, market: Decimal) -> Refusal | None:
    limit = draft.settings.signals.max_deviation_percent
    away = abs(percent_change(base_price, market))
    if away <= limit:
        return None
    return Refusal(
        "DEVIATION",
        f"the alert's price {text(base_price)} is {money(away)} % away from the market at {text(market)}; "
        f"the limit is {text(limit)} %",
    )


def _first_leg_fault(draft: Draft, entry: Entry, market: Decimal) -> Refusal | None:
    """A first leg at market must not pay more than the allowed slippage."""
    grid = draft.settings.grid
    worse = percent_change(market, entry.base_price) * entry.side.sign
    if grid.first_leg is not OrderType.MARKET or worse <= grid.max_slippage_percent:
        return None
    return Refusal(
        "SLIPPAGE",
        f"the market at {text(market)} is {money(worse)} % worse than the base price; "
        f"grid.max_slippage_percent allows {text(grid.max_slippage_percent)} %",
    )


def _entries_today_fault(draft: Draft, account: Account) -> Refusal | None:
    limit = draft.settings.signals.max_entries_per_day
    if not limit or draft.entries_today(account.world) < limit:
        return None
    return Refusal(
        "ENTRIES_PER_DAY",
        f"{limit} entries were placed today (UTC), the limit of signals.max_entries_per_day",
    )


def _yet_to_come(draft: Draft, signal: Signal, entry: Entry, group: Group | None) -> Decimal:
    """Return what a new group's later pyramids will take, where its capital is split over them [quote]."""
    pyramids = draft.settings.pool.max_pyramids
    split = draft.settings.capital.pyramid_capital is PyramidCapital.SPLIT
    if group is not None or not split or pyramids == 1:
        return ZERO
    legs = entry.legs
    if signal.capital_usd is not None:  # it is for the first pyramid alone
        capital = draft.settings.group_capital() / pyramids
        legs = grids.legs(
            entry.layers, entry.base_price, entry.side, capital, entry.instrument, entry.leverage
        )
    return grids.needed(legs, entry.instrument, entry.leverage) * (pyramids - 1)


def _balance_fault(draft: Draft, entry: Entry, later: Decimal) -> Refusal | None:
    needed = grids.needed(entry.legs, entry.instrument, entry.leverage) + later
    quote = entry.instrument.quote
    free = (draft.free(entry.account.name, quote) or ZERO) - _on_the_way(draft, entry.account, quote)
    if needed <= free:
        return None
    return Refusal(
        "BALANCE",
        f"{_wanted(later)} {money(needed)} {quote}, the account “{entry.account.name}” has {money(max(free, ZERO))} "
        f"{quote} free; lower the capital or add funds",
    )


def _wanted(later: Decimal) -> str:
    return "the grid and the group's later pyramids need" if later else "the grid needs"


def _on_the_way(draft: Draft, account: Account, quote: str) -> Decimal:
    """Return what committed entry orders will take of the balance that does not show them yet [quote]."""
    total = ZERO
    for order in draft.unseen_entries(account.name):
        group = draft.group(order.group_id)
        if group.quote == quote:
            # An entry at market has no price of its own; its leg's is what it was planned at.
            price = order.price or draft.leg(order.leg_id or 0).price
            total += order.quantity * price / group.leverage
    return total


def open_group(draft: Draft, alert: Alert, entry: Entry, *, forced: bool = False) -> Group:
    """Write the group, its first pyramid and the pyramid's legs."""
    settings, instrument, signal = draft.settings, entry.instrument, alert.parsed
    group = Group(
        id=draft.new_id(),
        account=entry.account.name,
        world=entry.account.world,
        exchange=instrument.exchange,
        symbol=instrument.symbol,
        market=instrument.market,
        base=instrument.base,
        quote=instrument.quote,
        timeframe=signal.timeframe,
        side=entry.side,
        forced=forced,
        alert_id=alert.id,
        grid_name=entry.grid_name,
        grid=entry.layers,
        max_pyramids=settings.pool.max_pyramids,
        tp_mode=signal.tp_mode or settings.take_profit.mode,
        tp_aggregate_percent=settings.take_profit.aggregate_percent,
        tp_order=settings.take_profit.order,
        on_flat=settings.take_profit.on_flat.value,
        leverage=entry.leverage,
        created_at=draft.now,
    )
    draft.put(group)
    _write_pyramid(draft, group, alert, entry, 0)
    return group


def add_pyramid(draft: Draft, group: Group, alert: Alert, entry: Entry) -> None:
    """Write one more pyramid of an open group."""
    _write_pyramid(draft, group, alert, entry, group.pyramid_count)
    timed = risk_timer.with_new_pyramid(group, draft.settings.risk)
    draft.put(replace(timed, pyramid_count=group.pyramid_count + 1))


def _write_pyramid(draft: Draft, group: Group, alert: Alert, entry: Entry, index: int) -> None:
    pyramid = Pyramid(
        id=draft.new_id(),
        group_id=group.id,
        index=index,
        alert_id=alert.id,
        base_price=entry.base_price,
        capital_usd=entry.capital,
        grid_name=entry.grid_name,
        created_at=draft.now,
    )
    draft.put(pyramid)
    _write_legs(draft, group, pyramid, entry.legs)


def _write_legs(draft: Draft, group: Group, pyramid: Pyramid, legs: Sequence[GridLeg]) -> None:
    for index, leg in enumerate(legs):
        draft.put(
            Leg(
                id=draft.new_id(),
                group_id=group.id,
                pyramid_id=pyramid.id,
                pyramid_index=pyramid.index,
                index=index,
                gap_percent=leg.layer.gap_percent,
                weight_percent=leg.layer.weight_percent,
                tp_percent=leg.layer.tp_percent,
                price=leg.price,
                quantity=leg.quantity,
                tp_price=leg.tp_price,
            )
        )
