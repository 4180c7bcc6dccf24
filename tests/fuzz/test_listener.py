"""A short run of the fuzzer; the long one is a command (see `tests.fuzz.listener`)."""

import asyncio

import pytest

from tests.fuzz.listener import MAY_GROW_MB, run
from tests.fuzz.requests import connection


@pytest.mark.fault(10, 18)
@pytest.mark.timeout(120)
def test_thousands_of_raw_requests_are_answered_or_closed_and_break_nothing() -> None:
    result = asyncio.run(run(3000, seed=1))
    assert result.faults == []
    assert result.requests >= 3000
    assert {202, 400, 401, 404, 413, 422, 429} <= set(result.statuses)  # it got everywhere
    assert result.grown_mb < MAY_GROW_MB


def test_a_connection_is_made_from_its_seed_and_number_alone() -> None:
    assert connection(7, 42) == connection(7, 42)
    assert connection(7, 42) != connection(8, 42)
