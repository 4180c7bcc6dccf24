"""Bybit's order routes: create, cancel, look up, lists, executions."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from tests.exchanges.listing import Listing
from tests.exchanges.server import Asked, Body, Fails, LocalExchange, as_text, route, span, wire
from tests.exchanges.venue import Order, Refused, Trade, Why

_STATUS = {
    "new": "New",
    "partial": "PartiallyFilled",
    "filled": "Filled",
    "cancelled": "Cancelled",
    "expired": "Cancelled",
}
_SIDES = {"0": "both", "1": "long", "2": "short"}
_LASTS = {"GTC": "GTC", "IOC": "IOC", "FOK": "FOK", "PostOnly": "PO"}
_ID = re.compile(r"[A-Za-z0-9_\-]{1,36}")


class OrderRoutes(LocalExchange):
    def fail(self, code: int, message: str, status: int = 200) -> Fails:
        """Return an answer that says no, in the shape of all answers."""
        body = {"retCode": code, "retMsg": message, "result": {}, "retExtInfo": {}, "time": self.now_ms()}
        return Fails(body, status)

    def words(self, asked: Asked, refused: Refused) -> tuple[int, str]:
        """Return code and message of a refusal."""
        raise NotImplementedError

    @route("POST", "/v5/order/create", "create", private=True, needs="trade", ip=1)
    def create(self, asked: Asked) -> Body:
        self._spend_order(asked)
        venue, _ = self.here(asked)
        return ids(venue.place(self._read(asked, asked.params)))

    @route("POST", "/v5/order/create-batch", "create", private=True, needs="trade", ip=1)
    def create_batch(self, asked: Asked) -> Body:
        venue, _ = self.here(asked)
        category = asked.params["category"]
        if venue.mode == "demo" and category == "spot":
            raise self.fail(10032, "Demo trading are not supported.")
        return self._batch(asked, lambda params: ids(venue.place(self._read(asked, params))))

    @route("POST", "/v5/order/cancel", "cancel", private=True, needs="trade", ip=1, reads=1)
    def cancel(self, asked: Asked) -> Body:
        return self._cancel(asked, asked.params)

    @route("POST", "/v5/order/cancel-batch", "cancel", private=True, needs="trade", ip=1, reads=1)
    def cancel_batch(self, asked: Asked) -> Body:
        return self._batch(asked, lambda params: self._cancel(asked, params))

    @route("POST", "/v5/order/cancel-all", "cancel", private=True, needs="trade", ip=1, reads=1)
    def cancel_all(self, asked: Asked) -> Body:
        venue, account = self.here(asked)
        orders = [order for order in account.open_orders if self._wanted(asked, order)]
        for order in orders:
            venue.cancel(order)
        return {"list": [ids(order) for order in orders], "success": "1"}

    @route("GET", "/v5/order/realtime", "open_orders", private=True, ip=1, reads=1)
    def realtime(self, asked: Asked) -> Body:
        # With an id it shows orders that have ended too; the last 500 of them.
        return self._list(asked, lambda order: order.open or _named(asked))

    @route("GET", "/v5/order/history", "closed_orders", private=True, ip=1, reads=1)
    def history(self, asked: Asked) -> Body:
        return self._list(asked, lambda order: not order.open)

    @route("GET", "/v5/execution/list", "trades", private=True, ip=1, reads=1)
    def executions(self, asked: Asked) -> Body:
        _, account = self.here(asked)
        first, last = self._week(asked)
        found = [
            trade
            for trade in reversed(account.trades)
            if self._wanted(asked, trade.order) and first <= trade.at_ms <= last
        ]
        most = int(asked.params.get("limit", 50))
        begin = int(asked.params.get("cursor", 0) or 0)
        rows = [execution(trade) for trade in found[begin : begin + most]]
        more = str(begin + most) if len(found) > begin + most else ""
        return {"category": asked.params["category"], "list": rows, "nextPageCursor": more}

    def market(self, params: dict[str, str]) -> Listing:
        """Return the market a request is about. Raises Refused."""
        listing = self.by_native.get((params["category"] == "linear", params["symbol"]))
        if listing is None or params["category"] not in ("spot", "linear"):
            raise Refused(Why.SYMBOL, params["symbol"])
        return listing

    def _read(self, asked: Asked, params: dict[str, str]) -> Order:
        venue, account = self.here(asked)
        listing = self.market(params)
        client_id = params.get("orderLinkId", "")
        if client_id and not _ID.fullmatch(client_id):
            raise Refused(Why.CLIENT_ID)
        kind, action = params["orderType"].lower(), params["side"].lower()
        # A market buy on spot is by value, unless it says that it is not.
        by_value = (
            not listing.swap
            and kind == "market"
            and action == "buy"
            and params.get("marketUnit", "quoteCoin") == "quoteCoin"
        )
        return Order(
            number=0,
            client_id=client_id,
            account=account,
            listing=listing,
            action=action,
            kind=kind,
            price=Decimal(params["price"]) if kind == "limit" else None,
            quantity=Decimal(0) if by_value else Decimal(params["qty"]),
            cost=Decimal(params["qty"]) if by_value else None,
            # Spot has no such orders, and reads over it.
            reduce_only=listing.swap and params.get("reduceOnly") == "true",
            position_side=_SIDES[params.get("positionIdx", "0")] if listing.swap else "both",
            margin_mode=venue.margin_mode(account, listing.symbol),
            leverage=venue.leverage(account, listing.symbol) if listing.swap else Decimal(1),
            lasts=_LASTS[params.get("timeInForce", "GTC")],
            asked=params,
        )

    def _cancel(self, asked: Asked, params: dict[str, str]) -> Body:
        venue, account = self.here(asked)
        listing = self.market(params)
        id, client_id = params.get("orderId", ""), params.get("orderLinkId", "")
        if not id and not client_id:
            raise Refused(Why.PARAMETER, "orderId and orderLinkId are empty")
        order = venue.find(
            account,
            swap=listing.swap,
            symbol=listing.symbol,
            id=id,
            client_id=client_id,
            reading=False,
        )
        venue.cancel(order)
        return ids(order)

    def _batch(self, asked: Asked, run: Callable[[dict[str, str]], Body]) -> Body:
        """Run every order of a batch; whether it went well stands beside the results, in the same order."""
        self._spend_order(asked, len(asked.body["request"]))
        rows, outcomes = [], []
        for order in asked.body["request"]:
            params = {key: as_text(value) for key, value in order.items() if value is not None}
            params.setdefault("category", asked.params["category"])
            row = {"category": params["category"], "symbol": params["symbol"]}
            try:
                rows.append(row | run(params) | {"createAt": str(self.now_ms())})
                outcomes.append({"code": 0, "msg": "OK"})
            except Refused as refused:
                code, message = self.words(asked, refused)
                unnamed = {"orderId": "", "orderLinkId": params.get("orderLinkId", ""), "createAt": ""}
                rows.append(row | unnamed)
                outcomes.append({"code": code, "msg": message})
        return {"list": rows, "retExtInfo": {"list": outcomes}}

    def _spend_order(self, asked: Asked, count: int = 1) -> None:
        limit = self.limits["spot_orders" if asked.params.get("category") == "spot" else "orders"]
        if not limit.spend(count):
            raise self.too_many(asked, limit)

    def _list(self, asked: Asked, shown: Callable[[Order], bool]) -> Body:
        venue, account = self.here(asked)
        params = asked.params
        if params["category"] == "linear" and not (
            {"symbol", "settleCoin", "baseCoin", "orderId", "orderLinkId"} & params.keys()
        ):
            raise Refused(
                Why.PARAMETER, "Missing some parameters that must be filled in, symbol or settleCoin"
            )
        orders = [order for order in account.orders if self._wanted(asked, order) and shown(order)]
        rows = [row(order) for order in venue.seen(orders)]
        first, most = int(params.get("cursor", 0) or 0), min(50, int(params.get("limit", 20)))
        more = str(first + most) if len(rows) > first + most else ""
        return {
            "category": params["category"],
            "list": rows[first : first + most],
            "nextPageCursor": more,
        }

    def _week(self, asked: Asked) -> tuple[int, int]:
        """Return the time a list is asked for: from a start alone it is the week from then on. Raises Refused."""
        found = span(asked.params, 7)
        if found is None:
            raise Refused(Why.PARAMETER, "The time range between startTime and endTime cannot exceed 7 days")
        return found

    def _wanted(self, asked: Asked, order: Order) -> bool:
        params = asked.params
        first, last = self._week(asked)
        return (
            order.listing.swap is (params["category"] == "linear")
            and params.get("symbol", order.listing.native) == order.listing.native
            and params.get("orderId", order.id) == order.id
            and params.get("orderLinkId", order.client_id) == order.client_id
            and (first <= order.updated_ms <= last or order.open)
        )


def _named(asked: Asked) -> bool:
    return "orderId" in asked.params or "orderLinkId" in asked.params


def ids(order: Order) -> dict[str, Any]:
    return {"orderId": order.id, "orderLinkId": order.client_id}


def status(order: Order) -> str:
    partly = order.filled and not order.open and order.status != "filled" and not order.listing.swap
    return "PartiallyFilledCanceled" if partly else _STATUS[order.status]


def row(order: Order) -> dict[str, Any]:
    """Return an order as lists and streams show it."""
    fees: dict[str, Decimal] = {}
    for trade in order.trades:
        fees[trade.fee_currency] = fees.get(trade.fee_currency, Decimal(0)) + trade.fee
    by_value = order.cost is not None
    # By this field ccxt tells contracts from spot.
    of_contracts = {"tpslMode": ""} if order.listing.swap else {}
    return {
        **of_contracts,
        "symbol": order.listing.native,
        "side": order.action.capitalize(),
        "orderType": order.kind.capitalize(),
        "orderLinkId": order.client_id,
        "orderId": order.id,
        "createType": "CreateByUser",
        "feeCurrency": order.trades[-1].fee_currency if order.trades else "",
        "closedPnl": wire(sum((trade.profit for trade in order.trades), Decimal(0))),
        "smpGroup": 0,
        "tpLimitPrice": "0",
        "slLimitPrice": "0",
        "cancelType": "CancelByUser" if order.status == "cancelled" else "UNKNOWN",
        "avgPrice": wire(order.average.quantize(Decimal("1e-8"))) if order.filled else "",
        "stopOrderType": "",
        "lastPriceOnCreated": "",
        "orderStatus": status(order),
        "takeProfit": "",
        "cumExecValue": wire(order.value),
        "smpType": "None",
        "triggerDirection": 0,
        "blockTradeId": "",
        "rejectReason": "EC_NoError",
        "isLeverage": "0" if not order.listing.swap else "",
        "price": wire(order.price or Decimal(0)),
        "orderIv": "",
        "createdTime": str(order.created_ms),
        "updatedTime": str(order.updated_ms),
        "tpTriggerBy": "",
        "positionIdx": {"both": 0, "long": 1, "short": 2}[order.position_side],
        "trailingPercentage": "0",
        "timeInForce": {"PO": "PostOnly"}.get(order.lasts, order.lasts if order.price else "IOC"),
        "leavesValue": wire(order.left * (order.price or Decimal(0))) if order.open else "0",
        "marketUnit": ("quoteCoin" if by_value else "baseCoin") if not order.listing.swap else "",
        "basePrice": "",
        "triggerPrice": "",
        "cumExecFee": wire(sum(fees.values(), Decimal(0))),
        "cumFeeDetail": {currency: wire(fee) for currency, fee in fees.items()},
        "leavesQty": wire(order.left) if order.open else "0",
        "slTriggerBy": "",
        "closeOnTrigger": False,
        "placeType": "",
        "cumExecQty": wire(order.filled),
        "reduceOnly": order.reduce_only,
        "qty": wire(order.cost if order.cost is not None else order.quantity),
        "stopLoss": "",
        "smpOrderId": "",
        "triggerBy": "",
    }


def execution(trade: Trade) -> dict[str, Any]:
    """Return a fill as lists and streams show it."""
    order = trade.order
    percent = order.listing.rules.maker_fee_percent if trade.maker else order.listing.rules.taker_fee_percent
    return {
        "symbol": order.listing.native,
        "orderType": order.kind.capitalize(),
        "underlyingPrice": "",
        "orderLinkId": order.client_id,
        "orderId": order.id,
        "stopOrderType": "",
        "execTime": str(trade.at_ms),
        "feeCurrency": trade.fee_currency,
        "createType": "CreateByUser",
        "feeRate": wire(percent / 100),
        "tradeIv": "",
        "blockTradeId": "",
        "markPrice": wire(trade.price) if order.listing.swap else "",
        "execPrice": wire(trade.price),
        "markIv": "",
        "orderQty": wire(order.quantity),
        "orderPrice": wire(order.price or Decimal(0)),
        "execValue": wire(trade.price * trade.quantity),
        "closedSize": "",
        "execType": "BustTrade" if order.forced else "Trade",
        "seq": trade.id,
        "side": order.action.capitalize(),
        "indexPrice": "",
        "leavesQty": wire(order.left),
        "isMaker": trade.maker,
        "isLeverage": "0",
        "execFee": wire(trade.fee),
        "execId": str(trade.id) if not order.listing.swap else f"{trade.id:08d}-0000-4000-8000-000000000000",
        "marketUnit": "",
        "execQty": wire(trade.quantity),
    }
