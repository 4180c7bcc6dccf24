"""What CHANGELOG.md says of one version: `changelog.py VERSION` prints it; it becomes the notes of the release."""

from __future__ import annotations

import re
import sys

import locked

FILE = locked.ROOT / "CHANGELOG.md"


def notes(version: str, text: str | None = None) -> str:
    """Return the section of a version. Raises SystemExit if there is none, or nothing in it."""
    whole = FILE.read_text(encoding="utf-8") if text is None else text
    found = re.search(
        rf"^## \[{re.escape(version)}\][^\n]*\n(.*?)(?=^## |^\[[^\]]+\]: |\Z)",
        whole,
        re.MULTILINE | re.DOTALL,
    )
    if found is None or not found[1].strip():
        raise SystemExit(
            f"CHANGELOG.md says nothing of {version}: give it a section of its own before the release"
        )
    return found[1].strip()


if __name__ == "__main__":
    print(notes(sys.argv[1] if len(sys.argv) > 1 else locked.version()))
