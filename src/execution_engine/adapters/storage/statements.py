"""The few statements that write: one per table and batch, however many rows it has.

One statement per table instead of one per row: the interpreter's lock changes hands with each statement, and
a loop that computes meanwhile makes the store wait for it every time. Rows are bound as values: SQLite reads
them twice as fast as the same rows in one JSON text.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from itertools import chain
from typing import Any

from execution_engine.adapters.storage.batch import Batch
from execution_engine.adapters.storage.connect import transaction
from execution_engine.adapters.storage.tables import CURRENT, HISTORY, IDENTITY, NAMES, PARENTS, Stored
from execution_engine.domain.rows import Account, Group, WebhookToken

IDS = "(SELECT value FROM json_each(?))"


def upsert(stored: Stored, count: int) -> str:
    """Return the statement that inserts `count` rows or replaces what can change of those that are there.

    Whose child a row is and what it is known by never changes; SQLite would write their indexes anew each time.
    """
    kind, columns = stored.codec.row_type, stored.codec.columns
    fixed = {stored.key, *PARENTS.get(kind, ()), *IDENTITY.get(kind, ())}
    row = f"({', '.join('?' * len(columns))})"
    changes = ", ".join(f'"{name}" = excluded."{name}"' for name in columns if name not in fixed)
    return (
        f"INSERT INTO {stored.table.name} ({names(stored)}) VALUES {', '.join([row] * count)} "
        f'ON CONFLICT ("{stored.key}") DO UPDATE SET {changes}'
    )


_UPSERTS: dict[tuple[type[Any], int], str] = {}


def upsert_of(row_type: type[Any], count: int) -> str:
    """Return `upsert` of a table; a handful of counts make up nearly all commits."""
    known = _UPSERTS.get((row_type, count))
    return known or _UPSERTS.setdefault((row_type, count), upsert(CURRENT[row_type], count))


def names(stored: Stored) -> str:
    return ", ".join(f'"{name}"' for name in stored.codec.columns)


def moves(source: dict[type[Any], Stored], target: dict[type[Any], Stored]) -> tuple[str, ...]:
    """Return the statements that move groups and all that is theirs: in parents first, out children first."""
    copies, removals = [], []
    for row_type in HISTORY:
        of, to = source[row_type], target[row_type]
        where = f"WHERE {'id' if row_type is Group else 'group_id'} IN {IDS}"
        copies.append(
            f"INSERT INTO {to.table.name} ({names(to)}) SELECT {names(of)} FROM {of.table.name} {where}"
        )
        removals.append(f"DELETE FROM {of.table.name} {where}")
    return (*copies, *reversed(removals))


FEW = 16
MOST_VALUES = 8_000  # bound to one statement; SQLite takes 32,766
TO_HISTORY = moves(CURRENT, HISTORY)
FROM_HISTORY = moves(HISTORY, CURRENT)
ARCHIVED = f"SELECT id FROM history_groups WHERE id IN {IDS}"
IS_ARCHIVED = "SELECT id FROM history_groups WHERE id = ?"
REMOVED = {kind: f"DELETE FROM {NAMES[kind]} WHERE name IN {IDS}" for kind in (Account, WebhookToken)}


def commit(connection: sqlite3.Connection, batch: Batch) -> None:
    """Write a batch in one transaction. Raises sqlite3.Error; then nothing of it is stored."""
    writes = list(statements(batch))
    touched = batch.touched_groups()
    with transaction(connection):
        returned = bring_back(connection, touched) if touched else []
        for statement, values in writes:
            connection.execute(statement, values)
        for kind, statement in REMOVED.items():
            if names := [name for gone, name in batch.removed if gone is kind]:
                connection.execute(statement, (json.dumps(names),))
        # What still happens to a closed group, without opening it again, goes to history with it.
        groups = batch.rows.get(Group, {})
        leaving = [*batch.archive, *(id for id in returned if id not in groups and id not in batch.archive)]
        if leaving:
            move(connection, TO_HISTORY, leaving)


def statements(batch: Batch) -> Iterator[tuple[str, list[Any]]]:
    """Yield what writes a batch, parents before children: statements with the values bound to them."""
    for row_type, stored in CURRENT.items():
        if not (found := batch.rows.get(row_type)):
            continue
        rows = [stored.codec.encode(row) for row in found.values()]
        most, start = MOST_VALUES // len(stored.codec.columns), 0
        while start < len(rows):
            some = rows[start : start + portion(len(rows) - start, most)]
            start += len(some)
            yield upsert_of(row_type, len(some)), list(chain.from_iterable(some))


def portion(count: int, most: int) -> int:
    """Return how many of so many rows the next statement writes.

    A few rows, as an alert or a fill leads to, go at once; more of them in powers of two. Every statement stays
    prepared and takes 4 KB a row: one for each count that ever came up would take 100 MB in the end.
    """
    return count if count <= FEW else 1 << min(count, most).bit_length() - 1


def bring_back(connection: sqlite3.Connection, touched: list[int]) -> list[int]:
    """Move those of the groups that are in history back; return their ids."""
    if len(touched) == 1:  # as nearly always, and then a third as dear
        found = connection.execute(IS_ARCHIVED, touched)
    else:
        found = connection.execute(ARCHIVED, (json.dumps(touched),))
    returned = [id for (id,) in found]
    if returned:
        move(connection, FROM_HISTORY, returned)
    return returned


def move(connection: sqlite3.Connection, statements: tuple[str, ...], ids: list[int]) -> None:
    for statement in statements:
        connection.execute(statement, (json.dumps(ids),))
