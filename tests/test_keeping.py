"""The whole application looking after its data: backups on time, the way back, the end of the audit log."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager, closing
from datetime import timedelta
from pathlib import Path

import pytest

from execution_engine.adapters.storage import audit_head, backup
from execution_engine.core import Options
from execution_engine.domain import document as documents
from execution_engine.domain.errors import EngineError
from execution_engine.domain.inputs import Pause, Resume, SaveSettings
from execution_engine.domain.settings import PaperFeed
from execution_engine.keeping import AGAIN_AFTER, CALM_AFTER
from execution_engine.main import Application
from tests.waiting import until


@pytest.fixture(autouse=True)
def calm(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every start count as long ago."""
    monkeypatch.setattr("execution_engine.keeping.CALM_AFTER", timedelta(0))


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


async def save(application: Application, path: str, value: object) -> None:
    settings = documents.with_value(application.core.book.settings, path, value)
    await application.core.desk.ask(SaveSettings(document=documents.dump(settings)))


async def refused(work: Awaitable[object]) -> str:
    with pytest.raises(EngineError) as caught:
        await work
    return str(caught.value)


async def acts(application: Application) -> list[str]:
    return [entry.act for entry in await application.keeping.audit()]


async def test_backups_are_made_on_time_kept_in_number_and_listed(tmp_path: Path) -> None:
    async with running(tmp_path / "data") as application:
        keeping = application.keeping
        await until(lambda: keeping.state.last is not None and not keeping.state.busy)
        await until(lambda: keeping.state.next is not None and keeping.state.next > application.clock.now())
        assert keeping.state.next is not None
        assert keeping.state.last is not None
        assert keeping.state.next - keeping.state.last == timedelta(hours=24)
        await save(application, "backups.keep", 2)
        for _ in range(3):
            assert (await keeping.make()).endswith("was made and checked.")
        kept = await keeping.kept()
        assert [file.kind for file in kept.files] == ["regular", "regular"]
        assert all(file.readable and file.version and file.size for file in kept.files)
        assert (kept.folder, kept.cautions) == (application.folder.backups, ())
        assert await keeping.check(Path(kept.files[0].path)) == []
        assert await keeping.verify() == []
        assert (await acts(application)).count("backup_made") == 3
        await save(application, "backups.folder", str(tmp_path / "elsewhere"))
        await until(lambda: len(list((tmp_path / "elsewhere").glob("*.sqlite"))) == 1)
        await save(application, "security.read_only", True)
        assert "read only" in (await refused(keeping.make())).lower()


async def test_the_first_backup_waits_until_the_start_is_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("execution_engine.keeping.CALM_AFTER", CALM_AFTER)
    async with running(tmp_path / "data") as application:
        await until(lambda: application.keeping.state.next is not None)
        assert application.keeping.state.next is not None
        wait = application.keeping.state.next - application.clock.now()
        assert CALM_AFTER - timedelta(seconds=30) < wait <= CALM_AFTER
        assert (await application.keeping.kept()).files == ()


async def test_a_backup_that_cannot_be_made_is_told_once_and_tried_again(tmp_path: Path) -> None:
    async with running(tmp_path / "data") as application:
        keeping = application.keeping
        await until(lambda: keeping.state.last is not None and not keeping.state.busy)
        (tmp_path / "file").touch()
        await save(application, "backups.folder", str(tmp_path / "file"))
        await until(lambda: bool(keeping.state.trouble))
        assert "cannot be made" in keeping.state.trouble
        await refused(keeping.make())
        assert (await acts(application)).count("backup_failed") == 1
        keeping.follow()
        later = application.clock.now() + AGAIN_AFTER - timedelta(minutes=1)
        await until(lambda: keeping.state.next is not None and keeping.state.next > later)
        await save(application, "backups.folder", "")
        await keeping.make()
        assert keeping.state.trouble == ""


async def test_a_look_at_the_backups_that_fails_is_not_the_last_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("execution_engine.keeping.LOOK_EVERY_S", 0.01)
    asked: list[Path] = []

    def not_at_first(folder: Path, stem: str) -> Path | None:
        asked.append(folder)
        if len(asked) == 1:
            raise PermissionError("the drive is not there yet")
        return newest(folder, stem)

    newest = backup.newest
    monkeypatch.setattr(backup, "newest", not_at_first)
    async with running(tmp_path / "data") as application:
        await until(lambda: application.keeping.state.last is not None)


async def test_a_backup_from_the_future_keeps_no_other_from_being_made(tmp_path: Path) -> None:
    async with running(tmp_path / "data") as application:
        await until(lambda: application.keeping.state.last is not None)
        made = backup.newest(application.folder.backups)
    assert made is not None
    made.rename(made.with_name("engine-20990101T000000Z.sqlite"))  # the clock was wrong then
    async with running(tmp_path / "data") as application:
        await until(lambda: application.keeping.state.next is not None)
        state = application.keeping.state
        assert state.next is not None
        assert state.next - application.clock.now() <= timedelta(hours=24)


@pytest.mark.fault(61)
async def test_a_backup_is_restored_while_it_runs_and_nothing_trades_blindly(tmp_path: Path) -> None:
    async with running(tmp_path / "data") as application:
        keeping, first = application.keeping, application.core
        await until(lambda: keeping.state.last is not None and not keeping.state.busy)
        await application.core.desk.ask(Pause())
        await keeping.make()
        (made, *_) = (await keeping.kept()).files
        await application.core.desk.ask(Resume())
        epoch = application.core.book.engine.epoch
        assert "There is no backup" in await refused(keeping.restore(tmp_path / "nothing.sqlite"))
        assert application.core is first  # nothing was stopped for it
        assert not application.core.book.engine.paused
        said = await keeping.restore(Path(made.path))
        assert "was restored. The database before it is kept as engine-set-aside-" in said
        book = application.core.book
        assert book.engine.epoch > epoch  # no order is named twice
        await until(lambda: "backup_restored" in application_acts(application))
        assert await keeping.verify() == []
        assert len((await keeping.kept()).aside) == 1
        assert application.trouble == ""
        engine = (await application.read_state())["engine"]
        assert engine["status"] == "hold"
        why = f"The backup {made.path.name} was restored. No order is sent until you resume"
        assert engine["reasons"][0].startswith(why)
        await application.core.desk.ask(Resume())
        await until(lambda: application.status() == ("running", []))


def application_acts(application: Application) -> list[str]:
    with closing(sqlite3.connect(application.folder.database)) as connection:
        return [act for (act,) in connection.execute("SELECT act FROM audit_log")]


@pytest.mark.fault(90)
async def test_a_log_that_somebody_changed_holds_the_engine_until_the_user_has_looked_and_is_told_once(
    tmp_path: Path,
) -> None:
    async with running(tmp_path / "data") as application:
        await application.core.desk.ask(Pause())
        await application.core.desk.ask(Resume())
        database = application.folder.database
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("UPDATE audit_log SET detail = 'Nothing happened.' WHERE act = 'paused'")
    async with running(tmp_path / "data") as application:
        await until(lambda: application.status()[0] == "hold")
        assert "(paused) does not follow from the one before it" in application.status()[1][0]
        await application.core.desk.ask(Resume())
        await until(lambda: application.status()[0] == "running")
    async with running(tmp_path / "data") as application:
        await until(lambda: application.keeping._proving is not None and application.keeping._proving.done())
        assert application.status() == ("running", [])
        assert application_acts(application).count("audit_broken") == 1


@pytest.mark.fault(90)
async def test_an_audit_log_that_lost_its_end_is_told_at_the_next_start(tmp_path: Path) -> None:
    async with running(tmp_path / "data") as application:
        await application.core.desk.ask(Pause())
        await application.core.desk.ask(Resume())
        database = application.folder.database
    assert audit_head.read(database) is not None
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("DELETE FROM audit_log WHERE id = (SELECT max(id) FROM audit_log)")
    async with running(tmp_path / "data") as application:
        await until(lambda: "audit_broken" in application_acts(application))
        word, reasons = application.status()
        assert word == "hold"
        assert reasons[0].startswith("The audit log ends before entry ")
        await until(lambda: audit_head.fault(database) == "")  # told once, and noted from then on
