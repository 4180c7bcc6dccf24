"""The layout of columns: what is remembered between starts, as a small JSON text."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from execution_engine.ui.tables.header import Header
from execution_engine.ui.tables.rows import RowsModel
from execution_engine.ui.theme import px


def reset(header: Header, model: RowsModel[Any]) -> None:
    """Put every column back where it was made: place, width, shown or not, default order."""
    for logical, column in enumerate(model.columns):
        header.moveSection(header.visualIndex(logical), logical)
        header.setSectionHidden(logical, column.hidden)
        header.resizeSection(logical, px(column.width))
    model.sort_by(None)


def show(header: Header, model: RowsModel[Any], widths: Mapping[str, int]) -> None:
    """Show only these columns, with these widths [px]; the last one takes the rest."""
    for logical, column in enumerate(model.columns):
        header.setSectionHidden(logical, column.key not in widths)
        if column.key in widths:
            header.resizeSection(logical, px(widths[column.key]))


def save(header: Header, model: RowsModel[Any], opened: Iterable[object]) -> str:
    """Return the layout as JSON: columns from left to right, order, open rows."""
    logicals = sorted(range(len(model.columns)), key=header.visualIndex)
    columns = [
        [model.columns[each].key, _width(header, each), header.isSectionHidden(each)] for each in logicals
    ]
    open_rows = sorted(str(key) for key in opened)
    return json.dumps(
        {"columns": columns, "sort": [model.sort_column, model.sort_descending], "open": open_rows}
    )


def restore(header: Header, model: RowsModel[Any], text: str) -> set[str]:
    """Take over a saved layout as far as its columns still exist, and return the rows that were open.

    A text that is not a saved layout changes nothing.
    """
    try:
        saved = json.loads(text)
        columns = [(str(key), int(width), bool(hidden)) for key, width, hidden in saved["columns"]]
        column, descending = saved["sort"]
        opened = {str(key) for key in saved["open"]}
    except (ValueError, TypeError, KeyError):
        return set()
    logical_of = {each.key: logical for logical, each in enumerate(model.columns)}
    known = [(logical_of[key], width, hidden) for key, width, hidden in columns if key in logical_of]
    for visual, (logical, width, hidden) in enumerate(known):
        header.moveSection(header.visualIndex(logical), visual)
        header.setSectionHidden(logical, hidden and logical > 0)
        if width > 0:
            header.resizeSection(logical, width)
    _let_last_stretch(header, model)
    model.sort_by(column, bool(descending))
    return opened


def _let_last_stretch(header: Header, model: RowsModel[Any]) -> None:
    """Give the last column its first width: saved was the rest it took in a window of another size."""
    shown = [each for each in range(header.count()) if not header.isSectionHidden(header.logicalIndex(each))]
    if shown and header.stretchLastSection():
        last = header.logicalIndex(shown[-1])
        header.resizeSection(last, px(model.columns[last].width))


def _width(header: Header, logical: int) -> int:
    # A hidden section says 0; shown again it gets the width it was made with.
    return header.sectionSize(logical)
