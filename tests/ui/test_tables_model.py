"""The table model: tells what changed and nothing else, and never loses a row."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PySide6.QtCore import QPersistentModelIndex, Qt
from PySide6.QtTest import QAbstractItemModelTester

from execution_engine.ui.tables.cell import Cell, Column, Role
from execution_engine.ui.tables.model import TableModel

pytestmark = pytest.mark.usefixtures("qapp")


@dataclass(frozen=True, slots=True)
class Row:
    key: str
    price: int | None = 0
    state: str = "open"


COLUMNS: tuple[Column[Row], ...] = (
    Column(key="key", title="Key", cell=lambda row: Cell(row.key), sort_key=lambda row: row.key),
    Column(
        key="price",
        title="Price",
        unit="USD",
        align="right",
        cell=lambda row: Cell(str(row.price), raw=f"{row.price}.000"),
        sort_key=lambda row: row.price,
        tooltip=lambda row: f"exactly {row.price}",
    ),
    Column(key="state", title="State", cell=lambda row: Cell(row.state)),
)


class Clock:
    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


class Watched:
    """A model under Qt's own tester, with the announcements it made."""

    def __init__(self, *rows: Row) -> None:
        self.clock = Clock()
        self.model: TableModel[Row] = TableModel(
            COLUMNS, lambda row: row.key, sentence=lambda row: f"{row.key} at {row.price}", clock=self.clock
        )
        self.tester = QAbstractItemModelTester(
            self.model, QAbstractItemModelTester.FailureReportingMode.Fatal
        )
        self.changes: list[tuple[int, int, int]] = []
        self.resets = 0
        self.model.dataChanged.connect(
            lambda first, last, roles: self.changes.append((first.row(), first.column(), last.column()))
        )
        self.model.modelReset.connect(self._reset)
        self.model.upsert(rows)
        self.look()
        self.changes.clear()

    def _reset(self) -> None:
        self.resets += 1

    def look(self) -> list[list[str]]:
        """Read every cell, as a view that shows all rows would."""
        model = self.model
        return [
            [model.data(model.index(row, column)) for column in range(model.columnCount())]
            for row in range(model.rowCount())
        ]


def test_only_the_cells_that_differ_are_announced() -> None:
    watched = Watched(Row("a", 1), Row("b", 2))
    watched.model.upsert([Row("b", 3)])
    assert watched.changes == [(1, 1, 1)]


def test_neighbouring_changes_are_announced_together() -> None:
    watched = Watched(Row("a", 1), Row("b", 2))
    watched.model.upsert([Row("a", 9, "filled")])
    assert watched.changes == [(0, 1, 2)]


def test_an_equal_record_is_no_change() -> None:
    watched = Watched(Row("a", 1))
    watched.model.upsert([Row("a", 1)])
    assert watched.changes == []


def test_a_row_nobody_looked_at_is_not_announced_and_rendered_when_asked() -> None:
    rendered: list[Row] = []

    def render(row: Row) -> list[Cell]:
        rendered.append(row)
        return [Cell(row.key), Cell(str(row.price)), Cell(row.state)]

    model: TableModel[Row] = TableModel(COLUMNS, lambda row: row.key, render=render)
    changes: list[tuple[int, int]] = []
    model.dataChanged.connect(lambda first, last, roles: changes.append((first.column(), last.column())))
    model.upsert([Row("a", 1), Row("b", 1)])
    model.upsert([Row("a", 2)])
    assert (rendered, changes) == ([], [])
    assert model.data(model.index(0, 1)) == "2"
    assert rendered == [Row("a", 2)]


def test_order_changes_at_most_once_a_second() -> None:
    watched = Watched(Row("a", 1), Row("b", 2), Row("c", 3))
    watched.model.sort_by("price")
    watched.model.upsert([Row("a", 9)])
    assert watched.model.keys() == ["a", "b", "c"], "sorted a moment ago"
    watched.clock.seconds += 1
    watched.model.settle()
    assert watched.model.keys() == ["b", "c", "a"]


def test_nothing_moves_while_the_rows_are_held() -> None:
    watched = Watched(Row("b", 2), Row("c", 3))
    watched.model.sort_by("price")
    watched.clock.seconds += 5
    watched.model.hold()
    watched.model.upsert([Row("b", 9), Row("a", 1)])
    assert watched.model.keys() == ["b", "c", "a"]
    watched.model.release()
    assert watched.model.keys() == ["a", "c", "b"]


def test_the_third_choice_returns_to_the_order_of_arrival() -> None:
    watched = Watched(Row("b", 1), Row("a", 2), Row("c", 0))
    watched.model.sort_by("key")
    assert watched.model.keys() == ["a", "b", "c"]
    watched.model.sort_by("key", descending=True)
    assert watched.model.keys() == ["c", "b", "a"]
    watched.model.sort_by(None)
    assert watched.model.keys() == ["b", "a", "c"]


@pytest.mark.parametrize("descending", [False, True])
def test_a_missing_value_comes_last_in_both_directions(descending: bool) -> None:
    watched = Watched(Row("none", None), Row("low", 1), Row("high", 2))
    watched.model.sort_by("price", descending)
    assert watched.model.keys()[-1] == "none"


@pytest.mark.parametrize("descending", [False, True])
def test_equal_rows_keep_their_order(descending: bool) -> None:
    watched = Watched(Row("b", 1), Row("a", 1), Row("c", 1))
    watched.model.sort_by("price", descending)
    assert watched.model.keys() == ["b", "a", "c"]


def test_a_new_row_appears_where_it_belongs() -> None:
    watched = Watched(Row("a", 1), Row("c", 3))
    watched.model.sort_by("price", descending=True)
    watched.model.upsert([Row("d", 4), Row("b", 2), Row("e", 0)])
    assert watched.model.keys() == ["d", "c", "b", "a", "e"]


def test_what_points_at_a_row_follows_it() -> None:
    watched = Watched(Row("a", 1), Row("b", 2))
    kept = QPersistentModelIndex(watched.model.index_of("a", 1))
    watched.model.sort_by("price", descending=True)
    assert (kept.row(), kept.data(Role.KEY)) == (1, "a")


def test_filtered_rows_come_and_go_with_their_records() -> None:
    watched = Watched(Row("a", 1), Row("b", 20), Row("c", 3))
    watched.model.set_filter(lambda row: (row.price or 0) < 10)
    assert watched.model.keys() == ["a", "c"]
    watched.model.upsert([Row("b", 2), Row("a", 30)])
    assert watched.model.keys() == ["b", "c"]
    assert watched.model.record("a") == Row("a", 30)
    watched.model.set_filter(None)
    assert sorted(map(str, watched.model.keys())) == ["a", "b", "c"]


def test_a_cell_answers_in_words_in_full_and_on_asking() -> None:
    model = Watched(Row("a", 1)).model
    price = model.index_of("a", 1)
    assert model.data(price, Qt.ItemDataRole.AccessibleTextRole) == "Price USD 1"
    assert model.data(model.index_of("a"), Qt.ItemDataRole.AccessibleTextRole) == "a at 1"
    assert model.data(price, Qt.ItemDataRole.ToolTipRole) == "exactly 1"
    assert model.data(price, Role.RAW) == "1.000"
    assert model.data(price, Role.RECORD) == Row("a", 1)


def test_replacing_keeps_the_rows_that_stay() -> None:
    watched = Watched(Row("a", 1), Row("b", 2))
    kept = QPersistentModelIndex(watched.model.index_of("b"))
    watched.model.replace([Row("b", 2), Row("c", 3)])
    assert kept.isValid()
    assert watched.model.keys() == ["b", "c"]


KEYS = st.sampled_from("abcdefgh")
ROWS = st.builds(Row, KEYS, st.none() | st.integers(0, 5), st.sampled_from(["open", "filled"]))
STEPS = st.one_of(
    st.tuples(st.just("upsert"), st.lists(ROWS, max_size=6)),
    st.tuples(st.just("remove"), st.lists(KEYS, max_size=4)),
    st.tuples(st.just("sort"), st.sampled_from([None, "key", "price"]), st.booleans()),
    st.tuples(st.just("filter"), st.none() | st.integers(0, 5)),
    st.tuples(st.just("pass"), st.sampled_from([0.1, 2.0])),
    st.tuples(st.just("hold")),
    st.tuples(st.just("release")),
    st.tuples(st.just("look")),
)


@settings(max_examples=150)
@given(st.lists(STEPS, max_size=25))
def test_whatever_happens_the_rows_are_the_records_that_pass_in_their_order(steps: list[tuple]) -> None:
    watched = Watched()
    model, truth = watched.model, {}
    limit: int | None = None
    held = 0
    pointers: dict[str, QPersistentModelIndex] = {}

    def passes(row: Row) -> bool:
        return limit is None or (row.price or 0) <= limit

    for step, *arguments in steps:
        if step == "upsert":
            model.upsert(arguments[0])
            truth |= {row.key: row for row in arguments[0]}
        elif step == "remove":
            model.remove(arguments[0])
            for key in arguments[0]:
                truth.pop(key, None)
        elif step == "sort":
            model.sort_by(arguments[0], arguments[1])
        elif step == "filter":
            limit = arguments[0]
            model.set_filter(None if limit is None else passes)
        elif step == "pass":
            watched.clock.seconds += arguments[0]
            model.settle()
        elif step == "hold":
            held += 1
            model.hold()
        elif step == "release" and held:
            held -= 1
            model.release()
        elif step == "look":
            watched.look()
            pointers = {key: QPersistentModelIndex(model.index_of(key)) for key in map(str, model.keys())}

        shown = {key for key, row in truth.items() if passes(row)}
        assert sorted(map(str, model.keys())) == sorted(shown)
        for key, pointer in pointers.items():
            if pointer.isValid():
                assert model.keys()[pointer.row()] == key
    for _ in range(held):
        model.release()
    watched.clock.seconds += 2
    model.settle()
    if model.sort_column == "price":
        prices = [truth[str(key)].price for key in model.keys()]  # noqa: SIM118
        known = [price for price in prices if price is not None]
        assert prices == sorted(known, reverse=model.sort_descending) + [None] * (len(prices) - len(known))
    assert watched.look() == [[k, str(truth[k].price), truth[k].state] for k in map(str, model.keys())]
    assert watched.resets == 0


@settings(max_examples=60)
@given(st.lists(st.lists(ROWS, max_size=5), max_size=12))
def test_a_screen_that_repaints_only_what_is_announced_is_always_right(batches: list[list[Row]]) -> None:
    watched = Watched(*[Row(key) for key in "abcdefgh"])
    model = watched.model
    screen = watched.look()
    for batch in batches:
        watched.changes.clear()
        model.upsert(batch)
        for row, first, last in watched.changes:
            for column in range(first, last + 1):
                screen[row][column] = model.data(model.index(row, column))
        assert screen == watched.look()


def test_a_changed_record_replaces_the_old_one() -> None:
    watched = Watched(Row("a", 1))
    watched.model.upsert([replace(Row("a", 1), state="filled")])
    assert watched.look() == [["a", "1", "filled"]]


def test_a_row_nobody_asked_about_is_announced_once_and_is_right_when_asked() -> None:
    # Without Qt's tester, which asks for every cell that is announced.
    model: TableModel[Row] = TableModel(COLUMNS, key=lambda row: row.key)
    model.upsert([Row("a", 1)])
    model.cells(model.index_of("a"))
    announced: list[int] = []
    model.dataChanged.connect(lambda first, last: announced.append(first.row()))
    for value in range(2, 12):
        model.upsert([Row("a", value)])
    assert len(announced) <= 2
    assert model.cells(model.index_of("a"))[1].text == "11"
