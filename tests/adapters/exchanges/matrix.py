"""The transport matrix: 17 faults × exchange × what is asked of it, and what is known after each.

`python -m tests.adapters.exchanges.matrix` prints it. A cell says in words what came out; it raises
AssertionError where something unclear was told as success or refusal, an order was doubled or forgotten, or an
error became an empty list. One local exchange and one client serve a third of the cells of an exchange and market.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import sys
import threading
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from multiprocessing.connection import Connection
from typing import Any
from unittest.mock import patch

import pytest

from execution_engine.adapters.exchanges import ccxt_markets
from execution_engine.adapters.exchanges.ccxt_client import TIMEOUT_MS
from execution_engine.adapters.exchanges.ccxt_markets import MarketsUnreadable
from execution_engine.adapters.exchanges.ccxt_own import OwnStream
from execution_engine.adapters.exchanges.translate import CREDENTIALS, FUNDS, RATE, SENTENCES
from execution_engine.domain.inputs import (
    AccountUnreadable,
    Balances,
    Fills,
    OpenOrders,
    OrderReport,
    Verdict,
)
from execution_engine.domain.instrument import Market
from execution_engine.domain.order import prefix
from execution_engine.domain.rows import Order, OrderStatus
from tests.adapters.exchanges.ccxt_stage import INSTALL, Stage, resting, stage
from tests.exchanges import Fault
from tests.waiting import until

EXCHANGES = ("binance", "bybit", "okx", "kucoin")
SHORT_MS = 300  # for answers that never come
WRONG = "WRONG"
PARTS = 3  # most of the time is spent waiting, and three can wait at once

# What each transport fault is, and whether the exchange carried the request out before its answer went wrong.
BROKEN: dict[str, list[tuple[Fault, bool]]] = {
    "time-out before acceptance": [(Fault.TIMEOUT, False)],
    "time-out after acceptance": [(Fault.TIMEOUT, True)],
    "reset": [(Fault.RESET, False), (Fault.RESET, True)],
    "cut body": [(Fault.CUT, False), (Fault.CUT, True)],
    "HTML with 200": [(Fault.HTML, False), (Fault.HTML, True)],
    "empty 200": [(Fault.EMPTY, False), (Fault.EMPTY, True)],
    "5xx": [(Fault.E500, True), (Fault.E502, False), (Fault.E503, True), (Fault.E504, True), (Fault.E520, False)],
    "524": [(Fault.E524, False), (Fault.E524, True)],
    "bad status line": [(Fault.STATUS_LINE, False), (Fault.STATUS_LINE, True)],
    "unknown code": [(Fault.UNKNOWN_CODE, False), (Fault.UNKNOWN_CODE, True)],
}  # fmt: skip
TOO_MANY = {
    "429 with Retry-After": Fault.TOO_MANY,
    "429 without": Fault.TOO_MANY_BARE,
    "418": Fault.BANNED,
}
KNOWN, LATE, MUTE, TWICE = "known code", "delayed index", "mute stream", "twice and out of order"
FAULTS = (*BROKEN, *TOO_MANY, KNOWN, LATE, MUTE, TWICE)
CALLS = ("create", "cancel", "look-up", "balance", "markets")

Cell = tuple[str, str, str, Market]  # fault, call, exchange, market


@dataclass
class Bench:
    """on: the exchange and our account there. told: what the stream of own orders said."""

    on: Stage
    told: list[Any] = field(default_factory=list)

    def calm(self) -> None:
        """The exchange is itself again, and it no longer asks to be left alone."""
        self.on.local.faults.clear()
        self.client.blocked_until = None
        self.client.exchange.timeout = TIMEOUT_MS

    @property
    def client(self) -> Any:
        return self.on.ours.client

    def goes_wrong(self, call: str, fault: Fault, **more: Any) -> None:
        if fault is Fault.TIMEOUT:
            self.client.exchange.timeout = SHORT_MS
        self.on.local.faults.add(call, fault, **more)

    def there(self, order: Order) -> list[Any]:
        """Return what the exchange has of an order of ours; more than one would be a doubled order."""
        return [one for one in self.on.venue.orders.values() if one.client_id == order.client_order_id]

    async def rests(self) -> Order:
        """Place an order that rests there, and return its row."""
        order = self.on.order()
        (report,) = await self.on.place(order)
        assert report.verdict is Verdict.ACCEPTED, report
        return resting(order, report)

    def last(self, order: Order) -> OrderReport | None:
        of = [one for one in self.told if getattr(one, "client_order_id", "") == order.client_order_id]
        return of[-1] if of else None

    def tidy(self) -> None:
        """End what still rests, so that lists stay short."""
        for order in self.on.theirs.open_orders:
            self.on.venue.cancel(order)


# Placing


async def create_broken(bench: Bench, fault: Fault, accepted: bool) -> str:
    on = bench.on
    # Perpetuals are placed as a grid: one request of several orders where the exchange has it.
    grid = on.ours.account.market is Market.SWAP
    orders = [on.order(price=f"{60000 - leg * 100}") for leg in range(3 if grid else 1)]
    bench.goes_wrong("create", fault, accepted=accepted, times=len(orders))
    reports = await on.place(*orders)
    assert {one.verdict for one in reports} == {Verdict.UNKNOWN}, reports
    bench.calm()
    seen = {(await on.ours.look(order)).verdict for order in orders}
    assert seen == {Verdict.ACCEPTED if accepted else Verdict.ABSENT}, seen
    assert {len(bench.there(order)) for order in orders} == {int(accepted)}
    return "unknown, settled by a look-up"


async def create_too_many(bench: Bench, fault: Fault) -> str:
    order = bench.on.order()
    bench.goes_wrong("create", fault)
    (report,) = await bench.on.place(order)
    assert (report.verdict, report.code) == (Verdict.REFUSED, RATE), report
    told_s = {Fault.TOO_MANY: 1, Fault.TOO_MANY_BARE: 10, Fault.BANNED: 120}[fault]
    if (fault, bench.on.local.name) in _WITHOUT_A_TIME:
        told_s = 10
    left = bench.client.blocked_until - bench.on.clock.now()
    assert timedelta(seconds=told_s - 3) < left <= timedelta(seconds=told_s), left
    await left_alone(bench)
    assert not bench.there(order)
    return "refused, nothing leaves for as long as was said"


_WITHOUT_A_TIME = {
    (Fault.TOO_MANY, "bybit"),
    *((Fault.BANNED, name) for name in EXCHANGES if name != "binance"),
}


async def left_alone(bench: Bench) -> None:
    """Nothing more is sent until the time that the exchange said."""
    sent = len(bench.on.local.requests)
    (report,) = await bench.on.place(bench.on.order())
    assert (report.verdict, report.code) == (Verdict.REFUSED, RATE), report
    assert isinstance(await bench.on.ours.balances("main"), AccountUnreadable)
    assert len(bench.on.local.requests) == sent


async def create_known(bench: Bench) -> str:
    order = bench.on.order(quantity="20")
    (report,) = await bench.on.place(order)
    assert (report.verdict, report.code) == (Verdict.REFUSED, FUNDS), report
    assert report.reason.startswith(SENTENCES[FUNDS])
    assert not bench.there(order)
    return "refused, in its own sentence"


async def create_late(bench: Bench) -> str:
    on, order = bench.on, bench.on.order()
    on.local.faults.lag(reads=2)
    bench.goes_wrong("create", Fault.TIMEOUT, accepted=True)
    (report,) = await on.place(order)
    bench.client.exchange.timeout = TIMEOUT_MS
    assert report.verdict is Verdict.UNKNOWN, report
    seen = [(await on.ours.look(order)).verdict for _ in range(4)]
    assert seen[-1] is Verdict.ACCEPTED, seen
    assert Verdict.REFUSED not in seen
    assert len(bench.there(order)) == 1
    return "unknown until the index has it; never refused"


async def create_mute(bench: Bench) -> str:
    order = bench.on.order(price=None)
    (report,) = await bench.on.place(order)
    assert report.verdict is Verdict.ACCEPTED, report
    seen = await bench.on.ours.look(order)
    assert seen.status is OrderStatus.FILLED, seen
    assert sum(one.quantity for one in seen.trades) == order.quantity
    assert len(bench.there(order)) == 1
    return "accepted; what it filled is asked for"


async def create_twice(bench: Bench) -> str:
    on = bench.on
    order = await bench.rests()
    await until(lambda: bench.last(order), 5)
    await filled_twice_and_backwards(bench, order)
    assert len(bench.there(order)) == 1
    assert all(one.verdict is Verdict.ACCEPTED for one in bench.told if isinstance(one, OrderReport))
    on.local.price(on.symbol, "64000")
    return "filled once, each trade once"


async def filled_twice_and_backwards(bench: Bench, order: Order) -> None:
    on = bench.on
    on.local.streams.hold()
    on.local.price(on.symbol, "60000", fills="0.004")
    on.local.price(on.symbol, "59000")
    on.local.streams.release(backwards=True)

    def ended() -> bool:
        last = bench.last(order)
        return last is not None and last.status is OrderStatus.FILLED

    await until(ended, 5)
    trades = {
        one.trade_id: one.quantity
        for told in bench.told
        if isinstance(told, OrderReport) and told.client_order_id == order.client_order_id
        for one in told.trades
    }
    assert sum(trades.values()) == order.quantity, trades


# Cancelling


async def cancel_broken(bench: Bench, fault: Fault, accepted: bool) -> str:
    on, order = bench.on, await bench.rests()
    # aiohttp sends a DELETE again by itself when a kept connection breaks.
    bench.goes_wrong("cancel", fault, accepted=accepted, times=1 if accepted else 3)
    (said,) = await on.ours.cancel([order])
    bench.calm()
    (there,) = bench.there(order)
    assert there.open is not accepted
    if accepted and said.status is OrderStatus.CANCELLED:
        return "cancelled once that was seen"
    assert (said.verdict, said.about_cancel) == (Verdict.UNKNOWN, True), said
    (again,) = await on.ours.cancel([order])
    assert again.status is OrderStatus.CANCELLED, again
    return "unknown, cancelled by the next"


async def cancel_too_many(bench: Bench, fault: Fault) -> str:
    order = await bench.rests()
    bench.goes_wrong("cancel", fault)
    (said,) = await bench.on.ours.cancel([order])
    assert (said.verdict, said.code, said.about_cancel) == (Verdict.UNKNOWN, RATE, True), said
    await left_alone(bench)
    (there,) = bench.there(order)
    assert there.open
    return "not done, and not said to be"


async def cancel_known(bench: Bench) -> str:
    on, order = bench.on, await bench.rests()
    on.local.price(on.symbol, "59000")
    on.local.price(on.symbol, "64000")
    (said,) = await on.ours.cancel([order])
    assert (said.status, said.filled_quantity) == (OrderStatus.FILLED, order.quantity), said
    (never,) = await on.ours.cancel([on.order()])
    assert never.verdict is Verdict.ABSENT, never
    return "`no such order` is looked into: filled, or never there"


async def cancel_late(bench: Bench) -> str:
    on = bench.on
    on.local.faults.lag(reads=2)
    order = await bench.rests()
    (said,) = await on.ours.cancel([order])
    assert said.about_cancel
    assert said.status in (None, OrderStatus.CANCELLED), said  # never filled, never refused
    on.local.faults.lag(reads=0)
    for _ in range(3):
        (said,) = await on.ours.cancel([order])
    assert said.status is OrderStatus.CANCELLED, said
    (there,) = bench.there(order)
    assert not there.open
    return "cancelled once the index has it"


async def cancel_mute(bench: Bench) -> str:
    (said,) = await bench.on.ours.cancel([await bench.rests()])
    assert said.status is OrderStatus.CANCELLED, said
    return "cancelled, by asking"


async def cancel_twice(bench: Bench) -> str:
    on = bench.on
    on.local.streams.hold()
    order = await bench.rests()
    (said,) = await on.ours.cancel([order])
    assert said.status is OrderStatus.CANCELLED, said
    bench.told.clear()
    on.local.streams.release(backwards=True)
    await until(lambda: bench.last(order), 5)
    last = bench.last(order)
    assert last is not None
    assert last.status is OrderStatus.CANCELLED, last  # older news do not open it again
    return "cancelled, and stays so"


# Looking up


async def look_broken(bench: Bench, fault: Fault) -> str:
    on, order = bench.on, await bench.rests()
    for asked in (order, on.order()):  # one that is there, and one that is not
        for call in ("lookup", "open_orders", "closed_orders", "trades"):
            bench.goes_wrong(call, fault, times=3)
        said = await on.ours.look(asked)
        assert said.verdict is Verdict.UNKNOWN, said
        bench.calm()
    assert (await on.ours.look(order)).verdict is Verdict.ACCEPTED
    return "unknown: it proves nothing"


async def look_known(bench: Bench) -> str:
    said = await bench.on.ours.look(bench.on.order())
    assert said.verdict is Verdict.ABSENT, said
    return "absent, once every place has said so"


async def look_late(bench: Bench) -> str:
    on = bench.on
    on.local.faults.lag(reads=2)
    order = await bench.rests()
    seen = [(await on.ours.look(order)).verdict for _ in range(4)]
    assert set(seen[:-1]) <= {Verdict.ABSENT, Verdict.ACCEPTED}, seen
    assert seen[-1] is Verdict.ACCEPTED
    return "absent at first, which one look never settles"


async def look_by_asking(bench: Bench) -> str:
    on, order = bench.on, await bench.rests()
    on.local.price(on.symbol, "59000")
    on.local.price(on.symbol, "64000")
    seen = await on.ours.look(order)
    assert seen.status is OrderStatus.FILLED, seen
    assert sum(one.quantity for one in seen.trades) == order.quantity
    return "the truth, by asking"


async def look_twice(bench: Bench) -> str:
    order = await bench.rests()
    await until(lambda: bench.last(order), 5)
    await filled_twice_and_backwards(bench, order)
    bench.on.local.price(bench.on.symbol, "64000")
    seen, last = await bench.on.ours.look(order), bench.last(order)
    assert last is not None
    assert {one.trade_id for one in seen.trades} == {one.trade_id for one in last.trades}
    return "the stream's trades, each once"


# Reading the account


async def balance_broken(bench: Bench, fault: Fault) -> str:
    on = bench.on
    calls = ["open_orders", "balance", *(["positions"] if on.ours.account.market is Market.SWAP else [])]
    for call in [*calls, "trades"]:
        bench.goes_wrong(call, fault, times=5)
        said = await {
            "open_orders": lambda: on.ours.open_orders("main"),
            "positions": lambda: on.ours.open_orders("main"),
            "balance": lambda: on.ours.balances("main"),
            "trades": lambda: on.ours.fills("main", on.clock.now() - timedelta(hours=1)),
        }[call]()
        assert isinstance(said, AccountUnreadable), (call, said)
        assert said.reason.endswith((".", "…")), said.reason
        bench.calm()
    return "unreadable, with a sentence; no empty list"


async def balance_known(bench: Bench) -> str:
    bench.on.theirs.revoked = True
    try:
        said = await bench.on.ours.balances("main")
    finally:
        bench.on.theirs.revoked = False
    assert isinstance(said, AccountUnreadable)
    assert said.reason.startswith(SENTENCES[CREDENTIALS]), said
    return "unreadable, in its own sentence"


async def balance_true(bench: Bench) -> str:
    """Whatever the index or a stream does, the account is read as it is."""
    on = bench.on
    order = await bench.rests()
    read = await on.ours.balances("main")
    assert isinstance(read, Balances)
    wallet = on.theirs.wallet(on.ours.account.market.value)["USDT"]
    open_profit = sum(one.profit(Decimal(64000)) for one in on.theirs.positions.values())
    assert read.total["USDT"] in (wallet, wallet + open_profit), (read.total, wallet)
    opened = await on.ours.open_orders("main")
    assert isinstance(opened, OpenOrders)
    assert len([one for one in opened.reports if one.client_order_id == order.client_order_id]) == 1
    fills = await on.ours.fills("main", on.clock.now() - timedelta(hours=1))
    assert isinstance(fills, Fills)
    ids = [one.trade.trade_id for one in fills.trades]
    assert len(set(ids)) == len(ids) == len(on.theirs.trades), (ids, on.theirs.trades)
    return "read as it is"


async def balance_late(bench: Bench) -> str:
    """The list may lack the order for a moment; its money is tied up, and it is in the list soon."""
    on = bench.on
    on.local.faults.lag(reads=2)
    order = await bench.rests()
    for _ in range(3):
        opened = await on.ours.open_orders("main")
        assert isinstance(opened, OpenOrders)
    assert [one.client_order_id for one in opened.reports].count(order.client_order_id) == 1
    return "read as the index has it, and soon as it is"


# Reading the markets


async def markets_broken(bench: Bench, fault: Fault) -> str:
    before = dict(bench.on.rules)
    file = bench.on.markets.path
    kept = await asyncio.to_thread(file.read_bytes)
    bench.goes_wrong("markets", fault, times=9)
    bench.on.markets.limit_s = 0.5 if fault is Fault.TIMEOUT else ccxt_markets.LIMIT_S
    try:
        with pytest.raises(MarketsUnreadable, match=r"could not be read .*\.$"):
            await bench.on.markets.refresh()
    finally:
        bench.on.markets.limit_s = ccxt_markets.LIMIT_S
    assert await asyncio.to_thread(file.read_bytes) == kept
    assert bench.on.rules == before
    return "unreadable, the old rules stay"


async def markets_true(bench: Bench) -> str:
    count = len(bench.on.rules)
    assert await bench.on.markets.refresh() == count > 0
    return "read as they are"


# The table

Look = Callable[[Bench], Awaitable[str]]

_REST: dict[tuple[str, str], Look] = {
    (KNOWN, "create"): create_known,
    (KNOWN, "cancel"): cancel_known,
    (KNOWN, "look-up"): look_known,
    (KNOWN, "balance"): balance_known,
    (KNOWN, "markets"): lambda bench: markets_broken(bench, Fault.MAINTENANCE),
    (LATE, "create"): create_late,
    (LATE, "cancel"): cancel_late,
    (LATE, "look-up"): look_late,
    (LATE, "balance"): balance_late,
    (LATE, "markets"): markets_true,
    (MUTE, "create"): create_mute,
    (MUTE, "cancel"): cancel_mute,
    (MUTE, "look-up"): look_by_asking,
    (MUTE, "balance"): balance_true,
    (MUTE, "markets"): markets_true,
    (TWICE, "create"): create_twice,
    (TWICE, "cancel"): cancel_twice,
    (TWICE, "look-up"): look_twice,
    (TWICE, "balance"): balance_true,
    (TWICE, "markets"): markets_true,
}


async def looked_at(bench: Bench, fault: str, call: str) -> str:
    """Go through one cell and return what came out. Raises AssertionError."""
    if fault in TOO_MANY:
        kind = TOO_MANY[fault]
        return await {
            "create": create_too_many,
            "cancel": cancel_too_many,
            "look-up": look_broken,
            "balance": balance_broken,
            "markets": markets_broken,
        }[call](bench, kind)
    if fault not in BROKEN:
        return await _REST[fault, call](bench)
    said: dict[str, None] = {}
    for kind, accepted in BROKEN[fault]:
        if call in ("create", "cancel"):
            what = {"create": create_broken, "cancel": cancel_broken}[call]
            said[await what(bench, kind, accepted)] = None
        elif not (accepted and (kind, False) in BROKEN[fault]):  # to a reading it is the same
            read = {"look-up": look_broken, "balance": balance_broken, "markets": markets_broken}[call]
            said[await read(bench, kind)] = None
        bench.calm()
        bench.tidy()
    return " / ".join(said)


async def cells_of(name: str, market: Market, faults: tuple[str, ...]) -> dict[Cell, str]:
    """Go through the cells of some faults on one exchange and market."""
    found: dict[Cell, str] = {}
    async with stage(name, market) as on:
        for limit in on.local.limits.values():
            limit.most = 1 << 60  # a test is quicker than anybody
        await on.ours.ready(on.symbol)
        bench = Bench(on)
        for fault in faults:
            async with streams(bench, fault):
                for call in CALLS:
                    try:
                        found[fault, call, name, market] = await looked_at(bench, fault, call)
                    except Exception as error:
                        found[fault, call, name, market] = f"{WRONG}: {type(error).__name__} {error}"[:600]
                    bench.calm()
                    bench.tidy()
    return found


@asynccontextmanager
async def streams(bench: Bench, fault: str) -> AsyncIterator[None]:
    """Listen to own orders where the fault is one of the stream."""
    if fault not in (MUTE, TWICE):
        yield
        return
    stream = OwnStream(bench.on.ours, prefix(INSTALL), bench.told.append, lambda name: None)
    stream.start()
    try:
        await until(lambda: stream.up, 10)
        if fault == MUTE:
            bench.on.local.streams.mute()
        bench.on.local.streams.twice = fault == TWICE
        yield
    finally:
        bench.on.local.streams.unmute()
        bench.on.local.streams.twice = False
        await stream.stop()


class _Threads:
    """Stands where processes are made: a process per cell would take longer than all the rest together."""

    Pipe = staticmethod(multiprocessing.Pipe)

    class Process:
        pid: int | None = None

        def __init__(self, target: Callable[..., None], args: tuple[Any, ...], daemon: bool) -> None:
            self._target, self._args = target, args

        def start(self) -> None:
            pipe, *rest = self._args
            own = Connection(os.dup(pipe.fileno()))

            def run() -> None:
                with suppress(OSError, EOFError):
                    self._target(own, *rest)

            self._thread = threading.Thread(target=run, daemon=True)
            self._thread.start()
            self.pid = 1

        def kill(self) -> None:
            """It ends with its pipe."""

        def join(self) -> None:
            self._thread.join(5)


@contextmanager
def without_processes() -> Iterator[None]:
    """Parse markets on threads of this process."""
    with patch.object(ccxt_markets.multiprocessing, "get_context", lambda kind: _Threads):
        yield


async def matrix(*names: str) -> dict[Cell, str]:
    """Go through all cells of these exchanges: what they wait for, they wait for at once."""
    with without_processes():
        found = await asyncio.gather(
            *(
                cells_of(name, market, FAULTS[part::PARTS])
                for name in names
                for market in Market
                for part in range(PARTS)
            )
        )
    return {cell: said for one in found for cell, said in one.items()}


def written(found: dict[Cell, str]) -> str:
    """Write the matrix: a line per fault and call, with how many cells came out so."""
    lines = []
    for fault in FAULTS:
        lines.append(f"\n{fault}")
        for call in CALLS:
            said = Counter(out for cell, out in found.items() if cell[:2] == (fault, call))
            lines += [f"  {call:8} {count:2} × {out}" for out, count in said.items()]
    wrong = sum(out.startswith(WRONG) for out in found.values())
    return "\n".join([*lines, f"\n{len(found)} cells, {wrong} wrong"])


if __name__ == "__main__":
    sys.stdout.write(written(asyncio.run(matrix(*(sys.argv[1:] or EXCHANGES)))) + "\n")
