"""A server of releases on this computer, and a key of its own to sign with."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from execution_engine.adapters.updates.signature import PublicKey
from execution_engine.adapters.updates.source import Source

COMMENT = "execution-engine"


@dataclass
class Signer:
    """Signs as minisign does. name: of the key."""

    name: bytes = b"a key..."
    secret: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)

    @property
    def public(self) -> PublicKey:
        return PublicKey(self.name, self.secret.public_key())

    def sign(self, document: bytes, comment: str = COMMENT) -> bytes:
        over_document = self.secret.sign(hashlib.blake2b(document).digest())
        over_comment = self.secret.sign(over_document + comment.encode())
        first = base64.b64encode(b"ED" + self.name + over_document).decode()
        last = base64.b64encode(over_comment).decode()
        return f"untrusted comment: x\n{first}\ntrusted comment: {comment}\n{last}\n".encode()


def release(version: str, **fields: Any) -> bytes:
    """Return a release document."""
    whole = {
        "format": 1,
        "application": "execution-engine",
        "version": version,
        "published": "2026-12-01T10:00:00Z",
        "notes": "### Added\n\n- Something that was missed.",
        "page": f"https://example.org/{version}/",
        "files": [
            {
                "system": system,
                "machine": machine,
                "name": f"execution-engine-{system}-{machine}",
                "url": f"https://example.org/{version}/execution-engine-{system}-{machine}",
                "sha256": "0" * 64,
                "size": 80_000_000,
            }
            for system, machine in (("linux", "x86_64"), ("windows", "x86_64"), ("macos", "arm64"))
        ],
    }
    return json.dumps(whole | fields).encode()


@dataclass
class Releases:
    """What the server has, by path; bytes are sent, a number is a status, a text leads elsewhere, None never ends."""

    signer: Signer = field(default_factory=Signer)
    has: dict[str, bytes | int | str | None] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)
    address: str = ""
    let_go: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def source(self) -> Source:
        return Source(f"{self.address}/release.json", (self.signer.public,))

    def publish(self, version: str, *, by: Signer | None = None, **fields: Any) -> None:
        document = release(version, **fields)
        self.has["/release.json"] = document
        self.has["/release.json.minisig"] = (by or self.signer).sign(document)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append((request.path, request.headers.get("User-Agent", "")))
        held = self.has.get(request.path, 404)
        if held is None:
            await self.let_go.wait()
            return web.Response(status=503)
        if isinstance(held, int):
            return web.Response(status=held)
        if isinstance(held, str):
            return web.Response(status=302, headers={"Location": held})
        # Without a length, as who means no good would send it.
        sent = web.StreamResponse()
        await sent.prepare(request)
        await sent.write(held)
        return sent


@asynccontextmanager
async def releases() -> AsyncIterator[Releases]:
    """Run a server of releases."""
    made = Releases()
    application = web.Application()
    application.router.add_get("/{path:.*}", made.answer)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    made.address = f"http://{host}:{port}"
    try:
        yield made
    finally:
        made.let_go.set()
        await runner.cleanup()
