"""How a line of the log looks."""

from __future__ import annotations

from collections.abc import Sequence

from execution_engine.domain.facts import Level
from execution_engine.domain.rows import LogEntry
from execution_engine.ui.format import local_date, local_moment, local_time_ms, utc_text, visible
from execution_engine.ui.shapes import Shape
from execution_engine.ui.tables import Cell, Column
from execution_engine.ui.theme import Token
from execution_engine.ui.tongue import tr

LONGEST = 400  # of a message in the list; the rest stands below
_ORDER = {level.value: place for place, level in enumerate(Level)}
_LOOKS: dict[str, tuple[Token, Shape | None]] = {
    Level.DEBUG.value: ("text3", None),
    Level.INFO.value: ("text2", None),
    Level.WARNING.value: ("warn", "warning"),
    Level.ERROR.value: ("danger", "cross"),
    Level.CRITICAL.value: ("danger", "cross"),
}


def _level(line: LogEntry) -> Cell:
    token, shape = _LOOKS.get(line.level, ("text2", None))
    return Cell(line.level, token, shape=shape, bold=line.level == Level.CRITICAL.value)


def _group(line: LogEntry) -> Cell:
    return Cell("" if line.group_id is None else tr("group {group_id}").format(group_id=line.group_id))


def about(line: LogEntry) -> str:
    """Name the alert and the order a line is about."""
    named = ((tr("alert"), line.alert_id), (tr("order"), line.order_id))
    return " · ".join(f"{name} {id}" for name, id in named if id is not None)


def moment(line: LogEntry) -> str:
    """Write when it was, with milliseconds."""
    return f"{local_date(line.at)} {local_time_ms(line.at)}"


COLUMNS: Sequence[Column[LogEntry]] = (
    Column(
        key="time",
        title=tr("Time"),
        width=168,
        cell=lambda line: Cell(moment(line), "text2", raw=line.at.isoformat()),
        tooltip=lambda line: f"{local_moment(line.at)}\n{utc_text(line.at)}",
    ),
    Column(key="level", title=tr("Level"), width=104, cell=_level),
    Column(key="category", title=tr("Category"), width=96, cell=lambda line: Cell(line.category, "text2")),
    Column(
        key="message",
        title=tr("Message"),
        width=560,
        cell=lambda line: Cell(visible(line.text.partition("\n")[0], LONGEST), raw=line.text),
        tooltip=lambda line: line.code,
    ),
    Column(key="group", title=tr("Group"), width=112, cell=_group),
    Column(key="about", title=tr("Alert, order"), width=150, cell=lambda line: Cell(about(line), "text3")),
)
