"""What was acknowledged is there after the process, or the power, was gone in the middle of anything."""

import os
import random
import shutil
import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from execution_engine.adapters.storage import check
from execution_engine.adapters.storage.connect import connect
from execution_engine.adapters.storage.store import SqliteStore
from execution_engine.domain.rows import Archive
from tests.adapters.storage.making import committed, family, line

# Imports once and forks a writer for each line that it reads, so that a cycle costs milliseconds.
WRITER = """
import os, sys
from pathlib import Path
from execution_engine.adapters.storage.store import SqliteStore
from tests.adapters.storage.making import line

def write_for_ever(path, first):
    out = os.fdopen(1, "wb", buffering=0)
    store = SqliteStore(path, lambda callback: callback())
    out.write(b"pid %d\\n" % os.getpid())
    id = first
    while True:
        while store.behind > 20:
            pass
        store.write((line(id, "x" * (id % 997)),), lambda failed, id=id: out.write(b"%d\\n" % id))
        id += 1

for request in sys.stdin:
    path, first = request.split()
    child = os.fork()
    if child == 0:
        write_for_ever(Path(path), int(first))
    os.waitpid(child, 0)
    print("dead", flush=True)
"""
CYCLES = 25


@pytest.mark.fault(56)
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork and SIGKILL")
def test_kill_9_loses_no_acknowledged_row(path: Path) -> None:
    chance = random.Random(11)
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    total = 0
    with subprocess.Popen(
        [sys.executable, "-c", WRITER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    ) as process:
        assert process.stdin
        assert process.stdout
        for _ in range(CYCLES):
            first = SqliteStore(path).next_id()
            print(path, first, file=process.stdin, flush=True)
            pid = int(process.stdout.readline().removeprefix("pid "))
            acknowledged = [int(process.stdout.readline()) for _ in range(chance.randrange(1, 120))]
            os.kill(pid, signal.SIGKILL)
            while (said := process.stdout.readline()) != "dead\n":
                acknowledged.append(int(said))
            there = ids_in(path)
            assert acknowledged == list(range(first, first + len(acknowledged)))
            assert there == set(range(1, len(there) + 1))
            assert acknowledged[-1] in there
            total += len(acknowledged)
        process.stdin.close()
    assert check.faults_of(path) == []
    assert total > CYCLES * 10


def ids_in(path: Path) -> set[int]:
    with closing(connect(path)) as connection:
        return {id for (id,) in connection.execute("SELECT id FROM system_log")}


@pytest.mark.fault(57)
def test_a_log_cut_anywhere_opens_to_the_commits_before_the_cut(path: Path, tmp_path: Path) -> None:
    store = SqliteStore(path)
    for number in range(30):
        committed(store, line(number + 1), *family(1_000 + 10 * number), Archive(1_000 + 10 * number))
    log = path.with_name(path.name + "-wal").read_bytes()
    frame = 24 + 4_096
    frames = (len(log) - 32) // frame
    chance, kept = random.Random(5), []
    cuts = [chance.randrange(frames + 1) * frame + 32 for _ in range(60)]
    for cut in sorted([0, *cuts, *(cut + chance.randrange(frame) for cut in cuts), len(log)]):
        copy = tmp_path / "copy.sqlite"
        shutil.copy(path, copy)
        copy.with_name("copy.sqlite-wal").write_bytes(log[:cut])
        assert check.faults_of(copy) == []
        ids = ids_in(copy)
        assert ids == set(range(1, len(ids) + 1))
        with closing(connect(copy)) as connection:
            (groups,) = connection.execute("SELECT count(*) FROM history_groups").fetchone()
        assert groups == len(ids)  # a commit is there whole or not at all
        kept.append(len(ids))
        for left in tmp_path.glob("copy.sqlite*"):
            left.unlink()
    store.close()
    assert kept == sorted(kept)
    assert (kept[0], kept[-1]) == (0, 30)
