"""KuCoin with a classic account: hosts, keys, limits and codes. Spot and futures are two hosts with the same paths."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, ClassVar

from tests.exchanges.faults import Fault
from tests.exchanges.kucoin_spot import SpotRoutes
from tests.exchanges.kucoin_streams import KucoinStreams
from tests.exchanges.server import Asked, Body, Fails, Limit
from tests.exchanges.signing import as_base64
from tests.exchanges.venue import Account, Order, Refused, Terms, Why

_SPOT: dict[Why, tuple[str, str]] = {
    Why.SYMBOL: ("400600", "validation.createOrder.symbolNotAvailable"),
    Why.HALTED: ("400600", "validation.createOrder.symbolNotAvailable"),
    Why.NO_PRICE: ("400600", "validation.createOrder.symbolNotAvailable"),
    Why.STEP: ("600100", "Order size increment invalid."),
    Why.TOO_LITTLE: ("400100", "Order size below the minimum requirement."),
    Why.TOO_MUCH: ("400100", "Order size above the maximum requirement."),
    Why.TICK: ("400100", "Price increment invalid."),
    Why.BAND: ("400370", "Max. price: 100000"),
    Why.NOTIONAL: ("600101", "The order funds should more then 0.1 USDT."),
    Why.TOO_MANY: ("200001", "Active order quantity limit reached."),
    Why.FUNDS: ("200004", "Balance insufficient!"),
    Why.DUPLICATE: ("400100", "validation.createOrder.clientOidDuplicated"),
    Why.CLIENT_ID: ("400100", "validation.createOrder.clientOidInvalid"),
    Why.NOT_FOUND: ("400100", "order not exist"),
}

_FUTURES: dict[Why, tuple[str, str]] = {
    Why.SYMBOL: ("400100", "Contract parameter invalid."),
    Why.HALTED: ("300002", "The contract is paused."),
    Why.NO_PRICE: ("300002", "The contract is paused."),
    Why.STEP: ("400100", "Quantity parameter must be a multiple of the lot size."),
    Why.TOO_LITTLE: ("400100", "Quantity parameter cannot be less than 1."),
    Why.TOO_MUCH: ("400100", "Quantity parameter is too large."),
    Why.TICK: ("400100", "Price parameter must be a multiple of the tick size."),
    Why.BAND: ("300011", "The order price is too far from the market."),
    Why.TOO_MANY: ("300001", "Active order quantity limit reached."),
    Why.FUNDS: ("300003", "Balance insufficient. Your available balance is too small for this order."),
    Why.DUPLICATE: ("300018", "clientOid parameter repeated"),
    Why.CLIENT_ID: ("400100", "clientOid parameter invalid"),
    Why.REDUCE: ("300009", "No open positions to close."),
    Why.POSITION_SIDE: (
        "330011",
        "The order's position mode does not match the selected one. Please switch and try again.",
    ),
    Why.MARGIN_MODE: (
        "330005",
        "The order's margin mode does not match the selected one. Please switch and try again.",
    ),
    Why.LEVERAGE: ("300016", "The leverage cannot be greater than allowed."),
    Why.NO_SWAPS: ("400007", "Access denied, require more permission."),
    Why.HAS_POSITION: ("400100", "Close the positions and cancel the orders first."),
    Why.NOT_FOUND: ("100001", "error.getOrder.orderNotExist"),
}


class LocalKucoin(SpotRoutes, KucoinStreams):
    """No test mode at all. Ids are unique among active orders only; fees of spot are taken in the quote currency."""

    name = "kucoin"
    modes = ("live",)
    terms = Terms(fee_in_base=False, late_post_only=True, margin_mode="isolated", leverage=Decimal(5))
    hosts: ClassVar = {
        "api.kucoin.com": "live",
        "api-futures.kucoin.com": "live",
        "ws-api-spot.kucoin.com": "live",
        "ws-api-futures.kucoin.com": "live",
    }
    limits_of_truth: ClassVar = {"spot": (4000, 30), "futures": (2000, 30), "public": (2000, 30)}

    def native(self, rules: Any) -> str:
        if not rules.symbol.endswith(".P"):
            return f"{rules.base}-{rules.quote}"
        return f"{'XBT' if rules.base == 'BTC' else rules.base}{rules.quote}M"

    def name_order(self, order: Order) -> str:
        return str(order.number * 100) if order.listing.swap else f"{order.number:024x}"

    def routed(self, asked: Asked) -> str:
        return asked.path.replace("/api/", "/futures/", 1) if self.on_futures(asked) else asked.path

    def authenticate(self, asked: Asked) -> Account:
        heads = asked.headers
        key, sent = heads.get("kc-api-key", ""), heads.get("kc-api-timestamp", "")
        assert asked.venue is not None
        if not key or not sent:
            raise self.fail("400001", "Please check the header of your request for KC-API-KEY.", 401)
        account = asked.venue.accounts.get(key)
        if account is None or account.revoked:
            raise self.fail("400003", "KC-API-KEY not exists", 401)
        if abs(self.now_ms() - int(sent)) > 5000:
            raise self.fail("400002", "KC-API-TIMESTAMP Invalid", 401)
        path = asked.path + (f"?{asked.query}" if asked.query else "")
        signed = f"{sent}{asked.method}{path}{asked.text}"
        if as_base64(account.keys.secret, signed) != heads.get("kc-api-sign"):
            raise self.fail("400005", "Invalid KC-API-SIGN", 401)
        if as_base64(account.keys.secret, account.keys.passphrase) != heads.get("kc-api-passphrase"):
            raise self.fail("400004", "Invalid KC-API-PASSPHRASE", 401)
        self._check_rights(asked, account)
        return account

    def _check_rights(self, asked: Asked, account: Account) -> None:
        if account.ips and asked.peer not in account.ips:
            raise self.fail("400006", "The requested ip address is not in the api whitelist", 401)
        if account.expires_at_ms is not None and account.expires_at_ms < self.now_ms():
            raise self.fail("400003", "KC-API-KEY not exists", 401)
        assert asked.route is not None
        allowed = account.trade if asked.route.needs == "trade" else account.read
        if not allowed or (self.on_futures(asked) and not account.futures):
            raise self.fail("400007", "Access denied, require more permission.", 403)

    def refusal(self, asked: Asked, refused: Refused) -> Fails:
        return self.fail(*self.words(asked, refused))

    def words(self, asked: Asked, refused: Refused) -> tuple[str, str]:
        futures = self.on_futures(asked)
        if refused.why is Why.NOT_FOUND and asked.call == "cancel":
            if futures and refused.detail:
                return "100004", "The order cannot be canceled."
            if not futures:
                return "400100", "order_not_exist_or_not_allow_to_cancel"
        if refused.why is Why.PARAMETER:
            return "400100", f"Parameter Error: {refused.detail}"
        return (_FUTURES if futures else _SPOT)[refused.why]

    def finish(self, asked: Asked, body: Body) -> Body:
        return {"code": "200000", "data": body}

    def headers(self, asked: Asked) -> dict[str, str]:
        limit = self.limits["futures" if self.on_futures(asked) else "spot"]
        return {
            "gw-ratelimit-limit": str(limit.most),
            "gw-ratelimit-remaining": str(max(0, limit.most - limit.used)),
            "gw-ratelimit-reset": str(round(limit.wait_s * 1000)),
        }

    def too_many(self, asked: Asked, limit: Limit) -> Fails:
        message = "Too many requests in a short period of time, please retry later"
        return self.fail("429000", message, 429)

    def unknown_path(self, asked: Asked) -> Fails:
        return self.fail("404000", "Url Not Found", 404)

    def own_faults(self, asked: Asked) -> dict[Fault, Fails]:
        busy = self.fail("429000", "Too many requests in a short period of time, please retry later", 429)
        return {
            Fault.TOO_MANY: Fails(busy.body, 429, {"Retry-After": "1"}),
            Fault.TOO_MANY_BARE: busy,
            Fault.UNKNOWN_CODE: self.fail("999999", "Something new."),
            Fault.MAINTENANCE: self.fail("500000", "Internal Server Error", 500),
        }
