"""What is left of an earlier run: a tunnel's process that outlived its application, and the last address.

A process is known by its number and the moment it was born, so that a number that was given to another program
since is never mistaken for ours.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

END_S = 3.0
LOOK_EVERY_S = 0.02


@dataclass(frozen=True, slots=True)
class Left:
    """What the record of an earlier run says; pid 0 where its process was ended in order."""

    program: str = ""
    pid: int = 0
    born: str = ""
    url: str = ""


class Record:
    """A small file that outlives this process."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> Left:
        """Return what is written there; a file that makes no sense counts as none. Blocking."""
        try:
            said = json.loads(self._path.read_text(encoding="utf-8"))
            return Left(str(said["program"]), int(said["pid"]), str(said["born"]), str(said["url"]))
        except (OSError, ValueError, KeyError, TypeError):
            return Left()

    def write(self, left: Left) -> None:
        """Replace what is written there. Blocking; what cannot be written is left."""
        beside = self._path.with_suffix(".new")
        with suppress(OSError):
            beside.write_text(json.dumps(asdict(left)), encoding="utf-8")
            beside.replace(self._path)


def end_orphan(left: Left) -> bool:
    """End the process of an earlier run if it is still there; return whether it was. Blocking."""
    if not left.pid or not left.born or born(left.pid) != left.born:
        return False
    for number in (signal.SIGTERM, getattr(signal, "SIGKILL", signal.SIGTERM)):
        _signal(left.pid, number)
        latest = time.monotonic() + END_S
        while time.monotonic() < latest:
            if born(left.pid) != left.born:
                return True
            time.sleep(LOOK_EVERY_S)
    return True


def _signal(pid: int, number: int) -> None:
    """Signal a process, and where it leads a group, whom it started as well."""
    with suppress(OSError):
        if hasattr(os, "killpg") and os.getpgid(pid) == pid:
            os.killpg(pid, number)
        else:
            os.kill(pid, number)


def born(pid: int) -> str:
    """Say when a process began, in words that only have to differ; empty where there is none."""
    if sys.platform == "win32":
        return _born_on_windows(pid)
    if sys.platform == "linux":
        return _born_on_linux(pid)
    said = subprocess.run(
        ["ps", "-o", "lstart=", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    *moment, state = said.stdout.split() or [""]
    return "" if state.startswith("Z") else " ".join(moment)


def _born_on_linux(pid: int) -> str:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="utf-8").strip()
    except (OSError, ValueError):
        return ""
    return "" if fields[0] in "ZX" else f"{boot} {fields[19]}"


def _born_on_windows(pid: int) -> str:  # pragma: no cover - there is no Windows to try it on here
    kernel = ctypes.windll.kernel32  # type: ignore[attr-defined,unused-ignore]
    query, still_active = 0x1000, 259
    process = kernel.OpenProcess(query, False, pid)
    if not process:
        return ""
    try:
        code = ctypes.c_ulong()
        kernel.GetExitCodeProcess(process, ctypes.byref(code))
        times = [ctypes.c_ulonglong() for _ in range(4)]
        known = kernel.GetProcessTimes(process, *(ctypes.byref(each) for each in times))
        return str(times[0].value) if known and code.value == still_active else ""
    finally:
        kernel.CloseHandle(process)
