"""The columns of the tree, and which of them a window of a given width shows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtWidgets import QAbstractItemDelegate

from execution_engine.domain.rows import GroupStatus
from execution_engine.ui.pages.positions import words
from execution_engine.ui.pages.positions.lines import GroupLine, Line
from execution_engine.ui.tables import Chip, Column, Number, Position, Progress
from execution_engine.ui.theme import px
from execution_engine.ui.tongue import tr

# px that the rows must have for every column, for all but two.
WIDE = 1247
MEDIUM = 1096

WIDTHS: dict[str, dict[str, int]] = {
    "wide": {
        "position": 188,
        "pyramids": 50,
        "legs": 64,
        "entry": 100,
        "price": 100,
        "target": 100,
        "progress": 108,
        "filled": 121,
        "unrealized": 112,
        "percent": 70,
        "mode": 78,
        "status": 108,
        "age": 48,
    },
    "medium": {
        "position": 184,
        "pyramids": 50,
        "legs": 64,
        "entry": 96,
        "price": 96,
        "target": 96,
        "progress": 108,
        "filled": 122,
        "unrealized": 112,
        "percent": 70,
        "status": 104,
    },
    "narrow": {
        "position": 190,
        "legs": 64,
        "entry": 101,
        "price": 101,
        "target": 101,
        "progress": 106,
        "unrealized": 106,
        "percent": 70,
        "status": 104,
    },
}
_STATES = [*GroupStatus]


def width_class(width: int) -> str:
    """Name the set of columns for rows of a width [px]."""
    return "wide" if width >= px(WIDE) else "medium" if width >= px(MEDIUM) else "narrow"


def by_group(value: Callable[[GroupLine], Any]) -> Callable[[Line], Any]:
    """Return a sort key of groups; what hangs below keeps its place."""
    return lambda line: value(line) if isinstance(line, GroupLine) else None


def name_order(line: GroupLine) -> tuple[str, str, int]:
    return line.group.symbol, line.group.timeframe, line.group.id


def columns(now: words.Now) -> tuple[Column[Line], ...]:
    """Return the columns; `now` tells tooltips how old a price is."""
    wide = WIDTHS["wide"]

    def column(
        key: str,
        title: str,
        sort: Callable[[GroupLine], Any],
        tip: Callable[[Line], str],
        hint: str = "",
        unit: str = "",
        left: bool = False,
    ) -> Column[Line]:
        align: Any = "left" if left else "right"
        return Column(
            key=key,
            title=title,
            unit=unit,
            align=align,
            width=wide[key],
            sort_key=by_group(sort),
            tooltip=tip,
            hint=hint,
        )

    return (
        column("position", tr("Position"), name_order, words.position, left=True),
        column(
            "pyramids",
            tr("Pyr."),
            lambda g: g.group.pyramid_count,
            words.pyramids,
            tr("Pyramids, of at most"),
        ),
        column(
            "legs",
            tr("Legs · wt"),
            lambda g: g.filled,
            words.legs,
            tr("Legs filled, of all; of a leg: its weight"),
        ),
        column(
            "entry",
            tr("Entry"),
            lambda g: g.group.avg_entry,
            words.entry,
            tr("Average entry; of an open leg: its limit"),
        ),
        column(
            "price",
            tr("Price"),
            lambda g: g.price,
            lambda line: words.price(line, now()),
            tr("What a close would get"),
        ),
        column(
            "target",
            tr("Target"),
            lambda g: g.goal and g.goal.target,
            words.target,
            tr("The target nearest to the price"),
        ),
        column(
            "progress",
            tr("To target"),
            lambda g: g.progress,
            words.to_target,
            tr("Way from the fill to the target"),
            left=True,
        ),
        column(
            "filled",
            tr("Filled"),
            lambda g: g.group.open_quantity,
            words.filled,
            tr("Held; of a leg: filled of ordered"),
        ),
        column("unrealized", tr("Unrealized"), lambda g: g.unrealized, words.unrealized, unit="USD"),
        column(
            "percent",
            "%",
            lambda g: g.percent,
            words.percent,
            tr("Unrealized in per cent of what is invested"),
        ),
        column("mode", tr("TP mode"), lambda g: g.group.tp_mode.value, words.mode, left=True),
        column("status", tr("Status"), lambda g: _STATES.index(g.group.status), words.status, left=True),
        column("age", tr("Age"), lambda g: -g.group.created_at.timestamp(), words.age),
    )


def delegates() -> dict[str, QAbstractItemDelegate]:
    """Return what paints the columns that are more than text."""
    numbers = {key: Number(2) for key in ("entry", "price", "target", "filled")}
    results = {key: Number(2) for key in ("unrealized", "percent")}
    return {"position": Position(), "progress": Progress(46), "status": Chip(), **numbers, **results}
