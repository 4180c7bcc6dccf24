"""The transport matrix, cell by cell (matrix.py): nothing unclear is told as success or refusal."""

import ssl

import aiohttp
import pytest

from execution_engine.domain.inputs import AccountUnreadable, Verdict
from execution_engine.domain.instrument import Market
from tests.adapters.exchanges.ccxt_stage import stage
from tests.adapters.exchanges.matrix import CALLS, EXCHANGES, FAULTS, WRONG, matrix


def test_the_matrix_has_the_faults_it_has_to_have() -> None:
    assert (len(FAULTS), len(CALLS)) == (17, 5)


@pytest.mark.fault(19, 20, 21, 22, 23, 27, 28, 32, 34, 48, 67, 87)
@pytest.mark.parametrize("exchange", EXCHANGES)
async def test_after_any_fault_it_is_known_what_is_known_and_nothing_more(exchange: str) -> None:
    found = await matrix(exchange)
    assert len(found) == len(Market) * len(FAULTS) * len(CALLS)
    assert {cell: said for cell, said in found.items() if said.startswith(WRONG)} == {}


@pytest.mark.fault(68)
@pytest.mark.parametrize("exchange", EXCHANGES)
async def test_nothing_is_said_to_a_server_that_nobody_vouches_for(exchange: str) -> None:
    async with stage(exchange, Market.SPOT) as on:
        trusting = on.ours._session().connector
        assert isinstance(trusting, aiohttp.TCPConnector)
        usual = aiohttp.TCPConnector(resolver=trusting._resolver, ssl=ssl.create_default_context())
        async with aiohttp.ClientSession(connector=usual) as session:
            on.ours._session = lambda: session
            before = len(on.local.requests)
            (said,) = await on.place(on.order())
            read = await on.ours.balances("main")
            await on.ours.close()
        assert len(on.local.requests) == before, "it was cut off before anything was sent"
        assert said.verdict in (Verdict.UNKNOWN, Verdict.REFUSED)
        assert isinstance(read, AccountUnreadable)
