"""Bybit v5 with a unified account: hosts, keys, limits and codes. Everything it says itself comes with HTTP 200."""

from __future__ import annotations

import uuid
from decimal import Decimal
from typing import Any, ClassVar

from tests.exchanges.bybit_account import AccountRoutes
from tests.exchanges.bybit_markets import MarketRoutes
from tests.exchanges.bybit_streams import BybitStreams
from tests.exchanges.faults import Fault
from tests.exchanges.server import Asked, Body, Fails, Limit
from tests.exchanges.signing import as_hex
from tests.exchanges.venue import Account, Order, Refused, Terms, Why

_SPOT: dict[Why, tuple[int, str]] = {
    Why.SYMBOL: (170121, "Invalid symbol."),
    Why.HALTED: (170210, "New order rejected."),
    Why.NO_PRICE: (170210, "New order rejected."),
    Why.STEP: (170137, "Order quantity has too many decimals."),
    Why.TOO_LITTLE: (170136, "The quantity of the order is lower than the minimum."),
    Why.TOO_MUCH: (170135, "Order quantity exceeded upper limit."),
    Why.TICK: (170134, "Order price has too many decimals."),
    Why.BAND: (170132, "Order price too high."),
    Why.NOTIONAL: (170140, "Order value exceeded lower limit."),
    Why.TOO_MANY: (170005, "Too many new orders; current limit is 200 orders per symbol."),
    Why.FUNDS: (170131, "Insufficient balance."),
    Why.DUPLICATE: (170141, "Duplicate clientOrderId."),
    Why.WOULD_TAKE: (170218, "The LIMIT-MAKER order is rejected due to invalid price."),
    Why.NOT_FOUND: (170213, "Order does not exist."),
}

_LINEAR: dict[Why, tuple[int, str]] = {
    Why.SYMBOL: (10001, "params error: symbol invalid"),
    Why.HALTED: (110074, "This contract is not live"),
    Why.NO_PRICE: (110074, "This contract is not live"),
    Why.STEP: (10001, "Qty invalid"),
    Why.TOO_LITTLE: (10001, "The number of contracts below the minimum order quantity"),
    Why.TOO_MUCH: (10001, "The number of contracts exceeds maximum limit allowed: too large"),
    Why.TICK: (10001, "price invalid"),
    Why.BAND: (110003, "Order price exceeds the allowable range."),
    Why.NOTIONAL: (110094, "Order does not meet minimum order value 5USDT"),
    Why.TOO_MANY: (110020, "Not allowed to have more than 500 active orders."),
    Why.FUNDS: (110007, "ab not enough for new order"),
    Why.DUPLICATE: (110072, "OrderLinkedID is duplicate"),
    Why.REDUCE: (110017, "current position is zero, cannot fix reduce-only order qty"),
    Why.POSITION_SIDE: (10001, "position idx not match position mode"),
    Why.LEVERAGE: (10001, "leverage invalid"),
    Why.NOT_FOUND: (110001, "order not exists or too late to cancel"),
    Why.NO_SWAPS: (10005, "Permission denied, please check your API key permissions."),
}

_CHANGES: dict[tuple[str, Why], tuple[int, str]] = {
    ("leverage", Why.UNCHANGED): (110043, "leverage not modified"),
    ("position_mode", Why.UNCHANGED): (110025, "Position mode is not modified"),
    ("position_mode", Why.HAS_POSITION): (
        110024,
        "You have an existing position, so the position mode cannot be switched",
    ),
    ("margin_mode", Why.HAS_POSITION): (3400045, "Set margin mode failed"),
    ("margin_mode", Why.UNCHANGED): (110026, "Cross/isolated margin mode is not modified"),
}


class LocalBybit(MarketRoutes, AccountRoutes, BybitStreams):
    """Creating answers before anything is known: only the ids come back. Client ids may never come again."""

    name = "bybit"
    modes = ("live", "testnet", "demo")
    terms = Terms(unified=True, ids_forever=True, late_post_only=True, leverage=Decimal(10))
    hosts: ClassVar = {
        "api.bybit.com": "live",
        "stream.bybit.com": "live",
        "api-testnet.bybit.com": "testnet",
        "stream-testnet.bybit.com": "testnet",
        "api-demo.bybit.com": "demo",
        "stream-demo.bybit.com": "demo",
    }
    limits_of_truth: ClassVar = {"ip": (600, 5), "reads": (50, 1), "spot_orders": (20, 1), "orders": (10, 1)}

    def native(self, rules: Any) -> str:
        return str(rules.symbol.removesuffix(".P"))

    def name_order(self, order: Order) -> str:
        number = order.number
        return str(uuid.UUID(int=number << 64 | 0x4000)) if order.listing.swap else str(number * 1000)

    def authenticate(self, asked: Asked) -> Account:
        heads = asked.headers
        key, sent = heads.get("x-bapi-api-key", ""), heads.get("x-bapi-timestamp", "0")
        window = heads.get("x-bapi-recv-window", "5000")
        assert asked.venue is not None
        account = asked.venue.accounts.get(key)
        if account is None or account.revoked:
            raise self.fail(10003, "API key is invalid.")
        payload = asked.text if asked.method == "POST" else asked.query
        origin = sent + key + window + payload
        if as_hex(account.keys.secret, origin) != heads.get("x-bapi-sign"):
            raise self.fail(10004, f"error sign! origin_string[{origin}]")
        now = self.now_ms()
        if not now - int(window) <= int(sent) < now + 1000:
            raise self.fail(
                10002,
                "invalid request, please check your server timestamp or recv_window param. "
                f"req_timestamp[{sent}],server_timestamp[{now}],recv_window[{window}]",
            )
        self._check_rights(asked, account)
        return account

    def _check_rights(self, asked: Asked, account: Account) -> None:
        if account.ips and asked.peer not in account.ips:
            raise self.fail(10010, "Unmatched IP, please check your API key's bound IP addresses.")
        if account.expires_at_ms is not None and account.expires_at_ms < self.now_ms():
            raise self.fail(33004, "Your api key has expired.")
        assert asked.route is not None
        if not (account.trade if asked.route.needs == "trade" else account.read):
            raise self.fail(10005, "Permission denied, please check your API key permissions.")

    def words(self, asked: Asked, refused: Refused) -> tuple[int, str]:
        """Return code and message of a refusal."""
        why = refused.why
        if why is Why.PARAMETER:
            return 10001, f"params error: {refused.detail}"
        if why is Why.CLIENT_ID:
            return 10001, "params error: orderLinkId invalid"
        if (asked.call, why) in _CHANGES:
            return _CHANGES[asked.call, why]
        return (_SPOT if asked.params.get("category") == "spot" else _LINEAR)[why]

    def refusal(self, asked: Asked, refused: Refused) -> Fails:
        return self.fail(*self.words(asked, refused))

    def finish(self, asked: Asked, body: Body) -> Body:
        extra = body.pop("retExtInfo", {}) if isinstance(body, dict) else {}
        return {
            "retCode": 0,
            "retMsg": "OK",
            "result": body,
            "retExtInfo": extra,
            "time": self.now_ms(),
        }

    def headers(self, asked: Asked) -> dict[str, str]:
        if asked.route is None or not asked.route.private:
            return {}
        name = next((each for each in asked.route.costs if each != "ip"), "reads")
        limit = self.limits[name]
        return {
            "X-Bapi-Limit": str(limit.most),
            "X-Bapi-Limit-Status": str(max(0, limit.most - limit.used)),
            "X-Bapi-Limit-Reset-Timestamp": str(self.now_ms() + round(limit.wait_s * 1000)),
        }

    def too_many(self, asked: Asked, limit: Limit) -> Fails:
        if limit is self.limits["ip"]:
            return Fails("<html><body>403, access too frequent</body></html>", 403)
        return self.fail(10006, "Too many visits. Exceeded the API Rate Limit.")

    def unknown_path(self, asked: Asked) -> Fails:
        return Fails("<html><body>404 Not Found</body></html>", 404)

    def own_faults(self, asked: Asked) -> dict[Fault, Fails]:
        return {
            Fault.UNKNOWN_CODE: self.fail(199_999, "Something new."),
            Fault.MAINTENANCE: self.fail(10016, "System error. Please try again later."),
        }
