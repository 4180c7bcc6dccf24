"""Where practice prices come from: the real exchange, made up, or by hand; who chooses, and who is never asked."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path

import aiohttp
import certifi
import pytest

from execution_engine import core as cores
from execution_engine.core import Options
from execution_engine.domain import alert as alerts
from execution_engine.domain import document as documents
from execution_engine.domain.inputs import AlertReceived, ExitGroup, SaveSettings
from execution_engine.domain.settings import PaperFeed
from execution_engine.main import Application
from tests.exchanges import Fault, LocalExchanges
from tests.exchanges.application import lead_to
from tests.waiting import until

MARKET = ("binance", "LTCUSDT")
SAID = {"exchange": "BINANCE", "symbol": "LTCUSDT", "timeframe": "15", "action": "buy", "account": "paper"}


@pytest.fixture(autouse=True)
def _quick_choices(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(aiohttp, "ThreadedResolver", aiohttp.ThreadedResolver)
    monkeypatch.setattr(certifi, "where", certifi.where)
    monkeypatch.setattr(cores, "CHOOSE_EVERY_S", 0.1)
    return iter([None])


@asynccontextmanager
async def reachable() -> AsyncIterator[LocalExchanges]:
    """Lead the application to a local Binance; nobody else is anywhere."""
    async with LocalExchanges("binance") as world:
        lead_to(world.routes_file)
        world.binance.unlimited()
        world.binance.price("LTCUSDT", "100", bid="99.99", ask="100.01")
        yield world


@asynccontextmanager
async def running(folder: Path, feed: PaperFeed | None = None) -> AsyncIterator[Application]:
    application = Application(Options(data_dir=str(folder), port=0, paper_feed=feed))
    await asyncio.to_thread(application.open)
    try:
        await application.start()
        await until(lambda: application.status()[0] == "running", 10)
        yield application
    finally:
        await application.stop()
        application.close()


async def enter(application: Application, price: str | None = "100") -> int:
    """Send an entry to the paper account and return its group once its whole grid rests."""
    body = SAID | {"id": f"{application.clock.now()}", "entry_price": price}
    read = alerts.read(json.dumps(body).encode())
    assert isinstance(read, alerts.Body)
    parsed = alerts.parse(read, application.catalogue)
    assert isinstance(parsed, alerts.ParsedAlert)
    await application.core.desk.ask(
        AlertReceived(
            signal=parsed.signal,
            key=parsed.key,
            body=parsed.body,
            body_hash=parsed.body_hash,
            received_at=application.clock.now(),
        )
    )
    book = application.core.book
    await until(lambda: book.groups and all(one.acknowledged_at for one in book.orders.values()), 10)
    return max(book.groups)


async def chosen(application: Application, feed: PaperFeed) -> None:
    await until(lambda: application.core.prices.name == feed, 10)


def last(application: Application) -> Callable[[], Decimal | None]:
    def price() -> Decimal | None:
        found = application.core.book.price(MARKET)
        return found.last if found else None

    return price


async def test_paper_follows_the_real_exchange_and_invents_nothing_when_that_is_lost(tmp_path: Path) -> None:
    async with reachable() as world:
        world.binance.change("LTCUSDT", tick="0.05")
        async with running(tmp_path / "data") as application:
            await chosen(application, PaperFeed.LIVE)
            book = application.core.book
            group = await enter(application)
            assert last(application)() == Decimal(100)
            # The rules that were shipped are refreshed with the first connection.
            catalogue = application.catalogue.instruments
            await until(lambda: catalogue[MARKET].tick == Decimal("0.05"), 10)
            assert not world.binance.calls("create")  # nothing of it is ordered there
            world.binance.price("LTCUSDT", "98.9", bid="98.85", ask="98.95")
            await until(lambda: sum(leg.status == "filled" for leg in book.legs.values()) == 3, 10)

            world.binance.streams.mute()
            world.binance.faults.add("*", Fault.E503, times=None)
            before = book.price(MARKET)
            for _ in range(cores.GONE_AFTER + 1):
                application.core._choose.set()
                await until(lambda: not application.core._choose.is_set())
            # However often it is looked, an open group keeps its kind of prices, and has the last true one.
            assert application.core.prices.name == PaperFeed.LIVE
            assert book.price(MARKET) == before
            assert book.stale(application.clock.now().replace(year=2100)) == [before]
        # So it does after a restart, although nobody answers.
        world.binance.streams.unmute()
        async with running(tmp_path / "data") as application:
            assert application.core.prices.name == PaperFeed.LIVE
            assert application.core.book.price(MARKET) is None
            world.binance.faults.clear()
            await until(lambda: last(application)() == Decimal("98.9"), 15)
            await application.core.desk.ask(ExitGroup(group_id=group))
            await until(lambda: not application.core.book.groups[group].holds_slot, 10)
            # Now that nothing is open it is chosen anew; one silence is not enough for that.
            world.binance.faults.add("time", Fault.E503, times=None)
            await chosen(application, PaperFeed.SYNTHETIC)
            assert last(application)() != Decimal("98.9")


async def test_what_was_opened_at_made_up_prices_ends_at_them(tmp_path: Path) -> None:
    async with reachable() as world:
        world.binance.faults.add("time", Fault.E503, times=None)
        async with running(tmp_path / "data") as application:
            await chosen(application, PaperFeed.SYNTHETIC)
            group = await enter(application, price=None)
            world.binance.faults.clear()
        async with running(tmp_path / "data") as application:
            assert application.core.prices.name == PaperFeed.SYNTHETIC
            await until(lambda: last(application)() is not None, 10)
            assert application.core.prices.name == PaperFeed.SYNTHETIC
            await application.core.desk.ask(ExitGroup(group_id=group))
            await chosen(application, PaperFeed.LIVE)
            await until(lambda: not application.core.book.groups[group].holds_slot, 10)


@pytest.mark.parametrize("feed", [PaperFeed.MANUAL, PaperFeed.SYNTHETIC])
async def test_prices_by_hand_and_made_up_ones_ask_no_exchange(tmp_path: Path, feed: PaperFeed) -> None:
    async with reachable() as world:
        async with running(tmp_path / "data", feed) as application:
            if feed is PaperFeed.MANUAL:
                await application.set_price("BINANCE:LTCUSDT", Decimal(100))
            await enter(application, price=None)
            assert last(application)() is not None
        assert (world.binance.requests, world.binance.streams.said, world.strangers) == ([], [], [])


async def test_the_feed_that_is_saved_is_the_one_that_is_used(tmp_path: Path) -> None:
    async with reachable() as world, running(tmp_path / "data") as application:
        await chosen(application, PaperFeed.LIVE)
        await enter(application)
        await until(lambda: world.binance.streams.count, 10)
        for feed in (PaperFeed.MANUAL, PaperFeed.LIVE, PaperFeed.SYNTHETIC, PaperFeed.AUTO):
            changed = documents.with_value(application.core.book.settings, "paper.feed", feed.value)
            await application.core.desk.ask(SaveSettings(document=documents.dump(changed)))
            if feed is not PaperFeed.AUTO:
                await chosen(application, feed)
            if feed is PaperFeed.MANUAL:  # nobody is listened to any more
                await until(lambda: not world.binance.streams.count, 10)
            if feed is PaperFeed.LIVE:
                await until(lambda: last(application)() == Decimal(100), 10)
        # Something is open, so what chooses by itself keeps to what it had chosen before: real prices.
        await chosen(application, PaperFeed.LIVE)
