"""What runs on one database file, from its load to its end.

When a commit fails it is thrown away and a new one is built from what is on disk, exactly as after a power cut.
"""

from __future__ import annotations

import asyncio
import gc
import secrets
from collections.abc import Awaitable, Callable, Collection
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Protocol, TypeVar

from loguru import logger

from execution_engine.adapters.clock import SystemClock
from execution_engine.adapters.exchanges.feeds import Feed as PriceFeed
from execution_engine.adapters.exchanges.feeds import LiveFeed, ManualFeed, NoFeed, Undecided
from execution_engine.adapters.exchanges.paper import PaperExchange
from execution_engine.adapters.exchanges.paper_rows import PaperTerms, Source
from execution_engine.adapters.exchanges.synthetic import SyntheticFeed
from execution_engine.adapters.exchanges.unreachable import Unreachable
from execution_engine.adapters.logs import fact_logged
from execution_engine.adapters.paths import DataFolder
from execution_engine.adapters.storage.past import StoredPast
from execution_engine.adapters.storage.reader import Reader
from execution_engine.adapters.storage.store import SqliteStore
from execution_engine.domain import document as documents
from execution_engine.domain.errors import SettingsError, StoreFailed
from execution_engine.domain.facts import Fact
from execution_engine.domain.inputs import Input, NoPrice, Price
from execution_engine.domain.instrument import Instrument, Market
from execution_engine.domain.rows import (
    Account,
    AccountRemoved,
    AccountStatus,
    Engine,
    Mode,
    Row,
    SettingsVersion,
    WebhookToken,
    World,
)
from execution_engine.domain.settings import PaperFeed
from execution_engine.domain.symbols import Catalogue
from execution_engine.ending import ended
from execution_engine.engine.book import Book
from execution_engine.engine.feed import Released
from execution_engine.engine.ports import Exchange
from execution_engine.engine.running import Running
from execution_engine.webhooks import new_token

T = TypeVar("T")

FOLLOWED = frozenset({Account, AccountRemoved, SettingsVersion})  # rows that accounts depend on
MOST_BEHIND = 5000  # writes that may wait for the disk before new entries are asked to come again
REBUILD_FIRST_S = 1.0
REBUILD_LAST_S = 60.0
COLLECT_AT = (
    3_000,
    20,
    100,
)  # the usual 700 would collect with every alert; many more would take milliseconds
PRUNE_EVERY_S = 24 * 3600
PAPER_FOLLOWS = timedelta(seconds=1)
CHOOSE_EVERY_S = 60.0  # between two looks at whether live prices can be had
GONE_AFTER = 3  # such looks in vain, before made-up prices take the place of live ones
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
    password: str | None = field(default=None, repr=False)


class Connection(Exchange, Protocol):
    """A distant exchange, for as long as one core runs. What it hears by itself it posts."""

    async def start(self) -> None:
        """Begin to listen. Never raises: an exchange that is away is asked again and again."""
        ...

    async def stop(self) -> None:
        """Hang up; nothing is posted any more."""
        ...

    def changed(self) -> None:
        """Take note that the account's row or its keys are others now."""
        ...

    def forget_time(self) -> None:
        """Take nothing for granted that was measured before the machine slept or its clock was set."""
        ...

    def forget_terms(self) -> None:
        """Take nothing for granted that was agreed on before the settings changed."""
        ...


class DistantPrices(Protocol):
    """The prices of markets that are traded on accounts outside this process."""

    def want(self, markets: Collection[tuple[str, str]]) -> None: ...

    async def refresh(self, markets: Collection[tuple[str, str]]) -> None: ...

    def start(self) -> None: ...

    async def stop(self) -> None: ...


Connect = Callable[[Account, Callable[[Input], None]], Connection | None]


def practice_only(account: Account, post: Callable[[Input], None]) -> Connection | None:
    """Leave every paper account to the exchange in this process, and the others where they are."""
    return None


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
    token = WebhookToken(name=FIRST_TOKEN, token=new_token(), created_at=now)
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
    """Everything that runs on one database file, from its load to its end.

    connect: gives an account its distant exchange; without one, paper accounts have the one in this process and
    all others none. live: makes the prices of the markets of accounts that are not on paper, and of those that
    are where they follow live prices. reachable: asks whether such prices can be had.
    places: exchange, kind and mode of every such account that is looked after.
    """

    def __init__(
        self,
        folder: DataFolder,
        catalogue: Catalogue,
        clock: SystemClock,
        options: Options,
        connect: Connect = practice_only,
        live: Callable[[Callable[[Input], None]], DistantPrices] | None = None,
        reachable: Callable[[], Awaitable[bool]] | None = None,
    ) -> None:
        self._folder = folder
        self._new_live = live
        self._reachable = reachable
        self._chosen: PaperFeed | None = None
        self._choose = asyncio.Event()
        self._for_paper: dict[tuple[str, str], Price] = {}
        self.places: frozenset[tuple[str, Market, Mode]] = frozenset()
        self._real: frozenset[tuple[str, Market]] = frozenset()
        self._connect = connect
        self._distant: dict[str, Connection] = {}
        self._catalogue = catalogue
        self._clock = clock
        self._options = options
        self.broken: Callable[[StoreFailed], None] = lambda failure: None
        self._collects = False

    async def start(self) -> None:
        """Load, build and begin. Raises StoreFailed and what else keeps it from running."""
        loop = asyncio.get_running_loop()

        def soon(call: Callable[[], None]) -> None:
            loop.call_soon_threadsafe(call)

        self.store = SqliteStore(self._folder.database, soon)
        self._collects = gc.isenabled()  # with a window, that collects itself
        gc.disable()  # loading makes nothing but what stays
        self.book, new = await asyncio.to_thread(load_book, self.store, self._catalogue, self._clock)
        if self.book.settings_fault:
            logger.error(self.book.settings_fault)
        past = StoredPast(self._folder.database)
        self.running = Running(self.book, self.store, self._clock, self._exchange, _Wanted(self), past)
        self.desk, self.feed, self.tasks = self.running.desk, self.running.feed, self.running.tasks
        self.desk.on_failed = self._failed
        if new:
            await self._commit(tuple(new))
        for account in self.book.accounts.values():
            if (distant := self._connect(account, self._heard)) is not None:
                self._distant[account.name] = distant
        self.paper = await asyncio.to_thread(self._open_paper)
        self._look_at_accounts()
        self._chosen = await asyncio.to_thread(self._chosen_before)
        self.prices = self._price_feed()
        self.live = self._new_live(self._heard_price) if self._new_live is not None else None
        self.feed.on_released(self._log_facts)
        self.feed.on_released(self._follow_accounts)
        self._joined = set(self.book.accounts)
        gc.freeze()  # what was loaded stays; later collections need not look at it
        if self._collects:
            gc.enable()
        gc.set_threshold(*COLLECT_AT)
        self.prices.start()
        if self.live is not None:
            self.live.start()
        await asyncio.gather(*(distant.start() for distant in self._distant.values()))
        self.running.start()
        self.tasks.spawn("prune", self._prune())
        if self._new_live is not None and self._reachable is not None:
            self.tasks.keep("choice of paper prices", partial(self._keep_choosing, self._reachable))

    @property
    def database(self) -> Path:
        return self._folder.database

    def _follow_accounts(self, change: Released) -> None:
        """Look after accounts that were added, and tell each distant exchange what concerns it."""
        seen = False
        for row in change.rows if change.kinds & FOLLOWED else ():
            if isinstance(row, Account):
                seen = True
                self._follow_account(row)
            elif isinstance(row, AccountRemoved):
                seen = True
                self._joined.discard(row.name)
                if (distant := self._distant.pop(row.name, None)) is not None:
                    self.tasks.spawn(f"leave {row.name}", distant.stop())
            elif isinstance(row, SettingsVersion):
                for distant in self._distant.values():
                    distant.forget_terms()
        if seen and self._look_at_accounts():
            self.running.watch.start()

    def _follow_account(self, row: Account) -> None:
        if row.name not in self._joined:
            self._joined.add(row.name)
            self.tasks.keep(f"join {row.name}", partial(self._join, row))
        elif (distant := self._distant.get(row.name)) is not None:
            if row.status is AccountStatus.RECONCILING:
                distant.forget_time()
            distant.changed()

    def is_looked_after(self, name: str) -> bool:
        """Return whether an account may have anything to do with its exchange now."""
        row = self.book.accounts.get(name)
        if row is None:
            return False
        if row.enabled or row.status is not AccountStatus.DISABLED or self.book.working_orders(name):
            return True
        return any(self.book.groups[id].account == name for id in self.book.open_groups())

    def _look_at_accounts(self) -> bool:
        """Find out which markets have the prices of a real exchange; return whether those are others than before.

        What a market cost in another source of prices says nothing about it in this one.
        """
        rows = [row for row in self.book.accounts.values() if row.mode is not Mode.PAPER]
        places = frozenset(
            (row.exchange, row.market, row.mode) for row in rows if self.is_looked_after(row.name)
        )
        if places == self.places:
            return False
        self.places = places
        before, self._real = self._real, frozenset((exchange, kind) for exchange, kind, _ in places)
        for key in list(self.book.prices):
            rules = self._catalogue.get(*key)
            if rules is not None and (rules.exchange, rules.market) in before | self._real:
                self.book.forget_price(key)
        return True

    def is_real(self, market: tuple[str, str]) -> bool:
        """Return whether a market's prices are those of the real exchange, for whoever trades it."""
        rules = self._catalogue.get(*market)
        return rules is not None and (rules.exchange, rules.market) in self._real

    def is_followed(self, market: tuple[str, str]) -> bool:
        """Return whether a market's prices are to come from the exchange itself."""
        return self.prices.name == PaperFeed.LIVE or self.is_real(market)

    def _practised(self, exchange: str, symbol: str) -> Instrument | None:
        """Return the rules of a market whose prices may be made up or set by hand."""
        return None if self.is_real((exchange, symbol)) else self._catalogue.get(exchange, symbol)

    def forget_practised(self, market: tuple[str, str]) -> None:
        """Know nothing of a real market's price that was set by hand before it was known whose market it is."""
        price = self.book.price(market)
        if price is not None and price.manual and self.is_real(market):
            self.book.forget_price(market)

    async def _join(self, account: Account) -> None:
        """Begin to look after an account that was added; where that fails it is tried again while it is there."""
        if account.name not in self._joined:
            return
        if (distant := self._distant.get(account.name) or self._connect(account, self._heard)) is not None:
            self._distant[account.name] = distant
            await distant.start()
        elif account.mode is Mode.PAPER:
            await asyncio.to_thread(self.paper.open_account, account.name, account.market)
        self.tasks.keep(f"reconcile {account.name}", partial(self.running.reconcile.keep, account.name))

    def _failed(self, failure: StoreFailed) -> None:
        self.running.lanes.stop()
        self.broken(failure)

    async def _commit(self, rows: tuple[Row, ...]) -> None:
        future: asyncio.Future[StoreFailed | None] = asyncio.get_running_loop().create_future()
        self.store.write(rows, future.set_result)
        failure = await future
        if failure is not None:
            raise failure

    @property
    def busy(self) -> bool:
        """Return whether a change is not durable yet or orders are at the exchange."""
        return self.running.busy

    async def durable(self) -> None:
        """Wait until everything that was decided so far is on disk. Raises StoreFailed."""
        await self._commit(())

    def _open_paper(self) -> PaperExchange:
        paper = PaperExchange(
            self._folder.paper,
            self._catalogue.get,
            self._clock,
            self._heard_on_paper,
            self._paper_terms,
            leverage=lambda account: self.book.settings.account(account).leverage,
        )
        for account in self.book.accounts.values():
            if account.mode is Mode.PAPER and account.name not in self._distant:
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
        if (distant := self._distant.get(account)) is not None:
            return distant
        row = self.book.accounts.get(account)
        if row is not None and row.mode is Mode.PAPER:
            return self.paper
        return Unreachable(_nowhere(row.exchange if row else "an exchange", account), self._clock)

    def _heard(self, given: Input) -> None:
        self.desk.post(given)

    def _heard_on_paper(self, given: Input) -> None:
        """Take in what the paper exchange says; what it thinks of a real market's price is its own affair."""
        if not (isinstance(given, Price | NoPrice) and self.is_real((given.exchange, given.symbol))):
            self.desk.post(given)

    def _heard_price(self, given: Input) -> None:
        """Take in a real market's price; whoever trades that market on paper trades at it, too."""
        real = not isinstance(given, Price) or self.is_real(given.key)
        if real:
            self.desk.post(given)  # otherwise the paper exchange does once it has matched it
        elif self.prices.name != PaperFeed.LIVE:
            return  # a last one, after the feed was changed
        if isinstance(given, Price) and self._is_news_on_paper(given):
            waiting = given.key in self._for_paper
            self._for_paper[given.key] = given
            if not waiting:
                self.tasks.spawn("a live price on paper", self._move_paper(given.key))

    def _is_news_on_paper(self, price: Price) -> bool:
        """Every price where something is open; elsewhere one a second, so that a first order finds one."""
        if any(self.book.groups[id].world is World.PAPER for id in self.book.groups_in(price.key)):
            return True
        known = self.paper.price(price.key)
        return known is None or price.at - known.at >= PAPER_FOLLOWS

    async def _move_paper(self, market: tuple[str, str]) -> None:
        """Bring the newest price of a market to the paper exchange; those that came meanwhile are left out."""
        await asyncio.sleep(0)
        await self.paper.move([self._for_paper.pop(market)])

    def wanted_feed(self) -> PaperFeed:
        """Return the feed that the command line, else the settings ask for, or that was chosen; AUTO: none yet."""
        asked = self._options.paper_feed or self.book.settings.paper.feed
        return (self._chosen or asked) if asked is PaperFeed.AUTO else asked

    def _is_paper_in_use(self) -> bool:
        """Return whether anything on paper hangs on its prices."""
        if any(self.book.groups[id].world is World.PAPER for id in self.book.open_groups()):
            return True
        return any(self.book.working_orders(row.name) for row in self._on_paper())

    def _on_paper(self) -> list[Account]:
        return [row for row in self.book.accounts.values() if row.mode is Mode.PAPER]

    def _chosen_before(self) -> PaperFeed | None:
        """Return the feed that open positions keep to after a restart; None where there is a choice. Blocking."""
        if self._new_live is None or self._reachable is None:
            return PaperFeed.SYNTHETIC
        if not self._is_paper_in_use():
            return None
        return PaperFeed.LIVE if self.paper.last_source() is Source.LIVE else PaperFeed.SYNTHETIC

    async def _keep_choosing(self, reachable: Callable[[], Awaitable[bool]]) -> None:
        """Choose between live and made-up prices as long as nothing is open on paper; then keep to the choice."""
        unreached = 0
        while True:
            asked = self._options.paper_feed or self.book.settings.paper.feed
            if asked is PaperFeed.AUTO and not self._is_paper_in_use():
                reached = await reachable()
                unreached = 0 if reached else unreached + 1
                live = reached or (self._chosen is PaperFeed.LIVE and unreached < GONE_AFTER)
                if not self._is_paper_in_use():  # something may have been opened meanwhile
                    self._chosen = PaperFeed.LIVE if live else PaperFeed.SYNTHETIC
                    await self.change_feed()
            self._choose.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(CHOOSE_EVERY_S):
                    await self._choose.wait()

    def _price_feed(self) -> PriceFeed:
        wanted = self.wanted_feed()
        post = self._heard_on_paper
        if wanted is PaperFeed.MANUAL:
            return ManualFeed(self.paper, self._practised, self._clock, post)
        if wanted is PaperFeed.SYNTHETIC:
            seed = self._options.seed or 0
            return SyntheticFeed(self.paper, self._practised, self._clock, post, seed)
        if wanted is PaperFeed.AUTO:
            return Undecided()
        if self._new_live is not None:
            return LiveFeed(self.paper)
        return NoFeed("no market price: this run of the application reaches no exchange", post)

    async def change_feed(self) -> None:
        """Follow the settings to another source of paper prices; what a market cost in the old one counts no more."""
        self._choose.set()
        if self.prices.name == self.wanted_feed().value:
            return
        await self.prices.stop()
        self.prices = self._price_feed()
        for key in [key for key in self.book.prices if not self.is_real(key)]:
            self.book.forget_price(key)
        self.prices.start()
        self.running.watch.start()

    def _log_facts(self, change: Released) -> None:
        """Write facts to the log once the orders of this change are on their way."""
        if change.facts:
            asyncio.get_running_loop().call_soon(self._write_log, change.facts)

    @staticmethod
    def _write_log(facts: tuple[Fact, ...]) -> None:
        for fact in facts:
            fact_logged(fact)

    async def _prune(self) -> None:
        while True:
            logs = self.book.settings.logs
            self.store.prune(self._clock.now(), logs.keep_days, lambda failure: None, logs.audit_keep_days)
            await asyncio.sleep(PRUNE_EVERY_S)

    async def stop(self) -> None:
        """End in order: nothing new leaves, what was decided is written, files are closed."""
        if self._collects:
            gc.enable()  # a start that broke off left it off
        gc.unfreeze()  # the next core loads everything anew
        if hasattr(self, "running"):
            await ended(self.running.stop)
        if hasattr(self, "prices"):
            await ended(self.prices.stop)
        if hasattr(self, "live") and self.live is not None:
            await ended(self.live.stop)
        await ended(*(distant.stop for distant in self._distant.values()))
        if hasattr(self, "paper"):
            await ended(partial(asyncio.to_thread, self.paper.close))
        if hasattr(self, "store"):
            if self.store.failed is None:
                with suppress(StoreFailed):
                    await self.durable()
            await ended(partial(asyncio.to_thread, self.store.close), at_any_rate=True)


@dataclass(slots=True)
class _Wanted:
    """Hands the markets in use to whichever feed is at work: those of real accounts to the live one."""

    core: Core

    def want(self, markets: Collection[tuple[str, str]]) -> None:
        real = {market for market in markets if self.core.is_followed(market)}
        for market in real:
            self.core.forget_practised(market)
        self.core.prices.want([market for market in markets if market not in real])
        if self.core.live is not None:
            self.core.live.want(real)

    async def refresh(self, markets: Collection[tuple[str, str]]) -> None:
        """Ask every feed at once for the prices of its own markets."""
        real = [market for market in markets if self.core.is_followed(market)]
        asked = [self.core.prices.refresh([market for market in markets if market not in real])]
        if self.core.live is not None:
            asked.append(self.core.live.refresh(real))
        await asyncio.gather(*asked)


def _nowhere(exchange: str, account: str) -> str:
    return (
        f"There is no way to {exchange} in this run of the application: "
        f"account {account} can neither be read nor traded."
    )


def urls(book: Book, host: str, port: int) -> list[tuple[str, str, str]]:
    """Return each enabled webhook: name, URL, token."""
    shown = f"[{host}]" if ":" in host else host
    return [
        (row.name, f"http://{shown}:{port}/webhook/{row.token}", row.token)
        for row in book.tokens.values()
        if row.enabled
    ]
