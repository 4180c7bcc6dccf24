"""PySide6 reads the source of what is imported after it, and Python keeps it: tens of megabytes for nothing."""

from __future__ import annotations

import linecache
import sys
from pathlib import Path

import pytest

import execution_engine.ui


def test_a_module_that_is_imported_beside_the_window_does_not_stay_in_memory_as_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert execution_engine.ui.__name__ in sys.modules
    source = tmp_path / "imported_beside_the_window.py"
    source.write_text("import PySide6.QtCore\nSOME = 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert __import__(source.stem).SOME == 1  # as the statement does, and `importlib` does not
    assert str(source) not in linecache.cache
