"""After a failed commit another core takes the place of the one that broke, whatever goes wrong on the way there."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from execution_engine.core import Core, Options
from execution_engine.domain.errors import StoreFailed
from execution_engine.domain.inputs import AddAccount, Answer, EnableAccount
from execution_engine.domain.instrument import Market
from execution_engine.domain.rows import AccountStatus, Mode
from execution_engine.domain.settings import PaperFeed
from execution_engine.main import Application
from tests.waiting import until

GONE = StoreFailed("The disk is gone.")


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("execution_engine.main.REBUILD_FIRST_S", 0.01)


@asynccontextmanager
async def running(folder: Path) -> AsyncIterator[Application]:
    application = Application(Options(data_dir=str(folder), port=0, paper_feed=PaperFeed.MANUAL))
    await asyncio.to_thread(application.open)
    try:
        await application.start()
        yield application
    finally:
        await application.stop()
        application.close()


async def answered(application: Application, **more: str) -> int:
    """Send an entry over HTTP; return the status of the answer."""
    (_, url, _), *_ = application.webhook_urls()
    fields = {
        "exchange": "BINANCE",
        "symbol": "BTCUSDT",
        "timeframe": "15",
        "action": "buy",
        "account": "paper",
    }
    async with (
        aiohttp.ClientSession() as session,
        session.post(url, data=json.dumps(fields | more)) as answer,
    ):
        return answer.status


def writers() -> int:
    """Return how many threads write databases: one for each core."""
    return sum(thread.name == "store" for thread in threading.enumerate())


async def test_what_cannot_be_ended_in_order_keeps_the_next_core_from_nothing(tmp_path: Path) -> None:
    async def fails() -> None:
        raise OSError("its socket is gone")

    async with running(tmp_path / "data") as application:
        before, threads = application.core, writers()
        before.prices.stop = fails  # type: ignore[method-assign]
        before.broken(GONE)
        assert await answered(application, price="1", id="1") == 503
        await until(lambda: application.core is not before)
        assert await answered(application, price="2", id="2") == 202
        assert writers() == threads


async def test_a_core_whose_start_something_under_it_cancelled_is_built_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[Core] = []
    start = Core.start

    async def cancelled_once(core: Core) -> None:
        begun.append(core)
        await start(core)
        if len(begun) == 1:
            raise asyncio.CancelledError

    async with running(tmp_path / "data") as application:
        before, threads = application.core, writers()
        monkeypatch.setattr(Core, "start", cancelled_once)
        before.broken(GONE)
        await until(lambda: application.core is not before)
        assert (application.core, len(begun)) == (begun[1], 2)
        assert await answered(application, price="1") == 202
        assert writers() == threads


async def test_a_backup_that_is_restored_while_a_broken_core_ends_waits_for_its_end(tmp_path: Path) -> None:
    async with running(tmp_path / "data") as application:
        before, threads = application.core, writers()
        ending, go_on = asyncio.Event(), asyncio.Event()
        stop = before.prices.stop

        async def slowly() -> None:
            ending.set()
            await go_on.wait()
            await stop()

        before.prices.stop = slowly  # type: ignore[method-assign]
        found: list[int] = []
        before.broken(GONE)
        await ending.wait()
        replacing = asyncio.create_task(application._replace_database(lambda: found.append(writers())))
        for _ in range(20):
            await asyncio.sleep(0)
        assert found == []
        go_on.set()
        await replacing
        assert found == [threads - 1]
        assert application.core is not before
        assert await answered(application, price="1") == 202
        assert writers() == threads


async def test_an_account_that_cannot_join_at_first_joins_and_trades_a_moment_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("execution_engine.engine.tasks.FIRST_PAUSE_S", 0.01)
    async with running(tmp_path / "data") as application:
        core, refused = application.core, []
        open_account = core.paper.open_account

        def not_at_first(name: str, market: Market) -> None:
            if not refused:
                refused.append(name)
                raise OSError("No space left on device")
            open_account(name, market)

        core.paper.open_account = not_at_first  # type: ignore[method-assign]
        given = AddAccount(name="second", exchange="paper", market=Market.SPOT, mode=Mode.PAPER)
        assert isinstance(await core.desk.ask(given), Answer)
        assert isinstance(await core.desk.ask(EnableAccount(name="second")), Answer)
        await until(lambda: core.book.accounts["second"].status is AccountStatus.READY)
        assert refused == ["second"]
