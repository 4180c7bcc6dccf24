"""An exchange and an engine as processes of their own, and what a trader, a chart and a power cut do to them."""

from __future__ import annotations

import http.client
import itertools
import json
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from execution_engine.adapters.paths import data_folder
from tests.nest import Forked, Process, Talking
from tests.ports import free_port
from tests.processes.clock import SharedClock
from tests.stories.installation import PATIENCE_S, Installation, until


class Venue:
    """The exchange: its process, its file, its markets."""

    def __init__(self, file: Path, clock: Path, nest: Process) -> None:
        self.file = file
        self._clock = clock
        self._nest = nest
        self._lives = itertools.count(1)
        self._port = free_port()
        self.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        """Start it, always on the same port."""
        arguments = ("--port", str(self._port), "--file", str(self.file), "--clock", str(self._clock))
        life = self.file.with_name(f"{self.file.stem}, life {next(self._lives)}")
        self._process = Talking(self._nest, ["exchange", *arguments], life)
        self._port = self._process.hear()
        self._connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=PATIENCE_S)

    def kill(self) -> None:
        self._connection.close()
        self._process.end()

    def prices(self, prices: Mapping[str, object]) -> None:
        """Move markets (`BINANCE:BTCUSDT`); returns once what they fill is durable at the exchange."""
        moved = [
            [*symbol.lower().split(":")[:1], symbol.partition(":")[2], str(price)]
            for symbol, price in prices.items()
        ]
        self._post("/prices", moved)

    def trouble(self, **asked: Any) -> dict[str, int]:
        """Order faults; returns which have happened how often since the last order."""
        happened: dict[str, int] = json.loads(self._post("/trouble", asked))
        return happened

    def journal(self) -> list[tuple[str, str]]:
        """Return call and account of every request so far, in the order in which they were carried out."""
        return [(call, account) for call, account in json.loads(self._ask("GET", "/journal"))]

    def _post(self, path: str, body: object) -> bytes:
        return self._ask("POST", path, body)

    def _ask(self, method: str, path: str, body: object = None) -> bytes:
        self._connection.request(method, path, json.dumps(body))
        answer = self._connection.getresponse()
        said = answer.read()
        assert answer.status == 200, said
        return said

    def rows(self, statement: str, *values: object) -> list[sqlite3.Row]:
        return read(self.file, statement, *values)


def read(path: Path, statement: str, *values: object) -> list[sqlite3.Row]:
    """Ask a database file without writing."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=PATIENCE_S)) as connection:
        connection.row_factory = sqlite3.Row
        return connection.execute(statement, values).fetchall()


class Engine(Installation):
    """The application as a process, its accounts at the venue, its listener always on the same port."""

    def __init__(self, root: Path, venue: Venue, nest: Process, clock: Path, **settings: Any) -> None:
        self.port = free_port()
        self._priced: set[str] = set()
        self._arguments = ["engine", "--data-dir", str(root), "--exchange", venue.url, "--clock", str(clock)]
        self._arguments += ["--port", str(self.port)]
        is_new = not data_folder(root).database.exists()
        super().__init__(root, nest=nest, **({"orders__poll_s": 1} | settings if is_new else settings))
        self.venue = venue
        self.clock = SharedClock(clock)
        self.address = ("127.0.0.1", self.port)
        (row,) = self.rows("SELECT token FROM webhook_tokens")
        self.token, self.path = row["token"], f"/webhook/{row['token']}"

    def spawn(self) -> None:
        """Begin a process without waiting for anything."""
        assert self.nest is not None
        self.process = Forked(self.nest, self._arguments, self.said)

    def price(self, symbol: str, price: object) -> None:
        """Move a market at the exchange; the engine hears of it when it hears of it, of the first price now.

        Without any price it would not wait for one: an entry would be rejected.
        """
        self.venue.prices({symbol: price})
        if symbol not in self._priced:
            self._priced.add(symbol)
            until(self._has_heard_of_all, f"the first price of {symbol} is heard")

    def runs_again(self) -> bool:
        """Return whether it does after it could not, and has heard the prices, which it then knows no more."""
        return self.request("GET", "/health").status == 200 and self._has_heard_of_all()

    def _has_heard_of_all(self) -> bool:
        health = self.request("GET", "/health")
        return int(health.body["prices"]["markets"]) >= len(self._priced)

    def rows(self, statement: str, *values: object, file: str = "engine") -> list[sqlite3.Row]:
        return read(self.folder.database if file == "engine" else self.venue.file, statement, *values)


def places(engine: Engine) -> int:
    """Return how many orders or batches of orders have reached the exchange."""
    return sum(call == "place" for call, _ in engine.venue.journal())
