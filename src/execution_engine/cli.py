"""The command line: starts the application, or speaks with the one that runs.

Exit status 0 on success, 2 on a usage error, 1 otherwise; errors are one sentence on standard error.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from execution_engine import __version__
from execution_engine.adapters.clock import SystemClock
from execution_engine.adapters.control import NotRunning, call
from execution_engine.adapters.exchanges import instruments
from execution_engine.adapters.paths import DataFolder, data_folder
from execution_engine.adapters.security.folder_lock import FolderLock
from execution_engine.adapters.storage.backup import backup, restore
from execution_engine.adapters.storage.check import open_database
from execution_engine.adapters.storage.reader import Reader
from execution_engine.adapters.storage.store import SqliteStore
from execution_engine.adapters.storage.verify import verify
from execution_engine.domain import inputs as wishes
from execution_engine.domain import settings as documents
from execution_engine.domain.errors import EngineError, Refusal
from execution_engine.domain.settings import PaperFeed, Settings
from execution_engine.domain.symbols import Catalogue
from execution_engine.engine.book import Book
from execution_engine.engine.desk import Desk
from execution_engine.engine.feed import Feed
from execution_engine.engine.state import state
from execution_engine.main import (
    Application,
    Options,
    load_book,
    read_past,
    resources,
    run_headless,
    run_window,
    urls,
)

OK, FAILED, USAGE = 0, 1, 2
ANSWER_S = 60.0

Args = dict[str, Any]


class Unfit(EngineError):
    """A command that cannot be done; the text says why and what to do."""


# -- what a running engine does for the command line


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
        return _shown(self._application.webhook_urls())

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

CONFIRMED = {
    "exit": "Close group {group} at market?",
    "close-all": "Pause, empty the queue, cancel every order and close every position at market?",
    "promote": "Override the limit of open groups for signal {signal}?",
    "replay": "Receive alert {alert} again as a new one? It trades.",
}


def _shown(found: Sequence[tuple[str, str, str]]) -> list[dict[str, str]]:
    return [{"name": name, "url": url, "token": token} for name, url, token in found]


# -- the same without a running engine


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
            return _shown(urls(self.book, webhook.host, webhook.port))
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


def ask(folder: DataFolder, command: str, args: Args | None = None) -> Any:
    """Ask the running engine, or the disk while none runs. Raises EngineError with a sentence."""
    try:
        return call(folder.control, command, args or {}, ANSWER_S)
    except NotRunning:
        resting = Resting.open(folder)
    try:
        return resting.answer(command, args or {})
    finally:
        resting.close()


# -- commands


def _webhook(folder: DataFolder, given: argparse.Namespace) -> int:
    found = ask(folder, "webhook")
    if given.json:
        print(json.dumps(found, indent=2))
    else:
        for row in found:
            print(f"{row['name']}: {row['url']}")
    return OK


def _state(folder: DataFolder, given: argparse.Namespace) -> int:
    shown = ask(folder, "state", {"open": given.open})
    if given.json:
        print(json.dumps(shown, indent=2, ensure_ascii=False))
        return OK
    engine = shown["engine"]
    print(f"{engine['status']} {' · '.join(engine['reasons'])}".strip())
    for name, world in engine["worlds"].items():
        print(
            f"{name}: {world['slots_used']} of {world['slots']} slots, realized {world['realized_pnl_usd']} USD"
        )
    for group in shown["groups"]:
        if group["closed_at"] is None:
            print(f"{group['id']} {group['symbol']} {group['timeframe']} {group['side']} {group['status']}")
    return OK


def _settings(folder: DataFolder, given: argparse.Namespace) -> int:
    action = {
        "get": _settings_get,
        "set": _settings_set,
        "export": _settings_export,
        "import": _settings_import,
    }
    return action[given.action](folder, given)


def _current(folder: DataFolder) -> Settings:
    return documents.parse(ask(folder, "settings"))


def _settings_get(folder: DataFolder, given: argparse.Namespace) -> int:
    value = documents.get(_current(folder), given.path)
    print(value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False))
    return OK


def _settings_set(folder: DataFolder, given: argparse.Namespace) -> int:
    try:
        value = json.loads(given.value, parse_float=Decimal)
    except ValueError:
        value = given.value
    document = documents.dump(documents.with_value(_current(folder), given.path, value))
    print(ask(folder, "save", {"document": document, "note": f"{given.path} set on the command line"}))
    return OK


def _settings_export(folder: DataFolder, given: argparse.Namespace) -> int:
    Path(given.file).write_text(documents.dump(_current(folder)) + "\n", encoding="utf-8")
    return OK


def _settings_import(folder: DataFolder, given: argparse.Namespace) -> int:
    document = documents.dump(documents.parse(Path(given.file).read_text(encoding="utf-8")))
    print(ask(folder, "save", {"document": document, "note": f"imported from {Path(given.file).name}"}))
    return OK


def _account(folder: DataFolder, given: argparse.Namespace) -> int:
    for row in ask(folder, "accounts"):
        enabled = "enabled" if row["enabled"] else "disabled"
        print(f"{row['name']}: {row['exchange']} {row['market']} {row['mode']}, {enabled}, {row['status']}")
    return OK


def _wish(command: str) -> Callable[[DataFolder, argparse.Namespace], int]:
    def run(folder: DataFolder, given: argparse.Namespace) -> int:
        args = {name: getattr(given, name) for name in ("group", "signal", "alert") if hasattr(given, name)}
        question = CONFIRMED.get(command)
        if question and not given.yes and not _confirmed(question.format(**args)):
            raise Unfit("nothing was done")
        print(call(folder.control, command, args, ANSWER_S))
        return OK

    return run


def _confirmed(question: str) -> bool:
    """Ask at a terminal; a script that calls a command means it."""
    if not sys.stdin.isatty():
        return True
    return input(f"{question} [y/N] ").strip().lower() in ("y", "yes")


def _backup(folder: DataFolder, given: argparse.Namespace) -> int:
    print(ask(folder, "backup", {"file": str(Path(given.file).absolute())}))
    return OK


def _restore(folder: DataFolder, given: argparse.Namespace) -> int:
    with FolderLock(folder.lock):
        aside = restore(Path(given.file), folder.database, SystemClock().now())
    print(f"Restored. The database before it is kept as {aside.name}." if aside else "Restored.")
    return OK


def _verify(folder: DataFolder, given: argparse.Namespace) -> int:
    faults = ask(folder, "verify")
    for fault in faults:
        print(fault)
    if not faults:
        print("Everything agrees: the file is sound and every sum of money adds up.")
    return FAILED if faults else OK


# -- starting


def has_display() -> bool:
    """Return whether a window can be opened."""
    if sys.platform in ("win32", "darwin") or os.environ.get("QT_QPA_PLATFORM") in (
        "offscreen",
        "minimal",
        "vnc",
    ):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _start(given: argparse.Namespace) -> int:
    headless = given.headless
    if not headless and not has_display():
        print("There is no display: going on without a window (--headless).", file=sys.stderr)
        headless = True
    application = Application(
        Options(
            data_dir=given.data_dir,
            host=given.host,
            port=given.port,
            paper_feed=PaperFeed(given.paper_feed) if given.paper_feed else None,
            seed=given.seed,
            headless=headless,
        )
    )
    application.handle = Commands(application).handle
    application.open()
    try:
        run_headless(application) if headless else run_window(application)
    finally:
        application.close()
    return OK


def parser() -> argparse.ArgumentParser:
    """Describe the whole command line."""
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--data-dir", metavar="DIR", default=argparse.SUPPRESS, help="folder of all data")
    common.add_argument(
        "--password-file", metavar="F", default=argparse.SUPPRESS, help="file with the master password"
    )
    common.add_argument("--yes", action="store_true", default=argparse.SUPPRESS, help="answer confirmations")
    top = argparse.ArgumentParser(
        prog="execution-engine", parents=[common], description=__doc__.splitlines()[0]
    )
    top.add_argument("--version", action="version", version=f"Execution Engine {__version__}")
    top.add_argument("--headless", action="store_true", help="run without a window")
    top.add_argument("--host", help="address to listen on")
    top.add_argument("--port", type=_port, help="port to listen on; 0 picks a free one")
    top.add_argument(
        "--paper-feed", choices=[feed.value for feed in PaperFeed], help="prices of the paper exchange"
    )
    top.add_argument("--seed", type=int, help="seed of the synthetic market")
    top.set_defaults(data_dir=None, yes=False, run=None)
    commands = top.add_subparsers(metavar="COMMAND")

    def command(name: str, run: Callable[..., int], text: str) -> argparse.ArgumentParser:
        added = commands.add_parser(name, parents=[common], help=text, description=text)
        added.set_defaults(run=run)
        return added

    command("webhook", _webhook, "print each webhook").add_argument("--json", action="store_true")
    shown = command("state", _state, "print the state")
    shown.add_argument("--json", action="store_true")
    shown.add_argument("--open", action="store_true", help="open groups only")
    _add_settings(command("settings", _settings, "read and change the settings"), common)
    listing = command("account", _account, "list the accounts").add_subparsers(
        required=True, metavar="ACTION"
    )
    listing.add_parser("list", parents=[common])
    command("exit", _wish("exit"), "close a group at market").add_argument("group", type=int)
    command("close-all", _wish("close-all"), "pause and close everything at market")
    command("pause", _wish("pause"), "store alerts, open nothing")
    command("resume", _wish("resume"), "run again")
    command("promote", _wish("promote"), "force a queued signal into the pool").add_argument(
        "signal", type=int
    )
    command("replay", _wish("replay"), "receive an alert again").add_argument("alert", type=int)
    _add_pairs(
        command("queue", _wish("queue remove"), "change the queue"), common, "queue", "signal", ["remove"]
    )
    risk = command("risk", _wish("risk skip"), "the risk engine")
    _add_pairs(risk, common, "risk", "group", ["skip", "block", "unblock"])
    command("backup", _backup, "copy the database").add_argument("file")
    command("restore", _restore, "put a backup in place of the database").add_argument("file")
    command("verify", _verify, "check the file and every sum of money")
    return top


def _port(text: str) -> int:
    number = int(text) if text.isascii() and text.isdigit() else -1
    if not 0 <= number <= 65535:
        raise argparse.ArgumentTypeError(f"{text} is no port; give 0 to 65535")
    return number


def _add_settings(parser: argparse.ArgumentParser, common: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(required=True, dest="action", metavar="ACTION")
    actions.add_parser("get", parents=[common]).add_argument("path", nargs="?", default="")
    setting = actions.add_parser("set", parents=[common])
    setting.add_argument("path")
    setting.add_argument("value", help="JSON, or else text")
    actions.add_parser("export", parents=[common]).add_argument("file")
    actions.add_parser("import", parents=[common]).add_argument("file")


def _add_pairs(
    parser: argparse.ArgumentParser,
    common: argparse.ArgumentParser,
    word: str,
    operand: str,
    actions: list[str],
) -> None:
    pairs = parser.add_subparsers(required=True, metavar="ACTION")
    for action in actions:
        added = pairs.add_parser(action, parents=[common])
        added.add_argument(operand, type=int)
        added.set_defaults(run=_wish(f"{word} {action}"))


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    given = parser().parse_args(argv)
    try:
        if given.run is None:
            return _start(given)
        status: int = given.run(data_folder(given.data_dir), given)
    except EngineError as error:
        print(error, file=sys.stderr)
        return FAILED
    except OSError as error:
        print(f"{error.filename or 'a file'}: {(error.strerror or str(error)).lower()}", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        return OK if given.run is None else FAILED
    return status
