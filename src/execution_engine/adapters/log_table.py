"""What of the log goes into the database, so that it can be filtered and searched: gathered here, written by whoever
holds the store."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC
from typing import TYPE_CHECKING

from execution_engine.domain.facts import Category
from execution_engine.domain.rows import LogEntry

if TYPE_CHECKING:
    from loguru import Message, Record

MOST = 10_000  # lines that wait; the files have all of them
MINUTE_S = 60.0
_ERRORS = 40  # loguru's number of ERROR
_WARNINGS = 30


class LogTable:
    """Gathers lines of the log from any thread, and counts errors.

    Requests that were answered in order are left to the files: a busy listener would push the rest out.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._waiting: deque[LogEntry] = deque(maxlen=MOST)
        self._errors: deque[float] = deque(maxlen=MOST)
        self._next = 1

    def write(self, message: Message) -> None:
        """Take one line; loguru calls this."""
        record = message.record
        if record["level"].no >= _ERRORS:
            self._errors.append(self._monotonic())
        if record["level"].no >= _WARNINGS or record["extra"]["category"] != Category.API.value:
            self._waiting.append(entry_of(record))

    def begin(self, newest: int) -> None:
        """Go on with ids above the newest one in the table."""
        self._next = newest + 1

    def take(self, most: int) -> tuple[LogEntry, ...]:
        """Return the oldest lines, with their ids, and let go of them."""
        taken: list[LogEntry] = []
        while self._waiting and len(taken) < most:
            taken.append(replace(self._waiting.popleft(), id=self._next))
            self._next += 1
        return tuple(taken)

    @property
    def errors_per_minute(self) -> int:
        """Return how many errors were logged within the last minute."""
        since = self._monotonic() - MINUTE_S
        while self._errors and self._errors[0] < since:
            self._errors.popleft()
        return len(self._errors)


def entry_of(record: Record) -> LogEntry:
    """Return a line of the log as a row; its id is still to be given."""
    extra = record["extra"]
    fact = extra.get("fact", {})
    return LogEntry(
        id=0,
        at=record["time"].astimezone(UTC),
        level=record["level"].name,
        category=extra["category"],
        code=fact.get("code", ""),
        text=record["message"] + extra["traceback"],
        alert_id=fact.get("alert"),
        group_id=fact.get("group"),
        order_id=fact.get("order"),
    )
