"""Whether the public address leads here, and fast enough: one light."""

from __future__ import annotations

import asyncio
import hmac
import json
import ssl
import time
from collections.abc import Callable
from datetime import datetime
from socket import AF_INET
from typing import Protocol

import aiohttp
from aiohttp.abc import AbstractResolver

from execution_engine.adapters.tunnel.names import SystemNames
from execution_engine.domain.way_in import Reach

HEADER = "X-Probe"
GIVES_UP_S = 3.0  # TradingView's patience: FACTS, support page 43000529348
CLOSE_S = 1.5  # from here on a busy moment may be too much
PATIENCE_S = 10.0
MOST_BYTES = 4096


class Shown(Protocol):
    """A pass for one probe: what it shows, and the answer that proves who gave it."""

    @property
    def shown(self) -> str: ...
    @property
    def answer(self) -> str: ...


class Reachability:
    """Sends probes through a public address."""

    def __init__(
        self,
        now: Callable[[], datetime],
        resolver: AbstractResolver | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._now = now
        self._resolver = resolver or SystemNames()
        self._monotonic = monotonic

    async def check(self, url: str, probe: Shown, cautions: Callable[[], tuple[str, ...]]) -> Reach:
        """Send one probe and judge its answer. Never raises: whatever goes wrong is what was found.

        cautions: what the listener noticed when the probe arrived.
        """
        begun = self._monotonic()
        try:
            async with asyncio.timeout(PATIENCE_S):
                status, body = await self._send(url, probe)
        except (OSError, ValueError, aiohttp.ClientError) as error:  # a TimeoutError is an OSError
            return self._found("error", _why(error), url, None)
        took_s = self._monotonic() - begun
        if status != 200 or not hmac.compare_digest(_answer(body).encode(), probe.answer.encode()):
            return self._found("error", _stranger(status), url, took_s)
        if took_s > GIVES_UP_S:
            sentence = f"The answer took {took_s:.1f} s; TradingView gives up after {GIVES_UP_S:.0f} s."
            return self._found("error", sentence, url, took_s)
        noticed = cautions()
        if noticed:
            return self._found("warn", " ".join(noticed), url, took_s)
        if took_s > CLOSE_S:
            sentence = f"The answer took {took_s:.1f} s; TradingView gives up after {GIVES_UP_S:.0f} s."
            return self._found("warn", sentence, url, took_s)
        return self._found("ok", f"Reached from outside in {took_s * 1000:.0f} ms.", url, took_s)

    async def _send(self, url: str, probe: Shown) -> tuple[int, bytes]:
        # A connection of its own each time, over IPv4: as TradingView's.
        connector = aiohttp.TCPConnector(family=AF_INET, force_close=True, resolver=self._resolver)
        async with (
            aiohttp.ClientSession(connector=connector) as session,
            session.post(
                f"{url}/webhook", headers={HEADER: probe.shown}, data=b"", allow_redirects=False
            ) as answer,
        ):
            return answer.status, await answer.content.read(MOST_BYTES)

    def _found(self, state: str, sentence: str, url: str, took_s: float | None) -> Reach:
        return Reach(state=state, sentence=sentence, url=url, took_s=took_s, at=self._now())


def _answer(body: bytes) -> str:
    try:
        said = json.loads(body)
    except ValueError:
        return ""
    return str(said.get("probe", "")) if isinstance(said, dict) else ""


def _stranger(status: int) -> str:
    if 300 <= status < 400:
        return f"The address answers with a redirect ({status}); TradingView must get there at once."
    if status in (502, 503, 504, 530):
        return f"The tunnel or proxy answers {status}: it does not get through to the listener."
    return f"Something else answers at this address (status {status}), not this program's listener."


def _why(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return f"No answer came within {PATIENCE_S:.0f} s."
    if isinstance(error, aiohttp.ClientConnectorCertificateError | ssl.SSLCertVerificationError):
        return "Its certificate is not valid for this address; TradingView would refuse it as well."
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return "Its name is not known (yet), or this machine is not online."
    if isinstance(error, aiohttp.ClientConnectorError):
        return f"No connection can be made: {(error.strerror or str(error)).lower()}."
    return f"No usable answer came: {type(error).__name__}."
