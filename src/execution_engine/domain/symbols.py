"""From a chart's symbol to an instrument, by looking it up and never by cutting strings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches

from execution_engine.domain.errors import FieldFault
from execution_engine.domain.instrument import Instrument, Market

_DELAYED = ("_DLY", "_DL")  # TradingView appends them to the exchange of a delayed feed
_NATIVE_BASE = {"kucoin": {"BTC": "XBT"}}  # KuCoin's futures call bitcoin XBT


class Catalogue:
    """The instruments that can be traded, found by any name that a chart gives them."""

    def __init__(self, instruments: Iterable[Instrument] = ()) -> None:
        self._by_key: dict[tuple[str, str], Instrument] = {}
        self._names: dict[str, dict[str, Instrument]] = {}
        self.add(instruments)

    def add(self, instruments: Iterable[Instrument]) -> None:
        """Take in new or refreshed instruments."""
        for instrument in instruments:
            self._by_key[instrument.key] = instrument
            names = self._names.setdefault(instrument.exchange, {})
            for name in _names(instrument):
                names[name] = instrument

    def get(self, exchange: str, symbol: str) -> Instrument | None:
        return self._by_key.get((exchange, symbol))

    @property
    def instruments(self) -> Mapping[tuple[str, str], Instrument]:
        return self._by_key

    def find(self, exchange: str, symbol: str) -> Instrument | FieldFault:
        """Resolve what an alert calls its exchange and symbol, or say what is wrong and what is near."""
        prefix, _, name = symbol.upper().rpartition(":")
        venue = exchange_name(exchange)
        if prefix and exchange_name(prefix) != venue:
            return FieldFault("symbol", f"{symbol} is not of the exchange {exchange}")
        names = self._names.get(venue)
        if names is None:
            known = ", ".join(sorted(name.upper() for name in self._names)) or "none"
            return FieldFault("exchange", f"unknown exchange {exchange}; there are: {known}")
        return names.get(name) or self._unknown(venue, exchange, name)

    def _unknown(self, venue: str, exchange: str, name: str) -> FieldFault:
        own = {instrument.symbol for instrument in self._names[venue].values()}
        near = get_close_matches(name, sorted(own), n=3, cutoff=0.5)
        hint = f"; nearest: {', '.join(near)}" if near else ""
        return FieldFault("symbol", f"unknown symbol {name} on {exchange.upper()}{hint}")


def exchange_name(text: str) -> str:
    """Return our name of an exchange as charts write it (`BINANCE_DL` → `binance`)."""
    name = text.upper()
    for suffix in _DELAYED:
        name = name.removesuffix(suffix)
    return name.lower()


def _names(instrument: Instrument) -> tuple[str, ...]:
    pair = instrument.base + instrument.quote
    if instrument.market is Market.SPOT:
        return (instrument.symbol, pair)
    native = _NATIVE_BASE.get(instrument.exchange, {}).get(instrument.base, instrument.base)
    kucoin = (f"{native}{instrument.quote}M",) if instrument.exchange == "kucoin" else ()
    return (instrument.symbol, f"{pair}.P", f"{pair}PERP", *kucoin)
