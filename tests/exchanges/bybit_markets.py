"""Bybit's public routes: time, instruments, tickers."""

from __future__ import annotations

from tests.exchanges.listing import Listing
from tests.exchanges.server import Asked, Body, LocalExchange, route, wire
from tests.exchanges.venue import Quote, Refused, Why


class MarketRoutes(LocalExchange):
    @route("GET", "/v5/market/time", "time", ip=1)
    def time(self, asked: Asked) -> Body:
        now = self.now_ms()
        return {"timeSecond": str(now // 1000), "timeNano": str(now * 1_000_000)}

    @route("GET", "/v5/system/status", "other", ip=1)
    def status(self, asked: Asked) -> Body:
        return {"list": []}

    @route("GET", "/v5/market/instruments-info", "markets", ip=1)
    def instruments(self, asked: Asked) -> Body:
        rows = []
        if asked.params.get("status") != "PreLaunch":
            describe = _spot if asked.params["category"] == "spot" else _linear
            rows = [describe(listing) for listing in self.listed_all(asked)]
        return {"category": asked.params["category"], "list": rows, "nextPageCursor": ""}

    @route("GET", "/v5/market/tickers", "ticker", ip=1)
    def tickers(self, asked: Asked) -> Body:
        assert asked.venue is not None
        quotes = asked.venue.quotes
        found = [each for each in self.listed_all(asked) if each.symbol in quotes]
        rows = [ticker(each, quotes[each.symbol]) for each in found]
        return {"category": asked.params["category"], "list": rows}

    def listed_all(self, asked: Asked) -> list[Listing]:
        """Return the markets of a category, or the one that is named. Inverse and options: none."""
        category, name = asked.params["category"], asked.params.get("symbol")
        if category not in ("spot", "linear"):
            return []
        if name is not None:
            listing = self.by_native.get((category == "linear", name))
            if listing is None:
                raise Refused(Why.SYMBOL, name)
            return [listing]
        swap = category == "linear"
        return [each for each in self.listings.values() if each.swap is swap]


def ticker(listing: Listing, quote: Quote) -> dict[str, object]:
    """Return a day in which nothing moved."""
    last = wire(quote.last)
    common = {
        "symbol": listing.native,
        "lastPrice": last,
        "prevPrice24h": last,
        "price24hPcnt": "0",
        "highPrice24h": last,
        "lowPrice24h": last,
        "turnover24h": wire(quote.last * 1000),
        "volume24h": "1000",
        "bid1Price": wire(quote.bid),
        "bid1Size": "10",
        "ask1Price": wire(quote.ask),
        "ask1Size": "10",
    }
    if not listing.swap:
        return common | {"usdIndexPrice": last}
    swap = {
        "indexPrice": last,
        "markPrice": last,
        "prevPrice1h": last,
        "openInterest": "1000",
        "openInterestValue": wire(quote.last * 1000),
        "fundingRate": "0.0001",
        "nextFundingTime": "4102444800000",
    }
    return common | swap


def _spot(listing: Listing) -> dict[str, object]:
    rules = listing.rules
    return {
        "symbol": listing.native,
        "baseCoin": rules.base,
        "quoteCoin": rules.quote,
        "innovation": "0",
        "status": "Trading" if listing.status == "trading" else "Closed",
        "marginTrading": "utaOnly",
        "stTag": "0",
        "lotSizeFilter": {
            "basePrecision": wire(rules.step),
            "quotePrecision": "0.0000001",
            "minOrderQty": wire(rules.min_qty),
            "maxOrderQty": wire(rules.max_qty),
            "minOrderAmt": wire(rules.min_notional),
            "maxOrderAmt": "8000000",
        },
        "priceFilter": {"tickSize": wire(rules.tick)},
        "riskParameters": {"priceLimitRatioX": "0.01", "priceLimitRatioY": "0.02"},
    }


def _linear(listing: Listing) -> dict[str, object]:
    rules = listing.rules
    return {
        "symbol": listing.native,
        "contractType": "LinearPerpetual",
        "status": "Trading" if listing.status == "trading" else "Closed",
        "baseCoin": rules.base,
        "quoteCoin": rules.quote,
        "settleCoin": rules.quote,
        "launchTime": "1584230400000",
        "deliveryTime": "0",
        "deliveryFeeRate": "",
        "priceScale": "2",
        "leverageFilter": {
            "minLeverage": "1",
            "maxLeverage": wire(rules.max_leverage),
            "leverageStep": "0.01",
        },
        "priceFilter": {
            "minPrice": wire(rules.tick),
            "maxPrice": "1999999.8",
            "tickSize": wire(rules.tick),
        },
        "lotSizeFilter": {
            "maxOrderQty": wire(rules.max_qty),
            "minOrderQty": wire(rules.min_qty),
            "qtyStep": wire(rules.step),
            "postOnlyMaxOrderQty": wire(rules.max_qty),
            "maxMktOrderQty": wire(rules.market_max_qty or rules.max_qty),
            "minNotionalValue": wire(rules.min_notional),
        },
        "unifiedMarginTrade": True,
        "fundingInterval": 480,
        "copyTrading": "both",
        "upperFundingRate": "0.00375",
        "lowerFundingRate": "-0.00375",
        "isPreListing": False,
    }
