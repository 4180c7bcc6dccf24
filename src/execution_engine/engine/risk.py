"""When the risk engine looks: every `risk.interval_s`, and each second at what is under way."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

from execution_engine.domain.inputs import AdvanceOffset, Evaluate, Input
from execution_engine.domain.rows import World
from execution_engine.engine.book import Book
from execution_engine.engine.ports import Clock

LOOK_S = 1.0


class RiskRounds:
    """Posts that it is time for an evaluation; what comes of it is decided like everything else."""

    def __init__(self, book: Book, clock: Clock, post: Callable[[Input], None]) -> None:
        self._book = book
        self._clock = clock
        self._post = post
        self._last = clock.monotonic()

    @property
    def next_at(self) -> datetime | None:
        """Return when the next evaluation is due; None while the risk engine is switched off."""
        risk = self._book.settings.risk
        if not risk.enabled:
            return None
        left = self._last + risk.interval_s - self._clock.monotonic()
        return self._clock.now() + timedelta(seconds=max(left, 0.0))

    def look(self) -> None:
        """Let offsets under way go on, which may wait for a price, and evaluate when it is time."""
        for id in self._book.open_risk_actions():
            self._post(AdvanceOffset(action_id=id))
        now = self._clock.monotonic()
        if now - self._last < self._book.settings.risk.interval_s:
            return
        self._last = now
        for world in World:
            if self._book.slots_used(world):
                self._post(Evaluate(world=world))

    async def keep(self) -> None:
        """Look again and again, for ever; waits may end early or late."""
        while True:
            await asyncio.sleep(LOOK_S)
            self.look()
