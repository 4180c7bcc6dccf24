"""Send raw nonsense to the listener over real sockets: it answers or closes, and never breaks or grows.

`python -m tests.fuzz.listener --requests 1000000 --seed 7 --minutes 8`; `--only N` sends one connection again.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import logging
import re
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from loguru import logger

from execution_engine.adapters.webhook import Limits, Listener, Secrets
from execution_engine.adapters.webhook.connections import Connection
from execution_engine.adapters.webhook.probes import Probes
from execution_engine.domain import document as settings_document
from execution_engine.domain.inputs import AlertReceived, Answer
from execution_engine.domain.rows import WebhookToken
from execution_engine.domain.symbols import Catalogue
from tests.adapters.webhook.house import BTC, NOW
from tests.fuzz.requests import BODY_SECRET, HMAC_SECRET, TOKEN, connection

AT_ONCE = 24  # connections, below the listener's own limit
REQUEST_S = 0.25  # instead of 3, so that a request without an end costs less time
CLOSED_S = 20.0  # by then every connection must have been closed, on a busy machine too
MAY_GROW_MB = 24.0  # after the first quarter; caches of the interpreter included
ALLOWED = frozenset({100, 200, 202, 400, 401, 404, 409, 413, 422, 429})
_STATUS = re.compile(rb"HTTP/1\.[01] (\d{3})[ \r]")


@dataclass
class Result:
    """What happened. faults: sentences with the number of the connection that showed them."""

    requests: int = 0
    connections: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    grown_mb: float = 0.0
    seconds: float = 0.0

    def __str__(self) -> str:
        answered = ", ".join(f"{status}: {count:,}" for status, count in sorted(self.statuses.items()))
        return (
            f"{self.requests:,} raw requests on {self.connections:,} connections in {self.seconds:.0f} s; "
            f"answers {answered}; grew by {self.grown_mb:.1f} MB after the first quarter; {len(self.faults)} faults"
        )


class Target:
    """A listener whose desk takes everything and keeps nothing."""

    def __init__(self) -> None:
        self.complaints: list[str] = []
        self._settings = settings_document.check(
            {
                "webhook": {
                    "rate_per_minute": 1_000_000,
                    "trusted_proxies": ["127.0.0.1"],
                    "token_required": False,
                }
            }
        )
        catalogue = Catalogue([BTC])
        tokens = [WebhookToken(name="main", token=TOKEN, created_at=NOW)]
        self.listener = Listener(
            settings=lambda: self._settings,
            tokens=lambda: tokens,
            secrets=lambda: Secrets(BODY_SECRET, HMAC_SECRET),
            catalogue=lambda: catalogue,
            post=self._post,
            ready_for_entries=lambda: None,
            clock=lambda: datetime.now(UTC),
            health=lambda: (True, {"status": "running"}),
            probes=Probes(time.monotonic),
            set_price=self._set_price,
            limits=Limits(request_s=REQUEST_S, sweep_s=0.02, linger_s=0.05, idle_s=REQUEST_S),
        )
        self._sink = logger.add(
            lambda line: self.complaints.append(str(line)),
            level="ERROR",
            format="{level} {message}\n{exception}",
        )
        self._library = logging.Handler(logging.ERROR)
        self._library.emit = lambda record: self.complaints.append(record.getMessage())  # type: ignore[method-assign]
        logging.getLogger().addHandler(self._library)
        asyncio.get_running_loop().set_exception_handler(
            lambda _, context: self.complaints.append(f"{context['message']}: {context.get('exception')!r}")
        )

    async def stop(self) -> None:
        await self.listener.stop()
        logger.remove(self._sink)
        logging.getLogger().removeHandler(self._library)

    def _post(self, asked: Any, then: Callable[[Any], None]) -> None:
        alert_id = 1 if isinstance(asked, AlertReceived) else None
        asyncio.get_running_loop().call_soon(then, Answer(status="accepted", alert_id=alert_id))

    async def _set_price(self, symbol: str, price: Decimal) -> list[str]:
        return [symbol]


async def run(requests: int, seed: int, *, first: int = 0, limit_s: float = 1e9) -> Result:
    """Send that many requests, or as many as the time allows, and judge what happened."""
    target, result, begun = Target(), Result(), time.monotonic()
    host, port = await target.listener.start("127.0.0.1", 0)
    numbers = iter(range(first, sys.maxsize))
    quarter, settled = requests // 4, 0.0

    async def work() -> None:
        nonlocal settled
        while result.requests < requests and time.monotonic() - begun < limit_s and len(result.faults) < 20:
            number = next(numbers)
            sent = connection(seed, number)
            result.requests += len(sent)
            result.connections += 1
            said = await _send(host, port, sent)
            _judge(result, number, said)
            if target.complaints:
                result.faults += [
                    f"connection {number} or one beside it: {text}" for text in target.complaints
                ]
                target.complaints.clear()
            if not settled and (result.requests >= quarter or time.monotonic() - begun > limit_s / 4):
                settled = resident_mb()

    await asyncio.gather(*(work() for _ in range(min(AT_ONCE, requests))))
    await _end(target, result, host, port)
    result.grown_mb = resident_mb() - settled
    result.seconds = time.monotonic() - begun
    return result


async def _send(host: str, port: int, sent: list[bytes]) -> bytes | None:
    """Send the requests and return all that comes back until the listener closes; None if it never does."""
    try:
        async with asyncio.timeout(CLOSED_S):
            reader, writer = await asyncio.open_connection(host, port)
            said = b""
            try:
                writer.write(b"".join(sent))
                while chunk := await reader.read(65536):
                    said += chunk
            except ConnectionError:
                pass  # it may close as it likes
            finally:
                writer.transport.abort()
    except TimeoutError:
        return None
    return said


def _judge(result: Result, number: int, said: bytes | None) -> None:
    if said is None:
        result.faults.append(f"connection {number} was not closed within {CLOSED_S:.0f} s")
        return
    for status in map(int, _STATUS.findall(said)):
        result.statuses[status] += 1
        if status not in ALLOWED:
            result.faults.append(f"connection {number} was answered {status}")


async def _end(target: Target, result: Result, host: str, port: int) -> None:
    """Make sure that a real alert is still taken and that no connection is left."""
    body = (
        b'{"exchange": "BINANCE", "symbol": "BTCUSDT", "timeframe": "15", "action": "buy", "price": "64000"}'
    )
    head = f"POST /webhook/{TOKEN} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n"
    said = await _send(host, port, [head.encode() + body])
    if said is None or not said.startswith(b"HTTP/1.1 202"):
        result.faults.append(f"a real alert was not taken afterwards: {said!r}")
    await target.stop()
    gc.collect()
    left = sum(isinstance(one, Connection) and one.transport is not None for one in gc.get_objects())
    if left:
        result.faults.append(f"{left} connections are left")
    result.faults += target.complaints


def resident_mb() -> float:
    """Return the memory of this process; 0 where nobody tells."""
    gc.collect()
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except OSError:
        return 0.0
    return pages * 4096 / 1e6


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--requests", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--only", type=int, default=None, help="send this connection alone")
    given = parser.parse_args()
    logger.remove()
    if given.only is not None:
        sys.stdout.write("\n".join(map(repr, connection(given.seed, given.only))) + "\n")
    first, requests = (0, given.requests) if given.only is None else (given.only, 1)
    result = asyncio.run(run(requests, given.seed, first=first, limit_s=given.minutes * 60))
    sys.stdout.write("\n".join([str(result), *result.faults]) + "\n")
    return 1 if result.faults or result.grown_mb > MAY_GROW_MB else 0


if __name__ == "__main__":
    sys.exit(main())
