"""Rows come back from the database exactly as they went in."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import make_dataclass
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from execution_engine.adapters.storage.codec import Codec, time_text
from execution_engine.adapters.storage.connect import connect
from execution_engine.adapters.storage.statements import names, upsert_of
from execution_engine.adapters.storage.store import SqliteStore
from execution_engine.adapters.storage.tables import CURRENT
from execution_engine.domain.rows import Group
from tests.adapters.storage.making import NOW, any_of, committed, group, line


@pytest.fixture(scope="module")
def connection(
    tmp_path_factory: pytest.TempPathFactory, empty_database: bytes
) -> Iterator[sqlite3.Connection]:
    path = tmp_path_factory.mktemp("codec") / "engine.sqlite"
    path.write_bytes(empty_database)
    with closing(connect(path)) as connection:
        connection.execute("PRAGMA foreign_keys = OFF")  # one row at a time, without its parents
        connection.execute("PRAGMA synchronous = OFF")
        yield connection


@pytest.mark.fault(85)
@pytest.mark.parametrize("row_type", CURRENT, ids=lambda row_type: row_type.__name__)
@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_any_row_comes_back_to_the_last_digit(
    row_type: Any, connection: sqlite3.Connection, data: Any
) -> None:
    row, stored = data.draw(any_of(row_type)), CURRENT[row_type]
    connection.execute(f"DELETE FROM {stored.table.name}")
    values = stored.codec.encode(row)
    connection.execute(upsert_of(row_type, 1), values)
    (values,) = connection.execute(f"SELECT {names(stored)} FROM {stored.table.name}")
    back = stored.codec.decode(values)
    assert back == row
    assert everything(back) == everything(row)


def everything(row: Any) -> list[str]:
    """Write out what equality overlooks: 1.0 is not 1.00, and a secret is left out of `repr`."""
    return [repr(getattr(row, name)) for name in type(row).__dataclass_fields__]


def test_an_exponent_is_written_out() -> None:
    codec = CURRENT[Group].codec
    values = codec.encode(group(fees=Decimal("1E+3"), realized=Decimal("-2E-9")))
    assert values[codec.columns.index("fees")] == "1000"
    assert values[codec.columns.index("realized")] == "-0.000000002"


@pytest.mark.fault(66)
def test_times_sort_as_texts_and_are_utc() -> None:
    later = NOW.astimezone(timezone(timedelta(hours=-9))) + timedelta(microseconds=1)
    assert time_text(NOW) == "2026-11-20T10:03:38.123456Z"
    assert time_text(datetime(2026, 11, 20, tzinfo=UTC)) == "2026-11-20T00:00:00.000000Z"
    assert time_text(NOW) < time_text(later) == "2026-11-20T10:03:38.123457Z"


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="no zone"):
        Codec(Group).encode(group(created_at=NOW.replace(tzinfo=None)))


def test_a_field_that_could_be_two_things_is_no_column() -> None:
    with pytest.raises(TypeError, match="cannot hold"):
        Codec(make_dataclass("Odd", [("id", int | str)]))


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ('a "quoted" \\u0000 text, ünïcödé and 😀\n', 'a "quoted" \\u0000 text, ünïcödé and 😀\n'),
        ("cut\0here", "cut\ufffdhere"),
        ("half \ud83d of a pair", "half \ufffd of a pair"),
        ("\0\udc00\\u0000", "\ufffd\ufffd\\u0000"),
    ],
)
def test_texts_that_no_database_can_hold_lose_one_character_and_nothing_else(
    store: SqliteStore, path: Path, text: str, stored: str
) -> None:
    committed(store, line(1, text))
    with closing(connect(path)) as connection:
        assert connection.execute("SELECT text FROM system_log").fetchall() == [(stored,)]


def test_a_field_added_to_a_nested_row_later_gets_its_default() -> None:
    codec = CURRENT[Group].codec
    values = codec.encode(group())
    at = codec.columns.index("grid")
    assert codec.decode([*values[:at], "[]", *values[at + 1 :]]).grid == ()
