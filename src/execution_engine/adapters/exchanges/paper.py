"""The paper exchange: it behaves like a distant one, in process, for all paper accounts at once.

It has its own file, its own ids and its own memory, and knows nothing of the engine's. Nothing is answered or
reported before it is durable there: whatever dies, the engine finds again what it was told.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TypeVar

from loguru import logger

from execution_engine.adapters.exchanges.paper_account import PaperAccount
from execution_engine.adapters.exchanges.paper_answers import absent, failing, refused, unclear
from execution_engine.adapters.exchanges.paper_book import Portion
from execution_engine.adapters.exchanges.paper_faults import Call, Fault, PaperFaults
from execution_engine.adapters.exchanges.paper_memory import PaperMemory
from execution_engine.adapters.exchanges.paper_rows import (
    Clock,
    Key,
    Lookup,
    PaperTerms,
    Sleep,
    Source,
    Walk,
)
from execution_engine.adapters.exchanges.paper_store import PaperStore
from execution_engine.adapters.exchanges.paper_tables import (
    Cells,
    account_cells,
    balance_cells,
    price_cells,
    walk_cells,
)
from execution_engine.adapters.exchanges.paper_turn import Turn
from execution_engine.adapters.exchanges.paper_venue import PaperVenue
from execution_engine.domain.errors import Refusal, StoreFailed
from execution_engine.domain.inputs import (
    AccountTrade,
    AccountUnreadable,
    Balances,
    Fills,
    Input,
    OpenOrders,
    OrderReport,
    Price,
)
from execution_engine.domain.instrument import Market
from execution_engine.domain.money import ONE
from execution_engine.domain.rows import Order

_Answer = TypeVar("_Answer", OpenOrders, Balances, Fills)
_Change = Callable[[Order, Turn], OrderReport]
ORDERS_A_TURN = 150  # that are written out before others have their turn
_DEFECT = "The paper exchange failed on this request; the log has the details."


class PaperExchange:
    """An `Exchange` for every paper account.

    path: its file; None keeps everything in memory. post: takes reports, balances and prices. leverage: of an
    account by its name. sleep: waits for seconds. inline: commits before returning instead of on a thread, as
    a simulation on a virtual clock needs it.
    Raises StoreFailed if the file can't be opened. Blocking; meant to be built before the loop runs.
    """

    def __init__(
        self,
        path: Path | None,
        instruments: Lookup,
        clock: Clock,
        post: Callable[[Input], None],
        terms: Callable[[], PaperTerms],
        *,
        leverage: Callable[[str], Decimal] = lambda account: ONE,
        faults: PaperFaults | None = None,
        sleep: Sleep = asyncio.sleep,
        inline: bool = False,
    ) -> None:
        self._store = PaperStore(path, inline=inline)
        self._memory = PaperMemory(self._store)
        self._source = Source.MANUAL
        try:
            self._venue = PaperVenue(self._memory, instruments, terms, leverage)
            self._venue.prices = self._memory.prices(self._source)
        except Exception:
            self._store.close()
            raise
        self._clock = clock
        self._post = post
        self._terms = terms
        self._faults = faults
        self._sleep = sleep

    @property
    def failed(self) -> StoreFailed | None:
        """Return why nothing is durable any more, or None. Only a new exchange on the same file can go on."""
        return self._store.failed

    def open_account(self, name: str, market: Market) -> None:
        """Make an account with the start balance, unless it is there already. Blocking. Raises StoreFailed."""
        if name in self._venue.accounts:
            return
        account = PaperAccount(name, market)
        account.wallet["USDT"] = self._terms().start_balance_usd
        balance = balance_cells(name, "USDT", account.wallet["USDT"])
        if fault := self._store.write_now((account_cells(name, market), balance)):
            raise fault
        self._venue.accounts[name] = account

    def close(self) -> None:
        """Let go of the file; everything accepted so far is written. Blocking."""
        self._store.close()

    # What the engine asks for.

    async def place(self, orders: Sequence[Order]) -> Sequence[OrderReport]:
        return await self._change(Call.PLACE, orders, self._place)

    async def cancel(self, orders: Sequence[Order]) -> Sequence[OrderReport]:
        return await self._change(Call.CANCEL, orders, self._cancel)

    async def look(self, order: Order) -> OrderReport:
        return (await self._change(Call.LOOK, [order], self._look))[0]

    async def open_orders(self, account: str) -> OpenOrders | AccountUnreadable:
        return await self._read(Call.OPEN_ORDERS, account, self._open_orders)

    async def fills(self, account: str, since: datetime) -> Fills | AccountUnreadable:
        async def trades(known: PaperAccount) -> Fills:
            now = self._clock.now()
            trades: list[AccountTrade] = []
            for page in self._memory.trades_since(known.name, since):
                trades += page
                await asyncio.sleep(0)
            return Fills(account=known.name, since=since, trades=tuple(trades), at=now)

        return await self._read(Call.FILLS, account, trades)

    async def balances(self, account: str) -> Balances | AccountUnreadable:
        return await self._read(Call.BALANCES, account, self._balances)

    # What the prices ask for.

    def use(self, source: Source) -> None:
        """Trade at the prices of one source from now on; its last known ones count until new ones come."""
        if source is self._source:
            return
        self._source = source
        self._venue.prices = self._memory.prices(source)

    def last_source(self) -> Source | None:
        """Return where the newest price came from, in this life or an earlier one. Blocking."""
        return self._memory.last_source()

    def price(self, key: Key) -> Price | None:
        """Return the price that an exchange and symbol trade at now."""
        return self._venue.prices.get(key)

    def prices(self) -> tuple[Price, ...]:
        """Return all prices, by exchange and symbol."""
        return tuple(price for _, price in sorted(self._venue.prices.items()))

    async def move(
        self,
        prices: Sequence[Price],
        portion: Portion | None = None,
        walks: Sequence[Walk] = (),
        *,
        durable: bool = True,
    ) -> StoreFailed | None:
        """Let markets move: match, commit, then post balances, reports and the prices themselves.

        portion: how much of a reached order fills; without it, all. durable: False lets prices that fill
        nothing wait for the next commit.
        """
        turn = Turn(self._clock.now())
        for price in prices:
            self._venue.match(price, portion, turn)
        rows = [*(price_cells(self._source, price) for price in prices), *map(walk_cells, walks)]
        if not turn and not durable:
            self._store.note(rows)
            self._tell(prices)
            return None
        return await self._commit(turn, rows, prices)

    def introduce(self, price: Price, walk: Walk) -> None:
        """Give a market its first price, at which nothing can rest yet, and post it."""
        self._venue.prices[price.key] = price
        self._store.note((price_cells(self._source, price), walk_cells(walk)))
        self._post(price)

    def walks(self) -> dict[str, Walk]:
        """Return how far each made-up price has gone, by symbol. Blocking."""
        return self._memory.walks()

    # How each answer comes about.

    async def _change(self, call: Call, orders: Sequence[Order], change: _Change) -> Sequence[OrderReport]:
        faults = [self._fault(call, order.account, order.client_order_id) for order in orders]
        await self._travel()
        turn = Turn(self._clock.now())
        reports = [
            self._one(call, order, change, fault, turn) for order, fault in zip(orders, faults, strict=True)
        ]
        # They are answered here, or not at all where the answer gets lost; only others are reported.
        asked = {(order.account, order.client_order_id) for order in orders}
        failed = await self._commit(turn, answered=asked)
        await self._travel()
        if failed:
            about_cancel = call is Call.CANCEL
            return [unclear(order, str(failed), turn.at, about_cancel=about_cancel) for order in orders]
        return reports

    def _one(self, call: Call, order: Order, change: _Change, fault: Fault | None, turn: Turn) -> OrderReport:
        if fault and not fault.arrives:
            return failing(order, call, fault, turn.at)
        try:
            report = change(order, turn)
        except StoreFailed as error:
            return unclear(order, str(error), turn.at, about_cancel=call is Call.CANCEL)
        except Exception:
            # One order that can't be dealt with must not take the others of its batch with it.
            logger.exception("paper: {} of order {} failed", call, order.client_order_id)
            return unclear(order, _DEFECT, turn.at, about_cancel=call is Call.CANCEL)
        return failing(order, call, fault, turn.at) if fault else report

    def _place(self, order: Order, turn: Turn) -> OrderReport:
        taken = self._venue.place(order, turn)
        return refused(order, taken, turn.at) if isinstance(taken, Refusal) else taken.report(turn.at)

    def _cancel(self, order: Order, turn: Turn) -> OrderReport:
        found = self._venue.cancel(order.account, order.client_order_id, turn)
        return (
            found.report(turn.at, about_cancel=True) if found else absent(order, turn.at, about_cancel=True)
        )

    def _look(self, order: Order, turn: Turn) -> OrderReport:
        if order.account not in self._venue.accounts:
            return unclear(order, f"There is no account {order.account}.", turn.at)
        found = self._venue.find(order.account, order.client_order_id)
        return found.report(turn.at) if found else absent(order, turn.at)

    async def _open_orders(self, account: PaperAccount) -> OpenOrders:
        now = self._clock.now()
        orders = sorted(account.orders.values(), key=lambda order: order.id)
        reports: list[OrderReport] = []
        for start in range(0, len(orders), ORDERS_A_TURN):
            reports += [order.report(now) for order in orders[start : start + ORDERS_A_TURN]]
            await asyncio.sleep(0)
        return OpenOrders(
            account=account.name,
            reports=tuple(reports),
            positions={key: held.quantity for key, held in account.positions.items() if held.quantity},
            at=now,
        )

    async def _balances(self, account: PaperAccount) -> Balances:
        return account.balances(self._clock.now())

    async def _read(
        self, call: Call, name: str, read: Callable[[PaperAccount], Awaitable[_Answer]]
    ) -> _Answer | AccountUnreadable:
        fault = self._fault(call, name)
        await self._travel()
        account = self._venue.accounts.get(name)
        if fault or account is None:
            await self._travel()
            reason = fault.sentence if fault else f"There is no account {name}."
            return AccountUnreadable(account=name, reason=reason)
        answer = await read(account)
        failed = await self._commit(Turn(self._clock.now()))
        await self._travel()
        return AccountUnreadable(account=name, reason=str(failed)) if failed else answer

    def _fault(self, call: Call, account: str, client_order_id: str = "") -> Fault | None:
        return self._faults(call, account, client_order_id) if self._faults else None

    async def _travel(self) -> None:
        """Wait half of the latency: a request is as long on its way as its answer."""
        span = timedelta(milliseconds=self._terms().latency_ms) / 2
        until = self._clock.now() + span
        while timedelta(0) < (left := until - self._clock.now()) <= span:  # more: the clock was set back
            await self._sleep(left.total_seconds())

    async def _commit(
        self,
        turn: Turn,
        rows: Sequence[Cells] = (),
        prices: Sequence[Price] = (),
        answered: Collection[tuple[str, str]] = (),
    ) -> StoreFailed | None:
        """Make a turn durable, then tell of it: balances, reports, prices. Later turns are told later."""
        told: tuple[Input, ...] = (*turn.balances(), *turn.reports(without=answered), *prices)
        done: asyncio.Future[StoreFailed | None] = asyncio.get_running_loop().create_future()

        def committed(failed: StoreFailed | None) -> None:
            try:
                if failed is None:
                    self._venue.committed(turn)
                    self._tell(told)
            except Exception:  # a lane that waited for its answer for ever would send nothing any more
                logger.exception("what happened at the paper exchange could not be told")
            # Whoever waited may have been cancelled; what happened is told all the same.
            if not done.done():
                done.set_result(failed)

        self._store.write((*turn.rows(), *rows), committed)
        return await done

    def _tell(self, inputs: Sequence[Input]) -> None:
        for entry in inputs:
            self._post(entry)
