"""Where an act comes from: noted with every entry of the audit log.

Whoever lets somebody in says so once, at the door: everything that is done from there on, in the same task or in a
thread on its behalf, carries it. Work of the engine's own begins anew as automatic (`engine.tasks`).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from enum import StrEnum


class Origin(StrEnum):
    """Who acts. The words are stored and shown."""

    WINDOW = "window"
    COMMAND_LINE = "command line"
    LISTENER = "listener"
    KEY_CHECK = "exchange key check"
    AUTOMATIC = "automatic"


_ACTING: ContextVar[Origin] = ContextVar("acting", default=Origin.AUTOMATIC)


def actor() -> Origin:
    """Return who acts now."""
    return _ACTING.get()


@contextmanager
def acting(origin: Origin) -> Iterator[None]:
    """Have everything that is done meanwhile come from there."""
    before = _ACTING.set(origin)
    try:
        yield
    finally:
        with suppress(ValueError):  # what was abandoned is ended from elsewhere, where it was never set
            _ACTING.reset(before)
