"""Notices that time was lost: a machine that slept, a process that stood still, a clock that was set.

Nothing that was known before can be trusted then: prices are old, answers may be missing, times in rows are off.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from execution_engine.domain.inputs import Input, Interrupted
from execution_engine.engine.ports import Clock

BEAT_S = 1.0
STILL_S = 5.0  # between two beats, beyond what a busy machine does
JUMP_S = 2.0  # between the clock on the wall and the one that only goes forward


class Pulse:
    """Compares two clocks, beat by beat."""

    def __init__(self, clock: Clock, post: Callable[[Input], None]) -> None:
        self._clock = clock
        self._post = post
        self._wall, self._steady = clock.now(), clock.monotonic()

    async def keep(self) -> None:
        """Beat for ever."""
        self._note()
        while True:
            await asyncio.sleep(BEAT_S)
            self.look()
            self._note()

    def look(self) -> None:
        """Tell of time that was lost since the last beat; whatever comes in next must not be decided before."""
        passed = self._clock.monotonic() - self._steady
        jumped = (self._clock.now() - self._wall).total_seconds() - passed
        if reason := _lost(passed - BEAT_S, jumped):
            self._note()
            self._post(Interrupted(reason=reason, set_back=jumped < -JUMP_S))

    def _note(self) -> None:
        self._wall, self._steady = self._clock.now(), self._clock.monotonic()


def _lost(stood: float, jumped: float) -> str:
    """Say what happened between two beats; nothing if all is well. Some clocks stand still in sleep, some not."""
    if stood > STILL_S:
        return f"the program stood still for {_span(stood)}"
    if jumped > JUMP_S:
        return f"the machine slept, or its clock was set forward, by {_span(jumped)}"
    if jumped < -JUMP_S:
        return f"the clock was set back by {_span(-jumped)}"
    return ""


def _span(seconds: float) -> str:
    whole = round(seconds)
    return f"{whole} s" if whole < 120 else f"{round(whole / 60)} min"
