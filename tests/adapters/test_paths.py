"""Where an installation keeps its things, and what time it is there."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from execution_engine.adapters import paths
from execution_engine.adapters.clock import SystemClock
from execution_engine.adapters.paths import VARIABLE, FolderUnusable, data_folder


def test_the_given_folder_comes_before_the_variable_and_that_before_the_platforms(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paths, "user_data_path", lambda *_, **__: tmp_path / "platform")
    monkeypatch.delenv(VARIABLE, raising=False)
    assert data_folder().root == tmp_path / "platform"
    monkeypatch.setenv(VARIABLE, str(tmp_path / "variable"))
    assert data_folder().root == tmp_path / "variable"
    assert data_folder(tmp_path / "given").root == tmp_path / "given"


def test_the_platforms_folder_is_named_after_the_application(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HOME", "USERPROFILE", "XDG_DATA_HOME", "LOCALAPPDATA"):
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.delenv(VARIABLE, raising=False)
    assert data_folder().root.name == "execution-engine"


def test_everything_lies_inside_and_is_this_users_alone(tmp_path: Path) -> None:
    folder = data_folder(tmp_path / "deep" / "down")
    names = ("database", "paper", "lock", "control", "logs", "backups")
    inside = [getattr(folder, name) for name in names]
    assert [path.name for path in inside] == [
        "engine.sqlite",
        "paper.sqlite",
        "lock",
        "control.sock",
        "logs",
        "backups",
    ]
    assert {path.parent for path in inside} == {folder.root}
    assert sorted(path.name for path in folder.root.iterdir()) == ["backups", "logs"]
    if os.name == "posix":
        for path in (folder.root, folder.logs, folder.backups):
            assert path.stat().st_mode & 0o777 == 0o700


def test_a_folder_that_is_there_is_used_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "engine.sqlite").write_bytes(b"kept")
    data_folder(tmp_path)
    assert data_folder(str(tmp_path)).database.read_bytes() == b"kept"


def test_a_relative_folder_stays_the_same_when_the_process_moves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert data_folder("data").root == tmp_path / "data"


def test_a_folder_that_cannot_be_used_is_named_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(FolderUnusable, match=r"file.* cannot be used \(.*\)\. Make it writable") as caught:
        data_folder(tmp_path / "file")
    assert str(tmp_path / "file") in str(caught.value)


@pytest.mark.fault(66)
def test_the_clock_tells_the_time_in_utc() -> None:
    now = SystemClock().now()
    assert now.utcoffset() == timedelta(0)
    assert abs(datetime.now(UTC) - now) < timedelta(seconds=5)
