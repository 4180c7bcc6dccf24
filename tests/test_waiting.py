"""Tests wait for what they want to see, not for a machine that is quick."""

import asyncio
import time

import pytest

from tests.waiting import until


async def test_what_happened_while_the_machine_stood_still_is_seen() -> None:
    seen: list[str] = []

    def stand_still() -> None:
        time.sleep(0.02)
        seen.append("late")

    asyncio.get_running_loop().call_soon(stand_still)
    await until(lambda: seen, 0.01)


async def test_what_never_happens_is_given_up() -> None:
    with pytest.raises(TimeoutError):
        await until(lambda: False, 0.01)
