"""Read a request's body within its limits."""

from __future__ import annotations

from aiohttp import web

from execution_engine.adapters.webhook.connections import Connection


class TooLarge(Exception):
    """The body is larger than allowed, or compressed, so that nobody knows how large. The text says which."""


class SenderGone(ConnectionResetError):
    """Nobody is left to be answered."""


class Malformed(Exception):
    """The body breaks the rules of HTTP; nothing on this connection can be understood any more."""


async def read_body(request: web.BaseRequest, most: int) -> bytes:
    """Return the whole body as it was sent, whatever its content type says.

    Stops reading where it grows beyond `most` bytes. The connection's guard ends a body that does not come.
    Raises TooLarge, Malformed or SenderGone.
    """
    if request.headers.get("Content-Encoding", "identity").strip().lower() not in ("", "identity"):
        raise TooLarge("Compressed bodies are not taken; send it as it is.")
    if (request.content_length or 0) > most:
        raise TooLarge(_larger(most))
    if request.headers.get("Expect", "").strip().lower() == "100-continue":
        await _go_on(request)
    body = bytearray()
    while chunk := await _more(request):
        body += chunk
        if len(body) > most:
            raise TooLarge(_larger(most))
    if isinstance(request.protocol, Connection):
        request.protocol.received()
    return bytes(body)


def peer_of(request: web.BaseRequest) -> str:
    """Return the address of the direct peer."""
    peer = request.protocol.peername
    return str(peer[0]) if isinstance(peer, tuple) else ""


def _larger(most: int) -> str:
    return f"The body is larger than {most // 1024} KiB."


async def _go_on(request: web.BaseRequest) -> None:
    """Tell a sender that waits for it to send its body."""
    try:
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    except ConnectionError as error:
        raise SenderGone from error
    request.writer.output_size = 0  # or the answer would count as begun


async def _more(request: web.BaseRequest) -> bytes:
    try:
        return await request.content.readany()
    except Exception as error:
        # The parser reports broken chunks here by exceptions of several families.
        if request.transport is None or request.transport.is_closing():
            raise SenderGone from error
        raise Malformed(str(error)) from error
