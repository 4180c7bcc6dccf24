"""The system log in windows: a million rows, of which a screen sees forty."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, func, literal_column, select

from execution_engine.adapters.storage.codec import time_text
from execution_engine.adapters.storage.export import Plain, plain, write_rows
from execution_engine.adapters.storage.loading import fetch, snapshot
from execution_engine.adapters.storage.tables import CURRENT
from execution_engine.domain.log_lines import LogQuestion
from execution_engine.domain.rows import LogEntry

LOG = CURRENT[LogEntry].table.c
FEW = 5_000  # matching lines: so many are sorted faster than a million are walked through
WINDOW = 5_000
NAMES = ["id", "at", "level", "category", "code", "text", "alert_id", "group_id", "order_id"]


def read_log(path: Path, question: LogQuestion) -> list[LogEntry]:
    """Return a window of lines, oldest first. Blocking. Raises StoreFailed."""
    with snapshot(path) as connection:
        return _window(connection, question)


def count_log(path: Path, question: LogQuestion) -> int:
    """Return how many lines match, whatever the window. Blocking. Raises StoreFailed."""
    everything = replace(question, before_id=None, after_id=None)
    with snapshot(path) as connection:
        wanted = _wanted(connection, everything, walk=False)
        return int(
            connection.execute(select(func.count()).where(*wanted).select_from(LOG.id.table)).scalar_one()
        )


def export_log(path: Path, question: LogQuestion, target: Path) -> int:
    """Write all lines that match to a CSV or JSON file and return how many. Blocking.

    Raises StoreFailed or ExportRefused.
    """
    with snapshot(path) as connection:
        return write_rows(target, NAMES, _all(connection, replace(question, before_id=None)))


def _all(connection: Connection, question: LogQuestion) -> Iterator[Plain]:
    last = 0
    while lines := _window(connection, replace(question, after_id=last, limit=WINDOW)):
        yield from ({name: plain(getattr(line, name)) for name in NAMES} for line in lines)
        last = lines[-1].id


def _window(connection: Connection, question: LogQuestion) -> list[LogEntry]:
    wanted = _wanted(connection, question, walk=not _is_rare(connection, question))
    forward = question.after_id is not None
    statement: Select[Any] = (
        select(LOG.id.table)
        .where(*wanted)
        .order_by(LOG.id if forward else LOG.id.desc())
        .limit(question.limit)
    )
    lines = list(fetch(connection, CURRENT[LogEntry], statement))
    return lines if forward else lines[::-1]


def _is_rare(connection: Connection, question: LogQuestion) -> bool:
    """Tell whether so few lines have the levels and categories that their index is the shorter way."""
    for column, values in ((LOG.level, question.levels), (LOG.category, question.categories)):
        if values:
            some = select(LOG.id).where(column.in_(values)).limit(FEW).subquery()
            if int(connection.execute(select(func.count()).select_from(some)).scalar_one()) < FEW:
                return True
    return False


def _wanted(connection: Connection, question: LogQuestion, *, walk: bool) -> list[ColumnElement[bool]]:
    """Return the conditions; `walk`: in the order of ids, without the indexes of levels and categories.

    The unary plus hides a column from SQLite's indexes: it would sort a million lines to show five hundred.
    """
    level, category = (_plus(LOG.level), _plus(LOG.category)) if walk else (LOG.level, LOG.category)
    found: list[ColumnElement[bool]] = []
    if question.levels:
        found.append(level.in_(question.levels))
    if question.categories:
        found.append(category.in_(question.categories))
    if question.contains:
        found.append(LOG.text.contains(question.contains, autoescape=True))  # LIKE, without case
    if question.before_id is not None:
        found.append(LOG.id < question.before_id)
    if question.after_id is not None:
        found.append(LOG.id > question.after_id)
    if question.since is not None:
        found.append(LOG.id >= _first_at(connection, question.since))
    if question.until is not None:
        found.append(LOG.id < _first_at(connection, question.until))
    return found


def _first_at(connection: Connection, moment: datetime) -> int:
    """Return the id of the first line at a moment or later: lines are numbered as they come."""
    statement = select(LOG.id).where(LOG.at >= time_text(moment)).order_by(LOG.at, LOG.id).limit(1)
    found = connection.execute(statement).scalar()
    return 2**62 if found is None else int(found)


def _plus(column: Any) -> Any:
    return literal_column(f"+system_log.{column.name}")
