"""What is done for the command line: by a running engine, or from the disk alone while none runs."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from execution_engine import __version__
from execution_engine.accounts import Accounts, listed
from execution_engine.adapters import diagnostics
from execution_engine.adapters.clock import SystemClock
from execution_engine.adapters.exchanges import instruments
from execution_engine.adapters.paths import DataFolder
from execution_engine.adapters.security.folder_lock import FolderLock
from execution_engine.adapters.security.redact import Redaction
from execution_engine.adapters.security.vault import Vault
from execution_engine.adapters.storage.backup import backup
from execution_engine.adapters.storage.export import export
from execution_engine.adapters.storage.passage import open_data
from execution_engine.adapters.storage.reader import Reader
from execution_engine.adapters.storage.store import SqliteStore
from execution_engine.adapters.storage.verify import verify
from execution_engine.core import load_book, urls
from execution_engine.domain import account_commands, versions
from execution_engine.domain import document as documents
from execution_engine.domain import inputs as wishes
from execution_engine.domain.changes import told
from execution_engine.domain.draft import Draft
from execution_engine.domain.errors import EngineError, Refusal, StoreFailed, VaultError
from execution_engine.domain.instrument import Market
from execution_engine.domain.origin import Origin, acting
from execution_engine.domain.risk_run import preview
from execution_engine.domain.risk_words import balance
from execution_engine.domain.rows import Choice, Mode
from execution_engine.domain.symbols import Catalogue
from execution_engine.engine.book import Book
from execution_engine.engine.desk import Desk
from execution_engine.engine.feed import Feed
from execution_engine.engine.state import state, worlds_in_use
from execution_engine.keeping import exported
from execution_engine.main import Application, read_past, resources
from execution_engine.notifying import Notifying
from execution_engine.unlocking import Unlocking
from execution_engine.webhooks import Webhooks
from execution_engine.webhooks import listed as listed_webhooks

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
            "settings versions": self._versions,
            "settings difference": self._difference,
            "settings restore": self._restore,
            "save": self._save,
            "accounts": self._accounts,
            "webhooks": self._webhooks,
            "tunnel": self._tunnel,
            "backup": self._backup,
            "verify": self._verify,
            "export": lambda args: application.keeping.export(args["what"], Path(args["file"])),
            "moments": self._moments,
            "vault": self._vault,
            "risk plan": self._risk_plan,
            "notify": self._notify,
            "diagnostics": lambda args: application.diagnostics(Path(args["file"])),
            "doctor": self._doctor,
        }
        self._table |= {name: self._wish(wish) for name, wish in WISHES.items()}
        self._table |= {name: self._about_keys(act) for name, act in ACCOUNT_ACTS.items()}
        self._table |= {name: self._about_webhooks(act) for name, act in WEBHOOK_ACTS.items()}
        self._table |= {name: self._about_targets(act) for name, act in NOTIFY_ACTS.items()}

    async def handle(self, command: str, args: Args) -> Any:
        """Return what a command answers. Raises EngineError with a sentence."""
        work = self._table.get(command)
        if work is None:
            raise Unfit(
                f"the running engine does not know the command “{command}”; is it of the same version?"
            )
        with acting(Origin.COMMAND_LINE):
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

    async def _versions(self, args: Args) -> list[Args]:
        return [as_told(version) for version in await self._application.read(numbered_versions)]

    async def _difference(self, args: Args) -> list[Args]:
        return differences(await self._application.read(numbered_versions), args)

    async def _restore(self, args: Args) -> str:
        return await self._save(restoring(await self._application.read(numbered_versions), args))

    async def _save(self, args: Args) -> str:
        return await self._wish(lambda a: wishes.SaveSettings(document=a["document"], note=a["note"]))(args)

    async def _accounts(self, args: Args) -> list[Any]:
        with suppress(StoreFailed):  # the state says so
            await self._application.core.durable()
        return [listed(account) for account in self._application.core.book.accounts.values()]

    async def _webhooks(self, args: Args) -> list[Any]:
        application = self._application
        return listed_webhooks(application.core.book.tokens.values(), application.clock.now())

    async def _tunnel(self, args: Args) -> Args:
        """Say how alerts arrive from outside; with `check`, after a probe was sent through the public address."""
        way_in = self._application.way_in
        if args.get("check"):
            await way_in.check()
        shown = way_in.shown
        light, sentence = shown.light
        return {
            "light": light,
            "sentence": sentence,
            "url": shown.url,
            "local": shown.local,
            "program": shown.tunnel.program,
            "tunnel": shown.tunnel.word.value,
            "hints": list(shown.tunnel.hints),
            "took_s": shown.reach.took_s if shown.reach.url == shown.url else None,
            "checked_at": shown.reach.at if shown.reach.url == shown.url else None,
        }

    async def _doctor(self, args: Args) -> Args:
        """Say what only the running engine knows of its surroundings."""
        application, book = self._application, self._application.core.book
        unlocking = application.unlocking
        return {
            "address": application.address,
            "settings": documents.dump(book.settings),
            "feed": application.core.prices.name,
            "accounts": [listed(account) for account in book.accounts.values()],
            "tunnel": await self._tunnel({}),
            "vault": {"open": application.vault.is_open, "trouble": unlocking.trouble},
        }

    def _about_webhooks(self, act: WebhookAct) -> Callable[[Args], Awaitable[str]]:
        return lambda args: act(self._application.webhooks, args)

    async def _notify(self, args: Args) -> list[Args]:
        return [asdict(target) for target in self._application.notifying.shown()]

    def _about_targets(self, act: NotifyAct) -> Callable[[Args], Awaitable[str]]:
        async def run(args: Args) -> str:
            if args.get("password") is not None:
                await self._application.unlocking.ready(args["password"])
            return await act(self._application.notifying, args)

        return run

    async def _vault(self, args: Args) -> Args:
        return await asyncio.to_thread(vault_state, self._application.vault)

    async def _risk_plan(self, args: Args) -> list[str]:
        """Return what running the risk engine now would do, in words; it may change until it is run."""
        book, now = self._application.core.book, SystemClock().now()
        found = [preview(book, world, now) for world in worlds_in_use(book)]
        return [line for one in found for line in balance(one, rehearsed=book.settings.rehearses(one.world))]

    def _about_keys(self, act: AccountAct) -> Callable[[Args], Awaitable[Any]]:
        return lambda args: act(self._application.accounts, args)

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
    "decide": lambda args: wishes.DecideFinding(
        finding_id=args["finding"], choice=Choice(args["choice"]), message=args.get("message") or ""
    ),
    "risk run": lambda args: wishes.RunRisk(),
    "risk skip": lambda args: wishes.SetRisk(group_id=args["group"], skip_once=True),
    "risk block": lambda args: wishes.SetRisk(group_id=args["group"], blocked=True),
    "risk unblock": lambda args: wishes.SetRisk(group_id=args["group"], blocked=False),
}


AccountAct = Callable[[Accounts, Args], Awaitable[Any]]


async def _opened(accounts: Accounts, args: Args) -> Accounts:
    """Open the vault, or make it, with the password that came along; without one it may be open already."""
    password = args.get("password")
    if password is not None:
        await accounts.unlocking.ready(password)
    return accounts


async def _add(accounts: Accounts, args: Args) -> list[str]:
    market, mode = Market(args["market"]), Mode(args["mode"])
    await _opened(accounts, args)
    return await accounts.add(args["name"], args["exchange"], market, mode, args.get("keys"))


async def _enter_keys(accounts: Accounts, args: Args) -> list[str]:
    return await (await _opened(accounts, args)).enter_keys(args["name"], args["keys"])


async def _check(accounts: Accounts, args: Args) -> str:
    return await (await _opened(accounts, args)).check(args["name"])


async def _remove(accounts: Accounts, args: Args) -> str:
    return await (await _opened(accounts, args)).remove(args["name"])


async def _set_secret(accounts: Accounts, args: Args) -> str:
    unlocking = (await _opened(accounts, args)).unlocking
    await unlocking.ready()
    return await unlocking.set_secret(args["which"], args["secret"])


async def _needs_confirmation(accounts: Accounts, args: Args) -> bool:
    return accounts.needs_confirmation(args["name"])


ACCOUNT_ACTS: dict[str, AccountAct] = {
    "account add": _add,
    "account keys": _enter_keys,
    "account check": _check,
    "account confirm": _needs_confirmation,
    "account enable": lambda accounts, args: accounts.enable(
        args["name"], confirmed=bool(args.get("confirmed"))
    ),
    "account disable": lambda accounts, args: accounts.disable(args["name"]),
    "account default": lambda accounts, args: accounts.make_default(args["name"]),
    "account remove": _remove,
    "secret": _set_secret,
}


WebhookAct = Callable[[Webhooks, Args], Awaitable[str]]

WEBHOOK_ACTS: dict[str, WebhookAct] = {
    "webhook add": lambda webhooks, args: webhooks.add(args["name"], args["accounts"]),
    "webhook rotate": lambda webhooks, args: webhooks.rotate(args["name"], args["overlap_s"]),
    "webhook revoke": lambda webhooks, args: webhooks.revoke(args["name"]),
    "webhook rename": lambda webhooks, args: webhooks.rename(args["name"], args["to"]),
    "webhook allow": lambda webhooks, args: webhooks.allow(args["name"], args["accounts"]),
}


NotifyAct = Callable[[Notifying, Args], Awaitable[str]]

NOTIFY_ACTS: dict[str, NotifyAct] = {
    "notify add": lambda notifying, args: notifying.add(args["name"], args["address"]),
    "notify remove": lambda notifying, args: notifying.remove(args["name"]),
    "notify test": lambda notifying, args: notifying.test(args["name"]),
}


def vault_state(vault: Vault) -> Args:
    """Return what has to be known before a password is asked for. Blocking."""
    state: Args = {"exists": vault.exists, "open": vault.is_open, "password": False, "keyring": False}
    with suppress(VaultError):  # whoever opens it is told
        if vault.exists:
            state |= {"password": vault.has_password, "keyring": vault.is_in_keyring}
    return state | {"system_keyring": not vault.exists and vault.keyring_is_there()}


def numbered_versions(reader: Reader) -> tuple[versions.Version, ...]:
    """Return the saved versions of the settings, newest first. Blocking."""
    return versions.numbered(reader.settings_versions())


def as_told(version: versions.Version) -> Args:
    """Return a version of the settings as `settings history` tells it."""
    saved_at = version.saved_at
    return {
        "number": version.number,
        "saved_at": None if saved_at is None else saved_at.isoformat(),
        "note": version.note,
        "changes": version.fault or told(version.changes),
    }


def differences(found: Sequence[versions.Version], args: Args) -> list[Args]:
    """Return what differs between two versions of the settings."""
    changes = versions.difference(found, args["one"], args["other"])
    if isinstance(changes, Refusal):
        raise Unfit(changes.message)
    return [{"path": change.path, "old": change.old, "new": change.new} for change in changes]


def restoring(found: Sequence[versions.Version], args: Args) -> Args:
    """Return what is to be saved so that a version is in force again. Raises SettingsError."""
    settings = versions.restorable(found, args["number"])
    return {"document": documents.dump(settings), "note": f"version {args['number']} restored"}


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
            passage = open_data(folder, __version__, clock.now())
            if passage.sentence:
                sys.stderr.write(passage.sentence + "\n")
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
        with acting(Origin.COMMAND_LINE):
            return self._answer(command, args)

    def _answer(self, command: str, args: Args) -> Any:
        if command == "webhook":
            webhook = self.book.settings.webhook
            return as_plain(urls(self.book, webhook.host, webhook.port))
        if command == "settings":
            return documents.dump(self.book.settings)
        if command == "save":
            return self._save(args)
        if command.startswith("settings "):
            return self._about_versions(command, args)
        if command == "verify":
            return verify(self.folder.database)
        if command == "backup":
            return str(backup(self.folder.database, Path(args["file"])))
        if command == "export":
            path = Path(args["file"])
            return exported(args["what"], export(self.folder.database, args["what"], path), path)
        if command == "diagnostics":
            return self._diagnostics(Path(args["file"]))
        if command == "state":
            return self._state(open_only=bool(args.get("open")))
        if command == "accounts":
            return [listed(account) for account in self.book.accounts.values()]
        if command == "vault":
            return vault_state(Vault(self.folder.vault))
        if command == "webhooks":
            return listed_webhooks(self.book.tokens.values(), SystemClock().now())
        if command in WEBHOOK_ACTS:
            webhooks = Webhooks(self.desk.ask, lambda token: None)  # a short-lived process keeps no log
            return asyncio.run(WEBHOOK_ACTS[command](webhooks, args))  # type: ignore[arg-type]
        if command in ACCOUNT_ACTS:
            return asyncio.run(ACCOUNT_ACTS[command](self._accounts(), args))  # type: ignore[arg-type]
        raise Unfit("no engine is running for this data folder; start it first")

    def _state(self, *, open_only: bool) -> dict[str, Any]:
        past = read_past(Reader(self.folder.database), open_only=open_only)
        reasons = [why for why in (self.book.engine.recovering, self.book.settings_fault) if why]
        return state(
            self.book, past, version=__version__, status="stopped", reasons=reasons, open_only=open_only
        )

    def _diagnostics(self, path: Path) -> str:
        secrets = [self.book.engine.install_key]
        for token in self.book.tokens.values():
            secrets += [token.token, token.previous_token or ""]
        parts = diagnostics.parts(
            program=__version__,
            now=SystemClock().now(),
            state={"status": "stopped", "reasons": [self.book.settings_fault]},
            settings=documents.dump(self.book.settings),
            database=self.folder.database,
            logs=self.folder.logs,
            tasks="No engine was running.",
            safe=Redaction(secrets),
        )
        return f"{diagnostics.write(path, parts)} was written. Look into it before you give it away."

    def _accounts(self) -> Accounts:
        clock = SystemClock()
        return Accounts(
            Unlocking(Vault(self.folder.vault), self.desk.ask),
            self.desk.ask,
            lambda: self.book.accounts,
            lambda name: account_commands.fault_of_removal(Draft(self.book, clock.now()), name),
            None,
            clock.now,
        )

    def _about_versions(self, command: str, args: Args) -> Any:
        found = numbered_versions(Reader(self.folder.database))
        if command == "settings difference":
            return differences(found, args)
        if command == "settings restore":
            return self._save(restoring(found, args))
        return [as_told(version) for version in found]

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
