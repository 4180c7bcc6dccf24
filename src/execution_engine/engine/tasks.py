"""Named background tasks: a failure is seen, a stop is orderly."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

from execution_engine.domain.origin import Origin, acting

log = logging.getLogger(__name__)

FIRST_PAUSE_S = 1.0
LAST_PAUSE_S = 60.0


class Tasks:
    """Owns every background task of the engine."""

    def __init__(self, on_failure: Callable[[str, BaseException], None] | None = None) -> None:
        self._running: set[asyncio.Task[Any]] = set()
        self._on_failure = on_failure
        self.failed: list[str] = []

    def spawn(self, name: str, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Start a task under a name; whatever ends it but a stop is told.

        What it does is the engine's own doing, whoever's wish began it.
        """
        with acting(Origin.AUTOMATIC):
            task = asyncio.get_running_loop().create_task(work, name=name)
        self._running.add(task)
        task.add_done_callback(self._ended)
        return task

    def keep(self, name: str, work: Callable[[], Coroutine[Any, Any, Any]]) -> None:
        """Start a task that must not end: whatever ends it but a stop, it is begun anew, later each time."""
        self.spawn(name, self._again(name, work))

    async def _again(self, name: str, work: Callable[[], Coroutine[Any, Any, Any]]) -> None:
        pause = FIRST_PAUSE_S
        while True:
            try:
                await work()
                return
            except (Exception, asyncio.CancelledError) as error:
                if ends_the_task(error):
                    raise
                if is_ending():
                    log.exception("the task %s ended badly", name)
                    return
                log.exception("the task %s failed and is begun anew", name)
                if self._on_failure is not None:
                    self._on_failure(name, error)
            await asyncio.sleep(pause)
            pause = min(pause * 2, LAST_PAUSE_S)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        if task.cancelled():
            if task.cancelling():
                return
            error: BaseException = asyncio.CancelledError("what it waited for was cancelled")
        elif (failure := task.exception()) is not None:
            error = failure
        else:
            return
        log.error("the task %s failed", task.get_name(), exc_info=error)
        self.failed.append(task.get_name())
        if self._on_failure is not None:
            self._on_failure(task.get_name(), error)

    @property
    def names(self) -> list[str]:
        return sorted(task.get_name() for task in self._running)

    async def stop(self) -> None:
        """Cancel everything and wait until it has ended."""
        current = asyncio.current_task()
        tasks = [task for task in self._running if task is not current]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def ends_the_task(error: BaseException) -> bool:
    """Return whether an error is this task's own stop, and not the cancellation of something under it."""
    return isinstance(error, asyncio.CancelledError) and is_ending()


def is_ending() -> bool:
    """Return whether this task was asked to stop."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
