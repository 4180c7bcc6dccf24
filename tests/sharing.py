"""How a run shares its tests among processes, and which of them it measures.

Whole files would leave the longest of them to one process while the others are done; single tests would start
what the tests of a file share once per process. So the files of `ALONE` are dealt out test by test, all others
stay whole, and what waits for real processes and sockets begins before what only computes.
"""

from __future__ import annotations

import os
from collections import Counter

import pytest
from xdist.scheduler import LoadScopeScheduling

ALONE = (
    "tests/simulation/",
    "tests/processes/",
    "tests/stories/",
    "tests/adapters/exchanges/test_ccxt_",
    "tests/exchanges/",
)
# ... but for these, whose tests share a program that has to be started.
WHOLE = (
    "tests/processes/test_power_loss.py",
    "tests/stories/test_kills.py",
    "tests/stories/test_signals.py",
    "tests/stories/test_taking_profit.py",
)
# Tests of the local exchanges, of what runs in processes of its own, and of what the source looks like. Measuring
# makes Python half as fast, and from these nothing is learnt by it.
UNMEASURED = (
    "tests/simulation/",
    "tests/processes/",
    "tests/stories/",
    "tests/exchanges/",
    "tests/test_layers.py",
    "tests/test_purity.py",
)


class TestByTest(LoadScopeScheduling):
    """Hands each process its next test, or the next file that stays whole, when it has nothing left to do."""

    __test__ = False

    def _split_scope(self, nodeid: str) -> str:
        return nodeid if is_alone(nodeid) else nodeid.partition("::")[0]


def is_alone(nodeid: str) -> bool:
    return nodeid.startswith(ALONE) and not nodeid.startswith(WHOLE)


def order(items: list[pytest.Item]) -> None:
    """Put first what takes long: whole files, then the others' first tests, their second ones, and so on.

    Taking turns among files mixes tests that compute with tests that wait, so that the processors have work.
    """
    seen: Counter[str] = Counter()
    turns: dict[pytest.Item, tuple[int, int]] = {}
    for item in items:
        file = item.nodeid.partition("::")[0]
        seen[file] += 1
        first = 0 if file.startswith(WHOLE) else 1 if is_alone(item.nodeid) else 2
        turns[item] = (first, seen[file] if first == 1 else 0)
    items.sort(key=turns.__getitem__)


def leave_unmeasured(items: list[pytest.Item]) -> None:
    for item in items:
        if item.nodeid.startswith(UNMEASURED):
            item.add_marker(pytest.mark.no_cover)


def processes() -> int:
    """Return how many processes share a run: twice as many as processors, because many tests wait."""
    return 2 * len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 2 * (os.cpu_count() or 1)
