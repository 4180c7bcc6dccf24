"""The program as it is shipped, from the folder that `make bundle` made; no Python of this machine runs it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.stories.installation import PATIENCE_S, Installation, until

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "dist" / "execution-engine"
PROGRAM = FOLDER / ("execution-engine.exe" if os.name == "nt" else "execution-engine")
INSIDE = FOLDER / "_internal"


class Built(Installation):
    """One data folder on which the built program runs, with its window.

    screen: the X display to show the window on; without one it is drawn, and nobody sees it.
    before: what the program is started by.
    """

    def __init__(
        self, root: Path, *, screen: str | None = None, before: tuple[str, ...] = (), **settings: Any
    ) -> None:
        environment = (
            {"DISPLAY": screen, "QT_QPA_PLATFORM": "xcb"} if screen else {"QT_QPA_PLATFORM": "offscreen"}
        )
        super().__init__(root, environment=environment)
        # Nothing of this checkout may be found by accident.
        for name in ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV"):
            self.environment.pop(name, None)
        self.command_line = [str(PROGRAM)]
        self.program = [*before, str(PROGRAM)]
        self.options = [option for option in self.options if option != "--headless"]
        self.started = 0.0
        if settings:
            self.configure(**settings)

    def start(self, *, ready: bool = True) -> Installation:
        self.started = time.monotonic()
        return super().start(ready=ready)

    def window_after_s(self) -> float:
        """Wait for the window and return how long after the start it was there."""
        moments = until(
            lambda: (found := self.command("moments")) and "window" in found and found, "the window is shown"
        )
        return float(moments["window"]) - self.started

    def processor_s(self) -> float:
        """Return how long the processor has worked for this program, by whatever other programs it is kept busy."""
        assert self.process is not None
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def virtual_screen(tmp: Path) -> Iterator[str]:
    """Run a screen that nobody looks at and give its name."""
    reading, writing = os.pipe()
    with (tmp / "screen.log").open("wb") as log:
        server = subprocess.Popen(
            ["Xvfb", "-displayfd", str(writing), "-screen", "0", "1440x900x24", "-nolisten", "tcp"],
            pass_fds=[writing],
            stderr=log,
        )
    os.close(writing)
    try:
        with os.fdopen(reading) as told:
            number = told.readline().strip()
        assert number, (tmp / "screen.log").read_text()
        yield f":{number}"
    finally:
        server.terminate()
        server.wait(PATIENCE_S)


def titles_on(screen: str) -> str:
    """Return the titles of all windows on a screen, as the X server tells them."""
    tree = subprocess.run(
        ["xwininfo", "-root", "-tree"],
        env=os.environ | {"DISPLAY": screen},
        capture_output=True,
        text=True,
        check=True,
    )
    return tree.stdout


def open_every_page(screen: str) -> None:
    """Press the keys of every page, and look that each is shown; a page that cannot be made is in the log."""
    if not shutil.which("xdotool"):
        return
    shown = set()
    for number in range(1, 10):
        subprocess.run(["xdotool", "key", f"ctrl+{number}"], env=os.environ | {"DISPLAY": screen}, check=True)
        until(lambda: (titles := title_of_ours(screen)) not in shown and titles, f"page {number} is shown")
        shown.add(title_of_ours(screen))


def title_of_ours(screen: str) -> str:
    found = re.search(r'"([^"]+) – Execution Engine"', titles_on(screen))
    return found[1] if found else ""


def has_screen() -> bool:
    return bool(shutil.which("Xvfb") and shutil.which("xwininfo"))


def forget_files(folder: Path) -> None:
    """Let the system forget what it has read of a folder's files, as after a start of the computer."""
    os.sync()
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink():
            with path.open("rb") as file:
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def size_of(folder: Path) -> int:
    """Return what a folder takes [bytes]; links take nothing."""
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
