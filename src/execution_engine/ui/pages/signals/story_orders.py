"""What a story says of an order beside its figures: its id at the exchange, how fast it was, how far off its price."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from execution_engine.domain.instrument import Action, Instrument
from execution_engine.domain.money import ZERO
from execution_engine.domain.rows import Leg, Order, Purpose
from execution_engine.ui import format as f
from execution_engine.ui.tongue import tr

SHOWN = Decimal("0.005")  # what is less is nothing on the screen [%]
FROM_SIGNAL, FROM_LIMIT, FROM_TARGET = tr("the signal's"), tr("its limit"), tr("its target")


@dataclass(frozen=True, slots=True)
class Planned:
    """The price that an order was planned at, and in words whose it is."""

    price: Decimal
    whose: str


def planned(order: Order, legs: Sequence[Leg], signal_price: Decimal | None) -> Planned | None:
    """Return what an order's fills are held against; None where nothing was planned."""
    leg = next((each for each in legs if each.id == order.leg_id), None)
    if order.purpose is Purpose.ENTRY and leg is not None:
        return Planned(leg.price, FROM_LIMIT if leg.gap_percent else FROM_SIGNAL)
    if order.purpose is Purpose.TAKE_PROFIT:
        return None if leg is None or leg.tp_price is None else Planned(leg.tp_price, FROM_TARGET)
    if order.purpose is Purpose.EXIT and signal_price is not None:
        return Planned(signal_price, FROM_SIGNAL)
    return None


def detail(order: Order, plan: Planned | None, rules: Instrument) -> str:
    """Say an order's id at the exchange, how long that took to accept it, and its slippage."""
    id = f"id {f.visible(order.exchange_order_id, 60)}" if order.exchange_order_id else ""
    took = ""
    if order.sent_at is not None and order.acknowledged_at is not None:
        took = tr("accepted {span} after it was sent").format(
            span=f.latency(order.acknowledged_at - order.sent_at)
        )
    return " · ".join(each for each in (id, took, _against(order, plan, rules)) if each)


def _against(order: Order, plan: Planned | None, rules: Instrument) -> str:
    if plan is None or not order.filled_quantity:
        return ""
    said = f"{plan.whose} {f.price(plan.price, rules.tick)}"
    percent = _gained(order, plan) / (plan.price * order.filled_quantity) * 100
    return (
        tr("at {said}").format(said=said)
        if abs(percent) < SHOWN
        else tr("{percent} than {said}").format(percent=_better(percent), said=said)
    )


def slippage(orders: Iterable[tuple[Order, Planned | None]], quote: str) -> str:
    """Sum up what fills gained or lost against their plans; empty where nothing can be compared."""
    filled = [(order, plan) for order, plan in orders if plan is not None and order.filled_quantity]
    if not filled:
        return ""
    gained = sum((_gained(order, plan) for order, plan in filled), ZERO)
    percent = gained / sum((plan.price * order.filled_quantity for order, plan in filled), ZERO) * 100
    if abs(percent) < SHOWN:
        return tr("Slippage: none, filled as planned")
    amount = f", {f.usd(abs(gained))} {quote}" if quote.startswith("USD") else ""
    return tr("Slippage: {percent} than planned{amount}").format(percent=_better(percent), amount=amount)


def _gained(order: Order, plan: Planned) -> Decimal:
    """Return what the fills are better than planned [quote]; negative where they are worse."""
    more = order.filled_cost - plan.price * order.filled_quantity
    return more if order.action is Action.SELL else -more


def _better(percent: Decimal) -> str:
    return (tr("{percent} better") if percent > 0 else tr("{percent} worse")).format(
        percent=f.percent(abs(percent))
    )
