"""Saved settings that make no sense never stop the start: the last good ones are used, and it is said why."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from execution_engine.adapters.storage.check import open_database
from execution_engine.adapters.storage.store import SqliteStore
from execution_engine.core import with_sound_settings
from execution_engine.domain import document as documents
from execution_engine.domain.errors import StoreFailed
from execution_engine.domain.rows import Row, SettingsVersion
from execution_engine.domain.settings import Settings

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
GOOD = documents.dump(documents.with_value(Settings(), "pool.max_queue", 7))


def started(folder: Path, *saved: str) -> tuple[int | None, str]:
    """Save documents as they are, start, and return the queue's size in force with what is said."""
    database = folder / "engine.db"
    open_database(database, folder / "backups", NOON)
    store = SqliteStore(database)
    rows: tuple[Row, ...] = tuple(
        SettingsVersion(id=n, saved_at=NOON + timedelta(hours=n), document=text)
        for n, text in enumerate(saved, 1)
    )
    failures: list[StoreFailed | None] = []
    store.write(rows, failures.append)
    assert failures == [None]
    found, fault = with_sound_settings(list(store.load()), database)
    store.close()
    used = next((row for row in found if isinstance(row, SettingsVersion)), None)
    return None if used is None else documents.parse(used.document).pool.max_queue, fault


@pytest.mark.fault(76)
@pytest.mark.parametrize(
    ("broken", "words"),
    [
        (GOOD[: len(GOOD) // 2], "document: ends too early"),
        ("", "document: is empty"),
        ("\x00\x01", "document: is not valid JSON"),
        ("[]", "document: must be an object with sections"),
        (json.dumps({"version": 99}), "version: is 99, written by a newer version of this application"),
        (json.dumps({"version": 0}), "version: must be a whole number from 1 to 1"),
        (
            json.dumps({"pool": {"max_qeue": 3}}),
            "pool.max_qeue: there is no such setting; is max_queue meant?",
        ),
        (json.dumps({"pool": {"max_queue": "many"}}), "pool.max_queue: must be a whole number"),
        (json.dumps({"grid": {"profiles": {}}}), "grid: there is no grid profile"),
        (json.dumps({"risk": {"loss_threshold_percent": 1e999}}), "document: "),
    ],
)
def test_the_last_good_version_is_used_and_the_fault_is_said(tmp_path: Path, broken: str, words: str) -> None:
    used, fault = started(tmp_path, GOOD, broken, broken)
    assert used == 7
    assert fault.startswith(
        "The newest settings make no sense, so those saved on 2026-11-20 13:00 UTC are used: "
    )
    assert words in fault


def test_where_none_is_good_the_defaults_are_used(tmp_path: Path) -> None:
    used, fault = started(tmp_path, "{", "{")
    assert used is None
    assert fault.startswith("The newest settings make no sense, so the defaults are used: ")


def test_good_ones_are_used_without_a_word(tmp_path: Path) -> None:
    assert started(tmp_path, "{", GOOD) == (7, "")
