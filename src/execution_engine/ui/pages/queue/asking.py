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
from execution_engine.ui.tongue import tr, translated
from execution_engine.ui.widgets import ConfirmDialog, Consequence, follows

NAMED = 6  # signals that a question names one by one


def force_add(bridge: Bridge, row: Waiting, parent: QWidget) -> ConfirmDialog:
    """Return the question before a signal goes past the pool's limit."""
    account = bridge.accounts.get(row.row.account)
    return ConfirmDialog(
        tr("Confirm Pool Override"),
        tr(
            "This action will override the 'Max Open Groups' limit and immediately execute the "
            "signal for {name}. Are you sure you want to proceed?"
        ).format(name=name(row.row)),
        tr("Confirm & Execute"),
        consequences=_consequences(bridge, row),
        mode="live" if account is not None and account.mode == "live" else "",
        parent=parent,
    )


def remove(row: Waiting, now: datetime, parent: QWidget) -> ConfirmDialog:
    """Return the question before a signal is removed."""
    return ConfirmDialog(
        tr("Remove from the queue"),
        tr("Remove {name} from the queue?").format(name=name(row.row)),
        tr("Remove"),
        consequences=[
            follows(
                tr("Signal"), f"{tr(row.row.side.value)}, {ordinal(row.place)}, {translated(row.rank.why)}"
            ),
            follows(tr("In queue"), span(row.waited(now))),
            follows(tr("Its alert"), tr("ends cancelled; replayed, it waits again as the newest")),
        ],
        parent=parent,
    )


def remove_several(rows: Sequence[Waiting], parent: QWidget) -> ConfirmDialog:
    """Return the question before several signals are removed."""
    named = ", ".join(name(row.row) for row in rows[:NAMED])
    rest = tr(" and {count} more").format(count=len(rows) - NAMED) if len(rows) > NAMED else ""
    return ConfirmDialog(
        tr("Remove from the queue"),
        tr("Remove {count} from the queue?").format(count=counted(len(rows), tr("signal"), tr("signals"))),
        tr("Remove {count}").format(count=counted(len(rows), tr("signal"), tr("signals"))),
        consequences=[
            follows(tr("Signals"), named + rest),
            follows(tr("Their alerts"), tr("end cancelled; replayed, they wait again as the newest")),
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
            tr("Pool"),
            [
                (f"{used} / {size}", "text"),
                (tr("becomes"), "text3"),
                (f"{used + 1} / {size}", "warn!" if over else "text!"),
                (tr("until a group closes") if over else tr("there is a free slot"), "text3"),
            ],
        )
    ]
    account = bridge.accounts.get(queued.account)
    if account is not None:
        kind = tr("spot") if account.market is Market.SPOT else tr("perpetuals")
        found.append(
            Consequence(tr("Account"), [(f"{account.name} · {kind}", "text")], mode=account.mode.value)
        )
    found += _orders(bridge, row, settings)
    if row.place > 1:
        ahead = (
            tr("1st") if row.place == 2 else tr("the {place} signals before it").format(place=row.place - 1)
        )
        found.append(follows(tr("Rank"), tr("goes ahead of {ahead}").format(ahead=ahead)))
    return found


def _orders(bridge: Bridge, row: Waiting, settings: Settings) -> list[Consequence]:
    """Say what is sent, as far as the price is known."""
    legs = planned(bridge, row.row, settings)
    if not legs:
        return [follows(tr("Orders"), tr("cannot be laid out yet: there is no market price"))]
    long = row.row.side is Side.LONG
    kind = (tr("buy limit"), tr("buy limits")) if long else (tr("sell limit"), tr("sell limits"))
    first, last = (price(leg.price, row.tick) for leg in (legs[0], legs[-1]))
    spread = (
        (tr("from {first} down to {last}") if long else tr("from {first} up to {last}")).format(
            first=first, last=last
        )
        if len(legs) > 1
        else tr("at {first}").format(first=first)
    )
    cost = sum((leg.notional for leg in legs), ZERO)
    found = [follows(tr("Orders"), f"{counted(len(legs), *kind)} {spread}")]
    if row.price is not None:
        found.append(follows(tr("Fill at once"), _at_once(row, legs)))
    return [*found, Consequence(tr("Spends"), _spends(cost, row.row, settings, bridge))]


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
        return tr("none: the price, {price}, has not reached their limits").format(
            price=price(row.price, row.tick)
        )
    where = tr("above") if sign > 0 else tr("below")
    reached = tr("their limits are at or {where} the price, {price}").format(
        where=where, price=price(row.price, row.tick)
    )
    return tr("{count} of {count_2}: {reached}").format(count=len(passed), count_2=len(legs), reached=reached)


def _spends(cost: Decimal, row: QueuedSignal, settings: Settings, bridge: Bridge) -> list[tuple[str, str]]:
    instrument = bridge.doors.catalogue.get(row.exchange, row.symbol)
    quote = instrument.quote if instrument else "USD"
    swap = instrument is not None and instrument.market is Market.SWAP
    leverage = settings.account(row.account).leverage if swap else ONE
    margin = tr(", {amount} of margin").format(amount=usd(cost / leverage)) if leverage != ONE else ""
    pyramids = settings.pool.max_pyramids
    return [
        (tr("at most"), "text"),
        (f"{usd(cost)} {quote}", "text!"),
        (
            tr("now{margin}, {amount} with all {pyramids} pyramids").format(
                margin=margin, amount=usd(cost * pyramids), pyramids=pyramids
            ),
            "text",
        ),
    ]
