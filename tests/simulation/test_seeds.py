"""Hundreds of histories with everything going wrong, and not one broken invariant.

They run in processes of their own: measuring which lines of the engine run would take longer than running them.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.simulation.sometimes import missing

ROOT = Path(__file__).resolve().parents[2]
FIRST, BLOCKS, SEEDS = 1, 25, 20
EVERY = BLOCKS * SEEDS


@pytest.mark.fault(
    1, 15, 19, 20, 22, 23, 26, 28, 32, 33, 34, 38, 41, 45, 46, 47, 48, 56, 57, 58, 65, 66, 67, 71, 84
)
@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("block", range(BLOCKS))
def test_no_invariant_breaks(block: int, together: Path):
    first = FIRST + block * SEEDS
    met = together / f"seeds-{block}.json"
    said = simulate("--from", str(first), "--seeds", str(SEEDS), "--jobs", "1", "--tally", str(met))
    assert said.returncode == 0, said.stdout + said.stderr
    assert_nothing_was_missed(together)


def assert_nothing_was_missed(folder: Path) -> None:
    """Once all blocks are done: every fault must have met every state that it can meet."""
    files = sorted(folder.glob("seeds-*.json"))
    if len(files) < BLOCKS:
        return
    met: Counter[tuple[str, str]] = Counter()
    for file in files:
        for fault, state, times in json.loads(file.read_text(encoding="utf-8")):
            met[fault, state] += times
    assert not missing(met, EVERY)


def simulate(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command of the simulation, unmeasured."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("COV_", "COVERAGE"))}
    return subprocess.run(
        [sys.executable, "-m", "tests.simulation", *arguments],
        cwd=ROOT,
        env=kept,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
