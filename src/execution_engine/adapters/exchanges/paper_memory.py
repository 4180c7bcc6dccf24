"""What the paper exchange remembers from its file: read at the start, and order by order later."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal

from execution_engine.adapters.exchanges.paper_account import PaperAccount
from execution_engine.adapters.exchanges.paper_rows import Key, PaperOrder, Source, Walk
from execution_engine.adapters.exchanges.paper_store import PaperStore
from execution_engine.adapters.exchanges.paper_tables import (
    LAST_IDS,
    OPEN_ORDERS,
    ORDER_BY_CLIENT_ID,
    TRADES,
    TRADES_SINCE,
    account_trade_from,
    order_from,
    position_from,
    price_from,
    trade_from,
)
from execution_engine.domain.inputs import AccountTrade, Price, Trade
from execution_engine.domain.instrument import Market

TRADES_A_PAGE = 200  # a millisecond to read


class PaperMemory:
    """Reads the store. Every method is blocking and raises StoreFailed."""

    def __init__(self, store: PaperStore) -> None:
        self._store = store

    def last_ids(self) -> tuple[int, int]:
        """Return the highest order id and trade id that were ever given."""
        ((orders, trades),) = self._store.read(LAST_IDS)
        return int(orders), int(trades)

    def accounts(self) -> dict[str, PaperAccount]:
        accounts = {
            name: PaperAccount(name, Market(market))
            for name, market in self._store.read("SELECT name, market FROM account ORDER BY name")
        }
        for name, currency, amount in self._store.read("SELECT * FROM balance"):
            accounts[name].wallet[currency] = Decimal(amount)
        for cells in self._store.read("SELECT * FROM position"):
            position = position_from(cells)
            accounts[position.account].take_in((position,))
        return accounts

    def open_orders(self) -> list[PaperOrder]:
        return [self._order(cells) for cells in self._store.read(OPEN_ORDERS)]

    def order(self, account: str, client_order_id: str) -> PaperOrder | None:
        for cells in self._store.read(ORDER_BY_CLIENT_ID, account, client_order_id):
            return self._order(cells)
        return None

    def trades_since(self, account: str, since: datetime) -> Iterator[Sequence[AccountTrade]]:
        """Yield an account's trades from a time on, oldest first, a page at a time: there may be years of them."""
        at, last = since.isoformat(), 0
        while found := self._store.read(TRADES_SINCE, account, at, last, TRADES_A_PAGE):
            page = [account_trade_from(cells) for cells in found]
            yield page
            at, last = page[-1].trade.at.isoformat(), int(page[-1].trade.trade_id)

    def prices(self, source: Source) -> dict[Key, Price]:
        """Return the last prices of one source."""
        found = self._store.read("SELECT * FROM price WHERE source = ?", source.value)
        return {price.key: price for price in map(price_from, found)}

    def last_source(self) -> Source | None:
        """Return the source that the newest price is of."""
        found = self._store.read("SELECT source FROM price ORDER BY at DESC LIMIT 1")
        return next((Source(source) for (source,) in found), None)

    def walks(self) -> dict[str, Walk]:
        """Return how far each made-up price has gone, by symbol."""
        return {
            symbol: Walk(symbol=symbol, tick=int(tick), level=int(level))
            for symbol, tick, level in self._store.read("SELECT symbol, tick, level FROM walk")
        }

    def _order(self, cells: tuple[str, ...]) -> PaperOrder:
        return order_from(cells, self._trades(int(cells[0])))

    def _trades(self, order_id: int) -> tuple[Trade, ...]:
        return tuple(trade_from(cells) for cells in self._store.read(TRADES, order_id))
