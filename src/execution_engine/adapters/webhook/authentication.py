"""Who sent a request: token in the path, secret in the body, signature in a header.

Everything is compared as SHA-256 digests in constant time, every comparison is made whatever the others said,
and the answer never tells which part was wrong. The user's own list of refused requests does.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache

from execution_engine.domain.rows import WebhookToken
from execution_engine.domain.settings import Webhook


@dataclass(frozen=True, slots=True)
class Secrets:
    """What senders may know besides a token; None where nothing is set, so that nothing matches.

    locked: what is set cannot be read now.
    """

    body_secret: str | None = field(default=None, repr=False)
    hmac_secret: str | None = field(default=None, repr=False)
    locked: bool = False


@dataclass(frozen=True, slots=True)
class Credentials:
    """What one request showed."""

    token: str | None = field(repr=False)
    secret: str | None = field(repr=False)
    signature: str | None = field(repr=False)
    raw: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Sender:
    """An authenticated sender; `token` is None where another secret spoke for it."""

    token: WebhookToken | None


@dataclass(frozen=True, slots=True)
class Undecided:
    """A request that cannot be told from a stranger's while the vault is locked; it may come again."""


@dataclass(frozen=True, slots=True)
class Stranger:
    """A request that showed nothing right. `field` and `reason` are for the user's eyes only."""

    field: str
    reason: str


def authenticate(
    shown: Credentials, rules: Webhook, tokens: Iterable[WebhookToken], secrets: Secrets, now: datetime
) -> Sender | Stranger | Undecided:
    """Check what a request showed: every required part must be right, and at least one part in any case."""
    token = find_token(shown.token, tokens, now)
    secret_right = same(shown.secret, secrets.body_secret)
    signature_right = same(_lower(shown.signature), _signature(shown.raw, secrets.hmac_secret))
    if rules.token_required and token is None:
        return Stranger("token", "The path carries no token that is valid now.")
    if secrets.locked and (rules.secret_required or rules.signature_required or token is None):
        return Undecided()
    if rules.secret_required and not secret_right:
        return Stranger("secret", _missing("body secret", secrets.body_secret, shown.secret))
    if rules.signature_required and not signature_right:
        return Stranger("signature", _missing("signature", secrets.hmac_secret, shown.signature))
    if token is None and not secret_right and not signature_right:
        return Stranger("secret", "Neither token nor body secret nor signature is right.")
    return Sender(token)


def find_token(shown: str | None, tokens: Iterable[WebhookToken], now: datetime) -> WebhookToken | None:
    """Return the webhook whose token was shown, if it is enabled and the token has not expired."""
    found, digest = None, _digest(shown or "")
    for token in tokens:  # no early end: the time must not tell which one it was
        new = hmac.compare_digest(digest, _known_digest(token.token))
        old = hmac.compare_digest(digest, _known_digest(token.previous_token))
        if (new and _counts(token.expires_at, now)) or (
            old and _counts(token.previous_until, now, never=True)
        ):
            found = token
    return found if shown and found is not None and found.enabled else None


def _counts(until: datetime | None, now: datetime, *, never: bool = False) -> bool:
    return not never if until is None else now < until


def same(shown: str | None, known: str | None) -> bool:
    """Compare two secrets in a time that depends on neither; an empty or unknown one never matches."""
    equal = hmac.compare_digest(_digest(shown or ""), _digest(known or ""))
    return equal and bool(shown) and bool(known)


def _digest(text: str) -> bytes:
    # JSON can spell lone surrogates and headers can carry any byte; neither may raise.
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


@lru_cache(maxsize=512)
def _known_digest(text: str) -> bytes:
    """Return the digest of a token of ours: the same few for every request."""
    return _digest(text)


def _signature(raw: bytes, secret: str | None) -> str | None:
    if not secret:
        return None
    return "sha256=" + hmac.new(secret.encode("utf-8"), raw, hashlib.sha256).hexdigest()


def _lower(text: str | None) -> str | None:
    return text.strip().lower() if text else None


def _missing(what: str, known: str | None, shown: str | None) -> str:
    if not known:
        return f"A {what} is required, but none is set in the settings."
    return f"The {what} is wrong." if shown else f"The {what} is missing."
