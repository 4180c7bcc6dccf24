"""KuCoin futures: api-futures.kucoin.com. Sizes are whole contracts, and many fields are numbers, not texts."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from tests.exchanges.kucoin_orders import LASTS, KucoinOrders
from tests.exchanges.listing import Listing
from tests.exchanges.server import Asked, Body, route, wire
from tests.exchanges.venue import Account, Order, Position, Quote, Refused, Trade, Venue, Why


class FuturesRoutes(KucoinOrders):
    @route("GET", "/futures/v1/timestamp", "time", public=2)
    def futures_time(self, asked: Asked) -> Body:
        return self.now_ms()

    @route("GET", "/futures/v1/status", "other", public=4)
    def futures_status(self, asked: Asked) -> Body:
        return {"status": "open", "msg": ""}

    @route("GET", "/futures/v1/contracts/active", "markets", public=3)
    def contracts(self, asked: Asked) -> Body:
        assert asked.venue is not None
        quotes = asked.venue.quotes
        swaps = [each for each in self.listings.values() if each.swap]
        return [_contract(each, quotes.get(each.symbol)) for each in swaps]

    @route("GET", "/futures/v1/ticker", "ticker", public=2)
    def futures_ticker(self, asked: Asked) -> Body:
        listing = self.market(asked, asked.params["symbol"])
        assert asked.venue is not None
        return self.contract_ticker(listing, asked.venue.quotes[listing.symbol])

    @route("GET", "/futures/v1/allTickers", "ticker", public=5)
    def futures_tickers(self, asked: Asked) -> Body:
        assert asked.venue is not None
        quotes = asked.venue.quotes
        swaps = [each for each in self.listings.values() if each.swap and each.symbol in quotes]
        return [self.contract_ticker(each, quotes[each.symbol]) for each in swaps]

    @route("GET", "/futures/v1/account-overview", "balance", private=True, futures=5)
    def overview(self, asked: Asked) -> Body:
        venue, account = self.here(asked)
        return overview(venue, account, asked.params.get("currency", "XBT"))

    @route("POST", "/futures/v1/orders", "create", private=True, needs="trade", futures=2)
    def futures_create(self, asked: Asked) -> Body:
        venue, _ = self.here(asked)
        order = venue.place(self._futures_order(asked, asked.body))
        return {"orderId": order.id, "clientOid": order.client_id}

    @route("POST", "/futures/v1/orders/test", "other", private=True, needs="trade", futures=2)
    def futures_test(self, asked: Asked) -> Body:
        order = self._futures_order(asked, asked.body)
        return {"orderId": "0" * 18, "clientOid": order.client_id}

    @route("POST", "/futures/v1/orders/multi", "create", private=True, needs="trade", futures=20)
    def futures_batch(self, asked: Asked) -> Body:
        venue, _ = self.here(asked)
        rows = []
        for params in asked.body:
            row = {"clientOid": params.get("clientOid"), "symbol": params.get("symbol")}
            try:
                order = venue.place(self._futures_order(asked, params))
                rows.append(row | {"orderId": order.id, "code": "200000", "msg": "success"})
            except Refused as refused:
                code, message = self.words(asked, refused)
                rows.append(row | {"orderId": "", "code": code, "msg": message})
        return rows

    @route("DELETE", "/futures/v1/orders/{}", "cancel", private=True, needs="trade", futures=1)
    def futures_cancel(self, asked: Asked, id: str) -> Body:
        venue, _ = self.here(asked)
        order = self.known(asked, id=id, reading=False)
        venue.cancel(order)
        return {"cancelledOrderIds": [order.id]}

    @route("DELETE", "/futures/v1/orders/client-order/{}", "cancel", private=True, needs="trade", futures=1)
    def futures_cancel_by_client(self, asked: Asked, client_id: str) -> Body:
        venue, _ = self.here(asked)
        venue.cancel(self.known(asked, client_id=client_id, reading=False))
        return {"clientOid": client_id}

    @route("DELETE", "/futures/v1/orders/multi-cancel", "cancel", private=True, needs="trade", futures=20)
    def futures_cancel_batch(self, asked: Asked) -> Body:
        named = [("id", each) for each in asked.body.get("orderIdsList", [])]
        named += [("client_id", each["clientOid"]) for each in asked.body.get("clientOidsList", [])]
        return [self._cancel_one(asked, name, value) for name, value in named]

    @route("GET", "/futures/v1/orders/{}", "lookup", private=True, futures=5)
    def futures_order(self, asked: Asked, id: str) -> Body:
        return _row(self.known(asked, id=id))

    @route("GET", "/futures/v1/orders/byClientOid", "lookup", private=True, futures=5)
    def futures_order_by_client(self, asked: Asked) -> Body:
        return _row(self.known(asked, client_id=asked.params["clientOid"]))

    @route("GET", "/futures/v1/orders", "open_orders", private=True, futures=2)
    def futures_orders(self, asked: Asked) -> Body:
        done = asked.params.get("status", "done") == "done"
        return self.page(asked, [_row(order) for order in self.own(asked, lambda order: order.open != done)])

    @route("GET", "/futures/v1/fills", "trades", private=True, futures=5)
    def futures_fills(self, asked: Asked) -> Body:
        return self.page(asked, [_fill(trade) for trade in self.own_trades(asked)])

    @route("GET", "/futures/v1/positions", "positions", private=True, futures=2)
    def futures_positions(self, asked: Asked) -> Body:
        venue, account = self.here(asked)
        held = [each for each in account.positions.values() if each.quantity]
        return [contract_position(venue, account, each) for each in held]

    @route("GET", "/futures/v1/position", "positions", private=True, futures=2)
    def futures_position(self, asked: Asked) -> Body:
        venue, account = self.here(asked)
        listing = self.market(asked, asked.params["symbol"])
        held = account.positions.get((listing.symbol, "both")) or Position(listing, "both")
        return contract_position(venue, account, held)

    @route("GET", "/futures/v2/getCrossUserLeverage", "other", private=True, futures=2)
    def cross_leverage(self, asked: Asked) -> Body:
        venue, account = self.here(asked)
        listing = self.market(asked, asked.params["symbol"])
        return {"symbol": listing.native, "leverage": wire(venue.leverage(account, listing.symbol))}

    @route("POST", "/futures/v2/changeCrossUserLeverage", "leverage", private=True, needs="trade", futures=2)
    def set_cross_leverage(self, asked: Asked) -> Body:
        venue, account = self.here(asked)
        listing = self.market(asked, asked.params["symbol"])
        venue.set_leverage(account, listing.symbol, Decimal(asked.params["leverage"]))
        return True

    @route("GET", "/futures/v2/position/getMarginMode", "other", private=True, futures=2)
    def get_margin_mode(self, asked: Asked) -> Body:
        venue, account = self.here(asked)
        listing = self.market(asked, asked.params["symbol"])
        return {"symbol": listing.native, "marginMode": venue.margin_mode(account, listing.symbol).upper()}

    @route(
        "POST", "/futures/v2/position/changeMarginMode", "margin_mode", private=True, needs="trade", futures=2
    )
    def set_margin(self, asked: Asked) -> Body:
        venue, account = self.here(asked)
        listing, mode = self.market(asked, asked.params["symbol"]), asked.params["marginMode"].lower()
        if venue.margin_mode(account, listing.symbol) != mode:
            venue.set_margin_mode(account, listing.symbol, mode)
        return {"symbol": listing.native, "marginMode": mode.upper()}

    @route("GET", "/futures/v2/position/getPositionMode", "position_mode", private=True, futures=2)
    def get_position_mode(self, asked: Asked) -> Body:
        _, account = self.here(asked)
        return {"positionMode": int(account.hedge)}

    @route(
        "POST",
        "/futures/v2/position/switchPositionMode",
        "position_mode",
        private=True,
        needs="trade",
        futures=2,
    )
    def set_position_mode(self, asked: Asked) -> Body:
        venue, account = self.here(asked)
        hedge = asked.params["positionMode"] == "1"
        if hedge != account.hedge:
            venue.set_hedge(account, hedge)
        return {"positionMode": int(hedge)}

    @route("POST", "/futures/v1/bullet-public", "listen", public=10)
    def futures_bullet(self, asked: Asked) -> Body:
        return self.bullet(None, "ws-api-futures.kucoin.com")

    @route("POST", "/futures/v1/bullet-private", "listen", private=True, futures=10)
    def futures_private_bullet(self, asked: Asked) -> Body:
        return self.bullet(asked.account, "ws-api-futures.kucoin.com")

    def contract_ticker(self, listing: Listing, quote: Quote) -> dict[str, Any]:
        return {
            "sequence": self.now_ms(),
            "symbol": listing.native,
            "side": "buy",
            "size": 1,
            "tradeId": str(self.now_ms()),
            "price": wire(quote.last),
            "bestBidPrice": wire(quote.bid),
            "bestBidSize": 1000,
            "bestAskPrice": wire(quote.ask),
            "bestAskSize": 1000,
            "ts": self.now_ms() * 1_000_000,
        }

    def _futures_order(self, asked: Asked, params: dict[str, Any]) -> Order:
        venue, account = self.here(asked)
        listing = self.market(asked, params["symbol"])
        limit = params.get("type", "limit") == "limit"
        mode = str(params.get("marginMode", "ISOLATED")).lower()
        if mode != venue.margin_mode(account, listing.symbol):
            raise Refused(Why.MARGIN_MODE)
        # An isolated order brings its leverage along; a cross one has the market's, whatever it says.
        own = Decimal(str(params["leverage"])) if "leverage" in params else Decimal(1)
        leverage = own if mode == "isolated" else venue.leverage(account, listing.symbol)
        if not 1 <= leverage <= listing.rules.max_leverage:
            raise Refused(Why.LEVERAGE)
        return Order(
            number=0,
            client_id=self.checked_id(params),
            account=account,
            listing=listing,
            action=params["side"],
            kind="limit" if limit else "market",
            price=Decimal(str(params["price"])) if limit else None,
            quantity=Decimal(str(params["size"])) * listing.contract,
            reduce_only=_true(params.get("reduceOnly")) or _true(params.get("closeOrder")),
            position_side=str(params.get("positionSide", "BOTH")).lower(),
            margin_mode=mode,
            leverage=leverage,
            lasts="PO" if _true(params.get("postOnly")) else LASTS[params.get("timeInForce", "GTC")],
            asked={key: str(value) for key, value in params.items()},
        )

    def _cancel_one(self, asked: Asked, name: str, value: str) -> Body:
        venue, _ = self.here(asked)
        shown = {"orderId" if name == "id" else "clientOid": value}
        try:
            venue.cancel(self.known(asked, reading=False, **{name: value}))
        except Refused as refused:
            code, message = self.words(asked, refused)
            return shown | {"code": code, "msg": message}
        return shown | {"code": "200", "msg": "success"}


def _true(value: object) -> bool:
    return str(value).lower() == "true"


def in_contracts(listing: Listing, quantity: Decimal) -> int:
    return int(quantity / listing.contract)


def _contract(listing: Listing, quote: Quote | None) -> dict[str, Any]:
    rules = listing.rules
    last = float(quote.last) if quote else 0.0
    unit = rules.contract_size
    return {
        "symbol": listing.native,
        "rootSymbol": rules.quote,
        "type": "FFWCSX",
        "firstOpenDate": 1_585_555_200_000,
        "expireDate": None,
        "settleDate": None,
        "baseCurrency": "XBT" if rules.base == "BTC" else rules.base,
        "quoteCurrency": rules.quote,
        "settleCurrency": rules.quote,
        "maxOrderQty": int(rules.max_qty / unit),
        "marketMaxOrderQty": int((rules.market_max_qty or rules.max_qty) / unit),
        "maxPrice": 1_000_000.0,
        "lotSize": int(rules.step / unit),
        "tickSize": float(rules.tick),
        "indexPriceTickSize": float(rules.tick),
        "multiplier": float(unit),
        "initialMargin": 0.008,
        "maintainMargin": 0.004,
        "maxRiskLimit": 100_000,
        "minRiskLimit": 100_000,
        "riskStep": 50_000,
        "makerFeeRate": float(rules.maker_fee_percent / 100),
        "takerFeeRate": float(rules.taker_fee_percent / 100),
        "takerFixFee": 0.0,
        "makerFixFee": 0.0,
        "settlementFee": None,
        "isDeleverage": True,
        "isQuanto": True,
        "isInverse": False,
        "markMethod": "FairPrice",
        "fairMethod": "FundingRate",
        "fundingFeeRate": 0.0001,
        "predictedFundingFeeRate": 0.0001,
        "openInterest": "6273644",
        "turnoverOf24h": 1.0,
        "volumeOf24h": 1.0,
        "markPrice": last,
        "indexPrice": last,
        "lastTradePrice": last,
        "nextFundingRateTime": 25_481_884,
        "maxLeverage": int(rules.max_leverage),
        "premiumsSymbol1M": f".{listing.native}PI",
        "status": "Open" if listing.status == "trading" else "Paused",
        "supportCross": True,
    }


def overview(venue: Venue, account: Account, currency: str) -> dict[str, Any]:
    """Return the futures wallet of one currency; its amounts are numbers."""
    held = account.wallet("swap")[currency]
    positions = [each for each in account.positions.values() if each.quantity]
    mine = positions if currency == "USDT" else []
    profit = sum((each.profit(venue.quotes[each.listing.symbol].last) for each in mine), Decimal(0))
    in_positions = sum((each.margin for each in mine), Decimal(0))
    in_orders = account.reserved(currency, "swap") - in_positions
    return {
        "accountEquity": float(held + profit),
        "unrealisedPNL": float(profit),
        "marginBalance": float(held),
        "positionMargin": float(in_positions),
        "orderMargin": float(in_orders),
        "frozenFunds": 0.0,
        "availableBalance": float(account.free(currency, "swap")),
        "currency": currency,
        "riskRatio": 0.0,
        "maxWithdrawAmount": float(account.free(currency, "swap")),
    }


def _row(order: Order) -> dict[str, Any]:
    listing = order.listing
    gone = Decimal(0) if order.open else order.left
    return {
        "id": order.id,
        "symbol": listing.native,
        "type": order.kind,
        "side": order.action,
        "price": wire(order.price or Decimal(0)),
        "size": in_contracts(listing, order.quantity),
        "value": wire(order.quantity * (order.price or order.average)),
        "dealValue": wire(order.value),
        "dealSize": in_contracts(listing, order.filled),
        "stp": "",
        "stop": "",
        "stopPriceType": "",
        "stopTriggered": False,
        "stopPrice": None,
        "timeInForce": "GTC" if order.lasts == "PO" else order.lasts,
        "postOnly": order.lasts == "PO",
        "hidden": False,
        "iceberg": False,
        "leverage": wire(order.leverage),
        "forceHold": False,
        "closeOrder": False,
        "visibleSize": 0,
        "clientOid": order.client_id,
        "remark": None,
        "tags": None,
        "isActive": order.open,
        "cancelExist": bool(gone),
        "createdAt": order.created_ms,
        "updatedAt": order.updated_ms,
        "endAt": None if order.open else order.updated_ms,
        "orderTime": order.created_ms * 1_000_000,
        "settleCurrency": listing.rules.quote,
        "marginMode": order.margin_mode.upper(),
        "positionSide": order.position_side.upper(),
        "avgDealPrice": wire(order.average.quantize(Decimal("1e-8"))),
        "status": "open" if order.open else "done",
        "filledSize": in_contracts(listing, order.filled),
        "filledValue": wire(order.value),
        "reduceOnly": order.reduce_only,
    }


def _fill(trade: Trade) -> dict[str, Any]:
    order = trade.order
    rules = order.listing.rules
    percent = rules.maker_fee_percent if trade.maker else rules.taker_fee_percent
    return {
        "symbol": order.listing.native,
        "tradeId": str(trade.id),
        "orderId": order.id,
        "side": order.action,
        "liquidity": "maker" if trade.maker else "taker",
        "forceTaker": False,
        "price": wire(trade.price),
        "size": in_contracts(order.listing, trade.quantity),
        "value": wire(trade.price * trade.quantity),
        "openFeePay": wire(trade.fee),
        "closeFeePay": "0",
        "stop": "",
        "feeRate": wire(percent / 100),
        "fixFee": "0",
        "feeCurrency": trade.fee_currency,
        "marginMode": order.margin_mode.upper(),
        "settleCurrency": rules.quote,
        "fee": wire(trade.fee),
        "orderType": order.kind,
        "tradeType": "liquidation" if order.forced else "trade",
        "displayType": order.kind,
        "tradeTime": trade.at_ms * 1_000_000,
        "createdAt": trade.at_ms,
        "positionSide": order.position_side.upper(),
    }


def contract_position(venue: Venue, account: Account, held: Position) -> dict[str, Any]:
    """Return a position; its amounts are numbers."""
    listing = held.listing
    mark = venue.quotes[listing.symbol].last if listing.symbol in venue.quotes else Decimal(0)
    sign = 1 if held.quantity >= 0 else -1
    return {
        "id": f"{held.opened_ms:024x}",
        "symbol": listing.native,
        "autoDeposit": False,
        "crossMode": held.margin_mode == "cross",
        "maintMarginReq": 0.004,
        "riskLimit": 100_000,
        "realLeverage": float(held.leverage),
        "delevPercentage": 0.1,
        "openingTimestamp": held.opened_ms,
        "currentTimestamp": venue.now_ms(),
        "currentQty": in_contracts(listing, held.quantity),
        "currentCost": float(sign * held.cost),
        "currentComm": 0.0,
        "unrealisedCost": float(sign * held.cost),
        "realisedGrossCost": 0.0,
        "realisedCost": 0.0,
        "isOpen": bool(held.quantity),
        "markPrice": float(mark),
        "markValue": float(held.quantity * mark),
        "posCost": float(sign * held.cost),
        "posInit": float(held.margin),
        "posMargin": float(held.margin),
        "posMaint": 0.0,
        "maintMargin": float(held.margin),
        "realisedGrossPnl": float(held.realized),
        "realisedPnl": float(held.realized),
        "unrealisedPnl": float(held.profit(mark)),
        "unrealisedPnlPcnt": 0.0,
        "unrealisedRoePcnt": 0.0,
        "avgEntryPrice": float(held.entry),
        "liquidationPrice": 0.0,
        "bankruptPrice": 0.0,
        "settleCurrency": listing.rules.quote,
        "isInverse": False,
        "marginMode": held.margin_mode.upper(),
        "positionSide": held.side.upper(),
        "leverage": float(held.leverage),
    }
