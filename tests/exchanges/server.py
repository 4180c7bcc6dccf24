"""One exchange as a server: requests become calls, with faults, limits and keys in front of them."""

from __future__ import annotations

import asyncio
import json
import time
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any, ClassVar
from urllib.parse import parse_qsl

from aiohttp import web

from tests.exchanges.faults import Fault, Faults, spoil
from tests.exchanges.listing import Listing, invented, shipped
from tests.exchanges.streams import Socket, Streams
from tests.exchanges.venue import Account, Happened, Order, Quote, Refused, Terms, Venue, Why

Body = Any
"""What a call returns: it becomes JSON."""


class Fails(Exception):
    """A call ends with an answer of its own: a wrong key, too many requests, an unknown parameter."""

    def __init__(self, body: Body, status: int = 400, headers: dict[str, str] | None = None) -> None:
        super().__init__(body)
        self.body = body
        self.status = status
        self.headers = headers or {}


@dataclass(slots=True)
class Limit:
    """At most so much in a window [s]."""

    most: int
    window_s: float
    used: int = 0
    _spent: deque[tuple[float, int]] = field(default_factory=deque)

    def spend(self, cost: int) -> bool:
        """Count a cost; tell whether it was within the limit."""
        now = time.monotonic()
        while self._spent and self._spent[0][0] <= now - self.window_s:
            self.used -= self._spent.popleft()[1]
        self._spent.append((now, cost))
        self.used += cost
        return self.used <= self.most

    @property
    def wait_s(self) -> float:
        """How long until there is room again."""
        return max(0.0, self._spent[0][0] + self.window_s - time.monotonic()) if self._spent else 0.0


@dataclass(frozen=True, slots=True)
class Route:
    call: str
    run: Callable[..., Body]
    private: bool
    costs: dict[str, int]
    needs: str  # the right of the key: read, trade


@dataclass(slots=True)
class Asked:
    """A request, read. params: of query and body together, as text; body: the JSON body."""

    method: str
    host: str
    path: str
    query: str
    text: str
    headers: dict[str, str]
    params: dict[str, str]
    body: Any
    peer: str
    call: str = "other"
    status: int = 0
    answer: Body = None
    account: Account | None = None
    venue: Venue | None = None
    route: Route | None = None
    parts: tuple[str, ...] = ()  # of the path, where the route has gaps


def route(
    method: str, path: str, call: str = "other", *, private: bool = False, needs: str = "read", **costs: int
) -> Callable[[Callable[..., Body]], Callable[..., Body]]:
    """Mark a method as the answer to a path. `{}` in the path stands for one part of it."""

    def mark(run: Callable[..., Body]) -> Callable[..., Body]:
        found = Route(call, run, private, costs, needs)
        run.__dict__.setdefault("routes", []).append((method, tuple(path.split("/")), found))
        return run

    return mark


class LocalExchange:
    """What all four have in common. A dialect adds hosts, routes, signatures, words and error codes."""

    name: str
    terms: Terms
    hosts: ClassVar[dict[str, str]]  # host → mode
    modes: tuple[str, ...]
    limits_of_truth: ClassVar[dict[str, tuple[int, float]]] = {}

    def __init__(self) -> None:
        self.faults = Faults()
        self.streams = Streams()
        self.requests: list[Asked] = []
        self.clock_skew_ms = 0
        self.latency_s = 0.0
        self.limits = {name: Limit(*limit) for name, limit in self.limits_of_truth.items()}
        self.listings = {rules.symbol: self._enlist(rules) for rules in shipped(self.name)}
        self.by_native = {(each.swap, each.native): each for each in self.listings.values()}
        self.venues = {mode: Venue(mode, self.terms, self.listings, self.now_ms) for mode in self.modes}
        for venue in self.venues.values():
            venue.name_order = self.name_order
            venue.listeners.append(lambda happened, venue=venue: self.tell(venue, happened))
        self.faults.bind(self._lag)
        self._routes: dict[tuple[str, int], list[tuple[tuple[str, ...], Route]]] = defaultdict(list)
        for kind in reversed(type(self).__mro__):
            for run in vars(kind).values():
                for method, parts, found in getattr(run, "routes", ()):
                    self._routes[method, len(parts)].append((parts, found))

    # What a test uses

    def price(
        self,
        symbol: str,
        last: str | Decimal,
        bid: str | Decimal | None = None,
        ask: str | Decimal | None = None,
        fills: str | Decimal | None = None,
    ) -> None:
        """Move a market in every mode. fills: at most that much of each order it reaches [base]."""
        last = Decimal(last)
        sides = [last if side is None else Decimal(side) for side in (bid, ask)]
        for venue in self.venues.values():
            venue.price(symbol, last, *sides, Decimal(fills) if fills else None)

    def depth(self, symbol: str, quantity: str | Decimal | None) -> None:
        for venue in self.venues.values():
            if quantity is None:
                venue.depths.pop(symbol, None)
            else:
                venue.depths[symbol] = Decimal(quantity)

    def account(self, mode: str = "live", **wallet: str | int | Decimal) -> Account:
        """Open an account in a mode, with 100,000 USDT where nothing else is said."""
        if mode not in self.venues:
            raise ValueError(f"{self.name} has no {mode}, only {', '.join(self.venues)}.")
        money = {currency: Decimal(amount) for currency, amount in (wallet or {"USDT": 100_000}).items()}
        return self.venues[mode].open_account(self.name, money)

    def venue(self, mode: str = "live") -> Venue:
        return self.venues[mode]

    def change(self, symbol: str, **rules: str | Decimal) -> None:
        self.listings[symbol].change(**rules)

    def halt(self, symbol: str) -> None:
        self.listings[symbol].status = "halted"

    def delist(self, symbol: str) -> None:
        gone = self.listings.pop(symbol)
        del self.by_native[gone.swap, gone.native]

    def add_markets(self, count: int) -> None:
        for rules in invented(self.name, count):
            listing = self.listings[rules.symbol] = self._enlist(rules)
            self.by_native[listing.swap, listing.native] = listing
            for venue in self.venues.values():
                venue.quotes[rules.symbol] = Quote(Decimal(10), Decimal(10), Decimal(10))

    def unlimited(self) -> None:
        """Lift all limits, for benchmarks and stories with more orders than an exchange takes."""
        for limit in self.limits.values():
            limit.most = 1 << 60

    def calls(self, call: str) -> list[Asked]:
        return [asked for asked in self.requests if asked.call == call]

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000 + self.clock_skew_ms

    # What a dialect says

    def native(self, rules: Any) -> str:
        """Return the exchange's own name of a market."""
        raise NotImplementedError

    def name_order(self, order: Order) -> str:
        return str(order.number)

    def mode_of(self, asked: Asked) -> str:
        return self.hosts[asked.host]

    def routed(self, asked: Asked) -> str:
        """Return the path by which a route is found; hosts with the same paths are told apart here."""
        return asked.path

    def authenticate(self, asked: Asked) -> Account:
        """Check key, signature, time and rights. Raises Fails."""
        raise NotImplementedError

    def refusal(self, asked: Asked, refused: Refused) -> Fails:
        """Say a refusal of the venue in the exchange's words."""
        raise NotImplementedError

    def unknown_path(self, asked: Asked) -> Fails:
        return Fails({"error": "not found"}, 404)

    def too_many(self, asked: Asked, limit: Limit) -> Fails:
        raise NotImplementedError

    def own_faults(self, asked: Asked) -> dict[Fault, Fails]:
        """Return how the exchange words the faults that it tells itself."""
        raise NotImplementedError

    def finish(self, asked: Asked, body: Body) -> Body:
        """Wrap what a call returned."""
        return body

    def headers(self, asked: Asked) -> dict[str, str]:
        return {}

    def mode_of_socket(self, request: web.Request, host: str) -> str:
        return self.hosts[host]

    def opened(self, socket: Socket) -> None:
        """Greet a new socket."""

    def closed(self, socket: Socket) -> None:
        """Forget a socket."""

    async def hear(self, socket: Socket, message: Any) -> None:
        """Take a message of a socket."""
        raise NotImplementedError

    def tell(self, venue: Venue, happened: Happened) -> None:
        """Push what happened to the sockets that asked for it."""
        raise NotImplementedError

    def beat(self) -> None:
        """Tell every price again."""

    def here(self, asked: Asked) -> tuple[Venue, Account]:
        """Return the venue and the account of a private request."""
        assert asked.venue is not None
        assert asked.account is not None
        return asked.venue, asked.account

    # How a request runs

    async def handle(self, request: web.Request, host: str) -> web.StreamResponse:
        if request.headers.get("Upgrade", "").lower() == "websocket":
            venue = self.venues[self.mode_of_socket(request, host)]
            return await self.streams.serve(request, venue, self.opened, self._hear, self.closed)
        asked = await self._receive(request, host)
        self.requests.append(asked)
        planned = self.faults.take(asked)
        carried_out = planned is None or planned.accepted
        answer = self._answer(asked) if carried_out else _json({}, 0, {})
        if self.latency_s:
            await asyncio.sleep(self.latency_s)
        if planned is None:
            return answer
        own = {fault: self._say(asked, says) for fault, says in self.own_faults(asked).items()}
        return await spoil(request, planned, answer, own)

    def _answer(self, asked: Asked) -> web.Response:
        try:
            return self._say_well(asked, self._run(asked))
        except Refused as refused:
            return self._say(asked, self.refusal(asked, refused))
        except Fails as fails:
            return self._say(asked, fails)
        except (KeyError, InvalidOperation) as missing:
            return self._say(asked, self.refusal(asked, Refused(Why.PARAMETER, str(missing).strip("'"))))

    def _run(self, asked: Asked) -> Body:
        if asked.route is None:
            raise self.unknown_path(asked)
        for name, cost in asked.route.costs.items():
            limit = self.limits[name]
            if not limit.spend(cost):
                raise self.too_many(asked, limit)
        if asked.route.private:
            asked.account = self.authenticate(asked)
        return asked.route.run(self, asked, *asked.parts)

    def _say_well(self, asked: Asked, body: Body) -> web.Response:
        asked.status, asked.answer = 200, body
        return _json(self.finish(asked, body), 200, self.headers(asked))

    def _say(self, asked: Asked, fails: Fails) -> web.Response:
        asked.status, asked.answer = fails.status, fails.body
        return _json(fails.body, fails.status, self.headers(asked) | fails.headers)

    async def _receive(self, request: web.Request, host: str) -> Asked:
        text = (await request.read()).decode()
        _, _, query = request.raw_path.partition("?")
        params = dict(parse_qsl(query, keep_blank_values=True))
        body: Any = None
        if text.startswith(("{", "[")):
            body = json.loads(text, parse_float=str, parse_int=str)
            fields = body.items() if isinstance(body, dict) else ()
            params |= {key: as_text(value) for key, value in fields if value is not None}
        else:
            params |= dict(parse_qsl(text, keep_blank_values=True))
        asked = Asked(
            method=request.method,
            host=host,
            path=request.path,
            query=query,
            text=text,
            headers={name.lower(): value for name, value in request.headers.items()},
            params=params,
            body=body,
            peer=request.remote or "",
        )
        asked.venue = self.venues[self.mode_of(asked)]
        self._find_route(asked)
        return asked

    def _find_route(self, asked: Asked) -> None:
        parts = tuple(self.routed(asked).split("/"))
        best: tuple[str, ...] | None = None
        for pattern, found in self._routes[asked.method, len(parts)]:
            fits = all(want in ("{}", have) for want, have in zip(pattern, parts, strict=True))
            # A path without gaps goes before one with them.
            if fits and (best is None or pattern.count("{}") < best.count("{}")):
                best, asked.route, asked.call = pattern, found, found.call
        if best:
            asked.parts = tuple(have for want, have in zip(best, parts, strict=True) if want == "{}")

    async def _hear(self, socket: Socket, text: str) -> None:
        await self.hear(socket, text)
        await asyncio.sleep(0)

    def _enlist(self, rules: Any) -> Listing:
        return Listing(rules, self.native(rules))

    def _lag(self, reads: int) -> None:
        for venue in self.venues.values():
            venue.lag_reads = reads


def _json(body: Body, status: int, headers: dict[str, str]) -> web.Response:
    text = body if isinstance(body, str) else json.dumps(body, separators=(",", ":"))
    kind = "text/html" if text.startswith("<") else "application/json"
    return web.Response(text=text, status=status or 200, headers=headers, content_type=kind)


def as_text(value: Any) -> str:
    """Write a JSON value as it would stand in a query."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def span(
    params: dict[str, str], days: int, start: str = "startTime", end: str = "endTime"
) -> tuple[int, int] | None:
    """Return the time a list is asked for [ms]: from a start alone so many days on. None if that is too long."""
    most = days * 86_400_000
    first = int(params.get(start) or 0)
    last = int(params.get(end) or (first + most if first else 1 << 62))
    return None if first and last - first > most else (first, last)


def wire(number: Decimal, places: int | None = None) -> str:
    """Write a number as exchanges do: without exponent, with as many places as asked for."""
    if places is not None:
        return f"{number:.{places}f}"
    plain = f"{number:f}"
    return plain.rstrip("0").rstrip(".") if "." in plain else plain
