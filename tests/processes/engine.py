"""The application without a window, its accounts at an exchange that speaks HTTP.

`python -m tests.processes.engine --data-dir DIR --exchange http://127.0.0.1:PORT --clock FILE --port 0` runs
one. With `--nest` it imports everything once and then makes a process for each line of its input, so that a
start costs what the application's own start costs: `start {"arguments": [...], "stderr": FILE}` answers with a
process id, `wait PID` with its exit status (negative: the signal that ended it), `poll PID` with that or null.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from execution_engine.commands import Commands
from execution_engine.core import Options
from execution_engine.domain.errors import EngineError
from execution_engine.domain.settings import PaperFeed
from execution_engine.main import Application, run_headless
from tests.processes.clock import SharedClock
from tests.processes.connection import Connect


def run(arguments: Sequence[str]) -> int:
    """Run the application until it is asked to end; a start that fails says why in a sentence."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-dir", required=True)
    parser.add_argument("--exchange", required=True)
    parser.add_argument("--clock", type=Path, required=True)
    parser.add_argument("--port", type=int, default=0)
    given = parser.parse_args(arguments)
    clock = SharedClock(given.clock)
    # Prices come from the exchange; the paper exchange inside has no account and no market.
    options = Options(data_dir=given.data_dir, port=given.port, paper_feed=PaperFeed.LIVE, headless=True)
    application = Application(options, clock=clock, connect=Connect(given.exchange, clock))
    application.handle = Commands(application).handle
    try:
        application.open()
        try:
            run_headless(application)
        finally:
            application.close()
    except EngineError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def nest() -> None:
    """Make processes for whoever writes to the input."""
    gc.freeze()
    for line in sys.stdin:
        word, _, rest = line.partition(" ")
        sys.stdout.write(json.dumps(_ORDERS[word](rest)) + "\n")
        sys.stdout.flush()


def _start(order: str) -> int:
    asked = json.loads(order)
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        _redirect(asked["stderr"])
        status = run(asked["arguments"])
    finally:
        sys.stderr.flush()
        os._exit(status)  # the parent's cleaning up is not the child's


def _redirect(stderr: str) -> None:
    os.dup2(os.open(os.devnull, os.O_RDWR), 0)
    os.dup2(0, 1)
    os.dup2(os.open(stderr, os.O_WRONLY | os.O_CREAT | os.O_APPEND), 2)


def _wait(pid: str) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(int(pid), 0)[1])


def _poll(pid: str) -> int | None:
    ended, status = os.waitpid(int(pid), os.WNOHANG)
    return os.waitstatus_to_exitcode(status) if ended else None


_ORDERS = {"start": _start, "wait": _wait, "poll": _poll}


if __name__ == "__main__":
    if sys.argv[1:] == ["--nest"]:
        nest()
    else:
        sys.exit(run(sys.argv[1:]))
