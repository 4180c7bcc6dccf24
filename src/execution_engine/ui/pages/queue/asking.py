"""The questions of the queue: force a signal into the pool, remove one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from PySide6.QtWidgets import QWidget

from execution_engine.domain import grid as grids
from execution_engine.domain.grid import GridLeg
from execution_engine.domain.instrument import Market, Side
from execution_engine.domain.money import ONE, ZERO
from execution_engine.domain.rows import Alert, QueuedSignal
from execution_engine.domain.settings import PyramidCapital, Settings
from execution_engine.ui.bridge import Bridge
from execution_engine.ui.format import counted, ordinal, price, span, usd
from execution_engine.ui.pages.queue.waiting import Waiting, name
from execution_engine.ui.widgets import ConfirmDialog, Consequence, follows

NAMED = 6  # signals that a question names one by one


def force_add(bridge: Bridge, row: Waiting, parent: QWidget) -> ConfirmDialog:
    """Return the question before a signal goes past the pool's limit."""
    account = bridge.accounts.get(row.row.account)
    return ConfirmDialog(
        "Confirm Pool Override",
        "This action will override the 'Max Open Groups' limit and immediately execute the signal for "
        f"{name(row.row)}. Are you sure you want to proceed?",
        "Confirm & Execute",
        consequences=_consequences(bridge, row),
        mode="live" if account is not None and account.mode == "live" else "",
        parent=parent,
    )


def remove(row: Waiting, now: datetime, parent: QWidget) -> ConfirmDialog:
    """Return the question before a signal is removed."""
    return ConfirmDialog(
        "Remove from the queue",
        f"Remove {name(row.row)} from the queue?",
        "Remove",
        consequences=[
            follows("Signal", f"{row.row.side.value}, {ordinal(row.place)}, {row.rank.why}"),
            follows("In queue", span(row.waited(now))),
            follows("Its alert", "ends cancelled; replayed, it waits again as the newest"),
        ],
        parent=parent,
    )


def remove_several(rows: Sequence[Waiting], parent: QWidget) -> ConfirmDialog:
    """Return the question before several signals are removed."""
    named = ", ".join(name(row.row) for row in rows[:NAMED])
    rest = f" and {len(rows) - NAMED} more" if len(rows) > NAMED else ""
    return ConfirmDialog(
        "Remove from the queue",
        f"Remove {counted(len(rows), 'signal')} from the queue?",
        f"Remove {counted(len(rows), 'signal')}",
        consequences=[
            follows("Signals", named + rest),
            follows("Their alerts", "end cancelled; replayed, they wait again as the newest"),
        ],
        parent=parent,
    )


def _consequences(bridge: Bridge, row: Waiting) -> list[Consequence]:
    settings, queued = bridge.doors.settings(), row.row
    size = settings.pool.max_open_groups
    used = sum(1 for g in bridge.groups.values() if g.holds_slot and g.world is queued.world)
    over = used + 1 > size
    found = [
        Consequence(
            "Pool",
            [
                (f"{used} / {size}", "text"),
                ("becomes", "text3"),
                (f"{used + 1} / {size}", "warn!" if over else "text!"),
                ("until a group closes" if over else "there is a free slot", "text3"),
            ],
        )
    ]
    account = bridge.accounts.get(queued.account)
    if account is not None:
        kind = "spot" if account.market is Market.SPOT else "perpetuals"
        found.append(Consequence("Account", [(f"{account.name} · {kind}", "text")], mode=account.mode.value))
    found += _orders(bridge, row, settings)
    if row.place > 1:
        ahead = "1st" if row.place == 2 else f"the {row.place - 1} signals before it"
        found.append(follows("Rank", f"goes ahead of {ahead}"))
    return found


def _orders(bridge: Bridge, row: Waiting, settings: Settings) -> list[Consequence]:
    """Say what is sent, as far as the price is known."""
    legs = planned(bridge, row.row, settings)
    if not legs:
        return [follows("Orders", "cannot be laid out yet: there is no market price")]
    word = "buy" if row.row.side is Side.LONG else "sell"
    way = "down" if row.row.side is Side.LONG else "up"
    first, last = (price(leg.price, row.tick) for leg in (legs[0], legs[-1]))
    spread = f"from {first} {way} to {last}" if len(legs) > 1 else f"at {first}"
    cost = sum((leg.notional for leg in legs), ZERO)
    found = [follows("Orders", f"{counted(len(legs), f'{word} limit')} {spread}")]
    if row.price is not None:
        found.append(follows("Fill at once", _at_once(row, legs)))
    return [*found, Consequence("Spends", _spends(cost, row.row, settings, bridge))]


def planned(bridge: Bridge, row: QueuedSignal, settings: Settings) -> Sequence[GridLeg]:
    """Return the legs of a signal by the settings in force; none while nothing says the price."""
    alert: Alert | None = bridge.alerts.get(row.alert_id)
    instrument = bridge.doors.catalogue.get(row.exchange, row.symbol)
    quote = bridge.prices.get((row.exchange, row.symbol))
    base = row.entry_price or (quote.last if quote else None)
    if instrument is None or base is None:
        return ()
    wanted = alert.parsed if alert else None
    profile = (wanted.grid if wanted else None) or settings.grid.profile_for(
        row.exchange, row.symbol, row.timeframe
    )
    layers = settings.grid.profiles.get(profile, ())
    capital = (wanted.capital_usd if wanted else None) or settings.group_capital()
    if settings.capital.pyramid_capital is PyramidCapital.SPLIT:
        capital /= settings.pool.max_pyramids
    leverage = settings.account(row.account).leverage
    return grids.legs([each.layer() for each in layers], base, row.side, capital, instrument, leverage)


def _at_once(row: Waiting, legs: Sequence[GridLeg]) -> str:
    assert row.price is not None  # asked by the caller
    sign = row.row.side.sign
    passed = [leg for leg in legs if (leg.price - row.price) * sign >= 0]
    if not passed:
        return f"none: the price, {price(row.price, row.tick)}, has not reached their limits"
    where = "above" if sign > 0 else "below"
    reached = f"their limits are at or {where} the price, {price(row.price, row.tick)}"
    return f"{len(passed)} of {len(legs)}: {reached}"


def _spends(cost: Decimal, row: QueuedSignal, settings: Settings, bridge: Bridge) -> list[tuple[str, str]]:
    instrument = bridge.doors.catalogue.get(row.exchange, row.symbol)
    quote = instrument.quote if instrument else "USD"
    swap = instrument is not None and instrument.market is Market.SWAP
    leverage = settings.account(row.account).leverage if swap else ONE
    margin = f", {usd(cost / leverage)} of margin" if leverage != ONE else ""
    pyramids = settings.pool.max_pyramids
    return [
        ("at most", "text"),
        (f"{usd(cost)} {quote}", "text!"),
        (f"now{margin}, {usd(cost * pyramids)} with all {pyramids} pyramids", "text"),
    ]
