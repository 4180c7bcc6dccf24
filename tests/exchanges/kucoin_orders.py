"""What both hosts of KuCoin have in common: signatures, reading an order, lists."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from tests.exchanges.listing import Listing
from tests.exchanges.server import Asked, Body, Fails, LocalExchange, span
from tests.exchanges.venue import Account, Order, Refused, Trade, Why

_ID = re.compile(r"[A-Za-z0-9_\-]{1,40}")
LASTS = {"GTC": "GTC", "GTT": "GTC", "IOC": "IOC", "FOK": "FOK"}


class KucoinOrders(LocalExchange):
    def __init__(self) -> None:
        super().__init__()
        self.tokens: dict[str, Account | None] = {}

    def fail(self, code: str, message: str, status: int = 200) -> Fails:
        """Return an answer that says no."""
        return Fails({"code": code, "msg": message}, status)

    def words(self, asked: Asked, refused: Refused) -> tuple[str, str]:
        """Return code and message of a refusal."""
        raise NotImplementedError

    def on_futures(self, asked: Asked) -> bool:
        return asked.host == "api-futures.kucoin.com"

    def market(self, asked: Asked, name: str) -> Listing:
        """Return a market by its own name. Raises Refused."""
        listing = self.by_native.get((self.on_futures(asked), name))
        if listing is None:
            raise Refused(Why.SYMBOL, name)
        return listing

    def checked_id(self, params: dict[str, Any]) -> str:
        client_id = str(params["clientOid"])
        if not _ID.fullmatch(client_id):
            raise Refused(Why.CLIENT_ID)
        return client_id

    def known(self, asked: Asked, *, id: str = "", client_id: str = "", reading: bool = True) -> Order:
        """Return an order of this host's markets. Raises Refused."""
        venue, account = self.here(asked)
        swap = self.on_futures(asked)
        name = asked.params.get("symbol")
        symbol = self.market(asked, name).symbol if name else None
        return venue.find(account, swap=swap, symbol=symbol, id=id, client_id=client_id, reading=reading)

    def own(self, asked: Asked, shown: Callable[[Order], bool]) -> list[Order]:
        """Return this host's orders that a list shows, newest first."""
        venue, account = self.here(asked)
        params = asked.params
        first, last = self._week(asked)
        orders = [
            order
            for order in account.orders
            if order.listing.swap is self.on_futures(asked)
            and params.get("symbol", order.listing.native) == order.listing.native
            and params.get("side", order.action) == order.action
            and (order.open or first <= order.created_ms <= last)
            and shown(order)
        ]
        return venue.seen(orders)

    def own_trades(self, asked: Asked) -> list[Trade]:
        _, account = self.here(asked)
        params = asked.params
        first, last = self._week(asked)
        return [
            trade
            for trade in reversed(account.trades)
            if trade.order.listing.swap is self.on_futures(asked)
            and params.get("symbol", trade.order.listing.native) == trade.order.listing.native
            and params.get("orderId", trade.order.id) == trade.order.id
            and first <= trade.at_ms <= last
        ]

    def _week(self, asked: Asked) -> tuple[int, int]:
        found = span(asked.params, 7, "startAt", "endAt")
        if found is None:
            raise Refused(Why.PARAMETER, "the range of startAt and endAt exceeds 7 days")
        return found

    def page(self, asked: Asked, rows: list[Any]) -> Body:
        """Return one page of a list, as both hosts count pages."""
        number, size = int(asked.params.get("currentPage", 1)), int(asked.params.get("pageSize", 50))
        return {
            "currentPage": number,
            "pageSize": size,
            "totalNum": len(rows),
            "totalPage": -(-len(rows) // size),
            "items": rows[(number - 1) * size : number * size],
        }

    def bullet(self, account: Account | None, host: str) -> Body:
        """Return where the socket is, and the token that opens it."""
        token = f"token{len(self.tokens)}"
        self.tokens[token] = account
        server = {
            "endpoint": f"wss://{host}/",
            "encrypt": True,
            "protocol": "websocket",
            "pingInterval": 18_000,
            "pingTimeout": 10_000,
        }
        return {"token": token, "instanceServers": [server]}
