"""Passes for the requests that this program sends to itself through its public address.

A pass is signed with a key that never leaves this process, counts once and for a few seconds, and says nothing
about trading: whoever sees one on its way can do nothing with it. The answer is signed as well, so that another
program at that address is not taken for this one.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field

from multidict import CIMultiDictProxy

from execution_engine.adapters.webhook.addresses import client_address, is_forwarded, may_send
from execution_engine.domain.senders import PRESETS
from execution_engine.domain.settings import Webhook

HEADER = "X-Probe"
GOOD_FOR_S = 30.0
MOST_OPEN = 16


@dataclass(frozen=True, slots=True)
class Pass:
    """What one probe shows, and the answer that proves who gave it."""

    nonce: str
    shown: str = field(repr=False)
    answer: str = field(repr=False)


class Probes:
    """Gives out passes and takes each of them back once."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._now = monotonic
        self._key = secrets.token_bytes(32)
        self._open: dict[str, float] = {}  # until when, the oldest first
        self._cautions: dict[str, tuple[str, ...]] = {}

    def new(self) -> Pass:
        """Return a pass that counts once."""
        nonce = secrets.token_hex(16)
        while len(self._open) >= MOST_OPEN:
            self._open.pop(next(iter(self._open)))
        self._open[nonce] = self._now() + GOOD_FOR_S
        return Pass(nonce, f"{nonce}.{self._sign('pass', nonce)}", self._sign("answer", nonce))

    def take(self, shown: str, cautions: tuple[str, ...]) -> str | None:
        """Return the answer to a pass, or nothing if it is none, or was shown before, or came too late."""
        nonce, _, signature = shown.partition(".")
        right = hmac.compare_digest(_plain(signature), _plain(self._sign("pass", nonce)))
        until = self._open.pop(nonce, None) if right else None
        if until is None or until < self._now():
            return None
        self._cautions = {nonce: cautions}
        return self._sign("answer", nonce)

    def cautions(self, probe: Pass) -> tuple[str, ...]:
        """Return what the listener noticed when a probe arrived."""
        return self._cautions.get(probe.nonce, ())

    def _sign(self, what: str, nonce: str) -> str:
        text = f"{what}:{nonce}".encode("utf-8", "surrogatepass")
        return hmac.new(self._key, text, hashlib.sha256).hexdigest()


def cautions(
    rules: Webhook, peer: str, headers: CIMultiDictProxy[str], *, locked: bool = False
) -> tuple[str, ...]:
    """Say why an alert of TradingView's that came the same way as this probe would be refused."""
    said = []
    tradingview = PRESETS["tradingview"]
    if rules.signature_required:
        said.append("TradingView cannot sign its alerts, but webhook.signature_required is on.")
    if rules.ip_allowlist and not all(may_send(address, rules.ip_allowlist) for address in tradingview):
        said.append("The allowlist leaves out addresses of TradingView; add “tradingview” to it.")
    source = client_address(peer, headers, rules.trusted_proxies, rules.proxy_header)
    if rules.ip_allowlist and is_forwarded(headers) and source == peer:
        said.append(
            "The allowlist would refuse every alert: the header that names the sender is not believed. "
            f"Add {peer} to webhook.trusted_proxies."
        )
    if locked and rules.secret_required:
        said.append("The vault is locked, so that the body secret cannot be compared; unlock it.")
    return tuple(said)


def _plain(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
