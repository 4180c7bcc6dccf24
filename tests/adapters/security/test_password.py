"""A master password costs about half a second here, never less than what is safe, and never too much memory."""

from __future__ import annotations

import time

import pytest

from execution_engine.adapters.security import password
from execution_engine.adapters.security.password import Cost, calibrated, derive, fitted
from execution_engine.domain.errors import VaultError


@pytest.mark.parametrize(
    ("probe_s", "cost"),
    [
        (0.125, Cost(memory_mib=256, passes=3)),  # 768 MiB-passes in half a second
        (0.0625, Cost(memory_mib=256, passes=6)),
        (0.25, Cost(memory_mib=128, passes=3)),
        (0.5, Cost(memory_mib=64, passes=3)),
        (5.0, Cost(memory_mib=64, passes=2)),  # ten seconds of it would be too weak to be of use otherwise
        (1e-9, Cost(memory_mib=256, passes=64)),
    ],
)
def test_the_cost_goes_with_the_machine_and_has_a_floor(probe_s: float, cost: Cost) -> None:
    assert fitted(probe_s) == cost


def test_half_a_second_on_this_machine() -> None:
    cost = calibrated()
    assert cost.memory_mib >= 64
    assert cost.memory_mib * cost.passes >= 19 * 2
    began = time.thread_time()  # other tests have the processor, too
    derive("correct horse", b"salt" * 4, cost)
    spent = time.thread_time() - began
    print(f"{cost}: {spent:.2f} s")  # noqa: T201
    assert spent < 1


@pytest.mark.parametrize(
    ("per_mib_s", "dear_from_mib", "most_s"),
    [
        (0.0007, 1000, 0.55),  # memory costs its share, however much it is
        (0.0007, 100, 0.55),  # beyond the caches it costs three times as much
        (0.0001, 100, 0.55),
        (0.01, 1000, 1.3),  # a slow machine takes longer: less would not be safe
    ],
)
def test_what_was_chosen_is_tried_and_made_cheaper_where_memory_is_dear(
    per_mib_s: float, dear_from_mib: int, most_s: float
) -> None:
    def spent(cost: Cost) -> float:
        dear = max(cost.memory_mib - dear_from_mib, 0)
        return per_mib_s * cost.passes * (cost.memory_mib + 2 * dear)

    cost = calibrated(spent)
    assert spent(cost) <= most_s
    assert cost.memory_mib >= 64
    assert cost.passes >= 2


def test_a_key_is_what_others_make_of_the_same_password() -> None:
    """The value is that of the reference implementation: argon2 of Debian, `-id -t 3 -m 16 -p 1 -l 32 -r`."""
    key = derive("correct horse", b"0123456789abcdef", Cost(memory_mib=64, passes=3))
    assert key.hex() == "92599c67f23f1d9dce9b6f0cfb5a9b18ce110336de00799947472465edd9e49a"


def test_memory_that_is_not_there_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    class Full:
        def __init__(self, **_: object) -> None:
            raise MemoryError

    monkeypatch.setattr(password, "Argon2id", Full)
    with pytest.raises(VaultError, match="takes 256 MiB of memory"):
        derive("correct horse", b"salt" * 4, Cost(memory_mib=256, passes=3))
