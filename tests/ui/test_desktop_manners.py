"""What every page owes a person: sentences where nothing is, UTC beside local times, words behind figures, tables that
are chosen from and copied, Tab in the order of reading."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QLabel, QWidget
from shiboken6 import delete

from execution_engine.ui import theme
from execution_engine.ui.places import PLACES
from execution_engine.ui.tables import RowsView
from tests.gallery.checks import faults
from tests.gallery.show import settle, window_of
from tests.house import resources

TIME = re.compile(r"\b\d\d:\d\d:\d\d\b")
ROWS = 5  # of each table that are looked at


@pytest.fixture(autouse=True)
def _dark(qapp: QApplication) -> None:
    theme.apply(qapp, "dark")


async def test_every_page_keeps_its_manners(tmp_path: Path, qloop: object) -> None:
    window = window_of("full", tmp_path, (1440, 900))
    found: list[str] = []
    tables = times = 0
    for place in PLACES:
        window.go(place.key)
        await settle()
        page = window.stage.page(place.key)
        of_page = [table for table in page.findChildren(RowsView) if table.isVisible()]
        tables += len(of_page)
        times += sum(len(list(_times(table))) for table in of_page)
        found += [f"{place.key}: {fault}" for fault in _faults(page, of_page)]
    window.put_away()
    delete(window)  # at once: every theme that is put on later would be put on it, too
    assert tables > 8
    assert times > 5
    assert found == []


async def test_texts_that_are_two_fifths_longer_are_not_cut_either(
    tmp_path: Path, qloop: object, qapp: QApplication
) -> None:
    # Larger letters take what longer words, as German ones, take.
    theme.load_fonts(resources() / "fonts")
    theme.apply(qapp, "dark", scale=1.4)
    window = window_of("full", tmp_path, (1440, 900))
    found: list[str] = []
    for key in ("positions", "queue", "risk", "performance", "settings"):
        window.go(key)
        await settle()
        found += [f"{key}: {fault}" for fault in faults(window)]
    slim = window.sidebar.slim
    theme.apply(qapp, "dark")
    wide = not window.sidebar.slim
    window.put_away()
    delete(window)
    assert found == []
    assert slim
    assert wide


async def test_tables_without_rows_say_something(tmp_path: Path, qloop: object) -> None:
    window = window_of("empty", tmp_path, (1440, 900))
    silent: list[str] = []
    tables = 0
    for place in PLACES:
        window.go(place.key)
        await settle()
        for table in window.stage.page(place.key).findChildren(RowsView):
            if table.isVisible() and table.rows_model.rowCount() == 0:
                tables += 1
                if not any(label.text() for label in table.empty.findChildren(QLabel)):
                    silent.append(f"{place.key}: {table.accessibleName()}")
    window.put_away()
    delete(window)
    assert tables > 5
    assert silent == []


def _faults(page: QWidget, tables: list[RowsView]) -> Iterator[str]:
    for table in tables:
        name = table.accessibleName()
        if not name:
            yield "a table without a name"
        if table.selectionMode() is not RowsView.SelectionMode.ExtendedSelection:
            yield f"{name} lets only one row be selected"
        yield from (f"{name}, {title}: a local time without UTC" for title, told in _times(table) if not told)
        yield from (f"{name}, {title}: a figure without words" for title in _wordless(table))
    for label in page.findChildren(QLabel):
        if label.isVisible() and TIME.search(label.text()) and "UTC" not in label.toolTip():
            yield f"“{label.text()}”: a local time without UTC"
    for (y, x, one), (next_y, next_x, other) in pairwise(_chain(page)):
        if next_y < y - 20 and next_x <= x + 5:
            yield f"Tab goes from {one} up to {other}"


def _times(table: RowsView) -> Iterator[tuple[str, bool]]:
    """Yield the column of every local time, and whether its tooltip says UTC."""
    model = table.rows_model
    for row in range(min(model.rowCount(), ROWS)):
        for at, column in enumerate(model.columns):
            index = model.index(row, at)
            if TIME.search(model.cell(index).text):
                yield column.title, "UTC" in model.tooltip(index)


def _wordless(table: RowsView) -> Iterator[str]:
    """Yield the columns of figures of which neither heading nor any cell says where they come from."""
    model = table.rows_model
    rows = range(min(model.rowCount(), ROWS))
    for at, column in enumerate(model.columns):
        said = column.hint or any(model.tooltip(model.index(row, at)) for row in rows)
        if rows and column.align == "right" and column.title and not said:
            yield column.title


def _chain(page: QWidget) -> Iterator[tuple[int, int, str]]:
    """Yield what Tab reaches on a page, in its order: y, x, name."""
    each, seen = page.nextInFocusChain(), set[QWidget]()
    while each is not page and each not in seen:
        seen.add(each)
        reached = each.isVisible() and each.isEnabled() and each.focusPolicy() & Qt.FocusPolicy.TabFocus
        if page.isAncestorOf(each) and reached:
            at = each.mapTo(page, each.rect().topLeft())
            yield at.y(), at.x(), each.accessibleName() or type(each).__name__
        each = each.nextInFocusChain()
