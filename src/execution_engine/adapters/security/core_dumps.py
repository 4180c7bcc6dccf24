"""No image of this process's memory is left on the disk when it crashes: secrets would be in it."""

from __future__ import annotations

import contextlib
import sys


def disable_core_dumps() -> None:
    """Ask the system to write none for this process and those it starts. Windows has other means, outside it."""
    if sys.platform == "win32":
        return
    import resource  # there is none on Windows

    # Zero still lets Linux hand the image to a program that collects crashes; one byte is its word for neither.
    least = 1 if sys.platform == "linux" else 0
    _, hard = resource.getrlimit(resource.RLIMIT_CORE)
    limit = least if hard == resource.RLIM_INFINITY else min(least, hard)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_CORE, (limit, hard))
