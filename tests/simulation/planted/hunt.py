"""Finds planted bugs: each in a copy of the project of its own, seed by seed, until an invariant breaks.

Nothing in the work tree is changed. All copies are made from one, taken at the beginning, so that a run judges one
state of the source whatever is edited meanwhile.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock
from time import monotonic
from typing import Any

from tests.simulation.planted.bug import Bug

ROOT = Path(__file__).resolve().parents[3]
NEEDED = ("src", "tests/__init__.py", "tests/house.py", "tests/simulation", "resources/instruments.json")
PACKAGE = Path("src", "execution_engine")


@dataclass(frozen=True, slots=True)
class Find:
    """How the hunt for one bug ended: the invariant and the seed, or neither. took: seconds on the wall."""

    bug: Bug
    code: str = ""
    seed: int = 0
    text: str = ""
    took: float = 0.0

    @property
    def found(self) -> bool:
        return bool(self.code)


@contextmanager
def copied(origin: Path, parent: Path) -> Iterator[Path]:
    """Give a copy of what a simulation needs; it goes at the end."""
    with TemporaryDirectory(dir=parent, prefix="project-", ignore_cleanup_errors=True) as name:
        copy = Path(name)
        for part in NEEDED:
            source, target = origin / part, copy / part
            target.parent.mkdir(parents=True, exist_ok=True)
            if source.is_dir():
                shutil.copytree(source, target)
            else:
                shutil.copy2(source, target)
        yield copy


class Clean:
    """The source without any bug: a seed that breaks there proves nothing about one."""

    def __init__(self, copy: Path) -> None:
        self.copy = copy
        self.holding: set[int] = set()
        self.broken: dict[int, str] = {}
        self._lock = Lock()

    def look(self, first: int, last: int) -> None:
        """Run seeds without any bug."""
        at = first
        while at <= last:
            ended = trial(self.copy, at, last)
            end = ended.get("seed", last + 1)
            self.holding.update(range(at, end))
            if end <= last:
                self.broken[end] = f"{ended['code']}: {ended['text']}"
            at = end + 1

    def holds(self, seed: int) -> bool:
        with self._lock:
            if seed not in self.holding and seed not in self.broken:
                self.look(seed, seed)
            return seed in self.holding


def hunt(bug: Bug, clean: Clean, parent: Path, most: int) -> Find:
    """Return the first seed up to `most` that the bug alone breaks."""
    began, at = monotonic(), 1
    with copied(clean.copy, parent) as copy:
        bug.plant(copy / PACKAGE)
        while at <= most:
            ended = trial(copy, at, most)
            if "seed" not in ended:
                break
            if clean.holds(ended["seed"]):
                return Find(bug, ended["code"], ended["seed"], ended["text"], monotonic() - began)
            at = ended["seed"] + 1
    return Find(bug, took=monotonic() - began)


def trial(copy: Path, first: int, last: int) -> dict[str, Any]:
    """Run seeds in a copy; return what its process said last."""
    said = subprocess.run(
        [sys.executable, "-m", "tests.simulation.planted.trial", str(first), str(last)],
        cwd=copy,
        env=os.environ | {"PYTHONPATH": str(copy / "src"), "PYTHONHASHSEED": "0"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    lines: list[dict[str, Any]] = [json.loads(line) for line in said.stdout.splitlines()]
    if not lines:
        raise RuntimeError(f"the simulation does not start:\n{said.stderr}")
    if "began" in lines[-1]:  # it died of a seed
        return {"seed": lines[-1]["began"], "code": "crash", "text": said.stderr.strip().splitlines()[-1]}
    return lines[-1]


def table(finds: Iterable[Find]) -> str:
    """Write a line per bug: the invariant that broke, the seed, and how long it took."""
    finds = list(finds)
    width = max((len(find.bug.name) for find in finds), default=0)
    return "\n".join(line(find, width) for find in finds)


def line(find: Find, width: int = 0) -> str:
    if not find.found:
        return f"  {find.bug.name:<{width}}  NOT FOUND             {find.took:6.0f} s  {find.bug.mistake}"
    return f"  {find.bug.name:<{width}}  {find.code:<8} seed {find.seed:>5}  {find.took:6.0f} s  {find.text[:150]}"
