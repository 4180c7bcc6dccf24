"""The window that says why the program cannot start; nobody is kept waiting where there is no screen."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QLabel
from pytestqt.qtbot import QtBot

from execution_engine.adapters.paths import DataFolder
from execution_engine.adapters.security.folder_lock import FolderLock
from execution_engine.adapters.storage import migrate
from execution_engine.adapters.storage.backup import scheduled
from execution_engine.adapters.storage.errors import DatabaseCorrupt
from execution_engine.adapters.storage.store import SqliteStore
from execution_engine.core import Options
from execution_engine.domain.rows import Engine
from execution_engine.main import Application
from execution_engine.ui import theme
from execution_engine.ui.frame.fault import StartFault
from execution_engine.window import _until_read
from tests.house import NOON
from tests.stories.installation import until as seen
from tests.waiting import until

TOLD = "Port 8787 on 127.0.0.1 is used by another program. End it, or choose another port."


@pytest.fixture
def shown(qapp: QApplication, qtbot: QtBot, tmp_path: Path) -> StartFault:
    theme.apply(qapp, "light")
    window = StartFault(TOLD, tmp_path / "data", "1.2.3")
    qtbot.addWidget(window)
    window.show()
    return window


def plain(label: QLabel) -> str:
    """Return what a label says without the marks that tell where its lines may break."""
    return label.text().replace("\u200b", "").replace("\u2060", "")


def test_it_says_why_what_to_do_and_where_the_data_lies(shown: StartFault, tmp_path: Path) -> None:
    assert shown.wrong.text() == "Port 8787 on 127.0.0.1 is used by another program."
    assert shown.advice.text() == "End it, or choose another port."
    assert plain(shown.folder) == str(tmp_path / "data")
    assert not shown.isModal()


def test_a_sentence_without_advice_stands_alone(qtbot: QtBot, tmp_path: Path) -> None:
    window = StartFault("engine.sqlite: no space left on device", tmp_path, "1")
    qtbot.addWidget(window)
    assert window.wrong.text() == "engine.sqlite: no space left on device"
    assert window.advice.text() == "Put that right and start again."


def test_a_long_sentence_is_shown_whole(qtbot: QtBot, tmp_path: Path) -> None:
    folder = tmp_path / "deep" / ("x" * 90)
    window = StartFault(
        f"The data folder {folder} cannot be used. " + "Choose another one. " * 20, folder, "1"
    )
    qtbot.addWidget(window)
    window.show()
    for label in (window.wrong, window.advice, window.folder):
        assert label.height() >= label.heightForWidth(label.width())
        assert label.minimumSizeHint().width() <= label.width()
    assert window.quit.geometry().bottom() < window.height()


def test_everything_can_be_copied(shown: StartFault, qtbot: QtBot, tmp_path: Path) -> None:
    qtbot.mouseClick(shown.copy, Qt.MouseButton.LeftButton)
    copied = QGuiApplication.clipboard().text().splitlines()
    assert copied == ["Execution Engine 1.2.3 could not start.", TOLD, f"Data: {tmp_path / 'data'}"]


@pytest.mark.parametrize("key", [Qt.Key.Key_Escape, Qt.Key.Key_Return])
def test_keys_close_it(shown: StartFault, qtbot: QtBot, key: Qt.Key) -> None:
    with qtbot.waitSignal(shown.closed):
        qtbot.keyClick(shown, key)
    assert not shown.isVisible()


def test_quit_closes_it(shown: StartFault, qtbot: QtBot) -> None:
    with qtbot.waitSignal(shown.closed):
        qtbot.mouseClick(shown.quit, Qt.MouseButton.LeftButton)


# -- the real program


@pytest.fixture
def locked(tmp_path: Path) -> Iterator[Path]:
    """Give a data folder that another instance holds."""
    with FolderLock(tmp_path / "lock"):
        yield tmp_path


def starting(folder: Path, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "execution_engine", "--data-dir", str(folder), "--port", "0"],
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | environment,
    )


@pytest.mark.parametrize("platform", ["offscreen", "minimal"])
def test_where_nobody_sees_a_window_the_sentence_is_printed_and_the_program_ends(
    locked: Path, platform: str
) -> None:
    program = starting(locked, QT_QPA_PLATFORM=platform, DISPLAY=":7")
    _, said = program.communicate(timeout=30)
    assert program.returncode == 1
    (line,) = said.splitlines()
    assert "is running already with the data folder" in line


def test_a_port_that_is_taken_is_told_with_the_setting_that_changes_it(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        program = subprocess.run(
            [sys.executable, "-m", "execution_engine", "--data-dir", str(tmp_path), "--port", str(port)],
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
            env=os.environ | {"QT_QPA_PLATFORM": "offscreen"},
        )
    assert program.returncode == 1
    assert f"Port {port} on 127.0.0.1 is used by another program" in program.stderr
    assert "execution-engine settings set webhook.port" in program.stderr


@pytest.fixture
def screen() -> Iterator[str]:
    """Give a screen that can be seen, where this machine can draw one."""
    xvfb = shutil.which("Xvfb")
    if xvfb is None:
        pytest.skip("there is no Xvfb here")
    reading, writing = os.pipe()
    drawn = subprocess.Popen(
        [xvfb, "-displayfd", str(writing), "-screen", "0", "1024x768x24"],
        pass_fds=[writing],
        stderr=subprocess.DEVNULL,
    )
    os.close(writing)
    with os.fdopen(reading) as number:
        yield f":{number.readline().strip()}"
    drawn.terminate()
    drawn.wait()


def windows(screen: str) -> str:
    """Name the windows that are on a screen."""
    asked = ["xwininfo", "-display", screen, "-root", "-tree"]
    return subprocess.run(asked, capture_output=True, text=True, timeout=10, check=False).stdout


@pytest.mark.skipif(shutil.which("xwininfo") is None, reason="nothing here tells which windows there are")
def test_on_a_screen_the_window_stays_until_it_is_told_to_go(locked: Path, screen: str) -> None:
    with starting(locked, QT_QPA_PLATFORM="xcb", DISPLAY=screen) as program:
        assert program.stderr is not None
        assert "is running already with the data folder" in program.stderr.readline()
        seen(lambda: '"Execution Engine"' in windows(screen), "the window is there")
        assert program.poll() is None
        program.send_signal(signal.SIGTERM)
        assert program.wait(30) == 1


@pytest.mark.fault(60)
async def test_a_damaged_database_comes_with_the_newest_backup_and_a_button_that_restores_it(
    qapp: QApplication, qtbot: QtBot, tmp_path: Path
) -> None:
    folder = DataFolder(tmp_path)
    migrate.create(folder.database)
    store = SqliteStore(folder.database)
    store.write((Engine(install_key="the key"),), lambda failure: None)
    store.close()
    backup = scheduled(folder.database, folder.backups, NOON, keep=3)
    folder.database.write_bytes(b"SQLite format 3\0" + b"\xff" * 8192)
    with pytest.raises(DatabaseCorrupt) as caught:
        await asyncio.to_thread(Application(Options(data_dir=str(tmp_path))).open)
    assert caught.value.backups == (backup,)
    shown = asyncio.ensure_future(_until_read(str(caught.value), tmp_path, backup))
    await until(
        lambda: any(isinstance(each, StartFault) for each in qapp.topLevelWidgets() if each.isVisible())
    )
    window = next(
        each for each in qapp.topLevelWidgets() if isinstance(each, StartFault) and each.isVisible()
    )
    window.restore.click()
    await until(lambda: not window.restore.isVisible())
    assert "was restored. Start Execution Engine again" in plain(window.advice)
    window.close()
    await shown
    there = SqliteStore(folder.database)
    assert [row.install_key for row in there.load() if isinstance(row, Engine)] == ["the key"]
    there.close()
