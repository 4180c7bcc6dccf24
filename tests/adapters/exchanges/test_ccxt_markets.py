"""Markets: read without holding the window, kept on disk, taught to ccxt a few at a time."""

import asyncio
import os
import signal
import sqlite3
import threading
import time
from contextlib import closing
from decimal import Decimal
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Any

import pytest

from execution_engine import exchanges
from execution_engine.adapters.exchanges import ccxt_market_file as files
from execution_engine.adapters.exchanges import ccxt_markets
from execution_engine.adapters.exchanges.catalogue import VENUES
from execution_engine.adapters.exchanges.ccxt_client import Client, build
from execution_engine.adapters.exchanges.ccxt_markets import FRESH, Markets, MarketsUnreadable
from execution_engine.adapters.exchanges.translate import chart_symbol, instrument, is_traded
from execution_engine.domain.inputs import Instruments
from execution_engine.domain.instrument import Instrument, Market
from execution_engine.domain.rows import Mode
from execution_engine.domain.symbols import Catalogue
from tests.adapters.exchanges.ccxt_stage import with_markets
from tests.adapters.exchanges.ccxt_wire import BOTH, StillClock, wired
from tests.adapters.exchanges.matrix import without_processes
from tests.exchanges import Fault, LocalExchanges
from tests.waiting import until

MANY = 2_500
HOLD_S = 0.016


def markets_of(world: Any, name: str, market: Market, folder: Path, posted: list[Any]) -> Markets:
    session = world.session()
    return Markets(VENUES[name], market, Mode.LIVE, folder, lambda: session, StillClock(), posted.append)


def rules(posted: list[Any]) -> dict[str, Instrument]:
    return {one.symbol: one for said in posted if isinstance(said, Instruments) for one in said.instruments}


async def longest_hold(work: Any) -> tuple[float, Any]:
    """Run something and return how long the loop's own thread computed at most between two turns [s]."""
    longest, running = 0.0, True

    async def watch() -> None:
        nonlocal longest
        last = time.thread_time()
        while running:
            await asyncio.sleep(0.001)
            now = time.thread_time()
            longest, last = max(longest, now - last), now

    watching = asyncio.create_task(watch())
    result = await work
    running = False
    await watching
    return longest, result


class Canned:
    """Connections over which an answer comes that was fetched before: whoever made it would hold the loop too."""

    def __init__(self, body: bytes) -> None:
        self.status, self.reason, self.headers, self._body = (
            200,
            "OK",
            {"Content-Type": "application/json"},
            body,
        )

    def get(self, url: str, headers: Any = None) -> "Canned":
        return self

    async def read(self) -> bytes:
        return self._body

    async def __aenter__(self) -> "Canned":
        return self

    async def __aexit__(self, *gone: object) -> None:
        return None


async def test_thousands_of_markets_are_read_without_holding_the_loop(tmp_path: Path) -> None:
    async with LocalExchanges("binance") as world:
        world.binance.add_markets(MANY)
        async with world.session().get("https://api.binance.com/api/v3/exchangeInfo") as answer:
            canned: Any = Canned(await answer.read())
    posted: list[Any] = []
    venue = VENUES["binance"]
    markets = Markets(venue, Market.SPOT, Mode.LIVE, tmp_path, lambda: canned, StillClock(), posted.append)
    held, count = await longest_hold(markets.refresh())
    assert count > MANY / 2
    assert len(rules(posted)) == count
    assert held < HOLD_S
    exchange, place = build(venue, Market.SPOT, Mode.LIVE, None, canned)
    client = Client(venue, Market.SPOT, place, exchange, StillClock())
    began = time.thread_time()
    await markets.teach(client, list(rules(posted))[:50])
    assert time.thread_time() - began < 0.05
    assert len(exchange.markets) == 50  # only what is used is kept


@pytest.mark.parametrize(("name", "market"), BOTH)
async def test_a_market_comes_from_the_file_at_the_next_start(
    name: str, market: Market, tmp_path: Path
) -> None:
    async with LocalExchanges(name) as world:
        first: list[Any] = []
        await markets_of(world, name, market, tmp_path, first).refresh()
        asked = len(world[name].requests)
        again: list[Any] = []
        await markets_of(world, name, market, tmp_path, again).tell()
        assert rules(again) == rules(first)
        assert len(world[name].requests) == asked
        assert {one.market for one in rules(again).values()} == {market}


@pytest.mark.fault(38)
async def test_the_rules_are_read_again_when_an_exchange_refuses_what_fits_them(tmp_path: Path) -> None:
    async with LocalExchanges("bybit") as world:
        posted: list[Any] = []
        markets = markets_of(world, "bybit", Market.SPOT, tmp_path, posted)
        keeping = asyncio.create_task(markets.keep(at_least_apart_s=0))
        await until(lambda: rules(posted), 20)
        world.bybit.change("BTCUSDT", tick="5")
        markets.doubt()
        await until(lambda: rules(posted)["BTCUSDT"].tick == Decimal(5), 20)
        keeping.cancel()


@pytest.mark.fault(38)
async def test_rules_that_were_doubted_while_they_could_not_be_read_are_read_as_soon_as_they_can(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ccxt_markets, "RETRY_S", 0.01)
    async with LocalExchanges("okx") as world:
        posted: list[Any] = []
        markets = markets_of(world, "okx", Market.SPOT, tmp_path, posted)
        await with_markets(markets, markets.path)
        with without_processes():
            keeping = asyncio.create_task(markets.keep(at_least_apart_s=0))
            world.okx.change("BTCUSDT", tick="5")
            world.okx.faults.add("markets", Fault.E502, times=2)
            markets.doubt()
            await until(lambda: rules(posted)["BTCUSDT"].tick == Decimal(5), 5)
            keeping.cancel()


async def test_a_reading_that_is_stopped_while_its_process_starts_leaves_no_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, go_on = threading.Event(), threading.Event()
    made: list[SpawnProcess] = []
    start = SpawnProcess.start

    def slowly(process: SpawnProcess) -> None:
        made.append(process)
        begun.set()
        go_on.wait(10)
        start(process)

    monkeypatch.setattr(SpawnProcess, "start", slowly)
    async with LocalExchanges("okx") as world:
        markets = markets_of(world, "okx", Market.SPOT, tmp_path, [])
        reading = asyncio.create_task(markets.refresh())
        assert await asyncio.to_thread(begun.wait, 10)
        reading.cancel()
        await asyncio.sleep(0)
        go_on.set()
        with pytest.raises(asyncio.CancelledError):
            await reading
    assert [process.exitcode for process in made] == [-signal.SIGKILL]


@pytest.mark.fault(87)
@pytest.mark.parametrize("fault", [Fault.E502, Fault.HTML, Fault.EMPTY, Fault.CUT, Fault.RESET])
async def test_markets_that_cannot_be_read_leave_the_old_ones(fault: Fault, tmp_path: Path) -> None:
    async with LocalExchanges("okx") as world:
        posted: list[Any] = []
        markets = markets_of(world, "okx", Market.SPOT, tmp_path, posted)
        file = tmp_path / "okx-spot-live.sqlite"
        await with_markets(markets, file)
        before = await asyncio.to_thread(file.read_bytes)
        world.okx.faults.add("markets", fault, times=9)
        with pytest.raises(MarketsUnreadable, match="could not be read"):
            await markets.refresh()
        assert await asyncio.to_thread(file.read_bytes) == before


def test_a_file_that_cannot_be_used_is_as_good_as_none(tmp_path: Path) -> None:
    broken = tmp_path / "broken.sqlite"
    broken.write_bytes(os.urandom(4096))
    assert files.read_at(broken) is None
    assert files.read_at(tmp_path / "missing.sqlite") is None


@pytest.mark.fault(87)
@pytest.mark.parametrize("use", ["told", "taught"])
async def test_a_file_that_turns_out_to_be_damaged_is_had_anew(use: str, tmp_path: Path) -> None:
    async with LocalExchanges("okx") as world:
        file = tmp_path / "okx-spot-live.sqlite"
        await with_markets(markets_of(world, "okx", Market.SPOT, tmp_path, []), file)
        whole = await asyncio.to_thread(file.read_bytes)
        with closing(sqlite3.connect(file)) as db:
            (page,) = db.execute("SELECT rootpage FROM sqlite_master WHERE name = 'reading'").fetchone()
            (size,) = db.execute("PRAGMA page_size").fetchone()
        good = {0, page - 1}  # the first page and when it was read: enough to be taken for a good one
        parts = [whole[at : at + size] for at in range(0, len(whole), size)]
        damaged = b"".join(part if at in good else os.urandom(size) for at, part in enumerate(parts))
        await asyncio.to_thread(file.write_bytes, damaged)
        assert files.read_at(file) is not None
        posted: list[Any] = []
        markets = markets_of(world, "okx", Market.SPOT, tmp_path, posted)
        with without_processes():
            if use == "told":
                await markets.begin()
                assert "BTCUSDT" in rules(posted)
            else:
                exchange, place = build(VENUES["okx"], Market.SPOT, Mode.LIVE, None, world.session())
                client = Client(VENUES["okx"], Market.SPOT, place, exchange, StillClock())
                await markets.teach(client, ["BTCUSDT"])
                assert "BTC/USDT" in exchange.markets


async def test_rules_that_are_said_to_be_of_the_future_are_read_again_within_the_hour(tmp_path: Path) -> None:
    async with LocalExchanges("okx") as world:
        markets = markets_of(world, "okx", Market.SPOT, tmp_path, [])
        await with_markets(markets, tmp_path / "okx-spot-live.sqlite")
        with closing(sqlite3.connect(markets.path)) as db:  # the clock was wrong then, and is right now
            db.execute("UPDATE reading SET at = '2099-01-01T00:00:00+00:00'")
            db.commit()
        assert await markets._until_old() <= FRESH.total_seconds()


@pytest.mark.fault(54)
@pytest.mark.parametrize(
    ("name", "market", "expected"),
    [
        ("binance", Market.SPOT, ("0.01", "0.00001", "0.00001", "97", "5", "1")),
        ("binance", Market.SWAP, ("0.1", "0.001", "0.001", "120", "100", "1")),
        ("bybit", Market.SPOT, ("0.01", "0.000001", "0.000048", "35.8", "5", "1")),
        ("bybit", Market.SWAP, ("0.1", "0.001", "0.001", "500", "5", "1")),
        ("okx", Market.SPOT, ("0.1", "0.00000001", "0.00001", "0", "0", "1")),
        ("okx", Market.SWAP, ("0.1", "0.0001", "0.0001", "120", "0", "0.01")),
        ("kucoin", Market.SPOT, ("0.1", "0.00000001", "0.00001", "0", "1", "1")),
        ("kucoin", Market.SWAP, ("0.1", "0.001", "0.001", "0", "0", "0.001")),
    ],
)
async def test_rules_are_those_of_the_exchange_counted_in_base(
    name: str, market: Market, expected: tuple[str, ...]
) -> None:
    stage = wired(name, market)
    await stage.ours.ready(stage.symbol)
    (own,) = stage.markets.rules.values()
    found = (own.tick, own.step, own.min_qty, own.market_max_qty, own.min_notional, own.contract_size)
    assert found == tuple(map(Decimal, expected))
    assert own.symbol == stage.symbol
    catalogue = Catalogue([own])
    for written in ("BTCUSDT", "BTCUSDT.P") if market is Market.SPOT else ("BTCUSDT.P", "BTCUSDTPERP"):
        if written == own.symbol or market is Market.SWAP:
            assert catalogue.find(name.upper(), f"{name.upper()}:{written}") == own


def unified(**changes: Any) -> dict[str, Any]:
    """A perpetual in ccxt's words."""
    return {
        "symbol": "BTC/USDT:USDT", "id": "BTCUSDT", "base": "BTC", "quote": "USDT", "settle": "USDT",
        "spot": False, "swap": True, "linear": True, "active": True, "contractSize": "1", "info": {},
        "precision": {"price": "0.1", "amount": "0.001"}, "limits": {}, "maker": "0.0002", "taker": "0.0005",
    } | changes  # fmt: skip


@pytest.mark.parametrize(
    "changes",
    [
        {"linear": False, "settle": "BTC", "quote": "USD"},  # inverse
        {"quote": "USDC", "settle": "USDC"},
        {"swap": False, "future": True},  # dated
        {"active": False},
    ],
    ids=["inverse", "USDC margined", "dated", "halted"],
)
def test_what_this_application_does_not_trade_is_no_instrument(changes: dict[str, Any]) -> None:
    assert is_traded(unified(), Market.SWAP)
    assert not is_traded(unified(**changes), Market.SWAP)


def test_a_thousand_of_a_coin_is_a_market_of_its_own() -> None:
    assert chart_symbol(unified(base="1000PEPE")) == "1000PEPEUSDT.P"
    assert chart_symbol(unified(base="PEPE")) == "PEPEUSDT.P"


def test_a_market_without_a_step_is_none() -> None:
    venue = VENUES["binance"]
    assert instrument(venue, unified(precision={"price": "0.1", "amount": None})) is None
    assert instrument(venue, unified()) is not None


async def test_the_process_that_reads_asks_nobody_but_the_exchange(tmp_path: Path) -> None:
    async with LocalExchanges("kucoin") as world:
        posted: list[Any] = []
        await markets_of(world, "kucoin", Market.SWAP, tmp_path, posted).refresh()
        assert {one.call for one in world.kucoin.requests} == {"markets"}
        assert world.strangers == []
        assert not any(
            name.lower().startswith("kc-api") for one in world.kucoin.requests for name in one.headers
        )


@pytest.mark.fault(39)
@pytest.mark.parametrize("ends", ["halt", "delist"])
async def test_a_market_that_ends_is_told_as_not_traded_and_can_still_be_asked_about(
    ends: str, tmp_path: Path
) -> None:
    async with LocalExchanges("okx") as world:
        posted: list[Any] = []
        markets = markets_of(world, "okx", Market.SWAP, tmp_path, posted)
        with without_processes():
            count = await markets.refresh()
            getattr(world.okx, ends)("BTCUSDT.P")
            assert await markets.refresh() == count - 1
        assert [one.symbol for one in rules(posted).values() if not one.traded] == ["BTCUSDT.P"]
        again: list[Any] = []
        restarted = markets_of(world, "okx", Market.SWAP, tmp_path, again)
        await restarted.tell()
        assert not rules(again)["BTCUSDT.P"].traded
        exchange, place = build(VENUES["okx"], Market.SWAP, Mode.LIVE, None, world.session())
        client = Client(VENUES["okx"], Market.SWAP, place, exchange, StillClock())
        await restarted.teach(client, ["BTCUSDT.P"])
        assert "BTC/USDT:USDT" in exchange.markets


@pytest.mark.fault(39)
async def test_a_market_that_was_halted_is_traded_when_the_exchange_lists_it_again(tmp_path: Path) -> None:
    async with LocalExchanges("kucoin") as world:
        posted: list[Any] = []
        markets = markets_of(world, "kucoin", Market.SPOT, tmp_path, posted)
        with without_processes():
            for status in ("trading", "halted", "trading"):
                world.kucoin.listings["BTCUSDT"].status = status
                await markets.refresh()
                assert rules(posted)["BTCUSDT"].traded is (status == "trading")


@pytest.mark.fault(87)
async def test_a_list_that_lacks_many_markets_at_once_ends_none_of_them(tmp_path: Path) -> None:
    async with LocalExchanges("bybit") as world:
        world.bybit.add_markets(40)
        posted: list[Any] = []
        markets = markets_of(world, "bybit", Market.SPOT, tmp_path, posted)
        with without_processes():
            count = await markets.refresh()
            for number in range(20):
                world.bybit.delist(f"Q{number}USDT")
            await markets.refresh()
        assert len(rules(posted)) == count
        assert all(one.traded for one in rules(posted).values())


def test_the_rules_of_thousands_of_markets_share_their_numbers_and_words() -> None:
    rules = instrument(VENUES["binance"], unified())
    assert rules is not None
    (one,), (other,) = (list(files.instruments([files._text(rules)])) for _ in range(2))
    assert one == other
    assert one.tick is other.tick
    assert one.base is other.base


async def test_several_who_need_the_markets_at_once_share_one_reading(tmp_path: Path) -> None:
    async with LocalExchanges("okx") as world:
        posted: list[Any] = []
        markets = markets_of(world, "okx", Market.SPOT, tmp_path, posted)
        with without_processes():
            await asyncio.gather(*(markets.begin() for _ in range(3)))
        assert len(world.okx.calls("markets")) == 1
        assert "BTCUSDT" in rules(posted)


async def test_a_reading_that_is_never_answered_is_given_up_and_the_next_one_works(tmp_path: Path) -> None:
    async with LocalExchanges("okx") as world:
        posted: list[Any] = []
        markets = markets_of(world, "okx", Market.SPOT, tmp_path, posted)
        markets.limit_s = 0.5
        world.okx.faults.add("markets", Fault.TIMEOUT)
        with without_processes():
            with pytest.raises(MarketsUnreadable):
                async with asyncio.timeout(5):
                    await markets.refresh()
            markets.limit_s = ccxt_markets.LIMIT_S
            assert await markets.refresh() == len(rules(posted))


async def test_markets_that_could_not_be_read_at_first_are_had_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exchanges, "AGAIN_S", 0.01)
    async with LocalExchanges("okx") as world:
        posted: list[Any] = []
        known = exchanges.Rules(markets_of(world, "okx", Market.SPOT, tmp_path, posted))
        world.okx.faults.add("markets", Fault.E502, times=2)
        with without_processes():
            keeping = asyncio.create_task(known.keep())
            await until(known.known.is_set, 5)
            keeping.cancel()
        assert "BTCUSDT" in rules(posted)
