"""What is secret in the address of a target: a token may stand where another service has its host."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import unquote

SHORTEST_PART = 6
SHORTEST_WORD = 10  # “secret” in a path is no secret, “correcthorsebattery” is one
_PLAIN = re.compile(r"[a-z_\-]+", re.IGNORECASE)
_PLACE = re.compile(r"[a-z\d\-]+(\.[a-z\d\-]+)+|\d{1,5}", re.IGNORECASE)  # a host, an address, a port


def parts_of(address: str) -> Iterator[str]:
    """Yield the address and each of its parts that may be a password or a token, as written and decoded.

    A library puts them together anew (`tgram://token/chat` becomes `https://…/bottoken/…`), so that hiding the
    whole would not hide them. A password is hidden whatever it looks like, other parts unless they are plain.
    """
    yield address
    rest = address.partition("://")[2]
    login = re.split(r"[/?]", rest, maxsplit=1)[0].rpartition("@")[0]
    password = login.partition(":")[2]
    found = [part for part in re.split(r"[/?&=@:,]", rest) if _may_be_secret(part)]
    for part in dict.fromkeys([password, *found]):
        yield from {part, unquote(part)} - {""}


def _may_be_secret(part: str) -> bool:
    if _PLACE.fullmatch(part):
        return False
    return len(part) >= (SHORTEST_WORD if _PLAIN.fullmatch(part) else SHORTEST_PART)
