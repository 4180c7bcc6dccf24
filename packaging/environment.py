"""Make build/runtime: an environment with what the application runs on, by hash, and with what builds the bundle.

Nothing that only tests or checks is in it, so nothing of it can slip into a bundle. It is made once for each
requirements.lock; PYTHON picks the interpreter.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import locked
import trim

FOLDER = locked.ROOT / "build" / "runtime"


def python(folder: Path = FOLDER) -> Path:
    """Return the environment's interpreter."""
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def make(folder: Path = FOLDER) -> Path:
    """Make the environment if it is not there yet, and return its interpreter."""
    requirements = "".join(pin.text for pin in locked.runtime(with_builder=True))
    own = Path(__file__).read_bytes() + Path(trim.__file__).read_bytes()
    stamp = hashlib.sha256(requirements.encode() + own).hexdigest()
    mark = folder / ".made-from"
    if mark.is_file() and mark.read_text() == stamp:
        return python(folder)
    shutil.rmtree(folder, ignore_errors=True)
    base = os.environ.get("PYTHON") or getattr(sys, "_base_executable", "") or sys.executable
    subprocess.run([base, "-m", "venv", str(folder)], check=True)
    listed = folder / "requirements.lock"
    listed.write_text(requirements, encoding="utf-8")
    pip = [str(python(folder)), "-m", "pip", "--disable-pip-version-check", "--no-input", "-q"]
    subprocess.run([*pip, "install", "--no-deps", "--require-hashes", "-r", str(listed)], check=True)
    trim.trim(site_packages(folder) / "ccxt")
    mark.write_text(stamp)
    return python(folder)


def site_packages(folder: Path = FOLDER) -> Path:
    """Return where the environment's distributions are."""
    ask = "import sysconfig; print(sysconfig.get_path('purelib'))"
    answer = subprocess.run([python(folder), "-c", ask], check=True, capture_output=True, text=True)
    return Path(answer.stdout.strip())


if __name__ == "__main__":
    print(make())
