"""The tree model: groups sort and filter themselves, families appear whole, nothing is lost."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PySide6.QtCore import QModelIndex, QPersistentModelIndex
from PySide6.QtTest import QAbstractItemModelTester

from execution_engine.ui.tables.cell import Cell, Column
from execution_engine.ui.tables.tree import TreeModel

pytestmark = pytest.mark.usefixtures("qapp")


@dataclass(frozen=True, slots=True)
class Node:
    """A group "a", a pyramid "a.1", a leg "a.1.2": the key says where it hangs."""

    key: str
    price: int = 0


def parent_key(node: Node) -> str | None:
    return node.key.rpartition(".")[0] or None


COLUMNS: tuple[Column[Node], ...] = (
    Column(key="key", title="Key", cell=lambda node: Cell(node.key), sort_key=lambda node: node.key),
    Column(
        key="price", title="Price", cell=lambda node: Cell(str(node.price)), sort_key=lambda node: node.price
    ),
)
FAMILY = (Node("a"), Node("a.1"), Node("a.1.1"), Node("a.1.2"), Node("a.2"))


class Watched:
    def __init__(self, *nodes: Node) -> None:
        self.seconds = 0.0
        self.model: TreeModel[Node] = TreeModel(
            COLUMNS,
            lambda node: node.key,
            parent_key,
            child_order=lambda node: node.key,
            clock=lambda: self.seconds,
        )
        self.tester = QAbstractItemModelTester(
            self.model, QAbstractItemModelTester.FailureReportingMode.Fatal
        )
        self.model.upsert(nodes)

    def seen(self, parent: QModelIndex | None = None) -> list[tuple[str, str]]:
        """Return key and price of every row, walked from the top as a view does."""
        model, at = self.model, parent or QModelIndex()
        rows: list[tuple[str, str]] = []
        for row in range(model.rowCount(at)):
            first = model.index(row, 0, at)
            assert model.parent(first) == at
            rows.append((model.data(first), model.data(model.index(row, 1, at))))
            rows += self.seen(first)
        return rows

    def keys(self) -> list[str]:
        return [key for key, _ in self.seen()]


def test_a_family_appears_in_one_step() -> None:
    watched = Watched()
    inserted: list[bool] = []
    watched.model.rowsInserted.connect(lambda parent, first, last: inserted.append(parent.isValid()))
    watched.model.upsert(FAMILY)
    assert inserted == [False]
    assert watched.keys() == [node.key for node in FAMILY]


@pytest.mark.parametrize("order", [reversed(FAMILY), sorted(FAMILY, key=lambda node: -len(node.key))])
def test_children_may_come_before_their_parents(order: list[Node]) -> None:
    watched = Watched()
    for node in order:
        watched.model.upsert([node])
    assert watched.keys() == [node.key for node in FAMILY]


def test_a_leg_changes_only_its_own_cells() -> None:
    watched = Watched(*FAMILY)
    watched.seen()
    changes: list[tuple[str, int, int]] = []
    watched.model.dataChanged.connect(
        lambda first, last, roles: changes.append(
            (watched.model.key_at(first), first.column(), last.column())
        )
    )
    watched.model.upsert([Node("a.1.2", 7)])
    assert changes == [("a.1.2", 1, 1)]


def test_pointers_to_legs_survive_a_sort() -> None:
    watched = Watched(*FAMILY, Node("b", 1))
    leg = QPersistentModelIndex(watched.model.index_of("a.1.2", 1))
    watched.model.sort_by("price", descending=True)
    assert watched.model.keys() == ["b", "a"]
    assert watched.model.key_at(leg) == "a.1.2"
    assert leg.parent().parent().row() == 1


def test_removing_a_group_takes_its_legs_along() -> None:
    watched = Watched(*FAMILY, Node("b"))
    watched.model.remove(["a", "a.1.1"])
    assert watched.keys() == ["b"]
    assert watched.model.record("a.1.2") is None


def test_a_filtered_group_keeps_changing_unseen() -> None:
    watched = Watched(*FAMILY, Node("b", 5))
    watched.model.set_filter(lambda node: node.price > 1)
    assert watched.keys() == ["b"]
    watched.model.upsert([Node("a.1.1", 9), Node("a.3")])
    assert not watched.model.index_of("a.1.1").isValid()
    watched.model.set_filter(None)
    assert watched.seen() == [
        ("a", "0"), ("a.1", "0"), ("a.1.1", "9"), ("a.1.2", "0"), ("a.2", "0"), ("a.3", "0"), ("b", "5"),
    ]  # fmt: skip


def test_depth_tells_group_pyramid_and_leg_apart() -> None:
    model = Watched(*FAMILY).model
    assert [model.depth(model.index_of(key)) for key in ("a", "a.1", "a.1.2")] == [0, 1, 2]


KEYS = st.builds(
    ".".join, st.lists(st.sampled_from("abc"), min_size=1, max_size=1).flatmap(
        lambda top: st.lists(st.sampled_from("123"), max_size=2).map(lambda rest: top + rest)
    )
)  # fmt: skip
NODES = st.builds(Node, KEYS, st.integers(0, 4))
STEPS = st.one_of(
    st.tuples(st.just("upsert"), st.lists(NODES, max_size=8)),
    st.tuples(st.just("upsert"), st.lists(NODES, max_size=8)),
    st.tuples(st.just("remove"), st.lists(KEYS, max_size=3)),
    st.tuples(st.just("sort"), st.sampled_from([None, "key", "price"]), st.booleans()),
    st.tuples(st.just("filter"), st.none() | st.integers(0, 4)),
    st.tuples(st.just("pass"), st.sampled_from([0.1, 2.0])),
    st.tuples(st.just("hold")),
    st.tuples(st.just("release")),
    st.tuples(st.just("look")),
)


def reachable(truth: dict[str, Node]) -> dict[str, Node]:
    """Return the nodes all of whose ancestors are known."""
    kept: dict[str, Node] = {}
    for key in sorted(truth):
        above = parent_key(truth[key])
        if above is None or above in kept:
            kept[key] = truth[key]
    return kept


@settings(max_examples=200)
@given(st.lists(STEPS, max_size=25))
def test_whatever_happens_the_tree_holds_the_records(steps: list[tuple]) -> None:
    watched = Watched()
    model, truth = watched.model, dict[str, Node]()
    limit: int | None = None
    held = 0
    for step, *arguments in steps:
        if step == "upsert":
            model.upsert(arguments[0])
            truth |= {node.key: node for node in arguments[0]}
        elif step == "remove":
            model.remove(arguments[0])
            gone = set(arguments[0])
            hung = reachable(truth)
            truth = {
                key: node
                for key, node in truth.items()
                if key not in gone and not any(key.startswith(each + ".") and key in hung for each in gone)
                and parent_key(node) not in gone
            }  # fmt: skip
        elif step == "sort":
            model.sort_by(arguments[0], arguments[1])
        elif step == "filter":
            limit = arguments[0]
            model.set_filter(None if limit is None else lambda node, top=limit: node.price <= top)
        elif step == "pass":
            watched.seconds += arguments[0]
            model.settle()
        elif step == "hold":
            held += 1
            model.hold()
        elif step == "release" and held:
            held -= 1
            model.release()
        elif step == "look":
            watched.seen()
        shown = {k: n for k, n in reachable(truth).items() if limit is None or truth[k[0]].price <= limit}
        assert dict(watched.seen()) == {key: str(node.price) for key, node in shown.items()}
    for _ in range(held):
        model.release()
    watched.seconds += 2
    model.settle()
    prices = [truth[str(key)].price for key in model.keys()]  # noqa: SIM118
    if model.sort_column == "price":
        assert prices == sorted(prices, reverse=model.sort_descending)


def test_a_row_nobody_asked_about_is_announced_once_and_is_right_when_asked() -> None:
    # Without Qt's tester, which asks for every cell that is announced.
    model: TreeModel[Node] = TreeModel(COLUMNS, lambda node: node.key, parent_key)
    model.upsert(FAMILY)
    model.cells(model.index_of("a"))
    announced: list[int] = []
    model.dataChanged.connect(lambda first, last: announced.append(first.row()))
    for price in range(1, 6):
        model.upsert([Node("a", price)])
    # The cell that differs, then the whole row; after that the screen knows that it has to ask.
    assert announced == [0, 0]
    assert model.cells(model.index_of("a"))[1] == Cell("5")
    model.upsert([Node("a", 6)])
    assert announced == [0, 0, 0]
