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

    async def keep(self) -> None:
        """Beat for ever."""
        wall, steady = self._clock.now(), self._clock.monotonic()
        while True:
            await asyncio.sleep(BEAT_S)
            now, passed = self._clock.now(), self._clock.monotonic()
            stood = passed - steady - BEAT_S
            jumped = (now - wall).total_seconds() - (passed - steady)
            wall, steady = now, passed
            if reason := _lost(stood, jumped):
                self._post(Interrupted(reason=reason))


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
