"""Lists of an account, read page by page: what rests, what is held, what was traded, what there is.

The exchange's own calls are used and ccxt parses what they bring, so that a page that is missing, cut off or
no list at all is an error and never an empty list.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from execution_engine.adapters.exchanges.ccxt_client import Client, listening
from execution_engine.adapters.exchanges.translate import decimal
from execution_engine.domain.errors import EngineError
from execution_engine.domain.instrument import Market
from execution_engine.domain.money import ZERO

Json = Any
MOST_PAGES = 1_000  # a cursor that never ends is a defect of somebody's, not a reason to read for ever
_OVERLAP = timedelta(seconds=1)


class Unreadable(EngineError):
    """An answer came that is not what was asked for; the text is a sentence."""


async def ask(client: Client, name: str, *args: Any) -> Json:
    """Call something that only reads and return what the exchange sent. Raises what ccxt raises; Unreadable."""
    await client.pace()
    with listening() as heard:
        said = await client.call(name, *args)
    for answer in heard.answers:
        if not isinstance(answer.document, dict | list):
            raise Unreadable(f"{client.venue.title} sent something that is no answer (HTTP {answer.status}).")
    if not isinstance(said, dict | list):
        raise Unreadable(f"{client.venue.title} sent something that is no answer.")
    return said


def inside(client: Client, document: Json, *path: str) -> Json:
    """Go into an answer. Raises Unreadable where it lacks what every good one has."""
    for name in path:
        if not isinstance(document, dict) or document.get(name) is None:
            raise Unreadable(f"{client.venue.title} sent an answer without {name!r}.")
        document = document[name]
    return document


def rows(client: Client, document: Json, *path: str) -> list[dict[str, Any]]:
    """Return the list inside an answer. Raises Unreadable."""
    found = inside(client, document, *path)
    if not isinstance(found, list):
        raise Unreadable(f"{client.venue.title} sent an answer without a list.")
    return found


def _ms(client: Client, time: datetime) -> int:
    """Return a time as the exchange's own clock has it [ms]: this computer's may be wrong by hours."""
    return int(time.timestamp() * 1000) - client.offset_ms


# What rests


async def _binance_open(client: Client, symbol: str | None) -> list[Json]:
    name = "privateGetOpenOrders" if client.market is Market.SPOT else "fapiPrivateGetOpenOrders"
    params = {"symbol": client.exchange.market_id(symbol)} if symbol else {}
    said = await ask(client, name, params)
    if not isinstance(said, list):
        raise Unreadable("Binance sent an answer without a list.")
    return said


async def _bybit_open(client: Client, symbol: str | None) -> list[Json]:
    params = {"limit": 50, "openOnly": 0, **_bybit_category(client)}
    if symbol:
        params["symbol"] = client.exchange.market_id(symbol)
    elif client.market is Market.SWAP:
        params["settleCoin"] = "USDT"
    return await _bybit_pages(client, "privateGetV5OrderRealtime", params)


def _bybit_category(client: Client) -> dict[str, Any]:
    return {"category": "spot" if client.market is Market.SPOT else "linear"}


async def _bybit_pages(client: Client, name: str, params: Mapping[str, Any]) -> list[Json]:
    found: list[Json] = []
    cursor = ""
    for _ in range(MOST_PAGES):
        said = await ask(client, name, {**params, **({"cursor": cursor} if cursor else {})})
        page = rows(client, said, "result", "list")
        found += page
        cursor = said["result"].get("nextPageCursor") or ""
        if not cursor or not page:
            return found
    raise Unreadable("Bybit's list has no end.")


async def _okx_open(client: Client, symbol: str | None) -> list[Json]:
    params = {"instType": _okx_kind(client), "limit": "100"}
    if symbol:
        params["instId"] = client.exchange.market_id(symbol)
    return await _okx_pages(client, "privateGetTradeOrdersPending", params, "ordId")


def _okx_kind(client: Client) -> str:
    return "SPOT" if client.market is Market.SPOT else "SWAP"


async def _okx_pages(client: Client, name: str, params: Mapping[str, Any], cursor: str) -> list[Json]:
    found: list[Json] = []
    more: dict[str, Any] = {}
    for _ in range(MOST_PAGES):
        page = rows(client, await ask(client, name, {**params, **more}), "data")
        found += page
        if len(page) < 100:
            return found
        more = {"after": min((str(item[cursor]) for item in page), key=int)}
    raise Unreadable("OKX's list has no end.")


async def _kucoin_open(client: Client, symbol: str | None) -> list[Json]:
    if client.market is Market.SWAP:
        params = {"status": "active", **_kucoin_symbol(client, symbol)}
        return await _kucoin_pages(client, "futuresPrivateGetOrders", params)
    if symbol:
        ids = [client.exchange.market_id(symbol)]
    else:  # the list itself has to be asked for market by market
        said = await ask(client, "privateGetHfOrdersActiveSymbols")
        ids = inside(client, said, "data").get("symbols") or []
    found: list[Json] = []
    for id in ids:
        said = await ask(client, "privateGetHfOrdersActive", {"symbol": id})
        found += rows(client, said, "data")
    return found


def _kucoin_symbol(client: Client, symbol: str | None) -> dict[str, Any]:
    return {"symbol": client.exchange.market_id(symbol)} if symbol else {}


async def _kucoin_pages(client: Client, name: str, params: Mapping[str, Any]) -> list[Json]:
    found: list[Json] = []
    for page in range(1, MOST_PAGES):
        said = await ask(client, name, {**params, "currentPage": page, "pageSize": 100})
        items = rows(client, said, "data", "items")
        found += items
        if page >= int(said["data"].get("totalPage") or 0) or not items:
            return found
    raise Unreadable("KuCoin's list has no end.")


Listing = Callable[[Client, str | None], Awaitable[list[Json]]]

_OPEN: dict[str, Listing] = {
    "binance": _binance_open,
    "bybit": _bybit_open,
    "okx": _okx_open,
    "kucoin": _kucoin_open,
}


async def raw_open_orders(client: Client, symbol: str | None = None) -> list[Json]:
    """Return what rests, in the exchange's own words; of one market or of all."""
    return await _OPEN[client.venue.name](client, symbol)


# What was traded


async def trades(
    client: Client,
    since: datetime,
    until: datetime,
    *,
    symbols: Collection[str] = (),
    order_id: str = "",
) -> AsyncIterator[list[Json]]:
    """Yield the account's trades as ccxt parses them, page by page; of one order where its id is given.

    symbols: whose trades are asked for, where the exchange wants to be asked market by market.
    """
    pages = client.venue.trades[client.market]
    read = _TRADES[client.venue.name]
    asked: list[str | None] = [*symbols] if pages.by_symbol or order_id else [None]
    for symbol in asked:
        start = since - _OVERLAP
        while start < until:
            end = min(start + timedelta(days=pages.days), until + _OVERLAP)
            async for page in read(client, symbol, _ms(client, start), _ms(client, end), order_id):
                yield client.parsed("parse_trade", page)
            start = end
            if order_id and client.venue.name in _BY_ORDER_WITHOUT_TIMES:
                break


_BY_ORDER_WITHOUT_TIMES = frozenset({"binance", "okx", "kucoin"})


async def _binance_trades(
    client: Client, symbol: str | None, start: int, end: int, order_id: str
) -> AsyncIterator[list[Json]]:
    name = "privateGetMyTrades" if client.market is Market.SPOT else "fapiPrivateGetUserTrades"
    market = {"symbol": client.exchange.market_id(symbol), "limit": 1000}
    if order_id:
        yield rows(client, {"trades": await ask(client, name, {**market, "orderId": order_id})}, "trades")
        return
    asked: dict[str, Any] = {"startTime": start, "endTime": end}
    for _ in range(MOST_PAGES):
        page = rows(client, {"trades": await ask(client, name, {**market, **asked})}, "trades")
        # By id there is no end time; what is later belongs to the next question.
        yield [item for item in page if int(item["time"]) <= end]
        if len(page) < 1000 or int(page[-1]["time"]) > end:
            return
        asked = {"fromId": int(page[-1]["id"]) + 1}
    raise Unreadable("Binance's list has no end.")


_BYBIT_TRADES = frozenset({"Trade", "AdlTrade", "BustTrade", "Settle"})


async def _bybit_trades(
    client: Client, symbol: str | None, start: int, end: int, order_id: str
) -> AsyncIterator[list[Json]]:
    params: dict[str, Any] = {"limit": 100, "startTime": start, "endTime": end, **_bybit_category(client)}
    if symbol:
        params["symbol"] = client.exchange.market_id(symbol)
    if order_id:
        params["orderId"] = order_id
    found = await _bybit_pages(client, "privateGetV5ExecutionList", params)
    # Funding is in the same list and is no trade.
    yield [item for item in found if item.get("execType", "Trade") in _BYBIT_TRADES]


async def _okx_trades(
    client: Client, symbol: str | None, start: int, end: int, order_id: str
) -> AsyncIterator[list[Json]]:
    params: dict[str, Any] = {"instType": _okx_kind(client), "limit": "100"}
    if order_id:
        params |= {"instId": client.exchange.market_id(symbol), "ordId": order_id}
    else:
        params |= {"begin": str(start), "end": str(end)}
    yield await _okx_pages(client, "privateGetTradeFillsHistory", params, "billId")


async def _kucoin_trades(
    client: Client, symbol: str | None, start: int, end: int, order_id: str
) -> AsyncIterator[list[Json]]:
    times = {"orderId": order_id} if order_id else {"startAt": start, "endAt": end}
    if client.market is Market.SWAP:
        yield await _kucoin_pages(client, "futuresPrivateGetFills", times)
        return
    params: dict[str, Any] = {"limit": 100, **times, **_kucoin_symbol(client, symbol)}
    for _ in range(MOST_PAGES):
        said = await ask(client, "privateGetHfFills", params)
        page = rows(client, said, "data", "items")
        yield page
        last = said["data"].get("lastId")
        if len(page) < 100 or not last:
            return
        params["lastId"] = last
    raise Unreadable("KuCoin's list has no end.")


_TRADES: dict[str, Callable[[Client, str | None, int, int, str], AsyncIterator[list[Json]]]] = {
    "binance": _binance_trades,
    "bybit": _bybit_trades,
    "okx": _okx_trades,
    "kucoin": _kucoin_trades,
}


async def forced_orders(client: Client, since: datetime) -> frozenset[str]:
    """Return the orders by which the exchange closed positions itself, where trades do not say so: on Binance."""
    if client.venue.name != "binance" or client.market is not Market.SWAP:
        return frozenset()
    asked = {"startTime": _ms(client, since - _OVERLAP), "limit": 100}
    said = await ask(client, "fapiPrivateGetForceOrders", asked)
    return frozenset(str(item["orderId"]) for item in rows(client, {"orders": said}, "orders"))


# What is held


async def _binance_positions(client: Client, symbol: str | None) -> list[Json]:
    params = {"symbol": client.exchange.market_id(symbol)} if symbol else {}
    said = await ask(client, "fapiPrivateV3GetPositionRisk", params)
    return [
        {"id": item["symbol"], "size": decimal(item["positionAmt"])}
        for item in rows(client, {"positions": said}, "positions")
    ]


async def _bybit_positions(client: Client, symbol: str | None) -> list[Json]:
    asked = {"symbol": client.exchange.market_id(symbol)} if symbol else {"settleCoin": "USDT"}
    params = {"category": "linear", "limit": 200, **asked}
    found = await _bybit_pages(client, "privateGetV5PositionList", params)
    return [
        {"id": item["symbol"], "size": _signed(item["size"], item.get("side") == "Sell"), "raw": item}
        for item in found
    ]


async def _okx_positions(client: Client, symbol: str | None) -> list[Json]:
    params = {"instType": "SWAP"}
    if symbol:
        params["instId"] = client.exchange.market_id(symbol)
    found = rows(client, await ask(client, "privateGetAccountPositions", params), "data")
    return [
        {"id": item["instId"], "size": _signed(item["pos"], item.get("posSide") == "short")} for item in found
    ]


async def _kucoin_positions(client: Client, symbol: str | None) -> list[Json]:
    found = rows(client, await ask(client, "futuresPrivateGetPositions"), "data")
    wanted = client.exchange.market_id(symbol) if symbol else None
    return [
        {"id": item["symbol"], "size": decimal(item["currentQty"])}
        for item in found
        if wanted in (None, item["symbol"])
    ]


def _signed(size: object, short: bool) -> Decimal:
    """Return a size with its direction: OKX in net mode writes the sign itself."""
    return -abs(decimal(size)) if short else decimal(size)


_POSITIONS: dict[str, Listing] = {
    "binance": _binance_positions,
    "bybit": _bybit_positions,
    "okx": _okx_positions,
    "kucoin": _kucoin_positions,
}


async def positions(client: Client, symbol: str | None = None) -> dict[str, Decimal]:
    """Return what is held by the exchange's name of the market, as it counts, negative for short."""
    held: dict[str, Decimal] = {}
    for item in await _POSITIONS[client.venue.name](client, symbol):
        held[item["id"]] = held.get(item["id"], ZERO) + item["size"]
    return {id: size for id, size in held.items() if size}


# What there is


async def balances(client: Client) -> tuple[dict[str, Decimal], dict[str, Decimal]]:
    """Return what is free and what there is in all, by currency."""
    with listening() as heard:
        said = await client.call("fetch_balance", _BALANCE_PARAMS.get(client.market, {}))
    answer = heard.last("GET")
    if answer is None or not isinstance(answer.document, dict | list):
        raise Unreadable(f"{client.venue.title} sent something that is no balance.")
    _BALANCES[client.venue.name](client, answer.document)
    free, total = {}, {}
    for currency, whole in said["total"].items():
        total[currency] = decimal(whole)
        free[currency] = decimal((said.get("free") or {}).get(currency))
    return free, total


_BALANCE_PARAMS: dict[Market, dict[str, Any]] = {Market.SPOT: {"type": "spot"}, Market.SWAP: {"type": "swap"}}


def _check_binance(client: Client, said: Json) -> None:
    if client.market is Market.SPOT:
        rows(client, said, "balances")
    elif not isinstance(said, list):
        rows(client, said, "assets")


def _check_bybit(client: Client, said: Json) -> None:
    if not rows(client, said, "result", "list"):
        raise Unreadable("Bybit sent a balance without an account.")


def _check_okx(client: Client, said: Json) -> None:
    if not rows(client, said, "data"):
        raise Unreadable("OKX sent a balance without an account.")


def _check_kucoin(client: Client, said: Json) -> None:
    inside(client, said, "data")


_BALANCES: dict[str, Callable[[Client, Json], None]] = {
    "binance": _check_binance,
    "bybit": _check_bybit,
    "okx": _check_okx,
    "kucoin": _check_kucoin,
}
