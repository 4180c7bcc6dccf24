"""Local servers that play the outside services, reached under their real names with a real certificate."""

from __future__ import annotations

import base64
import json
import socket
import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.exchanges import certificates

HOSTS = ("api.telegram.org", "discord.com")


class WebService:
    """Answers every POST with `status` and remembers what came: host, path, body, headers.

    before: called before each answer. statuses: answers that come first, one each.
    """

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self.heard: list[tuple[str, str, dict[str, Any], dict[str, str]]] = []
        self.status = 200
        self.statuses: list[int] = []
        self.gate = threading.Event()
        self.gate.set()
        service = self

        class Answer(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                raw = self.rfile.read(int(self.headers["Content-Length"]))
                service.gate.wait(10)
                service.heard.append(
                    (self.headers["Host"], self.path, json.loads(raw), dict(self.headers.items()))
                )
                self.send_response(service.statuses.pop(0) if service.statuses else service.status)
                body = b'{"ok": true, "result": {"message_id": 1}}'
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
        self._server.daemon_threads = True
        if context is not None:
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        )
        self._thread.start()

    @property
    def bodies(self) -> list[dict[str, Any]]:
        return [body for _, _, body, _ in self.heard]

    def close(self) -> None:
        self.gate.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)


class MailService:
    """Takes mail as an SMTP server does: one that asks for a login, and remembers what came.

    refuse: the code that it answers to each message instead of taking it.
    """

    def __init__(self) -> None:
        self.mails: list[tuple[list[str], Message]] = []
        self.logins: list[bytes] = []
        self.refuse = 0
        service = self

        class Session(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                self._say("220 local")
                to: list[str] = []
                while line := self.rfile.readline():
                    word = line.strip().upper()
                    if word.startswith(b"EHLO"):
                        self._say("250-local", "250 AUTH PLAIN")
                    elif word.startswith(b"AUTH"):
                        service.logins.append(base64.b64decode(line.split()[2]))
                        self._say("235 welcome")
                    elif word.startswith(b"RCPT"):
                        to.append(line.decode().partition(":")[2].strip())
                        self._say("250 ok")
                    elif word == b"DATA":
                        self._data(to)
                    elif word == b"QUIT":
                        self._say("221 bye")
                        return
                    else:
                        self._say("250 ok")

            def _data(self, to: list[str]) -> None:
                self._say("354 go on")
                raw = b""
                while (line := self.rfile.readline()) != b".\r\n":
                    raw += line
                if service.refuse:
                    self._say(f"{service.refuse} not now")
                    return
                service.mails.append((to, message_from_bytes(raw)))
                self._say("250 taken")

            def _say(self, *lines: str) -> None:
                self.wfile.write("".join(f"{line}\r\n" for line in lines).encode())

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Session)
        self._server.daemon_threads = True
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)


@contextmanager
def under_real_names(folder: Path, patch: pytest.MonkeyPatch) -> Iterator[WebService]:
    """Play Telegram and Discord: their names lead here, and the certificate is one that is believed."""
    authority, context = certificates.make(folder, HOSTS)
    service = WebService(context)
    real = socket.getaddrinfo

    def found(host: Any, port: Any, *args: Any, **named: Any) -> Any:
        if host in HOSTS:
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", service.port))]
        assert host in ("127.0.0.1", "localhost"), f"{host} is not on this machine"
        return real(host, port, *args, **named)

    patch.setattr(socket, "getaddrinfo", found)
    patch.setenv("REQUESTS_CA_BUNDLE", str(authority))
    try:
        yield service
    finally:
        service.close()
