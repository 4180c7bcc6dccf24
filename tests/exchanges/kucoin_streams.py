"""KuCoin's websockets: opened with a token, topics with several markets after a colon. Spot and futures apart."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from tests.exchanges.kucoin_futures import FuturesRoutes, contract_position, in_contracts
from tests.exchanges.listing import Listing
from tests.exchanges.server import wire
from tests.exchanges.streams import Socket
from tests.exchanges.usual import UsualStreams
from tests.exchanges.venue import Account, Happened, Order, Quote, Trade

_KINDS = {"new": "open", "trade": "match", "cancelled": "canceled", "expired": "canceled"}
_SPOT = ("/market/", "/spotMarket/", "/account/", "/spot/")
_FUTURES = ("/contractMarket/", "/contract/", "/contractAccount/")


class KucoinStreams(FuturesRoutes, UsualStreams):
    """Topics are kept one market at a time: `/market/match:BTC-USDT`."""

    def opened(self, socket: Socket) -> None:
        socket.account = self.tokens.get(socket.query.get("token", ""))
        self.streams.push(socket, {"id": socket.query.get("connectId", "1"), "type": "welcome"})

    async def hear(self, socket: Socket, text: str) -> None:
        message = json.loads(text)
        if message["type"] == "ping":
            pong = {"id": message["id"], "type": "pong", "timestamp": self.now_ms() * 1000}
            self.streams.push(socket, pong)
            return
        head, colon, names = message["topic"].partition(":")
        topics = {f"{head}{colon}{name}" for name in names.split(",")}
        if not head.startswith(_FUTURES if self._futures(socket) else _SPOT):
            wrong = {"id": message["id"], "type": "error", "code": 404, "data": f"topic {head} is not found"}
            self.streams.push(socket, wrong)
            return
        for topic in topics:
            if message["type"] == "subscribe":
                socket.topics[topic] = True
            else:
                socket.topics.pop(topic, None)
        self.streams.push(socket, {"id": message["id"], "type": "ack"})
        if message["type"] == "subscribe":
            self.tell_all_quotes(socket, topics)

    def _futures(self, socket: Socket) -> bool:
        return socket.host == "ws-api-futures.kucoin.com"

    def tell_quote(self, socket: Socket, listing: Listing, quote: Quote, topics: set[str]) -> None:
        if listing.swap is not self._futures(socket):
            return
        frames = self._futures_frames(listing, quote) if listing.swap else self._spot_frames(listing, quote)
        for head, (subject, data) in frames.items():
            topic = f"{head}:{listing.native}"
            if topic in topics:
                frame = {"topic": topic, "type": "message", "subject": subject, "data": data}
                self.streams.push(socket, frame)

    def _spot_frames(self, listing: Listing, quote: Quote) -> dict[str, tuple[str, Any]]:
        now, last, book = self.now_ms(), wire(quote.last), [wire(quote.bid), wire(quote.ask)]
        number = float(quote.last)
        snapshot = {
            "symbol": listing.native,
            "symbolCode": listing.native,
            "baseCurrency": listing.rules.base,
            "quoteCurrency": listing.rules.quote,
            "market": "USDS",
            "datetime": now,
            "lastTradedPrice": number,
            "close": number,
            "open": number,
            "high": number,
            "low": number,
            "buy": float(quote.bid),
            "sell": float(quote.ask),
            "changePrice": 0.0,
            "changeRate": 0.0,
            "vol": 1000.0,
            "volValue": number * 1000,
            "trading": True,
        }
        ticker = {
            "bestAsk": book[1],
            "bestAskSize": "10",
            "bestBid": book[0],
            "bestBidSize": "10",
            "price": last,
            "sequence": str(now),
            "size": "1",
            "time": now,
        }
        level1 = {"asks": [book[1], "10"], "bids": [book[0], "10"], "timestamp": now}
        return {
            "/market/snapshot": ("trade.snapshot", {"sequence": str(now), "data": snapshot}),
            "/market/ticker": ("trade.ticker", ticker),
            "/spotMarket/level1": ("level1", level1),
        }

    def _futures_frames(self, listing: Listing, quote: Quote) -> dict[str, tuple[str, Any]]:
        ticker = self.contract_ticker(listing, quote)
        names = ("symbol", "sequence", "bestBidSize", "bestBidPrice", "bestAskPrice", "bestAskSize", "ts")
        return {
            "/contractMarket/ticker": ("ticker", ticker),
            "/contractMarket/tickerV2": ("tickerV2", {name: ticker[name] for name in names}),
        }

    def tell_print(self, socket: Socket, listing: Listing, quote: Quote) -> None:
        head = "/contractMarket/execution" if listing.swap else "/market/match"
        topic = f"{head}:{listing.native}"
        if topic not in socket.topics:
            return
        common: dict[str, Any] = {
            "symbol": listing.native,
            "side": "buy",
            "takerOrderId": "0" * 24,
            "makerOrderId": "0" * 24,
            "tradeId": str(self.next_print()),
        }
        nanoseconds = self.now_ms() * 1_000_000
        if listing.swap:
            data = common | {"sequence": nanoseconds, "size": 1, "price": wire(quote.last), "ts": nanoseconds}
        else:
            data = common | {"sequence": str(nanoseconds), "type": "match", "price": wire(quote.last)}
            data |= {"size": "0.1", "time": str(nanoseconds)}
        subject = "match" if listing.swap else "trade.l3match"
        self.streams.push(socket, {"topic": topic, "type": "message", "subject": subject, "data": data})

    def tell_private(self, socket: Socket, happened: Happened) -> None:
        listing, account = happened.listing, happened.account
        assert listing is not None
        assert account is not None
        if listing.swap is not self._futures(socket):
            return
        if happened.order is not None:
            self._tell_change(socket, happened.order, happened.what, happened.trade)
        elif happened.position is not None:
            data = contract_position(socket.venue, account, happened.position)
            data["changeReason"] = "positionChange"
            for topic in (f"/contract/position:{listing.native}", "/contract/positionAll"):
                self._send(socket, topic, "position.change", data)
        elif listing.swap:
            self._send(socket, "/contractAccount/wallet", "walletBalance.change", _wallet(self, account))
        else:
            for currency in happened.currencies:
                self._send(socket, "/account/balance", "account.balance", _balance(self, account, currency))

    def _tell_change(self, socket: Socket, order: Order, what: str, trade: Trade | None) -> None:
        if what == "new" and order.kind == "market":
            return  # which never rests
        self._send_change(socket, order, _KINDS[what], trade)
        if what == "trade" and order.status == "filled":
            self._send_change(socket, order, "filled", None)

    def _send_change(self, socket: Socket, order: Order, kind: str, trade: Trade | None) -> None:
        data = _change(order, kind, trade)
        if order.listing.swap:
            for topic in (
                "/contractMarket/tradeOrders",
                f"/contractMarket/tradeOrders:{order.listing.native}",
            ):
                self._send(socket, topic, "symbolOrderChange" if ":" in topic else "orderChange", data)
        else:
            self._send(socket, "/spotMarket/tradeOrders", "orderChange", data)

    def _send(self, socket: Socket, topic: str, subject: str, data: dict[str, Any]) -> None:
        if topic in socket.topics:
            frame = {"topic": topic, "type": "message", "subject": subject, "channelType": "private"}
            self.streams.push(socket, frame | {"data": data}, private=True)


def _change(order: Order, kind: str, trade: Trade | None) -> dict[str, Any]:
    listing, nanoseconds = order.listing, order.updated_ms * 1_000_000

    def size(quantity: Decimal) -> str:
        return str(in_contracts(listing, quantity)) if listing.swap else wire(quantity)

    status = "match" if kind == "match" and not listing.swap else ("open" if order.open else "done")
    data = {
        "symbol": listing.native,
        "orderType": order.kind,
        "side": order.action,
        "orderId": order.id,
        "type": kind,
        "orderTime": order.created_ms * (1_000_000 if listing.swap else 1),
        "size": size(order.quantity),
        "filledSize": size(order.filled),
        "price": wire(order.price or Decimal(0)),
        "clientOid": order.client_id,
        "remainSize": size(order.left if order.open else Decimal(0)),
        "canceledSize": size(order.left if kind == "canceled" else Decimal(0)),
        "status": status,
        "ts": nanoseconds,
    }
    if trade is not None:
        data |= {
            "liquidity": "maker" if trade.maker else "taker",
            "matchPrice": wire(trade.price),
            "matchSize": size(trade.quantity),
            "tradeId": str(trade.id),
        }
    if listing.swap:
        data |= {"marginMode": order.margin_mode.upper(), "positionSide": order.position_side.upper()}
    return data


def _balance(exchange: KucoinStreams, account: Account, currency: str) -> dict[str, Any]:
    held, free = account.wallet("spot")[currency], account.free(currency)
    return {
        "accountId": f"{account.number}{currency}",
        "currency": currency,
        "total": wire(held),
        "available": wire(free),
        "hold": wire(held - free),
        "availableChange": "0",
        "holdChange": "0",
        "relationContext": {},
        "relationEvent": "trade.setted",
        "relationEventId": "0",
        "time": str(exchange.now_ms()),
    }


def _wallet(exchange: KucoinStreams, account: Account) -> dict[str, Any]:
    held = account.wallet("swap")["USDT"]
    positions = sum((each.margin for each in account.positions.values()), Decimal(0))
    free = account.free("USDT", "swap").quantize(Decimal("1e-8"))
    return {
        "crossPosMargin": "0",
        "isolatedOrderMargin": "0",
        "holdBalance": "0",
        "equity": wire(held),
        "version": str(exchange.now_ms()),
        "availableBalance": wire(free),
        "isolatedPosMargin": wire(positions.quantize(Decimal("1e-8"))),
        "walletBalance": wire(held),
        "isolatedFundingFeeMargin": "0",
        "crossUnPnl": "0",
        "totalCrossMargin": wire(free),
        "currency": "USDT",
        "isolatedUnPnl": "0",
        "crossOrderMargin": "0",
        "timestamp": str(exchange.now_ms()),
    }
