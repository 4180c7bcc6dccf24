"""Binance's websockets: public streams, spot's user data over the websocket API, USDⓈ-M's over a listen key."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from tests.exchanges.binance_orders import STATUS, BinanceOrders
from tests.exchanges.binance_spot import spot_kind
from tests.exchanges.listing import Listing
from tests.exchanges.server import Fails, wire
from tests.exchanges.signing import as_hex
from tests.exchanges.streams import Socket
from tests.exchanges.usual import UsualStreams
from tests.exchanges.venue import Account, Happened, Order, Position, Quote, Trade, Venue

# Which streams of perpetuals live behind which path.
_PUBLIC = {"bookTicker", "depth", "trade"}
_MARKET = {"ticker", "miniTicker", "aggTrade", "markPrice"}


class BinanceStreams(BinanceOrders, UsualStreams):
    """Topics are kept as the client names them: `btcusdt@bookTicker`, `!bookTicker`; `user` for its own."""

    def opened(self, socket: Socket) -> None:
        key = socket.query.get("listenKey") or socket.path.rpartition("/")[2]
        if key in self.listen_keys:
            socket.account = self.listen_keys[key]
            socket.topics["user"] = True

    def expire_listen_keys(self) -> None:
        """Let all listen keys run out: their sockets say so once, and tell nothing more."""
        for socket in self.streams.sockets:
            if socket.topics.pop("user", None) and socket.host.startswith("fstream"):
                key = socket.query.get("listenKey", "")
                self.streams.push(socket, {"e": "listenKeyExpired", "E": self.now_ms(), "listenKey": key})
        self.listen_keys.clear()

    async def hear(self, socket: Socket, text: str) -> None:
        message = json.loads(text)
        if "ws-api" in socket.path:
            self.streams.push(socket, self._api(socket, message))
            return
        for topic in message.get("params", []):
            if message["method"] == "SUBSCRIBE":
                socket.topics[topic] = True
            else:
                socket.topics.pop(topic, None)
        self.streams.push(socket, {"result": None, "id": message["id"]})
        if message["method"] == "SUBSCRIBE":
            self.tell_all_quotes(socket, set(message["params"]))

    def _api(self, socket: Socket, message: dict[str, Any]) -> dict[str, Any]:
        params = {key: str(value) for key, value in message.get("params", {}).items()}
        try:
            if message["method"] == "userDataStream.subscribe.signature":
                socket.account = self._signed(socket, params)
                socket.topics["user"] = True
                result: Any = {"subscriptionId": 0}
            elif message["method"] == "userDataStream.unsubscribe":
                socket.topics.pop("user", None)
                result = {}
            elif message["method"] == "time":
                result = {"serverTime": self.now_ms()}
            else:
                raise Fails({"code": -1000, "msg": "Unknown method."})
        except Fails as fails:
            return {"id": message["id"], "status": fails.status, "error": fails.body, "rateLimits": []}
        return {"id": message["id"], "status": 200, "result": result, "rateLimits": []}

    def _signed(self, socket: Socket, params: dict[str, str]) -> Account:
        account = socket.venue.accounts.get(params.get("apiKey", ""))
        if account is None or not self.allows(account, "127.0.0.1", "read", "/api"):
            raise Fails({"code": -2015, "msg": "Invalid API-key, IP, or permissions for action."}, 401)
        signed = "&".join(f"{key}={params[key]}" for key in sorted(params) if key != "signature")
        if as_hex(account.keys.secret, signed) != params.get("signature"):
            raise Fails({"code": -1022, "msg": "Signature for this request is not valid."})
        self.check_time(params)
        return account

    # Public

    def tell_quote(self, socket: Socket, listing: Listing, quote: Quote, topics: set[str]) -> None:
        name = listing.native.lower()
        for topic in topics:
            symbol, _, kind = topic.partition("@")
            if symbol == name or symbol in ("!bookTicker", "!miniTicker", "!ticker"):
                kind = symbol[1:] if symbol.startswith("!") else kind.partition("_")[0]
                if self._serves(socket, listing, kind):
                    frame = self._frame(listing, quote, kind)
                    whole = topic.endswith("@arr")
                    if frame:
                        self.streams.push(socket, [frame] if whole else frame)

    def tell_print(self, socket: Socket, listing: Listing, quote: Quote) -> None:
        for kind in ("trade", "aggTrade"):
            topic = f"{listing.native.lower()}@{kind}"
            if topic in socket.topics and self._serves(socket, listing, kind):
                self.streams.push(socket, self._print(listing, quote, kind))

    def _serves(self, socket: Socket, listing: Listing, kind: str) -> bool:
        """Tell whether this address has that market's streams of that kind."""
        swap = socket.host.startswith("fstream")
        if listing.swap is not swap:
            return False
        category = socket.path.split("/")[1]
        wanted = {"public": _PUBLIC, "market": _MARKET}.get(category)
        return not swap or wanted is None or kind.partition("@")[0] in wanted

    def _frame(self, listing: Listing, quote: Quote, kind: str) -> dict[str, Any] | None:
        now, last = self.now_ms(), wire(quote.last)
        if kind == "bookTicker":
            book = {
                "u": now,
                "s": listing.native,
                "b": wire(quote.bid),
                "B": "10.000",
                "a": wire(quote.ask),
                "A": "10.000",
            }
            return {"e": "bookTicker", **book, "T": now, "E": now} if listing.swap else book
        if kind == "miniTicker":
            head = {"e": "24hrMiniTicker", "E": now, "s": listing.native, "c": last, "o": last}
            return head | {"h": last, "l": last, "v": "1000", "q": wire(quote.last * 1000)}
        if kind == "ticker":
            return self._ticker(listing, quote)
        if kind.startswith("markPrice"):
            head = {"e": "markPriceUpdate", "E": now, "s": listing.native, "p": last, "i": last, "P": last}
            return head | {"r": "0.00010000", "T": now + 3_600_000}
        return None

    def _ticker(self, listing: Listing, quote: Quote) -> dict[str, Any]:
        now, last = self.now_ms(), wire(quote.last)
        frame = {
            "e": "24hrTicker",
            "E": now,
            "s": listing.native,
            "p": "0",
            "P": "0.000",
            "w": last,
            "c": last,
            "Q": "1",
            "o": last,
            "h": last,
            "l": last,
            "v": "1000",
            "q": wire(quote.last * 1000),
            "O": now - 86_400_000,
            "C": now,
            "F": 1,
            "L": 1000,
            "n": 1000,
        }
        book = {"x": last, "b": wire(quote.bid), "B": "10", "a": wire(quote.ask), "A": "10"}
        return frame if listing.swap else frame | book

    def _print(self, listing: Listing, quote: Quote, kind: str) -> dict[str, Any]:
        now, number = self.now_ms(), self.next_print()
        frame = {
            "e": kind,
            "E": now,
            "s": listing.native,
            "p": wire(quote.last),
            "q": "0.100",
            "T": now,
            "m": False,
        }
        if kind == "aggTrade":
            return frame | {"a": number, "f": number, "l": number}
        return frame | {"t": number, "M": True}

    # Private

    def tell_private(self, socket: Socket, happened: Happened) -> None:
        listing = happened.listing
        assert listing is not None
        if "user" not in socket.topics or listing.swap is not socket.host.startswith("fstream"):
            return
        if happened.kind == "order":
            assert happened.order is not None
            report = self._usdm_order if listing.swap else self._spot_order
            event = report(happened.order, happened.what, happened.trade)
        elif listing.swap:
            event = self._usdm_account(socket.venue, happened)
        elif happened.kind == "balance":
            event = self._spot_account(happened)
        else:
            return
        message = event if listing.swap else {"subscriptionId": 0, "event": event}
        self.streams.push(socket, message, private=True)

    def _spot_order(self, order: Order, what: str, trade: Trade | None) -> dict[str, Any]:
        cancelled, now = what == "cancelled", self.now_ms()
        return {
            "e": "executionReport",
            "E": now,
            "s": order.listing.native,
            "c": f"cancel{order.number}" if cancelled else order.client_id,
            "S": order.action.upper(),
            "o": spot_kind(order),
            "f": "GTC" if order.lasts == "PO" else order.lasts,
            "q": wire(order.quantity, 8),
            "p": wire(order.price or Decimal(0), 8),
            "P": "0.00000000",
            "F": "0.00000000",
            "g": -1,
            "C": order.client_id if cancelled else "",
            "x": _execution(what),
            "X": STATUS[order.status],
            "r": "NONE",
            "i": order.number,
            "l": wire(trade.quantity if trade else Decimal(0), 8),
            "z": wire(order.filled, 8),
            "L": wire(trade.price if trade else Decimal(0), 8),
            "n": wire(trade.fee, 8) if trade else "0",
            "N": trade.fee_currency if trade else None,
            "T": order.updated_ms,
            "t": trade.id if trade else -1,
            "I": now,
            "w": order.open,
            "m": trade.maker if trade else False,
            "M": False,
            "O": order.created_ms,
            "Z": wire(order.value, 8),
            "Y": wire(trade.price * trade.quantity if trade else Decimal(0), 8),
            "Q": wire(order.cost or Decimal(0), 8),
            "W": order.created_ms,
            "V": "EXPIRE_MAKER",
        }

    def _spot_account(self, happened: Happened) -> dict[str, Any]:
        account, now = happened.account, self.now_ms()
        assert account is not None
        rows = [
            {
                "a": currency,
                "f": wire(account.free(currency), 8),
                "l": wire(account.reserved(currency), 8),
            }
            for currency in happened.currencies
        ]
        return {"e": "outboundAccountPosition", "E": now, "u": now, "B": rows}

    def _usdm_order(self, order: Order, what: str, trade: Trade | None) -> dict[str, Any]:
        row = {
            "s": order.listing.native,
            "c": order.client_id,
            "S": order.action.upper(),
            "o": order.kind.upper(),
            "f": "GTX" if order.lasts == "PO" else order.lasts,
            "q": wire(order.quantity),
            "p": wire(order.price or Decimal(0)),
            "ap": wire(order.average, 5),
            "sp": "0",
            "x": _execution(what),
            "X": STATUS[order.status],
            "i": order.number,
            "l": wire(trade.quantity if trade else Decimal(0)),
            "z": wire(order.filled),
            "L": wire(trade.price if trade else Decimal(0)),
            "T": order.updated_ms,
            "t": trade.id if trade else 0,
            "b": "0",
            "a": "0",
            "m": trade.maker if trade else False,
            "R": order.reduce_only,
            "wt": "CONTRACT_PRICE",
            "ot": order.kind.upper(),
            "ps": order.position_side.upper(),
            "cp": False,
            "rp": wire(trade.profit, 8) if trade else "0",
            "pP": False,
            "si": 0,
            "ss": 0,
            "V": "EXPIRE_MAKER",
            "pm": "NONE",
            "gtd": 0,
        }
        if trade:
            row |= {"N": trade.fee_currency, "n": wire(trade.fee, 8)}
        return {"e": "ORDER_TRADE_UPDATE", "T": order.updated_ms, "E": self.now_ms(), "o": row}

    def _usdm_account(self, venue: Venue, happened: Happened) -> dict[str, Any]:
        account = happened.account
        assert account is not None
        balances = [
            {
                "a": currency,
                "wb": wire(account.wallet("swap")[currency], 8),
                "cw": wire(account.wallet("swap")[currency], 8),
                "bc": "0",
            }
            for currency in ("USDT",)
        ]
        positions = [_held(venue, happened.position)] if happened.position else []
        now = self.now_ms()
        return {
            "e": "ACCOUNT_UPDATE",
            "T": now,
            "E": now,
            "a": {"m": "ORDER", "B": balances, "P": positions},
        }


def _held(venue: Venue, position: Position) -> dict[str, Any]:
    isolated = position.margin_mode == "isolated"
    return {
        "s": position.listing.native,
        "pa": wire(position.quantity),
        "ep": wire(position.entry, 8),
        "bep": wire(position.entry, 8),
        "cr": wire(position.realized, 8),
        "up": wire(position.profit(venue.quotes[position.listing.symbol].last), 8),
        "mt": position.margin_mode,
        "iw": wire(position.margin, 8) if isolated else "0",
        "ps": position.side.upper(),
    }


def _execution(what: str) -> str:
    return {"new": "NEW", "trade": "TRADE", "cancelled": "CANCELED", "expired": "EXPIRED"}[what]
