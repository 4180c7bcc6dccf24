"""The chart a message is checked with: the market it would most likely stand on, at its newest price."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal

from execution_engine.domain.composer import Composition
from execution_engine.domain.composer_placeholders import Sample
from execution_engine.domain.draft import is_fresh
from execution_engine.domain.instrument import Instrument, Market
from execution_engine.domain.rows import Account
from execution_engine.ui.bridge import Bridge

_PAPER = "paper"
_UNKNOWN_PRICE = Decimal(100)
_ASKED_AGAIN = timedelta(seconds=10)


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


class Prices:
    """Has prices looked up that nothing uses yet, so that a message can be judged by them."""

    def __init__(self, bridge: Bridge, then: Callable[[], None]) -> None:
        """Take what to do once a price is there."""
        self._bridge, self._then = bridge, then
        self._asked: dict[tuple[str, str], datetime] = {}

    def look_at(self, instrument: Instrument) -> None:
        """Ask for a market's price where none is known that could be acted on; not too often."""
        doors, key = self._bridge.doors, instrument.key
        now = doors.now()
        known = next((price for price in doors.prices() if price.key == key), None)
        asked = self._asked.get(key)
        if (known and is_fresh(known, now)) or (asked and now - asked < _ASKED_AGAIN):
            return
        self._asked[key] = now
        self._bridge.run(doors.look_at(key), lambda _: self._then())


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
