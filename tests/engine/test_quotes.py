"""Prices for a promotion: asked for together, waited for a second, and the desk goes on meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection

import pytest

from execution_engine.domain.inputs import Input, Price, PricesAsked
from execution_engine.domain.ranking import Asked
from execution_engine.domain.rows import World
from execution_engine.engine.quotes import PATIENCE_S, Quotes
from execution_engine.engine.tasks import Tasks
from tests.engine.virtual import in_virtual_time
from tests.house import NOON, D

ETH, SOL = ("binance", "ETHUSDT"), ("binance", "SOLUSDT")
QUESTION = Asked(World.PAPER, frozenset({SOL, ETH}), NOON)


class Source:
    """A source of prices that answers in its own way."""

    def __init__(self, answer: Callable[[Collection[tuple[str, str]]], Awaitable[None]]) -> None:
        self.questions: list[list[tuple[str, str]]] = []
        self._answer = answer

    def want(self, markets: Collection[tuple[str, str]]) -> None: ...

    async def refresh(self, markets: Collection[tuple[str, str]]) -> None:
        self.questions.append(list(markets))
        await self._answer(markets)


async def asked(
    answer: Callable[[Collection[tuple[str, str]], list[Input]], Awaitable[None]],
) -> tuple[Source, list[Input], float]:
    """Ask a source; return it, what came in by the door, and how long that took."""
    posted: list[Input] = []
    done = asyncio.Event()

    def post(given: Input) -> None:
        posted.append(given)
        if isinstance(given, PricesAsked):
            done.set()

    source = Source(lambda markets: answer(markets, posted))
    began = asyncio.get_running_loop().time()
    Quotes(source, post, Tasks()).asked(QUESTION)
    assert posted == []  # nobody waits for it
    await done.wait()
    return source, posted, asyncio.get_running_loop().time() - began


def price(market: tuple[str, str]) -> Price:
    return Price(exchange=market[0], symbol=market[1], last=D(100), at=NOON)


@in_virtual_time
async def test_the_answer_comes_after_the_prices() -> None:
    async def answer(markets: Collection[tuple[str, str]], posted: list[Input]) -> None:
        await asyncio.sleep(0.2)
        posted += map(price, markets)

    source, posted, took = await asked(answer)
    assert source.questions == [[ETH, SOL]]
    assert posted == [price(ETH), price(SOL), PricesAsked(world=World.PAPER, markets=QUESTION.markets)]
    assert took == pytest.approx(0.2)


@in_virtual_time
async def test_what_takes_too_long_is_not_waited_for() -> None:
    async def answer(markets: Collection[tuple[str, str]], posted: list[Input]) -> None:
        posted.append(price(ETH))
        await asyncio.sleep(60)
        posted.append(price(SOL))

    _, posted, took = await asked(answer)
    assert posted == [price(ETH), PricesAsked(world=World.PAPER, markets=QUESTION.markets)]
    assert took == pytest.approx(PATIENCE_S)


@in_virtual_time
async def test_a_source_that_fails_is_an_answer_too() -> None:
    async def answer(markets: Collection[tuple[str, str]], posted: list[Input]) -> None:
        raise RuntimeError("no")

    _, posted, _ = await asked(answer)
    assert posted == [PricesAsked(world=World.PAPER, markets=QUESTION.markets)]


@in_virtual_time
async def test_a_source_under_which_everything_is_cancelled_is_an_answer_too() -> None:
    async def answer(markets: Collection[tuple[str, str]], posted: list[Input]) -> None:
        request = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_later(0.1, request.cancel)
        await request

    _, posted, took = await asked(answer)
    assert posted == [PricesAsked(world=World.PAPER, markets=QUESTION.markets)]
    assert took == pytest.approx(0.1)
