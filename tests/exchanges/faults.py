"""What can be made to go wrong between an application and a local exchange, on demand."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from aiohttp import web

if TYPE_CHECKING:
    from tests.exchanges.server import Asked

PAGE = "<html><head><title>{0}</title></head><body><h1>{0}</h1><hr>cloudflare</body></html>"


class Fault(StrEnum):
    """The package's docstring says what each does."""

    TIMEOUT = "timeout"
    RESET = "reset"
    CUT = "cut body"
    HTML = "html with 200"
    EMPTY = "empty 200"
    E500 = "500"
    E502 = "502"
    E503 = "503"
    E504 = "504"
    E520 = "520"
    E524 = "524"
    STATUS_LINE = "bad status line"
    TOO_MANY = "429"
    TOO_MANY_BARE = "429 without Retry-After"
    BANNED = "418"
    UNKNOWN_CODE = "unknown code"
    MAINTENANCE = "maintenance"
    REFUSED = "refused"

    @property
    def status(self) -> int | None:
        return int(self.value) if self.value.isdigit() else None


# What stands in front of an exchange answers so, where the exchange has no words of its own for it.
_PAGES: dict[Fault, tuple[int, dict[str, str]]] = {
    Fault.TOO_MANY: (429, {"Retry-After": "1"}),
    Fault.TOO_MANY_BARE: (429, {}),
    Fault.BANNED: (418, {"Retry-After": "120"}),
    Fault.MAINTENANCE: (503, {}),
}

NEVER_ACCEPTED = {Fault.TOO_MANY, Fault.TOO_MANY_BARE, Fault.BANNED, Fault.MAINTENANCE, Fault.REFUSED}


@dataclass(slots=True)
class Planned:
    call: str
    fault: Fault
    accepted: bool
    times: int | None  # None: until cleared
    says: tuple[int, str] | None
    when: Callable[[Asked], bool]


class Faults:
    """The faults that wait for their call."""

    def __init__(self) -> None:
        self._planned: list[Planned] = []
        self._set_lag: Callable[[int], None] = lambda _: None

    def bind(self, set_lag: Callable[[int], None]) -> None:
        self._set_lag = set_lag

    def add(
        self,
        call: str,
        fault: Fault,
        *,
        accepted: bool = False,
        times: int | None = 1,
        says: tuple[int, str] | None = None,
        when: Callable[[Asked], bool] = lambda _: True,
    ) -> None:
        """Let a call go wrong. accepted: the exchange carried it out, and only its answer is lost."""
        if accepted and fault in NEVER_ACCEPTED:
            raise ValueError(f"An exchange that answers {fault} has carried nothing out.")
        self._planned.append(Planned(call, fault, accepted, times, says, when))

    def lag(self, reads: int) -> None:
        """Let every order that comes from now on be missed by its first reads."""
        self._set_lag(reads)

    def clear(self) -> None:
        self._planned.clear()
        self._set_lag(0)

    def take(self, asked: Asked) -> Planned | None:
        """Return what is planned for a call, and count it."""
        for planned in self._planned:
            if planned.call not in (asked.call, "*") or not planned.when(asked):
                continue
            if planned.times is not None:
                planned.times -= 1
                if not planned.times:
                    self._planned.remove(planned)
            return planned
        return None


async def spoil(
    request: web.Request, planned: Planned, answer: web.Response, own: dict[Fault, web.Response]
) -> web.StreamResponse:
    """Answer wrongly. own: how this exchange words what it says itself."""
    fault = planned.fault
    if fault is Fault.REFUSED:
        assert planned.says is not None
        status, body = planned.says
        return web.Response(status=status, text=body, content_type="application/json")
    if fault in own:
        return own[fault]
    if fault.status:
        page = PAGE.format(f"{fault.status} Bad answer")
        return web.Response(status=fault.status, text=page, content_type="text/html")
    if fault in _PAGES:
        status, headers = _PAGES[fault]
        page = PAGE.format(f"{status} Refused")
        return web.Response(status=status, text=page, headers=headers, content_type="text/html")
    if fault is Fault.HTML:
        return web.Response(text=PAGE.format("Just a moment..."), content_type="text/html")
    if fault is Fault.EMPTY:
        return web.Response(text="", content_type="application/json")
    if fault is Fault.TIMEOUT:
        await asyncio.Event().wait()  # ends with the connection
    return _break(request, fault, answer)


def _break(request: web.Request, fault: Fault, answer: web.Response) -> web.Response:
    """Break the connection itself; what is returned reaches nobody."""
    transport = request.transport
    assert transport is not None
    if fault is Fault.RESET:
        transport.abort()
        return web.Response()
    if fault is Fault.CUT:
        body = answer.body if isinstance(answer.body, bytes) else b"{}"
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body) + 1}\r\n\r\n"
        transport.write(head.encode() + body[: len(body) // 2])
    else:
        transport.write(b"HTTQ/9.9 what is this\r\n\r\n")
    transport.close()
    return web.Response()
