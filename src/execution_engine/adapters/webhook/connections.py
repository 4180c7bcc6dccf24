"""Guard the connections: no request may dribble in, and no crowd of idle ones keeps a real alert out.

aiohttp has a deadline for idle connections only, so this one watches every connection from outside.
"""

from __future__ import annotations

import asyncio
import re
from collections import deque
from collections.abc import Callable
from heapq import heapify, heappop, heappush
from typing import Any, Protocol

from aiohttp import web

from execution_engine.adapters.webhook.answers import MALFORMED
from execution_engine.adapters.webhook.limits import Limits

MOST_OF_A_HEAD = 8 * 1024  # the library refuses more
_REQUEST = re.compile(rb"[A-Z]{1,16} \S+ HTTP/1\.[01]\r")


class Guarded(Protocol):
    """What the guard knows of a connection.

    since: when the request that is coming in began; None while nothing is awaited. working: a whole request
    is here and not answered yet.
    """

    peer: str
    since: float | None
    working: bool

    def drop(self) -> None:
        """Close the connection at once."""
        ...


class Guard:
    """Drops what takes too long and, where there are too many, what is unfinished for the longest time."""

    def __init__(
        self,
        limits: Limits,
        monotonic: Callable[[], float],
        later: Callable[[float, Callable[[], None]], asyncio.TimerHandle],
    ) -> None:
        self._limits = limits
        self._now = monotonic
        self._later = later
        self._open: dict[Guarded, float] = {}  # when they were opened, the oldest first
        self._sweeping: asyncio.TimerHandle | None = None
        self._thinning: asyncio.TimerHandle | None = None

    def opened(self, connection: Guarded) -> None:
        """Watch a connection; its first request begins now."""
        connection.since = self._open[connection] = self._now()
        if self._sweeping is None:
            self._sweeping = self._later(self._limits.sweep_s, self._sweep)
        if len(self._open) > self._limits.flood:
            self._drop(self.crowding())
        self._thin_later()

    def closed(self, connection: Guarded) -> None:
        self._open.pop(connection, None)

    def heard(self, connection: Guarded) -> None:
        """Take note that bytes came: between two requests they begin the next one."""
        if connection.since is None and not connection.working:
            connection.since = self._now()

    def stop(self) -> None:
        """Stop watching, and let nobody stand at the door for ever."""
        for timer in (self._sweeping, self._thinning):
            if timer is not None:
                timer.cancel()
        self._drop(list(self._open))

    def late(self) -> list[Guarded]:
        """List the connections whose request has not arrived in time."""
        latest = self._now() - self._limits.request_s
        return [one for one in self._open if one.since is not None and one.since <= latest]

    def crowding(self) -> list[Guarded]:
        """List the connections to drop, so that no more than the limit stay.

        They are taken from the peer that holds most of them, so that a crowd pushes out itself first. Those
        whose request is here already are none of them: an alert is never dropped half-way.
        """
        flood = len(self._open) > self._limits.flood
        ripe = self._now() - self._limits.grace_s
        of_peer: dict[str, deque[tuple[int, Guarded]]] = {}
        for place, (one, at) in enumerate(self._open.items()):
            if not one.working and (at <= ripe or flood):
                of_peer.setdefault(one.peer, deque()).append((place, one))
        most_first = [(-len(theirs), theirs[0][0], peer) for peer, theirs in of_peer.items()]
        heapify(most_first)
        drop: list[Guarded] = []
        while most_first and len(self._open) - len(drop) > self._limits.connections:
            peer = heappop(most_first)[2]
            drop.append(of_peer[peer].popleft()[1])
            if left := of_peer[peer]:
                heappush(most_first, (-len(left), left[0][0], peer))
        return drop

    def _sweep(self) -> None:
        self._sweeping = None
        self._drop(self.late())
        if self._open:
            self._sweeping = self._later(self._limits.sweep_s, self._sweep)

    def _thin_later(self) -> None:
        if len(self._open) > self._limits.connections and self._thinning is None:
            self._thinning = self._later(self._limits.thin_s, self._thin)

    def _thin(self) -> None:
        self._thinning = None
        self._drop(self.crowding())
        self._thin_later()

    def _drop(self, connections: list[Guarded]) -> None:
        for connection in connections:
            del self._open[connection]
            connection.drop()


class Knocking(asyncio.Protocol):
    """A connection before its first header is whole: whoever never gets that far costs next to nothing.

    Then it is served, and stays what the guard knows of it.
    """

    __slots__ = ("_guard", "_head", "_serve", "_transport", "peer", "since", "working")

    def __init__(self, guard: Guard, serve: Callable[[Knocking], Connection]) -> None:
        self._guard = guard
        self._serve = serve
        self._head = b""
        self._transport: asyncio.Transport | None = None
        self.peer = ""
        self.since: float | None = None
        self.working = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        name = transport.get_extra_info("peername")
        self.peer = str(name[0]) if isinstance(name, tuple) else ""
        self._guard.opened(self)

    def data_received(self, data: bytes) -> None:
        self._head += data
        if is_worth_reading(self._head) and self._transport is not None:
            inside, head = self._serve(self), self._head
            self._head = b""
            self._transport.set_protocol(inside)
            inside.connection_made(self._transport)
            inside.data_received(head)

    def connection_lost(self, exc: BaseException | None) -> None:
        self._guard.closed(self)

    def drop(self) -> None:
        if self._transport is not None:
            self._transport.abort()


def is_worth_reading(head: bytes) -> bool:
    """Say whether the library has something to say to what has come: a whole header, or what can be none."""
    if b"\r\n\r\n" in head or b"\n\n" in head or len(head) > MOST_OF_A_HEAD:
        return True
    line, ended, _ = head.partition(b"\n")
    return _REQUEST.fullmatch(line) is None if ended else not head[:1].isupper()


class Connection(web.RequestHandler):
    """One connection, as aiohttp serves it, with the guard listening in. known: what the guard knows of it."""

    __slots__ = ("_guard", "_known")

    def __init__(self, guard: Guard, known: Guarded, server: web.Server, **options: Any) -> None:
        super().__init__(server, **options)
        self._guard = guard
        self._known = known

    def connection_lost(self, exc: BaseException | None) -> None:
        self._guard.closed(self._known)
        super().connection_lost(exc)

    async def start(self) -> None:
        """Serve the requests of this connection, and end it when one cannot even be made an object of.

        `CONNECT` without a place breaks the library in the middle: the task would be gone, and its connection,
        a whole request behind it, would stay for ever.
        """
        try:
            await super().start()
        except Exception as error:
            self.log_debug("A connection was ended: %r", error)
            self.drop()

    def data_received(self, data: bytes) -> None:
        if data:
            self._guard.heard(self._known)
        super().data_received(data)
        # Looked at here and not when its turn comes: in a burst a whole request waits for the others, and that
        # must not count against it.
        if self._messages and self._messages[0][1].is_eof():
            self.received()

    def begun(self, whole: bool) -> None:
        """Take note that a request's header is here; the rest may have come behind an earlier request."""
        if whole:
            self.received()
        else:
            self._guard.heard(self._known)

    def received(self) -> None:
        """Take note that a whole request is here: from now on it takes as long as the store needs."""
        self._known.since = None
        self._known.working = True

    def answered(self) -> None:
        """Take note that the request was answered; one that never arrived whole keeps its deadline."""
        self._known.working = False

    def drop(self) -> None:
        if self.transport is not None:
            self.transport.abort()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer what is no HTTP with an empty 400; strangers' nonsense is no error of ours in the log."""
        if status != 400 or request.writer.output_size > 0:
            raise ConnectionResetError("the connection is of no use any more")
        return MALFORMED.response()

    def log_exception(self, *args: Any, **kw: Any) -> None:
        """Leave broken connections out of the log: every request of ours logs its own failure."""
        self.log_debug(*args, **kw)


class GuardedServer(web.Server):
    """Makes guarded connections."""

    def __init__(self, handler: Callable[[web.BaseRequest], Any], guard: Guard, limits: Limits) -> None:
        super().__init__(handler)
        self._guard = guard
        self._options = {
            "loop": asyncio.get_running_loop(),
            "keepalive_timeout": limits.idle_s,
            "lingering_time": limits.linger_s,
            "auto_decompress": False,
            "access_log": None,
            "read_bufsize": limits.body_bytes,
        }

    def __call__(self) -> Knocking:  # type: ignore[override]  # whoever is served is made one of its connections
        return Knocking(self._guard, lambda known: Connection(self._guard, known, self, **self._options))
