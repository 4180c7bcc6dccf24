"""Trades and the audit log as files: exact, whole, and harmless to a spreadsheet."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from execution_engine.adapters.storage.errors import ExportRefused
from execution_engine.adapters.storage.export import export
from execution_engine.adapters.storage.store import SqliteStore
from execution_engine.domain import audit
from execution_engine.domain.rows import AuditEntry, GroupStatus
from tests.adapters.storage.making import NOW, committed, group

D = Decimal


@pytest.fixture
def filled(store: SqliteStore) -> SqliteStore:
    closed = replace(
        group(1),
        status=GroupStatus.CLOSED,
        filled_quantity=D("0.10000000"),
        avg_entry=D("64000.5"),
        realized=D("-12.340"),
        closed_at=NOW,
        close_reason='=HYPERLINK("x")',
    )
    never = replace(group(2), status=GroupStatus.CLOSED, filled_quantity=D(0), closed_at=NOW)
    entry = audit.chain("", AuditEntry(id=3, at=NOW, act="exit", detail="Closed “BTC”,\nby hand"))
    committed(store, closed, never, group(4), entry)
    return store


def test_trades_are_exact_in_both_forms_and_formulas_are_disarmed(
    filled: SqliteStore, path: Path, tmp_path: Path
) -> None:
    assert export(path, "trades", tmp_path / "trades.csv") == 1
    with (tmp_path / "trades.csv").open(newline="", encoding="utf-8") as file:
        (row,) = csv.DictReader(file)
    assert (row["group"], row["average_entry"], row["realized"]) == ("1", "64000.5", "-12.340")
    assert row["reason"] == '\'=HYPERLINK("x")'
    assert export(path, "trades", tmp_path / "trades.JSON") == 1
    (plain,) = json.loads((tmp_path / "trades.JSON").read_text(encoding="utf-8"))
    assert (plain["realized"], plain["reason"]) == ("-12.340", '=HYPERLINK("x")')
    assert plain["closed_at"].endswith("Z")


def test_the_audit_log_can_be_verified_from_what_was_written(
    filled: SqliteStore, path: Path, tmp_path: Path
) -> None:
    export(path, "audit", tmp_path / "audit.json")
    (plain,) = json.loads((tmp_path / "audit.json").read_text(encoding="utf-8"))
    assert list(audit.verify([AuditEntry(**plain | {"at": NOW})])) == []
    export(path, "audit", tmp_path / "audit.csv")
    with (tmp_path / "audit.csv").open(newline="", encoding="utf-8") as file:
        assert next(csv.DictReader(file))["detail"] == "Closed “BTC”,\nby hand"


def test_an_empty_database_makes_an_empty_file(store: SqliteStore, path: Path, tmp_path: Path) -> None:
    assert export(path, "trades", tmp_path / "trades.json") == 0
    assert json.loads((tmp_path / "trades.json").read_text()) == []


def test_a_file_that_cannot_be_written_is_said_and_leaves_nothing(
    store: SqliteStore, path: Path, tmp_path: Path
) -> None:
    with pytest.raises(ExportRefused, match="ends neither in"):
        export(path, "trades", tmp_path / "trades.xlsx")
    with pytest.raises(ExportRefused, match="could not be written"):
        export(path, "trades", tmp_path / "nowhere" / "trades.csv")
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(ExportRefused):
        export(path, "trades", tmp_path / "folder.csv")
    assert not list(tmp_path.glob(".*partial"))
