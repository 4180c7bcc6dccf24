"""KuCoin spot: api.kucoin.com, the newer `hf` routes and the older ones beside them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from tests.exchanges.kucoin_orders import LASTS, KucoinOrders
from tests.exchanges.listing import Listing
from tests.exchanges.server import Asked, Body, route, wire
from tests.exchanges.venue import Order, Quote, Refused, Trade


class SpotRoutes(KucoinOrders):
    @route("GET", "/api/v1/timestamp", "time", public=3)
    def spot_time(self, asked: Asked) -> Body:
        return self.now_ms()

    @route("GET", "/api/v1/status", "other", public=3)
    def spot_status(self, asked: Asked) -> Body:
        return {"status": "open", "msg": ""}

    @route("GET", "/api/v2/symbols", "markets", public=4)
    def symbols(self, asked: Asked) -> Body:
        return [_market(listing) for listing in self.listings.values() if not listing.swap]

    @route("GET", "/api/v3/currencies", "other", public=3)
    def currencies(self, asked: Asked) -> Body:
        names = sorted({"USDT"} | {each.rules.base for each in self.listings.values() if not each.swap})
        row = {"precision": 8, "confirms": None, "isMarginEnabled": False, "isDebitEnabled": False}
        return [{"currency": name, "name": name, "fullName": name, "chains": []} | row for name in names]

    @route("GET", "/api/v1/market/allTickers", "ticker", public=15)
    def all_tickers(self, asked: Asked) -> Body:
        rows = [_ticker(each, quote) for each, quote in self._spot_quotes(asked)]
        return {"time": self.now_ms(), "ticker": rows}

    @route("GET", "/api/v1/market/stats", "ticker", public=15)
    def stats(self, asked: Asked) -> Body:
        listing = self.market(asked, asked.params["symbol"])
        assert asked.venue is not None
        return _ticker(listing, asked.venue.quotes[listing.symbol]) | {"time": self.now_ms()}

    @route("GET", "/api/v1/market/orderbook/level1", "ticker", public=2)
    def level1(self, asked: Asked) -> Body:
        listing = self.market(asked, asked.params["symbol"])
        assert asked.venue is not None
        quote = asked.venue.quotes[listing.symbol]
        return {
            "time": self.now_ms(),
            "sequence": str(self.now_ms()),
            "price": wire(quote.last),
            "size": "1",
            "bestBid": wire(quote.bid),
            "bestBidSize": "10",
            "bestAsk": wire(quote.ask),
            "bestAskSize": "10",
        }

    @route("GET", "/api/v3/margin/symbols", "other", private=True, spot=3)
    def margin_symbols(self, asked: Asked) -> Body:
        return {"timestamp": self.now_ms(), "items": []}

    @route("GET", "/api/v1/isolated/symbols", "other", private=True, spot=3)
    def isolated_symbols(self, asked: Asked) -> Body:
        return []

    @route("GET", "/api/v1/hf/accounts/opened", "other", private=True, spot=2)
    def migrated(self, asked: Asked) -> Body:
        return True

    @route("GET", "/api/ua/v1/account/mode", "other", private=True, spot=2)
    def account_mode(self, asked: Asked) -> Body:
        _, account = self.here(asked)
        mode = "UNIFIED" if account.unified else "CLASSIC"
        return {"selfAccountMode": mode, "parentAccountMode": mode}

    @route("GET", "/api/v1/user/api-key", "key", private=True, spot=3)
    def key_rights(self, asked: Asked) -> Body:
        _, account = self.here(asked)
        rights = ["General"]
        rights += ["Spot"] if account.trade else []
        rights += ["Futures"] if account.trade and account.futures else []
        rights += ["Transfer", "Withdraw"] if account.withdraw else []
        row: dict[str, Any] = {
            "remark": "engine",
            "apiKey": account.keys.api_key,
            "apiVersion": 3,
            "permission": ",".join(rights),
            "ipWhitelist": ",".join(account.ips),
            "createdAt": account.opened_ms,
            "uid": account.number,
            "isMaster": True,
        }
        return row if account.expires_at_ms is None else row | {"expiredAt": account.expires_at_ms}

    @route("GET", "/api/v1/accounts", "balance", private=True, spot=5)
    def accounts(self, asked: Asked) -> Body:
        _, account = self.here(asked)
        kind = asked.params.get("type", "trade")
        if kind == "main":
            return []
        return [
            {
                "id": f"{account.number}{currency}",
                "currency": currency,
                "type": kind,
                "balance": wire(held),
                "available": wire(account.free(currency)),
                "holds": wire(held - account.free(currency)),
            }
            for currency, held in account.wallet("spot").items()
        ]

    @route("POST", "/api/v1/hf/orders", "create", private=True, needs="trade", spot=1)
    @route("POST", "/api/v1/orders", "create", private=True, needs="trade", spot=2)
    def spot_create(self, asked: Asked) -> Body:
        venue, _ = self.here(asked)
        order = venue.place(self._spot_order(asked, asked.params))
        return {"orderId": order.id, "clientOid": order.client_id}

    @route("POST", "/api/v1/hf/orders/sync", "create", private=True, needs="trade", spot=1)
    def spot_create_sync(self, asked: Asked) -> Body:
        venue, _ = self.here(asked)
        order = venue.place(self._spot_order(asked, asked.params))
        return {
            "orderId": order.id,
            "clientOid": order.client_id,
            "orderTime": order.created_ms,
            "originSize": wire(order.quantity),
            "dealSize": wire(order.filled),
            "remainSize": wire(order.left if order.open else Decimal(0)),
            "canceledSize": wire(Decimal(0) if order.open else order.left),
            "status": "open" if order.open else "done",
            "matchTime": order.updated_ms,
        }

    @route("POST", "/api/v1/hf/orders/test", "other", private=True, needs="trade", spot=1)
    @route("POST", "/api/v1/orders/test", "other", private=True, needs="trade", spot=1)
    def spot_test(self, asked: Asked) -> Body:
        order = self._spot_order(asked, asked.params)
        return {"orderId": "0" * 24, "clientOid": order.client_id}

    @route("POST", "/api/v1/hf/orders/multi", "create", private=True, needs="trade", spot=1)
    @route("POST", "/api/v1/hf/orders/multi/sync", "create", private=True, needs="trade", spot=1)
    def spot_batch(self, asked: Asked) -> Body:
        venue, _ = self.here(asked)
        rows = []
        for params in asked.body["orderList"]:
            try:
                order = venue.place(self._spot_order(asked, params))
                rows.append({"orderId": order.id, "clientOid": order.client_id, "success": True})
            except Refused as refused:
                message = self.words(asked, refused)[1]
                rows.append({"clientOid": params.get("clientOid"), "success": False, "failMsg": message})
        return rows

    @route("DELETE", "/api/v1/hf/orders/{}", "cancel", private=True, needs="trade", spot=1)
    def spot_cancel(self, asked: Asked, id: str) -> Body:
        venue, _ = self.here(asked)
        order = self.known(asked, id=id, reading=False)
        venue.cancel(order)
        return {"orderId": order.id}

    @route("DELETE", "/api/v1/hf/orders/client-order/{}", "cancel", private=True, needs="trade", spot=1)
    def spot_cancel_by_client(self, asked: Asked, client_id: str) -> Body:
        venue, _ = self.here(asked)
        order = self.known(asked, client_id=client_id, reading=False)
        venue.cancel(order)
        return {"clientOid": order.client_id}

    @route("DELETE", "/api/v1/orders/{}", "cancel", private=True, needs="trade", spot=3)
    def old_cancel(self, asked: Asked, id: str) -> Body:
        return {"cancelledOrderIds": [self.spot_cancel(asked, id)["orderId"]]}

    @route("DELETE", "/api/v1/order/client-order/{}", "cancel", private=True, needs="trade", spot=5)
    def old_cancel_by_client(self, asked: Asked, client_id: str) -> Body:
        order = self.known(asked, client_id=client_id, reading=False)
        return {"cancelledOrderId": self.spot_cancel(asked, order.id)["orderId"], "clientOid": client_id}

    @route("GET", "/api/v1/hf/orders/{}", "lookup", private=True, spot=2)
    @route("GET", "/api/v1/orders/{}", "lookup", private=True, spot=2)
    def spot_order(self, asked: Asked, id: str) -> Body:
        return _row(self.known(asked, id=id))

    @route("GET", "/api/v1/hf/orders/client-order/{}", "lookup", private=True, spot=2)
    @route("GET", "/api/v1/order/client-order/{}", "lookup", private=True, spot=3)
    def spot_order_by_client(self, asked: Asked, client_id: str) -> Body:
        return _row(self.known(asked, client_id=client_id))

    @route("GET", "/api/v1/hf/orders/active", "open_orders", private=True, spot=2)
    def active(self, asked: Asked) -> Body:
        self.market(asked, asked.params["symbol"])  # which this one cannot do without
        return [_row(order) for order in self.own(asked, lambda order: order.open)]

    @route("GET", "/api/v1/hf/orders/active/symbols", "open_orders", private=True, spot=2)
    def active_symbols(self, asked: Asked) -> Body:
        return {
            "symbols": sorted({_row(order)["symbol"] for order in self.own(asked, lambda order: order.open)})
        }

    @route("GET", "/api/v1/hf/orders/done", "closed_orders", private=True, spot=2)
    def done(self, asked: Asked) -> Body:
        self.market(asked, asked.params["symbol"])
        before = int(asked.params.get("lastId") or 1 << 62)
        older = [order for order in self.own(asked, lambda order: not order.open) if order.number < before]
        orders = older[: int(asked.params.get("limit", 20))]
        return {"lastId": orders[-1].number if orders else 0, "items": [_row(order) for order in orders]}

    @route("GET", "/api/v1/orders", "open_orders", private=True, spot=2)
    def old_orders(self, asked: Asked) -> Body:
        done = asked.params.get("status") == "done"
        return self.page(asked, [_row(order) for order in self.own(asked, lambda order: order.open != done)])

    @route("GET", "/api/v1/hf/fills", "trades", private=True, spot=2)
    def spot_fills(self, asked: Asked) -> Body:
        self.market(asked, asked.params["symbol"])
        before = int(asked.params.get("lastId") or 1 << 62)
        older = [trade for trade in self.own_trades(asked) if trade.id < before]
        trades = older[: int(asked.params.get("limit", 20))]
        return {"items": [_fill(trade) for trade in trades], "lastId": trades[-1].id if trades else 0}

    @route("GET", "/api/v1/fills", "trades", private=True, spot=10)
    def old_fills(self, asked: Asked) -> Body:
        return self.page(asked, [_fill(trade) for trade in self.own_trades(asked)])

    @route("POST", "/api/v1/bullet-public", "listen", public=10)
    def spot_bullet(self, asked: Asked) -> Body:
        return self.bullet(None, "ws-api-spot.kucoin.com")

    @route("POST", "/api/v1/bullet-private", "listen", private=True, spot=10)
    def spot_private_bullet(self, asked: Asked) -> Body:
        return self.bullet(asked.account, "ws-api-spot.kucoin.com")

    def _spot_quotes(self, asked: Asked) -> list[tuple[Listing, Quote]]:
        assert asked.venue is not None
        quotes = asked.venue.quotes
        spot = [each for each in self.listings.values() if not each.swap]
        return [(each, quotes[each.symbol]) for each in spot if each.symbol in quotes]

    def _spot_order(self, asked: Asked, params: dict[str, Any]) -> Order:
        _, account = self.here(asked)
        limit, funds = params.get("type", "limit") == "limit", params.get("funds")
        return Order(
            number=0,
            client_id=self.checked_id(params),
            account=account,
            listing=self.market(asked, params["symbol"]),
            action=params["side"],
            kind="limit" if limit else "market",
            price=Decimal(params["price"]) if limit else None,
            quantity=Decimal(0) if funds else Decimal(params["size"]),
            cost=Decimal(funds) if funds else None,
            lasts="PO"
            if str(params.get("postOnly")).lower() == "true"
            else LASTS[params.get("timeInForce", "GTC")],
            asked={key: str(value) for key, value in params.items()},
        )


def _market(listing: Listing) -> dict[str, Any]:
    rules = listing.rules
    return {
        "symbol": listing.native,
        "name": listing.native,
        "baseCurrency": rules.base,
        "quoteCurrency": rules.quote,
        "feeCurrency": rules.quote,
        "market": "USDS",
        "baseMinSize": wire(rules.min_qty),
        "quoteMinSize": "0.1",
        "baseMaxSize": wire(rules.max_qty),
        "quoteMaxSize": "99999999",
        "baseIncrement": wire(rules.step),
        "quoteIncrement": "0.000001",
        "priceIncrement": wire(rules.tick),
        "priceLimitRate": "0.1",
        "minFunds": wire(rules.min_notional),
        "isMarginEnabled": False,
        "enableTrading": listing.status == "trading",
        "feeCategory": 1,
        "makerFeeCoefficient": "1.00",
        "takerFeeCoefficient": "1.00",
        "st": False,
    }


def _ticker(listing: Listing, quote: Quote) -> dict[str, Any]:
    last = wire(quote.last)
    return {
        "symbol": listing.native,
        "symbolName": listing.native,
        "buy": wire(quote.bid),
        "bestBidSize": "10",
        "sell": wire(quote.ask),
        "bestAskSize": "10",
        "changeRate": "0",
        "changePrice": "0",
        "high": last,
        "low": last,
        "vol": "1000",
        "volValue": wire(quote.last * 1000),
        "last": last,
        "averagePrice": last,
        "takerFeeRate": "0.001",
        "makerFeeRate": "0.001",
        "takerCoefficient": "1",
        "makerCoefficient": "1",
    }


def _row(order: Order) -> dict[str, Any]:
    rest = order.left if order.open else Decimal(0)
    gone = Decimal(0) if order.open else order.left
    return {
        "id": order.id,
        "clientOid": order.client_id,
        "symbol": order.listing.native,
        "opType": "DEAL",
        "type": order.kind,
        "side": order.action,
        "price": wire(order.price or Decimal(0)),
        "size": wire(order.quantity),
        "funds": wire(order.cost or Decimal(0)),
        "dealSize": wire(order.filled),
        "dealFunds": wire(order.value),
        "remainSize": wire(rest),
        "remainFunds": "0",
        "cancelledSize": wire(gone),
        "cancelledFunds": "0",
        "fee": wire(sum((trade.fee for trade in order.trades), Decimal(0))),
        "feeCurrency": order.listing.rules.quote,
        "stp": None,
        "timeInForce": "GTC" if order.lasts == "PO" else order.lasts,
        "postOnly": order.lasts == "PO",
        "hidden": False,
        "iceberg": False,
        "visibleSize": "0",
        "cancelAfter": 0,
        "channel": "API",
        "remark": None,
        "tags": order.asked.get("tags"),
        "cancelExist": order.status in ("cancelled", "expired"),
        "tradeType": "TRADE",
        "inOrderBook": order.open,
        "active": order.open,
        "isActive": order.open,
        "tax": "0",
        "createdAt": order.created_ms,
        "lastUpdatedAt": order.updated_ms,
    }


def _fill(trade: Trade) -> dict[str, Any]:
    order = trade.order
    return {
        "id": trade.id,
        "orderId": order.id,
        "counterOrderId": "0" * 24,
        "tradeId": trade.id,
        "symbol": order.listing.native,
        "side": order.action,
        "liquidity": "maker" if trade.maker else "taker",
        "type": order.kind,
        "forceTaker": False,
        "price": wire(trade.price),
        "size": wire(trade.quantity),
        "funds": wire(trade.price * trade.quantity),
        "fee": wire(trade.fee),
        "feeRate": "0.001",
        "feeCurrency": trade.fee_currency,
        "stop": "",
        "tradeType": "TRADE",
        "taxRate": "0",
        "tax": "0",
        "createdAt": trade.at_ms,
    }
