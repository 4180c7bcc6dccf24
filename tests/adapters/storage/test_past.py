"""Archived groups are found by the orders they had, with all their fills."""

from __future__ import annotations

from dataclasses import replace

from execution_engine.adapters.storage.past import StoredPast
from execution_engine.adapters.storage.store import SqliteStore
from execution_engine.domain.inputs import History
from execution_engine.domain.rows import Archive
from tests.adapters.storage.making import committed, family


async def test_the_group_of_an_archived_order_comes_with_its_fills(store: SqliteStore) -> None:
    rows = family(10)
    committed(store, *rows, Archive(10))
    group, pyramid, leg, order, fill = rows
    found = await StoredPast(store.path).group_of("c13")
    assert found == History(group=group, pyramids=(pyramid,), legs=(leg,), orders=(order,), fills=(fill,))


async def test_an_order_that_is_nowhere_has_no_group(store: SqliteStore) -> None:
    assert await StoredPast(store.path).group_of("c1") is None


async def test_what_comes_back_is_loaded_again(store: SqliteStore) -> None:
    rows = family(10)
    committed(store, *rows, Archive(10))
    past = await StoredPast(store.path).group_of("c13")
    assert past is not None
    committed(store, replace(past.group, hold="a late fill"))
    assert len(list(store.load())) == len(rows)


async def test_the_trades_of_open_and_archived_orders_are_found_together(store: SqliteStore) -> None:
    committed(store, *family(10), Archive(10))
    committed(store, *family(20))
    trades = await StoredPast(store.path).trades_of(["c13", "c23", "c99"])
    assert trades == {
        "c13": frozenset({family(10)[-1].trade_id}),
        "c23": frozenset({family(20)[-1].trade_id}),
    }


async def test_an_order_without_trades_is_known_all_the_same(store: SqliteStore) -> None:
    *rows, _ = family(10)
    committed(store, *rows)
    assert await StoredPast(store.path).trades_of(["c13"]) == {"c13": frozenset()}
