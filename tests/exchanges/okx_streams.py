"""OKX's websockets. A topic is kept as its own argument, written as JSON."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from tests.exchanges.listing import Listing
from tests.exchanges.okx_account import position, wallet
from tests.exchanges.okx_markets import OkxMarkets
from tests.exchanges.okx_orders import in_contracts, kind_of, row, signature_fits
from tests.exchanges.server import wire
from tests.exchanges.streams import Socket
from tests.exchanges.usual import UsualStreams
from tests.exchanges.venue import Happened, Order, Quote, Trade

_PRIVATE = {"orders", "account", "positions", "balance_and_position"}
_PUBLIC = {"tickers", "bbo-tbt", "trades", "books5", "mark-price"}


class OkxStreams(OkxMarkets, UsualStreams):
    async def hear(self, socket: Socket, text: str) -> None:
        if text == "ping":
            self.streams.push(socket, "pong")
            return
        message = json.loads(text)
        if message["op"] == "login":
            self.streams.push(socket, self._login(socket, message["args"][0]))
            return
        for arg in message["args"]:
            key = json.dumps(arg, sort_keys=True)
            if message["op"] == "unsubscribe":
                socket.topics.pop(key, None)
                self.streams.push(socket, {"event": "unsubscribe", "arg": arg, "connId": "a4d3ae55"})
            else:
                self._subscribe(socket, key, arg)

    def _login(self, socket: Socket, arg: dict[str, Any]) -> dict[str, Any]:
        account, sent = socket.venue.accounts.get(arg["apiKey"]), str(arg["timestamp"])
        elsewhere = any(arg["apiKey"] in venue.accounts for venue in self.venues.values())
        if account is None or account.revoked:
            code = "50101" if elsewhere else "60005"
            words = "APIKey does not match current environment." if elsewhere else "Invalid apiKey"
            return {"event": "error", "code": code, "msg": words, "connId": "a4d3ae55"}
        if abs(self.now_ms() / 1000 - float(sent)) > 30:
            return {"event": "error", "code": "60006", "msg": "Timestamp request expired", "connId": "a4"}
        fits = signature_fits(account, f"{sent}GET/users/self/verify", arg["sign"])
        if not fits or arg["passphrase"] != account.keys.passphrase:
            return {"event": "error", "code": "60007", "msg": "Invalid sign", "connId": "a4d3ae55"}
        socket.account = account
        return {"event": "login", "code": "0", "msg": "", "connId": "a4d3ae55"}

    def _subscribe(self, socket: Socket, key: str, arg: dict[str, str]) -> None:
        channel, private = arg["channel"], socket.path.endswith("/private")
        if channel not in (_PRIVATE if private else _PUBLIC):
            words = f"Wrong URL or channel:{channel} doesn't exist."
            self.streams.push(socket, {"event": "error", "code": "60018", "msg": words, "connId": "a4"})
            return
        if private and socket.account is None:
            self.streams.push(
                socket, {"event": "error", "code": "60011", "msg": "Please log in", "connId": "a4"}
            )
            return
        socket.topics[key] = arg
        self.streams.push(socket, {"event": "subscribe", "arg": arg, "connId": "a4d3ae55"})
        if private:
            self._first_look(socket, arg)
        else:
            self.tell_all_quotes(socket, {key})

    def _first_look(self, socket: Socket, arg: dict[str, str]) -> None:
        account = socket.account
        assert account is not None
        if arg["channel"] == "account":
            self._send(socket, arg, [wallet(socket.venue, account)])
        elif arg["channel"] == "positions":
            held = [each for each in account.positions.values() if each.quantity]
            self._send(socket, arg, [position(socket.venue, account, each) for each in held])

    def tell_quote(self, socket: Socket, listing: Listing, quote: Quote, topics: set[str]) -> None:
        now = self.now_ms()
        for key in topics:
            arg = socket.topics.get(key)
            if arg is None or arg.get("instId") != listing.native:
                continue
            channel = arg["channel"]
            if channel in ("tickers", "mark-price"):
                data = self.ticker(listing, quote)
                self._send(socket, arg, [data | {"markPx": wire(quote.last)}])
            elif channel in ("bbo-tbt", "books5"):
                book = {
                    "asks": [[wire(quote.ask), "10", "0", "2"]],
                    "bids": [[wire(quote.bid), "10", "0", "2"]],
                    "ts": str(now),
                    "seqId": now,
                }
                self._send(socket, arg, [book])

    def tell_print(self, socket: Socket, listing: Listing, quote: Quote) -> None:
        for arg in tuple(socket.topics.values()):
            if arg["channel"] == "trades" and arg["instId"] == listing.native:
                trade = {
                    "instId": listing.native,
                    "tradeId": str(self.next_print()),
                    "px": wire(quote.last),
                    "sz": "1",
                    "side": "buy",
                    "ts": str(self.now_ms()),
                    "count": "1",
                }
                self._send(socket, arg, [trade])

    def tell_private(self, socket: Socket, happened: Happened) -> None:
        listing, account = happened.listing, happened.account
        assert listing is not None
        assert account is not None
        for arg in tuple(socket.topics.values()):
            channel = arg["channel"]
            kind_fits = arg.get("instType", "ANY") in ("ANY", kind_of(listing))
            if arg.get("instId", listing.native) != listing.native:
                continue
            if channel == "orders" and happened.order is not None and kind_fits:
                for event in _events(happened.order, happened.trade):
                    self._send(socket, arg, [event], private=True)
            elif channel == "positions" and happened.position is not None and kind_fits:
                held = position(socket.venue, account, happened.position)
                self._send(socket, arg, [held], private=True)
            elif channel == "account" and happened.kind == "balance":
                self._send(socket, arg, [wallet(socket.venue, account)], private=True)

    def _send(self, socket: Socket, arg: dict[str, str], data: list[Any], *, private: bool = False) -> None:
        own = {"uid": str(socket.account.number)} if socket.account else {}
        self.streams.push(socket, {"arg": arg | own, "data": data}, private=private)


def _events(order: Order, trade: Trade | None) -> list[dict[str, Any]]:
    """Return what a change is told as: the end of an order by value comes after its last fill, on its own."""
    if trade is None or order.cost is None or order.status != "filled":
        return [_event(order, trade)]
    return [_event(order, trade) | {"state": "partially_filled"}, _event(order, None)]


def _event(order: Order, trade: Trade | None) -> dict[str, Any]:
    """Return an order's change: the fill that caused it stands in it, or nothing in its place."""
    listing = order.listing
    value = order.quantity * (order.price or order.average or Decimal(0))
    changed = {
        "amendResult": "",
        "amendSource": "",
        "code": "0",
        "msg": "",
        "reqId": "",
        "notionalUsd": wire(value),
        "lastPx": wire(order.price or order.average or Decimal(0)),
        "execType": "",
        "fillFee": "0",
        "fillFeeCcy": "",
        "fillFwdPx": "",
        "fillMarkPx": "",
        "fillMarkVol": "",
        "fillNotionalUsd": "",
        "fillPnl": "0",
        "fillPx": "",
        "fillPxUsd": "",
        "fillPxVol": "",
        "fillSz": "0",
        "fillTime": "",
        "tradeId": "",
    }
    if trade is not None:
        changed |= {
            "execType": "M" if trade.maker else "T",
            "fillFee": wire(-trade.fee),
            "fillFeeCcy": trade.fee_currency,
            "fillNotionalUsd": wire(trade.price * trade.quantity),
            "fillPnl": wire(trade.profit),
            "fillPx": wire(trade.price),
            "fillSz": in_contracts(listing, trade.quantity),
            "fillTime": str(trade.at_ms),
            "tradeId": str(trade.id),
        }
    return row(order) | changed
