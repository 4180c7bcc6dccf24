"""OKX's public routes, and the currencies that ccxt asks for with a key."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from tests.exchanges.listing import Listing
from tests.exchanges.okx_orders import OkxOrders, kind_of
from tests.exchanges.server import Asked, Body, route, wire
from tests.exchanges.venue import Quote


class OkxMarkets(OkxOrders):
    @route("GET", "/api/v5/public/time", "time", public=1)
    def time(self, asked: Asked) -> Body:
        return [{"ts": str(self.now_ms())}]

    @route("GET", "/api/v5/system/status", "other", public=1)
    def status(self, asked: Asked) -> Body:
        return []

    @route("GET", "/api/v5/public/instruments", "markets", public=1)
    def instruments(self, asked: Asked) -> Body:
        return [_instrument(each) for each in self._of_kind(asked)]

    @route("GET", "/api/v5/market/tickers", "ticker", public=1)
    def tickers(self, asked: Asked) -> Body:
        return [self.ticker(each, quote) for each, quote in self._quoted(asked)]

    @route("GET", "/api/v5/market/ticker", "ticker", public=1)
    def one_ticker(self, asked: Asked) -> Body:
        listing = self.market(asked.params["instId"])
        assert asked.venue is not None
        return [self.ticker(listing, asked.venue.quotes[listing.symbol])]

    @route("GET", "/api/v5/public/mark-price", "ticker", public=1)
    def marks(self, asked: Asked) -> Body:
        now = str(self.now_ms())
        return [
            {"instType": "SWAP", "instId": each.native, "markPx": wire(quote.last), "ts": now}
            for each, quote in self._quoted(asked)
        ]

    @route("GET", "/api/v5/asset/currencies", "other", private=True, reads=1)
    def currencies(self, asked: Asked) -> Body:
        names = sorted({"USDT"} | {each.rules.base for each in self.listings.values() if not each.swap})
        row = {
            "canDep": True,
            "canInternal": True,
            "canWd": True,
            "mainNet": True,
            "minWd": "1",
            "minFee": "1",
            "maxFee": "2",
            "maxWd": "1000",
            "minDep": "0",
            "wdTickSz": "8",
            "needTag": False,
        }
        return [{"ccy": name, "name": name, "chain": f"{name}-{name}"} | row for name in names]

    def ticker(self, listing: Listing, quote: Quote) -> dict[str, Any]:
        """Return a day in which nothing moved."""
        last = wire(quote.last)
        return {
            "instType": kind_of(listing),
            "instId": listing.native,
            "last": last,
            "lastSz": "1",
            "askPx": wire(quote.ask),
            "askSz": "10",
            "bidPx": wire(quote.bid),
            "bidSz": "10",
            "open24h": last,
            "high24h": last,
            "low24h": last,
            "volCcy24h": wire(quote.last * 1000),
            "vol24h": "1000",
            "ts": str(self.now_ms()),
            "sodUtc0": last,
            "sodUtc8": last,
        }

    def _of_kind(self, asked: Asked) -> list[Listing]:
        name = asked.params.get("instId")
        if name is not None:
            return [self.market(name)]
        return [each for each in self.listings.values() if kind_of(each) == asked.params["instType"]]

    def _quoted(self, asked: Asked) -> list[tuple[Listing, Quote]]:
        assert asked.venue is not None
        quotes = asked.venue.quotes
        return [(each, quotes[each.symbol]) for each in self._of_kind(asked) if each.symbol in quotes]


def _instrument(listing: Listing) -> dict[str, Any]:
    rules, swap, unit = listing.rules, listing.swap, listing.contract
    most = rules.max_qty or Decimal(9_999_999_999)
    most_market = rules.market_max_qty or Decimal(1_000_000)
    return {
        "alias": "",
        "auctionEndTime": "",
        "baseCcy": "" if swap else rules.base,
        "category": "1",
        "ctMult": "1" if swap else "",
        "ctType": "linear" if swap else "",
        "ctVal": wire(unit) if swap else "",
        "ctValCcy": rules.base if swap else "",
        "expTime": "",
        "instFamily": f"{rules.base}-{rules.quote}" if swap else "",
        "instId": listing.native,
        "instType": kind_of(listing),
        "lever": wire(rules.max_leverage) if swap else "10",
        "listTime": "1548133413000",
        "lotSz": wire(rules.step / unit),
        "maxIcebergSz": wire(most / unit),
        "maxLmtAmt": "20000000",
        "maxLmtSz": wire(most / unit),
        "maxMktAmt": "" if swap else "1000000",
        "maxMktSz": wire(most_market / unit) if swap else "1000000",
        "maxStopSz": wire(most_market / unit),
        "maxTriggerSz": wire(most / unit),
        "maxTwapSz": wire(most / unit),
        "minSz": wire(rules.min_qty / unit),
        "optType": "",
        "quoteCcy": "" if swap else rules.quote,
        "settleCcy": rules.quote if swap else "",
        "state": "live" if listing.status == "trading" else "suspend",
        "ruleType": "normal",
        "stk": "",
        "tickSz": wire(rules.tick),
        "uly": f"{rules.base}-{rules.quote}" if swap else "",
    }
