"""What waits to be written, brought together: the newest version of each row, and what goes to history."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from execution_engine.adapters.storage.tables import CURRENT
from execution_engine.domain.rows import (
    Account,
    AccountRemoved,
    Archive,
    Fill,
    Group,
    Leg,
    Order,
    Pyramid,
    Row,
    TokenRemoved,
    WebhookToken,
)

FAMILY = (Pyramid, Leg, Order, Fill)
REMOVABLE_BY: dict[type[Any], type[Any]] = {AccountRemoved: Account, TokenRemoved: WebhookToken}
REMOVABLE = frozenset(REMOVABLE_BY.values())


class Batch:
    """The rows of one transaction.

    rows: by type and key, the newest version of each.
    archive: ids of groups that go to history at the end; a group written again after that stays.
    removed: rows that are deleted, by type and name; one that was added again after that stays.
    """

    def __init__(self) -> None:
        self.rows: dict[type[Any], dict[int | str, Any]] = {}
        self.archive: dict[int, None] = {}
        self.removed: dict[tuple[type[Any], str], None] = {}

    def add(self, rows: Iterable[Row]) -> None:
        """Take in rows that were decided after all those already here."""
        for row in rows:
            kind = type(row)
            stored = CURRENT.get(kind)
            if stored is None:
                self._take_away(row)
                continue
            key = getattr(row, stored.key)
            self.rows.setdefault(kind, {})[key] = row
            if kind is Group:
                self.archive.pop(key, None)
            elif kind in REMOVABLE:
                self.removed.pop((kind, key), None)

    def _take_away(self, row: Row) -> None:
        if isinstance(row, Archive):
            self.archive[row.group_id] = None
            return
        gone = REMOVABLE_BY[type(row)]
        name: str = row.name  # type: ignore[union-attr]
        self.removed[gone, name] = None
        self.rows.get(gone, {}).pop(name, None)

    def __bool__(self) -> bool:
        return bool(self.rows or self.archive or self.removed)

    def touched_groups(self) -> list[int]:
        """Return the ids of the groups that these rows belong to."""
        touched: dict[int, None] = dict.fromkeys(self.rows.get(Group, {}))  # type: ignore[arg-type]
        for kind in FAMILY:
            for row in self.rows.get(kind, {}).values():
                touched[row.group_id] = None
        return list(touched)
