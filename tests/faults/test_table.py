"""The table of faults is whole, current, and shows what it says."""

import pytest

from tests.faults.table import DOCUMENT, document, faults, marked

ROWS = {row.number: row for row in faults()}


def test_every_fault_has_a_test_or_says_what_it_waits_for() -> None:
    tests = marked()
    bare = [
        f"{row.number}: {row.title}" for row in ROWS.values() if not row.waits and not tests.get(row.number)
    ]
    assert bare == []


def test_every_mark_names_a_fault() -> None:
    assert marked().keys() <= ROWS.keys()
    assert sorted(ROWS) == list(range(1, 91))


def test_the_document_is_current() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == document(), "run: python -m tests.faults"


@pytest.mark.parametrize("area", ["alerts", "orders", "engine"])
def test_most_of_an_area_is_shown(area: str) -> None:
    tests = marked()
    rows = [row for row in ROWS.values() if row.area == area]
    assert 2 * sum(bool(tests.get(row.number)) for row in rows) > len(rows)
