"""Which test shows which fault: read from `@pytest.mark.fault(…)` in the tests, without running them."""

from __future__ import annotations

import ast
import tomllib
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

TESTS = Path(__file__).parents[1]
ROWS = Path(__file__).with_name("rows.toml")
DOCUMENT = TESTS.parent / "docs" / "faults.md"

MARK = "pytest.mark.fault"

AREAS = {
    "alerts": "Alerts and the listener",
    "orders": "The exchange and the life of an order",
    "engine": "Engine, storage, process, machine",
}
HEADING = """\
# Faults and their tests

What can go wrong, and the tests that show what happens then. Made by `python -m tests.faults` from
`tests/faults/rows.toml` and from the marks on the tests; not to be edited by hand.
"""


@dataclass(frozen=True, slots=True)
class Fault:
    """waits: what has to be there before all of it can be shown; empty if nothing is missing."""

    number: int
    area: str
    title: str
    waits: str = ""


def faults() -> list[Fault]:
    """Read the rows, in their order."""
    found = []
    for area, rows in tomllib.loads(ROWS.read_text(encoding="utf-8")).items():
        for number, row in rows.items():
            title, waits = (row, "") if isinstance(row, str) else row
            found.append(Fault(int(number), area, title, waits))
    return found


@cache
def marked() -> dict[int, list[str]]:
    """Return the tests of each row, as `tests/engine/test_desk.py::test_name`."""
    found: defaultdict[int, list[str]] = defaultdict(list)
    for file in sorted(TESTS.rglob("test_*.py")):
        source = file.read_text(encoding="utf-8")
        if MARK in source:
            where = file.relative_to(TESTS.parent).as_posix()
            for name, number in _marks(ast.parse(source)):
                found[number].append(f"{where}::{name}")
    return dict(found)


def _marks(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """Yield the name of each marked test with each of its rows; a marked class marks all its tests."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from ((node.name, number) for number in _numbers(node))
        elif isinstance(node, ast.ClassDef):
            for inner in node.body:
                if isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef):
                    numbers = [*_numbers(node), *_numbers(inner)]
                    yield from ((f"{node.name}::{inner.name}", number) for number in numbers)


def _numbers(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> Iterator[int]:
    for mark in node.decorator_list:
        if isinstance(mark, ast.Call) and ast.unparse(mark.func) == MARK:
            yield from (ast.literal_eval(argument) for argument in mark.args)


def document() -> str:
    """Write the table."""
    rows, tests = faults(), marked()
    parts = [HEADING]
    for area, title in AREAS.items():
        parts.append(f"\n## {title}\n\n| | what goes wrong | shown by |\n| ---: | --- | --- |\n")
        parts += [_line(row, tests.get(row.number, [])) for row in rows if row.area == area]
    return "".join(parts)


def _line(row: Fault, tests: list[str]) -> str:
    shown = [f"`{test.removeprefix('tests/')}`" for test in tests]
    if row.waits:
        shown.append(f"*{'the rest' if tests else 'later'}: {row.waits}*")
    return f"| {row.number} | {row.title} | {'<br>'.join(shown)} |\n"
