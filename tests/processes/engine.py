"""The application without a window, its accounts at an exchange that speaks HTTP.

`python -m tests.processes.engine --data-dir DIR --exchange http://127.0.0.1:PORT --clock FILE --port 0` runs
one.
"""

from __future__ import annotations

import argparse
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


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
