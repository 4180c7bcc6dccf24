"""One alert: from the request to the answer that the desk gives once everything is committed."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta

from aiohttp import web
from loguru import logger

from execution_engine.adapters.webhook import answers
from execution_engine.adapters.webhook import probes as probing
from execution_engine.adapters.webhook.addresses import client_address, may_send
from execution_engine.adapters.webhook.answers import Reply
from execution_engine.adapters.webhook.authentication import (
    Credentials,
    Sender,
    Stranger,
    Undecided,
    authenticate,
)
from execution_engine.adapters.webhook.doors import Doors, Told
from execution_engine.adapters.webhook.limits import Failures, Rate
from execution_engine.adapters.webhook.names import stranger_name
from execution_engine.adapters.webhook.reading import TooLarge, peer_of, read_body
from execution_engine.adapters.webhook.refused import RefusedRequests
from execution_engine.domain import alert
from execution_engine.domain.audit import Act
from execution_engine.domain.errors import Defect, FieldFault
from execution_engine.domain.facts import Level
from execution_engine.domain.inputs import AlertReceived, SecurityAct, TokenUsed
from execution_engine.domain.rows import WebhookToken
from execution_engine.domain.settings import Webhook

# A browser sets them on what a page sends to another place, and no page may change that.
_BROWSER = ("Origin", "Sec-Fetch-Site")
LONGEST_NAME = 80
GUESSES_NOTED_EVERY_S = 3600.0
USE_NOTED_EVERY = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class _Request:
    """A request for `/webhook` that was read to its end."""

    raw: bytes
    body: alert.Body | alert.Faults
    source: str


class Alerts:
    """Receives alerts, and refuses the rest.

    A web page, an address that is not on the list and a wrong secret are all told the same 401; only whoever
    showed a right secret learns more.
    """

    def __init__(self, doors: Doors, failures: Failures) -> None:
        self._doors = doors
        self._failures = failures
        self._refused = RefusedRequests(doors)
        self._rate = Rate()
        self._used: dict[str, datetime] = {}
        self._guessed_at: float | None = None

    async def receive(self, request: web.BaseRequest, token: str | None) -> Reply:
        """Answer one POST to the webhook; `token` is what stands in its path."""
        settings = self._doors.settings()
        rules = settings.webhook
        source = _source(request, rules)
        if name := stranger_name(request.headers, settings, self._doors.place()):
            return self._misdirected(name, source)
        if any(name in request.headers for name in _BROWSER):
            return self._stranger(Stranger("request", "It was sent by a web page in a browser."), source)
        if not may_send(source, rules.ip_allowlist):
            return self._stranger(
                Stranger("request", "Its address is not on the list of allowed ones."), source
            )
        try:
            raw = await read_body(request, self._doors.limits.body_bytes)
        except TooLarge as error:
            fault = FieldFault("body", str(error))
            self._refused.add(413, [fault], source)
            return answers.rejected(413, [fault], last=True)
        read = _Request(raw, alert.read(raw), source)
        sender = self._authenticated(read, request, token, rules)
        if isinstance(sender, Stranger):
            return self._wrong(sender, read.source, rules, len(read.raw))
        if isinstance(sender, Undecided):
            return answers.unavailable("The vault is locked.")
        return await self._from(sender, read, rules)

    async def probed(self, request: web.BaseRequest) -> Reply:
        """Answer a request that this program sent to itself; it is no alert and leaves nothing behind."""
        rules, probes = self._doors.settings().webhook, self._doors.probes
        locked = self._doors.secrets().locked
        noticed = probing.cautions(rules, peer_of(request), request.headers, locked=locked)
        shown = request.headers[probing.HEADER]
        answer = probes.take(shown, noticed) if probes is not None else None
        if answer is not None:
            return Reply(200, {"probe": answer}, last=True)
        return self._wrong(
            Stranger("request", "It claims to be a check of this program's own."),
            _source(request, rules),
            rules,
        )

    def _authenticated(
        self, read: _Request, request: web.BaseRequest, token: str | None, rules: Webhook
    ) -> Sender | Stranger | Undecided:
        secret = read.body.secret if isinstance(read.body, alert.Body) else None
        shown = Credentials(token, secret, request.headers.get("X-Signature"), read.raw)
        doors = self._doors
        return authenticate(shown, rules, doors.tokens(), doors.secrets(), doors.clock())

    def _wrong(self, stranger: Stranger, source: str, rules: Webhook, size: int | None = None) -> Reply:
        """Count a wrong secret; only whoever has a wrong one can be told 429."""
        if not self._failures.too_many(source, rules.failures_per_minute, self._doors.monotonic()):
            return self._stranger(stranger, source, size)
        fault = FieldFault("request", "Too many wrong secrets came from this address.")
        if self._refused.add(429, [fault], source):
            logger.bind(category="SECURITY").warning("Too many wrong secrets from {}", source)
        self._write_down_guesses(source)
        return answers.TOO_MANY_FAILURES

    def _write_down_guesses(self, source: str) -> None:
        """Write into the audit log that somebody guesses, once in a while: a flood must not fill it."""
        now = self._doors.monotonic()
        if self._guessed_at is not None and now - self._guessed_at < GUESSES_NOTED_EVERY_S:
            return
        self._guessed_at = now
        told = f"Too many wrong secrets came to the webhook, the last from {source or 'nowhere'}; they are slowed down."
        try:
            act = SecurityAct(act=Act.SECRET_GUESSED, detail=told, level=Level.WARNING)
            self._doors.post(act, lambda _: None)
        except Exception:
            # For the user's eyes only; the sender gets the same answer.
            logger.bind(category="SYSTEM").exception("Guesses could not be written down")

    def _misdirected(self, name: str, source: str) -> Reply:
        """Tell nobody that anything is here who came by a name that is not ours; the user is told what to do."""
        shown = name if len(name) <= LONGEST_NAME else f"{name[:LONGEST_NAME]}…"
        why = (
            f"It was sent to “{shown}”, which is not the public address. If that is a name of yours, add it to "
            "“Further names” in Settings, Webhook & tunnel."
        )
        self._refused.add(404, [FieldFault("Host", why)], source)
        return answers.NOTHING_HERE

    def _stranger(self, stranger: Stranger, source: str, size: int | None = None) -> Reply:
        """Keep that somebody was here, but nothing of what a stranger sent."""
        size_told = "" if size is None else f"(not kept: {size} bytes)"
        self._refused.add(401, [FieldFault(stranger.field, stranger.reason)], source, body=size_told)
        return answers.NOT_AUTHORIZED

    async def _from(self, sender: Sender, read: _Request, rules: Webhook) -> Reply:
        name = sender.token.name if sender.token else ""
        try:
            return await self._judged(sender, name, read, rules)
        finally:
            if sender.token is not None:  # behind the alert: it must not wait for this
                self._note_use(sender.token)

    def _note_use(self, token: WebhookToken) -> None:
        """Say that a webhook is in use, once in a while."""
        now, known = self._doors.clock(), self._used.get(token.name, token.last_used_at)
        if known is not None and now - known < USE_NOTED_EVERY:
            return
        self._used[token.name] = now
        try:
            self._doors.post(TokenUsed(name=token.name, at=now), lambda _: None)
        except Exception:
            # For the user's eyes only; the sender gets the true answer all the same.
            logger.bind(category="SYSTEM").exception("The last use of a webhook could not be kept")

    async def _judged(self, sender: Sender, name: str, read: _Request, rules: Webhook) -> Reply:
        if isinstance(read.body, alert.Faults):
            text = read.raw.decode("utf-8", "replace")
            self._refused.add(read.body.status, read.body.errors, read.source, body=text, token=name)
            return answers.rejected(read.body.status, read.body.errors)
        parsed = alert.parse(read.body, self._doors.catalogue())
        if isinstance(parsed, alert.Faults):
            self._refused.add(parsed.status, parsed.errors, read.source, body=read.body.redacted, token=name)
            return answers.rejected(parsed.status, parsed.errors)
        if not _reduces_risk(parsed) and (reason := self._too_much(rules)):
            return answers.unavailable(reason)
        received = AlertReceived(
            signal=parsed.signal,
            key=parsed.key,
            body=parsed.body,
            body_hash=parsed.body_hash,
            received_at=self._doors.clock(),
            token=name,
            accounts=sender.token.accounts if sender.token else (),
            source=read.source,
        )
        return await self._asked(received)

    def _too_much(self, rules: Webhook) -> str | None:
        if not self._rate.take(rules.rate_per_minute, self._doors.monotonic()):
            return f"More than {rules.rate_per_minute} alerts came within a minute."
        return self._doors.ready_for_entries()

    async def _asked(self, received: AlertReceived) -> Reply:
        """Wait for the desk's answer, however long it takes: what was posted may be committed already."""
        answer: asyncio.Future[Told] = asyncio.get_running_loop().create_future()

        def then(told: Told) -> None:
            if not answer.done():  # the listener may have been stopped in the meantime
                answer.set_result(told)

        self._doors.post(received, then)
        told = await answer
        if told is None:
            raise Defect("the desk had no answer to an alert")
        return answers.told(told)


def _source(request: web.BaseRequest, rules: Webhook) -> str:
    return client_address(peer_of(request), request.headers, rules.trusted_proxies, rules.proxy_header)


def _reduces_risk(parsed: alert.ParsedAlert) -> bool:
    """A reversal closes a position first, so it is let in like an exit."""
    return parsed.signal.is_exit or parsed.signal.asks_reversal
