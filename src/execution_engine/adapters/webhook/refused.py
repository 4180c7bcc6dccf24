"""The list of refused requests: why nothing happened, without what must not be kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from loguru import logger

from execution_engine.adapters.security.redact import Redaction, printable
from execution_engine.adapters.webhook.doors import Doors
from execution_engine.adapters.webhook.limits import Rate
from execution_engine.domain.errors import FieldFault
from execution_engine.domain.inputs import RequestRefused

KEPT_CHARACTERS = 2048


class RefusedRequests:
    """Posts what was answered 4xx, so many per status, so that a flood neither pushes others out nor fills the disk.

    What is left out is counted, and the next one that is kept says how many there were.
    """

    def __init__(self, doors: Doors) -> None:
        self._doors = doors
        self._rates: dict[int, Rate] = {}
        self._left_out: Counter[int] = Counter()

    def add(
        self, status: int, errors: Iterable[FieldFault], source: str, *, body: str = "", token: str = ""
    ) -> bool:
        """Keep one refused request, unless there were too many of its kind; never raises."""
        limits, rate = self._doors.limits, self._rates.setdefault(status, Rate())
        if not rate.take(limits.refusals_per_hour / 60, self._doors.monotonic(), limits.refusals):
            self._left_out[status] += 1
            return False
        if count := self._left_out.pop(status, 0):
            errors = [
                *errors,
                FieldFault("more", f"{count} more of this kind came before it and are not listed."),
            ]
        try:
            self._doors.post(
                RequestRefused(
                    at=self._doors.clock(),
                    status=status,
                    errors=tuple((fault.field, self._safe(fault.message)) for fault in errors),
                    body=self._safe(body),
                    source=source,
                    token=token,
                ),
                lambda _: None,  # the answer does not wait for the list
            )
        except Exception:
            # The list is a courtesy; the sender gets the true answer all the same.
            logger.bind(category="SYSTEM").exception("A refused request could not be kept")
        return True

    def _safe(self, text: str) -> str:
        """Hide every secret, escape what is not printable, and cut."""
        if not text:
            return text
        secrets = self._doors.secrets()
        tokens = (token.token for token in self._doors.tokens())
        redact = Redaction((secrets.body_secret, secrets.hmac_secret, *tokens))
        safe = printable(redact(text))
        return safe if len(safe) <= KEPT_CHARACTERS else f"{safe[: KEPT_CHARACTERS - 1]}…"
