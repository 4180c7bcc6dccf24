"""Raw requests that no friend would send, each made from a seed and its number alone."""

from __future__ import annotations

import hashlib
import hmac
import json
import random
from collections.abc import Callable

TOKEN = "tok-4f1dc2a97b6e4c70"
BODY_SECRET, HMAC_SECRET = "body-secret-9d1f", "hmac-secret-77aa"
PIPELINED = 4

_METHODS = [
    b"POST", b"GET", b"HEAD", b"PUT", b"OPTIONS", b"TRACE", b"CONNECT", b"PRI", b"post", b"", b"P\0ST",
    b"X" * 300,
]  # fmt: skip
_PATHS = [
    f"/webhook/{TOKEN}".encode(), b"/webhook", b"/webhook/", b"/webhook/wrong", b"//webhook//x", b"/",
    b"*", b"", b"/health", b"/metrics", b"/paper/price", b"/webhook/%74ok", b"/webhook/%00",
    b"/webhook/\xff\xfe", b"/webhook/..;/x", b"http://evil.example/webhook", b"/webhook?token=x#y",
    b"/webhook/" + b"a" * 9000, b"/%", b"/%zz", b"/\xc3\xa4",
    b"/webhook/" + TOKEN.encode() + b"/../../health", b"\\webhook", b"/webhook/a b",
]  # fmt: skip
_VERSIONS = [
    b"HTTP/1.1", b"HTTP/1.0", b"HTTP/0.9", b"HTTP/2.0", b"HTTP/9.9", b"http/1.1", b"HTTP/1.1 ", b"",
    b"HTTP/1.-1",
]  # fmt: skip
_HEADERS = [
    b"Host: 127.0.0.1", b"Host: evil.example", b"Host:", b"Host: a\r\nHost: b", b"Content-Length: 5",
    b"Content-Length: -1", b"Content-Length: 99999999999999999999", b"Content-Length: 0x10",
    b"Content-Length: 5, 6", b"Content-Length : 3", b"Transfer-Encoding: chunked",
    b"Transfer-Encoding: chunked, identity", b"Transfer-Encoding: xchunked",
    b"Transfer-Encoding:\tchunked", b"Content-Encoding: gzip", b"Content-Encoding: deflate, br",
    b"Expect: 100-continue", b"Expect: 200-maybe", b"Upgrade: websocket", b"Upgrade: h2c",
    b"Connection: upgrade", b"Connection: keep-alive, close", b"Sec-WebSocket-Key: x",
    b"Origin: https://evil.example", b"Sec-Fetch-Site: cross-site", b"Sec-Fetch-Site: none",
    b"X-Forwarded-For: 52.89.214.238", b"X-Forwarded-For: ,,,, ,",
    b"X-Forwarded-For: " + b"1.1.1.1, " * 400, b"X-Forwarded-For: [::1]:80%eth0",
    b"CF-Connecting-IP: 999.1.1.1", b"CF-Connecting-IP: \xff", b"Forwarded: for=x",
    b"X-Signature: sha256=" + b"0" * 64, b"X-Signature: \xff\xfe", b"X-Probe: x", b"X-Probe: a.b",
    b"X-Probe: \xdc\x80.\xff", b"Authorization: Bearer " + TOKEN.encode(), b"Authorization: Basic x",
    b"Authorization: Bearer \xff", b"Cookie: " + b"a=b; " * 999,
    b"Content-Type: application/json; charset=utf-16", b"Content-Type: multipart/form-data; boundary=",
    b"Content-Type: \0", b"Accept-Encoding: *;q=0", b"Range: bytes=0-", b"X-\xe4: y", b": no name",
    b"no colon", b" folded: x", b"A:" + b"b" * 9000, b"X-Control: \x01\x02\x7f", b"TE: trailers",
    b"Trailer: X-Signature", b"Via: 1.1 x", b"Keep-Alive: timeout=99999",
]  # fmt: skip
_VALUES: list[object] = [
    None, True, "", "x", "{{close}}", "1e309", "-0", "１２", "\u202eTDSU", "\0", "9" * 200, "\ud800", "flat",
    "long", "BTCUSDT", "NOPE", 0, -1, 1.5, 10**40, [], {}, [[]], {"a": {"b": {}}}, BODY_SECRET, "wrong",
    "2026-11-20T12:00:00Z", "1M", "grid",
]  # fmt: skip
_FIELDS = [
    "secret", "id", "timestamp", "tv", "execution_intent", "exchange", "symbol", "timeframe", "action",
    "price", "close", "market_position", "prev_market_position", "capital_usd", "grid", "account",
    "tp_mode", "", "\u0000", "a" * 500,
]  # fmt: skip
_TEXTS = [
    b"", b"{", b"}", b"[]", b"null", b"1", b'"x"', b"NaN", b"\xef\xbb\xbf{}", b"\xff\xfe{\x00}\x00",
    b"[" * 6000, b'{"a":' * 2000, b'{"a":1,"a":2}', b'{"price": 1e999999999}',
    b'{"price":' + b"1" * 12000 + b"}", b"a=b&c=d", b"buy BTC", b"\0" * 100,
    b'{"secret": "' + BODY_SECRET.encode() + b'"', b"x" * 17000, b"x" * 70000,
]  # fmt: skip
_CHUNKS = [
    b"0\r\n\r\n", b"5\r\nhello\r\n0\r\n\r\n", b"zz\r\n", b"-1\r\n", b"ffffffffffffffff\r\nx", b"5;x=y\r\nab",
    b"1\r\nab\r\n",
]  # fmt: skip


def connection(seed: int, number: int) -> list[bytes]:
    """Return the requests that connection `number` sends, one behind the other."""
    chance = random.Random(f"{seed}/{number}")
    return [_request(chance) for _ in range(chance.randint(1, PIPELINED))]


def _request(chance: random.Random) -> bytes:
    kinds: list[tuple[Callable[[random.Random], bytes], int]] = [
        (_known_place, 60), (_odd_head, 15), (_smuggled, 6), (_damaged, 15),
        (lambda c: c.randbytes(c.randint(0, 400)), 4),
    ]  # fmt: skip
    makers, weights = zip(*kinds, strict=True)
    made: bytes = chance.choices(makers, weights)[0](chance)
    return made


def _known_place(chance: random.Random) -> bytes:
    body = _body(chance)
    headers = [b"Host: 127.0.0.1", b"Content-Length: %d" % len(body)]
    if chance.random() < 0.2:
        signature = hmac.new(HMAC_SECRET.encode(), body, hashlib.sha256).hexdigest()
        headers.append(b"X-Signature: sha256=" + signature.encode())
    headers += [chance.choice(_HEADERS) for _ in range(chance.choice((0, 0, 0, 0, 0, 1, 3)))]
    path = _PATHS[0] if chance.random() < 0.7 else chance.choice(_PATHS[:4])
    return _written(b"POST", path, b"HTTP/1.1", headers, body)


def _odd_head(chance: random.Random) -> bytes:
    body = _body(chance) if chance.random() < 0.5 else b""
    headers = [chance.choice(_HEADERS) for _ in range(chance.randint(0, 12))]
    if chance.random() < 0.7:
        headers.append(b"Content-Length: %d" % len(body))
    return _written(chance.choice(_METHODS), chance.choice(_PATHS), chance.choice(_VERSIONS), headers, body)


def _smuggled(chance: random.Random) -> bytes:
    """Say two things about the length, or break the chunks."""
    inner = _written(b"POST", _PATHS[0], b"HTTP/1.1", [b"Host: x", b"Content-Length: 2"], b"{}")
    chunks = chance.choice(_CHUNKS)
    headers = [b"Host: 127.0.0.1", b"Transfer-Encoding: chunked"]
    if chance.random() < 0.7:
        headers.append(b"Content-Length: %d" % chance.choice((0, 4, len(chunks), 30000)))
    return _written(
        b"POST", _PATHS[0], b"HTTP/1.1", headers, chunks + (inner if chance.random() < 0.5 else b"")
    )


def _damaged(chance: random.Random) -> bytes:
    """Change, take out and double some bytes of a request that was well."""
    raw = bytearray(_known_place(chance))
    for _ in range(chance.randint(1, 8)):
        at = chance.randrange(len(raw) + 1)
        match chance.randrange(4):
            case 0:
                raw[at : at + 1] = bytes([chance.randrange(256)])
            case 1:
                del raw[at : at + chance.randint(1, 20)]
            case 2:
                raw[at:at] = raw[max(0, at - 20) : at]
            case _:
                raw[at:at] = chance.choice((b"\r\n", b"\n", b"\0", b"\r\n\r\n", b"\t", b": "))
    return bytes(raw)


def _body(chance: random.Random) -> bytes:
    if chance.random() < 0.25:
        return chance.choice(_TEXTS)
    fields: dict[str, object] = {
        "exchange": "BINANCE",
        "symbol": "BTCUSDT",
        "timeframe": "15",
        "action": "buy",
        "price": "64000",
    }
    for _ in range(chance.choice((0, 1, 1, 2, 6))):
        fields[chance.choice(_FIELDS)] = chance.choice(_VALUES)
    if chance.random() < 0.3:
        fields = {"tv": fields, "secret": BODY_SECRET}
    return json.dumps(fields).encode()


def _written(method: bytes, path: bytes, version: bytes, headers: list[bytes], body: bytes) -> bytes:
    return b"\r\n".join(
        [
            method + b" " + path + b" " + version,
            *headers,
            b"",
            body,
        ]
    )
