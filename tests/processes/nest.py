"""Engines and exchanges with everything that they need imported: see `tests.nest`. The first word says which."""

from collections.abc import Callable, Sequence

from tests.nest import hatch
from tests.processes import engine, exchange

KINDS: dict[str, Callable[[Sequence[str]], int]] = {"engine": engine.run, "exchange": exchange.run}

if __name__ == "__main__":
    hatch(lambda words: KINDS[words[0]](words[1:]))
