"""What is asked of the computer: staying awake while positions are open, starting when the user logs in."""

import plistlib
import re
import sys
from pathlib import Path

import pytest
import wakepy

from execution_engine.adapters import autostart
from execution_engine.adapters.autostart import AutostartFailed, LaunchAgent
from execution_engine.desktop import Desktop
from execution_engine.domain import document as documents
from execution_engine.domain.inputs import SaveSettings
from tests.house import House
from tests.waiting import until


class Home:
    """A desk and what it asks of the computer."""

    def __init__(self, root: Path) -> None:
        self.house = House()
        book = self.house.book
        self.desktop = Desktop(root, lambda: book.settings.desktop, lambda: bool(book.open_groups()))
        self.house.feed.on_released(self.desktop.released)

    async def set(self, path: str, value: object) -> None:
        wanted = documents.with_value(self.house.book.settings, f"desktop.{path}", value)
        self.house.post(SaveSettings(document=documents.dump(wanted)))
        await self.desktop.follow()

    def open(self) -> None:
        self.house.price("BTCUSDT", "65000")
        self.house.alert(symbol="BTCUSDT", entry_price="65000")
        self.house.accept()


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return tmp_path / "config" / "autostart"


@pytest.fixture(autouse=True)
def _a_bus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WAKEPY_FAKE_SUCCESS", "yes")


def awake() -> bool:
    return bool(wakepy.global_modes())


def started_by(entry: Path) -> list[str]:
    """Read the command of a desktop entry as desktops do."""
    line = next(each for each in entry.read_text("utf-8").splitlines() if each.startswith("Exec="))
    text = line.removeprefix("Exec=").replace("\\\\", "\\")
    return [
        re.sub(r"\\(.)", r"\1", part).replace("%%", "%") for part in re.findall(r'"((?:\\.|[^"])*)"', text)
    ]


def entries(config: Path) -> list[Path]:
    return list(config.iterdir()) if config.exists() else []


# -- staying awake


async def test_the_computer_stays_awake_while_a_position_is_open(tmp_path: Path) -> None:
    home = Home(tmp_path)
    await home.desktop.follow()
    assert not awake()
    home.open()
    await until(awake)
    await home.desktop.stop()
    assert not awake()


async def test_the_computer_may_sleep_once_that_is_not_wanted_any_more(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.open()
    await until(awake)
    await home.set("keep_awake", False)
    await until(lambda: not awake())
    await home.set("keep_awake", True)
    await until(awake)
    await home.desktop.stop()


async def test_a_computer_that_cannot_be_kept_awake_changes_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("WAKEPY_FAKE_SUCCESS")
    monkeypatch.setenv("WAKEPY_FORCE_FAILURE", "yes")
    home = Home(tmp_path)
    home.open()
    await home.desktop.stop()
    assert not awake()
    assert home.house.book.groups


# -- starting at login


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have other ways")
async def test_an_entry_starts_the_application_with_this_data_folder_until_it_is_not_wanted(
    tmp_path: Path, config: Path
) -> None:
    root = tmp_path / 'My "data" $HOME 100% `x` back\\slash'
    home = Home(root)
    await home.desktop.follow()
    assert entries(config) == []
    await home.set("start_at_login", True)
    (entry,) = entries(config)
    assert started_by(entry) == [sys.executable, "-m", "execution_engine", "--data-dir", str(root)]
    assert "Name=Execution Engine" in entry.read_text("utf-8")
    await home.set("start_at_login", False)
    assert entries(config) == []


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have other ways")
async def test_two_data_folders_have_an_entry_each(tmp_path: Path, config: Path) -> None:
    one, other = Home(tmp_path / "one"), Home(tmp_path / "other")
    await one.set("start_at_login", True)
    await other.set("start_at_login", True)
    assert len(entries(config)) == 2
    await one.set("start_at_login", False)
    (left,) = entries(config)
    assert started_by(left)[-1] == str(tmp_path / "other")


def test_the_usual_folder_is_not_named_and_its_entry_has_the_plain_name(
    tmp_path: Path, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    # A variable of this session is not there when the user logs in.
    monkeypatch.setenv("EXECUTION_ENGINE_DATA_DIR", str(tmp_path / "elsewhere"))
    assert "--data-dir" in autostart.command(tmp_path / "elsewhere")
    assert "--data-dir" not in autostart.command(tmp_path / "execution-engine")


def test_an_entry_that_cannot_be_written_is_said_in_a_sentence(tmp_path: Path, config: Path) -> None:
    config.parent.mkdir()
    config.write_text("a file where the folder should be")
    way = autostart.DesktopEntry(config, "execution-engine")
    with pytest.raises(AutostartFailed, match=r"cannot be set to start when you log in \(.+\)\.$"):
        autostart.follow(way, tmp_path, True)


def test_the_list_for_macos_names_the_program_and_is_removed_again(tmp_path: Path) -> None:
    way = LaunchAgent(tmp_path / "LaunchAgents", "execution-engine")
    autostart.follow(way, tmp_path, True)
    told = plistlib.loads(way.path.read_bytes())
    assert told["RunAtLoad"] is True
    assert told["ProgramArguments"] == autostart.command(tmp_path)
    autostart.follow(way, tmp_path, False)
    assert not way.path.exists()
