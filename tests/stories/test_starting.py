"""What keeps the program from starting is one sentence and exit status 1; nothing is overwritten."""

import os
import re
import shutil
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from tests.stories.installation import D, Installation, legs_of, until

BTC = "BINANCE:BTCUSDT"


def starting(root: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Start the program where it cannot run."""
    command = [
        sys.executable,
        "-m",
        "execution_engine",
        "--headless",
        "--port",
        "0",
        "--paper-feed",
        "manual",
    ]
    return subprocess.run(
        [*command, "--data-dir", str(root), *options], capture_output=True, text=True, timeout=30, check=False
    )


def sentence(root: Path, *options: str) -> str:
    """Start the program where it cannot run and return the one sentence that it says."""
    ended = starting(root, *options)
    assert (ended.returncode, ended.stdout) == (1, "")
    said, *more = ended.stderr.splitlines()
    assert more == []
    assert said.endswith(".")
    return said


def contents(root: Path) -> dict[str, bytes]:
    """Return every database file under a folder."""
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*.sqlite")}


@pytest.fixture
def stopped(install: Callable[..., Installation]) -> Installation:
    """Give an installation with an open group that was ended in order."""
    installation = install().start()
    installation.price(BTC, 101)
    installation.accepted(BTC, price=100)
    installation.live(BTC)
    installation.stop()
    return installation


@pytest.fixture
def mounted(tmp_path: Path) -> Iterator[Callable[..., Path]]:
    """Give a maker of mounts, where this user may make them."""
    made: list[Path] = []

    def mount(*arguments: str) -> Path:
        place = tmp_path / f"mount {len(made)}"
        place.mkdir()
        if shutil.which("mount") is None or os.name != "posix":
            pytest.skip("there is no mount here")
        done = subprocess.run(["mount", *arguments, str(place)], capture_output=True, check=False)
        if done.returncode:
            pytest.skip("this user may not mount anything")
        made.append(place)
        return place

    yield mount
    for place in made:
        subprocess.run(["umount", "-l", str(place)], check=True)


@pytest.mark.fault(60)
def test_a_damaged_database_is_set_aside_and_never_overwritten(stopped: Installation) -> None:
    database = stopped.folder.database
    raw = bytearray(database.read_bytes())
    raw[5000:9000] = b"\xff" * 4000
    database.write_bytes(raw)
    said = sentence(stopped.root)
    assert "engine.sqlite is damaged" in said
    (aside,) = stopped.root.glob("engine-set-aside-*.sqlite")
    assert aside.name in said
    assert aside.read_bytes() == bytes(raw)
    # Its absence is not taken for a first start: it may have held open positions.
    again = sentence(stopped.root)
    assert aside.name in again
    assert not database.exists()


@pytest.mark.fault(60)
def test_a_damaged_database_gives_way_to_a_backup(stopped: Installation) -> None:
    backup = stopped.root.parent / "backup.sqlite"
    assert stopped.cli("backup", str(backup)).returncode == 0
    stopped.folder.database.write_bytes(b"no database")
    assert "is damaged" in sentence(stopped.root)
    restored = stopped.cli("restore", str(backup))
    assert (restored.returncode, restored.stderr) == (0, "")
    stopped.start_restored()
    assert [leg["status"] for leg in legs_of(stopped.live(BTC))] == ["open"] * 5
    stopped.stop()
    stopped.prove_books()


@pytest.mark.fault(61)
def test_what_an_older_backup_does_not_know_is_cancelled_and_told(stopped: Installation) -> None:
    """Resting entries would fill for nobody; and no id is given out a second time."""
    backup = stopped.root.parent / "backup.sqlite"
    assert stopped.cli("backup", str(backup)).returncode == 0
    stopped.start()
    stopped.accepted(BTC, price=99)
    stopped.live(BTC, legs=10)
    stopped.stop()
    assert stopped.cli("restore", str(backup)).returncode == 0
    stopped.expected_errors = ["It could add risk."]
    stopped.start_restored()
    states = [row["status"] for row in stopped.paper_orders()]
    assert states == ["open"] * 5 + ["cancelled"] * 5
    (group,) = stopped.groups(BTC)
    assert [leg["status"] for leg in legs_of(group)] == ["open"] * 5
    stopped.accepted(BTC, price=98)
    stopped.live(BTC, legs=10)
    ids = [row["client_order_id"] for row in stopped.paper_orders()]
    assert len(set(ids)) == 15
    stopped.stop()


@pytest.mark.fault(60)
def test_an_empty_database_file_is_no_first_start(tmp_path: Path) -> None:
    (tmp_path / "engine.sqlite").touch()
    assert "the file is empty" in sentence(tmp_path)


def test_a_damaged_paper_exchange_is_left_as_it_is(stopped: Installation) -> None:
    paper = stopped.folder.paper
    paper.write_bytes(b"this is no database " * 400)
    before = contents(stopped.root)
    assert "paper.sqlite" in sentence(stopped.root)
    assert contents(stopped.root) == before


@pytest.mark.parametrize("inside", ["", "deeper"])
def test_a_file_in_place_of_the_folder(tmp_path: Path, inside: str) -> None:
    (tmp_path / "file").write_text("mine")
    said = sentence(tmp_path / "file" / inside)
    assert "cannot be used" in said
    assert "--data-dir" in said
    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.fault(58)
def test_a_folder_that_may_not_be_written_to(stopped: Installation, mounted: Callable[..., Path]) -> None:
    place = mounted("--bind", str(stopped.root))
    subprocess.run(["mount", "-o", "remount,bind,ro", str(place)], check=True)
    before = contents(stopped.root)
    assert "read-only" in sentence(place)
    assert contents(stopped.root) == before


def test_a_full_disk(mounted: Callable[..., Path]) -> None:
    place = mounted("-t", "tmpfs", "-o", "size=8m", "tmpfs")
    assert "The disk is full" in sentence(place)
    assert contents(place) == {}


def fill(ballast: Path) -> None:
    """Leave no room on the disk."""
    with ballast.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(b"x" * 4096)


@pytest.mark.fault(16, 58)
def test_a_disk_that_fills_up_answers_503_and_goes_on_when_there_is_room_again(
    install: Callable[..., Installation], mounted: Callable[..., Path]
) -> None:
    place = mounted("-t", "tmpfs", "-o", "size=40m", "tmpfs")
    engine = install(place.name).start()
    engine.expected_errors = ["disk is full", "cannot run", "nothing is decided any more", "log"]
    engine.price(BTC, 101)
    first = engine.accepted(BTC, price=100)
    engine.live(BTC)
    ballast = place / "ballast"
    fill(ballast)
    until(lambda: engine.alert(BTC, price=99, timeframe="60").status == 503, "nothing is stored any more")
    assert engine.request("GET", "/health").status == 503
    ballast.unlink()
    until(lambda: engine.request("GET", "/health").status == 200, "it runs again")
    alert = engine.accepted(BTC, price=98)
    assert engine.outcome(alert)[0] == "pyramided"
    assert engine.outcome(first)[0] == "opened"
    engine.stop()
    engine.prove_books()


@pytest.mark.fault(58, 74)
def test_it_ends_in_order_while_the_disk_is_full(
    install: Callable[..., Installation], mounted: Callable[..., Path]
) -> None:
    place = mounted("-t", "tmpfs", "-o", "size=40m", "tmpfs")
    engine = install(place.name).start()
    engine.expected_errors = ["disk is full", "cannot run", "nothing is decided any more", "log"]
    engine.price(BTC, 101)
    first = engine.accepted(BTC, price=100)
    engine.live(BTC)
    fill(place / "ballast")
    until(lambda: engine.alert(BTC, price=99, timeframe="60").status == 503, "nothing is stored any more")
    assert engine.state()["engine"]["status"] == "error"
    engine.stop()
    (place / "ballast").unlink()
    engine.start()
    assert engine.outcome(first)[0] == "opened"
    engine.stop()
    engine.prove_books()


@pytest.mark.fault(17)
def test_a_port_that_is_taken(stopped: Installation) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        said = sentence(stopped.root, "--port", str(port))
    assert f"Port {port} on 127.0.0.1 is used by another program" in said
    stopped.start()
    assert [leg["status"] for leg in legs_of(stopped.live(BTC))] == ["open"] * 5
    stopped.stop()
    stopped.prove_books()


@pytest.mark.fault(17)
def test_a_port_that_is_taken_while_running_leaves_the_old_one_open(
    install: Callable[..., Installation],
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    engine = install(webhook__port=port)
    engine.options[1:3] = []  # the settings say where to listen
    engine.start()
    assert engine.address == ("127.0.0.1", port)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        engine.expected_errors = [f"Port {taken.getsockname()[1]} on 127.0.0.1 is used by another program"]
        engine.configure(webhook__port=taken.getsockname()[1])
        until(lambda: engine.expected_errors[0] in engine.stderr(), "the trouble is told")
        engine.price(BTC, 101)
        assert engine.alert(BTC, price=100).status == 202
    # The port is free by now.
    engine.configure(logs__keep_days=29)
    until(lambda: any(line.endswith(" now") for line in engine.stderr().splitlines()), "it has moved")
    engine.find_address()
    assert f"Port {engine.address[1]} " in engine.expected_errors[0]
    assert engine.alert(BTC, price=99, timeframe="60").status == 202
    engine.stop()


@pytest.mark.fault(63)
def test_a_second_instance_on_one_folder(install: Callable[..., Installation]) -> None:
    engine = install().start()
    assert "is running already with the data folder" in sentence(engine.root)
    engine.price(BTC, 101)
    engine.accepted(BTC, price=100)
    engine.live(BTC)
    engine.stop()


@pytest.mark.fault(64)
def test_a_killed_instance_leaves_no_lock_behind(install: Callable[..., Installation]) -> None:
    engine = install().start()
    engine.restart()
    engine.stop()


@pytest.mark.fault(76)
def test_settings_that_make_no_sense_give_way_to_the_last_good_ones(
    install: Callable[..., Installation],
) -> None:
    engine = install(pool__max_open_groups=3)
    engine.configure(pool__max_open_groups=4)
    nonsense = '{"pool": {"max_open_groups": -4}}'
    with closing(sqlite3.connect(engine.folder.database)) as connection, connection:
        connection.execute(
            "UPDATE settings_versions SET document = ? WHERE id = (SELECT max(id) FROM settings_versions)",
            (nonsense,),
        )
    fault = r"The newest settings make no sense, so those saved on .* UTC are used: pool.max_open_groups: .*"
    assert re.fullmatch(fault, engine.cli("state").stdout.removeprefix("stopped ").splitlines()[0])
    engine.start()
    engine.expected_errors = ["The newest settings make no sense"]
    state = engine.state()
    assert re.fullmatch(fault, *state["engine"]["reasons"])
    assert state["engine"]["worlds"]["paper"]["slots"] == 3
    kept = [row["document"] for row in engine.rows("SELECT document FROM settings_versions ORDER BY id")]
    assert kept[-1] == nonsense
    engine.configure(pool__max_open_groups=5)
    state = engine.state()
    assert (state["engine"]["reasons"], state["engine"]["worlds"]["paper"]["slots"]) == ([], 5)
    engine.stop()
    engine.start()
    assert engine.state()["engine"]["worlds"]["paper"]["slots"] == 5
    assert engine.state()["engine"]["reasons"] == []
    engine.stop()


def test_a_first_start_makes_an_installation_that_trades_on_paper(
    install: Callable[..., Installation],
) -> None:
    engine = install().start()
    shown = {account["name"]: account for account in engine.state()["accounts"]}
    assert {name: (row["market"], row["mode"], row["status"]) for name, row in shown.items()} == {
        "paper": ("spot", "paper", "ready"),
        "paper-perp": ("swap", "paper", "ready"),
    }
    assert D(engine.state()["engine"]["worlds"]["paper"]["slots"]) == 10
    assert engine.request("GET", "/health").status == 200
    engine.stop()
