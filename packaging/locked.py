"""What requirements.lock pins: read without any network, and cut down to what a package is built from.

The lock says of each distribution because of which others it is there (`# via`). What the application needs is
what is reached from its own dependencies that way; tests and tools are left out.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
OURS = "execution-engine"
_FIRST = re.compile(r"(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^ ;\\]+)")


@dataclass(frozen=True, slots=True)
class Pin:
    """One distribution: name and version, the lines of the lock that pin it, and who asks for it."""

    name: str
    version: str
    text: str
    via: frozenset[str]


def normal(name: str) -> str:
    """Return a name as the lock writes it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def pins(lock: str) -> Iterator[Pin]:
    """Yield every distribution of a lock, in its order."""
    for block in re.split(r"\n(?=[A-Za-z0-9])", lock.strip()):
        first = _FIRST.match(block)
        if first is None:
            raise SystemExit(f"requirements.lock: this is not understood: {block.splitlines()[0]}")
        _, _, told = block.partition("# via")
        names = re.findall(
            r"[A-Za-z0-9][A-Za-z0-9._-]*", told.replace("(pyproject.toml)", "").replace("#", " ")
        )
        yield Pin(
            normal(first["name"]),
            first["version"],
            block.split("    # via")[0].rstrip() + "\n",
            frozenset(names),
        )


def wanted(project: Path, *, with_builder: bool) -> frozenset[str]:
    """Return the names that pyproject.toml asks for; with_builder: the one that makes the bundle, too."""
    with project.open("rb") as file:
        table = tomllib.load(file)["project"]
    asked = list(table["dependencies"])
    if with_builder:
        asked += [
            each for each in table["optional-dependencies"]["release"] if each.startswith("pyinstaller")
        ]
    return frozenset(normal(re.split(r"[\[<>=!~ ;]", each, maxsplit=1)[0]) for each in asked)


def reached(all_pins: Collection[Pin], roots: frozenset[str]) -> list[Pin]:
    """Return what the roots need, themselves included, in the lock's order."""
    found = set(roots)
    while True:
        more = {pin.name for pin in all_pins if pin.name in found or pin.via & found}
        if more <= found:
            return [pin for pin in all_pins if pin.name in found]
        found |= more


def runtime(root: Path = ROOT, *, with_builder: bool = False) -> list[Pin]:
    """Return what the application runs on, as this checkout locks it."""
    lock = (root / "requirements.lock").read_text(encoding="utf-8")
    return reached(list(pins(lock)), wanted(root / "pyproject.toml", with_builder=with_builder))


def version(root: Path = ROOT) -> str:
    """Return the version; src/execution_engine/__init__.py is the only place that knows it."""
    text = (root / "src" / "execution_engine" / "__init__.py").read_text(encoding="utf-8")
    found = re.search(r'^__version__ = "([^"]+)"$', text, re.MULTILINE)
    if found is None:
        raise SystemExit("src/execution_engine/__init__.py names no version")
    return found[1]
