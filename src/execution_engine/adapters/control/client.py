"""The command line's end of the command socket."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from execution_engine.adapters.control.messages import read_answer, request_line

if sys.platform == "win32":
    from execution_engine.adapters.control.windows import ask
else:
    from execution_engine.adapters.control.posix import ask


def call(path: Path, command: str, args: dict[str, Any] | None = None, timeout: float = 30.0) -> Any:
    """Ask a running engine and return its result; waits `timeout` seconds. Blocking.

    Raises NotRunning where nobody answers, and CommandFailed with a sentence for everything else.
    """
    return read_answer(ask(path, request_line(command, args or {}), timeout))
