"""Binance: hosts, keys, limits and error codes. Spot and USDT perpetuals share them and differ in their words."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any, ClassVar

from tests.exchanges.binance_spot import SpotRoutes
from tests.exchanges.binance_streams import BinanceStreams
from tests.exchanges.binance_usdm import UsdmRoutes
from tests.exchanges.faults import Fault
from tests.exchanges.server import Asked, Fails, Limit
from tests.exchanges.signing import as_hex
from tests.exchanges.venue import Account, Order, Refused, Terms, Why

_SPOT: dict[Why, tuple[int, str]] = {
    Why.SYMBOL: (-1121, "Invalid symbol."),
    Why.HALTED: (-1013, "Market is closed."),
    Why.NO_PRICE: (-1013, "Market is closed."),
    Why.STEP: (-1013, "Filter failure: LOT_SIZE"),
    Why.TOO_LITTLE: (-1013, "Filter failure: LOT_SIZE"),
    Why.TOO_MUCH: (-1013, "Filter failure: LOT_SIZE"),
    Why.TICK: (-1013, "Filter failure: PRICE_FILTER"),
    Why.BAND: (-1013, "Filter failure: PERCENT_PRICE_BY_SIDE"),
    Why.NOTIONAL: (-1013, "Filter failure: NOTIONAL"),
    Why.TOO_MANY: (-1013, "Filter failure: MAX_NUM_ORDERS"),
    Why.FUNDS: (-2010, "Account has insufficient balance for requested action."),
    Why.DUPLICATE: (-2010, "Duplicate order sent."),
    Why.CLIENT_ID: (
        -1100,
        "Illegal characters found in parameter 'newClientOrderId'; legal range is '^[a-zA-Z0-9-_]{1,36}$'.",
    ),
    Why.WOULD_TAKE: (-2010, "Order would immediately match and take."),
}

_USDM: dict[Why, tuple[int, str]] = {
    Why.SYMBOL: (-1121, "Invalid symbol."),
    Why.HALTED: (
        -4108,
        "This Contract is on delivering or delivered or settling or closed or pre-trading.",
    ),
    Why.NO_PRICE: (
        -4108,
        "This Contract is on delivering or delivered or settling or closed or pre-trading.",
    ),
    Why.STEP: (-1111, "Precision is over the maximum defined for this asset."),
    Why.TOO_LITTLE: (-4003, "Quantity less than or equal to zero."),
    Why.TOO_MUCH: (-4005, "Quantity greater than max quantity."),
    Why.TICK: (-4014, "Price not increased by tick size."),
    Why.BAND: (-4016, "Limit price can't be higher than allowed."),
    Why.NOTIONAL: (-4164, "Order's notional must be no smaller than 5 (unless you choose reduce only)."),
    Why.TOO_MANY: (-2025, "Reach max open order limit."),
    Why.FUNDS: (-2019, "Margin is insufficient."),
    Why.DUPLICATE: (-4116, "ClientOrderId is duplicated."),
    Why.CLIENT_ID: (-4015, "Client order id is not valid."),
    Why.WOULD_TAKE: (
        -5022,
        "Due to the order could not be executed as maker, the Post Only order will be rejected. "
        "The order will not be recorded in the order history",
    ),
    Why.REDUCE: (-2022, "ReduceOnly Order is rejected."),
    Why.POSITION_SIDE: (-4061, "Order's position side does not match user's setting."),
    Why.LEVERAGE: (-4028, "Leverage is not valid."),
    Why.NO_SWAPS: (-2015, "Invalid API-key, IP, or permissions for action."),
}

# What "it is so already" and "something is in the way" are called depends on what was to be changed.
_CHANGES: dict[tuple[str, Why], tuple[int, str]] = {
    ("margin_mode", Why.UNCHANGED): (-4046, "No need to change margin type."),
    ("margin_mode", Why.HAS_POSITION): (
        -4048,
        "Margin type cannot be changed if there exists position.",
    ),
    ("position_mode", Why.UNCHANGED): (-4059, "No need to change position side."),
    ("position_mode", Why.HAS_POSITION): (
        -4068,
        "Position side cannot be changed if there exists position.",
    ),
}

_BAD_KEY = {"code": -2015, "msg": "Invalid API-key, IP, or permissions for action."}


class LocalBinance(SpotRoutes, UsdmRoutes, BinanceStreams):
    """Orders of both markets are known by numbers; ids are unique among open orders only."""

    name = "binance"
    modes = ("live", "testnet", "demo")
    terms = Terms(leverage=Decimal(20))
    hosts: ClassVar = {
        "api.binance.com": "live",
        "fapi.binance.com": "live",
        "stream.binance.com": "live",
        "fstream.binance.com": "live",
        "ws-api.binance.com": "live",
        "ws-fapi.binance.com": "live",
        "testnet.binance.vision": "testnet",
        "stream.testnet.binance.vision": "testnet",
        "ws-api.testnet.binance.vision": "testnet",
        # Perpetuals have no testnet any more; its stream host serves demo trading.
        "demo-api.binance.com": "demo",
        "demo-fapi.binance.com": "demo",
        "demo-stream.binance.com": "demo",
        "demo-ws-api.binance.com": "demo",
        "testnet.binancefuture.com": "demo",
        "fstream.binancefuture.com": "demo",
    }
    limits_of_truth: ClassVar = {
        "spot": (6000, 60),
        "usdm": (2400, 60),
        "orders": (100, 10),
        "usdm_orders": (300, 10),
    }

    def native(self, rules: Any) -> str:
        return str(rules.symbol.removesuffix(".P"))

    def name_order(self, order: Order) -> str:
        return str(order.number)

    def authenticate(self, asked: Asked) -> Account:
        account = self._owner(asked)
        if asked.path.endswith("listenKey"):
            return account  # wants the key alone
        signed, _, signature = (asked.text or asked.query).rpartition("&signature=")
        if as_hex(account.keys.secret, signed) != signature:
            raise Fails({"code": -1022, "msg": "Signature for this request is not valid."})
        self.check_time(asked.params)
        return account

    def _owner(self, asked: Asked) -> Account:
        key = asked.headers.get("x-mbx-apikey", "")
        assert asked.venue is not None
        if not re.fullmatch(r"[A-Za-z0-9]{10,}", key):
            raise Fails({"code": -2014, "msg": "API-key format invalid."}, 401)
        account = asked.venue.accounts.get(key)
        assert asked.route is not None
        if account is None or not self.allows(account, asked.peer, asked.route.needs, asked.path):
            raise Fails(_BAD_KEY, 401)
        return account

    def refusal(self, asked: Asked, refused: Refused) -> Fails:
        code, message = self._words(asked, refused)
        if code == -2015:
            return Fails(_BAD_KEY, 401)
        return Fails({"code": code, "msg": message})

    def _words(self, asked: Asked, refused: Refused) -> tuple[int, str]:
        why = refused.why
        if why is Why.NOT_FOUND:
            if asked.call == "cancel":
                return -2011, "Unknown order sent."
            return -2013, "Order does not exist."
        if why is Why.REDUCE_ON_SPOT:
            return -1104, "Not all sent parameters were read; read '8' parameter(s) but was sent '9'."
        if why is Why.PARAMETER:
            wanted = refused.detail
            return (
                -1102,
                f"Mandatory parameter '{wanted}' was not sent, was empty/null, or malformed.",
            )
        if why is Why.TOO_MUCH and refused.detail == "market" and not asked.path.startswith("/fapi"):
            return -1013, "Filter failure: MARKET_LOT_SIZE"
        if (asked.call, why) in _CHANGES:
            return _CHANGES[asked.call, why]
        return (_USDM if asked.path.startswith("/fapi") else _SPOT)[why]

    def too_many(self, asked: Asked, limit: Limit) -> Fails:
        retry = {"Retry-After": str(max(1, round(limit.wait_s)))}
        if limit in (self.limits["orders"], self.limits["usdm_orders"]):
            message = f"Too many new orders; current limit is {limit.most} orders per 10 SECOND."
            return Fails({"code": -1015, "msg": message}, 429, retry)
        message = (
            f"Too much request weight used; current limit is {limit.most} request weight per 1 MINUTE. "
            "Please use WebSocket Streams for live updates to avoid polling the API."
        )
        return Fails({"code": -1003, "msg": message}, 429, retry)

    def headers(self, asked: Asked) -> dict[str, str]:
        weight = self.limits["usdm" if asked.path.startswith("/fapi") else "spot"].used
        return {"X-MBX-USED-WEIGHT-1M": str(weight)}

    def unknown_path(self, asked: Asked) -> Fails:
        return Fails("<html><body><h2>404 Not found</h2></body></html>", 404)

    def own_faults(self, asked: Asked) -> dict[Fault, Fails]:
        busy = {"code": -1003, "msg": "Too many requests; please use the websocket for live updates."}
        banned = {
            "code": -1003,
            "msg": "Way too much request weight used; IP banned until "
            f"{self.now_ms() + 120_000}. Please use WebSocket Streams for live updates to avoid bans.",
        }
        return {
            Fault.TOO_MANY: Fails(busy, 429, {"Retry-After": "1"}),
            Fault.TOO_MANY_BARE: Fails(busy, 429),
            Fault.BANNED: Fails(banned, 418, {"Retry-After": "120"}),
            Fault.UNKNOWN_CODE: Fails({"code": -9876, "msg": "Something new."}),
            Fault.MAINTENANCE: Fails({"code": 1, "msg": "System is under maintenance."}, 503),
        }
