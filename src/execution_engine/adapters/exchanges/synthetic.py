"""The made-up market as a feed: offline, repeatable from a seed, going on from where it stopped."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from loguru import logger

from execution_engine.adapters.exchanges import walk
from execution_engine.adapters.exchanges.feeds import Wanted
from execution_engine.adapters.exchanges.paper import PaperExchange
from execution_engine.adapters.exchanges.paper_book import Portion
from execution_engine.adapters.exchanges.paper_rows import (
    Clock,
    Key,
    Lookup,
    PaperOrder,
    Sleep,
    Source,
    Walk,
    price_for,
)
from execution_engine.domain.inputs import Input, NoPrice, Price
from execution_engine.domain.instrument import Instrument
from execution_engine.domain.money import ZERO

TICK_S = 0.5
_KEEP_EVERY = 10  # ticks; prices that fill nothing are written that often
_THROUGH_PPM = 150  # a market that went this far beyond a limit has left nothing of it
_WHOLE_PERCENT = 40  # how often an order nearer than that fills whole
_PORTIONS_PERCENT = (10, 20, 30, 50, 70)


class SyntheticFeed:
    """Moves every wanted market twice a second, on its own task.

    A symbol goes the same way on every exchange, rounded to each one's ticks.
    """

    name = Source.SYNTHETIC.value

    def __init__(
        self,
        exchange: PaperExchange,
        instruments: Lookup,
        clock: Clock,
        post: Callable[[Input], None],
        seed: int = 0,
        *,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._exchange = exchange
        self._instruments = instruments
        self._clock = clock
        self._post = post
        self._seed = seed
        self._sleep = sleep
        self._walks: dict[str, Walk] = {}
        self._wanted = Wanted()
        self._ticks = 0
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        if self._task:
            return
        self._exchange.use(Source.SYNTHETIC)
        self._walks = self._exchange.walks()
        self._task = asyncio.create_task(self._run(), name="synthetic prices")
        self._announce(self._wanted.markets)

    async def stop(self) -> None:
        task, self._task = self._task, None
        if task:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await self._exchange.move((), walks=tuple(self._walks.values()))

    def want(self, markets: Collection[Key]) -> None:
        new = self._wanted.change(markets)
        if self._task:
            self._announce(new)

    def _announce(self, markets: Collection[Key]) -> None:
        for key in markets:
            instrument = self._instruments(*key)
            if instrument is None:
                self._post(NoPrice(exchange=key[0], symbol=key[1]))
            elif price := self._exchange.price(key):
                self._post(price)
            else:
                at = self._walks.setdefault(instrument.symbol, walk.first(instrument.symbol))
                self._exchange.introduce(self._price(instrument, at), at)

    async def refresh(self, markets: Collection[Key]) -> None:
        """Say once more what the made-up markets trade at: that is their price now."""
        for key in markets:
            if price := self._exchange.price(key):
                self._post(replace(price, at=self._clock.now()))

    def prices(self) -> tuple[Price, ...]:
        return self._exchange.prices()

    async def tick(self) -> None:
        """Move every wanted market one step."""
        found = [instrument for key in self._wanted.markets if (instrument := self._instruments(*key))]
        if not found:
            return
        self._ticks += 1
        for symbol in dict.fromkeys(instrument.symbol for instrument in found):
            at = self._walks.get(symbol) or walk.first(symbol)
            self._walks[symbol] = walk.step(at, self._seed)
        await self._exchange.move(
            [self._price(instrument, self._walks[instrument.symbol]) for instrument in found],
            self._portion(),
            [self._walks[symbol] for symbol in dict.fromkeys(instrument.symbol for instrument in found)],
            durable=self._ticks % _KEEP_EVERY == 0,
        )

    async def _run(self) -> None:
        due = self._clock.now()
        while True:
            # From one due time to the next, so that the pace does not depend on how long a tick takes.
            due = max(due + timedelta(seconds=TICK_S), self._clock.now())
            while (left := (due - self._clock.now()).total_seconds()) > 0:
                if left > TICK_S:
                    due = self._clock.now()  # the clock was set back
                await self._sleep(min(left, TICK_S))
            try:
                await self.tick()
            except Exception:
                logger.exception("synthetic prices: a tick failed")
            await asyncio.sleep(0)

    def _price(self, instrument: Instrument, at: Walk) -> Price:
        last, bid, ask = walk.quote(at, instrument)
        return Price(
            exchange=instrument.exchange,
            symbol=instrument.symbol,
            last=last,
            bid=bid,
            ask=ask,
            at=self._clock.now(),
        )

    def _portion(self) -> Portion:
        """Return how much of a reached order fills at this tick, decided by seed, symbol, tick and order."""

        def portion(order: PaperOrder, price: Price) -> Decimal:
            instrument = self._instruments(*order.key)
            limit = order.price or price.last
            if abs(price_for(order.action, price) - limit) * 1_000_000 > limit * _THROUGH_PPM:
                return order.remaining
            chance = walk.generator(self._seed, f"{order.symbol}:{order.id}", self._walks[order.symbol].tick)
            if instrument is None or chance.randrange(100) < _WHOLE_PERCENT:
                return order.remaining
            part = instrument.quantity(order.remaining * chance.choice(_PORTIONS_PERCENT) / 100)
            return part if part > ZERO else order.remaining

        return portion
