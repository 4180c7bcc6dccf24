"""TradingView's placeholders: what each stands for, and a value to check a message with."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from execution_engine.domain.composer import SentBy
from execution_engine.domain.instrument import Instrument
from execution_engine.domain.money import text

FOUND = re.compile(r"\{\{([^{}]*)\}\}")
_UNITS = {
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
    "M": timedelta(days=30),
}


@dataclass(frozen=True, slots=True)
class Placeholder:
    """A name and what TradingView writes in its place. strategy: only the alerts of a strategy fill it."""

    name: str
    meaning: str

    @property
    def written(self) -> str:
        return f"{{{{{self.name}}}}}"

    @property
    def strategy(self) -> bool:
        return self.name.startswith("strategy.")


PLACEHOLDERS = tuple(
    Placeholder(*row)
    for row in (
        (
            "exchange",
            "The chart's exchange, as BINANCE. Delayed data end in _DL or _DLY; both are understood.",
        ),
        ("ticker", "The chart's symbol without its exchange, as BTCUSDT, or BTCUSDT.P for a perpetual."),
        ("interval", "The chart's timeframe, as 15 or 1D. Always 1 in price alerts and on Range charts."),
        ("open", "The bar's first price."),
        ("high", "The bar's highest price so far."),
        ("low", "The bar's lowest price so far."),
        ("close", "The bar's last price. It is the base price where no order price is sent."),
        ("volume", "The bar's volume so far."),
        ("time", "When the bar began, UTC. One bar older than the alert: no good as a timestamp."),
        ("timenow", "When the alert fired, UTC, in whole seconds. It tells the alert's age."),
        ("plot_0", "The first plot of the indicator; plot_1 is the second, and so on."),
        ("syminfo.currency", "The currency that the price is in, as USDT."),
        ("syminfo.basecurrency", "The currency that is traded, as BTC."),
        ("strategy.order.action", "What the strategy's order does: buy or sell."),
        ("strategy.order.contracts", "How much the strategy orders. Not used: the grid decides how much."),
        ("strategy.order.price", "The price of the strategy's own, simulated fill. It is the base price."),
        ("strategy.order.id", "The order's name in the script. A quotation mark in it breaks the message."),
        ("strategy.order.comment", "The order's comment in the script, or its name where there is none."),
        ("strategy.order.alert_message", "What the script gives the order as alert_message."),
        ("strategy.market_position", "What the strategy holds after the order: long, short or flat."),
        ("strategy.market_position_size", "How much of it, without a sign."),
        ("strategy.prev_market_position", "What it held before. It tells reversals and missed alerts."),
        ("strategy.prev_market_position_size", "How much of it, without a sign."),
        ("strategy.position_size", "How much it holds, negative when short."),
    )
)
KNOWN = {each.name: each for each in PLACEHOLDERS}


def meaning(name: str) -> str:
    """Return what a placeholder stands for; empty for one that TradingView does not know."""
    found = KNOWN.get("plot_0" if re.fullmatch(r"plot_\d+", name, re.ASCII) else name)
    return found.meaning if found else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """One turn of a strategy, as its placeholders tell it."""

    name: str
    action: str
    before: str
    after: str


SITUATIONS = (
    Situation(name="Buys while flat", action="buy", before="flat", after="long"),
    Situation(name="Buys more", action="buy", before="long", after="long"),
    Situation(name="Closes the long", action="sell", before="long", after="flat"),
    Situation(name="Turns from long to short", action="sell", before="long", after="short"),
    Situation(name="Sells while flat", action="sell", before="flat", after="short"),
    Situation(name="Closes the short", action="buy", before="short", after="flat"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A chart to fill a message from. timeframe: canonical. at: when its alert fires."""

    instrument: Instrument
    price: Decimal
    timeframe: str
    at: datetime


def filled(message: str, sample: Sample, sent_by: SentBy, situation: Situation = SITUATIONS[0]) -> str:
    """Return a message as TradingView would send it; what it does not fill stays as it is."""
    values = _values(sample, sent_by, situation)

    def value(found: re.Match[str]) -> str:
        name = "plot_0" if re.fullmatch(r"plot_\d+", found[1], re.ASCII) else found[1]
        return values.get(name, found[0])

    return FOUND.sub(value, message)


def _values(sample: Sample, sent_by: SentBy, situation: Situation) -> dict[str, str]:
    if sent_by is SentBy.PINE:
        return {}
    price = text(sample.price)
    values = dict.fromkeys(("open", "high", "low", "close", "plot_0"), price) | {
        "exchange": sample.instrument.exchange.upper(),
        "ticker": sample.instrument.symbol,
        "interval": written(sample.timeframe) if sent_by is SentBy.STRATEGY else "1",
        "volume": "1520.5",
        "time": _iso(sample.at - span(sample.timeframe)),
        "timenow": _iso(sample.at),
        "syminfo.currency": sample.instrument.quote,
        "syminfo.basecurrency": sample.instrument.base,
    }
    return values | _of_strategy(price, situation) if sent_by is SentBy.STRATEGY else values


def _of_strategy(price: str, situation: Situation) -> dict[str, str]:
    sizes = {"long": "1", "flat": "0", "short": "-1"}
    name = situation.after.title() if situation.after != "flat" else "Close"
    return {
        "strategy.order.action": situation.action,
        "strategy.order.contracts": "1",
        "strategy.order.price": price,
        "strategy.order.id": name,
        "strategy.order.comment": name,
        "strategy.order.alert_message": name,
        "strategy.market_position": situation.after,
        "strategy.market_position_size": sizes[situation.after].lstrip("-"),
        "strategy.prev_market_position": situation.before,
        "strategy.prev_market_position_size": sizes[situation.before].lstrip("-"),
        "strategy.position_size": sizes[situation.after],
    }


def written(timeframe: str) -> str:
    """Write a canonical timeframe as TradingView does: minutes bare, the rest with a capital letter."""
    count, unit = int(timeframe[:-1]), timeframe[-1]
    if unit in "mh":
        return str(count * (60 if unit == "h" else 1))
    return f"{count}{unit.upper()}"


def span(timeframe: str) -> timedelta:
    """Return how long a bar of a canonical timeframe is, about."""
    return int(timeframe[:-1]) * _UNITS[timeframe[-1]]


def _iso(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
