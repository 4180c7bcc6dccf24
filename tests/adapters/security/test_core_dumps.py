"""A crash leaves no image of the memory behind."""

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

CRASH = """
import os, resource, sys
from execution_engine.adapters.security.core_dumps import disable_core_dumps
if sys.argv[1] == "without":
    disable_core_dumps()
os.abort()
"""


def crash(folder: Path, how: str) -> int:
    """Let a process crash that may leave as large an image as it likes; return how it ended."""

    def unlimited() -> None:
        _, hard = resource.getrlimit(resource.RLIMIT_CORE)
        resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))

    process = subprocess.Popen(
        [sys.executable, "-c", CRASH, how], cwd=folder, preexec_fn=unlimited, stderr=subprocess.DEVNULL
    )
    _, status = os.waitpid(process.pid, 0)
    process.returncode = status
    return status


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no core dumps")
def test_a_crash_leaves_no_image_of_the_memory(tmp_path: Path) -> None:
    if not os.WCOREDUMP(crash(tmp_path, "with")):
        pytest.skip("this machine writes no core dumps anyway")
    for left in tmp_path.iterdir():
        left.unlink()
    assert not os.WCOREDUMP(crash(tmp_path, "without"))
    assert list(tmp_path.iterdir()) == []
