"""The rules of an exchange's markets on disk: ccxt's words for the markets in use, ours for all of them.

A few of thousands are read at a time, so it is a table and not a document. Every function blocks.
"""

from __future__ import annotations

import json
import os
import sqlite3
import sys
from collections.abc import Collection, Iterable, Iterator
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any

from execution_engine.adapters.exchanges.catalogue import Venue
from execution_engine.adapters.exchanges.translate import chart_symbol, instrument, is_traded
from execution_engine.domain.instrument import Instrument, Market

Json = dict[str, Any]

VERSION = 2
_TABLES = f"""
PRAGMA user_version = {VERSION};
CREATE TABLE market (unified TEXT PRIMARY KEY, native TEXT, chart TEXT, body TEXT, rules TEXT) WITHOUT ROWID;
CREATE INDEX by_native ON market (native);
CREATE INDEX by_chart ON market (chart);
CREATE TABLE reading (at TEXT);
"""
_WORDS = ("exchange", "symbol", "base", "quote")
# Markets end one by one: where more than these are gone at once, the list was not whole.
_MOST_ENDED = 10
_MOST_ENDED_PART = 10  # of all, one of so many

Row = tuple[str, str, str, str, str]


@dataclass(frozen=True, slots=True)
class Written:
    """count: the markets that are traded. ended: those that were, and are not any more."""

    count: int
    ended: int = 0


def write(path: Path, venue: Venue, kind: Market, markets: Iterable[Json], at: datetime) -> Written:
    """Put markets into a new file in the place of the old one; those that ended stay in it, marked.

    Nothing is half there, and an answer without any market leaves the old file.
    """
    old = {row[0]: row for row in _rows(path)}
    new = path.with_suffix(".new")
    new.unlink(missing_ok=True)
    with closing(sqlite3.connect(new)) as db:
        db.executescript(_TABLES)
        count = 0
        for market in markets:
            rules = instrument(venue, market) if is_traded(market, kind) else None
            if rules is None:
                continue
            row = (market["symbol"], market["id"], chart_symbol(market), json.dumps(market), _text(rules))
            count += db.execute(_INSERT, row).rowcount
            old.pop(market["symbol"], None)
        ended = [row for row in old.values() if _is_traded(row)]
        whole = len(ended) <= max(_MOST_ENDED, count // _MOST_ENDED_PART)
        db.executemany(_INSERT, map(_ended, old.values()) if whole else old.values())
        db.execute("INSERT INTO reading VALUES (?)", (at.isoformat(),))
        db.commit()
    if not count:
        new.unlink()
        return Written(0)
    os.replace(new, path)
    return Written(count, len(ended) if whole else 0)


_INSERT = "INSERT OR REPLACE INTO market VALUES (?, ?, ?, ?, ?)"


def _rows(path: Path) -> list[Row]:
    if read_at(path) is None:
        return []
    try:
        with closing(_open(path)) as db:
            return db.execute("SELECT unified, native, chart, body, rules FROM market").fetchall()
    except sqlite3.Error:  # it is damaged, and about to be replaced
        return []


def _is_traded(row: Row) -> bool:
    return bool(json.loads(row[-1])["traded"] == str(True))


def _ended(row: Row) -> Row:
    """Mark a market as one that is not traded; what rests and is held there can still be asked about."""
    return (*row[:-1], json.dumps(json.loads(row[-1]) | {"traded": str(False)}))


def read_at(path: Path) -> datetime | None:
    """Return when the exchange was asked; None without a file that can be used."""
    try:
        with closing(_open(path)) as db:
            if db.execute("PRAGMA user_version").fetchone()[0] != VERSION:
                return None
            row = db.execute("SELECT at FROM reading").fetchone()
            return datetime.fromisoformat(row[0]) if row else None
    except (sqlite3.Error, ValueError):
        return None


def markets(path: Path, *, charts: Collection[str] = (), natives: Collection[str] = ()) -> list[Json]:
    """Return ccxt's words for the markets that charts or the exchange call so."""
    column, names = ("chart", charts) if charts else ("native", natives)
    marks = ", ".join("?" * len(names))
    with closing(_open(path)) as db:
        found = db.execute(f"SELECT body FROM market WHERE {column} IN ({marks})", tuple(names)).fetchall()
    return [json.loads(body) for (body,) in found]


def rules(path: Path) -> list[str]:
    """Return our rules of all markets, as text for `instrument_of`."""
    with closing(_open(path)) as db:
        return [text for (text,) in db.execute("SELECT rules FROM market ORDER BY unified")]


# A few hundred numbers and words make up the rules of thousands of markets, and of the same ones an hour later.
_number = lru_cache(maxsize=4_096)(Decimal)


def instruments(texts: Iterable[str]) -> Iterator[Instrument]:
    """Make rules of their texts."""
    for text in texts:
        said = json.loads(text)
        made: dict[str, Any] = {
            name: sys.intern(value) if name in _WORDS else _number(value)
            for name, value in said.items()
            if name not in ("market", "traded")
        }
        yield Instrument(market=Market(said["market"]), traded=said["traded"] == str(True), **made)


def _text(rules: Instrument) -> str:
    return json.dumps({name: str(value) for name, value in asdict(rules).items()})


def _open(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
