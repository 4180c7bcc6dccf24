"""Wait for something to happen, without guessing how long it takes."""

import asyncio
from collections.abc import Callable

# Far more than anything takes, and less than the limit of a test: a busy machine is no fault.
PATIENCE_S = 20


async def until(true: Callable[[], object], limit_s: float = PATIENCE_S) -> None:
    """Wait until something holds, looking at it every few milliseconds.

    Raises ``TimeoutError`` where it does not hold after ``limit_s`` seconds. It is looked at once more then: the
    time also passes while the whole machine stands still.
    """
    loop = asyncio.get_running_loop()
    end = loop.time() + limit_s
    late = False
    while not true():
        if late:
            raise TimeoutError
        late = loop.time() >= end
        await asyncio.sleep(0.005)
