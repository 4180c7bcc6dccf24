"""Which test would notice that one of ccxt's or an exchange's traps was forgotten."""

from __future__ import annotations

import ast
import tomllib
from functools import cache
from pathlib import Path

TESTS = Path(__file__).parents[1]
ROWS = Path(__file__).with_name("rows.toml")
DOCUMENT = TESTS.parent / "docs" / "exchange-traps.md"
SHORT = {"A/": "adapters/exchanges/"}

HEADING = """\
# Traps of ccxt and of the exchanges

What they do that one has to know, and the tests that notice if it is forgotten. Made by `python -m tests.traps` from
`tests/traps/rows.toml`; not to be edited by hand.
"""


def traps() -> dict[str, dict[str, list[str]]]:
    """Return area → trap → its tests, as `adapters/exchanges/test_ccxt_wire.py::test_name`."""
    read = tomllib.loads(ROWS.read_text(encoding="utf-8"))
    return {
        area: {trap: [_whole(test) for test in tests] for trap, tests in rows.items()}
        for area, rows in read.items()
    }


def _whole(test: str) -> str:
    found = next((short for short in SHORT if test.startswith(short)), "")
    return SHORT.get(found, "") + test.removeprefix(found)


@cache
def names_in(file: str) -> frozenset[str]:
    """Return the names of the tests in a file; none if there is no such file."""
    path = TESTS / file
    if not path.is_file():
        return frozenset()
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found = [node for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    return frozenset(node.name for node in found if node.name.startswith("test_"))


def document() -> str:
    """Write the table."""
    parts = [HEADING]
    for area, rows in traps().items():
        parts.append(f"\n## {area}\n\n| trap | noticed by |\n| --- | --- |\n")
        parts += [
            f"| {trap} | {'<br>'.join(f'`{test}`' for test in tests)} |\n" for trap, tests in rows.items()
        ]
    return "".join(parts)
