"""Rows become durable in the order they were decided, and whoever waits is told in that order."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from execution_engine.adapters.storage.statements import portion
from execution_engine.adapters.storage.store import SqliteStore
from execution_engine.domain.errors import StoreFailed
from execution_engine.domain.rows import Archive, Engine, Group, LogEntry
from tests.adapters.storage.making import Answers, committed, family, group, line, nothing, order, pyramid


def groups(store: SqliteStore) -> list[Group]:
    return [row for row in store.load() if isinstance(row, Group)]


@pytest.fixture
def answers() -> Answers:
    return Answers()


@pytest.fixture
def busy(path: Path, answers: Answers) -> Iterator[tuple[SqliteStore, Event]]:
    """A store whose thread stands still after its first commit until the event is set."""
    go = Event()
    first: list[bool] = []

    def call(callback: Any) -> None:
        answers.call(callback)
        if not first:
            first.append(True)
            go.wait(20)

    store = SqliteStore(path, call)
    store.write((group(1),), answers.note("first"))
    answers.run_next()
    yield store, go
    go.set()
    store.close()


def test_everything_that_waits_is_one_transaction_and_is_answered_in_order(
    busy: tuple[SqliteStore, Event], answers: Answers
) -> None:
    store, go = busy
    for number in range(100):
        store.write((group(1, fees=Decimal(number)),), answers.note(number))
    assert store.behind == 100
    go.set()
    answers.run_next()  # one callback for all of them: they were one commit
    assert answers.heard == ["first", *range(100)]
    assert store.behind == 0
    assert [row.fees for row in groups(store)] == [Decimal(99)]


def test_a_write_without_rows_waits_for_its_turn(busy: tuple[SqliteStore, Event], answers: Answers) -> None:
    store, go = busy
    store.write((group(2),), answers.note("rows"))
    store.write((), answers.note("no rows"))
    assert answers.heard == ["first"]
    go.set()
    answers.run_next()
    assert answers.heard == ["first", "rows", "no rows"]


def test_closing_commits_what_waits(path: Path, answers: Answers) -> None:
    store = SqliteStore(path, answers.call)
    for id in range(1, 500):
        store.write((line(id),), nothing)
    store.close()
    store.close()
    assert SqliteStore(path).next_id() == 500


def test_what_is_written_after_closing_is_answered_as_failed(path: Path, answers: Answers) -> None:
    store = SqliteStore(path, answers.call)
    store.close()
    store.write((line(1),), answers.note())
    answers.run_next()
    assert isinstance(answers.heard[0], StoreFailed)
    assert "is closed" in str(answers.heard[0])
    assert store.behind == 0


def test_a_loop_that_is_gone_does_not_keep_rows_from_being_stored(path: Path) -> None:
    def gone(_: Any) -> None:
        raise RuntimeError("Event loop is closed")

    store = SqliteStore(path, gone)
    store.write((line(1),), nothing)
    store.write((line(2),), nothing)
    store.close()
    assert SqliteStore(path).next_id() == 3


def test_without_a_loop_a_write_is_durable_when_it_returns(store: SqliteStore) -> None:
    committed(store, group(7))
    assert [row.id for row in groups(store)] == [7]


def test_what_is_written_while_an_answer_is_given_comes_after_it(store: SqliteStore) -> None:
    heard = []

    def first(_: Any) -> None:
        store.write((group(2),), lambda _: heard.append("second"))
        heard.append("first")

    store.write((group(1),), first)
    assert heard == ["first", "second"]
    assert [row.id for row in groups(store)] == [1, 2]


def test_an_answer_that_raises_does_not_keep_the_others_from_being_told(
    busy: tuple[SqliteStore, Event], answers: Answers
) -> None:
    store, go = busy

    def breaks(_: Any) -> None:
        raise LookupError("a defect")

    store.write((), breaks)
    store.write((), answers.note("told"))
    store.write((), breaks)
    go.set()
    with pytest.raises(ExceptionGroup) as caught:
        answers.run_next()
    assert len(caught.value.exceptions) == 2
    assert answers.heard == ["first", "told"]
    store.write((), breaks)
    with pytest.raises(LookupError):
        answers.run_next()


def test_the_newest_version_of_a_row_wins(store: SqliteStore) -> None:
    committed(store, group(1), group(1, hold="old"), group(1, hold="new"))
    committed(store, group(2, hold="old"))
    committed(store, group(2, hold="new"))
    assert [row.hold for row in groups(store)] == ["new", "new"]


def test_children_may_be_given_before_their_parents(store: SqliteStore) -> None:
    committed(store, *reversed(family(10)))
    assert set(store.load()) == set(family(10))


def test_a_position_without_its_group_is_not_stored(store: SqliteStore) -> None:
    heard: list[Any] = []
    store.write((pyramid(2, group_id=1),), heard.append)
    assert "FOREIGN KEY" in str(heard[0])
    assert store.failed is heard[0]


@pytest.mark.fault(32)
def test_the_same_trade_is_not_stored_twice(store: SqliteStore) -> None:
    *rows, fill = family(10)
    committed(store, *rows, fill)
    heard: list[Any] = []
    store.write((replace(fill, id=99),), heard.append)
    assert "UNIQUE" in str(heard[0])


def test_a_test_network_may_hand_out_the_ids_of_closed_groups_again(store: SqliteStore) -> None:
    for id in (10, 20):
        *rows, fill = family(id)
        committed(store, *rows, replace(fill, trade_id="1"), Archive(id))
    assert store.failed is None


def test_ids_go_on_above_the_highest_in_any_table(store: SqliteStore) -> None:
    assert store.next_id() == 1
    committed(store, Engine(install_key="k"), *family(40))
    assert store.next_id() == 45
    committed(store, Archive(40))
    assert store.next_id() == 45


class TestClosedGroups:
    def test_leave_with_everything_that_is_theirs(self, store: SqliteStore) -> None:
        committed(store, *family(10), *family(20))
        committed(store, Archive(10))
        assert set(store.load()) == set(family(20))

    def test_come_back_with_everything_when_they_are_written_again(self, store: SqliteStore) -> None:
        rows = family(10)
        committed(store, *rows, Archive(10))
        again = replace(rows[0], hold="a late fill")
        committed(store, again)
        assert set(store.load()) == {again, *rows[1:]}

    def test_stay_when_they_are_written_again_in_the_same_transaction(
        self, busy: tuple[SqliteStore, Event], answers: Answers
    ) -> None:
        store, go = busy
        store.write((*family(10), Archive(10)), nothing)
        store.write(family(10), nothing)
        store.write((*family(20),), nothing)
        store.write((Archive(20),), nothing)
        go.set()
        answers.run_next()
        assert set(store.load()) == {group(1), *family(10)}

    def test_take_in_what_still_happens_to_them_without_coming_back(self, store: SqliteStore) -> None:
        rows = family(10)
        committed(store, *rows, Archive(10))
        late = (replace(rows[3], reason="answered late"), order(15, 10))
        committed(store, *late)
        assert list(store.load()) == []
        committed(store, rows[0])
        assert set(store.load()) == {*rows[:3], *late, rows[4]}

    def test_can_be_closed_again(self, store: SqliteStore) -> None:
        for hold in ("first", "second"):
            committed(store, *family(10, hold=hold), Archive(10))
        assert list(store.load()) == []
        assert store.failed is None


def test_a_defect_of_ours_fails_the_store_and_not_its_thread(path: Path, answers: Answers) -> None:
    store = SqliteStore(path, answers.call)
    broken = replace(line(1), at=line(1).at.replace(tzinfo=None))
    store.write((broken,), answers.note())
    store.write((line(2),), answers.note())
    while len(answers.heard) < 2:
        answers.run_next()
    store.close()
    assert all(isinstance(failed, StoreFailed) for failed in answers.heard)
    assert "no zone" in str(answers.heard[0])
    assert not [row for row in SqliteStore(path).load() if isinstance(row, LogEntry)]


@pytest.mark.parametrize("count", [16, 17, 35, 250])
def test_any_number_of_rows_is_written(path: Path, count: int) -> None:
    store = SqliteStore(path)
    committed(store, *(group(id) for id in range(1, count + 1)))
    assert len(groups(store)) == count
    store.close()


def test_few_different_statements_write_any_number_of_rows() -> None:
    """Each stays prepared, with all its rows."""
    sizes = set()
    for count in range(1, 600):
        left = count
        while left:
            sizes.add(portion(left, 200))
            left -= portion(left, 200)
        assert left == 0
    assert len(sizes) < 25
    assert max(sizes) <= 200
