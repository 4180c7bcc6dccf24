"""The websockets of one exchange: who listens to what, and what can go wrong on the way to them."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from aiohttp import WSMsgType, web

if TYPE_CHECKING:
    from tests.exchanges.venue import Account, Venue


@dataclass(eq=False)
class Socket:
    """One connection. topics: what it subscribed, in the exchange's own words."""

    ws: web.WebSocketResponse
    transport: asyncio.Transport
    host: str
    path: str
    query: dict[str, str]
    venue: Venue
    account: Account | None = None
    topics: dict[str, Any] = field(default_factory=dict)
    outbox: asyncio.Queue[str] = field(default_factory=asyncio.Queue)


class Streams:
    """All sockets of one exchange."""

    def __init__(self) -> None:
        self.sockets: list[Socket] = []
        self.refuse = False
        self.twice = False
        self.said: list[str] = []  # every message that came in, oldest first
        self.sent_private: list[str] = []
        self._muted = False
        self._held: list[tuple[Socket, str]] | None = None
        self._holds_private = True

    @property
    def topics(self) -> set[str]:
        return {topic for socket in self.sockets for topic in socket.topics}

    @property
    def count(self) -> int:
        return len(self.sockets)

    @property
    def held(self) -> list[str]:
        """Return the events that wait to be released, oldest first."""
        return [text for _, text in self._held or ()]

    def mute(self) -> None:
        """Say nothing more; the sockets stay open, and not even a ping is answered."""
        self._muted = True

    def unmute(self) -> None:
        self._muted = False

    def drop(self) -> None:
        """Reset every socket."""
        for socket in tuple(self.sockets):
            socket.transport.abort()

    def hold(self, *, private: bool = True) -> None:
        """Keep private events, or else what the market does, back until they are released."""
        self._held = []
        self._holds_private = private

    def release(self, *, backwards: bool = False) -> None:
        held, self._held = self._held or [], None
        for socket, text in reversed(held) if backwards else held:
            self._put(socket, text, private=self._holds_private)

    def _put(self, socket: Socket, text: str, *, private: bool) -> None:
        if private:
            self.sent_private.append(text)
        socket.outbox.put_nowait(text)

    def push(self, socket: Socket, message: Any, *, private: bool = False) -> None:
        """Send a message after those before it."""
        if self._muted:
            return
        text = message if isinstance(message, str) else json.dumps(message, separators=(",", ":"))
        for _ in range(2 if private and self.twice else 1):
            if self._held is not None and private is self._holds_private:
                self._held.append((socket, text))
            else:
                self._put(socket, text, private=private)

    async def serve(
        self,
        request: web.Request,
        venue: Venue,
        opened: Callable[[Socket], None],
        hear: Callable[[Socket, str], Awaitable[None]],
        closed: Callable[[Socket], None],
    ) -> web.StreamResponse:
        """Serve one connection until either side ends it."""
        if self.refuse:
            return web.Response(status=503, text="Service Unavailable")
        ws = web.WebSocketResponse(autoping=False)
        await ws.prepare(request)
        assert isinstance(request.transport, asyncio.Transport)
        host = request.headers["Host"].partition(":")[0]
        socket = Socket(ws, request.transport, host, request.path, dict(request.query), venue)
        self.sockets.append(socket)
        sending = asyncio.ensure_future(_send(socket))
        try:
            opened(socket)
            await self._listen(socket, hear)
        finally:
            self.sockets.remove(socket)
            closed(socket)
            sending.cancel()
            with contextlib.suppress(asyncio.CancelledError, ConnectionError):
                await sending
        return ws

    async def _listen(self, socket: Socket, hear: Callable[[Socket, str], Awaitable[None]]) -> None:
        async for message in socket.ws:
            if message.type is WSMsgType.TEXT:
                self.said.append(message.data)
                if not self._muted:
                    await hear(socket, message.data)
            elif message.type is WSMsgType.PING and not self._muted:
                await socket.ws.pong(message.data)


async def _send(socket: Socket) -> None:
    with contextlib.suppress(ConnectionError):
        while True:
            await socket.ws.send_str(await socket.outbox.get())
