"""OKX v5: hosts, keys, limits and codes. Demo trading is the same host with a header; swaps count contracts."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar

from tests.exchanges.faults import Fault
from tests.exchanges.okx_account import OkxAccount
from tests.exchanges.okx_orders import signature_fits
from tests.exchanges.okx_streams import OkxStreams
from tests.exchanges.server import Asked, Body, Fails, Limit
from tests.exchanges.venue import Account, Refused, Terms, Why

CODES: dict[Why, tuple[str, str]] = {
    Why.SYMBOL: ("51001", "Instrument ID, Instrument ID code, or Spread ID doesn't exist."),
    Why.HALTED: ("51028", "Contract under delivery"),
    Why.NO_PRICE: ("51028", "Contract under delivery"),
    Why.STEP: ("51121", "Order quantity must be a multiple of the lot size."),
    Why.TOO_LITTLE: ("51020", "Your order should meet or exceed the minimum order amount."),
    Why.TOO_MUCH: ("51202", "Market order amount exceeds the maximum amount."),
    Why.TICK: ("51000", "Parameter px error"),
    Why.BAND: ("51006", "Order price is not within the price limit."),
    Why.TOO_MANY: ("51100", "Unable to place order. You have reached the limit of pending orders."),
    Why.FUNDS: ("51008", "Order failed. Insufficient USDT balance in account."),
    Why.DUPLICATE: ("51016", "Client order ID already exists."),
    Why.CLIENT_ID: ("51000", "Parameter clOrdId  error"),
    Why.REDUCE: (
        "51169",
        "Order failed because you don't have any positions in this direction to reduce.",
    ),
    Why.POSITION_SIDE: ("51000", "Parameter posSide error"),
    Why.MARGIN_MODE: ("51000", "Parameter tdMode error"),
    Why.LEVERAGE: ("59102", "Leverage exceeds the maximum limit. Please adjust the leverage."),
    Why.NO_SWAPS: ("51010", "You can't complete this request under your current account mode."),
    Why.NOT_FOUND: ("51603", "Order does not exist"),
    Why.HAS_POSITION: (
        "59000",
        "Setting failed. Cancel any open orders, close positions, and stop trading bots first.",
    ),
}


class LocalOkx(OkxAccount, OkxStreams):
    """What is wrong with an order stands in the list of results; the answer itself then says code 1 or 2."""

    name = "okx"
    modes = ("live", "demo")
    terms = Terms(unified=True, ids_of_account=True, late_post_only=True, leverage=Decimal(3))
    hosts: ClassVar = {
        "www.okx.com": "live",
        "ws.okx.com": "live",
        "my.okx.com": "live",
        "app.okx.com": "live",
        "wspap.okx.com": "demo",
    }
    limits_of_truth: ClassVar = {"orders": (60, 2), "reads": (40, 2), "public": (40, 2)}

    def native(self, rules: Any) -> str:
        return f"{rules.base}-{rules.quote}" + ("-SWAP" if rules.symbol.endswith(".P") else "")

    def mode_of(self, asked: Asked) -> str:
        return "demo" if asked.headers.get("x-simulated-trading") == "1" else self.hosts[asked.host]

    def authenticate(self, asked: Asked) -> Account:
        heads = asked.headers
        key, sent = heads.get("ok-access-key", ""), heads.get("ok-access-timestamp", "")
        if not key:
            raise self.fail("50103", "Request header OK-ACCESS-KEY can't be empty.", 401)
        account = self._owner(asked, key)
        try:
            sent_ms = datetime.fromisoformat(sent).timestamp() * 1000
        except ValueError:
            raise self.fail("50112", "Invalid OK-ACCESS-TIMESTAMP", 401) from None
        if abs(self.now_ms() - sent_ms) > 30_000:
            raise self.fail("50102", "Timestamp request expired", 401)
        path = asked.path + (f"?{asked.query}" if asked.query else "")
        signed = f"{sent}{asked.method}{path}{asked.text}"
        if not signature_fits(account, signed, heads.get("ok-access-sign", "")):
            raise self.fail("50113", "Invalid Sign", 401)
        if heads.get("ok-access-passphrase") != account.keys.passphrase:
            raise self.fail("50105", "Request header OK-ACCESS-PASSPHRASE incorrect.", 401)
        if account.ips and asked.peer not in account.ips:
            message = f"Your IP {asked.peer} is not included in your API key's IP whitelist."
            raise self.fail("50110", message, 401)
        assert asked.route is not None
        if not (account.trade if asked.route.needs == "trade" else account.read):
            raise self.fail("50120", "This API key doesn't have permission to use this function", 401)
        return account

    def _owner(self, asked: Asked, key: str) -> Account:
        assert asked.venue is not None
        account = asked.venue.accounts.get(key)
        elsewhere = any(key in venue.accounts for venue in self.venues.values())
        if account is None and elsewhere:
            raise self.fail("50101", "APIKey does not match current environment.", 401)
        expired = account and account.expires_at_ms is not None and account.expires_at_ms < self.now_ms()
        if account is None or account.revoked or expired:
            raise self.fail("50111", "Invalid OK-ACCESS-KEY", 401)
        return account

    def refusal(self, asked: Asked, refused: Refused) -> Fails:
        return self.fail(*self.words(asked, refused))

    def words(self, asked: Asked, refused: Refused) -> tuple[str, str]:
        if refused.why is Why.NOT_FOUND and asked.call == "cancel":
            return {
                "filled": ("51402", "Cancellation failed as the order is already completed."),
                "cancelled": ("51401", "Cancellation failed as the order is already canceled."),
            }.get(
                refused.detail,
                (
                    "51400",
                    "Cancellation failed as the order has been filled, canceled or does not exist.",
                ),
            )
        if refused.why is Why.PARAMETER:
            return "50014", f"Parameter {refused.detail} can not be empty."
        return CODES[refused.why]

    def finish(self, asked: Asked, body: Body) -> Body:
        return body if isinstance(body, dict) else {"code": "0", "msg": "", "data": body}

    def too_many(self, asked: Asked, limit: Limit) -> Fails:
        return self.fail("50011", "Too Many Requests", 429)

    def unknown_path(self, asked: Asked) -> Fails:
        return self.fail("404", "Not Found", 404)

    def own_faults(self, asked: Asked) -> dict[Fault, Fails]:
        busy = self.fail("50011", "Too Many Requests", 429)
        later = Fails(busy.body, 429, {"Retry-After": "1"})
        return {
            Fault.TOO_MANY: later,
            Fault.TOO_MANY_BARE: busy,
            Fault.UNKNOWN_CODE: self.fail("59999", "Something new."),
            Fault.MAINTENANCE: self.fail("50001", "Service temporarily unavailable. Try again later", 503),
        }
