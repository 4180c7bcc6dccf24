"""Whether it is a task itself that was asked to stop."""

from __future__ import annotations

import asyncio


def is_ending() -> bool:
    """Return whether it is this task that was asked to stop, and not something under it that broke off."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
