"""The disk fills up while positions are open: nothing is acknowledged, nothing leaves, nothing is lost."""

import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Protocol

import pytest

from tests.processes.house import Engine, places
from tests.processes.ledgers import settle
from tests.stories.installation import legs_of, until

resource = pytest.importorskip("resource", reason="limits of processes are POSIX")

BTC, ETH = "BINANCE:BTCUSDT", "BINANCE:ETHUSDT"
COMPLAINTS = ["disk", "cannot run", "nothing is decided any more", "log"]
WHILE_FULL_S = 2.0


class Disk(Protocol):
    folder: Path

    def fill(self, engine: Engine) -> None: ...

    def make_room(self, engine: Engine) -> None: ...


class Mounted:
    """A disk of its own, filled with a file."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def fill(self, engine: Engine) -> None:
        with (self.folder / "ballast").open("wb", buffering=0) as file, suppress(OSError):
            while True:
                file.write(b"x" * 4096)

    def make_room(self, engine: Engine) -> None:
        (self.folder / "ballast").unlink()


class Limited:
    """A disk on which no file of the process may be written to: the file layer says no."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def fill(self, engine: Engine) -> None:
        self._limit(engine, 1)

    def make_room(self, engine: Engine) -> None:
        self._limit(engine, resource.RLIM_INFINITY)

    @staticmethod
    def _limit(engine: Engine, size: int) -> None:
        assert engine.process is not None
        resource.prlimit(engine.process.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


def mount(folder: Path) -> str:
    """Mount a disk of 40 MiB; returns why that is not possible."""
    if shutil.which("mount") is None:
        return "there is no mount here"
    command = ["mount", "-t", "tmpfs", "-o", "size=40m", "tmpfs", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stderr.strip() or "mount failed" if done.returncode else ""


@pytest.fixture(params=["a disk of its own", "a limit on files"])
def disk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Disk]:
    folder = tmp_path / "disk"
    folder.mkdir()
    if request.param == "a limit on files":
        if not hasattr(resource, "prlimit"):
            pytest.skip("limits of another process cannot be set on this system")
        yield Limited(folder)
        return
    if why_not := mount(folder):
        pytest.skip(f"no disk of its own: {why_not}; the limit on files stands for it")
    yield Mounted(folder)
    subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.mark.fault(16, 58)
def test_a_disk_that_fills_up_stops_everything_and_costs_nothing(
    house: Callable[..., Engine], disk: Disk
) -> None:
    engine = house(disk.folder / "data").start()
    engine.expected_errors = COMPLAINTS
    for symbol in (BTC, ETH):
        engine.price(symbol, 101)
        engine.accepted(symbol, price=100)
        engine.live(symbol)
    engine.price(BTC, 99)  # three legs are held; their targets are 101, 100 and 99.5
    engine.wait_for(lambda state: state["groups"][0]["filled_quantity"] != "0")
    settle(engine)

    disk.fill(engine)
    refused = []

    def nothing_is_stored() -> bool:
        refused.append(f"full {len(refused)}")
        return engine.alert(BTC, price=99, timeframe="60", id=refused[-1]).status == 503

    until(nothing_is_stored, "alerts are answered 503")
    before = places(engine)
    engine.price(BTC, 101)  # every target is reached
    engine.price(ETH, 99)  # three legs fill, unseen
    assert engine.alert(BTC, type="exit", timeframe="60", id="leave").status == 503
    threading.Event().wait(WHILE_FULL_S)
    health = engine.request("GET", "/health")
    assert (health.status, health.body["status"]) == (503, "error")
    assert places(engine) == before

    disk.make_room(engine)
    until(engine.runs_again, "it runs again")
    engine.wait_for(lambda state: [leg["tp_hit"] for leg in legs_of(state["groups"][0])[:3]] == [True] * 3)
    engine.wait_for(lambda state: state["groups"][1]["filled_quantity"] != "0", "the fills are known")
    told = engine.alert(BTC, price=99, timeframe="60", id=refused[-1])
    assert told.status == 202
    assert engine.outcome(told.alert)[0] == "opened"
    assert engine.alert(BTC, price=99, timeframe="60", id=refused[-1]).alert == told.alert
    settle(engine)
    engine.stop()
