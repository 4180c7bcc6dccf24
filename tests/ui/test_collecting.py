"""What belongs to a window is taken apart on the window's thread, whoever makes garbage."""

from __future__ import annotations

import gc
import threading
from typing import Any, ClassVar

from PySide6.QtCore import QObject, QTimer

from execution_engine.ui.collecting import Collecting
from tests.waiting import until


class Ring(QObject):
    """Belongs to itself, as widgets and their callbacks do, and notes where it is taken apart."""

    ended_on: ClassVar[set[int]] = set()

    def __init__(self) -> None:
        super().__init__()
        self.itself = self
        self.timer = QTimer(self)

    def __del__(self) -> None:
        self.ended_on.add(threading.get_ident())


def much_garbage() -> None:
    """Pass every threshold of the collector, as a thread that writes or reads a lot does."""
    for _ in range(200_000):
        ring: list[Any] = []
        ring.append(ring)


async def test_work_on_another_thread_takes_nothing_of_the_window_apart(qtbot: object) -> None:
    collecting = Collecting()
    collecting.start()
    gc.collect()
    try:
        for _ in range(20):
            Ring()
        thread = threading.Thread(target=much_garbage)
        thread.start()
        thread.join()
        await until(lambda: Ring.ended_on)
    finally:
        collecting.stop()
        gc.disable()  # as between all tests
    assert Ring.ended_on == {threading.main_thread().ident}
