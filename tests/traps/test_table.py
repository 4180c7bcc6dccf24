"""The table of traps is current, and every test that it names is there."""

from tests.traps.table import DOCUMENT, document, names_in, traps


def test_every_trap_is_noticed_by_a_test_that_is_there() -> None:
    named = {test for rows in traps().values() for tests in rows.values() for test in tests}
    missing = []
    for test in sorted(named):
        file, _, name = test.partition("::")
        if name not in names_in(file):
            missing.append(test)
    assert missing == []
    assert all(tests for rows in traps().values() for tests in rows.values())


def test_the_document_is_current() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == document(), "run: python -m tests.traps"
