"""The system ends the program while it has orders under way: in order, soon, and without losing anything."""

import random
import signal
import threading
import time
from collections.abc import Callable

import pytest

from tests.processes.house import Engine
from tests.processes.ledgers import alert_faults, settle
from tests.processes.load import Load

SOON_S = 5.0


@pytest.mark.fault(74)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_within_seconds_and_goes_on_where_it_stood(
    house: Callable[..., Engine], number: signal.Signals
) -> None:
    engine = house(capital__total_usd="5000")
    load = Load(engine, random.Random(3))
    load.begin()
    engine.start()
    asked: list[float] = []

    def ask_to_end() -> None:
        assert engine.process is not None
        asked.append(time.monotonic())
        engine.process.send_signal(number)
        load.cut_off.set()

    load.run(25, threading.Timer(0.02, ask_to_end).start)
    assert engine.process is not None
    assert engine.process.wait(SOON_S) == 0
    assert time.monotonic() - asked[0] < SOON_S
    engine.look_for_complaints()
    assert alert_faults(engine.folder.database, load.told) == []
    engine.start()
    settle(engine)
    engine.stop()
