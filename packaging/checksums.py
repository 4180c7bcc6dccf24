"""The checksums of a release: `checksums.py FOLDER` writes SHA256SUMS, as `sha256sum -c` reads it."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

FILE = "SHA256SUMS"


def write(folder: Path) -> Path:
    """Write the checksum of every file in a folder."""
    files = sorted(path for path in folder.iterdir() if path.is_file() and not path.name.startswith(FILE))
    if not files:
        raise SystemExit(f"{folder} is empty")
    lines = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in files]
    target = folder / FILE
    target.write_text("".join(lines), encoding="utf-8", newline="\n")
    return target


if __name__ == "__main__":
    print(write(Path(sys.argv[1])))
