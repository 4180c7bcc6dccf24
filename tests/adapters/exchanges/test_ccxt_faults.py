"""The transport matrix, cell by cell (matrix.py): nothing unclear is told as success or refusal."""

import pytest

from execution_engine.domain.instrument import Market
from tests.adapters.exchanges.matrix import CALLS, EXCHANGES, FAULTS, WRONG, matrix


def test_the_matrix_has_the_faults_it_has_to_have() -> None:
    assert (len(FAULTS), len(CALLS)) == (17, 5)


@pytest.mark.fault(19, 20, 21, 22, 23, 27, 28, 32, 34, 48, 67, 87)
@pytest.mark.parametrize("exchange", EXCHANGES)
async def test_after_any_fault_it_is_known_what_is_known_and_nothing_more(exchange: str) -> None:
    found = await matrix(exchange)
    assert len(found) == len(Market) * len(FAULTS) * len(CALLS)
    assert {cell: said for cell, said in found.items() if said.startswith(WRONG)} == {}
