"""Money is decimal: nothing outside the screen turns a number into a binary fraction."""

import ast
from pathlib import Path

import pytest

import execution_engine

SOURCES = Path(execution_engine.__file__).parent
# Rates, counts, spans and time stamps are no money.
ALLOWED = {
    "adapters/webhook/limits.py": 1,
    "adapters/exchanges/translate.py": 1,
    "adapters/metrics.py": 1,
    "adapters/security/strength.py": 1,
    "cli.py": 1,
    "observing.py": 3,
    "way_in.py": 1,
}


def conversions(source: str) -> int:
    """Count the calls of `float` in a source."""
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    return sum(isinstance(call.func, ast.Name) and call.func.id == "float" for call in calls)


@pytest.mark.fault(85)
def test_no_number_becomes_a_binary_fraction_outside_the_screen() -> None:
    found = {
        file.relative_to(SOURCES).as_posix(): conversions(file.read_text(encoding="utf-8"))
        for file in SOURCES.rglob("*.py")
        if file.relative_to(SOURCES).parts[0] != "ui"
    }
    assert {name: count for name, count in found.items() if count > ALLOWED.get(name, 0)} == {}
    assert conversions("price = float(text)") == 1
