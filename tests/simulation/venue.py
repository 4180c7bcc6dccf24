"""The distant exchange: the paper exchange, which goes on while the engine's machine is down.

It has its own clock and memory. Everything that happens to an order there is seen here, whether or not anybody is
told: the auditor compares it with what the engine believes.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar

from execution_engine.adapters.exchanges.paper import PaperExchange
from execution_engine.adapters.exchanges.paper_answers import absent, refused
from execution_engine.adapters.exchanges.paper_book import Portion
from execution_engine.adapters.exchanges.paper_checks import INVALID
from execution_engine.adapters.exchanges.paper_checks import MAX_OPEN_ORDERS as MOST_OPEN
from execution_engine.adapters.exchanges.paper_rows import PaperTerms
from execution_engine.adapters.exchanges.paper_turn import Turn
from execution_engine.domain.errors import Refusal
from execution_engine.domain.inputs import (
    AccountUnreadable,
    Balances,
    Fills,
    Input,
    OpenOrders,
    OrderReport,
    Price,
    Trade,
    Verdict,
)
from execution_engine.domain.instrument import Action, Instrument, Market, Side
from execution_engine.domain.money import round_down
from execution_engine.domain.rows import FINAL_ORDER, Order, OrderType, Purpose
from tests.simulation.clock import TrueClock

T = TypeVar("T")
Key = tuple[str, str]
COIN_USD = 600  # what the coin is worth that fees may be taken in
Past = list[tuple[datetime, OrderReport]]


def finished(work: Coroutine[Any, Any, T]) -> T:
    """Run what never really waits to its end, now."""
    try:
        while True:
            work.send(None)
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]


class Venue:
    """One exchange with all its accounts.

    listen: hears of every order report, balance and price as the exchange sends it out.
    seen: hears of every order that was asked about or changed, with all its trades.
    """

    def __init__(
        self,
        clock: TrueClock,
        instruments: Mapping[Key, Instrument],
        terms: PaperTerms,
        leverage: Callable[[str], Decimal],
        listen: Callable[[Input], None],
        seen: Callable[[OrderReport], None],
    ) -> None:
        self.rules = dict(instruments)
        self.retention = timedelta.max
        self.most_open = MOST_OPEN
        self.fee_currency = (
            ""  # that fees in the quote currency are taken in instead, and then without their value
        )
        self._dressed: dict[str, Trade] = {}
        self._clock = clock
        self._listen = listen
        self._seen = seen
        self.past: dict[str, Past] = {}  # by client order id: how the order stood, and since when
        self.orders: dict[str, Order] = {}  # everything that was ever accepted, by client order id
        self._positions: defaultdict[str, list[tuple[datetime, dict[Key, Decimal]]]] = defaultdict(list)
        self._count = 0
        self._paper = PaperExchange(
            None,
            lambda exchange, symbol: self.rules.get((exchange, symbol)),
            clock,
            self._told,
            lambda: terms,
            leverage=leverage,
            inline=True,
        )

    def now(self) -> datetime:
        return self._clock.now()

    def open_account(self, name: str, market: Market) -> None:
        self._paper.open_account(name, market)

    def close(self) -> None:
        self._paper.close()

    # -- prices

    def move(self, prices: Sequence[Price], portion: Portion | None = None) -> None:
        """Let markets move as the paper exchange does, but for writing down prices that nobody reads again."""
        turn = Turn(self._clock.now())
        for price in prices:
            self._paper._venue.match(price, portion, turn)
        if turn:
            finished(self._paper._commit(turn, (), prices))
            return
        for price in prices:
            self._listen(price)

    def price(self, key: Key) -> Price | None:
        return self._paper.price(key)

    def _with_fees(self, said: OrderReport) -> OrderReport:
        return replace(said, trades=tuple(map(self._trade, said.trades))) if self.fee_currency else said

    def _trade(self, trade: Trade) -> Trade:
        """Say a trade as an exchange does that takes its fees in a coin of its own."""
        if not self.fee_currency or trade.fee_currency not in ("USDT", "USDC"):
            return trade
        known = self._dressed.get(trade.trade_id)
        if known is None:
            coins = trade.fee / COIN_USD
            known = replace(trade, fee=coins, fee_currency=self.fee_currency, fee_value=None)
            self._dressed[trade.trade_id] = known
        return known

    def _told(self, said: Input) -> None:
        if isinstance(said, OrderReport):
            said = self._with_fees(said)
            self._note(said)
        self._listen(said)

    def _note(self, said: OrderReport) -> None:
        """Remember how an order stands now."""
        past = self.past.setdefault(said.client_order_id, [])
        if past and past[-1][1].status is said.status and len(past[-1][1].trades) == len(said.trades):
            return
        past.append((self._clock.now(), said))
        self._seen(said)
        self._note_position(said.account)

    def _note_position(self, account: str) -> None:
        held = dict(self.positions(account))
        known = self._positions[account]
        if not known or known[-1][1] != held:
            known.append((self._clock.now(), held))

    # -- requests as they arrive

    def place(self, order: Order) -> OrderReport:
        if self._is_full(order):
            text = f"There are {self.most_open} open orders in this market, more are not allowed."
            return refused(order, Refusal(INVALID, text), self._clock.now())
        said = self._with_fees(finished(self._paper.place([order]))[0])
        if said.verdict is Verdict.ACCEPTED:
            self.orders[order.client_order_id] = order
            self._note(said)
        return said

    def _is_full(self, order: Order) -> bool:
        if (
            self.most_open >= MOST_OPEN
            or order.type is not OrderType.LIMIT
            or order.client_order_id in self.past
        ):
            return False
        return sum(self._rests(other, order) for other in self.orders.values()) >= self.most_open

    def _rests(self, one: Order, other: Order) -> bool:
        same = (one.account, one.exchange, one.symbol) == (other.account, other.exchange, other.symbol)
        return same and not self.is_over(one.client_order_id)

    def is_over(self, client_order_id: str) -> bool:
        return self.past[client_order_id][-1][1].status in FINAL_ORDER

    def cancel(self, order: Order) -> OrderReport:
        said = self._with_fees(finished(self._paper.cancel([order]))[0])
        if said.verdict is Verdict.ACCEPTED:
            self._note(said)
        return said

    def fill_some(self, client_order_id: str, part: float) -> None:
        """Let a part of a resting order fill at its own price, in whole steps."""
        venue = self._paper._venue
        accounts = [account for account in venue.accounts.values() if client_order_id in account.orders]
        for account in accounts:
            resting = account.orders[client_order_id]
            quantity = round_down(resting.remaining * Decimal(f"{part:.2f}"), self.rules[resting.key].step)
            if resting.price is not None and 0 < quantity < resting.remaining:
                turn = Turn(self._clock.now())
                venue._fill(account, resting, resting.price, quantity, turn, maker=True)
                finished(self._paper._commit(turn))

    def look(self, order: Order, lag: timedelta) -> OrderReport:
        """Look an order up as the reading side knows it: as it stood some seconds ago."""
        now = self._clock.now()
        said = self._as_of(order.client_order_id, now - lag)
        if said is None or (said.status in FINAL_ORDER and not said.trades and self._is_forgotten(said, now)):
            return absent(order, now)
        return replace(said, at=now, about_cancel=False)

    def _as_of(self, client_order_id: str, when: datetime) -> OrderReport | None:
        past = self.past.get(client_order_id, [])
        at = bisect_right(past, when, key=lambda entry: entry[0])
        return past[at - 1][1] if at else None

    def _is_forgotten(self, said: OrderReport, now: datetime) -> bool:
        return now - self.past[said.client_order_id][-1][0] > self.retention

    def open_orders(self, account: str, lag: timedelta) -> OpenOrders | AccountUnreadable:
        if not lag:
            read = finished(self._paper.open_orders(account))
            if isinstance(read, AccountUnreadable) or not self.fee_currency:
                return read
            return replace(read, reports=tuple(map(self._with_fees, read.reports)))
        now = self._clock.now()
        then = now - lag
        found = [
            said
            for id, order in self.orders.items()
            if order.account == account and (said := self._as_of(id, then)) and said.status not in FINAL_ORDER
        ]
        known = self._positions[account]
        at = bisect_right(known, then, key=lambda entry: entry[0])
        return OpenOrders(
            account=account, reports=tuple(found), positions=dict(known[at - 1][1]) if at else {}, at=now
        )

    def fills(self, account: str, since: datetime, lag: timedelta) -> Fills | AccountUnreadable:
        read = finished(self._paper.fills(account, since))
        if isinstance(read, AccountUnreadable):
            return read
        then = self._clock.now() - lag
        shown = tuple(
            replace(
                trade,
                liquidation=trade.client_order_id.startswith("liquidation"),
                trade=self._trade(trade.trade),
            )
            for trade in read.trades
            if trade.trade.at <= then
        )
        return replace(read, trades=shown)

    def balances(self, account: str) -> Balances | AccountUnreadable:
        return finished(self._paper.balances(account))

    def positions(self, account: str) -> Mapping[Key, Decimal]:
        """Return what an account holds now [base], negative for short; swaps only."""
        # Read past the door: through it every resting order would be written out each time.
        held = self._paper._venue.accounts[account].positions
        return {key: position.quantity for key, position in held.items() if position.quantity}

    def wallet(self, account: str) -> Mapping[str, Decimal]:
        """Return all that an account has, by currency."""
        return self._paper._venue.accounts[account].wallet

    # -- what others do there

    def by_other(
        self,
        name: str,
        account: str,
        key: Key,
        action: Action,
        quantity: Decimal,
        price: Decimal | None = None,
        *,
        reduce_only: bool = False,
    ) -> OrderReport:
        """Have somebody else trade on an account: its owner by hand, another program, the exchange itself."""
        self._count += 1
        order = Order(
            id=0,
            client_order_id=f"{name}{self._count}",
            account=account,
            exchange=key[0],
            symbol=key[1],
            group_id=0,
            purpose=Purpose.EXIT if reduce_only else Purpose.ENTRY,
            position=Side.LONG,
            action=action,
            type=OrderType.LIMIT if price is not None else OrderType.MARKET,
            price=price,
            quantity=quantity,
            reduce_only=reduce_only,
            created_at=self._clock.now(),
        )
        return self.place(order)

    def resting(self, ours: Callable[[str], bool]) -> Sequence[str]:
        """Return the client order ids that rest now, oldest first."""
        return [id for id in self.orders if ours(id) and not self.is_over(id)]
