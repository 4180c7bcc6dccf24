"""The roof: builds every part by hand, starts and stops them in order.

`Core` is what runs on one database file; when a commit fails it is thrown away and a new one is built from
what is on disk, exactly as after a power cut. `Application` is the process around it: folder, lock, listener,
command socket, window.
"""

from __future__ import annotations

import asyncio
import gc
import json
import secrets
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

from loguru import logger

from execution_engine import __version__
from execution_engine.adapters.clock import SystemClock
from execution_engine.adapters.control import ControlServer
from execution_engine.adapters.exchanges import instruments
from execution_engine.adapters.exchanges.feeds import Feed as PriceFeed
from execution_engine.adapters.exchanges.feeds import ManualFeed, NoFeed
from execution_engine.adapters.exchanges.paper import PaperExchange
from execution_engine.adapters.exchanges.paper_rows import PaperTerms
from execution_engine.adapters.exchanges.synthetic import SyntheticFeed
from execution_engine.adapters.logs import Log, fact_logged
from execution_engine.adapters.paths import DataFolder, data_folder
from execution_engine.adapters.security.folder_lock import FolderLock
from execution_engine.adapters.security.redact import Redaction
from execution_engine.adapters.storage.check import open_database
from execution_engine.adapters.storage.reader import Reader
from execution_engine.adapters.storage.store import SqliteStore
from execution_engine.adapters.webhook.authentication import Secrets
from execution_engine.adapters.webhook.listener import Listener, ListenError
from execution_engine.domain import alert as alerts
from execution_engine.domain import settings as documents
from execution_engine.domain.errors import EngineError, Refusal, SettingsError, StoreFailed
from execution_engine.domain.inputs import AlertReceived, Answer, Started
from execution_engine.domain.instrument import Market
from execution_engine.domain.rows import (
    Account,
    AccountStatus,
    Engine,
    Mode,
    Row,
    SettingsVersion,
    WebhookToken,
    World,
)
from execution_engine.domain.settings import Logs as LogSettings
from execution_engine.domain.settings import PaperFeed
from execution_engine.domain.symbols import Catalogue
from execution_engine.engine.book import Book
from execution_engine.engine.desk import Desk
from execution_engine.engine.feed import Feed, Released
from execution_engine.engine.lanes import Lanes
from execution_engine.engine.ports import Exchange
from execution_engine.engine.reconcile import Reconcile
from execution_engine.engine.state import ALERTS_SHOWN, CLOSED_SHOWN, Past, Plain, running_status, state
from execution_engine.engine.tasks import Tasks
from execution_engine.engine.watch import Watch

T = TypeVar("T")

MOST_BEHIND = 5000  # writes that may wait for the disk before new entries are asked to come again
REBUILD_FIRST_S = 1.0
REBUILD_LAST_S = 60.0
PRUNE_EVERY_S = 24 * 3600
FIRST_TOKEN = "TradingView"


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the command line may override for one run; None leaves it to the settings."""

    data_dir: str | None = None
    host: str | None = None
    port: int | None = None
    paper_feed: PaperFeed | None = None
    seed: int | None = None
    headless: bool = False


def resources() -> Path:
    """Return the folder of shipped data: in the package once installed, beside `src` in a checkout."""
    inside = Path(__file__).parent / "resources"
    return inside if inside.is_dir() else Path(__file__).parents[2] / "resources"


def first_rows(now: datetime) -> list[Row]:
    """Return what a new installation starts with: its key, two paper accounts, one webhook."""
    accounts = [
        Account(
            name=name,
            exchange="paper",
            market=market,
            mode=Mode.PAPER,
            world=World.PAPER,
            enabled=True,
            created_at=now,
        )
        for name, market in (("paper", Market.SPOT), ("paper-perp", Market.SWAP))
    ]
    token = WebhookToken(name=FIRST_TOKEN, token=secrets.token_urlsafe(24), created_at=now)
    return [Engine(install_key=secrets.token_hex(16)), *accounts, token]


def load_book(store: SqliteStore, catalogue: Catalogue, clock: SystemClock) -> tuple[Book, list[Row]]:
    """Return the state on disk, and the rows to be written if there is none yet. Blocking."""
    rows, fault = with_sound_settings(store.load(), store.path)
    engine = next((row for row in rows if isinstance(row, Engine)), None)
    new = [] if engine is not None else first_rows(clock.now())
    book = Book(catalogue, engine or next(row for row in new if isinstance(row, Engine)))
    book.apply(rows)
    book.apply(new)
    book.counter = store.next_id()
    book.settings_fault = fault
    return book, new


def with_sound_settings(rows: list[Row], database: Path) -> tuple[list[Row], str]:
    """Put the last settings that make sense in the place of newest ones that do not, and say why. Blocking.

    Nothing is overwritten: the newest stay where they are until others are saved.
    """
    newest = next((row for row in rows if isinstance(row, SettingsVersion)), None)
    fault = settings_fault(newest) if newest is not None else ""
    if newest is None or not fault:
        return rows, ""
    older = (row for row in Reader(database).settings_versions() if row.id < newest.id)
    good = next((row for row in older if not settings_fault(row)), None)
    kept = f"those saved on {good.saved_at:%Y-%m-%d %H:%M} UTC" if good is not None else "the defaults"
    others: list[Row] = [row for row in rows if not isinstance(row, SettingsVersion)]
    said = f"The newest settings make no sense, so {kept} are used: {fault}"
    return ([good, *others] if good is not None else others), said


def settings_fault(version: SettingsVersion) -> str:
    """Return what is wrong with a saved document; nothing if it can be used."""
    try:
        documents.parse(version.document)
    except SettingsError as error:
        return str(error)
    return ""


class Core:
    """Everything that runs on one database file, from its load to its end."""

    def __init__(
        self, folder: DataFolder, catalogue: Catalogue, clock: SystemClock, options: Options
    ) -> None:
        self._folder = folder
        self._catalogue = catalogue
        self._clock = clock
        self._options = options
        self.feed = Feed()
        self.tasks = Tasks()
        self.broken: Callable[[StoreFailed], None] = lambda failure: None

    async def start(self) -> None:
        """Load, build and begin. Raises StoreFailed and what else keeps it from running."""
        loop = asyncio.get_running_loop()

        def soon(call: Callable[[], None]) -> None:
            loop.call_soon_threadsafe(call)

        self.store = SqliteStore(self._folder.database, soon)
        self.book, new = await asyncio.to_thread(load_book, self.store, self._catalogue, self._clock)
        if self.book.settings_fault:
            logger.error(self.book.settings_fault)
        self.desk = Desk(self.book, self.store, self._clock, self.feed)
        self.desk.on_failed = self._failed
        if new:
            await self._commit(tuple(new))
        self.paper = await asyncio.to_thread(self._open_paper)
        self.prices = self._price_feed()
        self.lanes = Lanes(self.book, self._exchange, self.desk.post, self._clock, self.tasks)
        self.watch = Watch(self.book, _Wanted(self))
        reconcile = Reconcile(self.book, self._exchange, self.desk.post)
        self.feed.on_released(self.lanes.released)
        self.feed.on_released(self.watch.released)
        self.feed.on_released(self._log_facts)
        gc.collect()
        gc.freeze()  # what was loaded stays; later collections need not look at it
        self.desk.post(Started())
        self.prices.start()
        self.watch.start()
        self.tasks.spawn("clock", self.desk.keep_time())
        self.tasks.spawn("watch", self.watch.keep())
        self.tasks.spawn("prune", self._prune())
        for name in self.book.accounts:
            self.tasks.spawn(f"reconcile {name}", reconcile.keep(name))

    def _failed(self, failure: StoreFailed) -> None:
        self.lanes.stop()
        self.broken(failure)

    async def _commit(self, rows: tuple[Row, ...]) -> None:
        future: asyncio.Future[StoreFailed | None] = asyncio.get_running_loop().create_future()
        self.store.write(rows, future.set_result)
        failure = await future
        if failure is not None:
            raise failure

    async def durable(self) -> None:
        """Wait until everything that was decided so far is on disk. Raises StoreFailed."""
        await self._commit(())

    def _open_paper(self) -> PaperExchange:
        paper = PaperExchange(
            self._folder.paper,
            self._catalogue.get,
            self._clock,
            lambda given: self.desk.post(given),
            self._paper_terms,
            leverage=lambda account: self.book.settings.account(account).leverage,
        )
        for account in self.book.accounts.values():
            if account.mode is Mode.PAPER:
                paper.open_account(account.name, account.market)
        return paper

    def _paper_terms(self) -> PaperTerms:
        paper = self.book.settings.paper
        return PaperTerms(
            maker_fee_percent=paper.maker_fee_percent,
            taker_fee_percent=paper.taker_fee_percent,
            latency_ms=paper.latency_ms,
            start_balance_usd=paper.start_balance_usd,
        )

    def _exchange(self, account: str) -> Exchange:
        return self.paper

    def wanted_feed(self) -> PaperFeed:
        """Return the feed that the command line, else the settings ask for."""
        asked = self._options.paper_feed or self.book.settings.paper.feed
        # There is no live source yet, so what chooses by itself chooses the made-up market.
        return PaperFeed.SYNTHETIC if asked is PaperFeed.AUTO else asked

    def _price_feed(self) -> PriceFeed:
        wanted = self.wanted_feed()
        post = self.desk.post
        if wanted is PaperFeed.MANUAL:
            return ManualFeed(self.paper, self._catalogue.get, self._clock, post)
        if wanted is PaperFeed.SYNTHETIC:
            seed = self._options.seed or 0
            return SyntheticFeed(self.paper, self._catalogue.get, self._clock, post, seed)
        return NoFeed("no market price: live prices are not available yet, choose synthetic or manual", post)

    async def change_feed(self) -> None:
        """Follow the settings to another source of paper prices."""
        if self.prices.name == self.wanted_feed().value:
            return
        await self.prices.stop()
        self.prices = self._price_feed()
        self.prices.start()
        self.watch.start()

    def _log_facts(self, change: Released) -> None:
        for fact in change.facts:
            fact_logged(fact)

    async def _prune(self) -> None:
        while True:
            self.store.prune(self._clock.now(), self.book.settings.logs.keep_days, lambda failure: None)
            await asyncio.sleep(PRUNE_EVERY_S)

    async def stop(self) -> None:
        """End in order: nothing new leaves, what was decided is written, files are closed."""
        if hasattr(self, "lanes"):
            self.lanes.stop()
        await self.tasks.stop()
        if hasattr(self, "prices"):
            await self.prices.stop()
        if hasattr(self, "paper"):
            await asyncio.to_thread(self.paper.close)
        if hasattr(self, "store"):
            if self.store.failed is None:
                with suppress(StoreFailed):
                    await self.durable()
            await asyncio.to_thread(self.store.close)


@dataclass(slots=True)
class _Wanted:
    """Hands the markets in use to whichever feed is at work."""

    core: Core

    def want(self, markets: Any) -> None:
        self.core.prices.want(markets)


@dataclass(slots=True)
class Application:
    """The process: one data folder, one lock, one listener, one command socket, one core at a time.

    moments: when the start got how far [s, monotonic]; for the diagnosis of slow starts.
    """

    options: Options
    clock: SystemClock = field(default_factory=SystemClock)
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
    _lock: FolderLock = field(init=False)
    _log: Log = field(init=False)
    _control: ControlServer | None = None
    _stopping: asyncio.Event = field(default_factory=asyncio.Event)
    _rebuilding: asyncio.Task[None] | None = None

    def open(self) -> None:
        """Take the data folder and make sure of its database. Blocking; raises EngineError with a sentence."""
        self.started_at = self.clock.now()
        self.folder = data_folder(self.options.data_dir)
        self._lock = FolderLock(self.folder.lock)
        self._lock.acquire()
        self._log = Log(
            self.folder.logs, self.redaction, terminal=sys.stderr if self.options.headless else None
        )
        self._log.start(LogSettings())
        open_database(self.folder.database, self.folder.backups, self.clock.now())
        self.catalogue = Catalogue(instruments.load(resources() / "instruments.json"))

    async def start(self) -> None:
        """Build the core and open the doors. Raises EngineError."""
        await self._new_core()
        self.listener = self._new_listener()
        self._asked = self._wanted_address()
        self.address = await self.listener.start(*self._asked)
        if self.handle is not None:
            self._control = ControlServer(self.folder.control, self.handle)
            await self._control.start()
        self.moments["listening"] = time.monotonic()
        logger.info("Execution Engine {} listens on http://{}:{}", __version__, *self.address)

    def _new_listener(self) -> Listener:
        return Listener(
            settings=lambda: self.core.book.settings,
            tokens=lambda: self.core.book.tokens.values(),
            secrets=Secrets,
            catalogue=lambda: self.catalogue,
            post=lambda given, then: self.core.desk.post(given, then),
            ready_for_entries=self._busy,
            clock=self.clock.now,
            health=self.health,
            set_price=self.set_price,
        )

    def _wanted_address(self) -> tuple[str, int]:
        webhook = self.core.book.settings.webhook
        port = webhook.port if self.options.port is None else self.options.port
        return self.options.host or webhook.host, port

    async def _new_core(self) -> None:
        core = Core(self.folder, self.catalogue, self.clock, self.options)
        core.broken = self._core_broke
        try:
            await core.start()
        except BaseException:
            await core.stop()
            raise
        self.core = core
        self._log.apply(core.book.settings.logs)
        self.redaction.learn(core.book.engine.install_key, *(row.token for row in core.book.tokens.values()))
        core.feed.on_released(self._released)
        self.trouble = ""
        for listener in self.on_core:
            listener(core)

    def _released(self, change: Released) -> None:
        if any(isinstance(row, SettingsVersion) for row in change.rows):
            self.core.tasks.spawn("settings", self._follow_settings())

    async def _follow_settings(self) -> None:
        """Carry changed settings to the parts that don't ask for them each time."""
        settings = self.core.book.settings
        self._log.apply(settings.logs)
        await self.core.change_feed()
        await self._listen_where_asked()

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
        """Build a new core from what is on disk, again and again until one stands."""
        pause = REBUILD_FIRST_S
        await self.core.stop()
        while not self._stopping.is_set():
            try:
                now = self.clock.now()
                await asyncio.to_thread(open_database, self.folder.database, self.folder.backups, now)
                await self._new_core()
                logger.warning("the engine runs again from what is on disk")
                return
            except EngineError as error:
                self.trouble = str(error)
                logger.error("the engine cannot run: {}", error)
            except Exception as error:  # whatever it is, nobody else would try again
                self.trouble = f"The engine cannot run ({type(error).__name__}); the log says more."
                logger.exception("the engine cannot run")
            await asyncio.sleep(pause)
            pause = min(pause * 2, REBUILD_LAST_S)

    def _busy(self) -> str | None:
        if self.trouble:
            return self.trouble
        behind = self.core.desk.behind
        return f"{behind} changes wait for the disk" if behind > MOST_BEHIND else None

    # -- what is asked of it

    async def set_price(self, symbol: str, price: Decimal | str) -> Sequence[str] | Refusal:
        """Move a practice price by hand; returns the markets it moved, once what followed is durable."""
        feed = self.core.prices
        if not isinstance(feed, ManualFeed):
            return Refusal("feed", f"prices come from the {feed.name} feed; set paper.feed to manual first")
        moved = await feed.set_price(symbol, price)
        if isinstance(moved, Refusal):
            return moved
        await self.core.durable()
        return [f"{found.exchange.upper()}:{found.symbol}" for found in moved]

    async def send_test_alert(self, symbol: str) -> Answer | Refusal:
        """Send an entry through the same door as a real one, to a paper account."""
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

    def webhook_urls(self) -> list[tuple[str, str, str]]:
        """Return each enabled webhook: name, URL, token."""
        host, port = self.address or (
            self.core.book.settings.webhook.host,
            self.core.book.settings.webhook.port,
        )
        return urls(self.core.book, host, port)

    def status(self) -> tuple[str, list[str]]:
        return running_status(self.core.book, failed=self.trouble)

    def health(self) -> tuple[bool, dict[str, Any]]:
        """Return whether all is well, and the figures behind it."""
        word, reasons = self.status()
        reasons = list(reasons)
        if self.core.paper.failed is not None:
            reasons.append(f"paper exchange: {self.core.paper.failed}")
        reasons += [f"task {name} failed" for name in self.core.tasks.failed]
        well = word in ("running", "paused", "starting") and not self.core.tasks.failed
        return well and self.core.paper.failed is None, {
            "status": word,
            "reasons": reasons,
            "database": {"behind": self.core.desk.behind, "failed": self.trouble},
            "accounts": {a.name: a.status.value for a in self.core.book.accounts.values()},
            "prices": {"feed": self.core.prices.name, "markets": len(self.core.book.prices)},
            "tasks": self.core.tasks.names,
            "queued": len(self.core.book.queue),
        }

    async def read_state(self, *, open_only: bool = False) -> Plain:
        """Return what `state --json` prints, once all of it is durable: nobody is told what may yet be lost."""
        past = await asyncio.to_thread(read_past, Reader(self.folder.database), open_only=open_only)
        word, reasons = self.status()
        shown = state(
            self.core.book, past, version=__version__, status=word, reasons=reasons, open_only=open_only
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
        """Close the doors, then what is behind them."""
        self._stopping.set()
        if self._rebuilding is not None:
            # A half-built core closes its files first; its threads would outlive the loop.
            self._rebuilding.cancel()
            await asyncio.gather(self._rebuilding, return_exceptions=True)
        if self._control is not None:
            await self._control.stop()
        if self.listener is not None:
            await self.listener.stop()
        if hasattr(self, "core"):
            await self.core.stop()

    def close(self) -> None:
        """Let go of the data folder."""
        self._log.stop()
        self._lock.release()


def read_past(reader: Reader, *, open_only: bool = False) -> Past:
    """Read what the book has let go of. Blocking."""
    return Past(
        closed=() if open_only else reader.closed_groups(CLOSED_SHOWN),
        alerts=reader.alerts(ALERTS_SHOWN),
        duplicates={key.id: key.duplicates for key in reader.alert_keys(ALERTS_SHOWN) if key.duplicates},
        risk_actions=reader.risk_actions(1000),
    )


def urls(book: Book, host: str, port: int) -> list[tuple[str, str, str]]:
    """Return each enabled webhook: name, URL, token."""
    shown = f"[{host}]" if ":" in host else host
    return [
        (row.name, f"http://{shown}:{port}/webhook/{row.token}", row.token)
        for row in book.tokens.values()
        if row.enabled
    ]


# -- running


def run_headless(application: Application) -> None:
    """Run without a window until a signal asks to stop."""
    asyncio.run(_serve(application))


def run_window(application: Application) -> None:
    """Run with a window until the user quits or a signal asks to stop."""
    import qasync  # Qt takes 60 ms and more: commands and servers do without

    from execution_engine.ui import app as ui  # imports Qt, as above

    qt = ui.create(resources())
    loop = qasync.QEventLoop(qt, already_running=False)
    asyncio.set_event_loop(loop)
    window = ui.Window(qt)

    def show(core: Core) -> None:
        window.attach(doors(application))
        application.moments.setdefault("window", time.monotonic())
        core.feed.on_released(lambda change: window.released(change.rows, change.facts))
        core.feed.on_price(window.price)
        core.feed.on_balances(window.balances)

    application.on_core.append(show)
    with loop:
        try:
            loop.run_until_complete(_serve(application))
        finally:
            window.close()


async def _serve(application: Application) -> None:
    """Start, wait for the end, stop in order whatever happened."""
    _on_signals(application)
    try:
        await application.start()
        await application.until_ended()
    finally:
        await application.stop()


def _on_signals(application: Application) -> None:
    """End in order and without asking on SIGINT and SIGTERM."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        try:
            loop.add_signal_handler(number, application.end)
        except NotImplementedError:  # Windows' loops have no handlers of their own
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(application.end))


def doors(application: Application) -> Any:
    """Join the window to what is behind it."""
    from execution_engine.ui.doors import Doors  # only with a window is there anything of the screen

    return Doors(
        version=__version__,
        data_folder=application.folder.root,
        started_at=application.started_at,
        catalogue=application.catalogue,
        now=application.clock.now,
        settings=lambda: application.core.book.settings,
        rows=lambda: application.core.book.rows(),
        prices=lambda: tuple(application.core.book.prices.values()),
        balances=lambda: dict(application.core.book.balances),
        realized=lambda world: application.core.book.realized(world),
        status=application.status,
        lights=lambda: _lights(application),
        webhook_urls=lambda: [(name, url) for name, url, _ in application.webhook_urls()],
        feed_name=lambda: application.core.prices.name,
        ask=lambda wish: application.core.desk.ask(wish),
        send_test_alert=application.send_test_alert,
        set_price=application.set_price,
        read_equity=lambda world: application.read(lambda reader: reader.equity(world)),
        read_statistics=lambda world, since: application.read(lambda reader: reader.statistics(world, since)),
        read_alerts=lambda limit: application.read(lambda reader: reader.alerts(limit)),
        read_closed=lambda limit: application.read(lambda reader: reader.closed_groups(limit)),
        read_fills=lambda group_id: application.read(lambda reader: reader.fills(group_id)),
        read_refused=lambda limit: application.read(lambda reader: reader.refused(limit)),
        quit=application.end,
    )


def _lights(application: Application) -> list[Any]:
    """Return the lights of the status bar: webhook, exchange, prices."""
    from execution_engine.ui.doors import Light  # only with a window is there anything of the screen

    book = application.core.book
    host, port = application.address or ("", 0)
    listening = Light(name="Webhook", state="ok" if application.address else "error", text=f"{host}:{port}")
    accounts = [account for account in book.accounts.values() if account.enabled]
    ready = all(account.status is AccountStatus.READY for account in accounts)
    names = ", ".join(sorted({account.exchange for account in accounts}))
    feed = application.core.prices.name
    exchange = Light(name="Exchange", state="ok" if ready else "warn", text=f"{names} · {feed} prices")
    return [listening, exchange]
