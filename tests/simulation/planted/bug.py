"""Planted bugs as they are written down in `bugs/*.diff`, and how one is put into a copy of the source.

    # name: the classic mistake in a sentence
    --- domain/order.py
     a line that stays
    -a line as it is
    +a line as it would be wrong

What stays and what goes, taken together, must stand in the file exactly once. A bug may have several changes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent / "bugs"


class NotThere(ValueError):
    """The text that a bug replaces is not in the source, or more than once."""


@dataclass(frozen=True, slots=True)
class Change:
    """Some lines of one file, by its path inside the package, and what takes their place."""

    file: str
    old: str
    new: str

    def of(self, text: str) -> str:
        """Return a file's text with the change made. Raises NotThere."""
        changed, found = re.subn(f"^{re.escape(self.old)}", lambda _: self.new, text, flags=re.MULTILINE)
        if found != 1:
            raise NotThere(f"{self.file} has this {found} times:\n{self.old}")
        return changed


@dataclass(frozen=True, slots=True)
class Bug:
    """One mistake. theme: the name of its file."""

    name: str
    mistake: str
    theme: str
    changes: tuple[Change, ...]

    def patched(self, package: Path) -> dict[str, str]:
        """Return the new text of each file that the bug changes. Raises NotThere."""
        texts: dict[str, str] = {}
        for change in self.changes:
            before = texts.get(change.file) or (package / change.file).read_text(encoding="utf-8")
            texts[change.file] = change.of(before)
        return texts

    def plant(self, package: Path) -> None:
        """Change a package in place: a copy, never the one that is worked on. Raises NotThere."""
        for file, text in self.patched(package).items():
            (package / file).write_text(text, encoding="utf-8")


def every() -> list[Bug]:
    """Return all bugs, theme by theme."""
    return [
        bug
        for path in sorted(FOLDER.glob("*.diff"))
        for bug in parse(path.read_text(encoding="utf-8"), path.stem)
    ]


def parse(text: str, theme: str) -> Iterator[Bug]:
    """Read the bugs of one file."""
    for part in f"\n{text}".split("\n# ")[1:]:
        head, *blocks = part.rstrip("\n").split("\n--- ")
        name, mistake = head.split(": ", 1)
        yield Bug(name, " ".join(mistake.split()), theme, tuple(_change(block) for block in blocks))


def _change(block: str) -> Change:
    file, *lines = block.rstrip("\n").split("\n")
    lines = [line or " " for line in lines]  # editors take the space from an empty line that stays
    if strange := [line for line in lines if line[0] not in " +-"]:
        raise ValueError(f"{file}: a line begins with none of space, + and -: {strange[0]}")
    old = [line[1:] for line in lines if line[0] != "+"]
    new = [line[1:] for line in lines if line[0] != "-"]
    return Change(file, "".join(f"{line}\n" for line in old), "".join(f"{line}\n" for line in new))
