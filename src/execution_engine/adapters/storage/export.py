"""Trades and the audit log as files that other programs read: CSV or JSON, by the name of the file."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import IO, Any

from execution_engine.adapters.storage.codec import time_text
from execution_engine.adapters.storage.errors import ExportRefused
from execution_engine.adapters.storage.reader import Reader
from execution_engine.domain.money import text
from execution_engine.domain.rows import AuditEntry, Group

Plain = Mapping[str, str | int | None]
ALL = 2**31

# A cell that begins so is a formula to a spreadsheet, and what is in a text is somebody else's.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def export(database: Path, what: str, target: Path) -> int:
    """Write `trades` or `audit` to a file and return how many lines it has. Blocking.

    The file has its name once it is whole. Raises ExportRefused, or StoreFailed if the database cannot be read.
    """
    reader = Reader(database)
    rows = map(_trade, trades(reader)) if what == "trades" else map(_entry, reader.audit())
    return write_rows(target, list(_TRADE if what == "trades" else _ENTRY), rows)


def write_rows(target: Path, names: list[str], rows: Iterable[Plain]) -> int:
    """Write rows to a file by its name, one after another, and return how many there were. Blocking.

    The file has its name once it is whole. Raises ExportRefused.
    """
    write = {".csv": _csv, ".json": _json}.get(target.suffix.casefold())
    if write is None:
        raise ExportRefused(
            f"{target.name} ends neither in .csv nor in .json; one of them says how to write it."
        )
    partial = target.with_name(f".{target.name}.partial")
    try:
        with partial.open("w", encoding="utf-8", newline="") as file:
            count = write(file, names, rows)
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, target)
    except OSError as error:
        raise ExportRefused(
            f"{target} could not be written ({(error.strerror or str(error)).lower()})."
        ) from error
    finally:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
    return count


def trades(reader: Reader) -> list[Group]:
    """Return the groups that ended and ever held anything, oldest first."""
    return [group for group in reversed(reader.ended_groups(ALL)) if group.filled_quantity]


_TRADE: Mapping[str, Callable[[Group], Any]] = {
    "group": lambda group: group.id,
    "world": lambda group: group.world,
    "account": lambda group: group.account,
    "exchange": lambda group: group.exchange,
    "symbol": lambda group: group.symbol,
    "market": lambda group: group.market,
    "timeframe": lambda group: group.timeframe,
    "side": lambda group: group.side,
    "status": lambda group: group.status,
    "opened_at": lambda group: group.created_at,
    "closed_at": lambda group: group.closed_at,
    "pyramids": lambda group: group.pyramid_count,
    "filled_quantity": lambda group: group.filled_quantity,
    "average_entry": lambda group: group.avg_entry,
    "fees": lambda group: group.fees,
    "realized": lambda group: group.realized,
    "quote": lambda group: group.quote,
    "reason": lambda group: group.close_reason,
}
_ENTRY: Mapping[str, Callable[[AuditEntry], Any]] = {
    "id": lambda entry: entry.id,
    "at": lambda entry: entry.at,
    "act": lambda entry: entry.act,
    "origin": lambda entry: entry.origin,
    "detail": lambda entry: entry.detail,
    "hash": lambda entry: entry.hash,
}


def _trade(group: Group) -> Plain:
    return {name: plain(of(group)) for name, of in _TRADE.items()}


def _entry(entry: AuditEntry) -> Plain:
    return {name: plain(of(entry)) for name, of in _ENTRY.items()}


def plain(value: Any) -> str | int | None:
    """Write a value without any loss: exact decimals and times in UTC as text."""
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, Decimal):
        return text(value)
    if isinstance(value, datetime):
        return time_text(value)
    return value if value is None or isinstance(value, int) else str(value)


def _json(file: IO[str], names: list[str], rows: Iterable[Plain]) -> int:
    file.write("[")
    count = 0
    for row in rows:
        file.write(",\n " if count else "\n ")
        json.dump(row, file, ensure_ascii=False)
        count += 1
    file.write("\n]\n")
    return count


def _csv(file: IO[str], names: list[str], rows: Iterable[Plain]) -> int:
    lines = csv.writer(file, lineterminator="\r\n")
    lines.writerow(names)
    count = 0
    for row in rows:
        lines.writerow(list(_cells(names, row)))
        count += 1
    return count


def _cells(names: list[str], row: Plain) -> Iterator[str]:
    for name in names:
        value = row[name]
        cell = "" if value is None else str(value)
        yield f"'{cell}" if cell.startswith(_FORMULA) and not _is_number(cell) else cell


def _is_number(cell: str) -> bool:
    try:
        return Decimal(cell).is_finite()
    except ArithmeticError:
        return False
