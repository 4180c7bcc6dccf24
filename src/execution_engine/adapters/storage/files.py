"""Database files as files: their companions, dated names, setting aside."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

STAMP = "%Y%m%dT%H%M%SZ"
STAMPED = r"\d{8}T\d{6}Z(-\d+)?"
# The write-ahead log and its index; a log next to a file that it does not belong to would damage that file.
COMPANIONS = ("-wal", "-shm")


def dated(folder: Path, stem: str, now: datetime) -> Path:
    """Return a name in `folder` that nothing has yet: `stem-20261120T100338Z.sqlite`."""
    stamp = now.astimezone(UTC).strftime(STAMP)
    path, count = folder / f"{stem}-{stamp}.sqlite", 1
    while path.exists():
        count += 1
        path = folder / f"{stem}-{stamp}-{count}.sqlite"
    return path


def dated_files(folder: Path, stem: str) -> tuple[Path, ...]:
    """Return the files that `dated` named, newest first."""
    pattern = re.compile(rf"{re.escape(stem)}-{STAMPED}\.sqlite")
    found = [path for path in folder.glob("*.sqlite") if pattern.fullmatch(path.name)]
    return tuple(sorted(found, key=lambda path: (len(path.name), path.name), reverse=True))


def companions(path: Path) -> Iterator[tuple[Path, str]]:
    """Yield the files that belong to a database beside itself, each with its suffix."""
    for suffix in COMPANIONS:
        beside = path.with_name(path.name + suffix)
        if beside.exists():
            yield beside, suffix


def set_aside(path: Path, now: datetime) -> Path:
    """Rename a database and its companions to a dated name next to it and return that name."""
    aside = dated(path.parent, aside_stem(path), now)
    for beside, suffix in companions(path):
        beside.rename(aside.with_name(aside.name + suffix))
    path.rename(aside)
    return aside


def keep_copy(path: Path, now: datetime) -> Path:
    """Give a database a second, dated name, and leave it in place without its companions.

    Unlike a rename this leaves no moment in which there is no database at all.
    """
    aside = dated(path.parent, aside_stem(path), now)
    try:
        os.link(path, aside)
    except OSError:  # a file system without hard links
        shutil.copy2(path, aside)
    for beside, suffix in companions(path):
        beside.rename(aside.with_name(aside.name + suffix))
    return aside


def aside_stem(path: Path) -> str:
    return f"{path.stem}-set-aside"


def set_aside_files(path: Path) -> tuple[Path, ...]:
    """Return the databases that were set aside next to `path`, newest first."""
    return dated_files(path.parent, aside_stem(path))


def flush(path: Path) -> None:
    """Wait until a file, and on POSIX its name in the folder, is on the disk."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())
    if os.name == "posix":
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
