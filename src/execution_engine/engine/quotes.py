"""Prices at the moment in which they decide who goes first: asked for together, and not waited for long."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from execution_engine.domain.inputs import Input, PricesAsked
from execution_engine.domain.ranking import Asked
from execution_engine.engine.tasks import Tasks, ends_the_task
from execution_engine.engine.watch import Prices

log = logging.getLogger(__name__)

PATIENCE_S = 1.0  # a slot waits so long for prices; what comes later counts for the next one


class Quotes:
    """Asks a source of prices for what a promotion lacks, and says when that is over."""

    def __init__(self, prices: Prices, post: Callable[[Input], None], tasks: Tasks) -> None:
        self._prices = prices
        self._post = post
        self._tasks = tasks

    def asked(self, asked: Asked) -> None:
        """Begin to ask; `PricesAsked` is posted in any case."""
        self._tasks.spawn(f"prices for the {asked.world} queue", self._ask(asked))

    async def _ask(self, asked: Asked) -> None:
        try:
            async with asyncio.timeout(PATIENCE_S):
                await self._prices.refresh(sorted(asked.markets))
        except TimeoutError:
            log.info(
                "the prices of %s waiting markets did not all come within %s s",
                len(asked.markets),
                PATIENCE_S,
            )
        except (Exception, asyncio.CancelledError) as error:
            if ends_the_task(error):
                raise
            log.exception("the prices of waiting markets could not be asked for")
        self._post(PricesAsked(world=asked.world, markets=asked.markets))
