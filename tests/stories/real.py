"""Local exchanges for stories: served by a thread of the test, reached by the program in a process of its own."""

from __future__ import annotations

import asyncio
import io
import json
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from typing import Any, TypeVar

from execution_engine.adapters.storage.verify import verify
from execution_engine.cli import main
from tests.exchanges import Account, LocalExchanges
from tests.stories.installation import D, Installation, Plain, legs_of

T = TypeVar("T")

DUST = D("0.1")  # LTC
ENDED = ("filled", "cancelled", "expired")


class Outside:
    """Exchanges on a loop of their own; everything that is done to them is done there."""

    def __init__(self, world: LocalExchanges, loop: asyncio.AbstractEventLoop) -> None:
        self._world = world
        self._loop = loop
        self.routes = world.routes_file

    def do(self, work: Callable[[LocalExchanges], T]) -> T:
        done: Future[T] = Future()

        def run() -> None:
            try:
                done.set_result(work(self._world))
            except BaseException as error:
                done.set_exception(error)

        self._loop.call_soon_threadsafe(run)
        return done.result(10)

    def price(self, exchange: str, symbol: str, price: object) -> None:
        """Move a market: the bid where it is said to be, and the ask one tick above."""

        def move(world: LocalExchanges) -> None:
            tick = world[exchange].listings[symbol].rules.tick
            bid = (D(str(price)) / tick).quantize(D(1)) * tick
            world[exchange].price(symbol, bid, bid=bid, ask=bid + tick)

        self.do(move)


@contextmanager
def outside(*names: str) -> Iterator[Outside]:
    """Open local exchanges for as long as the block lasts."""
    ready: Future[Outside] = Future()
    ended = asyncio.Event()

    async def serve() -> None:
        async with LocalExchanges(*names) as world:
            for name in names:
                world[name].unlimited()
            ready.set_result(Outside(world, asyncio.get_running_loop()))
            await ended.wait()

    def run() -> None:
        try:
            asyncio.run(serve())
        except BaseException as error:
            if ready.done():
                raise
            ready.set_exception(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    made = ready.result(30)
    try:
        yield made
    finally:
        made._loop.call_soon_threadsafe(ended.set)
        thread.join(10)


@dataclass
class Trader:
    """One account on a local exchange, and the installation that trades it. symbol: `BINANCE:BTCUSDT`."""

    engine: Installation
    outside: Outside
    exchange: str
    market: str
    mode: str
    theirs: Account

    @property
    def name(self) -> str:
        return f"{self.exchange}-{self.market}-{self.mode}"

    @property
    def ticker(self) -> str:
        return "LTCUSDT" if self.market == "spot" else "LTCUSDT.P"

    @property
    def symbol(self) -> str:
        return f"{self.exchange.upper()}:{self.ticker}"

    def price(self, price: object) -> None:
        self.outside.price(self.exchange, self.ticker, price)

    def command(self, *words: str, stdin: object = None) -> list[str]:
        """Run a command of the command line in this process: a new one each time would take most of the time."""
        out, err, system = io.StringIO(), io.StringIO(), sys.stdin
        sys.stdin = io.StringIO(json.dumps(stdin) if stdin is not None else "")
        try:
            with redirect_stdout(out), redirect_stderr(err):
                status = main([*words, "--data-dir", str(self.engine.root)])
        finally:
            sys.stdin = system
        assert (status, err.getvalue()) == (0, "")
        return out.getvalue().splitlines()

    def add(self) -> None:
        """Add the account with its keys, have them checked, enable it, and wait until it trades."""
        kind = ("--exchange", self.exchange, "--market", self.market, "--mode", self.mode)
        opening = self.engine.options[self.engine.options.index("--password-file") :][:2]
        told = self.command(
            "account", "add", "--name", self.name, *kind, "--stdin", *opening, stdin=self.keys()
        )
        assert told[-1] == f"The keys of account {self.name} are fit."
        assert self.command("account", "enable", self.name) == [f"Account {self.name} is enabled."]
        self.ready()

    def keys(self) -> dict[str, str]:
        keys = self.theirs.keys
        return {"api_key": keys.api_key, "api_secret": keys.secret, "passphrase": keys.passphrase}

    def ready(self) -> None:
        self.engine.wait_for(lambda state: self.status(state) == "ready", f"{self.name} is ready")

    def status(self, state: Plain) -> str | None:
        return next((row["status"] for row in state["accounts"] if row["name"] == self.name), None)

    def reason(self, state: Plain) -> str:
        return next((str(row["reason"]) for row in state["accounts"] if row["name"] == self.name), "")

    def grid(self, price: str = "100", **fields: Any) -> Plain:
        """Send an entry and wait until its whole grid rests on the exchange."""
        self.engine.accepted(self.symbol, price=price, **fields)
        group = self.engine.live(self.symbol)
        there = {order.client_id: order for order in self.orders()}
        for leg in legs_of(group):
            (entry,) = [order for order in leg["orders"] if order["purpose"] == "entry"]
            order = there[entry["client_order_id"]]
            assert order.open
            assert (order.price, order.quantity) == (D(entry["price"]), D(entry["quantity"]))
        return group

    def legs(self, *statuses: str) -> list[Plain]:
        """Wait until the newest grid's legs stand like this: f filled, o open, h at its target, c cancelled."""
        letters = {"f": "filled", "h": "tp_hit", "o": "open", "c": "cancelled"}
        wanted = [[letters[letter] for letter in row] for row in statuses]
        state = self.engine.wait_for(
            lambda state: [leg["status"] for leg in self._legs(state)] in wanted,
            f"the legs of {self.symbol} are {statuses}",
        )
        return self._legs(state)

    def _legs(self, state: Plain) -> list[Plain]:
        groups = [row for row in state["groups"] if row["account"] == self.name]
        return legs_of(max(groups, key=lambda row: int(row["id"])))

    def orders(self) -> list[Any]:
        return self.outside.do(lambda _: [one for one in self.theirs.orders if one.symbol == self.ticker])

    def prove_same(self) -> None:
        """Compare our ledger with the exchange's: every order, every quantity, every trade; each once."""
        assert verify(self.engine.folder.database) == []
        ours = {
            row["client_order_id"]: row
            for table in ("orders", "history_orders")
            for row in self.engine.rows(f"SELECT * FROM {table} WHERE account = ?", self.name)
        }
        theirs = self.orders()
        assert len({one.client_id for one in theirs}) == len(theirs)
        assert {one.client_id for one in theirs} <= set(ours)
        for one in theirs:
            row = ours[one.client_id]
            assert D(row["filled_quantity"]) == one.filled
            assert D(row["filled_cost"]) == one.value
            assert row["status"] == one.status
        sent = {id for id, row in ours.items() if row["status"] in ("filled", "open", "partially_filled")}
        assert sent <= {one.client_id for one in theirs}
        self._prove_trades(theirs)

    def _prove_trades(self, theirs: list[Any]) -> None:
        fills = [
            (D(row["price"]), D(row["quantity"]), D(row["fee"]), row["fee_currency"])
            for table in ("fills", "history_fills")
            for row in self.engine.rows(f"SELECT * FROM {table} WHERE account = ?", self.name)
        ]
        trades = [
            (trade.price, trade.quantity, trade.fee, trade.fee_currency)
            for one in theirs
            for trade in one.trades
        ]
        assert sorted(fills) == sorted(trades)

    def prove_flat(self) -> None:
        """Nothing rests there, and nothing but dust is held."""
        assert all(one.status in ENDED for one in self.orders())
        if self.market == "swap":
            assert self.outside.do(lambda _: self.theirs.position(self.ticker)) == 0
        else:
            held = self.outside.do(lambda _: self.theirs.wallet("spot").get("LTC", D(0)))
            assert held < DUST
