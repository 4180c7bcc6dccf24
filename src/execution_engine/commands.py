"""What is done for the command line: by a running engine, or from the disk alone while none runs."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from execution_engine import __version__
from execution_engine.adapters.clock import SystemClock
from execution_engine.adapters.exchanges import instruments
from execution_engine.adapters.paths import DataFolder
from execution_engine.adapters.security.folder_lock import FolderLock
from execution_engine.adapters.storage.backup import backup
from execution_engine.adapters.storage.check import open_database
from execution_engine.adapters.storage.reader import Reader
from execution_engine.adapters.storage.store import SqliteStore
from execution_engine.adapters.storage.verify import verify
from execution_engine.core import load_book, urls
from execution_engine.domain import document as documents
from execution_engine.domain import inputs as wishes
from execution_engine.domain.errors import EngineError, Refusal
from execution_engine.domain.symbols import Catalogue
from execution_engine.engine.book import Book
from execution_engine.engine.desk import Desk
from execution_engine.engine.feed import Feed
from execution_engine.engine.state import state
from execution_engine.main import Application, read_past, resources

Args = dict[str, Any]


class Unfit(EngineError):
    """A command that cannot be done; the text says why and what to do."""


class Commands:
    """Carries out what the command line asks of a running engine."""

    def __init__(self, application: Application) -> None:
        self._application = application
        self._table: dict[str, Callable[[Args], Awaitable[Any]]] = {
            "webhook": self._webhook,
            "state": lambda args: application.read_state(open_only=bool(args.get("open"))),
            "settings": self._settings,
            "save": self._save,
            "accounts": self._accounts,
            "backup": self._backup,
            "verify": self._verify,
            "moments": self._moments,
        } | {name: self._wish(wish) for name, wish in WISHES.items()}

    async def handle(self, command: str, args: Args) -> Any:
        """Return what a command answers. Raises EngineError with a sentence."""
        work = self._table.get(command)
        if work is None:
            raise Unfit(
                f"the running engine does not know the command “{command}”; is it of the same version?"
            )
        return await work(args)

    def _wish(self, build: Callable[[Args], wishes.Input]) -> Callable[[Args], Awaitable[str]]:
        async def ask(args: Args) -> str:
            reply = await self._application.core.desk.ask(build(args | {"now": SystemClock().now()}))
            if isinstance(reply, Refusal):
                raise Unfit(reply.message)
            return reply.text or reply.status

        return ask

    async def _webhook(self, args: Args) -> list[dict[str, str]]:
        return as_plain(self._application.webhook_urls())

    async def _settings(self, args: Args) -> str:
        return documents.dump(self._application.core.book.settings)

    async def _save(self, args: Args) -> str:
        return await self._wish(lambda a: wishes.SaveSettings(document=a["document"], note=a["note"]))(args)

    async def _accounts(self, args: Args) -> list[Any]:
        shown: list[Any] = (await self._application.read_state(open_only=True))["accounts"]
        return shown

    async def _backup(self, args: Args) -> str:
        made = await asyncio.to_thread(backup, self._application.folder.database, Path(args["file"]))
        return str(made)

    async def _moments(self, args: Args) -> dict[str, float]:
        """Return when the start got how far; asked by the benchmarks and for the diagnosis of slow starts."""
        return self._application.moments

    async def _verify(self, args: Args) -> list[str]:
        return await asyncio.to_thread(verify, self._application.folder.database)


WISHES: dict[str, Callable[[Args], wishes.Input]] = {
    "exit": lambda args: wishes.ExitGroup(group_id=args["group"]),
    "close-all": lambda args: wishes.CloseAll(),
    "pause": lambda args: wishes.Pause(),
    "resume": lambda args: wishes.Resume(),
    "promote": lambda args: wishes.Promote(queued_id=args["signal"]),
    "queue remove": lambda args: wishes.RemoveQueued(queued_id=args["signal"]),
    "replay": lambda args: wishes.Replay(alert_id=args["alert"], received_at=args["now"]),
    "risk skip": lambda args: wishes.SetRisk(group_id=args["group"], skip_once=True),
    "risk block": lambda args: wishes.SetRisk(group_id=args["group"], blocked=True),
    "risk unblock": lambda args: wishes.SetRisk(group_id=args["group"], blocked=False),
}


def as_plain(found: Sequence[tuple[str, str, str]]) -> list[dict[str, str]]:
    """Return webhooks as `webhook --json` prints them."""
    return [{"name": name, "url": url, "token": token} for name, url, token in found]


@dataclass(slots=True)
class Resting:
    """The state on disk while no engine runs, under the folder's lock."""

    folder: DataFolder
    book: Book
    desk: Desk
    store: SqliteStore
    lock: FolderLock

    @classmethod
    def open(cls, folder: DataFolder) -> Resting:
        lock = FolderLock(folder.lock)
        lock.acquire()
        try:
            clock = SystemClock()
            open_database(folder.database, folder.backups, clock.now())
            store = SqliteStore(folder.database)
            catalogue = Catalogue(instruments.load(resources() / "instruments.json"))
            book, new = load_book(store, catalogue, clock)
            store.write(tuple(new), _raise)
        except BaseException:
            lock.release()
            raise
        return cls(folder, book, Desk(book, store, clock, Feed()), store, lock)

    def close(self) -> None:
        self.store.close()
        self.lock.release()

    def answer(self, command: str, args: Args) -> Any:
        """Return what a command answers from the disk alone. Raises EngineError with a sentence."""
        if command == "webhook":
            webhook = self.book.settings.webhook
            return as_plain(urls(self.book, webhook.host, webhook.port))
        if command == "settings":
            return documents.dump(self.book.settings)
        if command == "save":
            return self._save(args)
        if command == "verify":
            return verify(self.folder.database)
        if command == "backup":
            return str(backup(self.folder.database, Path(args["file"])))
        if command in ("state", "accounts"):
            shown = self._state(open_only=bool(args.get("open")))
            return shown if command == "state" else shown["accounts"]
        raise Unfit("no engine is running for this data folder; start it first")

    def _state(self, *, open_only: bool) -> dict[str, Any]:
        past = read_past(Reader(self.folder.database), open_only=open_only)
        reasons = [self.book.settings_fault] if self.book.settings_fault else []
        return state(
            self.book, past, version=__version__, status="stopped", reasons=reasons, open_only=open_only
        )

    def _save(self, args: Args) -> str:
        replies: list[Any] = []
        self.desk.post(wishes.SaveSettings(document=args["document"], note=args["note"]), replies.append)
        (reply,) = replies
        if isinstance(reply, wishes.Answer):
            return reply.text
        raise Unfit(reply.message if isinstance(reply, Refusal) else str(reply))


def _raise(failure: Exception | None) -> None:
    if failure is not None:
        raise failure
