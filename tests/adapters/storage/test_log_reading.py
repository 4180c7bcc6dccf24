"""The system log in windows: from both ends, through every filter, to a file."""

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from execution_engine.adapters.storage import log_reading
from execution_engine.adapters.storage.log_reading import count_log, export_log, read_log
from execution_engine.adapters.storage.store import SqliteStore
from execution_engine.domain.log_lines import LogQuestion
from tests.adapters.storage.making import NOW, committed, line


@pytest.fixture
def path(path: Path) -> Path:
    """Give a log of twelve lines, a minute apart, every fourth a warning and every sixth one of risk."""
    store = SqliteStore(path)
    lines = [
        replace(
            line(id, f"line {id} of 50 %"),
            at=NOW + timedelta(minutes=id),
            level="WARNING" if id % 4 == 0 else "INFO",
            category="RISK" if id % 6 == 0 else "TRADING",
        )
        for id in range(1, 13)
    ]
    committed(store, *lines)
    store.close()
    return path


@pytest.mark.parametrize("few", [1, 5_000])  # by the order of ids, or by an index
@pytest.mark.parametrize(
    ("question", "ids"),
    [
        (LogQuestion(limit=3), [10, 11, 12]),
        (LogQuestion(limit=3, before_id=10), [7, 8, 9]),
        (LogQuestion(limit=3, after_id=4), [5, 6, 7]),
        (LogQuestion(levels=["WARNING", "ERROR"]), [4, 8, 12]),
        (LogQuestion(categories=["RISK"]), [6, 12]),
        (LogQuestion(levels=["WARNING"], categories=["RISK"]), [12]),
        (LogQuestion(levels=["CRITICAL"]), []),
        (LogQuestion(contains="LINE 11"), [11]),
        (LogQuestion(contains="1_of"), []),
        (LogQuestion(since=NOW + timedelta(minutes=11)), [11, 12]),
        (LogQuestion(until=NOW + timedelta(minutes=3)), [1, 2]),
        (LogQuestion(since=NOW + timedelta(days=1)), []),
    ],
)
def test_a_window_holds_what_was_asked_for_oldest_first(
    path: Path, question: LogQuestion, ids: list[int], few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_reading, "FEW", few)
    assert [each.id for each in read_log(path, question)] == ids


def test_all_that_match_are_counted_whatever_the_window(path: Path) -> None:
    assert count_log(path, LogQuestion(limit=2, before_id=3)) == 12
    assert count_log(path, LogQuestion(levels=["WARNING"], limit=1)) == 3


def test_all_that_match_are_written_window_by_window(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_reading, "WINDOW", 2)
    target = tmp_path / "log.json"
    assert export_log(path, LogQuestion(levels=["INFO"], limit=1, before_id=2), target) == 9
    written = json.loads(target.read_text(encoding="utf-8"))
    assert [each["id"] for each in written] == [1, 2, 3, 5, 6, 7, 9, 10, 11]
    assert written[0]["text"] == "line 1 of 50 %"
