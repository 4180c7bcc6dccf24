"""A bit turns over in the database: the engine starts, or says in a sentence why not, and overwrites nothing."""

import random
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from execution_engine.adapters.clock import SystemClock
from execution_engine.adapters.exchanges import instruments
from execution_engine.adapters.storage.check import open_database
from execution_engine.adapters.storage.store import SqliteStore
from execution_engine.core import load_book
from execution_engine.domain.errors import EngineError
from execution_engine.domain.symbols import Catalogue
from execution_engine.main import resources
from tests.processes.house import Engine

FLIPS = 150
BTC = "BINANCE:BTCUSDT"


def outcome(path: Path, catalogue: Catalogue) -> str:
    """Start as the application does; returns the sentence that it would end with."""
    try:
        open_database(path, path.parent / "backups", datetime.now(UTC))
        store = SqliteStore(path)
        try:
            load_book(store, catalogue, SystemClock())
        finally:
            store.close()
    except EngineError as error:
        return str(error)
    return ""


@pytest.mark.fault(60)
def test_a_flipped_bit_is_survived_or_told_in_a_sentence(
    house: Callable[..., Engine], tmp_path: Path
) -> None:
    engine = house().start()
    engine.price(BTC, 101)
    engine.accepted(BTC, price=100)
    engine.live(BTC)
    engine.stop()
    with closing(sqlite3.connect(engine.folder.database)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    whole = engine.folder.database.read_bytes()
    catalogue = Catalogue(instruments.load(resources() / "instruments.json"))
    chance = random.Random(4)
    told = 0
    for number in range(FLIPS):
        folder = tmp_path / str(number)
        folder.mkdir()
        flipped = bytearray(whole)
        flipped[chance.randrange(len(whole))] ^= 1 << chance.randrange(8)
        path = folder / "engine.sqlite"
        path.write_bytes(flipped)
        if sentence := outcome(path, catalogue):
            told += 1
            assert "engine.sqlite" in sentence
            assert sentence.endswith(".")
            kept = [file for file in folder.glob("engine*.sqlite") if file.read_bytes() == flipped]
            assert kept or not list(folder.glob("engine-set-aside*"))
        shutil.rmtree(folder)
    assert told
