"""Draw every page and dialog in both themes and three sizes, and list what is wrong with them."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")  # before anything imports Qt


from PySide6.QtWidgets import QApplication

from execution_engine.ui import tongue
from tests.house import resources


def main(given: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.gallery", description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=Path(tempfile.gettempdir()) / "gallery")
    parser.add_argument("wanted", nargs="?", default="", help="only pictures whose names contain this")
    parser.add_argument("--language", default=tongue.ENGLISH, help="as de")
    parser.add_argument(
        "--catalogues", type=Path, default=resources() / "translations", help="where they are"
    )
    asked = parser.parse_args(given)
    asked.folder.mkdir(parents=True, exist_ok=True)
    qt = QApplication([])
    tongue.speak(asked.language, asked.catalogues)
    from tests.gallery.drawing import drawn  # pages take their words when they are imported

    found = drawn(asked.folder, asked.wanted)
    qt.processEvents()
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
