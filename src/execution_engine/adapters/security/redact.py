"""Keep secrets out of what is written down: by their exact values, and by the places where secrets stand."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from urllib.parse import quote

HIDDEN = "•••"
SHORTEST = 5  # a shorter value would blank out ordinary words; no secret of ours is so short

_JSON_NAMES = r"secret|api_?key|api_?secret|passphrase|password|signature|token"
_PLACES = (
    # /webhook/<token>
    (re.compile(r"(/webhook/)[^\s/?#\"'<>,;)\]}]+"), rf"\1{HIDDEN}"),
    # Authorization: Bearer <token>, Basic <…>
    (re.compile(r"(\b(?:bearer|basic)\s+)[\w.~+/=-]{5,}", re.IGNORECASE), rf"\1{HIDDEN}"),
    # signature=…, as in the queries of exchanges, and X-Signature: sha256=…
    (re.compile(r"(\bsignature=|\bsha256=)[^\s&\"',;)}\]]+", re.IGNORECASE), rf"\1{HIDDEN}"),
    # Headers that carry keys and signatures of exchanges, as text or as a dictionary shows them.
    (
        re.compile(
            r"((?:X-MBX-APIKEY|X-BAPI-(?:API-KEY|SIGN)|OK-ACCESS-[A-Z]+|KC-API-(?:KEY|SIGN|PASSPHRASE))"
            r"[\"']?\s*[:=,]\s*[\"']?)[^\s\"',;&)}\]]+",
            re.IGNORECASE,
        ),
        rf"\1{HIDDEN}",
    ),
    # "secret": "…" of a body, also with single quotes, with escapes, and cut off in the middle
    (
        re.compile(rf"(\\?\"(?:{_JSON_NAMES})\\?\"\s*:\s*\\?\")(?:[^\"\\]|\\.)*", re.IGNORECASE),
        rf"\1{HIDDEN}",
    ),
    (re.compile(rf"('(?:{_JSON_NAMES})'\s*:\s*')(?:[^'\\]|\\.)*", re.IGNORECASE), rf"\1{HIDDEN}"),
)


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
    for pattern, shown in _PLACES:
        text = pattern.sub(shown, text)
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
    }
