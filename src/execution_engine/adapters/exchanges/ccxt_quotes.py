"""Quotes of several markets of one exchange in one call.

The exchanges answer with all their markets, or with those that are named; ccxt would parse every one of them, which
would hold the window. Only those that were asked for are parsed.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from execution_engine.adapters.exchanges.ccxt_client import Client, native_id
from execution_engine.domain.instrument import Market

Json = dict[str, Any]

MOST_NAMED = 100  # so many markets may be named in one question; more are picked from the whole list

# By exchange and kind of market: the call, what it is asked with, where the list is in the answer, and what ccxt
# parses an item with.
_LISTS: dict[tuple[str, Market], tuple[str, Json, tuple[str, ...], str]] = {
    ("binance", Market.SPOT): ("publicGetTickerBookTicker", {}, (), "parse_ticker"),
    ("binance", Market.SWAP): ("fapiPublicGetTickerBookTicker", {}, (), "parse_ticker"),
    ("bybit", Market.SPOT): (
        "publicGetV5MarketTickers", {"category": "spot"}, ("result", "list"), "parse_ticker",
    ),
    ("bybit", Market.SWAP): (
        "publicGetV5MarketTickers", {"category": "linear"}, ("result", "list"), "parse_ticker",
    ),
    ("okx", Market.SPOT): ("publicGetMarketTickers", {"instType": "SPOT"}, ("data",), "parse_ticker"),
    ("okx", Market.SWAP): ("publicGetMarketTickers", {"instType": "SWAP"}, ("data",), "parse_ticker"),
    ("kucoin", Market.SPOT): ("publicGetMarketAllTickers", {}, ("data", "ticker"), "parse_spot_or_uta_ticker"),
    ("kucoin", Market.SWAP): ("futuresPublicGetAllTickers", {}, ("data",), "parse_ticker"),
}  # fmt: skip


async def together(client: Client, names: Sequence[str]) -> list[Json]:
    """Ask once for the quotes of markets, by ccxt's symbols; those that the exchange does not tell are left out.

    Raises what ccxt raises.
    """
    if len(names) <= 1:
        return [await quote_of(client, name) for name in names]
    call, asked, path, parse = _LISTS[client.venue.name, client.market]
    ids = {str(client.exchange.market(name)["id"]) for name in names}
    answer: Any = await client.call(call, asked | _named(call, sorted(ids)))
    for part in path:
        answer = answer[part]
    return client.parsed(parse, [item for item in answer if native_id(item) in ids])


def _named(call: str, ids: Sequence[str]) -> Json:
    """Name the markets where the exchange takes names."""
    if call != "publicGetTickerBookTicker" or len(ids) > MOST_NAMED:
        return {}
    return {"symbols": json.dumps(ids, separators=(",", ":"))}


async def quote_of(client: Client, name: str) -> Json:
    """Ask for one market's quote, by ccxt's symbol."""
    if client.venue.name != "binance":
        said: Json = await client.call("fetch_ticker", name)
        return said
    # Its ticker of perpetuals has no quote in it.
    call, _, _, parse = _LISTS["binance", client.market]
    market = client.exchange.market(name)
    book: Json = getattr(client.exchange, parse)(await client.call(call, {"symbol": market["id"]}), market)
    return book
