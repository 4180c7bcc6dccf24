"""Errors of ours, put into decisions on purpose: one decision must not take others with it."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from execution_engine.engine import desk
from tests.simulation.network import InjectedDefect


@contextmanager
def planted(history: Any) -> Iterator[None]:
    """Let planned defects happen while a history runs; without any the desk is left as it is."""
    if not any(event["do"] == "defect" for event in history.program.events):
        yield
        return
    decide = desk.decide

    def decide_or_fail(view: Any, given: Any, now: Any, origin: Any) -> Any:
        kind = type(given).__name__
        if history.machine.takes_defect(kind):
            history.tell("program of", f"a defect in a decision on {kind}")
            history.sometimes.hit("defect", kind)
            return decide(Once(view), given, now, origin)
        return decide(view, given, now, origin)

    desk.decide = decide_or_fail
    try:
        yield
    finally:
        desk.decide = decide


class Once:
    """A view that fails its first reading of an order, a group or an alert, and no later one."""

    _FAILING = frozenset({"order", "order_of", "group", "groups_in", "alert", "alert_key", "queued"})

    def __init__(self, view: Any) -> None:
        self._view = view
        self._failed = False

    def __getattr__(self, name: str) -> Any:
        if name in self._FAILING and not self._failed:
            self._failed = True
            raise InjectedDefect("a decision met a defect")
        return getattr(self._view, name)


def trace(error: BaseException) -> list[str]:
    """Return where an error came from, line by line."""
    return [line.rstrip() for part in traceback.format_exception(error) for line in part.splitlines()]
