"""One ccxt object: built for one account and environment, and listened to.

ccxt's classes are used as they are. What is put around them: nothing leaves for a host that is not this
environment's, and what came back is kept as it came, because ccxt's errors do not always say the code.
"""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Protocol
from urllib.parse import urlsplit

import aiohttp
import certifi
from loguru import logger

from execution_engine.adapters.exchanges.catalogue import Entry, Place, Switch, Venue
from execution_engine.adapters.exchanges.ccxt_import import exchange_class
from execution_engine.domain.errors import Defect, EngineError
from execution_engine.domain.instrument import Market
from execution_engine.domain.keys import Keys
from execution_engine.domain.rows import Mode

TIMEOUT_MS = 10_000
STREAM_PING_MS = 3_000
SIMULATED = "x-simulated-trading"  # the header by which OKX, on one host, tells demo from production
MOST_BLOCKED = timedelta(days=3)  # the longest ban that Binance hands out
_WITHOUT_RETRY_AFTER_S = 10
_READINGS_APART_S = 0.05
_HEAVY = 0.6  # the share of an exchange's weights from which on lists wait for the next minute
_TOO_MANY = (418, 429)


class Clock(Protocol):
    def now(self) -> datetime: ...

    def monotonic(self) -> float: ...


class NotThere(EngineError):
    """The exchange has no such mode for such a market; the text is a sentence."""


class Blocked(EngineError):
    """The exchange said to be left alone until a time; nothing was sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back for one request. document: the JSON; None if it was none."""

    method: str
    url: str
    status: int
    body: str
    document: Any


@dataclass(slots=True)
class Heard:
    """What one call sent and heard."""

    sent: list[str] = field(default_factory=list)  # the methods of requests that left
    answers: list[Answer] = field(default_factory=list)

    @property
    def changed_something(self) -> bool:
        """Return whether a request left that could change anything there."""
        return any(method != "GET" for method in self.sent)

    def last(self, *methods: str) -> Answer | None:
        """Return the last answer to one of these methods."""
        return next((one for one in reversed(self.answers) if one.method in methods), None)


_HEARD: ContextVar[Heard | None] = ContextVar("what a call heard", default=None)


@contextmanager
def listening() -> Iterator[Heard]:
    """Collect what the calls inside send and hear, theirs and nobody else's; so does whoever listens around it."""
    heard, around = Heard(), _HEARD.get()
    token = _HEARD.set(heard)
    try:
        yield heard
    finally:
        _HEARD.reset(token)
        if around is not None:
            around.sent += heard.sent
            around.answers += heard.answers


def refusal(venue: Venue, heard: Heard) -> Entry | None:
    """Return the code and the words of the last answer; None if it was no refusal in the exchange's own form."""
    if not heard.answers:
        return None
    return next((entry for entry in venue.entries(heard.answers[-1].document) if entry.code), None)


def trusted() -> ssl.SSLContext:
    """Read whom to trust. Blocking, for some 25 ms."""
    return ssl.create_default_context(cafile=certifi.where())


def new_session(trust: ssl.SSLContext | None = None) -> aiohttp.ClientSession:
    """Return the connections of all exchanges. To be called on the loop that uses them.

    The threaded resolver, because the other one fails on the loop that Windows has.
    """
    connector = aiohttp.TCPConnector(ssl=trust or trusted(), resolver=aiohttp.ThreadedResolver(), limit=0)
    return aiohttp.ClientSession(connector=connector)


def ccxt_class(name: str) -> Any:
    """Import the class of an exchange. Blocking: on a thread, and only once somebody asks an exchange."""
    return exchange_class(name)


class Client:
    """One account's way to ccxt. Build with `open_client`."""

    def __init__(self, venue: Venue, market: Market, place: Place, exchange: Any, clock: Clock) -> None:
        self.venue = venue
        self.market = market
        self.exchange = exchange
        self.blocked_until: datetime | None = None
        self._block_ends = 0.0  # the same, for a clock that is set back meanwhile
        self._place = place
        self._clock = clock
        self._sync: asyncio.Task[None] | None = None
        self._offset_ms = 0
        exchange.milliseconds = self._now_ms
        exchange.seconds = lambda: self._now_ms() // 1000
        self._learning: set[asyncio.Future[None]] = set()
        self.learn: Callable[[Sequence[str]], Awaitable[None]] = _nothing_to_learn
        self._next_reading = clock.monotonic()
        self._light_again = clock.monotonic()
        self._listen()

    @property
    def offset_ms(self) -> int:
        """Return how far this computer's clock is ahead of the exchange's."""
        return self._offset_ms

    async def call(self, name: str, *args: Any, **kwargs: Any) -> Any:
        """Call a method of ccxt. A refusal because of the clock is tried again once, with the right time.

        Raises what ccxt raises, and Blocked.
        """
        try:
            return await getattr(self.exchange, name)(*args, **kwargs)
        except Exception as error:
            if not is_named(error, "InvalidNonce"):
                raise
        await self.sync_clock()
        return await getattr(self.exchange, name)(*args, **kwargs)

    async def pace(self) -> None:
        """Wait for this reading's turn: lists leave one after the other, and room for what cannot wait."""
        now = self._clock.monotonic()
        turn = max(now, self._next_reading, self._light_again)
        self._next_reading = turn + _READINGS_APART_S
        while True:  # a wait may end early
            left = turn - self._clock.monotonic()
            if left <= 0:
                return
            await asyncio.sleep(left)

    async def sync_clock(self) -> None:
        """Measure the exchange's clock; several who ask at once share one measurement."""
        if self._sync is None or self._sync.done():
            self._sync = asyncio.ensure_future(self._measure())
        await asyncio.shield(self._sync)

    async def _measure(self) -> None:
        await self.exchange.load_time_difference()
        # ccxt takes it off the time of requests only, and not of every exchange's log-in to its streams.
        self._offset_ms += int(self.exchange.options["timeDifference"])
        self.exchange.options["timeDifference"] = 0

    def judge(self, document: Any, url: str) -> None:
        """Raise what ccxt makes of an error inside an answer from a URL; nothing if it knows no such error."""
        self._judge(400, "", url, "POST", {}, json.dumps(document), document, {}, "")

    @property
    def sockets(self) -> list[Any]:
        """Return ccxt's websockets."""
        return [one for url, one in (self.exchange.clients or {}).items() if "://" in url]

    def market_of(self, id: str) -> Any:
        """Return ccxt's words for a market by the exchange's own name; None where it is unknown.

        Bybit calls its spot markets and its perpetuals alike: this client's are of one kind.
        """
        known = (self.exchange.markets_by_id or {}).get(id) or []
        return next((one for one in known if one.get(self.market.value)), None)

    def symbol_of(self, id: str) -> str:
        """Return ccxt's symbol of a market by the exchange's own name; the name itself where it is unknown."""
        market = self.market_of(id)
        return str(market["symbol"]) if market else id

    def parsed(self, parse: str, items: Sequence[Any]) -> list[Any]:
        """Have ccxt parse what a list holds, each with its own market: it would guess otherwise."""
        one = getattr(self.exchange, parse)
        return [one(item, self.market_of(native_id(item))) for item in items]

    def _now_ms(self) -> int:
        """Return the exchange's time."""
        return int(self._clock.now().timestamp() * 1000) - self._offset_ms

    async def close(self) -> None:
        """End the streams; the session is somebody else's."""
        await self.exchange.close()

    async def end_streams(self) -> None:
        """End the streams alone, once nobody follows them any more: whoever waited for one would be cancelled."""
        await self.exchange.close_ws_clients()

    def open_streams_anew(self, why: str) -> None:
        """Break all streams off: whoever follows one hears of it, and opens it again."""
        for socket in self.sockets:
            socket.on_error(ConnectionResetError(why))

    def _ask_whether_blocked(self) -> None:
        until = self.blocked_until
        if until is not None and self._clock.now() < until and self._clock.monotonic() < self._block_ends:
            raise Blocked(f"{self.venue.title} asked to be left alone until {until:%H:%M:%S} UTC.")

    def _listen(self) -> None:
        exchange, fetch, judge = self.exchange, self.exchange.fetch, self.exchange.handle_errors
        stream = exchange.client
        self._judge = judge

        async def fetch_here(url: str, method: str = "GET", headers: Any = None, body: Any = None) -> Any:
            self._only_here(url)
            self._ask_whether_blocked()
            if (heard := _HEARD.get()) is not None:
                heard.sent.append(method)
            return await fetch(url, method, headers, body)

        def stream_here(url: str) -> Any:
            if "://" in url:  # otherwise it is a name under which ccxt keeps something, and no address
                self._only_here(url)
            socket = stream(url)
            socket.keepAlive = STREAM_PING_MS  # a socket that answers nothing is noticed after three of these
            if "future" not in vars(socket):
                socket.future = _retrieved(socket.future)
            return socket

        def judge_heard(
            code: int, reason: str, url: str, method: str, headers: Any, body: str, response: Any, *more: Any
        ) -> Any:
            if (heard := _HEARD.get()) is not None:
                heard.answers.append(
                    Answer(method=method, url=url, status=code, body=body, document=response)
                )
            if code in _TOO_MANY:
                self._block(headers)
            elif (ban := self.venue.ban) is not None and code == ban.status and ban.words in body.lower():
                self._leave_alone(ban.lasts)
            self._weigh(headers)
            return judge(code, reason, url, method, headers, body, response, *more)

        self._take = exchange.handle_message
        exchange.handle_message = self._take_in
        exchange.fetch = fetch_here
        exchange.client = stream_here
        exchange.handle_errors = judge_heard

    def _take_in(self, socket: Any, message: Any) -> None:
        """Take in what a stream says. Only markets in use are known: others are learnt when they are named."""
        if self.venue.logged_out and _event(message) == self.venue.logged_out:
            self._log_in_again(socket)
            return
        try:
            self._take(socket, message)
        except Exception as error:
            strange = [name for name in _named(message) if self.market_of(name) is None]
            if strange:
                learning = asyncio.ensure_future(self._take_learnt(socket, message, strange))
                self._learning.add(learning)
                learning.add_done_callback(self._learning.discard)
            else:
                self._begin_again(socket, error)

    async def _take_learnt(self, socket: Any, message: Any, strange: list[str]) -> None:
        try:
            await self.learn(strange)
            if all(self.market_of(name) is not None for name in strange):
                self._take(socket, message)
            # Otherwise it is about something that is not traded here.
        except Exception as error:
            self._begin_again(socket, error)

    def _begin_again(self, socket: Any, error: Exception) -> None:
        """Open a stream anew that said what cannot be: nothing it says is trusted."""
        logger.opt(exception=error).error("{}: a stream said what ccxt cannot take in", self.venue.title)
        socket.on_error(error)

    def _log_in_again(self, socket: Any) -> None:
        """Open a private stream anew whose key ran out: ccxt would keep the key, and the silence."""
        logger.info("{}: the key of a private stream ran out; it is opened anew", self.venue.title)
        for kept in self.exchange.options.values():
            if isinstance(kept, dict) and "listenKey" in kept:
                kept.update(listenKey=None, lastAuthenticatedTime=0)
        socket.on_error(ConnectionResetError("the key of the stream ran out"))

    def _only_here(self, url: str) -> None:
        """Refuse to speak to any other environment, whatever ccxt was told. Raises Defect."""
        if not is_here(self._place, url):
            raise Defect(f"{self.venue.title}: {urlsplit(url).hostname} is not of this account's environment")
        marked = (self.exchange.headers or {}).get(SIMULATED) == "1"
        if marked != self._place.simulated:
            raise Defect(f"{self.venue.title}: the mark of simulated trading does not fit this account")

    def _weigh(self, headers: Mapping[str, str]) -> None:
        """Take note of how much of this minute's weights the exchange says is used."""
        header, most = self.venue.weights.get(self.market, ("", 0))
        used = next((value for name, value in headers.items() if name.lower() == header), "")
        if used.isdecimal() and int(used) > most * _HEAVY:
            now = self._clock.now()
            left = 60 - now.second - now.microsecond / 1e6
            self._light_again = self._clock.monotonic() + left

    def _block(self, headers: Mapping[str, str]) -> None:
        said = next((value for name, value in headers.items() if name.lower() == "retry-after"), "")
        most_s = int(MOST_BLOCKED.total_seconds())
        asked_s = Decimal(said) if said.isdecimal() else _WITHOUT_RETRY_AFTER_S  # of whatever length
        self._leave_alone(timedelta(seconds=int(min(asked_s, most_s))))

    def _leave_alone(self, wait: timedelta) -> None:
        """Send nothing for so long, and not less than was asked for before."""
        ends = self._clock.monotonic() + wait.total_seconds()
        if self.blocked_until is None or ends > self._block_ends:
            self.blocked_until, self._block_ends = self._clock.now() + wait, ends


def _retrieved(make: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Have what a stream waits for not complain where nobody waits: ccxt leaves some of its failures lying."""

    def made(hash: Any) -> Any:
        future = make(hash)
        # ccxt hands out the same one until something comes: with every message about one market, those of all others.
        future.remove_done_callback(_taken_note_of)
        future.add_done_callback(_taken_note_of)
        return future

    return made


def _taken_note_of(done: asyncio.Future[Any]) -> None:
    if not done.cancelled():
        done.exception()


async def _nothing_to_learn(names: Sequence[str]) -> None:
    """Stand in until somebody knows where markets can be learnt."""


def _event(message: Any) -> str:
    """Return what a message of a stream is called, whether it is wrapped or not."""
    inner = message.get("data", message) if isinstance(message, dict) else None
    return str(inner.get("e") or "") if isinstance(inner, dict) else ""


_NAMES_OF_MARKETS = ("s", "symbol", "instId")


def _named(message: Any) -> list[str]:
    """Return the exchange's names of the markets that a message of a stream is about."""
    if isinstance(message, list):
        return [name for item in message for name in _named(item)]
    if not isinstance(message, dict):
        return []
    own = [message[key] for key in _NAMES_OF_MARKETS if isinstance(message.get(key), str)]
    return own + [name for item in message.values() if isinstance(item, dict | list) for name in _named(item)]


def native_id(item: Mapping[str, Any]) -> str:
    """Return the exchange's name of the market that something in a list is about."""
    return str(item.get("symbol") or item.get("instId") or "")


def is_here(place: Place, url: str) -> bool:
    """Return whether a URL is of this place: by its host, by host and path, or `*.` and a domain for streams."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    for known in place.hosts:
        name, slash, path = known.partition("/")
        if name.startswith("*."):
            if parts.scheme == "wss" and host.endswith(name[1:]):
                return True
        elif host == name and (not slash or parts.path.startswith(f"/{path}")):
            return True
    return False


def is_named(error: BaseException, name: str) -> bool:
    """Return whether an error is of a class that ccxt calls so, or of one below it."""
    return any(cls.__name__ == name for cls in type(error).__mro__)


def build(
    venue: Venue,
    market: Market,
    mode: Mode,
    keys: Keys | None,
    session: Any,
    make: Callable[[str], Any] = ccxt_class,
) -> tuple[Any, Place]:
    """Make the ccxt object of an environment. Raises NotThere."""
    place = venue.place(market, mode)
    if place is None:
        traded = "spot" if market is Market.SPOT else "USDT perpetuals"
        raise NotThere(f"{venue.title} has no {mode} mode for {traded}.")
    own = {name: dict(value) if isinstance(value, dict) else value for name, value in venue.options.items()}
    kind = "spot" if market is Market.SPOT else venue.swap_type
    options = {
        "defaultType": market.value,
        **({"defaultSubType": "linear"} if market is Market.SWAP else {}),
        "adjustForTimeDifference": False,  # measured by `sync_clock`, at the start and from time to time
        "maxRetriesOnFailure": 0,  # it would send an order again
        **own,
        "fetchMarkets": {**own.get("fetchMarkets", {}), "types": [kind]},
    }
    # ccxt's own throttle is first in, first out: an exit would wait behind a list. The account's limiter and
    # `pace` stand in front of it instead.
    config: dict[str, Any] = {"timeout": TIMEOUT_MS, "enableRateLimit": False, "options": options}
    if keys is not None:
        config |= {"apiKey": keys.api_key, "secret": keys.api_secret, "password": keys.passphrase}
    if session is not None:
        config["session"] = session
    exchange = make(venue.name)(config)
    exchange.number = str  # prices and amounts stay text on their way to Decimal
    if place.switch is Switch.SANDBOX:
        exchange.set_sandbox_mode(True)
    elif place.switch is Switch.DEMO:
        exchange.enable_demo_trading(True)
    return exchange, place


async def open_client(
    venue: Venue,
    market: Market,
    mode: Mode,
    keys: Keys | None,
    session: aiohttp.ClientSession,
    clock: Clock,
) -> Client:
    """Build the client of an account. Raises NotThere."""
    cls = await asyncio.to_thread(ccxt_class, venue.name)
    exchange, place = build(venue, market, mode, keys, session, lambda name: cls)
    return Client(venue, market, place, exchange, clock)
