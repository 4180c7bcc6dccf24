"""Where the programs are, and how to get those that are missing."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from execution_engine.adapters.tunnel.programs import PROGRAMS

# An application that was started from a menu has a short PATH on macOS; on Windows not every installer extends it.
_PLACES: dict[str, tuple[str, ...]] = {
    "darwin": ("/opt/homebrew/bin", "/usr/local/bin", "/Applications/Tailscale.app/Contents/MacOS"),
    "win32": (
        r"%ProgramFiles%\cloudflared",
        r"%ProgramFiles(x86)%\cloudflared",
        r"%ProgramFiles%\Tailscale",
        r"%ProgramFiles%\ngrok",
        r"%LOCALAPPDATA%\Microsoft\WinGet\Links",
        r"%ProgramData%\chocolatey\bin",
    ),
    "linux": ("/usr/local/bin", "/usr/bin", "/snap/bin", "~/.local/bin"),
}
_SITES = {
    "cloudflared": "developers.cloudflare.com/cloudflare-one/connections/connect-networks/downloads",
    "ngrok": "ngrok.com/download",
    "tailscale": "tailscale.com/download",
}
_INSTALL: dict[str, dict[str, str]] = {
    "darwin": {
        "cloudflared": "brew install cloudflared",
        "ngrok": "brew install ngrok",
        "tailscale": "brew install --cask tailscale",
    },
    "win32": {
        "cloudflared": "winget install Cloudflare.cloudflared",
        "ngrok": "winget install Ngrok.Ngrok",
        "tailscale": "winget install Tailscale.Tailscale",
    },
    "linux": {"ngrok": "sudo snap install ngrok"},
}
GOOD_FOR = {
    "cloudflared": "no account; the address is another one after each start, unless you have a domain at Cloudflare",
    "ngrok": "free account; one fixed address",
    "tailscale": "free account; one fixed address",
}


def find(program: str, system: str = sys.platform) -> str | None:
    """Return the path of a program, or nothing where it is not installed."""
    names = (program, "Tailscale") if (program, system) == ("tailscale", "darwin") else (program,)
    folders = [os.path.expandvars(str(Path(place).expanduser())) for place in _PLACES.get(system, ())]
    for path in (None, os.pathsep.join(folders)):
        for name in names:
            if found := shutil.which(name, path=path):
                return found
    return None


def candidates(wanted: str) -> Sequence[str]:
    """Return the programs that may be used: one that was chosen, or all of them in the order of preference."""
    return tuple(PROGRAMS) if wanted == "auto" else (wanted,)


def how_to_install(program: str, system: str = sys.platform) -> str:
    """Say in a sentence how to get a program on this system."""
    site = _SITES[program]
    command = _INSTALL.get(system, {}).get(program)
    return f"{program}: run “{command}”, or see {site}" if command else f"{program}: see {site}"
