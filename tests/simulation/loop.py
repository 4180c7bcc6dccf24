"""Time that only passes when nobody has anything to do.

`Timeline` is true time: what happens outside of the engine's machine, in order. `VirtualLoop` is an asyncio loop
on it: it never waits, it moves on to whatever comes next, an event of the outside or a timer of the engine.
"""

from __future__ import annotations

import asyncio
import math
import warnings
from collections.abc import Callable
from contextlib import suppress
from heapq import heappop, heappush
from random import Random
from time import thread_time
from typing import Any

RESOLUTION_S = 1e-9


class Stuck(RuntimeError):
    """Nothing will ever happen again."""


class Timeline:
    """Events of the outside, by their time [s]; those of one time in the order in which they were planned."""

    def __init__(self) -> None:
        self.now = 0.0
        self._heap: list[tuple[float, int, Callable[..., object], tuple[Any, ...]]] = []
        self._count = 0

    @property
    def next(self) -> float:
        """Return when the next event is; infinity if there is none."""
        return self._heap[0][0] if self._heap else math.inf

    def at(self, when: float, call: Callable[..., object], *args: Any) -> None:
        """Plan an event; one in the past happens now."""
        self._count += 1
        heappush(self._heap, (max(when, self.now), self._count, call, args))

    def after(self, delay: float, call: Callable[..., object], *args: Any) -> None:
        self.at(self.now + delay, call, *args)

    def step(self) -> None:
        """Let the next event happen."""
        self.now, _, call, args = heappop(self._heap)
        call(*args)

    def run_until(self, when: float) -> None:
        """Let everything happen up to a time; also from within an event, as while the machine sleeps."""
        while self.next <= when:
            self.step()
        self.now = max(self.now, when)


class VirtualLoop(asyncio.BaseEventLoop):
    """An asyncio loop on a timeline.

    jitter: timers fire up to this part of their delay early or late, by chance.
    """

    def __init__(self, timeline: Timeline, chance: Random | None = None, jitter: float = 0.0) -> None:
        super().__init__()
        self._timeline = timeline
        self._chance = chance
        self._jitter = jitter
        self._lost = 0.0  # seconds that this loop's own clock stood still
        self._clock_resolution = RESOLUTION_S
        self.longest_s = 0.0  # of the processor, between two looks at what comes next
        self._looked_at = math.inf
        self._gone: set[asyncio.Task[Any]] = set()
        self._selector = self  # what asyncio asks for events, below

    def time(self) -> float:
        return self._timeline.now - self._lost

    def stand_still(self, seconds: float) -> None:
        """Leave out a span that has passed, as a monotonic clock does while its machine sleeps."""
        self._lost += seconds

    def call_at(self, when: float, callback: Any, *args: Any, context: Any = None) -> asyncio.TimerHandle:
        if self._chance is not None and self._jitter and (wait := when - self.time()) > 0:
            when += wait * self._jitter * self._chance.uniform(-1, 1)
        return super().call_at(when, callback, *args, context=context)

    def select(self, timeout: float | None) -> tuple[()]:
        """Let the outside go on until this loop has something to do."""
        self.longest_s = max(self.longest_s, thread_time() - self._looked_at)
        self._go_on(timeout)
        self._looked_at = thread_time()
        return ()

    def _go_on(self, timeout: float | None) -> None:
        timeline = self._timeline
        until = math.inf if timeout is None else timeline.now + timeout
        while timeline.next <= until and not (self._ready or self._stopping or timeline.next == math.inf):
            timeline.step()
            if self._scheduled:
                until = min(until, self._scheduled[0]._when + self._lost)
        if self._ready or self._stopping:
            return
        if until == math.inf:
            raise Stuck("nothing is planned any more")
        timeline.now = max(timeline.now, until)

    def _process_events(self, events: object) -> None:
        """There are none: `select` has let them happen already."""

    def _write_to_self(self) -> None:
        """Nobody has to be woken."""

    def abandon(self) -> None:
        """Let go of everything that was under way, as if the power had been cut.

        What a coroutine does on its way out reaches nobody any more; it is only kept from complaining.
        """
        self.set_exception_handler(lambda loop, context: None)
        self._ready.clear()
        self._scheduled.clear()
        asyncio._set_running_loop(self)
        try:
            while tasks := [task for task in asyncio.all_tasks(self) if task not in self._gone]:
                for task in tasks:
                    self._gone.add(task)
                    task._log_destroy_pending = False  # type: ignore[attr-defined]
                    with suppress(BaseException), warnings.catch_warnings():
                        warnings.simplefilter("ignore")  # of what it had not begun yet
                        task.get_coro().close()  # type: ignore[union-attr]
        finally:
            asyncio._set_running_loop(None)
        self._ready.clear()
        self._scheduled.clear()
        self._gone.clear()
        self.close()
