"""The tables of the paper exchange's file, and its rows as they stand in them."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import lru_cache

from execution_engine.adapters.exchanges.paper_rows import PaperOrder, PaperPosition, Source, Walk
from execution_engine.domain.inputs import AccountTrade, Price, Trade
from execution_engine.domain.instrument import Action, Market
from execution_engine.domain.money import text
from execution_engine.domain.rows import OrderStatus, OrderType

VERSION = 1

COLUMNS = {
    "account": ("name", "market"),
    "balance": ("account", "currency", "amount"),
    "position": ("account", "exchange", "symbol", "quantity", "cost", "margin"),
    "paper_order": (
        "id", "account", "client_order_id", "exchange", "symbol", "market", "base", "quote", "action", "type",
        "price", "quantity", "reduce_only", "leverage", "maker_fee_percent", "taker_fee_percent",
        "fee_in_base", "status", "filled_quantity", "created_at", "finished_at",
    ),
    "trade": (
        "id", "order_id", "price", "quantity", "fee", "fee_currency", "fee_value", "maker", "at",
    ),
    "price": ("source", "exchange", "symbol", "last", "bid", "ask", "at"),
    "walk": ("symbol", "tick", "level"),
}  # fmt: skip

KEYS = {"account": 1, "balance": 2, "position": 3, "paper_order": 1, "trade": 1, "price": 3, "walk": 1}
"""How many of a table's first columns identify a row."""

_INTEGERS = {"id", "order_id", "reduce_only", "fee_in_base", "maker", "tick", "level"}
_EMPTY = {"price", "finished_at"}


def _create(table: str) -> str:
    columns = [
        f"{name} {'INTEGER' if name in _INTEGERS else 'TEXT'}{'' if name in _EMPTY else ' NOT NULL'}"
        for name in COLUMNS[table]
    ]
    key = ", ".join(COLUMNS[table][: KEYS[table]])
    return f"CREATE TABLE IF NOT EXISTS {table} ({', '.join(columns)}, PRIMARY KEY ({key})) STRICT;"


SCHEMA = " ".join(
    (
        *(_create(table) for table in COLUMNS),
        "CREATE UNIQUE INDEX IF NOT EXISTS paper_order_client ON paper_order (account, client_order_id);",
        "CREATE INDEX IF NOT EXISTS paper_order_open ON paper_order (id)"
        " WHERE status IN ('open', 'partially_filled');",
        "CREATE INDEX IF NOT EXISTS trade_order ON trade (order_id);",
        "CREATE INDEX IF NOT EXISTS trade_at ON trade (at);",
    )
)


def _upsert(table: str) -> str:
    # One statement per table for all its rows: each statement hands the interpreter lock over, which is dear
    # while the loop computes.
    columns, key = COLUMNS[table], COLUMNS[table][: KEYS[table]]
    values = ", ".join(f"json_extract(value, '$[{index}]')" for index in range(len(columns)))
    changes = ", ".join(f"{column} = excluded.{column}" for column in columns if column not in key)
    return (
        f"INSERT INTO {table} ({', '.join(columns)}) SELECT {values} FROM json_each(?) WHERE true"
        f" ON CONFLICT ({', '.join(key)}) DO UPDATE SET {changes}"
    )


UPSERTS = {table: _upsert(table) for table in COLUMNS}

ORDERS = f"SELECT {', '.join(COLUMNS['paper_order'])} FROM paper_order"
OPEN_ORDERS = f"{ORDERS} WHERE status IN ('open', 'partially_filled') ORDER BY id"
ORDER_BY_CLIENT_ID = f"{ORDERS} WHERE account = ? AND client_order_id = ?"
TRADES = f"SELECT {', '.join(COLUMNS['trade'])} FROM trade WHERE order_id = ? ORDER BY id"
TRADES_SINCE = (
    f"SELECT {', '.join('t.' + name for name in COLUMNS['trade'])}, o.exchange, o.symbol, o.action, o.client_order_id"
    # CROSS: by time, from where the page begins. SQLite would go through all orders of the account for every page.
    " FROM trade t CROSS JOIN paper_order o ON o.id = t.order_id WHERE o.account = ?"
    " AND (t.at, t.id) > (?, ?) ORDER BY t.at, t.id LIMIT ?"
)
LAST_IDS = "SELECT coalesce((SELECT max(id) FROM paper_order), 0), coalesce((SELECT max(id) FROM trade), 0)"


@dataclass(frozen=True, slots=True)
class Cells:
    """One row, as it is written."""

    table: str
    cells: tuple[str | int | None, ...]


def account_cells(name: str, market: Market) -> Cells:
    return Cells("account", (name, market.value))


def balance_cells(account: str, currency: str, amount: Decimal) -> Cells:
    return Cells("balance", (account, currency, text(amount)))


def position_cells(position: PaperPosition) -> Cells:
    return Cells(
        "position",
        (
            position.account, position.exchange, position.symbol, text(position.quantity),
            text(position.cost), text(position.margin),
        ),
    )  # fmt: skip


def order_cells(order: PaperOrder) -> Cells:
    return Cells(
        "paper_order",
        (
            order.id, order.account, order.client_order_id, order.exchange, order.symbol, order.market.value,
            order.base, order.quote, order.action.value, order.type.value,
            None if order.price is None else text(order.price), text(order.quantity), int(order.reduce_only),
            text(order.leverage), text(order.maker_fee_percent), text(order.taker_fee_percent),
            int(order.fee_in_base), order.status.value, text(order.filled_quantity),
            order.created_at.isoformat(), order.finished_at.isoformat() if order.finished_at else None,
        ),
    )  # fmt: skip


def trade_cells(order: PaperOrder, trade: Trade) -> Cells:
    return Cells(
        "trade",
        (
            int(trade.trade_id), order.id, text(trade.price), text(trade.quantity), text(trade.fee),
            trade.fee_currency, text(trade.fee_value or Decimal(0)), int(trade.maker), trade.at.isoformat(),
        ),
    )  # fmt: skip


def price_cells(source: Source, price: Price) -> Cells:
    return Cells(
        "price",
        (
            source.value, price.exchange, price.symbol, text(price.last), text(price.bid), text(price.ask),
            price.at.isoformat(),
        ),
    )  # fmt: skip


def walk_cells(walk: Walk) -> Cells:
    return Cells("walk", (walk.symbol, walk.tick, walk.level))


_number = lru_cache(maxsize=1_024)(
    Decimal
)  # thousands of orders rest, with the same few numbers in most columns


def order_from(cells: tuple[str, ...], trades: tuple[Trade, ...]) -> PaperOrder:
    row = dict(zip(COLUMNS["paper_order"], cells, strict=True))
    return PaperOrder(
        id=int(row["id"]),
        account=sys.intern(row["account"]),
        client_order_id=row["client_order_id"],
        exchange=sys.intern(row["exchange"]),
        symbol=sys.intern(row["symbol"]),
        market=Market(row["market"]),
        base=sys.intern(row["base"]),
        quote=sys.intern(row["quote"]),
        action=Action(row["action"]),
        type=OrderType(row["type"]),
        price=_number(row["price"]) if row["price"] else None,
        quantity=_number(row["quantity"]),
        reduce_only=bool(row["reduce_only"]),
        leverage=_number(row["leverage"]),
        maker_fee_percent=_number(row["maker_fee_percent"]),
        taker_fee_percent=_number(row["taker_fee_percent"]),
        fee_in_base=bool(row["fee_in_base"]),
        status=OrderStatus(row["status"]),
        filled_quantity=_number(row["filled_quantity"]),
        created_at=datetime.fromisoformat(row["created_at"]),
        finished_at=datetime.fromisoformat(row["finished_at"]) if row["finished_at"] else None,
        trades=trades,
    )


def trade_from(cells: tuple[str, ...]) -> Trade:
    row = dict(zip(COLUMNS["trade"], cells, strict=True))
    return Trade(
        trade_id=str(row["id"]),
        price=_number(row["price"]),
        quantity=_number(row["quantity"]),
        fee=_number(row["fee"]),
        fee_currency=sys.intern(row["fee_currency"]),
        fee_value=_number(row["fee_value"]),
        maker=bool(row["maker"]),
        at=datetime.fromisoformat(row["at"]),
    )


def account_trade_from(cells: tuple[str, ...]) -> AccountTrade:
    own, (exchange, symbol, action, client_order_id) = cells[:-4], cells[-4:]
    return AccountTrade(
        exchange=sys.intern(exchange),
        symbol=sys.intern(symbol),
        action=Action(action),
        exchange_order_id=str(cells[1]),
        client_order_id=client_order_id,
        trade=trade_from(own),
    )


def position_from(cells: tuple[str, ...]) -> PaperPosition:
    account, exchange, symbol, *amounts = cells
    quantity, cost, margin = (Decimal(amount) for amount in amounts)
    return PaperPosition(
        account=account, exchange=exchange, symbol=symbol, quantity=quantity, cost=cost, margin=margin
    )


def price_from(cells: tuple[str, ...]) -> Price:
    source, exchange, symbol, last, bid, ask, at = cells
    return Price(
        exchange=exchange,
        symbol=symbol,
        last=Decimal(last),
        bid=Decimal(bid),
        ask=Decimal(ask),
        at=datetime.fromisoformat(at),
        manual=source == Source.MANUAL,
    )
