"""Whose work is in the program, and under which licences: checked against licences.toml, and told.

`notices.py FILE` writes the third-party notices; `notices.py --check` only checks. It speaks of the interpreter
it runs on, so it is to be run with that of build/runtime, from which the bundle is made.
"""

from __future__ import annotations

import importlib.metadata
import re
import sys
import sysconfig
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import locked

HERE = Path(__file__).parent
RULES = HERE / "licences.toml"
TEXTS = HERE / "licences"
FONTS = locked.ROOT / "resources" / "fonts"
_IS_TEXT = re.compile(r"(^|[/\\])(licen[cs]e|copying|notice|authors|cc-by)[^/\\]*$", re.IGNORECASE)
_LINE = "=" * 100


@dataclass(frozen=True, slots=True)
class Part:
    """One piece of other people's work: what it is called, what its licence is, and the texts to hand on."""

    name: str
    version: str
    licence: str
    home: str
    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rules:
    allowed: frozenset[str]
    said: dict[str, str]
    decided: dict[str, str]
    because: dict[str, str]


def rules(path: Path = RULES) -> Rules:
    with path.open("rb") as file:
        told = tomllib.load(file)
    return Rules(frozenset(told["allowed"]), told["said"], told["decided"], told["decided-because"])


def parts(root: Path = locked.ROOT) -> Iterator[Part]:
    """Yield what the application runs on, as it is installed here; what other systems need is left out."""
    told = rules()
    for pin in locked.runtime(root):
        try:
            found = importlib.metadata.distribution(pin.name)
        except importlib.metadata.PackageNotFoundError:
            continue
        if found.version != pin.version:
            continue  # the lock pins another one for another Python as well
        yield Part(
            pin.name,
            found.version,
            licence_of(pin.name, found, told),
            home_of(found),
            texts_of(pin.name, found),
        )
    yield from others()


def others() -> Iterator[Part]:
    """Yield what no package manager knows of."""
    version = ".".join(map(str, sys.version_info[:3]))
    yield Part("Python", version, "PSF-2.0", "https://www.python.org", (python_licence(),))
    for folder in sorted(path for path in FONTS.iterdir() if path.is_dir()):
        text = (folder / "OFL.txt").read_text(encoding="utf-8")
        yield Part(f"font {folder.name}", "", "OFL-1.1", "", (text,))


def python_licence() -> str:
    for folder in (sysconfig.get_path("stdlib"), sys.base_prefix):
        for name in ("LICENSE.txt", "LICENSE"):
            if (path := Path(folder) / name).is_file():
                return path.read_text(encoding="utf-8")
    raise SystemExit("the licence of this Python was not found")


def licence_of(name: str, found: importlib.metadata.Distribution, told: Rules) -> str:
    """Return the licence that counts: decided by us, read by us, or said by the distribution itself."""
    said = found.metadata.get("License-Expression") or found.metadata.get("License") or ""
    return told.decided.get(name) or told.said.get(name) or said.strip() or "unknown"


def home_of(found: importlib.metadata.Distribution) -> str:
    urls = dict(
        entry.split(", ", 1) for entry in found.metadata.get_all("Project-URL") or [] if ", " in entry
    )
    known = {name.lower(): url for name, url in urls.items()}
    for name in ("homepage", "home", "source", "source code", "repository", "github"):
        if name in known:
            return known[name]
    return found.metadata.get("Home-page") or next(iter(urls.values()), "")


def texts_of(name: str, found: importlib.metadata.Distribution) -> tuple[str, ...]:
    """Return the licence texts of a distribution: its own, or those kept here because it carries none."""
    listed = sorted({str(file) for file in found.files or () if is_licence(str(file))})
    texts = [
        Path(str(found.locate_file(file))).read_text(encoding="utf-8", errors="replace") for file in listed
    ]
    if (kept := TEXTS / f"{name}.txt").is_file():
        texts.append(kept.read_text(encoding="utf-8"))
    return tuple(dict.fromkeys(text.strip() for text in texts))


def is_licence(path: str) -> bool:
    return ".dist-info" in path and bool(_IS_TEXT.search(path))


def faults(found: Iterable[Part], told: Rules) -> Iterator[str]:
    """Yield a sentence for every part that nobody allowed, or whose licence could not be handed on."""
    for part in found:
        if not is_allowed(part.licence, told):
            yield f"{part.name} {part.version} is under “{part.licence}”, which packaging/licences.toml does not allow"
        if not part.texts and part.licence not in told.because:
            yield f"{part.name} {part.version} carries no licence text: put it into packaging/licences/{part.name}.txt"


def is_allowed(expression: str, told: Rules) -> bool:
    """Return whether an SPDX expression can be met: all of AND, one of OR."""
    if expression in told.because:
        return True
    words = re.sub(r"\(|\)", " ", expression)
    if "(" in expression:  # MPL-2.0 AND (Apache-2.0 OR MIT): every choice is allowed, whatever it is
        return all(each in told.allowed for each in re.split(r"\s+(?:AND|OR)\s+", words.strip()))
    ways = re.split(r"\s+OR\s+", words)
    return any(all(each.strip() in told.allowed for each in re.split(r"\s+AND\s+", way)) for way in ways)


def told(found: Iterable[Part], decisions: Rules) -> str:
    """Return the document: a table first, then every text once."""
    all_parts = list(found)
    lines = [
        "Execution Engine contains the work of other people. This is whose, and under which terms.",
        "",
        *(f"{part.name} {part.version}".ljust(36) + part.licence.ljust(48) + part.home for part in all_parts),
        "",
        *(f"{name}: {why}" for name, why in decisions.because.items()),
    ]
    for part in all_parts:
        for text in part.texts:
            lines += ["", _LINE, f"{part.name} {part.version}", _LINE, "", text]
    for name in decisions.because:
        for path in sorted({TEXTS / f"{name}.txt", TEXTS / f"{name.removeprefix('L')}.txt"}):
            lines += ["", _LINE, path.stem, _LINE, "", path.read_text(encoding="utf-8").strip()]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def main(arguments: list[str]) -> int:
    found, decisions = list(parts()), rules()
    if wrong := list(faults(found, decisions)):
        print("\n".join(wrong), file=sys.stderr)
        return 1
    if arguments != ["--check"]:
        (path,) = arguments
        Path(path).write_text(told(found, decisions), encoding="utf-8")
    print(f"{len(found)} parts by others, all under licences that are allowed")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
