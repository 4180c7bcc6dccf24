"""Money that does not add up is found and named."""

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from execution_engine.adapters.storage.store import SqliteStore
from execution_engine.adapters.storage.verify import verify
from execution_engine.domain.rows import Archive, Fill, Group, Leg, Order, Purpose
from tests.adapters.storage.making import D, committed, family, fill, order

KINDS = {Group: 0, Leg: 2, Order: 3, Fill: 4}


def test_figures_that_agree_are_fine_open_and_closed(store: SqliteStore, path: Path) -> None:
    committed(store, *family(10), *family(20), Archive(20))
    assert verify(path) == []


@pytest.mark.fault(90)
@pytest.mark.parametrize("archived", [False, True])
@pytest.mark.parametrize(
    ("kind", "field", "sentences"),
    [
        (
            Order,
            "filled_quantity",
            ["Order 13 of group 10: filled quantity", "Leg 12 of group 10: filled quantity"],
        ),
        (Order, "filled_cost", ["Order 13 of group 10: filled cost", "Leg 12 of group 10: filled cost"]),
        (Order, "fee_value", ["Order 13 of group 10: fees", "Leg 12 of group 10: entry fees"]),
        (Fill, "quantity", ["Order 13 of group 10: filled quantity", "Order 13 of group 10: filled cost"]),
        (Fill, "fee_value", ["Order 13 of group 10: fees"]),
        (Leg, "open_quantity", ["Group 10 (BTCUSDT 15m): open quantity"]),
        (Leg, "realized", ["Group 10 (BTCUSDT 15m): realized result"]),
        (Leg, "closed_quantity", ["Group 10 (BTCUSDT 15m): quantity closed by its legs"]),
        (Leg, "proceeds", ["Group 10 (BTCUSDT 15m): proceeds of its legs"]),
        (Group, "filled_quantity", ["Group 10 (BTCUSDT 15m): filled quantity"]),
    ],
)
def test_a_figure_that_is_off_by_the_last_digit_is_named(
    store: SqliteStore, path: Path, kind: Any, field: str, sentences: list[str], archived: bool
) -> None:
    rows = list(family(10))
    wrong = rows[KINDS[kind]]
    rows[KINDS[kind]] = replace(wrong, **{field: getattr(wrong, field) + D("0.000000000000000001")})  # type: ignore[arg-type]
    committed(store, *rows, *([Archive(10)] if archived else []))
    found = verify(path)
    assert len(found) == len(sentences)
    for fault, sentence in zip(found, sentences, strict=True):
        assert fault.startswith(sentence)
        assert " but " in fault


def test_a_close_is_compared_with_its_legs(store: SqliteStore, path: Path) -> None:
    quantity, cost = D("0.00100"), D("65.1")
    close = order(
        15, 10, purpose=Purpose.EXIT, parts=((12, quantity),), filled_quantity=quantity, filled_cost=cost
    )
    sold = fill(16, 15, 10, quantity=quantity, price=D(65_100), fee_value=D(0), purpose=Purpose.EXIT)
    group, pyramid, leg, *entry = family(10)
    held = leg.filled_quantity - quantity
    leg = replace(leg, closed_quantity=quantity, proceeds=cost, open_quantity=held)
    committed(store, replace(group, open_quantity=held), pyramid, leg, *entry, close, sold)
    assert verify(path) == []


def test_a_fill_without_its_order_is_named(path: Path) -> None:
    store = SqliteStore(path)
    committed(store, *family(10))
    store.close()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE fills SET order_id = 99")
    assert verify(path) == ["Row 14 of fills refers to a row of orders that is not there."]


def test_a_damaged_index_is_named(path: Path) -> None:
    store = SqliteStore(path)
    committed(store, *family(10))
    store.close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute("DELETE FROM sqlite_master WHERE name = 'ix_fills_order_id'")
        connection.commit()
    assert any("The file is damaged" in fault for fault in verify(path))
