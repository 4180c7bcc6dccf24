"""Asks each exchange what is true, at the start and from time to time, and posts what it says."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from zlib import crc32

from execution_engine.domain.holdings import Unequal, unequal
from execution_engine.domain.inputs import (
    AccountTrade,
    AccountUnreadable,
    Balances,
    Difference,
    Fills,
    Fits,
    Input,
    OpenOrders,
    OrderReport,
)
from execution_engine.domain.instrument import Action, Side
from execution_engine.domain.money import ZERO
from execution_engine.domain.order import prefix
from execution_engine.domain.reports import is_news
from execution_engine.domain.rows import (
    Account,
    AccountStatus,
    Finding,
    Order,
    OrderStatus,
    OrderType,
    Purpose,
)
from execution_engine.engine.book import Book
from execution_engine.engine.feed import Released
from execution_engine.engine.ports import Clock, Exchange, Past

FIRST_RETRY_S = 1.0
LAST_RETRY_S = 60.0
URGENT_S = 3.0  # while a close is in doubt
ORDERS_A_TURN = 150  # that are compared before others have their turn
LATE = timedelta(minutes=10)  # how much later than it happened a trade may appear in an account's list
SHOWN_WITHIN_S = 5.0  # so long may what filled be missing in what an exchange says that it holds
AUDIT_EVERY = timedelta(days=1)
UNSETTLED = (AccountStatus.RECONCILING, AccountStatus.HOLD)


@dataclass(slots=True)
class Seen:
    """What was seen of one account: quantities that differed, when all fitted, what was told.

    fills: how many were taken in until the last reading, by market; moved_at: where there were more of late [s].
    wake: it is to be read at once. stir: it is to be read soon. asked: at once, however often that failed.
    """

    failures: int = 0
    unequal: dict[str, Unequal] = field(default_factory=dict)
    told: dict[str, Unequal] = field(default_factory=dict)
    fills: dict[tuple[str, str], int] | None = None
    moved_at: dict[tuple[str, str], float] = field(default_factory=dict)
    fitted_at: datetime | None = None
    audited_at: datetime | None = None
    strangers: set[str] = field(default_factory=set)
    begun_with: Account | None = None  # the row that the last reading began with
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    stir: asyncio.Event = field(default_factory=asyncio.Event)
    asked: asyncio.Event = field(default_factory=asyncio.Event)

    def rouse(self) -> None:
        self.wake.set()
        self.stir.set()


class Reconcile:
    """Reads accounts. Nothing trades on one before it was read; an error is never an empty list."""

    def __init__(
        self,
        book: Book,
        exchange: Callable[[str], Exchange],
        post: Callable[[Input], None],
        clock: Clock,
        past: Past | None = None,
    ) -> None:
        self._book = book
        self._exchange = exchange
        self._post = post
        self._clock = clock
        self._past = past
        self._seen: dict[str, Seen] = {}

    def released(self, change: Released) -> None:
        """Read an account at once when something put it in doubt."""
        for row in change.rows if change.kinds & {Finding, Account} else ():
            if isinstance(row, Finding) and row.settled_at is not None:
                self._of(row.account).told.pop(row.ref, None)  # should it still differ, it is told again
            if isinstance(row, Account) and self._is_reconciling(row.name):
                seen = self._of(row.name)
                if seen.begun_with is not row:  # the reading that is under way began later
                    seen.rouse()

    def looked(self, name: str) -> None:
        """Read an account at once whose orders in doubt have all been looked for: it may be fit to trade."""
        if self._is_reconciling(name):
            self._of(name).rouse()

    def again(self, name: str) -> None:
        """Read an account at once, however often that failed: what kept it from being read may be over."""
        self._of(name).asked.set()
        self._of(name).rouse()

    def soon(self, name: str) -> None:
        """Read an account soon, for somebody waits for its balance; a second apart at least, however often asked."""
        self._of(name).stir.set()

    def _of(self, name: str) -> Seen:
        return self._seen.setdefault(name, Seen())

    async def keep(self, name: str) -> None:
        """Read one account now and every `orders.poll_s` from then on."""
        seen = self._of(name)
        while True:
            account = self._book.accounts.get(name)
            if account is None:
                return
            seen.wake.clear()
            seen.stir.clear()
            seen.asked.clear()
            seen.begun_with = account
            read = await self.read(account) if self._wants_reading(account) else True
            seen.failures = 0 if read else seen.failures + 1
            await self._pause(name, seen)

    async def _pause(self, name: str, seen: Seen) -> None:
        if seen.failures:
            await _until(seen.asked, retry_s(name, seen.failures, self._book.settings.orders.retries))
            return
        wait_s = self._wait_s(name, seen)
        await _until(seen.wake, min(wait_s, FIRST_RETRY_S))
        if wait_s > FIRST_RETRY_S and not seen.wake.is_set():
            await _until(seen.stir, wait_s - FIRST_RETRY_S)

    def _wait_s(self, name: str, seen: Seen) -> float:
        poll_s = self._book.settings.orders.poll_s * 1.0
        if self._is_unsettled(name) or seen.unequal:
            return FIRST_RETRY_S
        return min(poll_s, URGENT_S) if self._closes_in_doubt(name) else poll_s

    def _closes_in_doubt(self, name: str) -> bool:
        orders = (self._book.orders[id] for id in self._book.working_orders(name))
        return any(o.status is OrderStatus.UNKNOWN and o.purpose is not Purpose.ENTRY for o in orders)

    def _is_reconciling(self, name: str) -> bool:
        account = self._book.accounts.get(name)
        return account is not None and account.status is AccountStatus.RECONCILING

    def _is_unsettled(self, name: str) -> bool:
        account = self._book.accounts.get(name)
        return account is not None and account.status in UNSETTLED

    def _wants_reading(self, account: Account) -> bool:
        return account.status is not AccountStatus.DISABLED or bool(self._book.working_orders(account.name))

    async def read(self, account: Account) -> bool:
        """Post what an account can spend, what rests there and what it holds; return whether all was read."""
        exchange, seen = self._exchange(account.name), self._of(account.name)
        balances = await exchange.balances(account.name)
        listed = await exchange.open_orders(account.name)
        for answer in (balances, listed):
            if isinstance(answer, AccountUnreadable):
                self._post(replace(answer, failures=seen.failures + 1))
                return False
        assert isinstance(balances, Balances)
        assert isinstance(listed, OpenOrders)
        self._post(balances)
        if not await self._take_in_trades(exchange, account, seen, listed):
            return False
        listed = await self._take_in_orders(exchange, seen, listed)
        unsettled = await self._compare(exchange, account, seen, balances, listed)
        self._post(replace(listed, unsettled=unsettled))
        return True

    # -- trades

    async def _take_in_trades(
        self, exchange: Exchange, account: Account, seen: Seen, listed: OpenOrders
    ) -> bool:
        """Before an account may trade, and once a day, take in every trade that the rows may lack."""
        now = self._clock.now()
        due = seen.audited_at is None or now - seen.audited_at >= AUDIT_EVERY
        if account.status not in UNSETTLED and not due:
            return True
        since = self._first_missing(account, listed.at)
        if since is None:
            seen.audited_at = now
            return True
        fills = await exchange.fills(account.name, since)
        if isinstance(fills, AccountUnreadable):
            self._post(replace(fills, failures=seen.failures + 1))
            return False
        self._post(await self._without_known(fills))
        seen.audited_at = now
        return True

    def _first_missing(self, account: Account, now: datetime) -> datetime | None:
        """Return since when trades may be missing: the last good reading, or the oldest order at work."""
        orders = [self._book.orders[id] for id in self._book.working_orders(account.name)]
        oldest = min((order.created_at for order in orders), default=None)
        known = account.checked_at
        if known is None and oldest is None:
            return None
        return min(at for at in (known, oldest, now) if at is not None) - LATE

    async def _without_known(self, fills: Fills) -> Fills:
        """Have archived groups back whose orders traded after all; leave out what is known of the others."""
        news: list[AccountTrade] = []
        own = list({other.client_order_id: None for other in fills.trades if self._is_ours(other)})
        # Also of orders in memory: they may go into the archive meanwhile.
        known = await self._past.trades_of(own) if self._past is not None and own else {}
        for other in fills.trades:
            id = other.client_order_id
            if not self._is_ours(other) or self._book.order_of(id) is not None:
                news.append(other)
            elif self._past is None:
                continue
            elif id not in known:
                news.append(other)  # nobody knows this order
            elif other.trade.trade_id not in known[id]:
                if (past := await self._past.group_of(id)) is not None:
                    self._post(past)
                news.append(other)
        return replace(fills, trades=tuple(news))

    def _is_ours(self, other: AccountTrade) -> bool:
        """Return whether a trade is of an order that this installation sent."""
        return other.client_order_id.startswith(prefix(self._book.engine.install_key))

    # -- orders

    async def _take_in_orders(self, exchange: Exchange, seen: Seen, listed: OpenOrders) -> OpenOrders:
        """Post the reports that say anything new; the list comes back without them."""
        ours = prefix(self._book.engine.install_key)
        news: list[OrderReport] = []
        known: dict[str, None] = {}
        foreign: list[str] = []
        for start in range(0, len(listed.reports), ORDERS_A_TURN):
            for said in listed.reports[start : start + ORDERS_A_TURN]:
                if not said.client_order_id.startswith(ours):
                    foreign.append(_description(said))
                    continue
                known[said.client_order_id] = None
                if is_news(self._book, said):
                    news.append(said)
            await asyncio.sleep(0)
        lost = [said for said in news if self._book.order_of(said.client_order_id) is None]
        for said in news:
            if said not in lost or said.client_order_id not in seen.strangers:
                self._post(said)
        await self._cancel_lost(exchange, seen, lost)
        return replace(
            listed, reports=(), known=listed.known | frozenset(known), foreign=(*listed.foreign, *foreign)
        )

    async def _cancel_lost(self, exchange: Exchange, seen: Seen, lost: Sequence[OrderReport]) -> None:
        """Cancel the orders of this installation that its books lack, if they could add risk.

        They are there after an older backup was restored. Each is told once, not with every reading.
        """
        seen.strangers.update(said.client_order_id for said in lost)
        if self._book.engine.moved_to is not None:
            return  # another computer may trade by these books and look after them
        if adding := [_stand_in(said) for said in lost if not said.reduces]:
            for answer in await exchange.cancel(adding):
                self._post(answer)

    # -- quantities

    async def _compare(
        self, exchange: Exchange, account: Account, seen: Seen, balances: Balances, listed: OpenOrders
    ) -> bool:
        """Post what differs once it was seen twice the same; return whether something waits to be seen again.

        What just filled may not be in what an exchange shows, however often it is asked in that moment.
        """
        differing, fitting = unequal(self._book, account, balances.total, listed.positions, listed.known)
        confirmed = {ref: pair for ref, pair in differing.items() if seen.unequal.get(ref) == pair}
        moved = self._moved(account, seen)
        news = {
            ref: pair
            for ref, pair in confirmed.items()
            if seen.told.get(ref) != pair and not any(self._stands_for(ref, market) for market in moved)
        }
        seen.unequal = {ref: pair for ref, pair in differing.items() if seen.told.get(ref) != pair}
        if (fitting and any(ref in fitting for ref in seen.told)) or self._is_shown(account, fitting):
            self._post(Fits(account=account.name, refs=fitting, at=listed.at))
        seen.told = {ref: pair for ref, pair in seen.told.items() if ref not in fitting}
        if not differing:
            seen.fitted_at = listed.at
        if news:
            trades = await self._trades_of_others(exchange, account, seen)
            if trades is None:
                return True
            for ref, pair in news.items():
                own = tuple(one for one in trades if self._stands_for(ref, (one.exchange, one.symbol)))
                self._post(
                    Difference(
                        account=account.name,
                        ref=ref,
                        ours=pair.ours,
                        theirs=pair.theirs,
                        trades=own,
                        at=listed.at,
                    )
                )
                seen.told[ref] = pair
                seen.unequal.pop(ref, None)
        return bool(seen.unequal)

    def _moved(self, account: Account, seen: Seen) -> frozenset[tuple[str, str]]:
        """Return the markets in which something filled so shortly before that a reading may be of before."""
        fills, now = dict(self._book.fill_counts(account.name)), self._clock.monotonic()
        if seen.fills is not None:
            changed = (market for market, count in fills.items() if count != seen.fills.get(market))
            seen.moved_at.update(dict.fromkeys(changed, now))
        seen.fills = fills
        seen.moved_at = {market: at for market, at in seen.moved_at.items() if now - at <= SHOWN_WITHIN_S}
        return frozenset(seen.moved_at)

    def _is_shown(self, account: Account, fitting: frozenset[str]) -> bool:
        """Return whether something that fits is still shown as found, as after a restart."""
        open_ones = (self._book.findings[id] for id in self._book.open_findings())
        return any(
            found.account == account.name and found.ours is not None and found.ref in fitting
            for found in open_ones
        )

    async def _trades_of_others(
        self, exchange: Exchange, account: Account, seen: Seen
    ) -> tuple[AccountTrade, ...] | None:
        """Return what was traded by others since everything fitted; None if it cannot be read now."""
        since = (seen.fitted_at or account.checked_at or self._clock.now()) - LATE
        fills = await exchange.fills(account.name, since)
        if isinstance(fills, AccountUnreadable):
            return None
        self._post(await self._without_known(fills))  # a trade of ours may be the explanation
        ours = prefix(self._book.engine.install_key)
        return tuple(other for other in fills.trades if not other.client_order_id.startswith(ours))

    def _stands_for(self, ref: str, market: tuple[str, str]) -> bool:
        """Return whether a ref is what is held of a market."""
        instrument = self._book.catalogue.get(*market)
        base = instrument is not None and instrument.base == ref
        return base or ref == " ".join(market)


def retry_s(name: str, failures: int, retries: int) -> float:
    """Return how long to wait after so many failed readings in a row [s]: each time twice as long, then a minute.

    retries: how many of them are made sooner than a minute. Accounts that failed in the same moment do not come
    back in the same one; what they wait less for that, a quarter at most, follows from their names.
    """
    if failures > retries:
        return LAST_RETRY_S
    sooner = crc32(f"{name} {failures}".encode()) / 2**32 / 4
    return min(FIRST_RETRY_S * 2.0 ** min(failures - 1, 6), LAST_RETRY_S) * (1 - sooner)


async def _until(event: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return


def _description(said: OrderReport) -> str:
    return f"{said.symbol} {said.client_order_id or said.exchange_order_id}"


def _stand_in(said: OrderReport) -> Order:
    """Return what a cancel needs of an order that has no row."""
    return Order(
        id=0,
        client_order_id=said.client_order_id,
        account=said.account,
        exchange=said.exchange,
        symbol=said.symbol,
        group_id=0,
        purpose=Purpose.ENTRY,
        position=Side.LONG,
        action=Action.BUY,
        type=OrderType.LIMIT,
        price=None,
        quantity=ZERO,
        exchange_order_id=said.exchange_order_id,
        created_at=said.at,
    )
