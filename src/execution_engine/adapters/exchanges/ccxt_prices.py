"""Prices of one exchange's markets: from its stream, and by asking where the stream is silent."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Collection
from datetime import timedelta
from decimal import Decimal
from typing import Any

import aiohttp
from loguru import logger

from execution_engine.adapters.ending import is_ending
from execution_engine.adapters.exchanges.catalogue import Venue
from execution_engine.adapters.exchanges.ccxt_client import Client, Clock, open_client
from execution_engine.adapters.exchanges.ccxt_markets import Markets
from execution_engine.adapters.exchanges.ccxt_quotes import quote_of, together
from execution_engine.adapters.exchanges.ccxt_told import TellingQuotes
from execution_engine.adapters.exchanges.translate import decimal, time_of, unified
from execution_engine.domain.inputs import Input, NoPrice, Price
from execution_engine.domain.instrument import Instrument, Market
from execution_engine.domain.money import ZERO
from execution_engine.domain.rows import Mode

Json = dict[str, Any]

SILENT_S = 8.0  # after which a market is asked about; with the time between looks that is within 10 s
LOOK_S = 1.0
ASK_EVERY_S = 3.0
DEAF_AFTER = 5  # askings in a row that showed what the stream did not: it is opened anew
AGAIN_S = (0.5, 1.0, 2.0, 5.0)  # before a broken stream is opened anew
BAND = Decimal("0.05")  # how far a price may jump before a second one has to say the same
BAND_FORGETS = timedelta(seconds=60)
NO_PRICE_AFTER_S = 5.0


class Band:
    """Keeps single mad prices out: what jumps beyond the band counts only when a second price says so too."""

    def __init__(self) -> None:
        self._good: dict[str, Price] = {}
        self._doubted: dict[str, Price] = {}

    def takes(self, price: Price) -> bool:
        """Return whether a price is to be believed."""
        if price.last <= 0 or price.bid < 0 or price.ask < 0 or (price.ask and price.bid > price.ask):
            return False
        good, doubted = self._good.get(price.symbol), self._doubted.get(price.symbol)
        fresh = good is not None and price.at - good.at < BAND_FORGETS
        jumped = good is not None and fresh and not _near(price, good)
        if jumped and (doubted is None or not _near(price, doubted)):
            self._doubted[price.symbol] = price
            return False
        self._doubted.pop(price.symbol, None)
        self._good[price.symbol] = price
        return True


def _near(one: Price, other: Price) -> bool:
    return abs(one.last - other.last) <= other.last * BAND


class PriceStream:
    """Follows markets of one exchange, kind and mode, and posts their prices.

    markets: their rules; instruments: ours by exchange and symbol. session: the connections.
    """

    def __init__(
        self,
        venue: Venue,
        kind: Market,
        mode: Mode,
        markets: Markets,
        instruments: Callable[[str, str], Instrument | None],
        session: Callable[[], aiohttp.ClientSession],
        clock: Clock,
        post: Callable[[Input], None],
        *,
        streaming: bool = True,
    ) -> None:
        self._venue = venue
        self._kind = kind
        self._mode = mode
        self._markets = markets
        self._instruments = instruments
        self._session = session
        self._clock = clock
        self._post = post
        self._streaming = streaming
        self._client: Client | None = None
        self._opening = asyncio.Lock()
        self._wanted: dict[str, str] = {}  # ccxt's symbol → ours
        self._followed: set[str] = set()
        self._heard: dict[str, float] = {}  # when the stream told of a market
        self._fresh: dict[str, float] = {}  # when anybody did
        self._asked: dict[str, float] = {}
        self._deaf = 0  # how often in a row asking showed what the stream had not
        self._since: dict[str, float] = {}
        self._newest: dict[str, tuple[Decimal, Decimal, Decimal]] = {}
        self._band = Band()
        self._tasks: set[asyncio.Task[None]] = set()
        self._changed = asyncio.Event()

    @property
    def ages(self) -> dict[str, float]:
        """Return how old each market's price is [s], by our symbols."""
        now = self._clock.monotonic()
        return {ours: now - self._fresh[name] for name, ours in self._wanted.items() if name in self._fresh}

    def want(self, symbols: Collection[str]) -> None:
        """Follow these of our symbols and no others."""
        wanted = {}
        for symbol in symbols:
            rules = self._instruments(self._venue.name, symbol)
            if rules is None:
                self._post(NoPrice(exchange=self._venue.name, symbol=symbol, reason="unknown symbol"))
            else:
                wanted[unified(rules)] = symbol
        now = self._clock.monotonic()
        self._since = {name: self._since.get(name, now) for name in wanted}
        self._wanted = wanted
        self._changed.set()

    def start(self) -> None:
        """Begin. Needs a running loop."""
        self._spawn(self._keep())

    async def stop(self) -> None:
        """End; nothing is posted any more."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._client is not None:
            await self._client.close()

    async def refresh(self, symbols: Collection[str]) -> None:
        """Ask for the quotes of these of our symbols now, in one call, and post what comes; never raises."""
        names = [name for name, ours in self._wanted.items() if ours in symbols]
        try:
            client = await self._ready()
            await self._markets.teach(client, [self._wanted[name] for name in names])
            asked = self._clock.monotonic()
            for quote in await together(client, [n for n in names if n in client.exchange.markets]):
                self._answered(quote, asked)
        except Exception as error:
            logger.debug("{} could not be asked for prices: {}", self._venue.name, error)

    def _spawn(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _keep(self) -> None:
        """Follow what is new, and ask about what is silent."""
        while True:
            try:
                await self._look()
            except (Exception, asyncio.CancelledError) as error:
                if is_ending():
                    raise
                logger.debug("the prices of {} could not be had: {}", self._venue.name, error)
            try:
                async with asyncio.timeout(LOOK_S):
                    await self._changed.wait()
            except TimeoutError:
                pass
            self._changed.clear()

    async def _look(self) -> None:
        if not self._wanted:
            return
        client = await self._ready()
        if new := [name for name in self._wanted if name not in self._followed]:
            await self._markets.teach(client, [self._wanted[name] for name in new])
            new = [name for name in new if name in client.exchange.markets]
            self._follow(client, new)
        now = self._clock.monotonic()
        silent = [
            name
            for name in self._wanted
            if now - self._heard.get(name, -math.inf) >= SILENT_S
            and now - self._asked.get(name, -math.inf) >= ASK_EVERY_S
        ]
        if silent:
            await self._ask(client, silent)

    async def _ready(self) -> Client:
        async with self._opening:  # whoever asks meanwhile goes the same way: only one is closed at the end
            if self._client is None:
                client = await open_client(
                    self._venue, self._kind, self._mode, None, self._session(), self._clock
                )
                client.exchange.bidsasks = TellingQuotes(self._told)
                self._client = client
            return self._client

    def _follow(self, client: Client, symbols: list[str]) -> None:
        self._followed.update(symbols)
        if not self._streaming:
            return
        most = self._venue.quotes_at_once
        for start in range(0, len(symbols), most):
            self._spawn(self._watch(client, symbols[start : start + most]))

    async def _watch(self, client: Client, symbols: list[str]) -> None:
        """Keep one subscription alive for good; what comes is told by the collection."""
        failures = 0
        while True:
            try:
                await client.exchange.watch_bids_asks(symbols)
                failures = 0
            except (Exception, asyncio.CancelledError) as error:
                if is_ending():
                    raise
                wait = AGAIN_S[min(failures, len(AGAIN_S) - 1)]
                failures += 1
                logger.debug("the price stream of {} broke: {}", self._venue.name, error)
                await asyncio.sleep(wait)

    async def _ask(self, client: Client, symbols: list[str]) -> None:
        """Ask for the quotes of silent markets."""
        now = self._clock.monotonic()
        self._asked.update(dict.fromkeys(symbols, now))
        before = dict(self._newest)
        for name in symbols:  # one by one: a list of all markets would hold the window while it is parsed
            try:
                await client.pace()
                asked = self._clock.monotonic()
                self._answered(await quote_of(client, name), asked)
            except Exception as error:
                logger.debug("{} could not be asked for a price: {}", self._venue.name, error)
        self._say_what_is_missing()
        moved = any(name in before and self._newest.get(name) != before[name] for name in symbols)
        self._deaf = self._deaf + 1 if moved and self._streaming else 0
        if self._deaf >= DEAF_AFTER:
            self._deaf = 0
            logger.warning(
                "the price stream of {} says nothing any more and is opened anew", self._venue.name
            )
            client.open_streams_anew("the stream said nothing any more")

    def _answered(self, quote: Json, asked: float) -> None:
        """Take an answer, unless the stream told of the market while it was on its way.

        Its time is not taken: some exchanges name that of the last trade.
        """
        if self._heard.get(str(quote.get("symbol")), -math.inf) < asked:
            self._take(quote)

    def _told(self, quote: Json) -> None:
        """Take what the stream says."""
        if self._take(quote, quote.get("timestamp")):
            self._heard[str(quote["symbol"])] = self._clock.monotonic()
            self._deaf = 0

    def _take(self, quote: Json, quoted_ms: int | None = None) -> bool:
        """Post a quote; return whether it was one of a market that is wanted."""
        name = str(quote.get("symbol"))
        symbol = self._wanted.get(name)
        if symbol is None:
            return False
        price = price_of(quote, self._venue.name, symbol, self._clock, quoted_ms)
        if price is None:
            return False
        self._since.pop(name, None)
        self._newest[name] = (price.last, price.bid, price.ask)
        self._fresh[name] = self._clock.monotonic()
        if self._band.takes(price):
            self._post(price)
        return True

    def _say_what_is_missing(self) -> None:
        now = self._clock.monotonic()
        for name, since in list(self._since.items()):
            if now - since >= NO_PRICE_AFTER_S and name in self._wanted:
                del self._since[name]
                self._post(NoPrice(exchange=self._venue.name, symbol=self._wanted[name]))


def price_of(
    quote: Json, exchange: str, symbol: str, clock: Clock, quoted_ms: int | None = None
) -> Price | None:
    """Read a quote of ccxt; None if there is neither a trade nor a whole quote in it.

    quoted_ms: when it was so by the exchange's clock, where that is known.
    """
    bid, ask, last = decimal(quote.get("bid")), decimal(quote.get("ask")), decimal(quote.get("last"))
    if not (bid and ask):
        bid = ask = ZERO
    elif not last:
        last = (bid + ask) / 2
    if not last:
        return None
    now = clock.now()
    quoted_at = time_of(quoted_ms, now) if quoted_ms else None
    return Price(exchange=exchange, symbol=symbol, last=last, bid=bid, ask=ask, at=now, quoted_at=quoted_at)
