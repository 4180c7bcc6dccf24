"""The newest release document, fetched with limits: who answers may be anybody until the signature was checked."""

from __future__ import annotations

import ssl
from urllib.parse import urlsplit

import aiohttp
import certifi
from yarl import URL

from execution_engine.adapters.updates import signature
from execution_engine.adapters.updates.errors import Unreachable
from execution_engine.adapters.updates.source import SIGNATURE, Source

LARGEST = 256 * 1024  # bytes of a document
WITHIN_S = 15.0
MOST_REDIRECTS = 5
_AT_HOME = ("127.0.0.1", "::1", "localhost")


async def newest(source: Source, program: str, *, within_s: float = WITHIN_S) -> bytes:
    """Return the newest release document, once its signature was found good. Raises UpdateError.

    program: how this program calls itself; nothing else about this computer is told.
    """
    connector = aiohttp.TCPConnector(resolver=aiohttp.ThreadedResolver(), limit=1)
    limit = aiohttp.ClientTimeout(total=within_s)
    async with aiohttp.ClientSession(
        connector=connector,
        timeout=limit,
        headers={"User-Agent": program},
        cookie_jar=aiohttp.DummyCookieJar(),
    ) as session:
        document = await _get(session, source.address, LARGEST)
        signed = await _get(session, source.address + SIGNATURE, signature.LONGEST)
    signature.verify(document, signed, source.keys)
    return document


async def _get(session: aiohttp.ClientSession, address: str, largest: int) -> bytes:
    try:
        for _ in range(MOST_REDIRECTS + 1):
            trust = _trust(address)
            async with session.get(address, ssl=trust, allow_redirects=False) as answer:
                if answer.status in (301, 302, 303, 307, 308):
                    address = str(answer.url.join(URL(answer.headers.get("Location", ""))))
                    continue
                if answer.status != 200:
                    raise Unreachable(f"The server of releases answered {answer.status}.")
                return await _limited(answer, largest)
    except TimeoutError as error:
        raise Unreachable("The server of releases did not answer in time.") from error
    except (aiohttp.ClientError, OSError, ValueError) as error:
        raise Unreachable(f"The server of releases cannot be reached ({type(error).__name__}).") from error
    raise Unreachable("The server of releases leads from one place to the next without an end.")


async def _limited(answer: aiohttp.ClientResponse, largest: int) -> bytes:
    """Read a body that is no larger than it may be, whatever its header says."""
    body = await answer.content.read(largest + 1)
    while len(body) <= largest and (more := await answer.content.read(largest + 1 - len(body))):
        body += more
    if len(body) > largest:
        raise Unreachable("The server of releases sent more than a release document can be.")
    return body


def _trust(address: str) -> ssl.SSLContext | bool:
    """Return whom to trust with an address. Raises Unreachable for one that anybody on the way could answer."""
    parts = urlsplit(address)
    if parts.scheme == "https":
        return ssl.create_default_context(cafile=certifi.where())
    if parts.scheme == "http" and parts.hostname in _AT_HOME:
        return True
    raise Unreachable("The server of releases leads to a place that is not protected (https).")
