"""Where the paper exchange's prices come from: set by hand, made up, or nowhere.

Each price goes the same way: the paper exchange matches it, commits, reports, and then posts it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from decimal import Decimal
from typing import Protocol

from execution_engine.adapters.exchanges.paper import PaperExchange
from execution_engine.adapters.exchanges.paper_rows import Clock, Key, Lookup, Source
from execution_engine.domain.errors import Refusal
from execution_engine.domain.inputs import Input, NoPrice, Price
from execution_engine.domain.instrument import Instrument

EXCHANGES = ("binance", "bybit", "okx", "kucoin")
MAX_DIGITS = 28

_PRICE = re.compile(r"\d+(\.\d+)?", re.ASCII)
_SYMBOL = re.compile(r"(?:([A-Z]+):)?([A-Z0-9]+(?:\.P)?)", re.ASCII)


class Feed(Protocol):
    """A source of prices for the markets in use."""

    @property
    def name(self) -> str:
        """Return the feed's name as the settings have it."""
        ...

    def want(self, markets: Collection[Key]) -> None:
        """Follow these markets and no others.

        The price of each new one, or `NoPrice`, is posted at once, or as soon as the feed starts.
        """
        ...

    async def refresh(self, markets: Collection[Key]) -> None:
        """Post the prices that these markets have now, as far as there are any."""
        ...

    def start(self) -> None:
        """Begin. Needs a running loop."""
        ...

    async def stop(self) -> None:
        """End; no price is posted any more."""
        ...

    def prices(self) -> tuple[Price, ...]:
        """Return the known prices, by exchange and symbol."""
        ...


class Wanted:
    """The markets in use, and which of them are new."""

    def __init__(self) -> None:
        self.markets: tuple[Key, ...] = ()

    def change(self, markets: Collection[Key]) -> list[Key]:
        """Take the markets in use now and return those that were not before."""
        before = set(self.markets)
        self.markets = tuple(sorted(set(markets)))
        return [market for market in self.markets if market not in before]


class NoFeed:
    """A feed that has no prices, and says why."""

    name = "none"

    def __init__(self, reason: str, post: Callable[[Input], None]) -> None:
        self._reason = reason
        self._post = post
        self._wanted = Wanted()

    def want(self, markets: Collection[Key]) -> None:
        for exchange, symbol in self._wanted.change(markets):
            self._post(NoPrice(exchange=exchange, symbol=symbol, reason=self._reason))

    async def refresh(self, markets: Collection[Key]) -> None:
        pass

    def start(self) -> None:
        pass

    async def stop(self) -> None:
        pass

    def prices(self) -> tuple[Price, ...]:
        return ()


class LiveFeed:
    """Real prices: those who follow real exchanges bring them to the paper exchange, and nobody else does."""

    name = Source.LIVE.value

    def __init__(self, exchange: PaperExchange) -> None:
        self._exchange = exchange

    def start(self) -> None:
        self._exchange.use(Source.LIVE)

    async def stop(self) -> None:
        pass

    def want(self, markets: Collection[Key]) -> None:
        pass

    async def refresh(self, markets: Collection[Key]) -> None:
        pass

    def prices(self) -> tuple[Price, ...]:
        return self._exchange.prices()


class Undecided:
    """No feed yet: it is being found out which one it will be, and that takes seconds. Whoever waits goes on to."""

    name = "auto"

    def start(self) -> None:
        pass

    async def stop(self) -> None:
        pass

    def want(self, markets: Collection[Key]) -> None:
        pass

    async def refresh(self, markets: Collection[Key]) -> None:
        pass

    def prices(self) -> tuple[Price, ...]:
        return ()


class ManualFeed:
    """Prices set by hand. They do not age and survive a restart."""

    name = Source.MANUAL.value

    def __init__(
        self,
        exchange: PaperExchange,
        instruments: Lookup,
        clock: Clock,
        post: Callable[[Input], None],
        exchanges: Sequence[str] = EXCHANGES,
    ) -> None:
        self._exchange = exchange
        self._instruments = instruments
        self._clock = clock
        self._post = post
        self._exchanges = exchanges
        self._wanted = Wanted()

    def start(self) -> None:
        self._exchange.use(Source.MANUAL)

    async def stop(self) -> None:
        pass

    def want(self, markets: Collection[Key]) -> None:
        for key in self._wanted.change(markets):
            price = self._exchange.price(key)
            self._post(price or NoPrice(exchange=key[0], symbol=key[1]))

    async def refresh(self, markets: Collection[Key]) -> None:
        for key in markets:
            if price := self._exchange.price(key):
                self._post(price)

    def prices(self) -> tuple[Price, ...]:
        return self._exchange.prices()

    async def set_price(self, symbol: str, price: Decimal | str) -> tuple[Instrument, ...] | Refusal:
        """Set a price [quote] and return the instruments it moved, once all that follows was posted.

        symbol: `BTCUSDT` is that spot market of every exchange, `BTCUSDT.P` the perpetual,
        `BINANCE:BTCUSDT` the one of that exchange. A Refusal says what is wrong with the symbol or the price.
        """
        value = parse_price(price)
        if isinstance(value, Refusal):
            return value
        touched = self._find(symbol)
        if not touched:
            return Refusal("unknown_symbol", f"No exchange has a market {symbol[:40]}.")
        now = self._clock.now()
        failed = await self._exchange.move(
            [
                Price(exchange=found.exchange, symbol=found.symbol, last=value, at=now, manual=True)
                for found in touched
            ]
        )
        return Refusal("storage_failed", str(failed)) if failed else touched

    def _find(self, symbol: str) -> tuple[Instrument, ...]:
        match = _SYMBOL.fullmatch(symbol.strip().upper())
        if match is None:
            return ()
        named, bare = match.groups()
        exchanges = [named.lower()] if named else self._exchanges
        found = (self._instruments(exchange, bare) for exchange in exchanges)
        return tuple(instrument for instrument in found if instrument)


def parse_price(price: Decimal | str) -> Decimal | Refusal:
    """Check a price: plain digits, above zero, at most 28 of them. It is kept as given."""
    written = (
        format(price, "f")
        if isinstance(price, Decimal) and abs(price.adjusted()) < MAX_DIGITS
        else str(price)
    )
    if not _PRICE.fullmatch(written):
        return Refusal("invalid_price", "The price must be a number above zero, such as 64000.5.")
    if len(written.replace(".", "")) > MAX_DIGITS:
        return Refusal("invalid_price", f"The price has more than {MAX_DIGITS} digits.")
    value = Decimal(written)
    return value if value > 0 else Refusal("invalid_price", "The price must be above zero.")
