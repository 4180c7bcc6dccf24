"""What this process takes of the machine, seen from outside."""

from __future__ import annotations

import subprocess
import sys

import pytest

THREADS = 4
READ = f"""
import threading
from pathlib import Path
from execution_engine.adapters import machine

def reserved_mb():
    return int(Path("/proc/self/statm").read_text().split()[0]) * 4096 / 1e6

machine.keep_memory_together()
before, ready, over = reserved_mb(), threading.Barrier({THREADS + 1}), threading.Event()

def work():
    kept = [bytes(2000) for _ in range(100)]
    ready.wait()
    over.wait()

threading.stack_size(1 << 20)
for _ in range({THREADS}):
    threading.Thread(target=work).start()
ready.wait()
print(reserved_mb() - before)
over.set()
"""
PLACE_MB = 64  # that glibc reserves for a thread of its own


@pytest.mark.skipif(sys.platform != "linux", reason="other systems keep memory together anyway")
def test_threads_take_their_memory_from_the_place_that_is_there() -> None:
    told = subprocess.run([sys.executable, "-c", READ], stdout=subprocess.PIPE, check=True, timeout=60)
    assert float(told.stdout) < PLACE_MB
