"""Processes that are made from one that has imported everything: a start then costs what the program's own does.

`hatch(run)` is the nest's side: it makes a process for each line of its input, which runs `run(arguments)`.
`start {"arguments": [...], "stderr": FILE, "stdin": FILE, "stdout": FILE}` answers with a process id, `wait PID`
with its exit status (negative: the signal that ended it), `poll PID` with that or null.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
Run = Callable[[Sequence[str]], int]


def _environment() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), *filter(None, sys.path)])}


class Process:
    """A program of these tests that is talked to line by line."""

    def __init__(self, *arguments: str) -> None:
        self._popen = subprocess.Popen(
            [sys.executable, "-m", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=_environment(),
        )

    @property
    def pid(self) -> int:
        return self._popen.pid

    def hear(self) -> Any:
        assert self._popen.stdout
        line = self._popen.stdout.readline()
        assert line, "the program has ended"
        return json.loads(line)

    def ask(self, line: str) -> Any:
        assert self._popen.stdin
        self._popen.stdin.write(line + "\n")
        self._popen.stdin.flush()
        return self.hear()

    def end(self, number: signal.Signals = signal.SIGKILL) -> None:
        if self._popen.poll() is None:
            self._popen.send_signal(number)
        self._popen.communicate()


class Forked:
    """A process, as a nest made it."""

    def __init__(self, nest: Process, arguments: Sequence[str], stderr: Path, **files: Path) -> None:
        self._nest = nest
        self._status: int | None = None
        order = {"arguments": list(arguments), "stderr": str(stderr)}
        order |= {name: str(file) for name, file in files.items()}
        self.pid: int = nest.ask(f"start {json.dumps(order)}")

    def poll(self) -> int | None:
        if self._status is None:
            self._status = self._nest.ask(f"poll {self.pid}")
        return self._status

    def send_signal(self, number: signal.Signals) -> None:
        if self._status is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def wait(self, limit_s: float) -> int:
        """Wait until it has ended. The limit is the nest's own patience: it has none."""
        if self._status is None:
            self._status = self._nest.ask(f"wait {self.pid}")
        return int(self._status)


class Talking(Forked):
    """One that says something line by line, and ends when nobody can hear it any more. folder: for its pipes."""

    def __init__(self, nest: Process, arguments: Sequence[str], folder: Path) -> None:
        pipes = {name: folder / name for name in ("stdin", "stdout")}
        folder.mkdir()
        for pipe in pipes.values():
            os.mkfifo(pipe)
        super().__init__(nest, arguments, folder / "stderr", **pipes)
        self._ear = pipes["stdin"].open("w")
        self._voice = pipes["stdout"].open()

    def hear(self) -> Any:
        line = self._voice.readline()
        assert line, "the program has ended"
        return json.loads(line)

    def end(self) -> None:
        self.kill()
        self.wait(0)
        self._ear.close()
        self._voice.close()


def hatch(run: Run) -> None:
    """Make processes for whoever writes to the input."""
    gc.freeze()
    orders: dict[str, Callable[[str], Any]] = {
        "start": lambda order: _start(order, run),
        "wait": _wait,
        "poll": _poll,
    }
    for line in sys.stdin:
        word, _, rest = line.partition(" ")
        sys.stdout.write(json.dumps(orders[word](rest)) + "\n")
        sys.stdout.flush()


def _start(order: str, run: Run) -> int:
    asked = json.loads(order)
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        _redirect(asked)
        status = run(asked["arguments"])
    finally:
        sys.stderr.flush()
        os._exit(status)  # the parent's cleaning up is not the child's


def _redirect(asked: dict[str, str]) -> None:
    files = (
        (asked.get("stdin", os.devnull), os.O_RDONLY),
        (asked.get("stdout", os.devnull), os.O_WRONLY),
        (asked["stderr"], os.O_WRONLY | os.O_CREAT | os.O_APPEND),
    )
    for number, (file, how) in enumerate(files):
        os.dup2(os.open(file, how), number)


def _wait(pid: str) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(int(pid), 0)[1])


def _poll(pid: str) -> int | None:
    ended, status = os.waitpid(int(pid), os.WNOHANG)
    return os.waitstatus_to_exitcode(status) if ended else None
