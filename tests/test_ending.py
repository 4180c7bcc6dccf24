"""The application on its way out: whatever part of it fails or hangs, what was decided is kept."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from execution_engine import ending
from execution_engine.adapters.exchanges.feeds import ManualFeed
from execution_engine.adapters.exchanges.paper import PaperExchange
from execution_engine.adapters.logs import Log
from execution_engine.adapters.security.folder_lock import FolderLock
from execution_engine.adapters.security.vault import Vault
from execution_engine.adapters.storage import loading
from execution_engine.adapters.storage.reader import Reader
from execution_engine.adapters.webhook.listener import Listener
from execution_engine.core import Core, Options
from execution_engine.desktop import Desktop
from execution_engine.domain import document as documents
from execution_engine.domain.errors import StoreFailed
from execution_engine.domain.inputs import History, Pause, SaveSettings
from execution_engine.domain.instrument import Market
from execution_engine.domain.rows import Account, Engine, Mode, World
from execution_engine.domain.settings import PaperFeed
from execution_engine.domain.way_in import Word
from execution_engine.engine.running import Running
from execution_engine.exchanges import Exchanges
from execution_engine.keeping import Keeping
from execution_engine.main import Application
from execution_engine.notifying import Notifying
from execution_engine.observing import Observing
from execution_engine.way_in import WayInKept
from tests.waiting import until

PARTS = [WayInKept, Listener, Observing, Keeping, Notifying, Desktop, Running, ManualFeed]


async def started(folder: Path) -> Application:
    application = Application(Options(data_dir=str(folder), port=0, paper_feed=PaperFeed.MANUAL))
    await asyncio.to_thread(application.open)
    await application.start()
    return application


@pytest.mark.parametrize("hangs", [False, True], ids=["every part fails", "every part hangs"])
async def test_what_was_decided_is_written_and_the_folder_is_free(
    hangs: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    application = await started(tmp_path / "data")
    let_go = asyncio.Event()

    async def bad(part: object) -> None:
        while hangs and not let_go.is_set():
            try:
                await let_go.wait()
            except asyncio.CancelledError:
                continue  # as what is in the middle of something may
        raise OSError("it is gone")

    def closes_badly(part: object) -> None:
        raise OSError("it is gone")

    with monkeypatch.context() as broken:
        broken.setattr(ending, "PATIENCE_S", 0.02, raising=False)
        for part in PARTS:
            broken.setattr(part, "stop", bad)
        broken.setattr(Exchanges, "close", bad)
        broken.setattr(PaperExchange, "close", closes_badly)
        broken.setattr(Vault, "lock", closes_badly)
        broken.setattr(Log, "stop", closes_badly)
        paused = asyncio.create_task(application.core.desk.ask(Pause()))
        await asyncio.sleep(0)
        async with asyncio.timeout(10):
            await application.stop()
        with pytest.raises(OSError, match="gone"):
            application.close()
    let_go.set()
    await paused
    with FolderLock(application.folder.lock):
        rows = loading.load(application.folder.database)
    assert [row.paused for row in rows if isinstance(row, Engine)] == [True]
    assert "store" not in [thread.name for thread in threading.enumerate()]
    await application.stop()
    application.close()


async def test_an_engine_that_was_built_anew_is_the_only_one_although_it_cannot_be_shown(
    tmp_path: Path,
) -> None:
    application = await started(tmp_path / "data")

    def cannot_show(core: Core) -> None:
        application.on_core.clear()
        raise ZeroDivisionError("a page's own trouble")

    application.on_core.append(cannot_show)
    await application.keeping.make()
    [made] = (await application.keeping.kept()).files
    await application.keeping.restore(made.path)
    assert application.health()[1]["database"]["failed"] == ""
    assert [thread.name for thread in threading.enumerate()].count("store") == 1
    await application.stop()
    application.close()
    assert "store" not in [thread.name for thread in threading.enumerate()]


async def test_settings_that_came_back_with_a_backup_are_followed(tmp_path: Path) -> None:
    application = await started(tmp_path / "data")
    await application.keeping.make()
    [made] = (await application.keeping.kept()).files
    settings = documents.with_value(application.core.book.settings, "tunnel.enabled", True)
    settings = documents.with_value(settings, "tunnel.program", "ngrok")
    await application.core.desk.ask(SaveSettings(document=documents.dump(settings)))
    await until(lambda: application.way_in.tunnel.state.word is not Word.OFF)
    await application.keeping.restore(made.path)
    await until(lambda: application.way_in.tunnel.state.word is Word.OFF)
    await application.stop()
    application.close()


async def test_a_look_back_that_failed_is_no_reason_not_to_listen_to_an_exchange(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("execution_engine.exchanges.AGAIN_S", 0.01)
    asked: list[int] = []
    look_back = Reader.closed_groups

    def busy(reader: Reader, limit: int) -> list[History]:
        asked.append(limit)
        if len(asked) == 1:
            raise StoreFailed("the database is busy")
        return look_back(reader, limit)

    application = await started(tmp_path / "data")
    monkeypatch.setattr(Reader, "closed_groups", busy)
    row = Account(
        name="main",
        exchange="okx",
        market=Market.SPOT,
        mode=Mode.LIVE,
        world=World.LIVE,
        enabled=False,
        created_at=application.clock.now(),
    )
    account = application.exchanges.connect(row, application.core.desk.post)
    assert account is not None
    await account.start()
    await until(lambda: len(asked) == 2)
    for _ in range(2):  # a core that was stopped before its successor stood is stopped once more
        await account.stop()
    await application.stop()
    application.close()


QUITS = """
import sys
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication
from execution_engine.core import Options
from execution_engine.domain.settings import PaperFeed
from execution_engine.main import Application
from execution_engine.window import run_window

application = Application(Options(data_dir=sys.argv[1], port=0, paper_feed=PaperFeed.MANUAL))
application.open()
application.on_core.append(lambda core: QTimer.singleShot(0, QApplication.instance().quit))
run_window(application)
application.close()
"""


def test_a_session_that_ends_quits_qt_first_and_everything_is_ended_in_order(tmp_path: Path) -> None:
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    command = [sys.executable, "-c", QUITS, str(tmp_path / "data")]
    done = subprocess.run(command, env=environment, timeout=30, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
