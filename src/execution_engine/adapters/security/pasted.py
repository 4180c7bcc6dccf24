"""Keys and secrets as people enter them: pasted with spaces, line breaks and what else a web page leaves in."""

from __future__ import annotations

import re
import unicodedata
from textwrap import wrap

from execution_engine.domain.errors import VaultError, VaultTrouble
from execution_engine.domain.keys import Keys

LEAST_KEY, LEAST_PHRASE, LEAST_SECRET = 8, 5, 8
PEM_WIDTH = 64
_PRIVATE_KEY = re.compile(r"(-----BEGIN [A-Z ]+-----)\s+([A-Za-z0-9+/=\s]+?)\s+(-----END [A-Z ]+-----)")
MOST = 8192  # a private key of 4096 bits takes some 3,300


def keys(api_key: str, api_secret: str, passphrase: str = "") -> tuple[Keys, tuple[str, ...]]:
    """Return keys without what does not belong to them, and a sentence for each that was changed.

    Raises VaultError for what is no key.
    """
    cleaned = (
        ("API key", api_key, _without_blanks(api_key), LEAST_KEY),
        ("API secret", api_secret, _secret(api_secret), LEAST_KEY),
        ("passphrase", passphrase, _ends_cut(passphrase), LEAST_PHRASE if passphrase.strip() else 0),
    )
    for what, _, text, least in cleaned:
        _refuse(what, text, least)
    notes = tuple(
        f"Spaces and line breaks around or in the {what} were taken out."
        for what, before, after, _ in cleaned
        if before != after
    )
    return Keys(*(text for _, _, text, _ in cleaned)), notes


def secret(text: str) -> str:
    """Return a secret of the listener as it is kept. Raises VaultError for what is none."""
    cut = _ends_cut(text)
    _refuse("secret", cut, LEAST_SECRET)
    return cut


def _secret(text: str) -> str:
    # A private key is one text of several lines; a field of one line makes spaces of its breaks.
    if (found := _PRIVATE_KEY.fullmatch(_ends_cut(text))) is not None:
        first, body, last = found.groups()
        return "\n".join([first, *wrap(_without_blanks(body), PEM_WIDTH), last])
    if "-----BEGIN" in text:
        return "\n".join(line.strip() for line in _ends_cut(text).splitlines() if line.strip())
    return _without_blanks(text)


def _without_blanks(text: str) -> str:
    return "".join(char for char in text if not _is_blank(char))


def _ends_cut(text: str) -> str:
    start, end = 0, len(text)
    while start < end and _is_blank(text[start]):
        start += 1
    while end > start and _is_blank(text[end - 1]):
        end -= 1
    return text[start:end]


def _is_blank(char: str) -> bool:
    """Return whether a character cannot be seen: spaces, line breaks, marks of byte order and of direction."""
    return char.isspace() or unicodedata.category(char) in ("Cc", "Cf")


def _refuse(what: str, text: str, least: int) -> None:
    """Raise VaultError; the text itself is never quoted."""
    if least and not text:
        raise VaultError(VaultTrouble.UNFIT, f"The {what} is missing.")
    if len(text) < least:
        raise VaultError(
            VaultTrouble.UNFIT,
            f"The {what} is too short: it has {len(text)} characters, at least {least} are needed.",
        )
    if len(text) > MOST:
        raise VaultError(VaultTrouble.UNFIT, f"The {what} is too long: it has {len(text)} characters.")
    if not all(char == "\n" or " " <= char <= "~" for char in text):
        raise VaultError(
            VaultTrouble.UNFIT,
            f"The {what} holds unusual characters; copy it once more, or choose plain ones.",
        )
