"""Live prices of all exchanges, each market from the exchange it is on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection

from execution_engine.adapters.exchanges.catalogue import VENUES
from execution_engine.adapters.exchanges.ccxt_prices import PriceStream
from execution_engine.domain.inputs import Input, NoPrice
from execution_engine.domain.instrument import Instrument, Market

Key = tuple[str, str]


class LivePrices:
    """Spreads the markets in use over one stream per exchange and kind of market.

    stream: makes the stream of an exchange and kind; it is asked once for each, when its first market comes into
    use. instruments: our rules by exchange and symbol.
    """

    name = "live"

    def __init__(
        self,
        stream: Callable[[str, Market], PriceStream],
        instruments: Callable[[str, str], Instrument | None],
        post: Callable[[Input], None],
    ) -> None:
        self._make = stream
        self._instruments = instruments
        self._post = post
        self._streams: dict[tuple[str, Market], PriceStream] = {}
        self._wanted: dict[tuple[str, Market], set[str]] = {}
        self._started = False

    @property
    def ages(self) -> dict[Key, float]:
        """Return how old each market's price is [s]."""
        return {
            (exchange, symbol): age
            for (exchange, _), stream in self._streams.items()
            for symbol, age in stream.ages.items()
        }

    def want(self, markets: Collection[Key]) -> None:
        """Follow these markets and no others."""
        wanted: dict[tuple[str, Market], set[str]] = {key: set() for key in self._streams}
        for exchange, symbol in sorted(markets):
            rules = self._instruments(exchange, symbol)
            if rules is None or exchange not in VENUES:
                self._post(NoPrice(exchange=exchange, symbol=symbol, reason="unknown symbol"))
            else:
                wanted.setdefault((exchange, rules.market), set()).add(symbol)
        for key, symbols in wanted.items():
            if key not in self._streams:
                self._streams[key] = self._make(*key)
                if self._started:
                    self._streams[key].start()
            if symbols != self._wanted.get(key):
                self._streams[key].want(symbols)
        self._wanted = wanted

    async def refresh(self, markets: Collection[Key]) -> None:
        """Ask each exchange once for all of these that are followed, side by side."""
        wanted = set(markets)
        await asyncio.gather(
            *(
                self._streams[key].refresh(own)
                for key, symbols in self._wanted.items()
                if (own := sorted(symbol for symbol in symbols if (key[0], symbol) in wanted))
            )
        )

    def start(self) -> None:
        """Begin. Needs a running loop."""
        self._started = True
        for stream in self._streams.values():
            stream.start()

    async def stop(self) -> None:
        """End; nothing is posted any more."""
        await asyncio.gather(*(stream.stop() for stream in self._streams.values()))
