"""Many seeds, on as many processes as wanted: what failed, how fast it went, what was met."""

from __future__ import annotations

import gc
import multiprocessing
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from time import perf_counter

from tests.simulation.auditor import Broken
from tests.simulation.draw import draw
from tests.simulation.open_defects import OPEN
from tests.simulation.sometimes import Met, Sometimes
from tests.simulation.world import run

SEEDS_A_TURN = 5
LONGEST_S = 0.05  # of the processor, for what happens at one moment


@dataclass(slots=True)
class Tally:
    """What some seeds came to. seconds: simulated; took: of one processor, together."""

    seeds: int = 0
    seconds: float = 0.0
    took: float = 0.0
    lives: int = 0
    commits: int = 0
    failures: dict[int, Broken] = field(default_factory=dict)
    met: Counter[Met] = field(default_factory=Counter)

    def add(self, other: Tally) -> None:
        self.seeds += other.seeds
        self.seconds += other.seconds
        self.took += other.took
        self.lives += other.lives
        self.commits += other.commits
        self.failures |= other.failures
        self.met += other.met


def tally(seeds: Iterable[int]) -> Tally:
    """Run seeds one after the other."""
    total = Tally()
    gc.collect()  # what earlier histories left behind: it is not looked for while one runs
    for seed in seeds:
        sometimes = Sometimes()
        ending = run(draw(seed), sometimes)
        found = ending.broken or _kept_too_long(seed, ending.longest_s)
        broken = {seed: found} if found and seed not in OPEN else {}
        total.add(Tally(1, ending.seconds, ending.took, ending.lives, ending.commits, broken, sometimes.met))
    return total


def _kept_too_long(seed: int, longest_s: float) -> Broken | None:
    """Judge how long the loop was kept; what a busy machine did to one run, it does not do to three."""
    for _ in range(2):
        if longest_s > LONGEST_S:
            gc.collect()
            longest_s = min(longest_s, run(draw(seed)).longest_s)
    if longest_s <= LONGEST_S:
        return None
    return Broken("I20", f"the loop was kept for {longest_s * 1000:.0f} ms of the processor")


def many(first: int, count: int, jobs: int, heard: Callable[[Tally, Tally], None]) -> tuple[Tally, float]:
    """Run seeds on some processes; `heard` gets each part and the sum. Returns the sum and the time it took."""
    began, total = perf_counter(), Tally()
    for part in _parts(first, count, jobs):
        total.add(part)
        heard(part, total)
    return total, perf_counter() - began


def _parts(first: int, count: int, jobs: int) -> Iterator[Tally]:
    turns: Sequence[range] = [
        range(start, min(start + SEEDS_A_TURN, first + count))
        for start in range(first, first + count, SEEDS_A_TURN)
    ]
    if jobs <= 1:
        yield from map(tally, turns)
        return
    with multiprocessing.get_context("spawn").Pool(jobs) as pool:
        yield from pool.imap_unordered(tally, turns)
