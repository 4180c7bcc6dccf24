"""The routes for programs on this machine: health, metrics, and prices of the practice market."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from typing import Any

from aiohttp import web

from execution_engine.adapters.webhook import answers
from execution_engine.adapters.webhook.addresses import is_local
from execution_engine.adapters.webhook.answers import Reply
from execution_engine.adapters.webhook.authentication import find_token
from execution_engine.adapters.webhook.doors import Doors
from execution_engine.adapters.webhook.limits import Failures
from execution_engine.adapters.webhook.reading import TooLarge, peer_of, read_body
from execution_engine.domain import alert
from execution_engine.domain.errors import FieldFault, Refusal

_HOST = re.compile(r"(127\.0\.0\.1|localhost|\[::1\])(:\d{1,5})?", re.IGNORECASE | re.ASCII)
_SYMBOL = re.compile(r"[A-Za-z0-9._:/-]{1,64}", re.ASCII)
_NOT_MANUAL = "The practice prices are not set by hand now; choose the feed “manual” first."


class LocalRoutes:
    """Answers to loopback only; whoever else asks is told that nothing is here."""

    def __init__(self, doors: Doors, failures: Failures) -> None:
        self._doors = doors
        self._failures = failures

    async def health(self, request: web.BaseRequest) -> Reply:
        """Answer 200 while all is well, else 503; the figures and reasons either way."""
        if not _asked_from_here(request):
            return answers.NOTHING_HERE
        well, report = self._doors.health()
        return Reply(200 if well else 503, report)

    async def metrics(self, request: web.BaseRequest) -> Reply:
        """Answer with the figures that Prometheus gathers."""
        if self._doors.metrics is None or not _asked_from_here(request):
            return answers.NOTHING_HERE
        return Reply(200, text=await self._doors.metrics())

    async def price(self, request: web.BaseRequest) -> Reply:
        """Set a practice price and answer once it was matched."""
        if not _asked_from_here(request):
            return answers.NOTHING_HERE
        try:
            raw = await read_body(request, self._doors.limits.body_bytes)
        except TooLarge as error:
            return answers.rejected(413, [FieldFault("body", str(error))], last=True)
        if refusal := self._unknown_bearer(request):
            return refusal
        asked = _price(alert.read(raw))
        if isinstance(asked, Reply):
            return asked
        return await self._set(*asked)

    def _unknown_bearer(self, request: web.BaseRequest) -> Reply | None:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        shown = token.strip() if scheme.lower() == "bearer" else None
        if find_token(shown, self._doors.tokens(), self._doors.clock()) is not None:
            return None
        most = self._doors.settings().webhook.failures_per_minute
        if self._failures.too_many(peer_of(request), most, self._doors.monotonic()):
            return answers.TOO_MANY_FAILURES
        return answers.NOT_AUTHORIZED

    async def _set(self, symbol: str, price: Decimal) -> Reply:
        if self._doors.set_price is None:
            return answers.rejected(409, [FieldFault("feed", _NOT_MANUAL)])
        markets = await self._doors.set_price(symbol, price)
        if isinstance(markets, Refusal):
            status = 409 if markets.code == "feed" else 422
            return answers.rejected(status, [FieldFault(markets.code, markets.message)])
        return Reply(200, {"symbol": symbol, "price": format(price, "f"), "markets": list(markets)})


def _asked_from_here(request: web.BaseRequest) -> bool:
    """Believe neither a tunnel nor a web page: a name that was rebound to this machine is not in `Host`."""
    headers = request.headers
    return (
        is_local(peer_of(request), headers)
        and _HOST.fullmatch(headers.get("Host", "")) is not None
        and "Origin" not in headers
        and headers.get("Sec-Fetch-Site", "none") == "none"  # `none`: typed into the address bar
    )


def _price(body: alert.Body | alert.Faults) -> tuple[str, Decimal] | Reply:
    if isinstance(body, alert.Faults):
        return answers.rejected(422, body.errors)
    symbol, price = body.fields.get("symbol"), _positive(body.fields.get("price"))
    faults = []
    if not isinstance(symbol, str) or not _SYMBOL.fullmatch(symbol):
        faults.append(FieldFault("symbol", "must be a symbol, as BTCUSDT"))
    if price is None:
        faults.append(FieldFault("price", "must be a number above 0, as 64000.5"))
    if faults or price is None or not isinstance(symbol, str):
        return answers.rejected(422, faults)
    return symbol, price


def _positive(value: Any) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        return None
    try:
        number = Decimal(value)
    except InvalidOperation:
        return None
    if not number.is_finite() or number <= 0:
        return None
    usable = len(number.as_tuple().digits) <= alert.MAX_DIGITS and abs(number.adjusted()) <= alert.MAX_DIGITS
    return number if usable else None
