"""The data kept safe: backups on time, the ones there are, and the way back; the audit log and its end.

Everything that touches the disk does so on a thread; the loop never waits for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from loguru import logger

from execution_engine.adapters.clock import SystemClock
from execution_engine.adapters.machine import free_bytes
from execution_engine.adapters.paths import DataFolder
from execution_engine.adapters.storage import audit_head, backup, files, migrate, whereabouts
from execution_engine.adapters.storage.export import export
from execution_engine.adapters.storage.passage import BEFORE
from execution_engine.adapters.storage.reader import Reader
from execution_engine.adapters.storage.verify import verify
from execution_engine.domain.audit import Act, news
from execution_engine.domain.errors import EngineError, Refusal
from execution_engine.domain.facts import Level
from execution_engine.domain.inputs import DatabaseReplaced, Input, MayChange, SecurityAct
from execution_engine.domain.origin import Origin
from execution_engine.domain.rows import AuditEntry
from execution_engine.domain.safety import BackupFile, BackupState, Kept
from execution_engine.domain.settings import Backups
from execution_engine.engine.feed import Released

LOOK_EVERY_S = 60.0  # at the clock: it may be set, and the computer may sleep
AGAIN_AFTER = timedelta(minutes=15)  # a backup that failed
CALM_AFTER = timedelta(minutes=5)  # a start: first everything that trades gets going
HEAD_EVERY_S = 0.5
AUDIT_SHOWN = 5_000
HELD_BACK = "No order is sent until you resume; look first at what the comparison with each exchange found."


class DataRefused(EngineError):
    """Something about the data was refused; the text says why."""


@dataclass(frozen=True, slots=True)
class House:
    """What it asks of the rest of the application.

    settings: what is wanted. ask: the desk's door. replace: stops the engine, does something to its database, and
    builds the engine anew from what is there then.
    """

    settings: Callable[[], Backups]
    ask: Callable[[Input], Awaitable[object]]
    replace: Callable[[Callable[[], Path | None]], Awaitable[Path | None]]


class Keeping:
    """Looks after the copies of one data folder. state: how they stand now."""

    def __init__(self, house: House, folder: DataFolder, clock: SystemClock) -> None:
        self.house = house
        self.state = BackupState()
        self._folder = folder
        self._clock = clock
        self._turn = asyncio.Lock()
        self._keeping: asyncio.Task[None] | None = None
        self._heading: asyncio.Task[None] | None = None
        self._proving: asyncio.Task[None] | None = None
        self._hurry = asyncio.Event()
        self._ends = False
        self._head: AuditEntry | None = None
        self._begun_at = clock.monotonic()
        self._failed_at: datetime | None = None

    @property
    def folder(self) -> Path:
        """Return where the backups go."""
        chosen = self.house.settings().folder
        return Path(chosen).expanduser() if chosen else self._folder.backups

    async def start(self) -> None:
        """Begin to make backups on time, and say what is wrong with where the data lies."""
        for caution in await asyncio.to_thread(self._cautions):
            logger.bind(category="SYSTEM").warning("{}", caution)
        loop = asyncio.get_running_loop()
        self._keeping = loop.create_task(self._keep(), name="backups")
        self._proving = loop.create_task(self._prove(), name="chain of the log")

    def follow(self) -> None:
        """Look at the settings now."""
        self._hurry.set()

    async def stop(self) -> None:
        """Break off what is being copied, and note the end of the audit log."""
        self._ends = True
        for task in (self._keeping, self._heading, self._proving):
            if task is not None:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
        async with self._turn:  # a copy that is broken off is done in a moment
            pass
        await asyncio.to_thread(self._note_head)

    # -- on time

    async def _keep(self) -> None:
        while True:
            self._hurry.clear()
            try:
                await self._made_when_due()
            except Exception:  # a look that fails by itself must not be the last one
                logger.bind(category="SYSTEM").exception("The backups could not be looked after")
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_EVERY_S):
                    await self._hurry.wait()

    async def _made_when_due(self) -> None:
        wanted, now = self.house.settings(), self._clock.now()
        last = await asyncio.to_thread(self._last)
        every = timedelta(hours=wanted.every_hours)
        due = None if not wanted.every_hours else now if last is None else min(last, now) + every
        since_start = timedelta(seconds=self._clock.monotonic() - self._begun_at)
        if due is not None and since_start < CALM_AFTER:
            due = max(due, now + CALM_AFTER - since_start)
        if due is not None and self._failed_at is not None:
            due = max(due, self._failed_at + AGAIN_AFTER)
        self.state = BackupState(last=last, next=due, busy=self.state.busy, trouble=self.state.trouble)
        if due is not None and due <= now:
            with suppress(EngineError):  # it was told
                await self._make()
            await self._made_when_due()

    def _last(self) -> datetime | None:
        newest = backup.newest(self.folder, self._folder.database.stem)
        return time_of(newest) if newest is not None else None

    async def _make(self) -> Path:
        """Make a dated backup and delete the oldest. Raises EngineError."""
        async with self._turn:
            self._show(busy="A backup is being made")
            wanted, folder = self.house.settings(), self.folder
            try:
                made = await asyncio.to_thread(
                    backup.scheduled,
                    self._folder.database,
                    folder,
                    self._clock.now(),
                    wanted.keep,
                    ends=lambda: self._ends,
                )
            except EngineError as error:
                if not self._ends:
                    await self._failed(str(error))
                raise
            finally:
                self._show(busy="")
        self._failed_at = None
        self.state = BackupState(last=time_of(made), next=self.state.next)
        logger.bind(category="SYSTEM").info("A backup was made and checked: {}", made.name)
        return made

    async def _failed(self, why: str) -> None:
        again = bool(self.state.trouble)
        self._failed_at = self._clock.now()
        self._show(trouble=why)
        if not again:
            await self._note(Act.BACKUP_FAILED, f"No backup could be made: {why}", Level.ERROR)

    def _show(self, *, busy: str | None = None, trouble: str | None = None) -> None:
        was = self.state
        self.state = BackupState(
            last=was.last,
            next=was.next,
            busy=was.busy if busy is None else busy,
            trouble=was.trouble if trouble is None else trouble,
        )

    # -- by hand

    async def make(self) -> str:
        """Make a backup now; return a sentence. Raises EngineError."""
        await self._may_change()
        made = await self._make()
        self.follow()
        await self._note(Act.BACKUP_MADE, f"A backup was made by hand: {made.name}.")
        return f"{made.name} was made and checked."

    async def kept(self) -> Kept:
        """Return the copies that there are."""
        return await asyncio.to_thread(self._look)

    async def check(self, path: Path) -> list[str]:
        """Check a copy, every page and every sum; return what is wrong. Raises EngineError."""
        return await self._checked(path, "A backup is being checked")

    async def verify(self) -> list[str]:
        """Check the database in use and the audit log; return what is wrong. Raises EngineError."""
        return await self._checked(self._folder.database, "The database is being checked")

    async def _checked(self, path: Path, busy: str) -> list[str]:
        async with self._turn:
            self._show(busy=busy)
            try:
                return await asyncio.to_thread(verify, path)
            finally:
                self._show(busy="")

    async def restore(self, path: Path) -> str:
        """Put a copy in the place of the database; return a sentence. Raises EngineError.

        The engine is stopped for it and built anew: it reads every exchange before anything trades.
        """
        await self._may_change()
        await asyncio.to_thread(backup.refuse_unfit, path, self._folder.database)
        async with self._turn:
            self._show(busy="A backup is being restored")
            try:
                aside = await self.house.replace(lambda: self._restored(path))
            finally:
                self._show(busy="")
        kept = f" The database before it is kept as {aside.name}." if aside is not None else ""
        return f"{path.name} was restored.{kept}"

    def _restored(self, path: Path) -> Path | None:
        self._note_head()  # of the database that goes: what replaced it is written down beside it
        return backup.restore(path, self._folder.database, self._clock.now())

    async def export(self, what: str, path: Path) -> str:
        """Write `trades` or `audit` to a file; return a sentence. Raises EngineError."""
        count = await asyncio.to_thread(export, self._folder.database, what, path)
        sentence = exported(what, count, path)
        await self._note(Act.EXPORTED, sentence)
        return sentence

    async def _may_change(self) -> None:
        reply = await self.house.ask(MayChange())
        if isinstance(reply, Refusal):
            raise DataRefused(reply.message)

    # -- what there is

    def _look(self) -> Kept:
        database, folder = self._folder.database, self.folder
        paths = {path for path in folder.glob("*.sqlite") if path.is_file()} if folder.is_dir() else set()
        for place in {folder, self._folder.backups}:
            paths |= {path / database.name for path in place.glob(f"{BEFORE}*") if path.is_dir()}
        found = [file for path in paths if (file := of_file(path)) is not None and backup.is_ours(path)]
        aside = [file for path in files.set_aside_files(database) if (file := of_file(path)) is not None]
        return Kept(
            folder=folder,
            files=tuple(sorted(found, key=_order, reverse=True)),
            aside=tuple(aside),
            size=database.stat().st_size if database.exists() else 0,
            free=free_bytes(folder),
            cautions=tuple(self._cautions()),
        )

    def _cautions(self) -> list[str]:
        root, folder = self._folder.root, self.folder
        found = whereabouts.cautions(root, "The data lies")
        if not folder.is_relative_to(root) and whereabouts.on_network(folder):
            found.append(f"The backups go to a network drive ({folder}): look there whether they arrive.")
        free = free_bytes(folder if folder.is_dir() else root)
        size = self._folder.database.stat().st_size if self._folder.database.exists() else 0
        if free is not None and free < 2 * size:
            found.append(f"The disk has {free >> 20} MiB left: there is no room for another backup.")
        return found

    # -- the audit log

    async def audit(self) -> list[AuditEntry]:
        """Return the last entries of the audit log, newest first."""
        return await asyncio.to_thread(Reader(self._folder.database).last_audit, AUDIT_SHOWN)

    def released(self, change: Released) -> None:
        """Note how far the audit log goes, a moment later and off the loop."""
        for row in change.rows if AuditEntry in change.kinds else ():
            if isinstance(row, AuditEntry):
                self._head = row
        if self._head is not None and self._heading is None and not self._ends:
            self._heading = asyncio.get_running_loop().create_task(self._follow_head(), name="end of the log")

    async def _follow_head(self) -> None:
        await asyncio.sleep(HEAD_EVERY_S)
        try:
            await asyncio.to_thread(self._note_head)
        finally:
            self._heading = None

    def _note_head(self) -> None:
        entry, self._head = self._head, None
        if entry is not None:
            try:
                audit_head.note(self._folder.database, entry)
            except OSError as error:
                logger.bind(category="SYSTEM").warning("The end of the audit log was not noted: {}", error)

    def look_at_head(self) -> DatabaseReplaced | None:
        """Return what is to be said of a state that is not the one that was left; None if it is. Blocking."""
        head = audit_head.read(self._folder.database)
        if head is not None and head.restored:
            return DatabaseReplaced(
                act=Act.BACKUP_RESTORED,
                detail=f"The backup {head.restored} took the place of the database"
                + (f", whose audit log went on to entry {head.id} ({head.hash[:16]}…)." if head.id else "."),
                why=f"The backup {head.restored} was restored. {HELD_BACK}",
                origin=Origin(head.origin) if head.origin in set(Origin) else None,
            )
        fault = audit_head.checked(self._folder.database)
        if not fault:
            return None
        why = f"{fault} {HELD_BACK}"
        return DatabaseReplaced(act=Act.AUDIT_BROKEN, detail=fault, why=why, level=Level.ERROR)

    async def _prove(self) -> None:
        """Follow the chain of the audit log once a start, and hold everything back where it is newly broken."""
        try:
            entries = await asyncio.to_thread(Reader(self._folder.database).audit)
            fault = await asyncio.to_thread(news, entries)
        except EngineError as error:  # what is wrong with the database others say better
            logger.bind(category="SYSTEM").warning("The audit log could not be verified: {}", error)
            return
        if fault:
            why = f"{fault} {HELD_BACK}"
            broken = DatabaseReplaced(act=Act.AUDIT_BROKEN, detail=fault, why=why, level=Level.ERROR)
            await self.house.ask(broken)

    async def _note(self, act: Act, detail: str, level: Level = Level.INFO) -> None:
        await self.house.ask(SecurityAct(act=act, detail=detail, level=level))


def _order(file: BackupFile) -> tuple[datetime, int, str]:
    """Two of one second are told apart by a number behind it."""
    return file.at or datetime.min.replace(tzinfo=UTC), len(file.path.name), file.path.name


def exported(what: str, count: int, path: Path) -> str:
    """Say what was written."""
    words = {"trades": "trades", "audit": "entries of the audit log"}[what]
    return f"{count} {words} were written to {path.name}."


def time_of(path: Path) -> datetime | None:
    """Return when a copy was made, by its name."""
    for word in (path.stem, path.parent.name):
        for part in reversed(word.split("-")):
            with suppress(ValueError):
                return datetime.strptime(part, files.STAMP).replace(tzinfo=UTC)
    return None


def of_file(path: Path) -> BackupFile | None:
    """Return what is told of a copy; None if it is gone meanwhile. Blocking."""
    try:
        size = path.stat().st_size
        known = migrate.is_known(migrate.revision_of(path))
    except OSError:
        return None
    except Exception:  # whatever a damaged file makes of a look into it
        known = False
    before, _, rest = path.parent.name.partition(BEFORE)
    kind = "regular"
    if rest and not before:
        kind = f"before version {rest.rpartition('-')[0]}"
    elif "-schema-" in path.name:
        kind = "before an update"
    elif "-set-aside-" in path.name:
        kind = "set aside"
    return BackupFile(
        path=path, at=time_of(path), size=size, kind=kind, version=backup.version_of(path), readable=known
    )
