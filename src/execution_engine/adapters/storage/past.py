"""Archived groups that something more happened to."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from execution_engine.adapters.storage.reader import Reader
from execution_engine.domain.inputs import History


class StoredPast:
    """Finds in the database what the book has let go of."""

    def __init__(self, path: Path) -> None:
        self._reader = Reader(path)

    async def group_of(self, client_order_id: str) -> History | None:
        """Return the group of an order with all its fills; None if there is no such order.

        Raises StoreFailed.
        """
        return await asyncio.to_thread(self.find, client_order_id)

    async def trades_of(self, client_order_ids: Sequence[str]) -> dict[str, frozenset[str]]:
        """Return the ids of the trades that are stored of each order; one that nobody knows is left out.

        Raises StoreFailed.
        """
        return await asyncio.to_thread(self._reader.trades_of, client_order_ids)

    def find(self, client_order_id: str) -> History | None:
        """Do the same at once. Blocking."""
        order = self._reader.order_by_client_id(client_order_id)
        past = self._reader.group_rows(order.group_id) if order is not None else None
        return None if past is None else replace(past, fills=tuple(self._reader.fills(past.group.id)))
