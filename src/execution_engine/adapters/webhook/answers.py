"""The answers, word for word as the specification's table has them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from execution_engine.domain.errors import FieldFault, Refusal, StoreFailed
from execution_engine.domain.inputs import Answer

# aiohttp would name itself and its version to every stranger.
_HEADERS = {"Server": "execution-engine"}


@dataclass(frozen=True, slots=True)
class Reply:
    """A status and the JSON that goes with it; no body where `body` is None. `last` closes the connection.

    text: plain text instead of JSON.
    """

    status: int
    body: dict[str, Any] | None = None
    last: bool = False
    text: str | None = None

    def response(self) -> web.Response:
        """Write the reply for the wire."""
        if self.text is not None:
            response = web.Response(text=self.text, headers=_HEADERS)
        elif self.body is None:
            response = web.Response(status=self.status, headers=_HEADERS)
        else:
            raw = json.dumps(self.body, ensure_ascii=False, default=str).encode("utf-8", "replace")
            response = web.Response(
                status=self.status, body=raw, content_type="application/json", headers=_HEADERS
            )
        if self.last:
            response.force_close()
        return response


NOTHING_HERE = Reply(404)
MALFORMED = Reply(400, last=True)
# One answer for whatever was wrong, so that it gives no hint.
NOT_AUTHORIZED = Reply(401, {"status": "rejected"})
TOO_MANY_FAILURES = Reply(429, {"status": "rejected"})


def rejected(status: int, errors: Iterable[FieldFault], *, last: bool = False) -> Reply:
    """Refuse a request and say everything that is wrong with it."""
    listed = [{"field": fault.field, "message": fault.message} for fault in errors]
    return Reply(status, {"status": "rejected", "errors": listed}, last)


def unavailable(reason: str) -> Reply:
    """Say that nothing was stored, so that the sender tries again."""
    return Reply(503, {"status": "unavailable", "message": reason})


def broken(request_id: str) -> Reply:
    """Say that this program failed before anything was stored; the id stands in the log as well."""
    return Reply(500, {"status": "error", "request_id": request_id})


def told(answer: Answer | Refusal | StoreFailed) -> Reply:
    """Turn what the desk says about an alert into a reply."""
    if isinstance(answer, StoreFailed):
        return unavailable(str(answer))
    if isinstance(answer, Refusal):
        return rejected(422, [FieldFault(answer.code, answer.message)])
    if answer.status == "duplicate":
        return Reply(200, {"alert_id": answer.alert_id, "status": "duplicate"})
    return Reply(202, {"alert_id": answer.alert_id, "status": "accepted"})
