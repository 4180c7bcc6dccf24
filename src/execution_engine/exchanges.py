"""The exchanges outside: one way to each account there, their markets' rules, their prices, what keys can do.

Nothing is asked of any of them before `begin`: alerts are taken and the window stands by then. ccxt is imported
with the first question, off the loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from typing import TypeVar

import aiohttp
from loguru import logger

from execution_engine.adapters.clock import SystemClock
from execution_engine.adapters.exchanges.catalogue import VENUES
from execution_engine.adapters.exchanges.ccxt_check import CcxtKeyCheck
from execution_engine.adapters.exchanges.ccxt_client import new_session, trusted
from execution_engine.adapters.exchanges.ccxt_exchange import CcxtExchange
from execution_engine.adapters.exchanges.ccxt_live import LivePrices
from execution_engine.adapters.exchanges.ccxt_markets import Markets
from execution_engine.adapters.exchanges.ccxt_own import OwnStream
from execution_engine.adapters.exchanges.ccxt_prices import PriceStream
from execution_engine.adapters.security.vault import Vault
from execution_engine.adapters.storage.reader import Reader
from execution_engine.core import Connection, Core
from execution_engine.domain.errors import EngineError
from execution_engine.domain.inputs import (
    AccountUnreadable,
    Balances,
    Fills,
    Input,
    Instruments,
    OpenOrders,
    OrderReport,
)
from execution_engine.domain.instrument import Instrument, Market
from execution_engine.domain.keys import CheckResult, Keys
from execution_engine.domain.order import prefix
from execution_engine.domain.rows import Account, Mode, Order
from execution_engine.domain.settings import AccountSettings, PaperFeed
from execution_engine.domain.symbols import Catalogue
from execution_engine.engine.ports import KeyCheck
from execution_engine.engine.tasks import Tasks, is_ending

T = TypeVar("T")

Post = Callable[[Input], None]
Place = tuple[str, Market, Mode]  # an exchange, what is traded there, and for which money

# Prices and rules that money hangs on come from where the money is.
BEST_FIRST = (Mode.LIVE, Mode.DEMO, Mode.TESTNET)
LATELY = timedelta(days=7)  # for so long trades of a market that was closed are still asked for
CLOSED_READ = 500
GREETING_S = 3.0
AGAIN_S = 30.0  # between two attempts at what could not be read or followed


class KeysMissing(EngineError):
    """An account's keys cannot be had; the text says why and what to do."""


@dataclass(slots=True)
class Rules:
    """The rules of the markets of one exchange, kind and mode."""

    markets: Markets
    by_key: dict[tuple[str, str], Instrument] = field(default_factory=dict)
    known: asyncio.Event = field(default_factory=asyncio.Event)
    _asking: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def have(self) -> None:
        """Have all of them told. Raises MarketsUnreadable."""
        async with self._asking:
            if not self.known.is_set():
                await self.markets.begin()
                self.known.set()

    async def keep(self) -> None:
        """Have them, and have them anew when they are old or doubted. Never returns."""
        while not self.known.is_set():
            try:
                await self.have()
            except EngineError as error:
                logger.warning("{}", error)
                await asyncio.sleep(AGAIN_S)
        await self.markets.keep()


class Exchanges:
    """What all accounts on real exchanges share, for as long as the application runs.

    core: what runs now; set before it starts. trouble: why the vault is locked. checks: who asks about keys.
    """

    core: Core

    def __init__(
        self, folder: Path, catalogue: Catalogue, clock: SystemClock, vault: Vault, trouble: Callable[[], str]
    ) -> None:
        self._folder = folder
        self._catalogue = catalogue
        self.clock = clock
        self._vault = vault
        self._trouble = trouble
        self._session: aiohttp.ClientSession | None = None
        self._begun = asyncio.Event()
        self._rules: dict[Place, Rules] = {}
        self._kept: set[Place] = set()
        self._accounts: list[RealAccount] = []
        self.tasks = Tasks()
        check = CcxtKeyCheck(
            self.session,
            lambda venue, kind, mode: self.rules((venue.name, kind, mode)).markets,
            self.terms,
            clock,
        )
        self.checks: dict[str, KeyCheck] = dict.fromkeys(VENUES, LateCheck(self, check))

    def begin(self) -> None:
        """Let exchanges be asked from now on."""
        self._begun.set()

    async def begun(self) -> None:
        """Wait until exchanges may be asked, and for the connections to them."""
        await self._begun.wait()
        if self._session is None:
            trust = await asyncio.to_thread(trusted)
            if self._session is None:  # others may have waited here as well
                self._session = new_session(trust)

    async def close(self) -> None:
        """End everything that is not of one core."""
        await self.tasks.stop()
        if self._session is not None:
            await self._session.close()

    def session(self) -> aiohttp.ClientSession:
        assert self._session is not None  # whoever asks has waited for `begun`
        return self._session

    def connect(self, account: Account, post: Post) -> Connection | None:
        """Return an account's way to its exchange; None for one on paper."""
        if account.mode is Mode.PAPER or account.exchange not in VENUES:
            return None
        made = RealAccount(self, self.core, account, post)
        self._accounts.append(made)
        return made

    def gone(self, account: RealAccount) -> None:
        """Know of an account no more; a core that was stopped before its successor stood is stopped once more."""
        if account in self._accounts:
            self._accounts.remove(account)

    def prices(self, post: Post) -> RealPrices:
        """Return the live prices for one core."""
        return RealPrices(self, self.core, post)

    async def reachable(self) -> bool:
        """Return whether any exchange's public answers come here: a short question, without ccxt and keys."""
        await self.begun()
        asked = [asyncio.create_task(self._greets(venue.greeting)) for venue in VENUES.values()]
        try:
            for answer in asyncio.as_completed(asked):
                if await answer:
                    return True
            return False
        finally:
            for task in asked:
                task.cancel()
            await asyncio.gather(*asked, return_exceptions=True)

    async def _greets(self, url: str) -> bool:
        try:
            async with asyncio.timeout(GREETING_S), self.session().get(url) as answer:
                return answer.status == HTTPStatus.OK and isinstance(await answer.json(), dict)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError):
            return False

    def vault_opened(self) -> None:
        """Have accounts read at once that waited for their keys."""
        for account in self._accounts:
            account.changed()
            account.core.running.reconcile.again(account.name)

    # What accounts ask for

    def keys(self, name: str) -> Keys:
        """Return an account's keys. Raises KeysMissing."""
        keys = self._vault.keys(name)
        if keys is not None:
            return keys
        if self._vault.is_open or not self._vault.exists:
            raise KeysMissing(f"There are no keys of account {name} here: enter them again.")
        if not (why := self._trouble()):
            raise KeysMissing(f"The keys of account {name} are in the vault, which is being opened.")
        raise KeysMissing(f"The keys of account {name} are in the locked vault: unlock it. {why}")

    def keys_now(self, name: str) -> Keys | None:
        return self._vault.keys(name)

    def terms(self, name: str) -> AccountSettings:
        return self.core.book.settings.account(name)

    # Markets

    def rules(self, place: Place) -> Rules:
        """Return the rules of a place, which may not be known yet."""
        found = self._rules.get(place)
        if found is None:
            exchange, kind, mode = place
            by_key: dict[tuple[str, str], Instrument] = {}

            def told(said: Input) -> None:
                if isinstance(said, Instruments):
                    news = (rules for rules in said.instruments if by_key.get(rules.key) != rules)
                    by_key.update((rules.key, rules) for rules in news)
                    self._learnt(place, said)

            markets = Markets(VENUES[exchange], kind, mode, self._folder, self.session, self.clock, told)
            found = self._rules[place] = Rules(markets, by_key)
        return found

    def keep_rules(self, place: Place) -> Rules:
        """Return the rules of a place, kept up to date from now on, and told to everybody as they are."""
        rules = self.rules(place)
        if place not in self._kept:
            self._kept.add(place)
            self.tasks.keep(f"markets of {' '.join(place)}", rules.keep)
        elif rules.known.is_set():  # those of another mode may have been told since
            self.tasks.spawn(f"tell the markets of {' '.join(place)}", rules.markets.tell())
        return rules

    def best_mode(self, core: Core, exchange: str, kind: Market) -> Mode | None:
        """Return the mode whose prices and rules count for a kind of market: the one where the most is at stake."""
        return next((mode for mode in BEST_FIRST if (exchange, kind, mode) in core.places), None)

    def _learnt(self, place: Place, said: Instruments) -> None:
        """Have everybody go by rules, unless they are of another mode than what is traded there."""
        exchange, kind, mode = place
        if (self.best_mode(self.core, exchange, kind) or Mode.LIVE) is not mode:
            return
        if self.core.desk.failed is not None:
            self._catalogue.add(said.instruments)  # the next core goes by them
        else:
            self.core.desk.post(said)


class LateCheck:
    """A `KeyCheck` that waits until exchanges may be asked."""

    def __init__(self, exchanges: Exchanges, check: CcxtKeyCheck) -> None:
        self._exchanges = exchanges
        self._check = check

    async def check(self, account: Account, keys: Keys) -> CheckResult:
        await self._exchanges.begun()
        return await self._check.check(account, keys)


class RealAccount(Connection):
    """One account on a real exchange, for as long as one core runs."""

    def __init__(self, exchanges: Exchanges, core: Core, account: Account, post: Post) -> None:
        self.name = account.name
        self.core = core
        self._exchanges = exchanges
        self._account = account
        self._post = post
        self._place = (account.exchange, account.market, account.mode)
        self._rules = exchanges.rules(self._place)
        self._lately: dict[str, datetime] = {}
        self._keys: Keys | None = None
        self._way = self._new_way()
        self._stream: OwnStream | None = None
        self._changed = asyncio.Event()
        self._keeping: asyncio.Task[None] | None = None

    def _new_way(self) -> CcxtExchange:
        return CcxtExchange(
            self._account,
            self._take_keys,
            self._exchanges.session,
            self._rules.markets,
            lambda exchange, symbol: self._rules.by_key.get((exchange, symbol)),
            lambda: self.core.book.settings.account(self.name),
            prefix(self.core.book.engine.install_key),
            self._in_use,
            self._exchanges.clock,
            self._post,
        )

    def _take_keys(self) -> Keys:
        self._keys = self._exchanges.keys(self.name)
        return self._keys

    def _in_use(self) -> Collection[str]:
        """Return the symbols that are traded here or were of late."""
        book, now = self.core.book, self._exchanges.clock.now()
        for group in book.groups.values():
            if group.account == self.name:
                self._lately[group.symbol] = now
        for id in book.working_orders(self.name):
            self._lately[book.orders[id].symbol] = now
        self._lately = {symbol: at for symbol, at in self._lately.items() if now - at <= LATELY}
        return self._lately

    # Its life

    async def start(self) -> None:
        self._keeping = asyncio.create_task(self._keep(), name=f"exchange of {self.name}")

    async def stop(self) -> None:
        if self._keeping is not None:
            self._keeping.cancel()
            await asyncio.gather(self._keeping, return_exceptions=True)
        await self._hang_up()
        self._exchanges.gone(self)

    def changed(self) -> None:
        """Look again whether this account is looked after, and with which keys."""
        self._changed.set()

    def forget_time(self) -> None:
        self._way.forget_time()

    def forget_terms(self) -> None:
        self._way.forget_terms()

    async def _keep(self) -> None:
        """Listen while the account is looked after, always with the keys of the moment."""
        await self._exchanges.begun()
        knows_past = False
        while True:
            self._changed.clear()
            try:
                if not knows_past:
                    await self._read_past()
                    knows_past = True
                await self._follow()
            except Exception:  # nobody else would try again
                if is_ending():
                    raise
                logger.exception("the exchange of {} could not be followed", self.name)
                asyncio.get_running_loop().call_later(AGAIN_S, self._changed.set)
            await self._changed.wait()

    async def _follow(self) -> None:
        keys = self._exchanges.keys_now(self.name)
        if self._keys is not None and keys is not None and keys != self._keys:
            old, self._keys = self._way, None
            await self._stop_listening()
            self._way = self._new_way()
            await old.close()
        if not self.core.is_looked_after(self.name):
            await self._stop_listening()
        elif self._stream is None and self._place in self.core.places:
            # Before that it was decided and not written, and would tell its markets to nobody.
            await self._exchanges.keep_rules(self._place).known.wait()
            reading = self.core.running.reconcile
            self._stream = OwnStream(
                self._way, prefix(self.core.book.engine.install_key), self._post, reading.again
            )
            self._stream.start()

    async def _read_past(self) -> None:
        """Remember which markets were closed here of late."""
        database = self.core.database
        closed = await asyncio.to_thread(lambda: Reader(database).closed_groups(CLOSED_READ))
        for group in (history.group for history in closed):
            if group.account == self.name and group.closed_at is not None:
                self._lately.setdefault(group.symbol, group.closed_at)

    async def _stop_listening(self) -> None:
        if self._stream is not None:
            stream, self._stream = self._stream, None
            await stream.stop()

    async def _hang_up(self) -> None:
        await self._stop_listening()
        await self._way.close()

    # An `Exchange`

    async def place(self, orders: Sequence[Order]) -> Sequence[OrderReport]:
        await self._exchanges.begun()
        return await self._way.place(orders)

    async def cancel(self, orders: Sequence[Order]) -> Sequence[OrderReport]:
        await self._exchanges.begun()
        return await self._way.cancel(orders)

    async def look(self, order: Order) -> OrderReport:
        await self._exchanges.begun()
        return await self._way.look(order)

    async def open_orders(self, account: str) -> OpenOrders | AccountUnreadable:
        return await self._read(lambda way: way.open_orders(account))

    async def fills(self, account: str, since: datetime) -> Fills | AccountUnreadable:
        return await self._read(lambda way: way.fills(account, since))

    async def balances(self, account: str) -> Balances | AccountUnreadable:
        return await self._read(lambda way: way.balances(account))

    async def _read(
        self, ask: Callable[[CcxtExchange], Awaitable[T | AccountUnreadable]]
    ) -> T | AccountUnreadable:
        """Ask once keys and rules are there: without rules our own orders would look like those of others."""
        await self._exchanges.begun()
        try:
            if self._way.client is None:
                self._exchanges.keys(self.name)
            await self._rules.have()
        except EngineError as error:
            asked = not isinstance(error, KeysMissing)
            return AccountUnreadable(account=self.name, reason=str(error), asked=asked)
        return await ask(self._way)


class RealPrices:
    """The prices of markets as the exchange itself has them: in the mode that is traded there, live on paper."""

    def __init__(self, exchanges: Exchanges, core: Core, post: Post) -> None:
        self._exchanges = exchanges
        self._core = core
        self._post = post
        self._wanted: Collection[tuple[str, str]] = ()
        self._modes: dict[tuple[str, Market], Mode] = {}
        self._live: LivePrices | None = None
        self._changed = asyncio.Event()
        self._keeping: asyncio.Task[None] | None = None

    def want(self, markets: Collection[tuple[str, str]]) -> None:
        """Follow these markets and no others."""
        self._wanted = markets
        self._changed.set()

    async def refresh(self, markets: Collection[tuple[str, str]]) -> None:
        """Ask for the prices that these markets have now, as far as they are followed yet."""
        if self._live is not None:
            await self._live.refresh(markets)

    def start(self) -> None:
        """Begin. Needs a running loop."""
        self._keeping = asyncio.create_task(self._keep(), name="live prices")

    async def stop(self) -> None:
        """End; nothing is posted any more."""
        if self._keeping is not None:
            self._keeping.cancel()
            await asyncio.gather(self._keeping, return_exceptions=True)
        if self._live is not None:
            await self._live.stop()

    async def _keep(self) -> None:
        while True:
            await self._changed.wait()
            self._changed.clear()
            if not self._wanted and self._live is None:
                continue  # nobody trades anywhere outside
            await self._exchanges.begun()
            try:
                await self._follow()
            except Exception:  # nobody else would try again
                if is_ending():
                    raise
                logger.exception("live prices could not be followed")
                asyncio.get_running_loop().call_later(AGAIN_S, self._changed.set)

    async def _follow(self) -> None:
        modes = self._modes_now()
        nobody = not self._wanted and not modes and self._core.prices.name != PaperFeed.LIVE
        if self._live is not None and (modes != self._modes or nobody):
            old, self._live = self._live, None
            await old.stop()
        if self._live is None and self._wanted:
            self._modes = modes
            self._live = LivePrices(self._stream, self._rules, self._post)
            self._live.start()
        if self._live is not None:
            self._live.want(self._wanted)

    def _modes_now(self) -> dict[tuple[str, Market], Mode]:
        kinds = {(exchange, kind) for exchange, kind, _ in self._core.places}
        best = self._exchanges.best_mode
        return {key: mode for key in kinds if (mode := best(self._core, *key)) is not None}

    def _stream(self, exchange: str, kind: Market) -> PriceStream:
        outside, mode = self._exchanges, self._modes.get((exchange, kind), Mode.LIVE)
        markets = outside.keep_rules((exchange, kind, mode)).markets
        return PriceStream(
            VENUES[exchange], kind, mode, markets, self._rules, outside.session, outside.clock, self._post
        )

    def _rules(self, exchange: str, symbol: str) -> Instrument | None:
        return self._core.book.catalogue.get(exchange, symbol)
