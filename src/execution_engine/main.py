"""The roof: builds every part by hand, starts and stops them in order.

`core.Core` is what runs on one database file; when a commit fails it is thrown away and a new one is built from
what is on disk, exactly as after a power cut. `Application` is the process around it: folder, lock, listener,
command socket, window.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

from loguru import logger

from execution_engine import __version__
from execution_engine.accounts import Accounts
from execution_engine.adapters import diagnostics, machine
from execution_engine.adapters.clock import SystemClock
from execution_engine.adapters.control import ControlServer
from execution_engine.adapters.exchanges import instruments
from execution_engine.adapters.exchanges.feeds import ManualFeed
from execution_engine.adapters.log_table import LogTable
from execution_engine.adapters.logs import Log
from execution_engine.adapters.paths import DataFolder, data_folder
from execution_engine.adapters.security.folder_lock import FolderLock
from execution_engine.adapters.security.redact import Redaction
from execution_engine.adapters.security.vault import Vault
from execution_engine.adapters.storage.check import open_database
from execution_engine.adapters.storage.passage import Passage, open_data
from execution_engine.adapters.storage.reader import Reader
from execution_engine.adapters.updates.source import Source, shipped
from execution_engine.adapters.webhook.listener import Listener, ListenError
from execution_engine.core import Connect, Core, Options, urls
from execution_engine.desktop import Desktop
from execution_engine.domain import account_commands
from execution_engine.domain import alert as alerts
from execution_engine.domain import document as documents
from execution_engine.domain.draft import Draft
from execution_engine.domain.errors import EngineError, FieldFault, Refusal, StoreFailed
from execution_engine.domain.inputs import AlertReceived, Answer, Input, MayChange, SeenOn
from execution_engine.domain.money import text
from execution_engine.domain.notify import Day
from execution_engine.domain.origin import Origin, acting
from execution_engine.domain.rows import SettingsVersion, World
from execution_engine.domain.settings import Logs as LogSettings
from execution_engine.domain.settings import Settings
from execution_engine.domain.symbols import Catalogue
from execution_engine.ending import ended
from execution_engine.engine.desk import Then
from execution_engine.engine.feed import Released
from execution_engine.engine.ports import KeyCheck
from execution_engine.engine.state import ALERTS_SHOWN, CLOSED_SHOWN, Past, Plain, running_status, state
from execution_engine.engine.tasks import ends_the_task
from execution_engine.exchanges import Exchanges
from execution_engine.keeping import House as KeptHouse
from execution_engine.keeping import Keeping
from execution_engine.notifying import House as NotifyHouse
from execution_engine.notifying import Notifying, day_of
from execution_engine.observing import House as ObservedHouse
from execution_engine.observing import Observing
from execution_engine.unlocking import Unlocking
from execution_engine.updating import Updating
from execution_engine.way_in import House, WayInKept
from execution_engine.webhooks import Webhooks

T = TypeVar("T")

KEYS_CHECKED_EVERY_S = 24 * 3600
VAULT_PATIENCE_S = 3.0  # that alerts wait for a keyring which may be waiting for its user
PRICE_PATIENCE_S = 3.0  # that a test alert waits for the price it is sent with
MARKETABLE = Decimal("1.001")  # over the ask: a test alert fills even if the market moves on a little
MOST_BEHIND = 5000  # writes that may wait for the disk before new entries are asked to come again
REBUILD_FIRST_S = 1.0
REBUILD_LAST_S = 60.0
PRUNE_EVERY_S = 24 * 3600
FIRST_TOKEN = "TradingView"


def resources() -> Path:
    """Return the folder of shipped data: in the package once installed, beside `src` in a checkout."""
    inside = Path(__file__).parent / "resources"
    return inside if inside.is_dir() else Path(__file__).parents[2] / "resources"


@dataclass(slots=True)
class Application:
    """The process: one data folder, one lock, one listener, one command socket, one core at a time.

    moments: when the start got how far [s, monotonic]; for the diagnosis of slow starts.
    connect: gives accounts their exchanges; without it, real accounts have theirs and paper accounts the one here.
    releases: where new versions are announced; without it, where this program was built to ask.
    """

    options: Options
    clock: SystemClock = field(default_factory=SystemClock)
    connect: Connect | None = None
    on_core: list[Callable[[Core], None]] = field(default_factory=list)
    handle: Callable[[str, dict[str, Any]], Awaitable[Any]] | None = None
    folder: DataFolder = field(init=False)
    catalogue: Catalogue = field(init=False)
    core: Core = field(init=False)
    listener: Listener | None = None
    address: tuple[str, int] | None = None
    _asked: tuple[str, int] = ("", 0)
    trouble: str = ""
    started_at: datetime = field(init=False)
    moments: dict[str, float] = field(default_factory=dict)
    redaction: Redaction = field(default_factory=Redaction)
    key_checks: dict[str, KeyCheck] = field(default_factory=dict)
    exchanges: Exchanges = field(init=False)
    vault: Vault = field(init=False)
    unlocking: Unlocking = field(init=False)
    accounts: Accounts = field(init=False)
    releases: Source | None = None
    passage: Passage = field(default_factory=Passage)
    updating: Updating = field(init=False)
    webhooks: Webhooks = field(init=False)
    way_in: WayInKept = field(init=False)
    notifying: Notifying = field(init=False)
    observing: Observing = field(init=False)
    keeping: Keeping = field(init=False)
    desktop: Desktop = field(init=False)
    _followed: Settings | None = None
    _unsaid: list[Input] = field(default_factory=list)
    _vault_opened: asyncio.Event = field(default_factory=asyncio.Event)
    _opening: asyncio.Task[None] | None = None
    _lock: FolderLock = field(init=False)
    _log: Log = field(init=False)
    _control: ControlServer | None = None
    _stopping: asyncio.Event = field(default_factory=asyncio.Event)
    _rebuilding: asyncio.Task[None] | None = None
    _resting: asyncio.Task[None] | None = None  # the core is stopped, and no other has taken its place yet

    def open(self) -> None:
        """Take the data folder and make sure of its database. Blocking; raises EngineError with a sentence."""
        machine.keep_memory_together()
        self.started_at = self.clock.now()
        self.folder = data_folder(self.options.data_dir)
        self._lock = FolderLock(self.folder.lock)
        self._lock.acquire()
        try:
            self._open()
        except BaseException:
            self._lock.release()  # what is wrong may be put right from this very process
            raise

    def _open(self) -> None:
        table = LogTable()
        terminal = sys.stderr if self.options.headless else None
        self._log = Log(self.folder.logs, self.redaction, terminal=terminal, table=table)
        self._log.start(LogSettings())
        self.passage = open_data(self.folder, __version__, self.clock.now())
        if self.passage.sentence:
            logger.warning("{}", self.passage.sentence)
        self.catalogue = Catalogue(instruments.load(resources() / "instruments.json"))
        self.updating = Updating(
            self.releases or shipped(resources()),
            self.folder.updates,
            lambda: self.core.book.settings.updates,
            lambda: sum(group.holds_slot for group in self.core.book.groups.values()),
        )
        self.vault = Vault(self.folder.vault, learn=self.redaction.learn)
        self.unlocking = Unlocking(self.vault, self._ask, [self._vault_opened.set])
        self.exchanges = Exchanges(
            self.folder.markets, self.catalogue, self.clock, self.vault, lambda: self.unlocking.trouble
        )
        self.unlocking.on_open.append(self.exchanges.vault_opened)
        self.key_checks = {**self.exchanges.checks, **self.key_checks}
        self.accounts = Accounts(
            self.unlocking,
            self._ask,
            lambda: self.core.book.accounts,
            lambda name: account_commands.fault_of_removal(Draft(self.core.book, self.clock.now()), name),
            self.key_checks,
            self.clock.now,
            self.redaction.learn,
        )
        self.webhooks = Webhooks(self._ask, self.redaction.learn)
        house = House(
            settings=lambda: self.core.book.settings.tunnel,
            address=lambda: self.address,
            tell=lambda told: self.core.desk.post(told),
            listen_again=self._listen_again,
        )
        self.way_in = WayInKept(house, self.folder.tunnel, self.clock)
        told = NotifyHouse(
            settings=lambda: self.core.book.settings, ask=self._ask, now=self.clock.now, day=self._day
        )
        self.notifying = Notifying(told, self.unlocking, self.redaction, self.folder.notifications)
        self.unlocking.on_open.append(self.notifying.vault_opened)
        watched = ObservedHouse(
            core=lambda: self.core,
            status=self.status,
            trouble=lambda: self.trouble,
            ills=self._ills,
            tell=self.notifying.tell,
            waiting=lambda: sum(target.waiting for target in self.notifying.shown()),
            folder=self.folder.root,
        )
        self.observing = Observing(watched, self.clock, table)
        kept = KeptHouse(
            settings=lambda: self.core.book.settings.backups, ask=self._ask, replace=self._replace_database
        )
        self.keeping = Keeping(kept, self.folder, self.clock)
        self.desktop = Desktop(
            self.folder.root,
            lambda: self.core.book.settings.desktop,
            lambda: bool(self.core.book.open_groups()),
        )

    async def _day(self) -> Day:
        """Return what came of the last 24 hours."""
        now = self.clock.now()
        since = now - timedelta(hours=24)
        found = await self.read(
            lambda reader: {world.value: reader.statistics(world, since) for world in World}
        )
        return day_of(self.core, found, now)

    async def _ask(self, given: Input) -> Answer | Refusal:
        """Ask the desk; what is to be written down before there is one is posted to the first."""
        if hasattr(self, "core"):
            return await self.core.desk.ask(given)
        self._unsaid.append(given)
        return Answer(status="done")

    async def start(self) -> None:
        """Build the core and open the doors. Raises EngineError."""
        self._opening = asyncio.create_task(self.unlocking.at_start(self.options.password), name="vault")
        await self._new_core()
        await asyncio.wait({self._opening}, timeout=VAULT_PATIENCE_S)
        self.listener = self._new_listener()
        self._asked = self._wanted_address()
        self.address = await self.listener.start(*self._asked)
        if self.handle is not None:
            self._control = ControlServer(self.folder.control, self.handle)
            await self._control.start()
        self.moments["listening"] = time.monotonic()
        logger.info("Execution Engine {} listens on http://{}:{}", __version__, *self.address)
        self._show_core()
        await self.way_in.start()
        await self.notifying.start()
        await self.observing.start()
        await self.keeping.start()
        await self.desktop.follow()
        self.exchanges.begin()

    async def _listen_again(self) -> None:
        """Start a listener that fell silent anew where it is; where that fails, the next check tries again."""
        if self.listener is None or self.address is None:
            return
        await self.listener.stop()
        self.listener = self._new_listener()
        try:
            self.address = await self.listener.start(*self.address)
        except ListenError as error:
            logger.error("{}", error)

    def _new_listener(self) -> Listener:
        return Listener(
            settings=lambda: self.core.book.settings,
            tokens=lambda: self.core.book.tokens.values(),
            secrets=self.unlocking.listener_secrets,
            catalogue=lambda: self.catalogue,
            post=self._post_for_listener,
            ready_for_entries=self._busy,
            clock=self.clock.now,
            health=self.health,
            metrics=self.observing.metrics,
            probes=self.way_in.probes,
            place=lambda: self.way_in.url,
            set_price=self.set_price,
        )

    def _post_for_listener(self, given: Input, then: Then) -> None:
        with acting(Origin.LISTENER):
            self.core.desk.post(given, then)

    def _wanted_address(self) -> tuple[str, int]:
        webhook = self.core.book.settings.webhook
        port = webhook.port if self.options.port is None else self.options.port
        return self.options.host or webhook.host, port

    async def _new_core(self) -> None:
        outside = self.exchanges
        connect = self.connect or outside.connect
        live = outside.prices if self.connect is None else None
        core = Core(self.folder, self.catalogue, self.clock, self.options, connect, live, outside.reachable)
        outside.core = core
        core.broken = self._core_broke
        unwritten = await asyncio.to_thread(self.keeping.look_at_head)
        number = await asyncio.to_thread(machine.number)
        try:
            await core.start()
        except BaseException:
            await core.stop()
            raise
        self.core = core
        self._log.apply(core.book.settings.logs)
        tokens = core.book.tokens.values()
        self.redaction.learn(
            core.book.engine.install_key,
            *(row.token for row in tokens),
            *(row.previous_token for row in tokens if row.previous_token),
        )
        core.feed.on_released(self._released)
        core.feed.on_released(self.notifying.released)
        core.feed.on_released(self.observing.released)
        core.feed.on_released(self.keeping.released)
        core.feed.on_released(self.desktop.released)
        if unwritten is not None:
            core.desk.post(unwritten)
        if number:
            core.desk.post(SeenOn(machine=machine.digest(number, core.book.engine.install_key)))
        while self._unsaid:
            core.desk.post(self._unsaid.pop(0))
        core.tasks.keep("keys", self._check_keys)
        core.tasks.keep("updates", self.updating.keep)
        self.trouble, self._resting = "", None

    async def _check_keys(self) -> None:
        """Ask the exchanges about the keys in use once the vault is open, and every day from then on."""
        while True:
            self._vault_opened.clear()
            if self.vault.is_open:
                # The result of each check is in the books already.
                with suppress(EngineError), acting(Origin.KEY_CHECK):
                    await self.accounts.check_all()
            with suppress(TimeoutError):
                async with asyncio.timeout(KEYS_CHECKED_EVERY_S):
                    await self._vault_opened.wait()

    def _show_core(self) -> None:
        for shown in self.on_core:
            shown(self.core)

    def _released(self, change: Released) -> None:
        if SettingsVersion in change.kinds:
            self.core.tasks.spawn("settings", self._follow_settings())

    async def _follow_settings(self) -> None:
        """Carry changed settings to the parts that don't ask for them each time."""
        settings, before = self.core.book.settings, self._followed
        self._followed = settings
        self._log.apply(settings.logs)
        await self.core.change_feed()
        self.notifying.follow()
        await self.desktop.follow()
        if before is None or before.backups != settings.backups:
            self.keeping.follow()
        address = self.address
        await self._listen_where_asked()  # each time: a port that was taken may be free by now
        changed = before is None or (before.webhook, before.tunnel) != (settings.webhook, settings.tunnel)
        if changed or self.address != address:
            await self.way_in.follow()

    async def _listen_where_asked(self) -> None:
        """Move the listener. Where that cannot be, it stays where it is: alerts go on being taken."""
        wanted, before, address = self._wanted_address(), self.listener, self.address
        if before is None or address is None or wanted == self._asked:
            return
        same_port = wanted[1] == address[1]
        if same_port:  # two addresses of one port may exclude each other
            await before.stop()
        after = self._new_listener()
        try:
            self.address = await after.start(*wanted)
        except ListenError as error:
            if same_port:
                await before.start(*address)
            logger.error("{} It goes on listening on {}, port {}.", error, *address)
            return
        self.listener, self._asked = after, wanted
        if not same_port:
            await before.stop()
        logger.info("It listens on http://{}:{} now", *self.address)

    def _core_broke(self, failure: StoreFailed) -> None:
        self.trouble = str(failure)
        if self._rebuilding is None or self._rebuilding.done():
            self._rebuilding = asyncio.get_running_loop().create_task(self._rebuild(), name="rebuild")

    async def _rebuild(self) -> None:
        """Stop the core and build a new one."""
        await self._rest()
        await self._build_again()

    async def _rest(self) -> None:
        """Stop the core, once and to its end, also where whoever asked for it does not wait so long."""
        if self._resting is None:
            self.core.broken = lambda failure: None
            stopping = ended(self.core.stop, at_any_rate=True)
            self._resting = asyncio.get_running_loop().create_task(stopping, name="rest")
        await asyncio.shield(self._resting)

    async def _replace_database(self, work: Callable[[], Path | None]) -> Path | None:
        """Stop the engine, do something to its database, and go on with what is there then. Raises EngineError."""
        self.trouble = "another database is being put in place"
        if self._rebuilding is not None:
            self._rebuilding.cancel()
            await asyncio.gather(self._rebuilding, return_exceptions=True)
        await self._rest()
        try:
            return await asyncio.to_thread(work)
        finally:
            self._rebuilding = asyncio.get_running_loop().create_task(self._build_again(), name="rebuild")
            await asyncio.wait({self._rebuilding})

    async def _build_again(self) -> None:
        """Build a new core from what is on disk, again and again until one stands."""
        pause = REBUILD_FIRST_S
        while not self._stopping.is_set():
            try:
                now = self.clock.now()
                await asyncio.to_thread(open_database, self.folder.database, self.folder.backups, now)
                await self._new_core()
                logger.warning("the engine runs again from what is on disk")
                break
            except EngineError as error:
                self.trouble = str(error)
                logger.error("the engine cannot run: {}", error)
            except (Exception, asyncio.CancelledError) as error:  # nobody else would try again
                if ends_the_task(error):
                    raise
                self.trouble = f"The engine cannot run ({type(error).__name__}); the log says more."
                logger.exception("the engine cannot run")
            await asyncio.sleep(pause)
            pause = min(pause * 2, REBUILD_LAST_S)
        else:
            return
        self.core.tasks.spawn("settings", self._follow_settings())  # a backup may hold others
        try:
            self._show_core()
        except Exception:  # it runs, seen or not; another one beside it would trade on the same books
            logger.exception("the engine runs again and cannot be shown")

    def _busy(self) -> str | None:
        if self.trouble:
            return self.trouble
        behind = self.core.desk.behind
        return f"{behind} changes wait for the disk" if behind > MOST_BEHIND else None

    # -- what is asked of it

    async def set_price(self, symbol: str, price: Decimal | str) -> Sequence[str] | Refusal:
        """Move a practice price by hand; returns the markets it moved, once what followed is durable."""
        if isinstance(refused := await self.core.desk.ask(MayChange()), Refusal):
            return refused
        feed = self.core.prices
        if not isinstance(feed, ManualFeed):
            return Refusal("feed", f"prices come from the {feed.name} feed; set paper.feed to manual first")
        moved = await feed.set_price(symbol, price)
        if isinstance(moved, Refusal):
            return moved
        await self.core.durable()
        return [f"{found.exchange.upper()}:{found.symbol}" for found in moved]

    async def send_test_alert(self, symbol: str) -> Answer | Refusal:
        """Send an entry through the same door as a real one, to a paper account, at what the market asks now."""
        if isinstance(refused := await self.core.desk.ask(MayChange()), Refusal):
            return refused
        exchange, _, name = symbol.rpartition(":")
        account = "paper-perp" if name.upper().endswith(".P") else "paper"
        body = {
            "id": f"test {self.clock.now().isoformat()}",
            "exchange": exchange or "BINANCE",
            "symbol": name,
            "timeframe": "15",
            "action": "buy",
            "account": account,
        }
        if (asked := await self._asked_for(str(body["exchange"]), name)) is not None:
            body["price"] = text(asked)
        read = alerts.read(json.dumps(body).encode())
        parsed = alerts.parse(read, self.catalogue) if isinstance(read, alerts.Body) else read
        if isinstance(parsed, alerts.Faults):
            return Refusal("BODY", "; ".join(fault.message for fault in parsed.errors))
        return await self.core.desk.ask(
            AlertReceived(
                signal=parsed.signal,
                key=parsed.key,
                body=parsed.body,
                body_hash=parsed.body_hash,
                received_at=self.clock.now(),
                token="test",
                source="this machine",
            )
        )

    async def _asked_for(self, exchange: str, symbol: str) -> Decimal | None:
        """Return a limit at which a buy fills at once; None where no price is known soon."""
        found = self.catalogue.find(exchange, symbol)
        if isinstance(found, FieldFault):
            return None
        with suppress(TimeoutError):
            async with asyncio.timeout(PRICE_PATIENCE_S):
                price = await self.core.running.watch.look_at(found.key)
                if price is not None:  # one that was set by hand stays where it is
                    return price.last if price.manual else (price.ask or price.last) * MARKETABLE
        return None

    def webhook_urls(self) -> list[tuple[str, str, str]]:
        """Return each enabled webhook: name, URL, token."""
        host, port = self.address or (
            self.core.book.settings.webhook.host,
            self.core.book.settings.webhook.port,
        )
        return urls(self.core.book, host, port)

    def status(self) -> tuple[str, list[str]]:
        word, reasons = running_status(self.core.book, self.clock.now(), failed=self.trouble)
        locked = self.unlocking.trouble
        return word, [*reasons, f"keys and secrets: {locked}"] if locked else reasons

    def health(self) -> tuple[bool, dict[str, Any]]:
        """Return whether all is well, and the figures behind it."""
        word, reasons = self.status()
        ills = self._ills()
        return not ills, {
            "status": word,
            "reasons": [*reasons, *(ill for ill in ills if ill not in reasons)],
            "database": {"behind": self.core.desk.behind, "failed": self.trouble},
            "accounts": {a.name: a.status.value for a in self.core.book.accounts.values()},
            "prices": {"feed": self.core.prices.name, "markets": len(self.core.book.prices)},
            "tasks": self.core.tasks.names,
            "queued": len(self.core.book.queue),
            **self.observing.health(),
        }

    def _ills(self) -> list[str]:
        """Return why not all is well, in words; empty if it is."""
        word, reasons = self.status()
        ills = list(reasons) if word not in ("running", "paused", "starting") else []
        if self.core.paper.failed is not None:
            ills.append(f"paper exchange: {self.core.paper.failed}")
        silent = self._log.failure
        return [
            *ills,
            *self.observing.ills(),
            *(f"task {name} failed" for name in self.core.tasks.failed),
            *([silent] if silent else []),
        ]

    async def diagnostics(self, path: Path) -> str:
        """Write a bundle for whoever helps; return a sentence. Raises EngineError."""
        tasks, settings = diagnostics.tasks_now(), documents.dump(self.core.book.settings)
        _, state = self.health()

        def work() -> Path:
            parts = diagnostics.parts(
                program=__version__,
                now=self.clock.now(),
                state=state,
                settings=settings,
                database=self.folder.database,
                logs=self.folder.logs,
                tasks=tasks,
                safe=self.redaction,
            )
            return diagnostics.write(path, parts)

        return f"{await asyncio.to_thread(work)} was written. Look into it before you give it away."

    async def read_state(self, *, open_only: bool = False) -> Plain:
        """Return what `state --json` prints, once all of it is durable: nobody is told what may yet be lost."""
        past = await asyncio.to_thread(read_past, Reader(self.folder.database), open_only=open_only)
        word, reasons = self.status()
        shown = state(
            self.core.book,
            past,
            version=__version__,
            status=word,
            now=self.clock.now(),
            reasons=reasons,
            open_only=open_only,
        )
        with suppress(StoreFailed):  # the reasons say so already
            await self.core.durable()
        return shown

    async def read(self, question: Callable[[Reader], T]) -> T:
        """Ask the database something, off the loop."""
        return await asyncio.to_thread(question, Reader(self.folder.database))

    def end(self) -> None:
        """Ask the application to stop; `run` returns soon after."""
        self._stopping.set()

    async def until_ended(self) -> None:
        await self._stopping.wait()

    async def stop(self) -> None:
        """Close the doors, then what is behind them; each step is done whatever became of the others."""
        self._stopping.set()
        self.vault.stop_waiting()
        if self._opening is not None:
            self._opening.cancel()
        if self._rebuilding is not None:
            # A half-built core closes its files first; its threads would outlive the loop.
            self._rebuilding.cancel()
            await asyncio.gather(self._rebuilding, return_exceptions=True)
        if self._control is not None:
            await ended(self._control.stop)
        # First: from now on the tunnel's provider tells whoever sends to come again.
        await ended(self.way_in.stop)
        if self.listener is not None:
            await ended(self.listener.stop)
        await ended(self.observing.stop)
        if hasattr(self, "core"):
            await self.core.stop()
            await ended(self.keeping.stop)
        # Last of what tells: what was told while everything ended is kept for the next start.
        await ended(self.notifying.stop)
        await ended(self.desktop.stop)
        await ended(self.exchanges.close)

    def close(self) -> None:
        """Let go of the data folder, whatever else cannot be let go of."""
        with ExitStack() as last:
            last.callback(self._lock.release)
            last.callback(self._log.stop)
            self.vault.lock()


def read_past(reader: Reader, *, open_only: bool = False) -> Past:
    """Read what the book has let go of. Blocking."""
    return Past(
        closed=() if open_only else reader.closed_groups(CLOSED_SHOWN),
        alerts=reader.alerts(ALERTS_SHOWN),
        duplicates={key.id: key.duplicates for key in reader.alert_keys(ALERTS_SHOWN) if key.duplicates},
        risk_actions=reader.risk_actions(1000),
    )


# -- running


def run_headless(application: Application) -> None:
    """Run without a window until a signal asks to stop."""
    asyncio.run(serve(application))


async def serve(application: Application) -> None:
    """Start, wait for the end, stop in order whatever happened."""
    on_signals(application.end)
    try:
        await application.start()
        await application.until_ended()
    finally:
        await application.stop()


def on_signals(end: Callable[[], None]) -> None:
    """End in order and without asking on SIGINT and SIGTERM."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        try:
            loop.add_signal_handler(number, end)
        except NotImplementedError:  # Windows' loops have no handlers of their own
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(end))
