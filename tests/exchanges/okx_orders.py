"""OKX's order routes. Sizes of swaps are contracts on the wire, and base units in the venue."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from tests.exchanges.listing import Listing
from tests.exchanges.server import Asked, Body, Fails, LocalExchange, as_text, route, wire
from tests.exchanges.signing import as_base64
from tests.exchanges.venue import Account, Order, Refused, Trade, Venue, Why

_STATE = {
    "new": "live",
    "partial": "partially_filled",
    "filled": "filled",
    "cancelled": "canceled",
    "expired": "canceled",
}
_LASTS = {"market": "GTC", "limit": "GTC", "post_only": "PO", "ioc": "IOC", "fok": "FOK"}
_ID = re.compile(r"[A-Za-z0-9]{1,32}")


class OkxOrders(LocalExchange):
    def fail(self, code: str, message: str, status: int = 200) -> Fails:
        """Return an answer that says no."""
        return Fails({"code": code, "msg": message, "data": []}, status)

    def words(self, asked: Asked, refused: Refused) -> tuple[str, str]:
        """Return code and message of a refusal."""
        raise NotImplementedError

    def market(self, name: str) -> Listing:
        """Return a market by its instrument id. Raises Refused."""
        listing = self.by_native.get((name.endswith("-SWAP"), name))
        if listing is None:
            raise Refused(Why.SYMBOL, name)
        return listing

    @route("POST", "/api/v5/trade/order", "create", private=True, needs="trade", orders=1)
    def create(self, asked: Asked) -> Body:
        return self._each(asked, [asked.body], self._place)

    @route("POST", "/api/v5/trade/batch-orders", "create", private=True, needs="trade", orders=1)
    def create_batch(self, asked: Asked) -> Body:
        if len(asked.body) > 20:
            raise self.fail("50024", "Too many orders in a batch")
        return self._each(asked, asked.body, self._place)

    @route("POST", "/api/v5/trade/cancel-order", "cancel", private=True, needs="trade", orders=1)
    def cancel(self, asked: Asked) -> Body:
        return self._each(asked, [asked.body], self._cancel)

    @route("POST", "/api/v5/trade/cancel-batch-orders", "cancel", private=True, needs="trade", orders=1)
    def cancel_batch(self, asked: Asked) -> Body:
        return self._each(asked, asked.body, self._cancel)

    @route("GET", "/api/v5/trade/order", "lookup", private=True, orders=1)
    def order(self, asked: Asked) -> Body:
        venue, account = self.here(asked)
        listing = self.market(asked.params["instId"])
        id, client_id = asked.params.get("ordId", ""), asked.params.get("clOrdId", "")
        swap, symbol = listing.swap, listing.symbol
        return [row(venue.find(account, swap=swap, symbol=symbol, id=id, client_id=client_id))]

    @route("GET", "/api/v5/trade/orders-pending", "open_orders", private=True, orders=1)
    def pending(self, asked: Asked) -> Body:
        return self._page(asked, lambda order: order.open)

    @route("GET", "/api/v5/trade/orders-history", "closed_orders", private=True, reads=1)
    def history(self, asked: Asked) -> Body:
        if "instType" not in asked.params:
            raise Refused(Why.PARAMETER, "instType")
        state = asked.params.get("state")
        return self._page(asked, lambda order: not order.open and state in (None, _STATE[order.status]))

    @route("GET", "/api/v5/trade/orders-history-archive", "closed_orders", private=True, reads=1)
    def archive(self, asked: Asked) -> Body:
        return self.history(asked)

    @route("GET", "/api/v5/trade/fills-history", "trades", private=True, reads=1)
    def fills(self, asked: Asked) -> Body:
        _, account = self.here(asked)
        first, last = int(asked.params.get("begin", 0)), int(asked.params.get("end", 1 << 62))
        found = [
            trade
            for trade in reversed(account.trades)
            if self._wanted(asked, trade.order) and first <= trade.at_ms <= last
        ]
        if after := asked.params.get("after"):  # older than this bill
            found = [trade for trade in found if int(fill(trade)["billId"]) < int(after)]
        return [fill(trade) for trade in found[: int(asked.params.get("limit", 100))]]

    @route("GET", "/api/v5/trade/fills", "trades", private=True, reads=1)
    def recent_fills(self, asked: Asked) -> Body:
        return self.fills(asked)

    def _place(self, asked: Asked, params: dict[str, str]) -> Order:
        venue, account = self.here(asked)
        listing, kind = self.market(params["instId"]), params["ordType"]
        client_id = params.get("clOrdId", "")
        if client_id and not _ID.fullmatch(client_id):
            raise Refused(Why.CLIENT_ID)
        if (params["tdMode"] == "cash") is listing.swap:
            raise Refused(Why.MARGIN_MODE)
        market, size = kind == "market", Decimal(params["sz"])
        by_value = market and not listing.swap and params["side"] == "buy"
        by_value = by_value and params.get("tgtCcy", "quote_ccy") == "quote_ccy"
        side = params.get("posSide", "net") or "net"
        mode = params["tdMode"]
        return venue.place(
            Order(
                number=0,
                client_id=client_id,
                account=account,
                listing=listing,
                action=params["side"],
                kind="market" if market else "limit",
                price=None if market else Decimal(params["px"]),
                quantity=Decimal(0) if by_value else size * listing.contract,
                cost=size if by_value else None,
                # Spot without margin has no such orders, and reads over it.
                reduce_only=listing.swap and params.get("reduceOnly") == "true",
                position_side={"net": "both"}.get(side, side) if listing.swap else "both",
                margin_mode=mode,
                leverage=leverage(venue, account, listing, mode) if listing.swap else Decimal(1),
                lasts=_LASTS[kind],
                asked=params,
            )
        )

    def _cancel(self, asked: Asked, params: dict[str, str]) -> Order:
        venue, account = self.here(asked)
        listing = self.market(params["instId"])
        order = venue.find(
            account,
            swap=listing.swap,
            symbol=listing.symbol,
            id=params.get("ordId", ""),
            client_id=params.get("clOrdId", ""),
            reading=False,
        )
        venue.cancel(order)
        return order

    def _each(
        self, asked: Asked, entries: list[dict[str, Any]], run: Callable[[Asked, dict[str, str]], Order]
    ) -> Body:
        """Run each entry; code 0 if all went well, 1 if none did, 2 for some."""
        rows = []
        for entry in entries:
            params = {key: as_text(value) for key, value in entry.items() if value is not None}
            row = {"ordId": params.get("ordId", ""), "clOrdId": params.get("clOrdId", "")}
            row |= {"tag": params.get("tag", ""), "ts": str(self.now_ms())}
            try:
                order = run(asked, params)
                ids = {"ordId": order.id, "clOrdId": order.client_id}
                rows.append(row | ids | {"sCode": "0", "sMsg": ""})
            except (Refused, KeyError) as error:
                refused = error if isinstance(error, Refused) else Refused(Why.PARAMETER, str(error))
                code, message = self.words(asked, refused)
                rows.append(row | {"sCode": code, "sMsg": message})
        wrong = sum(row["sCode"] != "0" for row in rows)
        code = "0" if not wrong else ("1" if wrong == len(rows) else "2")
        message = "All operations failed" if code == "1" else ""
        return {"code": code, "msg": message, "data": rows}

    def _page(self, asked: Asked, shown: Callable[[Order], bool]) -> Body:
        venue, account = self.here(asked)
        after = int(asked.params.get("after", 0) or 0)
        orders = [order for order in account.orders if self._wanted(asked, order) and shown(order)]
        rows = [order for order in venue.seen(orders) if not after or order.number < after]
        return [row(order) for order in rows[: int(asked.params.get("limit", 100))]]

    def _wanted(self, asked: Asked, order: Order) -> bool:
        params = asked.params
        return (
            params.get("instId", order.listing.native) == order.listing.native
            and params.get("instType", kind_of(order.listing)) == kind_of(order.listing)
            and params.get("ordId", order.id) == order.id
        )


def kind_of(listing: Listing) -> str:
    return "SWAP" if listing.swap else "SPOT"


def leverage(venue: Venue, account: Account, listing: Listing, mode: str) -> Decimal:
    """Return the leverage of a market; each margin mode has its own."""
    return account.leverage.get(f"{listing.symbol}/{mode}", venue.terms.leverage)


def in_contracts(listing: Listing, quantity: Decimal) -> str:
    return wire(quantity / listing.contract) if listing.swap else wire(quantity)


def signature_fits(account: Account, signed: str, signature: str) -> bool:
    return as_base64(account.keys.secret, signed) == signature


def row(order: Order) -> dict[str, Any]:
    """Return an order as look-ups and lists show it. A charged fee is negative."""
    rules, listing = order.listing.rules, order.listing
    last = order.trades[-1] if order.trades else None
    fee = sum((trade.fee for trade in order.trades), Decimal(0))
    profit = sum((trade.profit for trade in order.trades), Decimal(0))
    own = rules.base if not listing.swap and order.action == "buy" else rules.quote
    size = wire(order.cost) if order.cost is not None else in_contracts(listing, order.quantity)
    return {
        "accFillSz": in_contracts(listing, order.filled),
        "algoClOrdId": "",
        "algoId": "",
        "attachAlgoClOrdId": "",
        "attachAlgoOrds": [],
        "avgPx": wire(order.average.quantize(Decimal("1e-8"))) if order.filled else "",
        "cTime": str(order.created_ms),
        "cancelSource": "1" if order.status == "cancelled" else "",
        "cancelSourceReason": "",
        "category": "normal",
        "ccy": "",
        "clOrdId": order.client_id,
        "fee": wire(-fee),
        "feeCcy": last.fee_currency if last else own,
        "fillPx": wire(last.price) if last else "",
        "fillSz": in_contracts(listing, last.quantity) if last else "0",
        "fillTime": str(last.at_ms) if last else "",
        "instId": listing.native,
        "instType": kind_of(listing),
        "isTpLimit": "false",
        "lever": wire(order.leverage) if listing.swap else "0",
        "linkedAlgoOrd": {"algoId": ""},
        "ordId": order.id,
        "ordType": order.asked.get("ordType", order.kind),
        "pnl": wire(profit),
        "posSide": {"both": "net"}.get(order.position_side, order.position_side) if listing.swap else "",
        "px": wire(order.price) if order.price is not None else "",
        "pxType": "",
        "pxUsd": "",
        "pxVol": "",
        "quickMgnType": "",
        "rebate": "0",
        "rebateCcy": rules.quote if own == rules.base else rules.base,
        "reduceOnly": str(order.reduce_only).lower(),
        "side": order.action,
        "slOrdPx": "",
        "slTriggerPx": "",
        "slTriggerPxType": "",
        "source": "",
        "state": _STATE[order.status],
        "stpId": "",
        "stpMode": "cancel_maker",
        "sz": size,
        "tag": order.asked.get("tag", ""),
        "tdMode": order.asked.get("tdMode", order.margin_mode if listing.swap else "cash"),
        "tgtCcy": order.asked.get("tgtCcy", ""),
        "tpOrdPx": "",
        "tpTriggerPx": "",
        "tpTriggerPxType": "",
        "tradeId": str(last.id) if last else "",
        "uTime": str(order.updated_ms),
    }


def fill(trade: Trade) -> dict[str, Any]:
    order, listing = trade.order, trade.order.listing
    return {
        "side": order.action,
        "fillSz": in_contracts(listing, trade.quantity),
        "fillPx": wire(trade.price),
        "fillPxVol": "",
        "fillFwdPx": "",
        "fee": wire(-trade.fee),
        "fillPnl": wire(trade.profit),
        "ordId": order.id,
        "feeRate": "",
        "instType": kind_of(listing),
        "fillPxUsd": "",
        "instId": listing.native,
        "clOrdId": order.client_id,
        "posSide": {"both": "net"}.get(order.position_side, order.position_side),
        "billId": str(trade.id + 7_000_000),
        "subType": _SUBTYPES[order.forced, order.action],
        "fillMarkVol": "",
        "tag": order.asked.get("tag", ""),
        "fillTime": str(trade.at_ms),
        "execType": "M" if trade.maker else "T",
        "fillIdxPx": "",
        "tradeId": str(trade.id),
        "fillMarkPx": wire(trade.price) if listing.swap else "",
        "feeCcy": trade.fee_currency,
        "ts": str(trade.at_ms),
    }


# A trade's, and that of a liquidation: of a short by buying, of a long by selling.
_SUBTYPES = {(False, "buy"): "1", (False, "sell"): "2", (True, "buy"): "105", (True, "sell"): "104"}
