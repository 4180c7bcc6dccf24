"""Installations for stories: one per story, or one that the stories of a module share."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.nest import Process
from tests.stories.installation import Installation, Markets

# Stories share the machine's cores with each other: a start of the program takes longer then.
LIMIT_S = 120


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.timeout(LIMIT_S))


@pytest.fixture(scope="session")
def nest() -> Iterator[Process | None]:
    """Give what makes the program's processes; importing everything once is enough."""
    if not hasattr(os, "fork"):
        yield None
        return
    process = Process("tests.stories.nest")
    yield process
    process.end()


@pytest.fixture(scope="module")
def markets() -> Markets:
    """Give markets, each of them once."""
    return Markets()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory, nest: Process | None) -> Iterator[Installation]:
    """Give a running installation that the stories of a module share; its books are proven at the end."""
    installation = Installation(
        tmp_path_factory.mktemp("shared") / "data",
        nest=nest,
        capital__total_usd="50000",
        pool__max_open_groups=50,
        pool__max_pyramids=2,
        signals__max_entries_per_day=0,
        paper__start_balance_usd="1000000",
    )
    try:
        yield installation.start()
        installation.stop()
        installation.prove_books()
    finally:
        installation.give_up()


@pytest.fixture
def nowhere(tmp_path: Path) -> Path:
    """Give routes that lead to no exchange at all."""
    file = tmp_path / "nowhere.json"
    file.write_text(json.dumps({"ca_file": "", "hosts": {}}))
    return file


@pytest.fixture
def install(tmp_path: Path, nest: Process | None) -> Iterator[Callable[..., Installation]]:
    """Give a maker of installations for one story; none of them outlives it.

    What changes the program's surroundings needs a process of its own from its beginning.
    """
    made: list[Installation] = []

    def make(name: str = "data", **given: Any) -> Installation:
        if not given.keys() & {"environment", "options", "routes"}:
            given = {"nest": nest} | given
        made.append(Installation(tmp_path / name, **given))
        return made[-1]

    yield make
    for installation in made:
        installation.give_up()
