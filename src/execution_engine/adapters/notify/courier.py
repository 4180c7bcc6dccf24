"""Brings messages to one target: one at a time, in their order, until each was taken or is given up."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from loguru import logger

from execution_engine.adapters.notify.services import ALL_S, Outcome, Result
from execution_engine.adapters.notify.thread import in_thread
from execution_engine.domain.notify import Message, is_given_up, pause_s

MOST_WAITING = 200
LIMIT_S = ALL_S + 10.0  # a thread that takes longer is left to itself


@dataclass(slots=True, kw_only=True)
class Courier:
    """Serves one target.

    send: blocking; says what became of a message. safe: hides secrets in what is told to the log and the screen.
    changed: called when what waits is others; the critical ones among them are to survive a restart.
    trouble: why the last message was not taken; empty if it was. lost: how many were given up or had no room.
    """

    name: str
    send: Callable[[Message], Outcome]
    now: Callable[[], datetime]
    safe: Callable[[str], str] = str
    changed: Callable[[], None] = lambda: None
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep
    waiting: deque[Message] = field(default_factory=deque)
    trouble: str = ""
    sent: int = 0
    lost: int = 0
    last_at: datetime | None = None
    _news: asyncio.Event = field(default_factory=asyncio.Event)
    _pausing: asyncio.Future[None] | None = None

    def take(self, message: Message) -> None:
        """Take a message along; where there is no room the oldest that is not critical gives way."""
        if len(self.waiting) >= MOST_WAITING:
            least = next((each for each in self.waiting if not each.is_critical), self.waiting[0])
            self.waiting.remove(least)
            self._lose("there is no room for more")
        self.waiting.append(message)
        self._news.set()
        self.changed()

    async def keep(self) -> None:
        """Serve for ever."""
        while True:
            while self.waiting:
                await self._bring(self.waiting[0])
            self._news.clear()
            await self._news.wait()

    async def _bring(self, message: Message) -> None:
        failures = 0
        while message in self.waiting:
            outcome = await self._try(message)
            self.last_at = self.now()
            if outcome.result is Result.SENT:
                self.trouble = ""
                self.sent += 1
                break
            self.trouble = self.safe(outcome.reason)
            if outcome.result is Result.REFUSED or is_given_up(message, self.now()):
                self._lose(self.trouble)
                break
            failures += 1
            await self._rest(pause_s(failures))
        if message in self.waiting:
            self.waiting.remove(message)
        self.changed()

    def hurry(self) -> None:
        """Try again now instead of later."""
        if self._pausing is not None:
            self._pausing.cancel()

    async def _rest(self, seconds: float) -> None:
        self._pausing = asyncio.ensure_future(self.pause(seconds))
        try:
            await asyncio.wait({self._pausing})
        finally:
            self._pausing.cancel()
            self._pausing = None

    async def _try(self, message: Message) -> Outcome:
        try:
            return await in_thread(partial(self.send, message), f"tell {self.name}", LIMIT_S)
        except TimeoutError:
            return Outcome(Result.LATER, f"no answer within {LIMIT_S:.0f} s")
        except Exception as error:
            return Outcome(Result.LATER, f"{type(error).__name__}: {error}")

    def _lose(self, why: str) -> None:
        self.lost += 1
        logger.warning("A notification to {} was given up: {}", self.name, why)
