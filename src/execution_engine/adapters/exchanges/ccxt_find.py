"""Find one order by its client id: among open orders, recent closed ones and trades.

A search that found nothing says so only if every place was asked and answered; an error proves nothing.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from execution_engine.adapters.exchanges.catalogue import Meaning
from execution_engine.adapters.exchanges.ccxt_client import Client, Heard, listening
from execution_engine.adapters.exchanges.ccxt_lists import Unreadable, raw_open_orders, rows, trades
from execution_engine.adapters.exchanges.translate import decimal, trade
from execution_engine.domain.inputs import Trade
from execution_engine.domain.instrument import Instrument
from execution_engine.domain.rows import Order

Json = Any
_BEFORE = timedelta(minutes=1)  # an exchange's clock may run a little behind


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What an exchange knows of an order. said: as ccxt parses it, or None if it is nowhere; trades: its fills."""

    said: Json | None
    trades: tuple[Trade, ...] = ()


async def find(client: Client, order: Order, rules: Instrument, symbol: str, now: datetime) -> Found:
    """Look for an order everywhere. Raises whatever a place that could not be asked raises."""
    said = await _ASK[client.venue.name](client, order, symbol)
    if said is None:
        said = await _among_open(client, order, symbol)
    id = str(said["id"]) if said else order.exchange_order_id or ""
    if said is not None and not decimal(said.get("filled")):
        return Found(said=said)
    return Found(said=said, trades=await _fills(client, order, rules, symbol, id, now))


async def _by_client_id(client: Client, order: Order, symbol: str) -> Json | None:
    """Ask for one order by its client id."""
    return await _one(client, order, "fetch_order", None, symbol, {"clientOrderId": order.client_order_id})


async def _bybit(client: Client, order: Order, symbol: str) -> Json | None:
    """Ask among open and the last closed orders, then in the history; ccxt's `fetch_order` sees neither well."""
    named = {"orderLinkId": order.client_order_id}
    for name in ("fetch_open_orders", "fetch_canceled_and_closed_orders"):
        with listening() as heard:
            said = await client.call(name, symbol, None, None, named)
        answer = heard.last("GET")
        rows(client, answer.document if answer else None, "result", "list")
        for item in said:
            if item.get("clientOrderId") == order.client_order_id:
                return item
    return None


_ASK: dict[str, Callable[[Client, Order, str], Awaitable[Json | None]]] = {
    "binance": _by_client_id,
    "bybit": _bybit,
    "okx": _by_client_id,
    "kucoin": _by_client_id,
}


async def _one(client: Client, order: Order, name: str, *args: Any) -> Json | None:
    with listening() as heard:
        try:
            said = await client.call(name, *args)
        except Exception:
            if _says_gone(client, heard):
                return None
            raise
    if not _is_answer(client, heard):
        raise Unreadable(f"{client.venue.title} sent something that is no order.")
    if said.get("id") is None or said.get("clientOrderId") != order.client_order_id:
        return None
    return said


def _is_answer(client: Client, heard: Heard) -> bool:
    """Return whether an answer came that says something: about an order, or that there is none."""
    answer = heard.last("GET")
    if answer is None or not isinstance(answer.document, dict) or not answer.document:
        return False
    return not any(entry.code for entry in client.venue.entries(answer.document))


def _says_gone(client: Client, heard: Heard) -> bool:
    answer = heard.last("GET")
    if answer is None or answer.status >= 500:
        return False
    entries = client.venue.entries(answer.document)
    return any(client.venue.meaning(entry.code, entry.text) is Meaning.GONE for entry in entries)


async def _among_open(client: Client, order: Order, symbol: str) -> Json | None:
    """Look through what rests: another way to the same books, and not behind in the same way."""
    parsed = client.parsed("parse_order", await raw_open_orders(client, symbol))
    return next((one for one in parsed if one.get("clientOrderId") == order.client_order_id), None)


async def _fills(
    client: Client, order: Order, rules: Instrument, symbol: str, id: str, now: datetime
) -> tuple[Trade, ...]:
    """Read the order's trades: by its exchange id, or by its client id where trades carry that."""
    if not id and client.venue.name not in _TRADES_CARRY_CLIENT_IDS:
        return ()
    found: dict[str, Trade] = {}
    since = order.created_at - _BEFORE
    async for page in trades(client, since, now, symbols=[symbol], order_id=id):
        for item in page:
            if item.get("order") == id or _client_id(item) == order.client_order_id:
                taken = trade(item, rules, now)
                found[taken.trade_id] = taken
    return tuple(found.values())


_TRADES_CARRY_CLIENT_IDS = frozenset({"bybit", "okx"})


def _client_id(item: Json) -> str:
    info = item.get("info") or {}
    return str(info.get("orderLinkId") or info.get("clOrdId") or "")
