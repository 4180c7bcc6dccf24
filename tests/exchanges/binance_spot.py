"""Binance spot: /api/v3, and of /sapi what tells a key's rights."""

from __future__ import annotations

from decimal import Decimal

from tests.exchanges.binance_orders import STATUS, BinanceOrders, spot_book
from tests.exchanges.listing import Listing
from tests.exchanges.server import Asked, Body, Fails, route, wire
from tests.exchanges.venue import Order, Trade

_ORDER_FIELDS = {
    "symbol",
    "side",
    "type",
    "timeInForce",
    "quantity",
    "quoteOrderQty",
    "price",
    "newClientOrderId",
    "strategyId",
    "strategyType",
    "stopPrice",
    "icebergQty",
    "newOrderRespType",
    "selfTradePreventionMode",
    "recvWindow",
    "timestamp",
    "signature",
}


class SpotRoutes(BinanceOrders):
    @route("GET", "/api/v3/ping", spot=1)
    def ping(self, asked: Asked) -> Body:
        return {}

    @route("GET", "/api/v3/time", "time", spot=1)
    def spot_time(self, asked: Asked) -> Body:
        return {"serverTime": self.now_ms()}

    @route("GET", "/api/v3/exchangeInfo", "markets", spot=20)
    def spot_info(self, asked: Asked) -> Body:
        return {
            "timezone": "UTC",
            "serverTime": self.now_ms(),
            "rateLimits": [
                {"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": 6000},
                {"rateLimitType": "ORDERS", "interval": "SECOND", "intervalNum": 10, "limit": 100},
            ],
            "exchangeFilters": [],
            "symbols": [_spot_market(listing) for listing in self.chosen(asked)],
        }

    @route("GET", "/api/v3/ticker/price", "ticker", spot=2)
    def spot_prices(self, asked: Asked) -> Body:
        rows = [{"symbol": each.native, "price": wire(quote.last, 8)} for each, quote in self.quoted(asked)]
        return self.one_or_all(asked, rows)

    @route("GET", "/api/v3/klines", "ticker", spot=2)
    def spot_candles(self, asked: Asked) -> Body:
        return self.candles(asked)

    @route("GET", "/api/v3/ticker/bookTicker", "ticker", spot=2)
    def spot_books(self, asked: Asked) -> Body:
        return self.one_or_all(asked, [spot_book(each, quote) for each, quote in self.quoted(asked)])

    @route("GET", "/api/v3/ticker/24hr", "ticker", spot=2)
    def spot_days(self, asked: Asked) -> Body:
        return self.one_or_all(asked, [self.day(each, quote) for each, quote in self.quoted(asked)])

    @route("POST", "/api/v3/order", "create", private=True, needs="trade", spot=1, orders=1)
    def spot_create(self, asked: Asked) -> Body:
        self._check_fields(asked)
        venue, _ = self.here(asked)
        return spot_created(venue.place(self.read_order(asked, asked.params)))

    @route("POST", "/api/v3/order/test", "other", private=True, needs="trade", spot=1)
    def spot_test(self, asked: Asked) -> Body:
        self._check_fields(asked)
        self.read_order(asked, asked.params)
        return {}

    @route("DELETE", "/api/v3/order", "cancel", private=True, needs="trade", spot=1)
    def spot_cancel(self, asked: Asked) -> Body:
        venue, _ = self.here(asked)
        order = self.asked_order(asked, reading=False)
        venue.cancel(order)
        return spot_cancelled(order)

    @route("DELETE", "/api/v3/openOrders", "cancel", private=True, needs="trade", spot=1)
    def spot_cancel_all(self, asked: Asked) -> Body:
        venue, account = self.here(asked)
        listing = self.listed(asked)
        orders = [order for order in account.open_orders if order.listing is listing]
        if not orders:
            raise Fails({"code": -2011, "msg": "Unknown order sent."})
        for order in orders:
            venue.cancel(order)
        return [spot_cancelled(order) for order in orders]

    @route("GET", "/api/v3/order", "lookup", private=True, spot=4)
    def spot_order(self, asked: Asked) -> Body:
        return spot_row(self.asked_order(asked, reading=True))

    @route("GET", "/api/v3/openOrders", "open_orders", private=True, spot=6)
    def spot_open(self, asked: Asked) -> Body:
        if "symbol" not in asked.params:
            self.limits["spot"].spend(74)
        return [spot_row(order) for order in self.own_orders(asked, open_only=True)]

    @route("GET", "/api/v3/allOrders", "closed_orders", private=True, spot=20)
    def spot_all(self, asked: Asked) -> Body:
        self.listed(asked)
        return [spot_row(order) for order in self.own_orders(asked, open_only=False)]

    @route("GET", "/api/v3/myTrades", "trades", private=True, spot=20)
    def spot_trades(self, asked: Asked) -> Body:
        return [_spot_trade(trade) for trade in self.own_trades(asked)]

    @route("GET", "/api/v3/account", "balance", private=True, spot=20)
    def spot_account(self, asked: Asked) -> Body:
        _, account = self.here(asked)
        return {
            "makerCommission": 10,
            "takerCommission": 10,
            "buyerCommission": 0,
            "sellerCommission": 0,
            "commissionRates": {
                "maker": "0.00100000",
                "taker": "0.00100000",
                "buyer": "0.00000000",
                "seller": "0.00000000",
            },
            "canTrade": account.trade,
            "canWithdraw": True,
            "canDeposit": True,
            "brokered": False,
            "requireSelfTradePrevention": False,
            "preventSor": False,
            "updateTime": self.now_ms(),
            "accountType": "SPOT",
            "balances": [
                {
                    "asset": currency,
                    "free": wire(account.free(currency), 8),
                    "locked": wire(account.reserved(currency), 8),
                }
                for currency in account.wallet("spot")
            ],
            "permissions": ["SPOT"],
            "uid": account.number,
        }

    @route("GET", "/sapi/v1/account/apiRestrictions", "key", private=True)
    def key_rights(self, asked: Asked) -> Body:
        _, account = self.here(asked)
        rights = {
            "ipRestrict": bool(account.ips),
            "createTime": self.now_ms() - 86_400_000,
            "enableReading": account.read,
            "enableWithdrawals": account.withdraw,
            "enableInternalTransfer": False,
            "enableMargin": False,
            "enableFutures": account.futures,
            "permitsUniversalTransfer": False,
            "enableVanillaOptions": False,
            "enableFixApiTrade": False,
            "enableFixReadOnly": True,
            "enableSpotAndMarginTrading": account.trade,
            "enablePortfolioMarginTrading": False,
        }
        if account.expires_at_ms is not None:
            rights["tradingAuthorityExpirationTime"] = account.expires_at_ms
        return rights

    @route("GET", "/sapi/v1/system/status", "other")
    def status(self, asked: Asked) -> Body:
        return {"status": 0, "msg": "normal"}

    def _check_fields(self, asked: Asked) -> None:
        unread = set(asked.params) - _ORDER_FIELDS
        if unread:
            sent = len(asked.params)
            message = (
                f"Not all sent parameters were read; read '{sent - len(unread)}' "
                f"parameter(s) but was sent '{sent}'."
            )
            raise Fails({"code": -1104, "msg": message})


def _spot_market(listing: Listing) -> dict[str, object]:
    rules = listing.rules
    return {
        "symbol": listing.native,
        "status": "TRADING" if listing.status == "trading" else "BREAK",
        "baseAsset": rules.base,
        "baseAssetPrecision": 8,
        "quoteAsset": rules.quote,
        "quotePrecision": 8,
        "quoteAssetPrecision": 8,
        "baseCommissionPrecision": 8,
        "quoteCommissionPrecision": 8,
        "orderTypes": ["LIMIT", "LIMIT_MAKER", "MARKET", "STOP_LOSS_LIMIT", "TAKE_PROFIT_LIMIT"],
        "amendAllowed": True,
        "otoAllowed": True,
        "icebergAllowed": True,
        "ocoAllowed": True,
        "quoteOrderQtyMarketAllowed": True,
        "allowTrailingStop": True,
        "cancelReplaceAllowed": True,
        "isSpotTradingAllowed": True,
        "isMarginTradingAllowed": True,
        "filters": [
            {
                "filterType": "PRICE_FILTER",
                "minPrice": wire(rules.tick, 8),
                "maxPrice": "1000000.00000000",
                "tickSize": wire(rules.tick, 8),
            },
            {
                "filterType": "LOT_SIZE",
                "minQty": wire(rules.min_qty, 8),
                "maxQty": wire(rules.max_qty, 8),
                "stepSize": wire(rules.step, 8),
            },
            {
                "filterType": "MARKET_LOT_SIZE",
                "minQty": wire(rules.market_min_qty, 8),
                "maxQty": wire(rules.market_max_qty, 8),
                "stepSize": "0.00000000",
            },
            {
                "filterType": "PERCENT_PRICE_BY_SIDE",
                "bidMultiplierUp": "5",
                "bidMultiplierDown": "0.2",
                "askMultiplierUp": "5",
                "askMultiplierDown": "0.2",
                "avgPriceMins": 5,
            },
            {
                "filterType": "NOTIONAL",
                "minNotional": wire(rules.min_notional, 8),
                "applyMinToMarket": True,
                "maxNotional": "9000000.00000000",
                "applyMaxToMarket": False,
                "avgPriceMins": 5,
            },
            {"filterType": "MAX_NUM_ORDERS", "maxNumOrders": 200},
            {"filterType": "MAX_NUM_ALGO_ORDERS", "maxNumAlgoOrders": 5},
        ],
        "permissions": [],
        "permissionSets": [["SPOT", "MARGIN"]],
        "defaultSelfTradePreventionMode": "EXPIRE_MAKER",
        "allowedSelfTradePreventionModes": ["EXPIRE_TAKER", "EXPIRE_MAKER", "EXPIRE_BOTH"],
    }


def spot_row(order: Order) -> dict[str, object]:
    """Return an order as look-ups and lists show it."""
    return {
        "symbol": order.listing.native,
        "orderId": order.number,
        "orderListId": -1,
        "clientOrderId": order.client_id,
        "price": wire(order.price or Decimal(0), 8),
        "origQty": wire(order.quantity, 8),
        "executedQty": wire(order.filled, 8),
        "origQuoteOrderQty": wire(order.cost or Decimal(0), 8),
        "cummulativeQuoteQty": wire(order.value, 8),
        "status": STATUS[order.status],
        "timeInForce": "GTC" if order.lasts == "PO" else order.lasts,
        "type": spot_kind(order),
        "side": order.action.upper(),
        "stopPrice": "0.00000000",
        "icebergQty": "0.00000000",
        "time": order.created_ms,
        "updateTime": order.updated_ms,
        "isWorking": True,
        "workingTime": order.created_ms,
        "selfTradePreventionMode": "EXPIRE_MAKER",
    }


def spot_kind(order: Order) -> str:
    return "LIMIT_MAKER" if order.lasts == "PO" else order.kind.upper()


def spot_created(order: Order) -> dict[str, object]:
    """Return the answer to a new order, in its fullest form."""
    row = spot_row(order)
    for name in ("stopPrice", "icebergQty", "time", "updateTime", "isWorking"):
        del row[name]
    fills = [
        {
            "price": wire(trade.price, 8),
            "qty": wire(trade.quantity, 8),
            "commission": wire(trade.fee, 8),
            "commissionAsset": trade.fee_currency,
            "tradeId": trade.id,
        }
        for trade in order.trades
    ]
    return row | {"transactTime": order.updated_ms, "fills": fills}


def spot_cancelled(order: Order) -> dict[str, object]:
    row = spot_row(order)
    for name in ("stopPrice", "icebergQty", "time", "updateTime", "isWorking", "workingTime"):
        del row[name]
    # The cancel has an id of its own; the order's stands beside it.
    return row | {
        "origClientOrderId": order.client_id,
        "clientOrderId": f"cancel{order.number}",
        "transactTime": order.updated_ms,
    }


def _spot_trade(trade: Trade) -> dict[str, object]:
    return {
        "symbol": trade.order.listing.native,
        "id": trade.id,
        "orderId": trade.order.number,
        "orderListId": -1,
        "price": wire(trade.price, 8),
        "qty": wire(trade.quantity, 8),
        "quoteQty": wire(trade.price * trade.quantity, 8),
        "commission": wire(trade.fee, 8),
        "commissionAsset": trade.fee_currency,
        "time": trade.at_ms,
        "isBuyer": trade.order.action == "buy",
        "isMaker": trade.maker,
        "isBestMatch": True,
    }
