"""Binance USDⓈ-M perpetuals: /fapi."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from tests.exchanges.binance_orders import STATUS, BinanceOrders
from tests.exchanges.listing import Listing
from tests.exchanges.server import Asked, Body, Fails, route, wire
from tests.exchanges.venue import Account, Order, Position, Refused, Trade, Venue

_MARGIN = {"CROSSED": "cross", "ISOLATED": "isolated"}
_MAINTENANCE = Decimal("0.004")


class UsdmRoutes(BinanceOrders):
    @route("GET", "/fapi/v1/ping", usdm=1)
    def usdm_ping(self, asked: Asked) -> Body:
        return {}

    @route("GET", "/fapi/v1/time", "time", usdm=1)
    def usdm_time(self, asked: Asked) -> Body:
        return {"serverTime": self.now_ms()}

    @route("GET", "/fapi/v1/exchangeInfo", "markets", usdm=1)
    def usdm_info(self, asked: Asked) -> Body:
        swaps = [listing for listing in self.listings.values() if listing.swap]
        return {
            "timezone": "UTC",
            "serverTime": self.now_ms(),
            "futuresType": "U_MARGINED",
            "rateLimits": [
                {"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": 2400},
                {"rateLimitType": "ORDERS", "interval": "SECOND", "intervalNum": 10, "limit": 300},
            ],
            "exchangeFilters": [],
            "assets": [{"asset": "USDT", "marginAvailable": True, "autoAssetExchange": "-10000"}],
            "symbols": [_usdm_market(listing) for listing in swaps],
        }

    @route("GET", "/fapi/v1/ticker/price", "ticker", usdm=2)
    def usdm_prices(self, asked: Asked) -> Body:
        now = self.now_ms()
        rows = [
            {"symbol": each.native, "price": wire(quote.last), "time": now}
            for each, quote in self.quoted(asked)
        ]
        return self.one_or_all(asked, rows)

    @route("GET", "/fapi/v2/ticker/price", "ticker", usdm=2)
    def usdm_prices_2(self, asked: Asked) -> Body:
        return self.usdm_prices(asked)

    @route("GET", "/fapi/v1/ticker/bookTicker", "ticker", usdm=5)
    def usdm_books(self, asked: Asked) -> Body:
        now = self.now_ms()
        rows = [
            {
                "symbol": each.native,
                "bidPrice": wire(quote.bid),
                "bidQty": "10.000",
                "askPrice": wire(quote.ask),
                "askQty": "10.000",
                "time": now,
                "lastUpdateId": now,
            }
            for each, quote in self.quoted(asked)
        ]
        return self.one_or_all(asked, rows)

    @route("GET", "/fapi/v1/ticker/24hr", "ticker", usdm=40)
    def usdm_days(self, asked: Asked) -> Body:
        rows = [self.day(each, quote) for each, quote in self.quoted(asked)]
        return self.one_or_all(asked, rows)

    @route("GET", "/fapi/v1/premiumIndex", "ticker", usdm=1)
    def marks(self, asked: Asked) -> Body:
        rows = [
            {
                "symbol": each.native,
                "markPrice": wire(quote.last, 8),
                "indexPrice": wire(quote.last, 8),
                "estimatedSettlePrice": wire(quote.last, 8),
                "lastFundingRate": "0.00010000",
                "interestRate": "0.00010000",
                "nextFundingTime": self.now_ms() + 3_600_000,
                "time": self.now_ms(),
            }
            for each, quote in self.quoted(asked)
        ]
        return self.one_or_all(asked, rows)

    @route("POST", "/fapi/v1/order", "create", private=True, needs="trade", usdm_orders=1)
    def usdm_create(self, asked: Asked) -> Body:
        venue, _ = self.here(asked)
        return placed(venue.place(self.read_order(asked, asked.params)))

    @route("POST", "/fapi/v1/batchOrders", "create", private=True, needs="trade", usdm=5, usdm_orders=1)
    def usdm_batch(self, asked: Asked) -> Body:
        venue, _ = self.here(asked)
        orders = json.loads(asked.params["batchOrders"])
        if len(orders) > 5:
            raise Fails({"code": -4082, "msg": "Invalid number of batch orders."})
        texts = [{key: str(value) for key, value in order.items()} for order in orders]
        return [self._each(asked, _placing(self, venue, asked, order)) for order in texts]

    @route("DELETE", "/fapi/v1/batchOrders", "cancel", private=True, needs="trade", usdm=1)
    def usdm_cancel_batch(self, asked: Asked) -> Body:
        venue, account = self.here(asked)
        ids = json.loads(asked.params.get("orderidlist", "[]"))
        names = json.loads(asked.params.get("origclientorderidlist", "[]"))
        named: list[dict[str, str]] = [{"id": str(id)} for id in ids]
        named += [{"client_id": name} for name in names]
        return [self._each(asked, _cancelling(venue, account, which)) for which in named]

    @route("DELETE", "/fapi/v1/order", "cancel", private=True, needs="trade", usdm=1)
    def usdm_cancel(self, asked: Asked) -> Body:
        venue, _ = self.here(asked)
        order = self.asked_order(asked, reading=False)
        venue.cancel(order)
        return usdm_row(order)

    @route("DELETE", "/fapi/v1/allOpenOrders", "cancel", private=True, needs="trade", usdm=1)
    def usdm_cancel_all(self, asked: Asked) -> Body:
        venue, account = self.here(asked)
        listing = self.listed(asked)
        for order in account.open_orders:
            if order.listing is listing:
                venue.cancel(order)
        return {"code": 200, "msg": "The operation of cancel all open order is done."}

    @route("GET", "/fapi/v1/order", "lookup", private=True, usdm=1)
    def usdm_order(self, asked: Asked) -> Body:
        return usdm_row(self.asked_order(asked, reading=True))

    @route("GET", "/fapi/v1/openOrders", "open_orders", private=True, usdm=1)
    def usdm_open(self, asked: Asked) -> Body:
        if "symbol" not in asked.params:
            self.limits["usdm"].spend(39)
        return [usdm_row(order) for order in self.own_orders(asked, open_only=True)]

    @route("GET", "/fapi/v1/allOrders", "closed_orders", private=True, usdm=5)
    def usdm_all(self, asked: Asked) -> Body:
        self.listed(asked)
        return [usdm_row(order) for order in self.own_orders(asked, open_only=False)]

    @route("GET", "/fapi/v1/userTrades", "trades", private=True, usdm=5)
    def usdm_trades(self, asked: Asked) -> Body:
        return [_usdm_trade(trade) for trade in self.own_trades(asked)]

    @route("GET", "/fapi/v1/forceOrders", "trades", private=True, usdm=50)
    def usdm_forced(self, asked: Asked) -> Body:
        _, account = self.here(asked)
        since = int(asked.params.get("startTime", 0))
        forced = [order for order in account.orders if order.forced and order.created_ms >= since]
        return [usdm_row(order) | {"autoCloseType": "LIQUIDATION"} for order in forced]

    @route("GET", "/fapi/v1/klines", "ticker", usdm=1)
    def usdm_candles(self, asked: Asked) -> Body:
        return self.candles(asked)

    @route("GET", "/fapi/v1/openAlgoOrders", "other", private=True, usdm=1)
    def conditional_orders(self, asked: Asked) -> Body:
        return []

    @route("GET", "/fapi/v3/account", "balance", private=True, usdm=5)
    def usdm_account(self, asked: Asked) -> Body:
        return self._account(asked, full=False)

    @route("GET", "/fapi/v2/account", "balance", private=True, usdm=5)
    def usdm_account_2(self, asked: Asked) -> Body:
        return self._account(asked, full=True)

    @route("GET", "/fapi/v3/balance", "balance", private=True, usdm=5)
    def usdm_balance(self, asked: Asked) -> Body:
        return self._account(asked, full=False)["assets"]

    @route("GET", "/fapi/v3/positionRisk", "positions", private=True, usdm=5)
    def usdm_positions(self, asked: Asked) -> Body:
        venue, account = self.here(asked)
        swap = [each for each in account.positions.values() if each.quantity]
        wanted = asked.params.get("symbol")
        return [_position(venue, each) for each in swap if wanted in (None, each.listing.native)]

    @route("GET", "/fapi/v2/positionRisk", "positions", private=True, usdm=5)
    def usdm_positions_2(self, asked: Asked) -> Body:
        venue, account = self.here(asked)
        kinds = {"cross": "cross", "isolated": "isolated"}
        rows = []
        for listing in self.chosen(asked):
            held = account.positions.get((listing.symbol, "both")) or Position(listing, "both")
            more = {
                "leverage": wire(venue.leverage(account, listing.symbol)),
                "marginType": kinds[venue.margin_mode(account, listing.symbol)],
                "maxNotionalValue": "1000000",
                "isAutoAddMargin": "false",
            }
            rows.append(_position(venue, held) | more)
        return rows

    @route("GET", "/fapi/v1/leverageBracket", "other", private=True, usdm=1)
    def brackets(self, asked: Asked) -> Body:
        swaps = [listing for listing in self.listings.values() if listing.swap]
        return [{"symbol": each.native, "notionalCoef": 1.0, "brackets": [_bracket(each)]} for each in swaps]

    @route("GET", "/fapi/v1/symbolConfig", "other", private=True, usdm=5)
    def configs(self, asked: Asked) -> Body:
        venue, account = self.here(asked)
        kinds = {kind: name for name, kind in _MARGIN.items()}
        return [
            {
                "symbol": each.native,
                "marginType": kinds[venue.margin_mode(account, each.symbol)],
                "isAutoAddMargin": False,
                "leverage": int(venue.leverage(account, each.symbol)),
                "maxNotionalValue": "1000000",
            }
            for each in self.chosen(asked)
        ]

    @route("GET", "/fapi/v1/accountConfig", "other", private=True, usdm=5)
    def account_config(self, asked: Asked) -> Body:
        _, account = self.here(asked)
        return {
            "feeTier": 0,
            "canTrade": account.trade,
            "canDeposit": True,
            "canWithdraw": True,
            "dualSidePosition": account.hedge,
            "multiAssetsMargin": False,
            "tradeGroupId": -1,
        }

    @route("GET", "/fapi/v1/multiAssetsMargin", "other", private=True, usdm=30)
    def multi_assets(self, asked: Asked) -> Body:
        return {"multiAssetsMargin": False}

    @route("POST", "/fapi/v1/leverage", "leverage", private=True, needs="trade", usdm=1)
    def usdm_leverage(self, asked: Asked) -> Body:
        venue, account = self.here(asked)
        listing = self.listed(asked)
        venue.set_leverage(account, listing.symbol, Decimal(asked.params["leverage"]))
        leverage = int(asked.params["leverage"])
        return {"leverage": leverage, "maxNotionalValue": "1000000", "symbol": listing.native}

    @route("POST", "/fapi/v1/marginType", "margin_mode", private=True, needs="trade", usdm=1)
    def usdm_margin(self, asked: Asked) -> Body:
        venue, account = self.here(asked)
        mode = _MARGIN[asked.params["marginType"]]
        venue.set_margin_mode(account, self.listed(asked).symbol, mode)
        return {"code": 200, "msg": "success"}

    @route("GET", "/fapi/v1/positionSide/dual", "position_mode", private=True, usdm=30)
    def usdm_mode(self, asked: Asked) -> Body:
        _, account = self.here(asked)
        return {"dualSidePosition": account.hedge}

    @route("POST", "/fapi/v1/positionSide/dual", "position_mode", private=True, needs="trade", usdm=1)
    def usdm_set_mode(self, asked: Asked) -> Body:
        venue, account = self.here(asked)
        venue.set_hedge(account, asked.params["dualSidePosition"].lower() == "true")
        return {"code": 200, "msg": "success"}

    @route("POST", "/fapi/v1/listenKey", "listen", private=True, usdm=1)
    def listen(self, asked: Asked) -> Body:
        _, account = self.here(asked)
        for key, owner in self.listen_keys.items():
            if owner is account:
                return {"listenKey": key}
        key = secrets.token_urlsafe(48)
        self.listen_keys[key] = account
        return {"listenKey": key}

    @route("PUT", "/fapi/v1/listenKey", "listen", private=True, usdm=1)
    def keep_listening(self, asked: Asked) -> Body:
        _, account = self.here(asked)
        for key, owner in self.listen_keys.items():
            if owner is account:
                return {"listenKey": key}
        raise Fails({"code": -1125, "msg": "This listenKey does not exist."})

    @route("DELETE", "/fapi/v1/listenKey", "listen", private=True, usdm=1)
    def stop_listening(self, asked: Asked) -> Body:
        _, account = self.here(asked)
        self.listen_keys = {key: owner for key, owner in self.listen_keys.items() if owner is not account}
        return {}

    def _each(self, asked: Asked, run: Callable[[], Body]) -> Body:
        """Run one order of a batch: what is wrong with it is said in its place."""
        try:
            return run()
        except Refused as refused:
            return self.refusal(asked, refused).body

    def _account(self, asked: Asked, *, full: bool) -> dict[str, Any]:
        venue, account = self.here(asked)
        held = [each for each in account.positions.values() if each.quantity]
        profit = sum((each.profit(venue.quotes[each.listing.symbol].last) for each in held), Decimal(0))
        assets = [_asset(account, currency, profit) for currency in account.wallet("swap")]
        usdt = next((each for each in assets if each["asset"] == "USDT"), _asset(account, "USDT", profit))
        names = ("walletBalance", "unrealizedProfit", "marginBalance", "maintMargin", "initialMargin")
        more = ("positionInitialMargin", "openOrderInitialMargin", "crossWalletBalance", "crossUnPnl")
        totals = {f"total{name[0].upper()}{name[1:]}": usdt[name] for name in names + more}
        positions = [_position(venue, each) for each in held]
        rights = {"feeTier": 0, "canTrade": account.trade, "canDeposit": True, "canWithdraw": True}
        return {
            **(rights if full else {}),
            **totals,
            "availableBalance": usdt["availableBalance"],
            "maxWithdrawAmount": usdt["availableBalance"],
            "assets": assets,
            "positions": positions,
        }


def _placing(self: UsdmRoutes, venue: Venue, asked: Asked, params: dict[str, str]) -> Callable[[], Body]:
    return lambda: placed(venue.place(self.read_order(asked, params)))


def _cancelling(venue: Venue, account: Account, which: dict[str, str]) -> Callable[[], Body]:
    def run() -> Body:
        order = venue.find(account, swap=True, reading=False, **which)
        venue.cancel(order)
        return usdm_row(order)

    return run


def _usdm_market(listing: Listing) -> dict[str, object]:
    rules = listing.rules
    places = _places(rules.tick)
    return {
        "symbol": listing.native,
        "pair": listing.native,
        "contractType": "PERPETUAL",
        "deliveryDate": 4_133_404_800_000,
        "onboardDate": 1_569_398_400_000,
        "status": "TRADING" if listing.status == "trading" else "SETTLING",
        "maintMarginPercent": "2.5000",
        "requiredMarginPercent": "5.0000",
        "baseAsset": rules.base,
        "quoteAsset": rules.quote,
        "marginAsset": rules.quote,
        "pricePrecision": places,
        "quantityPrecision": _places(rules.step),
        "baseAssetPrecision": 8,
        "quotePrecision": 8,
        "permissionSets": ["GRID", "COPY"],
        "underlyingType": "COIN",
        "underlyingSubType": ["PoW"],
        "triggerProtect": "0.0500",
        "liquidationFee": "0.012500",
        "marketTakeBound": "0.05",
        "maxMoveOrderLimit": 10_000,
        "filters": [
            {
                "filterType": "PRICE_FILTER",
                "minPrice": wire(rules.tick),
                "maxPrice": "4529764",
                "tickSize": wire(rules.tick),
            },
            {
                "filterType": "LOT_SIZE",
                "minQty": wire(rules.min_qty),
                "maxQty": wire(rules.max_qty),
                "stepSize": wire(rules.step),
            },
            {
                "filterType": "MARKET_LOT_SIZE",
                "minQty": wire(rules.min_qty),
                "maxQty": wire(rules.market_max_qty or rules.max_qty),
                "stepSize": wire(rules.step),
            },
            {"filterType": "MAX_NUM_ORDERS", "limit": 200},
            {"filterType": "MAX_NUM_ALGO_ORDERS", "limit": 10},
            {"filterType": "MIN_NOTIONAL", "notional": wire(rules.min_notional)},
            {
                "filterType": "PERCENT_PRICE",
                "multiplierUp": "1.0500",
                "multiplierDown": "0.9500",
                "multiplierDecimal": "4",
            },
        ],
        "orderTypes": ["LIMIT", "MARKET", "STOP", "STOP_MARKET", "TAKE_PROFIT", "TAKE_PROFIT_MARKET"],
        "timeInForce": ["GTC", "IOC", "FOK", "GTX", "GTD"],
    }


def _places(increment: Decimal) -> int:
    _, point, places = wire(increment).partition(".")
    return len(places) if point else 0


def usdm_row(order: Order) -> dict[str, object]:
    """Return an order as look-ups and lists show it."""
    kind = order.kind.upper()
    return {
        "orderId": order.number,
        "symbol": order.listing.native,
        "status": STATUS[order.status],
        "clientOrderId": order.client_id,
        "price": wire(order.price or Decimal(0)),
        "avgPrice": wire(order.average, 5),
        "origQty": wire(order.quantity),
        "executedQty": wire(order.filled),
        "cumQuote": wire(order.value),
        "timeInForce": "GTX" if order.lasts == "PO" else order.lasts,
        "type": kind,
        "reduceOnly": order.reduce_only,
        "closePosition": False,
        "side": order.action.upper(),
        "positionSide": order.position_side.upper(),
        "stopPrice": "0",
        "workingType": "CONTRACT_PRICE",
        "priceProtect": False,
        "origType": kind,
        "priceMatch": "NONE",
        "selfTradePreventionMode": "EXPIRE_MAKER",
        "goodTillDate": 0,
        "time": order.created_ms,
        "updateTime": order.updated_ms,
    }


def placed(order: Order) -> dict[str, object]:
    """Return the answer to a new order: NEW whatever becomes of it at once, unless the result was asked for."""
    row = usdm_row(order)
    del row["time"]
    if order.asked.get("newOrderRespType") == "RESULT":
        return row | {"cumQty": wire(order.filled)}
    nothing = {"avgPrice": "0.00", "executedQty": "0", "cumQty": "0", "cumQuote": "0"}
    return row | nothing | {"status": "NEW"}


def _usdm_trade(trade: Trade) -> dict[str, object]:
    return {
        "symbol": trade.order.listing.native,
        "id": trade.id,
        "orderId": trade.order.number,
        "side": trade.order.action.upper(),
        "price": wire(trade.price),
        "qty": wire(trade.quantity),
        "realizedPnl": wire(trade.profit, 8),
        "quoteQty": wire(trade.price * trade.quantity),
        "commission": wire(trade.fee, 8),
        "commissionAsset": trade.fee_currency,
        "time": trade.at_ms,
        "positionSide": trade.order.position_side.upper(),
        "buyer": trade.order.action == "buy",
        "maker": trade.maker,
    }


def _asset(account: Account, currency: str, profit: Decimal) -> dict[str, Any]:
    held, free = account.wallet("swap")[currency], account.free(currency, "swap")
    unrealized = profit if currency == "USDT" else Decimal(0)
    in_positions = sum((each.margin for each in account.positions.values()), Decimal(0))
    kept = in_positions if currency == "USDT" else Decimal(0)
    in_orders = account.reserved(currency, "swap") - kept
    return {
        "asset": currency,
        "walletBalance": wire(held, 8),
        "unrealizedProfit": wire(unrealized, 8),
        "marginBalance": wire(held + unrealized, 8),
        "maintMargin": "0.00000000",
        "initialMargin": wire(kept + in_orders, 8),
        "positionInitialMargin": wire(kept, 8),
        "openOrderInitialMargin": wire(in_orders, 8),
        "crossWalletBalance": wire(held, 8),
        "crossUnPnl": wire(unrealized, 8),
        "availableBalance": wire(free, 8),
        "maxWithdrawAmount": wire(free, 8),
        "updateTime": account.opened_ms,
    }


def _position(venue: Venue, held: Position) -> dict[str, object]:
    symbol = held.listing.symbol
    mark = venue.quotes[symbol].last if symbol in venue.quotes else Decimal(0)
    notional, isolated = held.quantity * mark, held.margin_mode == "isolated"
    margin = wire(held.margin, 8)
    return {
        "symbol": held.listing.native,
        "positionSide": held.side.upper(),
        "positionAmt": wire(held.quantity),
        "entryPrice": wire(held.entry, 8),
        "breakEvenPrice": wire(held.entry, 8),
        "markPrice": wire(mark, 8),
        "unRealizedProfit": wire(held.profit(mark), 8),
        "liquidationPrice": "0",
        "isolatedMargin": margin if isolated else "0",
        "notional": wire(notional, 8),
        "marginAsset": "USDT",
        "isolatedWallet": margin if isolated else "0",
        "initialMargin": margin,
        "maintMargin": wire(abs(notional) * _MAINTENANCE, 8),
        "positionInitialMargin": margin,
        "openOrderInitialMargin": "0",
        "adl": 1,
        "bidNotional": "0",
        "askNotional": "0",
        "updateTime": held.updated_ms,
    }


def _bracket(listing: Listing) -> dict[str, object]:
    return {
        "bracket": 1,
        "initialLeverage": int(listing.rules.max_leverage),
        "notionalCap": 50_000_000,
        "notionalFloor": 0,
        "maintMarginRatio": float(_MAINTENANCE),
        "cum": 0.0,
    }
