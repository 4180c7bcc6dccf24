"""The power goes: whatever the disk kept of the write-ahead log, the engine starts from a state that once was."""

import random
import shutil
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from execution_engine.adapters.clock import SystemClock
from execution_engine.adapters.exchanges import instruments
from execution_engine.adapters.storage.check import open_database
from execution_engine.adapters.storage.store import SqliteStore
from execution_engine.adapters.storage.verify import verify
from execution_engine.core import load_book
from execution_engine.domain.rows import Row
from execution_engine.domain.symbols import Catalogue
from execution_engine.main import resources
from tests.processes.clock import SharedClock
from tests.processes.house import Engine, Process, Venue
from tests.processes.ledgers import Ledgers, settle
from tests.processes.load import Load
from tests.stories.installation import until

HEAD, FRAME_HEAD = 32, 24
FRAMES = 450  # that are cut, one after the other
PAGE = 4096
AFTERWARDS = "BINANCE:BNBUSDT"  # traded once the power is back
PARTS = 2  # the cuts are shared out between as many tests


@dataclass(frozen=True)
class Remains:
    """What a killed engine left: its database, the frames of its log, and what the exchange knows."""

    database: bytes
    log: bytes
    frame: int
    commits: list[int]  # the frames that end a commit
    exchange: Path

    @property
    def frames(self) -> int:
        return (len(self.log) - HEAD) // self.frame

    def lay_out(self, folder: Path, frames: int, more: int = 0) -> Path:
        """Write the database with its log cut after some frames and some bytes of the next."""
        folder.mkdir(exist_ok=True)
        for old in folder.glob("engine.sqlite*"):
            old.unlink()
        path = folder / "engine.sqlite"
        path.write_bytes(self.database)
        path.with_name("engine.sqlite-wal").write_bytes(self.log[: HEAD + frames * self.frame + more])
        return path


def remains_of(engine: Engine) -> Remains:
    database = engine.folder.database
    log = database.with_name(database.name + "-wal").read_bytes()
    (page,) = struct.unpack_from(">I", log, 8)
    frame = FRAME_HEAD + page
    valid = [at for at in range(HEAD, len(log) - frame + 1, frame) if log[at + 8 : at + 16] == log[16:24]]
    # A log that was begun anew has older frames behind its end.
    log = log[: HEAD + len(valid) * frame]
    commits = [number for number, at in enumerate(valid, 1) if struct.unpack_from(">I", log, at + 4)[0]]
    return Remains(database.read_bytes(), log, frame, commits, engine.venue.file)


@pytest.fixture(scope="module")
def remains(tmp_path_factory: pytest.TempPathFactory, nest: Process) -> Iterator[Remains]:
    """Load an engine for a while and kill it and its exchange."""
    folder = tmp_path_factory.mktemp("power")
    SharedClock(folder / "clock")
    venue = Venue(folder / "exchange.sqlite", folder / "clock", nest)
    engine = Engine(folder / "data", venue, nest, folder / "clock", capital__total_usd="5000")
    load = Load(engine, random.Random(7))
    load.begin()
    engine.start()

    def strike() -> None:
        log = engine.folder.database.with_name("engine.sqlite-wal")
        until(
            lambda: log.stat().st_size > HEAD + (FRAMES + 20) * (FRAME_HEAD + PAGE), "the log is long enough"
        )
        assert engine.process is not None
        engine.process.kill()
        load.cut_off.set()

    death = threading.Thread(target=strike)
    load.run(0, death.start)
    death.join()
    engine.give_up()
    venue.kill()
    return remains_of(engine)


def started(path: Path) -> frozenset[Row]:
    """Check a database as a start does, and return the rows that the engine would begin with."""
    assert open_database(path, path.parent, datetime.now(UTC)) is None
    store = SqliteStore(path)
    try:
        return frozenset(store.load())
    finally:
        store.close()


def proven(path: Path, catalogue: Catalogue) -> frozenset[Row]:
    """Return the rows of a database whose every sum adds up, and from which the engine builds its book."""
    rows = started(path)
    assert verify(path) == []
    store = SqliteStore(path)
    try:
        book, new = load_book(store, catalogue, SystemClock())
    finally:
        store.close()
    assert new == []
    assert {*book.orders.values(), *book.groups.values(), *book.legs.values()} <= rows
    return rows


@pytest.mark.fault(57)
@pytest.mark.parametrize("part", range(PARTS))
def test_a_log_cut_at_any_frame_starts_from_the_last_whole_commit(
    remains: Remains, tmp_path: Path, part: int
) -> None:
    catalogue = Catalogue(instruments.load(resources() / "instruments.json"))
    chance = random.Random(part)
    first, last = (FRAMES * step // PARTS for step in (part, part + 1))
    whole = max((commit for commit in remains.commits if commit <= first), default=0)
    expected = proven(remains.lay_out(tmp_path / "whole", whole), catalogue)
    seen = {expected}
    for frames in range(first, last + 1):
        if frames in remains.commits and frames != whole:
            expected = proven(remains.lay_out(tmp_path / "whole", frames), catalogue)
            seen.add(expected)
        else:
            assert started(remains.lay_out(tmp_path / "cut", frames)) == expected, frames
        if frames < remains.frames and frames % 2:
            more = chance.randrange(1, remains.frame)
            assert started(remains.lay_out(tmp_path / "cut", frames, more)) == expected, (
                frames,
                more,
            )
    assert remains.frames >= FRAMES
    assert len(seen) > 5  # commits that say something, and each is a state of its own


@dataclass(frozen=True)
class Cut:
    """A state that once was, and the orders of later ones, which only the exchange knows."""

    commit: int
    lost: frozenset[str]


def cuts(remains: Remains, folder: Path) -> list[Cut]:
    """Return the last states, the newest first, and what each has forgotten."""
    found = []
    for commit in reversed(remains.commits[-40:]):
        ledgers = Ledgers.read(remains.lay_out(folder, commit), remains.exchange)
        found.append(Cut(commit, frozenset(ledgers.theirs.keys() - ledgers.orders.keys())))
    return found


@pytest.fixture
def back_to(
    remains: Remains, tmp_path: Path, house: Callable[..., Engine], nest: Process
) -> Callable[[int], Engine]:
    """Give what starts an engine from an older state, at the exchange as it was in the end."""

    def start(commit: int) -> Engine:
        database = remains.lay_out(tmp_path / "data", commit)
        for file in remains.exchange.parent.glob("exchange.sqlite*"):
            shutil.copy(file, tmp_path / file.name)
        SharedClock(tmp_path / "clock")
        venue = Venue(tmp_path / "exchange.sqlite", tmp_path / "clock", nest)
        return house(database.parent, venue).start()

    return start


@pytest.mark.fault(57)
@pytest.mark.parametrize("which", ["all commits", "as few as knew every order"])
def test_an_exchange_that_has_gone_on_is_caught_up_with(
    remains: Remains, tmp_path: Path, back_to: Callable[[int], Engine], which: str
) -> None:
    """Answers and fills are missing in the database: they are asked for, and booked once."""
    knowing = [cut.commit for cut in cuts(remains, tmp_path / "look") if not cut.lost]
    settle(back_to(knowing[0] if which == "all commits" else knowing[-1]))


@pytest.mark.parametrize("depth", [0, -1])
def test_orders_that_the_database_has_forgotten_are_told_and_add_no_risk(
    remains: Remains, tmp_path: Path, back_to: Callable[[int], Engine], depth: int
) -> None:
    """A disk that lies about what it wrote, a folder copied back by hand: the exchange knows more orders.

    No id is given out a second time, so that none of them is taken for another.
    """
    cut = [cut for cut in cuts(remains, tmp_path / "look") if cut.lost][depth]
    database = remains.lay_out(tmp_path / "look", cut.commit)
    before = Ledgers.read(database, remains.exchange)
    rested = {id for id in cut.lost if before.theirs[id]["status"] in ("open", "partially_filled")}
    engine = back_to(cut.commit)
    engine.expected_errors = ["not in its books"]
    engine.price(AFTERWARDS, 101)
    engine.accepted(AFTERWARDS, price=100)
    engine.live(AFTERWARDS)
    ledgers = Ledgers.read(engine.folder.database, engine.venue.file)
    assert [said for said in ledgers.at_any_time() if "has no row" not in said] == []
    for id in cut.lost:
        there = ledgers.theirs[id]
        resting = there["status"] in ("open", "partially_filled")
        assert not (resting and there["action"] == "buy"), "nobody would close what it buys"
    told = {row["ref"] for row in engine.rows("SELECT ref FROM findings WHERE kind = 'orphan'")}
    assert rested <= told
