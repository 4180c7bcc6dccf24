import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.processes.clock import SharedClock
from tests.processes.house import Engine, Process, Venue

LIMIT_S = 180


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.timeout(LIMIT_S))
            item.add_marker(pytest.mark.slow)
            if not hasattr(os, "fork"):
                item.add_marker(pytest.mark.skip(reason="processes are forked and killed here"))


@pytest.fixture(scope="session")
def nest() -> Iterator[Process]:
    """Give the maker of processes; importing everything once is enough."""
    process = Process("tests.processes.nest")
    yield process
    process.end()


@pytest.fixture
def house(tmp_path: Path, nest: Process) -> Iterator[Callable[..., Engine]]:
    """Give a maker of engines, each at an exchange of its own; none of them outlives the test."""
    made: list[Engine] = []
    venues: list[Venue] = []

    def make(root: Path | None = None, venue: Venue | None = None, **settings: Any) -> Engine:
        number = len(made)
        clock = tmp_path / "clock"
        SharedClock(clock)
        venue = venue or Venue(tmp_path / f"exchange {number}.sqlite", clock, nest)
        venues.append(venue)
        made.append(Engine(root or tmp_path / f"data {number}", venue, nest, clock, **settings))
        return made[-1]

    yield make
    for engine in made:
        engine.give_up()
    for venue in venues:
        venue.kill()
