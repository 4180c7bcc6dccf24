"""What the application does about its accounts outside when something changes under it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import aiohttp
import certifi
import pytest

from execution_engine.adapters.clock import SystemClock
from execution_engine.adapters.storage.store import SqliteStore
from execution_engine.domain import document as documents
from execution_engine.domain.errors import StoreFailed
from execution_engine.domain.inputs import Instruments, Interrupted, Price, SaveSettings
from execution_engine.domain.instrument import Instrument, Market
from execution_engine.domain.rows import AccountStatus, Mode
from execution_engine.domain.symbols import Catalogue
from execution_engine.exchanges import Exchanges, RealAccount
from execution_engine.main import Application
from tests.adapters.exchanges.matrix import without_processes
from tests.exchanges import LocalExchanges
from tests.stories.at_exchanges import Trading, at_exchange
from tests.waiting import until

SPOT, SWAP = Market.SPOT, Market.SWAP


@pytest.fixture(autouse=True)
def _names_lead_where_they_led(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(aiohttp, "ThreadedResolver", aiohttp.ThreadedResolver)
    monkeypatch.setattr(certifi, "where", certifi.where)
    return iter([None])


async def ended(here: Trading) -> None:
    await here.alert(type="exit")
    await here.ends()
    here.prove_same()
    here.prove_flat()


async def test_settings_that_were_saved_and_time_that_was_lost_reach_the_exchange(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with at_exchange(tmp_path / "data", monkeypatch, "bybit", SWAP, True, 1, {}) as here:
        await here.alert()
        await here.rests()
        assert here.theirs.leverage[here.ticker] == 1
        await ended(here)

        document = documents.with_value(here.book.settings, "accounts", {"real": {"leverage": "3"}})
        await here.application.core.desk.ask(SaveSettings(document=documents.dump(document)))
        await here.alert()
        await here.rests(after=1)
        assert here.theirs.leverage[here.ticker] == 3
        assert {one.leverage for one in here.theirs.open_orders} == {3}

        # After a sleep the exchange's clock is measured again before anything is believed or sent.
        measured = len(here.local.calls("time"))
        here.local.clock_skew_ms = 40_000
        here.application.core.desk.post(Interrupted(reason="the machine slept"))
        account = here.book.accounts["real"]
        assert account.status is AccountStatus.RECONCILING
        await here.until(lambda: here.book.accounts["real"].status is AccountStatus.READY, "it is read again")
        assert len(here.local.calls("time")) > measured
        await ended(here)
        assert all(asked.status == 200 for asked in here.local.calls("create"))


async def test_a_core_that_is_built_anew_has_its_accounts_and_streams_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("execution_engine.main.REBUILD_FIRST_S", 0.01)
    async with at_exchange(tmp_path / "data", monkeypatch, "okx", SWAP, True, 1, {}) as here:
        await here.alert()
        await here.rests()
        here.goes("-1.1")
        await here.stand("fffoo")
        sockets, core = here.local.streams.count, here.application.core
        core.broken(StoreFailed("The disk is gone."))
        await here.until(lambda: here.application.core is not core, "another core")
        await here.until(lambda: here.book.accounts["real"].status is AccountStatus.READY, "it is read again")
        await here.until(lambda: here.local.streams.count == sockets, "as many sockets as before")
        await here.stand("fffoo")
        here.price(max(leg.tp_price for leg in here.legs(here.groups[-1])) + 1)
        await here.ends()
        here.prove_same()
        here.prove_flat()


async def test_an_account_that_is_enabled_while_it_joins_tells_its_markets_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, commit = RealAccount._read_past, SqliteStore._commit

    async def until_enabled(account: RealAccount) -> None:
        monkeypatch.setattr(SqliteStore, "_commit", slowly)
        await read(account)
        await until(lambda: account.core.is_looked_after(account.name), 10)

    def slowly(*written: Any) -> None:
        time.sleep(0.05)  # what was decided is not on the disk yet, and nobody was told of it
        commit(*written)

    monkeypatch.setattr(RealAccount, "_read_past", until_enabled)
    async with at_exchange(tmp_path / "data", monkeypatch, "bybit", SPOT, True, 1, {}, add=1) as here:
        await here.until(lambda: here.book.catalogue.get("bybit", "Q0USDT"), "a market that was not shipped")


async def test_a_position_in_a_coin_that_was_not_shipped_has_its_price_after_a_restart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with at_exchange(tmp_path / "data", monkeypatch, "bybit", SPOT, True, 1, {}, add=1) as first:
        here = first.of("Q0")
        await here.until(lambda: here.book.catalogue.get("bybit", here.ticker), "its rules")
        here.goes("1")
        await here.alert()
        await here.rests()
        here.goes("-1.1")
        await here.stand("fffoo")
        before = here.application
        await before.stop()
        before.close()

        here.application = first.application = Application(before.options)  # it is closed at the end
        await asyncio.to_thread(here.application.open)
        await here.application.start()
        await here.application.unlocking.open("of a story")
        key = ("bybit", here.ticker)
        await here.until(lambda: here.book.price(key) and not here.book.price(key).manual, "its price")
        assert here.book.price(key).bid == Decimal("98.9")
        here.price(max(leg.tp_price for leg in here.legs(here.groups[-1])) + 1)
        await here.ends()
        here.prove_same()
        here.prove_flat()
        sold = [trade.price for one in here.theirs.orders if one.action == "sell" for trade in one.trades]
        assert min(sold) > 100, "nothing was sold at what the coin cost before the restart"


@pytest.mark.fault(48)
@pytest.mark.parametrize(("exchange", "market"), [("bybit", SPOT), ("okx", SWAP)])
async def test_what_a_fall_filled_is_not_sold_in_it_because_of_a_price_from_before_that_comes_late(
    exchange: str, market: Market, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with at_exchange(tmp_path / "data", monkeypatch, exchange, market, True, 1, {}) as here:
        await here.alert()
        await here.rests()
        key = (exchange, here.ticker)
        await here.until(lambda: here.book.price(key).quoted_at, "the stream tells its price")
        here.local.streams.hold(private=False)
        here.goes("1.5")
        quoted = here.local.now_ms()
        await here.until(lambda: here.local.now_ms() > quoted, "a moment")
        here.goes("-1.1")
        await here.stand("fffoo")
        here.local.streams.release()
        await here.until(lambda: here.book.price(key).bid == Decimal("98.9"), "the price of now")
        here.goes("1.5")
        await here.ends()
        here.prove_same()
        here.prove_flat()
        sold = [trade.price for one in here.theirs.orders if one.action == "sell" for trade in one.trades]
        assert set(sold) == {Decimal("101.5")}


async def test_prices_are_followed_in_the_mode_that_is_traded_from_the_moment_it_is(tmp_path: Path) -> None:
    async with LocalExchanges("okx") as world:
        told: list[Any] = []
        known: dict[tuple[str, str], Instrument] = {}
        core: Any = SimpleNamespace(
            places=frozenset({("okx", SPOT, Mode.DEMO)}),
            prices=SimpleNamespace(name=""),
            book=SimpleNamespace(catalogue=SimpleNamespace(get=lambda *key: known.get(key))),
            desk=SimpleNamespace(
                failed=None, post=lambda said: known.update({one.key: one for one in said.instruments})
            ),
        )
        vault: Any = None
        outside = Exchanges(tmp_path, Catalogue(()), SystemClock(), vault, lambda: "")
        outside.core, outside._session = core, world.session()
        outside.begin()
        world.okx.price("BTCUSDT", "64000")
        prices = outside.prices(told.append)
        prices.start()
        with without_processes():
            for mode in (Mode.DEMO, Mode.LIVE):
                core.places = frozenset({("okx", SPOT, mode)})
                await outside.keep_rules(("okx", SPOT, mode)).known.wait()
                told.clear()
                prices.want([("okx", "BTCUSDT")])
                await until(lambda mode=mode: followed(world) == {mode}, 10)
                await until(lambda: any(isinstance(one, Price) for one in told), 5)
        await prices.stop()
        await outside.close()


def followed(world: LocalExchanges) -> set[str]:
    """Return the modes in which somebody listens to prices."""
    return {socket.venue.mode for socket in world.okx.streams.sockets if socket.topics}


def test_prices_and_rules_are_those_of_the_mode_where_most_is_at_stake(tmp_path: Path) -> None:
    """Two modes are never enabled side by side; should they be all the same, real money goes first."""
    heard: list[Any] = []
    core: Any = SimpleNamespace(places=frozenset(), desk=SimpleNamespace(failed=None, post=heard.append))
    vault: Any = None
    exchanges = Exchanges(tmp_path, Catalogue(()), SystemClock(), vault, lambda: "")
    exchanges.core = core
    one = Instrument(
        exchange="bybit", symbol="BTCUSDT", market=SPOT, base="BTC", quote="USDT",
        tick=Decimal(1), step=Decimal(1), min_qty=Decimal(1),
    )  # fmt: skip
    orders = [Mode.LIVE, Mode.DEMO, Mode.TESTNET]
    for number, best in enumerate(orders):
        core.places = frozenset(("bybit", SPOT, mode) for mode in orders[number:])
        assert exchanges.best_mode(core, "bybit", SPOT) is best
        assert exchanges.best_mode(core, "bybit", SWAP) is None
        for mode in orders:
            said = Instruments(instruments=(one,))
            exchanges._learnt(("bybit", SPOT, mode), said)
            assert [told is said for told in heard] == ([True] if mode is best else [])
            heard.clear()
    core.places = frozenset()  # nobody trades there but on paper
    for mode in orders:
        exchanges._learnt(("bybit", SPOT, mode), Instruments(instruments=(one,)))
    assert len(heard) == 1
