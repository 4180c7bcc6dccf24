"""The trading of the paper exchange, without time, waiting or messages: orders in, fills and refusals out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from decimal import Decimal

from execution_engine.adapters.exchanges.paper_account import PaperAccount, needs
from execution_engine.adapters.exchanges.paper_book import PaperBook, Portion, marketable
from execution_engine.adapters.exchanges.paper_checks import (
    DUPLICATE,
    INVALID,
    NO_ACCOUNT,
    NO_FUNDS,
    Asked,
    check,
)
from execution_engine.adapters.exchanges.paper_memory import PaperMemory
from execution_engine.adapters.exchanges.paper_rows import Key, Lookup, PaperOrder, PaperTerms, price_for
from execution_engine.adapters.exchanges.paper_turn import Turn
from execution_engine.domain.errors import Refusal
from execution_engine.domain.inputs import Price
from execution_engine.domain.instrument import Action, Market
from execution_engine.domain.money import ONE, text
from execution_engine.domain.rows import Order, OrderStatus

_FEES_IN_QUOTE = frozenset({"kucoin"})
"""Exchanges that take a spot buy's fee in the quote currency; the others take it in the base currency."""


class PaperVenue:
    """All accounts and all markets. Every change is noted in the turn that is passed in."""

    def __init__(
        self,
        memory: PaperMemory,
        instruments: Lookup,
        terms: Callable[[], PaperTerms],
        leverage: Callable[[str], Decimal],
    ) -> None:
        self._memory = memory
        self._instruments = instruments
        self._terms = terms
        self._leverage = leverage
        self._order_id, self._trade_id = memory.last_ids()
        self.accounts: dict[str, PaperAccount] = memory.accounts()
        self.prices: dict[Key, Price] = {}
        self._books: defaultdict[Key, PaperBook] = defaultdict(PaperBook)
        self._ending: dict[tuple[str, str], PaperOrder] = {}
        for order in memory.open_orders():
            self.accounts[order.account].open(order)
            self._books[order.key].add(order)

    def place(self, order: Order, turn: Turn) -> PaperOrder | Refusal:
        """Take an order, filling it at once where the market allows, or say why not."""
        account = self.accounts.get(order.account)
        if account is None:
            return Refusal(NO_ACCOUNT, f"There is no account {order.account}.")
        if self.find(order.account, order.client_order_id):
            return Refusal(DUPLICATE, f"The client order id {order.client_order_id} was used before.")
        rules = self._instruments(order.exchange, order.symbol)
        if rules is None or rules.market is not account.market:
            return Refusal(INVALID, f"{order.exchange} has no {account.market} market {order.symbol}.")
        price = self.prices.get(rules.key)
        if price is None:
            return Refusal(INVALID, "no market price")
        closable = account.closable(rules.key, order.action)
        resting = self._books[rules.key].count(account.name)
        asked = Asked(order=order, rules=rules, price=price, resting=resting, closable=closable)
        return check(asked) or self._afford(asked, account, turn)

    def _afford(self, asked: Asked, account: PaperAccount, turn: Turn) -> PaperOrder | Refusal:
        order = self._accepted(asked, account, turn)
        at_once = marketable(order, asked.price)
        price = price_for(order.action, asked.price) if at_once else asked.expected
        currency, needed = needs(order, price, order.quantity)
        free = account.available(currency)
        if needed > free:
            return Refusal(NO_FUNDS, f"The order needs {text(needed)} {currency}, {text(free)} is free.")
        self._order_id = order.id
        account.open(order)
        turn.touch(account, order)
        if at_once:
            self._fill(account, order, price, order.quantity, turn, maker=False)
        else:
            self._books[order.key].add(order)
        return order

    def _accepted(self, asked: Asked, account: PaperAccount, turn: Turn) -> PaperOrder:
        order, rules, terms = asked.order, asked.rules, self._terms()
        spot_buy = rules.market is Market.SPOT and order.action is Action.BUY
        return PaperOrder(
            id=self._order_id + 1,
            account=account.name,
            client_order_id=order.client_order_id,
            exchange=rules.exchange,
            symbol=rules.symbol,
            market=rules.market,
            base=rules.base,
            quote=rules.quote,
            action=order.action,
            type=order.type,
            price=order.price if asked.is_limit else None,
            quantity=min(order.quantity, asked.closable) if order.reduce_only else order.quantity,
            reduce_only=order.reduce_only,
            leverage=self._leverage(account.name) if rules.market is Market.SWAP else ONE,
            maker_fee_percent=terms.maker_fee_percent,
            taker_fee_percent=terms.taker_fee_percent,
            fee_in_base=spot_buy and rules.exchange not in _FEES_IN_QUOTE,
            created_at=turn.at,
        )

    def cancel(self, account: str, client_order_id: str, turn: Turn) -> PaperOrder | None:
        """End an order if it is still open; what it filled stays."""
        order = self.find(account, client_order_id)
        if order and order.is_open:
            self._end(self.accounts[account], order, OrderStatus.CANCELLED, turn)
        return order

    def match(self, price: Price, portion: Portion | None, turn: Turn) -> None:
        """Let the market move, and fill what it reaches: whole, unless a portion is said to fill now."""
        self.prices[price.key] = price
        for order in self._books[price.key].touched(price):
            quantity = min(order.remaining, portion(order, price)) if portion else order.remaining
            if quantity and order.price is not None:
                account = self.accounts[order.account]
                self._fill(account, order, order.price, quantity, turn, maker=True)

    def find(self, account: str, client_order_id: str) -> PaperOrder | None:
        """Look an order up among all that were ever accepted. Raises StoreFailed."""
        known = self.accounts.get(account)
        if known and (order := known.orders.get(client_order_id)):
            return order
        return self._ending.get((account, client_order_id)) or self._memory.order(account, client_order_id)

    def committed(self, turn: Turn) -> None:
        """Forget the orders that a durable turn ended; they are found in the file from now on."""
        for order in turn.orders.values():
            if not order.is_open:
                self._ending.pop((order.account, order.client_order_id), None)

    def _fill(
        self,
        account: PaperAccount,
        order: PaperOrder,
        price: Decimal,
        quantity: Decimal,
        turn: Turn,
        *,
        maker: bool,
    ) -> None:
        self._trade_id += 1
        trade = account.fill(order, str(self._trade_id), price, quantity, turn.at, maker=maker)
        turn.traded(order, trade)
        if order.filled_quantity == order.quantity:
            self._end(account, order, OrderStatus.FILLED, turn)
        else:
            order.status = OrderStatus.PARTIALLY_FILLED
            account.settle(order)
            turn.touch(account, order)
        if account.market is Market.SWAP:
            self._trim(account, order.key, turn)

    def _trim(self, account: PaperAccount, key: Key, turn: Turn) -> None:
        """Keep reduce-only orders within the position; without one they end."""
        for order in self._books[key]:
            if order.account != account.name or not order.reduce_only:
                continue
            closable = account.closable(key, order.action)
            if not closable:
                self._end(account, order, OrderStatus.CANCELLED, turn)
            elif order.remaining > closable:
                order.quantity = order.filled_quantity + closable
                turn.touch(account, order)

    def _end(self, account: PaperAccount, order: PaperOrder, status: OrderStatus, turn: Turn) -> None:
        order.finish(status, turn.at)
        account.settle(order)
        self._books[order.key].remove(order)
        self._ending[order.account, order.client_order_id] = order
        turn.touch(account, order)
