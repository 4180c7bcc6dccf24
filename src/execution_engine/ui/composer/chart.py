"""The chart a message is checked with: the market it would most likely stand on, at its newest price."""

from __future__ import annotations

from decimal import Decimal

from execution_engine.domain.composer import Composition
from execution_engine.domain.composer_placeholders import Sample
from execution_engine.domain.instrument import Instrument, Market
from execution_engine.domain.rows import Account
from execution_engine.ui.bridge import Bridge

_PAPER = "paper"
_UNKNOWN_PRICE = Decimal(100)


def sample(bridge: Bridge, chosen: Composition) -> Sample | None:
    """Return the chart of what was chosen; None while no market is known."""
    instrument = _fixed(bridge, chosen.symbol) or _usual(bridge, bridge.accounts.get(chosen.account))
    if instrument is None:
        return None
    prices = {price.key: price.last for price in bridge.doors.prices()}
    return Sample(
        instrument=instrument,
        price=prices.get(instrument.key, _UNKNOWN_PRICE),
        timeframe=chosen.timeframe,
        at=bridge.doors.now(),
    )


def _fixed(bridge: Bridge, symbol: str) -> Instrument | None:
    exchange, _, name = symbol.rpartition(":")
    catalogue = bridge.doors.catalogue
    exchanges = [exchange] if exchange else sorted({place for place, _ in catalogue.instruments})
    found = (catalogue.find(each, name) for each in exchanges if name)
    return next((each for each in found if isinstance(each, Instrument)), None)


def _usual(bridge: Bridge, account: Account | None) -> Instrument | None:
    """Return bitcoin against dollars where there is such a market, of the account's exchange and kind."""
    known = bridge.doors.catalogue.instruments.values()
    wanted = account.exchange if account and account.exchange != _PAPER else "binance"
    market = account.market if account else Market.SPOT
    return min(known, key=lambda each: _distance(each, wanted, market), default=None)


def _distance(each: Instrument, exchange: str, market: Market) -> tuple[bool, bool, bool, bool, str]:
    return (
        each.exchange != exchange,
        each.market is not market,
        each.base != "BTC",
        each.quote != "USDT",
        each.symbol,
    )
