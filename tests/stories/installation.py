"""The whole program in a data folder of its own: started, spoken to over HTTP and its command socket, killed,
started again. Nothing in it is replaced; what a story sees is what a user and an exchange would see."""

from __future__ import annotations

import http.client
import itertools
import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

from execution_engine.adapters.control import CommandFailed, NotRunning, call
from execution_engine.adapters.exchanges import instruments
from execution_engine.adapters.paths import DataFolder, data_folder
from execution_engine.adapters.storage.verify import verify
from execution_engine.cli import ask
from execution_engine.domain import document as documents
from execution_engine.domain.instrument import Instrument
from execution_engine.domain.instrument import Market as Kind
from execution_engine.main import resources
from tests.nest import Forked, Process

PATIENCE_S = 20.0
# A start imports everything first, which alone takes that long where many do so at once.
START_S = 60.0
LOOK_EVERY_S = 0.02
D = Decimal

Plain = dict[str, Any]

# The program's own log lines, which a run without a window also shows on standard error.
_LOG_LINE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (?P<level>[A-Z]+) +[A-Z]+ +")
# Printed by the offscreen platform for every window; there is nothing to fix.
_OFFSCREEN = "This plugin does not support propagateSizeHints()"
# Said where the first reading of an account comes before the vault is open: on a busy machine it takes seconds.
_NOT_YET_OPEN = "are in the vault, which is being opened."


@dataclass(frozen=True, slots=True)
class Told:
    """An answer of the listener."""

    status: int
    body: Plain

    @property
    def alert(self) -> str:
        return str(self.body["alert_id"])


class Installation:
    """One data folder and the process that runs on it.

    options: more arguments of the program. settings: dotted paths and values, saved before the first start.
    routes: a file that says where exchanges' names lead, so that none of them is the real one. nest: what makes
    its processes; without one each begins with importing everything, as the program does.
    """

    def __init__(
        self,
        root: Path,
        *,
        options: Sequence[str] = (),
        environment: dict[str, str] | None = None,
        routes: Path | None = None,
        nest: Process | None = None,
        **settings: Any,
    ) -> None:
        self.root = root
        self.options = ["--headless", "--port", "0", "--paper-feed", "manual", *options]
        self.environment = os.environ | (environment or {})
        self.command_line = [sys.executable, "-m", "execution_engine"]
        self.program = (
            [sys.executable, "-m", "tests.stories.led", str(routes)] if routes else self.command_line
        )
        self.nest = nest
        self._nests_environment = dict(self.environment)
        self.process: subprocess.Popen[bytes] | Forked | None = None
        self.said = root.parent / f"{root.name}.stderr"
        self.expected_errors: list[str] = []
        self._numbers = itertools.count(1)
        self._connection: http.client.HTTPConnection | None = None
        if settings:
            self.configure(**settings)

    @property
    def folder(self) -> DataFolder:
        return data_folder(self.root)

    # -- its life

    def start(self, *, ready: bool = True) -> Self:
        """Start the program and wait until it answers; `ready`: until it trades as well."""
        self.spawn()
        self._until_it_answers()
        if ready:
            self.wait_for(lambda state: state["engine"]["status"] in ("running", "paused"))
        return self

    def start_restored(self) -> Self:
        """Start on a backup that was restored, which sends nothing until somebody says that trading may go on."""
        self.start(ready=False)
        self.wait_for(lambda state: state["engine"]["status"] == "hold")
        (why, *_) = self.state()["engine"]["reasons"]
        assert "was restored" in why, why
        assert self.cli("resume").returncode == 0
        self.wait_for(lambda state: state["engine"]["status"] == "running")
        return self

    def spawn(self) -> None:
        """Begin a process without waiting for anything."""
        arguments = [*self.options, "--data-dir", str(self.root)]
        if self.nest is not None and self.environment == self._nests_environment:
            self.process = Forked(self.nest, arguments, self.said)
            return
        with self.said.open("ab") as out:
            self.process = subprocess.Popen(
                [*self.program, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=out,
                env=self.environment,
            )

    def _until_it_answers(self) -> None:
        def answered() -> list[Plain] | None:
            assert self.process is not None
            assert self.process.poll() is None, f"it ended by itself:\n{self.stderr()[-3000:]}"
            try:
                return list(self.command("webhook"))
            except (NotRunning, CommandFailed):
                return None

        until(answered, "the program answers", self.stderr, START_S)
        self.find_address()

    def find_address(self) -> None:
        """Ask where the listener is; alerts and prices go there from now on."""
        (first, *_) = self.command("webhook")
        parts = urlsplit(first["url"])
        self.token = str(first["token"])
        self.path = parts.path
        self.address = (str(parts.hostname), int(parts.port or 0))
        self._hang_up()

    def _hang_up(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def kill(self) -> None:
        """End the process as a power cut would."""
        self._end(signal.SIGKILL)

    def restart(self, *, ready: bool = True) -> Self:
        """Kill the program and start it again on the same folder."""
        self.kill()
        return self.start(ready=ready)

    def stop(self) -> None:
        """End the program as the system would, and look whether it did so in order and without complaint."""
        assert self._end(signal.SIGTERM) == 0, self.stderr()[-3000:]
        self.look_for_complaints()

    def _end(self, number: signal.Signals) -> int:
        assert self.process is not None
        self._hang_up()
        self.process.send_signal(number)
        status = self.process.wait(PATIENCE_S)
        self.process = None
        return status

    def give_up(self) -> None:
        """Leave no process and no connection behind, whatever state a story ended in."""
        self._hang_up()
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait(PATIENCE_S)

    # -- what it is told

    def request(self, method: str, path: str, body: object = None, **headers: str) -> Told:
        """Send one request on the connection that is kept open."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        for fresh in (False, True):
            if self._connection is None or fresh:
                self._hang_up()
                self._connection = http.client.HTTPConnection(*self.address, timeout=PATIENCE_S)
            try:
                self._connection.request(method, path, raw, {"Content-Type": "application/json"} | headers)
                answer = self._connection.getresponse()
                text = answer.read()
                return Told(answer.status, json.loads(text) if text else {})
            except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError):
                # A kept connection may have been closed while nothing was said; a fresh one has no excuse.
                if fresh:
                    raise
        raise AssertionError("unreachable")

    def send(self, body: object) -> Told:
        """Post a body to the webhook as it is."""
        return self.request("POST", self.path, body)

    def alert(self, symbol: str, **fields: Any) -> Told:
        """Send an alert in the flat form; what is not given is an entry to buy on 15 minutes, with a new id.

        symbol: as charts name it, `BINANCE:BTCUSDT`.
        """
        exchange, _, ticker = symbol.rpartition(":")
        body: Plain = {"exchange": exchange or "BINANCE", "symbol": ticker, "timeframe": "15"} | fields
        if not {"action", "type", "market_position"} & set(fields):
            body["action"] = "buy"
        body.setdefault("id", f"story {next(self._numbers)} {time.time_ns()}")
        return self.send({name: value for name, value in body.items() if value is not None})

    def accepted(self, symbol: str, **fields: Any) -> str:
        """Send an alert that must be taken and return its id."""
        told = self.alert(symbol, **fields)
        assert told.status == 202, told
        assert told.body["status"] == "accepted"
        return told.alert

    def price(self, symbol: str, price: object) -> None:
        """Move a practice price; returns once everything that it fills was taken in."""
        bearer = {"Authorization": f"Bearer {self.token}"}
        told = self.request("POST", "/paper/price", {"symbol": symbol, "price": str(price)}, **bearer)
        assert told.status == 200, told

    def command(self, name: str, **args: Any) -> Any:
        """Ask over the command socket, as the command line does."""
        return call(self.folder.control, name, args, PATIENCE_S)

    def configure(self, **settings: Any) -> None:
        """Save settings, with the engine or without: `pool__max_open_groups=1` is `pool.max_open_groups`."""
        document = documents.parse(ask(self.folder, "settings"))
        for path, value in settings.items():
            document = documents.with_value(document, path.replace("__", "."), value)
        ask(self.folder, "save", {"document": documents.dump(document), "note": "a story"})

    def cli(self, *words: str, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
        """Run one command of the command line in a process of its own."""
        return subprocess.run(
            [*self.command_line, *words, "--data-dir", str(self.root)],
            capture_output=True,
            text=True,
            input=stdin or "",
            timeout=PATIENCE_S * 2,
            env=self.environment,
            check=False,
        )

    # -- what it shows

    def state(self) -> Plain:
        shown: Plain = self.command("state")
        return shown

    def wait_for(self, true: Callable[[Plain], object], what: str = "") -> Plain:
        """Look at the state until something holds, and return that state."""
        seen: list[Plain] = []

        def holds() -> bool:
            seen[:] = [self.state()]
            return bool(true(seen[0]))

        until(holds, what or "the state", lambda: json.dumps(seen, indent=1, ensure_ascii=False)[-12000:])
        return seen[0]

    def groups(self, symbol: str) -> list[Plain]:
        """Return the groups of a market, oldest first."""
        return groups_of(self.state(), symbol)

    def group(self, symbol: str, *statuses: str, after: int = 0) -> Plain:
        """Wait until the newest group of a market has one of these states, and return it.

        after: how many older groups the market must have had.
        """

        def found(state: Plain) -> bool:
            groups = groups_of(state, symbol)
            return len(groups) > after and groups[-1]["status"] in statuses

        return groups_of(self.wait_for(found, f"{symbol} is {' or '.join(statuses)}"), symbol)[-1]

    def live(self, symbol: str, legs: int = 5, after: int = 0) -> Plain:
        """Wait until every leg of the newest group of a market rests on the exchange or has filled."""

        def rests(state: Plain) -> bool:
            groups = groups_of(state, symbol)
            if len(groups) <= after:
                return False
            placed = [leg for leg in legs_of(groups[-1]) if leg["status"] in ("open", "filled")]
            return len(placed) == legs

        return groups_of(self.wait_for(rests, f"{legs} legs of {symbol} rest"), symbol)[-1]

    def outcome(self, alert: str) -> tuple[str, str]:
        """Wait until an alert has its outcome and return it with the reason."""

        def decided(state: Plain) -> bool:
            return self.told_of(state, alert)["outcome"] not in (None, "queued")

        row = self.told_of(self.wait_for(decided, f"alert {alert} is decided"), alert)
        return row["outcome"], row["reason"]

    def queued(self, alert: str) -> Plain:
        """Wait until an alert waits in the queue and return its entry there."""
        state = self.wait_for(lambda state: self.told_of(state, alert)["outcome"] == "queued", "queued")
        return dict(state["queue"][-1])

    @staticmethod
    def told_of(state: Plain, alert: str) -> Plain:
        found: Plain = next(row for row in state["alerts"] if row["id"] == alert)
        return found

    def stderr(self) -> str:
        return self.said.read_text(encoding="utf-8") if self.said.exists() else ""

    def look_for_complaints(self) -> None:
        """Fail for anything on standard error but log lines, and for errors in the log that no story expects."""
        for line in self.stderr().splitlines():
            known = _LOG_LINE.match(line) or line == _OFFSCREEN
            assert known, f"unexpected on standard error: {line}\n{self.stderr()[-6000:]}"
        for line in (self.folder.logs / "engine.log").read_text(encoding="utf-8").splitlines():
            if json.loads(line)["level"] in ("ERROR", "CRITICAL"):
                assert any(part in line for part in [_NOT_YET_OPEN, *self.expected_errors]), line

    # -- what lies on the disk

    def rows(self, statement: str, *values: object, file: str = "engine") -> list[sqlite3.Row]:
        """Ask one of the two databases, without writing."""
        path = self.folder.database if file == "engine" else self.folder.paper
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=PATIENCE_S)) as connection:
            connection.row_factory = sqlite3.Row
            return connection.execute(statement, values).fetchall()

    def paper_orders(self) -> list[sqlite3.Row]:
        return self.rows("SELECT * FROM paper_order ORDER BY id", file="paper")

    def prove_books(self) -> None:
        """Compare both sides: every sum adds up, and each intended order is on the exchange at most once."""
        assert verify(self.folder.database) == []
        intents = {
            row["client_order_id"]: row
            for table in ("orders", "history_orders")
            for row in self.rows(f"SELECT * FROM {table}")
        }
        there = self.paper_orders()
        unknown = [row["client_order_id"] for row in there if row["client_order_id"] not in intents]
        assert not unknown, f"the exchange has orders that the engine does not know: {unknown}"
        for row in there:
            intent = intents[row["client_order_id"]]
            assert D(intent["filled_quantity"]) == D(row["filled_quantity"])
            assert intent["status"] not in ("failed", "rejected"), "it was taken, whatever the engine says"
        self._prove_no_leg_twice(intents, there)

    @staticmethod
    def _prove_no_leg_twice(intents: dict[str, sqlite3.Row], there: Iterable[sqlite3.Row]) -> None:
        entries = Counter(
            intents[row["client_order_id"]]["leg_id"]
            for row in there
            if intents[row["client_order_id"]]["purpose"] == "entry"
        )
        assert [leg for leg, count in entries.items() if count > 1] == []

    def prove_flat(self) -> None:
        """Nothing rests and nothing but dust is held on the exchange."""
        working = [row for row in self.paper_orders() if row["status"] in ("open", "partially_filled")]
        assert working == []
        held = self.rows("SELECT * FROM position WHERE CAST(quantity AS REAL) != 0", file="paper")
        assert held == []


class Markets:
    """Markets that no other story of the same installation uses, so that stories do not disturb each other."""

    def __init__(self) -> None:
        found = instruments.load(resources() / "instruments.json")
        # Steps so fine that legs of 200 USD at a price of 100 are near their weight.
        fine = [row for row in found if row.exchange in ("binance", "bybit") and row.step <= D("0.1")]
        self._left = {
            kind: iter(
                [row for row in fine if row.market is kind and row.min_notional <= 20 and row.min_qty <= 1]
            )
            for kind in Kind
        }

    def spot(self) -> str:
        return self._name(next(self._left[Kind.SPOT]))

    def perpetual(self) -> str:
        return self._name(next(self._left[Kind.SWAP]))

    @staticmethod
    def _name(row: Instrument) -> str:
        return f"{row.exchange.upper()}:{row.symbol}"


def until(
    true: Callable[[], Any], what: str, said: Callable[[], str] = lambda: "", limit_s: float = PATIENCE_S
) -> Any:
    """Ask again and again until the answer is true, and return it; fail after `limit_s`."""
    end = time.monotonic() + limit_s
    while not (answer := true()):
        assert time.monotonic() < end, f"waited {limit_s:g} s for: {what}\n{said()}"
        time.sleep(LOOK_EVERY_S)
    return answer


def groups_of(state: Plain, symbol: str) -> list[Plain]:
    """Return the groups of `BINANCE:BTCUSDT` in a state, oldest first."""
    exchange, _, ticker = symbol.rpartition(":")
    found = [row for row in state["groups"] if (row["exchange"], row["symbol"]) == (exchange.lower(), ticker)]
    return sorted(found, key=lambda row: int(row["id"]))


def legs_of(group: Plain) -> list[Plain]:
    return [leg for pyramid in group["pyramids"] for leg in pyramid["legs"]]


def orders_of(group: Plain, purpose: str | None = None) -> list[Plain]:
    """Return all orders of a group, those of its legs first."""
    found = [order for leg in legs_of(group) for order in leg["orders"]] + group["orders"]
    return [order for order in found if purpose in (None, order["purpose"])]
