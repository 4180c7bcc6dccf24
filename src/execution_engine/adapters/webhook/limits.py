"""How much is taken, and how fast: the fixed limits, and buckets for rates that the settings name."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address, ip_network

from execution_engine.domain.alert import MAX_BYTES

MAX_ADDRESSES = 4096  # remembered at once; the least recently seen one is forgotten first
FAILURES_OF_ALL = 20  # all addresses together may fail so many times as often as one


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one request and all connections may take.

    request_s: from the connection or the first byte to the end of the body; TradingView gives up after 3 s.
    idle_s: between two requests.
    linger_s: how long the rest of a refused body is read and thrown away; without that the connection would
    be reset and the answer lost.
    connections: beyond them the oldest unfinished one is dropped once it is older than grace_s, because in a
    burst of real alerts many connections stand before their requests arrive. Beyond `flood` nobody's age counts.
    thin_s: between two looks for such; often and few at a time, because whoever is dropped comes back at once.
    sweep_s: between two looks for connections that are late.
    stop_s: how long requests at work may take once the listener is stopped.
    refusals: refused requests kept at once, per status; refusals_per_hour: how many come free again. Each is a
    row of the list and a line of the log for 30 days, so a month of flood on every status stays under 0.2 GB.
    """

    body_bytes: int = MAX_BYTES
    request_s: float = 3.0
    idle_s: float = 15.0
    linger_s: float = 1.0
    connections: int = 64
    grace_s: float = 0.5
    flood: int = 1024
    thin_s: float = 0.05
    sweep_s: float = 0.25
    stop_s: float = 5.0
    refusals: int = 60
    refusals_per_hour: int = 120


class Rate:
    """A bucket that holds one minute's worth, or as much as is said, and is refilled evenly."""

    __slots__ = ("_at", "_left")

    def __init__(self) -> None:
        self._left: float | None = None
        self._at = 0.0

    def take(self, per_minute: float, now: float, most: float | None = None) -> bool:
        """Take one if there is one left. `now` counts seconds and never goes back."""
        full = float(per_minute if most is None else most)
        left = full if self._left is None else self._left + (now - self._at) * per_minute / 60
        left = min(left, full)
        self._at = now
        self._left = left - 1 if left >= 1 else left
        return left >= 1


class Failures:
    """Counts wrong secrets per address. A right secret never asks here, so nobody else's guesses delay it."""

    def __init__(self) -> None:
        self._of: OrderedDict[str, Rate] = OrderedDict()
        self._all = Rate()

    def too_many(self, address: str, per_minute: int, now: float) -> bool:
        """Count one failure and say whether it was one too many."""
        key = _network(address)
        rate = self._of.setdefault(key, Rate())
        self._of.move_to_end(key)
        if len(self._of) > MAX_ADDRESSES:
            self._of.popitem(last=False)
        own = rate.take(per_minute, now)
        return not (self._all.take(per_minute * FAILURES_OF_ALL, now) and own)


def _network(address: str) -> str:
    """Return what one sender certainly controls: an IPv4 address, or the /64 of an IPv6 one."""
    try:
        ip = ip_address(address)
    except ValueError:
        return address
    return str(ip_network((ip, 64), strict=False)) if isinstance(ip, IPv6Address) else address
