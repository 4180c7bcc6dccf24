"""Being started when the user logs in: an entry where the desktop of this system looks for such entries.

What concerns Windows and macOS is written from their documentation and was not run on them.
"""

from __future__ import annotations

import os
import plistlib
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Protocol

from platformdirs import user_data_path

from execution_engine.adapters.paths import APPLICATION
from execution_engine.domain.errors import EngineError

TITLE = "Execution Engine"
RUN_KEY = r"Software\Microsoft\Windows\CurrentVersion\Run"
# What a desktop entry escapes inside of quotes, and once more because it is a string.
_QUOTED = str.maketrans({"\\": "\\\\\\\\", '"': '\\\\"', "`": "\\\\`", "$": "\\\\$", "%": "%%"})


class AutostartFailed(EngineError):
    """The entry could not be written or removed. The text is a sentence for the user."""


class Autostart(Protocol):
    """One system's way to start a program at login; both raise OSError."""

    def write(self, command: Sequence[str]) -> None: ...
    def remove(self) -> None: ...


@dataclass(frozen=True, slots=True)
class DesktopEntry:
    """The way of Linux desktops: a file in their folder of autostart. name: of this data folder."""

    folder: Path
    name: str

    @property
    def path(self) -> Path:
        return self.folder / f"{self.name}.desktop"

    def write(self, command: Sequence[str]) -> None:
        """Write the entry."""
        line = " ".join(f'"{part.translate(_QUOTED)}"' for part in command)
        _put(
            self.path,
            f"[Desktop Entry]\nType=Application\nName={TITLE}\nExec={line}\nIcon={APPLICATION}\n"
            "Terminal=false\nX-GNOME-Autostart-enabled=true\n".encode(),
        )

    def remove(self) -> None:
        """Remove the entry, if there is one."""
        self.path.unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class LaunchAgent:
    """The way of macOS: a property list that launchd reads at login."""

    folder: Path
    name: str

    @property
    def path(self) -> Path:
        return self.folder / f"{self.name}.plist"

    def write(self, command: Sequence[str]) -> None:
        """Write the list."""
        told = {"Label": self.name, "ProgramArguments": list(command), "RunAtLoad": True}
        _put(self.path, plistlib.dumps(told | {"ProcessType": "Interactive"}))

    def remove(self) -> None:
        """Remove the list, if there is one."""
        self.path.unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class RunKey:
    """The way of Windows: a value in the registry."""

    name: str

    def write(self, command: Sequence[str]) -> None:
        """Write the value."""
        if sys.platform == "win32":
            import subprocess  # quotes as Windows does
            import winreg  # Windows has it

            with winreg.CreateKey(winreg.HKEY_CURRENT_USER, RUN_KEY) as key:
                winreg.SetValueEx(key, self.name, 0, winreg.REG_SZ, subprocess.list2cmdline(command))

    def remove(self) -> None:
        """Remove the value, if there is one."""
        if sys.platform == "win32":
            import winreg  # Windows has it

            try:
                with winreg.OpenKey(winreg.HKEY_CURRENT_USER, RUN_KEY, 0, winreg.KEY_SET_VALUE) as key:
                    winreg.DeleteValue(key, self.name)
            except FileNotFoundError:
                pass


def autostart(root: Path) -> Autostart:
    """Return this system's way for a data folder; each folder has an entry of its own."""
    name = _name(root)
    if sys.platform == "win32":
        return RunKey(name)
    if sys.platform == "darwin":
        return LaunchAgent(Path.home() / "Library" / "LaunchAgents", name)
    config = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return DesktopEntry(Path(config) / "autostart", name)


def command(root: Path) -> list[str]:
    """Return what starts this program with a data folder."""
    packaged = getattr(sys, "frozen", False)
    program = [sys.executable] if packaged else [sys.executable, "-m", "execution_engine"]
    return program if root == _usual() else [*program, "--data-dir", str(root)]


def follow(way: Autostart, root: Path, wanted: bool) -> None:
    """Have an entry, or none. Raises AutostartFailed."""
    try:
        way.write(command(root)) if wanted else way.remove()
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        done = "set to start" if wanted else "kept from starting"
        raise AutostartFailed(f"{TITLE} cannot be {done} when you log in ({reason}).") from error


def _name(root: Path) -> str:
    if root == _usual():
        return APPLICATION
    return f"{APPLICATION}-{sha256(str(root).encode()).hexdigest()[:8]}"


def _usual() -> Path:
    """Return the folder that is taken where nobody says anything; a variable of this session is not there at login."""
    return user_data_path(APPLICATION, appauthor=False, roaming=False).absolute()


def _put(path: Path, content: bytes) -> None:
    """Write a file whole, and only if it says something else already."""
    if path.is_file() and path.read_bytes() == content:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.new")
    beside.write_bytes(content)
    os.replace(beside, path)
