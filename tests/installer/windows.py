"""A Windows to install on: Wine, in a system of its own that packaging/windows/wine made."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.stories.installation import until

ROOT = Path(__file__).resolve().parents[2]
SYSTEM = ROOT / "build" / "wine"
COMPILER = "/inno/node_modules/innosetup-compiler/bin/ISCC.exe"
SCREEN = ":88"
LIMIT_S = 120.0


def is_there() -> bool:
    return (SYSTEM / ".ready").exists() and os.name == "posix" and os.geteuid() == 0


class Windows:
    """One fresh Windows. work: a folder that both sides see."""

    def __init__(self, work: Path) -> None:
        self.work = work
        self.inside = Path("/") / work.relative_to(SYSTEM)
        self.environment = {
            "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": "/root",
            "WINEPREFIX": str(self.inside / "prefix"),
            "WINEDEBUG": "-all",
            "DISPLAY": SCREEN,
        }

    def run(self, *words: str, ok: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a program there, with the work folder as its own."""
        command = ["chroot", str(SYSTEM), "sh", "-c", f'cd {self.inside} && exec "$@"', "sh", *words]
        ended = subprocess.run(
            command,
            env=self.environment,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=LIMIT_S,
            check=False,
        )
        assert not ok or ended.returncode == 0, f"{words}: {ended.returncode}\n{ended.stdout}\n{ended.stderr}"
        return ended

    def compile(self, version: str, program: Path) -> str:
        """Compile the installer around a program and return its file's name."""
        shutil.copy(ROOT / "installer.iss", self.work)
        given = {
            "Version": version,
            "Program": program.name,
            "Output": "out",
            "Icon": "execution-engine.ico",
            "Architectures": "x86compatible",  # it is a Windows of 32 bits
        }
        self.run(
            "wine", COMPILER, "/Qp", *(f"/D{name}={value}" for name, value in given.items()), "installer.iss"
        )
        return f"out/execution-engine-{version}-setup.exe"

    def install(self, setup: str, *options: str) -> None:
        self.run("wine", setup, "/VERYSILENT", "/SUPPRESSMSGBOXES", "/NORESTART", "/CURRENTUSER", *options)

    def uninstall(self, *options: str) -> None:
        """Run the uninstaller and wait for what it leaves to its copy."""
        uninstaller = self.application / "unins000.exe"
        self.run(
            "wine",
            str(Path("/") / uninstaller.relative_to(SYSTEM)),
            "/VERYSILENT",
            "/SUPPRESSMSGBOXES",
            *options,
        )
        until(lambda: not self.application.exists(), "the program is gone", limit_s=LIMIT_S)
        self.run("wineserver", "-w")

    @property
    def user(self) -> Path:
        return self.work / "prefix" / "drive_c" / "users" / "root"

    @property
    def application(self) -> Path:
        return self.user / "AppData" / "Local" / "Programs" / "Execution Engine"

    @property
    def data(self) -> Path:
        return self.user / "AppData" / "Local" / "execution-engine"

    @property
    def menu(self) -> Path:
        return self.user / "AppData" / "Roaming" / "Microsoft" / "Windows" / "Start Menu" / "Programs"

    def registry(self, key: str) -> str:
        """Return what the user's registry says below a key; nothing if it is not there."""
        ended = self.run("wine", "reg", "query", key, "/s", ok=False)
        return ended.stdout if ended.returncode == 0 else ""


@contextmanager
def windows() -> Iterator[Windows]:
    """Start a fresh Windows with a screen, and leave nothing of it."""
    work = SYSTEM / "work"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    made = Windows(work)
    subprocess.run(["mount", "--bind", "/proc", str(SYSTEM / "proc")], check=True)
    screen = subprocess.Popen(
        ["chroot", str(SYSTEM), "Xvfb", SCREEN, "-screen", "0", "800x600x24", "-nolisten", "tcp"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        until((SYSTEM / "tmp" / f".X11-unix/X{SCREEN[1:]}").exists, "there is a screen")
        made.run("wineboot", "-i")
        # This Wine is a Windows 7 otherwise.
        made.run("wine", "reg", "add", r"HKCU\Software\Wine", "/v", "Version", "/d", "win10", "/f")
        yield made
    finally:
        made.run("wineserver", "-k", ok=False)
        screen.terminate()
        screen.wait()
        subprocess.run(["umount", str(SYSTEM / "proc")], check=False)
        shutil.rmtree(work, ignore_errors=True)
