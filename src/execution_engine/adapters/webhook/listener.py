"""The listener: the documented routes, and nothing else."""

from __future__ import annotations

import asyncio
import errno
import os
import secrets as random
import socket
import sys
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from datetime import datetime
from typing import Any

from aiohttp import web
from loguru import logger

from execution_engine.adapters.webhook import answers
from execution_engine.adapters.webhook.alerts import Alerts
from execution_engine.adapters.webhook.answers import Reply
from execution_engine.adapters.webhook.authentication import Secrets
from execution_engine.adapters.webhook.connections import Connection, Guard, GuardedServer
from execution_engine.adapters.webhook.doors import Doors, Post, SetPrice
from execution_engine.adapters.webhook.limits import Failures, Limits, Rate
from execution_engine.adapters.webhook.local import LocalRoutes
from execution_engine.adapters.webhook.probes import HEADER, Probes
from execution_engine.adapters.webhook.reading import Malformed, SenderGone
from execution_engine.domain.errors import EngineError
from execution_engine.domain.rows import WebhookToken
from execution_engine.domain.settings import Settings
from execution_engine.domain.symbols import Catalogue

LOGGED_STRANGERS = 60  # per minute; the rest is logged for debugging only
OTHER = "(another path)"
PROBED = "/webhook, asked by itself"
BACKLOG = 512  # connections that the system keeps for us; beyond them a sender waits a second and tries again
ACCEPTED_AT_ONCE = (
    16  # before everything else on the loop gets its turn: a crowd must not hold up prices and exits
)


class ListenError(EngineError):
    """The address cannot be listened on; the text says why and what to do."""


class Listener:
    """Takes alerts over HTTP. The arguments are those of `Doors`."""

    def __init__(
        self,
        *,
        settings: Callable[[], Settings],
        tokens: Callable[[], Iterable[WebhookToken]],
        secrets: Callable[[], Secrets],
        catalogue: Callable[[], Catalogue],
        post: Post,
        ready_for_entries: Callable[[], str | None],
        clock: Callable[[], datetime],
        health: Callable[[], tuple[bool, dict[str, Any]]],
        metrics: Callable[[], Awaitable[str]] | None = None,
        probes: Probes | None = None,
        place: Callable[[], str] = str,
        set_price: SetPrice | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        limits: Limits | None = None,
    ) -> None:
        self._doors = Doors(
            settings=settings,
            tokens=tokens,
            secrets=secrets,
            catalogue=catalogue,
            post=post,
            ready_for_entries=ready_for_entries,
            clock=clock,
            health=health,
            metrics=metrics,
            probes=probes,
            place=place,
            set_price=set_price,
            monotonic=monotonic,
            limits=limits or Limits(),
        )
        failures = Failures()
        self._alerts = Alerts(self._doors, failures)
        self._local = LocalRoutes(self._doors, failures)
        self._strangers = Rate()
        self._runner: web.ServerRunner | None = None
        self._guard: Guard | None = None
        self._server: asyncio.Server | None = None

    async def start(self, host: str, port: int) -> tuple[str, int]:
        """Listen and return the address; port 0 picks a free one. Raises ListenError."""
        limits = self._doors.limits
        guard = Guard(limits, self._doors.monotonic, asyncio.get_running_loop().call_later)
        runner = web.ServerRunner(
            GuardedServer(self._serve, guard, limits), handle_signals=False, shutdown_timeout=limits.stop_s
        )
        await runner.setup()
        assert runner.server is not None
        try:
            server = await asyncio.get_running_loop().create_server(
                runner.server, host, port, backlog=ACCEPTED_AT_ONCE
            )
        except (OSError, OverflowError) as error:
            await runner.cleanup()
            raise ListenError(_why_not(error, host, port)) from error
        _let_wait(server)
        self._runner, self._guard, self._server = runner, guard, server
        address = server.sockets[0].getsockname()
        return str(address[0]), int(address[1])

    async def stop(self) -> None:
        """Take no more requests and let those at work finish; one that still waits is cut off unanswered."""
        runner, guard, server = self._runner, self._guard, self._server
        self._runner = self._guard = self._server = None
        if server is not None:
            server.close()
        if runner is not None:
            await runner.cleanup()
        if guard is not None:
            guard.stop()

    async def _serve(self, request: web.BaseRequest) -> web.StreamResponse:
        started = self._doors.monotonic()
        request_id = random.token_hex(6)
        route, answer = self._route(request)
        if isinstance(request.protocol, Connection):
            request.protocol.begun(request.content.is_eof())
        try:
            reply = await answer
        except SenderGone:
            raise
        except Malformed:
            reply = answers.MALFORMED
        except Exception:
            logger.bind(category="API").exception("Request {} failed", request_id)
            reply = answers.broken(request_id)
        self._log(request.method, route, reply.status, self._doors.monotonic() - started, request_id)
        response = reply.response()
        if not request.content.is_eof():
            response.force_close()  # what is left of the body must not be taken for a request
        if isinstance(request.protocol, Connection):
            request.protocol.answered()
        return response

    def _route(self, request: web.BaseRequest) -> tuple[str, Coroutine[Any, Any, Reply]]:
        """Name the route of a request, without the token, and say who answers it."""
        match request.method, request.rel_url.raw_path.split("/"):
            case "POST", ["", "webhook"] if HEADER in request.headers:
                return PROBED, self._alerts.probed(request)
            case "POST", ["", "webhook"]:
                return "/webhook", self._alerts.receive(request, None)
            case "POST", ["", "webhook", token] if token:
                return "/webhook/…", self._alerts.receive(request, token)
            case "GET", ["", "health"]:
                return "/health", self._local.health(request)
            case "GET", ["", "metrics"]:
                return "/metrics", self._local.metrics(request)
            case "POST", ["", "paper", "price"]:
                return "/paper/price", self._local.price(request)
        return OTHER, _nothing_here()

    def _log(self, method: str, route: str, status: int, took_s: float, request_id: str) -> None:
        level = "DEBUG" if (route, status) in _ROUTINE else "INFO"
        if status in (400, 401, 404, 429) and not self._strangers.take(
            LOGGED_STRANGERS, self._doors.monotonic()
        ):
            level = "DEBUG"  # a flood must not push everything else out of the log
        logger.bind(category="API").log(
            level, "{} {} {} {:.1f} ms {}", method, route, status, took_s * 1000, request_id
        )


def _let_wait(server: asyncio.Server) -> None:
    """Have the system keep more connections than are accepted at once; asyncio knows one number for both."""
    if sys.platform == "win32":  # there they are accepted one at a time
        return
    for listening in server.sockets:
        with socket.socket(fileno=os.dup(listening.fileno())) as same:
            same.listen(BACKLOG)


_ROUTINE = {(PROBED, 200), ("/metrics", 200)}  # every few seconds, and nothing to read


async def _nothing_here() -> Reply:
    return answers.NOTHING_HERE


_CHOOSE_PORT = "for one run with --port, for good with “execution-engine settings set webhook.port 8788”"


def fault_of(host: str, port: int) -> str:
    """Return why nobody could listen there now; empty where somebody could. Blocking."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        with socket.socket(found[0][0], socket.SOCK_STREAM) as tried:
            if (
                os.name == "posix"
            ):  # what has ended holds an address for a while; on Windows this would take it away
                tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            tried.bind(found[0][4])
            tried.listen()
    except (OSError, OverflowError) as error:
        return _why_not(error, host, port)
    return ""


def _why_not(error: Exception, host: str, port: int) -> str:
    number = getattr(error, "errno", None)
    if number == errno.EADDRINUSE:
        return (
            f"Port {port} on {host} is used by another program, perhaps by a second Execution Engine. "
            f"End that program, or choose another port: {_CHOOSE_PORT}."
        )
    if number == errno.EACCES:
        return (
            f"The system does not let this user listen on port {port}. Choose one above 1023: {_CHOOSE_PORT}."
        )
    if number == errno.EADDRNOTAVAIL or (isinstance(error, socket.gaierror)):
        return (
            f"This machine has no address “{host}”. Choose 127.0.0.1: for one run with --host, for good with "
            "“execution-engine settings set webhook.host 127.0.0.1”."
        )
    return f"It is not possible to listen on {host}, port {port}: {error}."
