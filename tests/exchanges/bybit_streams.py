"""Bybit's websockets. Topics are kept as the client names them: `orderbook.1.BTCUSDT`, `order`, `wallet`."""

from __future__ import annotations

import json
import secrets
from typing import Any

from tests.exchanges.bybit_account import position, wallet
from tests.exchanges.bybit_markets import ticker
from tests.exchanges.bybit_orders import execution, row
from tests.exchanges.listing import Listing
from tests.exchanges.server import wire
from tests.exchanges.signing import as_hex
from tests.exchanges.streams import Socket
from tests.exchanges.usual import UsualStreams
from tests.exchanges.venue import Happened, Quote


class BybitStreams(UsualStreams):
    async def hear(self, socket: Socket, text: str) -> None:
        message = json.loads(text)
        op, private = message["op"], socket.path == "/v5/private"
        answer = {"success": True, "ret_msg": "", "op": op, "conn_id": f"{id(socket):x}"}
        if "req_id" in message:
            answer["req_id"] = message["req_id"]
        if op == "ping":
            pong = {"op": "pong", "args": [str(self.now_ms())], "conn_id": f"{id(socket):x}"}
            answer = pong if private else answer | {"ret_msg": "pong"}
        elif op == "auth":
            answer |= self._login(socket, message["args"])
        elif op == "subscribe":
            answer |= self._subscribe(socket, message["args"], private)
        else:
            for topic in message["args"]:
                socket.topics.pop(topic, None)
        self.streams.push(socket, answer)
        if op == "subscribe" and not private:
            self.tell_all_quotes(socket, set(message["args"]))

    def _login(self, socket: Socket, args: list[Any]) -> dict[str, Any]:
        key, expires, signature = (str(each) for each in args)
        account = socket.venue.accounts.get(key)
        if account is None or account.revoked:
            return {"success": False, "ret_msg": "API key is invalid."}
        wanted = as_hex(account.keys.secret, f"GET/realtime{expires}")
        if int(expires) <= self.now_ms() or signature != wanted:
            return {"success": False, "ret_msg": "Params Error"}
        socket.account = account
        return {}

    def _subscribe(self, socket: Socket, topics: list[str], private: bool) -> dict[str, Any]:
        if private and socket.account is None:
            return {"success": False, "ret_msg": "Request not authorized"}
        socket.topics |= dict.fromkeys(topics, True)
        return {} if private else {"ret_msg": "subscribe"}

    def tell_quote(self, socket: Socket, listing: Listing, quote: Quote, topics: set[str]) -> None:
        if not self._shows(socket, listing):
            return
        now = self.now_ms()
        if f"tickers.{listing.native}" in topics:
            data = ticker(listing, quote)
            if not listing.swap:
                for name in ("bid1Price", "bid1Size", "ask1Price", "ask1Size"):
                    del data[name]  # a spot ticker's stream knows no book
            topic = f"tickers.{listing.native}"
            self.streams.push(
                socket, {"topic": topic, "type": "snapshot", "data": data, "cs": now, "ts": now}
            )
        if f"orderbook.1.{listing.native}" in topics:
            book = {
                "s": listing.native,
                "b": [[wire(quote.bid), "10"]],
                "a": [[wire(quote.ask), "10"]],
                "u": now,
                "seq": now,
            }
            topic = f"orderbook.1.{listing.native}"
            self.streams.push(
                socket, {"topic": topic, "ts": now, "type": "snapshot", "data": book, "cts": now}
            )

    def tell_print(self, socket: Socket, listing: Listing, quote: Quote) -> None:
        topic = f"publicTrade.{listing.native}"
        if topic not in socket.topics or not self._shows(socket, listing):
            return
        now = self.now_ms()
        trade = {
            "T": now,
            "s": listing.native,
            "S": "Buy",
            "v": "0.1",
            "p": wire(quote.last),
            "L": "PlusTick",
            "i": str(self.next_print()),
            "BT": False,
        }
        self.streams.push(socket, {"topic": topic, "type": "snapshot", "ts": now, "data": [trade]})

    def _shows(self, socket: Socket, listing: Listing) -> bool:
        return socket.path == f"/v5/public/{'linear' if listing.swap else 'spot'}"

    def tell_private(self, socket: Socket, happened: Happened) -> None:
        listing, account = happened.listing, happened.account
        assert listing is not None
        assert account is not None
        category = {"category": "linear" if listing.swap else "spot"}
        if happened.order is not None:
            self._send(socket, "order", row(happened.order) | category)
            if happened.trade is not None:
                self._send(socket, "execution", execution(happened.trade) | category)
        elif happened.position is not None:
            held = position(socket.venue, account, happened.position)
            held["entryPrice"] = held.pop("avgPrice")
            self._send(socket, "position", held | category)
        else:
            self._send(socket, "wallet", wallet(socket.venue, account, happened.currencies))

    def _send(self, socket: Socket, topic: str, data: dict[str, Any]) -> None:
        if topic in socket.topics:
            frame = {
                "id": secrets.token_hex(16),
                "topic": topic,
                "creationTime": self.now_ms(),
                "data": [data],
            }
            self.streams.push(socket, frame, private=True)
