"""Keep secrets out of what is written down: by their exact values, and by the places where secrets stand."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Iterable
from urllib.parse import quote

HIDDEN = "•••"
SHORTEST = 5  # a shorter value would blank out ordinary words; no secret of ours is so short

_NAMES = (
    r"(?:api_?|body_?|hmac_?)?secret(?:_?key)?|api_?key|private_?key|(?:api_?)?passphrase|password"
    r"|signature|sign|listen_?key|(?:access_?)?token"
)
_HEADERS = r"X-MBX-APIKEY|X-BAPI-[A-Z-]+|OK-ACCESS-[A-Z]+|KC-API-[A-Z-]+"
# Each with words (in small letters) one of which it cannot do without: to look for them costs next to nothing.
_PLACES: tuple[tuple[tuple[str, ...], re.Pattern[str]], ...] = (
    # /webhook/<token>
    (("/webhook/",), re.compile(r"(/webhook/)[^\s/?#\"'<>,;)\]}]+")),
    # Authorization: Bearer <token>, Basic <…>
    (("bearer", "basic"), re.compile(r"(\b(?:bearer|basic)\s+)[\w.~+/=-]{5,}", re.IGNORECASE)),
    # X-Signature: sha256=…
    (("sha256=",), re.compile(r"(\bsha256=)[^\s&\"',;)}\]]+", re.IGNORECASE)),
    # signature=…, as in the queries of exchanges, and api_secret='…', as a call is shown
    (("=",), re.compile(rf"(\b(?:{_NAMES})=[\"']?)[^\s&\"',;)}}\]]+", re.IGNORECASE)),
    # Headers that carry keys and signatures of exchanges, as text or as a dictionary shows them.
    (
        ("x-mbx-", "x-bapi-", "ok-access-", "kc-api-"),
        re.compile(rf"((?:{_HEADERS})[\"']?\s*[:=,]\s*[\"']?)[^\s\"',;&)}}\]]+", re.IGNORECASE),
    ),
    # What logs in on a socket: {"op": "auth", "args": ["key", 1700000000, "signature"]}
    (
        ('"args"',),
        re.compile(r"(\"op\"\s*:\s*\"(?:auth|login)\"\s*,\s*\"args\"\s*:\s*\[)[^\]]+", re.IGNORECASE),
    ),
    # A stream's address that is a secret by itself.
    (("/ws/",), re.compile(r"(/ws/)[A-Za-z0-9]{40,}")),
    # A private key, with its lines as they are or written as \\n
    (("-----begin ",), re.compile(r"(-----BEGIN [A-Z ]*PRIVATE KEY-----)(?:(?!-----END)[\s\S])*")),
    # "secret": "…" of a body, also with single quotes, with escapes, and cut off in the middle
    (('"',), re.compile(rf"(\\?\"(?:{_NAMES})\\?\"\s*:\s*\\?\")(?:[^\"\\]|\\.)*", re.IGNORECASE)),
    (("'",), re.compile(rf"('(?:{_NAMES})'\s*:\s*')(?:[^'\\]|\\.)*", re.IGNORECASE)),
)
_SHOWN = rf"\1{HIDDEN}"


class Redaction:
    """Replaces secrets in text; values are learnt while the application runs."""

    def __init__(self, secrets: Iterable[str | None] = ()) -> None:
        self._known: set[str] = set()
        self._values: re.Pattern[str] | None = None
        self.learn(*secrets)

    def learn(self, *secrets: str | None) -> None:
        """Hide these exact values from now on, also as JSON and in URLs; what is too short is left alone."""
        fresh = {secret for secret in secrets if secret and len(secret) >= SHORTEST} - self._known
        if not fresh:
            return
        self._known |= fresh
        spellings = {spelling for secret in self._known for spelling in _spellings(secret)}
        longest_first = sorted(spellings, key=lambda text: (-len(text), text))
        self._values = re.compile("|".join(map(re.escape, longest_first)))

    def __call__(self, text: str) -> str:
        """Return the text without any secret."""
        if self._values is not None:
            text = self._values.sub(HIDDEN, text)
        return without_secret_places(text)


def without_secret_places(text: str) -> str:
    """Hide whatever stands where secrets stand, known or not."""
    small = text.lower()
    for words, pattern in _PLACES:
        if any(word in small for word in words):
            text = pattern.sub(_SHOWN, text)
    return text


def printable(text: str) -> str:
    """Escape what would break out of its line or change how a line is shown."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else _escape(char) for char in text)


def _escape(char: str) -> str:
    return char.encode("unicode_escape", "replace").decode("ascii")


def _spellings(secret: str) -> set[str]:
    return {
        secret,
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        quote(secret, safe=""),
        repr(secret)[1:-1],
        *_encoded(secret),
    }


def _encoded(secret: str) -> tuple[str, str]:
    raw = secret.encode("utf-8", "surrogatepass")
    return b64encode(raw).decode("ascii").rstrip("="), raw.hex()
