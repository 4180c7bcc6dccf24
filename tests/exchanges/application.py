"""Start the application so that it reaches local exchanges that run in another process.

    make exchange NAME=okx                                             # prints where "Both as JSON" is
    python -m tests.exchanges.application ROUTES.json [arguments]      # in a second terminal

Nothing of the application is changed but the two things that lead outside: names are resolved here, and the
local authority is trusted instead of the public ones. It trades with a data folder of its own unless it is
given one with ``--data-dir``.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

import aiohttp
import certifi

from execution_engine.cli import main
from tests.exchanges.world import LocalNames


def lead_to(routes_file: Path) -> None:
    """Lead every exchange's host of this process to the local exchanges."""
    routes = json.loads(routes_file.read_text())
    hosts = {host: (address, port) for host, (address, port) in routes["hosts"].items()}
    aiohttp.ThreadedResolver = lambda *_, **__: LocalNames(hosts, [])  # type: ignore[assignment,misc]
    certifi.where = lambda: routes["ca_file"]


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit("usage: python -m tests.exchanges.application ROUTES.json [arguments of the application]")
    lead_to(Path(sys.argv.pop(1)))
    if "--data-dir" not in " ".join(sys.argv):
        sys.argv += ["--data-dir", tempfile.mkdtemp(prefix="engine-on-local-exchanges-")]
    sys.exit(main())
