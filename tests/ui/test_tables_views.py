"""The views: what they paint, copy, remember and keep still."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QContextMenuEvent, QGuiApplication
from PySide6.QtWidgets import QApplication, QMenu
from pytestqt.qtbot import QtBot

from execution_engine.ui import theme
from execution_engine.ui.tables import (
    ActionText,
    Cell,
    Chip,
    Column,
    Number,
    Position,
    Progress,
    Rule,
    Spark,
    TableModel,
    TableView,
    TreeModel,
    TreeView,
    position_cell,
    progress_cell,
    rule_cell,
    spark_points,
)
from execution_engine.ui.tables.delegates import _missing_room
from execution_engine.ui.tables.paint import width_of
from execution_engine.ui.tables.views import _no_formula


@dataclass(frozen=True, slots=True)
class Row:
    key: str
    price: Decimal = Decimal(1)

    @property
    def parent(self) -> str | None:
        return self.key.rpartition(".")[0] or None


COLUMNS: tuple[Column[Row], ...] = (
    Column(
        key="position", title="Position", width=160, sort_key=lambda row: row.key,
        cell=lambda row: position_cell(row.key, "1h", long=row.price > 0),
    ),
    Column(
        key="price", title="Price", unit="USD", align="right", sort_key=lambda row: row.price,
        cell=lambda row: Cell(f"{row.price:,.2f}", raw=str(row.price)),
        tooltip=lambda row: f"Exactly {row.price}",
    ),
    Column(key="target", title="To target", cell=lambda row: progress_cell(row.price / 10)),
    Column(key="spark", title="Last 24 h", cell=lambda row: Cell(extra=(row.price, Decimal(0), Decimal(-1)))),
    Column(key="rule", title="Rule", cell=lambda row: rule_cell(row.price > 2, "5 / 5")),
    Column(key="state", title="State", cell=lambda row: Cell("Open", "accent", shape="ring")),
    Column(key="act", title="", cell=lambda row: Cell("Force add…")),
)  # fmt: skip
DELEGATES = {
    "position": Position, "price": lambda: Number(4), "target": Progress, "spark": Spark, "rule": Rule,
    "state": Chip, "act": ActionText,
}  # fmt: skip


@pytest.fixture
def table(qapp: QApplication, qtbot: QtBot) -> TableView:
    theme.apply(qapp, "dark")
    model: TableModel[Row] = TableModel(COLUMNS, lambda row: row.key)
    model.upsert([Row("B", Decimal("2.50001")), Row("A", Decimal(1)), Row("C", Decimal(3))])
    view = TableView(model, {key: make() for key, make in DELEGATES.items()}, name="Prices")
    qtbot.addWidget(view)
    view.resize(900, 300)
    view.show()
    return view


@pytest.fixture
def tree(qapp: QApplication, qtbot: QtBot) -> TreeView:
    theme.apply(qapp, "dark")
    model: TreeModel[Row] = TreeModel(COLUMNS, lambda row: row.key, lambda row: row.parent)
    model.upsert([Row(key) for key in ("a", "a.1", "a.1.1", "b", "b.1")])
    view = TreeView(model, {key: make() for key, make in DELEGATES.items()})
    qtbot.addWidget(view)
    view.resize(900, 300)
    view.show()
    return view


def middle(view: TableView, key: str, column: int) -> QPoint:
    return view.visualRect(view.rows_model.index_of(key, column)).center()


@pytest.mark.parametrize("name", ["dark", "light"])
def test_everything_paints_in_both_themes(qapp: QApplication, table: TableView, tree: TreeView, name) -> None:
    theme.apply(qapp, name)
    tree.expandAll()
    for view in (table, tree):
        view.select("B" if view is table else "a.1.1")
        image = view.grab().toImage()
        colours = {image.pixelColor(x, y).name() for x in range(800) for y in range(28, 90)}
        assert len(colours) > 20


def test_rows_have_the_height_of_the_design(table: TableView, tree: TreeView) -> None:
    assert table.visualRect(table.rows_model.index(0, 0)).height() == 28
    assert tree.visualRect(tree.rows_model.index(0, 0)).height() == 26


def test_copying_gives_full_precision_and_only_what_is_shown(table: TableView, qtbot: QtBot) -> None:
    table.show_columns({"position": 100, "price": 80})
    table.selectAll()
    qtbot.keyClick(table, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert QGuiApplication.clipboard().text() == "B 1h Long\t2.50001\nA 1h Long\t1\nC 1h Long\t3"


def test_copying_as_csv_has_headings_and_no_formula(table: TableView, qtbot: QtBot) -> None:
    table.show_columns({"position": 100, "price": 80})
    table.selectAll()
    both = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
    qtbot.keyClick(table, Qt.Key.Key_C, both)
    first, *lines = QGuiApplication.clipboard().text().splitlines()
    assert first.startswith("Position,Price")
    assert lines == ["B 1h Long,2.50001", "A 1h Long,1", "C 1h Long,3"]


@pytest.mark.parametrize(
    ("cell", "copied"), [("=1+1", "'=1+1"), ("-1.5", "-1.5"), ("@x", "'@x"), ("a-b", "a-b")]
)
def test_a_text_that_begins_like_a_formula_is_copied_as_text(cell: str, copied: str) -> None:
    assert _no_formula(cell) == copied


def test_clicks_on_a_heading_sort_turn_round_and_return(table: TableView, qtbot: QtBot) -> None:
    header, seen = table.heading, []
    for _ in range(3):
        at = QPoint(header.sectionViewportPosition(1) + 20, 10)
        qtbot.mouseClick(header.viewport(), Qt.MouseButton.LeftButton, pos=at)
        seen.append("".join(map(str, table.rows_model.keys())))
    assert seen == ["ABC", "CBA", "BAC"]


def test_selection_stays_with_its_row_when_the_order_changes(table: TableView) -> None:
    table.select("C")
    table.rows_model.sort_by("price", descending=True)
    assert (table.key(), table.selected_keys()) == ("C", ["C"])


def test_rows_stay_while_a_button_is_pressed(table: TableView, qtbot: QtBot) -> None:
    table.rows_model.sort_by("price")
    qtbot.mousePress(table.viewport(), Qt.MouseButton.LeftButton, pos=middle(table, "A", 1))
    assert table.rows_model.held
    qtbot.mouseRelease(table.viewport(), Qt.MouseButton.LeftButton, pos=middle(table, "A", 1))
    assert not table.rows_model.held


@pytest.mark.qt_log_ignore("This plugin does not support")
def test_rows_stay_while_a_menu_is_open(table: TableView, qtbot: QtBot) -> None:
    asked: list[object] = []

    def build(key: object, menu: QMenu) -> None:
        asked.append(key)
        menu.addAction("Exit group…")

    table.set_menu(build)
    table.select("A")
    table.setFocus()
    event = QContextMenuEvent(QContextMenuEvent.Reason.Mouse, middle(table, "A", 1), QPoint(10, 10))
    table.contextMenuEvent(event)
    assert (asked, table.rows_model.held) == (["A"], True)
    for menu in table.findChildren(QMenu):
        menu.close()
    assert not table.rows_model.held


def test_a_painted_button_tells_row_and_column(table: TableView, qtbot: QtBot) -> None:
    with qtbot.waitSignal(table.action) as told:
        at = table.visualRect(table.rows_model.index_of("A", 6))
        delegate = table.itemDelegateForColumn(6)
        target = delegate.target(at, table.rows_model.cell(table.rows_model.index_of("A", 6)))
        qtbot.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, pos=target.center())
    assert told.args == ["A", "act"]


def test_enter_and_double_click_open_a_row(table: TableView, qtbot: QtBot) -> None:
    table.select("B")
    with qtbot.waitSignal(table.opened) as told:
        qtbot.keyClick(table, Qt.Key.Key_Return)
    assert told.args == ["B"]
    with qtbot.waitSignal(table.opened) as told:
        qtbot.mouseDClick(table.viewport(), Qt.MouseButton.LeftButton, pos=middle(table, "C", 1))
    assert told.args == ["C"]


def test_a_tooltip_says_the_whole_text_when_it_is_cut(table: TableView) -> None:
    price = table.rows_model.index_of("B", 1)
    assert table.tooltip_at(price) == "Exactly 2.50001"
    table.heading.resizeSection(0, 40)
    assert table.tooltip_at(table.rows_model.index_of("B", 0)) == "B 1h Long"


def test_a_heading_that_is_cut_says_its_words_and_its_unit_in_a_tooltip(table: TableView) -> None:
    assert table.heading.tooltip_at(1) == ""
    table.heading.resizeSection(1, 50)
    assert table.heading.tooltip_at(1) == "Price USD"
    assert table.heading.tooltip_at(99) == ""


def test_an_empty_table_says_a_sentence_and_offers_a_button(table: TableView) -> None:
    table.set_empty("No open positions.", [("Compose alert…", lambda: None)])
    assert not table.empty.isVisible()
    table.rows_model.set_filter(lambda row: False)
    assert table.empty.isVisible()
    assert table.empty.sentence == "No open positions."


def test_a_layout_is_remembered(table: TableView, qtbot: QtBot) -> None:
    header = table.heading
    header.resizeSection(1, 133)
    header.moveSection(1, 3)
    header.show_column(4, False)
    table.rows_model.sort_by("price", descending=True)
    saved = table.save_layout()
    table.reset_layout()
    assert (header.sectionSize(1), header.visualIndex(1), header.isSectionHidden(4)) == (100, 1, False)
    table.restore_layout(saved)
    assert (header.sectionSize(1), header.visualIndex(1), header.isSectionHidden(4)) == (133, 3, True)
    assert (table.rows_model.sort_column, table.rows_model.sort_descending) == ("price", True)


def test_a_layout_of_a_wide_window_fits_a_narrower_one(table: TableView) -> None:
    table.resize(1600, 300)
    saved = table.save_layout()
    table.resize(800, 300)
    table.restore_layout(saved)
    table.grab()
    assert table.heading.length() == 800
    assert not table.horizontalScrollBar().isVisible()


@pytest.mark.parametrize(
    "text", ["", "nonsense", "[]", '{"columns": 3}', '{"columns": [["gone", 5, false]]}']
)
def test_a_layout_that_cannot_be_read_changes_nothing(table: TableView, text: str) -> None:
    before = table.save_layout()
    table.restore_layout(text)
    assert table.save_layout() == before


def test_open_rows_come_back_open(tree: TreeView) -> None:
    model = tree.rows_model
    tree.setExpanded(model.index_of("a"), True)
    tree.setExpanded(model.index_of("a.1"), True)
    model.set_filter(lambda row: row.key != "a")
    assert not model.index_of("a").isValid()
    model.set_filter(None)
    assert tree.isExpanded(model.index_of("a.1"))
    saved = tree.save_layout()
    tree.collapseAll()
    tree.restore_layout(saved)
    assert tree.isExpanded(model.index_of("a"))
    assert not tree.isExpanded(model.index_of("b"))


def test_a_click_on_the_triangle_folds(tree: TreeView, qtbot: QtBot) -> None:
    row = tree.visualRect(tree.rows_model.index_of("a"))
    qtbot.mouseClick(tree.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(10, row.center().y()))
    assert tree.isExpanded(tree.rows_model.index_of("a"))


def test_numbers_stand_on_their_point() -> None:
    digit, point = width_of("0"), width_of(".")
    assert _missing_room(4, "0.4449") == 0
    assert _missing_room(4, "24.179") == digit
    assert _missing_room(4, "1,234") == 4 * digit + point
    assert _missing_room(4, "0.00190 / 0.0031") == 0
    assert _missing_room(4, "–") == 0


def test_progress_behind_the_fill_is_empty_and_says_so() -> None:
    assert progress_cell(Decimal("-0.4"))[:2] == ("0\u202f%", "text3")
    assert progress_cell(Decimal("0.674")).text == "67\u202f%"
    assert progress_cell(Decimal("1.7")).text == "100\u202f%"
    assert progress_cell(None).text == ""


def test_a_long_series_keeps_its_last_point() -> None:
    points = spark_points([Decimal(n) for n in range(500)])
    assert (len(points), points[0], points[-1]) == (60, 0, 499)
