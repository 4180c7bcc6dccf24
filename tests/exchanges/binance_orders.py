"""What spot and perpetuals of Binance have in common: reading an order request, symbols, lists."""

from __future__ import annotations

import re
import secrets
from decimal import Decimal

from tests.exchanges.listing import Listing
from tests.exchanges.server import Asked, Fails, LocalExchange, span, wire
from tests.exchanges.venue import Account, Order, Quote, Refused, Trade, Why

STATUS = {
    "new": "NEW",
    "partial": "PARTIALLY_FILLED",
    "filled": "FILLED",
    "cancelled": "CANCELED",
    "expired": "EXPIRED",
}
IDS = {False: r"[a-zA-Z0-9\-_]{1,36}", True: r"[.A-Z:/a-z0-9_\-]{1,36}"}


class BinanceOrders(LocalExchange):
    """The parts of a request that both markets read alike."""

    def __init__(self) -> None:
        super().__init__()
        self.listen_keys: dict[str, Account] = {}

    def allows(self, account: Account, peer: str, needs: str, path: str) -> bool:
        """Tell whether a key may do this from here, now."""
        expired = account.expires_at_ms is not None and account.expires_at_ms < self.now_ms()
        if account.revoked or expired or (account.ips and peer not in account.ips):
            return False
        if path.startswith("/fapi") and not account.futures:
            return False
        return account.trade if needs == "trade" else account.read

    def check_time(self, params: dict[str, str]) -> None:
        """Refuse what is over a second ahead, or older than it allows itself. Raises Fails."""
        sent, window = int(params.get("timestamp", 0)), int(params.get("recvWindow", 5000))
        if sent >= self.now_ms() + 1000:
            message = "Timestamp for this request was 1000ms ahead of the server's time."
            raise Fails({"code": -1021, "msg": message})
        if self.now_ms() - sent > min(window, 60_000):
            message = "Timestamp for this request is outside of the recvWindow."
            raise Fails({"code": -1021, "msg": message})

    def listed(self, asked: Asked, symbol: str | None = None) -> Listing:
        """Return the market a request is about."""
        native = symbol or asked.params["symbol"]
        listing = self.by_native.get((asked.path.startswith("/fapi"), native))
        if listing is None:
            raise Refused(Why.SYMBOL, native)
        return listing

    def read_order(self, asked: Asked, params: dict[str, str]) -> Order:
        """Make an order of a request's parameters. Raises Refused and KeyError."""
        venue, account = self.here(asked)
        listing = self.listed(asked, params["symbol"])
        kind = params["type"].lower()
        post_only = kind == "limit_maker" or params.get("timeInForce") == "GTX"
        limit = kind in ("limit", "limit_maker")
        client_id = params.get("newClientOrderId") or secrets.token_hex(11)
        if not re.fullmatch(IDS[listing.swap], client_id):
            raise Refused(Why.CLIENT_ID)
        cost = params.get("quoteOrderQty")
        return Order(
            number=0,
            client_id=client_id,
            account=account,
            listing=listing,
            action=params["side"].lower(),
            kind="limit" if limit else "market",
            price=Decimal(params["price"]) if limit else None,
            quantity=Decimal(0) if cost else Decimal(params["quantity"]),
            cost=Decimal(cost) if cost else None,
            reduce_only=params.get("reduceOnly", "false").lower() == "true",
            position_side=params.get("positionSide", "BOTH").lower(),
            margin_mode=venue.margin_mode(account, listing.symbol),
            leverage=venue.leverage(account, listing.symbol) if listing.swap else Decimal(1),
            lasts="PO" if post_only else params.get("timeInForce", "GTC"),
            asked=params,
        )

    def asked_order(self, asked: Asked, *, reading: bool) -> Order:
        """Return the order a request names by either id. Raises Refused."""
        venue, account = self.here(asked)
        listing = self.listed(asked)
        id, client_id = asked.params.get("orderId", ""), asked.params.get("origClientOrderId", "")
        if not id and not client_id:
            raise Refused(Why.PARAMETER, "orderId")
        return venue.find(
            account,
            swap=listing.swap,
            symbol=listing.symbol,
            id=id,
            client_id=client_id,
            reading=reading,
        )

    def own_orders(self, asked: Asked, *, open_only: bool) -> list[Order]:
        """Return the account's orders of one market, or of all, oldest first."""
        venue, account = self.here(asked)
        swap = asked.path.startswith("/fapi")
        listing = self.listed(asked) if "symbol" in asked.params else None
        first, last = self.asked_span(asked)
        found = [
            order
            for order in account.orders
            if order.listing.swap is swap
            and (listing is None or order.listing is listing)
            and (order.open or not open_only)
            and (open_only or first <= order.created_ms <= last)
        ]
        return venue.seen(found)[: int(asked.params.get("limit", 500))][::-1]

    def own_trades(self, asked: Asked) -> list[Trade]:
        """Return the account's trades of one market, oldest first."""
        _, account = self.here(asked)
        listing, params = self.listed(asked), asked.params
        first, last = self.asked_span(asked)
        found = [
            trade
            for trade in account.trades
            if trade.order.listing is listing
            and params.get("orderId", trade.order.id) == trade.order.id
            and int(params.get("fromId", 0)) <= trade.id
            and first <= trade.at_ms <= last
        ]
        most = int(params.get("limit", 500))
        return found[:most] if "fromId" in params or "startTime" in params else found[-most:]

    def candles(self, asked: Asked) -> list[list[object]]:
        """Return one candle, at the price of now: what was is not kept."""
        assert asked.venue is not None
        last = wire(asked.venue.quotes[self.listed(asked).symbol].last)
        start = int(asked.params["startTime"])
        return [[start, last, last, last, last, "1", start + 59_999, last, 1, "1", last, "0"]]

    def asked_span(self, asked: Asked) -> tuple[int, int]:
        """Return the time a list is asked for: a week of perpetuals, a day of spot at most. Raises Fails."""
        swap = asked.path.startswith("/fapi")
        only_start = "startTime" in asked.params and "endTime" not in asked.params
        if not swap and only_start:
            return int(asked.params["startTime"]), 1 << 62
        found = span(asked.params, 7 if swap else 1)
        if found is None:
            hours = 168 if swap else 24
            message = f"More than {hours} hours between startTime and endTime."
            raise Fails({"code": -1127, "msg": message})
        return found

    def chosen(self, asked: Asked) -> list[Listing]:
        """Return the markets a public request asks for: one, some or all."""
        swap = asked.path.startswith("/fapi")
        if "symbol" in asked.params:
            return [self.listed(asked)]
        if "symbols" in asked.params:
            names = re.findall(r"[A-Z0-9]+", asked.params["symbols"])
            return [self.listed(asked, name) for name in names]
        return [listing for listing in self.listings.values() if listing.swap is swap]

    def one_or_all(self, asked: Asked, rows: list[dict[str, object]]) -> object:
        return rows[0] if "symbol" in asked.params else rows

    def quoted(self, asked: Asked) -> list[tuple[Listing, Quote]]:
        """Return the markets a request asks for that have a price."""
        assert asked.venue is not None
        quotes = asked.venue.quotes
        return [(each, quotes[each.symbol]) for each in self.chosen(asked) if each.symbol in quotes]

    def day(self, listing: Listing, quote: Quote) -> dict[str, object]:
        """Return 24 hours in which nothing moved."""
        now, last = self.now_ms(), wire(quote.last, 8)
        book = {} if listing.swap else {"prevClosePrice": last, **spot_book(listing, quote)}
        return {
            "symbol": listing.native,
            "priceChange": "0.00000000",
            "priceChangePercent": "0.000",
            "weightedAvgPrice": last,
            "lastPrice": last,
            "lastQty": "1.00000000",
            "openPrice": last,
            "highPrice": last,
            "lowPrice": last,
            "volume": "1000.00000000",
            "quoteVolume": wire(quote.last * 1000, 8),
            "openTime": now - 86_400_000,
            "closeTime": now,
            "firstId": 1,
            "lastId": 1000,
            "count": 1000,
            **book,
        }


def spot_book(listing: Listing, quote: Quote) -> dict[str, object]:
    return {
        "symbol": listing.native,
        "bidPrice": wire(quote.bid, 8),
        "bidQty": "10.00000000",
        "askPrice": wire(quote.ask, 8),
        "askQty": "10.00000000",
    }
