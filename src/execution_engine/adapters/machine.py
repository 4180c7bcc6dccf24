"""What this process uses of the machine."""

from __future__ import annotations

import os
import shutil
import sys
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


def free_bytes(folder: Path) -> int | None:
    """Return the room on the disk of a folder. Blocking."""
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return None
