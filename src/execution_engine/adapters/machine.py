"""What this process uses of the machine."""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
from contextlib import suppress
from pathlib import Path


def resident_bytes() -> int | None:
    """Return the memory that this process occupies; None where the system does not tell cheaply."""
    try:
        pages = int(Path("/proc/self/statm").read_bytes().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, AttributeError, IndexError):
        pass
    if sys.platform == "win32":
        return _of_windows()
    return _highest()


def _highest() -> int | None:
    """Return the most it ever was: what macOS tells."""
    try:
        import resource  # Windows has none
    except ImportError:
        return None
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024


def _of_windows() -> int | None:
    import ctypes  # only where it is asked

    class Counters(ctypes.Structure):
        _fields_ = [("size", ctypes.c_uint32), ("faults", ctypes.c_uint32)] + [
            (name, ctypes.c_size_t)
            for name in ("peak", "resident", "pp", "paged", "pn", "non_paged", "swap", "swap_peak")
        ]

    counters = Counters()
    counters.size = ctypes.sizeof(counters)
    dlls = getattr(ctypes, "windll")  # noqa: B009 (other systems' types know of none)
    handle = ctypes.c_void_p(-1)  # this process
    known = dlls.kernel32.K32GetProcessMemoryInfo(handle, ctypes.byref(counters), counters.size)
    return int(counters.resident) if known else None


_M_ARENA_MAX = -8  # malloc.h of glibc


def keep_memory_together() -> None:
    """Have all threads take their memory from one place; to be called before there are threads.

    glibc gives each a place of its own, and what one of them gave back is of no use to the others: 15 MB with a few
    threads that read now and then. Other systems do not know of such places.
    """
    if sys.platform != "linux":
        return
    import ctypes  # only where it is asked

    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 1)


def number() -> str:
    """Return the number that tells this computer from others; empty where the system has none. Blocking."""
    if sys.platform == "win32":
        return _number_of_windows()
    if sys.platform == "darwin":
        return _number_of_mac()
    return _number_of_linux()


def digest(number: str, salt: str) -> str:
    """Return a computer's number as it may be written down: nobody learns the number by it."""
    return hashlib.sha256(f"{salt}|{number}".encode()).hexdigest()[:32]


def _number_of_linux() -> str:
    for file in (Path("/etc/machine-id"), Path("/var/lib/dbus/machine-id")):
        with suppress(OSError):
            if found := file.read_text(encoding="ascii", errors="replace").strip():
                return found
    return ""


def _number_of_mac() -> str:
    import ctypes  # only where it is asked

    number, at_once = ctypes.create_string_buffer(16), (ctypes.c_long * 2)(1, 0)
    try:
        failed = ctypes.CDLL(None).gethostuuid(number, ctypes.byref(at_once))
    except (OSError, AttributeError):
        return ""
    return "" if failed else number.raw.hex()


def _number_of_windows() -> str:
    import winreg  # other systems have none

    with suppress(OSError):
        way = winreg.KEY_READ | winreg.KEY_WOW64_64KEY  # type: ignore[attr-defined]
        place = r"SOFTWARE\Microsoft\Cryptography"
        with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, place, 0, way) as key:  # type: ignore[attr-defined]
            return str(winreg.QueryValueEx(key, "MachineGuid")[0])  # type: ignore[attr-defined]
    return ""


def free_bytes(folder: Path) -> int | None:
    """Return the room on the disk of a folder. Blocking."""
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return None
