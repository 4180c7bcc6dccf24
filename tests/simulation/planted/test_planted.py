"""Every planted bug still fits the source: hunting them takes long, and is not part of the tests."""

from __future__ import annotations

import pytest

from tests.simulation.planted.bug import Bug, Change, NotThere, every, parse
from tests.simulation.planted.hunt import PACKAGE, ROOT

BUGS = every()


@pytest.mark.parametrize("bug", BUGS, ids=[bug.name for bug in BUGS])
def test_a_planted_bug_still_fits_the_source(bug: Bug):
    texts = bug.patched(ROOT / PACKAGE)
    assert texts
    for file, text in texts.items():
        assert text != (ROOT / PACKAGE / file).read_text(encoding="utf-8")
        compile(text, file, "exec")


def test_there_are_enough_of_them_and_each_has_a_name_of_its_own():
    names = {bug.name for bug in BUGS}
    assert len(names) == len(BUGS) >= 45


def test_a_bug_is_read_as_it_is_written_down():
    text = "# one: a mistake\n--- domain/order.py\n stays\n-goes\n+comes\n\n# two: another\n--- a.py\n+new\n"
    one, two = parse(text, "theme")
    assert one == Bug(
        "one", "a mistake", "theme", (Change("domain/order.py", "stays\ngoes\n", "stays\ncomes\n"),)
    )
    assert two.name == "two"


def test_a_change_is_refused_where_its_text_stands_twice_or_not_at_all():
    change = Change("a.py", "x = 1\n", "x = 2\n")
    assert change.of("y\nx = 1\n") == "y\nx = 2\n"
    with pytest.raises(NotThere):
        change.of("x = 1\nx = 1\n")
    with pytest.raises(NotThere):
        change.of("xx = 1\n")
